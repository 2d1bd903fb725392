// Makes contexts with memory and drops them, and counts the workers that are left.
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

let alive = 0;
threads.Worker = class extends threads.Worker {
  constructor(...args) {
    super(...args);
    alive += 1;
    this.on('exit', () => {
      alive -= 1;
    });
  }
};
syncBuiltinESMExports();

const { ml } = await import('../../../dist/node.js');

async function use() {
  const context = await ml.createContext({ threads: 1 });
  const tensor = await context.createTensor({ dataType: 'float32', shape: [1 << 20], readable: true });
  await context.readTensor(tensor);
}

const TIMES = 8;
for (let i = 0; i < TIMES; i += 1) await use();
// Collected objects are told of in tasks, and workers end in their own time.
for (let i = 0; i < 100 && alive > 0; i += 1) {
  globalThis.gc();
  await new Promise((resolve) => setTimeout(resolve, 20));
}
console.log(JSON.stringify({ alive }));
