//! The blocks of a matrix that threads fill together.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use webnn_kernels::gemm::MatrixMut;

use crate::threads::{MAX_THREADS, share};

/// A matrix cut by rows and by columns: cell (i, j) lies between neighbouring cuts.
#[derive(Debug)]
pub(crate) struct Cells {
    rows: Vec<usize>,
    columns: Vec<usize>,
}

impl Cells {
    /// The cells between cuts, first and last included, in ascending order.
    ///
    /// # Panics
    ///
    /// When there are fewer than two cuts, or they are out of order.
    pub(crate) fn new(rows: Vec<usize>, columns: Vec<usize>) -> Cells {
        for cuts in [&rows, &columns] {
            assert!(cuts.len() >= 2 && cuts.is_sorted(), "cuts {cuts:?} are in order");
        }
        Cells { rows, columns }
    }

    /// How many cells there are.
    pub(crate) fn len(&self) -> usize {
        (self.rows.len() - 1) * (self.columns.len() - 1)
    }

    /// The rows between two cuts.
    pub(crate) fn rows(&self, down: usize) -> Range<usize> {
        self.rows[down]..self.rows[down + 1]
    }

    /// Where columns are cut, first and last included.
    pub(crate) fn column_cuts(&self) -> &[usize] {
        &self.columns
    }

    /// The most rows of a cell.
    pub(crate) fn tallest(&self) -> usize {
        self.rows.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    fn ranges(&self, cell: usize) -> (Range<usize>, Range<usize>) {
        let across = self.columns.len() - 1;
        let (i, j) = (cell / across, cell % across);
        (self.rows[i]..self.rows[i + 1], self.columns[j]..self.columns[j + 1])
    }
}

/// One cell, to be filled.
pub(crate) struct Cell<'a, T> {
    /// Which cut its rows follow.
    pub(crate) down: usize,
    /// Which cut its columns follow.
    pub(crate) across: usize,
    pub(crate) rows: Range<usize>,
    pub(crate) columns: Range<usize>,
    pub(crate) matrix: MatrixMut<'a, T>,
}

/// A matrix whose cells are handed out once, in as many parts as there are threads.
pub(crate) struct SharedCells<'a, T> {
    matrix: MatrixMut<'a, T>,
    cells: &'a Cells,
    parts: usize,
    taken: AtomicU64,
}

impl<'a, T> SharedCells<'a, T> {
    /// # Panics
    ///
    /// When there are more parts than threads can be.
    pub(crate) fn new(
        matrix: MatrixMut<'a, T>,
        cells: &'a Cells,
        parts: usize,
    ) -> SharedCells<'a, T> {
        assert!(parts <= MAX_THREADS, "{parts} parts, expected at most {MAX_THREADS}");
        SharedCells { matrix, cells, parts, taken: AtomicU64::new(0) }
    }

    /// The cells of one part.
    ///
    /// # Panics
    ///
    /// When there is no such part, or it has been taken before.
    pub(crate) fn take(&self, part: usize) -> impl Iterator<Item = Cell<'a, T>> + '_ {
        assert!(part < self.parts, "part {part} of {}", self.parts);
        let before = self.taken.fetch_or(1 << part, Ordering::Relaxed);
        assert!(before & (1 << part) == 0, "part {part} is taken twice");
        let across = self.cells.columns.len() - 1;
        share(self.cells.len(), self.parts, part).map(move |cell| {
            let (rows, columns) = self.cells.ranges(cell);
            // SAFETY: cuts are in order, so cells do not overlap; each belongs to one part, which
            // is handed out once, and the matrix is not otherwise used.
            let matrix = unsafe { self.matrix.block(rows.clone(), columns.clone()) };
            Cell { down: cell / across, across: cell % across, rows, columns, matrix }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_handed_out_once() {
        let cells = Cells::new(vec![0, 2, 5], vec![0, 3, 4, 7]);
        for parts in 1..=7 {
            let mut data = vec![0.0; 5 * 7];
            let shared = SharedCells::new(MatrixMut::new(&mut data, [5, 7], 7), &cells, parts);
            for part in 0..parts {
                for mut cell in shared.take(part) {
                    (0..cell.rows.len()).for_each(|i| {
                        cell.matrix.row(i).iter_mut().for_each(|x| *x += 1.0);
                    });
                }
            }
            assert_eq!(data, vec![1.0; 35], "{parts} parts");
        }
    }
}
