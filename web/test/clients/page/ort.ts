/** ONNX Runtime Web in a page or a worker: one session, its runs, and what it logged. */

import { countDispatches, load } from './common.js';
import { loadOrt, type Ort, type OrtTensor } from './ort-api.js';

/** A tensor on its way between the test and the page. */
export interface Feed {
  readonly name: string;
  readonly type: 'float32' | 'int32' | 'int64' | 'bool' | 'uint8' | 'int8';
  readonly dims: readonly number[];
  /** Where its bytes are. */
  readonly url: string;
}

export interface Request {
  /** The build, such as `ort.min.mjs`. */
  readonly build: string;
  /** Where the model is. */
  readonly model: string;
  readonly feeds: readonly Feed[];
  readonly freeDimensionOverrides: Readonly<Record<string, number>>;
  readonly provider: 'webnn' | 'wasm';
  /** Inputs and outputs stay in tensors of the caller's own `MLContext`. */
  readonly binding: boolean;
  readonly threads: number;
  readonly runs: number;
  /** As in browsers that know nothing of WebGPU. */
  readonly withoutWebGpu: boolean;
}

export interface Output {
  readonly type: string;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

export interface Reply {
  /** Of the last run. */
  readonly outputs: Readonly<Record<string, Output>>;
  /** What the page saw of `MLContext.dispatch`. */
  readonly dispatches: number;
  readonly log: readonly string[];
}

const ARRAYS = {
  float32: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
};

/** What the client printed since the last call. Its WebAssembly keeps the first `console` functions that it meets. */
const log: string[] = [];
for (const method of ['log', 'info', 'debug', 'warn', 'error'] as const) {
  console[method] = (...words: unknown[]) => {
    log.push(words.join(' '));
  };
}

export default async function run(request: Request): Promise<Reply> {
  if (request.withoutWebGpu) Reflect.deleteProperty(globalThis, 'GPUDevice');
  const ort = await loadOrt(request.build, request.threads);
  log.length = 0;
  const counter = countDispatches();
  try {
    const model = new Uint8Array(await load(request.model));
    const context = request.binding ? await navigator.ml.createContext() : undefined;
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [context === undefined ? request.provider : { name: request.provider, context }],
      freeDimensionOverrides: request.freeDimensionOverrides,
      ...(context === undefined ? {} : { preferredOutputLocation: 'ml-tensor' }),
      // The placement of nodes is logged at these levels only.
      logSeverityLevel: 0,
      logVerbosityLevel: 1,
    });
    const feeds: Record<string, OrtTensor> = {};
    for (const feed of request.feeds) feeds[feed.name] = await tensor(ort, feed, context);
    let results: Record<string, OrtTensor> = {};
    for (let i = 0; i < request.runs; i++) results = await session.run(feeds);
    const outputs: Record<string, Output> = {};
    for (const [name, result] of Object.entries(results)) {
      if (context !== undefined && result.location !== 'ml-tensor') {
        throw new Error(`output ${name} is at ${result.location}, asked for ml-tensor`);
      }
      const values = Array.from(await result.getData(true), Number);
      outputs[name] = { type: result.type, dims: [...result.dims], values };
    }
    await session.release();
    context?.destroy();
    return { outputs, dispatches: counter.count, log: [...log] };
  } finally {
    counter.restore();
  }
}

async function tensor(ort: Ort, feed: Feed, context: MLContext | undefined): Promise<OrtTensor> {
  const bytes = await load(feed.url);
  if (context === undefined) return new ort.Tensor(feed.type, new ARRAYS[feed.type](bytes), feed.dims);
  const dataType = feed.type === 'bool' ? 'uint8' : feed.type;
  const onDevice = await context.createTensor({ dataType, shape: [...feed.dims], writable: true });
  context.writeTensor(onDevice, bytes);
  return ort.Tensor.fromMLTensor(onDevice, { dataType: feed.type, dims: feed.dims });
}
