//! Padding on both sides of any dimension.

use webnn_core::ops::Pad;
use webnn_core::ops::pad::PaddingMode;
use webnn_kernels::buffer::Plain;
use webnn_kernels::copy::{self, Padding};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel, sizes};
use crate::ops::copy::LEAST_BYTES;
use crate::threads::Threads;

struct PadKernel<T> {
    padding: Padding,
    value: T,
}

#[inline(never)]
pub(crate) fn lower(op: &Pad, cx: &Cx<'_>) -> Built {
    let mode = match op.mode {
        PaddingMode::Constant => copy::PaddingMode::Constant,
        PaddingMode::Edge => copy::PaddingMode::Edge,
        PaddingMode::Reflection => copy::PaddingMode::Reflection,
    };
    let counts = |list: &[u32]| -> Vec<usize> { list.iter().map(|&n| n as usize).collect() };
    let padding = Padding::new(
        mode,
        &sizes(&cx.input(0)),
        &counts(&op.beginning_padding),
        &counts(&op.ending_padding),
    );
    let value = op.value.to_element(cx.input(0).data_type);
    fn element<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().expect("an element has its type's size")
    }
    match value.len() {
        8 => {
            let value = u64::from_ne_bytes(element(&value));
            Built::new(PadKernel { padding, value }, cx, &[0])
        }
        4 => {
            let value = u32::from_ne_bytes(element(&value));
            Built::new(PadKernel { padding, value }, cx, &[0])
        }
        2 => {
            let value = u16::from_ne_bytes(element(&value));
            Built::new(PadKernel { padding, value }, cx, &[0])
        }
        _byte => Built::new(PadKernel { padding, value: value[0] }, cx, &[0]),
    }
}

impl<T: Plain + Send + Sync> Kernel for PadKernel<T> {
    fn run(&self, io: &mut Io<'_>, threads: &Threads) {
        let x = io.read::<T>(0);
        threads.rows(io.write::<T>(0), 1, LEAST_BYTES / size_of::<T>(), |range, out| {
            self.padding.run(x, self.value, range, out);
        });
    }
}
