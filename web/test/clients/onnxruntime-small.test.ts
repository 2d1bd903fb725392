/** What native implementations declare and then refuse, or compute otherwise, and what must fail in the open. */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { expectClose, placementIn, refusalsIn } from './compare.js';
import { NO_DIST, NO_PACKAGES, unless } from './installed.js';
import { bytesOf, onnxModel } from './onnx.js';
import type { Failure, FailureRequest } from './page/failures.js';
import type { Reply, Request } from './page/ort.js';
import { PAGE, Site } from './site.js';
import { layers, SMALL_MODELS, type SmallModel } from './small.js';

const missing = unless(NO_DIST, NO_PACKAGES);

describe.skipIf(missing.skip)(`ONNX Runtime Web, small graphs${missing.why}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(async () => {
    await site.close();
  });
  afterEach(async ({ task }) => {
    // A call that never settles would keep the client from all later ones.
    if (task.result?.state === 'fail') await site.reset();
  });

  function run({ graph, feeds }: SmallModel, provider: Request['provider']): Promise<Reply> {
    const request: Request = {
      build: 'ort.min.mjs',
      model: site.put('/small/model.onnx', onnxModel(graph)),
      feeds: graph.inputs.map(({ name, type, dims }, i) => ({
        name,
        type,
        dims,
        url: site.put(`/small/${name}.bin`, bytesOf(type, feeds[i] ?? [])),
      })),
      freeDimensionOverrides: {},
      provider,
      binding: false,
      threads: 1,
      runs: 1,
      withoutWebGpu: false,
    };
    return site.run<Reply>('ort', request, PAGE);
  }

  test.each(SMALL_MODELS)('$name runs wholly on WebNN', async (model) => {
    const expected = await run(model, 'wasm');
    const reply = await run(model, 'webnn');
    const { nodes, onWebnn, partitions } = placementIn(reply.log);
    expect({ onWebnn, partitions }, refusalsIn(reply.log)).toEqual({ onWebnn: nodes, partitions: 1 });
    expectClose(reply.outputs, expected.outputs, { atol: 1e-4, rtol: 1e-4 });
  });

  // Not with the same graph on wasm, which rounds after every operator: what differs there is its own error.
  test('half precision is computed in single', async () => {
    const expected = await run(layers('float32'), 'wasm');
    const reply = await run(layers('float16'), 'webnn');
    const { nodes, onWebnn, partitions } = placementIn(reply.log);
    expect({ onWebnn, partitions }, refusalsIn(reply.log)).toEqual({ onWebnn: nodes, partitions: 1 });
    expectClose(reply.outputs, expected.outputs, { atol: 1e-4, rtol: 0 });
    const rounded = await run(layers('float16'), 'wasm');
    expect(() => { expectClose(rounded.outputs, expected.outputs, { atol: 1e-4, rtol: 0 }); }).toThrow();
  });

  describe('a failure rejects and does not hang', () => {
    function fail(scenario: FailureRequest['scenario'], model: Uint8Array): Promise<Failure> {
      return site.run<Failure>('failures', { scenario, model: site.put('/small/model.onnx', model) });
    }

    const square = onnxModel({
      inputs: [{ name: 'x', type: 'float32', dims: [2, 2] }],
      outputs: [{ name: 'y', type: 'float32', dims: [2, 2] }],
      nodes: [{ type: 'Mul', inputs: ['x', 'x'], outputs: ['y'] }],
    });

    test.each([
      { scenario: 'tensor of another context', at: 'run', says: /context/ },
      { scenario: 'destroyed tensor', at: 'run', says: /destroyed/ },
      { scenario: 'destroyed context before create', at: 'create', says: /lost|destroyed/ },
      { scenario: 'destroyed context before run', at: 'run', says: /lost|destroyed/ },
      { scenario: 'destroyed context during run', at: 'run', says: /lost|destroyed/ },
    ] as const)('$scenario', async ({ scenario, at, says }) => {
      const failure = await fail(scenario, square);
      expect(failure.at).toBe(at);
      expect(failure.message).toMatch(says);
    });

    test('a value that is larger than any tensor may be', async () => {
      const huge = onnxModel({
        inputs: [{ name: 'x', type: 'float32', dims: [1] }],
        outputs: [{ name: 'y', type: 'float32', dims: [1] }],
        constants: [
          { name: 'shape', type: 'int64', dims: [4], values: [1024, 1024, 1024, 1] },
          { name: 'axes', type: 'int64', dims: [4], values: [0, 1, 2, 3] },
        ],
        nodes: [
          { type: 'Expand', inputs: ['x', 'shape'], outputs: ['large'] },
          { type: 'ReduceMax', inputs: ['large', 'axes'], outputs: ['max'], attributes: { keepdims: 0 } },
          { type: 'Add', inputs: ['x', 'max'], outputs: ['y'] },
        ],
      });
      const failure = await fail('plain', huge);
      expect(failure.at).toBe('create');
      expect(failure.message).toMatch(/expand/i);
    });

    test('indices whose shape the specification refuses', async () => {
      const uneven = onnxModel({
        inputs: [
          { name: 'x', type: 'float32', dims: [3, 4] },
          { name: 'i', type: 'int64', dims: [2, 2] },
        ],
        outputs: [{ name: 'y', type: 'float32', dims: [2, 2] }],
        nodes: [{ type: 'GatherElements', inputs: ['x', 'i'], outputs: ['y'], attributes: { axis: 1 } }],
      });
      const failure = await fail('plain', uneven);
      expect(failure.at).toBe('create');
      expect(failure.message).toMatch(/gatherElements/);
    });
  });
});
