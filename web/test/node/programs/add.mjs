/** A sum, as small a graph as there is. */

/** Adds `addend` to `x` on the context. */
export async function add({ MLGraphBuilder }, context, x, addend) {
  const descriptor = { dataType: 'float32', shape: [x.length] };
  const builder = new MLGraphBuilder(context);
  const constant = builder.constant(descriptor, new Float32Array(addend));
  const graph = await builder.build({ y: builder.add(builder.input('x', descriptor), constant) });
  const input = await context.createTensor({ ...descriptor, writable: true });
  const output = await context.createTensor({ ...descriptor, readable: true });
  context.writeTensor(input, new Float32Array(x));
  context.dispatch(graph, { x: input }, { y: output });
  return Array.from(new Float32Array(await context.readTensor(output)));
}
