//! Products of stacks of matrices.

use webnn_core::ops::{Gemm, Matmul};
use webnn_core::{NodeId, Shape};
use webnn_kernels::strided::broadcast;

use crate::kernel::{Built, Cx, sizes};
use crate::ops::epilogue::EpilogueBuilder;
use crate::ops::matrix::{FilterView, Left, Problems, Right, build};

/// The kernel for a matmul and the element-wise nodes after it.
pub(crate) fn lower(_: &Matmul, cx: &Cx<'_>, after: &[NodeId]) -> Option<Built> {
    lower_product(cx, None, after)
}

/// The same, with a right operand that is packed already.
#[inline(never)]
pub(crate) fn lower_product(cx: &Cx<'_>, packed: Option<Right>, after: &[NodeId]) -> Option<Built> {
    let (a, b) = (sizes(&cx.input(0)), sizes(&cx.input(1)));
    let output = sizes(&cx.output(0));
    let (batch, matrix) = output.split_at(output.len() - 2);
    let [m, n] = [matrix[0], matrix[1]];
    let k = a[a.len() - 1];
    let strides = |shape: &[usize]| -> Vec<usize> {
        let (outer, inner) = shape.split_at(shape.len() - 2);
        let size = inner[0] * inner[1];
        broadcast(outer, batch).iter().map(|stride| stride * size).collect()
    };
    let (a_strides, b_strides) = (strides(&a), strides(&b));
    let offsets = |strides: &[usize]| -> Vec<usize> { offsets(batch, strides) };
    let (a_offsets, b_offsets) = (offsets(&a_strides), offsets(&b_strides));
    // A right operand that all share makes one tall product of a stack that lies in order.
    let is_shared = b_offsets.iter().all(|&offset| offset == 0);
    let in_order = a_offsets.iter().enumerate().all(|(i, &offset)| offset == i * m * k);
    let mut problems = if is_shared && in_order {
        Problems { down: vec![(0, 0)], sizes: [m * a_offsets.len(), n, k], groups: 1 }
    } else {
        Problems { down: Vec::new(), sizes: [m, n, k], groups: 1 }
    };
    let mut distinct = b_offsets.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if problems.down.is_empty() {
        let pairs = a_offsets.iter().zip(&b_offsets);
        let index = |offset: &usize| distinct.binary_search(offset).unwrap_or(0);
        problems.down = pairs.map(|(&a, b)| (a, index(b))).collect();
    }
    let views: Vec<FilterView> =
        distinct.iter().map(|&offset| FilterView::matrix(offset, [k, n], [n, 1])).collect();
    let mut reads = vec![cx.id(0)];
    let right = packed.or_else(|| Right::constant(cx, cx.id(1), &views)).unwrap_or_else(|| {
        reads.push(cx.id(1));
        Right::Read(views)
    });
    let mut epilogue = EpilogueBuilder::new(*cx, &mut reads).with_residual();
    for &node in after {
        epilogue.push(node)?;
    }
    let (epilogue, output) = epilogue.finish()?;
    let left = Left::Matrix { strides: [k, 1], factors: None };
    Some(build(problems, left, right, epilogue, reads, output, cx.isa, cx.threads.count()))
}

/// Where the matrices of a stack begin, in the order of the result's.
fn offsets(shape: &[usize], strides: &[usize]) -> Vec<usize> {
    let mut offsets = vec![0];
    for (&size, &stride) in shape.iter().zip(strides) {
        offsets = offsets.iter().flat_map(|o| (0..size).map(move |i| o + i * stride)).collect();
    }
    offsets
}

/// The kernel for a gemm and the element-wise nodes after it.
pub(crate) fn lower_gemm(op: &Gemm, cx: &Cx<'_>, after: &[NodeId]) -> Option<Built> {
    lower_gemm_product(op, cx, None, after)
}

/// The same, with a right operand that is packed already; alpha then is 1.
#[inline(never)]
pub(crate) fn lower_gemm_product(
    op: &Gemm,
    cx: &Cx<'_>,
    packed: Option<Right>,
    after: &[NodeId],
) -> Option<Built> {
    let side = |shape: Shape, is_transposed: bool| {
        let [rows, columns] = [shape[0] as usize, shape[1] as usize];
        if is_transposed {
            ([columns, rows], [1, columns])
        } else {
            ([rows, columns], [columns, 1])
        }
    };
    let ([m, k], a_strides) = side(cx.input(0).shape, op.a_transpose);
    let ([_, n], b_strides) = side(cx.input(1).shape, op.b_transpose);
    let problems = Problems { down: vec![(0, 0)], sizes: [m, n, k], groups: 1 };
    let views = [FilterView::matrix(0, [k, n], b_strides)];
    let mut reads = vec![cx.id(0)];
    let (alpha, beta) = (op.alpha as f32, op.beta as f32);
    let mut is_scaled = alpha == 1.0;
    let constant = || {
        if is_scaled {
            return Right::constant(cx, cx.id(1), &views);
        }
        let data: Vec<f32> = cx.floats(cx.id(1))?.iter().map(|x| x * alpha).collect();
        is_scaled = true;
        Some(Right::pack(&data, &views, cx))
    };
    let right = packed.or_else(constant).unwrap_or_else(|| {
        reads.push(cx.id(1));
        Right::Read(views.to_vec())
    });
    let mut epilogue = EpilogueBuilder::new(*cx, &mut reads).with_residual();
    if !is_scaled {
        epilogue.scale(alpha);
    }
    if let Some(c) = cx.opt(2) {
        if beta == 1.0 {
            epilogue.add(c)?;
        } else {
            epilogue.add_scaled(c, beta)?;
        }
    }
    for &node in after {
        epilogue.push(node)?;
    }
    let (epilogue, output) = epilogue.finish()?;
    let left = Left::Matrix { strides: a_strides, factors: None };
    Some(build(problems, left, right, epilogue, reads, output, cx.isa, cx.threads.count()))
}
