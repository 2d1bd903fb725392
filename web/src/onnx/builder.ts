/** Which builder belongs to a context: this package's, or the browser's own. */

import type * as api from '../index.js';
import type { MLContext, MLGraph } from '../types.gen.js';
import type { Maker } from './load.js';

type Makes = Maker<MLContext, MLGraph>;

/** This package's own part is its entry's, which is a file of its own. */
export function makerOf(
  { contextInfo, MLGraphBuilder, textBuilder }: Pick<typeof api, 'contextInfo' | 'MLGraphBuilder' | 'textBuilder'>,
  context: MLContext,
): Makes {
  if (contextInfo(context) !== undefined) {
    return { Builder: MLGraphBuilder, buildText: textBuilder(context) };
  }
  const native = (globalThis as { MLGraphBuilder?: Makes['Builder'] }).MLGraphBuilder;
  if (native === undefined) {
    throw new TypeError('the context is no MLContext of this package, and there is no other here');
  }
  return { Builder: native, buildText: undefined };
}
