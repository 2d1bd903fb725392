//! Recognises a handwritten digit, offline: `cargo xtask demo [PICTURE]`.
//!
//! The model is part of the repository (`models/digits`). What it takes to run one is in `recognise`;
//! the rest prepares the picture and shows the result.

#![allow(clippy::print_stdout, reason = "a program that people run prints")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use image::imageops::FilterType;
use image::{GrayImage, imageops};
use webnn::{Context, ContextOptions, Ml, TensorDescriptor};
use webnn_onnx::{Model, Options};

/// The model's images are squares of this many pixels a side.
const SIDE: u32 = 8;
const RUNS: usize = 1000;

struct Recognised {
    probabilities: Vec<f32>,
    load: Duration,
    compile: Duration,
    /// The median of many runs.
    latency: Duration,
}

fn recognise(
    context: &Context,
    model: &Path,
    pixels: &[f32],
) -> Result<Recognised, Box<dyn Error>> {
    let start = Instant::now();
    let model = Model::open(model, &Options::default())?;
    let builder = context.graph_builder()?;
    let outputs = builder.with_core(|core| model.build(core))??;
    let load = start.elapsed();

    let start = Instant::now();
    let outputs: Vec<_> = outputs.iter().map(|(name, operand)| (name.as_str(), *operand)).collect();
    let graph = builder.build(&outputs)?;
    let compile = start.elapsed();

    let [(input, image)] = graph.inputs() else { return Err("the model has one input".into()) };
    let [(output, scores)] = graph.outputs() else { return Err("the model has one output".into()) };
    let image = context.create_tensor(&TensorDescriptor::from(*image).writable())?;
    let scores = context.create_tensor(&TensorDescriptor::from(*scores).readable())?;
    context.write_slice(&image, pixels)?;

    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let start = Instant::now();
        context.dispatch_blocking(&graph, &[(input, &image)], &[(output, &scores)])?;
        times.push(start.elapsed());
    }
    times.sort();
    let probabilities = context.read_vec::<f32>(&scores)?;
    Ok(Recognised { probabilities, load, compile, latency: times[RUNS / 2] })
}

fn main() -> ExitCode {
    match demonstrate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate() -> Result<(), Box<dyn Error>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/digits");
    let argument = std::env::args().nth(1).unwrap_or_else(|| "7".into());
    let path = match argument.parse::<u32>() {
        Ok(digit @ 0..10) => models.join(format!("samples/{digit}.png")),
        _not_a_sample => PathBuf::from(&argument),
    };
    let picture = image::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let picture = prepared(picture.into_luma8());
    show_picture(&picture);

    let context = Ml::new().create_context(&ContextOptions::default())?;
    let pixels: Vec<f32> = picture.pixels().map(|pixel| f32::from(pixel.0[0]) / 255.0).collect();
    let result = recognise(&context, &models.join("digits.onnx"), &pixels)?;

    let best = show_probabilities(&result.probabilities);
    println!("\n  Recognised: {best}\n");
    println!("  device    {}", context.device());
    println!("  load      {:.1?}, compile {:.1?}", result.load, result.compile);
    println!("  latency   {:.1?}, the median of {RUNS} runs", result.latency);
    if let Some(bytes) = peak_memory() {
        println!("  memory    {:.1} MB at most, all of this program", bytes as f64 / 1e6);
    }
    println!("\nA picture of yours (one digit):  cargo xtask demo PICTURE.png");
    println!("A model of yours:  cargo run --release --bin webnn -- run MODEL.onnx --input FILE");
    Ok(())
}

/// The picture as the model knows digits: light ink on black, filling the square. A picture of the
/// model's own size is taken as it is.
fn prepared(mut picture: GrayImage) -> GrayImage {
    if picture.dimensions() == (SIDE, SIDE) {
        return picture;
    }
    if is_light(&picture) {
        imageops::invert(&mut picture);
    }
    let (x, y, width, height) = ink(&picture).unwrap_or((0, 0, picture.width(), picture.height()));
    let cropped = imageops::crop_imm(&picture, x, y, width, height).to_image();
    let side = width.max(height);
    let mut square = GrayImage::new(side, side);
    let centre = |size: u32| i64::from((side - size) / 2);
    imageops::overlay(&mut square, &cropped, centre(width), centre(height));
    let mut small = imageops::resize(&square, SIDE, SIDE, FilterType::Triangle);
    let brightest = small.pixels().map(|pixel| pixel.0[0]).max().unwrap_or(255).max(1);
    for pixel in small.pixels_mut() {
        pixel.0[0] = (u32::from(pixel.0[0]) * 255 / u32::from(brightest)) as u8;
    }
    small
}

/// Whether the border, where there is no ink, is light.
fn is_light(picture: &GrayImage) -> bool {
    let (width, height) = picture.dimensions();
    let on_border = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let border = picture.enumerate_pixels().filter(|(x, y, _)| on_border(*x, *y));
    let (sum, count) =
        border.fold((0u64, 0u64), |(sum, count), (_, _, p)| (sum + u64::from(p.0[0]), count + 1));
    sum > count * 127
}

/// The rectangle around all that is lighter than half: its corner and its size.
fn ink(picture: &GrayImage) -> Option<(u32, u32, u32, u32)> {
    let inked = || picture.enumerate_pixels().filter(|(_, _, pixel)| pixel.0[0] > 127);
    let (left, right) = (inked().map(|p| p.0).min()?, inked().map(|p| p.0).max()?);
    let (top, bottom) = (inked().map(|p| p.1).min()?, inked().map(|p| p.1).max()?);
    Some((left, top, right - left + 1, bottom - top + 1))
}

/// Two characters a pixel, which is about a square.
fn show_picture(picture: &GrayImage) {
    println!();
    for row in picture.rows() {
        let shade = |value: u8| ["  ", "░░", "▒▒", "▓▓", "██"][usize::from(value) * 5 / 256];
        println!("  {}", row.map(|pixel| shade(pixel.0[0])).collect::<String>());
    }
    println!();
}

/// A bar for each digit; gives the likeliest.
fn show_probabilities(probabilities: &[f32]) -> usize {
    const WIDTH: f32 = 40.0;
    for (digit, probability) in probabilities.iter().enumerate() {
        let bar = "█".repeat((probability * WIDTH).round() as usize);
        println!("  {digit} {bar:WIDTH$} {:5.1} %", probability * 100.0, WIDTH = WIDTH as usize);
    }
    let best = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    best.map_or(0, |(digit, _)| digit)
}

/// The most memory that this program has had, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
