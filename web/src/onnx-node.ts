/** `webnn/onnx` in Node: an ONNX file becomes an `MLGraph`. */

import { readFile } from 'node:fs/promises';
import * as entry from './node.js';
import { makerOf } from './onnx/builder.js';
import { inspect, load, type OnnxModel } from './onnx/load.js';
import { LocalReader } from './onnx/local.js';
import type { OnnxDescription, OnnxOptions, OnnxSource, Reader } from './onnx/types.js';
import type { MLContext, MLGraph } from './types.gen.js';

export {
  OnnxError,
  type OnnxDescription,
  type OnnxFixed,
  type OnnxOptions,
  type OnnxPort,
  type OnnxProblem,
  type OnnxSource,
  type OnnxTensor,
} from './onnx/types.js';
export type { OnnxModel } from './onnx/load.js';

/** Reads a model and builds its graph for the context; `file:` addresses are read from the disk. */
export async function loadOnnx(
  context: MLContext,
  model: OnnxSource,
  options: OnnxOptions = {},
): Promise<OnnxModel<MLGraph>> {
  const external = Object.entries(options.externalData ?? {}).map(
    async ([name, source]) => [name, await fromDisk(source)] as const,
  );
  return load<MLContext, MLGraph>(openReader, makerOf(entry, context), context, await fromDisk(model), {
    ...options,
    externalData: Object.fromEntries(await Promise.all(external)),
  });
}

/** Reads what a model says of itself, free dimensions by their names; nothing is built. */
export async function inspectOnnx(
  model: OnnxSource,
  options: Pick<OnnxOptions, 'signal'> = {},
): Promise<OnnxDescription> {
  return inspect(openReader, await fromDisk(model), options.signal);
}

/** Node's `fetch` takes no `file:` addresses. */
async function fromDisk(source: OnnxSource): Promise<OnnxSource> {
  const isAddress = typeof source === 'string' || source instanceof URL;
  const address = isAddress && URL.canParse(source) ? new URL(source) : undefined;
  return address?.protocol === 'file:' ? readFile(address) : source;
}

let compiled: Promise<WebAssembly.Module> | undefined;

async function openReader(): Promise<Reader> {
  compiled ??= readFile(new URL('./wasm/onnx.wasm', import.meta.url)).then((bytes) => WebAssembly.compile(bytes));
  return new LocalReader(await compiled);
}
