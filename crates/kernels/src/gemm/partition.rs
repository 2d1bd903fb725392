//! How threads share a product.

use super::{Block, Tile};

/// A grid of blocks, one per thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    m: usize,
    n: usize,
    nr: usize,
    /// The number of blocks down.
    pub down: usize,
    /// The number of blocks across.
    pub across: usize,
}

/// Cuts `m x n`, sums of `k` products each, into at most `threads` blocks of nearly equal work that
/// read as little as can be, of what another thread wrote above all.
pub fn partition(tile: &Tile, sizes: [usize; 3], threads: usize) -> Grid {
    grid(tile.nr, sizes, threads)
}

/// A row costs as much as its products with so many columns, before there is any.
const ROW: usize = 16;
/// A column costs as much as its products with so many rows.
const COLUMN: usize = 8;
/// An element that another thread wrote last costs as much as so many products: where the two threads'
/// cores share no cache it costs more.
const FOREIGN: u64 = 24;

/// As [`partition`], for panels of `nr` columns.
pub(crate) fn grid(nr: usize, [m, n, k]: [usize; 3], threads: usize) -> Grid {
    let panels = n.div_ceil(nr);
    let cost = |down: usize, across: usize| {
        let (rows, columns) = (m.div_ceil(down), (panels.div_ceil(across) * nr).min(n));
        // Most steps share out rows, all columns of each. Then a thread has written its share of the
        // rows of A that it reads here, and reads its share of the rows of C in the next step.
        let own = m.div_ceil(down * across);
        let foreign = (rows - own) * k + own * (n - columns);
        // Beside its products every row has to be found, and every panel to be read.
        let products = rows * columns + ROW * rows + COLUMN * columns;
        // Where addresses have 32 bits, the products of large matrices are more than those count.
        products as u64 * k as u64 + FOREIGN * foreign as u64
    };
    let (down, across) = (1..=threads.clamp(1, m.max(1)))
        .map(|down| (down, (threads / down).clamp(1, panels.max(1))))
        .min_by_key(|&(down, across)| cost(down, across))
        .unwrap_or((1, 1));
    Grid { m, n, nr, down, across }
}

impl Grid {
    /// The number of blocks.
    pub fn len(&self) -> usize {
        self.down * self.across
    }

    /// Whether there are no blocks: never, as an empty product still has its one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One block; together they are all of C, without overlap.
    pub fn block(&self, i: usize) -> Block {
        let (y, x) = (i / self.across, i % self.across);
        let panels = self.n.div_ceil(self.nr);
        let row = |y: usize| y * self.m / self.down;
        let column = |x: usize| (x * panels / self.across * self.nr).min(self.n);
        Block { rows: row(y)..row(y + 1), columns: column(x)..column(x + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gemm::F32;

    #[test]
    fn blocks_cover_the_result_once() {
        for tile in F32 {
            for [m, n] in [[1, 1], [1, 1000], [49, 512], [3136, 64], [197, 197], [5, 0], [0, 5]] {
                for threads in [1, 2, 3, 4, 7, 64] {
                    let grid = partition(tile, [m, n, 64], threads);
                    let mut seen = vec![0; m * n];
                    for block in (0..grid.len()).map(|i| grid.block(i)) {
                        for i in block.rows {
                            for j in block.columns.clone() {
                                seen[i * n + j] += 1;
                            }
                        }
                    }
                    assert!(
                        grid.len() <= threads && seen.iter().all(|&times| times == 1),
                        "{}: {m} x {n} for {threads} threads",
                        tile.name
                    );
                }
            }
        }
    }

    #[test]
    fn rows_are_shared_out_unless_that_costs_more() {
        let tile = Tile::of(crate::Isa::best());
        // Both threads read all of a B that is small beside A and C, and else its half.
        for (sizes, grid) in [
            ([197, 768, 192], [2, 1]),
            ([197, 192, 768], [2, 1]),
            ([196, 480, 80], [2, 1]),
            ([49, 1152, 192], [1, 2]),
            ([1, 1024, 1024], [1, 2]),
        ] {
            let found = partition(tile, sizes, 2);
            assert_eq!([found.down, found.across], grid, "{sizes:?}");
        }
    }

    #[test]
    fn two_threads_halve_the_work() {
        let tile = Tile::of(crate::Isa::best());
        for [m, n] in [[1, 1024], [49, 512], [196, 512], [3136, 64], [12544, 32], [384, 384]] {
            let grid = partition(tile, [m, n, 256], 2);
            let most = (0..grid.len())
                .map(|i| grid.block(i).rows.len() * grid.block(i).columns.len())
                .max()
                .expect("there is a block");
            assert!(most * 2 <= m * n * 11 / 10, "{m} x {n}: {most} of {}", m * n);
        }
    }
}
