/** LiteRT.js in a page: one model on one accelerator, and a picture. */

import { countDispatches, installPolyfill } from './common.js';

export interface Request {
  readonly model: string;
  readonly accelerator: 'webnn' | 'wasm';
  /** Shown to the model scaled to its input, as 8-bit RGB. */
  readonly picture: string;
}

export interface Reply {
  readonly values: readonly number[];
  readonly dispatches: number;
}

interface LiteRtTensor {
  data(): Promise<ArrayLike<number>>;
  delete(): void;
}
interface LiteRtModel {
  getInputDetails(): readonly { readonly shape: ArrayLike<number> }[];
  run(input: LiteRtTensor): Promise<LiteRtTensor[]>;
  delete(): void;
}
interface LiteRt {
  readonly Tensor: { fromTypedArray(data: Uint8Array, shape: readonly number[]): LiteRtTensor };
  loadLiteRt(directory: string, options: { jspi: boolean }): Promise<unknown>;
  loadAndCompile(url: string, options: { accelerator: string }): Promise<LiteRtModel>;
}

let loaded: Promise<LiteRt> | undefined;

async function loadLiteRt(): Promise<LiteRt> {
  await installPolyfill();
  const name: string = '@litertjs/core';
  const litert = (await import(name)) as LiteRt;
  // Its WebNN accelerator is in this build only.
  await litert.loadLiteRt('/packages/@litertjs/core/wasm/', { jspi: true });
  return litert;
}

export default async function run({ model, accelerator, picture }: Request): Promise<Reply> {
  const litert = await (loaded ??= loadLiteRt());
  const counter = countDispatches();
  try {
    const compiled = await litert.loadAndCompile(model, { accelerator });
    const shape = Array.from(compiled.getInputDetails()[0]?.shape ?? []);
    const input = litert.Tensor.fromTypedArray(await pixels(picture, shape[2] ?? 0, shape[1] ?? 0), shape);
    const [output] = await compiled.run(input);
    if (output === undefined) throw new Error('the model has no output');
    const values = Array.from(await output.data());
    for (const disposable of [input, output, compiled]) disposable.delete();
    return { values, dispatches: counter.count };
  } finally {
    counter.restore();
  }
}

async function pixels(url: string, width: number, height: number): Promise<Uint8Array> {
  const picture = await createImageBitmap(await (await fetch(url)).blob());
  const canvas = new OffscreenCanvas(width, height).getContext('2d');
  if (canvas === null) throw new Error('no 2d context');
  canvas.drawImage(picture, 0, 0, width, height);
  const rgba = canvas.getImageData(0, 0, width, height).data;
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => rgba[Math.floor(i / 3) * 4 + (i % 3)] ?? 0);
}
