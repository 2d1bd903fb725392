//! Products, convolutions and attention on shapes of common models, on every tile of this machine.
//!
//! Prints the best of many runs on one thread. An argument selects lines that contain it:
//! `cargo bench -p webnn-kernels --bench products -- avx512`.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use webnn_kernels::Isa;
use webnn_kernels::attention::{self, Attention, attention};
use webnn_kernels::buffer::Buffer;
use webnn_kernels::depthwise::int8::{ByteImages, PackedBytes};
use webnn_kernels::depthwise::{self, Images, PackedTaps};
use webnn_kernels::gemm::int8::{self, Output, Requantize, TILES};
use webnn_kernels::gemm::{
    Bits, Block, F32, Filter, Finish, Matrix, MatrixMut, PackedB, PackedQuantized, Pixels,
    Quantized, Rows, Start, Tile, Window, gemm, scratch_bytes,
};

/// m, n, k.
const PRODUCTS: &[[usize; 3]] = &[
    [512, 512, 512],
    [1024, 1024, 1024],
    [3136, 64, 576],
    [784, 128, 1152],
    [196, 512, 1024],
    [49, 512, 4608],
    [128, 3072, 768],
    [12544, 32, 27],
    [1, 1000, 2048],
    [1, 4096, 4096],
    [4, 1024, 1024],
];

/// Size, input and output channels, filter size, stride.
const CONVOLUTIONS: &[[usize; 5]] = &[
    [224, 3, 64, 7, 2],
    [224, 3, 32, 3, 2],
    [56, 64, 64, 3, 1],
    [14, 256, 256, 3, 1],
    [7, 512, 512, 3, 1],
    [56, 64, 256, 1, 1],
    [56, 256, 512, 1, 2],
    [112, 32, 16, 1, 1],
    [112, 16, 96, 1, 1],
    [14, 96, 576, 1, 1],
    [7, 960, 160, 1, 1],
];

/// Size, channels, filter size, stride.
const DEPTHWISE: &[[usize; 4]] = &[
    [112, 32, 3, 1],
    [112, 96, 3, 2],
    [56, 144, 3, 1],
    [14, 576, 3, 1],
    [7, 960, 3, 1],
    [28, 240, 5, 1],
    [14, 672, 5, 1],
];

/// Heads, queries, keys, length.
const ATTENTION: &[[usize; 4]] =
    &[[3, 197, 197, 64], [12, 128, 128, 32], [6, 1500, 1500, 64], [12, 1, 1024, 64]];

/// m, n, k. The largest come from memory, whatever the caches.
const QUANTIZED: &[[usize; 3]] = &[
    [1, 768, 3072],
    [1, 2048, 2048],
    [1, 4096, 4096],
    [2, 4096, 4096],
    [4, 4096, 4096],
    [64, 4096, 1024],
    [1, 65536, 2048],
];

fn main() {
    // Cargo passes `--bench`.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let bench = Bench { wanted: wanted.unwrap_or_default() };
    for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
        PRODUCTS.iter().for_each(|&shape| bench.product(tile, shape));
        CONVOLUTIONS.iter().for_each(|&shape| bench.convolution(tile, shape));
    }
    for tile in TILES.iter().filter(|tile| tile.isa.is_available()) {
        CONVOLUTIONS.iter().for_each(|&shape| bench.byte_convolution(tile, shape));
    }
    for isa in Isa::available() {
        DEPTHWISE.iter().for_each(|&shape| bench.depthwise(isa, shape));
        ATTENTION.iter().for_each(|&shape| bench.attention(isa, shape));
    }
    for tile in F32.iter().filter(|tile| tile.isa.is_available()) {
        for bits in [Bits::Int8, Bits::Uint4] {
            for &shape in QUANTIZED {
                bench.quantized(tile, bits, shape, 32);
            }
            bench.quantized(tile, bits, [1, 4096, 4096], 4096);
        }
    }
}

struct Bench {
    wanted: String,
}

fn floats(len: usize) -> Buffer<f32> {
    let mut buffer = Buffer::zeroed(len);
    buffer.iter_mut().enumerate().for_each(|(i, x)| *x = (i * 7919 % 1013) as f32 / 1e3 - 0.5);
    buffer
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7919 % 255) as u8).collect()
}

/// A window that keeps the size, divided by the stride.
fn window(size: usize, kernel: usize, stride: usize) -> Window {
    let padding = kernel / 2;
    let output = (size + 2 * padding - kernel) / stride + 1;
    Window {
        input: [size; 2],
        output: [output; 2],
        kernel: [kernel; 2],
        strides: [stride; 2],
        dilations: [1; 2],
        padding: [padding; 2],
    }
}

impl Bench {
    /// Prints a line: time and rate of the fastest run, which it returns, if it is wanted.
    fn time(&self, name: &str, operations: usize, mut work: impl FnMut()) -> f64 {
        let mut shortest = f64::INFINITY;
        if !name.contains(&self.wanted) {
            return shortest;
        }
        work();
        let start = Instant::now();
        while start.elapsed().as_secs_f64() < 0.3 {
            let start = Instant::now();
            work();
            shortest = shortest.min(start.elapsed().as_secs_f64());
        }
        let rate = operations as f64 / shortest / 1e9;
        println!("{name}: {:.1} us, {rate:.1} Goperation/s", shortest * 1e6);
        shortest
    }

    fn product(&self, tile: &'static Tile, [m, n, k]: [usize; 3]) {
        let (a, b, mut c) = (floats(m * k), floats(k * n), floats(m * n));
        let b = PackedB::new(tile, Matrix::row_major(&b, [k, n]).into());
        let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
        let mut scratch = vec![0; scratch_bytes(rows.depth(), m)];
        let block = Block { rows: 0..m, columns: 0..n };
        self.time(&format!("{} product {m} x {n} x {k}", tile.name), 2 * m * n * k, || {
            let to = MatrixMut::new(&mut c, [m, n], n);
            gemm(black_box(&rows), b.view(), to, &block, &Finish::NONE, &mut scratch);
        });
    }

    fn convolution(&self, tile: &'static Tile, [size, channels, n, kernel, stride]: [usize; 5]) {
        let window = window(size, kernel, stride);
        let (m, k) = (window.output[0] * window.output[1], kernel * kernel * channels);
        let (x, filter, bias, mut y) =
            (floats(size * size * channels), floats(k * n), floats(n), floats(m * n));
        let filter = PackedB::new(tile, Matrix::row_major(&filter, [k, n]).into());
        let rows = if kernel == 1 && stride == 1 {
            Rows::Matrix(Matrix::row_major(&x, [m, k]))
        } else {
            Rows::Pixels(Pixels::new(&x, &window, 1, channels, channels, 0.0))
        };
        let finish =
            Finish { start: Start::Columns(&bias), clamp: [0.0, f32::INFINITY], ..Finish::NONE };
        let mut scratch = vec![0; scratch_bytes(rows.depth(), m)];
        let block = Block { rows: 0..m, columns: 0..n };
        let name = format!(
            "{} convolution {size} {channels} to {n} {kernel}x{kernel}/{stride}",
            tile.name
        );
        self.time(&name, 2 * m * n * k, || {
            let to = MatrixMut::new(&mut y, [m, n], n);
            gemm(black_box(&rows), filter.view(), to, &block, &finish, &mut scratch);
        });
    }

    fn byte_convolution(
        &self,
        tile: &'static int8::Tile,
        [size, channels, n, kernel, stride]: [usize; 5],
    ) {
        let window = window(size, kernel, stride);
        let (m, k) = (window.output[0] * window.output[1], kernel * kernel * channels);
        let (x, filter, mut y) = (bytes(size * size * channels), bytes(k * n), bytes(m * n));
        let rows = if kernel == 1 && stride == 1 {
            Rows::Matrix(Matrix::row_major(&x, [m, k]))
        } else {
            Rows::Pixels(Pixels::new(&x, &window, 1, channels, channels, 3))
        };
        let filter = Filter::from(Matrix::row_major(&filter, [k, n]));
        let filter = int8::PackedB::new(tile, filter, rows.depth(), &[128]);
        let requantize = Requantize { scales: &[1e-3], zero_point: 3, clamp: [0, 255] };
        let mut scratch = vec![0; int8::scratch_bytes(&filter, m)];
        let block = Block { rows: 0..m, columns: 0..n };
        let name = format!(
            "{} convolution {size} {channels} to {n} {kernel}x{kernel}/{stride}",
            tile.name
        );
        self.time(&name, 2 * m * n * k, || {
            let output = Output::Bytes(MatrixMut::new(&mut y, [m, n], n), requantize);
            let finish = int8::Finish { bias: &[], output };
            int8::gemm(black_box(&rows), 3, &filter, &block, finish, &mut scratch);
        });
    }

    fn depthwise(&self, isa: Isa, [size, channels, kernel, stride]: [usize; 4]) {
        let window = window(size, kernel, stride);
        let ([height, width], shape) = (window.output, [kernel, kernel, channels]);
        let strides = [kernel * channels, channels, 1];
        let operations = 2 * height * width * channels * kernel * kernel;
        let x = floats(size * size * channels);
        let filter =
            PackedTaps::new(isa, &floats(kernel * kernel * channels), shape, strides, None);
        let mut y = floats(height * width * channels);
        let name = format!("{} depthwise {size} {channels} {kernel}x{kernel}/{stride}", isa.name());
        self.time(&name, operations, || {
            let x = Images::whole(black_box(&x), channels);
            let to = MatrixMut::new(&mut y, [height * width, channels], channels);
            depthwise::depthwise(x, &filter, &window, 0..height, to, [0.0, 6.0], None);
        });
        let x = bytes(size * size * channels);
        let filter = bytes(kernel * kernel * channels);
        let filter =
            depthwise::int8::Filter { data: &filter, channels, strides, zero_points: &[128] };
        let mut y = bytes(height * width * channels);
        let requantize = Requantize { scales: &[1e-3], zero_point: 3, clamp: [0, 255] };
        let filter = PackedBytes::new::<u8, u8>(isa, filter, &window, 3, &[], &requantize);
        self.time(&format!("{name} int8"), operations, || {
            let x = ByteImages { data: black_box(&x), pixel_stride: channels };
            let to = MatrixMut::new(&mut y, [height * width, channels], channels);
            depthwise::int8::depthwise(x, &filter, 0..height, to);
        });
    }

    fn attention(&self, isa: Isa, [heads, queries, keys, len]: [usize; 4]) {
        let (q, k, v) =
            (floats(heads * queries * len), floats(heads * keys * len), floats(heads * keys * len));
        let mut y = floats(heads * queries * len);
        let mut scratch = vec![0; attention::scratch_bytes(isa, len, len)];
        let name = format!("{} attention {heads} heads {queries} x {keys} x {len}", isa.name());
        self.time(&name, 4 * heads * queries * keys * len, || {
            for head in 0..heads {
                // Heads lie side by side in a row, as projections leave them.
                let strides = [heads * len, 1];
                let operands = Attention {
                    q: Matrix::new(&q[head * len..], [queries, len], strides),
                    k: Matrix::new(&k[head * len..], [keys, len], strides),
                    v: Matrix::new(&v[head * len..], [keys, len], strides),
                    mask: None,
                    scale: 0.125,
                };
                let to = MatrixMut::new(&mut y[head * len..], [queries, len], heads * len);
                attention(isa, black_box(&operands), 0..queries, to, &mut scratch);
            }
        });
    }

    /// Weights without and with zero points; prints what is read of them, too.
    fn quantized(&self, tile: &'static Tile, bits: Bits, [m, n, k]: [usize; 3], block: usize) {
        let (a, mut c) = (floats(m * k), floats(m * n));
        let count = n * k.div_ceil(block);
        for zero_points in [vec![], (0..count).map(|i| (i % 7) as i32).collect()] {
            let has = if zero_points.is_empty() { "" } else { ", zero points" };
            let name = format!("{} {bits:?} {m} x {n} x {k} by {block}{has}", tile.name);
            if !name.contains(&self.wanted) {
                continue;
            }
            let b = PackedQuantized::new(
                tile,
                &Quantized {
                    data: &bytes(n * k),
                    bits,
                    shape: [k, n],
                    strides: [1, k],
                    block,
                    scales: &floats(count),
                    zero_points: &zero_points,
                },
            );
            let rows = Rows::Matrix(Matrix::row_major(&a, [m, k]));
            let mut scratch = vec![0; scratch_bytes(rows.depth(), m)];
            let whole = Block { rows: 0..m, columns: 0..n };
            let seconds = self.time(&name, 2 * m * n * k, || {
                let to = MatrixMut::new(&mut c, [m, n], n);
                gemm(black_box(&rows), b.view(), to, &whole, &Finish::NONE, &mut scratch);
            });
            let weights = match bits {
                Bits::Int4 | Bits::Uint4 => n * k / 2,
                Bits::Int8 | Bits::Uint8 => n * k,
            };
            let rate = (weights + 4 * count) as f64 / seconds / 1e9;
            println!("    weights and scales at {rate:.1} GB/s");
        }
    }
}
