import { existsSync } from 'node:fs';
import { findChromium } from '../../tools/browser.mjs';
import { DIST } from './site.js';

/** Says once what is missing, instead of once per test. */
export default async function setup(): Promise<void> {
  if (!existsSync(`${DIST}/polyfill.js`)) throw new Error('dist/ is missing: run `npm run build` first');
  await findChromium();
}
