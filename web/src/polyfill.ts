/**
 * Installs `navigator.ml` and the interface objects when it is imported. A browser's own API stays
 * if it can make a context; until that is known, `navigator.ml.createContext()` waits.
 */

import { install } from './index.js';

export type {} from './globals.gen.js';
export * from './index.js';

void install();
