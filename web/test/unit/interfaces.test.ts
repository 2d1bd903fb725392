import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse, type IdlMember } from 'webidl2';

import { interfaceObjects } from '../../src/interfaces.js';
import { fixture } from './fake-host.js';

/** The members by interface, read from the IDL and not from what the generator made of it. */
const idl = new Map<string, IdlMember[]>();
for (const file of ['webnn.idl', 'extensions.idl']) {
  const text = readFileSync(join(import.meta.dirname, '../../idl', file), 'utf8');
  for (const definition of parse(text)) {
    if (definition.type !== 'interface') continue;
    idl.set(definition.name, [...(idl.get(definition.name) ?? []), ...definition.members]);
  }
}

const requiredOf = (name: string, type: string, member?: string): number[] =>
  (idl.get(name) ?? [])
    .filter((one) => one.type === type && (member === undefined || one.name === member))
    .map((one) => (one.arguments ?? []).filter(({ optional }) => !optional).length);

async function instances(): Promise<Record<string, object>> {
  const { ml, context, builder, operand, tensor } = await fixture();
  const graph = await builder.build({ y: operand });
  return {
    ML: ml,
    MLContext: context,
    MLGraph: graph,
    MLGraphBuilder: builder,
    MLOperand: operand,
    MLTensor: tensor,
  };
}

describe.each(Object.entries(interfaceObjects))('%s', (name, constructor) => {
  const prototype = constructor.prototype as unknown as Record<string, unknown>;
  const members = [...new Map((idl.get(name) ?? []).map((one) => [one.name, one])).values()].filter(
    ({ type }) => type !== 'constructor',
  );

  it('has the members of the IDL, enumerable, and no other', () => {
    expect(Object.keys(prototype).sort()).toEqual(members.map((one) => one.name).sort());
    expect(Object.getOwnPropertyNames(constructor).sort()).toEqual(['length', 'name', 'prototype']);
  });

  it('has a name, a length, a tag and a prototype as Web IDL says', () => {
    expect(constructor.name).toBe(name);
    const [required = 0] = requiredOf(name, 'constructor');
    expect(constructor.length).toBe(required);
    expect(Object.getOwnPropertyDescriptor(constructor, 'prototype')).toEqual({
      value: prototype,
      writable: false,
      enumerable: false,
      configurable: false,
    });
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual({
      value: name,
      writable: false,
      enumerable: false,
      configurable: true,
    });
    expect(Object.getOwnPropertyDescriptor(prototype, 'constructor')).toEqual({
      value: constructor,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  });

  it('is not called without new, and constructs only where the IDL says so', () => {
    const callable = constructor as unknown as () => unknown;
    expect(() => callable()).toThrow(TypeError);
    if (requiredOf(name, 'constructor').length === 0) {
      expect(() => new (constructor as unknown as new () => unknown)()).toThrow(TypeError);
      class Derived extends (constructor as unknown as new () => object) {}
      expect(() => new Derived()).toThrow(TypeError);
    }
  });

  it.each(members.filter(({ type }) => type === 'operation').map((one) => [one.name, one] as const))(
    'has a method %s of the right attributes that checks this and the count of arguments',
    async (key, { idlType }) => {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
      expect(descriptor).toMatchObject({ writable: true, enumerable: true, configurable: true });
      const method = descriptor?.value as (...args: unknown[]) => unknown;
      const required = Math.min(...requiredOf(name, 'operation', key));
      expect(method.name).toBe(key);
      expect(method.length).toBe(required);
      expect(Object.hasOwn(method, 'prototype')).toBe(false);
      const instance = (await instances())[name] as object;
      const failures = [() => Reflect.apply(method, {}, []), () => Reflect.apply(method, null, [])];
      if (required > 0) failures.push(() => Reflect.apply(method, instance, []));
      for (const fail of failures) {
        if (idlType?.generic === 'Promise') {
          await expect(fail()).rejects.toThrow(TypeError);
        } else {
          expect(fail).toThrow(TypeError);
        }
      }
    },
  );

  it.each(members.filter(({ type }) => type === 'attribute').map((one) => [one.name, one] as const))(
    'has an attribute %s without a setter that checks this',
    async (key, { idlType }) => {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
      expect(descriptor).toMatchObject({ set: undefined, enumerable: true, configurable: true });
      const { get } = descriptor as { readonly get: (this: unknown) => unknown };
      expect(get.name).toBe(`get ${key}`);
      expect(get.length).toBe(0);
      if (idlType?.generic === 'Promise') {
        await expect(get.call({})).rejects.toThrow(TypeError);
      } else {
        expect(() => get.call({})).toThrow(TypeError);
        expect(() => prototype[key]).toThrow(TypeError);
      }
      const instance = (await instances())[name] as Record<string, unknown>;
      expect(instance[key]).toBe(instance[key]);
    },
  );

  it('tags its objects, which have no property of their own', async () => {
    const instance = (await instances())[name] as object;
    expect(Object.prototype.toString.call(instance)).toBe(`[object ${name}]`);
    expect(instance).toBeInstanceOf(constructor);
    expect(Reflect.ownKeys(instance)).toEqual([]);
  });
});

describe('attributes', () => {
  it('are frozen where they are arrays', async () => {
    const { operand, tensor, builder } = await fixture();
    const graph = await builder.build({ y: operand });
    expect(operand.shape).toEqual([2, 3]);
    expect(operand.dataType).toBe('float32');
    for (const array of [operand.shape, tensor.shape, graph.devices]) {
      expect(Object.isFrozen(array)).toBe(true);
    }
    expect(graph.devices).toEqual(['cpu']);
  });

  it('of a tensor say how it was made', async () => {
    const { context } = await fixture();
    const plain = await context.createTensor({ dataType: 'int8', shape: [2], writable: true });
    expect([plain.dataType, plain.shape, plain.readable, plain.writable, plain.constant]).toEqual([
      'int8',
      [2],
      false,
      true,
      false,
    ]);
    const constant = await context.createConstantTensor(
      { dataType: 'int8', shape: [2] },
      new Int8Array(2),
    );
    expect([constant.readable, constant.writable, constant.constant]).toEqual([false, false, true]);
  });
});
