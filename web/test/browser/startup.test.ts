import { expect, test } from 'vitest';
import { useSite } from './site.js';

interface Step {
  readonly modules: string[];
  readonly workers: string[];
}

interface Steps {
  readonly imported: Step;
  readonly small: Step;
  readonly large: Step;
  readonly run: Step;
  readonly results: [number[], number[]];
}

const site = useSite();

test.each([true, false])('models are read with no more than they need (isolated: %s)', async (isolated) => {
  const { page } = await site.open({ isolated });
  const { imported, small, large, run, results } = await site.call<Steps>(page, 'startup', 'onnx');
  expect(imported).toEqual({ modules: [], workers: [] });
  const modules = ['engine', 'onnx.wasm'];
  expect(small).toEqual({ modules, workers: ['worker.js'] });
  // The size of what lies at an address is not known: it is read in a worker.
  expect(large).toEqual({ modules, workers: ['worker.js', 'onnx-worker.js'] });
  // What helps to compute starts when there is something to compute.
  expect(run.workers).toEqual([...large.workers, ...(isolated ? ['worker.js'] : [])]);
  expect(results[0]).toEqual(results[1]);
  expect(results[0].reduce((sum, x) => sum + x)).toBeCloseTo(1, 5);
});

test('a page that reads no model does not download the reader', async () => {
  const { page } = await site.open();
  expect(await site.call<Step>(page, 'startup', 'withoutOnnx')).toEqual({ modules: ['engine'], workers: ['worker.js'] });
});
