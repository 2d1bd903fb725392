/** The worker that reads ONNX files, so that the page's thread does not. */

import { LocalReader } from './onnx/local.js';
import type { Answer, Request } from './onnx/remote.js';
import { OnnxError, type Batch, type PlanOptions } from './onnx/types.js';

const port = globalThis as unknown as DedicatedWorkerGlobalScope;

interface DedicatedWorkerGlobalScope {
  onmessage: ((event: MessageEvent<WebAssembly.Module | Request>) => void) | null;
  postMessage(message: Answer, transfer: Transferable[]): void;
}

/** Made of the first message. */
let reader: LocalReader | undefined;

port.onmessage = ({ data }): void => {
  if (data instanceof WebAssembly.Module) reader = new LocalReader(data);
  else if (reader !== undefined) void answer(reader, data);
};

async function answer(reader: LocalReader, request: Request): Promise<void> {
  const { id } = request;
  try {
    const value = await call(reader, request);
    const transfer = request.method === 'next' ? buffers(value as Batch | undefined) : [];
    port.postMessage({ id, value }, transfer);
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const problems = thrown instanceof OnnxError ? thrown.problems : [];
    port.postMessage({ id, error: { message, problems } }, []);
  }
}

function call(reader: LocalReader, { method, args }: Request): Promise<unknown> {
  switch (method) {
    case 'read':
      return reader.read(args[0] as string, args[1] as Blob | string);
    case 'begin':
      return reader.begin(args[0] as string, args[1] as number);
    case 'append':
      return reader.append(args[0] as Uint8Array<ArrayBuffer>);
    case 'inspect':
      return reader.inspect();
    case 'plan':
      return reader.plan(args[0] as PlanOptions, args[1] as object | undefined);
    case 'next':
      return reader.next();
  }
}

function buffers(batch: Batch | undefined): ArrayBuffer[] {
  return (batch?.constants ?? []).map((constant) => constant.bytes);
}
