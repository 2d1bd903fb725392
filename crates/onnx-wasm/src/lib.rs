//! The ONNX reader as WebAssembly: a file becomes calls of `MLGraphBuilder`, any one's.
//!
//! JavaScript hands the file over in pieces ([`OnnxFile`]) and takes a [`Plan`]: the calls that
//! build the graph, and the bytes of each constant, which leave this memory once. What stands in
//! the way comes back as one list, the demands that a context cannot meet among it.

mod calls;
mod js;
mod support;

use std::collections::HashMap;

use js_sys::{Array, Object, Uint8Array};
use wasm_bindgen::prelude::*;
use webnn_core::{Graph, GraphBuilder, Limits, Source, ValueId};
use webnn_onnx::{Model, Options};

/// A model's file, and the files beside it that hold its weights, on their way in.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct OnnxFile {
    model: Vec<u8>,
    external: HashMap<String, Vec<u8>>,
    /// The file that bytes go to; the empty name is the model's.
    current: String,
}

#[wasm_bindgen]
impl OnnxFile {
    /// Nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> OnnxFile {
        OnnxFile::default()
    }

    /// Makes room for the next file: the model's where the name is empty, or one that the model
    /// refers to by this name. The length is a hint.
    pub fn begin(&mut self, name: &str, length: usize) -> Result<(), JsValue> {
        self.current = name.strip_prefix("./").unwrap_or(name).to_owned();
        let bytes = self.bytes();
        bytes.clear();
        reserve(bytes, length)
    }

    /// Adds the next piece of the file.
    pub fn append(&mut self, piece: &Uint8Array) -> Result<(), JsValue> {
        let bytes = self.bytes();
        let (start, length) = (bytes.len(), piece.length() as usize);
        if bytes.capacity() - start < length {
            reserve(bytes, length)?;
        }
        bytes.resize(start + length, 0);
        piece.copy_to(&mut bytes[start..]);
        Ok(())
    }

    /// What the file says of itself, free dimensions by their names.
    pub fn inspect(self) -> Result<Object, JsValue> {
        let model = self.decode(&Options::default())?;
        Ok(js::description(&model))
    }

    /// What builds the model with the options applied, for a context of the limits that its
    /// `opSupportLimits()` gave; without limits for one of ours, which takes all there is.
    pub fn plan(self, options: &JsValue, limits: &JsValue) -> Result<Plan, JsValue> {
        let model = self.decode(&js::options(options)?)?;
        let mut builder = GraphBuilder::new(Limits::default());
        let outputs = model.build(&mut builder).map_err(|error| js::error(&error))?;
        let description = js::description(&model);
        // The graph shares the bytes that it needs; decoded messages are of no use any more.
        drop(model);
        let outputs: Vec<_> = outputs.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let graph = builder.build(&outputs).map_err(|error| js::failure(&error.to_string()))?;
        if limits.is_object() {
            let problems = support::problems(&graph, &js::SupportLimits(limits));
            if !problems.is_empty() {
                return Err(js::unsupported(&problems));
            }
        }
        Ok(Plan { graph, description })
    }
}

impl OnnxFile {
    fn bytes(&mut self) -> &mut Vec<u8> {
        if self.current.is_empty() {
            return &mut self.model;
        }
        self.external.entry(self.current.clone()).or_default()
    }

    fn decode(self, options: &Options) -> Result<Model, JsValue> {
        Model::from_parts(self.model, self.external, options).map_err(|error| js::error(&error))
    }
}

fn reserve(bytes: &mut Vec<u8>, length: usize) -> Result<(), JsValue> {
    bytes.try_reserve(length).map_err(|_| {
        let size = bytes.len() + length;
        js::failure(&format!("there is no memory for a file of {size} bytes"))
    })
}

/// The calls that build a graph.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Plan {
    graph: Graph,
    description: Object,
}

#[wasm_bindgen]
impl Plan {
    /// What the file says of itself.
    pub fn description(&self) -> Object {
        self.description.clone()
    }

    /// The graph's inputs, each with its value.
    pub fn inputs(&self) -> Array {
        js::ports(&self.graph, self.graph.inputs())
    }

    /// The graph's outputs, each with its value.
    pub fn outputs(&self) -> Array {
        js::ports(&self.graph, self.graph.outputs())
    }

    /// The constants, each with its value and byte length.
    pub fn constants(&self) -> Array {
        let values = self.graph.values().iter().enumerate();
        values
            .filter(|(_, value)| matches!(value.source, Source::Constant(_)))
            .map(|(i, value)| js::constant(i, value.desc))
            .collect()
    }

    /// The graph as text, with external constants by the numbers of their values: what a context of
    /// ours takes instead of the calls.
    pub fn text(&self) -> String {
        webnn_core::text::detached(&self.graph).to_string()
    }

    /// How many calls there are.
    pub fn length(&self) -> usize {
        self.graph.nodes().len()
    }

    /// The calls of a range, as far as there are any, in an order in which each operand is made
    /// before it is taken.
    pub fn calls(&self, start: usize, end: usize) -> Array {
        let nodes = self.graph.nodes().iter().take(end).skip(start);
        nodes.map(|node| js::call(&calls::Call::of(node))).collect()
    }

    /// A copy of a constant's bytes, in a buffer of its own.
    pub fn bytes(&self, value: u32) -> Option<Uint8Array> {
        let bytes = self.graph.constant(ValueId(value))?;
        Some(Uint8Array::from(&bytes[..]))
    }
}
