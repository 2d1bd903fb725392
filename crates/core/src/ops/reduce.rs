//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-reduce>

use crate::attrs::{Args, Attr, Attributes, FromArgs, attrs};
use crate::error::Result;
use crate::limits::Slot;
use crate::ops::shapes::ensure_axes;
use crate::ops::{Inputs, Method, Op, Operator};
use crate::reference::{Data, Tensor, lanes, maximum, minimum, required};
use crate::types::{DataType, DataTypes, Desc, Shape};

attrs! {
    /// What a [`Reduce`] computes.
    pub enum ReduceKind {
        /// The sum of absolute values.
        L1 = "reduceL1",
        /// The square root of the sum of squares.
        L2 = "reduceL2",
        /// The logarithm of the sum.
        LogSum = "reduceLogSum",
        /// The logarithm of the sum of exponentials.
        LogSumExp = "reduceLogSumExp",
        /// The greatest element; NaN wins.
        Max = "reduceMax",
        /// The mean.
        Mean = "reduceMean",
        /// The least element; NaN wins.
        Min = "reduceMin",
        /// The product; integers wrap.
        Product = "reduceProduct",
        /// The sum; integers wrap.
        Sum = "reduceSum",
        /// The sum of squares; integers wrap.
        SumSquare = "reduceSumSquare",
    }
}

attrs! {
    /// The attributes of [`Reduce`].
    pub struct ReduceOptions() {
        /// The dimensions that are reduced; by default all.
        axes: Option<Vec<u32>> = None,
        /// Whether they stay, with size 1.
        keep_dimensions: bool = false,
    }
}

/// One number for all elements that differ only in some coordinates.
#[derive(Clone, Debug, PartialEq)]
pub struct Reduce {
    /// Which number.
    pub kind: ReduceKind,
    /// Over which dimensions.
    pub options: ReduceOptions,
}

impl ReduceOptions {
    /// The axes, the default filled in.
    pub fn axes(&self, rank: usize) -> Vec<u32> {
        self.axes.clone().unwrap_or_else(|| (0..rank as u32).collect())
    }
}

const FLOATS: &[Slot] = &[Slot::new("input", DataTypes::FLOATS)];
const WIDE: &[Slot] = &[Slot::new(
    "input",
    DataTypes::of(&[
        DataType::Float32,
        DataType::Float16,
        DataType::Int32,
        DataType::Uint32,
        DataType::Int64,
        DataType::Uint64,
    ]),
)];
const ANY: &[Slot] = &[Slot::new("input", DataTypes::ANY)];

const OUTPUTS: &[Slot] = &[Slot::same("output", 0)];

const fn row(
    name: &'static str,
    slots: &'static [Slot],
    parse: fn(&Args) -> Result<Op>,
) -> Method {
    Method {
        name,
        slots,
        outputs: OUTPUTS,
        fields: ReduceOptions::FIELDS,
        parse,
    }
}

fn parse(kind: ReduceKind, args: &Args) -> Result<Op> {
    Ok(Reduce { kind, options: ReduceOptions::parse(args)? }.into())
}

impl Attributes for Reduce {
    fn attributes(&self) -> Vec<(&'static str, Attr)> {
        self.options.attributes()
    }
}

impl Operator for Reduce {
    const METHODS: &'static [Method] = &[
        row("reduceL1", WIDE, |args| parse(ReduceKind::L1, args)),
        row("reduceL2", FLOATS, |args| parse(ReduceKind::L2, args)),
        row("reduceLogSum", FLOATS, |args| parse(ReduceKind::LogSum, args)),
        row("reduceLogSumExp", FLOATS, |args| parse(ReduceKind::LogSumExp, args)),
        row("reduceMax", ANY, |args| parse(ReduceKind::Max, args)),
        row("reduceMean", FLOATS, |args| parse(ReduceKind::Mean, args)),
        row("reduceMin", ANY, |args| parse(ReduceKind::Min, args)),
        row("reduceProduct", WIDE, |args| parse(ReduceKind::Product, args)),
        row("reduceSum", WIDE, |args| parse(ReduceKind::Sum, args)),
        row("reduceSumSquare", WIDE, |args| parse(ReduceKind::SumSquare, args)),
    ];

    fn method(&self) -> &'static Method {
        &Self::METHODS[self.kind as usize]
    }

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let axes = self.options.axes(input.rank());
        ensure_axes(&axes, input.rank())?;
        let is_reduced = |axis: usize| axes.contains(&(axis as u32));
        let shape: Shape = if self.options.keep_dimensions {
            let size = |(axis, &size): (usize, &u32)| if is_reduced(axis) { 1 } else { size };
            input.shape.iter().enumerate().map(size).collect()
        } else {
            let kept = |&(axis, _): &(usize, &u32)| !is_reduced(axis);
            input.shape.iter().enumerate().filter(kept).map(|(_, &size)| size).collect()
        };
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let lanes = lanes(&input.desc.shape, &self.options.axes(input.desc.rank()));
        vec![match &input.data {
            Data::Float(data) => {
                let result = |lane: &Vec<usize>| self.float(lane.iter().map(|&i| data[i]));
                Tensor::float(outputs[0], lanes.iter().map(result).collect())
            }
            Data::Int(data) => {
                let result = |lane: &Vec<usize>| self.int(lane.iter().map(|&i| data[i]));
                Tensor::int(outputs[0], lanes.iter().map(result).collect())
            }
        }]
    }
}

impl Reduce {
    fn float(&self, elements: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
        match self.kind {
            ReduceKind::L1 => elements.map(f64::abs).sum(),
            ReduceKind::L2 => elements.map(|x| x * x).sum::<f64>().sqrt(),
            ReduceKind::LogSum => libm::log(elements.sum()),
            ReduceKind::LogSumExp => {
                let max = elements.clone().fold(f64::NEG_INFINITY, maximum);
                if !max.is_finite() {
                    return max;
                }
                // Subtracting the maximum keeps exp finite.
                max + libm::log(elements.map(|x| libm::exp(x - max)).sum())
            }
            ReduceKind::Max => elements.fold(f64::NEG_INFINITY, maximum),
            ReduceKind::Mean => {
                let count = elements.len() as f64;
                elements.sum::<f64>() / count
            }
            ReduceKind::Min => elements.fold(f64::INFINITY, minimum),
            ReduceKind::Product => elements.product(),
            ReduceKind::Sum => elements.sum(),
            ReduceKind::SumSquare => elements.map(|x| x * x).sum(),
        }
    }

    /// The result but for its high bits, which the data type cuts off.
    fn int(&self, elements: impl Iterator<Item = i128>) -> i128 {
        match self.kind {
            ReduceKind::L1 => elements.map(i128::abs).fold(0, i128::wrapping_add),
            ReduceKind::Max => elements.max().expect("no dimension is 0"),
            ReduceKind::Min => elements.min().expect("no dimension is 0"),
            ReduceKind::Product => elements.fold(1, i128::wrapping_mul),
            ReduceKind::Sum => elements.fold(0, i128::wrapping_add),
            ReduceKind::SumSquare => {
                elements.map(|x| x.wrapping_mul(x)).fold(0, i128::wrapping_add)
            }
            ReduceKind::L2 | ReduceKind::LogSum | ReduceKind::LogSumExp | ReduceKind::Mean => {
                unreachable!("the builder checked that the type is a float")
            }
        }
    }
}
