/** What the three pages have in common: the engine, what it says of itself, and errors in words. */

import { contextInfo, ml, MLGraphBuilder, type MLContext } from 'webnn';

export interface Engine {
  readonly context: MLContext;
  /** Makes a builder of the context's own kind. */
  readonly builder: () => MLGraphBuilder;
}

/** An element that the page's HTML has. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof type)) {
    throw new TypeError(`the page has no ${type.name} #${id}`);
  }
  return element;
}

/** A chosen engine stays chosen while one goes from page to page: `?engine=browser`. */
function wantsBrowser(): boolean {
  return new URLSearchParams(location.search).get('engine') === 'browser';
}

/** Makes a context and says on the page what it computes with, and why. */
export async function startEngine(): Promise<Engine> {
  registerServiceWorker();
  keepEngine();
  const name = byId('engine-name', HTMLElement);
  const reason = byId('engine-reason', HTMLElement);
  if (wantsBrowser()) {
    const native = navigator as { readonly ml?: typeof ml };
    if (native.ml === undefined) {
      name.textContent = 'none';
      reason.textContent = 'the address asks for the browser’s own WebNN';
      throw new Error('This browser has no WebNN of its own. Without ?engine=browser in the address the package’s engine runs.');
    }
    const context = await native.ml.createContext();
    name.textContent = 'The browser’s own WebNN';
    reason.textContent = 'The address asks for it.';
    const Native = (globalThis as unknown as { MLGraphBuilder: typeof MLGraphBuilder }).MLGraphBuilder;
    return { context, builder: () => new Native(context) };
  }
  const context = await ml.createContext().catch((error: unknown) => {
    name.textContent = 'none';
    throw error;
  });
  const info = contextInfo(context);
  name.textContent = info === undefined ? 'webnn' : `${info.kind.toUpperCase()} · ${info.details}`;
  const native = 'ml' in navigator ? '' : 'This browser has no WebNN of its own. ';
  reason.textContent = native + sentence(info?.reason ?? '');
  void context.lost.then(({ message }) => {
    show(new Error(`The engine was lost: ${message}. Load the page again to go on.`));
  });
  return { context, builder: () => new MLGraphBuilder(context) };
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return first === '' || first.endsWith('.') ? first : `${first}.`;
}

/** Says how long the last run took. */
export function showTime(milliseconds: number): void {
  byId('engine-time', HTMLElement).textContent = inMilliseconds(milliseconds);
}

/** A time with as many digits as mean something. */
export function inMilliseconds(time: number): string {
  if (time >= 1000) {
    return `${(time / 1000).toFixed(2)} s`;
  }
  return `${time.toFixed(time >= 100 ? 0 : time >= 10 ? 1 : 2)} ms`;
}

export function inBytes(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  const power = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[power] ?? ''}`;
}

/** Shows an error in words; nothing hides what was there before. */
export function show(error: unknown): void {
  const place = byId('problem', HTMLElement);
  place.textContent = error instanceof Error ? error.message : String(error);
  place.hidden = false;
}

export function hideProblem(): void {
  byId('problem', HTMLElement).hidden = true;
}

/** Runs what a page does; what fails is told on the page. */
export function guarded(work: () => Promise<void>): void {
  work().catch((error: unknown) => {
    show(error);
    console.error(error);
  });
}

function keepEngine(): void {
  if (wantsBrowser()) {
    for (const link of document.querySelectorAll<HTMLAnchorElement>('a[href^="./"]')) {
      link.search = '?engine=browser';
    }
  }
}

/** Everything works without a network after the first visit; in development nothing is kept. */
function registerServiceWorker(): void {
  if (import.meta.env.PROD && 'serviceWorker' in navigator) {
    // The page's own files come first, the copies for later after them.
    addEventListener('load', () => {
      navigator.serviceWorker.register('./sw.js').catch((error: unknown) => {
        console.warn('without a service worker these pages need the network', error);
      });
    });
  }
}
