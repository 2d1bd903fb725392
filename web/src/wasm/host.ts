/** The host of browsers: checks on the calling thread, the engine in a worker per context. */

import { Context, initSync } from '../../wasm/webnn.js';
import type { Host, HostContextOptions } from '../host.js';
import { inTask } from '../tasks.js';
import { startEngine } from './connect.js';
import { WasmContext } from './context.js';
import { hostError, messageOf } from './failure.js';
import { Link } from './link.js';
import { browser, type Platform } from './platform.js';
import { FRONT_PAGES, withMemory } from './server.js';
import { chooseVariant } from './variants.js';

/** The most threads that an engine can use. */
const MAX_THREADS = 64;

export function wasmHost(platform: Platform = browser): Host {
  return {
    name: 'wasm',
    createContext: (options) => createContext(platform, options),
  };
}

async function createContext(platform: Platform, options: HostContextOptions): Promise<WasmContext> {
  const threads = platform.canShareMemory ? (options.threads ?? platform.cores) : 1;
  const started = await startEngine({
    platform,
    options,
    threads: Math.max(1, Math.min(threads, MAX_THREADS)),
    module: load(platform),
    prepare,
  });
  const { connection, details, reason } = started;
  const front = new Context(details, reason, options.accelerated);
  const link = new Link(front, connection);
  started.listen((answer) => {
    link.receive(answer);
  });
  return new WasmContext(link, { kind: front.kind(), details, reason }, options.accelerated);
}

let loaded: Promise<WebAssembly.Module> | undefined;

/** Compiles the module, once; again after a failure. */
function load(platform: Platform): Promise<WebAssembly.Module> {
  loaded ??= compile(platform).catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function compile(platform: Platform): Promise<WebAssembly.Module> {
  return platform.compile(chooseVariant(platform.canShareMemory));
}

let isPrepared = false;

/**
 * Makes the calling thread's instance, once. In a task of its own, as the one that ends a module's
 * compilation is long already, and lets no message through to the engine's worker.
 */
async function prepare(module: WebAssembly.Module): Promise<void> {
  await inTask(Promise.resolve());
  if (isPrepared) return;
  try {
    initSync(withMemory(module, FRONT_PAGES));
  } catch (error) {
    throw hostError('UnknownError', `createContext: the engine cannot start: ${messageOf(error)}`);
  }
  isPrepared = true;
}
