//! Chains of convolutions that pass their images on in strips: a few rows of an image that is too
//! large for the cache are computed, taken by what follows, and forgotten.

use std::ops::Range;

use webnn_kernels::buffer::Scratch;
use webnn_kernels::gemm::MatrixMut;

use crate::blocks::{Cells, SharedCells};
use crate::io::Io;
use crate::kernel::{ByRows, Kernel, Strip};
use crate::threads::{Pieces, Threads};

/// The most kernels of a chain.
pub(crate) const MOST: usize = 3;

/// The bytes of the strips that one thread holds: they stay in the cache beside what they are
/// computed from.
const STRIPS: usize = 1 << 18;

/// A chain of kernels of which each takes the image of the one before.
struct Strips {
    stages: Vec<Stage>,
    /// The rows of the last result that are computed at a time.
    height: usize,
    /// The rows of the last result, a share for each thread.
    cells: Cells,
    parts: usize,
}

/// One kernel of a chain.
struct Stage {
    kernel: Box<dyn Kernel>,
    /// Where the chain's reads are the kernel's; the first, unless it is the chain's, is a strip.
    first_read: usize,
    /// The most rows of its result, or of its strip, that it computes or holds at a time.
    rows: usize,
}

impl Stage {
    fn rows(&self) -> &dyn ByRows {
        self.kernel.by_rows().expect("chains are made of kernels that compute by rows")
    }
}

/// The last rows of one stage's result, in a ring. What takes a row for a row of its own has a ring of
/// the same rows, so that pieces that lie one after the other in the one do so in the other.
#[derive(Default)]
struct Held<'a> {
    data: &'a mut [f32],
    columns: usize,
    /// The first row of all, which lies at place 0.
    first: usize,
    /// How many rows there are places for.
    held: usize,
    /// Where the rows end that are there.
    end: usize,
}

impl Held<'_> {
    /// Where the first of some rows lies, and as many more of them as follow there.
    fn place(&mut self, rows: Range<usize>) -> (Range<usize>, MatrixMut<'_, f32>) {
        let at = (rows.start - self.first) % self.held;
        let rows = rows.start..rows.end.min(rows.start + self.held - at);
        let size = [rows.len(), self.columns];
        (rows, MatrixMut::new(&mut self.data[at * self.columns..], size, self.columns))
    }

    fn strip(&self) -> Strip<'_> {
        Strip { data: self.data, first: self.first, held: self.held }
    }
}

/// The kernel for a chain of kernels, each with the number of operands that it reads: all those of
/// the first are the chain's, then those of the others but their first. The result has so many rows
/// of `width` pixels, to be shared out in `parts`.
pub(crate) fn chain(
    kernels: Vec<(Box<dyn Kernel>, usize)>,
    [height, width]: [usize; 2],
    parts: usize,
) -> Box<dyn Kernel> {
    let mut stages = Vec::with_capacity(kernels.len());
    let mut reads = 0;
    for (kernel, count) in kernels {
        let first_read = if stages.is_empty() { 0 } else { reads - 1 };
        reads = first_read + count;
        stages.push(Stage { kernel, first_read, rows: 0 });
    }
    let columns = stages[stages.len() - 1].rows().columns();
    let cuts = (0..=parts).map(|part| part * height / parts * width).collect();
    let cells = Cells::new(cuts, vec![0, columns]);
    let mut chain = Strips { stages, height: width, cells, parts };
    chain.plan();
    let share = height.div_ceil(parts);
    // As high as strips can be, and as equal.
    let mut strips = share;
    for rows in 2..=share {
        let less = share.div_ceil(rows);
        if less == strips {
            continue;
        }
        let height = std::mem::replace(&mut chain.height, share.div_ceil(less) * width);
        chain.plan();
        if chain.held_bytes() > STRIPS {
            chain.height = height;
            chain.plan();
            break;
        }
        strips = less;
    }
    Box::new(chain)
}

impl Strips {
    /// Notes how many rows each stage computes or holds for strips of this height.
    fn plan(&mut self) {
        let mut most = [0; MOST];
        for part in 0..self.parts {
            let rows = self.cells.rows(part);
            for start in rows.clone().step_by(self.height) {
                let needs = self.needs(start..rows.end.min(start + self.height));
                for (most, need) in most.iter_mut().zip(needs) {
                    *most = need.len().max(*most);
                }
            }
        }
        for (stage, most) in self.stages.iter_mut().zip(most) {
            stage.rows = most;
        }
    }

    /// The rows that each stage has to have made for some rows of the last one's result.
    fn needs(&self, rows: Range<usize>) -> [Range<usize>; MOST] {
        let mut needs = [const { 0..0 }; MOST];
        let last = self.stages.len() - 1;
        needs[last] = rows;
        for i in (0..last).rev() {
            let takes = self.stages[i + 1].rows().takes(needs[i + 1].clone());
            needs[i] = takes.expect("only the first of a chain takes a whole operand");
        }
        needs
    }

    /// The working memory of one thread.
    fn part_bytes(&self) -> usize {
        let bytes = self.held_bytes() + Scratch::bytes_for::<u8>(self.stage_bytes());
        bytes.next_multiple_of(64)
    }

    /// The working memory of any one stage.
    fn stage_bytes(&self) -> usize {
        let stages = self.stages.iter().map(|stage| stage.rows().part_bytes(stage.rows));
        stages.max().unwrap_or(0)
    }

    /// The bytes of the strips that one thread holds.
    fn held_bytes(&self) -> usize {
        let held = &self.stages[..self.stages.len() - 1];
        held.iter()
            .map(|stage| Scratch::bytes_for::<f32>(stage.rows * stage.rows().columns()))
            .sum()
    }

    /// Computes some rows of the last result, and of the others what these take.
    fn rows(
        &self,
        rows: Range<usize>,
        mut result: MatrixMut<'_, f32>,
        io: &Io<'_>,
        bytes: &mut [u8],
    ) {
        let last = self.stages.len() - 1;
        let mut scratch = Scratch::new(bytes);
        let mut rings: [Held<'_>; MOST] = Default::default();
        let first = self.needs(rows.start..rows.end.min(rows.start + self.height));
        for ((ring, stage), first) in rings.iter_mut().zip(&self.stages[..last]).zip(first) {
            let columns = stage.rows().columns();
            let data = scratch.take(stage.rows * columns);
            *ring = Held { data, columns, first: first.start, held: stage.rows, end: first.start };
        }
        let working = scratch.take::<u8>(self.stage_bytes());
        for start in rows.clone().step_by(self.height) {
            let strip = start..rows.end.min(start + self.height);
            let needs = self.needs(strip.clone());
            for (i, stage) in self.stages.iter().enumerate() {
                let io = io.reads_from(stage.first_read);
                let (before, after) = rings.split_at_mut(i);
                let operand = match before.last() {
                    None => Strip::whole(io.read(0)),
                    Some(ring) => ring.strip(),
                };
                let need = needs[i].clone();
                let mut start = if i == last { need.start } else { after[0].end.max(need.start) };
                while start < need.end {
                    let missing = start..need.end;
                    let (piece, place) = if i == last {
                        let inside = missing.start - rows.start..missing.end - rows.start;
                        (missing, result.part(inside, 0..stage.rows().columns()))
                    } else {
                        after[0].place(missing)
                    };
                    start = piece.end;
                    stage.rows().compute(piece, operand, place, &io, working);
                }
                if i < last {
                    after[0].end = start;
                }
            }
        }
    }
}

impl Kernel for Strips {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        Scratch::bytes_for::<u8>(self.parts * self.part_bytes())
    }

    fn packed_bytes(&self) -> usize {
        self.stages.iter().map(|stage| stage.kernel.packed_bytes()).sum()
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let part_bytes = self.part_bytes();
        let scratch = Scratch::new(io.scratch()).take::<u8>(self.parts * part_bytes);
        let output = io.write::<f32>(0);
        let io = &*io;
        let last = self.stages[self.stages.len() - 1].rows();
        let [stride, first] = last.inside();
        let rows = output.len() / stride;
        let matrix = MatrixMut::new(&mut output[first..], [rows, last.columns()], stride);
        let cells = SharedCells::new(matrix, &self.cells, self.parts);
        let scratches = Pieces::new(scratch, part_bytes, self.parts);
        threads.run(self.parts, &|part| {
            let (_, scratch) = scratches.take(part);
            for cell in cells.take(part) {
                self.rows(cell.rows, cell.matrix, io, scratch);
            }
        });
    }
}
