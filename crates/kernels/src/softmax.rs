//! Softmax along any axis.

use std::ops::Range;

use crate::Isa;
use crate::float::map_row;
use crate::map::math;
use crate::reduce::{ExpSum, Max, Sum, column, row};
use crate::simd::{ForEachIsa, Simd, dispatch};
use crate::strided::View;

/// Computes the part `outer` of a row-major tensor of shape `[.., axis, inner]`: both `x` and
/// `out` hold just that part, `outer.len() * axis * inner` elements.
///
/// # Panics
///
/// If a length is not that.
pub fn softmax(isa: Isa, outer: usize, axis: usize, inner: usize, x: &[f32], out: &mut [f32]) {
    assert!(x.len() == outer * axis * inner && out.len() == x.len());
    if axis * inner > 0 {
        dispatch(isa, Softmax { axis, inner, x, out });
    }
}

struct Softmax<'a> {
    axis: usize,
    inner: usize,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl ForEachIsa for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Softmax { axis, inner, x, out } = self;
        let parts = x.chunks_exact(axis * inner).zip(out.chunks_exact_mut(axis * inner));
        for (x, out) in parts {
            if inner == 1 {
                softmax_row(s, x, out);
                continue;
            }
            let wide = 4 * S::LANES;
            let mut at = 0;
            while at + wide <= inner {
                softmax_columns::<S, 4>(s, x, out, axis, inner, at..at + wide);
                at += wide;
            }
            while at < inner {
                let end = inner.min(at + S::LANES);
                softmax_columns::<S, 1>(s, x, out, axis, inner, at..end);
                at = end;
            }
        }
    }
}

#[inline(always)]
fn softmax_row<S: Simd>(s: S, x: &[f32], out: &mut [f32]) {
    // Subtracting the maximum keeps exp finite; the quotient is unchanged.
    let largest = s.splat(row::<S, Max>(s, x, s.splat(0.0)));
    map_row(
        s,
        x,
        out,
        #[inline(always)]
        |x| math::exp_negative(s, s.sub(x, largest)),
    );
    let factor = s.splat(1.0 / row::<S, Sum>(s, out, s.splat(0.0)));
    scale_in_place(s, out, factor);
}

#[inline(always)]
fn scale_in_place<S: Simd>(s: S, out: &mut [f32], factor: S::F32) {
    let mut chunks = out.chunks_exact_mut(S::LANES);
    for out in &mut chunks {
        s.store(s.mul(s.load(out), factor), out);
    }
    let tail = chunks.into_remainder();
    s.store_partial(s.mul(s.load_partial(tail), factor), tail);
}

/// Up to `W` vectors of neighbouring columns.
#[inline(always)]
fn softmax_columns<S: Simd, const W: usize>(
    s: S,
    x: &[f32],
    out: &mut [f32],
    axis: usize,
    inner: usize,
    columns: Range<usize>,
) {
    let (dims, strides) = ([axis], [inner]);
    let view = View::new(&dims, &strides);
    let (start, width) = (columns.start, columns.len());
    let zero = [s.splat(0.0); W];
    let largest = column::<S, Max, W>(s, &x[start..], view, axis, width, zero);
    let sums = column::<S, ExpSum, W>(s, &x[start..], view, axis, width, largest);
    let mut factors = zero;
    for j in 0..W {
        factors[j] = s.div(s.splat(1.0), sums[j]);
    }
    for i in 0..axis {
        let at = i * inner + start;
        let (x, out) = (&x[at..][..width], &mut out[at..][..width]);
        if width == W * S::LANES {
            for j in 0..W {
                let part = j * S::LANES..(j + 1) * S::LANES;
                let e = math::exp_negative(s, s.sub(s.load(&x[part.clone()]), largest[j]));
                s.store(s.mul(e, factors[j]), &mut out[part]);
            }
        } else {
            let e = math::exp_negative(s, s.sub(s.load_partial(x), largest[0]));
            s.store_partial(s.mul(e, factors[0]), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(x: &[f64], outer: usize, axis: usize, inner: usize) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        for o in 0..outer {
            for k in 0..inner {
                let at = |i: usize| (o * axis + i) * inner + k;
                let largest = (0..axis).map(|i| x[at(i)]).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = (0..axis).map(|i| (x[at(i)] - largest).exp()).sum();
                for i in 0..axis {
                    out[at(i)] = (x[at(i)] - largest).exp() / sum;
                }
            }
        }
        out
    }

    #[test]
    fn every_axis_matches_the_definition() {
        for [outer, axis, inner] in
            [[3, 1, 1], [2, 5, 1], [2, 1000, 1], [1, 4099, 1], [2, 7, 3], [2, 33, 77], [1, 3, 16]]
        {
            let n = outer * axis * inner;
            let x: Vec<f32> = (0..n).map(|i| ((i * 7919) % 1009) as f32 / 50.0 - 100.0).collect();
            let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            let expected = exact(&wide, outer, axis, inner);
            for isa in Isa::available() {
                let mut out = vec![0.0; n];
                softmax(isa, outer, axis, inner, &x, &mut out);
                for (out, expected) in out.iter().zip(&expected) {
                    let error = (f64::from(*out) - expected).abs();
                    assert!(
                        error <= 2e-6 * expected + 1e-44,
                        "{out}, expected {expected}: {outer} {axis} {inner} on {isa:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn huge_elements_do_not_overflow() {
        for isa in Isa::available() {
            let mut out = [0.0; 3];
            softmax(isa, 1, 3, 1, &[1e30, 1e30, -1e30], &mut out);
            assert_eq!(out, [0.5, 0.5, 0.0], "{isa:?}");
            softmax(isa, 1, 3, 1, &[f32::NEG_INFINITY, 2.0, f32::NEG_INFINITY], &mut out);
            assert_eq!(out, [0.0, 1.0, 0.0], "{isa:?}");
        }
    }
}
