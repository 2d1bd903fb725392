/** The API as a program in Node uses it. */

import { expect, it } from 'vitest';

import { contextInfo, ml, MLGraphBuilder, MLTensor } from '../../src/node.js';
import type { MLContext, MLOperand } from '../../src/node.js';

/** The same numbers each time, between -1 and 1. */
function numbers(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

interface Image {
  readonly channels: number;
  readonly side: number;
  readonly data: ArrayLike<number>;
}

interface Convolution {
  readonly filter: Float32Array;
  readonly out: number;
  readonly kernel: number;
  readonly stride: number;
  readonly groups: number;
}

/** A convolution in channels-first order by its definition, padded to keep `side / stride`. */
function convolve(image: Image, { filter, out, kernel, stride, groups }: Convolution): Image {
  const { channels, side, data } = image;
  const padding = (kernel - 1) / 2;
  const size = Math.ceil(side / stride);
  const perGroup = channels / groups;
  const result = new Float64Array(out * size * size);
  for (let o = 0; o < out; o += 1) {
    const first = Math.floor(o / (out / groups)) * perGroup;
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        let sum = 0;
        for (let c = 0; c < perGroup; c += 1) {
          for (let i = 0; i < kernel; i += 1) {
            for (let j = 0; j < kernel; j += 1) {
              const row = y * stride + i - padding;
              const column = x * stride + j - padding;
              if (row < 0 || column < 0 || row >= side || column >= side) continue;
              const weight = filter[((o * perGroup + c) * kernel + i) * kernel + j] ?? NaN;
              sum += weight * (data[((first + c) * side + row) * side + column] ?? NaN);
            }
          }
        }
        result[(o * size + y) * size + x] = sum;
      }
    }
  }
  return { channels: out, side: size, data: result };
}

function relu6({ data, ...rest }: Image): Image {
  return { ...rest, data: Array.from(data, (value) => Math.min(Math.max(value, 0), 6)) };
}

/** MobileNet in small: a stem, one inverted residual block, the mean of each channel, softmax. */
const STEM = { filter: numbers(8 * 3 * 9, 1), out: 8, kernel: 3, stride: 2, groups: 1 };
const EXPAND = { filter: numbers(24 * 8, 2), out: 24, kernel: 1, stride: 1, groups: 1 };
const DEPTHWISE = { filter: numbers(24 * 9, 3), out: 24, kernel: 3, stride: 1, groups: 24 };
const PROJECT = { filter: numbers(8 * 24, 4), out: 8, kernel: 1, stride: 1, groups: 1 };
const SIDE = 16;

function expected(picture: Float32Array): number[] {
  const stem = relu6(convolve({ channels: 3, side: SIDE, data: picture }, STEM));
  const expanded = relu6(convolve(stem, EXPAND));
  const projected = convolve(relu6(convolve(expanded, DEPTHWISE)), PROJECT);
  const area = projected.side ** 2;
  const means = Array.from({ length: 8 }, (_, channel) => {
    let sum = 0;
    for (let i = channel * area; i < (channel + 1) * area; i += 1) {
      sum += (projected.data[i] ?? NaN) + (stem.data[i] ?? NaN);
    }
    return sum / area;
  });
  const greatest = Math.max(...means);
  const powers = means.map((mean) => Math.exp(mean - greatest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

async function build(context: MLContext) {
  const builder = new MLGraphBuilder(context);
  const convolution = (input: MLOperand, { filter, kernel, stride, groups, out }: Convolution) => {
    const shape = [out, filter.length / (out * kernel * kernel), kernel, kernel];
    const padding = Array.from({ length: 4 }, () => (kernel - 1) / 2);
    const weights = builder.constant({ dataType: 'float32', shape }, filter);
    return builder.conv2d(input, weights, { padding, strides: [stride, stride], groups });
  };
  const bounded = (input: MLOperand) => builder.clamp(input, { minValue: 0, maxValue: 6 });
  const picture = builder.input('picture', { dataType: 'float32', shape: [1, 3, SIDE, SIDE] });
  const stem = bounded(convolution(picture, STEM));
  const expanded = bounded(convolution(stem, EXPAND));
  const block = convolution(bounded(convolution(expanded, DEPTHWISE)), PROJECT);
  const means = builder.averagePool2d(builder.add(block, stem));
  const scores = builder.softmax(builder.reshape(means, [1, 8]), 1);
  return builder.build({ scores });
}

it('computes a small MobileNet as its definition says', async () => {
  const context = await ml.createContext();
  expect(contextInfo(context)?.details).toMatch(/^native, /);
  const graph = await build(context);
  const picture = await context.createTensor({
    dataType: 'float32',
    shape: [1, 3, SIDE, SIDE],
    writable: true,
  });
  const scores = await context.createTensor({ dataType: 'float32', shape: [1, 8], readable: true });
  expect(scores).toBeInstanceOf(MLTensor);
  for (const seed of [5, 6]) {
    const pixels = numbers(3 * SIDE * SIDE, seed);
    context.writeTensor(picture, pixels);
    context.dispatch(graph, { picture }, { scores });
    const result = Array.from(new Float32Array(await context.readTensor(scores)));
    const wanted = expected(pixels);
    expect(result).toHaveLength(wanted.length);
    for (const [i, score] of result.entries()) expect(score).toBeCloseTo(wanted[i] ?? NaN, 5);
  }
});

it('throws exceptions of the specification', async () => {
  const context = await ml.createContext();
  const builder = new MLGraphBuilder(context);
  const x = builder.input('x', { dataType: 'float32', shape: [2] });
  expect(() => builder.softmax(x, 3, { label: 'scores' })).toThrow(TypeError);
  expect(() => builder.softmax(x, 3, { label: 'scores' })).toThrow('[scores]');
  context.destroy();
  await expect(context.lost).resolves.toEqual({ message: 'destroy() was called' });
  await expect(context.createTensor({ dataType: 'float32', shape: [1] })).rejects.toMatchObject({
    name: 'InvalidStateError',
  });
});
