//! AMX: the tile registers of some x86-64 server cores, and what it takes to use them.
//!
//! A tile holds up to 16 rows of 64 bytes. One instruction multiplies a tile of A, whose rows are
//! words along k, with a tile of B, whose rows are the words of all columns at one place of k, and
//! adds that to a tile of sums: the words and their order are those of the vectors' products, of
//! which it does 16 x 16 x 16. Source: Intel 64 and IA-32 Architectures Software Developer's Manual,
//! volume 1, "Programming with Intel Advanced Matrix Extensions", and volume 2.

use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::LazyLock;

use crate::gemm::registers::Registers;

/// The rows of a tile, and the words of a row.
pub(crate) const SIDE: usize = 16;
/// The bytes of a row.
pub(crate) const ROW: usize = 4 * SIDE;

/// Whether this process may use tiles, of bytes and of bfloat16: the CPU has them, and the
/// operating system keeps them for it. Asked once.
pub(crate) fn is_usable() -> bool {
    static USABLE: LazyLock<bool> = LazyLock::new(|| has_tiles() && is_permitted());
    *USABLE
}

fn has_tiles() -> bool {
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    const INT8: u32 = 1 << 25;
    const ALL: u32 = BF16 | TILE | INT8;
    const FEATURES: u32 = 7;
    __cpuid(0).eax >= FEATURES && __cpuid_count(FEATURES, 0).edx & ALL == ALL
}

/// Asks the operating system to keep the tiles of this process's threads: it has no room for them
/// unless it is asked.
#[cfg(target_os = "linux")]
fn is_permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: the call takes two numbers and touches no memory of the process.
    let error =
        unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) };
    error == 0
}

/// How other systems are asked is not known here.
#[cfg(not(target_os = "linux"))]
fn is_permitted() -> bool {
    false
}

/// The shapes of the tiles, as the instruction that sets them reads them.
#[derive(Debug)]
#[repr(C, align(64))]
struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    /// The bytes of a row, per tile.
    bytes: [u16; 16],
    rows: [u8; 16],
}

/// What drivers of tiles need to know.
pub(crate) static REGISTERS: Registers = Registers { step: SIDE, shape, release };

/// Shapes the tiles for sums of `rows` rows, at most twice a tile's, and forgets what they held.
///
/// The tiles 0 and 1 are the sums of the first rows, of two tiles' columns, 2 and 3 those of the
/// other rows, 4 and 5 are A's of those rows, 6 and 7 are B's of those columns.
///
/// # Safety
///
/// Tiles are usable.
pub(crate) unsafe fn shape(rows: usize) {
    assert!((1..=2 * SIDE).contains(&rows), "two tiles hold at most {} rows: {rows}", 2 * SIDE);
    let mut shapes =
        Shapes { palette: 1, start_row: 0, reserved: [0; 14], bytes: [0; 16], rows: [0; 16] };
    let (first, other) = (rows.min(SIDE), rows.saturating_sub(SIDE));
    for (tile, rows) in [first, first, other, other, first, other, SIDE, SIDE].iter().enumerate() {
        shapes.rows[tile] = *rows as u8;
        shapes.bytes[tile] = if *rows == 0 { 0 } else { ROW as u16 };
    }
    // SAFETY: the instruction reads the 64 bytes of `shapes`, which are a valid palette.
    unsafe {
        asm!(
            "ldtilecfg [{}]",
            in(reg) &raw const shapes,
            options(readonly, nostack, preserves_flags)
        );
    }
}

/// Empties the tiles, so that neither the core nor the operating system keeps them.
///
/// # Safety
///
/// Tiles are usable.
pub(crate) unsafe fn release() {
    // SAFETY: the instruction touches tiles only.
    unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
}

// What instructions do with the tiles, which are numbered as `shape` has them. The compiler has no use
// of its own for tiles, so that they keep what they hold from one instruction to the next. All are for
// more rows than a tile has if `TALL`, and for more columns if `WIDE`.

/// Sets a tile to zero.
macro_rules! zero {
    ($tile:literal) => {
        asm!(concat!("tilezero tmm", $tile), options(nomem, nostack, preserves_flags))
    };
}

/// Loads a tile from rows of so many bytes' distance.
macro_rules! load {
    ($tile:literal, $from:expr, $stride:expr) => {
        std::arch::asm!(
            concat!("tileloadd tmm", $tile, ", [{from} + {stride}]"),
            from = in(reg) $from,
            stride = in(reg) $stride,
            options(readonly, nostack, preserves_flags)
        )
    };
}

/// Stores a tile into rows of so many bytes' distance.
macro_rules! store {
    ($tile:literal, $to:expr, $stride:expr) => {
        asm!(
            concat!("tilestored [{to} + {stride}], tmm", $tile),
            to = in(reg) $to,
            stride = in(reg) $stride,
            options(nostack, preserves_flags)
        )
    };
}

/// Adds the products of A's and B's tiles to a tile of sums, with the instruction of a name.
macro_rules! multiply {
    ($dot:literal, $sums:literal, $a:literal, $b:literal) => {
        std::arch::asm!(
            concat!($dot, " tmm", $sums, ", tmm", $a, ", tmm", $b),
            options(nomem, nostack, preserves_flags)
        )
    };
}
pub(crate) use {load, multiply};

/// The bytes of a row of sums, and of a panel of B.
pub(crate) const fn width(wide: bool) -> usize {
    if wide { 2 * ROW } else { ROW }
}

/// Sums that start from zero.
///
/// # Safety
///
/// Tiles are shaped.
#[inline(always)]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
pub(crate) unsafe fn start_zero<const TALL: bool, const WIDE: bool>() {
    // SAFETY: as the caller vouches.
    unsafe {
        zero!(0);
        if WIDE {
            zero!(1);
        }
        if TALL {
            zero!(2);
        }
        if TALL && WIDE {
            zero!(3);
        }
    }
}

/// Sums that start from a number per column, the same for all rows.
///
/// # Safety
///
/// Tiles are shaped, and there is a number for each column.
#[inline(always)]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
pub(crate) unsafe fn start_columns<const TALL: bool, const WIDE: bool>(from: *const u8) {
    // No bytes lie between two rows.
    // SAFETY: as the caller vouches.
    unsafe {
        load!(0, from, 0_usize);
        if WIDE {
            load!(1, from.wrapping_add(ROW), 0_usize);
        }
        if TALL {
            load!(2, from, 0_usize);
        }
        if TALL && WIDE {
            load!(3, from.wrapping_add(ROW), 0_usize);
        }
    }
}

/// Loads A's tiles from rows of a distance.
///
/// # Safety
///
/// Tiles are shaped, and all rows may be read.
#[inline(always)]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
pub(crate) unsafe fn load_a<const TALL: bool>(from: *const u8, stride: usize) {
    // SAFETY: as the caller vouches.
    unsafe {
        load!(4, from, stride);
        if TALL {
            load!(5, from.wrapping_add(SIDE * stride), stride);
        }
    }
}

/// Loads B's tiles and adds their products with A's to the sums, with the instruction of a name.
/// Unsafe as the shape of the tiles, and that the panel has all of their rows, is the caller's word.
macro_rules! multiply_b {
    ($dot:literal, $from:expr) => {{
        let width = $crate::amx::width(WIDE);
        $crate::amx::load!(6, $from, width);
        $crate::amx::multiply!($dot, 0, 4, 6);
        if TALL {
            $crate::amx::multiply!($dot, 2, 5, 6);
        }
        if WIDE {
            $crate::amx::load!(7, $from.wrapping_add($crate::amx::ROW), width);
            $crate::amx::multiply!($dot, 1, 4, 7);
        }
        if TALL && WIDE {
            $crate::amx::multiply!($dot, 3, 5, 7);
        }
    }};
}
pub(crate) use multiply_b;

/// Stores the sums, row by row.
///
/// # Safety
///
/// Tiles are shaped, and there is room for all rows.
#[inline(always)]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
pub(crate) unsafe fn store_sums<const TALL: bool, const WIDE: bool>(to: *mut u8) {
    let width = width(WIDE);
    let below = to.wrapping_add(SIDE * width);
    // SAFETY: as the caller vouches.
    unsafe {
        store!(0, to, width);
        if WIDE {
            store!(1, to.wrapping_add(ROW), width);
        }
        if TALL {
            store!(2, below, width);
        }
        if TALL && WIDE {
            store!(3, below.wrapping_add(ROW), width);
        }
    }
}
