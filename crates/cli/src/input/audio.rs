//! Sound files as samples from -1 to 1.

use anyhow::Result;
use hound::{SampleFormat, WavReader};

use crate::values::Numbers;

/// All samples; of several channels the mean.
pub(crate) fn read(bytes: &[u8]) -> Result<Numbers> {
    let mut reader = WavReader::new(bytes)?;
    let spec = reader.spec();
    let samples: Vec<f64> = match spec.sample_format {
        SampleFormat::Float => {
            reader.samples::<f32>().map(|sample| Ok(sample?.into())).collect::<Result<_>>()?
        }
        SampleFormat::Int => {
            let full = f64::from(1u32 << (spec.bits_per_sample - 1).min(31));
            let samples = reader.samples::<i32>();
            samples.map(|sample| Ok(f64::from(sample?) / full)).collect::<Result<_>>()?
        }
    };
    let channels = usize::from(spec.channels).max(1);
    let mean = |frame: &[f64]| frame.iter().sum::<f64>() / channels as f64;
    Ok(Numbers::Floats(samples.chunks_exact(channels).map(mean).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hound::{WavSpec, WavWriter};

    #[test]
    fn channels_are_mixed_and_scaled() {
        let spec = WavSpec {
            channels: 2,
            sample_rate: 16000,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut file = std::io::Cursor::new(Vec::new());
        let mut writer = WavWriter::new(&mut file, spec).unwrap();
        for sample in [i16::MIN, i16::MIN, 16384, 0] {
            writer.write_sample(sample).unwrap();
        }
        writer.finalize().unwrap();
        let file = file.into_inner();
        assert_eq!(read(&file).unwrap(), Numbers::Floats(vec![-1.0, 0.25]));
        assert!(read(&file[..20]).is_err());
    }
}
