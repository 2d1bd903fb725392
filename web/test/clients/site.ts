/** The browser that the clients run in: a server, Chromium, and a way to call code in a page or a worker. */

import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../tools/browser.mjs';
import type { Call } from './page/call.js';
import { mimeType, serve, type Server } from '../../tools/serve.mjs';

/** Where page code runs. */
export interface Place {
  /** Cross-origin isolated, so that there are shared memory and threads. */
  readonly isolated: boolean;
  /** In a dedicated worker of the page. */
  readonly worker: boolean;
}

export const PAGE: Place = { isolated: true, worker: false };

const here = new URL('.', import.meta.url);

/** Bare names in the clients' own modules, as a bundler or a CDN would resolve them. */
const imports = {
  'webnn/polyfill': '/dist/polyfill.js',
  '@litertjs/core': '/packages/@litertjs/core/dist/index.js',
  '@litertjs/wasm-utils': '/packages/@litertjs/wasm-utils/dist/index.js',
  '@huggingface/transformers': '/packages/@huggingface/transformers/dist/transformers.web.js',
  'onnxruntime-common': '/packages/onnxruntime-common/dist/esm/index.js',
  'onnxruntime-web/webgpu':
    '/packages/@huggingface/transformers/node_modules/onnxruntime-web/dist/ort.webgpu.bundle.min.mjs',
};

const BLANK = `<!doctype html><meta charset="utf-8"><title>clients</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="/page/call.js"></script>`;

/** One Chromium and two servers, one of them cross-origin isolated. */
export class Site {
  readonly #browser: Browser;
  readonly #servers: Readonly<Record<'isolated' | 'plain', Server>>;
  readonly #files: Map<string, Uint8Array>;
  readonly #pages = new Map<Server, Promise<Page>>();

  private constructor(browser: Browser, servers: Record<'isolated' | 'plain', Server>, files: Map<string, Uint8Array>) {
    this.#browser = browser;
    this.#servers = servers;
    this.#files = files;
  }

  /** `models` is a folder to be found at `/models/`. */
  static async open(models?: string): Promise<Site> {
    const files = new Map<string, Uint8Array>();
    const roots = {
      '/dist/': new URL('../../dist/', here),
      '/packages/': new URL('node_modules/', here),
      ...(models === undefined ? {} : { '/models/': models }),
    };
    const generate = async (url: URL) => {
      if (url.pathname === '/') return { body: BLANK, type: 'text/html; charset=utf-8' };
      const script = /^\/page\/(\w+)\.js$/.exec(url.pathname)?.[1];
      if (script !== undefined) return { body: await bundle(script) };
      const file = files.get(url.pathname);
      return file === undefined ? undefined : { body: file, type: mimeType(url.pathname) };
    };
    const servers = {
      isolated: await serve({ roots, generate, isolated: true }),
      plain: await serve({ roots, generate }),
    };
    return new Site(await launchChromium(), servers, files);
  }

  /** Puts bytes on the server, and says where. */
  put(path: string, bytes: Uint8Array): string {
    this.#files.set(path, bytes);
    return path;
  }

  /** Calls the default function of `page/SCRIPT.ts` in a place, with what can be cloned. */
  async run<Result>(script: string, request: unknown, place: Place = PAGE): Promise<Result> {
    const page = await this.#page(place.isolated ? this.#servers.isolated : this.#servers.plain);
    return page.evaluate(
      ({ name, call }) => (globalThis as unknown as Record<string, (call: Call) => Promise<Result>>)[name]?.(call),
      { name: place.worker ? 'callInWorker' : 'call', call: { module: `/page/${script}.js`, request } },
    ) as Promise<Result>;
  }

  /** Starts afresh: what the pages so far had loaded and kept is gone. */
  async reset(): Promise<void> {
    const pages = [...this.#pages.values()];
    this.#pages.clear();
    for (const page of pages) await (await page).close();
  }

  async close(): Promise<void> {
    await this.#browser.close();
    for (const server of Object.values(this.#servers)) await server.close();
  }

  #page(server: Server): Promise<Page> {
    let page = this.#pages.get(server);
    if (page === undefined) {
      page = this.#open(server);
      this.#pages.set(server, page);
    }
    return page;
  }

  async #open(server: Server): Promise<Page> {
    const page = await this.#browser.newPage();
    await page.goto(`${server.url}/`);
    return page;
  }
}

/** A page script as one module; the clients stay what they are, loaded at run time by address. */
async function bundle(script: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL(`page/${script}.ts`, here).pathname],
    bundle: true,
    external: ['/dist/*', '/packages/*', ...Object.keys(imports)],
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error(`page/${script}.ts came out as nothing`);
  return file.text;
}
