//! Memory of a tensor.

use std::ops::{Deref, DerefMut};

use webnn_core::{Desc, Error, ErrorKind, Result};
use webnn_kernels::buffer::Buffer;

/// A tensor's type, shape and bytes; reads as a slice of bytes, aligned for every element type.
#[derive(Debug)]
pub struct Tensor {
    desc: Desc,
    bytes: Buffer<u8>,
}

impl Tensor {
    /// A tensor full of zeros.
    pub fn zeroed(desc: Desc) -> Result<Tensor> {
        match usize::try_from(desc.byte_length()) {
            Ok(bytes) if isize::try_from(bytes).is_ok() => {
                Ok(Tensor { desc, bytes: Buffer::zeroed(bytes) })
            }
            _too_large => Err(Error::new(
                ErrorKind::Unknown,
                format!("{desc} takes {} bytes, expected to fit in memory", desc.byte_length()),
            )),
        }
    }

    /// A tensor with the given bytes, as long as the descriptor says.
    pub fn from_bytes(desc: Desc, bytes: &[u8]) -> Result<Tensor> {
        let mut tensor = Tensor::zeroed(desc)?;
        webnn_core::ensure!(
            bytes.len() == tensor.len(),
            "{} bytes were given, expected {} for {desc}",
            bytes.len(),
            tensor.len()
        );
        tensor.copy_from_slice(bytes);
        Ok(tensor)
    }

    /// Type and shape.
    pub fn desc(&self) -> &Desc {
        &self.desc
    }
}

impl Deref for Tensor {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Tensor {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}
