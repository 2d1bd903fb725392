//! Products of floats in parts, where no CPU has registers for them.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Range;

use super::block::{Edge, Pass};
use super::rows::{Heights, Ready};
use super::view::MatrixMut;
use crate::buffer::Scratch;

pub(super) const MR: usize = 1;

/// None is ever made.
pub(super) struct Split<'s>(Infallible, PhantomData<&'s ()>);

/// The scratch that products in parts take beside [`gemm`](super::gemm)'s: none.
pub fn scratch_bytes(_: super::Depth, _rows: usize) -> usize {
    0
}

impl Split<'_> {
    pub(super) fn take(_: &mut Scratch<'_>, _rows: usize, _longest: usize) -> Self {
        unreachable!("operands are in parts where there are registers for them")
    }

    pub(super) fn rows(&mut self, _: &Ready<'_, f32>, _: Heights) {
        match self.0 {}
    }

    pub(super) fn panel(
        &mut self,
        _: &Pass<'_>,
        _: &mut MatrixMut<'_, f32>,
        _: Range<usize>,
        _: &mut [Edge; 2],
        _: &mut [f32],
    ) {
        match self.0 {}
    }
}
