use half::f16;

use super::{ForEachIsa, Simd, dispatch};
use crate::Isa;

/// Values on which lanes of a comparison or a rounding can go wrong.
const EDGES: [f32; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3.999_999_8,
    8_388_607.5,
    -8_388_607.5,
    1.0e9,
    -1.0e9,
    f32::MIN_POSITIVE,
    1.0e-45,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    65519.0,
    65520.0,
    5.0e-8,
];

/// Equal bits, or both NaN, or both zero.
fn same(a: f32, b: f32) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

struct Pairs<F>(F);

/// A binary vector function with the scalar one that it must agree with.
trait Law {
    const NAME: &'static str;
    fn vector<S: Simd>(s: S, a: S::F32, b: S::F32) -> S::F32;
    fn scalar(a: f32, b: f32) -> f32;
}

impl<L: Law> ForEachIsa for Pairs<L> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for a in EDGES {
            for b in EDGES {
                let mut out = [0.0; super::MAX_LANES];
                s.store(L::vector(s, s.splat(a), s.splat(b)), &mut out);
                for &lane in &out[..S::LANES] {
                    let expected = L::scalar(a, b);
                    assert!(
                        same(lane, expected),
                        "{} of {a} and {b} on {:?}: {lane}, expected {expected}",
                        L::NAME,
                        S::ISA
                    );
                }
            }
        }
    }
}

macro_rules! laws {
    ($($test:ident $law:ident: |$s:ident, $a:ident, $b:ident| $vector:expr, $scalar:expr;)*) => { $(
        struct $law;
        impl Law for $law {
            const NAME: &'static str = stringify!($law);
            #[inline(always)]
            fn vector<S: Simd>($s: S, $a: S::F32, $b: S::F32) -> S::F32 { $vector }
            fn scalar($a: f32, $b: f32) -> f32 { $scalar }
        }
        #[test]
        fn $test() {
            for isa in Isa::available() {
                dispatch(isa, Pairs($law));
            }
        }
    )* };
}

fn truth(x: bool) -> f32 {
    f32::from(u8::from(x))
}

laws! {
    add_is_ieee Add: |s, a, b| s.add(a, b), a + b;
    sub_is_ieee Sub: |s, a, b| s.sub(a, b), a - b;
    mul_is_ieee Mul: |s, a, b| s.mul(a, b), a * b;
    div_is_ieee Div: |s, a, b| s.div(a, b), a / b;
    min_keeps_nan Min: |s, a, b| s.min(a, b),
        if a.is_nan() || b.is_nan() { f32::NAN } else { a.min(b) };
    max_keeps_nan Max: |s, a, b| s.max(a, b),
        if a.is_nan() || b.is_nan() { f32::NAN } else { a.max(b) };
    min_fast_keeps_nan_of_its_second MinFast: |s, a, b| s.min_fast(s.select(s.is_nan(a), b, a), b),
        if b.is_nan() { b } else { a.min(b) };
    max_fast_keeps_nan_of_its_second MaxFast: |s, a, b| s.max_fast(s.select(s.is_nan(a), b, a), b),
        if b.is_nan() { b } else { a.max(b) };
    sqrt_is_ieee Sqrt: |s, a, _b| s.sqrt(a), a.sqrt();
    halves_round_to_even RoundEven: |s, a, _b| s.round_even(a), a.round_ties_even();
    floor_is_exact Floor: |s, a, _b| s.floor(a), a.floor();
    ceil_is_exact Ceil: |s, a, _b| s.ceil(a), a.ceil();
    abs_clears_the_sign Abs: |s, a, _b| s.abs(a), a.abs();
    neg_flips_the_sign Neg: |s, a, _b| s.div(s.splat(1.0), s.neg(a)), 1.0 / -a;
    or_sign_takes_the_sign OrSign: |s, a, b| s.div(s.splat(1.0), s.or_sign(s.abs(a), b)),
        1.0 / a.copysign(b);
    nan_is_less_than_nothing Less: |s, a, b| s.select(s.lt(a, b), s.splat(1.0), s.splat(0.0)),
        truth(a < b);
    le_is_ieee LessEqual: |s, a, b| s.select(s.le(a, b), s.splat(1.0), s.splat(0.0)),
        truth(a <= b);
    eq_is_ieee Equal: |s, a, b| s.select(s.eq(a, b), s.splat(1.0), s.splat(0.0)), truth(a == b);
    masks_combine Masks: |s, a, b| {
        let mask = s.or(s.and(s.lt(a, b), s.not(s.is_nan(b))), s.is_nan(a));
        let all = (1u32 << (S::LANES - 1)) * 2 - 1;
        let bits = s.mask_bits(mask);
        s.splat(if bits == all { 1.0 } else { -(bits as f32) })
    }, truth(a < b || a.is_nan());
    integers_wrap Integers: |s, a, b| {
        let (x, y) = (s.to_bits(a), s.to_bits(b));
        let sum = s.add_i32(s.mul_i32(x, y), s.sub_i32(s.shl_i32::<3>(x), s.shr_i32::<5>(y)));
        let mixed = s.xor_i32(sum, s.or_i32(x, s.and_i32(y, s.splat_i32(0x00ff_00ff))));
        let chosen = s.select_i32(s.gt_i32(x, y), mixed, sum);
        s.to_f32(s.select_i32(s.eq_i32(x, y), x, chosen))
    }, {
        let (x, y) = (a.to_bits() as i32, b.to_bits() as i32);
        let sum = x.wrapping_mul(y).wrapping_add((x << 3).wrapping_sub(y >> 5));
        let mixed = sum ^ (x | (y & 0x00ff_00ff));
        (if x == y { x } else if x > y { mixed } else { sum }) as f32
    };
    to_i32_truncates ToI32: |s, a, _b| {
        let small = s.lt(s.abs(a), s.splat(2.0e9));
        s.to_f32(s.to_i32(s.select(small, a, s.splat(0.0))))
    }, if a.abs() < 2.0e9 { a as i32 as f32 } else { 0.0 };
}

struct Memory;

impl ForEachIsa for Memory {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let lanes = S::LANES;
        let source: Vec<f32> = (1..=lanes + 1).map(|i| i as f32).collect();
        let mut out = vec![-1.0; lanes + 1];
        s.store(s.load(&source), &mut out);
        assert_eq!(out[..lanes], source[..lanes], "{:?}", S::ISA);
        assert_eq!(out[lanes], -1.0, "{:?}", S::ISA);
        for n in 0..=lanes {
            let v = s.load_partial(&source[..n]);
            let mut all = vec![-1.0; lanes];
            s.store(v, &mut all);
            let expected: Vec<f32> =
                (0..lanes).map(|i| if i < n { source[i] } else { 0.0 }).collect();
            assert_eq!(all, expected, "{n} elements on {:?}", S::ISA);
            let mut part = vec![-1.0; lanes + 1];
            s.store_partial(s.splat(7.0), &mut part[..n]);
            assert!(part[..n].iter().all(|&x| x == 7.0), "{n} elements on {:?}", S::ISA);
            assert!(part[n..].iter().all(|&x| x == -1.0), "{n} elements on {:?}", S::ISA);
        }
        let sum = (lanes * (lanes + 1) / 2) as f32;
        let v = s.load(&source);
        assert_eq!(s.reduce_add(v), sum, "{:?}", S::ISA);
        assert_eq!(s.reduce_max(v), lanes as f32, "{:?}", S::ISA);
        assert_eq!(s.reduce_min(v), 1.0, "{:?}", S::ISA);
        let patched = s.patch(1, v, v, s.splat(0.0), |a, b| a + b + 40.0);
        let mut all = vec![-1.0; lanes];
        s.store(patched, &mut all);
        assert_eq!(all[0], 42.0, "{:?}", S::ISA);
        assert!(all[1..].iter().all(|&x| x == 0.0), "{:?}", S::ISA);
        for i in 0..lanes {
            let mut with_nan = source.clone();
            with_nan[i] = f32::NAN;
            let v = s.load(&with_nan);
            assert!(s.reduce_max(v).is_nan(), "NaN in lane {i} on {:?}", S::ISA);
            assert!(s.reduce_min(v).is_nan(), "NaN in lane {i} on {:?}", S::ISA);
        }
    }
}

#[test]
fn memory_is_touched_only_where_asked() {
    for isa in Isa::available() {
        dispatch(isa, Memory);
    }
}

struct Halves;

impl ForEachIsa for Halves {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        let mut back = vec![f16::ZERO; S::LANES];
        for chunk in all.chunks_exact(S::LANES) {
            let mut wide = vec![0.0; S::LANES];
            s.store(s.load_f16(chunk), &mut wide);
            for (h, w) in chunk.iter().zip(&wide) {
                assert!(same(h.to_f32(), *w), "{h:?} widens to {w} on {:?}", S::ISA);
            }
            s.store_f16(s.load(&wide), &mut back);
            for (h, b) in chunk.iter().zip(&back) {
                assert!(h == b || (h.is_nan() && b.is_nan()), "{h:?} on {:?}", S::ISA);
            }
            // Halfway to the next value, and one float to either side of that.
            for step in [-1i32, 0, 1] {
                let between: Vec<f32> = wide
                    .iter()
                    .map(|w| f32::from_bits((w.to_bits() as i32 + 0x1000 + step) as u32))
                    .collect();
                s.store_f16(s.load(&between), &mut back);
                for (x, b) in between.iter().zip(&back) {
                    let expected = f16::from_f32(*x);
                    assert!(
                        expected == *b || (expected.is_nan() && b.is_nan()),
                        "{x} narrows to {b}, expected {expected}, on {:?}",
                        S::ISA
                    );
                }
            }
        }
        for x in EDGES {
            s.store_f16(s.splat(x), &mut back);
            let expected = f16::from_f32(x);
            assert!(expected == back[0] || (expected.is_nan() && back[0].is_nan()), "{x}");
        }
    }
}

#[test]
fn half_precision_rounds_to_nearest_even() {
    for isa in Isa::available() {
        dispatch(isa, Halves);
    }
}

/// Two vectors zipped.
struct Zip;

impl ForEachIsa for Zip {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let a: [f32; super::MAX_LANES] = std::array::from_fn(|i| i as f32);
        let b = a.map(|x| -1.0 - x);
        let (lower, upper) = s.zip(s.load(&a), s.load(&b));
        let mut out = [0.0; 2 * super::MAX_LANES];
        s.store(lower, &mut out);
        s.store(upper, &mut out[S::LANES..]);
        for (i, &lane) in out[..2 * S::LANES].iter().enumerate() {
            let expected = if i % 2 == 0 { a[i / 2] } else { b[i / 2] };
            assert_eq!(lane, expected, "lane {i} on {:?}", S::ISA);
        }
    }
}

#[test]
fn zipped_lanes_take_turns() {
    Isa::available().for_each(|isa| dispatch(isa, Zip));
}

struct Bytes;

impl ForEachIsa for Bytes {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let x: Vec<u8> = (0..=255).collect();
        for from in x.chunks(S::LANES) {
            let wide = s.load_u8(from);
            let mut lanes = [0; super::MAX_LANES];
            s.store_i32(wide, &mut lanes);
            let mut back = vec![0; S::LANES];
            s.store_u8(wide, &mut back);
            let signed = s.shr_i32::<24>(s.shl_i32::<24>(wide));
            let mut again = vec![0; S::LANES];
            s.store_u8(signed, &mut again);
            for (i, &x) in from.iter().enumerate() {
                assert_eq!((lanes[i], back[i], again[i]), (i32::from(x), x, x), "{:?}", S::ISA);
            }
        }
        for from in x.chunks(2 * S::LANES) {
            let mut back = vec![0; 2 * S::LANES];
            s.store_u8x2(s.load_u8(from), s.load_u8(&from[S::LANES..]), &mut back);
            assert_eq!(back, from, "{:?}", S::ISA);
        }
        for (x, expected) in [(0.5, 0), (1.5, 2), (-2.5, -2), (-3.6, -4), (70_000.2, 70_000)] {
            let mut lanes = [0; super::MAX_LANES];
            s.store_i32(s.nearest_i32(s.splat(x)), &mut lanes);
            assert_eq!(lanes[0], expected, "{x} on {:?}", S::ISA);
        }
    }
}

#[test]
fn bytes_widen_and_narrow() {
    Isa::available().for_each(|isa| dispatch(isa, Bytes));
}
