/** The JavaScript side of `crates/onnx-wasm`, which the build writes. */
declare module '*/webnn_onnx.js' {
  export class Plan {
    description(): unknown;
    inputs(): unknown[];
    outputs(): unknown[];
    constants(): unknown[];
    length(): number;
    calls(start: number, end: number): unknown[];
    bytes(value: number): Uint8Array<ArrayBuffer> | undefined;
    free(): void;
  }
  export class OnnxFile {
    begin(name: string, length: number): void;
    append(piece: Uint8Array): void;
    inspect(): unknown;
    plan(options: unknown, limits: unknown): Plan;
  }
  export default function init(options: {
    module_or_path: BufferSource | Response | Promise<Response>;
  }): Promise<unknown>;
}
