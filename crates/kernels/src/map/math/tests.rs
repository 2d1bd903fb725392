use super::exp_weight;
use crate::Isa;
use crate::map::{Binary, Unary, binary, unary};
use crate::simd::{ForEachIsa, Simd, dispatch};

/// The error function in double precision: its power series, then a continued fraction.
fn erf(x: f64) -> f64 {
    if x.abs() < 2.0 {
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-18 * sum.abs() {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    (1.0 - erfc_tail(x.abs())).copysign(x)
}

/// `1 - erf(x)` for `x` from 2, by its continued fraction from the far end.
fn erfc_tail(x: f64) -> f64 {
    let mut fraction = 0.0;
    for k in (1..200).rev() {
        fraction = f64::from(k) / 2.0 / (x + fraction);
    }
    (-x * x).exp() / (x + fraction) / std::f64::consts::PI.sqrt()
}

fn gelu(x: f64) -> f64 {
    if x == f64::NEG_INFINITY {
        return 0.0;
    }
    let t = x / std::f64::consts::SQRT_2;
    if t < -2.0 { 0.5 * x * erfc_tail(-t) } else { 0.5 * x * (1.0 + erf(t)) }
}

/// The distance of `actual` from `expected` in units in the last place of a float near it.
fn ulps(actual: f32, expected: f64) -> f64 {
    let nearest = expected as f32;
    if nearest.is_nan() || nearest.is_infinite() || actual.is_nan() || actual.is_infinite() {
        let agree = actual == nearest || (actual.is_nan() && nearest.is_nan());
        // One side may round to the greatest finite value where the other overflows.
        let close = actual.abs().min(nearest.abs()) > f32::MAX * 0.999_999;
        return if agree || (close && actual.signum() == nearest.signum()) { 0.0 } else { 1e9 };
    }
    let exponent = (nearest.abs().to_bits() >> 23).max(1) as i32;
    (f64::from(actual) - expected).abs() / 2f64.powi(exponent - 150)
}

/// Floats spread over all magnitudes, and densely over the ranges in which formulas change.
fn samples() -> Vec<f32> {
    let mut all = vec![0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX, f32::MIN];
    all.extend([f32::MIN_POSITIVE, 1e-45, -1e-45, 1e-40, 65536.0, 1e10, -1e22]);
    let mut bits = 0x0000_1234;
    while bits < 0x7f80_0000 {
        all.extend([f32::from_bits(bits), -f32::from_bits(bits)]);
        bits += 0x0003_5711;
    }
    for (low, high, steps) in [(-1.1, 1.1, 40_000), (-15.0, 15.0, 60_000), (-110.0, 110.0, 40_000)]
    {
        for i in 0..=steps {
            all.push(low + (high - low) * (i as f32 / steps as f32));
        }
    }
    // Multiples of a quarter turn, and their neighbours.
    for k in -2000i32..2000 {
        let near = (f64::from(k) * std::f64::consts::FRAC_PI_2) as f32;
        all.extend([near, f32::from_bits(near.to_bits() + 1), f32::from_bits(near.to_bits() ^ 1)]);
    }
    all
}

#[test]
fn functions_are_within_a_few_units_in_the_last_place() {
    type Row = (Unary, fn(f64) -> f64, f64);
    let table: [Row; 11] = [
        (Unary::Exp, f64::exp, 1.6),
        (Unary::Log, f64::ln, 1.6),
        (Unary::Sin, f64::sin, 1.6),
        (Unary::Cos, f64::cos, 1.6),
        (Unary::Tan, f64::tan, 3.5),
        (Unary::Tanh, f64::tanh, 2.5),
        (Unary::Sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 3.0),
        (Unary::Softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), 3.0),
        (Unary::Erf, erf, 2.5),
        (Unary::Elu { alpha: 1.0 }, |x| if x < 0.0 { x.exp_m1() } else { x }, 2.5),
        (Unary::Softsign, |x| x / (1.0 + x.abs()), 1.6),
    ];
    let x = samples();
    for isa in Isa::available() {
        for (op, exact, bound) in table {
            let mut y = vec![0.0; x.len()];
            unary(isa, op, &x, &mut y);
            let (mut worst, mut at) = (0.0, 0.0);
            for (&x, &y) in x.iter().zip(&y) {
                let expected = exact(f64::from(x));
                let error = if x.is_infinite() && op == Unary::Softsign {
                    if y.is_nan() { 0.0 } else { 1e9 }
                } else {
                    ulps(y, expected)
                };
                if error > worst {
                    (worst, at) = (error, x);
                }
            }
            assert!(worst <= bound, "{op:?} on {isa:?}: {worst} ULP at {at}, bound {bound}");
        }
    }
}

#[test]
fn gelu_is_within_the_rounding_of_its_definition() {
    let x = samples();
    for isa in Isa::available() {
        let mut y = vec![0.0; x.len()];
        unary(isa, Unary::Gelu, &x, &mut y);
        for (&x, &y) in x.iter().zip(&y) {
            if x.is_nan() {
                assert!(y.is_nan(), "gelu of NaN on {isa:?} is {y}");
            } else if x.abs() > 5.75 {
                assert_eq!(y, x.max(0.0), "gelu of {x} on {isa:?}");
            } else {
                // 1 + erf(x / √2) has an error of a few units in the last place of 1.
                let error = (f64::from(y) - gelu(f64::from(x))).abs();
                let bound = 2.4e-7 * f64::from(x.abs()) + 1e-45;
                assert!(error <= bound, "gelu of {x} on {isa:?} is {y}: {error}, bound {bound}");
                assert!(y == 0.0 || y.signum() == x.signum(), "gelu of {x} on {isa:?} is {y}");
            }
        }
    }
}

#[test]
fn powers_are_within_a_few_units_in_the_last_place() {
    let mut pairs = Vec::new();
    let edges = [0.0, 1.0, 2.0, 3.0, 0.5, 2.5, 1e-40, 1e30, 1e9, 16_777_217.0, f32::INFINITY];
    let edges: Vec<f32> = edges.iter().flat_map(|&v| [v, -v]).chain([f32::NAN]).collect();
    for &x in &edges {
        pairs.extend(edges.iter().map(|&y| (x, y)));
    }
    let mut bits = 0x0080_0000;
    while bits < 0x7f80_0000 {
        let x = f32::from_bits(bits);
        for fraction in [1e-3, 0.1, -0.37, 0.999, -0.999] {
            let exponent = fraction * 88.0 / f64::from(x).ln();
            pairs.push((x, exponent as f32));
        }
        pairs.extend([(x, 2.0), (-x, 3.0), (-x, 2.0), (-x, 0.3)]);
        bits += 0x0007_7711;
    }
    for i in 0..20_000 {
        pairs.push((0.5 + i as f32 / 10_000.0, 60.0 - i as f32 / 200.0));
    }
    let (x, y): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
    for isa in Isa::available() {
        let mut z = vec![0.0; x.len()];
        binary(isa, Binary::Pow, &x, &y, &mut z);
        for i in 0..x.len() {
            let error = ulps(z[i], f64::from(x[i]).powf(f64::from(y[i])));
            assert!(error <= 3.0, "{} ^ {} on {isa:?} is {}: {error} ULP", x[i], y[i], z[i]);
        }
    }
}

struct Weights<'a>(&'a mut [f32]);

impl ForEachIsa for Weights<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for x in self.0.chunks_exact_mut(S::LANES) {
            s.store(exp_weight(s, s.load(x)), x);
        }
    }
}

#[test]
fn weights_are_exponentials_or_zero() {
    let mut x = samples();
    x.retain(|&x| x <= 0.0 || x.is_nan());
    x.resize(x.len().next_multiple_of(crate::simd::MAX_LANES), 0.0);
    for isa in Isa::available() {
        let mut weights = x.clone();
        dispatch(isa, Weights(&mut weights));
        for (&x, weight) in x.iter().zip(weights) {
            let expected = f64::from(x).exp();
            let agrees = match x {
                x if x.is_nan() => weight.is_nan(),
                0.0 => weight == 1.0,
                ..-88.0 => weight == 0.0,
                // A product that is rounded by itself costs as much as its last place.
                _more => {
                    let error = (f64::from(weight) / expected - 1.0).abs();
                    error < 3e-7 - 1e-7 * f64::from(x) || (weight == 0.0 && x < -87.3)
                }
            };
            assert!(agrees, "{isa:?}: e^{x:e} is {weight:e}");
        }
    }
}
