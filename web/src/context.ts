/** MLContext. */

import { bytesOf, isDetachedSource, type BufferSource } from './buffers.js';
import { withBytes } from './builder.js';
import { convertArguments, isObject } from './convert.js';
import { translated } from './errors.js';
import type { HostContext, TextGraph } from './host.js';
import { signatures } from './idl.gen.js';
import { illegalInvocation, MLGraph, MLTensor, OURS, own, provideContext, requireOurs, type TensorState } from './objects.js';
import { markDestroyed, pendingOn } from './pending.js';
import type { MLContextLostInfo } from './types.gen.js';

const calls = signatures.MLContext;

let stateOf: (value: unknown) => ContextState | undefined;

interface ContextState {
  readonly host: HostContext;
  readonly lost: Promise<MLContextLostInfo>;
}

export class MLContext {
  readonly #state: ContextState;

  static {
    stateOf = (value) => (isObject(value) && #state in value ? value.#state : undefined);
  }

  constructor(...[key, host]: [key?: symbol, host?: HostContext]) {
    requireOurs(key, 'MLContext');
    const context = host as HostContext;
    const lost = context.lost.then((message) => ({ message }));
    this.#state = { host: context, lost };
  }

  get accelerated(): boolean {
    return own(stateOf(this), 'MLContext', 'accelerated').host.accelerated;
  }

  /** As the attribute is a promise, an illegal invocation is a rejection too. */
  get lost(): Promise<MLContextLostInfo> {
    return stateOf(this)?.lost ?? Promise.reject(illegalInvocation('MLContext', 'lost'));
  }

  dispatch(...args: unknown[]): void {
    const { host } = own(stateOf(this), 'MLContext', 'dispatch');
    const [graph, inputs, outputs] = convertArguments(calls.dispatch, args);
    translated(() => {
      host.dispatch(graph, inputs.map(hostTensor), outputs.map(hostTensor));
    });
  }

  async createTensor(...args: unknown[]): Promise<MLTensor> {
    const { host } = own(stateOf(this), 'MLContext', 'createTensor');
    const [{ dataType, shape, readable, writable }] = convertArguments(calls.createTensor, args);
    const descriptor = { dataType, shape };
    const usage = { readable, writable };
    const tensor = await pendingOn('createTensor', [host], () => host.createTensor(descriptor, usage));
    return new MLTensor(OURS, { host: tensor, descriptor, usage, constant: false });
  }

  async createConstantTensor(...args: unknown[]): Promise<MLTensor> {
    const { host } = own(stateOf(this), 'MLContext', 'createConstantTensor');
    const [descriptor, inputData] = convertArguments(calls.createConstantTensor, args);
    const created = withBytes('createConstantTensor', descriptor, inputData, (bytes) =>
      host.createConstantTensor(descriptor, bytes),
    );
    const tensor = await pendingOn('createConstantTensor', [host], () => created);
    const usage = { readable: false, writable: false };
    return new MLTensor(OURS, { host: tensor, descriptor, usage, constant: true });
  }

  async readTensor(...args: unknown[]): Promise<ArrayBuffer | undefined> {
    const { host } = own(stateOf(this), 'MLContext', 'readTensor');
    const [fresh, into] = calls.readTensor;
    if (args.length < into.required) {
      const [tensor] = convertArguments(fresh, args);
      return pendingOn('readTensor', [host, tensor.host], () => host.readTensor(tensor.host));
    }
    const [tensor, destination] = convertArguments(into, args);
    const { byteLength } = bytesOf(destination);
    const bytes = await pendingOn('readTensor', [host, tensor.host], () =>
      host.readTensor(tensor.host, byteLength),
    );
    writeBytes(destination, bytes);
    return undefined;
  }

  writeTensor(...args: unknown[]): void {
    const { host } = own(stateOf(this), 'MLContext', 'writeTensor');
    const [tensor, inputData] = convertArguments(calls.writeTensor, args);
    translated(() => {
      host.writeTensor(tensor.host, bytesOf(inputData));
    });
  }

  opSupportLimits(): Record<string, unknown> {
    return own(stateOf(this), 'MLContext', 'opSupportLimits').host.opSupportLimits();
  }

  destroy(): void {
    const { host } = own(stateOf(this), 'MLContext', 'destroy');
    markDestroyed(host);
    translated(() => {
      host.destroy();
    });
  }
}

/** The host's context behind one of ours; `undefined` of anything else. */
export function hostContext(value: unknown): HostContext | undefined {
  return stateOf(value)?.host;
}

/**
 * Builds a graph that an importer has made, past `MLGraphBuilder`; `undefined` where the context is
 * not ours, or its host takes calls alone.
 *
 * @internal for the package's own entries
 */
export function textBuilder(context: object): ((graph: TextGraph) => Promise<MLGraph>) | undefined {
  const host = hostContext(context);
  if (host?.buildText === undefined) return undefined;
  const build = host.buildText.bind(host);
  return async (graph) => new MLGraph(OURS, await pendingOn('build', [host], () => build(graph)));
}

provideContext(hostContext);

function hostTensor([name, { host }]: readonly [string, TensorState]) {
  return [name, host] as const;
}

/** The script may have given the memory away while it waited. */
function writeBytes(destination: BufferSource, bytes: ArrayBuffer): void {
  if (isDetachedSource(destination)) {
    throw new TypeError('readTensor: outputData was detached while the read was pending');
  }
  bytesOf(destination).set(new Uint8Array(bytes));
}
