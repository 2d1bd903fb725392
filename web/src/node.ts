/**
 * The package's entry for Node, Deno and Bun. Importing it touches no global and loads nothing; the
 * engine comes with the first context.
 */

import { makeEntry } from './entry.js';
import type { Host } from './host.js';
import { nodeHost } from './node-host.js';

export * from './api.js';
export { textBuilder } from './context.js';

/** Read only where no addon fits. */
const webAssembly: Host = {
  name: 'wasm',
  createContext: async (options) => {
    const [{ wasmHost }, { node }] = await Promise.all([
      import('./wasm/host.js'),
      import('./wasm/platform-node.js'),
    ]);
    return wasmHost(node).createContext(options);
  },
};

let host: Host | undefined;

const entry = /* @__PURE__ */ makeEntry(() => (host ??= nodeHost(webAssembly)));

export const { ml, install } = entry;
