//! One queue per context: what programs ask for happens in the order in which they asked.
//!
//! A worker thread drains the queue, so that `dispatch` returns at once. A thread that waits for a
//! result takes the worker's place where it can: a program that only blocks pays for no hand-over
//! between threads. Where there are no threads (wasm) everything is done when it is asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use webnn_core::{Error, Result};

use crate::context::Inner;
use crate::engine::Program;
use crate::future::Promise;
use crate::sync::lock;
use crate::tensor::{Memory, TensorInner};

/// A piece of work; it keeps alive what it touches.
pub(crate) enum Task {
    Write(Arc<TensorInner>, Vec<u8>),
    Read(Arc<TensorInner>, Arc<Promise<Result<Vec<u8>>>>),
    Dispatch(Dispatch),
    Release(Arc<TensorInner>),
}

/// A graph with its tensors in the order of its ports.
pub(crate) struct Dispatch {
    pub(crate) context: Arc<Inner>,
    pub(crate) program: Arc<Program>,
    pub(crate) inputs: Vec<Arc<TensorInner>>,
    pub(crate) outputs: Vec<Arc<TensorInner>>,
    /// Wants to know how long each step takes.
    pub(crate) profile: Option<Arc<Promise<Vec<Duration>>>>,
}

/// The place of a task in the order of all of them.
pub(crate) type Ticket = u64;

#[derive(Default)]
pub(crate) struct Timeline {
    queue: Mutex<Queue>,
    /// The worker waits for tasks.
    work: Condvar,
    /// Threads wait for the end of a task that another thread runs.
    finished: Condvar,
}

#[derive(Default)]
struct Queue {
    tasks: VecDeque<(Ticket, Task)>,
    running: Option<Ticket>,
    next: Ticket,
    waiting: usize,
    worker: Worker,
    is_closed: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Worker {
    #[default]
    NotStarted,
    Idle,
    #[cfg(not(target_arch = "wasm32"))]
    Busy,
    /// There are no threads here.
    None,
}

impl Queue {
    fn ticket(&mut self) -> Ticket {
        self.next += 1;
        self.next
    }

    fn is_idle(&self) -> bool {
        self.running.is_none() && self.tasks.is_empty()
    }

    fn is_done(&self, ticket: Ticket) -> bool {
        self.running.is_none_or(|running| running > ticket)
            && self.tasks.front().is_none_or(|&(first, _)| first > ticket)
    }

    /// Whether there are tasks that only a caller can run.
    fn is_left_to_callers(&self) -> bool {
        self.worker == Worker::None && self.running.is_none() && !self.tasks.is_empty()
    }

    /// The next task, which the caller is to run.
    fn begin(&mut self) -> Option<Task> {
        if self.running.is_some() {
            return None;
        }
        let (ticket, task) = self.tasks.pop_front()?;
        self.running = Some(ticket);
        Some(task)
    }
}

/// The right to touch tensors now, while nothing is queued.
pub(crate) struct Turn<'a>(&'a Timeline);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        self.0.end(&mut queue);
        self.0.wake_worker(&queue);
    }
}

impl Timeline {
    /// The right to act at once, where all that was asked for before is done.
    pub(crate) fn turn(&self) -> Option<Turn<'_>> {
        let mut queue = lock(&self.queue);
        if !queue.is_idle() {
            return None;
        }
        queue.running = Some(queue.ticket());
        Some(Turn(self))
    }

    /// Queues a task and lets the worker run it.
    pub(crate) fn submit(self: &Arc<Self>, task: Task) {
        let mut queue = lock(&self.queue);
        let ticket = queue.ticket();
        queue.tasks.push_back((ticket, task));
        if queue.worker == Worker::NotStarted {
            queue.worker = self.start_worker();
        }
        if queue.worker == Worker::None {
            // Whoever runs a task, perhaps further up on this very stack, goes on with this one.
            let is_free = queue.running.is_none();
            drop(queue);
            if is_free {
                self.wait(ticket);
            }
            return;
        }
        self.wake_worker(&queue);
    }

    /// Queues a task that the caller is going to wait for.
    pub(crate) fn submit_for(&self, task: Task) -> Ticket {
        let mut queue = lock(&self.queue);
        let ticket = queue.ticket();
        queue.tasks.push_back((ticket, task));
        ticket
    }

    /// The last place that has been given out.
    pub(crate) fn last_ticket(&self) -> Ticket {
        lock(&self.queue).next
    }

    /// Returns when the task and all before it are done, running them here where nobody else does.
    pub(crate) fn wait(&self, ticket: Ticket) {
        let mut queue = lock(&self.queue);
        while !queue.is_done(ticket) || queue.is_left_to_callers() {
            match queue.begin() {
                Some(task) => {
                    drop(queue);
                    task.run();
                    queue = lock(&self.queue);
                    self.end(&mut queue);
                }
                None => {
                    queue.waiting += 1;
                    queue = wait_on(&self.finished, queue);
                    queue.waiting -= 1;
                }
            }
        }
        self.wake_worker(&queue);
    }

    /// Takes back all that has not begun. The caller settles its promises and drops it.
    pub(crate) fn abort(&self) -> Vec<Task> {
        let mut queue = lock(&self.queue);
        let tasks = queue.tasks.drain(..).map(|(_, task)| task).collect();
        self.finished.notify_all();
        tasks
    }

    /// The promises of a tensor's reads that have not begun.
    pub(crate) fn pending_reads(
        &self,
        tensor: &Arc<TensorInner>,
    ) -> Vec<Arc<Promise<Result<Vec<u8>>>>> {
        let queue = lock(&self.queue);
        let reads = queue.tasks.iter().filter_map(|(_, task)| match task {
            Task::Read(other, promise) if Arc::ptr_eq(other, tensor) => Some(promise.clone()),
            Task::Read(..) | Task::Write(..) | Task::Dispatch(_) | Task::Release(_) => None,
        });
        reads.collect()
    }

    /// Works as where there are no threads.
    #[cfg(test)]
    pub(crate) fn forbid_worker(&self) {
        lock(&self.queue).worker = Worker::None;
    }

    /// Lets the worker end once the queue is empty.
    pub(crate) fn close(&self) {
        lock(&self.queue).is_closed = true;
        self.work.notify_all();
    }

    fn end(&self, queue: &mut Queue) {
        queue.running = None;
        if queue.waiting > 0 {
            self.finished.notify_all();
        }
    }

    fn wake_worker(&self, queue: &Queue) {
        if queue.worker == Worker::Idle && !queue.tasks.is_empty() && queue.running.is_none() {
            self.work.notify_one();
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn start_worker(self: &Arc<Self>) -> Worker {
        let timeline = self.clone();
        let thread = std::thread::Builder::new().name("webnn timeline".into());
        match thread.spawn(move || timeline.work()) {
            Ok(_) => Worker::Busy,
            Err(_) => Worker::None,
        }
    }

    #[cfg(target_arch = "wasm32")]
    fn start_worker(self: &Arc<Self>) -> Worker {
        Worker::None
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn work(&self) {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(task) = queue.begin() {
                queue.worker = Worker::Busy;
                drop(queue);
                task.run();
                queue = lock(&self.queue);
                self.end(&mut queue);
            } else if queue.is_closed && queue.is_idle() {
                return;
            } else {
                queue.worker = Worker::Idle;
                queue = wait_on(&self.work, queue);
            }
        }
    }
}

fn wait_on<'a>(condvar: &Condvar, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
    condvar.wait(queue).unwrap_or_else(PoisonError::into_inner)
}

impl Task {
    fn run(self) {
        match self {
            Task::Write(tensor, bytes) => tensor.write(&bytes),
            Task::Read(tensor, promise) => {
                // Destroying the tensor settles the promise of a read that has not begun.
                if promise.is_pending() {
                    promise.settle(tensor.read());
                }
            }
            Task::Dispatch(dispatch) => dispatch.run(),
            Task::Release(tensor) => tensor.free(),
        }
    }
}

impl TensorInner {
    /// Replaces the elements; the caller has checked the length and has its turn.
    pub(crate) fn write(&self, bytes: &[u8]) {
        self.with_bytes_mut(|elements| elements.copy_from_slice(bytes));
    }

    /// Lets the elements be replaced; the caller has its turn.
    pub(crate) fn with_bytes_mut(&self, replace: impl FnOnce(&mut [u8])) {
        if let Memory::Timeline(buffer) = &self.memory
            && let Some(buffer) = &mut *lock(buffer)
        {
            replace(buffer);
        }
    }

    /// A copy of the elements.
    pub(crate) fn read(&self) -> Result<Vec<u8>> {
        self.with_bytes(<[u8]>::to_vec)
    }

    /// Looks at the elements; the caller has its turn.
    pub(crate) fn with_bytes<T>(&self, look: impl FnOnce(&[u8]) -> T) -> Result<T> {
        if let Memory::Timeline(buffer) = &self.memory
            && let Some(buffer) = &*lock(buffer)
        {
            return Ok(look(buffer));
        }
        Err(Error::new(
            webnn_core::ErrorKind::InvalidState,
            "readTensor: the tensor was destroyed before it was read",
        ))
    }
}

impl Dispatch {
    fn run(self) {
        if self.context.is_lost() {
            return;
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.compute()));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.context.lose(&format!("dispatch failed: {}", error.message())),
            Err(panic) => self.context.lose(&panicked("dispatch", panic.as_ref())),
        }
    }

    fn compute(&self) -> Result<()> {
        let inputs: Vec<_> = self.inputs.iter().map(|tensor| tensor.lock()).collect();
        let mut outputs: Vec<_> = self.outputs.iter().map(|tensor| tensor.lock()).collect();
        let inputs: Option<Vec<&webnn_cpu::Tensor>> =
            inputs.iter().map(|guard| guard.as_ref()?.as_ref()).collect();
        let outputs: Option<Vec<&mut webnn_cpu::Tensor>> =
            outputs.iter_mut().map(|guard| guard.as_mut()?.as_mut()).collect();
        let (Some(inputs), Some(mut outputs)) = (inputs, outputs) else {
            // Memory goes only when the context does, or after the work queued before.
            return Ok(());
        };
        match &self.profile {
            None => self.program.run(&inputs, &mut outputs),
            Some(profile) => {
                profile.settle(self.program.run_profiled(&inputs, &mut outputs)?);
                Ok(())
            }
        }
    }
}

impl TensorInner {
    fn lock(&self) -> Option<MutexGuard<'_, Option<webnn_cpu::Tensor>>> {
        match &self.memory {
            Memory::Timeline(buffer) => Some(lock(buffer)),
            Memory::Constant(_) | Memory::Elsewhere => None,
        }
    }
}

/// What a panic said, as the reason why a context is lost.
pub(crate) fn panicked(place: &str, panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("without a message");
    format!("the engine panicked in {place}: {text}")
}
