/** The native host against the contract that the Web IDL layer relies on. */

import { once } from 'node:events';

import { beforeAll, describe, expect, it } from 'vitest';

import type { Host, HostContext, HostContextOptions, HostGraph } from '../../src/host.js';
import { NativeHost, nodeHost } from '../../src/node-host.js';
import { addonNames, loadAddon } from '../../src/node-addon.js';
import { bytes, floats, kindOf } from './support.js';

const OPTIONS: HostContextOptions = { powerPreference: 'default', accelerated: true };
const READABLE = { readable: true, writable: false };
const WRITABLE = { readable: false, writable: true };
const BOTH = { readable: true, writable: true };

let host: NativeHost;
let context: HostContext;

beforeAll(async () => {
  const loaded = loadAddon();
  if ('missing' in loaded) throw new Error(`${loaded.missing}: run \`cargo xtask node\``);
  host = new NativeHost(loaded.addon);
  context = await host.createContext(OPTIONS);
});

/** `y = x · w`, with w of 2 × 2. */
async function product(on: HostContext, w: readonly number[]): Promise<HostGraph> {
  const builder = on.createBuilder();
  const x = builder.input('x', { dataType: 'float32', shape: [1, 2] });
  const weights = builder.constant({ dataType: 'float32', shape: [2, 2] }, bytes(w));
  const [y] = builder.add('matmul', [['a', x], ['b', weights]], [], '');
  if (y === undefined) throw new Error('matmul has a result');
  return builder.build([['y', y]]);
}

async function run(on: HostContext, graph: HostGraph, x: readonly number[]): Promise<number[]> {
  const input = await on.createTensor({ dataType: 'float32', shape: [1, 2] }, WRITABLE);
  const output = await on.createTensor({ dataType: 'float32', shape: [1, 2] }, READABLE);
  on.writeTensor(input, bytes(x));
  on.dispatch(graph, [['x', input]], [['y', output]]);
  return floats(await on.readTensor(output));
}

/** The one element that an operator makes of one float. */
async function map(
  method: string,
  value: number,
  attributes: Parameters<ReturnType<HostContext['createBuilder']>['add']>[2],
): Promise<number | undefined> {
  const builder = context.createBuilder();
  const x = builder.input('x', { dataType: 'float32', shape: [] });
  const [y] = builder.add(method, [['input', x]], attributes, '');
  if (y === undefined) throw new Error(`${method} has a result`);
  const graph = await builder.build([['y', y]]);
  const input = await context.createTensor({ dataType: 'float32', shape: [] }, WRITABLE);
  const output = await context.createTensor({ dataType: 'float32', shape: [] }, READABLE);
  context.writeTensor(input, bytes([value]));
  context.dispatch(graph, [['x', input]], [['y', output]]);
  return floats(await context.readTensor(output))[0];
}

describe('a context', () => {
  it('says what it computes with', async () => {
    expect(host.name).toBe('native');
    const { kind, details } = context.device;
    expect(kind).toBe('cpu');
    expect(details).toMatch(/^native, \w+, \d+ threads?$/);
    const single = await host.createContext({ ...OPTIONS, accelerated: false, threads: 1 });
    expect(single.accelerated).toBe(false);
    expect(single.device.details).toMatch(/, 1 thread$/);
    expect(single.device.reason).toBe('accelerated false asked for it');
  });

  it('gives fresh limits, when lost as well', async () => {
    const one = await host.createContext(OPTIONS);
    const limits = one.opSupportLimits();
    expect(limits).toHaveProperty('softmax.input.dataTypes');
    one.destroy();
    expect(one.opSupportLimits()).toEqual(limits);
    expect(one.opSupportLimits()).not.toBe(limits);
  });

  it('is lost when it is destroyed, with all that belongs to it, and leaves others alone', async () => {
    const lost = await host.createContext(OPTIONS);
    const graph = await product(lost, [1, 0, 0, 1]);
    const tensor = await lost.createTensor({ dataType: 'float32', shape: [1, 2] }, BOTH);
    const builder = lost.createBuilder();
    lost.destroy();
    lost.destroy();
    await expect(lost.lost).resolves.toBe('destroy() was called');
    expect(kindOf(() => lost.createBuilder())).toBe('InvalidStateError');
    expect(kindOf(() => builder.input('x', { dataType: 'float32', shape: [] }))).toBe('InvalidStateError');
    expect(kindOf(() => { lost.writeTensor(tensor, bytes([1, 2])); })).toBe('TypeError');
    expect(kindOf(() => { lost.dispatch(graph, [], []); })).toBe('InvalidStateError');
    await expect(lost.readTensor(tensor)).rejects.toMatchObject({ code: 'TypeError' });
    expect(await run(context, await product(context, [1, 2, 3, 4]), [1, 10])).toEqual([31, 42]);
  });

  it('rejects the reads that wait when it is lost', async () => {
    const lost = await host.createContext(OPTIONS);
    const shape = [1024, 1024];
    const builder = lost.createBuilder();
    const x = builder.input('x', { dataType: 'float32', shape });
    const [y] = builder.add('matmul', [['a', x], ['b', x]], [], '');
    if (y === undefined) throw new Error('matmul has a result');
    const graph = await builder.build([['y', y]]);
    const input = await lost.createTensor({ dataType: 'float32', shape }, BOTH);
    const output = await lost.createTensor({ dataType: 'float32', shape }, BOTH);
    for (let i = 0; i < 4; i += 1) lost.dispatch(graph, [['x', input]], [['y', output]]);
    const read = lost.readTensor(output);
    lost.destroy();
    await expect(read).rejects.toMatchObject({
      code: 'InvalidStateError',
      message: 'readTensor: the context is lost: destroy() was called',
    });
  });
});

describe('a tensor', () => {
  it('holds zeros, then what was last written, in the order of the calls', async () => {
    const tensor = await context.createTensor({ dataType: 'float32', shape: [3] }, BOTH);
    const before = context.readTensor(tensor);
    context.writeTensor(tensor, bytes([1, 2, 3]));
    const between = context.readTensor(tensor);
    context.writeTensor(tensor, bytes([4, 5, 6]));
    const after = context.readTensor(tensor);
    expect(floats(await before)).toEqual([0, 0, 0]);
    expect(floats(await between)).toEqual([1, 2, 3]);
    expect(floats(await after)).toEqual([4, 5, 6]);
  });

  it('takes bytes from views, from shared memory, and keeps none of them', async () => {
    const tensor = await context.createTensor({ dataType: 'float32', shape: [2] }, BOTH);
    const source = new Float32Array([9, 1, 2, 9]);
    context.writeTensor(tensor, new Uint8Array(source.buffer, 4, 8));
    source.fill(7);
    expect(floats(await context.readTensor(tensor))).toEqual([1, 2]);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([3, 4]);
    context.writeTensor(tensor, new Uint8Array(shared.buffer));
    shared.fill(7);
    expect(floats(await context.readTensor(tensor))).toEqual([3, 4]);
  });

  it('is read into a buffer that can be transferred, whatever its size', async () => {
    for (const length of [1, 1 << 20]) {
      const tensor = await context.createTensor({ dataType: 'float32', shape: [length] }, BOTH);
      const read = await context.readTensor(tensor);
      const moved = structuredClone(read, { transfer: [read] });
      expect([read.byteLength, moved.byteLength]).toEqual([0, 4 * length]);
    }
  });

  it('refuses buffers of another length', async () => {
    const tensor = await context.createTensor({ dataType: 'float32', shape: [2] }, BOTH);
    for (const length of [0, 4, 9]) {
      expect(() => {
        context.writeTensor(tensor, new Uint8Array(length));
      }).toThrow(`writeTensor: ${length} bytes were given, expected 8 for float32[2]`);
    }
    await expect(context.readTensor(tensor, 9)).rejects.toMatchObject({
      code: 'TypeError',
      message: 'readTensor: 9 bytes were given, expected 8 for float32[2]',
    });
  });

  it('refuses what its usage forbids, and everything once it is destroyed', async () => {
    const output = await context.createTensor({ dataType: 'float32', shape: [2] }, READABLE);
    const input = await context.createTensor({ dataType: 'float32', shape: [2] }, WRITABLE);
    expect(kindOf(() => { context.writeTensor(output, bytes([1, 2])); })).toBe('TypeError');
    await expect(context.readTensor(input)).rejects.toMatchObject({ code: 'TypeError' });
    output.destroy();
    output.destroy();
    await expect(context.readTensor(output)).rejects.toMatchObject({
      message: 'readTensor: the tensor is destroyed',
    });
  });

  it('is refused by other contexts', async () => {
    const other = await host.createContext(OPTIONS);
    const tensor = await other.createTensor({ dataType: 'float32', shape: [2] }, BOTH);
    await expect(context.readTensor(tensor)).rejects.toMatchObject({
      code: 'TypeError',
      message: 'readTensor: the tensor belongs to another context',
    });
  });

  it('rejects what is pending when it or its context is destroyed, though the work be done', async () => {
    const descriptor = { dataType: 'float32', shape: [2] } as const;
    const tensor = await context.createTensor(descriptor, BOTH);
    const read = context.readTensor(tensor);
    tensor.destroy();
    await expect(read).rejects.toMatchObject({
      code: 'InvalidStateError',
      message: 'readTensor: the tensor was destroyed before it was read',
    });
    const other = await host.createContext(OPTIONS);
    const builder = other.createBuilder();
    const [y] = builder.add('neg', [['input', builder.input('x', descriptor)]], [], '');
    if (y === undefined) throw new Error('neg has a result');
    const readable = await other.createTensor(descriptor, BOTH);
    const pending = {
      build: builder.build([['y', y]]),
      createTensor: other.createTensor(descriptor, BOTH),
      createConstantTensor: other.createConstantTensor(descriptor, bytes([1, 2])),
      readTensor: other.readTensor(readable),
    };
    other.destroy();
    const rejections = Object.entries(pending).map(async ([method, promise]) => {
      await expect(promise).rejects.toMatchObject({
        code: 'InvalidStateError',
        message: `${method}: the context is lost: destroy() was called`,
      });
    });
    await Promise.all(rejections);
  });

  it('that does not fit is refused', async () => {
    await expect(
      context.createTensor({ dataType: 'float32', shape: [2 ** 31 - 1] }, BOTH),
    ).rejects.toMatchObject({ code: 'TypeError' });
  });
});

describe('a builder', () => {
  it('names method, label and rule in its errors', () => {
    const builder = context.createBuilder();
    const x = builder.input('x', { dataType: 'float32', shape: [2, 3] });
    expect(() => builder.add('softmax', [['input', x]], [['axis', 2]], 'scores')).toThrow(
      'softmax [scores]: axis 2 is out of range for rank 2',
    );
    expect(kindOf(() => builder.add('softmax', [['input', x]], [['axis', 2]], ''))).toBe('TypeError');
  });

  it('takes one operand and sequences of them, and refuses those of other builders', async () => {
    const builder = context.createBuilder();
    const x = builder.input('x', { dataType: 'float32', shape: [1, 2] });
    const [y] = builder.add('concat', [['inputs', [x, x, x]]], [['axis', 1]], '');
    expect([y?.dataType, y?.shape]).toEqual(['float32', [1, 6]]);
    const other = context.createBuilder();
    expect(kindOf(() => other.add('relu', [['input', x]], [], ''))).toBe('TypeError');
    expect(kindOf(() => other.build([['y', x]]))).toBe('TypeError');
    const graph = await builder.build([['y', x === y || y === undefined ? x : y]]);
    expect(graph.devices).toEqual(['cpu']);
    expect(kindOf(() => builder.input('z', { dataType: 'float32', shape: [] }))).toBe('InvalidStateError');
  });

  it('takes attributes of every kind', async () => {
    const infinity = Number.POSITIVE_INFINITY;
    expect(await map('clamp', 9, [['minValue', 1], ['maxValue', 5n]])).toBe(5);
    expect(await map('clamp', 9, [['minValue', 2n ** 127n - 1n], ['maxValue', 2n ** 127n]])).toBe(2 ** 127);
    expect(await map('clamp', 9, [['minValue', -(2n ** 200n)], ['maxValue', 2n ** 200n]])).toBe(9);
    expect(await map('clamp', infinity, [['maxValue', 2n ** 200n]])).toBe(infinity);
    expect(await map('cast', 2.5, [['dataType', 'float32']])).toBe(2.5);
    expect(await map('expand', 3, [['newShape', []]])).toBe(3);
    const builder = context.createBuilder();
    const x = builder.input('x', { dataType: 'float32', shape: [2, 3] });
    const [y] = builder.add('transpose', [['input', x]], [['permutation', [1, 0]]], '');
    expect(y?.shape).toEqual([3, 2]);
    const [z] = builder.add('reduceSum', [['input', x]], [['axes', [0]], ['keepDimensions', true]], '');
    expect(z?.shape).toEqual([1, 3]);
  });

  it('casts scalars without loss', async () => {
    const builder = context.createBuilder();
    const least = -(2n ** 63n);
    const constant = builder.scalar('int64', least);
    const [y] = builder.add('identity', [['input', constant]], [], '');
    if (y === undefined) throw new Error('identity has a result');
    const graph = await builder.build([['y', y]]);
    const output = await context.createTensor({ dataType: 'int64', shape: [] }, READABLE);
    context.dispatch(graph, [], [['y', output]]);
    expect(new BigInt64Array(await context.readTensor(output))).toEqual(new BigInt64Array([least]));
  });

  it('copies constants when they are given', async () => {
    const builder = context.createBuilder();
    const source = new Float32Array([1, 2]);
    const constant = builder.constant(
      { dataType: 'float32', shape: [1, 2] },
      new Uint8Array(source.buffer),
    );
    source.fill(9);
    const x = builder.input('x', { dataType: 'float32', shape: [1, 2] });
    const [y] = builder.add('add', [['a', x], ['b', constant]], [], '');
    if (y === undefined) throw new Error('add has a result');
    expect(await run(context, await builder.build([['y', y]]), [10, 20])).toEqual([11, 22]);
  });

  it('takes constant tensors until they are destroyed', async () => {
    const descriptor = { dataType: 'float32', shape: [1, 2] } as const;
    const tensor = await context.createConstantTensor(descriptor, bytes([5, 6]));
    const builder = context.createBuilder();
    const x = builder.input('x', descriptor);
    const constant = builder.constantTensor(tensor);
    const [y] = builder.add('add', [['a', x], ['b', constant]], [], '');
    if (y === undefined) throw new Error('add has a result');
    const graph = await builder.build([['y', y]]);
    tensor.destroy();
    expect(await run(context, graph, [1, 2])).toEqual([6, 8]);
    expect(kindOf(() => context.createBuilder().constantTensor(tensor))).toBe('TypeError');
  });

  it('refuses to build twice, also while the first build is under way', async () => {
    const descriptor = { dataType: 'float32', shape: [1, 2] } as const;
    const builder = context.createBuilder();
    const [y] = builder.add('neg', [['input', builder.input('x', descriptor)]], [], '');
    if (y === undefined) throw new Error('neg has a result');
    const building = builder.build([['y', y]]);
    expect(kindOf(() => builder.build([['y', y]]))).toBe('InvalidStateError');
    expect(kindOf(() => builder.constant(descriptor, bytes([1, 2])))).toBe('InvalidStateError');
    expect(await run(context, await building, [1, 2])).toEqual([-1, -2]);
  });

  it('stays usable after a build that its checks refused', async () => {
    const builder = context.createBuilder();
    const x = builder.input('x', { dataType: 'float32', shape: [1, 2] });
    expect(kindOf(() => builder.build([]))).toBe('TypeError');
    expect(kindOf(() => builder.build([['y', x]]))).toBe('TypeError');
    const [y] = builder.add('neg', [['input', x]], [], '');
    if (y === undefined) throw new Error('neg has a result');
    expect(await run(context, await builder.build([['y', y]]), [1, -2])).toEqual([-1, 2]);
  });
});

describe('a graph', () => {
  it('is dispatched in the order of the calls, and never tears earlier results', async () => {
    const graph = await product(context, [1, 2, 3, 4]);
    const inputs = [[1, 0], [0, 1], [1, 1]];
    const results = await Promise.all(inputs.map((x) => run(context, graph, x)));
    expect(results).toEqual([[1, 2], [3, 4], [4, 6]]);
  });

  it('refuses wrong tensors, and everything once it is destroyed', async () => {
    const graph = await product(context, [1, 0, 0, 1]);
    const input = await context.createTensor({ dataType: 'float32', shape: [1, 2] }, BOTH);
    const wrong = await context.createTensor({ dataType: 'float32', shape: [2] }, BOTH);
    const messages = [
      [[['x', input]], [['y', input]], 'dispatch: the tensor of "y" is given twice, expected different ones'],
      [[['x', input]], [['y', wrong]], 'dispatch: the tensor of output "y" is float32[2], expected float32[1, 2]'],
      [[['z', input]], [['y', wrong]], 'dispatch: the graph has no input "z", expected "x"'],
      [[], [['y', wrong]], 'dispatch: 0 inputs were given, expected "x"'],
    ] as const;
    for (const [inputs, outputs, message] of messages) {
      expect(() => { context.dispatch(graph, inputs, outputs); }).toThrow(message);
    }
    graph.destroy();
    graph.destroy();
    expect(kindOf(() => { context.dispatch(graph, [], []); })).toBe('InvalidStateError');
  });
});

it('names the addon files as Node names systems and processors', () => {
  expect(addonNames('darwin', 'arm64')).toEqual(['webnn.darwin-arm64.node']);
  expect(addonNames('linux', 'x64')).toEqual(['webnn.linux-x64-gnu.node', 'webnn.linux-x64-musl.node']);
});

describe('the choice of the engine', () => {
  const asked: HostContextOptions[] = [];
  const fake: Host = {
    name: 'wasm',
    createContext: (options) => {
      asked.push(options);
      const device = { kind: 'cpu', details: 'fake', reason: 'a test' };
      return Promise.resolve({ device } as HostContext);
    },
  };

  it('falls back to WebAssembly where no addon fits, and says so', async () => {
    const warned = once(process, 'warning') as Promise<[Error & { code: string }]>;
    const chosen = nodeHost(fake, undefined, () => ({ missing: 'there is no addon for plan9-mips' }));
    expect(chosen.name).toBe('wasm');
    const { device } = await chosen.createContext(OPTIONS);
    expect(device.reason).toBe('a test; there is no addon for plan9-mips');
    expect(asked).toEqual([OPTIONS]);
    const [warning] = await warned;
    expect(warning.code).toBe('WEBNN_NO_ADDON');
    expect(warning.message).toContain('there is no addon for plan9-mips');
  });

  it('can be forced', async () => {
    const missing = () => ({ missing: 'there is no addon' });
    expect(nodeHost(fake, 'native').name).toBe('native');
    const forced = nodeHost(fake, 'wasm');
    expect((await forced.createContext(OPTIONS)).device.reason).toBe(
      'a test; WEBNN_HOST asked for WebAssembly',
    );
    const refusals = [
      ['native', missing, 'createContext: WEBNN_HOST asked for the native engine: there is no addon'],
      ['gpu', loadAddon, 'createContext: WEBNN_HOST is "gpu", expected "native" or "wasm"'],
    ] as const;
    for (const [choice, load, message] of refusals) {
      expect(() => nodeHost(fake, choice, load)).toThrow(message);
      expect(kindOf(() => nodeHost(fake, choice, load))).toBe('NotSupportedError');
    }
  });
});
