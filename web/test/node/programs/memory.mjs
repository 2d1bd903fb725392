/** Builds and drops a graph of 100 MB fifty times; with `--expose-gc` it collects by itself. */

import { ml, MLGraphBuilder } from '../../../dist/node.js';

const SIDE = 5000;
const context = await ml.createContext();
const weights = new Float32Array(SIDE * SIDE).fill(0.5);

async function round() {
  const row = { dataType: 'float32', shape: [1, SIDE] };
  const builder = new MLGraphBuilder(context);
  const matrix = builder.constant({ dataType: 'float32', shape: [SIDE, SIDE] }, weights);
  const product = builder.matmul(builder.input('x', row), matrix);
  const graph = await builder.build({ y: product });
  const x = await context.createTensor({ ...row, writable: true });
  const y = await context.createTensor({ ...row, readable: true });
  context.writeTensor(x, new Float32Array(SIDE).fill(2));
  context.dispatch(graph, { x }, { y });
  const [first] = new Float32Array(await context.readTensor(y));
  if (first !== SIDE) throw new Error(`the product is ${first}, expected ${SIDE}`);
}

let first = 0;
let most = 0;
for (let i = 0; i < 50; i += 1) {
  await round();
  globalThis.gc?.();
  await new Promise((resolve) => globalThis.setImmediate(resolve));
  const { rss } = process.memoryUsage();
  if (i === 2) first = rss;
  most = Math.max(most, rss);
}
console.log(JSON.stringify({ growth: most - first }));
