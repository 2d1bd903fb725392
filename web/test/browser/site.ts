/** Pages for the tests: one browser per file, one server per set of headers. */

import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { launchChromium } from '../../tools/browser.mjs';
import { serve, ISOLATION, type Server } from '../../tools/serve.mjs';

export const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
const PAGES = fileURLToPath(new URL('pages', import.meta.url));

const DIGITS = fileURLToPath(new URL('../../../models/digits', import.meta.url));

/** The models that some tests run; not part of the repository. */
export const SHARED = process.env['WEBNN_SHARED'];

export interface PageOptions {
  /** Whether the page has SharedArrayBuffer. */
  readonly isolated?: boolean;
  /** The content security policy of the page (not of what it loads). */
  readonly csp?: string;
  /** Script that runs in the page before any other. */
  readonly before?: () => void;
}

export interface Visit {
  readonly page: Page;
  /** What the page wrote to its console as a warning or an error. */
  readonly warnings: string[];
}

export interface Site {
  /** An empty page at `/`, with the package at `/dist/` and the tests' own modules at `/pages/`. */
  open(options?: PageOptions): Promise<Visit>;
  /** Calls an export of one of the tests' own modules in the page. */
  call<T>(page: Page, module: string, name: string, ...args: unknown[]): Promise<T>;
  browser(): Browser;
}

/** Starts what a file's tests share, and takes it down with them. */
export function useSite(args: string[] = []): Site {
  const servers = new Map<string, Server>();
  const contexts: BrowserContext[] = [];
  let browser: Browser | undefined;

  beforeAll(async () => {
    browser = await launchChromium({ args });
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await Promise.all([...servers.values()].map((server) => server.close()));
  });

  async function serverFor(isolated: boolean, csp: string | undefined): Promise<Server> {
    const key = JSON.stringify([isolated, csp]);
    let server = servers.get(key);
    if (server === undefined) {
      server = await serve({
        isolated,
        roots: {
          '/dist/': DIST,
          '/pages/': PAGES,
          '/digits/': DIGITS,
          ...(SHARED === undefined ? {} : { '/models/': `${SHARED}/models` }),
        },
        headers: (path): Record<string, string> => ({
          // A worker's script must ask for isolation where its page does, and may elsewhere.
          ...(path.startsWith('/dist/') ? ISOLATION : {}),
          ...(path === '/' && csp !== undefined ? { 'Content-Security-Policy': csp } : {}),
        }),
        generate: (url) =>
          url.pathname === '/'
            ? { type: 'text/html', body: '<!doctype html><meta charset="utf-8"><title>webnn</title>' }
            : undefined,
      });
      servers.set(key, server);
    }
    return server;
  }

  return {
    browser() {
      if (browser === undefined) throw new Error('the browser runs while tests do');
      return browser;
    },
    async open({ isolated = false, csp, before } = {}) {
      const server = await serverFor(isolated, csp);
      const context = await this.browser().newContext();
      contexts.push(context);
      const page = await context.newPage();
      const warnings: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'warning' || message.type() === 'error') warnings.push(message.text());
      });
      if (before !== undefined) await page.addInitScript(before);
      await page.goto(`${server.url}/`);
      return { page, warnings };
    },
    call<T>(page: Page, module: string, name: string, ...args: unknown[]) {
      return page.evaluate<T>(importing(`/pages/${module}.js`, name, args));
    },
  };
}

/** As text: what is compiled for the tests has no `import()` of a page. */
function importing(url: string, name: string, args: unknown[]): string {
  const [from, of] = [url, name].map((text) => JSON.stringify(text));
  return `import(${from}).then((module) => module[${of}](...${JSON.stringify(args)}))`;
}
