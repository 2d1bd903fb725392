//! 3x3 convolutions of common models by Winograd's algorithm, beside the direct ones.
//!
//! Prints the best of many runs on one thread, interleaved. An argument selects lines that contain
//! it: `cargo bench -p webnn-kernels --bench winograd -- avx512`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::ops::Range;
use std::time::Instant;

use webnn_kernels::buffer::Buffer;
use webnn_kernels::depthwise::Images;
use webnn_kernels::gemm::{
    self, Block, F32, Filter, MatrixMut, PackedB, Pixels, Rows, Start, Tile, Window, gemm, pack,
};
use webnn_kernels::winograd::{
    self, Convolution, Finish, PackedPoints, first_pixel, tile_rows, winograd,
};

/// Size, input and output channels.
const SHAPES: &[[usize; 3]] = &[
    [56, 64, 64],
    [28, 128, 128],
    [14, 256, 256],
    [7, 512, 512],
    [80, 16, 16],
    [40, 32, 32],
    [20, 64, 64],
    [10, 128, 128],
    [40, 64, 80],
    [55, 16, 64],
    [27, 32, 128],
    [13, 48, 192],
    [13, 64, 256],
    [6, 256, 256],
    [4, 256, 256],
    [56, 8, 64],
    [56, 64, 8],
    [56, 12, 12],
];

fn main() {
    // Cargo passes `--bench`.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let wanted = wanted.unwrap_or_default();
    for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
        for &[size, channels, outputs] in SHAPES {
            let name = format!("{} {size} {channels} to {outputs}", tile.name);
            if name.contains(&wanted) {
                compare(&name, tile, size, [channels, outputs]);
            }
        }
    }
}

fn floats(len: usize) -> Buffer<f32> {
    let mut buffer = Buffer::zeroed(len);
    buffer.iter_mut().enumerate().for_each(|(i, x)| *x = (i * 7919 % 1013) as f32 / 1e3 - 0.5);
    buffer
}

/// Prints a line: both times, and how many times faster the second is.
fn compare(name: &str, tile: &'static Tile, size: usize, [channels, outputs]: [usize; 2]) {
    let window = Window {
        input: [size; 2],
        output: [size; 2],
        kernel: [3; 2],
        strides: [1; 2],
        dilations: [1; 2],
        padding: [1; 2],
    };
    let pixels = size * size;
    let (x, taps, bias) =
        (floats(pixels * channels), floats(9 * channels * outputs), floats(outputs));
    let mut y = floats(pixels * outputs);
    let clamp = [0.0, f32::INFINITY];
    let strides = [3 * channels * outputs, channels * outputs, outputs, 1];
    let filter = Filter::new(&taps[..], [3, 3, channels, outputs], strides);

    let packed = PackedB::new(tile, filter);
    let rows = Rows::Pixels(Pixels::new(&x, &window, 1, channels, channels, 0.0));
    let finish = gemm::Finish { start: Start::Columns(&bias), clamp, ..gemm::Finish::NONE };
    let mut scratch = vec![0; gemm::scratch_bytes(rows.depth(), pixels)];
    let block = Block { rows: 0..pixels, columns: 0..outputs };
    let mut direct = |y: &mut [f32]| {
        let to = MatrixMut::new(y, [pixels, outputs], outputs);
        gemm(black_box(&rows), packed.view(), to, &block, &finish, &mut scratch);
    };

    let points = PackedPoints::new(tile, filter).expect("the filter is finite");
    let pack = |panels: Range<usize>, into: &mut [f32]| pack(tile, filter, panels, into);
    let x = Images::whole(&x, channels);
    let convolution = Convolution { x, filter: &points, window: &window, pack: &pack };
    let finish = Finish { bias: &bias, clamp, post: None };
    let rows = tile_rows(&window, 1);
    assert_eq!(first_pixel(&window, rows), pixels, "all rows of tiles are all pixels");
    let mut scratch = vec![0; winograd::scratch_bytes(&points, &window, rows)];
    let block = Block { rows: 0..rows, columns: 0..outputs };
    let mut fast = |y: &mut [f32]| {
        let to = MatrixMut::new(y, [pixels, outputs], outputs);
        winograd(black_box(&convolution), &block, to, &finish, &mut scratch);
    };

    let mut shortest = [f64::INFINITY; 2];
    let start = Instant::now();
    while start.elapsed().as_secs_f64() < 0.3 {
        let start = Instant::now();
        direct(&mut y);
        let between = Instant::now();
        fast(&mut y);
        shortest[0] = shortest[0].min((between - start).as_secs_f64());
        shortest[1] = shortest[1].min(between.elapsed().as_secs_f64());
    }
    let [direct, fast] = shortest.map(|seconds| seconds * 1e6);
    println!("{name}: direct {direct:.1} us, Winograd {fast:.1} us, {:.2} times", direct / fast);
}
