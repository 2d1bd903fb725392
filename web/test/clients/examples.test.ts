/** The projects in `examples`, built as a user builds them and opened in a browser. */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../tools/browser.mjs';
import { serve } from '../../tools/serve.mjs';
import { isThere, NO_DIST, unless } from './installed.js';

const run = promisify(execFile);
const web = fileURLToPath(new URL('../../', import.meta.url));

/** A bundler's project, and where it puts the site. */
interface Example {
  readonly name: string;
  readonly site: string;
}

const bundled: readonly Example[] = [
  { name: 'vite', site: 'dist' },
  { name: 'webpack', site: '.' },
  { name: 'next', site: 'out' },
];

/** Whether pages may share memory with workers. */
const isolation = [true, false];

describe.skipIf(unless(NO_DIST).skip)(`examples${unless(NO_DIST).why}`, () => {
  let scratch: string;
  let packed: string;
  let browser: Browser;

  beforeAll(async () => {
    scratch = await mkdtemp(path.join(tmpdir(), 'webnn-examples-'));
    // What is published, and nothing that merely lies around it.
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', scratch], { cwd: web });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    packed = path.join(scratch, filename);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await rm(scratch, { recursive: true });
  });

  async function unpackTo(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await run('tar', ['-xzf', packed, '-C', folder, '--strip-components=1']);
  }

  async function expectItWorks(site: string, isolated: boolean): Promise<void> {
    const server = await serve({ roots: { '/': site }, isolated });
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const requests: string[] = [];
      const problems: string[] = [];
      context.on('request', (request) => requests.push(request.url()));
      context.on('requestfailed', (request) => problems.push(`${request.url()}: ${request.failure()?.errorText ?? ''}`));
      context.on('response', (response) => {
        if (response.status() >= 400) problems.push(`${response.url()}: ${response.status()}`);
      });
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) problems.push(message.text());
      });
      await page.goto(`${server.url}/`);
      await page.locator('#device', { hasText: /./ }).waitFor({ timeout: 60_000 });
      expect(await page.locator('#result').textContent()).toBe('0 1 1 0');
      expect(problems).toEqual([]);
      // The engine's own worker, and the module that it runs.
      expect(page.workers().length).toBeGreaterThan(0);
      expect(requests.filter((url) => /\.wasm$/.test(url))).not.toEqual([]);
      expect(requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== server.url)).toEqual([]);
    } finally {
      await context.close();
      await server.close();
    }
  }

  describe.each(bundled)('$name', ({ name, site }) => {
    const folder = path.join(web, 'examples', name);
    const missing = unless(!isThere(`../../examples/${name}/node_modules`) && `bundler: run \`npm ci\` in examples/${name}`);

    test.skipIf(missing.skip)(`builds for production and runs${missing.why}`, async () => {
      await unpackTo(path.join(folder, 'node_modules/webnn'));
      await run('npm', ['run', 'build'], { cwd: folder, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } });
      for (const isolated of isolation) await expectItWorks(path.join(folder, site), isolated);
    });
  });

  test('a page without a bundler runs', async () => {
    const site = path.join(scratch, 'script');
    await cp(path.join(web, 'examples/script'), site, { recursive: true });
    const folder = path.join(scratch, 'package');
    await unpackTo(folder);
    await cp(path.join(folder, 'dist'), path.join(site, 'webnn'), { recursive: true });
    for (const isolated of isolation) await expectItWorks(site, isolated);
  });
});
