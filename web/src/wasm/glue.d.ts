/**
 * What `cargo xtask web` writes into `web/wasm`: JavaScript by wasm-bindgen around the exports of
 * `crates/wasm`. Described here, so that the package can be checked before it is built.
 */
declare module '*/wasm/webnn.js' {
  export interface Instance {
    readonly memory: WebAssembly.Memory;
  }

  /** Makes this realm's instance. A module that imports its memory takes the one that is given. */
  export function initSync(init: { module: WebAssembly.Module; memory?: WebAssembly.Memory }): Instance;

  /** The page's half of a context: all checks. Lists are names and values by turns. */
  export class Context {
    constructor(details: string, reason: string, accelerated: boolean);
    free(): void;
    kind(): string;
    limits(): string;
    builder(): Builder;
    /** The number of a graph that the engine is given as text; name, data type and shape by turns. */
    graphElsewhere(inputs: readonly unknown[], outputs: readonly unknown[]): number;
    createTensor(dataType: string, shape: readonly number[], readable: boolean, writable: boolean): number;
    createConstantTensor(
      dataType: string,
      shape: readonly number[],
      byteLength: number,
      constant: number,
    ): number;
    checkWrite(tensor: number, byteLength: number): void;
    checkRead(tensor: number, byteLength?: number): void;
    checkDispatch(graph: number, inputs: readonly unknown[], outputs: readonly unknown[]): void;
    /** Without a reason, as a script's `destroy` does. */
    lose(reason?: string): void;
    lost(): string | undefined;
  }

  export function destroyTensor(tensor: number): void;
  export function destroyGraph(graph: number): void;
  export function forgetTensor(tensor: number): void;
  export function forgetGraph(graph: number): void;

  export class Builder {
    private constructor();
    input(name: string, dataType: string, shape: readonly number[]): number;
    constant(dataType: string, shape: readonly number[], byteLength: number, constant: number): number;
    scalar(dataType: string, value: number | bigint): number;
    /** Place, data type and shape of each result by turns, as `add` gives them. */
    constantTensor(tensor: number): unknown[];
    add(method: string, operands: readonly unknown[], attributes: readonly unknown[], label: string): unknown[];
    finish(outputs: readonly unknown[]): Build;
  }

  /** A checked graph; `graph` ends its use. */
  export class Build {
    private constructor();
    text(): string;
    constants(): Uint32Array;
    graph(): number;
  }

  /** The worker's half of a context: memory and computing. */
  export class Engine {
    constructor(powerPreference: string, accelerated: boolean, deviceType: string | undefined, threads: number);
    free(): void;
    details(): string;
    reason(): string;
    helpers(): number;
    lost(): string | undefined;
    createTensor(tensor: number, dataType: string, shape: readonly number[]): void;
    createConstant(constant: number, bytes: Uint8Array): void;
    write(tensor: number, bytes: Uint8Array): void;
    byteLength(tensor: number): number;
    read(tensor: number, destination: Uint8Array): void;
    compile(graph: number, text: string, constants: Uint32Array, buffers: readonly ArrayBuffer[]): void;
    dispatch(graph: number, inputs: readonly unknown[], outputs: readonly unknown[]): void;
    freeTensor(tensor: number): void;
    freeConstant(constant: number): void;
    freeGraph(graph: number): void;
  }

  /** Makes the calling thread one of the engine's; returns when the engine is gone. */
  export function help(): void;
}
