/** MLGraphBuilder: `input`, `constant` and `build`, and the operators from the table of the IDL. */

import { bytesOf, viewMismatch, type BufferSource } from './buffers.js';
import {
  type Converter,
  convertArguments,
  dictionarySource,
  isObject,
  readMember,
} from './convert.js';
import { atArgument, tooFewArguments, toException, translated } from './errors.js';
import type { Attribute, Descriptor, HostBuilder, HostContext, HostOperand } from './host.js';
import { operators, signatures } from './idl.gen.js';
import { MLGraph, MLOperand, OURS, own, toMLOperand, toMLOperands } from './objects.js';
import { pendingOn } from './pending.js';
import { requirePolicy } from './policy.js';

const calls = signatures.MLGraphBuilder;

let builderOf: (value: unknown) => HostBuilder | undefined;

export class MLGraphBuilder {
  readonly #context: HostContext;
  readonly #host: HostBuilder;

  static {
    builderOf = (value) => (isObject(value) && #host in value ? value.#host : undefined);
  }

  constructor(...args: unknown[]) {
    const [context] = convertArguments(calls.constructor, args);
    requirePolicy();
    this.#context = context;
    this.#host = translated(() => context.createBuilder());
  }

  input(...args: unknown[]): MLOperand {
    const builder = own(builderOf(this), 'MLGraphBuilder', 'input');
    const [name, descriptor] = convertArguments(calls.input, args);
    return wrap(translated(() => builder.input(name, descriptor)));
  }

  constant(...args: unknown[]): MLOperand {
    const builder = own(builderOf(this), 'MLGraphBuilder', 'constant');
    return wrap(constant(builder, args));
  }

  async build(...args: unknown[]): Promise<MLGraph> {
    const builder = own(builderOf(this), 'MLGraphBuilder', 'build');
    const [outputs] = convertArguments(calls.build, args);
    return new MLGraph(OURS, await pendingOn('build', [this.#context], () => builder.build(outputs)));
  }
}

function wrap(operand: HostOperand): MLOperand {
  return new MLOperand(OURS, operand);
}

/** Told apart by the number of arguments, then by the first: no object can be a data type. */
function constant(builder: HostBuilder, args: readonly unknown[]): HostOperand {
  const [withBuffer, withNumber, withTensor] = calls.constant;
  if (args.length < withBuffer.required) {
    const [tensor] = convertArguments(withTensor, args);
    return translated(() => builder.constantTensor(tensor.host));
  }
  const first = args[0];
  if (isObject(first) || first === undefined || first === null) {
    const [descriptor, buffer] = convertArguments(withBuffer, args);
    return withBytes('constant', descriptor, buffer, (bytes) => builder.constant(descriptor, bytes));
  }
  const [dataType, value] = convertArguments(withNumber, args);
  return translated(() => builder.scalar(dataType, value));
}

const NO_BYTES = new Uint8Array(0);

/**
 * Hands a buffer's bytes to the host. Of a view of a wrong type it hands none, which the host
 * refuses after everything that the specification checks before the buffer.
 */
export function withBytes<T>(
  method: string,
  { dataType }: Descriptor,
  buffer: BufferSource,
  take: (bytes: Uint8Array) => T,
): T {
  const mismatch = viewMismatch(buffer, dataType);
  try {
    const taken = take(mismatch === undefined ? bytesOf(buffer) : NO_BYTES);
    if (mismatch === undefined) return taken;
  } catch (error) {
    const exception = toException(error);
    if (mismatch === undefined || !(exception instanceof TypeError)) throw exception;
  }
  throw new TypeError(`${method}: ${mismatch}`);
}

/** A parameter or a member of the options, and where its value goes. */
interface Part {
  readonly name: string;
  readonly convert: Converter<unknown>;
  readonly isOperand: boolean;
}

function part(name: string, convert: Converter<unknown>): Part {
  return { name, convert, isOperand: convert === toMLOperand || convert === toMLOperands };
}

/** The arguments of a call as the host takes them. */
class Call {
  readonly operands: [string, HostOperand | readonly HostOperand[]][] = [];
  readonly attributes: [string, Attribute][] = [];
  label = '';

  push({ name, isOperand }: Part, value: unknown): void {
    if (isOperand) this.operands.push([name, value as HostOperand]);
    else if (name === 'label') this.label = value as string;
    else this.attributes.push([name, value as Attribute]);
  }
}

/** From left to right; what the options do not hold is left to the host's defaults. */
function readCall(
  method: string,
  parameters: readonly Part[],
  options: readonly Part[],
  args: readonly unknown[],
): Call {
  if (args.length < parameters.length) {
    throw tooFewArguments(method, parameters.length, args.length);
  }
  const call = new Call();
  let argument = 'options';
  try {
    for (const [i, parameter] of parameters.entries()) {
      argument = parameter.name;
      call.push(parameter, parameter.convert(args[i]));
    }
    argument = 'options';
    const source = dictionarySource(args[parameters.length]);
    if (source === undefined) return call;
    for (const option of options) {
      const value = readMember(source, option.name, option.convert);
      if (value !== undefined) call.push(option, value);
    }
    return call;
  } catch (error) {
    throw atArgument(error, method, argument);
  }
}

/** The methods of the IDL's table, which differ in what they convert and in nothing else. */
for (const { methods, parameters, options, result } of operators) {
  const parameterParts = parameters.map(([name, convert]) => part(name, convert));
  const optionParts = options.members.map(([name, { convert }]) => part(name, convert));
  for (const method of methods) {
    const holder = {
      [method](this: unknown, ...args: unknown[]): MLOperand | MLOperand[] {
        const builder = own(builderOf(this), 'MLGraphBuilder', method);
        const { operands, attributes, label } = readCall(method, parameterParts, optionParts, args);
        const outputs = translated(() => builder.add(method, operands, attributes, label));
        return result === 'sequence' ? outputs.map(wrap) : wrap(outputs[0] as HostOperand);
      },
    };
    const value = holder[method];
    Object.defineProperty(MLGraphBuilder.prototype, method, {
      value,
      writable: true,
      configurable: true,
    });
  }
}
