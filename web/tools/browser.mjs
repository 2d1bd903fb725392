/** Finds and starts the Chromium that the browser tests drive. */

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

const HOW_TO_GET_ONE =
  'no Chromium was found: set CHROMIUM to its path, or install one with ' +
  '`apt-get install chromium` or `npx playwright-core install chromium`';

/** The path of an installed Chromium; fails with a sentence that says how to get one. */
export async function findChromium() {
  const asked = process.env.CHROMIUM;
  if (asked) {
    if (await isExecutable(asked)) return asked;
    throw new Error(`CHROMIUM is ${asked}, which is no executable file`);
  }
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const candidates = [
    '/usr/bin/chromium',
    ...folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    chromium.executablePath(),
  ];
  for (const candidate of candidates) {
    if (await isExecutable(candidate)) return candidate;
  }
  throw new Error(HOW_TO_GET_ONE);
}

async function isExecutable(file) {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/**
 * Starts Chromium, headless, quiet on the network, and with `gc()` for the pages.
 *
 * @see browser.d.mts for the options
 */
export async function launchChromium({ executable, args = [], ...options } = {}) {
  return chromium.launch({
    executablePath: executable ?? (await findChromium()),
    args: [
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-quic',
      '--disable-sync',
      '--js-flags=--expose-gc',
      ...args,
    ],
    ...options,
  });
}
