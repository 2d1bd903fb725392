/** The host's needs by the means of Node, and of Deno and Bun, which have the same modules. */

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import { hostError, messageOf } from './failure.js';
import type { Platform } from './platform.js';

export const node: Platform = {
  get cores() {
    return availableParallelism();
  },
  canShareMemory: true,
  compile: async ({ url }) => {
    try {
      return await WebAssembly.compile(await readFile(url));
    } catch (error) {
      throw hostError('NotSupportedError', `createContext: ${url.href}: ${messageOf(error)}`);
    }
  },
  startWorker: ({ message, failed }) => {
    const worker = new Worker(new URL('./worker-node.js', import.meta.url), {
      name: 'webnn',
      // The program's own flags may be for its main script alone.
      execArgv: [],
    });
    let isEnded = false;
    const end = (): void => {
      isEnded = true;
      void worker.terminate();
    };
    const fail = (reason: string): void => {
      if (isEnded) return;
      end();
      failed(reason);
    };
    worker.on('message', (data) => {
      if (!isEnded) message(data);
    });
    worker.on('messageerror', (error) => {
      fail(`a message of its worker could not be read: ${messageOf(error)}`);
    });
    worker.on('error', (error) => {
      fail(messageOf(error));
    });
    worker.on('exit', () => {
      fail('its worker was terminated');
    });
    // A context keeps a program from ending while somebody waits for its answer, not longer; listening
    // has just made it do so.
    worker.unref();
    return {
      post: (data, transfer = []) => {
        worker.postMessage(data, transfer);
      },
      terminate: end,
      // The event `exit` comes in any case.
      watch: () => undefined,
      hold: (isAwaited) => {
        if (isAwaited) worker.ref();
        else worker.unref();
      },
    };
  },
};
