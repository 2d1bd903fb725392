/** The host of browsers. */

import type { Host } from '../host.js';

export function wasmHost(): Host {
  return {
    name: 'wasm',
    createContext: () =>
      Promise.reject(
        Object.assign(new Error('createContext: the engine is not built'), {
          code: 'NotSupportedError',
        }),
      ),
  };
}
