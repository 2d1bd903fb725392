/** Which builder belongs to a context: this package's, or the browser's own. */

import type * as api from '../api.js';
import type { MLContext, MLGraph } from '../types.gen.js';
import type { BuilderConstructor } from './replay.js';

type Builder = BuilderConstructor<MLContext, MLGraph>;

/** This package's own part is its entry's, which is a file of its own. */
export function builderOf(
  { contextInfo, MLGraphBuilder }: Pick<typeof api, 'contextInfo' | 'MLGraphBuilder'>,
  context: MLContext,
): Builder {
  if (contextInfo(context) !== undefined) {
    return MLGraphBuilder;
  }
  const native = (globalThis as { MLGraphBuilder?: Builder }).MLGraphBuilder;
  if (native === undefined) {
    throw new TypeError('the context is no MLContext of this package, and there is no other here');
  }
  return native;
}
