/** Small ONNX graphs on which a native `navigator.ml` fails, each with an input. */

import { TYPES, type Constant, type Graph, type Node, type Type } from './onnx.js';

export interface SmallModel {
  readonly name: string;
  readonly graph: Graph;
  /** Values of the inputs, in their order. */
  readonly feeds: readonly (readonly number[])[];
}

const value = <T extends Type>(name: string, type: T, dims: readonly number[]) => ({ name, type, dims });
const constant = (name: string, type: Type, dims: readonly number[], values: readonly number[]): Constant => ({
  ...value(name, type, dims),
  values,
});
const node = (type: string, inputs: string, outputs: string, attributes: Node['attributes'] = {}): Node => ({
  type,
  inputs: inputs.split(' '),
  outputs: outputs.split(' '),
  attributes,
});

/** Values between -1 and 1 that look like none in particular, the same at each call. */
export function noise(count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.fround(Math.sin(12.9898 * (i + 1)) % 1));
}

/** One operator from `x` to `y`, with its weights. */
function one(
  name: string,
  operator: Node,
  from: readonly number[],
  to: readonly number[],
  constants: readonly Constant[] = [],
): SmallModel {
  return {
    name,
    graph: {
      inputs: [value('x', 'float32', from)],
      outputs: [value('y', 'float32', to)],
      constants,
      nodes: [operator],
    },
    feeds: [noise(from.reduce((product, size) => product * size, 1))],
  };
}

const quantized = (from: string, to: string, by: string) => [
  node('QuantizeLinear', `${from} ${by}_scale ${by}_zero`, `${to}q`),
  node('DequantizeLinear', `${to}q ${by}_scale ${by}_zero`, to),
];
const scalesOf = (name: string, scale: number, zero: number) => [
  constant(`${name}_scale`, 'float32', [], [scale]),
  constant(`${name}_zero`, 'uint8', [], [zero]),
];

/** What an exporter writes for an 8-bit operator: integers between quantizations, a scale for every channel of a weight. */
function quantizedConv(name: string, shape: readonly [number, number, number, number], group: number): SmallModel {
  const [outputs, inputs, height, width] = shape;
  const channels = inputs * group;
  const scales = Array.from({ length: outputs }, (_, i) => Math.fround(0.004 + 0.001 * i));
  const weights = noise(outputs * inputs * height * width).map((v) => Math.round(127 * v));
  const pad = (height - 1) / 2;
  return {
    name: `8-bit ${name} conv2d, per channel`,
    graph: {
      inputs: [value('x', 'float32', [1, channels, 9, 9])],
      outputs: [value('y', 'float32', [1, outputs, 9, 9])],
      constants: [
        ...scalesOf('x', 0.0125, 120),
        ...scalesOf('y', 0.031, 128),
        constant('w', 'int8', shape, weights),
        constant('w_scale', 'float32', [outputs], scales),
        constant('w_zero', 'int8', [outputs], scales.map(() => 0)),
        constant('b', 'int32', [outputs], noise(outputs).map((v) => Math.round(2000 * v))),
        constant('b_scale', 'float32', [outputs], scales.map((scale) => Math.fround(scale * Math.fround(0.0125)))),
        constant('b_zero', 'int32', [outputs], scales.map(() => 0)),
      ],
      nodes: [
        ...quantized('x', 'xd', 'x'),
        node('DequantizeLinear', 'w w_scale w_zero', 'wd', { axis: 0 }),
        node('DequantizeLinear', 'b b_scale b_zero', 'bd', { axis: 0 }),
        node('Conv', 'xd wd bd', 'c', { group, kernel_shape: [height, width], pads: [pad, pad, pad, pad] }),
        ...quantized('c', 'y', 'y'),
      ],
    },
    feeds: [noise(channels * 81)],
  };
}

/** The end of a classifier: a residual sum, the mean of every channel, a product with 8-bit weights. */
function quantizedHead(): SmallModel {
  return {
    name: '8-bit add, pooling and gemm',
    graph: {
      inputs: [value('a', 'float32', [1, 6, 7, 7]), value('b', 'float32', [1, 6, 7, 7])],
      outputs: [value('y', 'float32', [1, 5])],
      constants: [
        ...scalesOf('a', 0.0081, 127),
        ...scalesOf('b', 0.0113, 130),
        ...scalesOf('s', 0.0167, 125),
        ...scalesOf('y', 0.0093, 128),
        constant('w', 'int8', [5, 6], noise(30).map((v) => Math.round(127 * v))),
        constant('w_scale', 'float32', [], [0.006]),
        constant('w_zero', 'int8', [], [0]),
      ],
      nodes: [
        ...quantized('a', 'ad', 'a'),
        ...quantized('b', 'bd', 'b'),
        node('Add', 'ad bd', 'sum'),
        ...quantized('sum', 'sd', 's'),
        node('GlobalAveragePool', 'sd', 'mean'),
        ...quantized('mean', 'md', 's'),
        node('Flatten', 'md', 'flat'),
        node('DequantizeLinear', 'w w_scale w_zero', 'wd'),
        node('Gemm', 'flat wd', 'product', { transB: 1 }),
        ...quantized('product', 'y', 'y'),
      ],
    },
    feeds: [noise(294), noise(300).slice(6)],
  };
}

/** Indices that come with each run. */
function indexed(type: 'GatherElements' | 'ScatterElements'): SmallModel {
  const scatters = type === 'ScatterElements';
  return {
    name: `${type} with indices that are an input`,
    graph: {
      inputs: [
        value('x', 'float32', [3, 4]),
        value('i', 'int64', [3, 2]),
        ...(scatters ? [value('u', 'float32', [3, 2])] : []),
      ],
      outputs: [value('y', 'float32', scatters ? [3, 4] : [3, 2])],
      nodes: [node(type, scatters ? 'x i u' : 'x i', 'y', { axis: 1 })],
    },
    feeds: [noise(12), [3, 0, 1, 2, -1, 0], ...(scatters ? [[10, 11, 12, 13, 14, 15]] : [])],
  };
}

export const SMALL_MODELS: readonly SmallModel[] = [
  quantizedConv('depthwise', [8, 1, 3, 3], 8),
  quantizedConv('3x3', [6, 4, 3, 3], 1),
  quantizedConv('pointwise', [10, 8, 1, 1], 1),
  quantizedHead(),
  indexed('GatherElements'),
  indexed('ScatterElements'),
  one('MaxPool with dilations', node('MaxPool', 'x', 'y', { kernel_shape: [2, 2], dilations: [2, 2] }), [1, 2, 6, 6], [1, 2, 4, 4]),
  one(
    'AveragePool that leaves padding out of the average',
    node('AveragePool', 'x', 'y', { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 0 }),
    [1, 2, 5, 5],
    [1, 2, 5, 5],
  ),
  one(
    'ConvTranspose with padding, strides and dilations',
    node('ConvTranspose', 'x w', 'y', { strides: [2, 2], pads: [1, 1, 1, 1], dilations: [2, 2] }),
    [1, 2, 5, 5],
    [1, 3, 11, 11],
    [constant('w', 'float32', [2, 3, 3, 3], noise(54))],
  ),
  one(
    'ConvTranspose with groups',
    node('ConvTranspose', 'x w', 'y', { group: 2 }),
    [1, 4, 5, 5],
    [1, 6, 7, 7],
    [constant('w', 'float32', [4, 3, 3, 3], noise(108))],
  ),
  one('Pad by the edge', node('Pad', 'x pads', 'y', { mode: 'edge' }), [1, 2, 3, 4], [1, 2, 6, 5], [
    constant('pads', 'int64', [8], [0, 0, 1, 0, 0, 0, 2, 1]),
  ]),
];

/** Two layers whose weights and sums are of the type, with numbers that half precision holds. */
export function layers(type: 'float16' | 'float32'): SmallModel {
  const width = 256;
  const coarse = (count: number, step: number) => noise(count).map((v) => Math.round(v * 256) * step);
  const weight = (name: string) => constant(name, type, [width, width], coarse(width * width, 1 / 2048));
  return {
    name: `two layers of ${type}`,
    graph: {
      inputs: [value('x', 'float32', [4, width])],
      outputs: [value('y', 'float32', [4, width])],
      constants: [
        weight('v'),
        weight('w'),
        constant('scale', type, [width], coarse(width, 1 / 128)),
        constant('shift', type, [width], coarse(width, 1 / 256)),
      ],
      nodes: [
        node('Cast', 'x', 'h', { to: TYPES[type] }),
        node('MatMul', 'h v', 'p'),
        node('Tanh', 'p', 't'),
        node('MatMul', 't w', 'q'),
        node('Add', 'q h', 'r'),
        node('LayerNormalization', 'r scale shift', 'n', { axis: -1 }),
        node('Cast', 'n', 'y', { to: TYPES.float32 }),
      ],
    },
    feeds: [coarse(4 * width, 1 / 64)],
  };
}
