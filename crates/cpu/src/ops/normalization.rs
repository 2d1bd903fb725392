//! Layer, instance and batch normalisation.

use webnn_core::ValueId;
use webnn_core::ops::conv2d::InputLayout;
use webnn_core::ops::{BatchNormalization, InstanceNormalization, LayerNormalization};
use webnn_kernels::Isa;
use webnn_kernels::map::{self, Storage};
use webnn_kernels::norm::{Affine, Along, normalize};
use webnn_kernels::strided::row_major;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::chain::{ChainBuilder, lower_program};
use crate::threads::Threads;

/// Fewer elements are computed by one thread.
const LEAST: usize = 1 << 13;

struct Normalization {
    /// What is normalised together, and what lies between its elements.
    axis: usize,
    inner: usize,
    along: Along,
    epsilon: f32,
    has_scale: bool,
    has_bias: bool,
    isa: Isa,
}

fn build(
    cx: &Cx<'_>,
    [axis, inner]: [usize; 2],
    along: Along,
    epsilon: f64,
    [scale, bias]: [usize; 2],
) -> Built {
    let kernel = Normalization {
        axis,
        inner,
        along,
        epsilon: epsilon as f32,
        has_scale: cx.opt(scale).is_some(),
        has_bias: cx.opt(bias).is_some(),
        isa: cx.isa,
    };
    Built::new(kernel, cx, &[0, scale, bias])
}

/// Layer normalisation over the innermost dimensions, in their order: others are transposed first.
pub(crate) fn lower_layer(op: &LayerNormalization, cx: &Cx<'_>) -> Built {
    let shape = sizes(&cx.input(0));
    let count = op.axes(shape.len()).len();
    let axis = shape[shape.len() - count..].iter().product();
    build(cx, [axis, 1], Along::Axis, op.epsilon, [1, 2])
}

/// Instance normalisation in both layouts.
pub(crate) fn lower_instance(op: &InstanceNormalization, cx: &Cx<'_>) -> Built {
    let shape = sizes(&cx.input(0));
    let (c, h, w) = op.layout.axes();
    let (channels, pixels) = (shape[c], shape[h] * shape[w]);
    let (dims, along) = match op.layout {
        InputLayout::Nchw => ([pixels, 1], Along::Outer { channels, first: 0 }),
        InputLayout::Nhwc => ([pixels, channels], Along::Inner),
    };
    build(cx, dims, along, op.epsilon, [1, 2])
}

impl Kernel for Normalization {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let out = io.write::<f32>(0);
        let x = io.read::<f32>(0);
        let scale = self.has_scale.then(|| io.read::<f32>(1));
        let bias = self.has_bias.then(|| io.read::<f32>(1 + usize::from(self.has_scale)));
        let affine = Affine { scale, bias };
        let row = self.axis * self.inner;
        threads.rows(out, row, LEAST.div_ceil(row), |range, out| {
            let along = match self.along {
                Along::Outer { channels, .. } => {
                    Along::Outer { channels, first: range.start % channels }
                }
                Along::Axis | Along::Inner => self.along,
            };
            let x = &x[range.start * row..range.end * row];
            let dims = [range.len(), self.axis, self.inner];
            normalize(self.isa, dims, self.epsilon, along, affine, x, out);
        });
    }
}

/// Batch normalisation: element-wise, with a vector along an axis for each parameter.
pub(crate) fn lower_batch(op: &BatchNormalization, cx: &Cx<'_>) -> Option<Built> {
    let shape = sizes(&cx.input(0));
    let mut chain = ChainBuilder::new(cx.graph);
    let mut strides = Vec::new();
    let mut vector = vec![0; shape.len()];
    vector[op.axis as usize] = 1;
    let mut input = |chain: &mut ChainBuilder<'_>, id: ValueId, steps: Vec<usize>| {
        strides.push(steps);
        chain.input(id, Storage::F32)
    };
    let x = input(&mut chain, cx.id(0), row_major(&shape));
    let mean = input(&mut chain, cx.id(1), vector.clone());
    let variance = input(&mut chain, cx.id(2), vector.clone());
    let scale = cx.opt(3).map(|id| input(&mut chain, id, vector.clone()));
    let bias = cx.opt(4).map(|id| input(&mut chain, id, vector.clone()));
    let epsilon = op.epsilon as f32;
    let centred = chain.binary(map::Binary::Sub, x, mean);
    let shifted = chain.unary(map::Unary::Linear { alpha: 1.0, beta: epsilon }, variance);
    let deviation = chain.unary(map::Unary::Sqrt, shifted);
    let mut value = chain.binary(map::Binary::Div, centred, deviation);
    if let Some(scale) = scale {
        value = chain.binary(map::Binary::Mul, value, scale);
    }
    if let Some(bias) = bias {
        value = chain.binary(map::Binary::Add, value, bias);
    }
    let output = cx.node.outputs[0];
    let chain = chain.finish(value, Storage::F32);
    lower_program(chain, &shape, &strides, output, Storage::F32, cx.isa)
}
