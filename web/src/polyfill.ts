/**
 * Installs `navigator.ml` and the interface objects when it is imported, unless the browser has
 * its own and that can make a context.
 */

import { install } from './index.js';

export type {} from './globals.gen.js';
export * from './index.js';

await install();
