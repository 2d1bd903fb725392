import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { DIST } from './site.js';

const run = promisify(execFile);

/** A server-side renderer has bundled the browser's entries and imports them where no browser is. */
async function importInNode(script: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: DIST });
  return JSON.parse(stdout) as unknown;
}

test.each(['index.js', 'onnx.js'])('%s can be imported by a server-side renderer, and touches no global', async (entry) => {
  const added = await importInNode(`
    const before = new Set(Reflect.ownKeys(globalThis));
    await import('./${entry}');
    console.log(JSON.stringify(Reflect.ownKeys(globalThis).filter((key) => !before.has(key)).map(String)));
  `);
  expect(added).toEqual([]);
});

test('polyfill.js can be imported by a server-side renderer', async () => {
  expect(await importInNode(`await import('./polyfill.js'); console.log('true');`)).toBe(true);
});
