//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-quantizelinear>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataType, DataTypes, Desc, Shape};

const QUANTIZED: DataTypes = DataTypes::of(&[
    DataType::Uint8,
    DataType::Int8,
    DataType::Uint32,
    DataType::Int32,
    DataType::Int4,
    DataType::Uint4,
]);

attrs! {
    /// saturate(roundEven(input / scale) + zeroPoint); scale and zero point repeat in blocks.
    ///
    /// NaN gives 0.
    pub struct QuantizeLinear() {}
}

attrs! {
    /// (input − zeroPoint) · scale; scale and zero point repeat in blocks.
    pub struct DequantizeLinear() {}
}

/// Fails unless scale and zero point have one shape whose sizes divide the input's.
fn ensure_blocks(inputs: &Inputs<'_>) -> Result<()> {
    let (input, scale, zero_point) = (inputs.get(0), inputs.get(1), inputs.get(2));
    ensure!(
        scale.shape == zero_point.shape,
        "zeroPoint has shape {}, expected {} as scale has",
        zero_point.shape,
        scale.shape
    );
    ensure!(
        input.shape.iter().zip(scale.shape.iter()).all(|(&size, &blocks)| size % blocks == 0),
        "scale has shape {}, whose sizes do not divide those of input, {}",
        scale.shape,
        input.shape
    );
    Ok(())
}

impl Operator for QuantizeLinear {
    const METHODS: &'static [Method] = &[Method {
        name: "quantizeLinear",
        slots: &[
            Slot::new("input", DataTypes::FLOATS),
            Slot::same("scale", 0).rank_of(0),
            Slot::new("zeroPoint", QUANTIZED).rank_of(0),
        ],
        outputs: &[Slot::same("output", 2).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        ensure_blocks(inputs)?;
        Ok(vec![Desc::new(inputs.get(2).data_type, inputs.get(0).shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, scale, zero_point) =
            (required(inputs, 0), required(inputs, 1), required(inputs, 2));
        let (least, greatest) =
            outputs[0].data_type.integer_range().expect("zeroPoint is of an integer type");
        let result = |(i, &x): (usize, &f64)| {
            let block = block_index(i, &input.desc.shape, &scale.desc.shape);
            // A quotient in single precision, as engines have it, falls on the same halves.
            let quotient = (x / scale.floats()[block]) as f32;
            if quotient.is_nan() {
                return 0;
            }
            let rounded = quotient.round_ties_even() as i128;
            rounded.saturating_add(zero_point.ints()[block]).clamp(least, greatest)
        };
        vec![Tensor::int(outputs[0], input.floats().iter().enumerate().map(result).collect())]
    }
}

impl Operator for DequantizeLinear {
    const METHODS: &'static [Method] = &[Method {
        name: "dequantizeLinear",
        slots: &[
            Slot::new("input", QUANTIZED),
            Slot::new("scale", DataTypes::FLOATS).rank_of(0),
            Slot::same("zeroPoint", 0).rank_of(0),
        ],
        outputs: &[Slot::same("output", 1).rank_of(0)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        ensure_blocks(inputs)?;
        Ok(vec![Desc::new(inputs.get(1).data_type, inputs.get(0).shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let (input, scale, zero_point) =
            (required(inputs, 0), required(inputs, 1), required(inputs, 2));
        let result = |(i, &x): (usize, &i128)| {
            let block = block_index(i, &input.desc.shape, &scale.desc.shape);
            (x - zero_point.ints()[block]) as f64 * scale.floats()[block]
        };
        vec![Tensor::float(outputs[0], input.ints().iter().enumerate().map(result).collect())]
    }
}

/// The row-major index in a tensor of shape `from` of the element whose block covers the given
/// index in a tensor of shape `to`.
fn block_index(index: usize, to: &Shape, from: &Shape) -> usize {
    let (at, strides) = (coordinates(index, to), from.strides());
    (0..to.rank()).map(|axis| at[axis] / (to[axis] / from[axis]) as usize * strides[axis]).sum()
}
