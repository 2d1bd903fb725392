//! A graph under construction.

use napi::Env;
use napi::bindgen_prelude::{
    Array, AsyncTask, BigInt, ClassInstance, Either, ObjectFinalize, Uint8ArraySlice,
};
use napi_derive::napi;

use crate::convert::{self, Result, item, refused, thrown};
use crate::later::Compile;
use crate::memory::{Held, Tensor};

/// A value of a graph under construction.
#[napi]
pub struct Operand(webnn::Operand);

#[napi]
impl Operand {
    /// The specification's name.
    #[napi(getter)]
    pub fn data_type(&self) -> &'static str {
        self.0.data_type().name()
    }

    /// The sizes of the dimensions.
    #[napi(getter)]
    pub fn shape(&self) -> Vec<u32> {
        self.0.shape().to_vec()
    }
}

/// Builds one graph.
#[napi(custom_finalize)]
pub struct Builder {
    inner: webnn::GraphBuilder,
    context: webnn::Context,
    constants: Held,
}

impl Builder {
    pub(crate) fn new(context: webnn::Context) -> Result<Builder> {
        let inner = context.graph_builder().map_err(thrown)?;
        Ok(Builder { inner, context, constants: Held::default() })
    }
}

#[napi]
impl Builder {
    /// An input of the graph.
    #[napi]
    pub fn input(&self, name: String, data_type: String, shape: Vec<u32>) -> Result<Operand> {
        let data_type = convert::data_type(&data_type)?;
        self.inner.input(&name, data_type, &shape).map(Operand).map_err(thrown)
    }

    /// A constant; the bytes are copied, this once.
    #[napi]
    pub fn constant(
        &self,
        env: Env,
        data_type: String,
        shape: Vec<u32>,
        bytes: Uint8ArraySlice<'_>,
    ) -> Result<Operand> {
        let data_type = convert::data_type(&data_type)?;
        let operand =
            self.inner.constant(data_type, &shape, bytes.as_ref().to_vec()).map_err(thrown)?;
        self.constants.add(&env, bytes.len()).map_err(refused)?;
        Ok(Operand(operand))
    }

    /// A constant of shape `[]`.
    #[napi]
    pub fn scalar(&self, data_type: String, value: Either<f64, BigInt>) -> Result<Operand> {
        let data_type = convert::data_type(&data_type)?;
        self.inner.scalar(data_type, convert::number(value)).map(Operand).map_err(thrown)
    }

    /// A constant tensor as a constant.
    #[napi]
    pub fn constant_tensor(&self, tensor: ClassInstance<'_, Tensor>) -> Result<Operand> {
        self.inner.constant_tensor(&tensor.inner).map(Operand).map_err(thrown)
    }

    /// Adds an operator; operands and attributes are pairs of the specification's name and value.
    #[napi]
    pub fn add(
        &self,
        method: String,
        operands: Array<'_>,
        attributes: Array<'_>,
        label: String,
    ) -> Result<Vec<Operand>> {
        let operands = named_operands(&operands)?;
        let operands: Vec<(&str, Vec<webnn::Operand>)> =
            operands.iter().map(|(name, group)| (name.as_str(), group.clone())).collect();
        let args = convert::attributes(&attributes)?;
        let results = self.inner.add_named(&method, &operands, &args, &label).map_err(thrown)?;
        Ok(results.into_iter().map(Operand).collect())
    }

    /// Checks at once, then compiles on another thread.
    #[napi(ts_return_type = "Promise<Graph>")]
    pub fn build(
        &self,
        env: Env,
        outputs: Vec<(String, ClassInstance<'_, Operand>)>,
    ) -> Result<AsyncTask<Compile>> {
        let outputs: Vec<(&str, webnn::Operand)> =
            outputs.iter().map(|(name, operand)| (name.as_str(), operand.0)).collect();
        let graph = self.inner.finish(&outputs).map_err(thrown)?;
        // They are the graph's now, which tells of its own memory.
        self.constants.set(&env, 0).map_err(refused)?;
        Ok(AsyncTask::new(Compile { context: self.context.clone(), graph: Some(graph) }))
    }
}

impl ObjectFinalize for Builder {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.constants.set(&env, 0)
    }
}

/// Pairs of a name and an operand, or several where the operand is a sequence.
fn named_operands(pairs: &Array<'_>) -> Result<Vec<(String, Vec<webnn::Operand>)>> {
    let named = |index| {
        let pair: Array<'_> = item(pairs, index)?;
        Ok((item(&pair, 0)?, group(&pair)?))
    };
    (0..pairs.len()).map(named).collect()
}

fn group(pair: &Array<'_>) -> Result<Vec<webnn::Operand>> {
    let value: Either<Vec<ClassInstance<'_, Operand>>, ClassInstance<'_, Operand>> = item(pair, 1)?;
    Ok(match value {
        Either::A(operands) => operands.iter().map(|operand| operand.0).collect(),
        Either::B(operand) => vec![operand.0],
    })
}
