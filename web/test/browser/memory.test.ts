import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { useSite, type Site } from './site.js';

const MEGABYTES = 2 ** 20;
const TIMES = 50;

// Without /proc the builds still show that memory is given back: fifty graphs do not fit in 4 GiB.
describe('fifty builds of a graph of 100 MB', () => {
  const site = useSite();

  test.each(['destroyed', 'dropped'])('give their memory back when %s', async (way) => {
    const { page } = await site.open();
    const { relativeError } = await site.call<{ relativeError: number }>(page, 'memory', 'build', TIMES, way);
    expect(relativeError).toBeLessThan(1e-3);
    if (process.platform !== 'linux') return;
    // The caller's copy, the one handed over, the packed one and the garbage between two
    // collections; fifty that stayed would be 5000.
    expect((await peakMemory(site)) / MEGABYTES).toBeLessThan(1500);
  });
});

/** The greatest resident memory that any page's process has had. */
async function peakMemory(site: Site): Promise<number> {
  const session = await site.browser().newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  return Math.max(...(await Promise.all(renderers.map(({ id }) => peakOf(id)))));
}

/** Linux keeps the peak for us. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return Number(kilobytes) * 1024;
}
