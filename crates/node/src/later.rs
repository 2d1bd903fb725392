//! Results that JavaScript gets as promises, settled from whichever thread has them.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use napi::bindgen_prelude::{ArrayBuffer, Object};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Env, JsDeferred, Status, Task};
use webnn::{Error, ErrorKind, Lost, ReadTensor};

use crate::convert::rejected;
use crate::memory::Graph;

/// The bytes that a tensor held, in memory of JavaScript's own.
///
/// Without this copy the buffer would be one that Node refuses to transfer to other threads, which
/// programs may expect of any result.
pub(crate) fn array_buffer<'env>(env: &Env, bytes: &[u8]) -> napi::Result<ArrayBuffer<'env>> {
    ArrayBuffer::copy_from(env, bytes)
}

/// What a read results in: the bytes where they are there already, or else a promise of them.
pub(crate) enum Read<'env> {
    Now(webnn::Result<Vec<u8>>),
    Later(Object<'env>),
}

type Settle = Box<dyn FnOnce(Env) -> napi::Result<ArrayBuffer<'static>>>;

/// A read that is not done, and the promise to settle with it.
type Pending = (ReadTensor, JsDeferred<ArrayBuffer<'static>, Settle>);

/// Waits for a read without holding a thread.
struct Reader(Mutex<Option<Pending>>);

pub(crate) fn read<'env>(env: &'env Env, mut read: ReadTensor) -> napi::Result<Read<'env>> {
    // Whether it is done is asked before a promise is made, which costs more than a short read.
    let nobody = &mut Context::from_waker(Waker::noop());
    if let Poll::Ready(result) = Pin::new(&mut read).poll(nobody) {
        return Ok(Read::Now(result));
    }
    let (deferred, promise) = env.create_deferred()?;
    let reader = Arc::new(Reader(Mutex::new(Some((read, deferred)))));
    reader.poll();
    Ok(Read::Later(promise))
}

impl Reader {
    fn poll(self: &Arc<Self>) {
        // Held until the read is back in its place: who wakes meanwhile finds it there.
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((mut read, deferred)) = pending.take() else { return };
        let waker = Waker::from(self.clone());
        match Pin::new(&mut read).poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => *pending = Some((read, deferred)),
            Poll::Ready(result) => deferred.resolve(Box::new(move |env| match result {
                Ok(bytes) => array_buffer(&env, &bytes),
                Err(error) => Err(rejected(env, error)),
            })),
        }
    }
}

impl Wake for Reader {
    fn wake(self: Arc<Self>) {
        self.poll();
    }
}

/// Fails where the context was lost while a promise was pending.
pub(crate) fn check_not_lost(context: &webnn::Context, method: &str) -> webnn::Result<()> {
    match context.lost().now() {
        None => Ok(()),
        Some(reason) => {
            let message = format!("{method}: the context is lost: {reason}");
            Err(Error::new(ErrorKind::InvalidState, message))
        }
    }
}

/// A function of JavaScript's that any thread may call; it does not keep the process alive.
pub(crate) type Listener = ThreadsafeFunction<(), (), (), Status, false, true>;

/// Calls the function when the context is lost.
pub(crate) fn on_lost(mut lost: Lost, listener: Listener) {
    struct Notice(Listener);

    impl Wake for Notice {
        fn wake(self: Arc<Self>) {
            self.0.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    let waker = Waker::from(Arc::new(Notice(listener)));
    if Pin::new(&mut lost).poll(&mut Context::from_waker(&waker)).is_ready() {
        waker.wake();
    }
}

/// Compiles a graph on a thread of Node's pool.
pub struct Compile {
    pub(crate) context: webnn::Context,
    pub(crate) graph: Option<webnn::core::Graph>,
}

impl Task for Compile {
    type Output = webnn::Result<webnn::Graph>;
    type JsValue = Graph;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        Ok(self.context.compile(self.graph.take().expect("a task computes once")))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Graph> {
        let graph = output.and_then(|graph| {
            // It may have been lost after the last step on the other thread.
            check_not_lost(&self.context, "build")?;
            Ok(graph)
        });
        Graph::new(&env, graph.map_err(|error| rejected(env, error))?)
    }
}
