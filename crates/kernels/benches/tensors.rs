//! Reductions, normalisations, pooling and moves on shapes of common models.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use webnn_kernels::copy::{Padding, PaddingMode, read};
use webnn_kernels::gemm::MatrixMut;
use webnn_kernels::norm::{Affine, Along, normalize};
use webnn_kernels::pool::{Pooling, Windows, pool_channels_first, pool_channels_last};
use webnn_kernels::reduce::{FloatReduction, Reduction, reduce_floats};
use webnn_kernels::resample::{Interpolation, Resampling};
use webnn_kernels::softmax::softmax;
use webnn_kernels::strided::{Space, row_major};
use webnn_kernels::{Isa, convert, quantize};

/// Prints the shortest of many runs, and the rate at which elements of the input were taken.
fn time(name: &str, elements: usize, mut work: impl FnMut()) {
    let start = Instant::now();
    let mut shortest = f64::INFINITY;
    let mut runs = 0;
    while runs < 10 || start.elapsed().as_secs_f64() < 0.15 {
        let start = Instant::now();
        work();
        shortest = shortest.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    println!(
        "{name}: {:.1} us, {:.2} Gelement/s",
        shortest * 1e6,
        elements as f64 / shortest / 1e9
    );
}

fn main() {
    let isa = Isa::best();
    let n = 256 * 1024;
    let x: Vec<f32> = (0..n).map(|i| ((i * 7919) % 2003) as f32 / 500.0 - 2.0).collect();
    let mut y = vec![0.0f32; n];

    for width in [64, 128, 1024] {
        let rows = n / width;
        time(&format!("softmax {rows}x{width}"), n, || {
            softmax(isa, rows, width, 1, black_box(&x), &mut y);
        });
    }
    time("softmax across 64x4096", n, || softmax(isa, 1, 64, 4096, black_box(&x), &mut y));

    let scale = vec![1.5f32; 1024];
    let affine = Affine { scale: Some(&scale), bias: Some(&scale) };
    time("layer norm 256x1024", n, || {
        normalize(isa, [256, 1024, 1], 1e-5, Along::Axis, affine, black_box(&x), &mut y);
    });
    let none = Affine { scale: None, bias: None };
    time("instance norm channels last 1024x256", n, || {
        normalize(isa, [1, 1024, 256], 1e-5, Along::Inner, none, black_box(&x), &mut y);
    });

    for (shape, axes) in [([256, 1024], [1]), ([1024, 256], [0]), ([4096, 64], [1])] {
        let reduction = Reduction::new(&shape, &axes);
        for kind in [FloatReduction::Mean, FloatReduction::Max, FloatReduction::LogSumExp] {
            let outputs = reduction.outputs();
            time(&format!("{kind:?} of {shape:?} along {axes:?}"), n, || {
                reduce_floats(isa, kind, &reduction, black_box(&x), 0..outputs, &mut y[..outputs]);
            });
        }
    }

    let windows = Windows {
        input: [64, 64],
        output: [32, 32],
        window: [3, 3],
        strides: [2, 2],
        dilations: [1, 1],
        padding: [1, 1],
    };
    for pooling in [Pooling::Max, Pooling::Average] {
        time(&format!("{pooling:?} 3x3/2 channels last 64x64x64"), n, || {
            pool_channels_last(isa, pooling, &windows, 64, black_box(&x), 0..32, &mut y[..65_536]);
        });
        time(&format!("{pooling:?} 3x3/2 channels first 64x64x64"), n, || {
            let out = &mut y[..65_536];
            pool_channels_first(isa, pooling, &windows, black_box(&x), 0..64 * 32, out);
        });
    }

    for (shape, order) in [
        ([1, 64, 64, 64], [0, 2, 3, 1]),
        ([1, 64, 64, 64], [0, 3, 1, 2]),
        ([1, 3, 256, 340], [0, 2, 3, 1]),
        ([1, 128, 32, 64], [0, 2, 1, 3]),
        ([1, 8, 32, 1024], [3, 2, 1, 0]),
    ] {
        let strides = row_major(&shape);
        let out_shape = order.map(|d| shape[d]);
        let space = Space::new(&out_shape, &[&order.map(|d| strides[d])]);
        let len = space.len();
        time(&format!("transpose {shape:?} by {order:?}"), len, || {
            read(isa, space.view(0), 0, black_box(&x), 0..len, &mut y[..len]);
        });
    }
    let bytes: Vec<u8> = (0..n).map(|i| i as u8).collect();
    let mut byte_y = vec![0u8; n];
    let turn = Space::new(&[512, 512], &[&[1, 512]]);
    time("transpose bytes 512x512", n, || {
        read(isa, turn.view(0), 0, black_box(&bytes), 0..n, &mut byte_y);
    });

    let padding =
        Padding::new(PaddingMode::Constant, &[1, 62, 62, 64], &[0, 1, 1, 0], &[0, 1, 1, 0]);
    time("pad 62x62x64 by 1", n, || padding.run(black_box(&x), 0.0, 0..padding.len(), &mut y));

    let up = Resampling::new(Interpolation::Linear, [32, 32], [64, 64]);
    time("resample 32x32x64 to 64x64, linear", n, || {
        let y = MatrixMut::new(&mut y, [64 * 64, 64], 64);
        up.run(isa, [1, 64], black_box(&x[..65_536]), 0..64, y);
    });
    time("resample 64x32x32 to 64x64, linear", n, || {
        let y = MatrixMut::new(&mut y, [64 * 64, 64], 64);
        up.run(isa, [1, 1], black_box(&x[..65_536]), 0..64 * 64, y);
    });

    time("cast f32 to u8", n, || convert::cast(isa, black_box(&x), &mut byte_y));
    let space = quantize::blockwise(&[n], &[1]);
    time("quantize to u8", n, || {
        quantize::quantize(isa, &space, 0..n, black_box(&x), &[0.02], &[128], &mut byte_y);
    });
    time("dequantize from u8", n, || {
        quantize::dequantize(isa, &space, 0..n, black_box(&bytes), &[0.02], &[128], &mut y);
    });
}
