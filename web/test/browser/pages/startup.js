/** What a page downloads and starts, and when. */

import { watchWorkers } from './watch.js';

const names = () => globalThis.workers.map((worker) => worker.script);

/** The package's modules that have been asked for, each as often as it was. */
function modules() {
  const entries = performance.getEntriesByType('resource').map(({ name }) => name.split('/').pop());
  return entries.filter((name) => name.endsWith('.wasm')).map((name) => (name === 'onnx.wasm' ? name : 'engine'));
}

/** From the import to the second model; each step's modules and workers, and the results. */
export async function onnx() {
  watchWorkers();
  const steps = {};
  const note = (step) => {
    steps[step] = { modules: modules().sort(), workers: names() };
  };
  const { ml } = await import('/dist/index.js');
  const { loadOnnx } = await import('/dist/onnx.js');
  note('imported');
  const context = await ml.createContext({ threads: 2 });
  const bytes = await (await fetch('/digits/digits.onnx')).arrayBuffer();
  const small = await loadOnnx(context, bytes);
  note('small');
  const large = await loadOnnx(context, '/digits/digits.onnx');
  note('large');
  const results = [await run(context, small), await run(context, large)];
  note('run');
  return { ...steps, results };
}

/** What a page loads that builds its graphs itself. */
export async function withoutOnnx() {
  watchWorkers();
  const { ml } = await import('/dist/index.js');
  await ml.createContext();
  return { modules: modules(), workers: names() };
}

async function run(context, { graph }) {
  const image = await context.createTensor({ dataType: 'float32', shape: [1, 1, 8, 8], writable: true });
  const probabilities = await context.createTensor({ dataType: 'float32', shape: [1, 10], readable: true });
  context.writeTensor(image, Float32Array.from({ length: 64 }, (_, i) => (i % 8 === 4 ? 1 : 0)));
  context.dispatch(graph, { image }, { probabilities });
  return [...new Float32Array(await context.readTensor(probabilities))];
}
