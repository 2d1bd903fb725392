/** Makes ONNX Runtime Web fail, and says where and how it did. */

import { load } from './common.js';
import { loadOrt } from './ort-api.js';

export interface FailureRequest {
  readonly scenario:
    | 'plain'
    | 'tensor of another context'
    | 'destroyed tensor'
    | 'destroyed context before create'
    | 'destroyed context before run'
    | 'destroyed context during run';
  readonly model: string;
}

export interface Failure {
  readonly at: 'create' | 'run' | 'nowhere';
  readonly message: string;
}

const DESCRIPTOR = { dataType: 'float32', shape: [2, 2] } as const;

export default async function fail({ scenario, model }: FailureRequest): Promise<Failure> {
  const ort = await loadOrt('ort.min.mjs', 1);
  const context = await navigator.ml.createContext();
  let at: Failure['at'] = 'create';
  try {
    if (scenario === 'destroyed context before create') context.destroy();
    const session = await ort.InferenceSession.create(new Uint8Array(await load(model)), {
      executionProviders: [{ name: 'webnn', context }],
      // What is expected to fail is no reason to print.
      logSeverityLevel: 4,
    });
    at = 'run';
    const owner = scenario === 'tensor of another context' ? await navigator.ml.createContext() : context;
    const x = await owner.createTensor({ ...DESCRIPTOR, writable: true });
    const y = await context.createTensor({ ...DESCRIPTOR, readable: true });
    const bind = (tensor: MLTensor) => ort.Tensor.fromMLTensor(tensor, { dataType: 'float32', dims: [2, 2] });
    if (scenario === 'destroyed tensor') x.destroy();
    if (scenario === 'destroyed context before run') context.destroy();
    // With an output of its own to make, ONNX Runtime never settles where `createTensor` rejects.
    const run = session.run({ x: bind(x) }, { y: bind(y) });
    if (scenario === 'destroyed context during run') context.destroy();
    await run;
    await context.readTensor(y);
    return { at: 'nowhere', message: '' };
  } catch (error) {
    return { at, message: String(error) };
  } finally {
    context.destroy();
  }
}
