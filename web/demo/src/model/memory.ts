/** How much memory the page takes, its workers included, where a browser tells. */

import { inBytes } from '../engine.js';

/**
 * The browser asks every worker, and the engine's helpers answer only between two runs; it may
 * wait for one that never does.
 */
const PATIENCE = 20_000;

interface Measuring {
  measureUserAgentSpecificMemory?(): Promise<{ readonly bytes: number }>;
}

/** In words; it can take the browser some seconds to count. */
export async function memoryInWords(): Promise<string> {
  const measuring = performance as Measuring;
  if (!crossOriginIsolated) {
    return 'only told to isolated pages';
  }
  if (measuring.measureUserAgentSpecificMemory === undefined) {
    return 'not told by this browser';
  }
  const told = measuring.measureUserAgentSpecificMemory().then(({ bytes }) => inBytes(bytes));
  const late = new Promise<string>((resolve) => {
    setTimeout(() => {
      resolve('not told in time');
    }, PATIENCE);
  });
  return Promise.race([told, late]);
}
