//! From operators to kernels: one exhaustive match.

use webnn_core::Result;

use crate::kernel::{Built, Cx};

pub(crate) mod concat;
pub(crate) mod copy;
mod reference;

/// The kernel for one node.
pub(crate) fn lower(cx: &Cx<'_>) -> Result<Built> {
    Ok(reference::lower(cx))
}
