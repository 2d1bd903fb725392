/**
 * Picture filters as WebNN graphs, weights by formula.
 *
 * A picture comes in as a canvas has it, rows of pixels of four bytes, and goes out the same way:
 * the graph does all that lies between.
 */

import type { MLGraph, MLGraphBuilder, MLOperand } from 'webnn';

export interface Filter {
  readonly id: string;
  readonly name: string;
  /** One sentence for people. */
  readonly about: string;
  /** From red, green and blue of 0 to 1, channels last, to the same. */
  readonly apply: (kit: Kit, picture: MLOperand) => MLOperand;
}

/** Sizes of the picture. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface BuiltFilter {
  readonly graph: MLGraph;
  /** How many operations the graph has. */
  readonly operations: number;
}

/** Builds the graph of a filter; input `frame` and output `picture` are bytes, [1, height, width, 4]. */
export async function buildFilter(builder: MLGraphBuilder, filter: Filter, size: Size): Promise<BuiltFilter> {
  const { width, height } = size;
  const counting = counted(builder);
  const kit = new Kit(counting.builder);
  const bytes = counting.builder.input('frame', { dataType: 'uint8', shape: [1, height, width, 4] });
  const colours = counting.builder.slice(bytes, [0, 0, 0, 0], [1, height, width, 3]);
  const alpha = counting.builder.slice(bytes, [0, 0, 0, 3], [1, height, width, 1]);
  const picture = kit.mul(counting.builder.cast(colours, 'float32'), kit.number(1 / 255));
  const result = filter.apply(kit, picture);
  // Half a step, as a cast cuts off what is behind the point.
  const scaled = counting.builder.linear(result, { alpha: 255, beta: 0.5 });
  const inRange = counting.builder.clamp(scaled, { minValue: 0, maxValue: 255 });
  const rgb = counting.builder.cast(inRange, 'uint8');
  const graph = await builder.build({ picture: counting.builder.concat([rgb, alpha], 3) });
  return { graph, operations: counting.count() };
}

/** The builder, with its operations counted. */
function counted(builder: MLGraphBuilder): { builder: MLGraphBuilder; count: () => number } {
  let count = 0;
  const proxy = new Proxy(builder, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') {
        return member;
      }
      return (...args: unknown[]): unknown => {
        count += name === 'input' || name === 'constant' ? 0 : 1;
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { builder: proxy, count: () => count };
}

/** Parts of filters. */
export class Kit {
  readonly #builder: MLGraphBuilder;

  constructor(builder: MLGraphBuilder) {
    this.#builder = builder;
  }

  get builder(): MLGraphBuilder {
    return this.#builder;
  }

  number(value: number): MLOperand {
    return this.#builder.constant('float32', value);
  }

  add(a: MLOperand, b: MLOperand): MLOperand {
    return this.#builder.add(a, b);
  }

  sub(a: MLOperand, b: MLOperand): MLOperand {
    return this.#builder.sub(a, b);
  }

  mul(a: MLOperand, b: MLOperand): MLOperand {
    return this.#builder.mul(a, b);
  }

  /** Slides a kernel over each channel by itself; what lies inside the border is mirrored outside. */
  convolve(picture: MLOperand, rows: readonly (readonly number[])[]): MLOperand {
    const channels = picture.shape[3] ?? 1;
    const [height, width] = [rows.length, rows[0]?.length ?? 0];
    const [down, right] = [(height - 1) / 2, (width - 1) / 2];
    const padded = this.#builder.pad(picture, [0, down, right, 0], [0, down, right, 0], { mode: 'reflection' });
    const weights = Float32Array.from(rows.flat().flatMap((weight) => Array<number>(channels).fill(weight)));
    const filter = this.#builder.constant({ dataType: 'float32', shape: [1, height, width, channels] }, weights);
    return this.#builder.conv2d(padded, filter, {
      inputLayout: 'nhwc',
      filterLayout: 'ihwo',
      groups: channels,
    });
  }

  /** A Gaussian blur, one direction after the other. */
  blur(picture: MLOperand, deviation: number): MLOperand {
    const weights = gaussian(deviation);
    return this.convolve(this.convolve(picture, [weights]), weights.map((weight) => [weight]));
  }

  /** How light each pixel is; the weights are those of sRGB's primaries. */
  luminance(picture: MLOperand): MLOperand {
    const weights = new Float32Array([0.2126, 0.7152, 0.0722]);
    const filter = this.#builder.constant({ dataType: 'float32', shape: [1, 1, 1, 3] }, weights);
    return this.#builder.conv2d(picture, filter, { inputLayout: 'nhwc', filterLayout: 'ohwi' });
  }

  /** How steeply lightness changes, by Sobel's operator. */
  slope(light: MLOperand): MLOperand {
    const smooth = [1, 2, 1];
    const across = smooth.map((weight) => [-weight / 4, 0, weight / 4]);
    const down = [-1, 0, 1].map((sign) => smooth.map((weight) => (sign * weight) / 4));
    const x = this.convolve(light, across);
    const y = this.convolve(light, down);
    return this.#builder.sqrt(this.add(this.mul(x, x), this.mul(y, y)));
  }

  /** Three equal channels of one. */
  grey(light: MLOperand): MLOperand {
    return this.#builder.concat([light, light, light], 3);
  }

  /** 0 below the first value, 1 above the second, straight between. */
  ramp(value: MLOperand, from: number, to: number): MLOperand {
    const alpha = 1 / (to - from);
    const line = this.#builder.linear(value, { alpha, beta: -from * alpha });
    return this.#builder.clamp(line, { minValue: 0, maxValue: 1 });
  }
}

/** Weights of a Gaussian, which add up to 1; farther out than 2.5 deviations nothing is seen. */
export function gaussian(deviation: number): number[] {
  const radius = Math.ceil(2.5 * deviation);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * deviation ** 2)));
  const sum = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / sum);
}

export const FILTERS: readonly Filter[] = [
  {
    id: 'blur',
    name: 'Blur',
    about: 'A Gaussian of 3 pixels, as two depthwise convolutions: along the rows, then along the columns.',
    apply: (kit, picture) => kit.blur(picture, 3),
  },
  {
    id: 'edges',
    name: 'Edges',
    about: 'Sobel’s two 3 × 3 convolutions on the lightness, and the length of what they give.',
    apply: (kit, picture) => {
      const light = kit.blur(kit.luminance(picture), 0.8);
      return kit.grey(kit.ramp(kit.slope(light), 0.02, 0.4));
    },
  },
  {
    id: 'sharpen',
    name: 'Sharpen',
    about: 'An unsharp mask: what a blur takes away is added once more and a half.',
    apply: (kit, picture) => {
      const detail = kit.sub(picture, kit.blur(picture, 1.4));
      return kit.add(picture, kit.mul(detail, kit.number(1.5)));
    },
  },
  {
    id: 'emboss',
    name: 'Emboss',
    about: 'A slanted 3 × 3 derivative around a middle grey, as if light fell from the upper left.',
    apply: (kit, picture) => {
      const relief = kit.convolve(kit.luminance(picture), [
        [-2, -1, 0],
        [-1, 0, 1],
        [0, 1, 2],
      ]);
      return kit.grey(kit.add(relief, kit.number(0.5)));
    },
  },
  {
    id: 'cartoon',
    name: 'Cartoon',
    about: 'A blur, six steps of each colour by rounding down, more colour, and dark lines from Sobel’s edges.',
    apply: (kit, picture) => {
      const steps = 6;
      const smooth = kit.blur(picture, 1.8);
      const level = kit.builder.floor(kit.builder.linear(smooth, { alpha: steps, beta: 0.5 }));
      const flat = kit.mul(level, kit.number(1 / steps));
      // Away from grey: each colour goes on a little where it differs from the lightness.
      const light = kit.luminance(flat);
      const vivid = kit.add(light, kit.mul(kit.sub(flat, light), kit.number(1.45)));
      const line = kit.ramp(kit.slope(kit.luminance(smooth)), 0.06, 0.16);
      return kit.mul(vivid, kit.sub(kit.number(1), line));
    },
  },
  {
    id: 'none',
    name: 'None',
    about: 'The picture as it is: what is measured is the way to the engine and back.',
    apply: (kit, picture) => kit.builder.identity(picture),
  },
];
