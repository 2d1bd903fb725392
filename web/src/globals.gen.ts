// Written by `npm run codegen` from idl/*.idl; do not edit.

import type * as api from './types.gen.js';

declare global {
  type MLPowerPreference = api.MLPowerPreference;
  type MLInputOperandLayout = api.MLInputOperandLayout;
  type MLOperandDataType = api.MLOperandDataType;
  type MLConv2dFilterOperandLayout = api.MLConv2dFilterOperandLayout;
  type MLConvTranspose2dFilterOperandLayout = api.MLConvTranspose2dFilterOperandLayout;
  type MLGruWeightLayout = api.MLGruWeightLayout;
  type MLRecurrentNetworkActivation = api.MLRecurrentNetworkActivation;
  type MLRecurrentNetworkDirection = api.MLRecurrentNetworkDirection;
  type MLLstmWeightLayout = api.MLLstmWeightLayout;
  type MLPaddingMode = api.MLPaddingMode;
  type MLRoundingType = api.MLRoundingType;
  type MLInterpolationMode = api.MLInterpolationMode;
  type MLDeviceType = api.MLDeviceType;
  type MLNamedTensors = api.MLNamedTensors;
  type MLDataTypeList = api.MLDataTypeList;
  type MLNumber = api.MLNumber;
  type MLNamedOperands = api.MLNamedOperands;
  type MLContextOptions = api.MLContextOptions;
  type MLContextLostInfo = api.MLContextLostInfo;
  type MLOpSupportLimits = api.MLOpSupportLimits;
  type MLRankRange = api.MLRankRange;
  type MLTensorLimits = api.MLTensorLimits;
  type MLBinarySupportLimits = api.MLBinarySupportLimits;
  type MLSingleInputSupportLimits = api.MLSingleInputSupportLimits;
  type MLOperandDescriptor = api.MLOperandDescriptor;
  type MLOperatorOptions = api.MLOperatorOptions;
  type MLTensorDescriptor = api.MLTensorDescriptor;
  type MLArgMinMaxOptions = api.MLArgMinMaxOptions;
  type MLBatchNormalizationOptions = api.MLBatchNormalizationOptions;
  type MLBatchNormalizationSupportLimits = api.MLBatchNormalizationSupportLimits;
  type MLClampOptions = api.MLClampOptions;
  type MLConcatSupportLimits = api.MLConcatSupportLimits;
  type MLConv2dOptions = api.MLConv2dOptions;
  type MLConv2dSupportLimits = api.MLConv2dSupportLimits;
  type MLConvTranspose2dOptions = api.MLConvTranspose2dOptions;
  type MLCumulativeSumOptions = api.MLCumulativeSumOptions;
  type MLLogicalNotSupportLimits = api.MLLogicalNotSupportLimits;
  type MLQuantizeDequantizeLinearSupportLimits = api.MLQuantizeDequantizeLinearSupportLimits;
  type MLEluOptions = api.MLEluOptions;
  type MLGatherOptions = api.MLGatherOptions;
  type MLGatherSupportLimits = api.MLGatherSupportLimits;
  type MLGemmOptions = api.MLGemmOptions;
  type MLGemmSupportLimits = api.MLGemmSupportLimits;
  type MLGruOptions = api.MLGruOptions;
  type MLGruSupportLimits = api.MLGruSupportLimits;
  type MLGruCellOptions = api.MLGruCellOptions;
  type MLGruCellSupportLimits = api.MLGruCellSupportLimits;
  type MLHardSigmoidOptions = api.MLHardSigmoidOptions;
  type MLInstanceNormalizationOptions = api.MLInstanceNormalizationOptions;
  type MLNormalizationSupportLimits = api.MLNormalizationSupportLimits;
  type MLLayerNormalizationOptions = api.MLLayerNormalizationOptions;
  type MLLeakyReluOptions = api.MLLeakyReluOptions;
  type MLLinearOptions = api.MLLinearOptions;
  type MLLstmOptions = api.MLLstmOptions;
  type MLLstmSupportLimits = api.MLLstmSupportLimits;
  type MLLstmCellOptions = api.MLLstmCellOptions;
  type MLLstmCellSupportLimits = api.MLLstmCellSupportLimits;
  type MLPadOptions = api.MLPadOptions;
  type MLPool2dOptions = api.MLPool2dOptions;
  type MLPreluSupportLimits = api.MLPreluSupportLimits;
  type MLReduceOptions = api.MLReduceOptions;
  type MLResample2dOptions = api.MLResample2dOptions;
  type MLReverseOptions = api.MLReverseOptions;
  type MLScatterOptions = api.MLScatterOptions;
  type MLScatterSupportLimits = api.MLScatterSupportLimits;
  type MLSliceOptions = api.MLSliceOptions;
  type MLSplitOptions = api.MLSplitOptions;
  type MLSplitSupportLimits = api.MLSplitSupportLimits;
  type MLTransposeOptions = api.MLTransposeOptions;
  type MLTriangularOptions = api.MLTriangularOptions;
  type MLWhereSupportLimits = api.MLWhereSupportLimits;

  interface ML extends api.ML {}
  var ML: api.MLConstructor;
  interface MLContext extends api.MLContext {}
  var MLContext: api.MLContextConstructor;
  interface MLGraph extends api.MLGraph {}
  var MLGraph: api.MLGraphConstructor;
  interface MLOperand extends api.MLOperand {}
  var MLOperand: api.MLOperandConstructor;
  interface MLTensor extends api.MLTensor {}
  var MLTensor: api.MLTensorConstructor;
  interface MLGraphBuilder extends api.MLGraphBuilder {}
  var MLGraphBuilder: api.MLGraphBuilderConstructor;

  interface Navigator {
    readonly ml: ML;
  }
  interface WorkerNavigator {
    readonly ml: ML;
  }
}

export {};
