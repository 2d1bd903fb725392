//! Element-wise operators and a chain of them, in a tile and in memory.
#![allow(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;
use std::time::Instant;

use webnn_kernels::Isa;
use webnn_kernels::map::{
    Binary, Block, BlockInput, ProgramBuilder, Slice, SliceMut, Storage, Unary, unary,
};
use webnn_kernels::strided::Space;

/// The shortest of many runs, in seconds.
fn best(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut shortest = f64::INFINITY;
    let mut runs = 0;
    while runs < 20 || start.elapsed().as_secs_f64() < 0.2 {
        let start = Instant::now();
        work();
        shortest = shortest.min(start.elapsed().as_secs_f64());
        runs += 1;
    }
    shortest
}

fn main() {
    let n = 4096;
    let x: Vec<f32> = (0..n).map(|i| (i as f32 - 2000.0) / 300.0).collect();
    let mut y = vec![0.0; n];
    let operators = [
        Unary::Relu,
        Unary::Sqrt,
        Unary::Exp,
        Unary::Log,
        Unary::Sin,
        Unary::Tan,
        Unary::Tanh,
        Unary::Sigmoid,
        Unary::Erf,
        Unary::Gelu,
        Unary::Softplus,
        Unary::Elu { alpha: 1.0 },
        Unary::HardSwish,
    ];
    for isa in Isa::available() {
        for op in operators {
            let seconds = best(|| {
                for _ in 0..64 {
                    unary(isa, op, black_box(&x), black_box(&mut y));
                }
            });
            let rate = 64.0 * n as f64 / seconds / 1e9;
            println!("{:8} {op:?}: {rate:.2} Gelement/s", isa.name());
        }
    }
    for (rows, columns) in [(56, 256), (3136, 256), (12_544, 1024)] {
        let mut builder = ProgramBuilder::new();
        let (a, b) = (builder.input(Storage::F32), builder.input(Storage::F32));
        let bias = builder.input(Storage::F32);
        let sum = builder.binary(Binary::Add, a, b);
        let sum = builder.binary(Binary::Add, sum, bias);
        let result = builder.unary(Unary::Relu, sum);
        let program = builder.finish(&[(result, Storage::F32)]);
        let shape = [rows, columns];
        let space = Space::broadcast(&shape, &[&shape, &shape, &[columns]]);
        let (a, b) = (vec![1.0f32; rows * columns], vec![-0.5f32; rows * columns]);
        let bias = vec![0.25f32; columns];
        let mut out = vec![0.0f32; rows * columns];
        let mut scratch = vec![0.0; program.scratch_len()];
        let inputs = [Slice::F32(&a), Slice::F32(&b), Slice::F32(&bias)];
        let seconds = best(|| {
            let mut outputs = [SliceMut::F32(&mut out)];
            program.run(Isa::best(), &space, 0..space.len(), &inputs, &mut outputs, &mut scratch);
        });
        let bytes = 12.0 * (rows * columns) as f64;
        println!("add, add bias, relu {rows}x{columns}: {:.1} GB/s", bytes / seconds / 1e9);
    }
    for (rows, columns) in [(1, 64), (1, 256), (14, 32), (14, 256), (96, 512)] {
        let mut builder = ProgramBuilder::new();
        let (block, bias) = (builder.input(Storage::F32), builder.input(Storage::F32));
        let sum = builder.binary(Binary::Add, block, bias);
        let result = builder.unary(Unary::Relu, sum);
        let program = builder.finish(&[(result, Storage::F32)]);
        let mut elements = vec![0.5f32; rows * columns];
        let bias = vec![0.25f32; columns];
        let mut scratch = vec![0.0; program.scratch_len()];
        let inputs = [BlockInput { data: Slice::F32(&bias), strides: [0, 1] }];
        let seconds = best(|| {
            let block = Block {
                rows: 0..rows,
                columns: 0..columns,
                elements: black_box(&mut elements),
                row_stride: columns,
            };
            program.run_block(Isa::best(), block, &inputs, &mut scratch);
        });
        let rate = (rows * columns) as f64 / seconds / 1e9;
        println!("bias, relu of a {rows}x{columns} block: {:.0} ns, {rate:.2} G/s", seconds * 1e9);
    }
}
