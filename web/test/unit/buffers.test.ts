import { runInNewContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { bufferSource, bytesOf, viewMismatch } from '../../src/buffers.js';
import { Mismatch } from '../../src/errors.js';
import { call, fixture, hostError } from './fake-host.js';

const BYTES = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7);

function shared(): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(8);
  new Uint8Array(buffer).set(BYTES);
  return buffer;
}

function detached<T extends ArrayBuffer | ArrayBufferView>(source: T): T {
  structuredClone(null, { transfer: [ArrayBuffer.isView(source) ? (source.buffer as ArrayBuffer) : source] });
  return source;
}

const resizable = (length: number) =>
  new (ArrayBuffer as unknown as new (n: number, options: object) => ArrayBuffer)(length, {
    maxByteLength: 16,
  });
const growable = (length: number) =>
  new (SharedArrayBuffer as unknown as new (n: number, options: object) => SharedArrayBuffer)(
    length,
    { maxByteLength: 16 },
  );

describe('buffer sources', () => {
  const taken: [string, unknown, number[]][] = [
    ['an ArrayBuffer', BYTES.slice().buffer, [...BYTES]],
    ['an empty ArrayBuffer', new ArrayBuffer(0), []],
    ['a SharedArrayBuffer', shared(), [...BYTES]],
    ['a view at an offset', new Uint16Array(BYTES.slice().buffer, 2, 2), [2, 3, 4, 5]],
    ['a DataView', new DataView(BYTES.slice().buffer, 1, 2), [1, 2]],
    ['a view of shared memory', new Uint8Array(shared(), 6), [6, 7]],
    ['an ArrayBuffer of another realm', runInNewContext('new Uint8Array([9, 8]).buffer'), [9, 8]],
    ['a view of another realm', runInNewContext('new Uint8Array([9, 8]).subarray(1)'), [8]],
    ['a SharedArrayBuffer of another realm', runInNewContext('new SharedArrayBuffer(1)'), [0]],
    ['a detached ArrayBuffer', detached(new ArrayBuffer(8)), []],
    ['a detached view', detached(new Uint8Array(8)), []],
    ['a detached DataView', detached(new DataView(new ArrayBuffer(8))), []],
    ['a view with lying properties', liar(), [1, 2]],
  ];
  it.each(taken)('are %s', (_, value, expected) => {
    expect([...bytesOf(bufferSource(value))]).toEqual(expected);
  });

  const refused: [string, unknown][] = [
    ['an array', [1, 2]],
    ['null', null],
    ['undefined', undefined],
    ['a string', 'abcd'],
    ['an object that claims to be one', { byteLength: 4, [Symbol.toStringTag]: 'ArrayBuffer' }],
    ['an object that claims to be shared', { [Symbol.toStringTag]: 'SharedArrayBuffer' }],
    ['an object with the prototype of one', Object.create(ArrayBuffer.prototype)],
    ['a resizable ArrayBuffer', resizable(8)],
    ['a growable SharedArrayBuffer', growable(8)],
    ['a view of a resizable ArrayBuffer', new Uint8Array(resizable(8))],
    ['a DataView of a resizable ArrayBuffer', new DataView(resizable(8), 0, 4)],
    ['a view of a growable SharedArrayBuffer', new Uint8Array(growable(8))],
  ];
  it.each(refused)('are not %s', (_, value) => {
    expect(() => bufferSource(value)).toThrow(Mismatch);
  });

  it('have the view type of their data type, or bytes', () => {
    const fits = (view: ArrayBufferView, type: Parameters<typeof viewMismatch>[1]) =>
      viewMismatch(bufferSource(view), type) === undefined;
    expect(fits(new Float32Array(1), 'float32')).toBe(true);
    expect(fits(new Uint8Array(1), 'float32')).toBe(true);
    expect(fits(new Uint16Array(1), 'float16')).toBe(true);
    expect(fits(new BigInt64Array(1), 'int64')).toBe(true);
    expect(fits(new Int32Array(1), 'float32')).toBe(false);
    expect(fits(new Uint8ClampedArray(1), 'uint8')).toBe(false);
    expect(fits(new DataView(new ArrayBuffer(1)), 'uint8')).toBe(false);
    expect(fits(new Int8Array(1), 'uint8')).toBe(false);
  });
});

function liar(): Uint8Array {
  const view = Uint8Array.of(1, 2);
  for (const key of ['buffer', 'byteLength', 'byteOffset', 'length']) {
    Object.defineProperty(view, key, {
      get: () => {
        throw new Error(`${key} was read`);
      },
    });
  }
  return view;
}

describe('constant', () => {
  const descriptor = { dataType: 'float32', shape: [1] } as const;

  it('hands the bytes of the view to the host', async () => {
    const { host, builder } = await fixture();
    builder.constant(descriptor, new Uint8Array(BYTES.slice().buffer, 4, 4));
    expect(host.lastCall('constant')).toEqual([descriptor, Uint8Array.of(4, 5, 6, 7)]);
  });

  it('refuses a view of another type, after what the host checks first', async () => {
    const { host, builder } = await fixture();
    const wrong = new Int32Array(1);
    expect(() => builder.constant(descriptor, wrong)).toThrow(
      new TypeError('constant: the buffer is a Int32Array, expected a Float32Array or Uint8Array for float32'),
    );
    host.answers.set('constant', () => {
      throw hostError('InvalidStateError');
    });
    expect(() => builder.constant(descriptor, wrong)).toThrow(DOMException);
  });

  it('is told apart by the number of arguments and the kind of the first', async () => {
    const { host, builder, context } = await fixture();
    const tensor = await context.createConstantTensor(descriptor, new Float32Array(1));
    const constant = (...args: unknown[]) => call(builder, 'constant', ...args);
    constant(tensor);
    constant('int8', 3);
    constant({ toString: () => 'int8', ...descriptor }, new Float32Array(1));
    const called = host.calls.slice(-3).map(({ name }) => name);
    expect(called).toEqual(['constantTensor', 'scalar', 'constant']);
    expect(host.lastCall('scalar')).toEqual(['int8', 3]);
    expect(() => constant()).toThrow('constant: 1 argument expected, got 0');
    expect(() => constant({})).toThrow('constant: tensor is an object, expected an MLTensor');
    expect(() => constant(undefined, new Float32Array(1))).toThrow('constant: descriptor.dataType');
    expect(() => constant(12, 3)).toThrow('constant: dataType is "12"');
    expect(() => constant('int8', Symbol.iterator)).toThrow('constant: value is a symbol');
  });
});

describe('readTensor into a destination', () => {
  it('writes when the read completes, and not before', async () => {
    const { host, context, tensor } = await fixture();
    let complete: (bytes: ArrayBuffer) => void = () => undefined;
    host.answers.set('readTensor', () => new Promise((resolve) => (complete = resolve)));
    const destination = Int8Array.of(0, 7, 7, 7, 7, 0).subarray(1, 5);
    const read = context.readTensor(tensor, destination);
    expect(host.lastCall('readTensor')[1]).toBe(4);
    expect([...destination]).toEqual([7, 7, 7, 7]);
    complete(Uint8Array.of(1, 2, 3, 4).buffer);
    await expect(read).resolves.toBeUndefined();
    expect([...new Int8Array(destination.buffer)]).toEqual([0, 1, 2, 3, 4, 0]);
  });

  it('fills the start of a longer one and shared memory', async () => {
    const { context, tensor } = await fixture();
    const longer = new Uint8Array(6);
    await context.readTensor(tensor, longer);
    expect([...longer]).toEqual([1, 2, 3, 4, 0, 0]);
    const buffer = new SharedArrayBuffer(4);
    await context.readTensor(tensor, buffer);
    expect([...new Uint8Array(buffer)]).toEqual([1, 2, 3, 4]);
  });

  it('rejects with a TypeError where it was detached meanwhile', async () => {
    const { context, tensor } = await fixture();
    for (const destination of [new ArrayBuffer(4), new Uint8Array(4), new DataView(new ArrayBuffer(4))]) {
      const read = context.readTensor(tensor, destination);
      detached(destination);
      await expect(read).rejects.toThrow(TypeError);
    }
  });

  it('is chosen by the number of arguments, so undefined is no destination', async () => {
    const { context, tensor } = await fixture();
    const read = call(context, 'readTensor', tensor, undefined);
    await expect(read).rejects.toThrow('readTensor: outputData is undefined');
  });
});
