//! Resampling of two dimensions.

use std::ops::Range;

use crate::Isa;
use crate::gemm::MatrixMut;
use crate::simd::{ForEachIsa, Simd, dispatch};

/// How a value between samples is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest sample; of two, the one before.
    Nearest,
    /// Along a line, in each dimension.
    Linear,
}

/// An element that can be interpolated.
pub trait Sample: Copy + Send + Sync + 'static {
    /// The value.
    fn to_f32(self) -> f32;
    /// The nearest value, ties to even.
    fn from_f32(x: f32) -> Self;
}

macro_rules! samples {
    ($($type:ty: $to:expr, $from:expr;)*) => { $(
        impl Sample for $type {
            #[inline(always)]
            fn to_f32(self) -> f32 {
                let to: fn($type) -> f32 = $to;
                to(self)
            }
            #[inline(always)]
            fn from_f32(x: f32) -> Self {
                let from: fn(f32) -> $type = $from;
                from(x)
            }
        }
    )* };
}
samples! {
    f32: |x| x, |x| x;
    i8: f32::from, |x| x.round_ties_even() as i8;
    u8: f32::from, |x| x.round_ties_even() as u8;
}

/// Between which samples an element of the result lies.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    low: usize,
    high: usize,
    /// The share of the higher sample.
    share: f32,
}

/// Where the elements of the result lie among the samples; made once.
#[derive(Clone, Debug, PartialEq)]
pub struct Resampling {
    interpolation: Interpolation,
    input: [usize; 2],
    places: [Vec<Place>; 2],
}

impl Resampling {
    /// Resampling of two dimensions of sizes `input` to sizes `output`, the samples being the
    /// centres of cells that divide the dimension evenly.
    pub fn new(interpolation: Interpolation, input: [usize; 2], output: [usize; 2]) -> Self {
        let places = [0, 1].map(|d| {
            let last = (input[d] - 1) as f64;
            let step = input[d] as f64 / output[d] as f64;
            let place = |i: usize| {
                let at = ((i as f64 + 0.5) * step - 0.5).clamp(0.0, last);
                match interpolation {
                    Interpolation::Nearest => {
                        let low = (at - 0.5).ceil().max(0.0) as usize;
                        Place { low, high: low, share: 0.0 }
                    }
                    Interpolation::Linear => {
                        let low = at.floor() as usize;
                        let high = (low + 1).min(input[d] - 1);
                        Place { low, high, share: (at - at.floor()) as f32 }
                    }
                }
            };
            (0..output[d]).map(place).collect()
        });
        Resampling { interpolation, input, places }
    }

    /// The columns of the matrix that a result is: its elements that are neighbours in memory
    /// wherever it lies.
    pub fn columns(&self, inner: usize) -> usize {
        if inner == 1 { self.places[1].len() } else { inner }
    }

    /// The rows of that matrix for one index of the first resampled dimension.
    pub fn lines(&self, [between, inner]: [usize; 2]) -> usize {
        between * self.places[1].len() * inner / self.columns(inner).max(1)
    }

    /// Computes the rows `rows` of a result of shape `[outer, first, between, second, inner]`,
    /// the first and the second dimension being resampled: a row has one index in each of the
    /// first two. `x` is the whole input, `out` holds just those rows, [`Self::lines`] of
    /// [`Self::columns`] each.
    ///
    /// # Panics
    ///
    /// If a length does not agree.
    pub fn run<T: Sample>(
        &self,
        isa: Isa,
        [between, inner]: [usize; 2],
        x: &[T],
        rows: Range<usize>,
        out: MatrixMut<'_, T>,
    ) {
        let lines = self.lines([between, inner]);
        assert!(out.rows() == rows.len() * lines && out.columns() == self.columns(inner));
        if out.rows() > 0 && out.columns() > 0 {
            dispatch(isa, Resample { resampling: self, between, inner, x, rows, out });
        }
    }
}

struct Resample<'a, T> {
    resampling: &'a Resampling,
    between: usize,
    inner: usize,
    x: &'a [T],
    rows: Range<usize>,
    out: MatrixMut<'a, T>,
}

impl<T: Sample> ForEachIsa for Resample<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Resample { resampling, between, inner, x, rows, mut out } = self;
        let [first, second] = &resampling.places;
        let line_len = resampling.input[1] * inner;
        let columns = out.columns();
        let lines = resampling.lines([between, inner]) / between;
        let mut at = 0;
        for row in rows {
            let place = first[row % first.len()];
            let part = row / first.len() * resampling.input[0];
            for index in 0..between {
                let line = |at: usize| &x[((part + at) * between + index) * line_len..][..line_len];
                let out = out.part(at..at + lines, 0..columns);
                match resampling.interpolation {
                    Interpolation::Nearest => nearest(line(place.low), second, inner, out),
                    Interpolation::Linear => {
                        let lines = [line(place.low), line(place.high)];
                        linear(lines, place.share, second, inner, out);
                    }
                }
                at += lines;
            }
        }
    }
}

#[inline(always)]
fn nearest<T: Sample>(line: &[T], places: &[Place], inner: usize, mut out: MatrixMut<'_, T>) {
    if inner == 1 {
        for (out, place) in out.row(0).iter_mut().zip(places) {
            *out = line[place.low];
        }
        return;
    }
    for (i, place) in places.iter().enumerate() {
        out.row(i).copy_from_slice(&line[place.low * inner..][..inner]);
    }
}

#[inline(always)]
fn linear<T: Sample>(
    [low, high]: [&[T]; 2],
    share: f32,
    places: &[Place],
    inner: usize,
    mut out: MatrixMut<'_, T>,
) {
    if inner == 1 {
        for (out, place) in out.row(0).iter_mut().zip(places) {
            let between =
                |line: &[T]| mix(line[place.low].to_f32(), line[place.high].to_f32(), place.share);
            *out = T::from_f32(mix(between(low), between(high), share));
        }
        return;
    }
    for (i, place) in places.iter().enumerate() {
        let (left, right) = (place.low * inner, place.high * inner);
        let (a, b) = (&low[left..][..inner], &low[right..][..inner]);
        let (c, d) = (&high[left..][..inner], &high[right..][..inner]);
        let sources = a.iter().zip(b).zip(c.iter().zip(d));
        for (out, ((a, b), (c, d))) in out.row(i).iter_mut().zip(sources) {
            let upper = mix(a.to_f32(), b.to_f32(), place.share);
            let lower = mix(c.to_f32(), d.to_f32(), place.share);
            *out = T::from_f32(mix(upper, lower, share));
        }
    }
}

/// Exactly `a` where `share` is 0, so that infinities beside a sample do not make it NaN.
#[inline(always)]
fn mix(a: f32, b: f32, share: f32) -> f32 {
    if share == 0.0 { a } else { a * (1.0 - share) + b * share }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_down() {
        let places = |input, output| {
            let resampling = Resampling::new(Interpolation::Nearest, [input, 1], [output, 1]);
            resampling.places[0].iter().map(|place| place.low).collect::<Vec<_>>()
        };
        assert_eq!(places(4, 2), [0, 2]);
        assert_eq!(places(2, 4), [0, 0, 1, 1]);
        assert_eq!(places(3, 3), [0, 1, 2]);
        assert_eq!(places(5, 1), [2]);
        assert_eq!(places(1, 3), [0, 0, 0]);
        assert_eq!(places(3, 2), [0, 2]);
    }

    #[test]
    fn any_lay_out_and_any_rows() {
        check([2, 3, 2, 4, 5]);
        check([2, 3, 2, 4, 1]);
    }

    /// `shape` is outer, first, between, second, inner.
    fn whole<T>(out: &mut [T], columns: usize) -> MatrixMut<'_, T> {
        let rows = out.len() / columns;
        MatrixMut::new(out, [rows, columns], columns)
    }

    fn check(shape: [usize; 5]) {
        let inner = shape[4];
        let output = [7, 3];
        let n = shape.iter().product::<usize>();
        let x: Vec<f32> = (0..n).map(|i| ((i * 7919) % 2003) as f32 / 100.0 - 10.0).collect();
        let bytes: Vec<u8> = x.iter().map(|&x| (x * 10.0 + 110.0) as u8).collect();
        for interpolation in [Interpolation::Nearest, Interpolation::Linear] {
            let resampling = Resampling::new(interpolation, [shape[1], shape[3]], output);
            let expected = |x: &dyn Fn(usize) -> f64, at: usize| -> f64 {
                let (k, rest) = (at % inner, at / inner);
                let (second, rest) = (rest % output[1], rest / output[1]);
                let (m, rest) = (rest % 2, rest / 2);
                let (first, o) = (rest % output[0], rest / output[0]);
                let get = |i: usize, j: usize| x((((o * 3 + i) * 2 + m) * 4 + j) * inner + k);
                let coordinate = |o: usize, input: usize, output: usize| {
                    ((o as f64 + 0.5) * input as f64 / output as f64 - 0.5)
                        .clamp(0.0, (input - 1) as f64)
                };
                let (y, x) = (coordinate(first, 3, 7), coordinate(second, 4, 3));
                match interpolation {
                    Interpolation::Nearest => {
                        get((y - 0.5).ceil().max(0.0) as usize, (x - 0.5).ceil().max(0.0) as usize)
                    }
                    Interpolation::Linear => {
                        let (i, j) = (y.floor() as usize, x.floor() as usize);
                        let (below, right) = ((i + 1).min(2), (j + 1).min(3));
                        let (dy, dx) = (y - y.floor(), x - x.floor());
                        (1.0 - dy) * ((1.0 - dx) * get(i, j) + dx * get(i, right))
                            + dy * ((1.0 - dx) * get(below, j) + dx * get(below, right))
                    }
                }
            };
            let row = 2 * output[1] * inner;
            let columns = resampling.columns(inner);
            for rows in [0..14, 3..9] {
                for isa in Isa::available() {
                    let mut out = vec![0.0; rows.len() * row];
                    let mut byte_out = vec![0u8; out.len()];
                    let around = [2, inner];
                    resampling.run(isa, around, &x, rows.clone(), whole(&mut out, columns));
                    resampling.run(
                        isa,
                        around,
                        &bytes,
                        rows.clone(),
                        whole(&mut byte_out, columns),
                    );
                    // The same inside a wider matrix.
                    let mut wide = vec![7.0; out.len() / columns * (columns + 2)];
                    let lines = out.len() / columns;
                    let inside = MatrixMut::new(&mut wide[1..], [lines, columns], columns + 2);
                    resampling.run(isa, around, &x, rows.clone(), inside);
                    for (wide, out) in wide.chunks(columns + 2).zip(out.chunks(columns)) {
                        assert_eq!(
                            (wide[0], &wide[1..=columns], wide[columns + 1]),
                            (7.0, out, 7.0)
                        );
                    }
                    for i in 0..out.len() {
                        let at = i + rows.start * row;
                        let wide = expected(&|i| f64::from(x[i]), at);
                        assert!((f64::from(out[i]) - wide).abs() < 1e-5, "{interpolation:?} {at}");
                        let byte = expected(&|i| f64::from(bytes[i]), at);
                        let error = (f64::from(byte_out[i]) - byte).abs();
                        assert!(error < 0.5001, "{interpolation:?} {at}");
                    }
                }
            }
        }
    }
}
