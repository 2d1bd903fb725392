/**
 * `webnn/onnx`: an ONNX file becomes an `MLGraph`.
 *
 * The file is read in a worker, which ends when the graph is built; the graph is made through the
 * public methods of `MLGraphBuilder`, of this package or of the browser.
 */

import * as entry from './index.js';
import { builderOf } from './onnx/builder.js';
import { inspect, load, type OnnxModel } from './onnx/load.js';
import { LocalReader } from './onnx/local.js';
import { RemoteReader } from './onnx/remote.js';
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
  return load<MLContext, MLGraph>(openReader, builderOf(entry, context), context, model, options);
}

/** Reads what a model says of itself, free dimensions by their names; nothing is built. */
export function inspectOnnx(
  model: OnnxSource,
  options: Pick<OnnxOptions, 'signal'> = {},
): Promise<OnnxDescription> {
  return inspect(openReader, model, options.signal);
}

let hasWarned = false;

async function openReader(): Promise<Reader> {
  try {
    return new RemoteReader(new Worker(new URL('./onnx-worker.js', import.meta.url), { type: 'module' }));
  } catch (error) {
    // Service workers have no workers, and a policy may forbid them.
    if (!hasWarned) {
      hasWarned = true;
      console.warn(`webnn/onnx reads on this thread, there can be no worker: ${String(error)}`);
    }
    return LocalReader.open(() =>
      fetch(new URL('./wasm/onnx.wasm', import.meta.url)),
    );
  }
}
