/** Installs what the tests of this folder take beside the package, where that is missing or out of date. */

import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const PROJECTS = ['test/clients', 'examples/vite', 'examples/webpack', 'examples/next'];

export default async function setup(): Promise<void> {
  for (const project of PROJECTS) {
    const folder = fileURLToPath(new URL(`../../${project}/`, import.meta.url));
    if (await isInstalled(folder)) continue;
    console.log(`npm ci in ${project}`);
    try {
      // No package needs its scripts here, and one of them would download more.
      await promisify(execFile)('npm', ['ci', '--ignore-scripts'], { cwd: folder });
    } catch (error) {
      // The tests say then what they lack.
      console.warn(`${project}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function isInstalled(folder: string): Promise<boolean> {
  const installed = await stat(`${folder}node_modules/.package-lock.json`).catch(() => undefined);
  return installed !== undefined && installed.mtimeMs >= (await stat(`${folder}package-lock.json`)).mtimeMs;
}
