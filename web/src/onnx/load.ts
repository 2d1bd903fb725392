/** From files to a graph, whatever reads and whatever builds. */

import type { TextGraph } from '../host.js';
import { gathered, replay, type BuilderConstructor } from './replay.js';
import type {
  OnnxDescription,
  OnnxOptions,
  OnnxSource,
  OnnxTensor,
  PlanOptions,
  Reader,
} from './types.js';

/** What one task on the page's thread may copy without being felt. */
const PIECE_BYTES = 4 << 20;

/** A model that has become a graph. */
export interface OnnxModel<Graph> {
  /** For `dispatch` on the context that it was built for. */
  readonly graph: Graph;
  /** What to give to `dispatch`, by name. */
  readonly inputs: readonly OnnxTensor[];
  readonly outputs: readonly OnnxTensor[];
  /** How often the file uses each of ONNX's operators, the most frequent first. */
  readonly operators: OnnxDescription['operators'];
  /** How many operations of WebNN they became. */
  readonly operations: number;
  /** The size of the weights. */
  readonly constantBytes: number;
  readonly opset: number | null;
  readonly producer: string;
}

interface AnyContext {
  opSupportLimits(): object;
}

/** Makes a reader for files of so many bytes, where that is known. */
type OpenReader = (byteLength: number | undefined) => Promise<Reader>;

/** The model under the empty name, and what lies beside it. */
type Files = readonly (readonly [name: string, source: OnnxSource])[];

/** What makes graphs for a context. */
export interface Maker<Context, Graph> {
  readonly Builder: BuilderConstructor<Context, Graph>;
  /** The shorter way, where there is one. */
  readonly buildText: ((graph: TextGraph) => Promise<Graph>) | undefined;
}

/** Reads a model and builds its graph. */
export async function load<Context extends AnyContext, Graph>(
  openReader: OpenReader,
  { Builder, buildText }: Maker<Context, Graph>,
  context: Context,
  model: OnnxSource,
  options: OnnxOptions,
): Promise<OnnxModel<Graph>> {
  const limits = buildText === undefined ? context.opSupportLimits() : undefined;
  const files: Files = [['', model], ...Object.entries(options.externalData ?? {})];
  return withReader(openReader, files, options.signal, async (reader) => {
    const plan = await reader.plan(planOptions(options), limits);
    const graph =
      buildText === undefined || plan.text === undefined
        ? await replay(new Builder(context), plan, reader, options.signal)
        : await buildText(await gathered(plan.text, plan, reader, options.signal));
    const { operators, opset, producer } = plan.description;
    const named = ({ name, dataType, shape }: OnnxTensor): OnnxTensor => ({ name, dataType, shape });
    return {
      graph,
      inputs: plan.inputs.map(named),
      outputs: plan.outputs.map(named),
      operators,
      operations: plan.operations,
      constantBytes: plan.constantBytes,
      opset,
      producer,
    };
  });
}

/** Reads what a model says of itself, free dimensions by their names. */
export async function inspect(
  openReader: OpenReader,
  model: OnnxSource,
  signal?: AbortSignal,
): Promise<OnnxDescription> {
  return withReader(openReader, [['', model]], signal, (reader) => reader.inspect());
}

/** Reads the files, and closes the reader when the work is done, or when nobody wants it any more. */
async function withReader<T>(
  open: OpenReader,
  files: Files,
  signal: AbortSignal | undefined,
  work: (reader: Reader) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const reader = await open(byteLength(files));
  const close = (): void => {
    reader.close();
  };
  signal?.addEventListener('abort', close);
  try {
    for (const [name, source] of files) await take(reader, name, source);
    return await work(reader);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', close);
    close();
  }
}

/** Hands a file to the reader: by reference where it can read it itself, else piece by piece. */
async function take(reader: Reader, name: string, source: OnnxSource): Promise<void> {
  if (typeof source === 'string' || source instanceof URL) {
    const base = (globalThis as { location?: { href: string } }).location?.href;
    return reader.read(name, new URL(source, base).href);
  }
  if (source instanceof Blob) {
    return reader.read(name, source);
  }
  if (source instanceof Response) {
    return pump(reader, name, source);
  }
  const bytes = view(source);
  await reader.begin(name, bytes.byteLength);
  for (let start = 0; start < bytes.byteLength; start += PIECE_BYTES) {
    await reader.append(bytes.slice(start, start + PIECE_BYTES));
  }
}

function byteLength(files: Files): number | undefined {
  let sum = 0;
  for (const [, source] of files) {
    if (source instanceof Blob) sum += source.size;
    else if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) sum += source.byteLength;
    else return undefined;
  }
  return sum;
}

/** A response cannot be handed to another thread, its bytes can. */
async function pump(reader: Reader, name: string, response: Response): Promise<void> {
  if (!response.ok) {
    throw new TypeError(`${response.url}: the server answered ${response.status} ${response.statusText}`);
  }
  await reader.begin(name, Number(response.headers.get('content-length') ?? 0));
  const body = response.body?.getReader();
  for (;;) {
    const piece = await body?.read();
    if (piece === undefined || piece.done) {
      return;
    }
    // The stream's piece may be part of a larger buffer that is not ours to give away.
    await reader.append(piece.value.slice());
  }
}

function view(source: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(source)
    ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
    : new Uint8Array(source);
}

function planOptions({ dimensions = {}, shapes = {}, fixed = {} }: OnnxOptions): PlanOptions {
  const entries = Object.entries(fixed).map(([name, { dataType, shape, data }]) => {
    return [name, { dataType, shape, data: view(data) }] as const;
  });
  return { dimensions, shapes, fixed: Object.fromEntries(entries) };
}
