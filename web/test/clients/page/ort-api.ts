/** What the page scripts use of ONNX Runtime Web, whose own types are there only where it is installed. */

import { installPolyfill } from './common.js';

export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly location: string;
  getData(releaseData?: boolean): Promise<ArrayLike<number | bigint>>;
}

export interface OrtSession {
  run(
    feeds: Record<string, OrtTensor>,
    fetches?: Record<string, OrtTensor>,
  ): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

export interface Ort {
  readonly env: { readonly wasm: { wasmPaths: string; numThreads: number } };
  readonly Tensor: {
    new (type: string, data: ArrayBufferView, dims: readonly number[]): OrtTensor;
    fromMLTensor(tensor: MLTensor, options: { dataType: string; dims: readonly number[] }): OrtTensor;
  };
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<OrtSession>;
  };
}

const DIST = '/packages/onnxruntime-web/dist/';

/** Loads a build such as `ort.min.mjs`, after the polyfill. */
export async function loadOrt(build: string, threads: number): Promise<Ort> {
  await installPolyfill();
  const ort = (await import(DIST + build)) as Ort;
  ort.env.wasm.wasmPaths = new URL(DIST, location.href).href;
  ort.env.wasm.numThreads = threads;
  return ort;
}
