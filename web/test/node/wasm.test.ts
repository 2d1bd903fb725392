/** The WebAssembly host in Node, by the built package: workers, threads, and what becomes of them. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const folder = import.meta.dirname;
const hasModules = existsSync(join(folder, '../../dist/wasm/threads.wasm'));
const why = hasModules ? '' : ' (skipped: run `cargo xtask web` and `npm run build`)';

async function result(name: string, ...flags: string[]): Promise<unknown> {
  const { stdout } = await run(process.execPath, [...flags, join(folder, 'programs', `${name}.mjs`)], {
    env: { ...process.env, WEBNN_HOST: 'wasm' },
  });
  return JSON.parse(stdout);
}

interface Product {
  readonly details: string;
  readonly reason: string;
  readonly hashes: readonly string[];
}

describe.skipIf(!hasModules)(`the engine in WebAssembly${why}`, () => {
  it('loses the context whose worker or helper is ended, and no other', async () => {
    const expected = { message: 'its worker was terminated', after: 'InvalidStateError' };
    const { results, other } = (await result('wasm-killed')) as { results: unknown[]; other: number[] };
    for (const one of results) expect(one).toMatchObject(expected);
    expect([results.length, other]).toEqual([2, [11, 22]]);
  });

  it('ends the workers of contexts that are collected', async () => {
    expect(await result('wasm-dropped', '--expose-gc')).toEqual({ alive: 0 });
  });

  it('gives the same bits for any number of threads, and on the calling thread', async () => {
    const products = (await result('wasm-threads')) as Product[];
    const hashes = new Set(products.flatMap((product) => product.hashes));
    expect(hashes.size).toBe(1);
    const threads = products.map(({ details }) => /\d+ threads?$/.exec(details)?.[0]);
    expect(threads).toEqual(['1 thread', '2 threads', '3 threads', '1 thread']);
    expect(products[3]?.reason).toContain('on the calling thread');
    expect(products[3]?.reason).toContain('workers are forbidden');
  });
});
