/** `AllowSharedBufferSource`: memory of scripts, told by its brand and never by its properties. */

import { getterOf, isBranded, type Getter } from './brand.js';
import { Mismatch } from './errors.js';
import type { DataType } from './host.js';

/** A buffer or a view, of any realm. */
export interface BufferSource {
  /** The view's type, such as `Float32Array` or `DataView`; `undefined` of a buffer. */
  readonly view: string | undefined;
  readonly source: ArrayBufferLike | ArrayBufferView;
}

/** An accessor that this engine lacks is one that no object of it can have. */
function getter<T>(prototype: object, key: string | symbol): Getter<T> {
  return getterOf<T>(prototype, key) ?? (() => undefined as T);
}

const typedArray = Reflect.getPrototypeOf(Uint8Array.prototype) ?? {};
const typedArrayName = getter<string | undefined>(typedArray, Symbol.toStringTag);
const typedArrayBuffer = getter<ArrayBufferLike>(typedArray, 'buffer');
const typedArrayOffset = getter<number>(typedArray, 'byteOffset');
const typedArrayLength = getter<number>(typedArray, 'byteLength');
const dataViewBuffer = getter<ArrayBufferLike>(DataView.prototype, 'buffer');
const dataViewOffset = getter<number>(DataView.prototype, 'byteOffset');
const dataViewLength = getter<number>(DataView.prototype, 'byteLength');
const bufferLength = getter<number>(ArrayBuffer.prototype, 'byteLength');
const bufferResizable = getter<boolean | undefined>(ArrayBuffer.prototype, 'resizable');

/** Pages that are not isolated hide the constructor, but memory of WebAssembly still has it. */
let sharedPrototype: object | undefined;

function sharedGetter<T>(key: string): Getter<T> {
  sharedPrototype ??= findSharedPrototype();
  return getter<T>(sharedPrototype, key);
}

function findSharedPrototype(): object {
  if (typeof SharedArrayBuffer === 'function') return SharedArrayBuffer.prototype as object;
  const { buffer } = new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true });
  return Reflect.getPrototypeOf(buffer) ?? {};
}

const isArrayBuffer = (value: unknown): value is ArrayBuffer => isBranded(bufferLength, value);

const isSharedArrayBuffer = (value: unknown): value is SharedArrayBuffer => {
  // No other object has this tag unless a script lies, and liars fail the brand check.
  if (Object.prototype.toString.call(value) !== '[object SharedArrayBuffer]') return false;
  return isBranded(sharedGetter('byteLength'), value);
};

export function bufferSource(value: unknown): BufferSource {
  if (ArrayBuffer.isView(value)) {
    const name = typedArrayName.call(value);
    const get = name === undefined ? dataViewBuffer : typedArrayBuffer;
    requireFixed(value, get.call(value));
    return { view: name ?? 'DataView', source: value };
  }
  if (typeof value !== 'object' || value === null) throw mismatch(value);
  if (!isArrayBuffer(value) && !isSharedArrayBuffer(value)) throw mismatch(value);
  requireFixed(value, value);
  return { view: undefined, source: value };
}

function mismatch(value: unknown): Mismatch {
  return new Mismatch(value, 'an ArrayBuffer, a SharedArrayBuffer or a view of one');
}

/** Web IDL takes buffers whose size can change only where `[AllowResizable]` is written. */
function requireFixed(value: unknown, buffer: ArrayBufferLike): void {
  const resizable = isArrayBuffer(buffer)
    ? bufferResizable.call(buffer)
    : sharedGetter<boolean | undefined>('growable').call(buffer);
  if (resizable) throw new Mismatch(value, 'a buffer of fixed size, not one that can be resized');
}

const EMPTY = new Uint8Array(0);

/** The bytes in place; none where the buffer is detached. */
export function bytesOf({ view, source }: BufferSource): Uint8Array {
  if (view === undefined) {
    const buffer = source as ArrayBufferLike;
    return isDetached(buffer) ? EMPTY : new Uint8Array(buffer);
  }
  const isDataView = view === 'DataView';
  const buffer = (isDataView ? dataViewBuffer : typedArrayBuffer).call(source);
  if (isDetached(buffer)) return EMPTY;
  return new Uint8Array(
    buffer,
    (isDataView ? dataViewOffset : typedArrayOffset).call(source),
    (isDataView ? dataViewLength : typedArrayLength).call(source),
  );
}

/** Whether the memory has gone to somebody else. */
export function isDetachedSource({ view, source }: BufferSource): boolean {
  if (view === undefined) return isDetached(source as ArrayBufferLike);
  return isDetached((view === 'DataView' ? dataViewBuffer : typedArrayBuffer).call(source));
}

/** Of an empty buffer too the answer is exact: a detached one can have no view. */
function isDetached(buffer: ArrayBufferLike): boolean {
  if (!isArrayBuffer(buffer) || bufferLength.call(buffer) > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

const VIEWS: Record<DataType, readonly string[]> = {
  float32: ['Float32Array'],
  // Engines without Float16Array have nothing better, and the suite takes it everywhere.
  float16: ['Float16Array', 'Uint16Array'],
  int32: ['Int32Array'],
  uint32: ['Uint32Array'],
  int64: ['BigInt64Array'],
  uint64: ['BigUint64Array'],
  int8: ['Int8Array'],
  uint8: [],
  // Two elements to the byte: no view has them.
  int4: ['Int8Array'],
  uint4: [],
};

/** Why the view is not one of the data type, or `undefined` where it is. */
export function viewMismatch({ view }: BufferSource, dataType: DataType): string | undefined {
  if (view === undefined || view === 'Uint8Array' || VIEWS[dataType].includes(view)) {
    return undefined;
  }
  const expected = [...VIEWS[dataType], 'Uint8Array'].join(' or ');
  return `the buffer is a ${view}, expected a ${expected} for ${dataType}`;
}
