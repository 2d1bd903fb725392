//! What becomes of exact sums: 32-bit integers, 8-bit integers of another scale, or floats.

use std::ops::Range;

use super::MAX_WIDTH;
use crate::gemm::tile::token;
use crate::gemm::view::MatrixMut;
use crate::simd::{ForEachIsa, MAX_LANES, Simd};

/// To 8 bits: `clamp(round(sum * scale) + zero_point)`, in f32, halves to even.
///
/// The scale stands for three: that of A times that of B over that of the result.
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
    /// Bytes, signed or not as the clamp says.
    Bytes(MatrixMut<'a, u8>, Requantize<'a>),
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
            Output::Bytes(to, _) => [to.rows(), to.columns()],
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
            Output::Bytes(_, to) => [to.scales.len(), 0],
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
    /// What each sum starts from.
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
            Output::Bytes(_, to) => (to.scales, &[]),
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
    /// Rows of `width` sums, which is whole vectors.
    pub(crate) sums: &'a [i32],
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
        let Job { sums, width, columns, row_sums, at, output } = self;
        let tile = Sums { sums, width, columns, row_sums };
        match output {
            Output::I32(to) => tile.write(
                s,
                to,
                at,
                #[inline(always)]
                |sum, _| s.store_array(sum),
            ),
            Output::Bytes(to, requantize) => {
                tile.write_bytes(s, to, at, &Bounds::new(requantize));
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
                        s.store(s.clamp(x, low, high), &mut line);
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

/// What scaled sums are held to, and what is added then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    low: f32,
    high: f32,
    zero_point: i32,
}

impl Bounds {
    pub(crate) fn new(to: &Requantize<'_>) -> Self {
        // Held before the zero point is added: the integers then stay far from overflow.
        let [low, high] = to.clamp.map(|bound| (bound - to.zero_point) as f32);
        Self { low, high, zero_point: to.zero_point }
    }

    /// What becomes of sums: integers of 8 bits, signed or not.
    #[inline(always)]
    pub(crate) fn apply<S: Simd>(&self, s: S, sum: S::I32, scale: S::F32) -> S::I32 {
        let x = s.mul(s.to_f32(sum), scale);
        let held = s.clamp(x, s.splat(self.low), s.splat(self.high));
        s.add_i32(s.nearest_i32(held), s.splat_i32(self.zero_point))
    }
}

/// The sums of a tile.
struct Sums<'a> {
    sums: &'a [i32],
    width: usize,
    columns: &'a Columns,
    row_sums: &'a [i32],
}

impl Sums<'_> {
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

    /// Writes the bytes that sums become.
    #[inline(always)]
    fn write_bytes<S: Simd>(
        &self,
        s: S,
        to: &mut MatrixMut<'_, u8>,
        at: [Range<usize>; 2],
        bounds: &Bounds,
    ) {
        match &self.columns.zero_points {
            None => self.write_adjusted(
                s,
                to,
                at,
                bounds,
                #[inline(always)]
                |sum, _, _| sum,
            ),
            Some(zero_points) => self.write_adjusted(
                s,
                to,
                at,
                bounds,
                #[inline(always)]
                |sum, row, at| {
                    let row_sum = s.splat_i32(self.row_sums[row]);
                    s.sub_i32(sum, s.mul_i32(row_sum, s.load_i32(&zero_points[at..])))
                },
            ),
        }
    }

    /// Writes the bytes that sums become once they are adjusted for their row and column.
    #[inline(always)]
    fn write_adjusted<S: Simd>(
        &self,
        s: S,
        to: &mut MatrixMut<'_, u8>,
        [rows, columns]: [Range<usize>; 2],
        bounds: &Bounds,
        adjust: impl Fn(S::I32, usize, usize) -> S::I32,
    ) {
        let Columns { scales, .. } = self.columns;
        let mut at = 0;
        while at + 2 * S::LANES <= columns.len() {
            let (low, high) = (s.load(&scales[at..]), s.load(&scales[at + S::LANES..]));
            for (i, sums) in self.sums.chunks_exact(self.width).enumerate() {
                let (sums, next) = sums[at..][..2 * S::LANES].split_at(S::LANES);
                let a = adjust(s.load_i32(sums), i, at);
                let b = adjust(s.load_i32(next), i, at + S::LANES);
                let (a, b) = (bounds.apply(s, a, low), bounds.apply(s, b, high));
                s.store_u8x2(a, b, &mut to.row(rows.start + i)[columns.start + at..]);
            }
            at += 2 * S::LANES;
        }
        while at < columns.len() {
            let scale = s.load(&scales[at..]);
            for (i, sums) in self.sums.chunks_exact(self.width).enumerate() {
                let bytes = bounds.apply(s, adjust(s.load_i32(&sums[at..]), i, at), scale);
                let to = &mut to.row(rows.start + i)[columns.start + at..columns.end];
                if to.len() >= S::LANES {
                    s.store_u8(bytes, to);
                } else {
                    let mut line = [0; MAX_LANES];
                    s.store_u8(bytes, &mut line);
                    to.copy_from_slice(&line[..to.len()]);
                }
            }
            at += S::LANES;
        }
    }

    /// The sums of a row from a column on, with B's zero points accounted for.
    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, row: usize, at: usize) -> S::I32 {
        let sum = s.load_i32(&self.sums[row * self.width + at..]);
        match &self.columns.zero_points {
            None => sum,
            Some(zero_points) => {
                let zero_points = s.load_i32(&zero_points[at..]);
                s.sub_i32(sum, s.mul_i32(s.splat_i32(self.row_sums[row]), zero_points))
            }
        }
    }
}
