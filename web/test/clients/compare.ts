/** What the tests ask of a client's reply. */

import { expect } from 'vitest';
import type { Output, Reply } from './page/ort.js';

/** Where ONNX Runtime put a model's nodes. */
export interface Placement {
  readonly nodes: number;
  readonly onWebnn: number;
  readonly partitions: number;
}

export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

/** Reads the placement from ONNX Runtime's verbose log. */
export function placementIn(log: readonly string[]): Placement {
  const said =
    /partitions supported by WebNN: (\d+)\s+number of nodes in the graph: (\d+)\s+number of nodes supported by WebNN: (\d+)/;
  const found = log.map((line) => said.exec(line)).find((match) => match !== null);
  if (found === undefined) throw new Error(`ONNX Runtime says nothing of WebNN in:\n${log.slice(0, 20).join('\n')}`);
  const [partitions, nodes, onWebnn] = found.slice(1).map(Number) as [number, number, number];
  return { nodes, onWebnn, partitions };
}

/** Why nodes stayed with ONNX Runtime, for the message of a failed expectation. */
export function refusalsIn(log: readonly string[]): string {
  return log.filter((line) => /not supported|unsupported|not in supported/i.test(line)).join('\n');
}

export function expectClose(actual: Reply['outputs'], expected: Reply['outputs'], tolerance: Tolerance): void {
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, output] of Object.entries(expected)) {
    const { dims, type, values } = actual[name] as Output;
    expect({ name, type, dims }).toEqual({ name, type: output.type, dims: output.dims });
    expect(farthest(values, output.values, tolerance), `output ${name}`).toBeUndefined();
  }
}

/** The pair that is farthest outside of the tolerance, in words. */
export function farthest(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { atol, rtol }: Tolerance,
): string | undefined {
  if (actual.length !== expected.length) return `${actual.length} values, expected ${expected.length}`;
  let worst = 1;
  let at = -1;
  for (let i = 0; i < expected.length; i++) {
    const [is, should] = [actual[i] as number, expected[i] as number];
    if (Object.is(is, should)) continue;
    const excess = Math.abs(is - should) / (atol + rtol * Math.abs(should));
    // The negation lets a NaN on one side count.
    if (!(excess <= worst)) {
      worst = excess;
      at = i;
    }
  }
  if (at < 0) return undefined;
  return `value ${at} is ${actual[at] as number}, expected ${expected[at] as number}: ${worst} times the tolerance`;
}

export function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/** Logits as probabilities. */
export function softmaxOf(outputs: Reply['outputs']): Reply['outputs'] {
  const softmax = (logits: readonly number[]) => {
    const greatest = logits[argmax(logits)] ?? 0;
    const powers = logits.map((logit) => Math.exp(logit - greatest));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  };
  return Object.fromEntries(
    Object.entries(outputs).map(([name, output]) => [name, { ...output, values: softmax(output.values) }]),
  );
}
