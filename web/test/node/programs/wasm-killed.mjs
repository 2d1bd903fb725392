// Ends the engine's worker, then its helper, in mid-run, and looks at that context and at another.
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const started = [];
threads.Worker = class extends threads.Worker {
  /** The engine says that it is ready, its helper that it has joined. */
  isAtWork = new Promise((resolve) => this.once('message', resolve));

  constructor(...args) {
    super(...args);
    started.push(this);
  }
};
syncBuiltinESMExports();

const webnn = await import('../../../dist/node.js');
const { add } = await import('./add.mjs');
const other = await webnn.ml.createContext({ threads: 1 });
const results = [];
for (const victim of [0, 1]) {
  started.length = 0;
  const context = await webnn.ml.createContext({ threads: 2 });
  await add(webnn, context, [1], [2]);
  const tensor = await context.createTensor({ dataType: 'float32', shape: [1 << 20], readable: true });
  const read = context.readTensor(tensor).catch(({ name }) => name);
  // Nothing of a context that nobody waits for keeps the process.
  const waiting = setTimeout(() => undefined, 60_000);
  await started[victim].isAtWork;
  clearTimeout(waiting);
  await started[victim].terminate();
  const { message } = await context.lost;
  const after = await context.createTensor({ dataType: 'float32', shape: [] }).catch(({ name }) => name);
  results.push({ message, read: typeof (await read) === 'string' ? await read : 'bytes', after });
}
console.log(JSON.stringify({ results, other: await add(webnn, other, [10, 20], [1, 2]) }));
