import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { operators } from '../../src/idl.gen.js';
import { toMLOperand, toMLOperands } from '../../src/objects.js';
import { FLOAT, fixture, type Fixture } from './fake-host.js';

type Method = (...args: unknown[]) => unknown;

/** A value for each parameter that is not an operand; enumerations and sequences among them. */
const SAMPLES: Record<string, unknown> = {
  axis: 1,
  dataType: 'int8',
  newShape: [6],
  steps: 2,
  hiddenSize: 3,
  beginningPadding: [0, 1],
  endingPadding: [1, 0],
  starts: [0, 1],
  sizes: [1, 2],
  splits: [1, 1],
  repetitions: [2, 1],
};

const table = operators.flatMap(({ methods, parameters, options, result }) =>
  methods.map((method) => ({ method, parameters, options, result })),
);

function isOperand(convert: unknown): boolean {
  return convert === toMLOperand || convert === toMLOperands;
}

function argumentsFor(parameters: (typeof table)[number]['parameters'], operand: unknown): unknown[] {
  return parameters.map(([name, convert]) => {
    if (convert === toMLOperands) return [operand, operand];
    return convert === toMLOperand ? operand : SAMPLES[name];
  });
}

function call(builder: Fixture['builder'], method: string, args: readonly unknown[]): unknown {
  return Reflect.apply((builder as unknown as Record<string, Method>)[method] as Method, builder, args);
}

describe('operators', () => {
  it('are 95', () => {
    expect(table).toHaveLength(95);
    expect(new Set(table.map(({ method }) => method)).size).toBe(95);
  });

  it('hand operands and attributes to the host by name', async () => {
    const { host, builder, operand } = await fixture();
    for (const { method, parameters, result } of table) {
      const outputs = call(builder, method, argumentsFor(parameters, operand));
      expect(Array.isArray(outputs), method).toBe(result === 'sequence');
      const names = (operands: boolean) =>
        parameters.filter(([, convert]) => isOperand(convert) === operands).map(([name]) => name);
      const [name, operands, attributes, label] = host.lastCall('add') as [
        string,
        [string, unknown][],
        [string, unknown][],
        string,
      ];
      expect(name).toBe(method);
      expect(operands.map(([key]) => key), method).toEqual(names(true));
      expect(
        attributes,
        method,
      ).toEqual(names(false).map((key) => [key, SAMPLES[key]]));
      expect(label).toBe('');
    }
  });

  it('take what their options hold, and leave out what they do not', async () => {
    const { host, builder, operand } = await fixture();
    builder.gemm(operand, operand, { c: operand, alpha: 0.5, bTranspose: true, label: 'dense' });
    expect(host.lastCall('add')).toEqual([
      'gemm',
      [
        ['a', { dataType: 'float32', shape: [2, 3] }],
        ['b', { dataType: 'float32', shape: [2, 3] }],
        ['c', { dataType: 'float32', shape: [2, 3] }],
      ],
      [
        ['alpha', 0.5],
        ['bTranspose', true],
      ],
      'dense',
    ]);
    builder.clamp(operand, { minValue: 3n, maxValue: Infinity });
    expect(host.lastCall('add')[2]).toEqual([
      ['maxValue', Infinity],
      ['minValue', 3n],
    ]);
    builder.split(operand, 3);
    expect(host.lastCall('add')[2]).toEqual([['splits', 3]]);
    expect(FLOAT.shape).toEqual([]);
  });

  it('know each name that the core knows, and no other', () => {
    const documented = readFileSync(
      join(import.meta.dirname, '../../../docs/operators.md'),
      'utf8',
    );
    const rows = [...documented.matchAll(/^\| \[`(\w+)`\].*$/gm)].map(([line, method]) => {
      const [operands, , attributes] = line.split(' | ').slice(1);
      const names = (cell = '') => [...cell.matchAll(/`(\w+)`(\??…?):/g)];
      const list = (cell?: string) =>
        names(cell).map(([, name, mark]) => `${name ?? ''}${mark === '?' ? '?' : ''}`);
      return { method, operands: list(operands).sort(), attributes: list(attributes).sort() };
    });
    const ours = table.map(({ method, parameters, options }) => {
      const pick = (operands: boolean) =>
        [
          ...parameters.map(([name, convert]) => [name, convert] as const),
          ...options.members
            .filter(([name]) => name !== 'label')
            .map(([name, { convert }]) => [`${name}?`, convert] as const),
        ]
          .filter(([, convert]) => isOperand(convert) === operands)
          .map(([name]) => name)
          .sort();
      return { method, operands: pick(true), attributes: pick(false) };
    });
    const byMethod = (a: { method?: string | undefined }, b: { method?: string | undefined }) =>
      (a.method ?? '') < (b.method ?? '') ? -1 : 1;
    expect(ours.sort(byMethod)).toEqual(rows.sort(byMethod));
  });

  const shared = process.env['WEBNN_SHARED'];
  const facts = join(shared ?? '', 'spec/ops.json');
  it.skipIf(shared === undefined || !existsSync(facts))(
    'are those of the specification, with its parameters and options (needs WEBNN_SHARED)',
    () => {
      const { ops } = JSON.parse(readFileSync(facts, 'utf8')) as {
        ops: {
          name: string;
          returns: string;
          params: { name: string }[];
          options: { members: { name: string }[] };
        }[];
      };
      for (const { name, returns, params, options } of ops) {
        const entry = table.find(({ method }) => method === name);
        expect(entry?.parameters.map(([key]) => key), name).toEqual(
          params.slice(0, -1).map((parameter) => parameter.name),
        );
        expect(entry?.options.members.map(([key]) => key).sort(), name).toEqual(
          options.members.map((member) => member.name).sort(),
        );
        expect(entry?.result === 'sequence', name).toBe(returns.startsWith('sequence'));
      }
      expect(ops).toHaveLength(table.length);
    },
  );
});
