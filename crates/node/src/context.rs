//! A device with its timeline of work.

use napi::Env;
use napi::bindgen_prelude::{ArrayBuffer, ClassInstance, Either, Object, Uint8ArraySlice};
use napi_derive::napi;
use webnn::{ContextOptions, DeviceType, Error, ErrorKind, Ml, PowerPreference, TensorDescriptor};

use crate::builder::Builder;
use crate::convert::{self, Code, Result, refused, thrown};
use crate::later::{self, Listener, Read};
use crate::memory::{Graph, Tensor};

/// Hints of all generations of the API, and the number of threads.
#[napi(object)]
pub(crate) struct Options {
    /// The specification's name.
    pub power_preference: String,
    /// Whether a device other than the CPU is wanted.
    pub accelerated: bool,
    /// The older hint.
    pub device_type: Option<String>,
    /// Threads of the CPU engine, the engine's own included.
    pub threads: Option<u32>,
}

/// What a context really computes with, and why.
#[napi(object)]
pub struct Device {
    /// Such as `cpu`.
    pub kind: String,
    /// Instruction set and threads, in words.
    pub details: String,
    /// Why this one, in words.
    pub reason: String,
}

/// A device with its timeline of work.
#[napi]
pub struct Context(webnn::Context);

/// Makes a context; the function is called, once, when it is lost.
#[napi]
pub(crate) fn create_context(options: Options, on_lost: Listener) -> Result<Context> {
    let options = ContextOptions {
        power_preference: power_preference(&options.power_preference)?,
        accelerated: options.accelerated,
        device_type: options.device_type.as_deref().map(device_type).transpose()?,
        threads: options.threads.map(|count| count as usize),
        ..ContextOptions::default()
    };
    let context = Ml::new().create_context(&options).map_err(thrown)?;
    later::on_lost(context.lost(), on_lost);
    Ok(Context(context))
}

#[napi]
impl Context {
    /// What it computes with.
    #[napi(getter)]
    pub fn device(&self) -> Device {
        let webnn::Device { kind, reason, details } = self.0.device().clone();
        Device { kind: kind.into(), details, reason }
    }

    /// The hint that it was made with.
    #[napi(getter)]
    pub fn accelerated(&self) -> bool {
        self.0.accelerated()
    }

    /// Why it was lost, where it was.
    #[napi(getter)]
    pub fn lost(&self) -> Option<String> {
        self.0.lost().now()
    }

    /// The `MLOpSupportLimits` dictionary as JSON.
    #[napi]
    pub fn limits(&self) -> String {
        self.0.op_support_limits().to_json()
    }

    /// A builder of one graph.
    #[napi]
    pub fn create_builder(&self) -> Result<Builder> {
        Builder::new(self.0.clone())
    }

    /// A tensor of zeros.
    #[napi]
    pub fn create_tensor(
        &self,
        env: Env,
        data_type: String,
        shape: Vec<u32>,
        readable: bool,
        writable: bool,
    ) -> Result<Tensor> {
        let data_type = convert::data_type(&data_type)?;
        let descriptor = TensorDescriptor { data_type, shape, readable, writable };
        let tensor = self.0.create_tensor(&descriptor).map_err(thrown)?;
        Tensor::new(&env, tensor).map_err(refused)
    }

    /// A tensor with fixed elements; the bytes are copied.
    #[napi]
    pub fn create_constant_tensor(
        &self,
        env: Env,
        data_type: String,
        shape: Vec<u32>,
        bytes: Uint8ArraySlice<'_>,
    ) -> Result<Tensor> {
        let descriptor = TensorDescriptor::new(convert::data_type(&data_type)?, &shape);
        let bytes = bytes.as_ref().to_vec();
        let tensor = self.0.create_constant_tensor(&descriptor, bytes).map_err(thrown)?;
        Tensor::new(&env, tensor).map_err(refused)
    }

    /// Replaces a tensor's elements; the bytes are copied.
    #[napi]
    pub fn write_tensor(
        &self,
        tensor: ClassInstance<'_, Tensor>,
        bytes: Uint8ArraySlice<'_>,
    ) -> Result<()> {
        self.0.write_tensor(&tensor.inner, &bytes).map_err(thrown)
    }

    /// A tensor's elements, or the promise of them while there is work before.
    #[napi(ts_return_type = "ArrayBuffer | Promise<ArrayBuffer>")]
    pub fn read_tensor<'env>(
        &self,
        env: &'env Env,
        tensor: ClassInstance<'_, Tensor>,
        length: Option<f64>,
    ) -> Result<Either<ArrayBuffer<'env>, Object<'env>>> {
        // A length is that of a buffer: an integer that fits.
        let length = length.map(|length| length as usize);
        self.0.check_read(&tensor.inner, length).map_err(thrown)?;
        let read = self.0.read_tensor(&tensor.inner).map_err(thrown)?;
        Ok(match later::read(env, read).map_err(refused)? {
            Read::Now(bytes) => {
                Either::A(later::array_buffer(env, &bytes.map_err(thrown)?).map_err(refused)?)
            }
            Read::Later(promise) => Either::B(promise),
        })
    }

    /// Fails where the context was lost, or the tensor that is read was destroyed, since the method
    /// was called: its promise is pending until the script hears of it, though the work be done.
    #[napi]
    pub fn check_pending(
        &self,
        method: String,
        read: Option<ClassInstance<'_, Tensor>>,
    ) -> Result<()> {
        later::check_not_lost(&self.0, &method).map_err(thrown)?;
        let destroyed = read.is_some_and(|tensor| self.0.check_read(&tensor.inner, None).is_err());
        if destroyed {
            let message = format!("{method}: the tensor was destroyed before it was read");
            return Err(thrown(Error::new(ErrorKind::InvalidState, message)));
        }
        Ok(())
    }

    /// Lets a graph compute; returns at once.
    #[napi]
    pub fn dispatch(
        &self,
        graph: ClassInstance<'_, Graph>,
        inputs: Vec<(String, ClassInstance<'_, Tensor>)>,
        outputs: Vec<(String, ClassInstance<'_, Tensor>)>,
    ) -> Result<()> {
        self.0.dispatch(&graph.inner, &bindings(&inputs), &bindings(&outputs)).map_err(thrown)
    }

    /// Loses the context.
    #[napi]
    pub fn destroy(&self) {
        self.0.destroy();
    }
}

fn bindings<'a>(
    named: &'a [(String, ClassInstance<'_, Tensor>)],
) -> Vec<(&'a str, &'a webnn::Tensor)> {
    named.iter().map(|(name, tensor)| (name.as_str(), &tensor.inner)).collect()
}

fn power_preference(name: &str) -> Result<PowerPreference> {
    let all =
        [PowerPreference::Default, PowerPreference::HighPerformance, PowerPreference::LowPower];
    all.into_iter().find(|one| one.name() == name).ok_or_else(|| unknown(name))
}

fn device_type(name: &str) -> Result<DeviceType> {
    let all = [DeviceType::Cpu, DeviceType::Gpu, DeviceType::Npu];
    all.into_iter().find(|one| one.name() == name).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> napi::Error<Code> {
    thrown(Error::type_error(format!("createContext: {name:?} is no hint")))
}
