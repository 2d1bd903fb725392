//! Reading an image at positions that are computed at run time.

use crate::cx::{Cx, one};
use crate::elem::ElemType;
use crate::emit::{Emit, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::{count, small_count};
use crate::tensor::{Tensor, size_of};

/// The positions that a matrix maps a regular grid to.
pub(crate) fn affine_grid(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let theta = cx.x(0)?;
    let sizes = super::shape::dims_of(&cx.ints(1)?)?;
    let corners = cx.flag("align_corners", false);
    require!(sizes.len() >= 3 && theta.rank() == 3, "{sizes:?} with {:?}", theta.dims());
    let image = &sizes[2..];
    let n = image.len();
    let total = small_count(image)?;
    small_count(&[total as u32, n as u32 + 1])?;
    // Each position of the grid with a 1 behind, the last dimension's coordinate first.
    let along = |d: usize, i: usize| {
        let (size, i) = (f64::from(image[d]), i as f64);
        match (corners, image[d]) {
            (true, 1) => 0.0,
            (true, _) => -1.0 + 2.0 * i / (size - 1.0),
            (false, _) => (2.0 * i + 1.0) / size - 1.0,
        }
    };
    let mut values = Vec::with_capacity(total * (n + 1));
    for place in 0..total {
        let mut rest = place;
        for d in (0..n).rev() {
            values.push(along(d, rest % image[d] as usize));
            rest /= image[d] as usize;
        }
        values.push(1.0);
    }
    let g = &mut *cx.g;
    let grid = g.list(theta.elem(), &[1, total as u32, n as u32 + 1], values);
    let turned = g.swap(&theta, 1, 2)?;
    let result = g.matmul(&grid, &turned)?;
    let dims = [&[theta.dims()[0]], image, &[n as u32]].concat();
    one(g.reshape(&result, &dims)?)
}

/// What lies outside the image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    Zeros,
    Border,
    Reflection,
}

/// The elements along one dimension that a position is made of: places as int64, weights.
pub(super) type Taps = Vec<(Tensor, Tensor)>;

pub(crate) fn grid_sample(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, grid) = (cx.x(0)?, cx.x(1)?);
    let corners = cx.flag("align_corners", false);
    let padding = match cx.text_or("padding_mode", "zeros").as_str() {
        "zeros" => Padding::Zeros,
        "border" => Padding::Border,
        "reflection" => Padding::Reflection,
        other => fault!(Invalid, "padding_mode is {other:?}"),
    };
    let mode = cx.text_or("mode", "linear");
    require!(
        x.rank() >= 3 && grid.rank() == x.rank() && !x.is_empty() && !grid.is_empty(),
        "a grid of {:?} for {:?}",
        grid.dims(),
        x.dims()
    );
    let n = x.rank() - 2;
    let image = x.dims()[2..].to_vec();
    let batch = x.dims()[0];
    let inner = &grid.dims()[1..=n];
    let points = size_of(count(inner)?.into())?;
    require!(grid.dims()[n + 1] as usize == n, "positions of {} numbers", grid.dims()[n + 1]);
    let g = &mut *cx.g;
    let grid = g.cast(&grid, ElemType::Float32)?;
    let flat = g.reshape(&grid, &[batch, points, n as u32])?;
    let mut axes = Vec::new();
    for (d, &size) in image.iter().enumerate() {
        // The last number of a position is the first dimension's.
        let at = g.narrow(&flat, 2, (n - 1 - d) as u32, 1)?;
        let at = g.reshape(&at, &[batch, points])?;
        let size = f64::from(size);
        let at = if corners {
            g.linear(&at, (size - 1.0) / 2.0, (size - 1.0) / 2.0)?
        } else {
            g.linear(&at, size / 2.0, (size - 1.0) / 2.0)?
        };
        let bounds = if corners { (0.0, size - 1.0) } else { (-0.5, size - 0.5) };
        let at = match padding {
            Padding::Zeros => at,
            Padding::Border => g.clamp(&at, Some(0.0), Some(size - 1.0))?,
            Padding::Reflection => reflected(g, &at, bounds)?,
        };
        let taps = match mode.as_str() {
            "nearest" => vec![(g.round_even(&at)?, None)],
            "linear" | "bilinear" => linear_taps(g, &at)?,
            "cubic" | "bicubic" => cubic_taps(g, &at)?,
            other => fault!(Invalid, "mode is {other:?}"),
        };
        axes.push(placed(g, taps, size, padding, bounds)?);
    }
    let sum = sampled(g, &x, &axes, points)?;
    let sum = g.cast(&sum, x.elem())?;
    let dims = [&[batch, x.dims()[1]], &grid.dims()[1..=n]].concat();
    one(g.reshape(&sum, &dims)?)
}

/// Turned back at the bounds as often as needed.
fn reflected(g: &mut Emit<'_>, x: &Tensor, (low, high): (f64, f64)) -> Outcome<Tensor> {
    let range = high - low;
    if range <= 0.0 {
        return g.linear(x, 0.0, low);
    }
    // A triangle wave of period 2 · range.
    let turns = g.linear(x, 0.5 / range, -low * 0.5 / range)?;
    let whole = g.floor(&turns)?;
    let part = g.sub(&turns, &whole)?;
    let part = g.linear(&part, 2.0, 0.0)?;
    let back = g.linear(&part, -1.0, 2.0)?;
    let wave = g.min(&part, &back)?;
    g.linear(&wave, range, low)
}

pub(super) type Floats = Vec<(Tensor, Option<Tensor>)>;

pub(super) fn linear_taps(g: &mut Emit<'_>, at: &Tensor) -> Outcome<Floats> {
    let low = g.floor(at)?;
    let right = g.sub(at, &low)?;
    let left = g.linear(&right, -1.0, 1.0)?;
    let high = g.linear(&low, 1.0, 1.0)?;
    Ok(vec![(low, Some(left)), (high, Some(right))])
}

/// Keys' kernel with −0.75, as ONNX has it here.
fn cubic_taps(g: &mut Emit<'_>, at: &Tensor) -> Outcome<Floats> {
    const A: f64 = -0.75;
    let low = g.floor(at)?;
    let t = g.sub(at, &low)?;
    let mut taps = Vec::new();
    for k in -1..=2 {
        let place = g.linear(&low, 1.0, f64::from(k))?;
        let distance = g.linear(&t, -1.0, f64::from(k))?;
        let distance = g.abs(&distance)?;
        // By Horner's rule, near and far from the position.
        let coefficients: [f64; 4] = if k == 0 || k == 1 {
            [A + 2.0, -(A + 3.0), 0.0, 1.0]
        } else {
            [A, -5.0 * A, 8.0 * A, -4.0 * A]
        };
        let mut value = g.linear(&distance, coefficients[0], coefficients[1])?;
        for c in &coefficients[2..] {
            value = g.mul(&value, &distance)?;
            value = g.linear(&value, 1.0, *c)?;
        }
        taps.push((place, Some(value)));
    }
    Ok(taps)
}

/// Places inside the image; outside, the weight is 0 or another place is read.
pub(super) fn placed(
    g: &mut Emit<'_>,
    taps: Floats,
    size: f64,
    padding: Padding,
    bounds: (f64, f64),
) -> Outcome<Taps> {
    let mut list = Vec::new();
    for (place, weight) in taps {
        let mut weight = match weight {
            Some(weight) => weight,
            None => g.scalar(ElemType::Float32, 1.0),
        };
        let place = match padding {
            Padding::Zeros => {
                let inside = g.clamp(&place, Some(0.0), Some(size - 1.0))?;
                let same = g.equal(&inside, &place)?;
                let zero = g.scalar(ElemType::Float32, 0.0);
                weight = g.select(&same, &weight, &zero)?;
                inside
            }
            Padding::Border => place,
            Padding::Reflection => reflected(g, &place, bounds)?,
        };
        let place = g.clamp(&place, Some(0.0), Some(size - 1.0))?;
        let place = g.round_even(&place)?;
        list.push((g.cast(&place, ElemType::Int64)?, weight));
    }
    Ok(list)
}

/// The weighted sum over all combinations of the dimensions' taps, `[batch, channels, points]`.
pub(super) fn sampled(g: &mut Emit<'_>, x: &Tensor, axes: &[Taps], points: u32) -> Outcome<Tensor> {
    let (batch, channels) = (x.dims()[0], x.dims()[1]);
    let image = &x.dims()[2..];
    let pixels = size_of(count(image)?.into())?;
    let flat = g.reshape(x, &[batch, channels, pixels])?;
    let flat = g.swap(&flat, 1, 2)?;
    let rows = g.reshape(&flat, &[batch.saturating_mul(pixels), channels])?;
    let rows = g.cast(&rows, ElemType::Float32)?;
    small_count(&[batch])?;
    let first = (0..i128::from(batch)).map(|b| b * i128::from(pixels)).collect();
    let first = g.int_list(ElemType::Int64, &[batch, 1], first);
    let combinations: usize = axes.iter().map(Vec::len).product();
    let mut sum: Option<Tensor> = None;
    for combination in 0..combinations {
        let mut rest = combination;
        let mut at = first.clone();
        let mut weight: Option<Tensor> = None;
        let mut step = 1i128;
        for (taps, &size) in axes.iter().zip(image).rev() {
            let (place, factor) = &taps[rest % taps.len()];
            rest /= taps.len();
            let stride = g.int_list(ElemType::Int64, &[], vec![step]);
            let offset = g.mul(place, &stride)?;
            at = g.add(&at, &offset)?;
            weight = Some(match weight {
                Some(weight) => g.mul(&weight, factor)?,
                None => factor.clone(),
            });
            step *= i128::from(size);
        }
        let read = g.gather(&rows, &at, 0)?;
        let weight = match weight {
            Some(weight) if weight.rank() == 2 => g.reshape(&weight, &[batch, points, 1])?,
            Some(weight) => weight,
            None => fault!(Invalid, "the image has no dimensions"),
        };
        let part = g.mul(&read, &weight)?;
        sum = Some(match sum {
            Some(sum) => g.add(&sum, &part)?,
            None => part,
        });
    }
    match sum {
        Some(sum) => g.swap(&sum, 1, 2),
        None => fault!(Invalid, "the image has no dimensions"),
    }
}

/// Regions of images, each resampled to one size.
pub(crate) fn roi_align(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, regions, images) = (cx.x(0)?, cx.x(1)?, cx.x(2)?);
    let size = |name: &str| size_of(cx.int_or(name, 1).into());
    let (height, width) = (size("output_height")?, size("output_width")?);
    let samples = size_of(cx.int_or("sampling_ratio", 0).into())?;
    let scale = cx.float_or("spatial_scale", 1.0);
    let maximum = cx.text_or("mode", "avg") == "max";
    let half = cx.text_or("coordinate_transformation_mode", "half_pixel") == "half_pixel";
    let half = half && cx.version >= 16;
    if samples == 0 {
        fault!(NotExpressible, "as many samples as a region is large");
    }
    require!(
        x.rank() == 4 && regions.rank() == 2 && !x.is_empty() && height > 0 && width > 0,
        "regions {:?} of {:?}",
        regions.dims(),
        x.dims()
    );
    let g = &mut *cx.g;
    let regions = g.cast(&regions, ElemType::Float32)?;
    let count = regions.dims()[0];
    let [channels, rows, columns] = [x.dim(1), x.dim(2), x.dim(3)];
    let shift = if half { -0.5 } else { 0.0 };
    let scaled = g.linear(&regions, scale, shift)?;
    let bound = |g: &mut Emit<'_>, i: u32| g.narrow(&scaled, 1, i, 1);
    let mut axes = Vec::new();
    for (low, cells, size) in [(1, height, rows), (0, width, columns)] {
        let (start, end) = (bound(g, low)?, bound(g, low + 2)?);
        let mut length = g.sub(&end, &start)?;
        if !half {
            // Regions narrower than one element are taken as that wide.
            let unit = g.scalar(ElemType::Float32, 1.0);
            length = g.max(&length, &unit)?;
        }
        let steps = small_count(&[cells, samples])? as u32;
        let place = |i: u32| (f64::from(i) + 0.5) / f64::from(steps);
        let places = g.list(ElemType::Float32, &[1, steps], (0..steps).map(place).collect());
        let inside = g.mul(&length, &places)?;
        let at = g.add(&start, &inside)?;
        axes.push(clipped_taps(g, &at, f64::from(size))?);
    }
    // Positions of rows and columns cross: `[regions, rows, 1]` by `[regions, 1, columns]`.
    let pixels = rows.saturating_mul(columns);
    let flat = g.reshape(&x, &[x.dims()[0], channels, pixels])?;
    let flat = g.swap(&flat, 1, 2)?;
    let table = g.reshape(&flat, &[x.dims()[0].saturating_mul(pixels), channels])?;
    let images = g.cast(&images, ElemType::Int64)?;
    let images = g.reshape(&images, &[count, 1, 1])?;
    let per_image = g.int_list(ElemType::Int64, &[], vec![pixels.into()]);
    let first = g.mul(&images, &per_image)?;
    let (down, across) = (height * samples, width * samples);
    let stride = g.int_list(ElemType::Int64, &[], vec![columns.into()]);
    let mut parts = Vec::new();
    for (row, row_weight) in &axes[0] {
        for (column, column_weight) in &axes[1] {
            let row = g.reshape(row, &[count, down, 1])?;
            let row = g.mul(&row, &stride)?;
            let column = g.reshape(column, &[count, 1, across])?;
            let at = g.add(&row, &column)?;
            let at = g.add(&at, &first)?;
            let read = g.gather(&table, &at, 0)?;
            let row_weight = g.reshape(row_weight, &[count, down, 1, 1])?;
            let column_weight = g.reshape(column_weight, &[count, 1, across, 1])?;
            let weight = g.mul(&row_weight, &column_weight)?;
            parts.push(g.mul(&read, &weight)?);
        }
    }
    let kind = if maximum { ReduceKind::Max } else { ReduceKind::Mean };
    let mut value: Option<Tensor> = None;
    for part in parts {
        value = Some(match value {
            // The maximum is over the weighted corners, as the operator's definition has it.
            Some(value) if maximum => g.max(&value, &part)?,
            Some(value) => g.add(&value, &part)?,
            None => part,
        });
    }
    let Some(value) = value else { fault!(Invalid, "a region has no corners") };
    let cells = g.reshape(&value, &[count, height, samples, width, samples, channels])?;
    let result = g.reduce(kind, &cells, &[2, 4])?;
    let result = g.reshape(&result, &[count, height, width, channels])?;
    one(g.transpose(&result, &[0, 3, 1, 2])?)
}

/// Two neighbours of each position; 0 where it lies more than one element outside.
fn clipped_taps(g: &mut Emit<'_>, at: &Tensor, size: f64) -> Outcome<Taps> {
    let (low, high) = (g.scalar(ElemType::Float32, -1.0), g.scalar(ElemType::Float32, size));
    let (under, over) = (g.lesser(at, &low)?, g.greater(at, &high)?);
    let outside = g.logical_or(&under, &over)?;
    let zero = g.scalar(ElemType::Float32, 0.0);
    let inside = g.clamp(at, Some(0.0), Some(size - 1.0))?;
    let mut taps = Vec::new();
    for (place, weight) in linear_taps(g, &inside)? {
        let place = g.clamp(&place, Some(0.0), Some(size - 1.0))?;
        let Some(weight) = weight else { fault!(Invalid, "a neighbour has no weight") };
        let weight = g.select(&outside, &zero, &weight)?;
        taps.push((g.cast(&place, ElemType::Int64)?, weight));
    }
    Ok(taps)
}
