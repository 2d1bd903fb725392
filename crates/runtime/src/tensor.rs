//! Memory that belongs to a context.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use webnn_core::{Bytes, DataType, Desc, Shape};

use crate::context::Inner;
use crate::sync::lock;

/// What a tensor shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorDescriptor {
    /// The type of the elements.
    pub data_type: DataType,
    /// The sizes of the dimensions.
    pub shape: Vec<u32>,
    /// Whether programs may read it.
    pub readable: bool,
    /// Whether programs may write it.
    pub writable: bool,
}

impl TensorDescriptor {
    /// A tensor that only graphs read and write.
    pub fn new(data_type: DataType, shape: &[u32]) -> TensorDescriptor {
        TensorDescriptor { data_type, shape: shape.to_vec(), readable: false, writable: false }
    }

    /// The same, to be read by programs.
    #[must_use]
    pub fn readable(self) -> TensorDescriptor {
        TensorDescriptor { readable: true, ..self }
    }

    /// The same, to be written by programs.
    #[must_use]
    pub fn writable(self) -> TensorDescriptor {
        TensorDescriptor { writable: true, ..self }
    }
}

impl From<Desc> for TensorDescriptor {
    fn from(desc: Desc) -> TensorDescriptor {
        TensorDescriptor::new(desc.data_type, &desc.shape)
    }
}

/// A tensor of a context. Clones are the same tensor; the last one gives the memory back.
#[derive(Clone)]
pub struct Tensor(pub(crate) Arc<TensorInner>);

pub(crate) struct TensorInner {
    pub(crate) context: Arc<Inner>,
    pub(crate) desc: Desc,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) memory: Memory,
    is_destroyed: AtomicBool,
}

/// Where a tensor's elements lie.
pub(crate) enum Memory {
    /// Touched by the timeline alone; `None` once given back.
    Timeline(Mutex<Option<webnn_cpu::Tensor>>),
    /// Shared with the graphs that use the constant.
    Constant(Mutex<Option<Bytes>>),
    /// Held by an engine in another place.
    Elsewhere,
}

impl Tensor {
    pub(crate) fn new(
        context: Arc<Inner>,
        desc: Desc,
        (readable, writable): (bool, bool),
        memory: Memory,
    ) -> Tensor {
        let is_destroyed = AtomicBool::new(false);
        Tensor(Arc::new(TensorInner { context, desc, readable, writable, memory, is_destroyed }))
    }

    /// The type of the elements.
    pub fn data_type(&self) -> DataType {
        self.0.desc.data_type
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> Shape {
        self.0.desc.shape
    }

    /// Type and shape.
    pub fn desc(&self) -> Desc {
        self.0.desc
    }

    /// Whether programs may read it.
    pub fn readable(&self) -> bool {
        self.0.readable
    }

    /// Whether programs may write it.
    pub fn writable(&self) -> bool {
        self.0.writable
    }

    /// Whether it was made by [`Context::create_constant_tensor`](crate::Context).
    pub fn is_constant(&self) -> bool {
        match self.0.memory {
            Memory::Timeline(_) | Memory::Elsewhere => false,
            Memory::Constant(_) => true,
        }
    }

    /// Gives the memory back once the work that is already queued is done; pending reads fail
    /// with `InvalidState`. Again does nothing.
    pub fn destroy(&self) {
        if !self.0.is_destroyed.swap(true, Ordering::AcqRel) {
            self.0.context.release_tensor(&self.0);
        }
    }
}

impl TensorInner {
    pub(crate) fn is_destroyed(&self) -> bool {
        self.is_destroyed.load(Ordering::Acquire) || self.context.is_lost()
    }

    /// The bytes of a constant tensor that has not been destroyed.
    pub(crate) fn constant(&self) -> Option<Bytes> {
        match &self.memory {
            Memory::Timeline(_) | Memory::Elsewhere => None,
            Memory::Constant(bytes) => lock(bytes).clone(),
        }
    }

    /// Gives the memory back now.
    pub(crate) fn free(&self) {
        let was_held = match &self.memory {
            Memory::Timeline(buffer) => lock(buffer).take().is_some(),
            Memory::Constant(bytes) => lock(bytes).take().is_some(),
            Memory::Elsewhere => false,
        };
        if was_held {
            self.context.give_back(self.desc.byte_length());
        }
    }
}

impl Drop for TensorInner {
    fn drop(&mut self) {
        self.free();
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tensor")
            .field("desc", &self.0.desc)
            .field("readable", &self.0.readable)
            .field("writable", &self.0.writable)
            .field("is_constant", &self.is_constant())
            .field("is_destroyed", &self.0.is_destroyed())
            .finish()
    }
}
