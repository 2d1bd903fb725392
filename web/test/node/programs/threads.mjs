/** Four threads compute at once; a fifth is ended while it builds, dispatches and reads. */

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

import * as webnn from '../../../dist/node.js';
import { add } from './add.mjs';

const file = new URL(import.meta.url);

if (isMainThread) {
  const sums = await Promise.all([1, 2, 3, 4].map((x) => answer(new Worker(file, { workerData: { x } }))));
  const busy = new Worker(file, { workerData: { x: 0, busy: true } });
  await answer(busy);
  const ended = await busy.terminate();
  const context = await webnn.ml.createContext();
  const [after] = await add(webnn, context, [5], [2]);
  console.log(JSON.stringify({ sums, ended, after }));
} else {
  const context = await webnn.ml.createContext();
  const { x, busy } = workerData;
  if (busy) await work(context);
  for (let i = 0; i < 100; i += 1) await add(webnn, context, [x], [i]);
  const [sum] = await add(webnn, context, [x], [2]);
  parentPort.postMessage(sum);
}

function answer(worker) {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Tells that it began, and never ends. */
async function work(context) {
  const side = 512;
  const descriptor = { dataType: 'float32', shape: [side, side] };
  const tensor = await context.createTensor({ ...descriptor, readable: true });
  const x = await context.createTensor({ ...descriptor, readable: true });
  for (;;) {
    const builder = new webnn.MLGraphBuilder(context);
    const input = builder.input('x', descriptor);
    const constant = builder.constant(descriptor, new Float32Array(side * side));
    const building = builder.build({ y: builder.matmul(input, constant) });
    parentPort.postMessage(0);
    const graph = await building;
    context.dispatch(graph, { x }, { y: tensor });
    void context.readTensor(tensor);
  }
}
