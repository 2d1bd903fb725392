//! What the examples have in common: a model from a file, run on slices.

#![allow(dead_code, reason = "each example takes the part of this that it needs")]

use std::error::Error;
use std::path::{Path, PathBuf};

use webnn::core::GraphBuilder;
use webnn::{Context, ContextOptions, Element, Graph, Ml, Operand, Tensor, TensorDescriptor};
use webnn_onnx::{Model, Options};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A compiled model with a tensor for each input and output.
pub(crate) struct Session {
    pub(crate) context: Context,
    graph: Graph,
    inputs: Vec<(String, Tensor)>,
    outputs: Vec<(String, Tensor)>,
}

impl Session {
    /// Reads, builds and compiles a model.
    pub(crate) fn open(model: &Path, options: &Options) -> Result<Session> {
        let context = Ml::new().create_context(&ContextOptions::default())?;
        let mut builder = GraphBuilder::new(context.op_support_limits().clone());
        let outputs = Model::open(model, options)?.build(&mut builder)?;
        let outputs: Vec<(&str, Operand)> =
            outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
        let graph = context.compile(builder.build(&outputs)?)?;
        let mut inputs = Vec::new();
        for (name, desc) in graph.inputs() {
            let tensor = context.create_tensor(&TensorDescriptor::from(*desc).writable())?;
            inputs.push((name.clone(), tensor));
        }
        let mut outputs = Vec::new();
        for (name, desc) in graph.outputs() {
            let tensor = context.create_tensor(&TensorDescriptor::from(*desc).readable())?;
            outputs.push((name.clone(), tensor));
        }
        Ok(Session { context, graph, inputs, outputs })
    }

    /// Sets an input; inputs that the model does not need are let go.
    pub(crate) fn set<T: Element>(&self, name: &str, elements: &[T]) -> Result<()> {
        if let Some((_, tensor)) = self.inputs.iter().find(|(input, _)| input == name) {
            self.context.write_slice(tensor, elements)?;
        }
        Ok(())
    }

    /// Computes the outputs.
    pub(crate) fn run(&self) -> Result<()> {
        fn by_name(tensors: &[(String, Tensor)]) -> Vec<(&str, &Tensor)> {
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
        }
        self.context.dispatch(&self.graph, &by_name(&self.inputs), &by_name(&self.outputs))?;
        Ok(())
    }

    /// An output's elements.
    pub(crate) fn get(&self, name: &str) -> Result<Vec<f32>> {
        let output = self.outputs.iter().find(|(output, _)| output == name);
        let (_, tensor) = output.ok_or_else(|| format!("there is no output {name:?}"))?;
        Ok(self.context.read_vec(tensor)?)
    }

    /// The name of the first output.
    pub(crate) fn first_output(&self) -> &str {
        &self.outputs[0].0
    }
}

/// The probabilities that a network's last layer stands for.
pub(crate) fn softmax(logits: &[f32]) -> Vec<f32> {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - greatest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The places of the greatest values, the greatest first.
pub(crate) fn greatest(values: &[f32], count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    places.truncate(count);
    places
}

/// The folder of the models that tests use; `None` where it is not there.
pub(crate) fn models() -> Option<PathBuf> {
    let models = PathBuf::from(std::env::var_os("WEBNN_SHARED")?).join("models");
    models.is_dir().then_some(models)
}
