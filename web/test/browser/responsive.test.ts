import { describe, expect, test } from 'vitest';
import { SHARED, useSite } from './site.js';

interface LongTask {
  phase: string;
  duration: number;
}

const site = useSite();

const MODELS = [
  {
    model: 'MobileNetV2',
    url: '/models/mobilenetv2/mobilenetv2-fp32.onnx',
    dimensions: { batch_size: 1 },
  },
  {
    model: 'all-MiniLM-L6-v2',
    url: '/models/all-MiniLM-L6-v2/onnx/model_fp16.onnx',
    dimensions: { batch_size: 1, sequence_length: 128 },
  },
];

test('a task of a tenth of a second is seen', async () => {
  const { page } = await site.open();
  // Of others there may be some: a busy machine stretches those of the page's own start.
  const durations = (await site.call<LongTask[]>(page, 'models', 'provoke')).map(({ duration }) => duration);
  expect(Math.max(...durations)).toBeGreaterThanOrEqual(100);
});

// A machine that is busy with other things stretches any task: what is ours is long every time.
describe.each([true, false])('where crossOriginIsolated is %s', (isolated) => {
  test.skipIf(SHARED === undefined).for(MODELS)(
    'no task of the page lasts 50 ms while $model is loaded, built and run (needs WEBNN_SHARED)',
    { retry: 2 },
    async ({ url, dimensions }) => {
      const { page } = await site.open({ isolated });
      const { long, operations } = await site.call<{ long: LongTask[]; operations: number }>(
        page, 'models', 'responsive', url, { dimensions },
      );
      expect(operations).toBeGreaterThan(50);
      expect(long).toEqual([]);
    },
  );

  test('no task of the page lasts 50 ms while a small model is read on its thread', { retry: 2 }, async () => {
    const { page } = await site.open({ isolated });
    const { long } = await site.call<{ long: LongTask[] }>(page, 'models', 'responsive', '/digits/digits.onnx', {}, true);
    expect(long).toEqual([]);
  });
});
