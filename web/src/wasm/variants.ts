/** Which build of the WebAssembly module suits this browser. */

import { compileResponse, download } from './compile.js';
import { hostError, messageOf } from './failure.js';

export interface Variant {
  readonly name: 'simd' | 'relaxed' | 'threads' | 'threads-relaxed';
  readonly hasThreads: boolean;
  readonly url: URL;
}

const [SIMD, RELAXED, THREADS, THREADS_RELAXED]: readonly [Variant, Variant, Variant, Variant] = [
  { name: 'simd', hasThreads: false, url: new URL('./wasm/simd.wasm', import.meta.url) },
  { name: 'relaxed', hasThreads: false, url: new URL('./wasm/relaxed.wasm', import.meta.url) },
  { name: 'threads', hasThreads: true, url: new URL('./wasm/threads.wasm', import.meta.url) },
  { name: 'threads-relaxed', hasThreads: true, url: new URL('./wasm/threads-relaxed.wasm', import.meta.url) },
];

/** A function `() -> v128` with the given body, after the opcodes of the specification. */
function returnsVector(...body: number[]): Uint8Array<ArrayBuffer> {
  const code = [0, ...body, 0x0b];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 5, 1, 0x60, 0, 1, 0x7b],
    ...[3, 2, 1, 0],
    ...[10, code.length + 2, 1, code.length, ...code],
  );
}

/** i32.const 0, i8x16.splat */
const SPLAT = [0x41, 0, 0xfd, 0x0f];
const USES_SIMD = returnsVector(...SPLAT);
/** i8x16.relaxed_swizzle */
const USES_RELAXED_SIMD = returnsVector(...SPLAT, ...SPLAT, 0xfd, 0x80, 0x02);

/** The best variant; `threads` tells whether there may be more than one. */
export function chooseVariant(threads: boolean): Variant {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(USES_SIMD)) {
    throw hostError(
      'NotSupportedError',
      'createContext: the engine needs WebAssembly with SIMD, which this browser lacks or forbids',
    );
  }
  const relaxed = WebAssembly.validate(USES_RELAXED_SIMD);
  if (threads) return relaxed ? THREADS_RELAXED : THREADS;
  return relaxed ? RELAXED : SIMD;
}

export async function compileModule({ url }: Variant): Promise<WebAssembly.Module> {
  const response = await download(url).catch((error: unknown) => {
    throw hostError('UnknownError', `createContext: ${messageOf(error)}`);
  });
  return compileResponse(response, url).catch((error: unknown) => {
    throw hostError('NotSupportedError', `createContext: ${messageOf(error)}`);
  });
}
