/**
 * The W3C Web Neural Network API with an engine of its own. Importing this touches no global and
 * loads nothing; the engine comes with the first context.
 */

import { makeEntry } from './entry.js';
import { wasmHost } from './wasm/host.js';

export * from './api.js';
export { textBuilder } from './context.js';
export { withFirstContext } from './ml.js';

const entry = /* @__PURE__ */ makeEntry(wasmHost);

export const { ml, install } = entry;
