/** The host for Node: the native engine, or the one in WebAssembly where no addon fits. */

import type {
  Attribute,
  DataType,
  Descriptor,
  Device,
  Host,
  HostBuilder,
  HostContext,
  HostContextOptions,
  HostError,
  HostGraph,
  HostOperand,
  HostTensor,
  Named,
  TensorUsage,
} from './host.js';
import {
  loadAddon,
  type Loaded,
  type NativeAddon,
  type NativeBuilder,
  type NativeContext,
} from './node-addon.js';

/** The native engine through its addon. */
export class NativeHost implements Host {
  readonly name = 'native';
  readonly #addon: NativeAddon;

  constructor(addon: NativeAddon) {
    this.#addon = addon;
  }

  createContext(options: HostContextOptions): Promise<HostContext> {
    return new Promise((resolve) => {
      resolve(new Context(this.#addon, options));
    });
  }
}

class Context implements HostContext {
  readonly lost: Promise<string>;
  readonly #native: NativeContext;
  readonly #settleLost: (reason: string) => void;

  constructor(addon: NativeAddon, options: HostContextOptions) {
    let settle: (reason: string) => void = () => undefined;
    this.lost = new Promise((resolve) => {
      settle = resolve;
    });
    // The addon holds on to the function for as long as the context lives, which it would for ever
    // if the function held on to the context.
    const native = addon.createContext(options, () => {
      settle(context.deref()?.lost ?? 'its device is gone');
    });
    const context = new WeakRef(native);
    this.#native = native;
    this.#settleLost = settle;
  }

  get device(): Device {
    const { kind, details, reason } = this.#native.device;
    return { kind, details: `native, ${details}`, reason };
  }

  get accelerated(): boolean {
    return this.#native.accelerated;
  }

  opSupportLimits(): Record<string, unknown> {
    return JSON.parse(this.#native.limits()) as Record<string, unknown>;
  }

  createBuilder(): HostBuilder {
    return new Builder(this.#native.createBuilder());
  }

  // What is done at once is awaited nonetheless: a script that destroys the context or the tensor
  // right after the call sees the promise rejected.

  async createTensor(
    { dataType, shape }: Descriptor,
    { readable, writable }: TensorUsage,
  ): Promise<HostTensor> {
    const tensor = await Promise.resolve(
      this.#native.createTensor(dataType, shape, readable, writable),
    );
    this.#native.checkPending('createTensor');
    return tensor;
  }

  async createConstantTensor(
    { dataType, shape }: Descriptor,
    bytes: Uint8Array,
  ): Promise<HostTensor> {
    const tensor = await Promise.resolve(
      this.#native.createConstantTensor(dataType, shape, unshared(bytes)),
    );
    this.#native.checkPending('createConstantTensor');
    return tensor;
  }

  writeTensor(tensor: HostTensor, bytes: Uint8Array): void {
    this.#native.writeTensor(tensor, unshared(bytes));
  }

  async readTensor(tensor: HostTensor, length?: number): Promise<ArrayBuffer> {
    const bytes = await this.#native.readTensor(tensor, length);
    this.#native.checkPending('readTensor', tensor);
    return bytes;
  }

  dispatch(graph: HostGraph, inputs: Named<HostTensor>, outputs: Named<HostTensor>): void {
    this.#native.dispatch(graph, inputs, outputs);
  }

  destroy(): void {
    this.#native.destroy();
    // The addon's own notice would come too late in a process that has nothing else to wait for.
    this.#settleLost(this.#native.lost ?? 'its device is gone');
  }
}

class Builder implements HostBuilder {
  readonly #native: NativeBuilder;

  constructor(native: NativeBuilder) {
    this.#native = native;
  }

  input(name: string, { dataType, shape }: Descriptor): HostOperand {
    return this.#native.input(name, dataType, shape);
  }

  constant({ dataType, shape }: Descriptor, bytes: Uint8Array): HostOperand {
    return this.#native.constant(dataType, shape, unshared(bytes));
  }

  scalar(dataType: DataType, value: number | bigint): HostOperand {
    return this.#native.scalar(dataType, value);
  }

  constantTensor(tensor: HostTensor): HostOperand {
    return this.#native.constantTensor(tensor);
  }

  add(
    method: string,
    operands: Named<HostOperand | readonly HostOperand[]>,
    attributes: Named<Attribute>,
    label: string,
  ): HostOperand[] {
    return this.#native.add(method, operands, attributes, label);
  }

  build(outputs: Named<HostOperand>): Promise<HostGraph> {
    return this.#native.build(outputs);
  }
}

/** Native code may not look at memory that other threads write. */
function unshared(bytes: Uint8Array): Uint8Array {
  return bytes.buffer instanceof SharedArrayBuffer ? bytes.slice() : bytes;
}

/** The variable of the environment that forces one engine. */
const CHOICE = 'WEBNN_HOST';

/**
 * The host for this process, looked for when it is called, so that importing the package loads
 * nothing; `wasm` is the one to fall back to.
 */
export function nodeHost(
  wasm: Host,
  choice: string | undefined = wish(),
  load: () => Loaded = loadAddon,
): Host {
  if (choice === 'wasm') return fallBack(wasm, `${CHOICE} asked for WebAssembly`);
  if (choice !== undefined && choice !== '' && choice !== 'native') {
    throw refusal(`${CHOICE} is ${JSON.stringify(choice)}, expected "native" or "wasm"`);
  }
  const loaded = load();
  if ('addon' in loaded) return new NativeHost(loaded.addon);
  if (choice === 'native') throw refusal(`${CHOICE} asked for the native engine: ${loaded.missing}`);
  process.emitWarning(`webnn: ${loaded.missing}; WebAssembly computes instead, which is slower`, {
    code: 'WEBNN_NO_ADDON',
  });
  return fallBack(wasm, loaded.missing);
}

/** Deno asks for a permission to read the environment; who gives none has no wish. */
function wish(): string | undefined {
  try {
    return process.env[CHOICE];
  } catch {
    return undefined;
  }
}

/** A host whose contexts say why they are not native. */
function fallBack(host: Host, why: string): Host {
  return {
    name: host.name,
    createContext: async (options) => {
      const context = await host.createContext(options);
      const device = { ...context.device, reason: `${context.device.reason}; ${why}` };
      return Object.defineProperty(context, 'device', { value: device });
    },
  };
}

function refusal(message: string): HostError {
  return Object.assign(new Error(`createContext: ${message}`), { code: 'NotSupportedError' as const });
}
