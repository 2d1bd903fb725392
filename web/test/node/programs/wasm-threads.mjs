// The same product by different numbers of threads, and on the calling thread.
import { createHash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import threads from 'node:worker_threads';

const { Worker } = threads;
const { ml, contextInfo, MLGraphBuilder } = await import('../../../dist/node.js');

const SIZE = 200;
const square = { dataType: 'float32', shape: [SIZE, SIZE], readable: true, writable: true };
const elements = Float32Array.from({ length: SIZE * SIZE }, (_, i) => Math.fround(Math.sin(i) / 3));

async function product(count) {
  const context = await ml.createContext({ threads: count });
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', square);
  const graph = await builder.build({ y: builder.matmul(x, builder.constant(square, elements)) });
  const [input, output] = [await context.createTensor(square), await context.createTensor(square)];
  context.writeTensor(input, elements);
  // Often enough that the helpers come in between.
  const hashes = new Set();
  for (let i = 0; i < 50; i += 1) {
    context.dispatch(graph, { x: input }, { y: output });
    const bytes = new Uint8Array(await context.readTensor(output));
    hashes.add(createHash('sha256').update(bytes).digest('hex'));
  }
  const { details, reason } = contextInfo(context);
  context.destroy();
  return { details, reason, hashes: [...hashes] };
}

const products = [await product(1), await product(2), await product(3)];
threads.Worker = function forbidden() {
  throw new Error('workers are forbidden');
};
syncBuiltinESMExports();
products.push(await product(2));
threads.Worker = Worker;
console.log(JSON.stringify(products));
