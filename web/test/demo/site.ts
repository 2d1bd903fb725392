/** The built pages in a headless Chromium: one server and one browser per file of tests. */

import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchChromium } from '../../tools/browser.mjs';
import { serve, type Server } from '../../tools/serve.mjs';

export const PAGES = fileURLToPath(new URL('../../demo/dist', import.meta.url));
export const DIGITS = fileURLToPath(new URL('../../../models/digits', import.meta.url));

/** The models that some tests run; not part of the repository. */
export const SHARED = process.env['WEBNN_SHARED'];

const FAKE_CAMERA = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

export interface Site {
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** Takes the server away, as a lost network does. */
  stopServer(): Promise<void>;
}

export function useSite(args: string[] = FAKE_CAMERA): Site {
  const contexts: BrowserContext[] = [];
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    server = await serve({ isolated: true, roots: { '/': PAGES } });
    browser = await launchChromium({ args });
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  return {
    async open(path, options = {}) {
      const context = await browser.newContext(options);
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(`${server.url}/${path}`);
      return page;
    },
    stopServer: () => server.close(),
  };
}

/** Waits for what the page says of its engine, and checks that it says all of it. */
export async function expectEngine(page: Page): Promise<void> {
  await page.waitForFunction(() => /ms|s$/.test(document.querySelector('#engine-time')?.textContent ?? ''));
  expect(await page.textContent('#engine-name')).toMatch(/^CPU · .+/);
  expect(await page.textContent('#engine-reason')).toMatch(/\w+.*\.$/);
  expect(await page.textContent('#engine-time')).toMatch(/^[\d.]+ m?s$/);
  expect(await page.isVisible('#problem')).toBe(false);
}
