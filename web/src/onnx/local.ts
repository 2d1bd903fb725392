/** The reader on the calling thread. */

import { initSync, OnnxFile, type Plan } from '../../wasm/webnn_onnx.js';
import { inTask } from '../tasks.js';
import {
  OnnxError,
  type Batch,
  type Call,
  type OnnxDescription,
  type OnnxProblem,
  type PlanConstant,
  type PlanHead,
  type PlanOptions,
  type PlanPort,
  type Reader,
} from './types.js';

/** What one task on the page's thread may copy without being felt. */
const BATCH_BYTES = 4 << 20;
const BATCH_CALLS = 64;

export class LocalReader implements Reader {
  readonly #file: OnnxFile;
  #plan: Plan | undefined;
  #constants: PlanConstant[] = [];
  /** The next call that has not been given. */
  #call = 0;

  /** A reader of the module, compiled from `wasm/onnx.wasm`. */
  constructor(module: WebAssembly.Module) {
    initSync({ module });
    this.#file = new OnnxFile();
  }

  async read(name: string, source: Blob | string): Promise<void> {
    const body = typeof source === 'string' ? await fetched(source) : source;
    const length = body instanceof Blob ? body.size : Number(body.headers.get('content-length') ?? 0);
    await this.begin(name, length);
    const stream = body instanceof Blob ? body.stream() : body.body;
    const reader = stream?.getReader();
    for (;;) {
      const piece = await reader?.read();
      if (piece === undefined || piece.done) {
        return;
      }
      await this.append(piece.value);
    }
  }

  begin(name: string, length: number): Promise<void> {
    return attempt(() => {
      this.#file.begin(name, length);
    });
  }

  append(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    return attempt(() => {
      this.#file.append(piece);
    });
  }

  inspect(): Promise<OnnxDescription> {
    return attempt(() => this.#file.inspect() as OnnxDescription);
  }

  plan(options: PlanOptions, limits: object | undefined): Promise<PlanHead> {
    return attempt(() => {
      const plan = this.#file.plan(options, limits);
      const length = plan.length();
      const text = limits === undefined ? plan.text() : undefined;
      this.#plan = plan;
      this.#call = text === undefined ? 0 : length;
      this.#constants = plan.constants() as PlanConstant[];
      return {
        description: plan.description() as OnnxDescription,
        inputs: plan.inputs() as PlanPort[],
        outputs: plan.outputs() as PlanPort[],
        text,
        operations: length,
        constantBytes: this.#constants.reduce((sum, constant) => sum + constant.byteLength, 0),
      };
    });
  }

  next(): Promise<Batch | undefined> {
    return attempt(() => {
      const plan = this.#plan;
      if (plan === undefined) {
        return undefined;
      }
      const constants = this.#nextConstants(plan);
      if (constants.length > 0) {
        return { constants, calls: [] };
      }
      const calls = plan.calls(this.#call, this.#call + BATCH_CALLS) as Call[];
      this.#call += calls.length;
      return calls.length > 0 ? { constants, calls } : undefined;
    });
  }

  close(): void {
    this.#plan?.free();
    this.#plan = undefined;
  }

  #nextConstants(plan: Plan): Batch['constants'] {
    let bytes = 0;
    let count = 0;
    for (const constant of this.#constants) {
      bytes += constant.byteLength;
      // One constant is never divided, however large.
      if (count > 0 && (bytes > BATCH_BYTES || count >= BATCH_CALLS)) {
        break;
      }
      count += 1;
    }
    return this.#constants.splice(0, count).map((constant) => {
      const copy = plan.bytes(constant.value) ?? new Uint8Array();
      return { ...constant, bytes: copy.buffer };
    });
  }
}

async function fetched(address: string): Promise<Response> {
  const response = await fetch(address);
  if (!response.ok) {
    throw new OnnxError(`${address}: the server answered ${response.status} ${response.statusText}`);
  }
  return response;
}

/** What the reader throws becomes an error. Each piece of work is a task: others come in between. */
function attempt<T>(work: () => T): Promise<T> {
  return inTask(
    new Promise((resolve, reject) => {
      try {
        resolve(work());
      } catch (thrown) {
        reject(asError(thrown));
      }
    }),
  );
}

/** The reader throws plain objects, and WebAssembly its own errors. */
function asError(thrown: unknown): Error {
  if (thrown instanceof WebAssembly.RuntimeError) {
    return new OnnxError(`the reader failed: ${thrown.message}`);
  }
  if (thrown instanceof Error) {
    return thrown;
  }
  const { message, problems } = thrown as { message: string; problems: OnnxProblem[] };
  return new OnnxError(message, problems);
}
