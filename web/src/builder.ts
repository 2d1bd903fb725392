/** MLGraphBuilder: `input`, `constant` and `build`, and the operators from the table of the IDL. */

import { bytesOf, viewMismatch, type BufferSource } from './buffers.js';
import { convertArguments, dictionarySource, isObject, readMember } from './convert.js';
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

type Operands = HostOperand | readonly HostOperand[];

/** Adds the operators to the prototype: what each converts, and into which of the host's lists. */
for (const { methods, parameters, options, result } of operators) {
  const readParameters = parameters.map(([name, convert]) => ({
    name,
    convert,
    isOperand: convert === toMLOperand || convert === toMLOperands,
  }));
  const readOptions = options.members.map(([name, { convert }]) => ({
    name,
    convert,
    isOperand: convert === toMLOperand,
    isLabel: name === 'label',
  }));
  for (const method of methods) {
    const add = function (builder: HostBuilder, args: readonly unknown[]): HostOperand[] {
      if (args.length < parameters.length) {
        throw tooFewArguments(method, parameters.length, args.length);
      }
      const operands: [string, Operands][] = [];
      const attributes: [string, Attribute][] = [];
      let label = '';
      let argument = '';
      try {
        for (let i = 0; i < readParameters.length; i += 1) {
          const { name, convert, isOperand } = readParameters[i] as (typeof readParameters)[number];
          argument = name;
          const value = convert(args[i]);
          if (isOperand) operands.push([name, value as Operands]);
          else attributes.push([name, value as Attribute]);
        }
        argument = 'options';
        const source = dictionarySource(args[parameters.length]);
        if (source !== undefined) {
          for (const { name, convert, isOperand, isLabel } of readOptions) {
            const value = readMember(source, name, convert);
            if (value === undefined) continue;
            if (isLabel) label = value as string;
            else if (isOperand) operands.push([name, value as HostOperand]);
            else attributes.push([name, value as Attribute]);
          }
        }
      } catch (error) {
        throw atArgument(error, method, argument);
      }
      try {
        return builder.add(method, operands, attributes, label);
      } catch (error) {
        throw toException(error);
      }
    };
    const implementation = {
      [method](this: unknown, ...args: unknown[]): MLOperand | MLOperand[] {
        const outputs = add(own(builderOf(this), 'MLGraphBuilder', method), args);
        return result === 'sequence' ? outputs.map(wrap) : wrap(outputs[0] as HostOperand);
      },
    };
    Object.defineProperty(MLGraphBuilder.prototype, method, {
      value: implementation[method],
      writable: true,
      configurable: true,
    });
  }
}
