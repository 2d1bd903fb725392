/** How much memory the page takes, its workers included, where a browser tells. */

import { inBytes } from '../engine.js';

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
  const { bytes } = await measuring.measureUserAgentSpecificMemory();
  return inBytes(bytes);
}
