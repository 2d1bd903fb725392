import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { findChromium } from '../../tools/browser.mjs';

const web = fileURLToPath(new URL('../..', import.meta.url));

/** Builds the pages from the package as it is, and says once what is missing. */
export default async function setup(): Promise<void> {
  if (!existsSync(`${web}/dist/onnx.js`)) {
    throw new Error('dist/ is missing: run `npm run build` first');
  }
  await findChromium();
  // As people get them: a test's environment would leave the service worker out.
  const env = { ...process.env, NODE_ENV: 'production' };
  const vite = `${web}/node_modules/vite/bin/vite.js`;
  execFileSync(process.execPath, [vite, 'build', 'demo', '--logLevel', 'error'], { cwd: web, env, stdio: 'inherit' });
}
