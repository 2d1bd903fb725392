//! The page's half: every check at once, on the calling thread.
//!
//! Tensors and graphs go by numbers that are unique in the page, so that lists of them, and those
//! of other contexts, are handed over as they are; the engine in the worker knows them by the same
//! numbers. Operands go by their place in their builder.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use js_sys::Array;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use webnn::{ContextOptions, Device, Error, Operand};

use crate::value::{
    Result, args, data_type, descriptor, failure, id, misuse, number, pairs, ports,
};

thread_local! {
    static TENSORS: RefCell<HashMap<u32, webnn::Tensor>> = RefCell::default();
    static GRAPHS: RefCell<HashMap<u32, webnn::Graph>> = RefCell::default();
    static LAST_ID: Cell<u32> = const { Cell::new(0) };
}

fn next_id() -> u32 {
    LAST_ID.set(LAST_ID.get() + 1);
    LAST_ID.get()
}

fn tensor(id: u32) -> Result<webnn::Tensor> {
    let known = TENSORS.with_borrow(|tensors| tensors.get(&id).cloned());
    known.ok_or_else(|| misuse("the tensor is gone"))
}

fn graph(id: u32) -> Result<webnn::Graph> {
    let known = GRAPHS.with_borrow(|graphs| graphs.get(&id).cloned());
    known.ok_or_else(|| misuse("the graph is gone"))
}

fn new_tensor(tensor: webnn::Tensor) -> u32 {
    let id = next_id();
    TENSORS.with_borrow_mut(|tensors| tensors.insert(id, tensor));
    id
}

fn new_graph(graph: webnn::Graph) -> u32 {
    let id = next_id();
    GRAPHS.with_borrow_mut(|graphs| graphs.insert(id, graph));
    id
}

/// A context whose engine is in another place.
#[wasm_bindgen]
pub struct Context(webnn::Context);

#[wasm_bindgen]
impl Context {
    /// A context of an engine that describes itself so.
    #[wasm_bindgen(constructor)]
    pub fn new(details: String, reason: String, accelerated: bool) -> Context {
        let options = ContextOptions { accelerated, ..ContextOptions::default() };
        Context(webnn::Context::elsewhere(Device { kind: "cpu", reason, details }, &options))
    }

    /// Which kind of device it is.
    pub fn kind(&self) -> String {
        self.0.device().kind.to_owned()
    }

    /// The `MLOpSupportLimits` dictionary as JSON.
    pub fn limits(&self) -> String {
        self.0.op_support_limits().to_json()
    }

    /// A builder of one graph.
    pub fn builder(&self) -> Result<Builder> {
        let builder = self.0.graph_builder().map_err(failure)?;
        Ok(Builder { context: self.0.clone(), builder, operands: Vec::new() })
    }

    /// The number of a graph that the engine is given as text, and checks; inputs and outputs are
    /// given as name, data type and shape by turns.
    #[wasm_bindgen(js_name = graphElsewhere)]
    pub fn graph_elsewhere(&self, inputs: &Array, outputs: &Array) -> Result<u32> {
        let graph = self.0.graph_elsewhere(&ports(inputs)?, &ports(outputs)?);
        Ok(new_graph(graph.map_err(failure)?))
    }

    /// Checks a new tensor and gives its number.
    #[wasm_bindgen(js_name = createTensor)]
    pub fn create_tensor(
        &self,
        data_type: &str,
        shape: &[u32],
        readable: bool,
        writable: bool,
    ) -> Result<u32> {
        let mut descriptor = descriptor(data_type, shape)?;
        (descriptor.readable, descriptor.writable) = (readable, writable);
        Ok(new_tensor(self.0.create_tensor(&descriptor).map_err(failure)?))
    }

    /// Checks a new constant tensor and gives its number; graphs know its bytes by `constant`.
    #[wasm_bindgen(js_name = createConstantTensor)]
    pub fn create_constant_tensor(
        &self,
        data_type: &str,
        shape: &[u32],
        byte_length: usize,
        constant: u32,
    ) -> Result<u32> {
        let descriptor = descriptor(data_type, shape)?;
        let tensor = self.0.create_constant_tensor_external(&descriptor, byte_length, constant);
        Ok(new_tensor(tensor.map_err(failure)?))
    }

    /// Checks a write of so many bytes.
    #[wasm_bindgen(js_name = checkWrite)]
    pub fn check_write(&self, tensor_id: u32, byte_length: usize) -> Result<()> {
        self.0.check_write(&tensor(tensor_id)?, byte_length).map_err(failure)
    }

    /// Checks a read into a destination of so many bytes.
    #[wasm_bindgen(js_name = checkRead)]
    pub fn check_read(&self, tensor_id: u32, byte_length: Option<usize>) -> Result<()> {
        self.0.check_read(&tensor(tensor_id)?, byte_length).map_err(failure)
    }

    /// Checks a dispatch; tensors are given as name and number by turns.
    #[wasm_bindgen(js_name = checkDispatch)]
    pub fn check_dispatch(&self, graph_id: u32, inputs: &Array, outputs: &Array) -> Result<()> {
        let named = |array| pairs(array, |value| tensor(id(value)?));
        let (inputs, outputs) = (named(inputs)?, named(outputs)?);
        fn borrowed(named: &[(String, webnn::Tensor)]) -> Vec<(&str, &webnn::Tensor)> {
            named.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
        }
        let checked =
            self.0.check_dispatch(&graph(graph_id)?, &borrowed(&inputs), &borrowed(&outputs));
        checked.map_err(failure)
    }

    /// Loses the context: for `destroy`, and when the engine is gone.
    pub fn lose(&self, reason: Option<String>) {
        match reason {
            Some(reason) => self.0.lose(&reason),
            None => self.0.destroy(),
        }
    }

    /// Why the context is lost, where it is.
    pub fn lost(&self) -> Option<String> {
        self.0.lost().now()
    }
}

/// Destroys a tensor, which stays known as destroyed.
#[wasm_bindgen(js_name = destroyTensor)]
pub fn destroy_tensor(tensor_id: u32) -> Result<()> {
    tensor(tensor_id)?.destroy();
    Ok(())
}

/// Destroys a graph, which stays known as destroyed.
#[wasm_bindgen(js_name = destroyGraph)]
pub fn destroy_graph(graph_id: u32) -> Result<()> {
    graph(graph_id)?.destroy();
    Ok(())
}

/// Forgets a tensor that no script can name any more.
#[wasm_bindgen(js_name = forgetTensor)]
pub fn forget_tensor(id: u32) {
    // Dropped after the table is free again.
    let _tensor = TENSORS.with_borrow_mut(|tensors| tensors.remove(&id));
}

/// Forgets a graph that no script can name any more.
#[wasm_bindgen(js_name = forgetGraph)]
pub fn forget_graph(id: u32) {
    let _graph = GRAPHS.with_borrow_mut(|graphs| graphs.remove(&id));
}

/// One graph under construction.
#[wasm_bindgen]
pub struct Builder {
    context: webnn::Context,
    builder: webnn::GraphBuilder,
    operands: Vec<Operand>,
}

#[wasm_bindgen]
impl Builder {
    /// Adds an input and gives its operand's place.
    pub fn input(&mut self, name: &str, data_type_name: &str, shape: &[u32]) -> Result<usize> {
        let operand = self.builder.input(name, data_type(data_type_name)?, shape);
        self.remember(operand)
    }

    /// Adds a constant whose bytes the caller keeps under a number.
    pub fn constant(
        &mut self,
        data_type_name: &str,
        shape: &[u32],
        byte_length: usize,
        constant: u32,
    ) -> Result<usize> {
        let data_type = data_type(data_type_name)?;
        let operand = self.builder.constant_external(data_type, shape, byte_length, constant);
        self.remember(operand)
    }

    /// Adds a constant of one element.
    pub fn scalar(&mut self, data_type_name: &str, value: &JsValue) -> Result<usize> {
        let operand = self.builder.scalar(data_type(data_type_name)?, number(value)?);
        self.remember(operand)
    }

    /// Adds a constant tensor.
    #[wasm_bindgen(js_name = constantTensor)]
    pub fn constant_tensor(&mut self, tensor_id: u32) -> Result<Array> {
        let operand = self.builder.constant_tensor(&tensor(tensor_id)?).map_err(failure)?;
        Ok(self.results(vec![operand]))
    }

    /// Adds an operator. Operands are given as name and place, or places, by turns, -1 for those
    /// of other builders; attributes as name and value by turns. Gives place, data type and shape
    /// of each result by turns.
    pub fn add(
        &mut self,
        method: &str,
        operands: &Array,
        attributes: &Array,
        label: &str,
    ) -> Result<Array> {
        let operands = pairs(operands, |value| match value.dyn_ref::<Array>() {
            Some(places) => places.iter().map(|place| self.operand(&place)).collect(),
            None => Ok(vec![self.operand(value)?]),
        })?;
        let operands: Vec<(&str, Vec<Operand>)> =
            operands.iter().map(|(name, operands)| (name.as_str(), operands.clone())).collect();
        let results = self.builder.add_named(method, &operands, &args(attributes)?, label);
        Ok(self.results(results.map_err(failure)?))
    }

    /// Checks the outputs, given as name and place by turns, and ends the building.
    pub fn finish(&mut self, outputs: &Array) -> Result<Build> {
        let outputs = pairs(outputs, |value| self.operand(value))?;
        let outputs: Vec<(&str, Operand)> =
            outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
        let graph = self.builder.finish(&outputs).map_err(failure)?;
        let text = graph.to_string();
        let constants = graph.values().iter().filter_map(|value| match &value.source {
            webnn::core::Source::Constant(bytes) => bytes.external_id(),
            webnn::core::Source::Input(_) | webnn::core::Source::Node(..) => None,
        });
        let constants = constants.collect();
        let graph = self.context.compile(graph).map_err(failure)?;
        self.operands = Vec::new();
        Ok(Build { graph, text, constants })
    }

    /// The operand at a place of this builder; any other belongs to another one, and the builder
    /// refuses it with its own words.
    fn operand(&self, place: &JsValue) -> Result<Operand> {
        let place = place.as_f64().ok_or_else(|| misuse("expected the place of an operand"))?;
        match self.operands.get(place as isize as usize) {
            Some(operand) => Ok(*operand),
            None => foreign().map_err(failure),
        }
    }

    fn remember(&mut self, operand: webnn::Result<Operand>) -> Result<usize> {
        self.operands.push(operand.map_err(failure)?);
        Ok(self.operands.len() - 1)
    }

    fn results(&mut self, results: Vec<Operand>) -> Array {
        let array = Array::new();
        for operand in results {
            array.push(&JsValue::from(self.operands.len()));
            array.push(&JsValue::from_str(operand.data_type().name()));
            let shape = operand.shape();
            array.push(&shape.iter().map(|&size| JsValue::from(size)).collect::<Array>());
            self.operands.push(operand);
        }
        array
    }
}

/// An operand of a builder that nobody else has.
fn foreign() -> webnn::Result<Operand, Error> {
    let mut other = webnn::core::GraphBuilder::new(webnn::Limits::default());
    other.scalar(webnn::DataType::Uint8, webnn::Number::Int(0))
}

/// A checked graph, on its way to the engine.
#[wasm_bindgen]
pub struct Build {
    graph: webnn::Graph,
    text: String,
    constants: Vec<u32>,
}

#[wasm_bindgen]
impl Build {
    /// What the engine is to compile.
    pub fn text(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    /// The numbers of the constants that the text names.
    pub fn constants(&self) -> Vec<u32> {
        self.constants.clone()
    }

    /// The number under which the graph is known from now on.
    pub fn graph(self) -> u32 {
        new_graph(self.graph)
    }
}
