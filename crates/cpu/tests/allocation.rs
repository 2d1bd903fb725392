//! After a graph is compiled, running it allocates nothing.
#![allow(unsafe_code, reason = "a counting allocator has to be one")]

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{Fill, Random};
use webnn_core::{Limits, text};
use webnn_cpu::{Engine, Options, Tensor};

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn running_allocates_nothing() {
    let source = "%x = input \"x\" float32[1, 3, 40, 40]
%w = constant float32[32, 3, 3, 3] splat 0.1
%d = constant float32[32, 1, 3, 3] splat 0.2
%p = constant float32[48, 32, 1, 1] splat 0.05
%b = constant float32[48] splat 0.5
%i = constant float32[48, 48, 3, 3] splat 0.01
%m = constant float32[48, 100] splat 0.01
%c = conv2d(%x, %w) { padding: [1, 1, 1, 1], strides: [2, 2] }
%r = relu(%c)
%e = conv2d(%r, %d) { groups: 32, padding: [1, 1, 1, 1] }
%f = clamp(%e) { minValue: 0, maxValue: 6 }
%g = conv2d(%f, %p, bias: %b)
%k = hardSwish(%g)
%n = conv2d(%k, %i) { padding: [1, 1, 1, 1] }
%q = maxPool2d(%n) { windowDimensions: [2, 2], strides: [2, 2] }
%j = concat(%q, %q) { axis: 1 }
%t = averagePool2d(%q)
%u = reshape(%t) { newShape: [1, 48] }
%v = matmul(%u, %m)
%s = softmax(%v) { axis: 1 }
%l = layerNormalization(%v)
%y = matmul(%q, %k2)
%h = reduceMean(%j) { axes: [2, 3] }
%z = gelu(%l)
output \"s\" = %s
output \"z\" = %z
output \"h\" = %h
";
    let source = source.replace("%y = matmul(%q, %k2)\n", "%y = matmul(%q, %q)\n%a = tanh(%y)\n");
    let source = source + "output \"a\" = %a\n";
    let graph = text::parse(&source, Limits::default()).unwrap_or_else(|error| panic!("{error}"));
    for threads in [1, 2] {
        let engine = Engine::new(Options { threads: Some(threads) });
        let program = engine.compile(graph.clone()).unwrap();
        let mut random = Random::new(1);
        let inputs: Vec<Tensor> = program
            .inputs()
            .iter()
            .map(|port| {
                let values = random.tensor(port.desc, Fill::Any);
                Tensor::from_bytes(port.desc, &values.to_bytes()).unwrap()
            })
            .collect();
        let mut outputs: Vec<Tensor> =
            program.outputs().iter().map(|port| engine.tensor(&port.desc).unwrap()).collect();
        let inputs: Vec<&Tensor> = inputs.iter().collect();
        let mut outputs: Vec<&mut Tensor> = outputs.iter_mut().collect();
        // A thread that starts late allocates while it does; what runs allocate, each batch would.
        let mut allocated = || {
            let before = COUNT.load(Ordering::Relaxed);
            for _ in 0..10 {
                program.run(&inputs, &mut outputs).unwrap();
            }
            COUNT.load(Ordering::Relaxed) - before
        };
        let batches: Vec<usize> = (0..5).map(|_| allocated()).collect();
        assert!(batches.contains(&0), "{threads} threads: {batches:?} allocations");
    }
}
