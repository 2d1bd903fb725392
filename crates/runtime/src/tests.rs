//! The state machines of contexts, tensors, builders and graphs.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::Thread;

use webnn_core::ErrorKind::{InvalidState, NotSupported, Type, Unknown};
use webnn_core::{DataType, ErrorKind};

use crate::{
    Context, ContextOptions, Device, DeviceType, Graph, Ml, Result, Tensor, TensorDescriptor,
};

fn context() -> Context {
    Ml::new().create_context(&ContextOptions::default()).unwrap()
}

fn floats(shape: &[u32]) -> TensorDescriptor {
    TensorDescriptor::new(DataType::Float32, shape)
}

fn both(context: &Context, shape: &[u32]) -> Tensor {
    context.create_tensor(&floats(shape).readable().writable()).unwrap()
}

/// y = x + x
fn doubling(context: &Context, shape: &[u32]) -> Graph {
    let builder = context.graph_builder().unwrap();
    let x = builder.input("x", DataType::Float32, shape).unwrap();
    let y = builder.add(x, x).unwrap();
    builder.build(&[("y", y)]).unwrap()
}

fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[track_caller]
fn refuses<T>(result: Result<T>, kind: ErrorKind, text: &str) {
    let Err(error) = result else { panic!("succeeded, expected {kind:?}: {text}") };
    assert!(
        error.kind() == kind && error.message().contains(text),
        "{error}, expected {kind:?}: {text}"
    );
}

#[test]
fn handles_go_to_other_threads() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Context>();
    check::<Tensor>();
    check::<Graph>();
    check::<crate::GraphBuilder>();
    check::<crate::ReadTensor>();
    check::<crate::Lost>();
}

#[test]
fn hints_are_understood_and_the_choice_is_told() {
    let hint = |device_type, accelerated, forbid_cpu| {
        let options =
            ContextOptions { device_type, accelerated, forbid_cpu, ..ContextOptions::default() };
        Ml::new().create_context(&options)
    };
    for (device_type, accelerated, reason) in [
        (None, true, "no other"),
        (None, false, "accelerated"),
        (Some(DeviceType::Cpu), true, "deviceType \"cpu\""),
        (Some(DeviceType::Gpu), false, "deviceType \"gpu\""),
    ] {
        let context = hint(device_type, accelerated, false).unwrap();
        assert_eq!(context.device().kind, "cpu");
        assert!(context.device().reason.contains(reason), "{}", context.device());
        assert_eq!(context.accelerated(), accelerated);
    }
    assert!(hint(Some(DeviceType::Cpu), true, true).is_ok());
    refuses(hint(Some(DeviceType::Gpu), true, true), NotSupported, "deviceType \"gpu\"");
    refuses(hint(None, true, true), NotSupported, "only the CPU");
}

#[test]
fn fresh_tensors_are_zero() {
    let context = context();
    let tensor = both(&context, &[3]);
    assert_eq!(context.read_vec::<f32>(&tensor).unwrap(), [0.0; 3]);
}

#[test]
fn tensors_are_checked_when_they_are_made() {
    let context = context();
    refuses(context.create_tensor(&floats(&[0])), Type, "createTensor: dimension 0");
    refuses(context.create_tensor(&floats(&[1; 9])), Type, "createTensor: rank 9");
    refuses(context.create_tensor(&floats(&[1 << 30, 8])), Type, "createTensor: shape");
    let constant = context.create_constant_tensor(&floats(&[2]), vec![0; 7]);
    refuses(constant, Type, "createConstantTensor: 7 bytes were given, expected 8");
}

#[test]
fn a_context_holds_as_many_bytes_as_it_may() {
    let options = ContextOptions { max_tensor_bytes: Some(100), ..ContextOptions::default() };
    let context = Ml::new().create_context(&options).unwrap();
    let first = both(&context, &[20]);
    refuses(context.create_tensor(&floats(&[6])), Unknown, "takes 24 bytes, expected at most 20");
    first.destroy();
    context.finish_blocking();
    assert_eq!(context.0.tensor_bytes(), 0);
    let second = both(&context, &[25]);
    drop(second);
    assert_eq!(context.0.tensor_bytes(), 0);
}

#[test]
fn writes_dispatches_and_reads_happen_in_the_order_of_the_calls() {
    let context = context();
    let graph = doubling(&context, &[2]);
    let (a, b) = (both(&context, &[2]), both(&context, &[2]));
    let mut reads = Vec::new();
    for round in 0..50 {
        context.write_slice(&a, &[round as f32, 1.0]).unwrap();
        context.dispatch(&graph, &[("x", &a)], &[("y", &b)]).unwrap();
        reads.push(context.read_tensor(&b).unwrap());
        context.dispatch(&graph, &[("x", &b)], &[("y", &a)]).unwrap();
    }
    assert_eq!(context.read_vec::<f32>(&a).unwrap(), [196.0, 4.0]);
    for (round, read) in reads.into_iter().enumerate() {
        let bytes = block_on(read).unwrap();
        assert_eq!(bytes, bytemuck::cast_slice::<f32, u8>(&[2.0 * round as f32, 2.0]), "{round}");
    }
}

#[test]
fn without_threads_work_is_done_when_it_is_asked_for() {
    let context = context();
    context.0.forbid_worker();
    let graph = doubling(&context, &[2]);
    let (x, y) = (both(&context, &[2]), both(&context, &[2]));
    context.write_slice(&x, &[1.0f32, 2.0]).unwrap();
    context.dispatch(&graph, &[("x", &x)], &[("y", &y)]).unwrap();
    context.dispatch(&graph, &[("x", &y)], &[("y", &x)]).unwrap();
    let mut read = std::pin::pin!(context.read_tensor(&x).unwrap());
    let poll = read.as_mut().poll(&mut TaskContext::from_waker(Waker::noop()));
    let expected = bytemuck::cast_slice::<f32, u8>(&[4.0, 8.0]).to_vec();
    assert_eq!(poll, Poll::Ready(Ok(expected)));
    y.destroy();
    assert_eq!(context.0.tensor_bytes(), 8);
}

#[test]
fn many_threads_share_a_context() {
    let context = context();
    let graph = doubling(&context, &[4]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (context, graph) = (&context, &graph);
            scope.spawn(move || {
                let (x, y) = (both(context, &[4]), both(context, &[4]));
                for round in 0..50 {
                    let value = (thread * 100 + round) as f32;
                    context.write_slice(&x, &[value; 4]).unwrap();
                    if round % 2 == 0 {
                        context.dispatch(graph, &[("x", &x)], &[("y", &y)]).unwrap();
                    } else {
                        context.dispatch_blocking(graph, &[("x", &x)], &[("y", &y)]).unwrap();
                    }
                    assert_eq!(context.read_vec::<f32>(&y).unwrap(), [2.0 * value; 4]);
                }
            });
        }
    });
}

#[test]
fn writing_checks_context_destroyed_usage_and_length_in_this_order() {
    let (context, other) = (context(), context());
    let foreign = other.create_tensor(&floats(&[1])).unwrap();
    foreign.destroy();
    refuses(
        context.write_tensor(&foreign, &[]),
        Type,
        "writeTensor: the tensor belongs to another",
    );
    let locked = context.create_tensor(&floats(&[1])).unwrap();
    refuses(context.write_tensor(&locked, &[]), Type, "writeTensor: the tensor is not writable");
    locked.destroy();
    refuses(context.write_tensor(&locked, &[]), Type, "writeTensor: the tensor is destroyed");
    let open = both(&context, &[1]);
    for length in [0, 3, 5, 8] {
        let bytes = vec![0; length];
        refuses(context.write_tensor(&open, &bytes), Type, "bytes were given, expected 4");
    }
    refuses(context.write_slice(&open, &[1i32]), Type, "elements are int32, expected float32");
}

#[test]
fn reading_checks_context_destroyed_and_usage_in_this_order() {
    let (context, other) = (context(), context());
    let foreign = other.create_tensor(&floats(&[1])).unwrap();
    foreign.destroy();
    refuses(context.read_tensor(&foreign), Type, "readTensor: the tensor belongs to another");
    let locked = context.create_tensor(&floats(&[1])).unwrap();
    refuses(context.read_tensor_blocking(&locked), Type, "readTensor: the tensor is not readable");
    locked.destroy();
    refuses(context.read_tensor(&locked), Type, "readTensor: the tensor is destroyed");
}

#[test]
fn dispatch_checks_in_the_order_of_the_specification() {
    let (context, other) = (context(), context());
    let graph = doubling(&context, &[2]);
    let (x, y) = (both(&context, &[2]), both(&context, &[2]));
    let foreign = both(&other, &[2]);
    let gone = both(&context, &[2]);
    gone.destroy();
    let wide = both(&context, &[1, 2]);
    let constant = context.create_constant_tensor(&floats(&[2]), vec![0; 8]).unwrap();
    let ints = TensorDescriptor::new(DataType::Int32, &[2]);
    let ints = context.create_tensor(&ints).unwrap();

    type Named<'a> = &'a [(&'a str, &'a Tensor)];
    let cases: &[(Named<'_>, Named<'_>, &str)] = &[
        (&[("x", &foreign)], &[("y", &foreign)], "the tensor of \"y\" is given twice"),
        (&[("a", &foreign)], &[("y", &y)], "\"a\": the tensor belongs to another context"),
        (&[("x", &x)], &[("y", &gone)], "\"y\": the tensor is destroyed"),
        (&[], &[], "0 inputs were given, expected \"x\""),
        (&[("x", &x), ("z", &y)], &[], "2 inputs were given"),
        (&[("z", &x)], &[("y", &y)], "no input \"z\", expected \"x\""),
        (&[("x", &wide)], &[("y", &y)], "\"x\" is float32[1, 2], expected float32[2]"),
        (&[("x", &ints)], &[("y", &y)], "\"x\" is int32[2], expected float32[2]"),
        (&[("x", &constant)], &[("y", &y)], "the tensor of input \"x\" is constant"),
        (&[("x", &x)], &[], "0 outputs were given, expected \"y\""),
        (&[("x", &x)], &[("x", &y)], "no output \"x\", expected \"y\""),
    ];
    for &(inputs, outputs, text) in cases {
        refuses(context.dispatch(&graph, inputs, outputs), Type, text);
        refuses(context.dispatch_blocking(&graph, inputs, outputs), Type, text);
    }
    graph.destroy();
    graph.destroy();
    let late = context.dispatch(&graph, &[("x", &foreign)], &[]);
    refuses(late, InvalidState, "dispatch: the graph is destroyed");
    let elsewhere = other.dispatch(&graph, &[], &[]);
    refuses(elsewhere, Type, "dispatch: the graph belongs to another context");
}

#[test]
fn what_is_destroyed_stays_for_the_work_that_is_queued() {
    let context = context();
    let graph = doubling(&context, &[1 << 12]);
    let (x, y) = (both(&context, &[1 << 12]), both(&context, &[1 << 12]));
    context.write_slice(&x, &[1.5f32; 1 << 12]).unwrap();
    for _ in 0..20 {
        context.dispatch(&graph, &[("x", &x)], &[("y", &y)]).unwrap();
    }
    x.destroy();
    graph.destroy();
    assert_eq!(context.read_vec::<f32>(&y).unwrap(), [3.0; 1 << 12]);
    assert_eq!(context.0.tensor_bytes(), 4 << 12);
}

#[test]
fn pending_reads_end_when_their_tensor_or_context_goes() {
    for lose in [false, true] {
        let context = context();
        let graph = doubling(&context, &[1 << 14]);
        let (x, y) = (both(&context, &[1 << 14]), both(&context, &[1 << 14]));
        for _ in 0..50 {
            context.dispatch(&graph, &[("x", &x)], &[("y", &y)]).unwrap();
        }
        let read = context.read_tensor(&y).unwrap();
        if lose {
            context.destroy();
        } else {
            y.destroy();
            y.destroy();
        }
        // The read may have been done before, but it ends either way, and at most once.
        if let Err(error) = block_on(read) {
            assert_eq!(error.kind(), InvalidState, "{error}");
        }
    }
}

#[test]
fn a_lost_context_refuses_all_but_its_limits() {
    let context = context();
    let graph = doubling(&context, &[2]);
    let (x, y) = (both(&context, &[2]), both(&context, &[2]));
    let builder = context.graph_builder().unwrap();
    let a = builder.input("a", DataType::Float32, &[2]).unwrap();
    let b = builder.relu(a).unwrap();
    let lost = context.lost();
    context.destroy();
    context.destroy();
    assert_eq!(block_on(lost), "destroy() was called");

    let reason = "the context is lost: destroy() was called";
    refuses(context.create_tensor(&floats(&[0])), InvalidState, reason);
    refuses(context.create_constant_tensor(&floats(&[2]), vec![]), InvalidState, reason);
    refuses(context.graph_builder(), InvalidState, reason);
    refuses(builder.input("", DataType::Float32, &[2]), InvalidState, reason);
    refuses(builder.relu(b), InvalidState, reason);
    refuses(builder.build(&[]), InvalidState, reason);
    refuses(context.write_tensor(&x, &[]), Type, "the tensor is destroyed");
    refuses(context.read_tensor(&y), Type, "the tensor is destroyed");
    refuses(context.dispatch(&graph, &[], &[]), InvalidState, "the graph is destroyed");
    assert_eq!(context.0.tensor_bytes(), 0);
    assert!(context.op_support_limits().max_tensor_byte_length > 0);
}

#[test]
fn a_context_that_is_lost_while_it_compiles_says_so_once() {
    let context = context();
    let builder = context.graph_builder().unwrap();
    let a = builder.input("a", DataType::Float32, &[2]).unwrap();
    let graph = builder.finish(&[("b", builder.relu(a).unwrap())]).unwrap();
    context.destroy();
    let error = crate::builder::compile(&context.0, graph).err().unwrap();
    assert_eq!(error.message(), "build: the context is lost: destroy() was called");
}

#[test]
fn a_builder_builds_once_and_survives_failed_checks() {
    let context = context();
    let builder = context.graph_builder().unwrap();
    let other = context.graph_builder().unwrap();
    let x = builder.input("x", DataType::Float32, &[2]).unwrap();
    let y = builder.relu(x).unwrap();
    let foreign = other.input("x", DataType::Float32, &[2]).unwrap();
    refuses(builder.add(y, foreign), Type, "another builder");
    refuses(builder.build(&[]), Type, "no outputs");
    refuses(builder.build(&[("", y)]), Type, "name is empty");
    refuses(builder.build(&[("x", x)]), Type, "is an input");
    refuses(builder.build(&[("y", foreign)]), Type, "another builder");
    builder.build(&[("y", y), ("same", y)]).unwrap();
    refuses(builder.build(&[("y", y)]), InvalidState, "already built");
    refuses(builder.relu(y), InvalidState, "already built");
    refuses(builder.input("z", DataType::Float32, &[2]), InvalidState, "already built");
}

#[test]
fn only_what_the_outputs_need_is_an_input() {
    let context = context();
    let builder = context.graph_builder().unwrap();
    let x = builder.input("x", DataType::Float32, &[2]).unwrap();
    let unused = builder.input("unused", DataType::Float32, &[2]).unwrap();
    builder.add(x, unused).unwrap();
    let y = builder.neg(x).unwrap();
    let graph = builder.build(&[("y", y)]).unwrap();
    let names: Vec<&str> = graph.inputs().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x"]);
    assert_eq!(graph.devices()[0].kind, "cpu");
}

#[test]
fn constant_tensors_are_constants_until_they_are_destroyed() {
    let (context, other) = (context(), context());
    let bytes = bytemuck::cast_slice::<f32, u8>(&[2.0, 4.0]).to_vec();
    let constant = context.create_constant_tensor(&floats(&[2]), bytes).unwrap();
    assert!(constant.is_constant() && !constant.readable() && !constant.writable());
    let builder = context.graph_builder().unwrap();
    let plain = both(&context, &[2]);
    refuses(builder.constant_tensor(&plain), Type, "constant: the tensor is not constant");
    let foreign = other.create_constant_tensor(&floats(&[2]), vec![0; 8]).unwrap();
    refuses(builder.constant_tensor(&foreign), Type, "another context");

    let c = builder.constant_tensor(&constant).unwrap();
    let x = builder.input("x", DataType::Float32, &[2]).unwrap();
    let (with, without) = (builder.mul(x, c).unwrap(), builder.neg(x).unwrap());
    let top = builder.relu(with).unwrap();
    constant.destroy();
    refuses(builder.constant_tensor(&constant), Type, "constant: the tensor is destroyed");
    let needs = builder.build(&[("a", without), ("b", top)]);
    refuses(needs, Type, "build: a constant tensor that output \"b\" needs is destroyed");
    builder.build(&[("a", without)]).unwrap();
}

#[test]
fn a_destroyed_constant_tensor_leaves_built_graphs_alone() {
    let context = context();
    let bytes = bytemuck::cast_slice::<f32, u8>(&[2.0, 4.0]).to_vec();
    let constant = context.create_constant_tensor(&floats(&[2]), bytes).unwrap();
    let builder = context.graph_builder().unwrap();
    let c = builder.constant_tensor(&constant).unwrap();
    let y = builder.neg(c).unwrap();
    let graph = builder.build(&[("y", y)]).unwrap();
    constant.destroy();
    let y = both(&context, &[2]);
    context.dispatch(&graph, &[], &[("y", &y)]).unwrap();
    assert_eq!(context.read_vec::<f32>(&y).unwrap(), [-2.0, -4.0]);
}

#[test]
fn an_engine_that_panics_loses_its_context_alone() {
    let context = context();
    let message = crate::timeline::panicked("dispatch", &"index out of bounds");
    context.0.lose(&message);
    let expected = "the engine panicked in dispatch: index out of bounds";
    assert_eq!(context.lost().now().as_deref(), Some(expected));
    refuses(context.graph_builder(), InvalidState, expected);
    doubling(&self::context(), &[2]);
}

#[test]
fn a_context_goes_while_work_is_queued() {
    let context = context();
    let graph = doubling(&context, &[1 << 14]);
    let (x, y) = (both(&context, &[1 << 14]), both(&context, &[1 << 14]));
    for _ in 0..20 {
        context.dispatch(&graph, &[("x", &x)], &[("y", &y)]).unwrap();
    }
    let read = context.read_tensor(&y).unwrap();
    drop((context, graph, x, y));
    assert_eq!(block_on(read).unwrap().len(), 4 << 14);
}

#[test]
fn bytes_are_filled_in_and_looked_at_where_they_lie() {
    let context = context();
    let descriptor = TensorDescriptor::new(DataType::Uint8, &[3]).readable().writable();
    let tensor = context.create_tensor(&descriptor).unwrap();
    context.write_tensor_with(&tensor, 3, |bytes| bytes.copy_from_slice(&[1, 2, 3])).unwrap();
    assert_eq!(context.read_tensor_with(&tensor, <[u8]>::to_vec).unwrap(), [1, 2, 3]);
    let error = context.write_tensor_with(&tensor, 2, |_| unreachable!()).unwrap_err();
    assert_eq!(error.message(), "writeTensor: 2 bytes were given, expected 3 for uint8[3]");
}

#[test]
fn a_context_elsewhere_checks_and_holds_nothing() {
    let device = Device { kind: "cpu", reason: "a test".into(), details: "elsewhere".into() };
    let context = Context::elsewhere(device, &ContextOptions::default());
    let local = Ml::new().create_context(&ContextOptions::default()).unwrap();
    assert_eq!(context.op_support_limits(), local.op_support_limits());

    let builder = context.graph_builder().unwrap();
    let x = builder.input("x", DataType::Float32, &[1 << 28]).unwrap();
    let w = builder.constant_external(DataType::Float32, &[1], 4, 3).unwrap();
    let y = builder.add(x, w).unwrap();
    let core = builder.finish(&[("y", y)]).unwrap();
    let text = core.to_string();
    assert!(text.contains("constant float32[1] external 3"), "{text}");
    let graph = context.compile(core.clone()).unwrap();
    let error = local.compile(core).unwrap_err();
    assert_eq!(error.message(), "build: the bytes of constant 3 lie in another place");

    let descriptor = TensorDescriptor::new(DataType::Float32, &[1 << 28]);
    let input = context.create_tensor(&descriptor.clone().writable()).unwrap();
    let output = context.create_tensor(&descriptor.readable()).unwrap();
    context.check_write(&input, 1 << 30).unwrap();
    context.check_read(&output, Some(1 << 30)).unwrap();
    context.check_dispatch(&graph, &[("x", &input)], &[("y", &output)]).unwrap();
    for (result, message) in [
        (context.check_write(&output, 4), "writeTensor: the tensor is not writable"),
        (context.check_read(&input, None), "readTensor: the tensor is not readable"),
        (
            context.check_read(&output, Some(5)),
            "readTensor: 5 bytes were given, expected 1073741824 for float32[268435456]",
        ),
    ] {
        assert_eq!(result.unwrap_err().message(), message);
    }

    let x = TensorDescriptor::new(DataType::Float32, &[1 << 28]);
    let ports = |name: &str, descriptor: &TensorDescriptor| [(name.to_owned(), descriptor.clone())];
    let known = context.graph_elsewhere(&ports("x", &x), &ports("y", &x)).unwrap();
    context.check_dispatch(&known, &[("x", &input)], &[("y", &output)]).unwrap();
    let error = context.check_dispatch(&known, &[("y", &input)], &[("y", &output)]).unwrap_err();
    assert!(error.message().starts_with("dispatch: "), "{error}");
    let large = TensorDescriptor::new(DataType::Float32, &[u32::MAX]);
    let error = context.graph_elsewhere(&ports("x", &large), &[]).unwrap_err();
    assert!(error.message().starts_with("build: "), "{error}");
    let error = local.graph_elsewhere(&ports("x", &x), &ports("y", &x)).unwrap_err();
    assert_eq!(error.message(), "build: the context computes here, and must know the whole graph");

    context.lose("its worker died");
    let error = context.check_write(&input, 1 << 30).unwrap_err();
    assert_eq!(error.message(), "writeTensor: the tensor is destroyed");
    let error = context.graph_builder().unwrap_err();
    assert_eq!(error.message(), "MLGraphBuilder: the context is lost: its worker died");
}
