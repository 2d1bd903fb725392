import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DIGITS, SHARED } from './site.js';

const dist = (name: string): string => new URL(`../../dist/${name}`, import.meta.url).href;
const { ml } = (await import(dist('node.js'))) as typeof import('webnn');
const { inspectOnnx, loadOnnx, OnnxError } = (await import(dist('onnx-node.js'))) as typeof import('webnn/onnx');

const digits = pathToFileURL(`${DIGITS}/digits.onnx`);

/** The pixels of an 8-bit greyscale PNG whose rows are not filtered. */
function pixelsOf(png: Buffer): Float32Array<ArrayBuffer> {
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const rows = inflateSync(Buffer.concat(parts));
  return Float32Array.from({ length: 64 }, (_, i) => (rows[(i >> 3) * 9 + 1 + (i & 7)] ?? 0) / 255);
}

/** A message of the wire format: fields by number, as bytes or as integers. */
function message(...fields: readonly (readonly [number, Uint8Array | string | number])[]): Uint8Array {
  return Buffer.concat(
    fields.map(([field, value]) => {
      if (typeof value === 'number') return Uint8Array.of(field << 3, value);
      const bytes = Buffer.from(value);
      return Buffer.concat([Uint8Array.of((field << 3) | 2, bytes.length), bytes]);
    }),
  );
}

/** y = x + w, where w lies in a file beside the model; x has the free dimension `n`. */
function modelWithExternalData(): Uint8Array {
  const float = 1;
  const value = (name: string, size: Uint8Array): Uint8Array =>
    message([1, name], [2, message([1, message([1, float], [2, message([1, size])])])]);
  const weight = message(
    [1, 1],
    [2, float],
    [8, 'w'],
    [13, message([1, 'location'], [2, 'w.bin'])],
    [14, 1],
  );
  const node = message([1, 'x'], [1, 'w'], [2, 'y'], [3, 'sum'], [4, 'Add']);
  const free = message([2, 'n']);
  const graph = message([1, node], [2, 'g'], [5, weight], [11, value('x', free)], [12, value('y', free)]);
  return message([1, 8], [7, graph], [8, message([2, 17])]);
}

describe('webnn/onnx', () => {
  test('recognises every picture that the network recognised in training', async () => {
    const context = await ml.createContext();
    const { graph, inputs, outputs, operators, operations } = await loadOnnx(context, digits);
    expect(inputs).toEqual([{ name: 'image', dataType: 'float32', shape: [1, 1, 8, 8] }]);
    expect(outputs).toEqual([{ name: 'probabilities', dataType: 'float32', shape: [1, 10] }]);
    expect(operators).toContainEqual(['Conv', 3]);
    expect(operations).toBe(13);
    const image = await context.createTensor({ dataType: 'float32', shape: [1, 1, 8, 8], writable: true });
    const probabilities = await context.createTensor({ dataType: 'float32', shape: [1, 10], readable: true });
    for (let digit = 0; digit < 10; digit++) {
      context.writeTensor(image, pixelsOf(await readFile(`${DIGITS}/samples/${digit}.png`)));
      context.dispatch(graph, { image }, { probabilities });
      const values = Array.from(new Float32Array(await context.readTensor(probabilities)));
      expect(values.indexOf(Math.max(...values))).toBe(digit);
    }
    context.destroy();
  });

  test('takes buffers, views, blobs and responses alike, and leaves them whole', async () => {
    const bytes = new Uint8Array(await readFile(digits));
    const padded = new Uint8Array(bytes.length + 16);
    padded.set(bytes, 8);
    const sources = [bytes.buffer, padded.subarray(8, 8 + bytes.length), new Blob([bytes]), new Response(bytes)];
    for (const source of sources) {
      expect((await inspectOnnx(source)).opset).toBe(17);
    }
    expect(bytes.byteLength).toBe(92987);
  });

  test('reads weights from files beside the model, and fixes free dimensions', async () => {
    const context = await ml.createContext();
    const model = modelWithExternalData();
    expect((await inspectOnnx(model)).inputs).toEqual([{ name: 'x', dataType: 'float32', shape: ['n'] }]);
    const options = { dimensions: { n: 3 }, externalData: { 'w.bin': Float32Array.of(0.5) } };
    const { graph, inputs } = await loadOnnx(context, model, options);
    expect(inputs).toEqual([{ name: 'x', dataType: 'float32', shape: [3] }]);
    const x = await context.createTensor({ dataType: 'float32', shape: [3], writable: true });
    const y = await context.createTensor({ dataType: 'float32', shape: [3], readable: true });
    context.writeTensor(x, Float32Array.of(1, 2, 3));
    context.dispatch(graph, { x }, { y });
    expect(Array.from(new Float32Array(await context.readTensor(y)))).toEqual([1.5, 2.5, 3.5]);
    context.destroy();
  });

  test.each([
    ['what is no model', () => new Uint8Array([1, 2, 3]), {}, /not a valid ONNX model/],
    ['a free dimension without a size', modelWithExternalData, { externalData: { 'w.bin': Float32Array.of(1) } }, /dimension 0 is free; give "n" a size/],
    ['a dimension that the model has not', modelWithExternalData, { dimensions: { m: 1 } }, /no free dimension "m"; the model has n/],
    ['a file of weights that is not given', modelWithExternalData, { dimensions: { n: 1 } }, /external data in "w.bin", which was not given/],
    ['a size that is no whole number', modelWithExternalData, { dimensions: { n: 1.5 } }, /"n" has a size that is not a whole number/],
  ])('refuses %s with a sentence', async (_, model, options, sentence) => {
    const context = await ml.createContext();
    const refused = loadOnnx(context, model(), options);
    await expect(refused).rejects.toThrow(OnnxError);
    await expect(refused).rejects.toThrow(sentence);
    context.destroy();
  });

  test('names all that the context does not take at once', async () => {
    const context = await ml.createContext();
    const limits = context.opSupportLimits();
    const narrow: object = { ...limits, conv2d: undefined, softmax: { ...limits.softmax, input: { dataTypes: ['float16'] } } };
    Object.defineProperty(context, 'opSupportLimits', { value: () => narrow });
    const error: unknown = await loadOnnx(context, digits).catch((error: unknown) => error);
    const problems = error instanceof OnnxError ? error.problems : [];
    expect(problems.map(({ node, operator }) => `${operator} ${node}`)).toEqual([
      'conv2d conv1',
      'conv2d conv2',
      'conv2d conv3',
      'softmax softmax',
    ]);
    context.destroy();
  });

  test('ends when its signal says so', async () => {
    const context = await ml.createContext();
    const reason = new Error('no longer wanted');
    await expect(loadOnnx(context, digits, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    context.destroy();
  });

  test.skipIf(SHARED === undefined)('builds a language model of half precision', async () => {
    const context = await ml.createContext();
    const file = pathToFileURL(`${SHARED ?? ''}/models/all-MiniLM-L6-v2/onnx/model_fp16.onnx`);
    const { outputs } = await loadOnnx(context, file, { dimensions: { batch_size: 1, sequence_length: 8 } });
    expect(outputs).toEqual([{ name: 'last_hidden_state', dataType: 'float32', shape: [1, 8, 384] }]);
    context.destroy();
  });
});
