/** The first page: which engine the others will find. */

import { guarded, showTime, startEngine } from './engine.js';

guarded(async () => {
  const { context, builder: newBuilder } = await startEngine();
  // The smallest graph there is, so that the time says what one dispatch costs.
  const builder = newBuilder();
  const descriptor = { dataType: 'float32', shape: [4] } as const;
  const x = builder.input('x', descriptor);
  const graph = await builder.build({ y: builder.add(x, x) });
  const input = await context.createTensor({ ...descriptor, writable: true });
  const output = await context.createTensor({ ...descriptor, readable: true });
  context.writeTensor(input, new Float32Array([1, 2, 3, 4]));
  const start = performance.now();
  context.dispatch(graph, { x: input }, { y: output });
  await context.readTensor(output);
  showTime(performance.now() - start);
});
