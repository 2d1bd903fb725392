/** What the host needs of a browser, and what Node gives in its own way (`platform-node.ts`). */

import { compileModule, type Variant } from './variants.js';

export interface Platform {
  /** How many threads may compute at once. */
  readonly cores: number;
  /** Whether workers can share memory. */
  readonly canShareMemory: boolean;
  compile(variant: Variant): Promise<WebAssembly.Module>;
  /** Throws where there can be no worker. */
  startWorker(events: WorkerEvents): RunningWorker;
}

export interface WorkerEvents {
  readonly message: (data: unknown) => void;
  /** The worker has failed, or could not even start. */
  readonly failed: (reason: string) => void;
}

export interface RunningWorker {
  post(message: unknown, transfer?: ArrayBuffer[]): void;
  /** Ends it at once. No event comes from it any more. */
  terminate(): void;
  /** Reports `failed` when the worker that holds this lock is gone, however that came about. */
  watch(lock: string): void;
  /** Tells whether somebody waits for an answer: Node goes on as long as somebody does. */
  hold?(isAwaited: boolean): void;
}

export const browser: Platform = {
  get cores() {
    return navigator.hardwareConcurrency;
  },
  get canShareMemory() {
    return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated;
  },
  compile: compileModule,
  startWorker,
};

/** Built at run time, so that no bundler takes the address for a file that it should copy. */
const SCRIPT = ['.', 'worker.js'].join('/');

function makeWorker(): Worker {
  try {
    // Bundlers find the worker's script by these very words.
    return new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'webnn' });
  } catch {
    // A script of another origin, such as a CDN's, is refused, but a script of this origin that
    // imports it is not.
    const { href } = new URL(SCRIPT, import.meta.url);
    const script = new Blob([`import ${JSON.stringify(href)};`], { type: 'text/javascript' });
    return new Worker(URL.createObjectURL(script), { type: 'module', name: 'webnn' });
  }
}

function startWorker(events: WorkerEvents): RunningWorker {
  const worker = makeWorker();
  const ended = new AbortController();
  const end = (): void => {
    ended.abort();
    worker.onmessage = worker.onmessageerror = worker.onerror = null;
    worker.terminate();
  };
  const fail = (reason: string): void => {
    if (ended.signal.aborted) return;
    end();
    events.failed(reason);
  };
  worker.onmessage = ({ data }) => {
    events.message(data);
  };
  worker.onmessageerror = () => {
    fail('a message of its worker could not be read');
  };
  worker.onerror = (event) => {
    // Handled here: the page need not hear of it as of an error of its own.
    event.preventDefault();
    fail(event.message || 'the script of its worker could not be loaded');
  };
  return {
    post: (message, transfer = []) => {
      worker.postMessage(message, transfer);
    },
    terminate: end,
    watch: (lock) => {
      const locks = (navigator as { locks?: LockManager }).locks;
      locks
        ?.request(lock, { signal: ended.signal }, () => {
          fail('its worker was terminated');
        })
        .catch(() => undefined);
    },
  };
}
