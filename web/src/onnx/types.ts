/** What `webnn/onnx` gives and takes. */

import type { Attribute, DataType, Descriptor } from '../host.js';

/** Where a file comes from; a string is an address. */
export type OnnxSource = ArrayBuffer | ArrayBufferView | Blob | Response | URL | string;

/** An input or output as the file declares it. */
export interface OnnxPort {
  readonly name: string;
  /** ONNX's name of the element type; `null` for what is no tensor. */
  readonly dataType: string | null;
  /** A free dimension is its name, or `null` where it has none; `null` where the rank is open. */
  readonly shape: readonly (number | string | null)[] | null;
}

/** What a file says of itself. */
export interface OnnxDescription {
  /** The version of ONNX's operators. */
  readonly opset: number | null;
  /** The tool that wrote the file. */
  readonly producer: string;
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  /** How often each operator is used, the most frequent first. */
  readonly operators: readonly (readonly [name: string, count: number])[];
}

/** An input or output of the graph that was built. */
export interface OnnxTensor extends Descriptor {
  readonly name: string;
}

/** An input that is known before the graph is built. */
export interface OnnxFixed {
  /** ONNX's name of the element type. */
  readonly dataType: string;
  readonly shape: readonly number[];
  readonly data: ArrayBuffer | ArrayBufferView;
}

/** A node, input or output that stands in the way. */
export interface OnnxProblem {
  /** The node's name. */
  readonly node: string;
  /** Its operator; of ours where the context does not take what the node became. */
  readonly operator: string;
  /** The reason in a few words, of a short list. */
  readonly reason: string;
  /** What is and what was expected. */
  readonly message: string;
  /** Inputs of the model that would have to be fixed. */
  readonly needs: readonly string[];
}

export interface OnnxOptions {
  /** Sizes of free dimensions by name. */
  readonly dimensions?: Readonly<Record<string, number>>;
  /** Whole shapes of inputs by name, where dimensions have no names. */
  readonly shapes?: Readonly<Record<string, readonly number[]>>;
  /** Inputs whose values are known; the graph does not have them. */
  readonly fixed?: Readonly<Record<string, OnnxFixed>>;
  /** The files beside the model that hold its weights, by the names that the model gives them. */
  readonly externalData?: Readonly<Record<string, OnnxSource>>;
  /** Ends the work; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Why a model cannot be read or built: everything at once. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError';
  readonly problems: readonly OnnxProblem[];

  constructor(message: string, problems: readonly OnnxProblem[] = []) {
    super(message);
    this.problems = problems;
  }
}

/** A call of an `MLGraphBuilder`; values are numbers that the plan gives them. */
export interface Call {
  readonly method: string;
  /** Operands that are parameters; a list where the parameter is a sequence. */
  readonly operands: readonly (number | readonly number[])[];
  readonly parameters: readonly Attribute[];
  readonly options: Readonly<Record<string, Attribute>>;
  /** Operands that are members of the options. */
  readonly optional: Readonly<Record<string, number>>;
  readonly outputs: readonly number[];
  readonly givesSequence: boolean;
}

export interface PlanPort extends OnnxTensor {
  readonly value: number;
}

export interface PlanConstant extends Descriptor {
  readonly dataType: DataType;
  readonly value: number;
  readonly byteLength: number;
}

/** The part of a plan that goes before its calls. */
export interface PlanHead {
  /** The graph as the package's own contexts take it, where the plan has no calls. */
  readonly text: string | undefined;
  readonly description: OnnxDescription;
  readonly inputs: readonly PlanPort[];
  readonly outputs: readonly PlanPort[];
  readonly operations: number;
  readonly constantBytes: number;
}

/** As much of a plan as may be replayed in one task. */
export interface Batch {
  readonly constants: readonly (PlanConstant & { readonly bytes: ArrayBuffer })[];
  readonly calls: readonly Call[];
}

/** The options that the reader itself applies. */
export interface PlanOptions {
  readonly dimensions: Readonly<Record<string, number>>;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly fixed: Readonly<Record<string, { dataType: string; shape: readonly number[]; data: Uint8Array }>>;
}

/** Reads one model: files in, then a description or a plan out, batch by batch. */
export interface Reader {
  /** Reads a whole file that the reader can get by itself. */
  read(name: string, source: Blob | string): Promise<void>;
  begin(name: string, length: number): Promise<void>;
  /** The piece is the reader's from now on. */
  append(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  inspect(): Promise<OnnxDescription>;
  /** A plan for a context of these limits; without, one of text for the package's own contexts. */
  plan(options: PlanOptions, limits: object | undefined): Promise<PlanHead>;
  /** Nothing after the last batch. */
  next(): Promise<Batch | undefined>;
  close(): void;
}
