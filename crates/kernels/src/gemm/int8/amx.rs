//! The tile of AMX: 32 rows and 32 columns of sums in four registers.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use super::tile::{Call, Run};
use super::{Finish, Output, PackedB, Tile, gemm, scratch_bytes};
use crate::Isa;
use crate::amx::{
    ROW, SIDE, is_usable, load_a, multiply, multiply_b, release, shape, start_columns, store_sums,
    width,
};
use crate::gemm::{Block, Filter, Matrix, MatrixMut, Rows};

/// The most rows.
pub(super) const MR: usize = 2 * SIDE;

/// Functions by rows and by vectors of columns.
pub(super) static SIZES: &[&[Run]] = &{
    let short: &[Run] = &[run::<false, false>, run::<false, true>];
    let tall: &[Run] = &[run::<true, false>, run::<true, true>];
    let mut sizes = [short; MR];
    let mut rows = SIDE;
    while rows < MR {
        sizes[rows] = tall;
        rows += 1;
    }
    sizes
};

/// Computes more rows than a register has if `TALL`, and more columns if `WIDE`.
///
/// # Safety
///
/// As for [`Run`]; the registers are shaped for the call's rows.
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
unsafe fn run<const TALL: bool, const WIDE: bool>(call: &Call) {
    // SAFETY: there is a row at least.
    let first = unsafe { call.rows.read() };
    let b = call.b.cast::<u8>();
    // SAFETY: there is a start for each column. The rows of A lie in equal strides, and they and the
    // panel's columns have `words` words, whole registers. There is room for the sums of all rows.
    unsafe {
        start_columns::<TALL, WIDE>(call.start.cast());
        for step in 0..call.words / SIDE {
            load_a::<TALL>(first.wrapping_add(step * ROW), call.stride);
            multiply_b!("tdpbusd", b.wrapping_add(step * SIDE * width(WIDE)));
        }
        store_sums::<TALL, WIDE>(call.sums.cast());
    }
}

/// Whether products are faster here in tile registers than in vectors: a machine may well emulate
/// what it says it has. Measured once.
pub(crate) fn pays() -> bool {
    static PAYS: LazyLock<bool> = LazyLock::new(|| {
        let [vectors, registers] = [Isa::Avx512, Isa::Amx].map(time);
        registers < vectors
    });
    *PAYS
}

/// The least time of some products of one size.
fn time(isa: Isa) -> Duration {
    const M: usize = 64;
    const N: usize = 64;
    const K: usize = 1024;
    const TRIALS: usize = 4;
    let (a, filter) = (vec![1_u8; M * K], vec![1_i8; K * N]);
    let a = Rows::Matrix(Matrix::row_major(&a, [M, K]));
    let filter = Filter::from(Matrix::row_major(&filter, [K, N]));
    let b = PackedB::new(Tile::of(isa, K), filter, a.depth(), &[0]);
    let mut sums = vec![0; M * N];
    let mut scratch = vec![0; scratch_bytes(&b, M)];
    let block = Block { rows: 0..M, columns: 0..N };
    let mut trial = || {
        let start = Instant::now();
        let output = Output::I32(MatrixMut::new(&mut sums, [M, N], N));
        gemm(&a, 0, &b, &block, Finish { bias: &[], output }, &mut scratch);
        start.elapsed()
    };
    (0..TRIALS).map(|_| trial()).min().unwrap_or_default()
}

/// Multiplies registers `rounds` times; gives how many lanes of 32 bits it multiplied.
///
/// # Panics
///
/// Where there are none.
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "each instruction is one")]
pub(crate) fn dots(rounds: usize) -> u64 {
    assert!(is_usable(), "the machine has the tile registers");
    // SAFETY: they are usable, and shaped before they are used.
    unsafe {
        shape(MR);
        for _ in 0..rounds {
            multiply!("tdpbusd", 0, 4, 6);
            multiply!("tdpbusd", 1, 4, 7);
            multiply!("tdpbusd", 2, 5, 6);
            multiply!("tdpbusd", 3, 5, 7);
        }
        release();
    }
    (rounds * 4 * SIDE * SIDE * SIDE) as u64
}
