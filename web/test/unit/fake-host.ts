/** A host that computes nothing: it records the calls, and answers as it is told. */

import { MLGraphBuilder } from '../../src/api.js';
import { makeEntry, type Entry } from '../../src/entry.js';
import type {
  Attribute,
  Descriptor,
  ErrorKind,
  Host,
  HostBuilder,
  HostContext,
  HostContextOptions,
  HostGraph,
  HostOperand,
  HostTensor,
  Named,
  TensorUsage,
} from '../../src/host.js';
import type * as api from '../../src/types.gen.js';

export interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
}

export function hostError(code: ErrorKind, message = `a failure of the kind ${code}`): Error {
  return Object.assign(new Error(message), { code });
}

export class FakeHost implements Host {
  readonly name = 'wasm';
  readonly calls: Call[] = [];
  /** Functions by the name of a call, in place of the answer. */
  readonly answers = new Map<string, () => unknown>();
  /** Every context made, the last one last. */
  readonly contexts: FakeContext[] = [];

  createContext(options: HostContextOptions): Promise<HostContext> {
    return this.answer('createContext', [options], () => {
      const context = new FakeContext(this, options);
      this.contexts.push(context);
      return Promise.resolve(context);
    });
  }

  answer<T>(name: string, args: readonly unknown[], usual: () => T): T {
    this.calls.push({ name, args });
    const answer = this.answers.get(name);
    return answer === undefined ? usual() : (answer() as T);
  }

  /** The arguments of the last call of this name. */
  lastCall(name: string): readonly unknown[] {
    const call = this.calls.findLast((one) => one.name === name);
    if (call === undefined) throw new Error(`${name} was not called`);
    return call.args;
  }
}

export class FakeContext implements HostContext {
  readonly device = { kind: 'cpu', details: 'none', reason: 'a test' };
  readonly accelerated: boolean;
  readonly lost: Promise<string>;
  lose!: (reason: string) => void;
  readonly #host: FakeHost;

  constructor(host: FakeHost, options: HostContextOptions) {
    this.#host = host;
    this.accelerated = options.accelerated;
    this.lost = new Promise((resolve) => (this.lose = resolve));
  }

  opSupportLimits(): Record<string, unknown> {
    return this.#host.answer('opSupportLimits', [], () => ({ maxTensorByteLength: 4 }));
  }

  createBuilder(): HostBuilder {
    return this.#host.answer('createBuilder', [], () => new FakeBuilder(this.#host));
  }

  createTensor(descriptor: Descriptor, usage: TensorUsage): Promise<HostTensor> {
    return this.#host.answer('createTensor', [descriptor, usage], () =>
      Promise.resolve(new FakeTensor(this.#host)),
    );
  }

  createConstantTensor(descriptor: Descriptor, bytes: Uint8Array): Promise<HostTensor> {
    return this.#host.answer('createConstantTensor', [descriptor, bytes.slice()], () =>
      Promise.resolve(new FakeTensor(this.#host)),
    );
  }

  writeTensor(tensor: HostTensor, bytes: Uint8Array): void {
    this.#host.answer('writeTensor', [tensor, bytes.slice()], () => undefined);
  }

  readTensor(tensor: HostTensor, length?: number): Promise<ArrayBuffer> {
    return this.#host.answer('readTensor', [tensor, length], () =>
      Promise.resolve(Uint8Array.of(1, 2, 3, 4).buffer),
    );
  }

  dispatch(graph: HostGraph, inputs: Named<HostTensor>, outputs: Named<HostTensor>): void {
    this.#host.answer('dispatch', [graph, inputs, outputs], () => undefined);
  }

  destroy(): void {
    this.#host.answer('context.destroy', [], () => {
      this.lose('destroyed');
    });
  }
}

export class FakeTensor implements HostTensor {
  constructor(readonly host: FakeHost) {}

  destroy(): void {
    this.host.answer('tensor.destroy', [], () => undefined);
  }
}

class FakeBuilder implements HostBuilder {
  constructor(readonly host: FakeHost) {}

  input(name: string, descriptor: Descriptor): HostOperand {
    return this.host.answer('input', [name, descriptor], () => descriptor);
  }

  constant(descriptor: Descriptor, bytes: Uint8Array): HostOperand {
    return this.host.answer('constant', [descriptor, bytes.slice()], () => descriptor);
  }

  scalar(dataType: Descriptor['dataType'], value: number | bigint): HostOperand {
    return this.host.answer('scalar', [dataType, value], () => ({ dataType, shape: [] }));
  }

  constantTensor(tensor: HostTensor): HostOperand {
    return this.host.answer('constantTensor', [tensor], () => FLOAT);
  }

  add(
    method: string,
    operands: Named<HostOperand | readonly HostOperand[]>,
    attributes: Named<Attribute>,
    label: string,
  ): HostOperand[] {
    return this.host.answer('add', [method, operands, attributes, label], () => [FLOAT, FLOAT]);
  }

  build(outputs: Named<HostOperand>): Promise<HostGraph> {
    return this.host.answer('build', [outputs], () =>
      Promise.resolve({
        devices: ['cpu'],
        destroy: () => {
          this.host.answer('graph.destroy', [], () => undefined);
        },
      }),
    );
  }
}

export const FLOAT: Descriptor = { dataType: 'float32', shape: [] };

export interface Fixture extends Entry {
  readonly host: FakeHost;
  readonly context: api.MLContext;
  readonly builder: api.MLGraphBuilder;
  readonly operand: api.MLOperand;
  readonly tensor: api.MLTensor;
}

/** One object of each interface, over a host of its own. */
export async function fixture(): Promise<Fixture> {
  const host = new FakeHost();
  const entry = makeEntry(() => host);
  const context = await entry.ml.createContext();
  const builder = new MLGraphBuilder(context);
  const operand = builder.input('x', { dataType: 'float32', shape: [2, 3] });
  const tensor = await context.createTensor({ dataType: 'float32', shape: [1] });
  return { host, ...entry, context, builder, operand, tensor };
}

/** Calls anything with anything. */
export function call(object: object, method: string, ...args: unknown[]): unknown {
  const found = (object as Record<string, (...args: unknown[]) => unknown>)[method];
  return Reflect.apply(found as () => unknown, object, args);
}
