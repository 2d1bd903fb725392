//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-argminmax>

use crate::attrs::{Attr, Attributes, FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Data, Tensor, lanes, required};
use crate::types::{DataType, DataTypes, Desc, MAX_RANK};

attrs! {
    /// Which element an [`ArgMinMax`] looks for.
    pub enum ArgKind {
        /// The least.
        Min = "argMin",
        /// The greatest.
        Max = "argMax",
    }
}

attrs! {
    /// The attributes of [`ArgMinMax`].
    pub struct ArgOptions(
        /// The dimension that is searched.
        axis: u32,
    ) {
        /// Whether the searched dimension stays, with size 1.
        keep_dimensions: bool = false,
        /// int32 or int64.
        output_data_type: DataType = DataType::Int32,
    }
}

/// The index of the least or greatest element along an axis: the first of equals, NaN skipped.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgMinMax {
    /// Which element.
    pub kind: ArgKind,
    /// Where it is looked for.
    pub options: ArgOptions,
}

const SLOTS: &[Slot] = &[Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK)];
const OUTPUTS: &[Slot] =
    &[Slot::new("output", DataTypes::of(&[DataType::Int32, DataType::Int64]))];

const fn row(name: &'static str, parse: fn(&crate::attrs::Args) -> Result<super::Op>) -> Method {
    Method {
        name,
        slots: SLOTS,
        outputs: OUTPUTS,
        fields: ArgOptions::FIELDS,
        parse,
    }
}

impl Attributes for ArgMinMax {
    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        self.options.attributes()
    }
}

impl Operator for ArgMinMax {
    const METHODS: &'static [Method] = &[
        row("argMin", |args| {
            Ok(ArgMinMax { kind: ArgKind::Min, options: ArgOptions::parse(args)? }.into())
        }),
        row("argMax", |args| {
            Ok(ArgMinMax { kind: ArgKind::Max, options: ArgOptions::parse(args)? }.into())
        }),
    ];

    fn method(&self) -> &'static Method {
        &Self::METHODS[self.kind as usize]
    }

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let ArgOptions { axis, keep_dimensions, output_data_type } = self.options;
        let axis = ensure_axis(axis, input.rank())?;
        ensure!(
            matches!(output_data_type, DataType::Int32 | DataType::Int64),
            "outputDataType is {output_data_type}, expected int32 or int64"
        );
        let shape = if keep_dimensions {
            input.shape.with(axis, 1)
        } else {
            let kept = |&(i, _): &(usize, &u32)| i != axis;
            input.shape.iter().enumerate().filter(kept).map(|(_, &size)| size).collect()
        };
        Ok(vec![Desc::new(output_data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let lanes = lanes(&input.desc.shape, &[self.options.axis]);
        let indices = lanes.iter().map(|lane| match &input.data {
            Data::Float(data) => self.find(lane.iter().map(|&i| data[i]), |x| !x.is_nan()),
            Data::Int(data) => self.find(lane.iter().map(|&i| data[i]), |_| true),
        });
        vec![Tensor::int(outputs[0], indices.map(|index| index as i128).collect())]
    }
}

impl ArgMinMax {
    /// The index of the first best element that counts; 0 where none does.
    fn find<T: PartialOrd + Copy>(
        &self,
        elements: impl Iterator<Item = T>,
        counts: impl Fn(T) -> bool,
    ) -> usize {
        let mut best: Option<(usize, T)> = None;
        for (i, x) in elements.enumerate().filter(|&(_, x)| counts(x)) {
            let is_better = best.is_none_or(|(_, best)| match self.kind {
                ArgKind::Min => x < best,
                ArgKind::Max => x > best,
            });
            if is_better {
                best = Some((i, x));
            }
        }
        best.map_or(0, |(i, _)| i)
    }
}
