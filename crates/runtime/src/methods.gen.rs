//! Written by `cargo xtask codegen` from the list of operators; do not edit.

use webnn_core::attrs::{Args, Attribute};

use crate::{
    Activation, DataType, Direction, FilterLayout, GraphBuilder, GruLayout, InputLayout,
    InterpolationMode, LstmLayout, Number, Operand, PaddingMode, Result, RoundingType, Splits,
    TransposeFilterLayout,
};

/// Adds an attribute that is given; any other keeps its default.
fn set<T: Attribute>(args: &mut Args, name: &'static str, value: Option<T>) {
    if let Some(attr) = value.and_then(|value| value.write()) {
        args.push(name, attr);
    }
}

/// Options of `arg_min` and `arg_max`; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArgMinMaxOptions {
    /// `keepDimensions`: boolean.
    pub keep_dimensions: Option<bool>,
    /// `outputDataType`: float32, float16, int32, uint32, int64, uint64, int8, uint8, int4, uint4.
    pub output_data_type: Option<DataType>,
}

/// Options of [`GraphBuilder::batch_normalization`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchNormalizationOptions {
    /// `scale`: type of `input`; rank 1.
    pub scale: Option<Operand>,
    /// `bias`: type of `input`; rank 1.
    pub bias: Option<Operand>,
    /// `axis`: unsigned long.
    pub axis: Option<u32>,
    /// `epsilon`: double.
    pub epsilon: Option<f64>,
}

/// Options of [`GraphBuilder::clamp`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClampOptions {
    /// `minValue`: number.
    pub min_value: Option<Number>,
    /// `maxValue`: number.
    pub max_value: Option<Number>,
}

/// Options of [`GraphBuilder::conv2d`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conv2dOptions {
    /// `bias`: type of `input`; rank 1.
    pub bias: Option<Operand>,
    /// `padding`: 4 × unsigned long.
    pub padding: Option<[u32; 4]>,
    /// `strides`: 2 × unsigned long.
    pub strides: Option<[u32; 2]>,
    /// `dilations`: 2 × unsigned long.
    pub dilations: Option<[u32; 2]>,
    /// `groups`: unsigned long.
    pub groups: Option<u32>,
    /// `inputLayout`: nchw, nhwc.
    pub input_layout: Option<InputLayout>,
    /// `filterLayout`: oihw, hwio, ohwi, ihwo.
    pub filter_layout: Option<FilterLayout>,
}

/// Options of [`GraphBuilder::conv_transpose2d`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConvTranspose2dOptions {
    /// `bias`: type of `input`; rank 1.
    pub bias: Option<Operand>,
    /// `padding`: 4 × unsigned long.
    pub padding: Option<[u32; 4]>,
    /// `strides`: 2 × unsigned long.
    pub strides: Option<[u32; 2]>,
    /// `dilations`: 2 × unsigned long.
    pub dilations: Option<[u32; 2]>,
    /// `outputPadding`: 2 × unsigned long.
    pub output_padding: Option<[u32; 2]>,
    /// `outputSizes`: 2 × unsigned long.
    pub output_sizes: Option<[u32; 2]>,
    /// `groups`: unsigned long.
    pub groups: Option<u32>,
    /// `inputLayout`: nchw, nhwc.
    pub input_layout: Option<InputLayout>,
    /// `filterLayout`: iohw, hwoi, ohwi.
    pub filter_layout: Option<TransposeFilterLayout>,
}

/// Options of [`GraphBuilder::cumulative_sum`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CumulativeSumOptions {
    /// `exclusive`: boolean.
    pub exclusive: Option<bool>,
    /// `reversed`: boolean.
    pub reversed: Option<bool>,
}

/// Options of [`GraphBuilder::elu`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EluOptions {
    /// `alpha`: double.
    pub alpha: Option<f64>,
}

/// Options of [`GraphBuilder::gather_elements`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GatherElementsOptions {
    /// `axis`: unsigned long.
    pub axis: Option<u32>,
}

/// Options of [`GraphBuilder::gather`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GatherOptions {
    /// `axis`: unsigned long.
    pub axis: Option<u32>,
}

/// Options of [`GraphBuilder::gemm`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GemmOptions {
    /// `c`: type of `a`; rank 0 to 2.
    pub c: Option<Operand>,
    /// `alpha`: double.
    pub alpha: Option<f64>,
    /// `beta`: double.
    pub beta: Option<f64>,
    /// `aTranspose`: boolean.
    pub a_transpose: Option<bool>,
    /// `bTranspose`: boolean.
    pub b_transpose: Option<bool>,
}

/// Options of [`GraphBuilder::gru_cell`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GruCellOptions {
    /// `bias`: type of `input`; rank 1.
    pub bias: Option<Operand>,
    /// `recurrentBias`: type of `input`; rank 1.
    pub recurrent_bias: Option<Operand>,
    /// `resetAfter`: boolean.
    pub reset_after: Option<bool>,
    /// `layout`: zrn, rzn.
    pub layout: Option<GruLayout>,
    /// `activations`: sequence of relu, sigmoid, tanh.
    pub activations: Option<Vec<Activation>>,
}

/// Options of [`GraphBuilder::gru`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GruOptions {
    /// `bias`: type of `input`; rank 2.
    pub bias: Option<Operand>,
    /// `recurrentBias`: type of `input`; rank 2.
    pub recurrent_bias: Option<Operand>,
    /// `initialHiddenState`: type of `input`; rank 3.
    pub initial_hidden_state: Option<Operand>,
    /// `resetAfter`: boolean.
    pub reset_after: Option<bool>,
    /// `returnSequence`: boolean.
    pub return_sequence: Option<bool>,
    /// `direction`: forward, backward, both.
    pub direction: Option<Direction>,
    /// `layout`: zrn, rzn.
    pub layout: Option<GruLayout>,
    /// `activations`: sequence of relu, sigmoid, tanh.
    pub activations: Option<Vec<Activation>>,
}

/// Options of [`GraphBuilder::hard_sigmoid`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HardSigmoidOptions {
    /// `alpha`: double.
    pub alpha: Option<f64>,
    /// `beta`: double.
    pub beta: Option<f64>,
}

/// Options of [`GraphBuilder::instance_normalization`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceNormalizationOptions {
    /// `scale`: type of `input`; rank 1.
    pub scale: Option<Operand>,
    /// `bias`: type of `input`; rank 1.
    pub bias: Option<Operand>,
    /// `epsilon`: double.
    pub epsilon: Option<f64>,
    /// `layout`: nchw, nhwc.
    pub layout: Option<InputLayout>,
}

/// Options of [`GraphBuilder::layer_normalization`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LayerNormalizationOptions {
    /// `scale`: type of `input`.
    pub scale: Option<Operand>,
    /// `bias`: type of `input`.
    pub bias: Option<Operand>,
    /// `axes`: sequence of unsigned long.
    pub axes: Option<Vec<u32>>,
    /// `epsilon`: double.
    pub epsilon: Option<f64>,
}

/// Options of [`GraphBuilder::leaky_relu`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeakyReluOptions {
    /// `alpha`: double.
    pub alpha: Option<f64>,
}

/// Options of [`GraphBuilder::linear`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinearOptions {
    /// `alpha`: double.
    pub alpha: Option<f64>,
    /// `beta`: double.
    pub beta: Option<f64>,
}

/// Options of [`GraphBuilder::lstm_cell`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LstmCellOptions {
    /// `bias`: type of `input`; rank 1.
    pub bias: Option<Operand>,
    /// `recurrentBias`: type of `input`; rank 1.
    pub recurrent_bias: Option<Operand>,
    /// `peepholeWeight`: type of `input`; rank 1.
    pub peephole_weight: Option<Operand>,
    /// `layout`: iofg, ifgo.
    pub layout: Option<LstmLayout>,
    /// `activations`: sequence of relu, sigmoid, tanh.
    pub activations: Option<Vec<Activation>>,
}

/// Options of [`GraphBuilder::lstm`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LstmOptions {
    /// `bias`: type of `input`; rank 2.
    pub bias: Option<Operand>,
    /// `recurrentBias`: type of `input`; rank 2.
    pub recurrent_bias: Option<Operand>,
    /// `peepholeWeight`: type of `input`; rank 2.
    pub peephole_weight: Option<Operand>,
    /// `initialHiddenState`: type of `input`; rank 3.
    pub initial_hidden_state: Option<Operand>,
    /// `initialCellState`: type of `input`; rank 3.
    pub initial_cell_state: Option<Operand>,
    /// `returnSequence`: boolean.
    pub return_sequence: Option<bool>,
    /// `direction`: forward, backward, both.
    pub direction: Option<Direction>,
    /// `layout`: iofg, ifgo.
    pub layout: Option<LstmLayout>,
    /// `activations`: sequence of relu, sigmoid, tanh.
    pub activations: Option<Vec<Activation>>,
}

/// Options of [`GraphBuilder::pad`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PadOptions {
    /// `mode`: constant, edge, reflection.
    pub mode: Option<PaddingMode>,
    /// `value`: number.
    pub value: Option<Number>,
}

/// Options of every pooling; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pool2dOptions {
    /// `windowDimensions`: 2 × unsigned long.
    pub window_dimensions: Option<[u32; 2]>,
    /// `padding`: 4 × unsigned long.
    pub padding: Option<[u32; 4]>,
    /// `strides`: 2 × unsigned long.
    pub strides: Option<[u32; 2]>,
    /// `dilations`: 2 × unsigned long.
    pub dilations: Option<[u32; 2]>,
    /// `layout`: nchw, nhwc.
    pub layout: Option<InputLayout>,
    /// `outputShapeRounding`: floor, ceil.
    pub output_shape_rounding: Option<RoundingType>,
    /// `outputSizes`: 2 × unsigned long.
    pub output_sizes: Option<[u32; 2]>,
}

/// Options of every reduction; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReduceOptions {
    /// `axes`: sequence of unsigned long.
    pub axes: Option<Vec<u32>>,
    /// `keepDimensions`: boolean.
    pub keep_dimensions: Option<bool>,
}

/// Options of [`GraphBuilder::resample2d`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resample2dOptions {
    /// `mode`: nearest-neighbor, linear.
    pub mode: Option<InterpolationMode>,
    /// `scales`: 2 × float.
    pub scales: Option<[f32; 2]>,
    /// `sizes`: 2 × unsigned long.
    pub sizes: Option<[u32; 2]>,
    /// `axes`: 2 × unsigned long.
    pub axes: Option<[u32; 2]>,
}

/// Options of [`GraphBuilder::reverse`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReverseOptions {
    /// `axes`: sequence of unsigned long.
    pub axes: Option<Vec<u32>>,
}

/// Options of [`GraphBuilder::scatter_elements`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScatterOptions {
    /// `axis`: unsigned long.
    pub axis: Option<u32>,
}

/// Options of [`GraphBuilder::slice`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SliceOptions {
    /// `strides`: sequence of unsigned long.
    pub strides: Option<Vec<u32>>,
}

/// Options of [`GraphBuilder::split`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SplitOptions {
    /// `axis`: unsigned long.
    pub axis: Option<u32>,
}

/// Options of [`GraphBuilder::transpose`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransposeOptions {
    /// `permutation`: sequence of unsigned long.
    pub permutation: Option<Vec<u32>>,
}

/// Options of [`GraphBuilder::triangular`]; `None` is the specification's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TriangularOptions {
    /// `upper`: boolean.
    pub upper: Option<bool>,
    /// `diagonal`: long.
    pub diagonal: Option<i32>,
}

impl GraphBuilder {
    /// The specification's [`argMin`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-argmin).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    pub fn arg_min(&self, input: Operand, axis: u32, options: ArgMinMaxOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", Some(axis));
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        set(&mut args, "output_data_type", options.output_data_type);
        self.call_one("argMin", &[Some(input)], &args)
    }

    /// The specification's [`argMax`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-argmax).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    pub fn arg_max(&self, input: Operand, axis: u32, options: ArgMinMaxOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", Some(axis));
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        set(&mut args, "output_data_type", options.output_data_type);
        self.call_one("argMax", &[Some(input)], &args)
    }

    /// The specification's [`batchNormalization`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-batchnormalization).
    ///
    /// - `input`: float32, float16; rank 1 to 8
    /// - `mean`: type of `input`; rank 1
    /// - `variance`: type of `input`; rank 1
    pub fn batch_normalization(
        &self,
        input: Operand,
        mean: Operand,
        variance: Operand,
        options: BatchNormalizationOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", options.axis);
        set(&mut args, "epsilon", options.epsilon);
        self.call_one(
            "batchNormalization",
            &[Some(input), Some(mean), Some(variance), options.scale, options.bias],
            &args,
        )
    }

    /// The specification's [`add`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-add).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn add(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("add", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`sub`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sub).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn sub(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("sub", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`mul`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-mul).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn mul(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("mul", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`div`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-div).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn div(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("div", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`max`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-max).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn max(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("max", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`min`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-min).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn min(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("min", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`pow`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-pow).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn pow(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("pow", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`cast`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-cast).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8, int4, uint4
    pub fn cast(&self, input: Operand, data_type: DataType) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "data_type", Some(data_type));
        self.call_one("cast", &[Some(input)], &args)
    }

    /// The specification's [`clamp`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-clamp).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn clamp(&self, input: Operand, options: ClampOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "min_value", options.min_value);
        set(&mut args, "max_value", options.max_value);
        self.call_one("clamp", &[Some(input)], &args)
    }

    /// The specification's [`equal`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-equal).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn equal(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("equal", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`notEqual`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-notequal).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn not_equal(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("notEqual", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`greater`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-greater).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn greater(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("greater", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`greaterOrEqual`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-greaterorequal).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn greater_or_equal(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("greaterOrEqual", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`lesser`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lesser).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn lesser(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("lesser", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`lesserOrEqual`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lesserorequal).
    ///
    /// - `a`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `b`: type of `a`
    pub fn lesser_or_equal(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("lesserOrEqual", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`logicalAnd`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicaland).
    ///
    /// - `a`: uint8
    /// - `b`: type of `a`
    pub fn logical_and(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("logicalAnd", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`logicalOr`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicalor).
    ///
    /// - `a`: uint8
    /// - `b`: type of `a`
    pub fn logical_or(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("logicalOr", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`logicalXor`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicalxor).
    ///
    /// - `a`: uint8
    /// - `b`: type of `a`
    pub fn logical_xor(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("logicalXor", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`concat`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-concat).
    ///
    /// - `inputs`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    pub fn concat(&self, inputs: &[Operand], axis: u32) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", Some(axis));
        self.call_one("concat", &inputs.iter().copied().map(Some).collect::<Vec<_>>(), &args)
    }

    /// The specification's [`conv2d`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-conv2d).
    ///
    /// - `input`: float32, float16; rank 4
    /// - `filter`: type of `input`; rank 4
    pub fn conv2d(
        &self,
        input: Operand,
        filter: Operand,
        options: Conv2dOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "padding", options.padding);
        set(&mut args, "strides", options.strides);
        set(&mut args, "dilations", options.dilations);
        set(&mut args, "groups", options.groups);
        set(&mut args, "input_layout", options.input_layout);
        set(&mut args, "filter_layout", options.filter_layout);
        self.call_one("conv2d", &[Some(input), Some(filter), options.bias], &args)
    }

    /// The specification's [`convTranspose2d`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-convtranspose2d).
    ///
    /// - `input`: float32, float16; rank 4
    /// - `filter`: type of `input`; rank 4
    pub fn conv_transpose2d(
        &self,
        input: Operand,
        filter: Operand,
        options: ConvTranspose2dOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "padding", options.padding);
        set(&mut args, "strides", options.strides);
        set(&mut args, "dilations", options.dilations);
        set(&mut args, "output_padding", options.output_padding);
        set(&mut args, "output_sizes", options.output_sizes);
        set(&mut args, "groups", options.groups);
        set(&mut args, "input_layout", options.input_layout);
        set(&mut args, "filter_layout", options.filter_layout);
        self.call_one("convTranspose2d", &[Some(input), Some(filter), options.bias], &args)
    }

    /// The specification's [`cumulativeSum`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-cumulativesum).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64; rank 1 to 8
    pub fn cumulative_sum(
        &self,
        input: Operand,
        axis: u32,
        options: CumulativeSumOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", Some(axis));
        set(&mut args, "exclusive", options.exclusive);
        set(&mut args, "reversed", options.reversed);
        self.call_one("cumulativeSum", &[Some(input)], &args)
    }

    /// The specification's [`elu`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-elu).
    ///
    /// - `input`: float32, float16
    pub fn elu(&self, input: Operand, options: EluOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "alpha", options.alpha);
        self.call_one("elu", &[Some(input)], &args)
    }

    /// The specification's [`hardSigmoid`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-hardsigmoid).
    ///
    /// - `input`: float32, float16
    pub fn hard_sigmoid(&self, input: Operand, options: HardSigmoidOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "alpha", options.alpha);
        set(&mut args, "beta", options.beta);
        self.call_one("hardSigmoid", &[Some(input)], &args)
    }

    /// The specification's [`leakyRelu`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-leakyrelu).
    ///
    /// - `input`: float32, float16
    pub fn leaky_relu(&self, input: Operand, options: LeakyReluOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "alpha", options.alpha);
        self.call_one("leakyRelu", &[Some(input)], &args)
    }

    /// The specification's [`linear`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-linear).
    ///
    /// - `input`: float32, float16
    pub fn linear(&self, input: Operand, options: LinearOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "alpha", options.alpha);
        set(&mut args, "beta", options.beta);
        self.call_one("linear", &[Some(input)], &args)
    }

    /// The specification's [`expand`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-expand).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn expand(&self, input: Operand, new_shape: &[u32]) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "new_shape", Some(new_shape.to_vec()));
        self.call_one("expand", &[Some(input)], &args)
    }

    /// The specification's [`gather`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gather).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    /// - `indices`: int32, uint32, int64
    pub fn gather(
        &self,
        input: Operand,
        indices: Operand,
        options: GatherOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", options.axis);
        self.call_one("gather", &[Some(input), Some(indices)], &args)
    }

    /// The specification's [`gatherElements`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gatherelements).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    /// - `indices`: int32, uint32, int64; rank of `input`
    pub fn gather_elements(
        &self,
        input: Operand,
        indices: Operand,
        options: GatherElementsOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", options.axis);
        self.call_one("gatherElements", &[Some(input), Some(indices)], &args)
    }

    /// The specification's [`gatherND`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gathernd).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    /// - `indices`: int32, uint32, int64; rank 1 to 8
    pub fn gather_nd(&self, input: Operand, indices: Operand) -> Result<Operand> {
        self.call_one("gatherND", &[Some(input), Some(indices)], &Args::new())
    }

    /// The specification's [`gemm`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gemm).
    ///
    /// - `a`: float32, float16; rank 2
    /// - `b`: type of `a`; rank 2
    pub fn gemm(&self, a: Operand, b: Operand, options: GemmOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "alpha", options.alpha);
        set(&mut args, "beta", options.beta);
        set(&mut args, "a_transpose", options.a_transpose);
        set(&mut args, "b_transpose", options.b_transpose);
        self.call_one("gemm", &[Some(a), Some(b), options.c], &args)
    }

    /// The specification's [`gru`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gru).
    ///
    /// - `input`: float32, float16; rank 3
    /// - `weight`: type of `input`; rank 3
    /// - `recurrent_weight`: type of `input`; rank 3
    pub fn gru(
        &self,
        input: Operand,
        weight: Operand,
        recurrent_weight: Operand,
        steps: u32,
        hidden_size: u32,
        options: GruOptions,
    ) -> Result<Vec<Operand>> {
        let mut args = Args::new();
        set(&mut args, "steps", Some(steps));
        set(&mut args, "hidden_size", Some(hidden_size));
        set(&mut args, "reset_after", options.reset_after);
        set(&mut args, "return_sequence", options.return_sequence);
        set(&mut args, "direction", options.direction);
        set(&mut args, "layout", options.layout);
        set(&mut args, "activations", options.activations);
        self.call(
            "gru",
            &[
                Some(input),
                Some(weight),
                Some(recurrent_weight),
                options.bias,
                options.recurrent_bias,
                options.initial_hidden_state,
            ],
            &args,
        )
    }

    /// The specification's [`gruCell`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-grucell).
    ///
    /// - `input`: float32, float16; rank 2
    /// - `weight`: type of `input`; rank 2
    /// - `recurrent_weight`: type of `input`; rank 2
    /// - `hidden_state`: type of `input`; rank 2
    pub fn gru_cell(
        &self,
        input: Operand,
        weight: Operand,
        recurrent_weight: Operand,
        hidden_state: Operand,
        hidden_size: u32,
        options: GruCellOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "hidden_size", Some(hidden_size));
        set(&mut args, "reset_after", options.reset_after);
        set(&mut args, "layout", options.layout);
        set(&mut args, "activations", options.activations);
        self.call_one(
            "gruCell",
            &[
                Some(input),
                Some(weight),
                Some(recurrent_weight),
                Some(hidden_state),
                options.bias,
                options.recurrent_bias,
            ],
            &args,
        )
    }

    /// The specification's [`instanceNormalization`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-instancenormalization).
    ///
    /// - `input`: float32, float16; rank 4
    pub fn instance_normalization(
        &self,
        input: Operand,
        options: InstanceNormalizationOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "epsilon", options.epsilon);
        set(&mut args, "layout", options.layout);
        self.call_one("instanceNormalization", &[Some(input), options.scale, options.bias], &args)
    }

    /// The specification's [`layerNormalization`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-layernormalization).
    ///
    /// - `input`: float32, float16
    pub fn layer_normalization(
        &self,
        input: Operand,
        options: LayerNormalizationOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "epsilon", options.epsilon);
        self.call_one("layerNormalization", &[Some(input), options.scale, options.bias], &args)
    }

    /// The specification's [`lstm`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lstm).
    ///
    /// - `input`: float32, float16; rank 3
    /// - `weight`: type of `input`; rank 3
    /// - `recurrent_weight`: type of `input`; rank 3
    pub fn lstm(
        &self,
        input: Operand,
        weight: Operand,
        recurrent_weight: Operand,
        steps: u32,
        hidden_size: u32,
        options: LstmOptions,
    ) -> Result<Vec<Operand>> {
        let mut args = Args::new();
        set(&mut args, "steps", Some(steps));
        set(&mut args, "hidden_size", Some(hidden_size));
        set(&mut args, "return_sequence", options.return_sequence);
        set(&mut args, "direction", options.direction);
        set(&mut args, "layout", options.layout);
        set(&mut args, "activations", options.activations);
        self.call(
            "lstm",
            &[
                Some(input),
                Some(weight),
                Some(recurrent_weight),
                options.bias,
                options.recurrent_bias,
                options.peephole_weight,
                options.initial_hidden_state,
                options.initial_cell_state,
            ],
            &args,
        )
    }

    /// The specification's [`lstmCell`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-lstmcell).
    ///
    /// - `input`: float32, float16; rank 2
    /// - `weight`: type of `input`; rank 2
    /// - `recurrent_weight`: type of `input`; rank 2
    /// - `hidden_state`: type of `input`; rank 2
    /// - `cell_state`: type of `input`; rank 2
    pub fn lstm_cell(
        &self,
        input: Operand,
        weight: Operand,
        recurrent_weight: Operand,
        hidden_state: Operand,
        cell_state: Operand,
        hidden_size: u32,
        options: LstmCellOptions,
    ) -> Result<Vec<Operand>> {
        let mut args = Args::new();
        set(&mut args, "hidden_size", Some(hidden_size));
        set(&mut args, "layout", options.layout);
        set(&mut args, "activations", options.activations);
        self.call(
            "lstmCell",
            &[
                Some(input),
                Some(weight),
                Some(recurrent_weight),
                Some(hidden_state),
                Some(cell_state),
                options.bias,
                options.recurrent_bias,
                options.peephole_weight,
            ],
            &args,
        )
    }

    /// The specification's [`matmul`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-matmul).
    ///
    /// - `a`: float32, float16; rank 2 to 8
    /// - `b`: type of `a`; rank 2 to 8
    pub fn matmul(&self, a: Operand, b: Operand) -> Result<Operand> {
        self.call_one("matmul", &[Some(a), Some(b)], &Args::new())
    }

    /// The specification's [`pad`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-pad).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn pad(
        &self,
        input: Operand,
        beginning_padding: &[u32],
        ending_padding: &[u32],
        options: PadOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "beginning_padding", Some(beginning_padding.to_vec()));
        set(&mut args, "ending_padding", Some(ending_padding.to_vec()));
        set(&mut args, "mode", options.mode);
        set(&mut args, "value", options.value);
        self.call_one("pad", &[Some(input)], &args)
    }

    /// The specification's [`averagePool2d`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-averagepool2d).
    ///
    /// - `input`: float32, float16; rank 4
    pub fn average_pool2d(&self, input: Operand, options: Pool2dOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "window_dimensions", options.window_dimensions);
        set(&mut args, "padding", options.padding);
        set(&mut args, "strides", options.strides);
        set(&mut args, "dilations", options.dilations);
        set(&mut args, "layout", options.layout);
        set(&mut args, "output_shape_rounding", options.output_shape_rounding);
        set(&mut args, "output_sizes", options.output_sizes);
        self.call_one("averagePool2d", &[Some(input)], &args)
    }

    /// The specification's [`l2Pool2d`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-l2pool2d).
    ///
    /// - `input`: float32, float16; rank 4
    pub fn l2_pool2d(&self, input: Operand, options: Pool2dOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "window_dimensions", options.window_dimensions);
        set(&mut args, "padding", options.padding);
        set(&mut args, "strides", options.strides);
        set(&mut args, "dilations", options.dilations);
        set(&mut args, "layout", options.layout);
        set(&mut args, "output_shape_rounding", options.output_shape_rounding);
        set(&mut args, "output_sizes", options.output_sizes);
        self.call_one("l2Pool2d", &[Some(input)], &args)
    }

    /// The specification's [`maxPool2d`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-maxpool2d).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 4
    pub fn max_pool2d(&self, input: Operand, options: Pool2dOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "window_dimensions", options.window_dimensions);
        set(&mut args, "padding", options.padding);
        set(&mut args, "strides", options.strides);
        set(&mut args, "dilations", options.dilations);
        set(&mut args, "layout", options.layout);
        set(&mut args, "output_shape_rounding", options.output_shape_rounding);
        set(&mut args, "output_sizes", options.output_sizes);
        self.call_one("maxPool2d", &[Some(input)], &args)
    }

    /// The specification's [`prelu`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-prelu).
    ///
    /// - `input`: float32, float16, int32, int64, int8
    /// - `slope`: type of `input`
    pub fn prelu(&self, input: Operand, slope: Operand) -> Result<Operand> {
        self.call_one("prelu", &[Some(input), Some(slope)], &Args::new())
    }

    /// The specification's [`quantizeLinear`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-quantizelinear).
    ///
    /// - `input`: float32, float16
    /// - `scale`: type of `input`; rank of `input`
    /// - `zero_point`: int32, uint32, int8, uint8, int4, uint4; rank of `input`
    pub fn quantize_linear(
        &self,
        input: Operand,
        scale: Operand,
        zero_point: Operand,
    ) -> Result<Operand> {
        self.call_one("quantizeLinear", &[Some(input), Some(scale), Some(zero_point)], &Args::new())
    }

    /// The specification's [`dequantizeLinear`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-dequantizelinear).
    ///
    /// - `input`: int32, uint32, int8, uint8, int4, uint4
    /// - `scale`: float32, float16; rank of `input`
    /// - `zero_point`: type of `input`; rank of `input`
    pub fn dequantize_linear(
        &self,
        input: Operand,
        scale: Operand,
        zero_point: Operand,
    ) -> Result<Operand> {
        self.call_one(
            "dequantizeLinear",
            &[Some(input), Some(scale), Some(zero_point)],
            &Args::new(),
        )
    }

    /// The specification's [`reduceL1`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducel1).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64
    pub fn reduce_l1(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceL1", &[Some(input)], &args)
    }

    /// The specification's [`reduceL2`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducel2).
    ///
    /// - `input`: float32, float16
    pub fn reduce_l2(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceL2", &[Some(input)], &args)
    }

    /// The specification's [`reduceLogSum`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducelogsum).
    ///
    /// - `input`: float32, float16
    pub fn reduce_log_sum(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceLogSum", &[Some(input)], &args)
    }

    /// The specification's [`reduceLogSumExp`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducelogsumexp).
    ///
    /// - `input`: float32, float16
    pub fn reduce_log_sum_exp(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceLogSumExp", &[Some(input)], &args)
    }

    /// The specification's [`reduceMax`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducemax).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn reduce_max(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceMax", &[Some(input)], &args)
    }

    /// The specification's [`reduceMean`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducemean).
    ///
    /// - `input`: float32, float16
    pub fn reduce_mean(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceMean", &[Some(input)], &args)
    }

    /// The specification's [`reduceMin`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducemin).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn reduce_min(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceMin", &[Some(input)], &args)
    }

    /// The specification's [`reduceProduct`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reduceproduct).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64
    pub fn reduce_product(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceProduct", &[Some(input)], &args)
    }

    /// The specification's [`reduceSum`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducesum).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64
    pub fn reduce_sum(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceSum", &[Some(input)], &args)
    }

    /// The specification's [`reduceSumSquare`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reducesumsquare).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64
    pub fn reduce_sum_square(&self, input: Operand, options: ReduceOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        set(&mut args, "keep_dimensions", options.keep_dimensions);
        self.call_one("reduceSumSquare", &[Some(input)], &args)
    }

    /// The specification's [`resample2d`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-resample2d).
    ///
    /// - `input`: float32, float16, int8, uint8; rank 4
    pub fn resample2d(&self, input: Operand, options: Resample2dOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "mode", options.mode);
        set(&mut args, "scales", options.scales);
        set(&mut args, "sizes", options.sizes);
        set(&mut args, "axes", options.axes);
        self.call_one("resample2d", &[Some(input)], &args)
    }

    /// The specification's [`reshape`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reshape).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8, int4, uint4
    pub fn reshape(&self, input: Operand, new_shape: &[u32]) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "new_shape", Some(new_shape.to_vec()));
        self.call_one("reshape", &[Some(input)], &args)
    }

    /// The specification's [`reverse`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reverse).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn reverse(&self, input: Operand, options: ReverseOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axes", options.axes);
        self.call_one("reverse", &[Some(input)], &args)
    }

    /// The specification's [`scatterElements`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-scatterelements).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    /// - `indices`: int32, uint32, int64; rank of `input`
    /// - `updates`: type of `input`; rank of `input`
    pub fn scatter_elements(
        &self,
        input: Operand,
        indices: Operand,
        updates: Operand,
        options: ScatterOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", options.axis);
        self.call_one("scatterElements", &[Some(input), Some(indices), Some(updates)], &args)
    }

    /// The specification's [`scatterND`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-scatternd).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    /// - `indices`: int32, uint32, int64; rank 1 to 8
    /// - `updates`: type of `input`
    pub fn scatter_nd(
        &self,
        input: Operand,
        indices: Operand,
        updates: Operand,
    ) -> Result<Operand> {
        self.call_one("scatterND", &[Some(input), Some(indices), Some(updates)], &Args::new())
    }

    /// The specification's [`slice`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-slice).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn slice(
        &self,
        input: Operand,
        starts: &[u32],
        sizes: &[u32],
        options: SliceOptions,
    ) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "starts", Some(starts.to_vec()));
        set(&mut args, "sizes", Some(sizes.to_vec()));
        set(&mut args, "strides", options.strides);
        self.call_one("slice", &[Some(input)], &args)
    }

    /// The specification's [`softmax`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-softmax).
    ///
    /// - `input`: float32, float16; rank 1 to 8
    pub fn softmax(&self, input: Operand, axis: u32) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "axis", Some(axis));
        self.call_one("softmax", &[Some(input)], &args)
    }

    /// The specification's [`split`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-split).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 1 to 8
    pub fn split(
        &self,
        input: Operand,
        splits: Splits,
        options: SplitOptions,
    ) -> Result<Vec<Operand>> {
        let mut args = Args::new();
        set(&mut args, "splits", Some(splits));
        set(&mut args, "axis", options.axis);
        self.call("split", &[Some(input)], &args)
    }

    /// The specification's [`tile`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-tile).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn tile(&self, input: Operand, repetitions: &[u32]) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "repetitions", Some(repetitions.to_vec()));
        self.call_one("tile", &[Some(input)], &args)
    }

    /// The specification's [`transpose`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-transpose).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn transpose(&self, input: Operand, options: TransposeOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "permutation", options.permutation);
        self.call_one("transpose", &[Some(input)], &args)
    }

    /// The specification's [`triangular`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-triangular).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8; rank 2 to 8
    pub fn triangular(&self, input: Operand, options: TriangularOptions) -> Result<Operand> {
        let mut args = Args::new();
        set(&mut args, "upper", options.upper);
        set(&mut args, "diagonal", options.diagonal);
        self.call_one("triangular", &[Some(input)], &args)
    }

    /// The specification's [`abs`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-abs).
    ///
    /// - `input`: float32, float16, int32, int64, int8
    pub fn abs(&self, input: Operand) -> Result<Operand> {
        self.call_one("abs", &[Some(input)], &Args::new())
    }

    /// The specification's [`ceil`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-ceil).
    ///
    /// - `input`: float32, float16
    pub fn ceil(&self, input: Operand) -> Result<Operand> {
        self.call_one("ceil", &[Some(input)], &Args::new())
    }

    /// The specification's [`cos`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-cos).
    ///
    /// - `input`: float32, float16
    pub fn cos(&self, input: Operand) -> Result<Operand> {
        self.call_one("cos", &[Some(input)], &Args::new())
    }

    /// The specification's [`erf`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-erf).
    ///
    /// - `input`: float32, float16
    pub fn erf(&self, input: Operand) -> Result<Operand> {
        self.call_one("erf", &[Some(input)], &Args::new())
    }

    /// The specification's [`exp`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-exp).
    ///
    /// - `input`: float32, float16
    pub fn exp(&self, input: Operand) -> Result<Operand> {
        self.call_one("exp", &[Some(input)], &Args::new())
    }

    /// The specification's [`floor`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-floor).
    ///
    /// - `input`: float32, float16
    pub fn floor(&self, input: Operand) -> Result<Operand> {
        self.call_one("floor", &[Some(input)], &Args::new())
    }

    /// The specification's [`gelu`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-gelu).
    ///
    /// - `input`: float32, float16
    pub fn gelu(&self, input: Operand) -> Result<Operand> {
        self.call_one("gelu", &[Some(input)], &Args::new())
    }

    /// The specification's [`hardSwish`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-hardswish).
    ///
    /// - `input`: float32, float16
    pub fn hard_swish(&self, input: Operand) -> Result<Operand> {
        self.call_one("hardSwish", &[Some(input)], &Args::new())
    }

    /// The specification's [`identity`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-identity).
    ///
    /// - `input`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    pub fn identity(&self, input: Operand) -> Result<Operand> {
        self.call_one("identity", &[Some(input)], &Args::new())
    }

    /// The specification's [`isInfinite`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-isinfinite).
    ///
    /// - `a`: float32, float16
    pub fn is_infinite(&self, a: Operand) -> Result<Operand> {
        self.call_one("isInfinite", &[Some(a)], &Args::new())
    }

    /// The specification's [`isNaN`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-isnan).
    ///
    /// - `a`: float32, float16
    pub fn is_nan(&self, a: Operand) -> Result<Operand> {
        self.call_one("isNaN", &[Some(a)], &Args::new())
    }

    /// The specification's [`log`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-log).
    ///
    /// - `input`: float32, float16
    pub fn log(&self, input: Operand) -> Result<Operand> {
        self.call_one("log", &[Some(input)], &Args::new())
    }

    /// The specification's [`logicalNot`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-logicalnot).
    ///
    /// - `a`: uint8
    pub fn logical_not(&self, a: Operand) -> Result<Operand> {
        self.call_one("logicalNot", &[Some(a)], &Args::new())
    }

    /// The specification's [`neg`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-neg).
    ///
    /// - `input`: float32, float16, int32, int64, int8
    pub fn neg(&self, input: Operand) -> Result<Operand> {
        self.call_one("neg", &[Some(input)], &Args::new())
    }

    /// The specification's [`reciprocal`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-reciprocal).
    ///
    /// - `input`: float32, float16
    pub fn reciprocal(&self, input: Operand) -> Result<Operand> {
        self.call_one("reciprocal", &[Some(input)], &Args::new())
    }

    /// The specification's [`relu`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-relu).
    ///
    /// - `input`: float32, float16, int32, int64, int8
    pub fn relu(&self, input: Operand) -> Result<Operand> {
        self.call_one("relu", &[Some(input)], &Args::new())
    }

    /// The specification's [`roundEven`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-roundeven).
    ///
    /// - `input`: float32, float16
    pub fn round_even(&self, input: Operand) -> Result<Operand> {
        self.call_one("roundEven", &[Some(input)], &Args::new())
    }

    /// The specification's [`sigmoid`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sigmoid).
    ///
    /// - `input`: float32, float16
    pub fn sigmoid(&self, input: Operand) -> Result<Operand> {
        self.call_one("sigmoid", &[Some(input)], &Args::new())
    }

    /// The specification's [`sign`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sign).
    ///
    /// - `input`: float32, float16, int32, int64, int8
    pub fn sign(&self, input: Operand) -> Result<Operand> {
        self.call_one("sign", &[Some(input)], &Args::new())
    }

    /// The specification's [`sin`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sin).
    ///
    /// - `input`: float32, float16
    pub fn sin(&self, input: Operand) -> Result<Operand> {
        self.call_one("sin", &[Some(input)], &Args::new())
    }

    /// The specification's [`softplus`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-softplus).
    ///
    /// - `input`: float32, float16
    pub fn softplus(&self, input: Operand) -> Result<Operand> {
        self.call_one("softplus", &[Some(input)], &Args::new())
    }

    /// The specification's [`softsign`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-softsign).
    ///
    /// - `input`: float32, float16
    pub fn softsign(&self, input: Operand) -> Result<Operand> {
        self.call_one("softsign", &[Some(input)], &Args::new())
    }

    /// The specification's [`sqrt`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-sqrt).
    ///
    /// - `input`: float32, float16
    pub fn sqrt(&self, input: Operand) -> Result<Operand> {
        self.call_one("sqrt", &[Some(input)], &Args::new())
    }

    /// The specification's [`tan`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-tan).
    ///
    /// - `input`: float32, float16
    pub fn tan(&self, input: Operand) -> Result<Operand> {
        self.call_one("tan", &[Some(input)], &Args::new())
    }

    /// The specification's [`tanh`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-tanh).
    ///
    /// - `input`: float32, float16
    pub fn tanh(&self, input: Operand) -> Result<Operand> {
        self.call_one("tanh", &[Some(input)], &Args::new())
    }

    /// The specification's [`where`](https://www.w3.org/TR/webnn/#dom-mlgraphbuilder-where).
    ///
    /// - `condition`: uint8
    /// - `true_value`: float32, float16, int32, uint32, int64, uint64, int8, uint8
    /// - `false_value`: type of `trueValue`
    pub fn where_(
        &self,
        condition: Operand,
        true_value: Operand,
        false_value: Operand,
    ) -> Result<Operand> {
        self.call_one(
            "where",
            &[Some(condition), Some(true_value), Some(false_value)],
            &Args::new(),
        )
    }
}
