/** Starts a context's engine: in a worker with helpers, or on the calling thread where it must. */

import { hostError, messageOf } from './failure.js';
import type { HostContextOptions } from '../host.js';
import type { Connection } from './link.js';
import type { Platform, RunningWorker } from './platform.js';
import type { Answer, Command, Hold, StartHelper, Task } from './protocol.js';
import { EngineServer } from './server.js';

export interface Started {
  readonly connection: Connection;
  readonly details: string;
  readonly reason: string;
  /** From now on answers go there, and failures, too. */
  listen(receive: (answer: Answer) => void): void;
}

/** Why there is no worker. */
class NoWorker extends Error {}

interface Plan {
  readonly platform: Platform;
  readonly options: HostContextOptions;
  readonly threads: number;
  /** Compiled while the worker starts. */
  readonly module: Promise<WebAssembly.Module>;
  /** Makes the calling thread's instance, while the worker makes its own. */
  readonly prepare: (module: WebAssembly.Module) => Promise<void>;
}

/** The calling thread has an instance of the module when this resolves. */
export async function startEngine(plan: Plan): Promise<Started> {
  try {
    return await inWorker(plan);
  } catch (error) {
    if (!(error instanceof NoWorker)) throw error;
    await plan.prepare(await plan.module);
    return here(plan.options, error.message);
  }
}

async function inWorker({ platform, options, threads, module, prepare }: Plan): Promise<Started> {
  const crew = new Crew(platform);
  let receive: (answer: Answer) => void = () => undefined;
  try {
    const ready = new Promise<Extract<Answer, { kind: 'ready' }>>((resolve, reject) => {
      // Nobody hears of it any more once it is ready; from then on the listener does.
      receive = (answer) => {
        if (answer.kind === 'ready') resolve(answer);
        else if (answer.kind === 'lost') reject(hostError('UnknownError', `createContext: ${answer.reason}`));
      };
      crew.startEngine({
        message: (data) => {
          receive(data as Answer);
        },
        failed: (reason) => {
          reject(new NoWorker(reason));
          receive({ kind: 'lost', reason });
        },
      });
    });
    const lock = `webnn ${name()}`;
    crew.post({ kind: 'hold', lock });
    // Where the module fails first, nobody else waits for this.
    ready.catch(() => undefined);
    const compiled = await Promise.race([module, ready.then(() => module)]);
    crew.post({ kind: 'engine', module: compiled, options, threads });
    crew.hold(true);
    await prepare(compiled);
    const { details, reason, helpers, memory } = await ready;
    crew.hold(false);
    crew.watch(lock);
    if (memory !== undefined) {
      crew.enlist(helpers, lock, { kind: 'helper', module: compiled, memory }, (why) => {
        receive({ kind: 'lost', reason: why });
      });
    }
    return {
      connection: crew,
      details,
      reason,
      listen: (listener) => {
        receive = listener;
      },
    };
  } catch (error) {
    crew.close();
    throw error;
  }
}

/** A name that nobody else has. Not a UUID: pages without a secure context have none. */
function name(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}

/** An engine's worker and its helpers: they live and die together. */
class Crew implements Connection {
  readonly #platform: Platform;
  readonly #helpers: RunningWorker[] = [];
  #engine: RunningWorker | undefined;
  /** Starts the helpers. */
  #call: (() => void) | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  startEngine(events: Parameters<Platform['startWorker']>[0]): void {
    try {
      this.#engine = this.#platform.startWorker(events);
    } catch (error) {
      throw new NoWorker(messageOf(error));
    }
  }

  /** Helpers have nothing to do before a graph runs: the first dispatch starts them. */
  enlist(count: number, lock: string, task: StartHelper, lost: (reason: string) => void): void {
    this.#call = () => {
      for (let i = 0; i < count; i += 1) this.#startHelper(`${lock} ${i}`, task, lost);
    };
  }

  post(message: Hold | Task | Command, transfer?: ArrayBuffer[]): void {
    this.#engine?.post(message, transfer);
    if (message.kind !== 'dispatch') return;
    this.#call?.();
    this.#call = undefined;
  }

  /** One that cannot start is done without; the work is cut for all, and the others do it. */
  #startHelper(lock: string, task: StartHelper, lost: (reason: string) => void): void {
    let isAtWork = false;
    const failed = (reason: string): void => {
      if (isAtWork) lost(reason);
      else console.warn(`webnn: a thread could not be started: ${reason}`);
    };
    try {
      const helper = this.#platform.startWorker({
        message: (data) => {
          const answer = data as Answer;
          if (answer.kind === 'lost') {
            failed(answer.reason);
            return;
          }
          isAtWork = true;
          // Watched after it has joined: before, nobody holds the lock.
          helper.watch(lock);
        },
        failed,
      });
      this.#helpers.push(helper);
      helper.post({ kind: 'hold', lock } satisfies Hold);
      helper.post(task);
    } catch (error) {
      failed(messageOf(error));
    }
  }

  watch(lock: string): void {
    this.#engine?.watch(lock);
  }

  hold(isAwaited: boolean): void {
    this.#engine?.hold?.(isAwaited);
  }

  close(): void {
    this.#engine?.terminate();
    for (const helper of this.#helpers) helper.terminate();
  }
}

/** Computes in the calls themselves. Said aloud, because the page stands still meanwhile. */
function here(options: HostContextOptions, why: string): Started {
  let receive: (answer: Answer) => void = () => undefined;
  const server = new EngineServer((answer) => {
    receive(answer);
  }, options, 1);
  const { details, reason } = server.device;
  const sentence = `it computes on the calling thread, because no worker could be started: ${why}`;
  console.warn(`webnn: ${sentence}`);
  return {
    connection: {
      post: (command) => {
        server.handle(command);
      },
      close: () => {
        server.free();
      },
      hold: () => undefined,
    },
    details,
    reason: `${reason}; ${sentence}`,
    listen: (listener) => {
      receive = listener;
    },
  };
}
