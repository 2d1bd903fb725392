/** transformers.js in a page: the embedding of a sentence. */

import { countDispatches, installPolyfill } from './common.js';

export interface Request {
  readonly device: 'webnn' | 'wasm';
  readonly sentence: string;
  /** Tokens, padding included. */
  readonly length: number;
  /** By the pipeline, which pads nothing, or by tokenizer and model themselves. */
  readonly by: 'pipeline' | 'model';
}

export interface Reply {
  readonly dims: readonly number[];
  readonly values: readonly number[];
  readonly dispatches: number;
}

interface Tensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}
type Options = Readonly<Record<string, unknown>>;
interface Disposable {
  dispose(): Promise<unknown>;
}
interface Transformers {
  readonly env: {
    allowRemoteModels: boolean;
    allowLocalModels: boolean;
    localModelPath: string;
    useBrowserCache: boolean;
    useWasmCache: boolean;
    readonly backends: { readonly onnx: { readonly wasm: { wasmPaths: string; numThreads: number } } };
  };
  pipeline(
    task: 'feature-extraction',
    model: string,
    options: Options,
  ): Promise<((sentence: string, options: Options) => Promise<Tensor>) & Disposable>;
  readonly AutoTokenizer: {
    from_pretrained(model: string): Promise<(sentence: string, options: Options) => Options>;
  };
  readonly AutoModel: {
    from_pretrained(
      model: string,
      options: Options,
    ): Promise<((inputs: Options) => Promise<{ readonly last_hidden_state: Tensor }>) & Disposable>;
  };
}

const MODEL = 'all-MiniLM-L6-v2';

async function loadTransformers(): Promise<Transformers> {
  // It looks for `navigator.ml` when it is evaluated.
  await installPolyfill();
  const name: string = '@huggingface/transformers';
  const transformers = (await import(name)) as Transformers;
  const { env } = transformers;
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = '/models/';
  env.useBrowserCache = false;
  env.useWasmCache = false;
  const { wasm } = env.backends.onnx;
  wasm.wasmPaths = new URL(
    '/packages/@huggingface/transformers/node_modules/onnxruntime-web/dist/',
    location.href,
  ).href;
  wasm.numThreads = 1;
  return transformers;
}

export default async function run({ device, sentence, length, by }: Request): Promise<Reply> {
  const transformers = await loadTransformers();
  const counter = countDispatches();
  const options = {
    device,
    dtype: 'fp16',
    session_options: { freeDimensionOverrides: { batch_size: 1, sequence_length: length } },
  };
  try {
    let tensor: Tensor;
    let used: Disposable;
    if (by === 'pipeline') {
      const extract = await transformers.pipeline('feature-extraction', MODEL, options);
      tensor = await extract(sentence, { pooling: 'mean', normalize: true });
      used = extract;
    } else {
      const tokenizer = await transformers.AutoTokenizer.from_pretrained(MODEL);
      const model = await transformers.AutoModel.from_pretrained(MODEL, options);
      const inputs = tokenizer(sentence, { padding: 'max_length', max_length: length, truncation: true });
      tensor = (await model(inputs)).last_hidden_state;
      used = model;
    }
    const reply = { dims: [...tensor.dims], values: Array.from(tensor.data), dispatches: counter.count };
    await used.dispose();
    return reply;
  } finally {
    counter.restore();
  }
}
