/** transformers.js, as npm has it, with `device: 'webnn'` on our `navigator.ml`. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { farthest } from './compare.js';
import { NO_DIST, NO_MODELS, NO_PACKAGES, unless } from './installed.js';
import { modelFolder } from './models.js';
import type { Reply, Request } from './page/transformers.js';
import { Site } from './site.js';

const missing = unless(NO_DIST, NO_PACKAGES, NO_MODELS);

describe.skipIf(missing.skip)(`transformers.js${missing.why}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open(modelFolder);
  });
  afterAll(async () => {
    await site.close();
  });

  const sentence = 'This is a simple test.';

  test('extracts features by its pipeline', async () => {
    // Eight tokens, so that nothing has to be padded.
    const request = { sentence, length: 8, by: 'pipeline' } as const;
    const expected = await site.run<Reply>('transformers', { ...request, device: 'wasm' } satisfies Request);
    const reply = await site.run<Reply>('transformers', { ...request, device: 'webnn' } satisfies Request);
    expect({ dims: reply.dims, dispatches: reply.dispatches }).toEqual({ dims: [1, 384], dispatches: 1 });
    expect(farthest(reply.values, expected.values, { atol: 1e-3, rtol: 0 })).toBeUndefined();
    // What the documentation of transformers.js prints for the model in float32.
    expect(farthest(reply.values.slice(0, 2), [0.09528215, -0.02473017], { atol: 3e-4, rtol: 0 })).toBeUndefined();
  });

  test('pads to a fixed length and runs the model', async () => {
    const request = { sentence, length: 32, by: 'model' } as const;
    const expected = await site.run<Reply>('transformers', { ...request, device: 'wasm' } satisfies Request);
    const reply = await site.run<Reply>('transformers', { ...request, device: 'webnn' } satisfies Request);
    expect({ dims: reply.dims, dispatches: reply.dispatches }).toEqual({ dims: [1, 32, 384], dispatches: 1 });
    expect(farthest(reply.values, expected.values, { atol: 0.02, rtol: 0.02 })).toBeUndefined();
  });
});
