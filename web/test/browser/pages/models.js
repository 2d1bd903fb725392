/** Loads, builds and runs a model while long tasks are watched. */

const LONG = 50;

/** Long tasks of the page's main thread from the call on; every one that ended before `stop` counts. */
function watch() {
  const tasks = [];
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries()));
  observer.observe({ type: 'longtask' });
  const phases = [];
  const begin = (name) => {
    phases.push({ name, start: performance.now() });
  };
  begin('load');
  return {
    begin,
    async stop() {
      // Entries are queued as tasks after the task that they tell of.
      await new Promise((resolve) => setTimeout(resolve, 200));
      tasks.push(...observer.takeRecords());
      observer.disconnect();
      return tasks.map(({ startTime, duration }) => ({
        phase: phases.findLast(({ start }) => start <= startTime + duration)?.name,
        duration,
      }));
    },
  };
}

/** Imports the package, makes a context, loads and builds the model, and computes a few times. */
export async function responsive(url, options, isFetched = false) {
  const source = isFetched ? await (await fetch(url)).arrayBuffer() : url;
  const watched = watch();
  await import('/dist/polyfill.js');
  const { loadOnnx } = await import('/dist/onnx.js');
  watched.begin('context');
  const context = await navigator.ml.createContext();
  watched.begin('build');
  const model = await loadOnnx(context, source, options);
  watched.begin('dispatch');
  const inputs = await tensors(context, model.inputs, { writable: true });
  const outputs = await tensors(context, model.outputs, { readable: true });
  for (let i = 0; i < 5; i++) {
    context.dispatch(model.graph, inputs, outputs);
    await Promise.all(Object.values(outputs).map((tensor) => context.readTensor(tensor)));
  }
  watched.begin('end');
  return { long: await watched.stop(), operations: model.operations };
}

async function tensors(context, ports, usage) {
  const made = ports.map(async ({ name, dataType, shape }) => [
    name,
    await context.createTensor({ dataType, shape, ...usage }),
  ]);
  return Object.fromEntries(await Promise.all(made));
}

/** That a long task is seen at all. */
export async function provoke() {
  const watched = watch();
  await new Promise((resolve) =>
    setTimeout(() => {
      const end = performance.now() + 2 * LONG;
      while (performance.now() < end);
      resolve();
    }),
  );
  return watched.stop();
}
