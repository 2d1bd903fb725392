//! The bytes of a tensor.

use webnn_core::{Error, ErrorKind, Result};

/// Where vector loads of every instruction set are aligned, and cache lines begin.
const ALIGNMENT: usize = 64;

/// Zeroed bytes that begin at a multiple of 64.
#[derive(Debug)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    length: usize,
}

impl Buffer {
    /// Fails where there is no memory.
    pub(crate) fn zeroed(length: usize) -> Result<Buffer> {
        let no_memory = || {
            Error::new(ErrorKind::Unknown, format!("{length} bytes of memory are not to be had"))
        };
        let total = length.checked_add(ALIGNMENT).ok_or_else(no_memory)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(total).map_err(|_| no_memory())?;
        bytes.resize(total, 0);
        let start = bytes.as_ptr().align_offset(ALIGNMENT);
        // `align_offset` may decline; alignment is for speed alone.
        let start = if start <= ALIGNMENT { start } else { 0 };
        Ok(Buffer { bytes, start, length })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.length]
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_zeroed_and_aligned() {
        for length in [0, 1, 63, 64, 65, 4096] {
            let buffer = Buffer::zeroed(length).unwrap();
            assert!(buffer.bytes().iter().all(|&byte| byte == 0), "{length}");
            assert_eq!(buffer.bytes().len(), length);
            assert_eq!(buffer.bytes().as_ptr() as usize % ALIGNMENT, 0, "{length}");
        }
        assert_eq!(Buffer::zeroed(usize::MAX).unwrap_err().kind(), ErrorKind::Unknown);
        assert_eq!(
            Buffer::zeroed(isize::MAX as usize - 64).unwrap_err().kind(),
            ErrorKind::Unknown
        );
    }
}
