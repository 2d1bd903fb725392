/** The reader in a worker of its own: requests there, answers back. */

import {
  OnnxError,
  type Batch,
  type OnnxDescription,
  type OnnxProblem,
  type PlanHead,
  type PlanOptions,
  type Reader,
} from './types.js';

export type Method = Exclude<keyof Reader, 'close'>;

/** From the page: what to call. */
export interface Request {
  readonly id: number;
  readonly method: Method;
  readonly args: readonly unknown[];
}

/** To the page: the result, or what was thrown. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly message: string; readonly problems: readonly OnnxProblem[] };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class RemoteReader implements Reader {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  /** Why there are no answers any more. */
  #failure: OnnxError | undefined;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Answer>): void => {
      this.#settle(data);
    };
    worker.onerror = (event): void => {
      event.preventDefault();
      this.#fail(new OnnxError(`the reader's worker failed: ${event.message || 'it could not be loaded'}`));
    };
    worker.onmessageerror = (): void => {
      this.#fail(new OnnxError("the reader's worker sent what cannot be read"));
    };
  }

  /** Gives the worker its WebAssembly, which it needs before it is asked anything. */
  start(module: WebAssembly.Module): void {
    this.#worker.postMessage(module);
  }

  read(name: string, source: Blob | string): Promise<void> {
    return this.#ask('read', [name, source]) as Promise<void>;
  }

  begin(name: string, length: number): Promise<void> {
    return this.#ask('begin', [name, length]) as Promise<void>;
  }

  append(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#ask('append', [piece], [piece.buffer]) as Promise<void>;
  }

  inspect(): Promise<OnnxDescription> {
    return this.#ask('inspect', []) as Promise<OnnxDescription>;
  }

  plan(options: PlanOptions, limits: object | undefined): Promise<PlanHead> {
    return this.#ask('plan', [options, limits]) as Promise<PlanHead>;
  }

  next(): Promise<Batch | undefined> {
    return this.#ask('next', []) as Promise<Batch | undefined>;
  }

  close(): void {
    this.#worker.terminate();
    this.#fail(new OnnxError('the reader was closed'));
  }

  #ask(method: Method, args: readonly unknown[], transfer: Transferable[] = []): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#worker.postMessage({ id: this.#last, method, args } satisfies Request, transfer);
    });
  }

  #settle({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) {
      waiting?.resolve(value);
    } else {
      waiting?.reject(new OnnxError(error.message, error.problems));
    }
  }

  #fail(error: OnnxError): void {
    this.#failure = error;
    for (const waiting of this.#waiting.values()) {
      waiting.reject(error);
    }
    this.#waiting.clear();
  }
}
