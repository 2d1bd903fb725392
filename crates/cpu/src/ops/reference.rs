//! Results by definition, for operators that have no kernel yet.

use webnn_core::reference::Tensor;
use webnn_core::{Desc, Op};

use crate::io::Io;
use crate::kernel::{Built, Cx, Kernel};
use crate::threads::Threads;

struct Reference {
    op: Op,
    /// By slot; operands that are there are read in this order.
    inputs: Vec<Option<Desc>>,
    outputs: Vec<Desc>,
}

pub(super) fn lower(cx: &Cx<'_>) -> Built {
    let slots = 0..cx.node.inputs.len();
    let kernel = Reference {
        op: cx.node.op.clone(),
        inputs: slots.clone().map(|slot| cx.opt_input(slot)).collect(),
        outputs: (0..cx.node.outputs.len()).map(|i| cx.output(i)).collect(),
    };
    Built::new(kernel, cx, &slots.collect::<Vec<usize>>())
}

impl Kernel for Reference {
    fn run(&self, io: &mut Io<'_>, _threads: &Threads) {
        let mut next = 0;
        let tensors: Vec<Option<Tensor>> = self
            .inputs
            .iter()
            .map(|desc| {
                desc.map(|desc| {
                    next += 1;
                    Tensor::from_bytes(desc, io.read(next - 1))
                        .expect("places are as long as descriptors say")
                })
            })
            .collect();
        let operands: Vec<Option<&Tensor>> = tensors.iter().map(Option::as_ref).collect();
        for (i, result) in self.op.reference(&operands, &self.outputs).iter().enumerate() {
            io.write(i).copy_from_slice(&result.to_bytes());
        }
    }
}
