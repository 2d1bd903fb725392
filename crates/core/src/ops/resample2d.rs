//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-resample2d-method>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axes, ensure_positive, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::Tensor;
use crate::types::{DataType, DataTypes, Desc};

attrs! {
    /// How a resampled element is made of its neighbours.
    pub enum InterpolationMode {
        /// The nearest one; halves go down.
        NearestNeighbor = "nearest-neighbor",
        /// Bilinear.
        Linear = "linear",
    }
}

attrs! {
    /// The input resampled along two axes to other sizes, pixel centres at halves.
    pub struct Resample2d() {
        /// How elements are made of their neighbours.
        mode: InterpolationMode = InterpolationMode::NearestNeighbor,
        /// The factors for the two axes, where `sizes` are not given.
        scales: [f32; 2] = [1.0, 1.0],
        /// The sizes of the two axes.
        sizes: Option<[u32; 2]> = None,
        /// The two axes.
        axes: [u32; 2] = [2, 3],
    }
}

impl Operator for Resample2d {
    const METHODS: &'static [Method] = &[Method {
        name: "resample2d",
        slots: &[Slot::new(
            "input",
            DataTypes::of(&[
                DataType::Float32,
                DataType::Float16,
                DataType::Uint8,
                DataType::Int8,
            ]),
        )
        .rank(4)],
        outputs: &[Slot::same("output", 0).rank(4)],
        fields: Self::FIELDS,
        parse: |args| Ok(Self::parse(args)?.into()),
    }];

    fn infer(&self, inputs: &Inputs<'_>) -> Result<Vec<Desc>> {
        let input = inputs.get(0);
        ensure!(
            self.scales.iter().all(|&scale| scale > 0.0),
            "scales are {:?}, expected all to be above 0",
            self.scales
        );
        if let Some(sizes) = &self.sizes {
            ensure_positive("sizes", sizes)?;
        }
        ensure_axes(&self.axes, input.rank())?;
        let mut shape = input.shape;
        for (i, &axis) in self.axes.iter().enumerate() {
            let size = match self.sizes {
                Some(sizes) => u64::from(sizes[i]),
                // The product of two floats of 24 bits is exact in a double.
                None => {
                    let scaled = f64::from(input.shape[axis as usize]) * f64::from(self.scales[i]);
                    scaled.floor() as u64
                }
            };
            shape[axis as usize] = to_dimension("a resampled dimension", size)?;
        }
        Ok(vec![Desc::new(input.data_type, shape)])
    }

    fn reference(&self, inputs: &[Option<&Tensor>], outputs: &[Desc]) -> Vec<Tensor> {
        todo!()
    }
}
