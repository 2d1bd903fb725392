//! Pictures as the input of a network: cut to its size, scaled to what it was trained on.

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use image::imageops::{self, FilterType};
use image::{DynamicImage, GenericImageView, ImageReader};

use super::Content;
use crate::model::Port;
use crate::values::Numbers;

/// How pictures become numbers.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Options {
    /// What is subtracted from each channel of a picture, whose values go from 0 to 1.
    #[arg(long, value_name = "R,G,B", value_delimiter = ',', allow_negative_numbers = true)]
    mean: Vec<f64>,
    /// What each channel of a picture is then divided by.
    #[arg(long, value_name = "R,G,B", value_delimiter = ',', allow_negative_numbers = true)]
    std: Vec<f64>,
    /// The order of a picture's dimensions; found out from the input's shape by default.
    #[arg(long, value_enum)]
    layout: Option<Layout>,
    /// The size of a picture's shorter side before its centre is cut out; by default 256/224 of
    /// the input's.
    #[arg(long, value_name = "PIXELS")]
    resize: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Layout {
    Nchw,
    Nhwc,
}

/// What an input wants of a picture.
struct Wanted {
    layout: Layout,
    channels: u32,
    height: u32,
    width: u32,
}

pub(crate) fn read(bytes: &[u8], port: &Port, options: &Options) -> Result<Content> {
    let picture = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format()?.decode()?;
    let wanted = wanted(port, options.layout)?;
    let picture = cut(picture, &wanted, options.resize)?;
    let pixels = match wanted.channels {
        1 => picture.into_luma8().into_raw(),
        _three => picture.into_rgb8().into_raw(),
    };
    let Wanted { layout, channels, height, width } = wanted;
    let is_float = port.data_type.is_none_or(|of| of.is_float());
    let of_channel = |values: &[f64], default: f64, name: &str| -> Result<Vec<f64>> {
        match values {
            [] => Ok(vec![default; channels as usize]),
            [one] => Ok(vec![*one; channels as usize]),
            many if many.len() == channels as usize => Ok(many.to_vec()),
            many => bail!("--{name} has {} values, expected {channels}", many.len()),
        }
    };
    let (mean, std) =
        (of_channel(&options.mean, 0.0, "mean")?, of_channel(&options.std, 1.0, "std")?);
    ensure!(
        is_float || (options.mean.is_empty() && options.std.is_empty()),
        "the input holds integers, which --mean and --std cannot be applied to"
    );
    let value = |pixel: usize, channel: usize| {
        let value = f64::from(pixels[pixel * channels as usize + channel]);
        if is_float { (value / 255.0 - mean[channel]) / std[channel] } else { value }
    };
    let (count, channels) = ((height * width) as usize, channels as usize);
    let numbers: Vec<f64> = match layout {
        Layout::Nchw => (0..channels)
            .flat_map(|c| (0..count).map(move |p| (p, c)))
            .map(|(p, c)| value(p, c))
            .collect(),
        Layout::Nhwc => (0..count)
            .flat_map(|p| (0..channels).map(move |c| (p, c)))
            .map(|(p, c)| value(p, c))
            .collect(),
    };
    let channels = channels as u32;
    let shape = match layout {
        Layout::Nchw => vec![1, channels, height, width],
        Layout::Nhwc => vec![1, height, width, channels],
    };
    let rank = port.dims.as_ref().map_or(4, Vec::len);
    Ok(Content::Array(shape[4 - rank..].to_vec(), Numbers::Floats(numbers)))
}

fn wanted(port: &Port, layout: Option<Layout>) -> Result<Wanted> {
    let refuse = || format!("input {:?} is {}, expected the shape of a picture", port.name, port);
    let dims = port.dims.as_deref().filter(|dims| matches!(dims.len(), 3 | 4));
    let dims = dims.with_context(refuse)?;
    if dims.len() == 4 && dims[0].is_some_and(|batch| batch != 1) {
        bail!("input {:?} is {port}, expected a batch of one picture", port.name);
    }
    let [a, b, c] = *dims.last_chunk().expect("there are three or four");
    let is_channels = |dim: Option<u32>| matches!(dim, Some(1 | 3));
    let layout = layout.or_else(|| match (is_channels(a), is_channels(c)) {
        (true, _) => Some(Layout::Nchw),
        (false, true) => Some(Layout::Nhwc),
        (false, false) => None,
    });
    let (channels, height, width) = match layout.with_context(refuse)? {
        Layout::Nchw => (a, b, c),
        Layout::Nhwc => (c, a, b),
    };
    ensure!(is_channels(channels), "{}", refuse());
    let known = |size: Option<u32>, what: &str| {
        size.with_context(|| {
            format!("input {:?} is {port}, whose {what} is free; --dims settles it", port.name)
        })
    };
    Ok(Wanted {
        layout: layout.with_context(refuse)?,
        channels: channels.with_context(refuse)?,
        height: known(height, "height")?,
        width: known(width, "width")?,
    })
}

/// The shorter side resized, then the centre; a picture of the right size stays as it is.
fn cut(picture: DynamicImage, wanted: &Wanted, resize: Option<u32>) -> Result<DynamicImage> {
    let (width, height) = picture.dimensions();
    if (width, height) == (wanted.width, wanted.height) {
        return Ok(picture);
    }
    let larger = wanted.width.max(wanted.height);
    // Networks for 224 pixels are trained on the centre of 256.
    let shorter = resize.unwrap_or_else(|| (f64::from(larger) * 256.0 / 224.0).round() as u32);
    ensure!(
        shorter >= larger,
        "--resize is {shorter}, expected at least {larger} as the input asks for"
    );
    let longer = |long: u32, short: u32| {
        let size = u64::from(shorter) * u64::from(long) / u64::from(short.max(1));
        u32::try_from(size).ok().filter(|&size| size <= 1 << 16).context("the picture is too long")
    };
    let (new_width, new_height) = if width <= height {
        (shorter, longer(height, width)?)
    } else {
        (longer(width, height)?, shorter)
    };
    // A triangle as wide as the step down: what is called bilinear with antialiasing.
    let rgb = picture.into_rgb8();
    let resized = imageops::resize(&rgb, new_width, new_height, FilterType::Triangle);
    let middle = |long: u32, short: u32| (f64::from(long - short) / 2.0).round() as u32;
    let (x, y) = (middle(new_width, wanted.width), middle(new_height, wanted.height));
    let cropped = imageops::crop_imm(&resized, x, y, wanted.width, wanted.height).to_image();
    Ok(cropped.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use webnn::DataType;

    fn port(dims: &[Option<u32>]) -> Port {
        Port {
            name: "image".into(),
            data_type: Some(DataType::Float32),
            elem: None,
            dims: Some(dims.to_vec()),
        }
    }

    fn png(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
        let picture = image::RgbImage::from_fn(width, height, |x, y| image::Rgb(pixel(x, y)));
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
        file.into_inner()
    }

    #[test]
    fn channels_go_where_the_shape_says() {
        let file = png(2, 1, |x, _| [0, 51, if x == 0 { 255 } else { 102 }]);
        let read = |dims: &[Option<u32>]| read(&file, &port(dims), &Options::default()).unwrap();
        let planes = Numbers::Floats(vec![0.0, 0.0, 0.2, 0.2, 1.0, 0.4]);
        assert_eq!(
            read(&[None, Some(3), Some(1), Some(2)]),
            Content::Array(vec![1, 3, 1, 2], planes.clone())
        );
        assert_eq!(read(&[Some(3), Some(1), Some(2)]), Content::Array(vec![3, 1, 2], planes));
        let pixels = Numbers::Floats(vec![0.0, 0.2, 1.0, 0.0, 0.2, 0.4]);
        let options = Options { layout: Some(Layout::Nhwc), ..Options::default() };
        let nhwc = super::read(&file, &port(&[Some(1), Some(1), Some(2), Some(3)]), &options);
        assert_eq!(nhwc.unwrap(), Content::Array(vec![1, 1, 2, 3], pixels));
    }

    #[test]
    fn mean_and_deviation_are_applied_per_channel() {
        let file = png(1, 1, |_, _| [255, 0, 51]);
        let options = Options { mean: vec![0.5, 0.5, 0.2], std: vec![0.5], ..Options::default() };
        let content = read(&file, &port(&[Some(1), Some(3), Some(1), Some(1)]), &options).unwrap();
        let expected = Numbers::Floats(vec![1.0, -1.0, 0.0]);
        assert_eq!(content, Content::Array(vec![1, 3, 1, 1], expected));
        let bad = Options { mean: vec![0.5, 0.5], ..Options::default() };
        assert!(read(&file, &port(&[Some(3), Some(1), Some(1)]), &bad).is_err());
    }

    #[test]
    fn the_centre_of_the_resized_picture_is_cut_out() {
        // Left third black, middle white, right third black: the centre is white.
        let file = png(300, 100, |x, _| if (100..200).contains(&x) { [255; 3] } else { [0; 3] });
        let dims = [Some(1), Some(1), Some(56), Some(56)];
        let Content::Array(shape, Numbers::Floats(values)) =
            read(&file, &port(&dims), &Options::default()).unwrap()
        else {
            panic!("a picture is an array of floats")
        };
        assert_eq!(shape, [1, 1, 56, 56]);
        assert!(values.iter().all(|&value| value == 1.0));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let dims = [Some(1), Some(3), Some(4), Some(4)];
        assert!(read(b"not a picture", &port(&dims), &Options::default()).is_err());
        let file = png(1, 1, |_, _| [0; 3]);
        for dims in [
            &[Some(10)][..],
            &[Some(2), Some(3), Some(4), Some(4)],
            &[Some(1), Some(5), Some(4), Some(4)],
            &[Some(1), Some(3), None, Some(4)],
        ] {
            assert!(read(&file, &port(dims), &Options::default()).is_err(), "{dims:?}");
        }
    }
}
