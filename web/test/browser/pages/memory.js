/** Builds large graphs over and over. */

import '/dist/polyfill.js';
import { generator, run } from './compute.js';

const SIZE = 5120;

/** 100 MB of weights that no compression can shrink. */
function weights() {
  const data = new Float32Array(SIZE * SIZE);
  const random = generator(1);
  for (let i = 0; i < data.length; i++) data[i] = random();
  return data;
}

/**
 * Builds a graph with 100 MB of constants `times` times and lets each go, by `destroy` or by leaving it to the
 * garbage collector; the last one computes.
 */
export async function build(times, way) {
  const context = await navigator.ml.createContext();
  const data = weights();
  const row = new Float32Array(SIZE).fill(1);
  let sum;
  for (let i = 0; i < times; i++) {
    const graph = await buildOne(context, data);
    if (i === times - 1) {
      const result = await run(context, graph, [1, SIZE], row, [1, SIZE]);
      sum = result.reduce((total, value) => total + value, 0);
    }
    if (way === 'destroyed') graph.destroy();
    else await collected();
  }
  const expected = data.reduce((total, value) => total + value, 0);
  return { relativeError: Math.abs(sum - expected) / Math.abs(expected) };
}

async function buildOne(context, data) {
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', { dataType: 'float32', shape: [1, SIZE] });
  const w = builder.constant({ dataType: 'float32', shape: [SIZE, SIZE] }, data);
  return builder.build({ y: builder.matmul(x, w) });
}

/** Finalizers run in tasks of their own, after the collection. */
async function collected() {
  gc();
  await new Promise((resolve) => setTimeout(resolve));
}
