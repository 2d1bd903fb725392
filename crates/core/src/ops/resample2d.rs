//! <https://www.w3.org/TR/webnn/#api-mlgraphbuilder-resample2d-method>

use crate::attrs::{FromArgs, attrs};
use crate::error::{Result, ensure};
use crate::limits::Slot;
use crate::ops::shapes::{ensure_axes, ensure_positive, to_dimension};
use crate::ops::{Inputs, Method, Operator};
use crate::reference::{Data, Tensor, coordinates, required};
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
        let input = required(inputs, 0);
        let (from, to) = (input.desc.shape, outputs[0].shape);
        let axes = self.axes.map(|axis| axis as usize);
        let strides = from.strides();
        // The two neighbours along each of the axes and the share of the second.
        let neighbours = |i: usize| {
            let at = coordinates(i, &to);
            axes.map(|axis| self.neighbours(at[axis], from[axis], to[axis]))
        };
        // The element at the places along the axes and at the output's on the others.
        let source = |i: usize, places: [usize; 2]| {
            let mut at = coordinates(i, &to);
            axes.into_iter().zip(places).for_each(|(axis, place)| at[axis] = place);
            (0..from.rank()).map(|axis| at[axis] * strides[axis]).sum::<usize>()
        };
        let blend = |i: usize, element: &dyn Fn(usize) -> f64| {
            let [(y, below, dy), (x, right, dx)] = neighbours(i);
            let row = |y| mix(element(source(i, [y, x])), element(source(i, [y, right])), dx);
            mix(row(y), row(below), dy)
        };
        vec![match (self.mode, &input.data) {
            (InterpolationMode::NearestNeighbor, _) => input.gathered(outputs[0], |i| {
                let at = coordinates(i, &to);
                source(i, axes.map(|axis| nearest(at[axis], from[axis], to[axis])))
            }),
            (InterpolationMode::Linear, Data::Float(data)) => {
                let result = |i| blend(i, &|source| data[source]);
                Tensor::float(outputs[0], (0..outputs[0].elements()).map(result).collect())
            }
            (InterpolationMode::Linear, Data::Int(data)) => {
                let result = |i| blend(i, &|source| data[source] as f64).round_ties_even() as i128;
                Tensor::int(outputs[0], (0..outputs[0].elements()).map(result).collect())
            }
        }]
    }
}

impl Resample2d {
    /// The two input places nearest to an output place along an axis, and the second one's share.
    fn neighbours(&self, at: usize, from: u32, to: u32) -> (usize, usize, f64) {
        let scale = f64::from(to) / f64::from(from);
        let last = f64::from(from - 1);
        let place = ((at as f64 + 0.5) / scale - 0.5).clamp(0.0, last);
        let first = place.floor();
        (first as usize, (first + 1.0).min(last) as usize, place - first)
    }
}

/// The input place nearest to an output place along an axis; halves go down.
///
/// That is ⌈(at + ½) · from / to − 1⌉, in integers, so that halves are exact.
pub fn nearest(at: usize, from: u32, to: u32) -> usize {
    let (at, from, to) = (at as u64, u64::from(from), u64::from(to));
    let place = ((2 * at + 1) * from).saturating_sub(2 * to).div_ceil(2 * to);
    place.min(from - 1) as usize
}

/// The mean of two numbers with the second one's share, without which it has no effect.
fn mix(a: f64, b: f64, share: f64) -> f64 {
    if share == 0.0 { a } else { a * (1.0 - share) + b * share }
}
