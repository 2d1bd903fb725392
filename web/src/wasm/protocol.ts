/** What the page and the engine's worker say to each other. */

import type { Descriptor, ErrorKind, HostContextOptions } from '../host.js';

/** The worker's first message, sent long before its task can be. */
export interface Hold {
  readonly kind: 'hold';
  /** A lock for the worker to hold as long as it lives; a terminated worker sends no event. */
  readonly lock: string;
}

/** The worker's second message. */
export type Task = StartEngine | StartHelper;

export interface StartEngine {
  readonly kind: 'engine';
  readonly module: WebAssembly.Module;
  readonly options: HostContextOptions;
  readonly threads: number;
}

export interface StartHelper {
  readonly kind: 'helper';
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
}

/** Names and numbers by turns, as the WebAssembly module takes them. */
export type Bindings = readonly (string | number)[];

/** What a context asks of its engine, in this order; those with `reply` are answered. */
export type Command =
  | { readonly kind: 'tensor'; readonly reply: number; readonly tensor: number; readonly descriptor: Descriptor }
  | { readonly kind: 'constant'; readonly reply: number; readonly constant: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'write'; readonly tensor: number; readonly bytes: ArrayBuffer }
  | { readonly kind: 'read'; readonly reply: number; readonly tensor: number }
  | {
      readonly kind: 'build';
      readonly reply: number;
      readonly graph: number;
      readonly text: string;
      readonly constants: Uint32Array<ArrayBuffer>;
      readonly buffers: readonly ArrayBuffer[];
    }
  | { readonly kind: 'dispatch'; readonly graph: number; readonly inputs: Bindings; readonly outputs: Bindings }
  | { readonly kind: 'free'; readonly what: 'tensor' | 'constant' | 'graph'; readonly id: number };

export type Answer =
  | {
      readonly kind: 'ready';
      readonly details: string;
      readonly reason: string;
      /** Memory for as many helpers to share. */
      readonly helpers: number;
      readonly memory: WebAssembly.Memory | undefined;
    }
  /** A helper is about to wait for work, for ever. */
  | { readonly kind: 'joined' }
  | { readonly kind: 'done'; readonly reply: number; readonly bytes?: ArrayBuffer }
  | { readonly kind: 'failed'; readonly reply: number; readonly code: ErrorKind; readonly message: string }
  /** The engine is gone; there will be no more answers. */
  | { readonly kind: 'lost'; readonly reason: string };
