//! Against plain loops with f64 sums.

use super::*;
use crate::Isa;
use crate::gemm::{F32, Filter, pack};

/// Numbers in -0.5..0.5 without a pattern that sums could hide behind.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..len)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.5
        })
        .collect()
}

/// The greatest magnitude of the numbers.
const TAP: f64 = 0.5;

/// Padding above, on the left, below, on the right.
fn window(input: [usize; 2], [top, left, bottom, right]: [usize; 4]) -> Window {
    Window {
        input,
        output: [input[0] + top + bottom - 2, input[1] + left + right - 2],
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [top, left],
    }
}

/// A convolution with a filter of `[3, 3, channels, outputs]`.
struct Case {
    window: Window,
    images: usize,
    channels: usize,
    outputs: usize,
    x: Vec<f32>,
    filter: Vec<f32>,
    bias: Vec<f32>,
    clamp: [f32; 2],
}

const UNBOUND: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

impl Case {
    fn new(window: Window, images: usize, [channels, outputs]: [usize; 2]) -> Case {
        let [height, width] = window.input;
        Case {
            window,
            images,
            channels,
            outputs,
            x: numbers(images * height * width * channels, 1),
            filter: numbers(9 * channels * outputs, 2),
            bias: numbers(outputs, 3),
            clamp: UNBOUND,
        }
    }

    fn filter(&self) -> Filter<'_, f32> {
        let (i, o) = (self.channels, self.outputs);
        Filter::new(&self.filter, [3, 3, i, o], [3 * i * o, i * o, o, 1])
    }

    fn pixels(&self) -> usize {
        self.images * self.window.output[0] * self.window.output[1]
    }

    /// Computes the output in cells: so many down, or in panels across.
    fn run(
        &self,
        tile: &'static Tile,
        down: usize,
        is_across: bool,
        post: Option<&Post<'_>>,
    ) -> Vec<f32> {
        let points = PackedPoints::new(tile, self.filter()).expect("all points are finite");
        let pack = |panels: Range<usize>, into: &mut [f32]| pack(tile, self.filter(), panels, into);
        let x = Images::whole(&self.x, self.channels);
        let convolution = Convolution { x, filter: &points, window: &self.window, pack: &pack };
        let finish = Finish { bias: &self.bias, clamp: self.clamp, post };
        let mut y = vec![9.0; self.pixels() * self.outputs];
        let mut whole = MatrixMut::new(&mut y, [self.pixels(), self.outputs], self.outputs);
        let rows = tile_rows(&self.window, self.images);
        let step = if is_across { tile.nr } else { self.outputs };
        let tallest = rows.div_ceil(down);
        let mut scratch = vec![0x7f; scratch_bytes(&points, &self.window, tallest)];
        for i in 0..down {
            let rows = i * rows / down..(i + 1) * rows / down;
            for start in (0..self.outputs).step_by(step) {
                let columns = start..self.outputs.min(start + step);
                let block = Block { rows: rows.clone(), columns };
                let pixels = [rows.start, rows.end].map(|row| first_pixel(&self.window, row));
                let to = whole.part(pixels[0]..pixels[1], block.columns.clone());
                winograd(&convolution, &block, to, &finish, &mut scratch);
            }
        }
        y
    }

    /// An output by definition, and the sum of its terms' magnitudes, had all taps the greatest
    /// one: the points mix the taps.
    fn expected(&self, at: usize) -> (f64, f64) {
        let [height, width] = self.window.input;
        let [oh, ow] = self.window.output;
        let (pixel, output) = (at / self.outputs, at % self.outputs);
        let (image, oy, ox) = (pixel / (oh * ow), pixel / ow % oh, pixel % ow);
        let bias = f64::from(self.bias[output]);
        let (mut sum, mut size) = (bias, bias.abs());
        for (ky, kx) in (0..9).map(|tap| (tap / 3, tap % 3)) {
            let (y, x) = (self.window.source(0, oy, ky), self.window.source(1, ox, kx));
            let (Some(y), Some(x)) = (y, x) else { continue };
            let from = ((image * height + y) * width + x) * self.channels;
            for c in 0..self.channels {
                let tap = ((ky * 3 + kx) * self.channels + c) * self.outputs + output;
                let term = f64::from(self.x[from + c]) * f64::from(self.filter[tap]);
                sum += term;
                size += f64::from(self.x[from + c].abs()) * TAP;
            }
        }
        let [low, high] = self.clamp.map(f64::from);
        (if sum.is_nan() { sum } else { sum.clamp(low, high) }, size)
    }

    fn check(&self, tile: &Tile, y: &[f32]) {
        let shape = (self.window, self.images, self.channels, self.outputs);
        for (at, &got) in y.iter().enumerate() {
            let (expected, size) = self.expected(at);
            let error = (f64::from(got) - expected).abs();
            let close = f64::from(got) == expected
                || got.is_nan() && expected.is_nan()
                // A few roundings of half a unit in the last place each.
                || error <= (size + 1.0) * 8.0 * f64::from(f32::EPSILON);
            assert!(close, "{}: {shape:?}: at {at} {got}, expected {expected}", tile.name);
        }
    }
}

fn tiles() -> impl Iterator<Item = &'static Tile> {
    F32.iter().filter(|tile| tile.isa.is_available())
}

fn cases() -> Vec<Case> {
    vec![
        Case::new(window([1, 1], [1, 1, 1, 1]), 1, [1, 1]),
        Case::new(window([3, 3], [0, 0, 0, 0]), 1, [5, 3]),
        Case::new(window([4, 4], [0, 0, 0, 0]), 3, [16, 32]),
        Case::new(window([7, 7], [1, 1, 1, 1]), 2, [33, 70]),
        Case::new(window([5, 9], [0, 2, 1, 0]), 1, [64, 17]),
        Case::new(window([2, 3], [4, 0, 3, 5]), 2, [7, 40]),
        Case::new(window([30, 31], [1, 1, 1, 1]), 1, [20, 33]),
        Case::new(window([6, 5], [1, 1, 1, 1]), 1, [300, 64]),
        Case::new(window([58, 4], [1, 1, 1, 1]), 1, [150, 5]),
    ]
}

#[test]
fn every_tile_matches_the_definition() {
    for tile in tiles() {
        for case in cases() {
            case.check(tile, &case.run(tile, 1, false, None));
            let case = Case { clamp: [-0.5, 0.25], ..case };
            case.check(tile, &case.run(tile, 1, false, None));
        }
    }
}

#[test]
fn a_pixel_out_of_the_ordinary_stays_in_the_windows_that_hold_it() {
    for tile in tiles() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38, -1e20, 1e6, 1e3, 100.0] {
            for (y, x) in [(0, 0), (4, 5), (5, 4), (8, 9)] {
                let mut case = Case::new(window([9, 10], [1, 1, 1, 1]), 1, [20, 40]);
                case.x[(y * 10 + x) * 20 + 7] = value;
                if !value.is_finite() {
                    // Zero times infinity is NaN.
                    case.filter[(4 * 20 + 7) * 40 + 3] = 0.0;
                }
                case.check(tile, &case.run(tile, 1, false, None));
            }
        }
    }
}

#[test]
fn an_image_of_nothing_finite_is_computed_too() {
    for tile in tiles() {
        for value in [f32::NAN, f32::INFINITY, 3e38] {
            let mut case = Case::new(window([5, 6], [1, 1, 1, 1]), 2, [16, 33]);
            case.x.fill(value);
            // Sums of one term do not overflow in whatever order.
            case.filter.iter_mut().skip(4 * 16 * 33 + 33).for_each(|tap| *tap = 0.0);
            case.filter[..4 * 16 * 33].fill(0.0);
            case.check(tile, &case.run(tile, 1, false, None));
        }
    }
}

#[test]
fn bits_do_not_depend_on_how_the_output_is_cut() {
    for tile in tiles() {
        for mut case in cases() {
            for value in [0.25, f32::NAN, 1e30] {
                let middle = case.x.len() / 2;
                case.x[middle] = value;
                let bits = |down, is_across| -> Vec<u32> {
                    let y = case.run(tile, down, is_across, None);
                    y.into_iter().map(f32::to_bits).collect()
                };
                let whole = bits(1, false);
                for (down, is_across) in [(2, false), (3, true), (1, true), (5, false)] {
                    let shape = (case.window, case.channels, case.outputs);
                    assert!(
                        bits(down, is_across) == whole,
                        "{}: {shape:?} with {value}, {down} down, across: {is_across}",
                        tile.name
                    );
                }
            }
        }
    }
}

#[test]
fn each_result_is_handed_on_once() {
    for tile in tiles() {
        for mut case in cases() {
            case.x[0] = f32::INFINITY;
            let outputs = case.outputs;
            let post =
                |rows: Range<usize>, columns: Range<usize>, block: &mut MatrixMut<'_, f32>| {
                    assert_eq!([block.rows(), block.columns()], [rows.len(), columns.len()]);
                    for (i, row) in rows.enumerate() {
                        for (x, column) in block.row(i).iter_mut().zip(columns.clone()) {
                            *x += (row * outputs + column) as f32;
                        }
                    }
                };
            let plain = case.run(tile, 2, true, None);
            let posted = case.run(tile, 2, true, Some(&post));
            for (at, (x, y)) in plain.into_iter().zip(posted).enumerate() {
                let expected = x + at as f32;
                assert!(
                    y == expected || y.is_nan() && x.is_nan(),
                    "{}: at {at} {y}, expected {expected}",
                    tile.name
                );
            }
        }
    }
}

#[test]
fn a_filter_that_is_not_finite_at_the_points_is_refused() {
    for (taps, is_taken) in [
        ([1.0, -2.0, 3.0], true),
        ([1.0, f32::NAN, 3.0], false),
        ([f32::INFINITY, 0.0, 3.0], false),
        ([3e38, 3e38, 3e38], false),
    ] {
        let filter = [taps; 3];
        let filter = Filter::new(filter.as_flattened(), [3, 3, 1, 1], [3, 1, 1, 1]);
        let points = PackedPoints::new(Tile::of(Isa::best()), filter);
        assert_eq!(points.is_some(), is_taken, "{taps:?}");
    }
}
