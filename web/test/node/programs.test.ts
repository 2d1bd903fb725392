/** Whole programs over the built package: what a process does, beside computing. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, expect, it } from 'vitest';

const run = promisify(execFile);
const programs = join(import.meta.dirname, 'programs');
const dist = join(import.meta.dirname, '../../dist');

beforeAll(() => {
  const entry = join(dist, 'node.js');
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run \`npm run build\``);
});

/** Runs a program to its end, which must be a success, and reads the JSON that it prints. */
async function result(name: string, { flags = [], env = {} }: Options = {}): Promise<unknown> {
  const { stdout } = await run(process.execPath, [...flags, join(programs, `${name}.mjs`)], {
    env: { ...process.env, ...env },
  });
  return JSON.parse(stdout);
}

interface Options {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

it('loads nothing when it is imported', async () => {
  expect(await result('import')).toEqual({ before: 0, after: 1 });
});

it('ends when the program does, though contexts live', async () => {
  expect(await result('end')).toEqual({ lost: 'destroy() was called' });
});

it('installs navigator.ml and the interface objects', async () => {
  expect(await result('polyfill')).toEqual({ sum: [4, 6], same: true, kinds: ['function', 'function'] });
});

it('gives the memory of dropped graphs and tensors back', async () => {
  const { growth } = (await result('memory', { flags: ['--expose-gc'] })) as { growth: number };
  expect(growth).toBeLessThan(100e6);
});

it('has the collector run before dropped graphs fill the memory', async () => {
  const { growth } = (await result('memory')) as { growth: number };
  expect(growth).toBeLessThan(1e9);
});

it('computes in several threads at once, and outlives one that is ended in mid-run', async () => {
  expect(await result('threads')).toEqual({ sums: [3, 4, 5, 6], ended: 1, after: 7 });
});

it('says what it cannot do where one engine is asked for', async () => {
  expect(await result('refusal', { env: { WEBNN_HOST: 'gpu' } })).toEqual({
    name: 'NotSupportedError',
    message: 'createContext: WEBNN_HOST is "gpu", expected "native" or "wasm"',
  });
});

const noModules = existsSync(join(dist, 'wasm')) ? '' : ' (skipped: run `cargo xtask web`)';

it.skipIf(noModules !== '')(`computes in WebAssembly where that is asked for${noModules}`, async () => {
  expect(await result('sum', { env: { WEBNN_HOST: 'wasm' } })).toMatchObject({
    sum: [11, 22],
    reason: expect.stringContaining('WEBNN_HOST asked for WebAssembly') as string,
  });
});

it('computes natively where an addon fits', async () => {
  expect(await result('sum')).toMatchObject({
    sum: [11, 22],
    details: expect.stringContaining('native') as string,
  });
});
