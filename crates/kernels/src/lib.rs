//! Arithmetic on slices for one CPU: knows strides and instruction sets, not graphs.
#![allow(unsafe_code, reason = "SIMD intrinsics; every block states what makes it sound")]

#[cfg(target_arch = "x86_64")]
pub(crate) mod amx;
pub mod arg;
pub mod attention;
pub mod buffer;
pub mod bytes;
pub mod convert;
pub mod copy;
pub mod depthwise;
mod float;
pub mod gather;
pub mod gemm;
pub mod integer;
pub mod isa;
pub mod map;
pub mod nibble;
pub mod norm;
pub mod peak;
pub mod pool;
pub mod quantize;
pub mod recurrent;
pub mod reduce;
pub mod resample;
pub mod scan;
pub mod simd;
pub mod softmax;
pub mod strided;
pub mod winograd;

pub use isa::Isa;
