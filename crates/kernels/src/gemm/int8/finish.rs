//! What becomes of exact sums: 32-bit integers, 8-bit integers of another scale, or floats.

use std::ops::Range;

use super::MAX_WIDTH;
use crate::gemm::tile::token;
use crate::gemm::view::MatrixMut;
use crate::simd::{ForEachIsa, Simd};

/// To 8 bits: `clamp(round(sum * scale) + zero_point)`, in f32, halves to even.
#[derive(Clone, Copy, Debug)]
pub struct Requantize<'a> {
    /// A factor per column of the whole C, or one for all.
    pub scales: &'a [f32],
    /// What zero becomes.
    pub zero_point: i32,
    /// The least and the greatest result; the type's own range is the widest.
    pub clamp: [i32; 2],
}

/// Where a block of C goes, and as what.
#[derive(Debug)]
pub enum Output<'a> {
    /// The sums.
    I32(MatrixMut<'a, i32>),
    /// Unsigned bytes.
    U8(MatrixMut<'a, u8>, Requantize<'a>),
    /// Signed bytes.
    I8(MatrixMut<'a, i8>, Requantize<'a>),
    /// `clamp(sum * scale + bias)`, NaN staying NaN.
    F32 {
        /// The block.
        to: MatrixMut<'a, f32>,
        /// A factor per column of the whole C, or one for all.
        scales: &'a [f32],
        /// A summand per column of the whole C; none if empty.
        bias: &'a [f32],
        /// The least and the greatest result.
        clamp: [f32; 2],
    },
}

/// What happens to the sums.
#[derive(Debug)]
pub struct Finish<'a> {
    /// A summand per column of the whole C; none if empty.
    pub bias: &'a [i32],
    /// What they become.
    pub output: Output<'a>,
}

impl Output<'_> {
    /// Rows and columns.
    pub(super) fn shape(&self) -> [usize; 2] {
        match self {
            Output::I32(to) => [to.rows(), to.columns()],
            Output::U8(to, _) => [to.rows(), to.columns()],
            Output::I8(to, _) => [to.rows(), to.columns()],
            Output::F32 { to, .. } => [to.rows(), to.columns()],
        }
    }

    /// The numbers of scales and of float summands.
    pub(super) fn per_column(&self) -> [usize; 2] {
        match self {
            Output::I32(_) => [1, 0],
            Output::U8(_, to) | Output::I8(_, to) => [to.scales.len(), 0],
            Output::F32 { scales, bias, .. } => [scales.len(), bias.len()],
        }
    }
}

/// Numbers per column of a panel.
pub(super) struct Columns {
    /// What is added to each sum.
    pub(super) offsets: [i32; MAX_WIDTH],
    /// What a row's sum is multiplied by and subtracted: B's zero points.
    pub(super) zero_points: Option<[i32; MAX_WIDTH]>,
    pub(super) scales: [f32; MAX_WIDTH],
    pub(super) bias: [f32; MAX_WIDTH],
}

/// One tile of sums on its way to the output.
pub(super) struct Job<'a, 'b> {
    /// Rows of `width` sums.
    pub(super) sums: &'a [i32],
    pub(super) width: usize,
    pub(super) columns: &'a Columns,
    /// The sums of A's rows.
    pub(super) row_sums: &'a [i32],
    /// Where it goes, in the block.
    pub(super) at: [Range<usize>; 2],
    pub(super) output: &'a mut Output<'b>,
}

/// # Safety
///
/// The machine has the instruction set that the function is compiled for.
pub(super) type RunFinish = unsafe fn(Job<'_, '_>);

/// Finishes a tile.
///
/// # Safety
///
/// As for [`RunFinish`].
pub(super) unsafe fn run_finish<S: Simd>(job: Job<'_, '_>) {
    // SAFETY: the caller vouches for the instruction set.
    let s = unsafe { token::<S>() };
    s.call(job);
}

impl ForEachIsa for Job<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let [rows, columns] = self.at.clone();
        for (i, row) in rows.enumerate() {
            let sums = &self.sums[i * self.width..][..self.width];
            let row_sum = self.row_sums.get(i).copied().unwrap_or(0);
            let source = Source { sums, columns: self.columns, row_sum };
            match self.output {
                Output::I32(to) => {
                    let mut line = [0; MAX_WIDTH];
                    for at in (0..self.width).step_by(S::LANES) {
                        s.store_i32(source.sum(s, at), &mut line[at..]);
                    }
                    to.row(row)[columns.clone()].copy_from_slice(&line[..columns.len()]);
                }
                Output::U8(to, requantize) => {
                    let line = source.requantize(s, requantize);
                    for (to, x) in to.row(row)[columns.clone()].iter_mut().zip(line) {
                        *to = x as u8;
                    }
                }
                Output::I8(to, requantize) => {
                    let line = source.requantize(s, requantize);
                    for (to, x) in to.row(row)[columns.clone()].iter_mut().zip(line) {
                        *to = x as i8;
                    }
                }
                Output::F32 { to, clamp, .. } => {
                    let [low, high] = [s.splat(clamp[0]), s.splat(clamp[1])];
                    let mut line = [0.0; MAX_WIDTH];
                    for at in (0..self.width).step_by(S::LANES) {
                        let x = s.add(source.scaled(s, at), s.load(&self.columns.bias[at..]));
                        s.store(s.min_fast(high, s.max_fast(low, x)), &mut line[at..]);
                    }
                    to.row(row)[columns.clone()].copy_from_slice(&line[..columns.len()]);
                }
            }
        }
    }
}

/// A row of a tile.
struct Source<'a> {
    sums: &'a [i32],
    columns: &'a Columns,
    row_sum: i32,
}

impl Source<'_> {
    /// The sums with zero points and bias accounted for.
    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, at: usize) -> S::I32 {
        let sum = s.load_i32(&self.sums[at..]);
        let sum = s.add_i32(sum, s.load_i32(&self.columns.offsets[at..]));
        match &self.columns.zero_points {
            None => sum,
            Some(zero_points) => {
                let zero_points = s.load_i32(&zero_points[at..]);
                s.sub_i32(sum, s.mul_i32(s.splat_i32(self.row_sum), zero_points))
            }
        }
    }

    #[inline(always)]
    fn scaled<S: Simd>(&self, s: S, at: usize) -> S::F32 {
        s.mul(s.to_f32(self.sum(s, at)), s.load(&self.columns.scales[at..]))
    }

    #[inline(always)]
    fn requantize<S: Simd>(&self, s: S, to: &Requantize<'_>) -> [i32; MAX_WIDTH] {
        // Clamped before the zero point is added: the integers then stay far from overflow.
        let [low, high] = to.clamp.map(
            #[inline(always)]
            |bound| s.splat((bound - to.zero_point) as f32),
        );
        let mut line = [0; MAX_WIDTH];
        for at in (0..self.sums.len()).step_by(S::LANES) {
            let x = s.round_even(self.scaled(s, at));
            let x = s.to_i32(s.min_fast(high, s.max_fast(low, x)));
            s.store_i32(s.add_i32(x, s.splat_i32(to.zero_point)), &mut line[at..]);
        }
        line
    }
}
