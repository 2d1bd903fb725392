//! Results that arrive later, for any executor and for none.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Poll, Waker};

use webnn_core::Result;

use crate::sync::lock;

/// A value that is settled once; every later attempt is ignored.
#[derive(Debug)]
pub(crate) struct Promise<T>(Mutex<State<T>>);

#[derive(Debug)]
enum State<T> {
    Pending(Vec<Waker>),
    Settled(T),
    Taken,
}

impl<T> Promise<T> {
    pub(crate) fn new() -> Arc<Promise<T>> {
        Arc::new(Promise(Mutex::new(State::Pending(Vec::new()))))
    }

    /// Settles and wakes whoever polled; tells whether this was the first time.
    pub(crate) fn settle(&self, value: T) -> bool {
        let mut state = lock(&self.0);
        let State::Pending(wakers) = &mut *state else { return false };
        let wakers = std::mem::take(wakers);
        *state = State::Settled(value);
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        true
    }

    pub(crate) fn is_pending(&self) -> bool {
        matches!(&*lock(&self.0), State::Pending(_))
    }

    /// The value, where it is settled and nobody has taken it.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = lock(&self.0);
        if let State::Pending(_) = &*state {
            return None;
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Settled(value) => Some(value),
            State::Pending(_) | State::Taken => None,
        }
    }

    fn poll_with<U>(&self, cx: &TaskContext<'_>, get: impl FnOnce(&mut State<T>) -> U) -> Poll<U> {
        let mut state = lock(&self.0);
        if let State::Pending(wakers) = &mut *state {
            if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                wakers.push(cx.waker().clone());
            }
            return Poll::Pending;
        }
        Poll::Ready(get(&mut state))
    }
}

impl<T: Clone> Promise<T> {
    /// The value, where it is settled; it stays for others.
    pub(crate) fn get(&self) -> Option<T> {
        match &*lock(&self.0) {
            State::Settled(value) => Some(value.clone()),
            State::Pending(_) | State::Taken => None,
        }
    }
}

/// The bytes of a tensor, once all that was queued before is done.
#[derive(Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct ReadTensor(pub(crate) Arc<Promise<Result<Vec<u8>>>>);

impl Future for ReadTensor {
    type Output = Result<Vec<u8>>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        self.0.poll_with(cx, |state| match std::mem::replace(state, State::Taken) {
            State::Settled(result) => result,
            State::Pending(_) | State::Taken => panic!("polled after it was ready"),
        })
    }
}

/// Why the context was lost, once it is.
#[derive(Clone, Debug)]
#[must_use = "a future does nothing unless it is awaited"]
pub struct Lost(pub(crate) Arc<Promise<String>>);

impl Lost {
    /// The reason, where the context is already lost.
    pub fn now(&self) -> Option<String> {
        self.0.get()
    }
}

impl Future for Lost {
    type Output = String;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<String> {
        self.0.poll_with(cx, |state| match state {
            State::Settled(reason) => reason.clone(),
            State::Pending(_) | State::Taken => unreachable!("nobody takes the reason"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_settled_once() {
        let promise = Promise::new();
        assert!(promise.is_pending() && promise.take().is_none());
        assert!(promise.settle(1) && !promise.settle(2));
        assert_eq!((promise.get(), promise.take(), promise.take()), (Some(1), Some(1), None));
    }

    #[test]
    fn settling_wakes_whoever_waits() {
        struct Flag(std::sync::atomic::AtomicBool);
        impl std::task::Wake for Flag {
            fn wake(self: Arc<Self>) {
                self.0.store(true, std::sync::atomic::Ordering::SeqCst);
            }
        }
        let flag = Arc::new(Flag(false.into()));
        let waker = Waker::from(flag.clone());
        let mut lost = Lost(Promise::new());
        let mut cx = TaskContext::from_waker(&waker);
        assert!(Pin::new(&mut lost).poll(&mut cx).is_pending());
        lost.0.settle("gone".into());
        assert!(flag.0.load(std::sync::atomic::Ordering::SeqCst));
        assert_eq!(Pin::new(&mut lost).poll(&mut cx), Poll::Ready("gone".to_owned()));
    }
}
