/** What goes wrong around the engine, and what the page sees of it. */

import '/dist/polyfill.js';
import { contextInfo } from '/dist/index.js';
import { exact } from './compute.js';
import { outcome } from './hostile.js';

const MEGABYTES = 2 ** 20;
const vector = (megabytes) => ({ dataType: 'float32', shape: [(megabytes * MEGABYTES) / 4] });

/** Whether and how a page like this one computes. */
export async function compute() {
  const context = await navigator.ml.createContext();
  return { exact: [...(await exact(context))], device: contextInfo(context) };
}

/** What a page like this one is told that cannot compute. */
export async function refusal() {
  try {
    await navigator.ml.createContext();
    return undefined;
  } catch (error) {
    return { name: error.name, isDOMException: error instanceof DOMException, message: error.message };
  }
}

/** Kills the engine of one context while it computes; another context has its own. */
export async function killed() {
  const before = new Set(globalThis.workers);
  const victim = await navigator.ml.createContext();
  const theirs = globalThis.workers.filter((worker) => !before.has(worker));
  const survivor = await navigator.ml.createContext();
  const { graph, x, y } = await chain(victim);
  victim.dispatch(graph, { x }, { y });
  const builder = new MLGraphBuilder(victim);
  const output = builder.relu(builder.input('x', vector(1)));
  const pending = [
    outcome(() => victim.readTensor(y)),
    outcome(() => victim.createTensor(vector(1))),
    outcome(() => builder.build({ output })),
  ];
  theirs.forEach((worker) => worker.terminate());
  const { message } = await victim.lost;
  return {
    workers: theirs.length > 0,
    pending: [...new Set(await Promise.all(pending))],
    lost: message,
    later: await outcome(() => victim.createTensor(vector(1))),
    survivor: [...(await exact(survivor))],
    next: [...(await exact())],
  };
}

/** A graph that computes for long enough to be caught at it. */
async function chain(context) {
  const shape = [512, 512];
  const builder = new MLGraphBuilder(context);
  const input = builder.input('x', { dataType: 'float32', shape });
  let value = input;
  for (let i = 0; i < 200; i++) value = builder.tanh(builder.matmul(value, input));
  const graph = await builder.build({ y: value });
  const [x, y] = await Promise.all([
    context.createTensor({ dataType: 'float32', shape, writable: true }),
    context.createTensor({ dataType: 'float32', shape, readable: true }),
  ]);
  return { graph, x, y };
}

/** A tensor that does not fit: the context and what fits in it stay. */
export async function exhaustByTensor(megabytes) {
  const context = await navigator.ml.createContext();
  const tensor = await outcome(() => context.createTensor(vector(megabytes)));
  return { tensor, same: [...(await exact(context))] };
}

/** A graph that does not fit: it is refused, or takes its own context with it and says so. */
export async function exhaustByGraph(megabytes) {
  const [context, other] = await Promise.all([navigator.ml.createContext(), navigator.ml.createContext()]);
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', vector(megabytes));
  const graph = await outcome(() => builder.build({ y: builder.sin(builder.cumulativeSum(x, 0)) }));
  const lost = graph === 'InvalidStateError' ? (await context.lost).message : 'not lost';
  return { graph, lost, other: [...(await exact(other))], next: [...(await exact())] };
}
