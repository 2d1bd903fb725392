//! Registers of several rows, for the tiles that compute in such: shaped before, given back after.

/// What a tile needs that computes in registers of rows: A's rows in one segment and at equal
/// distances, and both operands in whole steps of k.
#[derive(Debug)]
#[allow(dead_code, reason = "not every architecture has such registers")]
pub(crate) struct Registers {
    /// The words that are multiplied at once.
    pub(crate) step: usize,
    /// Shapes them for so many rows.
    pub(crate) shape: unsafe fn(usize),
    /// Gives them back.
    pub(crate) release: unsafe fn(),
}

/// Registers in their shape, until this is dropped.
pub(crate) struct Shaped {
    registers: &'static Registers,
    rows: usize,
}

impl Shaped {
    /// Not shaped yet.
    ///
    /// # Safety
    ///
    /// The machine has them.
    pub(crate) unsafe fn new(registers: &'static Registers) -> Self {
        Self { registers, rows: 0 }
    }

    /// Shapes them for so many rows, unless they are.
    pub(crate) fn shape(&mut self, rows: usize) {
        if self.rows != rows {
            // SAFETY: the machine has them.
            unsafe { (self.registers.shape)(rows) };
            self.rows = rows;
        }
    }
}

impl Drop for Shaped {
    fn drop(&mut self) {
        // SAFETY: the machine has them.
        unsafe { (self.registers.release)() };
    }
}
