import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

/** A policy is asked once for each document, so each test loads the modules afresh. */
beforeEach(() => {
  vi.resetModules();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

const POLICIES: [string, object, boolean][] = [
  ['forbids it', { features: () => ['webnn'], allowsFeature: () => false }, false],
  ['allows it', { features: () => ['webnn'], allowsFeature: () => true }, true],
  ['does not know it', { features: () => [], allowsFeature: () => false }, true],
];

describe.each(POLICIES)('a document’s policy that %s', (_, policy, isAllowed) => {
  it.each(['featurePolicy', 'permissionsPolicy'])('decides by %s', async (property) => {
    vi.stubGlobal('document', { [property]: policy });
    const { fixture, FakeHost } = await import('./fake-host.js');
    const { makeEntry } = await import('../../src/entry.js');
    if (isAllowed) {
      await expect(fixture()).resolves.toBeDefined();
      return;
    }
    const { ml } = makeEntry(() => new FakeHost());
    await expect(ml.createContext()).rejects.toMatchObject({ name: 'SecurityError' });
    // Arguments are converted first, as ever.
    await expect(ml.createContext({ deviceType: 'x' as 'cpu' })).rejects.toThrow(TypeError);
  });
});
