//! Products of matrices, and convolutions as such.
//!
//! `C = A * B`: B is packed into panels ([`pack`]), when the graph is built if it is constant. A is
//! read where it lies, through a table of row pointers: so a convolution needs no second copy of
//! its input ([`Rows`]). [`gemm`] walks C tile by tile. The tiles are functions of one
//! instruction set each, listed in [`F32`].

mod block;
mod depth;
mod few;
pub mod int8;
mod narrow;
mod pack;
mod partition;
mod quantized;
pub(crate) mod registers;
mod row;
pub(crate) mod rows;
#[cfg_attr(not(target_arch = "x86_64"), path = "split/none.rs")]
mod split;
#[cfg(test)]
mod tests;
pub(crate) mod tile;
mod view;

pub use block::{Block, Finish, Post, Start, gemm, scratch_bytes};
pub use depth::Depth;
pub use pack::{Filter, PackedB, PackedRef, ToF32, pack, packed_len};
pub use partition::{Grid, partition};
pub use quantized::{Bits, PackedQuantized, Quantized};
pub use rows::Rows;
pub use split::scratch_bytes as split_scratch_bytes;
pub use view::{Matrix, MatrixMut, Pixels, Window};

use crate::isa::{FIXED, Isa};
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
use crate::simd::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::simd::Simd128;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use tile::{Run, run, sizes};
#[cfg(target_arch = "x86_64")]
use tile::{halves, run_half};

/// A tile: what computes `mr x nr` of C in registers.
#[derive(Debug)]
pub struct Tile {
    /// Names it in benches and in failures.
    pub name: &'static str,
    /// What it is compiled for.
    pub isa: Isa,
    /// The most rows.
    pub mr: usize,
    /// The columns of a panel.
    pub nr: usize,
    /// The columns of a vector: widths are multiples of it.
    pub lanes: usize,
    /// Functions by rows and by vectors.
    sizes: &'static [&'static [Run]],
    /// For 1, 2, .. rows: a function that computes so many panels at once.
    wide: &'static [(usize, Run)],
    /// Functions by rows, and by vectors before the last one, of which they compute the lower half.
    halves: &'static [[Run; 2]],
}

/// The tiles of f32 products, weakest instruction set first.
pub static F32: &[Tile] = &[
    Tile {
        name: "f32_4x4_scalar",
        isa: Isa::Scalar,
        mr: 4,
        nr: 4,
        lanes: 1,
        sizes: if FIXED { &[] } else { sizes!(Scalar, 4; [1, 2, 3, 4]; 1, 2, 3, 4) },
        wide: &[],
        halves: &[],
    },
    #[cfg(target_arch = "x86_64")]
    Tile {
        name: "f32_6x16_avx2",
        isa: Isa::Avx2,
        mr: 6,
        nr: 16,
        lanes: 8,
        sizes: sizes!(Avx2, 2; [1, 2]; 1, 2, 3, 4, 5, 6),
        wide: &[(4, run::<Avx2, 1, 8, 2>), (2, run::<Avx2, 2, 4, 2>), (2, run::<Avx2, 3, 4, 2>)],
        halves: &[],
    },
    #[cfg(target_arch = "x86_64")]
    AVX512,
    // Where products are not cut into parts it is the same tile.
    #[cfg(target_arch = "x86_64")]
    Tile { name: "f32_32x32_amx_bf16", isa: Isa::AmxBf16, ..AVX512 },
    #[cfg(target_arch = "aarch64")]
    Tile {
        name: "f32_8x12_neon",
        isa: Isa::Neon,
        mr: 8,
        nr: 12,
        lanes: 4,
        sizes: sizes!(Neon, 3; [1, 2, 3]; 1, 2, 3, 4, 5, 6, 7, 8),
        wide: &[(2, run::<Neon, 1, 6, 3>), (2, run::<Neon, 2, 6, 3>), (2, run::<Neon, 3, 6, 3>)],
        halves: &[],
    },
    // The sums, a row of B and one element of A: what the fifteen registers hold that browsers leave.
    #[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
    Tile {
        name: "f32_6x8_relaxed",
        isa: Isa::Simd128,
        mr: 6,
        nr: 8,
        lanes: 4,
        sizes: sizes!(Simd128, 2; [1, 2]; 1, 2, 3, 4, 5, 6),
        wide: &[(2, run::<Simd128, 1, 4, 2>)],
        halves: &[],
    },
    // A product that is not fused takes one more.
    #[cfg(all(
        target_arch = "wasm32",
        target_feature = "simd128",
        not(target_feature = "relaxed-simd")
    ))]
    Tile {
        name: "f32_5x8_simd128",
        isa: Isa::Simd128,
        mr: 5,
        nr: 8,
        lanes: 4,
        sizes: sizes!(Simd128, 2; [1, 2]; 1, 2, 3, 4, 5),
        wide: &[(2, run::<Simd128, 1, 4, 2>)],
        halves: &[],
    },
];

#[cfg(target_arch = "x86_64")]
const AVX512: Tile = Tile {
    name: "f32_14x32_avx512",
    isa: Isa::Avx512,
    mr: 14,
    nr: 32,
    lanes: 16,
    sizes: sizes!(Avx512, 2; [1, 2]; 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
    wide: &[
        (4, run::<Avx512, 1, 8, 2>),
        (4, run::<Avx512, 2, 8, 2>),
        (2, run::<Avx512, 3, 4, 2>),
        (2, run::<Avx512, 4, 4, 2>),
        (2, run::<Avx512, 5, 4, 2>),
        (2, run::<Avx512, 6, 4, 2>),
    ],
    halves: halves!(Avx512, Avx2; 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
};

/// At least the elements of the greatest tile, several panels wide where there are few rows.
const MAX_TILE: usize = 14 * 32;
/// At least the columns of the widest.
const MAX_WIDTH: usize = 4 * 32;

impl Tile {
    /// The tile for an instruction set: of the strongest one below it where it has none.
    pub fn of(isa: Isa) -> &'static Tile {
        let of = |isa| F32.iter().find(|tile| tile.isa == isa && isa.is_available());
        isa.and_weaker().find_map(of).unwrap_or(&F32[0])
    }

    /// Whether it is for products of floats in [parts](PackedRef::in_parts).
    pub fn is_in_parts(&self) -> bool {
        self.isa == Isa::AmxBf16
    }

    /// The number of panels of `n` columns.
    pub fn panels(&self, n: usize) -> usize {
        n.div_ceil(self.nr)
    }

    /// The columns that one tile of so many rows computes where that many are left.
    fn wide_columns(&self, rows: usize) -> usize {
        self.wide.get(rows - 1).map_or(self.nr, |(panels, _)| panels * self.nr)
    }

    /// Whether the last columns of a panel of so many are computed in half a vector.
    fn halves_at(&self, columns: usize) -> bool {
        !self.halves.is_empty() && (1..=self.lanes / 2).contains(&(columns % self.lanes))
    }

    /// The columns that the function for so many, at most those of a panel, writes.
    fn written(&self, columns: usize) -> usize {
        let unit = if self.halves_at(columns) { self.lanes / 2 } else { self.lanes };
        columns.next_multiple_of(unit)
    }

    /// The function for a tile of so many rows and columns.
    pub(crate) fn run(&self, rows: usize, columns: usize) -> Run {
        if columns > self.nr {
            assert_eq!(columns, self.wide_columns(rows), "wide tiles are of one width");
            self.wide[rows - 1].1
        } else if self.halves_at(columns) {
            self.halves[rows - 1][columns / self.lanes]
        } else {
            self.sizes[rows - 1][columns.div_ceil(self.lanes) - 1]
        }
    }
}
