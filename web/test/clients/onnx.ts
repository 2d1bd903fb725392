/** Writes small ONNX models: the few messages of `onnx.proto` that a graph without control flow takes. */

export const TYPES = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, float16: 10 } as const;

export type Type = keyof typeof TYPES;

export interface Value {
  readonly name: string;
  readonly type: Type;
  readonly dims: readonly number[];
}

/** What a test feeds: halves are constants alone. */
export interface Input extends Value {
  readonly type: Exclude<Type, 'float16'>;
}

export interface Constant extends Value {
  readonly values: readonly number[];
}

/** An integer, integers, a text, or a float, which is told from an integer by being wrapped. */
export type Attribute = number | readonly number[] | string | { readonly float: number };

export interface Node {
  readonly type: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly inputs: readonly Input[];
  readonly outputs: readonly Value[];
  readonly constants?: readonly Constant[];
  readonly nodes: readonly Node[];
}

/** The bytes of a model of operator set 18. */
export function onnxModel(graph: Graph): Uint8Array {
  return Uint8Array.from([
    ...number(1, 9),
    ...message(7, [
      ...graph.nodes.flatMap((node, i) => message(1, nodeOf(node, `${node.type}${i}`))),
      ...text(2, 'test'),
      ...(graph.constants ?? []).flatMap((constant) => message(5, tensor(constant))),
      ...graph.inputs.flatMap((value) => message(11, valueInfo(value))),
      ...graph.outputs.flatMap((value) => message(12, valueInfo(value))),
    ]),
    ...message(8, number(2, 18)),
  ]);
}

/** Values as the bytes of a tensor. */
export function bytesOf(type: Type, values: readonly number[]): Uint8Array {
  switch (type) {
    case 'float32':
      return new Uint8Array(Float32Array.from(values).buffer);
    case 'float16':
      return new Uint8Array(Uint16Array.from(values, halfOf).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(values).buffer);
    case 'int64':
      return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    case 'int8':
      return new Uint8Array(Int8Array.from(values).buffer);
    case 'uint8':
      return Uint8Array.from(values);
  }
}

/** The bits of the half nearest to a number within its normal range. */
function halfOf(value: number): number {
  if (value === 0) return 0;
  const size = Math.abs(value);
  const exponent = Math.floor(Math.log2(size));
  // A fraction that is rounded up to 1024 carries into the exponent.
  return (value < 0 ? 0x8000 : 0) + (exponent + 15) * 1024 + Math.round((size / 2 ** exponent - 1) * 1024);
}

function nodeOf(node: Node, name: string): number[] {
  return [
    ...node.inputs.flatMap((input) => text(1, input)),
    ...node.outputs.flatMap((output) => text(2, output)),
    ...text(3, name),
    ...text(4, node.type),
    ...Object.entries(node.attributes ?? {}).flatMap(([key, value]) => message(5, [...text(1, key), ...attribute(value)])),
  ];
}

/** The value and, in field 20, which kind it is. */
function attribute(value: Attribute): number[] {
  if (typeof value === 'number') return [...number(3, value), ...number(20, 2)];
  if (typeof value === 'string') return [...text(4, value), ...number(20, 3)];
  if ('float' in value) return [...key(2, 5), ...bytesOf('float32', [value.float]), ...number(20, 1)];
  return [...value.flatMap((item) => number(8, item)), ...number(20, 7)];
}

function tensor({ name, type, dims, values }: Constant): number[] {
  const data = bytesOf(type, values);
  return [...dims.flatMap((size) => number(1, size)), ...number(2, TYPES[type]), ...text(8, name), ...message(9, data)];
}

function valueInfo({ name, type, dims }: Value): number[] {
  const shape = dims.flatMap((size) => message(1, number(1, size)));
  return [...text(1, name), ...message(2, message(1, [...number(1, TYPES[type]), ...message(2, shape)]))];
}

function text(field: number, value: string): number[] {
  return message(field, new TextEncoder().encode(value));
}

function message(field: number, content: ArrayLike<number>): number[] {
  return [...key(field, 2), ...varint(BigInt(content.length)), ...Array.from(content)];
}

function number(field: number, value: number): number[] {
  return [...key(field, 0), ...varint(BigInt.asUintN(64, BigInt(value)))];
}

function key(field: number, wire: 0 | 2 | 5): number[] {
  return varint(BigInt(field * 8 + wire));
}

/** Seven bits a byte, the lowest first; the eighth says that more follow. */
function varint(value: bigint): number[] {
  const low = Number(value & 127n);
  return value < 128n ? [low] : [low | 128, ...varint(value >> 7n)];
}
