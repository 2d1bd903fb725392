//! Bytes that move as they are: into an output that cannot be computed in place, and parts that
//! are joined.

use crate::io::Io;
use crate::kernel::Kernel;
use crate::threads::Threads;

/// Fewer bytes are copied by one thread.
pub(crate) const LEAST_BYTES: usize = 1 << 16;

/// One operand, byte for byte.
pub(crate) struct Copy;

impl Kernel for Copy {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let from = io.read::<u8>(0);
        threads.rows(io.write(0), 1, LEAST_BYTES, |range, to: &mut [u8]| {
            to.copy_from_slice(&from[range]);
        });
    }
}
