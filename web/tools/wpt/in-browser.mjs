/** Runs tests in pages of headless Chromium, a few at a time. */

import { launchChromium } from '../browser.mjs';
import { ISOLATION, serve } from '../serve.mjs';
import { DIST, RUNNER, pageUrl, wrapper } from './wrap.mjs';

/** How long a file may stay silent after its own limit, for the start and the report. */
const GRACE = 20_000;

/**
 * Runs every job and hands each result to `report`; returns the browser's version.
 *
 * A page that crashes or says nothing until the deadline costs its own file only.
 */
export async function runInBrowser({ root, files, jobs, dist, native, isolated, workers, timeoutOf, report }) {
  const server = await serve({
    roots: { '/': root, [DIST]: dist, [RUNNER]: import.meta.dirname },
    isolated,
    // A worker's script must ask for isolation wherever its page does.
    headers: (pathname) => (pathname.startsWith(DIST) ? ISOLATION : {}),
    generate: wrapper({ root, files, polyfill: !native, timeoutOf }),
  });
  const launch = () =>
    launchChromium({ args: native ? ['--enable-features=WebMachineLearningNeuralNetwork'] : [] });
  let browser = await launch();
  const version = browser.version();
  const queue = [...jobs];
  try {
    await Promise.all(
      Array.from({ length: Math.min(workers, jobs.length) }, async () => {
        for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
          // A test may take the whole browser with it; the others lose their file and go on.
          if (!browser.isConnected()) browser = await launch();
          report(await runPage(browser, server.url, job, timeoutOf(job.test)));
        }
      }),
    );
  } finally {
    await browser.close();
    await server.close();
  }
  return version;
}

async function runPage(browser, base, job, timeout) {
  const seen = [];
  let context;
  try {
    // A context of its own: no service worker, cache or channel is shared with another file.
    context = await browser.newContext();
    const page = await context.newPage();
    const done = new Promise((resolve) => {
      const fail = (message) => resolve({ status: 1, message, tests: seen });
      page.on('crash', () => fail('the page crashed'));
      browser.once('disconnected', () => fail('the browser ended'));
      page.on('pageerror', (error) => seen.length === 0 && fail(`uncaught: ${error.message}`));
      context.exposeFunction('wptReport', (message) => {
        if (message.test !== undefined) seen.push(message.test);
        if (message.done !== undefined) resolve(message.done);
      }).then(() => page.goto(base + pageUrl(job.test, job.scope, job.variant), { waitUntil: 'commit' }), (e) => fail(e.message));
      setTimeout(() => fail(silence(seen, timeout)), timeout + GRACE).unref();
    });
    return { ...job, ...(await done) };
  } catch (error) {
    return { ...job, status: 1, message: String(error), tests: seen };
  } finally {
    await context?.close().catch(() => {});
  }
}

/** What is known of a file that never came to its end. */
export function silence(seen, timeout) {
  const last = seen.at(-1);
  return `no end after ${timeout / 1000} s; ${last === undefined ? 'no test finished' : `the last test to finish was "${last.name}"`}`;
}
