/** What `run.mjs` calls in its pages: one engine each, one model at a time. */

const ARRAYS = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };

let engine;
let run;

const engines = {
  /** This package, from ONNX file to results without anything else. */
  async direct(threads) {
    // At the same time, as a page's own import statements are.
    const [{ ml }, { loadOnnx }] = await Promise.all([import('/dist/index.js'), import('/dist/onnx.js')]);
    const context = await ml.createContext({ deviceType: 'cpu', threads });
    let release = () => {};
    return async (bytes, inputs) => {
      release();
      const model = await loadOnnx(context, bytes);
      const tensors = (list, usage) =>
        Promise.all(list.map(({ dataType, shape }) => context.createTensor({ dataType, shape, ...usage })));
      const sources = await tensors(model.inputs, { writable: true });
      const results = await tensors(model.outputs, { readable: true });
      const named = (list, all) => Object.fromEntries(list.map(({ name }, i) => [name, all[i]]));
      const [from, to] = [named(model.inputs, sources), named(model.outputs, results)];
      const data = model.inputs.map(({ name }) => inputs.find((input) => input.name === name).data);
      release = () => {
        model.graph.destroy();
        for (const tensor of [...sources, ...results]) tensor.destroy();
      };
      return async () => {
        sources.forEach((tensor, i) => context.writeTensor(tensor, data[i]));
        context.dispatch(model.graph, from, to);
        return Promise.all(results.map((tensor) => context.readTensor(tensor)));
      };
    };
  },

  async 'ort-wasm'(threads) {
    return onnxRuntime(await import('/ort/ort.wasm.min.mjs'), threads, () => ['wasm']);
  },

  /** ONNX Runtime Web's own WebNN provider, on this package. */
  async 'ort-webnn'(threads) {
    const { install, ml } = await import('/dist/index.js');
    await install({ prefer: 'ours' });
    const context = await ml.createContext({ deviceType: 'cpu', threads });
    const ort = await import('/ort/ort.all.min.mjs');
    return onnxRuntime(ort, 1, () => [{ name: 'webnn', deviceType: 'cpu', context }]);
  },
};

function onnxRuntime(ort, threads, providers) {
  if (threads !== undefined) ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = `${globalThis.location.origin}/ort/`;
  ort.env.logLevel = 'error';
  let session;
  return async (bytes, inputs) => {
    await session?.release();
    session = await ort.InferenceSession.create(bytes, {
      executionProviders: providers(),
      logSeverityLevel: 3,
    });
    const feed = Object.fromEntries(
      inputs.map(({ name, dtype, data, shape }) => [name, new ort.Tensor(dtype, data, shape)]),
    );
    return async () => {
      const results = await session.run(feed);
      return session.outputNames.map((name) => results[name].data);
    };
  };
}

async function get(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.arrayBuffer();
}

function floats(result) {
  const view = result instanceof ArrayBuffer ? new Float32Array(result) : result;
  return Array.from(view, Number);
}

globalThis.bench = {
  async start(name, threads) {
    engine = await engines[name](threads);
  },

  async load(model) {
    const description = await (await fetch(`/models/${model}.json`)).json();
    const inputs = await Promise.all(
      description.inputs.map(async ({ name, dtype, shape, file }) => {
        return { name, dtype, shape, data: new ARRAYS[dtype](await get(`/models/${file}`)) };
      }),
    );
    run = await engine(new Uint8Array(await get(`/models/${description.file}`)), inputs);
    await run();
  },

  /** The median time of a run, of as many as fill the time. */
  async burst(milliseconds) {
    await run();
    const times = [];
    const end = performance.now() + milliseconds;
    while (performance.now() < end || times.length < 3) {
      const start = performance.now();
      await run();
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[times.length >> 1];
  },

  async outputs() {
    return (await run()).map(floats);
  },

  /** From nothing to the digit model's first result; the model's bytes are there. */
  async first(name) {
    const bytes = new Uint8Array(await get('/digits/digits.onnx'));
    const start = performance.now();
    const load = await engines[name](undefined);
    const input = { name: 'image', dtype: 'float32', shape: [1, 1, 8, 8], data: new Float32Array(64) };
    await (await load(bytes, [input]))();
    return performance.now() - start;
  },
};
