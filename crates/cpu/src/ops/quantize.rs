//! Numbers as integers with a scale and a zero point, block by block, and back.

use std::marker::PhantomData;

use webnn_core::{DataType, Result};
use webnn_kernels::Isa;
use webnn_kernels::buffer::{Plain, Scratch};
use webnn_kernels::nibble::{self, Signed};
use webnn_kernels::quantize::{Quantized, blockwise, dequantize, quantize};
use webnn_kernels::strided::Space;

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::threads::Threads;

/// Fewer elements are converted by one thread.
const LEAST: usize = 1 << 14;

/// Where elements and scales lie, and on what they are computed.
struct Blocks {
    space: Space,
    isa: Isa,
    elements: usize,
    blocks: usize,
}

impl Blocks {
    fn new(cx: &Cx<'_>) -> Blocks {
        Blocks {
            space: blockwise(&sizes(&cx.input(0)), &sizes(&cx.input(1))),
            isa: cx.isa,
            elements: cx.input(0).elements(),
            blocks: cx.input(1).elements(),
        }
    }
}

struct Quantize<Q>(Blocks, PhantomData<Q>);
struct Dequantize<Q>(Blocks, PhantomData<Q>);

/// Between floats and 4-bit integers, by way of bytes.
struct QuantizeNibbles(Blocks, Signed);
struct DequantizeNibbles(Blocks, Signed);

/// The kernel for a data type of integers.
macro_rules! lower {
    ($cx:ident, $integer:expr, $Whole:ident, $Nibbles:ident) => {{
        let (blocks, slots) = (Blocks::new($cx), &[0, 1, 2]);
        match $integer {
            DataType::Int8 => Built::new($Whole::<i8>(blocks, PhantomData), $cx, slots),
            DataType::Uint8 => Built::new($Whole::<u8>(blocks, PhantomData), $cx, slots),
            DataType::Int32 => Built::new($Whole::<i32>(blocks, PhantomData), $cx, slots),
            DataType::Uint32 => Built::new($Whole::<u32>(blocks, PhantomData), $cx, slots),
            DataType::Int4 => Built::new($Nibbles(blocks, Signed::Yes), $cx, slots),
            DataType::Uint4 => Built::new($Nibbles(blocks, Signed::No), $cx, slots),
            DataType::Float32 | DataType::Float16 | DataType::Int64 | DataType::Uint64 => {
                unreachable!("the builder checked the type of quantised numbers")
            }
        }
    }};
}

pub(super) fn lower(cx: &Cx<'_>) -> Result<Built> {
    Ok(lower!(cx, cx.output(0).data_type, Quantize, QuantizeNibbles))
}

pub(super) fn lower_back(cx: &Cx<'_>) -> Result<Built> {
    Ok(lower!(cx, cx.input(0).data_type, Dequantize, DequantizeNibbles))
}

impl<Q: Quantized + Plain> Kernel for Quantize<Q> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let Blocks { space, isa, .. } = &self.0;
        let out = io.write::<Q>(0);
        let (x, scale, zero) = (io.read::<f32>(0), io.read::<f32>(1), io.read::<Q>(2));
        threads.rows(out, 1, LEAST, |range, out| {
            quantize(*isa, space, range, x, scale, zero, out);
        });
    }
}

impl<Q: Quantized + Plain> Kernel for Dequantize<Q> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let Blocks { space, isa, .. } = &self.0;
        let out = io.write::<f32>(0);
        let (x, scale, zero) = (io.read::<Q>(0), io.read::<f32>(1), io.read::<Q>(2));
        threads.rows(out, 1, LEAST, |range, out| {
            dequantize(*isa, space, range, x, scale, zero, out);
        });
    }
}

impl Kernel for QuantizeNibbles {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        Scratch::bytes_for::<i8>(self.0.elements) + Scratch::bytes_for::<i8>(self.0.blocks)
    }

    fn run(&self, io: &mut Io<'_>, _threads: &Threads) {
        let Blocks { space, isa, elements, blocks } = &self.0;
        let mut scratch = Scratch::new(io.scratch());
        let (wide, zero) = (scratch.take::<i8>(*elements), scratch.take::<i8>(*blocks));
        let (x, scale) = (io.read::<f32>(0), io.read::<f32>(1));
        nibble::unpack(self.1, io.read(2), 0, zero);
        // A 4-bit zero point and its neighbours lie inside the range of a signed byte.
        quantize(*isa, space, 0..*elements, x, scale, zero, wide);
        let (least, greatest) = match self.1 {
            Signed::Yes => (-8, 7),
            Signed::No => (0, 15),
        };
        wide.iter_mut().for_each(|x| *x = (*x).clamp(least, greatest));
        nibble::pack(wide, io.write(0));
    }
}

impl Kernel for DequantizeNibbles {
    fn scratch_bytes(&self, _threads: usize) -> usize {
        Scratch::bytes_for::<i8>(self.0.elements) + Scratch::bytes_for::<i8>(self.0.blocks)
    }

    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let Blocks { space, isa, elements, blocks } = &self.0;
        let mut scratch = Scratch::new(io.scratch());
        let (x, zero) = (scratch.take::<i8>(*elements), scratch.take::<i8>(*blocks));
        let out = io.write::<f32>(0);
        let scale = io.read::<f32>(1);
        nibble::unpack(self.1, io.read(0), 0, x);
        nibble::unpack(self.1, io.read(2), 0, zero);
        let (x, zero) = (&*x, &*zero);
        threads.rows(out, 1, LEAST, |range, out| {
            dequantize(*isa, space, range, x, scale, zero, out);
        });
    }
}
