//! Constant data that is shared and never copied: a heap buffer, a slice of a mapped file, or the
//! number of one that lies in another place.

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Where the bytes of constants lie.
pub trait Storage: Send + Sync {
    /// All bytes.
    fn bytes(&self) -> &[u8];

    /// A hint that the range will not be read again soon; its contents must stay readable.
    fn release(&self, range: Range<usize>) {
        let _ = range;
    }

    /// The caller's number for bytes that lie in another place; [`Storage::bytes`] is empty then.
    fn external(&self) -> Option<u32> {
        None
    }
}

/// Bytes in another place.
struct External(u32);

impl Storage for External {
    fn bytes(&self) -> &[u8] {
        &[]
    }

    fn external(&self) -> Option<u32> {
        Some(self.0)
    }
}

impl Storage for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// A range of a shared storage; cloning shares it.
#[derive(Clone)]
pub struct Bytes {
    storage: Arc<dyn Storage>,
    range: Range<usize>,
}

impl Bytes {
    /// The given range of a storage, or `None` where it reaches outside.
    pub fn slice_of(storage: Arc<dyn Storage>, range: Range<usize>) -> Option<Bytes> {
        storage.bytes().get(range.clone())?;
        Some(Bytes { storage, range })
    }

    /// A stand-in for bytes that lie in another place, by the number that the caller gives them.
    ///
    /// A graph of such constants can be checked and printed, and read back from its text where
    /// the bytes are ([`text::parse_with`](crate::text::parse_with)); no engine takes it.
    pub fn external(id: u32) -> Bytes {
        Bytes { storage: Arc::new(External(id)), range: 0..0 }
    }

    /// The number, where the bytes lie in another place.
    pub fn external_id(&self) -> Option<u32> {
        self.storage.external()
    }

    /// Tells the storage that these bytes have been packed elsewhere.
    pub fn release(&self) {
        self.storage.release(self.range.clone());
    }

    /// Whether both are the same range of the same storage.
    pub fn is_same(&self, other: &Bytes) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage) && self.range == other.range
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        let range = 0..bytes.len();
        Bytes { storage: Arc::new(bytes), range }
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.storage.bytes()[self.range.clone()]
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        self.is_same(other) || (self.external_id() == other.external_id() && self[..] == other[..])
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.range.len())
    }
}
