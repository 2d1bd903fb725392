//! Filters of 3 x 3 and 5 x 5 taps that slide over a row of the input.

use std::ops::Range;

use super::quads::{Quads, bytes, halves};
use super::{ByteImages, Filter, PackedBytes, Terms};
use crate::Isa;
use crate::buffer::Buffer;
use crate::gemm::int8::Byte;
use crate::gemm::tile::token;
use crate::gemm::{MatrixMut, Window};
use crate::simd::{ForEachIsa, Scalar, Simd};

/// A filter in blocks of channels.
#[derive(Debug)]
pub(super) struct Slide {
    set: Set,
    /// The first channel of each block. The last one may reach back into the one before, whose
    /// channels it computes again.
    firsts: Vec<usize>,
    /// What the bytes are exclusive-ored with to be what is multiplied.
    flip: u8,
    /// A pixel of zeros as they are in the input.
    padding: Buffer<u8>,
    /// For each block and column of the filter, for each four rows, four vectors of weights.
    weights: Buffer<i32>,
    /// For each block four vectors: what the sums start from.
    offsets: Buffer<i32>,
    /// As many factors.
    scales: Buffer<f32>,
}

/// What is known of an instruction set.
#[derive(Clone, Copy, Debug)]
struct Set {
    lanes: usize,
    words: usize,
    is_signed: bool,
    channel: fn(usize, usize) -> usize,
    run: Run,
}

impl Set {
    fn of<S: Quads>() -> Self {
        let (lanes, words, is_signed) = (S::Simd::LANES, S::WORDS, S::SIGNED);
        Set { lanes, words, is_signed, channel: S::channel, run: run::<S> }
    }

    /// The set for so many channels, of vectors that they fill.
    fn new(isa: Isa, channels: usize) -> Option<Self> {
        let set = match isa {
            Isa::Scalar => Set::of::<Scalar>(),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => Set::of::<crate::simd::Avx2>(),
            // A last block that reaches back is less work where there are many.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Amx | Isa::AmxBf16
                if channels.is_multiple_of(64) || channels > 256 =>
            {
                Set::of::<crate::simd::Avx512>()
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Amx | Isa::AmxBf16 => Set::of::<super::quads::x86::Half>(),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon => Set::of::<crate::simd::Neon>(),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Isa::Simd128 => Set::of::<crate::simd::Simd128>(),
            #[allow(unreachable_patterns, reason = "the sets of other architectures")]
            Isa::Avx2 | Isa::Avx512 | Isa::Amx | Isa::AmxBf16 | Isa::Neon | Isa::Simd128 => {
                return None;
            }
        };
        (isa.is_available() && channels >= set.block()).then_some(set)
    }

    /// The channels of a block.
    fn block(&self) -> usize {
        4 * self.lanes
    }
}

impl Slide {
    /// Packs a filter; `None` where it cannot slide.
    pub(super) fn new<T: Byte>(
        isa: Isa,
        filter: &Filter<'_, T>,
        window: &Window,
        terms: &Terms<'_>,
    ) -> Option<Self> {
        let size = window.kernel[0];
        let slides = matches!(window.kernel, [3, 3] | [5, 5])
            && matches!(window.strides[1], 1 | 2)
            && window.dilations[1] == 1;
        let set = Set::new(isa, filter.channels).filter(|_| slides)?;
        let (block, channels, fours) = (set.block(), filter.channels, size.div_ceil(4));
        let whole = (0..channels / block).map(|i| i * block);
        let rest = (!channels.is_multiple_of(block)).then(|| channels - block);
        let firsts: Vec<usize> = whole.chain(rest).collect();
        let differs = set.is_signed != terms.is_signed;
        let zero_point = match (differs, terms.is_signed) {
            (false, _) => terms.zero_point,
            (true, true) => terms.zero_point + 128,
            (true, false) => terms.zero_point - 128,
        };
        let mut slide = Self {
            set,
            flip: if differs { 0x80 } else { 0 },
            padding: Buffer::zeroed(channels),
            weights: Buffer::zeroed(firsts.len() * size * fours * set.words * block),
            offsets: Buffer::zeroed(firsts.len() * block),
            scales: Buffer::zeroed(firsts.len() * block),
            firsts,
        };
        slide.padding.fill(terms.zero_point as u8);
        let each_lane = (0..4).flat_map(|vector| (0..set.lanes).map(move |lane| (vector, lane)));
        for (i, first) in slide.firsts.iter().enumerate() {
            for (vector, lane) in each_lane.clone() {
                let channel = first + (set.channel)(vector, lane);
                let at = vector * set.lanes + lane;
                let mut sum = 0_i32;
                for (x, four) in (0..size).flat_map(|x| (0..fours).map(move |four| (x, four))) {
                    let row = |y: usize| {
                        let y = 4 * four + y;
                        if y < size { filter.tap(y, x, channel) } else { 0 }
                    };
                    let weights: [i32; 4] = std::array::from_fn(row);
                    if set.words == 1 && weights.iter().any(|&w| i8::try_from(w).is_err()) {
                        return None;
                    }
                    sum += weights.iter().sum::<i32>();
                    let words = if set.words == 1 { [bytes(weights), 0] } else { halves(weights) };
                    let to = ((i * size + x) * fours + four) * 4 + vector;
                    for (word, value) in words.into_iter().take(set.words).enumerate() {
                        slide.weights[(to * set.words + word) * set.lanes + lane] = value;
                    }
                }
                slide.offsets[i * block + at] =
                    terms.bias(channel).wrapping_sub(zero_point.wrapping_mul(sum));
                slide.scales[i * block + at] = terms.scale(channel);
            }
        }
        Some(slide)
    }

    /// Computes rows of the output, counted over all images.
    pub(super) fn run(
        &self,
        x: ByteImages<'_>,
        filter: &PackedBytes,
        rows: Range<usize>,
        to: &mut MatrixMut<'_, u8>,
    ) {
        let job = Job { x, filter, slide: self, rows, to };
        // SAFETY: `Set::new` has found the instruction set available.
        unsafe { (self.set.run)(job) };
    }
}

/// Rows of output.
struct Job<'a, 'b> {
    x: ByteImages<'a>,
    filter: &'a PackedBytes,
    slide: &'a Slide,
    rows: Range<usize>,
    to: &'a mut MatrixMut<'b, u8>,
}

/// # Safety
///
/// The machine has the instruction set that the function is compiled for.
type Run = unsafe fn(Job<'_, '_>);

/// # Safety
///
/// As for [`Run`].
unsafe fn run<S: Quads>(job: Job<'_, '_>) {
    // SAFETY: the caller vouches for the instruction set.
    let quads = unsafe { token::<S>() };
    quads.call(Rows { quads, job });
}

/// A job with the proof that it may run.
struct Rows<'a, 'b, S> {
    quads: S,
    job: Job<'a, 'b>,
}

impl<S: Quads> ForEachIsa for Rows<'_, '_, S> {
    type Output = ();

    #[inline(always)]
    fn run<Same: Simd>(self, _: Same) {
        let Self { quads, job } = self;
        let window = &job.filter.window;
        match (window.kernel[0], window.strides[1]) {
            (3, 1) => job.rows::<S, 3, 1, 1>(quads),
            (3, 2) => job.rows::<S, 3, 1, 2>(quads),
            (5, 1) => job.rows::<S, 5, 2, 1>(quads),
            (5, 2) => job.rows::<S, 5, 2, 2>(quads),
            other => unreachable!("only the common filters slide, not {other:?}"),
        }
    }
}

/// A row of the input, or what pads it: pixels of the same bytes.
#[derive(Clone, Copy)]
struct Line<'a> {
    data: &'a [u8],
    stride: usize,
}

impl Job<'_, '_> {
    /// All rows, with a filter of `K x K` taps, whose rows make `R` fours, `X` pixels apart.
    #[inline(always)]
    fn rows<S: Quads, const K: usize, const R: usize, const X: usize>(self, quads: S) {
        let Self { x, filter, slide, rows, to } = self;
        let window = &filter.window;
        let [height, width] = window.output;
        let line_len = window.input[1] * x.pixel_stride;
        for (i, row) in rows.enumerate() {
            let (image, oy) = (row / height, row % height);
            let mut lines = [Line { data: &slide.padding, stride: 0 }; K];
            for (ky, line) in lines.iter_mut().enumerate() {
                if let Some(y) = window.source(0, oy, ky) {
                    // The last pixel may end before the next would begin.
                    let data = &x.data[(image * window.input[0] + y) * line_len..];
                    let data = &data[..line_len.min(data.len())];
                    *line = Line { data, stride: x.pixel_stride };
                }
            }
            let mut to = to.part(i * width..(i + 1) * width, 0..filter.channels);
            for block in 0..slide.firsts.len() {
                let row = Row { slide, filter, lines, block };
                row.slide::<S, R, X>(quads, &mut to);
            }
        }
    }
}

/// A block of channels of a row of output.
struct Row<'a, const K: usize> {
    slide: &'a Slide,
    filter: &'a PackedBytes,
    lines: [Line<'a>; K],
    block: usize,
}

impl<const K: usize> Row<'_, K> {
    /// Adds each column of the input to the outputs that it lies under. Sums of an output start
    /// with the first column under it and leave with the last.
    #[inline(always)]
    fn slide<S: Quads, const R: usize, const X: usize>(&self, set: S, to: &mut MatrixMut<'_, u8>) {
        let Self { slide, filter, lines, block } = self;
        let window = &filter.window;
        let s = set.simd();
        let lanes = S::Simd::LANES;
        let (first, channels) = (slide.firsts[*block], 4 * lanes);
        let offsets = &slide.offsets[block * channels..][..channels];
        let scales = &slide.scales[block * channels..][..channels];
        let vector = S::WORDS * lanes;
        let len = K * R * 4 * vector;
        let weights = &slide.weights[block * len..][..len];
        let mut start = [s.splat_i32(0); 4];
        for (start, offsets) in start.iter_mut().zip(offsets.chunks_exact(lanes)) {
            *start = s.load_i32(offsets);
        }
        // Outputs that a column lies under together.
        let live = const { K.div_ceil(X) };
        let mut sums = [start; 5];
        for step in 0..window.output[1] + live - 1 {
            for d in (1..live).rev() {
                sums[d] = sums[d - 1];
            }
            sums[0] = start;
            for i in 0..X {
                // The first columns may be padding, and wrap round.
                let column = (step * X + i).wrapping_sub(window.padding[1]);
                for four in 0..R {
                    let mut rows = [&slide.padding[..]; 4];
                    for (y, row) in rows.iter_mut().enumerate() {
                        if column < window.input[1] {
                            let line = &lines[(4 * four + y).min(K - 1)];
                            *row = &line.data[column * line.stride..];
                        }
                        *row = &row[first..][..channels];
                    }
                    let quads = set.quads(rows, slide.flip);
                    for (d, sums) in sums.iter_mut().enumerate().take(live) {
                        let kx = d * X + i;
                        if kx < K {
                            let weights = &weights[(kx * R + four) * 4 * vector..][..4 * vector];
                            for v in 0..4 {
                                sums[v] = set.dot(quads[v], &weights[v * vector..], sums[v]);
                            }
                        }
                    }
                }
            }
            if let Some(ox) = (step + 1).checked_sub(live) {
                let mut bytes = sums[live - 1];
                for (x, scale) in bytes.iter_mut().zip(scales.chunks_exact(lanes)) {
                    *x = filter.bounds.apply(s, *x, s.load(scale));
                }
                set.store_bytes(bytes, &mut to.row(ox)[first..]);
            }
        }
    }
}
