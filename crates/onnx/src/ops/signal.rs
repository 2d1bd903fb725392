//! Fourier transforms by constant matrices, windows, mel weights.

use std::f64::consts::TAU;

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, PaddingMode};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::small_count;
use crate::tensor::{Tensor, axis_of, size_of};

/// The weights of the cosines of a window.
pub(crate) type Cosines = [f64; 3];

pub(crate) const HANN: Cosines = [0.5, -0.5, 0.0];
pub(crate) const HAMMING: Cosines = [25.0 / 46.0, -21.0 / 46.0, 0.0];
pub(crate) const BLACKMAN: Cosines = [0.42, -0.5, 0.08];

pub(crate) fn window(cx: &mut Cx<'_, '_, '_>, cosines: Cosines) -> Outcome<Vec<Value>> {
    let size = small_count(&[size_of(cx.scalar(0)? as i128)?])?;
    let elem = cx.elem("output_datatype")?.unwrap_or(ElemType::Float32);
    let period = if cx.flag("periodic", true) { size } else { size.saturating_sub(1) };
    let value = |i: usize| {
        let phase = TAU * i as f64 / period.max(1) as f64;
        cosines[0] + cosines[1] * phase.cos() + cosines[2] * (2.0 * phase).cos()
    };
    one(cx.g.list(elem, &[size as u32], (0..size).map(value).collect()))
}

/// Triangles that are evenly spaced on the mel scale.
pub(crate) fn mel_weights(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let bins = small_count(&[size_of(cx.scalar(0)? as i128)?])?;
    let length = size_of(cx.scalar(1)? as i128)?;
    let rate = cx.scalar(2)?;
    let (low, high) = (cx.scalar(3)?, cx.scalar(4)?);
    let elem = cx.elem("output_datatype")?.unwrap_or(ElemType::Float32);
    require!(rate > 0.0, "the sample rate is {rate}");
    let rows = length as usize / 2 + 1;
    small_count(&[rows as u32, bins as u32])?;
    let to_mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let to_hertz = |mel: f64| 700.0 * (10f64.powf(mel / 2595.0) - 1.0);
    let (low, high) = (to_mel(low), to_mel(high));
    let step = (high - low) / (bins as f64 + 2.0);
    let edge = |i: usize| {
        let bin = (f64::from(length) + 1.0) * to_hertz(low + i as f64 * step) / rate;
        bin.floor().clamp(0.0, rows as f64) as usize
    };
    let edges: Vec<usize> = (0..bins + 2).map(edge).collect();
    let mut weights = vec![0.0; rows * bins];
    for bin in 0..bins {
        let [lower, center, higher] = [edges[bin], edges[bin + 1], edges[bin + 2]];
        let rising = center.saturating_sub(lower);
        if rising == 0 {
            if let Some(weight) = weights.get_mut(center * bins + bin) {
                *weight = 1.0;
            }
        } else {
            for row in lower..=center.min(rows - 1) {
                weights[row * bins + bin] = (row - lower) as f64 / rising as f64;
            }
        }
        let falling = higher.saturating_sub(center);
        for row in center..higher.min(rows) {
            weights[row * bins + bin] = (higher - row) as f64 / falling as f64;
        }
    }
    one(cx.g.list(elem, &[rows as u32, bins as u32], weights))
}

/// Real and imaginary parts of the transform of `from` elements into `to` frequencies.
fn matrices(
    g: &Emit<'_>,
    elem: ElemType,
    from: u32,
    to: u32,
    inverse: bool,
) -> Outcome<(Tensor, Tensor)> {
    let size = small_count(&[from, to])?;
    let scale = if inverse { 1.0 / f64::from(from) } else { 1.0 };
    let sign = if inverse { 1.0 } else { -1.0 };
    let phase = |i: usize| {
        let (t, f) = ((i / to as usize) as u64, (i % to as usize) as u64);
        TAU * ((t * f) % u64::from(from)) as f64 / f64::from(from)
    };
    let real = (0..size).map(|i| scale * phase(i).cos()).collect();
    let imaginary = (0..size).map(|i| scale * sign * phase(i).sin()).collect();
    Ok((g.list(elem, &[from, to], real), g.list(elem, &[from, to], imaginary)))
}

/// The last dimension of `real` and `imaginary` transformed; the parts lie along a new last one.
fn transformed(
    g: &mut Emit<'_>,
    real: &Tensor,
    imaginary: Option<&Tensor>,
    to: u32,
    inverse: bool,
) -> Outcome<Tensor> {
    let from = real.dim(real.rank() - 1);
    let (cosines, sines) = matrices(g, real.elem(), from, to, inverse)?;
    let (mut re, mut im) = (g.matmul(real, &cosines)?, g.matmul(real, &sines)?);
    if let Some(imaginary) = imaginary {
        let (a, b) = (g.matmul(imaginary, &sines)?, g.matmul(imaginary, &cosines)?);
        re = g.sub(&re, &a)?;
        im = g.add(&im, &b)?;
    }
    let dims = [re.dims(), &[1]].concat();
    let (re, im) = (g.reshape(&re, &dims)?, g.reshape(&im, &dims)?);
    g.concat(&[re, im], dims.len() - 1)
}

pub(crate) fn dft(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    require!(x.rank() >= 2, "shape {:?} has no signal", x.dims());
    let axis = if cx.version < 20 {
        cx.int_or("axis", 1)
    } else if cx.opt(2)?.is_some() {
        cx.scalar(2)? as i64
    } else {
        -2
    };
    let axis = axis_of(axis, x.rank())?;
    let last = x.rank() - 1;
    require!(axis < last, "axis {axis} is the one of real and imaginary parts");
    let length = match cx.opt(1)? {
        Some(_) => size_of(cx.scalar(1)? as i128)?,
        None => 0,
    };
    let (inverse, one_sided) = (cx.flag("inverse", false), cx.flag("onesided", false));
    let g = &mut *cx.g;
    let parts = g.split(&x, last, &vec![1; x.dim(last) as usize])?;
    let mut moved = Vec::new();
    for part in &parts {
        let dims = part.dims()[..last].to_vec();
        let flat = g.reshape(part, &dims)?;
        let flat = g.swap(&flat, axis, last - 1)?;
        moved.push(resized(g, &flat, length)?);
    }
    let (real, imaginary) = match &moved[..] {
        [real] => (real, None),
        [real, imaginary] => (real, Some(imaginary)),
        _other => fault!(Invalid, "{:?} has no real and imaginary parts", x.dims()),
    };
    let size = real.dim(last - 1);
    if inverse && one_sided {
        return one(one_sided_inverse(g, real, imaginary, length, axis)?);
    }
    let to = if one_sided { size / 2 + 1 } else { size };
    let rows = if real.rank() == 1 { g.reshape(real, &[1, size])? } else { real.clone() };
    let second = match imaginary {
        Some(imaginary) if imaginary.rank() == 1 => Some(g.reshape(imaginary, &[1, size])?),
        other => other.cloned(),
    };
    let result = transformed(g, &rows, second.as_ref(), to, inverse)?;
    let result = if real.rank() == 1 { g.reshape(&result, &[to, 2])? } else { result };
    one(g.swap(&result, axis, last - 1)?)
}

/// Real signals from the half of the spectrum that says all about them.
fn one_sided_inverse(
    g: &mut Emit<'_>,
    real: &Tensor,
    imaginary: Option<&Tensor>,
    length: u32,
    axis: usize,
) -> Outcome<Tensor> {
    let half = real.dim(real.rank() - 1);
    let size = if length == 0 { half.saturating_sub(1).saturating_mul(2) } else { length };
    require!(size > 0, "a signal of no elements");
    // Frequencies that stand for their mirror images, too, count twice.
    let factor = |f: u32| if f == 0 || 2 * f == size { 1.0 } else { 2.0 };
    let total = small_count(&[half, size])?;
    let phase = |f: u32, t: u32| {
        TAU * ((u64::from(f) * u64::from(t)) % u64::from(size)) as f64 / f64::from(size)
    };
    let entry = |i: usize| ((i / size as usize) as u32, (i % size as usize) as u32);
    let used = |f: u32| f64::from(u8::from(f <= size / 2)) * factor(f) / f64::from(size);
    let cosines = (0..total).map(entry).map(|(f, t)| used(f) * phase(f, t).cos()).collect();
    let sines = (0..total).map(entry).map(|(f, t)| -used(f) * phase(f, t).sin()).collect();
    let cosines = g.list(real.elem(), &[half, size], cosines);
    let sines = g.list(real.elem(), &[half, size], sines);
    let rank = real.rank();
    let rows = |g: &mut Emit<'_>, x: &Tensor| {
        if rank == 1 { g.reshape(x, &[1, half]) } else { Ok(x.clone()) }
    };
    let re = rows(g, real)?;
    let mut y = g.matmul(&re, &cosines)?;
    if let Some(imaginary) = imaginary {
        let im = rows(g, imaginary)?;
        let part = g.matmul(&im, &sines)?;
        y = g.add(&y, &part)?;
    }
    let mut dims = real.dims()[..rank - 1].to_vec();
    dims.extend([size, 1]);
    let y = g.reshape(&y, &dims)?;
    g.swap(&y, axis, rank - 1)
}

/// The last dimension cut or filled with zeros; 0 leaves it.
fn resized(g: &mut Emit<'_>, x: &Tensor, length: u32) -> Outcome<Tensor> {
    let last = x.rank() - 1;
    let size = x.dim(last);
    if length == 0 || length == size {
        return Ok(x.clone());
    }
    if length < size {
        return g.narrow(x, last, 0, length);
    }
    let before = vec![0; x.rank()];
    let mut after = before.clone();
    after[last] = length - size;
    g.pad(x, &before, &after, PaddingMode::Constant, 0.0)
}

/// Transforms of windowed frames of a signal.
pub(crate) fn stft(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let step = size_of(cx.scalar(1)? as i128)?;
    let window = cx.opt(2)?;
    let one_sided = cx.flag("onesided", true);
    let length = match (cx.opt(3)?, &window) {
        (Some(_), _) => size_of(cx.scalar(3)? as i128)?,
        (None, Some(window)) => window.dim(0),
        (None, None) => fault!(Invalid, "the frames have no length"),
    };
    require!(
        (2..=3).contains(&x.rank()) && step > 0 && length > 0 && length <= x.dim(1),
        "frames of {length} every {step} of {:?}",
        x.dims()
    );
    let frames = (x.dim(1) - length) / step + 1;
    let g = &mut *cx.g;
    let total = small_count(&[frames, length])?;
    let place = |i: usize| {
        let (frame, t) = (i / length as usize, i % length as usize);
        (frame * step as usize + t) as i128
    };
    let places = g.int_list(ElemType::Int32, &[frames, length], (0..total).map(place).collect());
    let channels = if x.rank() == 3 { x.dim(2) } else { 1 };
    let signal = g.reshape(&x, &[x.dim(0), x.dim(1), channels])?;
    let mut parts = Vec::new();
    for part in g.split(&signal, 2, &vec![1; channels as usize])? {
        let flat = g.reshape(&part, &[x.dim(0), x.dim(1)])?;
        let framed = g.gather(&flat, &places, 1)?;
        parts.push(match &window {
            Some(window) => {
                let window = resized(g, window, length)?;
                g.mul(&framed, &window)?
            }
            None => framed,
        });
    }
    let to = if one_sided { length / 2 + 1 } else { length };
    let (real, imaginary) = match &parts[..] {
        [real] => (real, None),
        [real, imaginary] => (real, Some(imaginary)),
        _other => fault!(Invalid, "{:?} has no real and imaginary parts", x.dims()),
    };
    one(transformed(g, real, imaginary, to, false)?)
}
