/** The polyfill beside a browser's own interfaces. */

async function compute(context, Builder) {
  const builder = new Builder(context);
  const x = builder.input('x', { dataType: 'int32', shape: [2] });
  const graph = await builder.build({ y: builder.add(x, builder.constant('int32', 1)) });
  const tensor = (usage) => context.createTensor({ dataType: 'int32', shape: [2], ...usage });
  const [input, output] = [await tensor({ writable: true }), await tensor({ readable: true })];
  context.writeTensor(input, Int32Array.of(1, 2));
  context.dispatch(graph, { x: input }, { y: output });
  return [...new Int32Array(await context.readTensor(output))];
}

/** Who holds the browser's object, and asks it before the choice is made, gets a context that works. */
export async function besideInterfacesWithoutEngine() {
  const { ml } = navigator;
  const failure = await ml.createContext().then(
    () => 'none',
    ({ name }) => name,
  );
  const { install, MLContext: Ours, ml: ours } = await import('/dist/polyfill.js');
  const context = await ml.createContext({ deviceType: 'cpu' });
  return {
    failure,
    installed: await install(),
    isOurs: context instanceof Ours && globalThis.MLContext === Ours && navigator.ml === ours,
    result: await compute(context, globalThis.MLGraphBuilder),
  };
}

/** What createContext does in a frame with this `allow`. */
export async function inFrame(allow) {
  const frame = document.createElement('iframe');
  frame.allow = allow;
  frame.src = '/';
  const loaded = new Promise((resolve) => (frame.onload = resolve));
  document.body.append(frame);
  await loaded;
  const script = frame.contentDocument.createElement('script');
  script.type = 'module';
  script.textContent = `
    import { install } from '/dist/index.js';
    await install({ prefer: 'ours' });
    parent.answered(navigator.ml.createContext());`;
  const answer = new Promise((resolve) => (window.answered = resolve));
  frame.contentDocument.body.append(script);
  // The promise is the frame's: what it settles with comes from the frame's realm.
  try {
    const context = await answer;
    return context instanceof frame.contentWindow.MLContext ? 'a context' : 'something else';
  } catch (error) {
    return error instanceof frame.contentWindow.DOMException ? error.name : String(error);
  }
}
