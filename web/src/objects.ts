/** MLOperand, MLTensor and MLGraph: handles of the host's objects, and how they are unwrapped. */

import { getterOf, isBranded } from './brand.js';
import { type Converter, isObject, sequence } from './convert.js';
import { Mismatch, translated } from './errors.js';
import type {
  DataType,
  Descriptor,
  HostContext,
  HostGraph,
  HostOperand,
  HostTensor,
  TensorUsage,
} from './host.js';
import { markDestroyed } from './pending.js';

/** What only this package's own code can hand to a constructor that scripts may not call. */
export const OURS = Symbol('ours');

/** Throws unless this package constructs. */
export function requireOurs(key: unknown, name: string): void {
  if (key !== OURS) throw new TypeError(`${name}: illegal constructor`);
}

/** The state behind `this`. */
export function own<T>(state: T | undefined, name: string, member: string): T {
  if (state === undefined) throw illegalInvocation(name, member);
  return state;
}

export function illegalInvocation(name: string, member: string): TypeError {
  return new TypeError(`${member}: illegal invocation, this is not an ${name}`);
}

function toInterface<T>(name: string, unwrap: (value: unknown) => T | undefined): Converter<T> {
  return (value) => {
    const state = unwrap(value);
    if (state === undefined) throw new Mismatch(value, `an ${name}`);
    return state;
  };
}

let operandOf: (value: unknown) => HostOperand | undefined;
let tensorOf: (value: unknown) => TensorState | undefined;
let graphOf: (value: unknown) => HostGraph | undefined;

export class MLOperand {
  readonly #host: HostOperand;
  #shape: readonly number[] | undefined;

  static {
    operandOf = (value) => (isObject(value) && #host in value ? value.#host : undefined);
  }

  constructor(...[key, host]: [key?: symbol, host?: HostOperand]) {
    requireOurs(key, 'MLOperand');
    this.#host = host as HostOperand;
  }

  get dataType(): DataType {
    return own(operandOf(this), 'MLOperand', 'dataType').dataType;
  }

  get shape(): readonly number[] {
    const { shape } = own(operandOf(this), 'MLOperand', 'shape');
    return (this.#shape ??= Object.freeze([...shape]));
  }
}

/** A tensor with what only scripts ask for. */
export interface TensorState {
  readonly host: HostTensor;
  readonly descriptor: Descriptor;
  readonly usage: TensorUsage;
  readonly constant: boolean;
}

export class MLTensor {
  readonly #state: TensorState;
  #shape: readonly number[] | undefined;

  static {
    tensorOf = (value) => (isObject(value) && #state in value ? value.#state : undefined);
  }

  constructor(...[key, state]: [key?: symbol, state?: TensorState]) {
    requireOurs(key, 'MLTensor');
    this.#state = state as TensorState;
  }

  get dataType(): DataType {
    return own(tensorOf(this), 'MLTensor', 'dataType').descriptor.dataType;
  }

  get shape(): readonly number[] {
    const { descriptor } = own(tensorOf(this), 'MLTensor', 'shape');
    return (this.#shape ??= Object.freeze([...descriptor.shape]));
  }

  get readable(): boolean {
    return own(tensorOf(this), 'MLTensor', 'readable').usage.readable;
  }

  get writable(): boolean {
    return own(tensorOf(this), 'MLTensor', 'writable').usage.writable;
  }

  get constant(): boolean {
    return own(tensorOf(this), 'MLTensor', 'constant').constant;
  }

  destroy(): void {
    const { host } = own(tensorOf(this), 'MLTensor', 'destroy');
    markDestroyed(host);
    translated(() => {
      host.destroy();
    });
  }
}

export class MLGraph {
  readonly #host: HostGraph;
  #devices: readonly string[] | undefined;

  static {
    graphOf = (value) => (isObject(value) && #host in value ? value.#host : undefined);
  }

  constructor(...[key, host]: [key?: symbol, host?: HostGraph]) {
    requireOurs(key, 'MLGraph');
    this.#host = host as HostGraph;
  }

  get devices(): readonly string[] {
    const { devices } = own(graphOf(this), 'MLGraph', 'devices');
    return (this.#devices ??= Object.freeze([...devices]));
  }

  destroy(): void {
    const host = own(graphOf(this), 'MLGraph', 'destroy');
    translated(() => {
      host.destroy();
    });
  }
}

export const toMLOperand = toInterface('MLOperand', (value) => operandOf(value));
export const toMLOperands = sequence(toMLOperand);
export const toMLTensor = toInterface('MLTensor', (value) => tensorOf(value));
export const toMLGraph = toInterface('MLGraph', (value) => graphOf(value));

/** The context's unwrapping, which its own module provides. */
let contextOf: (value: unknown) => HostContext | undefined = () => undefined;

export function provideContext(unwrap: typeof contextOf): void {
  contextOf = unwrap;
}

export const toMLContext = toInterface('MLContext', (value) => contextOf(value));

/** Only a real device answers its interface's own getter. */
export function isGPUDevice(value: unknown): boolean {
  if (!isObject(value) || typeof GPUDevice !== 'function') return false;
  const get = getterOf((GPUDevice as { prototype?: object }).prototype ?? {}, 'queue');
  return get !== undefined && isBranded(get, value);
}

export const toGPUDevice: Converter<object> = (value) => {
  if (!isObject(value) || !isGPUDevice(value)) throw new Mismatch(value, 'a GPUDevice');
  return value;
};
