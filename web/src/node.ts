/**
 * The package's entry for Node, Deno and Bun. Importing it touches no global and loads nothing; the
 * engine comes with the first context.
 */

import { makeEntry } from './entry.js';
import type { Host } from './host.js';
import { nodeHost } from './node-host.js';
import { wasmHost } from './wasm/host.js';

export * from './api.js';

let host: Host | undefined;

const entry = /* @__PURE__ */ makeEntry(() => (host ??= nodeHost(wasmHost)));

export const { ml, install } = entry;
