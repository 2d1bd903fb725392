//! Elementary functions on vectors, within a few units in the last place.
//!
//! Coefficients are minimax fits in single precision, of degrees that keep the approximation's
//! error below that of rounding.

use std::f32::consts::{FRAC_2_PI, FRAC_2_SQRT_PI, LOG2_E};

use crate::simd::Simd;

/// ln 2 in two parts; the first has 9 bits, so that its product with an exponent is exact.
const LN2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// The value of the polynomial whose coefficients are given, highest power first.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(s: S, x: S::F32, coefficients: [f32; N]) -> S::F32 {
    let mut sum = s.splat(coefficients[0]);
    for &c in &coefficients[1..] {
        sum = s.mul_add(sum, x, s.splat(c));
    }
    sum
}

/// Splits `x` into `n ln 2 + r` and returns `n` and `r`.
#[inline(always)]
fn split_multiple<S: Simd>(s: S, x: S::F32) -> (S::F32, S::F32) {
    let n = s.round_even(s.mul(x, s.splat(LOG2_E)));
    let r = s.neg_mul_add(n, s.splat(LN2[0]), x);
    (n, s.neg_mul_add(n, s.splat(LN2[1]), r))
}

/// `(e^r - 1 - r) / r²` for `|r| <= ln 2 / 2`.
#[inline(always)]
fn exp_rest<S: Simd>(s: S, r: S::F32) -> S::F32 {
    polynomial(s, r, [1.381_454e-3, 8.368_745e-3, 4.166_839e-2, 1.666_652_1e-1, 4.999_999_4e-1])
}

/// `e^r` for `|r| <= ln 2 / 2`.
#[inline(always)]
fn exp_reduced<S: Simd>(s: S, r: S::F32) -> S::F32 {
    let one = s.splat(1.0);
    s.mul_add(s.mul_add(exp_rest(s, r), r, one), r, one)
}

/// `e^(hi + lo)` where `lo` is small beside `hi`.
#[inline(always)]
fn exp_sum<S: Simd>(s: S, hi: S::F32, lo: S::F32) -> S::F32 {
    let (n, r) = split_multiple(s, held(s, hi));
    s.scale(exp_reduced(s, s.add(r, lo)), n)
}

/// `x`, held to where its exponential is neither infinite nor rounded to zero. NaN passes.
#[inline(always)]
fn held<S: Simd>(s: S, x: S::F32) -> S::F32 {
    s.clamp(x, s.splat(-104.5), s.splat(89.0))
}

/// `e^x`.
#[inline(always)]
pub(crate) fn exp<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (n, r) = split_multiple(s, held(s, x));
    s.scale(exp_reduced(s, r), n)
}

/// `e^x` for `x <= 0`.
#[inline(always)]
pub(crate) fn exp_negative<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // Below, the result rounds to zero. NaN passes.
    let (n, r) = split_multiple(s, s.max_fast(s.splat(-104.5), x));
    s.scale_down(exp_reduced(s, r), n)
}

/// `e^x` for `x <= 0`, and zero from -88 on, where it would not be a normal number.
///
/// To compute what underflows is slow, and beside a weight of 1 it is nothing.
#[inline(always)]
pub(crate) fn exp_weight<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // So great that the sum has units for its last bits: those of the exponent of 2^n.
    const ROUND: f32 = 12_582_912.0 + 127.0;
    // From -88 on, `n` is -127 and the factor zero. NaN passes.
    let x = s.max_fast(s.splat(-88.0), x);
    let sum = s.mul_add(x, s.splat(LOG2_E), s.splat(ROUND));
    let n = s.sub(sum, s.splat(ROUND));
    let r = s.mul_add(x, s.splat(LOG2_E), s.neg(n));
    let power = s.with_bits(s.shl_i32::<23>(s.to_bits(sum)));
    s.mul(exp2_reduced(s, r), power)
}

/// `2^r` for `|r| <= 1 / 2`, and exactly 1 for 0.
#[inline(always)]
fn exp2_reduced<S: Simd>(s: S, r: S::F32) -> S::F32 {
    polynomial(
        s,
        r,
        [1.327_647_3e-3, 9.675_541e-3, 5.550_713e-2, 2.402_212e-1, 6.931_469_4e-1, 1.0],
    )
}

/// `e^x - 1` for `x <= 0`.
#[inline(always)]
fn exp_m1_negative<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // Below, the result is -1.
    let (n, r) = split_multiple(s, s.max_fast(s.splat(-80.0), x));
    let scale = s.power_of_two(s.to_i32(n));
    let m1 = s.mul_add(s.mul(r, r), exp_rest(s, r), r);
    s.mul_add(m1, scale, s.sub(scale, s.splat(1.0)))
}

/// `x = m 2^e` with `m` from √½ to √2, for normal positive `x`: `m` and `e`.
#[inline(always)]
fn split_exponent<S: Simd>(s: S, x: S::F32) -> (S::F32, S::F32) {
    let bits = s.to_bits(x);
    let sqrt_half = std::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed();
    let e = s.shr_i32::<23>(s.sub_i32(bits, s.splat_i32(sqrt_half)));
    (s.with_bits(s.sub_i32(bits, s.shl_i32::<23>(e))), s.to_f32(e))
}

/// The natural logarithm of `m 2^e`, with `m` from √½ to √2.
#[inline(always)]
fn log_split<S: Simd>(s: S, m: S::F32, e: S::F32) -> S::F32 {
    let f = s.sub(m, s.splat(1.0));
    let z = s.mul(f, f);
    let p = polynomial(
        s,
        f,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = s.mul(s.mul(f, z), p);
    let y = s.mul_add(e, s.splat(LN2[1]), y);
    let y = s.neg_mul_add(s.splat(0.5), z, y);
    s.mul_add(e, s.splat(LN2[0]), s.add(f, y))
}

/// The natural logarithm.
#[inline(always)]
pub(crate) fn log<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let zero = s.splat(0.0);
    let subnormal = s.lt(x, s.splat(f32::MIN_POSITIVE));
    let scaled = s.select(subnormal, s.mul(x, s.splat(8_388_608.0)), x);
    let (m, e) = split_exponent(s, scaled);
    let e = s.select(subnormal, s.sub(e, s.splat(23.0)), e);
    let y = log_split(s, m, e);
    let y = s.select(s.eq(x, zero), s.splat(f32::NEG_INFINITY), y);
    // What is neither below infinity nor at least zero: infinity and NaN stay, negatives go.
    let y = s.select(s.lt(x, s.splat(f32::INFINITY)), y, x);
    s.select(s.lt(x, zero), s.splat(f32::NAN), y)
}

/// `log(1 + e^x)`.
#[inline(always)]
pub(crate) fn softplus<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let one = s.splat(1.0);
    let u = exp_negative(s, s.neg(s.abs(x)));
    // The logarithm of the rounded sum, and the first-order effect of the rounding.
    let sum = s.add(one, u);
    let lost = s.sub(u, s.sub(sum, one));
    let (m, e) = split_exponent(s, sum);
    let log1p = s.add(log_split(s, m, e), s.div(lost, sum));
    s.add(s.max_fast(s.splat(0.0), x), log1p)
}

/// Beyond this the pieces of [`reduced_angle`] no longer multiply exactly.
const ANGLE_LIMIT: f32 = 12_000.0;

/// Splits `x` into `n π/2 + r` for `|x| <= ANGLE_LIMIT` and returns `n` and `r`.
#[inline(always)]
fn reduced_angle<S: Simd>(s: S, x: S::F32) -> (S::I32, S::F32) {
    let n = s.round_even(s.mul(x, s.splat(FRAC_2_PI)));
    // π/2 in pieces of 11 bits: their products with `n` are exact, fused or not.
    let pieces = [1.570_312_5, 4.835_128_8e-4, 3.138_557e-7, 6.077_100_6e-11];
    let r = pieces.iter().fold(x, |r, &piece| s.neg_mul_add(n, s.splat(piece), r));
    (s.to_i32(n), r)
}

/// Sine and cosine of `r` from -π/4 to π/4.
#[inline(always)]
fn sin_cos_reduced<S: Simd>(s: S, r: S::F32) -> (S::F32, S::F32) {
    let z = s.mul(r, r);
    let p = polynomial(s, z, [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1]);
    let sin = s.mul_add(s.mul(r, z), p, r);
    let p = polynomial(s, z, [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]);
    let cos = s.mul_add(s.mul(z, z), p, s.neg_mul_add(s.splat(0.5), z, s.splat(1.0)));
    (sin, cos)
}

/// Replaces the lanes of `y` whose angle is too large, infinite or NaN.
#[inline(always)]
fn with_large_angles<S: Simd>(s: S, x: S::F32, y: S::F32, exact: fn(f32, f32) -> f32) -> S::F32 {
    let large = s.mask_bits(s.not(s.le(s.abs(x), s.splat(ANGLE_LIMIT))));
    if large == 0 { y } else { s.patch(large, x, x, y, exact) }
}

/// Sine of an angle whose quadrant is `quarter` further.
#[inline(always)]
fn sin_from<S: Simd>(s: S, x: S::F32, quarter: i32) -> S::F32 {
    let (n, r) = reduced_angle(s, x);
    let n = s.add_i32(n, s.splat_i32(quarter));
    let (sin, cos) = sin_cos_reduced(s, r);
    let odd = s.eq_i32(s.and_i32(n, s.splat_i32(1)), s.splat_i32(1));
    let y = s.select(odd, cos, sin);
    let sign = s.shl_i32::<30>(s.and_i32(n, s.splat_i32(2)));
    s.with_bits(s.xor_i32(s.to_bits(y), sign))
}

/// The sine.
#[inline(always)]
pub(crate) fn sin<S: Simd>(s: S, x: S::F32) -> S::F32 {
    with_large_angles(s, x, sin_from(s, x, 0), |x, _| x.sin())
}

/// The cosine.
#[inline(always)]
pub(crate) fn cos<S: Simd>(s: S, x: S::F32) -> S::F32 {
    with_large_angles(s, x, sin_from(s, x, 1), |x, _| x.cos())
}

/// The tangent.
#[inline(always)]
pub(crate) fn tan<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let (n, r) = reduced_angle(s, x);
    let (sin, cos) = sin_cos_reduced(s, r);
    let odd = s.eq_i32(s.and_i32(n, s.splat_i32(1)), s.splat_i32(1));
    let y = s.div(s.select(odd, s.neg(cos), sin), s.select(odd, sin, cos));
    with_large_angles(s, x, y, |x, _| x.tan())
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let a = s.abs(x);
    let m1 = exp_m1_negative(s, s.neg(s.add(a, a)));
    s.or_sign(s.div(s.neg(m1), s.add(m1, s.splat(2.0))), x)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let one = s.splat(1.0);
    // The exponent is never positive, so nothing overflows.
    let e = exp_negative(s, s.neg(s.abs(x)));
    s.div(s.select(s.lt(x, s.splat(0.0)), e, one), s.add(one, e))
}

/// `Φ(-a) e^(a²/2)`, `Φ` being the normal distribution function, for `a` from 0 to 5.7.
#[inline(always)]
fn scaled_normal_tail<S: Simd>(s: S, a: S::F32) -> S::F32 {
    let r = s.div(s.splat(1.0), s.add(a, s.splat(3.0)));
    let q = s.mul(s.sub(a, s.splat(3.0)), r);
    let p = polynomial(
        s,
        q,
        [
            5.185_632e-5,
            -2.038_994_9e-4,
            -9.467_507_5e-4,
            1.017_129_6e-3,
            6.937_465e-3,
            -1.046_244_5e-2,
            -4.725_819e-2,
            2.300_177e-1,
            -5.093_322e-1,
            7.290_837e-1,
        ],
    );
    s.mul(p, r)
}

/// The error function.
#[inline(always)]
pub(crate) fn erf<S: Simd>(s: S, x: S::F32) -> S::F32 {
    let z = s.mul(x, x);
    let p = polynomial(
        s,
        z,
        [
            7.853_859e-5,
            -8.010_193_5e-4,
            5.188_328e-3,
            -2.685_381e-2,
            1.128_358_54e-1,
            -3.761_262_6e-1,
            FRAC_2_SQRT_PI,
        ],
    );
    let small = s.mul(x, p);
    // Beyond 4 the result rounds to 1.
    let t = s.min_fast(s.splat(4.0), s.abs(x));
    let tail = scaled_normal_tail(s, s.mul(t, s.splat(std::f32::consts::SQRT_2)));
    let tail = s.mul(exp_negative(s, s.neg(s.mul(t, t))), tail);
    let large = s.or_sign(s.neg_mul_add(s.splat(2.0), tail, s.splat(1.0)), x);
    s.select(s.lt(s.abs(x), s.splat(1.0)), small, large)
}

/// `x Φ(x)`, `Φ` being the normal distribution function: `x / 2 (1 + erf(x / √2))`, which the
/// specification writes, with its cancellation.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(s: S, x: S::F32) -> S::F32 {
    // From here the tail is zero: the quotient is past a half by more than its rounding.
    let a = s.min_fast(s.splat(5.75), s.abs(x));
    let z = s.mul(a, a);
    // The quotient that Eigen and XLA take for erf(t), t being a / √2, halved.
    let p = polynomial(
        s,
        z,
        [5.061_352e-6, 1.506_266_1e-4, 4.503_889_5e-3, 3.274_051_5e-2, 3.989_422_6e-1],
    );
    let q = polynomial(
        s,
        z,
        [
            -1.842_438e-9,
            7.358_739e-7,
            6.362_266e-5,
            1.758_808_7e-3,
            2.774_626_2e-2,
            2.487_346_2e-1,
            1.0,
        ],
    );
    let tail = s.sub(s.splat(0.5), s.div(s.mul(a, p), q));
    let zero = s.splat(0.0);
    s.neg_mul_add(a, s.max_fast(zero, tail), s.max_fast(zero, x))
}

/// `x` where it is not negative, else `alpha (e^x - 1)`.
#[inline(always)]
pub(crate) fn elu<S: Simd>(s: S, x: S::F32, alpha: f32) -> S::F32 {
    let zero = s.splat(0.0);
    let y = exp_m1_negative(s, s.min_fast(zero, x));
    s.select(s.le(zero, x), x, s.mul(s.splat(alpha), y))
}

/// The upper 12 of the 24 bits of the mantissa.
#[inline(always)]
fn upper_half<S: Simd>(s: S, a: S::F32) -> S::F32 {
    s.with_bits(s.and_i32(s.to_bits(a), s.splat_i32(!0xfff)))
}

/// `a b` as a rounded product and the error of the rounding.
#[inline(always)]
fn exact_product<S: Simd>(s: S, a: S::F32, b: S::F32) -> (S::F32, S::F32) {
    let p = s.mul(a, b);
    if S::FUSED {
        return (p, s.neg(s.neg_mul_add(a, b, p)));
    }
    // Halves of 12 bits multiply exactly.
    let (ah, bh) = (upper_half(s, a), upper_half(s, b));
    let (al, bl) = (s.sub(a, ah), s.sub(b, bh));
    let error = s.sub(s.mul(ah, bh), p);
    let error = s.add(s.add(error, s.mul(ah, bl)), s.mul(al, bh));
    (p, s.add(error, s.mul(al, bl)))
}

/// The natural logarithm of a normal positive number, as a sum of two floats.
#[inline(always)]
fn log_in_two<S: Simd>(s: S, x: S::F32) -> (S::F32, S::F32) {
    let one = s.splat(1.0);
    let (m, e) = split_exponent(s, x);
    // f = (m - 1) / (m + 1), with the remainder of the division and the error of the sum.
    let (above, below) = (s.sub(m, one), s.add(m, one));
    let below_error = s.sub(m, s.sub(below, one));
    let f = s.div(above, below);
    let (product, product_error) = exact_product(s, f, below);
    let rest = s.sub(s.sub(above, product), product_error);
    let f_error = s.div(s.neg_mul_add(f, below_error, rest), below);
    // log m = 2 artanh f; only the first term needs both parts.
    let z = s.mul(f, f);
    let p = polynomial(s, z, [2.0 / 11.0, 2.0 / 9.0, 2.0 / 7.0, 2.0 / 5.0, 2.0 / 3.0]);
    let small = s.mul(s.mul(f, z), p);
    let small = s.mul_add(s.splat(2.0), f_error, small);
    let small = s.mul_add(e, s.splat(LN2[1]), small);
    // The larger first: the error of the sum is exact then.
    let (a, b) = (s.mul(e, s.splat(LN2[0])), s.add(f, f));
    let hi = s.add(a, b);
    let b_seen = s.sub(hi, a);
    let error = s.add(s.sub(a, s.sub(hi, b_seen)), s.sub(b, b_seen));
    let lo = s.add(error, small);
    let sum = s.add(hi, lo);
    (sum, s.add(s.sub(hi, sum), lo))
}

/// `x` to the power of `y`.
#[inline(always)]
pub(crate) fn pow<S: Simd>(s: S, x: S::F32, y: S::F32) -> S::F32 {
    let a = s.abs(x);
    let infinity = s.splat(f32::INFINITY);
    let usual = s.and(s.le(s.splat(f32::MIN_POSITIVE), a), s.lt(a, infinity));
    let usual = s.and(usual, s.lt(s.abs(y), infinity));

    let (log_hi, log_lo) = log_in_two(s, a);
    let (hi, lo) = exact_product(s, y, log_hi);
    let lo = s.mul_add(y, log_lo, lo);
    // Where the result overflows or vanishes the error term may be infinite or NaN.
    let lo = s.select(s.lt(s.abs(hi), s.splat(200.0)), lo, s.splat(0.0));
    let magnitude = exp_sum(s, hi, lo);

    let half = s.mul(y, s.splat(0.5));
    let whole = s.eq(s.floor(y), y);
    let odd = s.and(whole, s.not(s.eq(s.floor(half), half)));
    let negative = s.lt(x, s.splat(0.0));
    let result = s.select(s.and(negative, odd), s.neg(magnitude), magnitude);
    let result = s.select(s.and(negative, s.not(whole)), s.splat(f32::NAN), result);

    let lanes = ((1u64 << S::LANES) - 1) as u32;
    let rare = lanes & !s.mask_bits(usual);
    if rare == 0 { result } else { s.patch(rare, x, y, result, f32::powf) }
}

#[cfg(test)]
mod tests;
