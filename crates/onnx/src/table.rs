//! Which operator is imported how. What maps one to one is its whole line here.

use crate::cx::Handler;
use crate::emit::{Emit, ReduceKind, Unary};
use crate::error::{Outcome, fault};
use crate::import::Value;
use crate::ops::bits::Bitwise;
use crate::ops::elementwise::{binary, unary, variadic};
use crate::ops::hyperbolic::{Function, function};
use crate::ops::recurrent::{Kind, recurrent};
use crate::ops::*;

/// The importer of an operator; ONNX's own domain is the empty one.
pub(crate) fn handler(domain: &str, name: &str) -> Option<Handler> {
    match domain {
        "" => standard(name).or_else(|| refused(name)),
        "com.microsoft" => contributed(name),
        "ai.onnx.ml" => learned(name),
        "ai.onnx.preview" if name == "FlexAttention" => Some(attention::flexible),
        "ai.onnx.preview.training" | "ai.onnx.training" => {
            Some(|_| fault!(Training, "the operator serves training"))
        }
        _unknown => None,
    }
}

fn standard(name: &str) -> Option<Handler> {
    element_wise(name).or_else(|| moving(name)).or_else(|| computing(name))
}

fn element_wise(name: &str) -> Option<Handler> {
    let handler: Handler = match name {
        "Abs" => |cx| unary(cx, Unary::Abs),
        "Acos" => |cx| function(cx, Function::Acos),
        "Acosh" => |cx| function(cx, Function::Acosh),
        "Add" => |cx| binary(cx, Emit::add),
        "And" => |cx| binary(cx, Emit::logical_and),
        "Asin" => |cx| function(cx, Function::Asin),
        "Asinh" => |cx| function(cx, Function::Asinh),
        "Atan" => |cx| function(cx, Function::Atan),
        "Atanh" => |cx| function(cx, Function::Atanh),
        "BitCast" => shape::bit_cast,
        "BitShift" => bits::shift,
        "BitwiseAnd" => |cx| bits::binary(cx, Bitwise::And),
        "BitwiseNot" => bits::not,
        "BitwiseOr" => |cx| bits::binary(cx, Bitwise::Or),
        "BitwiseXor" => |cx| bits::binary(cx, Bitwise::Xor),
        "Cast" => elementwise::cast,
        "CastLike" => elementwise::cast_like,
        "Ceil" => |cx| unary(cx, Unary::Ceil),
        "Celu" => activation::celu,
        "Clip" => elementwise::clip,
        "Cos" => |cx| unary(cx, Unary::Cos),
        "Cosh" => |cx| function(cx, Function::Cosh),
        "Div" => |cx| binary(cx, Emit::div),
        "Elu" => activation::elu,
        "Equal" => |cx| binary(cx, Emit::equal),
        "Erf" => |cx| unary(cx, Unary::Erf),
        "Exp" => |cx| unary(cx, Unary::Exp),
        "Floor" => |cx| unary(cx, Unary::Floor),
        "Gelu" => activation::gelu,
        "Greater" => |cx| binary(cx, Emit::greater),
        "GreaterOrEqual" => |cx| binary(cx, Emit::greater_or_equal),
        "HardSigmoid" => activation::hard_sigmoid,
        "HardSwish" => |cx| unary(cx, Unary::HardSwish),
        "IsInf" => elementwise::is_inf,
        "IsNaN" => elementwise::is_nan,
        "LeakyRelu" => activation::leaky_relu,
        "Less" => |cx| binary(cx, Emit::lesser),
        "LessOrEqual" => |cx| binary(cx, Emit::lesser_or_equal),
        "Log" => |cx| unary(cx, Unary::Log),
        "Max" => |cx| variadic(cx, Emit::max),
        "Mean" => elementwise::mean,
        "Min" => |cx| variadic(cx, Emit::min),
        "Mish" => activation::mish,
        "Mod" => elementwise::modulo,
        "Mul" => |cx| binary(cx, Emit::mul),
        "Neg" => |cx| unary(cx, Unary::Neg),
        "Not" => elementwise::not,
        "Or" => |cx| binary(cx, Emit::logical_or),
        "Pow" => elementwise::pow,
        "PRelu" => activation::prelu,
        "Reciprocal" => |cx| unary(cx, Unary::Reciprocal),
        "Relu" => |cx| unary(cx, Unary::Relu),
        "Round" => |cx| unary(cx, Unary::RoundEven),
        "Selu" => activation::selu,
        "Shrink" => activation::shrink,
        "Sigmoid" => |cx| unary(cx, Unary::Sigmoid),
        "Sign" => |cx| unary(cx, Unary::Sign),
        "Sin" => |cx| unary(cx, Unary::Sin),
        "Sinh" => |cx| function(cx, Function::Sinh),
        "Softplus" => |cx| unary(cx, Unary::Softplus),
        "Softsign" => |cx| unary(cx, Unary::Softsign),
        "Sqrt" => |cx| unary(cx, Unary::Sqrt),
        "Sub" => |cx| binary(cx, Emit::sub),
        "Sum" => |cx| variadic(cx, Emit::add),
        "SwiGLU" => activation::swiglu,
        "Swish" => |cx| activation::swish_node(cx, 1.0),
        "Tan" => |cx| unary(cx, Unary::Tan),
        "Tanh" => |cx| unary(cx, Unary::Tanh),
        "ThresholdedRelu" => activation::thresholded_relu,
        "Where" => elementwise::select,
        "Xor" => |cx| binary(cx, Emit::logical_xor),
        _other => return None,
    };
    Some(handler)
}

fn moving(name: &str) -> Option<Handler> {
    let handler: Handler = match name {
        "CenterCropPad" => shape::center_crop_pad,
        "Col2Im" => shape::col2im,
        "Compress" => index::compress,
        "Concat" => shape::concat,
        "ConcatFromSequence" => sequence::concat,
        "Constant" => shape::constant,
        "ConstantOfShape" => shape::constant_of_shape,
        "DepthToSpace" => shape::depth_to_space,
        "Dropout" => shape::dropout,
        "Expand" => shape::expand,
        "EyeLike" => shape::eye_like,
        "Flatten" => shape::flatten,
        "Gather" => index::gather,
        "GatherElements" => index::gather_elements,
        "GatherND" => index::gather_nd,
        "Identity" => shape::identity,
        "If" => control::branch,
        "Loop" => control::repeat,
        "NonZero" => index::non_zero,
        "OneHot" => index::one_hot,
        "Optional" => sequence::optional,
        "OptionalGetElement" => sequence::optional_get,
        "OptionalHasElement" => sequence::optional_has,
        "Pad" => shape::pad,
        "Range" => shape::range,
        "Reshape" => shape::reshape,
        "ReverseSequence" => shape::reverse_sequence,
        "Scan" => control::scan,
        "Scatter" | "ScatterElements" => index::scatter_elements,
        "ScatterND" => index::scatter_nd,
        "SequenceAt" => sequence::at,
        "SequenceConstruct" => sequence::construct,
        "SequenceEmpty" => sequence::empty,
        "SequenceErase" => sequence::erase,
        "SequenceInsert" => sequence::insert,
        "SequenceLength" => sequence::length,
        "SequenceMap" => sequence::map,
        "Shape" => shape::shape,
        "Size" => shape::size,
        "Slice" => shape::slice,
        "SpaceToDepth" => shape::space_to_depth,
        "Split" => shape::split,
        "SplitToSequence" => sequence::split,
        "Squeeze" => shape::squeeze,
        "TensorScatter" => index::tensor_scatter,
        "Tile" => shape::tile,
        "Transpose" => shape::transpose,
        "Trilu" => shape::trilu,
        "Unique" => index::unique,
        "Unsqueeze" => shape::unsqueeze,
        _other => return None,
    };
    Some(handler)
}

fn computing(name: &str) -> Option<Handler> {
    let handler: Handler = match name {
        "AffineGrid" => sample::affine_grid,
        "ArgMax" => |cx| reduce::arg(cx, true),
        "ArgMin" => |cx| reduce::arg(cx, false),
        "Attention" => attention::attention,
        "AveragePool" => pool::average,
        "BatchNormalization" => norm::batch,
        "BlackmanWindow" => |cx| signal::window(cx, signal::BLACKMAN),
        "CausalConvWithState" => recurrent::causal_conv,
        "Conv" => conv::conv,
        "ConvInteger" => conv::conv_integer,
        "ConvTranspose" => conv::conv_transpose,
        "CumProd" => elementwise::cumulative_product,
        "CumSum" => reduce::cumulative_sum,
        "DFT" => signal::dft,
        "DeformConv" => deform::deform_conv,
        "DequantizeLinear" => quant::dequantize,
        "Det" => matrix::det,
        "DynamicQuantizeLinear" => quant::dynamic_quantize,
        "Einsum" => einsum::einsum,
        "GRU" => |cx| recurrent(cx, Kind::Gru),
        "Gemm" => matrix::gemm,
        "GlobalAveragePool" => |cx| pool::global(cx, ReduceKind::Mean),
        "GlobalLpPool" => pool::global_norm,
        "GlobalMaxPool" => |cx| pool::global(cx, ReduceKind::Max),
        "GridSample" => sample::grid_sample,
        "GroupNormalization" => norm::group,
        "HammingWindow" => |cx| signal::window(cx, signal::HAMMING),
        "HannWindow" => |cx| signal::window(cx, signal::HANN),
        "Hardmax" => activation::hardmax,
        "InstanceNormalization" => norm::instance,
        "LRN" => norm::local_response,
        "LSTM" => |cx| recurrent(cx, Kind::Lstm),
        "LayerNormalization" => norm::layer,
        "LinearAttention" => attention::linear,
        "LogSoftmax" => activation::log_softmax,
        "LpNormalization" => reduce::lp_normalization,
        "LpPool" => pool::norm,
        "MatMul" => matrix::matmul,
        "MatMulInteger" => quant::matmul_integer,
        "MaxPool" => pool::max,
        "MaxUnpool" => pool::max_unpool,
        "MeanVarianceNormalization" => norm::mean_variance,
        "MelWeightMatrix" => signal::mel_weights,
        "NegativeLogLikelihoodLoss" => loss::negative_log_likelihood,
        "QLinearConv" => quant::qlinear_conv,
        "QLinearMatMul" => quant::qlinear_matmul,
        "QuantizeLinear" => quant::quantize,
        "RMSNormalization" => norm::rms,
        "RNN" => |cx| recurrent(cx, Kind::Rnn),
        "ReduceL1" => |cx| reduce::reduce(cx, ReduceKind::L1),
        "ReduceL2" => |cx| reduce::reduce(cx, ReduceKind::L2),
        "ReduceLogSum" => |cx| reduce::reduce(cx, ReduceKind::LogSum),
        "ReduceLogSumExp" => |cx| reduce::reduce(cx, ReduceKind::LogSumExp),
        "ReduceMax" => |cx| reduce::reduce(cx, ReduceKind::Max),
        "ReduceMean" => |cx| reduce::reduce(cx, ReduceKind::Mean),
        "ReduceMin" => |cx| reduce::reduce(cx, ReduceKind::Min),
        "ReduceProd" => |cx| reduce::reduce(cx, ReduceKind::Product),
        "ReduceSum" => |cx| reduce::reduce(cx, ReduceKind::Sum),
        "ReduceSumSquare" => |cx| reduce::reduce(cx, ReduceKind::SumSquare),
        "Resize" => resize::resize,
        "RoiAlign" => sample::roi_align,
        "RotaryEmbedding" => attention::rotary,
        "STFT" => signal::stft,
        // ONNX Runtime's, which it files under ONNX's own domain.
        "SimplifiedLayerNormalization" => norm::rms,
        "Softmax" => activation::softmax,
        "SoftmaxCrossEntropyLoss" => loss::softmax_cross_entropy,
        "TopK" => index::top_k,
        "Upsample" => resize::upsample,
        _other => return None,
    };
    Some(handler)
}

/// Operators that a static dense graph cannot have.
fn refused(name: &str) -> Option<Handler> {
    Some(match name {
        "Bernoulli" | "Multinomial" | "RandomNormal" | "RandomNormalLike" | "RandomUniform"
        | "RandomUniformLike" => random,
        "NonMaxSuppression" => {
            |_| fault!(DataDependentShape, "how many boxes are kept is not known before the run")
        }
        "ImageDecoder" => |_| fault!(DataDependentShape, "an image's size is not known"),
        "RegexFullMatch" | "StringConcat" | "StringNormalizer" | "StringSplit"
        | "TfIdfVectorizer" => |_| fault!(String, "the operator works on strings"),
        "MaxRoiPool" => |_| fault!(NotExpressible, "no WebNN operations compute this"),
        _other => return None,
    })
}

fn random(_: &mut crate::cx::Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    fault!(Random, "the result is random")
}

/// The operators of ONNX Runtime that exported transformers use.
fn contributed(name: &str) -> Option<Handler> {
    let handler: Handler = match name {
        "Attention" => attention::packed,
        "BiasGelu" => contrib::bias_gelu,
        "DynamicQuantizeLinear" => quant::dynamic_quantize,
        "DynamicQuantizeMatMul" => contrib::dynamic_matmul,
        "EmbedLayerNormalization" => contrib::embed,
        "FastGelu" => contrib::fast_gelu,
        "FusedConv" => contrib::fused_conv,
        "FusedGemm" => contrib::fused_gemm,
        "FusedMatMul" => contrib::fused_matmul,
        "Gelu" => |cx| unary(cx, Unary::Gelu),
        "GroupQueryAttention" => attention::group_query,
        "MatMulInteger" => quant::matmul_integer,
        "MatMulIntegerToFloat" => contrib::matmul_integer_to_float,
        "MatMulNBits" => nbits::matmul_nbits,
        "MultiHeadAttention" => attention::multi_head,
        "DequantizeLinear" => quant::dequantize,
        "QLinearAdd" => |cx| quant::qlinear_binary(cx, Emit::add),
        "QLinearConv" => quant::qlinear_conv,
        "QLinearMatMul" => quant::qlinear_matmul,
        "QLinearMul" => |cx| quant::qlinear_binary(cx, Emit::mul),
        "QuantizeLinear" => quant::quantize,
        "QuickGelu" => |cx| activation::swish_node(cx, 1.702),
        "RotaryEmbedding" => attention::rotary_contrib,
        "SimplifiedLayerNormalization" => norm::rms,
        "SkipLayerNormalization" => |cx| contrib::skip_normalization(cx, false),
        "SkipSimplifiedLayerNormalization" => |cx| contrib::skip_normalization(cx, true),
        _other => return None,
    };
    Some(handler)
}

/// The operators of classical models.
fn learned(name: &str) -> Option<Handler> {
    let handler: Handler = match name {
        "ArrayFeatureExtractor" => ml::extract,
        "Binarizer" => ml::binarize,
        "FeatureVectorizer" => ml::join,
        "Imputer" => ml::impute,
        "LabelEncoder" => ml::encode_labels,
        "LinearClassifier" => ml::linear_classifier,
        "LinearRegressor" => ml::linear_regressor,
        "Normalizer" => ml::normalize,
        "OneHotEncoder" => ml::one_hot,
        "Scaler" => ml::scale,
        "TreeEnsemble"
        | "TreeEnsembleClassifier"
        | "TreeEnsembleRegressor"
        | "SVMClassifier"
        | "SVMRegressor" => |_| fault!(NotExpressible, "no WebNN operations compute this"),
        "CastMap" | "DictVectorizer" | "ZipMap" => {
            |_| fault!(SequenceOrOptional, "the operator works on maps")
        }
        "CategoryMapper" => |_| fault!(String, "the operator works on strings"),
        _other => return None,
    };
    Some(handler)
}
