import { describe, expect, test } from 'vitest';
import { useSite } from './site.js';

interface Answer {
  exact: number[];
  sizeable: { bits: string; sum: number };
  device: { kind: string; details: string; reason: string };
  isolated: boolean;
}

const site = useSite();

const SCOPES = [
  { scope: 'a window', call: 'inWindow' },
  { scope: 'a module worker', call: 'inModuleWorker' },
  { scope: 'a classic worker', call: 'inClassicWorker' },
  { scope: 'a worker of a worker', call: 'inNestedWorker' },
  { scope: 'a shared worker', call: 'inSharedWorker' },
  { scope: 'a service worker', call: 'inServiceWorker' },
] as const;

/** 512 rows of a softmax, each of which sums to 1. */
const SUM = 512;

async function answerIn(call: string, isolated: boolean): Promise<Answer> {
  const { page } = await site.open({ isolated });
  return site.call<Answer>(page, 'scopes', call);
}

describe.each([true, false])('where crossOriginIsolated is %s', (isolated) => {
  test.each(SCOPES)('the polyfill computes in $scope', async ({ call }) => {
    const answer = await answerIn(call, isolated);
    expect(answer.exact).toEqual([0, 3, 5, 3]);
    expect(answer.sizeable.sum).toBeCloseTo(SUM, 2);
    expect(answer.device.kind).toBe('cpu');
  });
});

test('threads do not change a bit', async () => {
  const [threaded, single] = await Promise.all([answerIn('inWindow', true), answerIn('inWindow', false)]);
  expect([threaded.isolated, single.isolated]).toEqual([true, false]);
  expect(threaded.device.details).not.toBe(single.device.details);
  expect(threaded.sizeable.bits).toBe(single.sizeable.bits);
});

test('every scope gives the same bits', async () => {
  const bits = await Promise.all(SCOPES.map(async ({ call }) => (await answerIn(call, false)).sizeable.bits));
  expect(new Set(bits).size).toBe(1);
});
