/**
 * The way from a context's page half to its engine: commands in order, answers to those who asked,
 * and the end of both.
 */

import type { Context } from '../../wasm/webnn.js';
import type { ErrorKind, HostError } from '../host.js';
import { hostError } from './failure.js';
import type { Answer, Command } from './protocol.js';

/** Where the engine is: a worker with its helpers, or here. */
export interface Connection {
  post(command: Command, transfer?: ArrayBuffer[]): void;
  close(): void;
  /** Tells whether somebody waits for an answer. */
  hold(isAwaited: boolean): void;
}

interface Pending {
  readonly method: string;
  /** The tensor that a read waits for. */
  readonly tensor: number | undefined;
  /** Kept from being collected, and its engine with it, while somebody waits. */
  readonly owner: object;
  resolve(bytes: ArrayBuffer | undefined): void;
  reject(error: HostError): void;
}

/** What a command that is answered says before it is numbered. */
type Numberless<C> = C extends { readonly reply: number } ? Omit<C, 'reply'> : never;

/** Held by the worker's events, so nothing here may hold the context while nobody waits. */
export class Link {
  readonly front: Context;
  readonly lost: Promise<string>;
  readonly #connection: Connection;
  readonly #pending = new Map<number, Pending>();
  #resolveLost!: (reason: string) => void;
  #last = 0;
  #isClosed = false;

  constructor(front: Context, connection: Connection) {
    this.front = front;
    this.#connection = connection;
    this.lost = new Promise((resolve) => {
      this.#resolveLost = resolve;
    });
  }

  /** Sends what has no answer. */
  post(command: Command, transfer?: ArrayBuffer[]): void {
    if (!this.#isClosed) this.#connection.post(command, transfer);
  }

  /** Sends what is answered. */
  ask(
    owner: object,
    method: string,
    command: Numberless<Command>,
    transfer?: ArrayBuffer[],
  ): Promise<ArrayBuffer | undefined> {
    if (this.#isClosed) return Promise.reject(this.#lostError(method));
    this.#last += 1;
    const reply = this.#last;
    const answer = new Promise<ArrayBuffer | undefined>((resolve, reject) => {
      const tensor = command.kind === 'read' ? command.tensor : undefined;
      if (this.#pending.size === 0) this.#connection.hold(true);
      this.#pending.set(reply, { method, tensor, owner, resolve, reject });
    });
    this.#connection.post({ ...command, reply }, transfer);
    return answer;
  }

  receive(answer: Answer): void {
    switch (answer.kind) {
      case 'done':
        this.#take(answer.reply)?.resolve(answer.bytes);
        return;
      case 'failed':
        this.#take(answer.reply)?.reject(hostError(answer.code, answer.message));
        return;
      case 'lost':
        this.lose(answer.reason);
        return;
      case 'ready':
      case 'joined':
    }
  }

  /** Fails the reads of a tensor that is destroyed. */
  rejectReads(tensor: number, code: ErrorKind, message: string): void {
    for (const [reply, pending] of this.#pending) {
      if (pending.tensor !== tensor) continue;
      this.#take(reply);
      pending.reject(hostError(code, message));
    }
  }

  /** Ends it all; without a reason, as a script's `destroy` does. Again does nothing. */
  lose(reason?: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#connection.close();
    this.front.lose(reason);
    for (const pending of this.#pending.values()) pending.reject(this.#lostError(pending.method));
    this.#pending.clear();
    this.#resolveLost(this.front.lost() ?? '');
  }

  #take(reply: number): Pending | undefined {
    const pending = this.#pending.get(reply);
    if (this.#pending.delete(reply) && this.#pending.size === 0) this.#connection.hold(false);
    return pending;
  }

  #lostError(method: string): HostError {
    return hostError('InvalidStateError', `${method}: the context is lost: ${this.front.lost() ?? ''}`);
  }
}
