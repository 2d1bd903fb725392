// Written by `npm run codegen` from idl/*.idl; do not edit.

export type MLPowerPreference =
  | 'default'
  | 'high-performance'
  | 'low-power';

export type MLInputOperandLayout =
  | 'nchw'
  | 'nhwc';

export type MLOperandDataType =
  | 'float32'
  | 'float16'
  | 'int32'
  | 'uint32'
  | 'int64'
  | 'uint64'
  | 'int8'
  | 'uint8'
  | 'int4'
  | 'uint4';

export type MLConv2dFilterOperandLayout =
  | 'oihw'
  | 'hwio'
  | 'ohwi'
  | 'ihwo';

export type MLConvTranspose2dFilterOperandLayout =
  | 'iohw'
  | 'hwoi'
  | 'ohwi';

export type MLGruWeightLayout =
  | 'zrn'
  | 'rzn';

export type MLRecurrentNetworkActivation =
  | 'relu'
  | 'sigmoid'
  | 'tanh';

export type MLRecurrentNetworkDirection =
  | 'forward'
  | 'backward'
  | 'both';

export type MLLstmWeightLayout =
  | 'iofg'
  | 'ifgo';

export type MLPaddingMode =
  | 'constant'
  | 'edge'
  | 'reflection';

export type MLRoundingType =
  | 'floor'
  | 'ceil';

export type MLInterpolationMode =
  | 'nearest-neighbor'
  | 'linear';

export type MLDeviceType =
  | 'cpu'
  | 'gpu'
  | 'npu';

export type MLNamedTensors = Record<string, MLTensor>;

export type MLDataTypeList = Iterable<MLOperandDataType>;

export type MLNumber = bigint | number;

export type MLNamedOperands = Record<string, MLOperand>;

export interface MLContextOptions {
  /**
   * Speed or thrift; outranks `accelerated`.
   * @default "default"
   */
  powerPreference?: MLPowerPreference;
  /**
   * Whether something faster than the CPU is wanted.
   * @default true
   */
  accelerated?: boolean;
  /** The second generation of options, still read: a hint beside the other two. */
  deviceType?: MLDeviceType;
  /** Threads of the CPU engine, its own included; by default one per core. Ours. */
  threads?: number;
}

export interface MLContextLostInfo {
  /** Why, in words. */
  message: string;
}

export interface MLOpSupportLimits {
  preferredInputLayout: MLInputOperandLayout;
  maxTensorByteLength: number;
  input: MLTensorLimits;
  constant: MLTensorLimits;
  output: MLTensorLimits;
  argMin: MLSingleInputSupportLimits;
  argMax: MLSingleInputSupportLimits;
  batchNormalization: MLBatchNormalizationSupportLimits;
  cast: MLSingleInputSupportLimits;
  clamp: MLSingleInputSupportLimits;
  concat: MLConcatSupportLimits;
  conv2d: MLConv2dSupportLimits;
  convTranspose2d: MLConv2dSupportLimits;
  cumulativeSum: MLSingleInputSupportLimits;
  add: MLBinarySupportLimits;
  sub: MLBinarySupportLimits;
  mul: MLBinarySupportLimits;
  div: MLBinarySupportLimits;
  max: MLBinarySupportLimits;
  min: MLBinarySupportLimits;
  pow: MLBinarySupportLimits;
  equal: MLBinarySupportLimits;
  notEqual: MLBinarySupportLimits;
  greater: MLBinarySupportLimits;
  greaterOrEqual: MLBinarySupportLimits;
  lesser: MLBinarySupportLimits;
  lesserOrEqual: MLBinarySupportLimits;
  logicalNot: MLLogicalNotSupportLimits;
  logicalAnd: MLBinarySupportLimits;
  logicalOr: MLBinarySupportLimits;
  logicalXor: MLBinarySupportLimits;
  isNaN: MLLogicalNotSupportLimits;
  isInfinite: MLLogicalNotSupportLimits;
  abs: MLSingleInputSupportLimits;
  ceil: MLSingleInputSupportLimits;
  cos: MLSingleInputSupportLimits;
  erf: MLSingleInputSupportLimits;
  exp: MLSingleInputSupportLimits;
  floor: MLSingleInputSupportLimits;
  identity: MLSingleInputSupportLimits;
  log: MLSingleInputSupportLimits;
  neg: MLSingleInputSupportLimits;
  reciprocal: MLSingleInputSupportLimits;
  roundEven: MLSingleInputSupportLimits;
  sin: MLSingleInputSupportLimits;
  sign: MLSingleInputSupportLimits;
  sqrt: MLSingleInputSupportLimits;
  tan: MLSingleInputSupportLimits;
  dequantizeLinear: MLQuantizeDequantizeLinearSupportLimits;
  quantizeLinear: MLQuantizeDequantizeLinearSupportLimits;
  elu: MLSingleInputSupportLimits;
  expand: MLSingleInputSupportLimits;
  gather: MLGatherSupportLimits;
  gatherElements: MLGatherSupportLimits;
  gatherND: MLGatherSupportLimits;
  gelu: MLSingleInputSupportLimits;
  gemm: MLGemmSupportLimits;
  gru: MLGruSupportLimits;
  gruCell: MLGruCellSupportLimits;
  hardSigmoid: MLSingleInputSupportLimits;
  hardSwish: MLSingleInputSupportLimits;
  instanceNormalization: MLNormalizationSupportLimits;
  layerNormalization: MLNormalizationSupportLimits;
  leakyRelu: MLSingleInputSupportLimits;
  linear: MLSingleInputSupportLimits;
  lstm: MLLstmSupportLimits;
  lstmCell: MLLstmCellSupportLimits;
  matmul: MLBinarySupportLimits;
  pad: MLSingleInputSupportLimits;
  averagePool2d: MLSingleInputSupportLimits;
  l2Pool2d: MLSingleInputSupportLimits;
  maxPool2d: MLSingleInputSupportLimits;
  prelu: MLPreluSupportLimits;
  reduceL1: MLSingleInputSupportLimits;
  reduceL2: MLSingleInputSupportLimits;
  reduceLogSum: MLSingleInputSupportLimits;
  reduceLogSumExp: MLSingleInputSupportLimits;
  reduceMax: MLSingleInputSupportLimits;
  reduceMean: MLSingleInputSupportLimits;
  reduceMin: MLSingleInputSupportLimits;
  reduceProduct: MLSingleInputSupportLimits;
  reduceSum: MLSingleInputSupportLimits;
  reduceSumSquare: MLSingleInputSupportLimits;
  relu: MLSingleInputSupportLimits;
  resample2d: MLSingleInputSupportLimits;
  reshape: MLSingleInputSupportLimits;
  reverse: MLSingleInputSupportLimits;
  scatterElements: MLScatterSupportLimits;
  scatterND: MLScatterSupportLimits;
  sigmoid: MLSingleInputSupportLimits;
  slice: MLSingleInputSupportLimits;
  softmax: MLSingleInputSupportLimits;
  softplus: MLSingleInputSupportLimits;
  softsign: MLSingleInputSupportLimits;
  split: MLSplitSupportLimits;
  tanh: MLSingleInputSupportLimits;
  tile: MLSingleInputSupportLimits;
  transpose: MLSingleInputSupportLimits;
  triangular: MLSingleInputSupportLimits;
  where: MLWhereSupportLimits;
}

export interface MLRankRange {
  min: number;
  max: number;
}

export interface MLTensorLimits {
  dataTypes: MLOperandDataType[];
  rankRange: MLRankRange;
}

export interface MLBinarySupportLimits {
  a: MLTensorLimits;
  b: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLSingleInputSupportLimits {
  input: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLOperandDescriptor {
  dataType: MLOperandDataType;
  shape: Iterable<number>;
}

export interface MLOperatorOptions {
  /**
   * A name for messages.
   * @default ""
   */
  label?: string;
}

export interface MLTensorDescriptor extends MLOperandDescriptor {
  /** @default false */
  readable?: boolean;
  /** @default false */
  writable?: boolean;
}

export interface MLArgMinMaxOptions extends MLOperatorOptions {
  /** @default false */
  keepDimensions?: boolean;
  /** @default "int32" */
  outputDataType?: MLOperandDataType;
}

export interface MLBatchNormalizationOptions extends MLOperatorOptions {
  scale?: MLOperand;
  bias?: MLOperand;
  /** @default 1 */
  axis?: number;
  /** @default 1e-5 */
  epsilon?: number;
}

export interface MLBatchNormalizationSupportLimits {
  input: MLTensorLimits;
  mean: MLTensorLimits;
  variance: MLTensorLimits;
  scale: MLTensorLimits;
  bias: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLClampOptions extends MLOperatorOptions {
  minValue?: MLNumber;
  maxValue?: MLNumber;
}

export interface MLConcatSupportLimits {
  inputs: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLConv2dOptions extends MLOperatorOptions {
  padding?: Iterable<number>;
  strides?: Iterable<number>;
  dilations?: Iterable<number>;
  /** @default 1 */
  groups?: number;
  /** @default "nchw" */
  inputLayout?: MLInputOperandLayout;
  /** @default "oihw" */
  filterLayout?: MLConv2dFilterOperandLayout;
  bias?: MLOperand;
}

export interface MLConv2dSupportLimits {
  input: MLTensorLimits;
  filter: MLTensorLimits;
  bias: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLConvTranspose2dOptions extends MLOperatorOptions {
  padding?: Iterable<number>;
  strides?: Iterable<number>;
  dilations?: Iterable<number>;
  outputPadding?: Iterable<number>;
  outputSizes?: Iterable<number>;
  /** @default 1 */
  groups?: number;
  /** @default "nchw" */
  inputLayout?: MLInputOperandLayout;
  /** @default "iohw" */
  filterLayout?: MLConvTranspose2dFilterOperandLayout;
  bias?: MLOperand;
}

export interface MLCumulativeSumOptions extends MLOperatorOptions {
  /** @default false */
  exclusive?: boolean;
  /** @default false */
  reversed?: boolean;
}

export interface MLLogicalNotSupportLimits {
  a: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLQuantizeDequantizeLinearSupportLimits {
  input: MLTensorLimits;
  scale: MLTensorLimits;
  zeroPoint: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLEluOptions extends MLOperatorOptions {
  /** @default 1 */
  alpha?: number;
}

export interface MLGatherOptions extends MLOperatorOptions {
  /** @default 0 */
  axis?: number;
}

export interface MLGatherSupportLimits {
  input: MLTensorLimits;
  indices: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLGemmOptions extends MLOperatorOptions {
  c?: MLOperand;
  /** @default 1.0 */
  alpha?: number;
  /** @default 1.0 */
  beta?: number;
  /** @default false */
  aTranspose?: boolean;
  /** @default false */
  bTranspose?: boolean;
}

export interface MLGemmSupportLimits {
  a: MLTensorLimits;
  b: MLTensorLimits;
  c: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLGruOptions extends MLOperatorOptions {
  bias?: MLOperand;
  recurrentBias?: MLOperand;
  initialHiddenState?: MLOperand;
  /** @default true */
  resetAfter?: boolean;
  /** @default false */
  returnSequence?: boolean;
  /** @default "forward" */
  direction?: MLRecurrentNetworkDirection;
  /** @default "zrn" */
  layout?: MLGruWeightLayout;
  activations?: Iterable<MLRecurrentNetworkActivation>;
}

export interface MLGruSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  initialHiddenState: MLTensorLimits;
  output0: MLTensorLimits;
  output1: MLTensorLimits;
}

export interface MLGruCellOptions extends MLOperatorOptions {
  bias?: MLOperand;
  recurrentBias?: MLOperand;
  /** @default true */
  resetAfter?: boolean;
  /** @default "zrn" */
  layout?: MLGruWeightLayout;
  activations?: Iterable<MLRecurrentNetworkActivation>;
}

export interface MLGruCellSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  hiddenState: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLHardSigmoidOptions extends MLOperatorOptions {
  /** @default 0.2 */
  alpha?: number;
  /** @default 0.5 */
  beta?: number;
}

export interface MLInstanceNormalizationOptions extends MLOperatorOptions {
  scale?: MLOperand;
  bias?: MLOperand;
  /** @default 1e-5 */
  epsilon?: number;
  /** @default "nchw" */
  layout?: MLInputOperandLayout;
}

export interface MLNormalizationSupportLimits {
  input: MLTensorLimits;
  scale: MLTensorLimits;
  bias: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLLayerNormalizationOptions extends MLOperatorOptions {
  scale?: MLOperand;
  bias?: MLOperand;
  axes?: Iterable<number>;
  /** @default 1e-5 */
  epsilon?: number;
}

export interface MLLeakyReluOptions extends MLOperatorOptions {
  /** @default 0.01 */
  alpha?: number;
}

export interface MLLinearOptions extends MLOperatorOptions {
  /** @default 1 */
  alpha?: number;
  /** @default 0 */
  beta?: number;
}

export interface MLLstmOptions extends MLOperatorOptions {
  bias?: MLOperand;
  recurrentBias?: MLOperand;
  peepholeWeight?: MLOperand;
  initialHiddenState?: MLOperand;
  initialCellState?: MLOperand;
  /** @default false */
  returnSequence?: boolean;
  /** @default "forward" */
  direction?: MLRecurrentNetworkDirection;
  /** @default "iofg" */
  layout?: MLLstmWeightLayout;
  activations?: Iterable<MLRecurrentNetworkActivation>;
}

export interface MLLstmSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  peepholeWeight: MLTensorLimits;
  initialHiddenState: MLTensorLimits;
  initialCellState: MLTensorLimits;
  output0: MLTensorLimits;
  output1: MLTensorLimits;
  output2: MLTensorLimits;
}

export interface MLLstmCellOptions extends MLOperatorOptions {
  bias?: MLOperand;
  recurrentBias?: MLOperand;
  peepholeWeight?: MLOperand;
  /** @default "iofg" */
  layout?: MLLstmWeightLayout;
  activations?: Iterable<MLRecurrentNetworkActivation>;
}

export interface MLLstmCellSupportLimits {
  input: MLTensorLimits;
  weight: MLTensorLimits;
  recurrentWeight: MLTensorLimits;
  hiddenState: MLTensorLimits;
  cellState: MLTensorLimits;
  bias: MLTensorLimits;
  recurrentBias: MLTensorLimits;
  peepholeWeight: MLTensorLimits;
  output0: MLTensorLimits;
  output1: MLTensorLimits;
}

export interface MLPadOptions extends MLOperatorOptions {
  /** @default "constant" */
  mode?: MLPaddingMode;
  /** @default 0 */
  value?: MLNumber;
}

export interface MLPool2dOptions extends MLOperatorOptions {
  windowDimensions?: Iterable<number>;
  padding?: Iterable<number>;
  strides?: Iterable<number>;
  dilations?: Iterable<number>;
  /** @default "nchw" */
  layout?: MLInputOperandLayout;
  /** @default "floor" */
  outputShapeRounding?: MLRoundingType;
  outputSizes?: Iterable<number>;
}

export interface MLPreluSupportLimits {
  input: MLTensorLimits;
  slope: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLReduceOptions extends MLOperatorOptions {
  axes?: Iterable<number>;
  /** @default false */
  keepDimensions?: boolean;
}

export interface MLResample2dOptions extends MLOperatorOptions {
  /** @default "nearest-neighbor" */
  mode?: MLInterpolationMode;
  scales?: Iterable<number>;
  sizes?: Iterable<number>;
  axes?: Iterable<number>;
}

export interface MLReverseOptions extends MLOperatorOptions {
  axes?: Iterable<number>;
}

export interface MLScatterOptions extends MLOperatorOptions {
  /** @default 0 */
  axis?: number;
}

export interface MLScatterSupportLimits {
  input: MLTensorLimits;
  indices: MLTensorLimits;
  updates: MLTensorLimits;
  output: MLTensorLimits;
}

export interface MLSliceOptions extends MLOperatorOptions {
  strides?: Iterable<number>;
}

export interface MLSplitOptions extends MLOperatorOptions {
  /** @default 0 */
  axis?: number;
}

export interface MLSplitSupportLimits {
  input: MLTensorLimits;
  outputs: MLTensorLimits;
}

export interface MLTransposeOptions extends MLOperatorOptions {
  permutation?: Iterable<number>;
}

export interface MLTriangularOptions extends MLOperatorOptions {
  /** @default true */
  upper?: boolean;
  /** @default 0 */
  diagonal?: number;
}

export interface MLWhereSupportLimits {
  condition: MLTensorLimits;
  trueValue: MLTensorLimits;
  falseValue: MLTensorLimits;
  output: MLTensorLimits;
}

export interface ML {
  /**
   * Makes a context: what computes, and what it keeps. The options are hints, and none makes it fail.
   * @see https://www.w3.org/TR/webnn/#dom-ml-createcontext
   */
  createContext(options?: MLContextOptions): Promise<MLContext>;
  /**
   * Makes a context: what computes, and what it keeps. The options are hints, and none makes it fail.
   * @see https://www.w3.org/TR/webnn/#dom-ml-createcontext
   */
  createContext(gpuDevice: GPUDevice): Promise<MLContext>;
}

/** The interface object of {@link ML}. */
export interface MLConstructor {
  readonly prototype: ML;
  new (): never;
}

export interface MLContext {
  /**
   * The hint that the context was made with.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-accelerated
   */
  readonly accelerated: boolean;
  /**
   * Resolves when the context is lost or destroyed; never rejects.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-lost
   */
  readonly lost: Promise<MLContextLostInfo>;
  /**
   * Computes the graph, in its turn after everything called before; returns at once. Read an output to wait for it.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-dispatch
   */
  dispatch(graph: MLGraph, inputs: MLNamedTensors, outputs: MLNamedTensors): void;
  /**
   * Makes a tensor, filled with zeros. Only a readable one is read, only a writable one written.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-createtensor
   */
  createTensor(descriptor: MLTensorDescriptor): Promise<MLTensor>;
  /**
   * Makes a tensor from a copy of the data, for `MLGraphBuilder.constant(tensor)`.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-createconstanttensor
   */
  createConstantTensor(descriptor: MLOperandDescriptor, inputData: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Promise<MLTensor>;
  /**
   * The bytes of a tensor, when everything called before has been computed; written into `outputData` where it is given.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-readtensor
   */
  readTensor(tensor: MLTensor): Promise<ArrayBuffer>;
  /**
   * The bytes of a tensor, when everything called before has been computed; written into `outputData` where it is given.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-readtensor
   */
  readTensor(tensor: MLTensor, outputData: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): Promise<void>;
  /**
   * Copies the data before it returns; takes effect in its turn.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-writetensor
   */
  writeTensor(tensor: MLTensor, inputData: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): void;
  /**
   * The data types and ranks that inputs, constants, outputs and the operands of each operator may have.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-opsupportlimits
   */
  opSupportLimits(): MLOpSupportLimits;
  /**
   * Loses the context: its tensors, graphs and memory with it.
   * @see https://www.w3.org/TR/webnn/#dom-mlcontext-destroy
   */
  destroy(): void;
}

/** The interface object of {@link MLContext}. */
export interface MLContextConstructor {
  readonly prototype: MLContext;
  new (): never;
}

export interface MLGraph {
  /** The kinds of device that the graph computes on, as in Chromium. */
  readonly devices: readonly string[];
  /**
   * Gives its memory back, after the work that was dispatched before.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraph-destroy
   */
  destroy(): void;
}

/** The interface object of {@link MLGraph}. */
export interface MLGraphConstructor {
  readonly prototype: MLGraph;
  new (): never;
}

export interface MLOperand {
  /**
   * The type of its elements.
   * @see https://www.w3.org/TR/webnn/#dom-mloperand-datatype
   */
  readonly dataType: MLOperandDataType;
  /**
   * Its dimensions; none for a scalar.
   * @see https://www.w3.org/TR/webnn/#dom-mloperand-shape
   */
  readonly shape: readonly number[];
}

/** The interface object of {@link MLOperand}. */
export interface MLOperandConstructor {
  readonly prototype: MLOperand;
  new (): never;
}

export interface MLTensor {
  /**
   * The type of its elements.
   * @see https://www.w3.org/TR/webnn/#dom-mltensor-datatype
   */
  readonly dataType: MLOperandDataType;
  /**
   * Its dimensions; none for a scalar.
   * @see https://www.w3.org/TR/webnn/#dom-mltensor-shape
   */
  readonly shape: readonly number[];
  /**
   * Whether `readTensor` may read it.
   * @see https://www.w3.org/TR/webnn/#dom-mltensor-readable
   */
  readonly readable: boolean;
  /**
   * Whether `writeTensor` may write it.
   * @see https://www.w3.org/TR/webnn/#dom-mltensor-writable
   */
  readonly writable: boolean;
  /**
   * Whether `createConstantTensor` made it.
   * @see https://www.w3.org/TR/webnn/#dom-mltensor-constant
   */
  readonly constant: boolean;
  /**
   * Gives its memory back, after the work that was called before.
   * @see https://www.w3.org/TR/webnn/#dom-mltensor-destroy
   */
  destroy(): void;
}

/** The interface object of {@link MLTensor}. */
export interface MLTensorConstructor {
  readonly prototype: MLTensor;
  new (): never;
}

export interface MLGraphBuilder {
  /**
   * An input of the graph, by the name that `dispatch` will know it by.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-input
   */
  input(name: string, descriptor: MLOperandDescriptor): MLOperand;
  /**
   * A constant, from a copy of the data, from a number, or from a constant tensor.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-constant
   */
  constant(descriptor: MLOperandDescriptor, buffer: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): MLOperand;
  /**
   * A constant, from a copy of the data, from a number, or from a constant tensor.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-constant
   */
  constant(dataType: MLOperandDataType, value: MLNumber): MLOperand;
  /**
   * A constant, from a copy of the data, from a number, or from a constant tensor.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-constant
   */
  constant(tensor: MLTensor): MLOperand;
  /**
   * Compiles what the outputs depend on. A builder builds one graph.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-build
   */
  build(outputs: MLNamedOperands): Promise<MLGraph>;
  /**
   * The index of the least element along the axis.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-argmin
   */
  argMin(input: MLOperand, axis: number, options?: MLArgMinMaxOptions): MLOperand;
  /**
   * The index of the greatest element along the axis.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-argmax
   */
  argMax(input: MLOperand, axis: number, options?: MLArgMinMaxOptions): MLOperand;
  /**
   * (input − mean) / √(variance + epsilon) · scale + bias, with a vector each along the axis.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-batchnormalization
   */
  batchNormalization(input: MLOperand, mean: MLOperand, variance: MLOperand, options?: MLBatchNormalizationOptions): MLOperand;
  /**
   * The same numbers in another data type.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-cast
   */
  cast(input: MLOperand, dataType: MLOperandDataType, options?: MLOperatorOptions): MLOperand;
  /**
   * max(minValue, min(input, maxValue)).
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-clamp
   */
  clamp(input: MLOperand, options?: MLClampOptions): MLOperand;
  /**
   * The inputs one after another along the axis.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-concat
   */
  concat(inputs: Iterable<MLOperand>, axis: number, options?: MLOperatorOptions): MLOperand;
  /**
   * A two-dimensional convolution.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-conv2d
   */
  conv2d(input: MLOperand, filter: MLOperand, options?: MLConv2dOptions): MLOperand;
  /**
   * A two-dimensional transposed convolution.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-convtranspose2d
   */
  convTranspose2d(input: MLOperand, filter: MLOperand, options?: MLConvTranspose2dOptions): MLOperand;
  /**
   * The sum of everything up to each element along the axis.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-cumulativesum
   */
  cumulativeSum(input: MLOperand, axis: number, options?: MLCumulativeSumOptions): MLOperand;
  /**
   * a + b
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-add
   */
  add(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a − b
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sub
   */
  sub(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a · b
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-mul
   */
  mul(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a / b
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-div
   */
  div(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The greater of a and b.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-max
   */
  max(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The lesser of a and b.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-min
   */
  min(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a to the power of b.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-pow
   */
  pow(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a = b, as 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-equal
   */
  equal(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a ≠ b, as 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-notequal
   */
  notEqual(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a > b, as 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-greater
   */
  greater(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a ≥ b, as 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-greaterorequal
   */
  greaterOrEqual(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a < b, as 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lesser
   */
  lesser(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * a ≤ b, as 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lesserorequal
   */
  lesserOrEqual(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 where a is 0, and 0 elsewhere.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicalnot
   */
  logicalNot(a: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 where neither a nor b is 0.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicaland
   */
  logicalAnd(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 where a or b is not 0.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicalor
   */
  logicalOr(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 where exactly one of a and b is not 0.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicalxor
   */
  logicalXor(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 where a is not a number.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-isnan
   */
  isNaN(a: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 where a is infinite.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-isinfinite
   */
  isInfinite(a: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * |input|
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-abs
   */
  abs(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The least integer that is not below.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-ceil
   */
  ceil(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The cosine.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-cos
   */
  cos(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The error function.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-erf
   */
  erf(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * e to the power of input.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-exp
   */
  exp(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The greatest integer that is not above.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-floor
   */
  floor(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The input itself, as another operand.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-identity
   */
  identity(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The natural logarithm.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-log
   */
  log(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * −input
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-neg
   */
  neg(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 / input
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reciprocal
   */
  reciprocal(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The nearest integer, halves to the even one.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-roundeven
   */
  roundEven(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The sine.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sin
   */
  sin(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * −1, 0 or 1.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sign
   */
  sign(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The square root.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sqrt
   */
  sqrt(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The tangent.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-tan
   */
  tan(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * (input − zeroPoint) · scale
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-dequantizelinear
   */
  dequantizeLinear(input: MLOperand, scale: MLOperand, zeroPoint: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * input / scale, rounded, + zeroPoint, in the range of the type of zeroPoint.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-quantizelinear
   */
  quantizeLinear(input: MLOperand, scale: MLOperand, zeroPoint: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * max(0, input) + alpha · (exp(min(0, input)) − 1)
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-elu
   */
  elu(input: MLOperand, options?: MLEluOptions): MLOperand;
  /**
   * The input broadcast to the shape.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-expand
   */
  expand(input: MLOperand, newShape: Iterable<number>, options?: MLOperatorOptions): MLOperand;
  /**
   * Slices of the input along the axis, at the indices.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gather
   */
  gather(input: MLOperand, indices: MLOperand, options?: MLGatherOptions): MLOperand;
  /**
   * Elements of the input along the axis, one for each index.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gatherelements
   */
  gatherElements(input: MLOperand, indices: MLOperand, options?: MLGatherOptions): MLOperand;
  /**
   * Slices of the input, at coordinates.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gathernd
   */
  gatherND(input: MLOperand, indices: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The Gaussian error linear unit, by the error function.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gelu
   */
  gelu(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * alpha · a · b + beta · c, of matrices.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gemm
   */
  gemm(a: MLOperand, b: MLOperand, options?: MLGemmOptions): MLOperand;
  /**
   * A gated recurrent unit over a sequence.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gru
   */
  gru(input: MLOperand, weight: MLOperand, recurrentWeight: MLOperand, steps: number, hiddenSize: number, options?: MLGruOptions): MLOperand[];
  /**
   * One step of a gated recurrent unit.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-grucell
   */
  gruCell(input: MLOperand, weight: MLOperand, recurrentWeight: MLOperand, hiddenState: MLOperand, hiddenSize: number, options?: MLGruCellOptions): MLOperand;
  /**
   * max(0, min(1, alpha · input + beta))
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-hardsigmoid
   */
  hardSigmoid(input: MLOperand, options?: MLHardSigmoidOptions): MLOperand;
  /**
   * input · max(0, min(6, input + 3)) / 6
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-hardswish
   */
  hardSwish(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * Normalises each channel of each instance over its pixels.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-instancenormalization
   */
  instanceNormalization(input: MLOperand, options?: MLInstanceNormalizationOptions): MLOperand;
  /**
   * Normalises over the axes; by default over all but the first.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-layernormalization
   */
  layerNormalization(input: MLOperand, options?: MLLayerNormalizationOptions): MLOperand;
  /**
   * max(0, input) + alpha · min(0, input)
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-leakyrelu
   */
  leakyRelu(input: MLOperand, options?: MLLeakyReluOptions): MLOperand;
  /**
   * alpha · input + beta
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-linear
   */
  linear(input: MLOperand, options?: MLLinearOptions): MLOperand;
  /**
   * A long short-term memory over a sequence.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lstm
   */
  lstm(input: MLOperand, weight: MLOperand, recurrentWeight: MLOperand, steps: number, hiddenSize: number, options?: MLLstmOptions): MLOperand[];
  /**
   * One step of a long short-term memory.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lstmcell
   */
  lstmCell(input: MLOperand, weight: MLOperand, recurrentWeight: MLOperand, hiddenState: MLOperand, cellState: MLOperand, hiddenSize: number, options?: MLLstmCellOptions): MLOperand[];
  /**
   * The product of matrices, or of stacks of them.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-matmul
   */
  matmul(a: MLOperand, b: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The input with a border around it.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-pad
   */
  pad(input: MLOperand, beginningPadding: Iterable<number>, endingPadding: Iterable<number>, options?: MLPadOptions): MLOperand;
  /**
   * The mean of each window.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-averagepool2d
   */
  averagePool2d(input: MLOperand, options?: MLPool2dOptions): MLOperand;
  /**
   * The Euclidean norm of each window.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-l2pool2d
   */
  l2Pool2d(input: MLOperand, options?: MLPool2dOptions): MLOperand;
  /**
   * The greatest of each window.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-maxpool2d
   */
  maxPool2d(input: MLOperand, options?: MLPool2dOptions): MLOperand;
  /**
   * max(0, input) + slope · min(0, input)
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-prelu
   */
  prelu(input: MLOperand, slope: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The sum of absolute values along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducel1
   */
  reduceL1(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The Euclidean norm along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducel2
   */
  reduceL2(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The logarithm of the sum along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducelogsum
   */
  reduceLogSum(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The logarithm of the sum of exponentials along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducelogsumexp
   */
  reduceLogSumExp(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The greatest along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducemax
   */
  reduceMax(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The mean along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducemean
   */
  reduceMean(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The least along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducemin
   */
  reduceMin(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The product along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reduceproduct
   */
  reduceProduct(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The sum along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducesum
   */
  reduceSum(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * The sum of squares along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducesumsquare
   */
  reduceSumSquare(input: MLOperand, options?: MLReduceOptions): MLOperand;
  /**
   * max(0, input)
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-relu
   */
  relu(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The input in another size along two axes.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-resample2d
   */
  resample2d(input: MLOperand, options?: MLResample2dOptions): MLOperand;
  /**
   * The same elements in another shape.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reshape
   */
  reshape(input: MLOperand, newShape: Iterable<number>, options?: MLOperatorOptions): MLOperand;
  /**
   * The input backwards along the axes; by default along all.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reverse
   */
  reverse(input: MLOperand, options?: MLReverseOptions): MLOperand;
  /**
   * The input with elements replaced along the axis, one for each index.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-scatterelements
   */
  scatterElements(input: MLOperand, indices: MLOperand, updates: MLOperand, options?: MLScatterOptions): MLOperand;
  /**
   * The input with slices replaced, at coordinates.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-scatternd
   */
  scatterND(input: MLOperand, indices: MLOperand, updates: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * 1 / (1 + exp(−input))
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sigmoid
   */
  sigmoid(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * A box of the input.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-slice
   */
  slice(input: MLOperand, starts: Iterable<number>, sizes: Iterable<number>, options?: MLSliceOptions): MLOperand;
  /**
   * exp(input) / the sum of it along the axis.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-softmax
   */
  softmax(input: MLOperand, axis: number, options?: MLOperatorOptions): MLOperand;
  /**
   * log(1 + exp(input))
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-softplus
   */
  softplus(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * input / (1 + |input|)
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-softsign
   */
  softsign(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * Parts of the input along the axis: so many equal ones, or of these sizes.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-split
   */
  split(input: MLOperand, splits: number | Iterable<number>, options?: MLSplitOptions): MLOperand[];
  /**
   * The hyperbolic tangent.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-tanh
   */
  tanh(input: MLOperand, options?: MLOperatorOptions): MLOperand;
  /**
   * The input repeated along each dimension.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-tile
   */
  tile(input: MLOperand, repetitions: Iterable<number>, options?: MLOperatorOptions): MLOperand;
  /**
   * The dimensions in another order; by default backwards.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-transpose
   */
  transpose(input: MLOperand, options?: MLTransposeOptions): MLOperand;
  /**
   * The upper or lower triangle of each matrix, 0 elsewhere.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-triangular
   */
  triangular(input: MLOperand, options?: MLTriangularOptions): MLOperand;
  /**
   * trueValue where the condition is not 0, falseValue elsewhere.
   * @see https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-where
   */
  where(condition: MLOperand, trueValue: MLOperand, falseValue: MLOperand, options?: MLOperatorOptions): MLOperand;
}

/** The interface object of {@link MLGraphBuilder}. */
export interface MLGraphBuilderConstructor {
  readonly prototype: MLGraphBuilder;
  new (context: MLContext): MLGraphBuilder;
}
