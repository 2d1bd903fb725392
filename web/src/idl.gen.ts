// Written by `npm run codegen` from idl/*.idl; do not edit.

import {
  boolean,
  bufferSource,
  dictionary,
  double,
  enforcedLong,
  enforcedUnsignedLong,
  enumeration,
  float,
  member,
  numeric,
  operator,
  orSequence,
  record,
  sequence,
  signature,
  unsignedLong,
  usvString,
} from './convert.js';
import {
  toGPUDevice,
  toMLContext,
  toMLGraph,
  toMLOperand,
  toMLOperands,
  toMLTensor,
} from './objects.js';
import type * as api from './types.gen.js';

export const MLPowerPreference = enumeration<api.MLPowerPreference>('MLPowerPreference', [
  'default',
  'high-performance',
  'low-power',
]);
export const MLInputOperandLayout = enumeration<api.MLInputOperandLayout>('MLInputOperandLayout', [
  'nchw',
  'nhwc',
]);
export const MLOperandDataType = enumeration<api.MLOperandDataType>('MLOperandDataType', [
  'float32',
  'float16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'int8',
  'uint8',
  'int4',
  'uint4',
]);
export const MLConv2dFilterOperandLayout = enumeration<api.MLConv2dFilterOperandLayout>('MLConv2dFilterOperandLayout', [
  'oihw',
  'hwio',
  'ohwi',
  'ihwo',
]);
export const MLConvTranspose2dFilterOperandLayout = enumeration<api.MLConvTranspose2dFilterOperandLayout>('MLConvTranspose2dFilterOperandLayout', [
  'iohw',
  'hwoi',
  'ohwi',
]);
export const MLGruWeightLayout = enumeration<api.MLGruWeightLayout>('MLGruWeightLayout', [
  'zrn',
  'rzn',
]);
export const MLRecurrentNetworkActivation = enumeration<api.MLRecurrentNetworkActivation>('MLRecurrentNetworkActivation', [
  'relu',
  'sigmoid',
  'tanh',
]);
export const MLRecurrentNetworkDirection = enumeration<api.MLRecurrentNetworkDirection>('MLRecurrentNetworkDirection', [
  'forward',
  'backward',
  'both',
]);
export const MLLstmWeightLayout = enumeration<api.MLLstmWeightLayout>('MLLstmWeightLayout', [
  'iofg',
  'ifgo',
]);
export const MLPaddingMode = enumeration<api.MLPaddingMode>('MLPaddingMode', [
  'constant',
  'edge',
  'reflection',
]);
export const MLRoundingType = enumeration<api.MLRoundingType>('MLRoundingType', [
  'floor',
  'ceil',
]);
export const MLInterpolationMode = enumeration<api.MLInterpolationMode>('MLInterpolationMode', [
  'nearest-neighbor',
  'linear',
]);
export const MLDeviceType = enumeration<api.MLDeviceType>('MLDeviceType', [
  'cpu',
  'gpu',
  'npu',
]);

export const MLContextOptions = dictionary('MLContextOptions', undefined, {
  accelerated: member(boolean, 'defaulted', true),
  deviceType: member(MLDeviceType),
  powerPreference: member(MLPowerPreference, 'defaulted', 'default'),
  threads: member(enforcedUnsignedLong),
});
export const MLOperandDescriptor = dictionary('MLOperandDescriptor', undefined, {
  dataType: member(MLOperandDataType, 'required'),
  shape: member(sequence(enforcedUnsignedLong), 'required'),
});
export const MLTensorDescriptor = dictionary('MLTensorDescriptor', MLOperandDescriptor, {
  readable: member(boolean, 'defaulted', false),
  writable: member(boolean, 'defaulted', false),
});
export const MLOperatorOptions = dictionary('MLOperatorOptions', undefined, {
  label: member(usvString, 'defaulted', ''),
});
export const MLArgMinMaxOptions = dictionary('MLArgMinMaxOptions', MLOperatorOptions, {
  keepDimensions: member(boolean, 'defaulted', false),
  outputDataType: member(MLOperandDataType, 'defaulted', 'int32'),
});
export const MLBatchNormalizationOptions = dictionary('MLBatchNormalizationOptions', MLOperatorOptions, {
  axis: member(enforcedUnsignedLong, 'defaulted', 1),
  bias: member(toMLOperand),
  epsilon: member(double, 'defaulted', 1e-5),
  scale: member(toMLOperand),
});
export const MLClampOptions = dictionary('MLClampOptions', MLOperatorOptions, {
  maxValue: member(numeric),
  minValue: member(numeric),
});
export const MLConv2dOptions = dictionary('MLConv2dOptions', MLOperatorOptions, {
  bias: member(toMLOperand),
  dilations: member(sequence(enforcedUnsignedLong)),
  filterLayout: member(MLConv2dFilterOperandLayout, 'defaulted', 'oihw'),
  groups: member(enforcedUnsignedLong, 'defaulted', 1),
  inputLayout: member(MLInputOperandLayout, 'defaulted', 'nchw'),
  padding: member(sequence(enforcedUnsignedLong)),
  strides: member(sequence(enforcedUnsignedLong)),
});
export const MLConvTranspose2dOptions = dictionary('MLConvTranspose2dOptions', MLOperatorOptions, {
  bias: member(toMLOperand),
  dilations: member(sequence(enforcedUnsignedLong)),
  filterLayout: member(MLConvTranspose2dFilterOperandLayout, 'defaulted', 'iohw'),
  groups: member(enforcedUnsignedLong, 'defaulted', 1),
  inputLayout: member(MLInputOperandLayout, 'defaulted', 'nchw'),
  outputPadding: member(sequence(enforcedUnsignedLong)),
  outputSizes: member(sequence(enforcedUnsignedLong)),
  padding: member(sequence(enforcedUnsignedLong)),
  strides: member(sequence(enforcedUnsignedLong)),
});
export const MLCumulativeSumOptions = dictionary('MLCumulativeSumOptions', MLOperatorOptions, {
  exclusive: member(boolean, 'defaulted', false),
  reversed: member(boolean, 'defaulted', false),
});
export const MLEluOptions = dictionary('MLEluOptions', MLOperatorOptions, {
  alpha: member(double, 'defaulted', 1),
});
export const MLGatherOptions = dictionary('MLGatherOptions', MLOperatorOptions, {
  axis: member(enforcedUnsignedLong, 'defaulted', 0),
});
export const MLGemmOptions = dictionary('MLGemmOptions', MLOperatorOptions, {
  aTranspose: member(boolean, 'defaulted', false),
  alpha: member(double, 'defaulted', 1.0),
  bTranspose: member(boolean, 'defaulted', false),
  beta: member(double, 'defaulted', 1.0),
  c: member(toMLOperand),
});
export const MLGruOptions = dictionary('MLGruOptions', MLOperatorOptions, {
  activations: member(sequence(MLRecurrentNetworkActivation)),
  bias: member(toMLOperand),
  direction: member(MLRecurrentNetworkDirection, 'defaulted', 'forward'),
  initialHiddenState: member(toMLOperand),
  layout: member(MLGruWeightLayout, 'defaulted', 'zrn'),
  recurrentBias: member(toMLOperand),
  resetAfter: member(boolean, 'defaulted', true),
  returnSequence: member(boolean, 'defaulted', false),
});
export const MLGruCellOptions = dictionary('MLGruCellOptions', MLOperatorOptions, {
  activations: member(sequence(MLRecurrentNetworkActivation)),
  bias: member(toMLOperand),
  layout: member(MLGruWeightLayout, 'defaulted', 'zrn'),
  recurrentBias: member(toMLOperand),
  resetAfter: member(boolean, 'defaulted', true),
});
export const MLHardSigmoidOptions = dictionary('MLHardSigmoidOptions', MLOperatorOptions, {
  alpha: member(double, 'defaulted', 0.2),
  beta: member(double, 'defaulted', 0.5),
});
export const MLInstanceNormalizationOptions = dictionary('MLInstanceNormalizationOptions', MLOperatorOptions, {
  bias: member(toMLOperand),
  epsilon: member(double, 'defaulted', 1e-5),
  layout: member(MLInputOperandLayout, 'defaulted', 'nchw'),
  scale: member(toMLOperand),
});
export const MLLayerNormalizationOptions = dictionary('MLLayerNormalizationOptions', MLOperatorOptions, {
  axes: member(sequence(enforcedUnsignedLong)),
  bias: member(toMLOperand),
  epsilon: member(double, 'defaulted', 1e-5),
  scale: member(toMLOperand),
});
export const MLLeakyReluOptions = dictionary('MLLeakyReluOptions', MLOperatorOptions, {
  alpha: member(double, 'defaulted', 0.01),
});
export const MLLinearOptions = dictionary('MLLinearOptions', MLOperatorOptions, {
  alpha: member(double, 'defaulted', 1),
  beta: member(double, 'defaulted', 0),
});
export const MLLstmOptions = dictionary('MLLstmOptions', MLOperatorOptions, {
  activations: member(sequence(MLRecurrentNetworkActivation)),
  bias: member(toMLOperand),
  direction: member(MLRecurrentNetworkDirection, 'defaulted', 'forward'),
  initialCellState: member(toMLOperand),
  initialHiddenState: member(toMLOperand),
  layout: member(MLLstmWeightLayout, 'defaulted', 'iofg'),
  peepholeWeight: member(toMLOperand),
  recurrentBias: member(toMLOperand),
  returnSequence: member(boolean, 'defaulted', false),
});
export const MLLstmCellOptions = dictionary('MLLstmCellOptions', MLOperatorOptions, {
  activations: member(sequence(MLRecurrentNetworkActivation)),
  bias: member(toMLOperand),
  layout: member(MLLstmWeightLayout, 'defaulted', 'iofg'),
  peepholeWeight: member(toMLOperand),
  recurrentBias: member(toMLOperand),
});
export const MLPadOptions = dictionary('MLPadOptions', MLOperatorOptions, {
  mode: member(MLPaddingMode, 'defaulted', 'constant'),
  value: member(numeric, 'defaulted', 0),
});
export const MLPool2dOptions = dictionary('MLPool2dOptions', MLOperatorOptions, {
  dilations: member(sequence(enforcedUnsignedLong)),
  layout: member(MLInputOperandLayout, 'defaulted', 'nchw'),
  outputShapeRounding: member(MLRoundingType, 'defaulted', 'floor'),
  outputSizes: member(sequence(enforcedUnsignedLong)),
  padding: member(sequence(enforcedUnsignedLong)),
  strides: member(sequence(enforcedUnsignedLong)),
  windowDimensions: member(sequence(enforcedUnsignedLong)),
});
export const MLReduceOptions = dictionary('MLReduceOptions', MLOperatorOptions, {
  axes: member(sequence(enforcedUnsignedLong)),
  keepDimensions: member(boolean, 'defaulted', false),
});
export const MLResample2dOptions = dictionary('MLResample2dOptions', MLOperatorOptions, {
  axes: member(sequence(enforcedUnsignedLong)),
  mode: member(MLInterpolationMode, 'defaulted', 'nearest-neighbor'),
  scales: member(sequence(float)),
  sizes: member(sequence(enforcedUnsignedLong)),
});
export const MLReverseOptions = dictionary('MLReverseOptions', MLOperatorOptions, {
  axes: member(sequence(enforcedUnsignedLong)),
});
export const MLScatterOptions = dictionary('MLScatterOptions', MLOperatorOptions, {
  axis: member(enforcedUnsignedLong, 'defaulted', 0),
});
export const MLSliceOptions = dictionary('MLSliceOptions', MLOperatorOptions, {
  strides: member(sequence(enforcedUnsignedLong)),
});
export const MLSplitOptions = dictionary('MLSplitOptions', MLOperatorOptions, {
  axis: member(enforcedUnsignedLong, 'defaulted', 0),
});
export const MLTransposeOptions = dictionary('MLTransposeOptions', MLOperatorOptions, {
  permutation: member(sequence(enforcedUnsignedLong)),
});
export const MLTriangularOptions = dictionary('MLTriangularOptions', MLOperatorOptions, {
  diagonal: member(enforcedLong, 'defaulted', 0),
  upper: member(boolean, 'defaulted', true),
});

export const signatures = {
  ML: {
    createContext: [signature('createContext', 0, ['options'], MLContextOptions), signature('createContext', 1, ['gpuDevice'], toGPUDevice)] as const,
  },
  MLContext: {
    dispatch: signature('dispatch', 3, ['graph', 'inputs', 'outputs'], toMLGraph, record(toMLTensor), record(toMLTensor)),
    createTensor: signature('createTensor', 1, ['descriptor'], MLTensorDescriptor),
    createConstantTensor: signature('createConstantTensor', 2, ['descriptor', 'inputData'], MLOperandDescriptor, bufferSource),
    readTensor: [signature('readTensor', 1, ['tensor'], toMLTensor), signature('readTensor', 2, ['tensor', 'outputData'], toMLTensor, bufferSource)] as const,
    writeTensor: signature('writeTensor', 2, ['tensor', 'inputData'], toMLTensor, bufferSource),
  },
  MLGraphBuilder: {
    constructor: signature('new MLGraphBuilder', 1, ['context'], toMLContext),
    input: signature('input', 2, ['name', 'descriptor'], usvString, MLOperandDescriptor),
    constant: [signature('constant', 2, ['descriptor', 'buffer'], MLOperandDescriptor, bufferSource), signature('constant', 2, ['dataType', 'value'], MLOperandDataType, numeric), signature('constant', 1, ['tensor'], toMLTensor)] as const,
    build: signature('build', 1, ['outputs'], record(toMLOperand)),
  },
};

export const lengths: Record<string, Record<string, number>> = {
  ML: {
    createContext: 0,
  },
  MLContext: {
    dispatch: 3,
    createTensor: 1,
    createConstantTensor: 2,
    readTensor: 1,
    writeTensor: 2,
    opSupportLimits: 0,
    destroy: 0,
  },
  MLGraph: {
    destroy: 0,
  },
  MLOperand: {
  },
  MLTensor: {
    destroy: 0,
  },
  MLGraphBuilder: {
    constructor: 1,
    input: 2,
    constant: 1,
    build: 1,
    argMin: 2,
    argMax: 2,
    batchNormalization: 3,
    cast: 2,
    clamp: 1,
    concat: 2,
    conv2d: 2,
    convTranspose2d: 2,
    cumulativeSum: 2,
    add: 2,
    sub: 2,
    mul: 2,
    div: 2,
    max: 2,
    min: 2,
    pow: 2,
    equal: 2,
    notEqual: 2,
    greater: 2,
    greaterOrEqual: 2,
    lesser: 2,
    lesserOrEqual: 2,
    logicalNot: 1,
    logicalAnd: 2,
    logicalOr: 2,
    logicalXor: 2,
    isNaN: 1,
    isInfinite: 1,
    abs: 1,
    ceil: 1,
    cos: 1,
    erf: 1,
    exp: 1,
    floor: 1,
    identity: 1,
    log: 1,
    neg: 1,
    reciprocal: 1,
    roundEven: 1,
    sin: 1,
    sign: 1,
    sqrt: 1,
    tan: 1,
    dequantizeLinear: 3,
    quantizeLinear: 3,
    elu: 1,
    expand: 2,
    gather: 2,
    gatherElements: 2,
    gatherND: 2,
    gelu: 1,
    gemm: 2,
    gru: 5,
    gruCell: 5,
    hardSigmoid: 1,
    hardSwish: 1,
    instanceNormalization: 1,
    layerNormalization: 1,
    leakyRelu: 1,
    linear: 1,
    lstm: 5,
    lstmCell: 6,
    matmul: 2,
    pad: 3,
    averagePool2d: 1,
    l2Pool2d: 1,
    maxPool2d: 1,
    prelu: 2,
    reduceL1: 1,
    reduceL2: 1,
    reduceLogSum: 1,
    reduceLogSumExp: 1,
    reduceMax: 1,
    reduceMean: 1,
    reduceMin: 1,
    reduceProduct: 1,
    reduceSum: 1,
    reduceSumSquare: 1,
    relu: 1,
    resample2d: 1,
    reshape: 2,
    reverse: 1,
    scatterElements: 3,
    scatterND: 3,
    sigmoid: 1,
    slice: 3,
    softmax: 2,
    softplus: 1,
    softsign: 1,
    split: 2,
    tanh: 1,
    tile: 2,
    transpose: 1,
    triangular: 1,
    where: 3,
  },
};

/** The operators, together where their signatures are the same. */
export const operators = [
  operator(['argMin', 'argMax'], [['input', toMLOperand], ['axis', enforcedUnsignedLong]], MLArgMinMaxOptions, 'single'),
  operator(['batchNormalization'], [['input', toMLOperand], ['mean', toMLOperand], ['variance', toMLOperand]], MLBatchNormalizationOptions, 'single'),
  operator(['cast'], [['input', toMLOperand], ['dataType', MLOperandDataType]], MLOperatorOptions, 'single'),
  operator(['clamp'], [['input', toMLOperand]], MLClampOptions, 'single'),
  operator(['concat'], [['inputs', toMLOperands], ['axis', enforcedUnsignedLong]], MLOperatorOptions, 'single'),
  operator(['conv2d'], [['input', toMLOperand], ['filter', toMLOperand]], MLConv2dOptions, 'single'),
  operator(['convTranspose2d'], [['input', toMLOperand], ['filter', toMLOperand]], MLConvTranspose2dOptions, 'single'),
  operator(['cumulativeSum'], [['input', toMLOperand], ['axis', unsignedLong]], MLCumulativeSumOptions, 'single'),
  operator(['add', 'sub', 'mul', 'div', 'max', 'min', 'pow', 'equal', 'notEqual', 'greater', 'greaterOrEqual', 'lesser', 'lesserOrEqual', 'logicalAnd', 'logicalOr', 'logicalXor', 'matmul'], [['a', toMLOperand], ['b', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['logicalNot', 'isNaN', 'isInfinite'], [['a', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['abs', 'ceil', 'cos', 'erf', 'exp', 'floor', 'identity', 'log', 'neg', 'reciprocal', 'roundEven', 'sin', 'sign', 'sqrt', 'tan', 'gelu', 'hardSwish', 'relu', 'sigmoid', 'softplus', 'softsign', 'tanh'], [['input', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['dequantizeLinear', 'quantizeLinear'], [['input', toMLOperand], ['scale', toMLOperand], ['zeroPoint', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['elu'], [['input', toMLOperand]], MLEluOptions, 'single'),
  operator(['expand', 'reshape'], [['input', toMLOperand], ['newShape', sequence(enforcedUnsignedLong)]], MLOperatorOptions, 'single'),
  operator(['gather', 'gatherElements'], [['input', toMLOperand], ['indices', toMLOperand]], MLGatherOptions, 'single'),
  operator(['gatherND'], [['input', toMLOperand], ['indices', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['gemm'], [['a', toMLOperand], ['b', toMLOperand]], MLGemmOptions, 'single'),
  operator(['gru'], [['input', toMLOperand], ['weight', toMLOperand], ['recurrentWeight', toMLOperand], ['steps', enforcedUnsignedLong], ['hiddenSize', enforcedUnsignedLong]], MLGruOptions, 'sequence'),
  operator(['gruCell'], [['input', toMLOperand], ['weight', toMLOperand], ['recurrentWeight', toMLOperand], ['hiddenState', toMLOperand], ['hiddenSize', enforcedUnsignedLong]], MLGruCellOptions, 'single'),
  operator(['hardSigmoid'], [['input', toMLOperand]], MLHardSigmoidOptions, 'single'),
  operator(['instanceNormalization'], [['input', toMLOperand]], MLInstanceNormalizationOptions, 'single'),
  operator(['layerNormalization'], [['input', toMLOperand]], MLLayerNormalizationOptions, 'single'),
  operator(['leakyRelu'], [['input', toMLOperand]], MLLeakyReluOptions, 'single'),
  operator(['linear'], [['input', toMLOperand]], MLLinearOptions, 'single'),
  operator(['lstm'], [['input', toMLOperand], ['weight', toMLOperand], ['recurrentWeight', toMLOperand], ['steps', enforcedUnsignedLong], ['hiddenSize', enforcedUnsignedLong]], MLLstmOptions, 'sequence'),
  operator(['lstmCell'], [['input', toMLOperand], ['weight', toMLOperand], ['recurrentWeight', toMLOperand], ['hiddenState', toMLOperand], ['cellState', toMLOperand], ['hiddenSize', enforcedUnsignedLong]], MLLstmCellOptions, 'sequence'),
  operator(['pad'], [['input', toMLOperand], ['beginningPadding', sequence(enforcedUnsignedLong)], ['endingPadding', sequence(enforcedUnsignedLong)]], MLPadOptions, 'single'),
  operator(['averagePool2d', 'l2Pool2d', 'maxPool2d'], [['input', toMLOperand]], MLPool2dOptions, 'single'),
  operator(['prelu'], [['input', toMLOperand], ['slope', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['reduceL1', 'reduceL2', 'reduceLogSum', 'reduceLogSumExp', 'reduceMax', 'reduceMean', 'reduceMin', 'reduceProduct', 'reduceSum', 'reduceSumSquare'], [['input', toMLOperand]], MLReduceOptions, 'single'),
  operator(['resample2d'], [['input', toMLOperand]], MLResample2dOptions, 'single'),
  operator(['reverse'], [['input', toMLOperand]], MLReverseOptions, 'single'),
  operator(['scatterElements'], [['input', toMLOperand], ['indices', toMLOperand], ['updates', toMLOperand]], MLScatterOptions, 'single'),
  operator(['scatterND'], [['input', toMLOperand], ['indices', toMLOperand], ['updates', toMLOperand]], MLOperatorOptions, 'single'),
  operator(['slice'], [['input', toMLOperand], ['starts', sequence(enforcedUnsignedLong)], ['sizes', sequence(enforcedUnsignedLong)]], MLSliceOptions, 'single'),
  operator(['softmax'], [['input', toMLOperand], ['axis', enforcedUnsignedLong]], MLOperatorOptions, 'single'),
  operator(['split'], [['input', toMLOperand], ['splits', orSequence(enforcedUnsignedLong)]], MLSplitOptions, 'sequence'),
  operator(['tile'], [['input', toMLOperand], ['repetitions', sequence(unsignedLong)]], MLOperatorOptions, 'single'),
  operator(['transpose'], [['input', toMLOperand]], MLTransposeOptions, 'single'),
  operator(['triangular'], [['input', toMLOperand]], MLTriangularOptions, 'single'),
  operator(['where'], [['condition', toMLOperand], ['trueValue', toMLOperand], ['falseValue', toMLOperand]], MLOperatorOptions, 'single'),
];
