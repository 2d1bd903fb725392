//! Transposed convolutions of channels-last images.
//!
//! The output pixels that are a stride apart see the same taps of the filter, so each such phase is
//! a plain convolution of the input with stride 1 and some of the taps, in reverse. A row of the
//! output is computed phase by phase, each writing every so many pixels; then the epilogue runs
//! over the whole row.
//!
//! A plain convolution multiplies the padding, too, which adds nothing unless a tap is infinite or
//! NaN. Filters with such taps are not packed, and computed tap by tap.

use std::ops::Range;

use webnn_core::NodeId;
use webnn_core::ops::ConvTranspose2d;
use webnn_core::ops::conv2d::InputLayout;
use webnn_kernels::Isa;
use webnn_kernels::buffer::{Buffer, Scratch};
use webnn_kernels::gemm::{
    self, Block, Depth, Filter, Finish, Matrix, MatrixMut, PackedB, PackedRef, Pixels, Rows, Start,
    Tile, Window, gemm, pack, packed_len,
};
use webnn_kernels::map::clamp_in_place;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::epilogue::{Bias, Epilogue, EpilogueBuilder};
use crate::threads::{Pieces, Threads};

/// Multiplications and additions that are worth waking a thread for.
const LEAST_FLOPS: usize = 400_000;

/// The outputs `r`, `r + stride`, `r + 2 * stride` .. along one axis.
#[derive(Debug)]
struct Phase {
    /// The taps that they see, in the order in which the input passes by.
    taps: Vec<usize>,
    /// Input pixels from tap to tap.
    dilation: usize,
    /// Where the first tap falls for the first output: before the input, or inside it.
    first: isize,
    /// How many outputs there are.
    count: usize,
}

impl Phase {
    /// The phases of one axis.
    fn all([output, kernel]: [usize; 2], [stride, dilation, padding]: [usize; 3]) -> Vec<Phase> {
        let phase = |r: usize| {
            // Output `r` of tap `t` comes from the input pixel `(r + padding - t * dilation) / stride`.
            let at = |tap: usize| (r + padding) as isize - (tap * dilation) as isize;
            let is_seen = |tap: &usize| at(*tap).rem_euclid(stride as isize) == 0;
            let taps: Vec<usize> = (0..kernel).rev().filter(is_seen).collect();
            let place = |tap: usize| at(tap) / stride as isize;
            Phase {
                dilation: match taps[..] {
                    [first, second, ..] => (place(second) - place(first)) as usize,
                    [_] | [] => 1,
                },
                first: taps.first().map_or(0, |&tap| place(tap)),
                count: output.saturating_sub(r).div_ceil(stride),
                taps,
            }
        };
        (0..stride.min(output)).map(phase).collect()
    }

    /// Outputs that are passed over, because the first tap of the first one lies inside the input.
    fn skipped(&self) -> usize {
        self.first.max(0) as usize
    }
}

/// The filter: its taps, channels of a group in and out, and the distances between neighbours.
#[derive(Clone, Copy)]
struct Taps {
    /// Input channels of a group, output channels of a group.
    channels: [usize; 2],
    /// Height, width, input channels, output channels.
    strides: [usize; 4],
}

struct Transposed {
    input: [usize; 4],
    output: [usize; 4],
    groups: usize,
    strides: [usize; 2],
    phases: [Vec<Phase>; 2],
    windows: Vec<Window>,
    filter: Taps,
    /// By group and phase; packed when the graph was compiled if the filter is constant.
    packed: Vec<PackedB>,
    tile: &'static Tile,
    epilogue: Epilogue,
    parts: usize,
    isa: Isa,
}

/// The kernel for a transposed convolution and the element-wise nodes after it; `None` for channels
/// first, which is laid out otherwise before.
#[inline(never)]
pub(crate) fn lower(op: &ConvTranspose2d, cx: &Cx<'_>, after: &[NodeId]) -> Option<Built> {
    if op.input_layout == InputLayout::Nchw {
        return None;
    }
    let of = |sizes: Vec<usize>| -> Option<[usize; 4]> { sizes.try_into().ok() };
    let (input, output) = (of(sizes(&cx.input(0)))?, of(sizes(&cx.output(0)))?);
    let filter_sizes = sizes(&cx.input(1));
    let groups = op.groups as usize;
    let (i, o, kh, kw) = op.filter_layout.axes();
    let filter_strides = cx.input(1).shape.strides();
    let filter = Taps {
        channels: [filter_sizes[i] / groups, filter_sizes[o]],
        strides: [kh, kw, i, o].map(|axis| filter_strides[axis]),
    };
    let strides = op.strides.map(|stride| stride as usize);
    let phases = [0, 1].map(|axis| {
        let kernel = filter_sizes[[kh, kw][axis]];
        let moves = [strides[axis], op.dilations[axis] as usize, op.padding[2 * axis] as usize];
        Phase::all([output[axis + 1], kernel], moves)
    });
    let mut reads = vec![cx.id(0)];
    let constant = cx.floats(cx.id(1)).filter(|data| data.iter().all(|tap| tap.is_finite()));
    if constant.is_none() {
        reads.push(cx.id(1));
    }
    let (epilogue, result) = EpilogueBuilder::new(*cx, &mut reads).convolution(after)?;
    if matches!(epilogue.bias, Bias::ReadRows(_)) {
        // The phases' rows are not the result's.
        return None;
    }
    let rows = output[0] * output[1];
    let flops = 2 * input.iter().product::<usize>() * filter_sizes.iter().product::<usize>()
        / filter_sizes[i];
    let mut kernel = Transposed {
        input,
        output,
        groups,
        strides,
        windows: Vec::new(),
        phases,
        filter,
        packed: Vec::new(),
        tile: Tile::of(cx.isa),
        epilogue,
        parts: (flops / LEAST_FLOPS).clamp(1, cx.threads.count()).min(rows),
        isa: cx.isa,
    };
    kernel.windows = kernel.phase_pairs().map(|[y, x]| kernel.window(y, x)).collect();
    if let Some(data) = constant {
        let mut gathered = Buffer::zeroed(kernel.longest());
        for group in 0..groups {
            for [y, x] in kernel.phase_pairs().collect::<Vec<_>>() {
                let filter = kernel.gather(&data, group, [y, x], &mut gathered);
                let packed = PackedB::new(kernel.tile, filter);
                kernel.packed.push(packed);
            }
        }
    }
    Some(Built { kernel: Box::new(kernel), reads, writes: vec![result] })
}

impl Transposed {
    /// The phases of rows and columns, each pair of them.
    fn phase_pairs(&self) -> impl Iterator<Item = [usize; 2]> + use<> {
        let (rows, columns) = (self.phases[0].len(), self.phases[1].len());
        (0..rows).flat_map(move |y| (0..columns).map(move |x| [y, x]))
    }

    /// The taps of a pair of phases.
    fn taps(&self, [y, x]: [usize; 2]) -> usize {
        self.phases[0][y].taps.len() * self.phases[1][x].taps.len()
    }

    /// The convolution that a pair of phases is.
    fn window(&self, y: usize, x: usize) -> Window {
        let axes = [&self.phases[0][y], &self.phases[1][x]];
        Window {
            input: [self.input[1], self.input[2]],
            output: axes.map(|phase| phase.count + phase.skipped()),
            kernel: axes.map(|phase| phase.taps.len()),
            strides: [1, 1],
            dilations: axes.map(|phase| phase.dilation),
            padding: axes.map(|phase| (-phase.first).max(0) as usize),
        }
    }

    /// The elements of one group's filter for the pair of phases with the most taps.
    fn longest(&self) -> usize {
        let most = |axis: usize| self.phases[axis].iter().map(|phase| phase.taps.len()).max();
        let [inputs, outputs] = self.filter.channels;
        most(0).unwrap_or(0) * most(1).unwrap_or(0) * inputs * outputs
    }

    /// The elements that the longest filter takes when it is packed.
    fn longest_packed(&self) -> usize {
        let [_, outputs] = self.filter.channels;
        packed_len(self.tile, self.longest() / outputs, outputs)
    }

    /// One group's taps for a pair of phases, one after the other.
    fn gather<'a>(
        &self,
        data: &[f32],
        group: usize,
        [y, x]: [usize; 2],
        into: &'a mut [f32],
    ) -> Filter<'a, f32> {
        let [inputs, outputs] = self.filter.channels;
        let [row, column, input, output] = self.filter.strides;
        let (rows, columns) = (&self.phases[0][y].taps, &self.phases[1][x].taps);
        let taps = rows.iter().flat_map(|&y| columns.iter().map(move |&x| y * row + x * column));
        let pixels =
            taps.flat_map(|tap| (0..inputs).map(move |i| tap + (group * inputs + i) * input));
        for (into, from) in into.chunks_exact_mut(outputs).zip(pixels) {
            for (o, into) in into.iter_mut().enumerate() {
                *into = data[from + o * output];
            }
        }
        let shape = [rows.len(), columns.len(), inputs, outputs];
        let strides = [columns.len() * inputs * outputs, inputs * outputs, outputs, 1];
        Filter::new(into, shape, strides)
    }

    /// The working bytes of one thread: for the tiles, for what follows them, and to pack filters.
    fn part_bytes(&self) -> [usize; 3] {
        let [inputs, _] = self.filter.channels;
        let tiles = self.windows.iter().map(|window| {
            let depth = Depth::window(window, inputs, self.input[3]);
            gemm::scratch_bytes(depth, window.output[1])
        });
        let filters = match self.packed.is_empty() {
            true => {
                Scratch::bytes_for::<f32>(self.longest())
                    + Scratch::bytes_for::<f32>(self.longest_packed())
            }
            false => 0,
        };
        let most = tiles.max().unwrap_or(0);
        [
            Scratch::bytes_for::<u8>(most),
            Scratch::bytes_for::<u8>(self.epilogue.scratch_bytes()),
            filters,
        ]
    }

    /// Adds to some rows of the output what one group's filter of one pair of phases gives.
    fn phase(
        &self,
        [y, x, group]: [usize; 3],
        filter: PackedRef<'_>,
        (rows, to): (Range<usize>, &mut [f32]),
        start: Start<'_>,
        images: &[f32],
        scratch: &mut [u8],
    ) {
        let [_, height, width, channels] = self.output;
        let [inputs, outputs] = self.filter.channels;
        let (down, across) = (&self.phases[0][y], &self.phases[1][x]);
        let window = &self.windows[y * self.phases[1].len() + x];
        let pixels = Pixels::new(
            &images[group * inputs..],
            window,
            self.input[0],
            inputs,
            self.input[3],
            0.0,
        );
        let finish = Finish { start, clamp: self.epilogue.clamp, ..Finish::NONE };
        for row in rows.clone().filter(|row| row % height % self.strides[0] == y) {
            let line =
                row / height * window.output[0] + row % height / self.strides[0] + down.skipped();
            let first = line * window.output[1] + across.skipped();
            let block = Block { rows: first..first + across.count, columns: 0..outputs };
            let to = &mut to[(row - rows.start) * width * channels..][..width * channels];
            let to = &mut to[x * channels + group * outputs..];
            let stride = self.strides[1] * channels;
            let c = MatrixMut::new(to, [across.count, outputs], stride);
            gemm(&Rows::Pixels(pixels), filter, c, &block, &finish, scratch);
        }
    }

    /// The same as [`Self::phase`] with taps that are not packed, over elements of the input alone.
    fn phase_by_taps(
        &self,
        [y, x, group]: [usize; 3],
        filter: &[f32],
        (rows, to): (Range<usize>, &mut [f32]),
        bias: Option<&[f32]>,
        images: &[f32],
    ) {
        let [_, height, width, channels] = self.output;
        let [inputs, outputs] = self.filter.channels;
        let (down, across) = (&self.phases[0][y], &self.phases[1][x]);
        let window = &self.windows[y * self.phases[1].len() + x];
        for row in rows.clone().filter(|row| row % height % self.strides[0] == y) {
            let image = row / height * self.input[1];
            let place = row % height / self.strides[0] + down.skipped();
            let line = &mut to[(row - rows.start) * width * channels..][..width * channels];
            let pixels = line.chunks_exact_mut(channels).skip(x).step_by(self.strides[1]);
            for (column, pixel) in pixels.enumerate() {
                let sums = &mut pixel[group * outputs..][..outputs];
                match bias {
                    Some(bias) => sums.copy_from_slice(&bias[group * outputs..][..outputs]),
                    None => sums.fill(0.0),
                }
                for (tap, taps) in filter.chunks_exact(inputs * outputs).enumerate() {
                    let [tap_y, tap_x] = [tap / window.kernel[1], tap % window.kernel[1]];
                    let source = window.source(0, place, tap_y);
                    let column = column + across.skipped();
                    let Some((y, x)) = source.zip(window.source(1, column, tap_x)) else {
                        continue;
                    };
                    let from = ((image + y) * self.input[2] + x) * self.input[3] + group * inputs;
                    for (element, taps) in images[from..].iter().zip(taps.chunks_exact(outputs)) {
                        sums.iter_mut().zip(taps).for_each(|(sum, tap)| *sum += element * tap);
                    }
                }
                clamp_in_place(self.isa, sums, self.epilogue.clamp);
            }
        }
    }

    /// Fills the pixels of a pair of phases that no tap reaches.
    fn fill(&self, pair: [usize; 2], rows: Range<usize>, to: &mut [f32], bias: Option<&[f32]>) {
        let [_, height, width, channels] = self.output;
        for (row, line) in rows.zip(to.chunks_exact_mut(width * channels)) {
            if row % height % self.strides[0] != pair[0] {
                continue;
            }
            let pixels = line.chunks_exact_mut(channels).skip(pair[1]).step_by(self.strides[1]);
            for pixel in pixels {
                match bias {
                    Some(bias) => pixel.copy_from_slice(bias),
                    None => pixel.fill(0.0),
                }
                clamp_in_place(self.isa, pixel, self.epilogue.clamp);
            }
        }
    }
}

impl Kernel for Transposed {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        self.parts * self.part_bytes().iter().sum::<usize>()
    }

    fn packed_bytes(&self) -> usize {
        let packed = self
            .packed
            .iter()
            .map(|b| packed_len(self.tile, b.view().rows(), b.view().columns()) * size_of::<f32>());
        packed.sum::<usize>() + self.epilogue.packed_bytes()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let [batch, height, width, channels] = self.output;
        let part_bytes = self.part_bytes();
        let each = part_bytes.iter().sum::<usize>();
        let scratches = Pieces::new(io.scratch(), each, self.parts);
        let output = io.write::<f32>(0);
        let io = &*io;
        let pieces = Pieces::new(output, width * channels, self.parts);
        let bias = match &self.epilogue.bias {
            Bias::None => None,
            Bias::Columns(values) => Some(&values[..]),
            Bias::ReadColumns(index) => Some(io.read::<f32>(*index)),
            Bias::ReadRows(_) => unreachable!("refused when the graph was compiled"),
        };
        debug_assert!(batch * height >= self.parts, "every part has a row");
        threads.run(self.parts, &|part| {
            let (rows, to) = pieces.take(part);
            let mut scratch = Scratch::new(scratches.take(part).1);
            let tiles = scratch.take::<u8>(part_bytes[0] - webnn_kernels::buffer::ALIGN);
            let post = scratch.take::<f32>(self.epilogue.scratch_bytes() / size_of::<f32>());
            let (gathered, packed) = match self.packed.is_empty() {
                true => (scratch.take(self.longest()), scratch.take(self.longest_packed())),
                false => (scratch.take(0), scratch.take(0)),
            };
            for group in 0..self.groups {
                let [_, outputs] = self.filter.channels;
                let start = match bias {
                    Some(bias) => Start::Columns(&bias[group * outputs..]),
                    None => Start::Zero,
                };
                for (i, pair) in self.phase_pairs().enumerate() {
                    if self.taps(pair) == 0 {
                        self.fill(pair, rows.clone(), to, bias);
                        continue;
                    }
                    let index = group * self.windows.len() + i;
                    let place = [pair[0], pair[1], group];
                    let images = io.read(0);
                    let filter = match self.packed.get(index) {
                        Some(packed) => packed.view(),
                        None => {
                            let k = self.gather(io.read(1), group, pair, gathered).rows();
                            let taps = &gathered[..k * outputs];
                            if !taps.iter().all(|tap| tap.is_finite()) {
                                self.phase_by_taps(place, taps, (rows.clone(), to), bias, images);
                                continue;
                            }
                            let filter = Matrix::row_major(taps, [k, outputs]).into();
                            pack(self.tile, filter, 0..self.tile.panels(outputs), packed);
                            PackedRef::new(self.tile, packed, [k, outputs])
                        }
                    };
                    self.phase(place, filter, (rows.clone(), to), start, images, tiles);
                }
            }
            if self.epilogue.has_post() {
                let pixels = rows.start * width..rows.end * width;
                let mut block = MatrixMut::new(to, [pixels.len(), channels], channels);
                self.epilogue.finish(self.isa, pixels, 0..channels, &mut block, io, post);
            }
        });
    }
}
