/** The JavaScript side of `crates/onnx-wasm`, which the build writes. */
declare module '*/webnn_onnx.js' {
  export class Plan {
    description(): unknown;
    inputs(): unknown[];
    outputs(): unknown[];
    constants(): unknown[];
    length(): number;
    calls(start: number, end: number): unknown[];
    text(): string;
    bytes(value: number): Uint8Array<ArrayBuffer> | undefined;
    free(): void;
  }
  export class OnnxFile {
    begin(name: string, length: number): void;
    append(piece: Uint8Array): void;
    inspect(): unknown;
    plan(options: unknown, limits: unknown): Plan;
  }
  /** Makes this realm's instance, once. */
  export function initSync(init: { module: WebAssembly.Module }): unknown;
}
