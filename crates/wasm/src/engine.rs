//! The engine's half, for a worker. Tensors, constants and graphs go by the numbers that the
//! page's half gave them, and all has been checked there.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::wasm_bindgen;
use webnn::core::Source;
use webnn::{
    Bytes, ContextOptions, DeviceType, Error, ErrorKind, Helper, Ml, PowerPreference,
    TensorDescriptor,
};

use crate::value::{Result, descriptor, failure, id, misuse, pairs};

/// Places that wait for their threads, which find them here because they share this memory.
static HELPERS: Mutex<Vec<Helper>> = Mutex::new(Vec::new());

/// A context on this machine's processor.
#[wasm_bindgen]
pub struct Engine {
    context: webnn::Context,
    tensors: HashMap<u32, webnn::Tensor>,
    constants: HashMap<u32, Bytes>,
    graphs: HashMap<u32, webnn::Graph>,
}

#[wasm_bindgen]
impl Engine {
    /// An engine for so many threads, this one included.
    #[wasm_bindgen(constructor)]
    pub fn new(
        power_preference: &str,
        accelerated: bool,
        device_type: Option<String>,
        threads: usize,
    ) -> Result<Engine> {
        let options = ContextOptions {
            power_preference: power(power_preference)?,
            accelerated,
            device_type: device_type.as_deref().map(device).transpose()?,
            threads: Some(threads),
            ..ContextOptions::default()
        };
        let context = Ml::new().create_context(&options).map_err(failure)?;
        HELPERS.lock().unwrap_or_else(PoisonError::into_inner).extend(context.helpers());
        Ok(Engine {
            context,
            tensors: HashMap::new(),
            constants: HashMap::new(),
            graphs: HashMap::new(),
        })
    }

    /// What it computes with, in words.
    pub fn details(&self) -> String {
        self.context.device().details.clone()
    }

    /// Why it is this one, in words.
    pub fn reason(&self) -> String {
        self.context.device().reason.clone()
    }

    /// How many threads the host is to start; each calls [`help`].
    pub fn helpers(&self) -> usize {
        HELPERS.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Why the context is lost, where it is.
    pub fn lost(&self) -> Option<String> {
        self.context.lost().now()
    }

    /// Makes a tensor full of zeros.
    #[wasm_bindgen(js_name = createTensor)]
    pub fn create_tensor(&mut self, id: u32, data_type: &str, shape: &[u32]) -> Result<()> {
        let descriptor = descriptor(data_type, shape)?;
        // Scripts' rights to the tensor are the page's half's business.
        let descriptor = TensorDescriptor { readable: true, writable: true, ..descriptor };
        let tensor = self.context.create_tensor(&descriptor).map_err(failure)?;
        self.tensors.insert(id, tensor);
        Ok(())
    }

    /// Lays the bytes of a constant tensor into memory.
    #[wasm_bindgen(js_name = createConstant)]
    pub fn create_constant(&mut self, constant: u32, bytes: &Uint8Array) -> Result<()> {
        let bytes = laid(bytes).map_err(|error| failure(error.at("createConstantTensor")))?;
        self.constants.insert(constant, bytes);
        Ok(())
    }

    /// Replaces a tensor's elements.
    pub fn write(&self, tensor: u32, bytes: &Uint8Array) -> Result<()> {
        let length = bytes.length() as usize;
        let fill = |elements: &mut [u8]| bytes.copy_to(elements);
        self.context.write_tensor_with(self.tensor(tensor)?, length, fill).map_err(failure)
    }

    /// How many bytes a tensor has.
    #[wasm_bindgen(js_name = byteLength)]
    pub fn byte_length(&self, tensor: u32) -> Result<usize> {
        Ok(self.tensor(tensor)?.desc().byte_length() as usize)
    }

    /// Copies a tensor's elements to a script's memory of their length, which the script has made:
    /// an exception in the middle of this would leave the engine as a panic does.
    pub fn read(&self, tensor: u32, destination: &Uint8Array) -> Result<()> {
        let length = destination.length() as usize;
        let look = |elements: &[u8]| {
            let fits = elements.len() == length;
            if fits {
                destination.copy_from(elements);
            }
            fits
        };
        match self.context.read_tensor_with(self.tensor(tensor)?, look) {
            Ok(true) => Ok(()),
            Ok(false) => Err(misuse("the destination has another length than the tensor")),
            Err(error) => Err(failure(error)),
        }
    }

    /// Compiles a graph from its text. `buffers` holds the bytes of the constants whose numbers
    /// are given; what else the text names are constant tensors.
    pub fn compile(&mut self, id: u32, text: &str, numbers: &[u32], buffers: &Array) -> Result<()> {
        let place = |error: Error| failure(error.at("build"));
        let mut constants = self.constants.clone();
        for (i, &number) in numbers.iter().enumerate() {
            let buffer = buffers.get(i as u32);
            let buffer = buffer.dyn_ref::<ArrayBuffer>().ok_or_else(|| misuse("no buffer"))?;
            let bytes = laid(&Uint8Array::new(buffer));
            let bytes = bytes.map_err(|error| Error::new(ErrorKind::Operation, error.message()));
            constants.insert(number, bytes.map_err(place)?);
        }
        let length = constants.keys().max().map_or(0, |&last| last as usize + 1);
        let mut table = vec![Bytes::from(Vec::new()); length];
        for (number, bytes) in constants {
            table[number as usize] = bytes;
        }
        let limits = self.context.op_support_limits().clone();
        let graph = webnn::core::text::parse_with(text, limits, &table).map_err(place)?;
        // The graph alone keeps its constants, so that it can let them go once they are packed.
        drop(table);
        // Most constants get a second, packed form while the first is still there.
        spare(bytes_of_constants(&graph)).map_err(place)?;
        self.graphs.insert(id, self.context.compile(graph).map_err(failure)?);
        Ok(())
    }

    /// Computes a graph's outputs from its inputs; tensors are given as name and number by turns.
    pub fn dispatch(&self, graph: u32, inputs: &Array, outputs: &Array) -> Result<()> {
        let named = |array| pairs(array, |value| self.tensor(id(value)?));
        let (inputs, outputs) = (named(inputs)?, named(outputs)?);
        fn borrowed<'a>(
            named: &'a [(String, &'a webnn::Tensor)],
        ) -> Vec<(&'a str, &'a webnn::Tensor)> {
            named.iter().map(|(name, tensor)| (name.as_str(), *tensor)).collect()
        }
        let graph = self.graphs.get(&graph).ok_or_else(|| misuse("there is no such graph"))?;
        let (inputs, outputs) = (borrowed(&inputs), borrowed(&outputs));
        self.context.dispatch_blocking(graph, &inputs, &outputs).map_err(failure)
    }

    /// Gives a tensor's memory back.
    #[wasm_bindgen(js_name = freeTensor)]
    pub fn free_tensor(&mut self, id: u32) {
        self.tensors.remove(&id);
    }

    /// Gives a constant tensor's memory back, but for the graphs that use it.
    #[wasm_bindgen(js_name = freeConstant)]
    pub fn free_constant(&mut self, constant: u32) {
        self.constants.remove(&constant);
    }

    /// Gives a graph's memory back.
    #[wasm_bindgen(js_name = freeGraph)]
    pub fn free_graph(&mut self, id: u32) {
        self.graphs.remove(&id);
    }

    fn tensor(&self, id: u32) -> Result<&webnn::Tensor> {
        self.tensors.get(&id).ok_or_else(|| misuse("there is no such tensor"))
    }
}

/// Makes the calling thread one of the engine's, as long as the engine lives.
#[wasm_bindgen]
pub fn help() {
    let helper = HELPERS.lock().unwrap_or_else(PoisonError::into_inner).pop();
    if let Some(helper) = helper {
        helper.work();
    }
}

/// A copy of a script's bytes; fails where there is no memory for it.
fn laid(bytes: &Uint8Array) -> webnn::Result<Bytes> {
    let mut copy = reserved(bytes.length() as usize)?;
    copy.resize(bytes.length() as usize, 0);
    bytes.copy_to(&mut copy);
    Ok(Bytes::from(copy))
}

fn bytes_of_constants(graph: &webnn::core::Graph) -> usize {
    let constants = graph.values().iter().filter_map(|value| match &value.source {
        Source::Constant(bytes) => Some(bytes.len()),
        Source::Input(_) | Source::Node(..) => None,
    });
    constants.sum()
}

/// Fails where there is no memory for so many bytes more.
fn spare(length: usize) -> webnn::Result<()> {
    let reserved = reserved(length);
    reserved.map(drop).map_err(|error| Error::new(ErrorKind::Operation, error.message()))
}

fn reserved(length: usize) -> webnn::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| {
        let message = format!("{length} bytes of constants are more memory than there is");
        Error::new(ErrorKind::Unknown, message)
    })?;
    Ok(bytes)
}

fn power(name: &str) -> Result<PowerPreference> {
    let all =
        [PowerPreference::Default, PowerPreference::HighPerformance, PowerPreference::LowPower];
    let found = all.into_iter().find(|preference| preference.name() == name);
    found.ok_or_else(|| misuse("there is no such power preference"))
}

fn device(name: &str) -> Result<DeviceType> {
    let found =
        [DeviceType::Cpu, DeviceType::Gpu, DeviceType::Npu].into_iter().find(|d| d.name() == name);
    found.ok_or_else(|| misuse("there is no such device type"))
}
