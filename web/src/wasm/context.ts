/** Contexts, tensors and graphs: numbers that both halves know, and what becomes of them. */

import { destroyGraph, destroyTensor, forgetGraph, forgetTensor } from '../../wasm/webnn.js';
import type {
  Descriptor,
  Device,
  HostBuilder,
  HostContext,
  HostGraph,
  HostTensor,
  Named,
  Port,
  TensorUsage,
  TextGraph,
} from '../host.js';
import { WasmBuilder } from './builder.js';
import { hostError } from './failure.js';
import type { Link } from './link.js';
import type { Bindings } from './protocol.js';

/** What is left to do when an object has been collected; it holds nothing of the object. */
const collected = new FinalizationRegistry<() => void>((release) => {
  release();
});

export class WasmContext implements HostContext {
  readonly device: Device;
  readonly accelerated: boolean;
  readonly lost: Promise<string>;
  readonly #link: Link;
  #limits: string | undefined;
  #constantTensors = 0;

  constructor(link: Link, device: Device, accelerated: boolean) {
    this.#link = link;
    this.device = device;
    this.accelerated = accelerated;
    this.lost = link.lost;
    collected.register(this, () => {
      link.lose('it was collected');
    });
  }

  opSupportLimits(): Record<string, unknown> {
    this.#limits ??= this.#link.front.limits();
    return JSON.parse(this.#limits) as Record<string, unknown>;
  }

  createBuilder(): HostBuilder {
    return new WasmBuilder(this, this.#link);
  }

  /** The engine makes all checks of the text. */
  async buildText({ text, inputs, outputs, constants }: TextGraph): Promise<HostGraph> {
    const graph = this.#link.front.graphElsewhere(described(inputs), described(outputs));
    const buffers = [...constants.values()];
    return this.build(graph, text, new Uint32Array(constants.keys()), buffers);
  }

  /** Has the engine compile a graph that the page's half knows by its number. */
  async build(graph: number, text: string, constants: Uint32Array<ArrayBuffer>, buffers: ArrayBuffer[]): Promise<HostGraph> {
    try {
      const command = { kind: 'build', graph, text, constants, buffers } as const;
      await this.#link.ask(this, 'build', command, buffers);
    } catch (error) {
      forgetGraph(graph);
      throw error;
    }
    return new WasmGraph(this, this.#link, graph);
  }

  async createTensor(descriptor: Descriptor, { readable, writable }: TensorUsage): Promise<HostTensor> {
    const { dataType, shape } = descriptor;
    const tensor = this.#link.front.createTensor(dataType, shape, readable, writable);
    try {
      await this.#link.ask(this, 'createTensor', {
        kind: 'tensor',
        tensor,
        descriptor: { dataType, shape: [...shape] },
      });
    } catch (error) {
      forgetTensor(tensor);
      throw error;
    }
    return new WasmTensor(this, this.#link, tensor, { what: 'tensor', id: tensor });
  }

  async createConstantTensor({ dataType, shape }: Descriptor, bytes: Uint8Array): Promise<HostTensor> {
    // Odd numbers; the constants of builders have the even ones.
    const constant = 2 * this.#constantTensors + 1;
    const { front } = this.#link;
    const tensor = front.createConstantTensor(dataType, shape, bytes.byteLength, constant);
    this.#constantTensors += 1;
    const copy = copied(bytes);
    try {
      await this.#link.ask(this, 'createConstantTensor', { kind: 'constant', constant, bytes: copy }, [copy]);
    } catch (error) {
      forgetTensor(tensor);
      throw error;
    }
    return new WasmTensor(this, this.#link, tensor, { what: 'constant', id: constant });
  }

  writeTensor(tensor: HostTensor, bytes: Uint8Array): void {
    const id = tensorId(tensor);
    this.#link.front.checkWrite(id, bytes.byteLength);
    const copy = copied(bytes);
    this.#link.post({ kind: 'write', tensor: id, bytes: copy }, [copy]);
  }

  async readTensor(tensor: HostTensor, length?: number): Promise<ArrayBuffer> {
    const id = tensorId(tensor);
    this.#link.front.checkRead(id, length);
    const bytes = await this.#link.ask(this, 'readTensor', { kind: 'read', tensor: id });
    return bytes ?? new ArrayBuffer(0);
  }

  dispatch(graph: HostGraph, inputs: Named<HostTensor>, outputs: Named<HostTensor>): void {
    if (!(graph instanceof WasmGraph)) throw hostError('TypeError', 'dispatch: the graph belongs to another context');
    const bindings = { inputs: bound(inputs), outputs: bound(outputs) };
    this.#link.front.checkDispatch(graph.id, bindings.inputs, bindings.outputs);
    this.#link.post({ kind: 'dispatch', graph: graph.id, ...bindings });
  }

  destroy(): void {
    this.#link.lose();
  }
}

/** Where the engine keeps a tensor's bytes. */
interface Memory {
  readonly what: 'tensor' | 'constant';
  readonly id: number;
}

export class WasmTensor implements HostTensor {
  /** As long as there is one of its tensors, there is the context. */
  readonly context: WasmContext;
  readonly id: number;
  readonly #link: Link;
  readonly #memory: Memory;
  #isDestroyed = false;

  constructor(context: WasmContext, link: Link, id: number, memory: Memory) {
    this.context = context;
    this.id = id;
    this.#link = link;
    this.#memory = memory;
    collected.register(this, () => {
      forgetTensor(id);
      link.post({ kind: 'free', ...memory });
    });
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    destroyTensor(this.id);
    this.#link.rejectReads(
      this.id,
      'InvalidStateError',
      'readTensor: the tensor was destroyed before it was read',
    );
    this.#link.post({ kind: 'free', ...this.#memory });
  }
}

export class WasmGraph implements HostGraph {
  readonly context: WasmContext;
  readonly id: number;
  readonly devices: readonly string[];
  readonly #link: Link;
  #isDestroyed = false;

  constructor(context: WasmContext, link: Link, id: number) {
    this.context = context;
    this.id = id;
    this.devices = [context.device.kind];
    this.#link = link;
    collected.register(this, () => {
      forgetGraph(id);
      link.post({ kind: 'free', what: 'graph', id });
    });
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    destroyGraph(this.id);
    this.#link.post({ kind: 'free', what: 'graph', id: this.id });
  }
}

/** A tensor's number; 0, which is nobody's, of a tensor of another host. */
export function tensorId(tensor: HostTensor): number {
  return tensor instanceof WasmTensor ? tensor.id : 0;
}

/** A copy in memory of its own, which can be given away. */
export function copied(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy.buffer;
}

function described(ports: readonly Port[]): unknown[] {
  return ports.flatMap(({ name, dataType, shape }) => [name, dataType, shape]);
}

function bound(named: Named<HostTensor>): Bindings {
  return named.flatMap(([name, tensor]) => [name, tensorId(tensor)]);
}
