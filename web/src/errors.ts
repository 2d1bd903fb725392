/** Failures as scripts see them: `TypeError`s of conversions, and what a host reports. */

import type { ErrorKind } from './host.js';

/**
 * A value that Web IDL does not convert. Who catches it on the way out says where it stood, and
 * at the call it becomes a `TypeError`; what a script's own getters throw passes untouched.
 */
export class Mismatch extends Error {
  /** Where in the argument the value stands, such as `.padding[1]`. */
  path = '';
  readonly #found: string;
  readonly #expected: string;

  constructor(value: unknown, expected: string) {
    super(expected);
    this.#found = describe(value);
    this.#expected = expected;
  }

  within(step: string): this {
    this.path = step + this.path;
    return this;
  }

  asTypeError(method: string, argument: string): TypeError {
    return new TypeError(
      `${method}: ${argument}${this.path} is ${this.#found}, expected ${this.#expected}`,
    );
  }
}

/** What a failed conversion throws at the call, from what it threw inside. */
export function atArgument(error: unknown, method: string, argument: string): unknown {
  return error instanceof Mismatch ? error.asTypeError(method, argument) : error;
}

export function tooFewArguments(method: string, expected: number, found: number): TypeError {
  const noun = expected === 1 ? 'argument' : 'arguments';
  return new TypeError(`${method}: ${String(expected)} ${noun} expected, got ${String(found)}`);
}

const DOM_EXCEPTIONS: ReadonlySet<string> = new Set<ErrorKind>([
  'InvalidStateError',
  'NotSupportedError',
  'OperationError',
  'UnknownError',
]);

/** A host's failure as the specification names it; anything else, such as a bug, as it is. */
export function toException(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof DOMException) return error;
  const { code } = error;
  if (code === 'TypeError') return new TypeError(error.message);
  if (typeof code !== 'string' || !DOM_EXCEPTIONS.has(code)) return error;
  return new DOMException(error.message, code);
}

/** Runs what a host does at once. */
export function translated<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw toException(error);
  }
}

const LONGEST_TEXT = 40;

/** The value in a few words, without running any code of the script's. */
function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(
        value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value,
      );
    case 'bigint':
      return 'a bigint';
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? 'an array' : 'an object';
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
    case 'undefined':
      return String(value);
  }
}
