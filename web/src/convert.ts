/**
 * The conversions of Web IDL, in its order and with its reads: a hostile getter or proxy sees
 * exactly what a browser's own bindings would show it. `idl.gen.ts` puts them together.
 */

import { Mismatch, atArgument, tooFewArguments } from './errors.js';
import type { Named } from './host.js';

/** Converts a script's value; throws a {@link Mismatch}, or what the script's own code throws. */
export type Converter<T> = (value: unknown) => T;

export const boolean: Converter<boolean> = Boolean;

/** `unsigned long`: the low 32 bits. */
export const unsignedLong: Converter<number> = (value) => toNumber(value) >>> 0;

export const enforcedUnsignedLong = enforced(0, 2 ** 32 - 1);
export const enforcedLong = enforced(-(2 ** 31), 2 ** 31 - 1);

/** `[EnforceRange]`: the integer part, which has to be within the range. */
function enforced(least: number, greatest: number): Converter<number> {
  const expected = `an integer from ${String(least)} to ${String(greatest)}`;
  return (value) => {
    const number = toNumber(value);
    if (!Number.isFinite(number)) throw new Mismatch(value, expected);
    const integer = Math.trunc(number);
    if (integer < least || integer > greatest) throw new Mismatch(value, expected);
    // Truncation leaves -0 of what lies between -1 and 0, and Web IDL has no such integer.
    return integer + 0;
  };
}

export const double: Converter<number> = (value) => {
  const number = toNumber(value);
  if (!Number.isFinite(number)) throw new Mismatch(value, 'a finite number');
  return number;
};

export const float: Converter<number> = (value) => {
  const number = Math.fround(toNumber(value));
  if (!Number.isFinite(number)) throw new Mismatch(value, 'a finite number of single precision');
  return number;
};

/** `(bigint or unrestricted double)`, which is `MLNumber`. */
export const numeric: Converter<number | bigint> = (value) => {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  if (typeof value === 'symbol') throw new Mismatch(value, 'a number or a bigint');
  // The unary minus is the language's ToNumeric: an object may turn into either kind.
  return -(-(value as number) as number | bigint);
};

export const domString: Converter<string> = (value) => {
  if (typeof value === 'symbol') throw new Mismatch(value, 'a string');
  return String(value);
};

/** With the flag, pairs of surrogates are one character and do not match. */
const LONE_SURROGATE = /[\uD800-\uDFFF]/gu;

/** A string whose lone surrogates have become U+FFFD. */
export const usvString: Converter<string> = (value) =>
  domString(value).replace(LONE_SURROGATE, '\uFFFD');

export function enumeration<T extends string>(name: string, values: readonly T[]): Converter<T> {
  const known: ReadonlySet<string> = new Set(values);
  return (value) => {
    const text = domString(value);
    if (!known.has(text)) {
      throw new Mismatch(text, `a value of ${name}: ${values.map((one) => `"${one}"`).join(', ')}`);
    }
    return text as T;
  };
}

/** By the iterator protocol. A failed conversion does not close the iterator: Web IDL's way. */
export function sequence<T>(item: Converter<T>): Converter<T[]> {
  return (value) => {
    if (!isObject(value)) throw new Mismatch(value, 'a sequence');
    return iterate(value, (value as Partial<Iterable<unknown>>)[Symbol.iterator], item);
  };
}

/** `(T or sequence<T>)`: an object that can be iterated is a sequence. */
export function orSequence<T>(single: Converter<T>): Converter<T | T[]> {
  return (value) => {
    if (!isObject(value)) return single(value);
    const method: unknown = (value as Partial<Iterable<unknown>>)[Symbol.iterator];
    return method === undefined || method === null ? single(value) : iterate(value, method, single);
  };
}


const arrayValues = Array.prototype[Symbol.iterator];
const arrayIterator = Object.getPrototypeOf([][Symbol.iterator]()) as { readonly next: unknown };
const arrayNext = arrayIterator.next;

function iterate<T>(value: object, method: unknown, item: Converter<T>): T[] {
  if (typeof method !== 'function') throw new Mismatch(value, 'a sequence');
  const items: T[] = [];
  // An array's own iterator reads the length and one element a step; so does this, but cheaper.
  if (method === arrayValues && Array.isArray(value) && arrayIterator.next === arrayNext) {
    for (let i = 0; i < value.length; i += 1) items.push(convertItem(item, value[i], i));
    return items;
  }
  const iterator: unknown = Reflect.apply(method, value, []);
  if (!isObject(iterator)) throw new Mismatch(iterator, 'an iterator');
  const { next } = iterator as { readonly next: () => unknown };
  for (;;) {
    const step = Reflect.apply(next, iterator, []);
    if (!isObject(step)) throw new Mismatch(step, "an iterator's result");
    if ((step as IteratorResult<unknown>).done) return items;
    items.push(convertItem(item, (step as IteratorResult<unknown>).value, items.length));
  }
}

function convertItem<T>(item: Converter<T>, value: unknown, index: number): T {
  try {
    return item(value);
  } catch (error) {
    throw error instanceof Mismatch ? error.within(`[${String(index)}]`) : error;
  }
}

/** `record<USVString, T>`: the own enumerable properties, in their order. */
export function record<T>(item: Converter<T>): Converter<Named<T>> {
  return (value) => {
    if (!isObject(value)) throw new Mismatch(value, 'an object');
    const entries = new Map<string, T>();
    for (const key of Reflect.ownKeys(value)) {
      if (Reflect.getOwnPropertyDescriptor(value, key)?.enumerable !== true) continue;
      if (typeof key === 'symbol') throw new Mismatch(key, 'a name');
      const name = usvString(key);
      try {
        entries.set(name, item((value as Record<string, unknown>)[key]));
      } catch (error) {
        throw error instanceof Mismatch ? error.within(`[${JSON.stringify(name)}]`) : error;
      }
    }
    return [...entries];
  };
}

/** A member of a dictionary. */
export interface Member<T> {
  readonly convert: Converter<T>;
  readonly presence: 'optional' | 'required' | 'defaulted';
  readonly fallback: T | undefined;
}

export function member<T>(convert: Converter<T>): Member<T | undefined>;
export function member<T>(convert: Converter<T>, presence: 'required'): Member<T>;
export function member<T>(convert: Converter<T>, presence: 'defaulted', fallback: T): Member<T>;
export function member<T>(
  convert: Converter<T>,
  presence: Member<T>['presence'] = 'optional',
  fallback?: T,
): Member<T> {
  return { convert, presence, fallback };
}

type Members = Record<string, Member<unknown>>;
type Values<M extends Members> = {
  [K in keyof M]: M[K] extends Member<infer T> ? T : never;
};

/** A converter that knows its members: those inherited first, then in lexicographic order. */
export interface Dictionary<T> extends Converter<T> {
  readonly members: readonly (readonly [name: string, member: Member<unknown>])[];
}

export function dictionary<M extends Members, B = unknown>(
  name: string,
  base: Dictionary<B> | undefined,
  own: M,
): Dictionary<B & Values<M>> {
  const members = [...(base?.members ?? []), ...Object.entries(own)];
  const convert: Converter<B & Values<M>> = (value) => {
    const source = dictionarySource(value);
    const values: Record<string, unknown> = {};
    for (const [key, { convert: converter, presence, fallback }] of members) {
      const found = readMember(source, key, converter);
      if (found === undefined && presence === 'required') {
        throw new Mismatch(undefined, `a member of ${name}`).within(`.${key}`);
      }
      values[key] = found ?? fallback;
    }
    return values as B & Values<M>;
  };
  return Object.assign(convert, { members });
}

/** The object to read members from; `undefined` is that of an absent dictionary. */
export function dictionarySource(value: unknown): Record<string, unknown> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new Mismatch(value, 'an object');
  return value as Record<string, unknown>;
}

/** Reads a member once; `undefined` is that of an absent one. */
export function readMember<T>(
  source: Record<string, unknown> | undefined,
  key: string,
  convert: Converter<T>,
): T | undefined {
  const value = source?.[key];
  if (value === undefined) return undefined;
  try {
    return convert(value);
  } catch (error) {
    throw error instanceof Mismatch ? error.within(`.${key}`) : error;
  }
}

/** How a method is called: how many arguments it needs, and what they convert to. */
export interface Signature<T extends readonly unknown[]> {
  readonly method: string;
  readonly required: number;
  readonly names: readonly string[];
  readonly converters: { readonly [K in keyof T]: Converter<T[K]> };
}

export function signature<T extends readonly unknown[]>(
  method: string,
  required: number,
  names: readonly string[],
  ...converters: { readonly [K in keyof T]: Converter<T[K]> }
): Signature<T> {
  return { method, required, names, converters };
}

/** Converts the arguments from left to right; absent ones are `undefined`. */
export function convertArguments<T extends readonly unknown[]>(
  { method, required, names, converters }: Signature<T>,
  given: readonly unknown[],
): T {
  if (given.length < required) throw tooFewArguments(method, required, given.length);
  return converters.map((convert, i) => {
    try {
      return convert(given[i]);
    } catch (error) {
      throw atArgument(error, method, names[i] ?? '');
    }
  }) as unknown as T;
}

/** Methods that add an operator, all of one signature. */
export interface Operators {
  readonly methods: readonly string[];
  readonly parameters: readonly (readonly [name: string, convert: Converter<unknown>])[];
  readonly options: Dictionary<unknown>;
  readonly result: 'single' | 'sequence';
}

export function operator(
  methods: readonly string[],
  parameters: Operators['parameters'],
  options: Dictionary<unknown>,
  result: Operators['result'],
): Operators {
  return { methods, parameters, options, result };
}

export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** The language's ToNumber, with a better sentence for what it refuses. */
function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'symbol' || typeof value === 'bigint') throw new Mismatch(value, 'a number');
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-conversion -- anything comes here
  return +(value as number);
}

export { bufferSource } from './buffers.js';
