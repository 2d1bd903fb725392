/**
 * The documents around a test: what the WPT server makes of `x.any.js`, and the polyfill in front.
 *
 * Deferred scripts run in document order, modules and classic ones alike, so the polyfill stands
 * before testharness.js and `load`, which the harness waits for, fires after all of them. A worker
 * talks to its page through a BroadcastChannel, which every kind of worker has.
 */

import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** Addresses of the runner's own files; no checkout has them. */
export const DIST = '/.webnn/dist/';
export const RUNNER = '/.webnn/runner/';
export const CLIENT = `${RUNNER}client.js`;

const CHANNEL = 'wpt';

/** Where the WPT server finds what tests ask for under another name. */
export const REWRITES = new Map([['/resources/WebIDLParser.js', '/resources/webidl2/lib/webidl2.js']]);

/** The address of the page that runs a test in a scope. */
export function pageUrl(test, scope, variant) {
  return `${test.url.replace(/\.js$/, '')}.${scope}.html${variant}`;
}

/** Answers for the generated addresses; undefined where an address is none of them. */
export function wrapper({ root, files, polyfill, timeoutOf }) {
  const byStem = new Map(files.map((test) => [test.url.replace(/\.js$/, ''), test]));
  return async (url) => {
    const rewritten = REWRITES.get(url.pathname);
    if (rewritten !== undefined) return { body: await readFile(path.join(root, rewritten)) };
    const [, stem, scope, kind] = /^(.*)\.(window|\w+worker)\.(html|js)$/.exec(url.pathname) ?? [];
    const test = byStem.get(stem);
    if (test === undefined) return undefined;
    const run = { timeout: timeoutOf(test), name: url.pathname.replace(/\.\w+$/, '') + url.search };
    return {
      headers: test.headers,
      body:
        kind === 'js'
          ? await workerScript(root, test, scope, polyfill, run)
          : scope === 'window'
            ? windowPage(test, polyfill, run)
            : workerPage(test, scope, url),
    };
  };
}

/** The file of a script that a test names. */
export function fileOf(root, test, src) {
  const { pathname } = new URL(src, `http://x${test.url}`);
  return path.join(root, REWRITES.get(pathname) ?? pathname);
}

function globals(isWindow) {
  return (
    `self.GLOBAL = { isWindow: () => ${isWindow}, isWorker: () => ${!isWindow}, isShadowRealm: () => false };\n`
  );
}

function windowPage(test, polyfill, run) {
  const scripts = ['/resources/testharness.js', CLIENT, ...test.scripts, test.url];
  return page(
    test.title,
    `<script>
${globals(true)}self.WPT_RUN = { timeout: ${run.timeout}, send: (message) => self.wptReport(message) };
</script>
${polyfill ? `<script type="module">import '${DIST}polyfill.js';</script>\n` : ''}` +
      scripts.map((src) => `<script defer src="${src}"></script>`).join('\n'),
  );
}

function workerPage(test, scope, url) {
  const script = url.pathname.replace(/\.html$/, '.js') + url.search;
  const start = {
    dedicatedworker: `const worker = new Worker(script);
worker.onerror = (event) => failed(event.message ?? 'the script could not be loaded');`,
    sharedworker: `const worker = new SharedWorker(script);
worker.onerror = (event) => failed(event.message ?? 'the script could not be loaded');`,
    // An idle service worker is put to sleep; a test that computes for long looks idle.
    serviceworker: `navigator.serviceWorker
  .register(script, { type: 'module', scope: location.pathname + '/' })
  .then(({ installing }) => setInterval(() => installing.postMessage({}), 2000))
  .catch((error) => failed(String(error)));`,
  }[scope];
  return page(
    test.title,
    `<script>
const script = ${JSON.stringify(script)};
const failed = (message) => self.wptReport({ done: { status: 1, message, tests: [] } });
new BroadcastChannel('${CHANNEL}').onmessage = ({ data: { name, message } }) => {
  if (name === script) self.wptReport(message);
};
${start}
</script>`,
  );
}

const page = (title, content) =>
  `<!doctype html>\n<meta charset="utf-8">\n<title>${title.replace(/[<&]/g, ' ')}</title>\n${content}\n`;

async function workerScript(root, test, scope, polyfill, run) {
  const head = `${globals(false)}const wptChannel = new BroadcastChannel('${CHANNEL}');
self.WPT_RUN = {
  timeout: ${run.timeout},
  send: (message) => wptChannel.postMessage({ name: location.pathname + location.search, message }),
};
`;
  // Only modules may import in a service worker, none of them with an `await` at its top; and a
  // module cannot import scripts, so their text, in one piece because they share declarations, is
  // evaluated as a script is: its functions are global, and it may be sloppy.
  if (scope === 'serviceworker') {
    const texts = await Promise.all(
      [...test.scripts, test.url].map((src) => readFile(fileOf(root, test, src), 'utf8')),
    );
    const client = await readFile(new URL('client.js', import.meta.url), 'utf8');
    const imports = polyfill ? `import { install } from '${DIST}index.js';\ninstall();\n` : '';
    return `${imports}import '/resources/testharness.js';\n${head}${client}
(0, eval)(${JSON.stringify(texts.join('\n;\n'))});\ndone();\n`;
  }
  const scripts = ['/resources/testharness.js', CLIENT, ...test.scripts, test.url];
  const body = `${scripts.map((src) => `importScripts('${src}');`).join('\n')}\ndone();`;
  return polyfill
    ? `${head}import('${DIST}polyfill.js').then(() => {\n${body}\n}).catch((error) => {
  self.WPT_RUN.send({ done: { status: 1, message: String(error), tests: [] } });
});\n`
    : `${head}${body}\n`;
}
