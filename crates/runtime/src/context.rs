//! Contexts: tensors, the queue of work, and what happens when the device is gone.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use webnn_core::error::{Result, ensure};
use webnn_core::limits::Limits;
use webnn_core::{Bytes, Desc, Error, ErrorKind, Shape};
use webnn_cpu::Peaks;

use crate::builder::{GraphBuilder, compile, verify};
use crate::element::{Element, ensure_element, to_vec};
use crate::engine::{Engine, Program};
use crate::future::{Lost, Promise, ReadTensor};
use crate::graph::{Graph, GraphInner};
use crate::ml::{ContextOptions, Device};
use crate::sync::lock;
use crate::tensor::{Memory, Tensor, TensorDescriptor, TensorInner};
use crate::timeline::{Dispatch, Task, Timeline};

/// A device with an ordered timeline of work. Clones are the same context, for any thread.
///
/// Writes, dispatches and reads take effect in the order in which they were called, and none of
/// the calls waits for the ones before it but those whose names say so. A tensor or graph that is
/// destroyed stays alive for the work that is already queued.
#[derive(Clone)]
pub struct Context(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) limits: Limits,
    device: Device,
    options: ContextOptions,
    timeline: Arc<Timeline>,
    is_lost: AtomicBool,
    lost: Arc<Promise<String>>,
    tensor_bytes: AtomicU64,
    tensors: Mutex<Vec<Weak<TensorInner>>>,
}

impl Context {
    pub(crate) fn new(engine: Engine, device: Device, options: ContextOptions) -> Context {
        Context(Arc::new(Inner {
            limits: engine.limits(),
            engine,
            device,
            options,
            timeline: Arc::default(),
            is_lost: AtomicBool::new(false),
            lost: Promise::new(),
            tensor_bytes: AtomicU64::new(0),
            tensors: Mutex::default(),
        }))
    }

    /// A context whose engine is in another place, such as a worker of the page's thread: it makes
    /// every check and keeps every state, and holds no bytes and computes nothing. Its constants
    /// are [external](Bytes::external).
    ///
    /// Who carries the calls over calls [`Context::lose`] when the engine is gone.
    pub fn elsewhere(device: Device, options: &ContextOptions) -> Context {
        Context::new(Engine::Elsewhere, device, options.clone())
    }

    /// What the context computes with, and why.
    pub fn device(&self) -> &Device {
        &self.0.device
    }

    /// Places for threads that the host is to start, each to call [`Helper::work`](crate::Helper);
    /// given out once. There are some where only the host can start threads: in WebAssembly.
    pub fn helpers(&self) -> Vec<webnn_cpu::Helper> {
        self.0.engine.helpers()
    }

    /// Measures what the device can do at most, for about half a second: what the times of
    /// [`Context::dispatch_profiled`] can be held against. Nothing is known of devices that compute
    /// in another place, nor of the reference.
    pub fn measure_peaks(&self) -> Option<Peaks> {
        self.0.engine.measure_peaks()
    }

    /// The hint that the context was made with.
    pub fn accelerated(&self) -> bool {
        self.0.options.accelerated
    }

    /// What operands may be; still answered when the context is lost.
    ///
    /// ```
    /// use webnn::{ContextOptions, DataType, Ml};
    ///
    /// let context = Ml::new().create_context(&ContextOptions::default())?;
    /// let limits = context.op_support_limits();
    /// let softmax = limits.method(webnn::core::ops::method("softmax")?);
    /// let (name, input) = softmax[0];
    /// assert_eq!(name, "input");
    /// assert!(input.data_types.contains(DataType::Float16));
    /// # Ok::<(), webnn::Error>(())
    /// ```
    pub fn op_support_limits(&self) -> &Limits {
        &self.0.limits
    }

    /// A builder of one graph.
    pub fn graph_builder(&self) -> Result<GraphBuilder> {
        self.0.check_not_lost("MLGraphBuilder")?;
        Ok(GraphBuilder::new(self.0.clone()))
    }

    /// Compiles a graph that was built apart from this context: by the specification's own
    /// builder, or read from text.
    ///
    /// ```
    /// use webnn::{ContextOptions, Ml, core};
    ///
    /// let context = Ml::new().create_context(&ContextOptions::default())?;
    /// let text = r#"
    ///     %x = input "x" float32[2]
    ///     %y = neg(%x)
    ///     output "y" = %y
    /// "#;
    /// let graph = core::text::parse(text, context.op_support_limits().clone())?;
    /// assert_eq!(context.compile(graph)?.outputs()[0].0, "y");
    /// # Ok::<(), webnn::Error>(())
    /// ```
    pub fn compile(&self, graph: webnn_core::Graph) -> Result<Graph> {
        self.0.check_not_lost("build")?;
        verify(&graph).map_err(|error| error.at("build"))?;
        compile(&self.0, graph)
    }

    /// A graph that the engine of a context [elsewhere](Context::elsewhere) compiles from what the
    /// caller gives it, and checks there; here it has inputs and outputs for dispatches.
    pub fn graph_elsewhere(
        &self,
        inputs: &[(String, TensorDescriptor)],
        outputs: &[(String, TensorDescriptor)],
    ) -> Result<Graph> {
        self.0.check_not_lost("build")?;
        let ports = |ports: &[(String, TensorDescriptor)]| -> Result<Vec<(String, Desc)>> {
            let port = |(name, descriptor): &(String, TensorDescriptor)| {
                Ok((name.clone(), self.0.check_desc(descriptor)?))
            };
            ports.iter().map(port).collect()
        };
        let graph = || {
            let is_elsewhere = matches!(self.0.engine, Engine::Elsewhere);
            ensure!(is_elsewhere, "the context computes here, and must know the whole graph");
            Ok(Graph::new(self.0.clone(), ports(inputs)?, ports(outputs)?, Program::Elsewhere))
        };
        graph().map_err(|error: Error| error.at("build"))
    }

    /// A tensor, all of whose elements are zero.
    pub fn create_tensor(&self, descriptor: &TensorDescriptor) -> Result<Tensor> {
        let place = |error: Error| error.at("createTensor");
        self.0.check_not_lost("createTensor")?;
        let desc = self.0.check_desc(descriptor).map_err(place)?;
        let memory = self.0.memory(&desc).map_err(place)?;
        let usage = (descriptor.readable, descriptor.writable);
        Ok(self.0.remember(Tensor::new(self.0.clone(), desc, usage, memory)))
    }

    /// A tensor with fixed elements, for [`GraphBuilder::constant_tensor`] alone.
    pub fn create_constant_tensor(
        &self,
        descriptor: &TensorDescriptor,
        bytes: impl Into<Bytes>,
    ) -> Result<Tensor> {
        let place = |error: Error| error.at("createConstantTensor");
        self.0.check_not_lost("createConstantTensor")?;
        let desc = self.0.check_desc(descriptor).map_err(place)?;
        let bytes = bytes.into();
        if bytes.external_id().is_none() {
            check_length(&desc, bytes.len()).map_err(place)?;
            self.0.take(&desc).map_err(place)?;
        }
        let memory = Memory::Constant(Mutex::new(Some(bytes)));
        Ok(self.0.remember(Tensor::new(self.0.clone(), desc, (false, false), memory)))
    }

    /// [`Context::create_constant_tensor`] of so many bytes that lie in another place, where the
    /// context [is](Context::elsewhere), too.
    pub fn create_constant_tensor_external(
        &self,
        descriptor: &TensorDescriptor,
        byte_length: usize,
        id: u32,
    ) -> Result<Tensor> {
        let check = || check_length(&self.0.check_desc(descriptor)?, byte_length);
        self.0.check_not_lost("createConstantTensor")?;
        check().map_err(|error: Error| error.at("createConstantTensor"))?;
        self.create_constant_tensor(descriptor, Bytes::external(id))
    }

    /// Replaces a tensor's elements, given row-major and little-endian.
    pub fn write_tensor(&self, tensor: &Tensor, bytes: &[u8]) -> Result<()> {
        self.check_write(tensor, bytes.len())?;
        match self.0.timeline.turn() {
            Some(_turn) => tensor.0.write(bytes),
            None => self.0.timeline.submit(Task::Write(tensor.0.clone(), bytes.to_vec())),
        }
        Ok(())
    }

    /// [`Context::write_tensor`] of so many bytes, which `fill` puts where they belong.
    pub fn write_tensor_with(
        &self,
        tensor: &Tensor,
        byte_length: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<()> {
        self.check_write(tensor, byte_length)?;
        match self.0.timeline.turn() {
            Some(_turn) => tensor.0.with_bytes_mut(fill),
            None => {
                let mut bytes = vec![0; byte_length];
                fill(&mut bytes);
                self.0.timeline.submit(Task::Write(tensor.0.clone(), bytes));
            }
        }
        Ok(())
    }

    /// Whether [`Context::write_tensor`] would take so many bytes for the tensor.
    pub fn check_write(&self, tensor: &Tensor, length: usize) -> Result<()> {
        let check = || {
            self.check_tensor(tensor)?;
            ensure!(tensor.writable(), "the tensor is not writable");
            check_length(&tensor.desc(), length)
        };
        check().map_err(|error| error.at("writeTensor"))
    }

    /// Replaces a tensor's elements by those of a slice.
    pub fn write_slice<T: Element>(&self, tensor: &Tensor, elements: &[T]) -> Result<()> {
        ensure_element::<T>(&tensor.desc()).map_err(|error| error.at("writeTensor"))?;
        self.write_tensor(tensor, bytemuck::cast_slice(elements))
    }

    /// A tensor's elements, row-major and little-endian, once all that was asked for before is
    /// done.
    pub fn read_tensor(&self, tensor: &Tensor) -> Result<ReadTensor> {
        self.check_read(tensor, None)?;
        let promise = Promise::new();
        match self.0.timeline.turn() {
            Some(_turn) => {
                promise.settle(tensor.0.read());
            }
            None => self.0.timeline.submit(Task::Read(tensor.0.clone(), promise.clone())),
        }
        Ok(ReadTensor(promise))
    }

    /// [`Context::read_tensor`], waiting.
    pub fn read_tensor_blocking(&self, tensor: &Tensor) -> Result<Vec<u8>> {
        self.check_read(tensor, None)?;
        if let Some(_turn) = self.0.timeline.turn() {
            return tensor.0.read();
        }
        let promise = Promise::new();
        let task = Task::Read(tensor.0.clone(), promise.clone());
        self.0.timeline.wait(self.0.timeline.submit_for(task));
        promise.take().unwrap_or_else(|| Err(self.0.lost_error("readTensor")))
    }

    /// [`Context::read_tensor_blocking`] by a look at the bytes where they lie.
    pub fn read_tensor_with<T>(&self, tensor: &Tensor, look: impl FnOnce(&[u8]) -> T) -> Result<T> {
        self.check_read(tensor, None)?;
        if let Some(_turn) = self.0.timeline.turn() {
            return tensor.0.with_bytes(look);
        }
        Ok(look(&self.read_tensor_blocking(tensor)?))
    }

    /// A tensor's elements, waiting for them.
    pub fn read_vec<T: Element>(&self, tensor: &Tensor) -> Result<Vec<T>> {
        ensure_element::<T>(&tensor.desc()).map_err(|error| error.at("readTensor"))?;
        Ok(to_vec(&self.read_tensor_blocking(tensor)?))
    }

    /// Whether [`Context::read_tensor`] would take the tensor, and its bytes would fit a
    /// destination of the length that is given.
    pub fn check_read(&self, tensor: &Tensor, length: Option<usize>) -> Result<()> {
        let check = || {
            self.check_tensor(tensor)?;
            ensure!(tensor.readable(), "the tensor is not readable");
            length.map_or(Ok(()), |length| check_length(&tensor.desc(), length))
        };
        check().map_err(|error| error.at("readTensor"))
    }

    fn check_tensor(&self, tensor: &Tensor) -> Result<()> {
        ensure!(Arc::ptr_eq(&tensor.0.context, &self.0), "the tensor belongs to another context");
        ensure!(!tensor.0.is_destroyed(), "the tensor is destroyed");
        Ok(())
    }

    /// Lets the graph compute its outputs from its inputs, each given by name. Returns at once:
    /// the work is queued behind all that was asked for before.
    pub fn dispatch(
        &self,
        graph: &Graph,
        inputs: &[(&str, &Tensor)],
        outputs: &[(&str, &Tensor)],
    ) -> Result<()> {
        let dispatch = self.bind_dispatch(graph, inputs, outputs)?;
        self.0.timeline.submit(Task::Dispatch(dispatch));
        Ok(())
    }

    /// [`Context::dispatch`], waiting until the outputs are computed.
    pub fn dispatch_blocking(
        &self,
        graph: &Graph,
        inputs: &[(&str, &Tensor)],
        outputs: &[(&str, &Tensor)],
    ) -> Result<()> {
        let dispatch = self.bind_dispatch(graph, inputs, outputs)?;
        self.0.timeline.wait(self.0.timeline.submit_for(Task::Dispatch(dispatch)));
        self.0.check_not_lost("dispatch")
    }

    /// [`Context::dispatch_blocking`], and the time that each of [`Graph::steps`] took.
    pub fn dispatch_profiled(
        &self,
        graph: &Graph,
        inputs: &[(&str, &Tensor)],
        outputs: &[(&str, &Tensor)],
    ) -> Result<Vec<Duration>> {
        let profile = Promise::new();
        let dispatch = self.bind_dispatch(graph, inputs, outputs)?;
        let dispatch = Dispatch { profile: Some(profile.clone()), ..dispatch };
        self.0.timeline.wait(self.0.timeline.submit_for(Task::Dispatch(dispatch)));
        profile.take().ok_or_else(|| self.0.lost_error("dispatch"))
    }

    /// Whether [`Context::dispatch`] would take the arguments.
    pub fn check_dispatch(
        &self,
        graph: &Graph,
        inputs: &[(&str, &Tensor)],
        outputs: &[(&str, &Tensor)],
    ) -> Result<()> {
        self.bind_dispatch(graph, inputs, outputs).map(drop)
    }

    fn bind_dispatch(
        &self,
        graph: &Graph,
        inputs: &[(&str, &Tensor)],
        outputs: &[(&str, &Tensor)],
    ) -> Result<Dispatch> {
        let place = |error: Error| error.at("dispatch");
        let graph = &graph.0;
        if !Arc::ptr_eq(&graph.context, &self.0) {
            return Err(place(Error::type_error("the graph belongs to another context")));
        }
        let program = graph.program().map_err(place)?;
        let (inputs, outputs) =
            self.check_bindings(graph, inputs, outputs).map_err(|error| error.at("dispatch"))?;
        Ok(Dispatch { context: self.0.clone(), program, inputs, outputs, profile: None })
    }

    /// The tensors in the order of the graph's ports.
    fn check_bindings(
        &self,
        graph: &GraphInner,
        inputs: &[(&str, &Tensor)],
        outputs: &[(&str, &Tensor)],
    ) -> Result<Bound> {
        let mut seen = HashSet::new();
        for (name, tensor) in inputs.iter().chain(outputs) {
            ensure!(
                seen.insert(Arc::as_ptr(&tensor.0)),
                "the tensor of {name:?} is given twice, expected different ones"
            );
        }
        for (name, tensor) in inputs.iter().chain(outputs) {
            self.check_tensor(tensor).map_err(|error| error.at(format!("{name:?}")))?;
        }
        Ok((bind("input", &graph.inputs, inputs)?, bind("output", &graph.outputs, outputs)?))
    }

    /// Waits until all that was asked for is done.
    pub fn finish_blocking(&self) {
        self.0.timeline.wait(self.0.timeline.last_ticket());
    }

    /// Gives the device back: the context is lost, with all its tensors and graphs. Again does
    /// nothing.
    pub fn destroy(&self) {
        self.lose("destroy() was called");
    }

    /// Loses the context for the given reason, as a failing device does. Again does nothing.
    pub fn lose(&self, reason: &str) {
        self.0.lose(reason);
    }

    /// Resolves when the context is lost, with the reason in words.
    ///
    /// ```
    /// use webnn::{ContextOptions, ErrorKind, Ml};
    ///
    /// let context = Ml::new().create_context(&ContextOptions::default())?;
    /// let lost = context.lost();
    /// assert_eq!(lost.now(), None);
    /// context.destroy();
    /// assert_eq!(lost.now().as_deref(), Some("destroy() was called"));
    /// assert_eq!(context.graph_builder().unwrap_err().kind(), ErrorKind::InvalidState);
    /// # Ok::<(), webnn::Error>(())
    /// ```
    pub fn lost(&self) -> Lost {
        Lost(self.0.lost.clone())
    }
}

/// Inputs and outputs in the order of a graph's ports.
type Bound = (Vec<Arc<TensorInner>>, Vec<Arc<TensorInner>>);

/// The given tensors in the order of the graph's ports.
fn bind(
    what: &str,
    ports: &[(String, Desc)],
    given: &[(&str, &Tensor)],
) -> Result<Vec<Arc<TensorInner>>> {
    ensure!(
        given.len() == ports.len(),
        "{} {what}s were given, expected {}",
        given.len(),
        names(ports)
    );
    for (i, (name, tensor)) in given.iter().enumerate() {
        ensure!(
            given[..i].iter().all(|(other, _)| other != name),
            "{what} {name:?} is given twice"
        );
        let Some((_, desc)) = ports.iter().find(|(port, _)| port == name) else {
            webnn_core::bail!("the graph has no {what} {name:?}, expected {}", names(ports));
        };
        ensure!(
            tensor.desc() == *desc,
            "the tensor of {what} {name:?} is {}, expected {desc}",
            tensor.desc()
        );
        ensure!(!tensor.is_constant(), "the tensor of {what} {name:?} is constant");
    }
    let tensor = |port: &String| given.iter().find(|(name, _)| name == port);
    Ok(ports.iter().filter_map(|(port, _)| Some(tensor(port)?.1.0.clone())).collect())
}

fn names(ports: &[(String, Desc)]) -> String {
    if ports.is_empty() {
        return "none".into();
    }
    ports.iter().map(|(name, _)| format!("{name:?}")).collect::<Vec<_>>().join(", ")
}

fn check_length(desc: &Desc, length: usize) -> Result<()> {
    ensure!(
        length as u64 == desc.byte_length(),
        "{length} bytes were given, expected {} for {desc}",
        desc.byte_length()
    );
    Ok(())
}

impl Inner {
    pub(crate) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }

    pub(crate) fn check_not_lost(&self, place: &str) -> Result<()> {
        if self.is_lost() { Err(self.lost_error(place)) } else { Ok(()) }
    }

    pub(crate) fn lost_error(&self, place: &str) -> Error {
        let reason = self.lost.get().unwrap_or_else(|| "its device is gone".into());
        let message = format!("{place}: the context is lost: {reason}");
        Error::new(ErrorKind::InvalidState, message)
    }

    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Loses the context: what is queued is dropped, pending reads fail, tensors are destroyed.
    pub(crate) fn lose(self: &Arc<Self>, reason: &str) {
        if self.is_lost.swap(true, Ordering::AcqRel) {
            return;
        }
        self.lost.settle(reason.to_owned());
        for task in self.timeline.abort() {
            match task {
                Task::Read(_, promise) => {
                    promise.settle(Err(self.lost_error("readTensor")));
                }
                Task::Write(..) | Task::Dispatch(_) | Task::Release(_) => {}
            }
        }
        let tensors = std::mem::take(&mut *lock(&self.tensors));
        for tensor in tensors.iter().filter_map(Weak::upgrade) {
            self.release_tensor(&tensor);
        }
    }

    /// Lets a destroyed tensor's memory go after the work that is queued.
    pub(crate) fn release_tensor(&self, tensor: &Arc<TensorInner>) {
        for promise in self.timeline.pending_reads(tensor) {
            promise.settle(Err(Error::new(
                ErrorKind::InvalidState,
                "readTensor: the tensor was destroyed before it was read",
            )));
        }
        match self.timeline.turn() {
            Some(_turn) => tensor.free(),
            None => self.timeline.submit(Task::Release(tensor.clone())),
        }
    }

    fn check_desc(&self, descriptor: &TensorDescriptor) -> Result<Desc> {
        let desc = Desc::new(descriptor.data_type, Shape::new(&descriptor.shape)?);
        self.limits.check(&desc)?;
        Ok(desc)
    }

    /// Memory for a tensor, counted.
    fn memory(&self, desc: &Desc) -> Result<Memory> {
        if let Engine::Elsewhere = self.engine {
            return self.engine.tensor(desc);
        }
        self.take(desc)?;
        self.engine.tensor(desc).inspect_err(|_| self.give_back(desc.byte_length()))
    }

    /// Counts a tensor's bytes; fails where the context may not hold as many.
    fn take(&self, desc: &Desc) -> Result<()> {
        let most = self.options.max_tensor_bytes.unwrap_or(u64::MAX);
        let bytes = desc.byte_length();
        let add = |held: u64| held.checked_add(bytes).filter(|&sum| sum <= most);
        match self.tensor_bytes.fetch_update(Ordering::AcqRel, Ordering::Acquire, add) {
            Ok(_) => Ok(()),
            Err(held) => Err(Error::new(
                ErrorKind::Unknown,
                format!("{desc} takes {bytes} bytes, expected at most {}", most - held),
            )),
        }
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        self.tensor_bytes.fetch_sub(bytes, Ordering::AcqRel);
    }

    fn remember(&self, tensor: Tensor) -> Tensor {
        let mut tensors = lock(&self.tensors);
        // Forgetting the dropped ones only when the list would grow keeps this cheap.
        if tensors.len() == tensors.capacity() {
            tensors.retain(|tensor| tensor.strong_count() > 0);
        }
        tensors.push(Arc::downgrade(&tensor.0));
        drop(tensors);
        tensor
    }

    #[cfg(test)]
    pub(crate) fn forbid_worker(&self) {
        self.timeline.forbid_worker();
    }

    #[cfg(test)]
    pub(crate) fn tensor_bytes(&self) -> u64 {
        self.tensor_bytes.load(Ordering::Acquire)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.timeline.close();
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("device", &self.0.device)
            .field("lost", &self.0.lost.get())
            .finish()
    }
}
