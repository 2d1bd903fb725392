//! Which device computes, as the command line says.

use anyhow::Result;
use clap::ValueEnum;
use webnn::{Context, ContextOptions, DeviceType, Ml};

/// Options that every computing command has.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct DeviceArguments {
    /// Where to compute; `reference` takes the definitions of the operators, slowly.
    #[arg(long, value_enum, default_value_t = Device::Auto)]
    device: Device,
    /// The number of threads; as many as there are cores by default.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Device {
    /// The best there is.
    Auto,
    Cpu,
    Gpu,
    Npu,
    Reference,
}

impl DeviceArguments {
    /// The context that was asked for; a device that is not there is an error, not the CPU.
    pub(crate) fn context(&self) -> Result<Context> {
        let device_type = match self.device {
            Device::Auto => None,
            Device::Cpu => Some(DeviceType::Cpu),
            Device::Gpu => Some(DeviceType::Gpu),
            Device::Npu => Some(DeviceType::Npu),
            Device::Reference => return Ok(Ml::new().create_reference_context()),
        };
        let options = ContextOptions {
            device_type,
            forbid_cpu: device_type.is_some(),
            threads: self.threads.map(usize::from),
            ..ContextOptions::default()
        };
        Ok(Ml::new().create_context(&options)?)
    }
}
