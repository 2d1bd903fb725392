import { describe, expect, test } from 'vitest';
import { useSite } from './site.js';

/** Chromium as Debian builds it has the interfaces behind this flag, and no engine below them. */
const site = useSite(['--enable-features=WebMachineLearningNeuralNetwork']);

describe('where the browser has the interfaces and no engine', () => {
  test('the polyfill takes their place, also for who holds the old object', async () => {
    const { page } = await site.open();
    await expect(site.call(page, 'install', 'besideInterfacesWithoutEngine')).resolves.toEqual({
      failure: 'NotSupportedError',
      installed: 'ours',
      isOurs: true,
      result: [2, 3],
    });
  });

  test.each([
    ["webnn 'none'", 'SecurityError'],
    ["webnn 'self'", 'a context'],
  ])('a frame with allow="%s" gets %s', async (allow, answer) => {
    const { page } = await site.open();
    await expect(site.call(page, 'install', 'inFrame', allow)).resolves.toBe(answer);
  });
});
