import { afterEach, expect, test, vi } from 'vitest';

import { chooseVariant, compileModule } from '../../src/wasm/variants.js';

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test('the variant is the best that the browser takes', () => {
  // The module that asks for relaxed instructions is the longer one.
  for (const [hasRelaxed, threads, expected] of [
    [false, false, 'simd'],
    [true, false, 'relaxed'],
    [false, true, 'threads'],
    [true, true, 'threads-relaxed'],
  ] as const) {
    const validate = vi.spyOn(WebAssembly, 'validate');
    const lengths = new Set<number>();
    validate.mockImplementation((bytes) => {
      lengths.add(bytes.byteLength);
      return hasRelaxed || bytes.byteLength === Math.min(...lengths);
    });
    const variant = chooseVariant(threads);
    expect([variant.name, variant.hasThreads]).toEqual([expected, threads]);
    expect(variant.url.pathname.endsWith(`/wasm/${expected}.wasm`)).toBe(true);
    validate.mockRestore();
  }
});

test('this engine, which has vectors, takes the module that asks for them', () => {
  expect(() => chooseVariant(false)).not.toThrow();
});

test('without vectors, and without WebAssembly, the refusal says so', () => {
  const refusal = { code: 'NotSupportedError', message: expect.stringContaining('SIMD') as string };
  vi.spyOn(WebAssembly, 'validate').mockReturnValue(false);
  expect(() => chooseVariant(false)).toThrow(expect.objectContaining(refusal));
  vi.stubGlobal('WebAssembly', undefined);
  expect(() => chooseVariant(true)).toThrow(expect.objectContaining(refusal));
});

test('a module is compiled whether or not the server names its type, and failures name the address', async () => {
  const empty = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  const variant = { name: 'simd', hasThreads: false, url: new URL('https://example.org/simd.wasm') } as const;
  for (const type of ['application/wasm', 'application/octet-stream']) {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(empty, { headers: { 'Content-Type': type } })));
    expect(await compileModule(variant)).toBeInstanceOf(WebAssembly.Module);
  }
  for (const [answer, code, words] of [
    [() => Promise.resolve(new Response('', { status: 404 })), 'UnknownError', 'status 404'],
    [() => Promise.reject(new TypeError('offline')), 'UnknownError', 'offline'],
    [() => Promise.resolve(new Response('text')), 'NotSupportedError', 'cannot be compiled'],
  ] as const) {
    vi.stubGlobal('fetch', answer);
    const error = await compileModule(variant).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toContain('https://example.org/simd.wasm');
    expect((error as Error).message).toContain(words);
  }
});
