/** What goes into a model: random numbers, or a picture in the values that it was trained on. */

import type { OnnxTensor } from 'webnn/onnx';

export type Scaling = 'unit' | 'imagenet' | 'signed' | 'byte';

const MEAN = [0.485, 0.456, 0.406];
const DEVIATION = [0.229, 0.224, 0.225];

/** Where a picture fits into a tensor. */
export interface ImageShape {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly layout: 'nchw' | 'nhwc';
}

/** How a tensor holds one picture, where its shape says that it does. */
export function imageShape({ shape }: Pick<OnnxTensor, 'shape'>): ImageShape | undefined {
  const [batch, a, b, c] = shape;
  if (shape.length !== 4 || batch !== 1 || a === undefined || b === undefined || c === undefined) {
    return undefined;
  }
  if (a === 1 || a === 3) {
    return { channels: a, height: b, width: c, layout: 'nchw' };
  }
  return c === 1 || c === 3 ? { channels: c, height: a, width: b, layout: 'nhwc' } : undefined;
}

/** Decodes a picture and cuts it, centred, to the tensor's sides. */
export async function readPicture(file: Blob, { width, height }: ImageShape): Promise<ImageData> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error('The picture cannot be read: this browser knows no such format.');
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) {
    throw new Error('This browser cannot draw on a canvas.');
  }
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** The picture's numbers in the tensor's order. */
export function pictureValues(picture: ImageData, shape: ImageShape, scaling: Scaling): Float32Array {
  const { width, height, channels, layout } = shape;
  const area = width * height;
  const values = new Float32Array(area * channels);
  for (let pixel = 0; pixel < area; pixel++) {
    const rgb = [0, 1, 2].map((channel) => (picture.data[pixel * 4 + channel] ?? 0) / 255);
    const [red = 0, green = 0, blue = 0] = rgb;
    const used = channels === 3 ? rgb : [0.299 * red + 0.587 * green + 0.114 * blue];
    used.forEach((value, channel) => {
      const at = layout === 'nchw' ? channel * area + pixel : pixel * channels + channel;
      values[at] = scaled(value, channel, scaling);
    });
  }
  return values;
}

function scaled(value: number, channel: number, scaling: Scaling): number {
  switch (scaling) {
    case 'unit':
      return value;
    case 'signed':
      return value * 2 - 1;
    case 'byte':
      return value * 255;
    case 'imagenet':
      return (value - (MEAN[channel] ?? 0)) / (DEVIATION[channel] ?? 1);
  }
}

/**
 * Numbers of 0 to 1, or 0 and 1 where the type holds whole numbers: small enough to be an index
 * of any table. The same ones each time.
 */
export function randomValues(count: number, isWhole: boolean): Float32Array {
  let state = 42;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = state / 2 ** 32;
    return isWhole ? Math.round(value) : value;
  });
}

/** The numbers as the bytes of a data type. */
export function bytesOf(values: Float32Array, dataType: OnnxTensor['dataType']): ArrayBuffer {
  switch (dataType) {
    case 'float32':
      return new Float32Array(values).buffer;
    case 'float16':
      return Uint16Array.from(values, toHalf).buffer;
    case 'int32':
      return Int32Array.from(values).buffer;
    case 'uint32':
      return Uint32Array.from(values).buffer;
    case 'int64':
      return BigInt64Array.from(values, toBigInt).buffer;
    case 'uint64':
      return BigUint64Array.from(values, toBigInt).buffer;
    case 'int8':
      return Int8Array.from(values).buffer;
    case 'uint8':
      return Uint8Array.from(values).buffer;
    case 'int4':
    case 'uint4':
      return new ArrayBuffer(Math.ceil(values.length / 2));
  }
}

/** The elements of a tensor as numbers. */
export function numbersOf(buffer: ArrayBuffer, dataType: OnnxTensor['dataType']): Float64Array {
  switch (dataType) {
    case 'float32':
      return Float64Array.from(new Float32Array(buffer));
    case 'float16':
      return Float64Array.from(new Uint16Array(buffer), fromHalf);
    case 'int32':
      return Float64Array.from(new Int32Array(buffer));
    case 'uint32':
      return Float64Array.from(new Uint32Array(buffer));
    case 'int64':
      return Float64Array.from(new BigInt64Array(buffer), Number);
    case 'uint64':
      return Float64Array.from(new BigUint64Array(buffer), Number);
    case 'int8':
      return Float64Array.from(new Int8Array(buffer));
    case 'uint8':
      return Float64Array.from(new Uint8Array(buffer));
    case 'int4':
    case 'uint4':
      return Float64Array.from(new Uint8Array(buffer));
  }
}

function toBigInt(value: number): bigint {
  return BigInt(Math.trunc(value));
}

/** Half precision of a number of moderate size, rounded to the nearest. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -14) {
    return sign | Math.round(size * 2 ** 24);
  }
  if (!(size < 65520)) {
    return sign | (Number.isNaN(size) ? 0x7e00 : 0x7c00);
  }
  const exponent = Math.floor(Math.log2(size));
  // A mantissa that rounds up to 2 carries into the exponent by itself.
  return sign | (((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024));
}

export function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0) {
    return sign * mantissa * 2 ** -24;
  }
  if (exponent === 0x1f) {
    return mantissa === 0 ? sign * Infinity : NaN;
  }
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
