/**
 * `webnn/onnx`: an ONNX file becomes an `MLGraph`.
 *
 * The file is read in a worker, which ends when the graph is built; the graph is made through the
 * public methods of `MLGraphBuilder`, of this package or of the browser.
 */

import * as entry from './index.js';
import { makerOf } from './onnx/builder.js';
import { inspect, load, type OnnxModel } from './onnx/load.js';
import { LocalReader } from './onnx/local.js';
import { RemoteReader } from './onnx/remote.js';
import { OnnxError, type OnnxDescription, type OnnxOptions, type OnnxSource, type Reader } from './onnx/types.js';
import type { MLContext, MLGraph } from './types.gen.js';
import { compileResponse, download } from './wasm/compile.js';
import { messageOf } from './wasm/failure.js';

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

/**
 * Reads a model and builds its graph for the context.
 *
 * A `Blob` (a dropped file) and an address are read in the worker and never pass through the
 * page. What stands in the way rejects with an {@link OnnxError} that lists everything at once:
 * free dimensions without a size, nodes that cannot be part of a graph of fixed shapes, and what
 * the context does not take.
 */
export function loadOnnx(
  context: MLContext,
  model: OnnxSource,
  options: OnnxOptions = {},
): Promise<OnnxModel<MLGraph>> {
  return load<MLContext, MLGraph>(openReader, makerOf(entry, context), context, model, options);
}

/** Reads what a model says of itself, free dimensions by their names; nothing is built. */
export function inspectOnnx(
  model: OnnxSource,
  options: Pick<OnnxOptions, 'signal'> = {},
): Promise<OnnxDescription> {
  return inspect(openReader, model, options.signal);
}

// The reader comes with the engine, not after it.
entry.withFirstContext(() => {
  // Who reads a model tries again, and is told if it fails again.
  readerModule().catch(() => undefined);
});

/** A smaller model is read sooner than a worker starts, and without being felt. */
const WORTH_A_WORKER = 128 << 10;

async function openReader(byteLength: number | undefined): Promise<Reader> {
  const module = readerModule();
  if (byteLength !== undefined && byteLength < WORTH_A_WORKER) return new LocalReader(await module);
  let reader: RemoteReader;
  try {
    reader = new RemoteReader(new Worker(new URL('./onnx-worker.js', import.meta.url), { type: 'module' }));
  } catch (error) {
    // Service workers have no workers, and a policy may forbid them.
    warn(error);
    return new LocalReader(await module);
  }
  try {
    reader.start(await module);
    return reader;
  } catch (error) {
    reader.close();
    throw error;
  }
}

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiled once for all readers; a failed attempt, such as one without a network, is not the last one. */
function readerModule(): Promise<WebAssembly.Module> {
  compiled ??= compile(new URL('./wasm/onnx.wasm', import.meta.url)).catch((error: unknown) => {
    compiled = undefined;
    throw new OnnxError(messageOf(error));
  });
  return compiled;
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  return compileResponse(await download(url), url);
}

let hasWarned = false;

function warn(error: unknown): void {
  if (hasWarned) return;
  hasWarned = true;
  console.warn(`webnn/onnx reads on this thread, there can be no worker: ${String(error)}`);
}
