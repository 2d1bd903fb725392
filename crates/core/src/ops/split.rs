//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-split>

use crate::attrs::{Attr, Attribute, FromArgs, Kind, attrs};
use crate::error::{Result, bail, ensure};
use crate::limits::Slot;
use crate::ops::shapes::ensure_axis;
use crate::ops::{Inputs, MAX_TENSORS, Method, Operator};
use crate::reference::{Tensor, coordinates, required};
use crate::types::{DataTypes, Desc, MAX_RANK};

/// Into what a [`Split`] divides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Splits {
    /// So many equal parts.
    Count(u32),
    /// Parts of these sizes.
    Sizes(Vec<u32>),
}

impl Attribute for Splits {
    const KIND: Kind = Kind::Splits;

    fn read(attr: &Attr) -> Result<Splits> {
        match attr {
            Attr::List(_) => Ok(Splits::Sizes(Vec::read(attr)?)),
            Attr::Number(_) | Attr::Bool(_) | Attr::Text(_) => Ok(Splits::Count(u32::read(attr)?)),
        }
    }

    fn write(&self) -> Option<Attr> {
        match self {
            Splits::Count(count) => count.write(),
            Splits::Sizes(sizes) => sizes.write(),
        }
    }
}

attrs! {
    /// The input in parts along an axis.
    pub struct Split(
        /// How many parts, or their sizes.
        splits: Splits,
    ) {
        /// The dimension that is divided.
        axis: u32 = 0,
    }
}

impl Operator for Split {
    const METHODS: &'static [Method] = &[Method {
        name: "split",
        slots: &[Slot::new("input", DataTypes::ANY).ranks(1, MAX_RANK)],
        outputs: &[Slot::same("outputs", 0).rank_of(0).repeated()],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        let axis = ensure_axis(self.axis, input.rank())?;
        let size = input.shape[axis];
        let count = match &self.splits {
            Splits::Count(count) => *count as usize,
            Splits::Sizes(sizes) => sizes.len(),
        };
        ensure!(
            (1..=MAX_TENSORS).contains(&count),
            "{count} parts were asked for, expected 1 to {MAX_TENSORS}"
        );
        let sizes = match &self.splits {
            Splits::Count(count) => {
                ensure!(size.is_multiple_of(*count), "{size} cannot be split into {count} equal parts");
                vec![size / count; *count as usize]
            }
            Splits::Sizes(sizes) => {
                if sizes.contains(&0) {
                    bail!("splits are {sizes:?}, expected none to be 0");
                }
                let sum: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
                ensure!(sum == u64::from(size), "splits add up to {sum}, expected {size}");
                sizes.clone()
            }
        };
        let part = |size| Desc::new(input.data_type, input.shape.with(axis, size));
        Ok(sizes.into_iter().map(part).collect())
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        let input = required(inputs, 0);
        let strides = input.desc.shape.strides();
        let axis = self.axis as usize;
        let mut start = 0;
        let part = |desc: &Desc| {
            let part = input.gathered(*desc, |i| {
                let at = coordinates(i, &desc.shape);
                let source: usize = (0..desc.rank()).map(|axis| at[axis] * strides[axis]).sum();
                source + start * strides[axis]
            });
            start += desc.shape[axis] as usize;
            part
        };
        outputs.iter().map(part).collect()
    }
}
