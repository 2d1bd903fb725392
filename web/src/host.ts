/**
 * What the Web IDL layer asks of an engine's host.
 *
 * There are two hosts: WebAssembly with its engine in a worker (`wasm/host.ts`), and the native
 * addon (`node.ts`). Both make every check of the specification's state machines and of the
 * builder (in Rust, by the same code) and convert nothing: values arrive as Web IDL leaves them.
 * A function that fails throws a {@link HostError}, or rejects with one where it is asynchronous;
 * an asynchronous function may also throw at once what its checks refuse.
 */

/** How a script sees a failure: a `TypeError`, or the name of a `DOMException`. */
export type ErrorKind =
  | 'TypeError'
  | 'InvalidStateError'
  | 'NotSupportedError'
  | 'OperationError'
  | 'UnknownError';

/** A failure with the specification's kind; the message is the whole sentence. */
export interface HostError extends Error {
  readonly code: ErrorKind;
}

/** The specification's names, and Chromium's two packed types. */
export type DataType =
  | 'float32'
  | 'float16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'int8'
  | 'uint8'
  | 'int4'
  | 'uint4';

export interface Descriptor {
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

export interface TensorUsage {
  readonly readable: boolean;
  readonly writable: boolean;
}

/** Hints of all three generations of the API, and what only we understand. */
export interface HostContextOptions {
  readonly powerPreference: 'default' | 'high-performance' | 'low-power';
  readonly accelerated: boolean;
  readonly deviceType?: 'cpu' | 'gpu' | 'npu';
  /** Threads of the CPU engine, the engine's own included; by default one per core. */
  readonly threads?: number;
}

/** What a context really computes with, and why. */
export interface Device {
  /** Such as `cpu`. */
  readonly kind: string;
  /** Instruction set and threads, in words. */
  readonly details: string;
  /** Why this one, in words. */
  readonly reason: string;
}

export type Attribute = boolean | number | bigint | string | readonly Attribute[];

/** Pairs of name and value in the caller's order. */
export type Named<T> = readonly (readonly [name: string, value: T])[];

/** A graph in the engine's own text form, as an importer of ours writes it. */
export interface TextGraph {
  readonly text: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The bytes of the constants, by the numbers that the text gives them. */
  readonly constants: ReadonlyMap<number, ArrayBuffer>;
}

export interface Port extends Descriptor {
  readonly name: string;
}

export interface Host {
  /** Which one runs. */
  readonly name: 'wasm' | 'native';
  createContext(options: HostContextOptions): Promise<HostContext>;
}

export interface HostContext {
  readonly device: Device;
  /** The hint that it was made with. */
  readonly accelerated: boolean;
  /** Resolves with the reason when the context is lost; never rejects. */
  readonly lost: Promise<string>;
  /** A fresh `MLOpSupportLimits` dictionary; still answered when the context is lost. */
  opSupportLimits(): Record<string, unknown>;
  createBuilder(): HostBuilder;
  /** Builds what an importer of ours has made, where that is less work than call by call. */
  buildText?(graph: TextGraph): Promise<HostGraph>;
  createTensor(descriptor: Descriptor, usage: TensorUsage): Promise<HostTensor>;
  /** Copies the bytes before it returns. */
  createConstantTensor(descriptor: Descriptor, bytes: Uint8Array): Promise<HostTensor>;
  /** Copies the bytes before it returns. */
  writeTensor(tensor: HostTensor, bytes: Uint8Array): void;
  /** `length` is that of the destination, checked where it is given. */
  readTensor(tensor: HostTensor, length?: number): Promise<ArrayBuffer>;
  dispatch(graph: HostGraph, inputs: Named<HostTensor>, outputs: Named<HostTensor>): void;
  destroy(): void;
}

/** Memory of a context; given back by `destroy` or by garbage collection. */
export interface HostTensor {
  destroy(): void;
}

export interface HostGraph {
  /** The kinds of device that it computes on, such as `["cpu"]`. */
  readonly devices: readonly string[];
  destroy(): void;
}

export interface HostOperand {
  readonly dataType: DataType;
  readonly shape: readonly number[];
}

/** One graph under construction. An operand of another builder is refused with a `TypeError`. */
export interface HostBuilder {
  input(name: string, descriptor: Descriptor): HostOperand;
  /** Copies the bytes before it returns, and packs nothing. */
  constant(descriptor: Descriptor, bytes: Uint8Array): HostOperand;
  /** A constant of shape `[]`; the number is cast as the specification says of `MLNumber`. */
  scalar(dataType: DataType, value: number | bigint): HostOperand;
  constantTensor(tensor: HostTensor): HostOperand;
  /**
   * Adds an operator. Operands go by the specification's names, those of the options as well;
   * a sequence of operands is one array. Attributes are positional parameters and members of the
   * options, by the specification's names, where the caller gave them.
   */
  add(
    method: string,
    operands: Named<HostOperand | readonly HostOperand[]>,
    attributes: Named<Attribute>,
    label: string,
  ): HostOperand[];
  /** Checks at once, then compiles. A failed check leaves the builder usable. */
  build(outputs: Named<HostOperand>): Promise<HostGraph>;
}
