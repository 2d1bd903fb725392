//! The operators that take more than one line of the table, by family.

pub(crate) mod activation;
pub(crate) mod attention;
mod attention_contrib;
pub(crate) mod bits;
pub(crate) mod contrib;
pub(crate) mod control;
pub(crate) mod conv;
pub(crate) mod deform;
pub(crate) mod einsum;
pub(crate) mod elementwise;
pub(crate) mod hyperbolic;
pub(crate) mod index;
pub(crate) mod loss;
pub(crate) mod matrix;
pub(crate) mod ml;
pub(crate) mod nbits;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod quant;
pub(crate) mod recurrent;
pub(crate) mod reduce;
pub(crate) mod resize;
pub(crate) mod sample;
pub(crate) mod sequence;
pub(crate) mod shape;
pub(crate) mod signal;
