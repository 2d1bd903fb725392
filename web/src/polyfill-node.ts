/** Installs `navigator.ml` and the interface objects on the global object of Node, Deno or Bun. */

import { install } from './node.js';

export type {} from './globals.gen.js';
export * from './node.js';

void install();
