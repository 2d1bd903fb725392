//! The way in: which device a context gets, and why.

use std::fmt;

use webnn_core::{Error, ErrorKind, Result};

use crate::context::Context;
use crate::engine::Engine;

/// The specification's `navigator.ml`: makes contexts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Ml {}

/// What kind of power use is preferred; a hint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PowerPreference {
    /// No preference.
    #[default]
    Default,
    /// Speed before battery.
    HighPerformance,
    /// Battery before speed.
    LowPower,
}

impl PowerPreference {
    /// The specification's name.
    pub fn name(self) -> &'static str {
        match self {
            PowerPreference::Default => "default",
            PowerPreference::HighPerformance => "high-performance",
            PowerPreference::LowPower => "low-power",
        }
    }
}

/// The older hint, which libraries still pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceType {
    /// The processor.
    Cpu,
    /// A graphics processor.
    Gpu,
    /// A neural processor.
    Npu,
}

impl DeviceType {
    /// The name in the API's earlier versions.
    pub fn name(self) -> &'static str {
        match self {
            DeviceType::Cpu => "cpu",
            DeviceType::Gpu => "gpu",
            DeviceType::Npu => "npu",
        }
    }
}

/// What is wished of a context; all but `forbid_cpu` are hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextOptions {
    /// What kind of power use is preferred.
    pub power_preference: PowerPreference,
    /// Whether a device other than the CPU is wanted.
    pub accelerated: bool,
    /// The older hint; it comes before `accelerated`.
    pub device_type: Option<DeviceType>,
    /// Fail with `NotSupported` rather than move to the CPU when that was not asked for.
    pub forbid_cpu: bool,
    /// With how many threads the CPU computes, the calling one included; by default one per core.
    pub threads: Option<usize>,
    /// The most bytes that all tensors of the context may take together; by default no limit.
    pub max_tensor_bytes: Option<u64>,
}

impl Default for ContextOptions {
    fn default() -> ContextOptions {
        ContextOptions {
            power_preference: PowerPreference::Default,
            accelerated: true,
            device_type: None,
            forbid_cpu: false,
            threads: None,
            max_tensor_bytes: None,
        }
    }
}

/// What a context really computes with, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Which kind, such as `cpu`.
    pub kind: &'static str,
    /// The reason in words.
    pub reason: String,
    /// What it computes with, in words: instruction set and threads.
    pub details: String,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}; {})", self.kind, self.details, self.reason)
    }
}

impl Ml {
    /// The way in.
    pub fn new() -> Ml {
        Ml::default()
    }

    /// A context on the device that suits the options best; [`Context::device`] tells which.
    ///
    /// ```
    /// use webnn::{ContextOptions, DeviceType, ErrorKind, Ml};
    ///
    /// let wish = ContextOptions { device_type: Some(DeviceType::Npu), ..Default::default() };
    /// let context = Ml::new().create_context(&wish)?;
    /// assert_eq!(context.device().kind, "cpu");
    /// assert!(context.device().reason.contains("npu"));
    ///
    /// let strict = ContextOptions { forbid_cpu: true, ..wish };
    /// let error = Ml::new().create_context(&strict).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::NotSupported);
    /// # Ok::<(), webnn::Error>(())
    /// ```
    pub fn create_context(&self, options: &ContextOptions) -> Result<Context> {
        let reason = cpu_reason(options)?;
        let engine = Engine::cpu(options.threads);
        let device = Device { kind: "cpu", reason, details: engine.details() };
        Ok(Context::new(engine, device, options.clone()))
    }

    /// A context that computes every operator by its definition, to compare engines with: exact
    /// to the last rounding, and slow.
    pub fn create_reference_context(&self) -> Context {
        let device = Device {
            kind: "reference",
            reason: "definitions were asked for".into(),
            details: Engine::Reference.details(),
        };
        Context::new(Engine::Reference, device, ContextOptions::default())
    }
}

/// Why the CPU is the right device, or the refusal to use it silently.
fn cpu_reason(options: &ContextOptions) -> Result<String> {
    let wanted = match (options.device_type, options.accelerated) {
        (Some(DeviceType::Cpu), _) => return Ok("deviceType \"cpu\" asked for it".into()),
        (None, false) => return Ok("accelerated false asked for it".into()),
        (Some(other), _) => format!("deviceType {:?} was asked for", other.name()),
        (None, true) => "any device would do".into(),
    };
    if options.forbid_cpu {
        return Err(Error::new(
            ErrorKind::NotSupported,
            format!("createContext: {wanted}, there is only the CPU, and the options forbid it"),
        ));
    }
    Ok(format!("{wanted}, and there is no other"))
}
