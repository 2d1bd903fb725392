/** The package's entry for Node. */

import { makeEntry } from './entry.js';
import { wasmHost } from './wasm/host.js';

export * from './api.js';

const entry = /* @__PURE__ */ makeEntry(wasmHost);

export const { ml, install } = entry;
