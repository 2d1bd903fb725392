/** The models that lie in `WEBNN_SHARED`, and inputs for them. */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Feed } from './page/ort.js';
import type { Site } from './site.js';

type DataType = Feed['type'];

/** An entry of `ort-models.json`. */
export interface Model {
  readonly name: string;
  readonly file: string;
  readonly freeDims?: Readonly<Record<string, number>>;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly atol?: number;
  readonly rtol?: number;
  readonly expect?: { readonly output: string; readonly argmax: number };
}

interface InputSpec {
  readonly dtype: DataType;
  readonly dims: readonly number[];
  /** The first values; zeros follow. */
  readonly values?: readonly number[];
  /** RGB bytes of a picture, normalized as ImageNet's classifiers want it. */
  readonly image?: string;
  /** Little-endian values. */
  readonly file?: string;
  readonly gen?: 'zeros';
}

const shared = process.env['WEBNN_SHARED'];

/** The folder of models, where there is one. */
export const modelFolder =
  shared !== undefined && existsSync(path.join(shared, 'models/ort-models.json'))
    ? path.join(shared, 'models')
    : undefined;

/** Reads the entry of this name. */
export function modelNamed(name: string): Model {
  const { models } = JSON.parse(read('ort-models.json').toString()) as { models: Model[] };
  const model = models.find((model) => model.name === name);
  if (model === undefined) throw new Error(`ort-models.json lists no ${name}`);
  return model;
}

/** Puts a model's inputs on the server. */
export function feedsOf(model: Model, site: Site): Feed[] {
  return Object.entries(model.inputs).map(([name, spec]) => ({
    name,
    type: spec.dtype,
    dims: spec.dims,
    url: site.put(`/feeds/${model.name}/${name}.bin`, bytesOf(spec)),
  }));
}

function bytesOf(spec: InputSpec): Uint8Array {
  if (spec.file !== undefined) return read(spec.file);
  if (spec.image !== undefined) return new Uint8Array(normalized(read(spec.image), spec.dims).buffer);
  const count = spec.dims.reduce((product, size) => product * size, 1);
  if (spec.dtype !== 'int64') throw new Error(`no values of type ${spec.dtype} are known`);
  const values = new BigInt64Array(count);
  (spec.values ?? []).forEach((value, i) => (values[i] = BigInt(value)));
  return new Uint8Array(values.buffer);
}

/** Pixels after pixels to planes after planes, with ImageNet's mean and deviation. */
function normalized(rgb: Uint8Array, dims: readonly number[]): Float32Array {
  const mean = [0.485, 0.456, 0.406];
  const deviation = [0.229, 0.224, 0.225];
  const pixels = rgb.length / 3;
  const planes = new Float32Array(rgb.length);
  if (dims.reduce((product, size) => product * size, 1) !== rgb.length) throw new Error('a picture of another size');
  for (let channel = 0; channel < 3; channel++) {
    for (let i = 0; i < pixels; i++) {
      const value = (rgb[3 * i + channel] ?? 0) / 255;
      planes[channel * pixels + i] = (value - (mean[channel] ?? 0)) / (deviation[channel] ?? 1);
    }
  }
  return planes;
}

function read(file: string): Buffer {
  return readFileSync(path.join(modelFolder ?? '', file));
}
