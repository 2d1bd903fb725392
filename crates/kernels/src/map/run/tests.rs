use super::*;
use crate::map::{Binary, ProgramBuilder, Unary};

fn numbers(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 500.0 - 2.0).collect()
}

fn run_all(
    program: &Program,
    isa: Isa,
    space: &Space,
    range: Range<usize>,
    inputs: &[Slice<'_>],
    outputs: &mut [SliceMut<'_>],
) {
    // What the scratch holds must not matter.
    let mut scratch = vec![f32::NAN; program.scratch_len()];
    program.run(isa, space, range, inputs, outputs, &mut scratch);
}

#[test]
fn a_chain_equals_its_operators_for_any_range() {
    let shape = [3, 5, 67];
    let n = 3 * 5 * 67;
    let (x, bias, row) = (numbers(n, 1), numbers(5, 2), numbers(67, 3));
    let space = Space::broadcast(&shape, &[&shape, &[5, 1], &[67], &[]]);
    let mut builder = ProgramBuilder::new();
    let inputs = [Storage::F32; 4].map(|storage| builder.input(storage));
    let sum = builder.binary(Binary::Add, inputs[0], inputs[1]);
    let product = builder.binary(Binary::Mul, sum, inputs[2]);
    let half = builder.constant(0.5);
    let shifted = builder.binary(Binary::Sub, product, half);
    let low = builder.unary(Unary::Relu, shifted);
    let unused = builder.unary(Unary::Exp, low);
    let scaled = builder.binary(Binary::Mul, low, inputs[3]);
    let again = builder.binary(Binary::Add, scaled, sum);
    let _ = builder.unary(Unary::Neg, unused);
    let program = builder.finish(&[(again, Storage::F32), (sum, Storage::F32)]);
    assert_eq!(program.operators(), 6);
    let factor = [1.25];
    let expected: Vec<(f32, f32)> = (0..n)
        .map(|i| {
            let sum = x[i] + bias[i / 67 % 5];
            ((sum * row[i % 67] - 0.5).max(0.0) * factor[0] + sum, sum)
        })
        .collect();
    let inputs = [Slice::F32(&x), Slice::F32(&bias), Slice::F32(&row), Slice::F32(&factor)];
    for isa in Isa::available() {
        for range in [0..n, 1..n - 1, 64..128, 100..101, 70..70] {
            let (mut a, mut b) = (vec![0.0; range.len()], vec![0.0; range.len()]);
            let mut outputs = [SliceMut::F32(&mut a), SliceMut::F32(&mut b)];
            run_all(&program, isa, &space, range.clone(), &inputs, &mut outputs);
            for (i, expected) in range.clone().zip(&expected[range.clone()]) {
                let at = i - range.start;
                assert_eq!((a[at], b[at]), *expected, "element {i} of {range:?} on {isa:?}");
            }
        }
    }
}

#[test]
fn long_ranges_take_many_tiles() {
    let n = 3 * TILE + 37;
    let (x, y) = (numbers(n, 4), numbers(n, 5));
    let space = Space::broadcast(&[n], &[&[n], &[n]]);
    let mut builder = ProgramBuilder::new();
    let (a, b) = (builder.input(Storage::F32), builder.input(Storage::F32));
    let less = builder.binary(Binary::Lesser, a, b);
    let square = builder.binary(Binary::Mul, a, a);
    let chosen = builder.select(less, square, b);
    let program = builder.finish(&[(chosen, Storage::F32), (less, Storage::U8)]);
    for isa in Isa::available() {
        let (mut out, mut mask) = (vec![0.0; n], vec![9; n]);
        let inputs = [Slice::F32(&x), Slice::F32(&y)];
        let mut outputs = [SliceMut::F32(&mut out), SliceMut::U8(&mut mask)];
        run_all(&program, isa, &space, 0..n, &inputs, &mut outputs);
        for i in 0..n {
            let expected = if x[i] < y[i] { (x[i] * x[i], 1) } else { (y[i], 0) };
            assert_eq!((out[i], mask[i]), expected, "element {i} on {isa:?}");
        }
    }
}

#[test]
fn halves_and_masks_are_converted_at_the_ends() {
    // The first operand is read transposed, which leaves no contiguous run.
    let (rows, columns) = (13, 35);
    let n = rows * columns;
    let x: Vec<f16> = numbers(n, 6).into_iter().map(f16::from_f32).collect();
    let mask: Vec<u8> = (0..n).map(|i| (i % 3) as u8).collect();
    let y: Vec<f16> = numbers(columns, 7).into_iter().map(f16::from_f32).collect();
    let space = Space::new(&[rows, columns], &[&[1, rows], &[columns, 1], &[0, 1]]);
    let mut builder = ProgramBuilder::new();
    let a = builder.input(Storage::F16);
    let m = builder.input(Storage::U8);
    let b = builder.input(Storage::F16);
    let sum = builder.binary(Binary::Add, a, b);
    let chosen = builder.select(m, sum, a);
    let negated = builder.unary(Unary::LogicalNot, m);
    let program = builder.finish(&[(chosen, Storage::F16), (negated, Storage::U8)]);
    for isa in Isa::available() {
        let (mut out, mut not) = (vec![f16::ZERO; n], vec![9; n]);
        let inputs = [Slice::F16(&x), Slice::U8(&mask), Slice::F16(&y)];
        let mut outputs = [SliceMut::F16(&mut out), SliceMut::U8(&mut not)];
        run_all(&program, isa, &space, 0..n, &inputs, &mut outputs);
        for i in 0..n {
            let (row, column) = (i / columns, i % columns);
            let a = x[column * rows + row];
            let sum = f16::from_f32(a.to_f32() + y[column].to_f32());
            let expected = (if mask[i] != 0 { sum } else { a }, u8::from(mask[i] == 0));
            assert_eq!((out[i], not[i]), expected, "element {i} on {isa:?}");
        }
    }
}

#[test]
fn an_input_may_be_the_output_and_an_output_an_input() {
    let n = 2 * TILE + 48;
    let x = numbers(n, 8);
    let space = Space::broadcast(&[n], &[&[n], &[n]]);
    let mut builder = ProgramBuilder::new();
    let (a, b) = (builder.input(Storage::F32), builder.input(Storage::F32));
    let sum = builder.binary(Binary::Add, a, b);
    let program = builder.finish(&[(sum, Storage::F32), (b, Storage::F16)]);
    for isa in Isa::available() {
        for end in [n, n - 5] {
            let mut out: Vec<f32> = numbers(end, 9);
            let before = out.clone();
            let mut copy = vec![f16::ZERO; end];
            let inputs = [Slice::Output(0), Slice::F32(&x)];
            let mut outputs = [SliceMut::F32(&mut out), SliceMut::F16(&mut copy)];
            run_all(&program, isa, &space, 0..end, &inputs, &mut outputs);
            for i in 0..end {
                assert_eq!(out[i], before[i] + x[i], "element {i} on {isa:?}");
                assert_eq!(copy[i], f16::from_f32(x[i]), "element {i} on {isa:?}");
            }
        }
    }
}

#[test]
fn blocks_are_finished_in_place() {
    check_block(14, 37, 40);
    // More than a tile, and rows that end where tiles do not.
    check_block(70, 40, 40);
    check_block(1, 32, 40);
}

fn check_block(rows: usize, columns: usize, stride: usize) {
    let (bias, scale) = (numbers(100, 10), numbers(100, 11));
    let residual = numbers(100 * 100, 12);
    let mut builder = ProgramBuilder::new();
    let inputs = [Storage::F32; 4].map(|storage| builder.input(storage));
    let a = builder.binary(Binary::Mul, inputs[0], inputs[1]);
    let b = builder.binary(Binary::Add, a, inputs[2]);
    let c = builder.binary(Binary::Add, b, inputs[3]);
    let d = builder.unary(Unary::Relu, c);
    let program = builder.finish(&[(d, Storage::F32)]);
    let mut scratch = vec![f32::NAN; program.scratch_len()];
    for isa in Isa::available() {
        let before = numbers(rows * stride, 13);
        let mut elements = before.clone();
        let block = Block {
            rows: 20..20 + rows,
            columns: 30..30 + columns,
            elements: &mut elements,
            row_stride: stride,
        };
        let inputs = [
            BlockInput { data: Slice::F32(&scale), strides: [1, 0] },
            BlockInput { data: Slice::F32(&bias), strides: [0, 1] },
            BlockInput { data: Slice::F32(&residual), strides: [100, 1] },
        ];
        program.run_block(isa, block, &inputs, &mut scratch);
        for (i, (&after, &before)) in elements.iter().zip(&before).enumerate() {
            let (row, column) = (20 + i / stride, 30 + i % stride);
            let expected = if i % stride < columns {
                (before * scale[row] + bias[column] + residual[row * 100 + column]).max(0.0)
            } else {
                before
            };
            assert_eq!(after, expected, "row {row}, column {column} on {isa:?}");
        }
    }
}

#[test]
fn powers_with_common_exponents_are_products() {
    let x = [3.0, -2.0, 0.5, 1.0e20];
    let space = Space::broadcast(&[4], &[&[4]]);
    for (exponent, expected) in
        [(1.0, x), (2.0, x.map(|x| x * x)), (3.0, x.map(|x| x * x * x)), (-1.0, x.map(|x| 1.0 / x))]
    {
        let mut builder = ProgramBuilder::new();
        let input = builder.input(Storage::F32);
        let constant = builder.constant(exponent);
        let power = builder.binary(Binary::Pow, input, constant);
        let program = builder.finish(&[(power, Storage::F32)]);
        let mut out = [0.0; 4];
        let mut outputs = [SliceMut::F32(&mut out)];
        run_all(&program, Isa::best(), &space, 0..4, &[Slice::F32(&x)], &mut outputs);
        assert_eq!(out, expected, "exponent {exponent}");
    }
}
