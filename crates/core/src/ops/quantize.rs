//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-quantizelinear>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc};

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
        todo!()
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
        todo!()
    }
}
