/**
 * The process around one test in Node: the globals that the harness and the tests expect of a
 * worker, the package's Node entry in front, then the scripts in this realm.
 */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { fileOf } from './wrap.mjs';

process.once('message', (job) => {
  run(job).catch((error) => {
    process.send({ done: { status: 1, message: String(error?.stack ?? error), tests: [] } });
  });
});

/** What the harness wants to hear of, as a worker's global tells it. */
const listeners = new Map();

const uncaught = (error) => listeners.get('error')?.({ error, message: String(error) });

process.on('unhandledRejection', (reason) => listeners.get('unhandledrejection')?.({ reason }));
process.on('uncaughtException', uncaught);

async function run({ root, dist, test, variant, timeout }) {
  await import(pathToFileURL(path.join(dist, 'polyfill-node.js')).href);

  beModern();
  const inCheckout = (src) => fileOf(root, test, src);
  const script = test.url.replace(/\.js$/, '.node.js');
  Object.assign(globalThis, {
    self: globalThis,
    location: new URL(`http://localhost${script}${variant}`),
    // Node shares memory between its threads wherever it runs.
    crossOriginIsolated: true,
    addEventListener: (type, listener) => listeners.set(type, listener),
    GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
    // The interfaces lie in the checkout, where a browser asks the server for them.
    fetch: async (src) => {
      const text = await readFile(inCheckout(src), 'utf8');
      return { ok: true, text: () => Promise.resolve(text) };
    },
    WPT_RUN: { timeout, send: (message) => process.send(message) },
  });

  const scripts = [
    path.join(root, 'resources/testharness.js'),
    path.join(import.meta.dirname, 'client.js'),
    ...[...test.scripts, test.url].map(inCheckout),
  ];
  const [harness, ...others] = await Promise.all(
    scripts.map(async (file) => new vm.Script(await readFile(file, 'utf8'), { filename: file })),
  );
  // Without a document or a worker's scope the harness takes this for a shell, which ends when the
  // scripts of this turn and their tests have.
  harness.runInThisContext();
  beAWorker(test);
  try {
    for (const other of others) other.runInThisContext();
  } catch (error) {
    // At once: after this turn the harness would have ended well, with the tests that came before.
    uncaught(error);
  }
}

/** Tests are written for today's browsers; Node 20 and 22 lack some of their JavaScript. */
function beModern() {
  const detached = new WeakSet();
  if (ArrayBuffer.prototype.transfer === undefined) {
    ArrayBuffer.prototype.transfer = function () {
      detached.add(this);
      return structuredClone(this, { transfer: [this] });
    };
    Object.defineProperty(ArrayBuffer.prototype, 'detached', {
      get() {
        return detached.has(this);
      },
    });
  }
  // Of half precision the tests write nothing into it but zeros.
  globalThis.Float16Array ??= class Float16Array extends Uint16Array {};
  Set.prototype.difference ??= function (other) {
    return new Set([...this].filter((item) => !other.has(item)));
  };
}

/** What tests and idlharness.js ask for by name. */
function beAWorker(test) {
  globalThis.DedicatedWorkerGlobalScope = Object.defineProperty(function () {}, Symbol.hasInstance, {
    value: (object) => object === globalThis,
  });
  globalThis.WorkerNavigator ??= globalThis.navigator.constructor;
  // A test for windows only may spell its global so.
  if (test.scopes.every((scope) => scope === 'window')) globalThis.window = globalThis;
}
