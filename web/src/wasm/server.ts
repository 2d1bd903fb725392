/** The engine behind the messages: in a worker, or on the calling thread where there is none. */

import { Engine, help, initSync } from '../../wasm/webnn.js';
import { hostError, isHostError, messageOf } from './failure.js';
import type { Answer, Command, StartEngine, StartHelper } from './protocol.js';

type Send = (answer: Answer, transfer?: ArrayBuffer[]) => void;

/** Makes an instance of the module and an engine in it, and what is to be said of it. */
export function startEngine(
  { module, options, threads }: StartEngine,
  send: Send,
): { server: EngineServer; ready: Answer } {
  const { memory } = initSync(withMemory(module, ENGINE_PAGES));
  const server = new EngineServer(send, options, threads);
  const { helpers } = server;
  const { details, reason } = server.device;
  const ready: Answer = { kind: 'ready', details, reason, helpers, memory: helpers === 0 ? undefined : memory };
  return { server, ready };
}

/** Computes for the engine whose memory it is, until the worker is terminated. */
export function startHelper({ module, memory }: StartHelper, send: Send): void {
  initSync({ module, memory });
  send({ kind: 'joined' });
  help();
}

/** Pages of 64 KiB: more than the module's own data, so that it takes the memory. */
const INITIAL_PAGES = 40;
/** All that 32 bits can name. */
export const ENGINE_PAGES = 65536;
/** The page's half holds no tensors and no constants. */
export const FRONT_PAGES = 4096;

/**
 * What an instance is made of. Memory that is shared reserves its maximum at once, which small
 * devices refuse: then less must do. A module with a memory of its own ignores the one that it is
 * given; it is given one because the glue would otherwise make it a shared one.
 */
export function withMemory(
  module: WebAssembly.Module,
  maximum: number,
): { module: WebAssembly.Module; memory: WebAssembly.Memory } {
  const isShared = WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory');
  if (!isShared) return { module, memory: new WebAssembly.Memory({ initial: 0 }) };
  try {
    return { module, memory: new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared: true }) };
  } catch (error) {
    if (maximum <= FRONT_PAGES) throw error;
    return withMemory(module, maximum / 2);
  }
}

/**
 * A network of the commonest operators. Browsers compile a function when it is called for the first
 * time, and many are on the way of any graph: what this one calls is there when the page's
 * comes, which its script is still reading.
 */
const NETWORK = `
  %x = input "x" float32[1, 3, 4, 4]
  %filter = constant float32[4, 3, 3, 3] external 0
  %bias = constant float32[4] external 1
  %conv = conv2d(%x, %filter, bias: %bias) { padding: [1, 1, 1, 1] }
  %relu = relu(%conv)
  %pool = maxPool2d(%relu) { windowDimensions: [2, 2], strides: [2, 2] }
  %flat = reshape(%pool) { newShape: [1, 16] }
  %weights = constant float32[16, 4] external 2
  %product = matmul(%flat, %weights)
  %sum = add(%product, %bias)
  %y = softmax(%sum) { axis: 1 }
  output "y" = %y
`;

export class EngineServer {
  readonly #engine: Engine;
  readonly #send: Send;
  #isLost = false;

  /** The module has its instance. */
  constructor(
    send: Send,
    { powerPreference, accelerated, deviceType }: StartEngine['options'],
    threads: number,
  ) {
    this.#send = send;
    this.#engine = new Engine(powerPreference, accelerated, deviceType, threads);
  }

  get device(): { details: string; reason: string } {
    return { details: this.#engine.details(), reason: this.#engine.reason() };
  }

  /** Gives all its memory back. */
  free(): void {
    this.#isLost = true;
    this.#engine.free();
  }

  /** Numbers are the page's half's from 1 on. */
  warmUp(): void {
    const engine = this.#engine;
    const [x, y] = [0, 0xffff_ffff];
    const constants = [4 * 3 * 3 * 3, 4, 16 * 4].map((length) => new Float32Array(length).buffer);
    engine.compile(0, NETWORK, new Uint32Array(constants.keys()), constants);
    engine.createTensor(x, 'float32', [1, 3, 4, 4]);
    engine.createTensor(y, 'float32', [1, 4]);
    engine.dispatch(0, ['x', x], ['y', y]);
    for (const tensor of [x, y]) engine.freeTensor(tensor);
    engine.freeGraph(0);
  }

  get helpers(): number {
    return this.#engine.helpers();
  }

  handle(command: Command): void {
    if (this.#isLost) return;
    try {
      this.#run(command);
    } catch (error) {
      if ('reply' in command && isHostError(error)) {
        this.#send({ kind: 'failed', reply: command.reply, code: error.code, message: error.message });
      } else {
        this.#lose(`the engine failed in ${command.kind}: ${described(error)}`);
      }
    }
  }

  #run(command: Command): void {
    const engine = this.#engine;
    switch (command.kind) {
      case 'tensor': {
        const { dataType, shape } = command.descriptor;
        engine.createTensor(command.tensor, dataType, shape);
        this.#send({ kind: 'done', reply: command.reply });
        return;
      }
      case 'constant':
        engine.createConstant(command.constant, new Uint8Array(command.bytes));
        this.#send({ kind: 'done', reply: command.reply });
        return;
      case 'write':
        engine.write(command.tensor, new Uint8Array(command.bytes));
        return;
      case 'read': {
        const bytes = allocate(engine.byteLength(command.tensor));
        engine.read(command.tensor, new Uint8Array(bytes));
        this.#send({ kind: 'done', reply: command.reply, bytes }, [bytes]);
        return;
      }
      case 'build':
        engine.compile(command.graph, command.text, command.constants, command.buffers);
        this.#send({ kind: 'done', reply: command.reply });
        return;
      case 'dispatch': {
        engine.dispatch(command.graph, command.inputs, command.outputs);
        const reason = engine.lost();
        if (reason !== undefined) this.#lose(reason);
        return;
      }
      case 'free':
        if (command.what === 'tensor') engine.freeTensor(command.id);
        else if (command.what === 'graph') engine.freeGraph(command.id);
        else engine.freeConstant(command.id);
    }
  }

  #lose(reason: string): void {
    this.#isLost = true;
    this.#send({ kind: 'lost', reason });
  }
}

function allocate(byteLength: number): ArrayBuffer {
  try {
    return new ArrayBuffer(byteLength);
  } catch {
    throw hostError('UnknownError', `readTensor: ${byteLength} bytes are more memory than there is`);
  }
}

/** A trap says nothing of its cause; what panics throws an error with its own words. */
function described(error: unknown): string {
  const isTrap = error instanceof WebAssembly.RuntimeError;
  return isTrap ? `it ran out of memory, or has a fault (${error.message})` : messageOf(error);
}
