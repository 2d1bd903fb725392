/** Graphs that the tests compute in every kind of scope; `navigator.ml` is there already. */

import { contextInfo } from '/dist/index.js';

/** relu(x · w + b) over small integers: every step is exact. */
export async function exact(context) {
  context ??= await navigator.ml.createContext();
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', { dataType: 'float32', shape: [2, 3] });
  const w = builder.constant({ dataType: 'float32', shape: [3, 2] }, new Float32Array([1, -1, 2, 0, -1, 1]));
  const b = builder.constant({ dataType: 'float32', shape: [2] }, new Float32Array([-3, 1]));
  const graph = await builder.build({ y: builder.relu(builder.add(builder.matmul(x, w), b)) });
  return run(context, graph, [2, 3], new Float32Array([1, 2, 3, 4, 5, 6]), [2, 2]);
}

/** A convolution, a product and a softmax, large enough to be split among threads. */
export async function sizeable(context) {
  context ??= await navigator.ml.createContext();
  const builder = new MLGraphBuilder(context);
  const random = generator(7);
  const constant = (shape) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    return builder.constant({ dataType: 'float32', shape }, data.map(random));
  };
  const x = builder.input('x', { dataType: 'float32', shape: [1, 16, 64, 64] });
  const convolved = builder.conv2d(x, constant([32, 16, 3, 3]), { padding: [1, 1, 1, 1] });
  const rows = builder.reshape(builder.gelu(convolved), [512, 256]);
  const y = builder.softmax(builder.matmul(rows, constant([256, 192])), 1);
  const graph = await builder.build({ y });
  const result = await run(context, graph, [1, 16, 64, 64], new Float32Array(16 * 64 * 64).map(random), [512, 192]);
  return { bits: await digest(result), sum: result.reduce((sum, value) => sum + value, 0) };
}

/** What a scope of its own has to say; the answer of every worker below. */
export async function everything() {
  const context = await navigator.ml.createContext();
  return {
    exact: [...(await exact(context))],
    sizeable: await sizeable(context),
    device: contextInfo(context),
    isolated: globalThis.crossOriginIsolated,
  };
}

export async function run(context, graph, inShape, data, outShape) {
  const x = await context.createTensor({ dataType: 'float32', shape: inShape, writable: true });
  const y = await context.createTensor({ dataType: 'float32', shape: outShape, readable: true });
  context.writeTensor(x, data);
  context.dispatch(graph, { x }, { y });
  return new Float32Array(await context.readTensor(y));
}

async function digest(array) {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', array));
  return Array.from(hash.slice(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Numbers in [-1, 1) of a linear congruential generator. */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}
