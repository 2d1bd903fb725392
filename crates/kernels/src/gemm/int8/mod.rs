//! Products of 8-bit integers, exact in 32 bits, and what becomes of them.
//!
//! `C[i, j] = sum over k of (A[i, k] - a) * (B[k, j] - b[j])`, with a zero point `a` of A and `b` of
//! B. Tiles multiply the elements as they are; the zero points are accounted for afterwards from
//! the sums of B's columns, and of A's rows where `b` is not zero. A convolution's padding is its
//! input's zero point.

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
mod block;
pub(crate) mod finish;
mod pack;
mod rows;
#[cfg(test)]
mod tests;
mod tile;

pub use block::{gemm, scratch_bytes, scratch_bytes_for, widen};
pub use finish::{Finish, Output, Requantize};
pub use pack::{Byte, PackedB};

use super::partition::{Grid, grid};
use super::registers::Registers;
use crate::isa::{FIXED, Isa};
#[cfg(target_arch = "aarch64")]
use crate::simd::Neon;
use crate::simd::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use crate::simd::Simd128;
#[cfg(target_arch = "x86_64")]
use crate::simd::{Avx2, Avx512};
use finish::{RunFinish, run_finish};
pub(crate) use tile::Dot;
use tile::{Format, Run, run};

/// A tile of 8-bit products.
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
    /// The columns of a vector.
    lanes: usize,
    /// The elements that it multiplies.
    format: Format,
    /// Functions by rows and by vectors.
    sizes: &'static [&'static [Run]],
    finish: RunFinish,
    /// What it computes in, where those are not vectors.
    registers: Option<&'static Registers>,
}

/// The tile functions of one set: for each number of rows, those of so many vectors.
macro_rules! sizes {
    ($simd:ty; $vectors:tt; $($rows:literal),*) => {
        &[$(sizes!(@ $simd, $rows, $vectors)),*]
    };
    (@ $simd:ty, $rows:literal, [$($vectors:literal),*]) => {
        &[$(run::<$simd, $rows, $vectors>),*]
    };
}

/// The tiles of 8-bit products, weakest instruction set first.
pub static TILES: &[Tile] = &[
    Tile {
        name: "int8_4x4_scalar",
        isa: Isa::Scalar,
        mr: 4,
        nr: 4,
        lanes: 1,
        format: Format::I16,
        sizes: if FIXED { &[] } else { sizes!(Scalar; [1, 2, 3, 4]; 1, 2, 3, 4) },
        finish: run_finish::<Scalar>,
        registers: None,
    },
    #[cfg(target_arch = "x86_64")]
    Tile {
        name: "int8_6x16_avx2",
        isa: Isa::Avx2,
        mr: 6,
        nr: 16,
        lanes: 8,
        format: Format::I16,
        sizes: sizes!(Avx2; [1, 2]; 1, 2, 3, 4, 5, 6),
        finish: run_finish::<Avx2>,
        registers: None,
    },
    #[cfg(target_arch = "x86_64")]
    Tile {
        name: "int8_14x32_avx512vnni",
        isa: Isa::Avx512,
        mr: 14,
        nr: 32,
        lanes: 16,
        format: Format::U8,
        sizes: sizes!(Avx512; [1, 2]; 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14),
        finish: run_finish::<Avx512>,
        registers: None,
    },
    #[cfg(target_arch = "x86_64")]
    Tile {
        name: "int8_32x32_amx",
        isa: Isa::Amx,
        mr: amx::MR,
        nr: 32,
        lanes: 16,
        format: Format::U8,
        sizes: amx::SIZES,
        finish: run_finish::<Avx512>,
        registers: Some(&crate::amx::REGISTERS),
    },
    #[cfg(target_arch = "aarch64")]
    Tile {
        name: "int8_8x12_dotprod",
        isa: Isa::Neon,
        mr: 8,
        nr: 12,
        lanes: 4,
        format: Format::I8,
        sizes: sizes!(Neon; [1, 2, 3]; 1, 2, 3, 4, 5, 6, 7, 8),
        finish: run_finish::<Neon>,
        registers: None,
    },
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Tile {
        name: "int8_4x8_simd128",
        isa: Isa::Simd128,
        mr: 4,
        nr: 8,
        lanes: 4,
        format: Format::I16,
        sizes: sizes!(Simd128; [1, 2]; 1, 2, 3, 4),
        finish: run_finish::<Simd128>,
        registers: None,
    },
];

/// At least the elements of the greatest tile.
const MAX_TILE: usize = 32 * 32;
/// At least the columns of the widest.
pub(crate) const MAX_WIDTH: usize = 32;

impl Tile {
    /// The tile for an instruction set and sums of so many products: of the strongest one below it
    /// where it has none, or where registers would be filled with zeros for the most part.
    pub fn of(isa: Isa, products: usize) -> &'static Tile {
        let pays = |tile: &Tile| products >= tile.step() * tile.format.group();
        let of = |isa| {
            let mut tiles = TILES.iter().filter(|tile| tile.isa == isa && isa.is_available());
            tiles.find(|tile| tile.registers.is_none() || pays(tile))
        };
        isa.and_weaker().find_map(of).unwrap_or(&TILES[0])
    }

    /// Whether it multiplies integers of 16 bits, into which elements are converted.
    pub fn is_wide(&self) -> bool {
        self.format == Format::I16
    }

    /// How many products of 8-bit integers one lane of its instruction adds up.
    pub fn products_per_lane(&self) -> usize {
        self.format.group()
    }

    /// The words that columns and rows are whole multiples of, unless any number will do.
    fn step(&self) -> usize {
        self.registers.map_or(1, |registers| registers.step)
    }
}

/// Cuts `m x n`, sums of `k` products each, into at most `threads` blocks of nearly equal work that
/// read as little as can be, of what another thread wrote above all.
pub fn partition(tile: &Tile, sizes: [usize; 3], threads: usize) -> Grid {
    grid(tile.nr, sizes, threads)
}
