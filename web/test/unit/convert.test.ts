import { describe, expect, it } from 'vitest';

import {
  boolean,
  type Converter,
  double,
  enforcedLong,
  enforcedUnsignedLong,
  enumeration,
  float,
  numeric,
  orSequence,
  record,
  sequence,
  unsignedLong,
  usvString,
} from '../../src/convert.js';
import { Mismatch } from '../../src/errors.js';
import { MLPadOptions, MLTensorDescriptor } from '../../src/idl.gen.js';

const REFUSED = Symbol('refused');
const two = { valueOf: () => 2 };
const color = enumeration('Color', ['red', 'green']);

/** Converter, value, and what becomes of it. */
const CASES: [string, Converter<unknown>, unknown, unknown][] = [
  ['boolean', boolean, 0, false],
  ['boolean', boolean, 'false', true],
  ['boolean', boolean, {}, true],
  ['unsigned long', unsignedLong, -1, 2 ** 32 - 1],
  ['unsigned long', unsignedLong, 2 ** 32 + 5, 5],
  ['unsigned long', unsignedLong, NaN, 0],
  ['unsigned long', unsignedLong, '7.9', 7],
  ['unsigned long', unsignedLong, 1n, REFUSED],
  ['unsigned long', unsignedLong, Symbol.iterator, REFUSED],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, 1.9, 1],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, -0.9, 0],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, -0, 0],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, '3', 3],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, null, 0],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, true, 1],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, two, 2],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, 2 ** 32 - 0.5, 2 ** 32 - 1],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, 2 ** 32, REFUSED],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, -1, REFUSED],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, undefined, REFUSED],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, Infinity, REFUSED],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, 'x', REFUSED],
  ['[EnforceRange] unsigned long', enforcedUnsignedLong, 0n, REFUSED],
  ['[EnforceRange] long', enforcedLong, -(2 ** 31) - 0.5, -(2 ** 31)],
  ['[EnforceRange] long', enforcedLong, 2 ** 31, REFUSED],
  ['double', double, '0.1', 0.1],
  ['double', double, -0, -0],
  ['double', double, NaN, REFUSED],
  ['double', double, Infinity, REFUSED],
  ['float', float, 0.1, Math.fround(0.1)],
  ['float', float, 3.4028235677973366e38, REFUSED],
  ['float', float, 3.4028235677973362e38, 3.4028234663852886e38],
  ['float', float, 1e-60, 0],
  ['MLNumber', numeric, 2n ** 63n, 2n ** 63n],
  ['MLNumber', numeric, NaN, NaN],
  ['MLNumber', numeric, -0, -0],
  ['MLNumber', numeric, '-1.5', -1.5],
  ['MLNumber', numeric, '', 0],
  ['MLNumber', numeric, undefined, NaN],
  ['MLNumber', numeric, { valueOf: () => 5n }, 5n],
  ['MLNumber', numeric, { valueOf: () => -0 }, -0],
  ['MLNumber', numeric, Symbol.iterator, REFUSED],
  ['USVString', usvString, 'a\uD800b\uDC00', 'a\uFFFDb\uFFFD'],
  ['USVString', usvString, '\uD83D\uDE00', '\u{1F600}'],
  ['USVString', usvString, 12, '12'],
  ['USVString', usvString, null, 'null'],
  ['USVString', usvString, { toString: () => 'x', valueOf: () => 1 }, 'x'],
  ['USVString', usvString, Symbol.iterator, REFUSED],
  ['enumeration', color, 'red', 'red'],
  ['enumeration', color, { toString: () => 'green' }, 'green'],
  ['enumeration', color, 'Red', REFUSED],
  ['enumeration', color, undefined, REFUSED],
  ['sequence', sequence(enforcedUnsignedLong), [], []],
  ['sequence', sequence(enforcedUnsignedLong), new Set([3, '4']), [3, 4]],
  ['sequence', sequence(enforcedUnsignedLong), new Uint8Array([1, 2]), [1, 2]],
  // eslint-disable-next-line no-sparse-arrays -- a hole reads as undefined, which is no integer
  ['sequence', sequence(enforcedUnsignedLong), [1, , 2], REFUSED],
  ['sequence', sequence(usvString), new String('ab'), ['a', 'b']],
  ['sequence', sequence(usvString), 'ab', REFUSED],
  ['sequence', sequence(enforcedUnsignedLong), { length: 1, 0: 1 }, REFUSED],
  ['sequence', sequence(enforcedUnsignedLong), null, REFUSED],
  ['sequence', sequence(enforcedUnsignedLong), [-1], REFUSED],
  ['number or sequence', orSequence(enforcedUnsignedLong), '2', 2],
  ['number or sequence', orSequence(enforcedUnsignedLong), two, 2],
  ['number or sequence', orSequence(enforcedUnsignedLong), [1, 2], [1, 2]],
  ['number or sequence', orSequence(enforcedUnsignedLong), undefined, REFUSED],
  ['record', record(double), { b: 1, a: '2', 1: 3 }, [['1', 3], ['b', 1], ['a', 2]]],
  ['record', record(double), 'ab', REFUSED],
  ['record', record(double), undefined, REFUSED],
  ['record', record(double), { [Symbol.iterator]: 1 }, REFUSED],
  ['record', record(double), { a: NaN }, REFUSED],
  // Two keys that become one name: its first place, its last value.
  ['record', record(double), { '\uD800': 1, b: 2, '\uDFFF': 3 }, [['\uFFFD', 3], ['b', 2]]],
];

describe('conversions', () => {
  for (const [name, convert, value, expected] of CASES) {
    const fate = expected === REFUSED ? 'refuses' : `makes ${show(expected)} of`;
    it(`${name} ${fate} ${show(value)}`, () => {
      if (expected === REFUSED) {
        expect(() => convert(value)).toThrow(Mismatch);
      } else {
        expect(convert(value)).toStrictEqual(expected);
      }
    });
  }

  it('refuse a bigint that an object turns into as the language does', () => {
    expect(() => enforcedUnsignedLong({ valueOf: () => 1n })).toThrow(TypeError);
  });

  it('let through what a script throws', () => {
    const thrown = new Error('mine');
    const hostile = {
      valueOf: () => {
        throw thrown;
      },
    };
    expect(() => double(hostile)).toThrow(thrown);
    expect(() => numeric(hostile)).toThrow(thrown);
    expect(() => orSequence(double)(hostile)).toThrow(thrown);
    expect(() => sequence(double)([1, hostile])).toThrow(thrown);
    expect(() => record(double)({ a: hostile })).toThrow(thrown);
  });
});

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join()}]`;
  if (typeof value === 'object' && value !== null) return `{${Object.keys(value).join()}}`;
  if (typeof value === 'string') return JSON.stringify(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** What a proxy's handler was asked, in order. */
function spied(target: object, log: string[]): object {
  return new Proxy(target, {
    get(object, key, receiver) {
      log.push(`get ${String(key)}`);
      return Reflect.get(object, key, receiver) as unknown;
    },
    ownKeys(object) {
      log.push('ownKeys');
      return Reflect.ownKeys(object);
    },
    getOwnPropertyDescriptor(object, key) {
      log.push(`describe ${String(key)}`);
      return Reflect.getOwnPropertyDescriptor(object, key);
    },
    has(object, key) {
      log.push(`has ${String(key)}`);
      return Reflect.has(object, key);
    },
  });
}

describe('reads of a script’s objects', () => {
  it('of a dictionary go by inheritance, then by name, each once', () => {
    const log: string[] = [];
    MLTensorDescriptor(spied({ shape: [], dataType: 'int8', writable: 1 }, log));
    expect(log).toEqual(['get dataType', 'get shape', 'get readable', 'get writable']);
    log.length = 0;
    MLPadOptions(spied({}, log));
    expect(log).toEqual(['get label', 'get mode', 'get value']);
  });

  it('of a dictionary end at the first failure', () => {
    const log: string[] = [];
    expect(() => MLTensorDescriptor(spied({ dataType: 'int5' }, log))).toThrow(Mismatch);
    expect(log).toEqual(['get dataType']);
  });

  it('of a dictionary fill in defaults, and take undefined for absent but not null', () => {
    expect(MLTensorDescriptor({ dataType: 'int8', shape: [2], readable: undefined })).toEqual({
      dataType: 'int8',
      shape: [2],
      readable: false,
      writable: false,
    });
    expect(MLPadOptions(null)).toEqual({ label: '', mode: 'constant', value: 0 });
    expect(() => MLPadOptions({ mode: null })).toThrow(Mismatch);
    expect(() => MLTensorDescriptor(undefined)).toThrow(Mismatch);
    expect(() => MLPadOptions('x')).toThrow(Mismatch);
  });

  it('of a record ask for keys, then for each its descriptor and its value', () => {
    const log: string[] = [];
    const target = Object.defineProperty({ b: 1, a: 2 }, 'hidden', { value: 3, enumerable: false });
    expect(record(double)(spied(target, log))).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    expect(log).toEqual([
      'ownKeys',
      'describe b',
      'get b',
      'describe a',
      'get a',
      'describe hidden',
    ]);
  });

  it('of a record leave out what an earlier getter deleted', () => {
    const target: Record<string, unknown> = {
      get a() {
        delete this['b'];
        return 1;
      },
      b: 2,
    };
    expect(record(double)(target)).toEqual([['a', 1]]);
  });

  it('of an array are those of its iterator', () => {
    const ours: string[] = [];
    sequence(double)(spied([1, 2], ours));
    const languages: string[] = [];
    Array.from(spied([1, 2], languages) as number[]);
    expect(ours).toEqual(languages);
  });

  it('of an array see what its getters change', () => {
    const array = [1, 2, 3];
    Object.defineProperty(array, 0, {
      get: () => {
        array.length = 2;
        array[1] = 9;
        return 8;
      },
    });
    expect(sequence(double)(array)).toEqual([8, 9]);
  });

  it('of an iterator use next once a step and never close it', () => {
    const log: string[] = [];
    const source = {
      [Symbol.iterator]() {
        log.push('iterate');
        return {
          get next() {
            log.push('get next');
            return () => {
              log.push('next');
              return { done: false, value: log.length > 3 ? -1 : 1 };
            };
          },
          return() {
            log.push('return');
            return {};
          },
        };
      },
    };
    expect(() => sequence(enforcedUnsignedLong)(source)).toThrow(Mismatch);
    expect(log).toEqual(['iterate', 'get next', 'next', 'next']);
  });

  it('of an array honour an iterator that the page has replaced', () => {
    const array = [1, 2];
    array[Symbol.iterator] = () => [7].values();
    expect(sequence(double)(array)).toEqual([7]);
  });

  it('of a broken iterator fail', () => {
    for (const broken of [
      { [Symbol.iterator]: () => 1 },
      { [Symbol.iterator]: () => ({ next: () => 1 }) },
      { [Symbol.iterator]: () => ({}) },
    ]) {
      expect(() => sequence(double)(broken)).toThrow();
    }
  });
});
