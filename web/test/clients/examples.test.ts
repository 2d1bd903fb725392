/** The projects in `examples`, built as a user builds them and opened in a browser. */

import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { createServer } from 'vite';
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

  async function expectSiteWorks(site: string): Promise<void> {
    for (const isolated of isolation) {
      const server = await serve({ roots: { '/': site }, isolated });
      try {
        await expectPageWorks(server.url);
      } finally {
        await server.close();
      }
    }
  }

  async function expectPageWorks(origin: string): Promise<void> {
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
      await page.goto(`${origin}/`);
      await page.locator('#device', { hasText: /./ }).waitFor({ timeout: 60_000 });
      expect(await page.locator('#result').textContent()).toBe('0 1 1 0');
      expect(problems).toEqual([]);
      // The engine's own worker, and the module that it runs: the browser may tell of them after the page has its result.
      await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBeGreaterThan(0);
      await expect.poll(() => requests.filter((url) => /\.wasm$/.test(url)), { timeout: 10_000 }).not.toEqual([]);
      expect(requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== origin)).toEqual([]);
    } finally {
      await context.close();
    }
  }

  describe.each(bundled)('$name', ({ name, site }) => {
    const folder = path.join(web, 'examples', name);
    const missing = unless(!isThere(`../../examples/${name}/node_modules`) && `bundler: run \`npm ci\` in examples/${name}`);

    test.skipIf(missing.skip)(`builds for production and runs${missing.why}`, async () => {
      await unpackTo(path.join(folder, 'node_modules/webnn'));
      await run('npm', ['run', 'build'], { cwd: folder, env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } });
      await expectSiteWorks(path.join(folder, site));
    });
  });

  test('the development server of Vite serves the package as it serves other packages', async () => {
    const root = path.join(scratch, 'vite');
    await cp(path.join(web, 'examples/vite'), root, {
      recursive: true,
      filter: (source) => !/node_modules|dist$/.test(path.relative(web, source)),
    });
    await unpackTo(path.join(root, 'node_modules/webnn'));
    const server = await createServer({ root, configFile: false, logLevel: 'error', server: { host: '127.0.0.1' } });
    try {
      await server.listen();
      await expectPageWorks(new URL(server.resolvedUrls?.local[0] ?? '').origin);
    } finally {
      await server.close();
    }
  });

  test('a page without a bundler runs', async () => {
    const site = path.join(scratch, 'script');
    await cp(path.join(web, 'examples/script'), site, { recursive: true });
    const folder = path.join(scratch, 'package');
    await unpackTo(folder);
    await cp(path.join(folder, 'dist'), path.join(site, 'webnn'), { recursive: true });
    await expectSiteWorks(site);
  });
});
