/** What the tests of this folder need and a clone does not have by itself. */

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { modelFolder } from './models.js';

export const isThere = (path: string) => existsSync(fileURLToPath(new URL(path, import.meta.url)));

export const hasPackages = isThere('node_modules/onnxruntime-web/package.json');
export const hasDist = isThere('../../dist/polyfill.js');

/** Says in a suite's name what keeps it from running. */
export function unless(...lacking: readonly (string | false)[]): { readonly skip: boolean; readonly why: string } {
  const names = lacking.filter((name) => name !== false);
  return { skip: names.length > 0, why: names.length > 0 ? ` (skipped: no ${names.join(', no ')})` : '' };
}

export const NO_DIST = !hasDist && 'web/dist, which `npm run build` makes';
export const NO_PACKAGES = !hasPackages && 'clients, which `npm ci` in web/test/clients installs';
export const NO_MODELS = modelFolder === undefined && 'models in WEBNN_SHARED';
