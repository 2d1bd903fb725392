//! Resizing: WebNN's own where it says the same, else axis by axis with constant weights.

use webnn_core::ops::resample2d::InterpolationMode;

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::Emit;
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::small_count;
use crate::tensor::{Tensor, axis_of, size_of};

/// How positions of the output are found in the input, and what is read there.
struct Settings {
    mode: Mode,
    coordinates: String,
    nearest: String,
    cubic: f64,
    exclude_outside: bool,
    antialias: bool,
    extrapolation: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Nearest,
    Linear,
    Cubic,
}

/// One axis from one size to another.
#[derive(Clone, Copy)]
struct Axis {
    from: u32,
    to: u32,
    scale: f64,
    /// The part of the axis that is looked at, for crops.
    crop: (f64, f64),
}

fn mode_of(text: &str) -> Outcome<Mode> {
    Ok(match text {
        "nearest" => Mode::Nearest,
        "linear" | "bilinear" | "trilinear" => Mode::Linear,
        "cubic" | "bicubic" => Mode::Cubic,
        other => fault!(Invalid, "mode is {other:?}"),
    })
}

/// The forerunner of Resize: scales alone, positions counted from the corner.
pub(crate) fn upsample(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let scales = match cx.float_list("scales") {
        Some(scales) => scales,
        None => cx.known(1)?.to_floats(),
    };
    let settings = Settings {
        mode: mode_of(&cx.text_or("mode", "nearest"))?,
        coordinates: "asymmetric".to_owned(),
        nearest: "floor".to_owned(),
        cubic: -0.75,
        exclude_outside: false,
        antialias: false,
        extrapolation: 0.0,
    };
    require!(scales.len() == x.rank(), "{} scales for {:?}", scales.len(), x.dims());
    let axes = scaled(&x, &scales, &(0..x.rank()).collect::<Vec<_>>())?;
    one(resized(cx.g, &x, &axes, &settings)?)
}

pub(crate) fn resize(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let old = cx.version < 11;
    let settings = Settings {
        mode: mode_of(&cx.text_or("mode", "nearest"))?,
        coordinates: cx.text_or(
            "coordinate_transformation_mode",
            if old { "asymmetric" } else { "half_pixel" },
        ),
        nearest: cx.text_or("nearest_mode", if old { "floor" } else { "round_prefer_floor" }),
        cubic: cx.float_or("cubic_coeff_a", -0.75),
        exclude_outside: cx.flag("exclude_outside", false),
        antialias: cx.flag("antialias", false),
        extrapolation: cx.float_or("extrapolation_value", 0.0),
    };
    let which = match cx.int_list("axes") {
        Some(axes) => axes.iter().map(|&a| axis_of(a, x.rank())).collect::<Outcome<Vec<_>>>()?,
        None => (0..x.rank()).collect(),
    };
    let scales_at = if old { 1 } else { 2 };
    let scales = match cx.opt(scales_at)? {
        Some(scales) if !scales.is_empty() => Some(cx.known(scales_at)?.to_floats()),
        _none => None,
    };
    let sizes = match cx.opt(3)? {
        Some(sizes) if !sizes.is_empty() => Some(super::shape::dims_of(&cx.ints(3)?)?),
        _none => None,
    };
    let mut axes = match (scales, sizes) {
        (Some(scales), _) => {
            require!(scales.len() == which.len(), "{} scales for {which:?}", scales.len());
            scaled(&x, &scales, &which)?
        }
        (None, Some(sizes)) => {
            let policy = cx.text_or("keep_aspect_ratio_policy", "stretch");
            sized(&x, &sizes, &which, &policy)?
        }
        (None, None) => fault!(Invalid, "there are neither scales nor sizes"),
    };
    if settings.coordinates == "tf_crop_and_resize" {
        let roi = cx.known(1)?.to_floats();
        require!(roi.len() == 2 * which.len(), "{} bounds for axes {which:?}", roi.len());
        for (i, &axis) in which.iter().enumerate() {
            axes[axis].crop = (roi[i], roi[which.len() + i]);
        }
    }
    one(resized(cx.g, &x, &axes, &settings)?)
}

/// All axes as they are.
fn unchanged(x: &Tensor) -> Vec<Axis> {
    let axis = |&size: &u32| Axis { from: size, to: size, scale: 1.0, crop: (0.0, 1.0) };
    x.dims().iter().map(axis).collect()
}

fn scaled(x: &Tensor, scales: &[f64], which: &[usize]) -> Outcome<Vec<Axis>> {
    let mut axes = unchanged(x);
    for (&axis, &scale) in which.iter().zip(scales) {
        require!(scale > 0.0 && scale.is_finite(), "scale {scale} of axis {axis}");
        let size = (f64::from(axes[axis].from) * scale).floor();
        require!(size <= f64::from(i32::MAX), "axis {axis} grows to {size}");
        axes[axis].to = size as u32;
        axes[axis].scale = scale;
    }
    Ok(axes)
}

fn sized(x: &Tensor, sizes: &[u32], which: &[usize], policy: &str) -> Outcome<Vec<Axis>> {
    require!(sizes.len() == which.len(), "{} sizes for axes {which:?}", sizes.len());
    let mut axes = unchanged(x);
    let ratio = |i: usize| f64::from(sizes[i]) / f64::from(axes[which[i]].from.max(1));
    let ratios: Vec<f64> = (0..sizes.len()).map(ratio).collect();
    let common = match policy {
        "stretch" => None,
        "not_larger" => Some(ratios.iter().copied().fold(f64::INFINITY, f64::min)),
        "not_smaller" => Some(ratios.iter().copied().fold(0.0, f64::max)),
        other => fault!(Invalid, "keep_aspect_ratio_policy is {other:?}"),
    };
    for (i, &axis) in which.iter().enumerate() {
        let from = f64::from(axes[axis].from);
        (axes[axis].scale, axes[axis].to) = match common {
            Some(scale) => (scale, size_of((scale * from + 0.5).floor() as i128)?),
            None => (ratios[i], sizes[i]),
        };
    }
    Ok(axes)
}

impl Axis {
    fn is_changed(self, settings: &Settings) -> bool {
        self.from != self.to
            || self.scale != 1.0
            || (settings.coordinates == "tf_crop_and_resize" && self.crop != (0.0, 1.0))
    }

    /// Where an output position lies in the input.
    fn position(self, i: u32, coordinates: &str) -> Outcome<f64> {
        let (i, from, to) = (f64::from(i), f64::from(self.from), f64::from(self.to));
        Ok(match coordinates {
            "half_pixel" => (i + 0.5) / self.scale - 0.5,
            "half_pixel_symmetric" => {
                let adjustment = to / (self.scale * from);
                let offset = from / 2.0 * (1.0 - adjustment);
                offset + (i + 0.5) / self.scale - 0.5
            }
            "pytorch_half_pixel" if to > 1.0 => (i + 0.5) / self.scale - 0.5,
            "pytorch_half_pixel" => 0.0,
            // The size before it was rounded down counts here.
            "align_corners" if to > 1.0 => i * (from - 1.0) / (self.scale * from - 1.0),
            "align_corners" => 0.0,
            "asymmetric" => i / self.scale,
            "tf_half_pixel_for_nn" => (i + 0.5) / self.scale,
            "tf_crop_and_resize" => {
                let (start, end) = self.crop;
                if to > 1.0 {
                    start * (from - 1.0) + i * (end - start) * (from - 1.0) / (to - 1.0)
                } else {
                    0.5 * (start + end) * (from - 1.0)
                }
            }
            other => fault!(Invalid, "coordinate_transformation_mode is {other:?}"),
        })
    }
}

fn resized(g: &mut Emit<'_>, x: &Tensor, axes: &[Axis], settings: &Settings) -> Outcome<Tensor> {
    let changed: Vec<usize> = (0..x.rank()).filter(|&a| axes[a].is_changed(settings)).collect();
    if changed.is_empty() || x.is_empty() {
        return Ok(x.clone());
    }
    if axes.iter().any(|axis| axis.to == 0) {
        fault!(ZeroSize, "{:?} shrinks to nothing", x.dims());
    }
    if let Some(result) = resampled(g, x, axes, &changed, settings)? {
        return Ok(result);
    }
    let elem = x.elem();
    let is_computed = settings.mode != Mode::Nearest && !elem.is_float();
    let mut y = if is_computed { g.cast(x, ElemType::Float32)? } else { x.clone() };
    let mut outside: Option<Tensor> = None;
    for &axis in &changed {
        y = along(g, &y, axis, axes[axis], settings)?;
        if settings.coordinates == "tf_crop_and_resize" {
            let mask = beyond(g, axes[axis], axis, x.rank())?;
            outside = Some(match outside {
                Some(other) => g.logical_or(&other, &mask)?,
                None => mask,
            });
        }
    }
    if let Some(outside) = outside {
        let value = g.scalar(y.elem(), settings.extrapolation);
        y = g.select(&outside, &value, &y)?;
    }
    if is_computed {
        y = g.round_even(&y)?;
        if let Some((least, greatest)) = elem.integer_range() {
            y = g.clamp(&y, Some(least as f64), Some(greatest as f64))?;
        }
    }
    g.cast(&y, elem)
}

/// The whole as one operation, where WebNN's reads the same positions.
fn resampled(
    g: &mut Emit<'_>,
    x: &Tensor,
    axes: &[Axis],
    changed: &[usize],
    settings: &Settings,
) -> Outcome<Option<Tensor>> {
    let floats = x.elem().is_float();
    if x.rank() != 4 || changed.len() > 2 || settings.exclude_outside || settings.antialias {
        return Ok(None);
    }
    // WebNN derives the scale from the sizes.
    let exact = |axis: Axis| (axis.scale * f64::from(axis.from) - f64::from(axis.to)).abs() < 1e-4;
    let whole = |axis: Axis| axis.to.is_multiple_of(axis.from.max(1));
    let half_pixel = |axis: Axis| match settings.coordinates.as_str() {
        "half_pixel" | "half_pixel_symmetric" => true,
        "pytorch_half_pixel" => axis.to > 1,
        _other => false,
    };
    let same = |axis: Axis| {
        exact(axis)
            && match settings.mode {
                Mode::Linear => half_pixel(axis),
                // At whole factors no position lies between two elements, so all ways agree.
                Mode::Nearest => match (settings.coordinates.as_str(), settings.nearest.as_str()) {
                    ("asymmetric", "floor") => whole(axis),
                    (_, "round_prefer_floor") => half_pixel(axis),
                    (_, "round_prefer_ceil") => half_pixel(axis) && whole(axis),
                    _other => false,
                },
                Mode::Cubic => false,
            }
    };
    let bytes = matches!(x.elem(), ElemType::Uint8 | ElemType::Int8);
    let typed = floats || (bytes && settings.mode == Mode::Nearest);
    if !typed || !changed.iter().all(|&axis| same(axes[axis])) {
        return Ok(None);
    }
    // Two axes are always named; where one changes, its neighbour keeps its size.
    let pair = match changed {
        [a, b] => [*a, *b],
        [a] if *a == 3 => [2, 3],
        [a] => [*a, *a + 1],
        _none => return Ok(None),
    };
    let mode = match settings.mode {
        Mode::Nearest => InterpolationMode::NearestNeighbor,
        Mode::Linear | Mode::Cubic => InterpolationMode::Linear,
    };
    let sizes = pair.map(|axis| axes[axis].to);
    Ok(Some(g.resample2d(x, mode, pair.map(|axis| axis as u32), sizes)?))
}

/// Where positions lie outside the input.
fn beyond(g: &mut Emit<'_>, axis: Axis, place: usize, rank: usize) -> Outcome<Tensor> {
    let mut dims = vec![1; rank];
    dims[place] = axis.to;
    small_count(&dims)?;
    let last = f64::from(axis.from) - 1.0;
    let mut values = Vec::new();
    for i in 0..axis.to {
        let at = axis.position(i, "tf_crop_and_resize")?;
        values.push(i128::from(at < 0.0 || at > last));
    }
    Ok(g.int_list(ElemType::Bool, &dims, values))
}

/// One axis: gathered by index, or weighted sums of neighbours.
fn along(
    g: &mut Emit<'_>,
    x: &Tensor,
    place: usize,
    axis: Axis,
    settings: &Settings,
) -> Outcome<Tensor> {
    small_count(&[axis.to])?;
    let last = f64::from(axis.from) - 1.0;
    if settings.mode == Mode::Nearest {
        let mut indices = Vec::with_capacity(axis.to as usize);
        for i in 0..axis.to {
            let at = axis.position(i, &settings.coordinates)?;
            let nearest = match settings.nearest.as_str() {
                "round_prefer_floor" => (at - 0.5).ceil(),
                "round_prefer_ceil" => (at + 0.5).floor(),
                "floor" => at.floor(),
                "ceil" => at.ceil(),
                other => fault!(Invalid, "nearest_mode is {other:?}"),
            };
            indices.push(nearest.clamp(0.0, last) as i128);
        }
        let indices = g.int_list(ElemType::Int32, &[axis.to], indices);
        return g.gather(x, &indices, place);
    }
    let taps = (0..axis.to)
        .map(|i| Ok(weights(axis.position(i, &settings.coordinates)?, axis, settings)))
        .collect::<Outcome<Vec<_>>>()?;
    let count = taps.iter().map(Vec::len).max().unwrap_or(0);
    if count > 8 {
        return by_matrix(g, x, place, axis, &taps);
    }
    let mut sum: Option<Tensor> = None;
    for k in 0..count {
        let tap = |i: usize| taps[i].get(k).copied().unwrap_or((0, 0.0));
        let size = axis.to as usize;
        let indices = (0..size).map(|i| i128::from(tap(i).0)).collect();
        let indices = g.int_list(ElemType::Int32, &[axis.to], indices);
        let mut dims = vec![1; x.rank()];
        dims[place] = axis.to;
        let factors = g.list(x.elem(), &dims, (0..size).map(|i| tap(i).1).collect());
        let picked = g.gather(x, &indices, place)?;
        let part = g.mul(&picked, &factors)?;
        sum = Some(match sum {
            Some(sum) => g.add(&sum, &part)?,
            None => part,
        });
    }
    match sum {
        Some(sum) => Ok(sum),
        None => fault!(Invalid, "the axis has no elements"),
    }
}

/// Wide sums as a product with a matrix of weights.
fn by_matrix(
    g: &mut Emit<'_>,
    x: &Tensor,
    place: usize,
    axis: Axis,
    taps: &[Vec<(u32, f64)>],
) -> Outcome<Tensor> {
    let size = small_count(&[axis.from, axis.to])?;
    let mut matrix = vec![0.0; size];
    for (i, list) in taps.iter().enumerate() {
        for &(index, weight) in list {
            matrix[index as usize * axis.to as usize + i] += weight;
        }
    }
    let matrix = g.list(x.elem(), &[axis.from, axis.to], matrix);
    let last = x.rank() - 1;
    let moved = g.swap(x, place, last)?;
    let moved = if moved.rank() == 1 { g.reshape(&moved, &[1, axis.from])? } else { moved };
    let product = g.matmul(&moved, &matrix)?;
    let product = if x.rank() == 1 { g.reshape(&product, &[axis.to])? } else { product };
    g.swap(&product, place, last)
}

/// The elements that a position is made of, with their weights.
fn weights(at: f64, axis: Axis, settings: &Settings) -> Vec<(u32, f64)> {
    let floor = at.floor();
    let t = at - floor;
    let a = settings.cubic;
    let cubic = |d: f64| {
        let d = d.abs();
        if d <= 1.0 {
            ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
        } else if d < 2.0 {
            ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
        } else {
            0.0
        }
    };
    let linear = |d: f64| (1.0 - d.abs()).max(0.0);
    // Shrinking with antialiasing stretches the kernel over all that one output covers.
    let stretch = if settings.antialias { axis.scale.min(1.0) } else { 1.0 };
    let reach = if settings.mode == Mode::Cubic { 2.0 } else { 1.0 };
    let first = (-reach / stretch).floor() as i64 + 1;
    let count = 2 - 2 * first;
    let mut taps: Vec<(i64, f64)> = (first..first + count)
        .map(|k| {
            let d = (k as f64 - t) * stretch;
            (floor as i64 + k, if settings.mode == Mode::Cubic { cubic(d) } else { linear(d) })
        })
        .collect();
    let inside = |index: i64| (0..i64::from(axis.from)).contains(&index);
    if settings.exclude_outside {
        taps.iter_mut().filter(|tap| !inside(tap.0)).for_each(|tap| tap.1 = 0.0);
    }
    if settings.exclude_outside || settings.antialias {
        let sum: f64 = taps.iter().map(|tap| tap.1).sum();
        taps.iter_mut().for_each(|tap| tap.1 /= sum);
    }
    let clamped = |index: i64| index.clamp(0, i64::from(axis.from) - 1) as u32;
    taps.into_iter().map(|(index, weight)| (clamped(index), weight)).collect()
}
