//! What holds memory of a context, and tells JavaScript's garbage collector how much.

use std::cell::Cell;

use napi::Env;
use napi::bindgen_prelude::ObjectFinalize;
use napi_derive::napi;

/// Bytes outside of JavaScript's heap that the collector has been told of.
///
/// A cell, as the bindings let no method change its object while another one's promise is pending.
#[derive(Default)]
pub(crate) struct Held(Cell<i64>);

impl Held {
    /// Tells the collector of a change, so that it runs before memory runs out.
    pub(crate) fn set(&self, env: &Env, bytes: u64) -> napi::Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        let change = bytes - self.0.replace(bytes);
        if change != 0 {
            env.adjust_external_memory(change)?;
        }
        Ok(())
    }

    /// Tells the collector of so many bytes more.
    pub(crate) fn add(&self, env: &Env, bytes: usize) -> napi::Result<()> {
        let held = u64::try_from(self.0.get()).unwrap_or(0);
        self.set(env, held.saturating_add(bytes as u64))
    }
}

/// A tensor of a context.
#[napi(custom_finalize)]
pub struct Tensor {
    pub(crate) inner: webnn::Tensor,
    held: Held,
}

impl Tensor {
    pub(crate) fn new(env: &Env, inner: webnn::Tensor) -> napi::Result<Tensor> {
        let held = Held::default();
        held.set(env, inner.desc().byte_length())?;
        Ok(Tensor { inner, held })
    }
}

#[napi]
impl Tensor {
    /// Gives the memory back once the work that is queued is done.
    #[napi]
    pub fn destroy(&self, env: Env) -> napi::Result<()> {
        self.inner.destroy();
        self.held.set(&env, 0)
    }
}

impl ObjectFinalize for Tensor {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.held.set(&env, 0)
    }
}

/// A compiled graph.
#[napi(custom_finalize)]
pub struct Graph {
    pub(crate) inner: webnn::Graph,
    held: Held,
}

impl Graph {
    pub(crate) fn new(env: &Env, inner: webnn::Graph) -> napi::Result<Graph> {
        let held = Held::default();
        held.set(env, inner.memory().peak_bytes() as u64)?;
        Ok(Graph { inner, held })
    }
}

#[napi]
impl Graph {
    /// The kinds of device that it computes on.
    #[napi(getter)]
    pub fn devices(&self) -> Vec<&'static str> {
        self.inner.devices().iter().map(|device| device.kind).collect()
    }

    /// Gives the memory back once the work that is queued is done.
    #[napi]
    pub fn destroy(&self, env: Env) -> napi::Result<()> {
        self.inner.destroy();
        self.held.set(&env, 0)
    }
}

impl ObjectFinalize for Graph {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.held.set(&env, 0)
    }
}
