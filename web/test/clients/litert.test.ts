/** LiteRT.js, as npm has it, with its WebNN accelerator on our `navigator.ml`. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { argmax, farthest } from './compare.js';
import { NO_DIST, NO_MODELS, NO_PACKAGES, unless } from './installed.js';
import { modelFolder } from './models.js';
import type { Reply, Request } from './page/litert.js';
import { Site } from './site.js';

const missing = unless(NO_DIST, NO_PACKAGES, NO_MODELS);

describe.skipIf(missing.skip)(`LiteRT.js${missing.why}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open(modelFolder);
  });
  afterAll(async () => {
    await site.close();
  });

  test('names what is in a picture with an 8-bit classifier', async () => {
    const labels = readFileSync(path.join(modelFolder ?? '', 'imagenet_labels_1001.txt'), 'utf8').split('\n');
    const request = {
      model: '/models/mobilenet_v2_1.0_224_quant.tflite',
      picture: '/models/grace_hopper.bmp',
    };
    const expected = await site.run<Reply>('litert', { ...request, accelerator: 'wasm' } satisfies Request);
    const reply = await site.run<Reply>('litert', { ...request, accelerator: 'webnn' } satisfies Request);
    expect(expected.dispatches).toBe(0);
    expect(reply.dispatches).toBe(1);
    expect(labels[argmax(reply.values)]).toMatch(/military uniform/);
    // In steps of 1/256: roundings that end otherwise in an early layer are amplified by the later ones.
    expect(farthest(reply.values, expected.values, { atol: 5, rtol: 0 })).toBeUndefined();
  });
});
