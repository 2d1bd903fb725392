/** A network of two layers whose weights compute the exclusive or of two bits. */
export async function xor(context) {
  const builder = new MLGraphBuilder(context);
  const constant = (shape, values) =>
    builder.constant({ dataType: 'float32', shape }, new Float32Array(values));
  const bits = builder.input('bits', { dataType: 'float32', shape: [4, 2] });
  const sum = builder.matmul(bits, constant([2, 2], [1, 1, 1, 1]));
  const hidden = builder.relu(builder.add(sum, constant([2], [0, -1])));
  const answer = builder.matmul(hidden, constant([2, 1], [1, -2]));
  const graph = await builder.build({ answer });

  const input = await context.createTensor({ dataType: 'float32', shape: [4, 2], writable: true });
  const output = await context.createTensor({ dataType: 'float32', shape: [4, 1], readable: true });
  context.writeTensor(input, new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]));
  context.dispatch(graph, { bits: input }, { answer: output });
  return new Float32Array(await context.readTensor(output));
}
