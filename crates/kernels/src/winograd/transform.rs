//! What comes before the products and after them, vectorised over channels.

use std::ops::Range;

use super::{OUTPUTS, POINTS, SIDE};
use crate::depthwise::Images;
use crate::gemm::{MatrixMut, Window};
use crate::simd::{ForEachIsa, Simd};

/// How an image is cut into tiles of 2x2 output pixels. They are counted over all images, row by
/// row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tiling<'a> {
    window: &'a Window,
    /// Tiles down and across one image.
    size: [usize; 2],
}

/// A tile: its image, and the output pixel in its upper left corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) image: usize,
    y: usize,
    x: usize,
}

impl<'a> Tiling<'a> {
    pub(super) fn new(window: &'a Window) -> Self {
        Self { window, size: window.output.map(|size| size.div_ceil(OUTPUTS)) }
    }

    /// Tiles in a row of them.
    pub(super) fn across(&self) -> usize {
        self.size[1]
    }

    pub(super) fn place(&self, tile: usize) -> Place {
        let (row, column) = (tile / self.size[1], tile % self.size[1]);
        let (image, row) = (row / self.size[0], row % self.size[0]);
        Place { image, y: row * OUTPUTS, x: column * OUTPUTS }
    }

    /// The rows of output pixels that a tile has: fewer at the lower edge.
    fn rows(&self, place: Place) -> usize {
        OUTPUTS.min(self.window.output[0] - place.y)
    }

    /// The columns of output pixels that a tile has: fewer at the right edge.
    fn columns(&self, place: Place) -> usize {
        OUTPUTS.min(self.window.output[1] - place.x)
    }

    /// The upper left output pixel of a tile, counted over all images.
    fn pixel(&self, place: Place) -> usize {
        let [height, width] = self.window.output;
        (place.image * height + place.y) * width + place.x
    }

    /// The output pixels of tiles that lie side by side, row by row.
    pub(super) fn pixels(&self, tiles: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let place = self.place(tiles.start);
        let width = self.window.output[1];
        let columns = (tiles.len() * OUTPUTS).min(width - place.x);
        let first = self.pixel(place);
        (0..self.rows(place)).map(move |row| first + row * width..first + row * width + columns)
    }
}

/// Matrices of a row per tile, one for each point, `plane` elements apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Planes {
    pub(super) plane: usize,
    /// From one row to the next: whole vectors.
    pub(super) stride: usize,
}

impl Planes {
    /// For so many tiles, and rows of so many elements.
    ///
    /// Rows and planes are an odd number of cache lines long, which keeps those that are used
    /// together off the same lines of the cache.
    pub(super) fn new(tiles: usize, row: usize) -> Self {
        const LINE: usize = 16;
        let odd = |elements: usize| (elements.div_ceil(LINE) | 1) * LINE;
        let stride = odd(row);
        Self { plane: odd(tiles * stride), stride }
    }

    /// The elements of all planes.
    pub(super) fn len(self) -> usize {
        POINTS * self.plane
    }
}

/// The input, tile by tile.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) x: Images<'a>,
    pub(super) channels: usize,
    pub(super) tiling: Tiling<'a>,
    /// A pixel of padding.
    pub(super) zeros: &'a [f32],
}

impl<'a> Source<'a> {
    /// The input pixels of a tile, row by row.
    fn pixels(&self, place: Place) -> [&'a [f32]; POINTS] {
        let window = self.tiling.window;
        let [height, width] = window.input;
        let mut pixels = [&self.zeros[..self.channels]; POINTS];
        for (row, pixels) in pixels.chunks_exact_mut(SIDE).enumerate() {
            let Some(y) = window.source(0, place.y, row) else { continue };
            let from = (place.image * height + y) * width;
            for (column, pixel) in pixels.iter_mut().enumerate() {
                if let Some(x) = window.source(1, place.x, column) {
                    *pixel = &self.x.data[(from + x) * self.x.pixel_stride..][..self.channels];
                }
            }
        }
        pixels
    }
}

/// Evaluates tiles of the input at the points: `B' d B`.
pub(super) struct Forward<'a> {
    pub(super) source: Source<'a>,
    pub(super) tiles: Range<usize>,
    pub(super) planes: Planes,
    pub(super) to: &'a mut [f32],
    /// One for each tile: set where a pixel is so large beside all that one of the windows holds
    /// that its rounding would show there.
    pub(super) uneven: &'a mut [u8],
}

impl ForEachIsa for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Planes { plane, stride } = self.planes;
        let channels = self.source.channels;
        assert!(stride >= channels.next_multiple_of(S::LANES), "rows are {stride} apart");
        assert!(plane >= self.tiles.len() * stride, "planes are {plane} apart");
        assert!(self.to.len() >= POINTS * plane, "{} elements", self.to.len());
        let full = channels - channels % S::LANES;
        for (i, tile) in self.tiles.clone().enumerate() {
            let pixels = self.source.pixels(self.source.tiling.place(tile));
            let at = self.to[i * stride..].as_mut_ptr();
            let mut sizes = WindowSizes::new(s);
            for c in (0..channels).step_by(S::LANES) {
                let mut d = [[s.splat(0.0); SIDE]; SIDE];
                for (p, pixel) in pixels.iter().enumerate() {
                    d[p / SIDE][p % SIDE] = if c < full {
                        // SAFETY: a pixel has `channels` elements, at least `full`.
                        s.load(unsafe { pixel.get_unchecked(c..c + S::LANES) })
                    } else {
                        s.load_partial(&pixel[c..])
                    };
                }
                sizes.add(s, &d);
                let values = both(
                    d,
                    #[inline(always)]
                    |v| evaluate(s, v),
                );
                for (p, &value) in values.as_flattened().iter().enumerate() {
                    let to = at.wrapping_add(p * plane + c);
                    // SAFETY: `to` is in row `i` of plane `p`, and the row holds whole vectors; the
                    // assertions above have checked that all planes lie inside `self.to`.
                    s.store(value, unsafe { std::slice::from_raw_parts_mut(to, S::LANES) });
                }
            }
            self.uneven[i] = u8::from(sizes.are_uneven(s));
        }
    }
}

/// The greatest magnitudes in each column of a tile: in its upper three rows, in its lower three.
struct WindowSizes<S: Simd> {
    upper: [S::F32; SIDE],
    lower: [S::F32; SIDE],
}

/// How many times larger a pixel may be than all of a window beside it.
const MOST: f32 = 256.0;

impl<S: Simd> WindowSizes<S> {
    #[inline(always)]
    fn new(s: S) -> Self {
        Self { upper: [s.splat(0.0); SIDE], lower: [s.splat(0.0); SIDE] }
    }

    /// Looks at one vector of channels.
    #[inline(always)]
    fn add(&mut self, s: S, d: &[[S::F32; SIDE]; SIDE]) {
        let [first, second, third, last] = d;
        for (x, (upper, lower)) in self.upper.iter_mut().zip(&mut self.lower).enumerate() {
            let middle = s.max_number(s.abs(second[x]), s.abs(third[x]));
            *upper = s.max_number(*upper, s.max_number(s.abs(first[x]), middle));
            *lower = s.max_number(*lower, s.max_number(s.abs(last[x]), middle));
        }
    }

    /// Whether one window has nothing of the size of the tile's greatest.
    #[inline(always)]
    fn are_uneven(&self, s: S) -> bool {
        let upper = s.max_number(self.upper[1], self.upper[2]);
        let lower = s.max_number(self.lower[1], self.lower[2]);
        let windows = [
            s.max_number(self.upper[0], upper),
            s.max_number(upper, self.upper[3]),
            s.max_number(self.lower[0], lower),
            s.max_number(lower, self.lower[3]),
        ];
        let [a, b, c, d] = windows;
        let least = s.min_fast(s.min_fast(a, b), s.min_fast(c, d));
        let greatest = s.max_number(s.max_number(a, b), s.max_number(c, d));
        // Where it holds in each lane, it holds in the one with the greatest.
        let limit = s.mul(greatest, s.splat(1.0 / MOST));
        if s.mask_bits(s.lt(least, limit)) == 0 {
            return false;
        }
        let limit = s.splat(s.reduce_max(limit));
        windows.iter().any(
            #[inline(always)]
            |&window| s.mask_bits(s.le(limit, window)) == 0,
        )
    }
}

/// Interpolates tiles of the output from the products: `A' m A`, then adds the bias and clamps.
pub(super) struct Inverse<'a, 'y> {
    pub(super) from: &'a [f32],
    pub(super) planes: Planes,
    pub(super) tiling: Tiling<'a>,
    pub(super) tiles: Range<usize>,
    /// The output, from the pixel `first` on, all columns of it.
    pub(super) y: MatrixMut<'y, f32>,
    pub(super) first: usize,
    /// One number per column, or none.
    pub(super) bias: &'a [f32],
    pub(super) clamp: [f32; 2],
    /// What the forward transform has found.
    pub(super) uneven: &'a [u8],
    /// One for each tile: set where that is, or where a result is not finite before it is clamped.
    pub(super) broken: &'a mut [u8],
}

impl ForEachIsa for Inverse<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let Planes { plane, stride } = self.planes;
        let columns = self.y.columns();
        assert!(stride >= columns.next_multiple_of(S::LANES), "rows are {stride} apart");
        assert!(plane >= self.tiles.len() * stride, "planes are {plane} apart");
        assert!(self.from.len() >= POINTS * plane, "{} elements", self.from.len());
        let [low, high] = self.clamp.map(
            #[inline(always)]
            |bound| s.splat(bound),
        );
        for (i, tile) in self.tiles.clone().enumerate() {
            let place = self.tiling.place(tile);
            let (height, width) = (self.tiling.rows(place), self.tiling.columns(place));
            let upper = self.tiling.pixel(place) - self.first;
            let at = self.from[i * stride..].as_ptr();
            let mut sum = s.splat(0.0);
            for c in (0..columns).step_by(S::LANES) {
                let lanes = S::LANES.min(columns - c);
                let mut m = [[s.splat(0.0); SIDE]; SIDE];
                for (p, value) in m.as_flattened_mut().iter_mut().enumerate() {
                    let from = at.wrapping_add(p * plane + c);
                    // SAFETY: `from` is in row `i` of plane `p`, and the row holds whole vectors;
                    // the assertions above have checked that all planes lie inside `self.from`.
                    *value = s.load(unsafe { std::slice::from_raw_parts(from, S::LANES) });
                }
                let bias = match self.bias {
                    [] => s.splat(0.0),
                    bias if lanes == S::LANES => s.load(&bias[c..]),
                    bias => s.load_partial(&bias[c..columns]),
                };
                let results = both_outputs(
                    m,
                    #[inline(always)]
                    |v| interpolate(s, v),
                );
                for (row, results) in results.iter().enumerate().take(height) {
                    for (column, &result) in results.iter().enumerate().take(width) {
                        // Zero times what is not finite is NaN, and so is every later sum.
                        sum = s.mul_add(result, s.splat(0.0), sum);
                        let pixel = upper + row * self.tiling.window.output[1] + column;
                        let result = s.clamp(s.add(bias, result), low, high);
                        let to = &mut self.y.row(pixel)[c..][..lanes];
                        if lanes == S::LANES {
                            s.store(result, to);
                        } else {
                            s.store_partial(result, to);
                        }
                    }
                }
            }
            self.broken[i] = self.uneven[i] | u8::from(s.mask_bits(s.is_nan(sum)) != 0);
        }
    }
}

/// Applies a transform along the columns, then along the rows.
#[inline(always)]
fn both<T: Copy>(d: [[T; 4]; 4], f: impl Fn([T; 4]) -> [T; 4]) -> [[T; 4]; 4] {
    let [a, b, c, e] = [
        f([d[0][0], d[1][0], d[2][0], d[3][0]]),
        f([d[0][1], d[1][1], d[2][1], d[3][1]]),
        f([d[0][2], d[1][2], d[2][2], d[3][2]]),
        f([d[0][3], d[1][3], d[2][3], d[3][3]]),
    ];
    [
        f([a[0], b[0], c[0], e[0]]),
        f([a[1], b[1], c[1], e[1]]),
        f([a[2], b[2], c[2], e[2]]),
        f([a[3], b[3], c[3], e[3]]),
    ]
}

/// The same for the way back.
#[inline(always)]
fn both_outputs<T: Copy>(m: [[T; 4]; 4], f: impl Fn([T; 4]) -> [T; 2]) -> [[T; 2]; 2] {
    let [a, b, c, e] = [
        f([m[0][0], m[1][0], m[2][0], m[3][0]]),
        f([m[0][1], m[1][1], m[2][1], m[3][1]]),
        f([m[0][2], m[1][2], m[2][2], m[3][2]]),
        f([m[0][3], m[1][3], m[2][3], m[3][3]]),
    ];
    [f([a[0], b[0], c[0], e[0]]), f([a[1], b[1], c[1], e[1]])]
}

/// One row of `B'` times four values.
#[inline(always)]
fn evaluate<S: Simd>(s: S, [a, b, c, d]: [S::F32; 4]) -> [S::F32; 4] {
    [s.sub(a, c), s.add(b, c), s.sub(c, b), s.sub(b, d)]
}

/// One row of `A'` times four values.
#[inline(always)]
fn interpolate<S: Simd>(s: S, [a, b, c, d]: [S::F32; 4]) -> [S::F32; 2] {
    [s.add(s.add(a, b), c), s.sub(s.sub(b, c), d)]
}
