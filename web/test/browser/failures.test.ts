import { describe, expect, test } from 'vitest';
import { useSite } from './site.js';

interface Computed {
  exact: number[];
  device: { kind: string; details: string; reason: string };
}

interface Refusal {
  name: string;
  isDOMException: boolean;
  message: string;
}

const EXACT = [0, 3, 5, 3];

describe('what a page may lack', () => {
  const site = useSite();

  test('where a policy forbids workers, the page itself computes and says so', async () => {
    const { page, warnings } = await site.open({ csp: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'" });
    const { exact, device } = await site.call<Computed>(page, 'failures', 'compute');
    expect(exact).toEqual(EXACT);
    expect(device.reason).toMatch(/worker/i);
    expect(warnings.filter((text) => text.includes('webnn'))).toHaveLength(1);
  });

  test('where a policy forbids WebAssembly, createContext says so', async () => {
    const { page } = await site.open({ csp: "script-src 'self'" });
    const refusal = await site.call<Refusal>(page, 'failures', 'refusal');
    expect(refusal).toMatchObject({ name: 'NotSupportedError', isDOMException: true });
    expect(refusal.message).toMatch(/WebAssembly/);
  });

  test('where the engine cannot be fetched, createContext says so', async () => {
    const { page } = await site.open({ csp: "script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'" });
    const refusal = await site.call<Refusal>(page, 'failures', 'refusal');
    expect(refusal).toMatchObject({ isDOMException: true });
    expect(refusal.message).toMatch(/\.wasm/);
  });

  test('where the browser has no SIMD, createContext says so', async () => {
    const { page } = await site.open({
      before: () => {
        WebAssembly.validate = () => false;
      },
    });
    const refusal = await site.call<Refusal>(page, 'failures', 'refusal');
    expect(refusal).toMatchObject({ name: 'NotSupportedError', isDOMException: true });
    expect(refusal.message).toMatch(/SIMD/);
  });

  test('where an isolated page has no SharedArrayBuffer, one thread computes', async () => {
    const { page } = await site.open({
      isolated: true,
      before: () => {
        Reflect.deleteProperty(globalThis, 'SharedArrayBuffer');
      },
    });
    expect((await site.call<Computed>(page, 'failures', 'compute')).exact).toEqual(EXACT);
  });
});

describe('a context whose worker is killed while it computes', () => {
  const site = useSite();

  test.each([true, false])('is lost, and others go on (isolated: %s)', async (isolated) => {
    const { page } = await site.open({ isolated });
    // Before the package is loaded, which may keep the constructor that it finds.
    await site.call(page, 'watch', 'watchWorkers');
    const outcome = await site.call<Record<string, unknown>>(page, 'failures', 'killed');
    expect(outcome).toEqual({
      workers: true,
      pending: ['InvalidStateError'],
      lost: expect.stringMatching(/worker/i) as unknown,
      later: 'InvalidStateError',
      survivor: EXACT,
      next: EXACT,
    });
  });
});

describe('where memory cannot grow past 128 MB', () => {
  const site = useSite(['--js-flags=--expose-gc --wasm-max-mem-pages=2048']);

  test('a tensor that does not fit is refused, and the context goes on', async () => {
    const { page } = await site.open();
    expect(await site.call(page, 'failures', 'exhaustByTensor', 256)).toEqual({
      tensor: 'UnknownError',
      same: EXACT,
    });
  });

  test('a graph that does not fit is refused or ends its own context, and others go on', async () => {
    const { page } = await site.open();
    const { graph, lost, ...others } = await site.call<Record<string, unknown>>(page, 'failures', 'exhaustByGraph', 256);
    expect([graph, lost]).toEqual(
      lost === 'not lost' ? ['OperationError', lost] : ['InvalidStateError', expect.stringContaining('memory')],
    );
    expect(others).toEqual({ other: EXACT, next: EXACT });
  });
});
