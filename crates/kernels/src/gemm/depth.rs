//! How the inner dimension is cut. It depends on nothing but the operands' shapes, so that sums
//! have one order.

use super::view::Window;

/// The inner dimension: `segments` runs of `len` elements each, as rows of A hold them.
///
/// A matrix is one run. A convolution is a run per tap, or per filter row where a pixel's few
/// channels would make runs too short and neighbours in a filter row are neighbours in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depth {
    pub(crate) segments: usize,
    pub(crate) len: usize,
}

/// Shorter runs of channels than this are joined along the filter's width.
const SHORT: usize = 40;

impl Depth {
    /// The inner dimension of a product of matrices.
    pub fn matrix(k: usize) -> Self {
        Self { segments: 1, len: k }
    }

    /// The inner dimension of a convolution, with `channels` per group in pixels of `pixel_stride`.
    pub fn window(window: &Window, channels: usize, pixel_stride: usize) -> Self {
        let [height, width] = window.kernel;
        let adjacent = channels == pixel_stride && window.dilations[1] == 1;
        if channels < SHORT && adjacent && width > 1 {
            Self { segments: height, len: width * channels }
        } else {
            Self { segments: height * width, len: channels }
        }
    }

    /// The number of elements.
    pub fn elements(self) -> usize {
        self.segments * self.len
    }

    /// Cuts into blocks of at most `limit` elements (a multiple of 16), as equal as can be.
    ///
    /// There is one empty block where there are no elements, so that results are still written.
    pub(crate) fn blocks(self, limit: usize) -> impl Iterator<Item = Piece> {
        // Pieces of a segment when it is too long, else groups of whole segments.
        let per_segment = self.len.div_ceil(limit).max(1);
        let piece = self.len.div_ceil(per_segment).next_multiple_of(16).min(self.len).max(1);
        let groups = if per_segment > 1 {
            self.segments
        } else {
            self.segments.div_ceil((limit / self.len.max(1)).max(1)).max(1)
        };
        let segments = self.segments;
        let len = self.len;
        (0..groups).flat_map(move |group| {
            let from = group * segments / groups;
            let to = (group + 1) * segments / groups;
            (0..len.div_ceil(piece).max(1)).map(move |i| Piece {
                segments: from..to,
                start: i * piece,
                len: piece.min(len - i * piece),
                whole: len,
            })
        })
    }
}

/// A block of the inner dimension: `start..start + len` of each of some segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) segments: std::ops::Range<usize>,
    pub(crate) start: usize,
    pub(crate) len: usize,
    whole: usize,
}

impl Piece {
    /// All of a depth.
    pub(crate) fn whole(depth: Depth) -> Self {
        Self { segments: 0..depth.segments, start: 0, len: depth.len, whole: depth.len }
    }

    /// The number of elements before the piece.
    pub(crate) fn offset(&self) -> usize {
        self.segments.start * self.whole + self.start
    }

    /// The number of elements of the piece.
    pub(crate) fn elements(&self) -> usize {
        self.segments.len() * self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_the_depth_in_order() {
        for (segments, len) in
            [(1, 0), (1, 1), (1, 27), (1, 1024), (1, 1000), (9, 64), (9, 3), (9, 960)]
        {
            for limit in [16, 112, 256, 384, 4096] {
                let mut next = 0;
                for piece in (Depth { segments, len }).blocks(limit) {
                    assert_eq!(piece.offset(), next, "{segments} x {len} by {limit}: {piece:?}");
                    assert!(piece.elements() <= limit, "{segments} x {len}: {piece:?}");
                    next += piece.elements();
                }
                assert_eq!(next, segments * len, "{segments} x {len} by {limit}");
            }
        }
    }

    #[test]
    fn few_channels_are_joined_along_the_width() {
        let window = Window {
            input: [224, 224],
            output: [112, 112],
            kernel: [7, 7],
            strides: [2, 2],
            dilations: [1, 1],
            padding: [3, 3],
        };
        assert_eq!(Depth::window(&window, 3, 3), Depth { segments: 7, len: 21 });
        assert_eq!(Depth::window(&window, 3, 6), Depth { segments: 49, len: 3 });
        assert_eq!(Depth::window(&window, 64, 64), Depth { segments: 49, len: 64 });
    }
}
