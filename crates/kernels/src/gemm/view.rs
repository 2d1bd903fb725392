//! Matrices inside slices, and the blocks of a result that threads share.

use std::marker::PhantomData;
use std::ops::Range;

/// A matrix inside a slice: element (i, j) is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// `rows x columns` elements with any strides.
    ///
    /// # Panics
    ///
    /// When the last element lies outside `data`.
    pub fn new(
        data: &'a [T],
        [rows, columns]: [usize; 2],
        [row_stride, column_stride]: [usize; 2],
    ) -> Self {
        if rows > 0 && columns > 0 {
            let last = (rows - 1) * row_stride + (columns - 1) * column_stride;
            assert!(
                last < data.len(),
                "a {rows} x {columns} matrix with strides {row_stride}, {column_stride} does not \
                 fit into {} elements",
                data.len()
            );
        }
        Self { data, rows, columns, row_stride, column_stride }
    }

    /// A matrix whose rows lie one after the other.
    pub fn row_major(data: &'a [T], [rows, columns]: [usize; 2]) -> Self {
        Self::new(data, [rows, columns], [columns, 1])
    }

    /// Rows and columns exchanged; nothing moves.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// A result, or a block of one: rows of adjacent elements, `stride` apart.
///
/// Blocks of one result interleave in memory, so this is a pointer rather than a slice.
#[derive(Debug)]
pub struct MatrixMut<'a, T> {
    start: *mut T,
    rows: usize,
    columns: usize,
    stride: usize,
    borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: a `MatrixMut` is exclusive access to its elements, as `&mut [T]` is.
unsafe impl<T: Send> Send for MatrixMut<'_, T> {}
// SAFETY: shared access to a `MatrixMut` gives no access to the elements but through `unsafe`.
unsafe impl<T: Sync> Sync for MatrixMut<'_, T> {}

impl<'a, T> MatrixMut<'a, T> {
    /// `rows x columns` elements of `data`, with rows `stride` apart.
    ///
    /// # Panics
    ///
    /// When the last element lies outside `data`, or rows overlap.
    pub fn new(data: &'a mut [T], [rows, columns]: [usize; 2], stride: usize) -> Self {
        assert!(rows <= 1 || columns <= stride, "rows of {columns} elements, {stride} apart");
        if rows > 0 && columns > 0 {
            assert!(
                (rows - 1) * stride + columns <= data.len(),
                "{rows} rows of {columns}, {stride} apart, do not fit into {} elements",
                data.len()
            );
        }
        Self { start: data.as_mut_ptr(), rows, columns, stride, borrow: PhantomData }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// From one row to the next, in elements.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The first element.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.start
    }

    /// One row.
    pub fn row(&mut self, i: usize) -> &mut [T] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        let start = self.start.wrapping_add(i * self.stride);
        // SAFETY: the row lies inside the slice that `new` checked, and `&mut self` is the only
        // access to it.
        unsafe { std::slice::from_raw_parts_mut(start, self.columns) }
    }

    /// A block as a matrix of its own, for as long as `self` is borrowed.
    pub fn part(&mut self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'_, T> {
        // SAFETY: the result borrows `self`, so nothing else can reach the elements meanwhile.
        unsafe { self.block(rows, columns) }
    }

    /// The same elements as one row, where nothing lies between the rows.
    pub fn flat(&mut self) -> Option<MatrixMut<'_, T>> {
        let columns = self.rows * self.columns;
        let is_whole = self.stride == self.columns || self.rows <= 1;
        is_whole.then_some(MatrixMut {
            start: self.start,
            rows: 1,
            columns,
            stride: columns,
            borrow: PhantomData,
        })
    }

    /// A block as a matrix of its own, so that threads can fill a result together.
    ///
    /// # Panics
    ///
    /// When the block reaches outside the matrix.
    ///
    /// # Safety
    ///
    /// Blocks that are used at the same time do not overlap, and `self` is not otherwise used.
    pub unsafe fn block(&self, rows: Range<usize>, columns: Range<usize>) -> MatrixMut<'a, T> {
        assert!(
            rows.start <= rows.end
                && rows.end <= self.rows
                && columns.start <= columns.end
                && columns.end <= self.columns,
            "rows {rows:?} and columns {columns:?} of a {} x {} matrix",
            self.rows,
            self.columns
        );
        MatrixMut {
            start: self.start.wrapping_add(rows.start * self.stride + columns.start),
            rows: rows.len(),
            columns: columns.len(),
            stride: self.stride,
            borrow: PhantomData,
        }
    }
}

/// Where a convolution's filter taps fall on its input: height first, width second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The input's size.
    pub input: [usize; 2],
    /// The output's size.
    pub output: [usize; 2],
    /// The filter's size.
    pub kernel: [usize; 2],
    /// Input pixels from one output pixel to the next.
    pub strides: [usize; 2],
    /// Input pixels from one tap to the next.
    pub dilations: [usize; 2],
    /// Padding above and on the left; below and on the right it follows from the output's size.
    pub padding: [usize; 2],
}

impl Window {
    /// The number of taps.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// The input coordinate along `axis` of a tap at an output coordinate, if it is not padding.
    #[inline]
    pub fn source(&self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        let padded = output * self.strides[axis] + tap * self.dilations[axis];
        // A coordinate in the leading padding wraps round and is out of range too.
        let at = padded.wrapping_sub(self.padding[axis]);
        (at < self.input[axis]).then_some(at)
    }

    /// The taps along `axis` that fall inside the input at an output coordinate.
    #[inline]
    pub fn taps_inside(&self, axis: usize, output: usize) -> Range<usize> {
        let (at, step) = (output * self.strides[axis], self.dilations[axis]);
        let (before, size) = (self.padding[axis], self.input[axis]);
        let first = before.saturating_sub(at).div_ceil(step);
        let end = (size + before).saturating_sub(at).div_ceil(step).min(self.kernel[axis]);
        first.min(end)..end
    }

    /// The rows of the input that some rows of the output are computed from, both counted over all
    /// images, from the first to the last.
    pub fn taken(&self, rows: Range<usize>) -> Range<usize> {
        if rows.is_empty() {
            return 0..0;
        }
        let [height, _] = self.input;
        let at = |row: usize, tap: usize| {
            let (image, y) = (row / self.output[0], row % self.output[0]);
            let y = (y * self.strides[0] + tap).saturating_sub(self.padding[0]);
            image * height + y.min(height)
        };
        at(rows.start, 0)..at(rows.end - 1, (self.kernel[0] - 1) * self.dilations[0] + 1)
    }
}

/// A channels-last image seen as the rows of a matrix: a row per output pixel of a convolution,
/// in the order batch, height, width; the columns run over filter height, width and channels.
#[derive(Clone, Copy, Debug)]
pub struct Pixels<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) window: &'a Window,
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    pub(crate) pixel_stride: usize,
    pub(crate) padding: T,
}

impl<'a, T: Copy> Pixels<'a, T> {
    /// `channels` of each pixel, from the first element of `data` on; pixels lie `pixel_stride`
    /// apart (a group of a convolution sees some of the channels), images follow one another.
    /// Outside the image is `padding`: zero, or what stands for it.
    ///
    /// # Panics
    ///
    /// When the last pixel lies outside `data`.
    pub fn new(
        data: &'a [T],
        window: &'a Window,
        batch: usize,
        channels: usize,
        pixel_stride: usize,
        padding: T,
    ) -> Self {
        let pixels = batch * window.input[0] * window.input[1];
        assert!(channels <= pixel_stride, "{channels} channels, pixels {pixel_stride} apart");
        assert!(
            pixels == 0 || (pixels - 1) * pixel_stride + channels <= data.len(),
            "{pixels} pixels, {pixel_stride} apart, do not fit into {} elements",
            data.len()
        );
        Self { data, window, batch, channels, pixel_stride, padding }
    }

    /// The number of output pixels.
    pub fn rows(&self) -> usize {
        self.batch * self.window.output[0] * self.window.output[1]
    }
}
