/** What every page script needs. */

const POLYFILL: string = '/dist/polyfill.js';

export async function installPolyfill(): Promise<void> {
  await import(POLYFILL);
}

/** Fetches what the test has put on the server. */
export async function load(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** Counts the calls of `MLContext.dispatch`: the proof that a client computed with WebNN. */
export function countDispatches(): { readonly count: number; restore(): void } {
  const original = Object.getOwnPropertyDescriptor(MLContext.prototype, 'dispatch') as {
    readonly value: MLContext['dispatch'];
  };
  let count = 0;
  function dispatch(this: MLContext, ...args: Parameters<MLContext['dispatch']>): void {
    count += 1;
    original.value.apply(this, args);
  }
  Object.defineProperty(MLContext.prototype, 'dispatch', { ...original, value: dispatch });
  return {
    get count() {
      return count;
    },
    restore() {
      Object.defineProperty(MLContext.prototype, 'dispatch', original);
    },
  };
}
