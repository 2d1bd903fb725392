/** Plays a plan to a graph builder, be it this package's or the browser's own, or gathers its text. */

import type { Attribute, Descriptor, TextGraph } from '../host.js';
import type { Batch, Call, PlanHead, Reader } from './types.js';

/** As much of an `MLGraphBuilder` as is called by name. */
interface NamedCalls<Operand, Graph> {
  input(name: string, descriptor: Descriptor): Operand;
  constant(descriptor: Descriptor, bytes: ArrayBuffer): Operand;
  build(outputs: Record<string, Operand>): Promise<Graph>;
}

/** The operations, each of them by the specification's name. */
type Operations<Operand> = Record<
  string,
  (...args: (Operand | Operand[] | Attribute | Options<Operand>)[]) => Operand | Operand[]
>;

type Options<Operand> = Record<string, Operand | Attribute>;

/** What makes a builder for a context. */
export type BuilderConstructor<Context, Graph> = new (context: Context) => {
  build(outputs: never): Promise<Graph>;
};

/**
 * Builds the graph. Each batch is replayed in the task that its arrival is, so that a page stays
 * responsive; the next one is on its way meanwhile.
 */
export async function replay<Graph>(
  target: { build(outputs: never): Promise<Graph> },
  plan: PlanHead,
  reader: Reader,
  signal?: AbortSignal,
): Promise<Graph> {
  // The plan holds what the builder of a context of these limits takes, call by call.
  const builder = target as unknown as NamedCalls<object, Graph>;
  const operations = target as unknown as Operations<object>;
  const values = new Map<number, object>();
  for (const { name, dataType, shape, value } of plan.inputs) {
    values.set(value, builder.input(name, { dataType, shape }));
  }
  for await (const batch of batches(reader, signal)) {
    for (const { dataType, shape, value, bytes } of batch.constants) {
      values.set(value, builder.constant({ dataType, shape }, bytes));
    }
    for (const call of batch.calls) {
      perform(operations, call, values);
    }
  }
  const outputs: Record<string, object> = Object.create(null) as Record<string, object>;
  for (const { name, value } of plan.outputs) {
    outputs[name] = at(values, value);
  }
  return builder.build(outputs);
}

/** The text of a plan that has no calls, with the constants. */
export async function gathered(
  text: string,
  { inputs, outputs }: PlanHead,
  reader: Reader,
  signal?: AbortSignal,
): Promise<TextGraph> {
  const constants = new Map<number, ArrayBuffer>();
  for await (const batch of batches(reader, signal)) {
    for (const { value, bytes } of batch.constants) constants.set(value, bytes);
  }
  return { text, inputs, outputs, constants };
}

/** Each batch while the next one is on its way. */
async function* batches(reader: Reader, signal: AbortSignal | undefined): AsyncGenerator<Batch> {
  let coming = reader.next();
  for (;;) {
    const batch = await coming;
    if (batch === undefined) return;
    coming = reader.next();
    // Where the work fails nobody waits for the batch that is on its way.
    coming.catch(() => undefined);
    signal?.throwIfAborted();
    yield batch;
  }
}

function perform(builder: Operations<object>, call: Call, values: Map<number, object>): void {
  const operands = call.operands.map((operand) =>
    typeof operand === 'number' ? at(values, operand) : operand.map((value) => at(values, value)),
  );
  const options: Options<object> = { ...call.options };
  for (const [name, value] of Object.entries(call.optional)) {
    options[name] = at(values, value);
  }
  const result = builder[call.method]?.(...operands, ...call.parameters, options);
  const results = Array.isArray(result) ? (result as object[]) : [result];
  call.outputs.forEach((value, i) => {
    const operand = results[i];
    if (operand === undefined) {
      throw new TypeError(`${call.method} gave ${results.length} results, expected ${call.outputs.length}`);
    }
    values.set(value, operand);
  });
}

function at(values: Map<number, object>, value: number): object {
  const operand = values.get(value);
  if (operand === undefined) {
    throw new TypeError(`value ${value} is taken before it is made`);
  }
  return operand;
}
