//! Layer and instance normalisation.

use crate::Isa;
use crate::float::{load_up_to, map_row, store_up_to};
use crate::reduce::{Square, Sum, column, row};
use crate::simd::{ForEachIsa, Simd, dispatch};
use crate::strided::View;

/// What is applied after an element has mean 0 and variance 1: `scale` (1 if absent), then
/// `bias` (0 if absent).
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// Factors.
    pub scale: Option<&'a [f32]>,
    /// Summands.
    pub bias: Option<&'a [f32]>,
}

impl Affine<'_> {
    fn scale(&self, index: usize) -> f32 {
        self.scale.map_or(1.0, |scale| scale[index])
    }

    fn bias(&self, index: usize) -> f32 {
        self.bias.map_or(0.0, |bias| bias[index])
    }

    fn has_len(&self, len: usize) -> bool {
        [self.scale, self.bias].into_iter().flatten().all(|x| x.len() == len)
    }
}

/// Which factors and summands belong to an element of `[outer, axis, inner]`, normalised along
/// `axis`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// Those of its place on the axis: layer normalisation.
    Axis,
    /// Those of its inner index: instance normalisation of channels-last images.
    Inner,
    /// Those of its outer index modulo the number of channels, counted from the start of the
    /// part that is computed: instance normalisation of channels-first images.
    Outer {
        /// How many channels there are.
        channels: usize,
        /// The channel of the part's first row.
        first: usize,
    },
}

/// Normalises a part of a row-major tensor of shape `[.., axis, inner]` along `axis`: `x` and
/// `out` hold just that part, of `outer * axis * inner` elements.
///
/// The variance is the mean of the squared distances from the mean; `epsilon` is added to it.
///
/// # Panics
///
/// If a length does not agree.
pub fn normalize(
    isa: Isa,
    [outer, axis, inner]: [usize; 3],
    epsilon: f32,
    along: Along,
    affine: Affine<'_>,
    x: &[f32],
    out: &mut [f32],
) {
    assert!(x.len() == outer * axis * inner && out.len() == x.len());
    assert!(affine.has_len(match along {
        Along::Axis => axis,
        Along::Inner => inner,
        Along::Outer { channels, .. } => channels,
    }));
    if axis * inner > 0 {
        dispatch(isa, Normalize { axis, inner, epsilon, along, affine, x, out });
    }
}

struct Normalize<'a> {
    axis: usize,
    inner: usize,
    epsilon: f32,
    along: Along,
    affine: Affine<'a>,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl ForEachIsa for Normalize<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Normalize { axis, inner, epsilon, along, affine, x, out } = self;
        let parts = x.chunks_exact(axis * inner).zip(out.chunks_exact_mut(axis * inner));
        for (index, (x, out)) in parts.enumerate() {
            let part = Part { axis, inner, epsilon, along, affine, index };
            if inner == 1 {
                part.row(s, x, out);
                continue;
            }
            let wide = 4 * S::LANES;
            let mut at = 0;
            while at + wide <= inner {
                part.columns::<S, 4>(s, x, out, at, wide);
                at += wide;
            }
            while at < inner {
                let width = S::LANES.min(inner - at);
                part.columns::<S, 1>(s, x, out, at, width);
                at += width;
            }
        }
    }
}

/// What is normalised together: `[axis, inner]`, for one outer index.
struct Part<'a> {
    axis: usize,
    inner: usize,
    epsilon: f32,
    along: Along,
    affine: Affine<'a>,
    index: usize,
}

impl Part<'_> {
    #[inline(always)]
    fn row<S: Simd>(&self, s: S, x: &[f32], out: &mut [f32]) {
        let count = self.axis as f32;
        let mean = row::<S, Sum>(s, x, s.splat(0.0)) / count;
        let variance = row::<S, Square>(s, x, s.splat(mean)) / count;
        let factor = 1.0 / (variance + self.epsilon).sqrt();
        let channel = match self.along {
            Along::Axis => return self.row_along_axis(s, x, out, mean, factor),
            Along::Inner => 0,
            Along::Outer { channels, first } => (first + self.index) % channels,
        };
        let factor = s.splat(factor * self.affine.scale(channel));
        let (mean, bias) = (s.splat(mean), s.splat(self.affine.bias(channel)));
        map_row(
            s,
            x,
            out,
            #[inline(always)]
            |x| s.mul_add(s.sub(x, mean), factor, bias),
        );
    }

    #[inline(always)]
    fn row_along_axis<S: Simd>(&self, s: S, x: &[f32], out: &mut [f32], mean: f32, factor: f32) {
        let (mean, factor) = (s.splat(mean), s.splat(factor));
        for (i, (x, out)) in x.chunks(S::LANES).zip(out.chunks_mut(S::LANES)).enumerate() {
            let at = i * S::LANES..i * S::LANES + x.len();
            let mut y = s.mul(s.sub(load_up_to(s, x), mean), factor);
            if let Some(scale) = self.affine.scale {
                y = s.mul(y, load_up_to(s, &scale[at.clone()]));
            }
            if let Some(bias) = self.affine.bias {
                y = s.add(y, load_up_to(s, &bias[at]));
            }
            store_up_to(s, y, out);
        }
    }

    /// Up to `W` vectors of neighbouring columns.
    #[inline(always)]
    fn columns<S: Simd, const W: usize>(
        &self,
        s: S,
        x: &[f32],
        out: &mut [f32],
        start: usize,
        width: usize,
    ) {
        let (dims, strides) = ([self.axis], [self.inner]);
        let view = View::new(&dims, &strides);
        let one = s.splat(1.0);
        let zero = [s.splat(0.0); W];
        let share = s.splat(1.0 / self.axis as f32);
        let mut means = column::<S, Sum, W>(s, &x[start..], view, self.axis, width, zero);
        for mean in &mut means {
            *mean = s.mul(*mean, share);
        }
        let squares = column::<S, Square, W>(s, &x[start..], view, self.axis, width, means);
        let mut factors = zero;
        let mut biases = zero;
        for j in 0..W {
            let variance = s.mul(squares[j], share);
            factors[j] = s.div(one, s.sqrt(s.add(variance, s.splat(self.epsilon))));
            let columns = start + j * S::LANES..start + width.min((j + 1) * S::LANES);
            match self.along {
                Along::Axis => {}
                Along::Inner => {
                    if let Some(scale) = self.affine.scale {
                        let scale = s.load_partial(&scale[columns.clone()]);
                        factors[j] = s.mul(factors[j], scale);
                    }
                    if let Some(bias) = self.affine.bias {
                        biases[j] = s.load_partial(&bias[columns]);
                    }
                }
                Along::Outer { channels, first } => {
                    let channel = (first + self.index) % channels;
                    factors[j] = s.mul(factors[j], s.splat(self.affine.scale(channel)));
                    biases[j] = s.splat(self.affine.bias(channel));
                }
            }
        }
        for i in 0..self.axis {
            let at = i * self.inner + start;
            let (x, out) = (&x[at..][..width], &mut out[at..][..width]);
            let (scale, bias) = match self.along {
                Along::Axis => (s.splat(self.affine.scale(i)), s.splat(self.affine.bias(i))),
                Along::Inner | Along::Outer { .. } => (one, s.splat(0.0)),
            };
            for j in 0..W {
                let part = j * S::LANES..width.min((j + 1) * S::LANES);
                let x = load_up_to(s, &x[part.clone()]);
                let y = s.mul_add(s.sub(x, means[j]), factors[j], biases[j]);
                store_up_to(s, s.mul_add(y, scale, bias), &mut out[part]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(n: usize, seed: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 300.0 - 2.0).collect()
    }

    fn exact(
        x: &[f64],
        [outer, axis, inner]: [usize; 3],
        along: Along,
        scale: Option<&[f64]>,
        bias: Option<&[f64]>,
    ) -> Vec<f64> {
        let mut out = vec![0.0; x.len()];
        for o in 0..outer {
            for k in 0..inner {
                let at = |i: usize| (o * axis + i) * inner + k;
                let mean = (0..axis).map(|i| x[at(i)]).sum::<f64>() / axis as f64;
                let variance =
                    (0..axis).map(|i| (x[at(i)] - mean).powi(2)).sum::<f64>() / axis as f64;
                for i in 0..axis {
                    let index = match along {
                        Along::Axis => i,
                        Along::Inner => k,
                        Along::Outer { channels, first } => (first + o) % channels,
                    };
                    let scale = scale.map_or(1.0, |scale| scale[index]);
                    let bias = bias.map_or(0.0, |bias| bias[index]);
                    out[at(i)] = (x[at(i)] - mean) / (variance + 1e-5).sqrt() * scale + bias;
                }
            }
        }
        out
    }

    #[test]
    fn every_lay_out_matches_the_definition() {
        let outer = Along::Outer { channels: 3, first: 2 };
        for (dims, along, channels) in [
            ([4, 768, 1], Along::Axis, 768),
            // Longer than what is folded at a time.
            ([2, 3000, 1], Along::Axis, 3000),
            ([3, 37, 1], Along::Axis, 37),
            ([6, 49, 1], outer, 3),
            ([2, 30, 83], Along::Inner, 83),
            ([2, 30, 83], Along::Axis, 30),
            ([2, 30, 16], outer, 3),
        ] {
            let n = dims.iter().product();
            let x = numbers(n, 1);
            let (scale, bias) = (numbers(channels, 2), numbers(channels, 3));
            let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
            for (scale, bias) in [(Some(&scale), Some(&bias)), (Some(&scale), None), (None, None)] {
                let scale_wide = scale.map(|x| wide(x));
                let bias_wide = bias.map(|x| wide(x));
                let expected =
                    exact(&wide(&x), dims, along, scale_wide.as_deref(), bias_wide.as_deref());
                for isa in Isa::available() {
                    let mut out = vec![0.0; n];
                    let affine =
                        Affine { scale: scale.map(Vec::as_slice), bias: bias.map(Vec::as_slice) };
                    normalize(isa, dims, 1e-5, along, affine, &x, &mut out);
                    for (out, expected) in out.iter().zip(&expected) {
                        let error = (f64::from(*out) - expected).abs();
                        assert!(error < 1e-5, "{out}, expected {expected}: {dims:?} on {isa:?}");
                    }
                }
            }
        }
    }
}
