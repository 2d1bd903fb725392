//! Layer and instance normalisation.

use crate::Isa;
use crate::float::{first_lanes, load_up_to, map_row, store_up_to};
use crate::simd::{ForEachIsa, Simd, dispatch};

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
/// The variance is the mean of the squared distances from the mean, in two passes, the second of which
/// corrects the first (Chan, Golub and LeVeque 1983); `epsilon` is added to it.
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
        let part = |index: usize| Part { axis, inner, epsilon, along, affine, index };
        if inner == 1 {
            let outer = x.len() / axis;
            let grouped = outer - outer % ROWS;
            for first in (0..grouped).step_by(ROWS) {
                let range = first * axis..(first + ROWS) * axis;
                part(first).rows::<S, ROWS>(s, &x[range.clone()], &mut out[range]);
            }
            for row in grouped..outer {
                let range = row * axis..(row + 1) * axis;
                part(row).rows::<S, 1>(s, &x[range.clone()], &mut out[range]);
            }
            return;
        }
        let parts = x.chunks_exact(axis * inner).zip(out.chunks_exact_mut(axis * inner));
        for (index, (x, out)) in parts.enumerate() {
            let part = part(index);
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

/// Rows that are normalised at a time: one's sums are added up while another's are waited for.
const ROWS: usize = 4;

/// Elements of a row that are summed before the sum joins the total, which bounds the error of long
/// sums.
const ROW_BLOCK: usize = 2048;

/// Likewise across rows.
const COLUMN_BLOCK: usize = 256;

/// For each of some rows of one length, the sum of the distances from a centre, and of their squares.
#[inline(always)]
fn row_moments<S: Simd, const R: usize>(
    s: S,
    rows: [&[f32]; R],
    centres: [f32; R],
) -> [[f32; 2]; R] {
    let zero = s.splat(0.0);
    let centres = centres.map(
        #[inline(always)]
        |centre| s.splat(centre),
    );
    let mut totals = [[0.0; 2]; R];
    let len = rows[0].len();
    for start in (0..len).step_by(ROW_BLOCK) {
        let end = len.min(start + ROW_BLOCK);
        let whole = end - (end - start) % S::LANES;
        let mut sums = [[zero; 2]; R];
        for at in (start..whole).step_by(S::LANES) {
            for r in 0..R {
                let distance = s.sub(s.load(&rows[r][at..][..S::LANES]), centres[r]);
                sums[r][0] = s.add(sums[r][0], distance);
                sums[r][1] = s.mul_add(distance, distance, sums[r][1]);
            }
        }
        if whole < end {
            let mask = first_lanes(s, end - whole);
            for r in 0..R {
                let distance = s.sub(s.load_partial(&rows[r][whole..end]), centres[r]);
                let distance = s.select(mask, distance, zero);
                sums[r][0] = s.add(sums[r][0], distance);
                sums[r][1] = s.mul_add(distance, distance, sums[r][1]);
            }
        }
        for (total, sums) in totals.iter_mut().zip(sums) {
            total[0] += s.reduce_add(sums[0]);
            total[1] += s.reduce_add(sums[1]);
        }
    }
    totals
}

/// The same for up to `W` vectors of neighbouring columns of which the first `width` elements are
/// there; rows lie `stride` apart.
#[inline(always)]
fn column_moments<S: Simd, const W: usize>(
    s: S,
    x: &[f32],
    stride: usize,
    width: usize,
    centres: [S::F32; W],
) -> [[S::F32; W]; 2] {
    let zero = [s.splat(0.0); W];
    let (mut total, mut total_square) = (zero, zero);
    for block in x.chunks(COLUMN_BLOCK * stride) {
        let (mut sum, mut square) = (zero, zero);
        for row in block.chunks(stride) {
            let row = &row[..width];
            let mut x = zero;
            if width == W * S::LANES {
                for (j, x) in x.iter_mut().enumerate() {
                    *x = s.load(&row[j * S::LANES..][..S::LANES]);
                }
            } else {
                x[0] = s.load_partial(row);
            }
            for j in 0..W {
                let distance = s.sub(x[j], centres[j]);
                sum[j] = s.add(sum[j], distance);
                square[j] = s.mul_add(distance, distance, square[j]);
            }
        }
        for j in 0..W {
            total[j] = s.add(total[j], sum[j]);
            total_square[j] = s.add(total_square[j], square[j]);
        }
    }
    [total, total_square]
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
    /// Rows from that of the index on.
    #[inline(always)]
    fn rows<S: Simd, const R: usize>(&self, s: S, x: &[f32], out: &mut [f32]) {
        let count = self.axis as f32;
        let rows: [&[f32]; R] = std::array::from_fn(
            #[inline(always)]
            |r| &x[r * self.axis..(r + 1) * self.axis],
        );
        let about = row_moments(s, rows, [0.0; R]).map(|[sum, _]| sum / count);
        let moments = row_moments(s, rows, about);
        for (r, out) in out.chunks_exact_mut(self.axis).enumerate() {
            // The distances from a mean that is not quite one have a mean of their own.
            let [rest, square] = moments[r].map(|sum| sum / count);
            let mean = about[r] + rest;
            let variance = square - rest * rest;
            let variance = if variance < 0.0 { 0.0 } else { variance };
            let factor = 1.0 / (variance + self.epsilon).sqrt();
            let channel = match self.along {
                Along::Axis => {
                    self.row_along_axis(s, rows[r], out, mean, factor);
                    continue;
                }
                Along::Inner => 0,
                Along::Outer { channels, first } => (first + self.index + r) % channels,
            };
            let factor = s.splat(factor * self.affine.scale(channel));
            let (mean, bias) = (s.splat(mean), s.splat(self.affine.bias(channel)));
            map_row(
                s,
                rows[r],
                out,
                #[inline(always)]
                |x| s.mul_add(s.sub(x, mean), factor, bias),
            );
        }
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
        let one = s.splat(1.0);
        let zero = [s.splat(0.0); W];
        let share = s.splat(1.0 / self.axis as f32);
        let part = &x[start..];
        let [mut means, _] = column_moments::<S, W>(s, part, self.inner, width, zero);
        for mean in &mut means {
            *mean = s.mul(*mean, share);
        }
        let [rests, squares] = column_moments::<S, W>(s, part, self.inner, width, means);
        let mut factors = zero;
        let mut biases = zero;
        for j in 0..W {
            // As for rows.
            let rest = s.mul(rests[j], share);
            means[j] = s.add(means[j], rest);
            let variance = s.neg_mul_add(rest, rest, s.mul(squares[j], share));
            let variance = s.clamp(variance, zero[j], s.splat(f32::INFINITY));
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

    #[test]
    fn equal_elements_become_zero() {
        let outer = Along::Outer { channels: 3, first: 0 };
        for (dims, along) in [
            ([7, 768, 1], Along::Axis),
            ([1, 3000, 1], Along::Axis),
            ([6, 49, 1], outer),
            ([1, 700, 83], Along::Inner),
            ([2, 30, 64], Along::Inner),
        ] {
            let [_, axis, inner] = dims;
            // A value of its own for whatever is normalised together.
            let x: Vec<f32> = (0..dims.iter().product())
                .map(|at| (at / (axis * inner) * inner + at % inner) as f32 * 0.7 + 1.1)
                .collect();
            let affine = Affine { scale: None, bias: None };
            for isa in Isa::available() {
                let mut out = vec![1.0; x.len()];
                normalize(isa, dims, 1e-5, along, affine, &x, &mut out);
                assert!(out.iter().all(|&out| out == 0.0), "{dims:?} {along:?} on {isa:?}");
            }
        }
    }

    #[test]
    fn a_mean_far_from_zero_costs_no_more_than_the_elements_have_lost() {
        for (dims, along) in [
            ([5, 768, 1], Along::Axis),
            ([1, 40_000, 1], Along::Outer { channels: 1, first: 0 }),
            ([1, 20_000, 16], Along::Inner),
        ] {
            let n = dims.iter().product();
            let x: Vec<f32> = numbers(n, 5).iter().map(|x| x + 1000.0).collect();
            let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
            let expected = exact(&wide, dims, along, None, None);
            let affine = Affine { scale: None, bias: None };
            for isa in Isa::available() {
                let mut out = vec![0.0; n];
                normalize(isa, dims, 1e-5, along, affine, &x, &mut out);
                for (out, expected) in out.iter().zip(&expected) {
                    // The mean is rounded to a unit of 1000's last place, half of 6e-5.
                    let error = (f64::from(*out) - expected).abs();
                    assert!(error < 3e-5, "{out}, expected {expected}: {dims:?} on {isa:?}");
                }
            }
        }
    }
}
