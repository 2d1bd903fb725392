//! What becomes of exact sums: 32-bit integers, 8-bit integers of another scale, or floats.

use std::ops::Range;

use super::MAX_WIDTH;
use crate::gemm::tile::token;
use crate::gemm::view::MatrixMut;
use crate::simd::{ForEachIsa, MAX_LANES, Simd};

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
    fn shape(&self) -> [usize; 2] {
        match self {
            Output::I32(to) => [to.rows(), to.columns()],
            Output::U8(to, _) => [to.rows(), to.columns()],
            Output::I8(to, _) => [to.rows(), to.columns()],
            Output::F32 { to, .. } => [to.rows(), to.columns()],
        }
    }
}

impl Finish<'_> {
    /// Panics unless the output is `shape` and there are numbers for each of `n` columns.
    pub(crate) fn check(&self, shape: [usize; 2], n: usize) {
        assert_eq!(self.output.shape(), shape, "the output is the block");
        let [scales, floats] = match &self.output {
            Output::I32(_) => [1, 0],
            Output::U8(_, to) | Output::I8(_, to) => [to.scales.len(), 0],
            Output::F32 { scales, bias, .. } => [scales.len(), bias.len()],
        };
        assert!(scales == 1 || scales == n, "{scales} scales for {n} columns");
        for summands in [self.bias.len(), floats] {
            assert!(summands == 0 || summands == n, "{summands} summands for {n} columns");
        }
    }
}

/// Numbers per column of a panel.
pub(crate) struct Columns {
    /// What is added to each sum.
    pub(crate) offsets: [i32; MAX_WIDTH],
    /// What a row's sum is multiplied by and subtracted: B's zero points.
    pub(crate) zero_points: Option<[i32; MAX_WIDTH]>,
    pub(crate) scales: [f32; MAX_WIDTH],
    pub(crate) bias: [f32; MAX_WIDTH],
}

impl Columns {
    /// `count` columns from `first` on, whose sums are short of `own`.
    pub(crate) fn new(
        finish: &Finish<'_>,
        first: usize,
        count: usize,
        own: impl Fn(usize) -> i32,
    ) -> Self {
        let mut columns = Columns {
            offsets: [0; MAX_WIDTH],
            zero_points: None,
            scales: [0.0; MAX_WIDTH],
            bias: [0.0; MAX_WIDTH],
        };
        let (scales, bias): (&[f32], &[f32]) = match &finish.output {
            Output::I32(_) => (&[1.0], &[]),
            Output::U8(_, to) | Output::I8(_, to) => (to.scales, &[]),
            Output::F32 { scales, bias, .. } => (scales, bias),
        };
        for (i, j) in (first..first + count).enumerate() {
            let summand = finish.bias.get(j).copied().unwrap_or(0);
            columns.offsets[i] = own(j).wrapping_add(summand);
            columns.scales[i] = scales[if scales.len() == 1 { 0 } else { j }];
            columns.bias[i] = bias.get(j).copied().unwrap_or(0.0);
        }
        columns
    }
}

/// Rows of sums on their way to the output.
pub(crate) struct Job<'a, 'b> {
    /// Rows of `width` sums, `stride` apart. The width is whole vectors.
    pub(crate) sums: &'a [i32],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) columns: &'a Columns,
    /// The sums of A's rows.
    pub(crate) row_sums: &'a [i32],
    /// Where it goes, in the block.
    pub(crate) at: [Range<usize>; 2],
    pub(crate) output: &'a mut Output<'b>,
}

/// # Safety
///
/// The machine has the instruction set that the function is compiled for.
pub(crate) type RunFinish = unsafe fn(Job<'_, '_>);

/// Finishes a tile.
///
/// # Safety
///
/// As for [`RunFinish`].
pub(crate) unsafe fn run_finish<S: Simd>(job: Job<'_, '_>) {
    // SAFETY: the caller vouches for the instruction set.
    let s = unsafe { token::<S>() };
    s.call(job);
}

impl ForEachIsa for Job<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Job { sums, stride, width, columns, row_sums, at, output } = self;
        let tile = Sums { sums, stride, width, columns, row_sums };
        match output {
            Output::I32(to) => tile.write(
                s,
                to,
                at,
                #[inline(always)]
                |sum, _| s.store_array(sum),
            ),
            Output::U8(to, requantize) => {
                let requantize = tile.requantizer(s, requantize);
                tile.write(
                    s,
                    to,
                    at,
                    #[inline(always)]
                    |sum, at| s.store_array(requantize(sum, at)).map(|x| x as u8),
                );
            }
            Output::I8(to, requantize) => {
                let requantize = tile.requantizer(s, requantize);
                tile.write(
                    s,
                    to,
                    at,
                    #[inline(always)]
                    |sum, at| s.store_array(requantize(sum, at)).map(|x| x as i8),
                );
            }
            Output::F32 { to, clamp, .. } => {
                let [low, high] = [s.splat(clamp[0]), s.splat(clamp[1])];
                tile.write(
                    s,
                    to,
                    at,
                    #[inline(always)]
                    |sum, at| {
                        let scaled = s.mul(s.to_f32(sum), s.load(&columns.scales[at..]));
                        let x = s.add(scaled, s.load(&columns.bias[at..]));
                        let mut line = [0.0; MAX_LANES];
                        s.store(s.min_fast(high, s.max_fast(low, x)), &mut line);
                        line
                    },
                );
            }
        }
    }
}

/// A vector of integers as an array.
trait StoreArray: Simd {
    #[inline(always)]
    fn store_array(self, x: Self::I32) -> [i32; MAX_LANES] {
        let mut line = [0; MAX_LANES];
        self.store_i32(x, &mut line);
        line
    }
}

impl<S: Simd> StoreArray for S {}

/// The sums of a tile.
struct Sums<'a> {
    sums: &'a [i32],
    stride: usize,
    width: usize,
    columns: &'a Columns,
    row_sums: &'a [i32],
}

impl<'a> Sums<'a> {
    /// Writes what `convert` makes of each vector of sums and its first column.
    #[inline(always)]
    fn write<S: Simd, T: Copy>(
        &self,
        s: S,
        to: &mut MatrixMut<'_, T>,
        [rows, columns]: [Range<usize>; 2],
        convert: impl Fn(S::I32, usize) -> [T; MAX_LANES],
    ) {
        for (i, row) in rows.enumerate() {
            let to = &mut to.row(row)[columns.clone()];
            for at in (0..self.width).step_by(S::LANES) {
                let line = convert(self.sum(s, i, at), at);
                let rest = &mut to[at..];
                // Whole vectors apart, so that they are written by one instruction.
                if rest.len() >= S::LANES {
                    rest[..S::LANES].copy_from_slice(&line[..S::LANES]);
                } else {
                    rest.copy_from_slice(&line[..rest.len()]);
                }
            }
        }
    }

    /// The sums of a row from a column on, with zero points and bias accounted for.
    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, row: usize, at: usize) -> S::I32 {
        let sum = s.load_i32(&self.sums[row * self.stride + at..]);
        let sum = s.add_i32(sum, s.load_i32(&self.columns.offsets[at..]));
        match &self.columns.zero_points {
            None => sum,
            Some(zero_points) => {
                let zero_points = s.load_i32(&zero_points[at..]);
                s.sub_i32(sum, s.mul_i32(s.splat_i32(self.row_sums[row]), zero_points))
            }
        }
    }

    #[inline(always)]
    fn requantizer<S: Simd>(
        &self,
        s: S,
        to: &Requantize<'_>,
    ) -> impl Fn(S::I32, usize) -> S::I32 + use<'a, S> {
        // Clamped before the zero point is added: the integers then stay far from overflow.
        let low = s.splat((to.clamp[0] - to.zero_point) as f32);
        let high = s.splat((to.clamp[1] - to.zero_point) as f32);
        let zero_point = s.splat_i32(to.zero_point);
        let scales = &self.columns.scales;
        #[inline(always)]
        move |sum, at| {
            let x = s.round_even(s.mul(s.to_f32(sum), s.load(&scales[at..])));
            s.add_i32(s.to_i32(s.min_fast(high, s.max_fast(low, x))), zero_point)
        }
    }
}
