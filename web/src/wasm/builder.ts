/** Builders: operands by their place in the WebAssembly half, bytes of constants here. */

import type { Builder } from '../../wasm/webnn.js';
import type {
  Attribute,
  DataType,
  Descriptor,
  HostBuilder,
  HostGraph,
  HostOperand,
  HostTensor,
  Named,
} from '../host.js';
import { copied, tensorId, type WasmContext } from './context.js';
import type { Link } from './link.js';

class WasmOperand implements HostOperand {
  readonly builder: WasmBuilder;
  readonly place: number;
  readonly dataType: DataType;
  readonly shape: readonly number[];

  constructor(builder: WasmBuilder, place: number, { dataType, shape }: Descriptor) {
    this.builder = builder;
    this.place = place;
    this.dataType = dataType;
    this.shape = shape;
  }
}

export class WasmBuilder implements HostBuilder {
  readonly #context: WasmContext;
  readonly #builder: Builder;
  /** Bytes by the number that the graph's text gives them. */
  readonly #constants = new Map<number, ArrayBuffer>();

  constructor(context: WasmContext, link: Link) {
    this.#context = context;
    this.#builder = link.front.builder();
  }

  input(name: string, descriptor: Descriptor): HostOperand {
    const place = this.#builder.input(name, descriptor.dataType, descriptor.shape);
    return new WasmOperand(this, place, descriptor);
  }

  constant(descriptor: Descriptor, bytes: Uint8Array): HostOperand {
    // Even numbers; constant tensors have the odd ones.
    const number = 2 * this.#constants.size;
    const { dataType, shape } = descriptor;
    const place = this.#builder.constant(dataType, shape, bytes.byteLength, number);
    this.#constants.set(number, copied(bytes));
    return new WasmOperand(this, place, descriptor);
  }

  scalar(dataType: DataType, value: number | bigint): HostOperand {
    return new WasmOperand(this, this.#builder.scalar(dataType, value), { dataType, shape: [] });
  }

  constantTensor(tensor: HostTensor): HostOperand {
    const [operand] = this.#operands(this.#builder.constantTensor(tensorId(tensor)));
    return operand as HostOperand;
  }

  add(
    method: string,
    operands: Named<HostOperand | readonly HostOperand[]>,
    attributes: Named<Attribute>,
    label: string,
  ): HostOperand[] {
    const places = operands.flatMap(([name, value]) => [
      name,
      isList(value) ? value.map((operand) => this.#place(operand)) : this.#place(value),
    ]);
    return this.#operands(this.#builder.add(method, places, attributes.flat(1), label));
  }

  async build(outputs: Named<HostOperand>): Promise<HostGraph> {
    const places = outputs.flatMap(([name, operand]) => [name, this.#place(operand)]);
    const build = this.#builder.finish(places);
    const text = build.text();
    const needed = build.constants();
    const graph = build.graph();
    // What the graph does not need goes; what it needs moves.
    const here = needed.filter((number) => this.#constants.has(number));
    const buffers = [...here].map((number) => this.#constants.get(number) as ArrayBuffer);
    this.#constants.clear();
    return this.#context.build(graph, text, new Uint32Array(here), buffers);
  }

  /** -1 of operands of other builders, which the builder refuses in its own words. */
  #place(operand: HostOperand): number {
    return operand instanceof WasmOperand && operand.builder === this ? operand.place : -1;
  }

  #operands(results: unknown[]): HostOperand[] {
    const operands: HostOperand[] = [];
    for (let i = 0; i < results.length; i += 3) {
      const [place, dataType, shape] = results.slice(i, i + 3) as [number, DataType, number[]];
      operands.push(new WasmOperand(this, place, { dataType, shape }));
    }
    return operands;
  }
}

function isList(value: HostOperand | readonly HostOperand[]): value is readonly HostOperand[] {
  return Array.isArray(value);
}
