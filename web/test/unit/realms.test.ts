import { createContext, runInContext } from 'node:vm';

import { describe, expect, it } from 'vitest';

import { MLGraphBuilder } from '../../src/api.js';
import { call, fixture } from './fake-host.js';

/** Evaluates in another realm, whose objects have other prototypes than ours. */
const realm = createContext({});
const elsewhere = (source: string): unknown => runInContext(source, realm) as unknown;

describe('objects of another realm', () => {
  it('are dictionaries, sequences, records and buffers like any other', async () => {
    const { host, context, builder, operand } = await fixture();
    call(builder, 'input', elsewhere('new String("y")'), elsewhere('({ dataType: "int8", shape: [2] })'));
    expect(host.lastCall('input')).toEqual(['y', { dataType: 'int8', shape: [2] }]);
    call(builder, 'transpose', operand, elsewhere('({ permutation: new Set([1, 0]) })'));
    expect(host.lastCall('add')[2]).toEqual([['permutation', [1, 0]]]);
    call(builder, 'constant', { dataType: 'float32', shape: [1] }, elsewhere('new Float32Array([1])'));
    expect(host.lastCall('constant')[1]).toEqual(Uint8Array.of(0, 0, 128, 63));
    const graph = await builder.build({ y: operand });
    call(context, 'dispatch', graph, elsewhere('({})'), elsewhere('Object.create(null)'));
    expect(host.lastCall('dispatch').slice(1)).toEqual([[], []]);
  });

  it('get exceptions and promises of ours', async () => {
    const { context, builder } = await fixture();
    expect(() => call(builder, 'relu', elsewhere('({})'))).toThrow(TypeError);
    const promise = call(context, 'readTensor', elsewhere('[]'));
    expect(promise).toBeInstanceOf(Promise);
    await expect(promise).rejects.toBeInstanceOf(TypeError);
  });

  it('pass on the exceptions of their own', async () => {
    const { builder, operand } = await fixture();
    const hostile = elsewhere('({ get label() { throw new RangeError("theirs"); } })');
    expect(() => call(builder, 'relu', operand, hostile)).toThrow(
      elsewhere('RangeError'),
    );
  });
});

describe('a class that extends MLGraphBuilder', () => {
  it('inherits its methods and its brand', async () => {
    const { host, context } = await fixture();
    class Derived extends MLGraphBuilder {
      twice(x: ReturnType<Derived['input']>) {
        return this.add(x, x, { label: 'twice' });
      }
    }
    const builder = new Derived(context);
    builder.twice(builder.input('x', { dataType: 'float32', shape: [] }));
    expect(host.lastCall('add')[0]).toBe('add');
    expect(builder).toBeInstanceOf(MLGraphBuilder);
  });
});
