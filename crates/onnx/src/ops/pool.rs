//! Pooling over one, two or three dimensions.

use webnn_core::ops::pool2d::{PoolKind, PoolOptions};

use crate::cx::{Cx, all, one};
use crate::elem::ElemType;
use crate::emit::{Emit, PaddingMode, ReduceKind};
use crate::error::{Outcome, fault, require};
use crate::import::Value;
use crate::known::small_count;
use crate::tensor::{Tensor, size_of};

/// How a window moves over the dimensions of an image.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    pub(crate) kernel: Vec<u32>,
    pub(crate) strides: Vec<u32>,
    pub(crate) dilations: Vec<u32>,
    /// All beginnings, then all ends.
    pub(crate) pads: Vec<u32>,
    /// The number of windows per dimension.
    pub(crate) counts: Vec<u32>,
}

impl Windows {
    /// Reads the attributes that convolutions and pools share.
    pub(crate) fn read(
        cx: &Cx<'_, '_, '_>,
        image: &[u32],
        kernel: Vec<u32>,
        ceil: bool,
    ) -> Outcome<Windows> {
        let n = image.len();
        require!(kernel.len() == n, "a kernel of {kernel:?} for an image of {image:?}");
        let strides = cx.sizes("strides", n, 1, 1)?;
        let dilations = cx.sizes("dilations", n, 1, 1)?;
        let mut pads = vec![0; 2 * n];
        let mut counts = vec![0; n];
        let auto = cx.text_or("auto_pad", "NOTSET");
        let given = cx.sizes("pads", 2 * n, 0, 0)?;
        for d in 0..n {
            require!(kernel[d] > 0, "the kernel has size 0");
            let reach = i64::from(dilations[d]) * (i64::from(kernel[d]) - 1) + 1;
            let (size, stride) = (i64::from(image[d]), i64::from(strides[d]));
            match auto.as_str() {
                "SAME_UPPER" | "SAME_LOWER" => {
                    let count = (size + stride - 1) / stride;
                    let pad = ((count - 1) * stride + reach - size).max(0);
                    let less = pad / 2;
                    let (begin, end) =
                        if auto == "SAME_UPPER" { (less, pad - less) } else { (pad - less, less) };
                    (pads[d], pads[n + d]) = (size_of(begin.into())?, size_of(end.into())?);
                }
                "VALID" => {}
                "NOTSET" | "" => (pads[d], pads[n + d]) = (given[d], given[n + d]),
                other => fault!(Invalid, "auto_pad is {other:?}"),
            }
            let room = size + i64::from(pads[d]) + i64::from(pads[n + d]) - reach;
            require!(room >= 0, "a window of {reach} does not fit dimension {d} of {image:?}");
            let floor = room / stride + 1;
            counts[d] = size_of(floor.into())?;
            // A window that is cut off counts only where it begins inside image or padding.
            if ceil && room % stride != 0 && floor * stride < size + i64::from(pads[d]) {
                counts[d] += 1;
            }
        }
        Ok(Windows { kernel, strides, dilations, pads, counts })
    }

    /// How far the last window reaches behind image and padding.
    fn overhang(&self, image: &[u32], d: usize) -> u32 {
        let n = image.len();
        let reach = u64::from(self.dilations[d]) * u64::from(self.kernel[d] - 1) + 1;
        let end = u64::from(self.counts[d] - 1) * u64::from(self.strides[d]) + reach;
        let room = u64::from(image[d]) + u64::from(self.pads[d]) + u64::from(self.pads[n + d]);
        end.saturating_sub(room) as u32
    }

    /// The padding of WebNN, such that the windows are whole.
    fn padding2d(&self, image: &[u32]) -> [u32; 4] {
        let over = |d: usize| self.overhang(image, d);
        [self.pads[0], self.pads[2] + over(0), self.pads[1], self.pads[3] + over(1)]
    }

    fn options(&self, image: &[u32]) -> PoolOptions {
        PoolOptions {
            window_dimensions: Some([self.kernel[0], self.kernel[1]]),
            padding: self.padding2d(image),
            strides: [self.strides[0], self.strides[1]],
            dilations: [self.dilations[0], self.dilations[1]],
            ..PoolOptions::new()
        }
    }

    /// One dimension more, of size 1, at the end.
    fn widened(&self) -> Windows {
        let more = |list: &[u32], value: u32| [list, &[value]].concat();
        Windows {
            kernel: more(&self.kernel, 1),
            strides: more(&self.strides, 1),
            dilations: more(&self.dilations, 1),
            pads: vec![self.pads[0], 0, self.pads[1], 0],
            counts: more(&self.counts, 1),
        }
    }
}

/// What is computed of each window.
#[derive(Clone, Copy)]
enum Kind {
    /// Padding counts or not.
    Average {
        counts_padding: bool,
    },
    Max,
    /// The p-norm.
    Norm(i64),
}

/// The image's dimensions and the windows of a pooling node.
fn windows(cx: &Cx<'_, '_, '_>, x: &Tensor) -> Outcome<(Vec<u32>, Windows)> {
    require!(x.rank() >= 3, "shape {:?} has no image", x.dims());
    let image = x.dims()[2..].to_vec();
    let kernel = match cx.int_list("kernel_shape") {
        Some(kernel) => super::shape::dims_of(&kernel)?,
        None => fault!(Invalid, "attribute \"kernel_shape\" is missing"),
    };
    let windows = Windows::read(cx, &image, kernel, cx.flag("ceil_mode", false))?;
    Ok((image, windows))
}

pub(crate) fn average(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let counts_padding = cx.flag("count_include_pad", false);
    let x = cx.x(0)?;
    let (image, windows) = windows(cx, &x)?;
    one(pool(cx.g, &x, &image, &windows, Kind::Average { counts_padding })?)
}

pub(crate) fn norm(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let p = cx.int_or("p", 2);
    let (image, windows) = windows(cx, &x)?;
    one(pool(cx.g, &x, &image, &windows, Kind::Norm(p))?)
}

/// With the indices of the greatest elements as a second result.
pub(crate) fn max(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    let (image, windows) = windows(cx, &x)?;
    if !cx.wants(1) {
        return one(pool(cx.g, &x, &image, &windows, Kind::Max)?);
    }
    let columns = cx.flag("storage_order", false);
    let (values, indices) = max_with_indices(cx.g, &x, &image, &windows, columns)?;
    all(vec![values, indices])
}

fn pool(
    g: &mut Emit<'_>,
    x: &Tensor,
    image: &[u32],
    windows: &Windows,
    kind: Kind,
) -> Outcome<Tensor> {
    if x.is_empty() {
        fault!(ZeroSize, "{:?} has no elements", x.dims());
    }
    match image.len() {
        1 => {
            let wide = g.reshape(x, &[x.dims(), &[1]].concat())?;
            let image = [image, &[1]].concat();
            let result = pool(g, &wide, &image, &windows.widened(), kind)?;
            let dims = result.dims()[..3].to_vec();
            g.reshape(&result, &dims)
        }
        2 => pool2d(g, x, image, windows, kind),
        _more => by_taps(g, x, image, windows, kind),
    }
}

fn pool2d(
    g: &mut Emit<'_>,
    x: &Tensor,
    image: &[u32],
    windows: &Windows,
    kind: Kind,
) -> Outcome<Tensor> {
    let options = windows.options(image);
    match kind {
        Kind::Max => g.pool2d(PoolKind::Max, x, options),
        Kind::Norm(2) => g.pool2d(PoolKind::L2, x, options),
        Kind::Norm(_) => by_taps(g, x, image, windows, kind),
        Kind::Average { counts_padding: false } => g.pool2d(PoolKind::Average, x, options),
        Kind::Average { counts_padding: true } => {
            let overhangs = (0..2).any(|d| windows.overhang(image, d) > 0);
            if overhangs {
                return by_taps(g, x, image, windows, kind);
            }
            // Padded with zeros beforehand, WebNN's mean counts them.
            let [top, bottom, left, right] = options.padding;
            let padded =
                g.pad(x, &[0, 0, top, left], &[0, 0, bottom, right], PaddingMode::Constant, 0.0)?;
            g.pool2d(PoolKind::Average, &padded, PoolOptions { padding: [0; 4], ..options })
        }
    }
}

/// The most elements of a window that is taken apart.
const MAX_TAPS: usize = 512;

/// One strided view of the padded image per element of the window, in row-major order.
fn taps(
    g: &mut Emit<'_>,
    x: &Tensor,
    image: &[u32],
    windows: &Windows,
    value: f64,
) -> Outcome<Vec<Tensor>> {
    let n = image.len();
    let total = small_count(&windows.kernel)?;
    if total > MAX_TAPS {
        fault!(Limit, "a window of {total} elements, expected at most {MAX_TAPS}");
    }
    let mut before = vec![0; 2 + n];
    let mut after = vec![0; 2 + n];
    for d in 0..n {
        before[2 + d] = windows.pads[d];
        after[2 + d] = windows.pads[n + d].saturating_add(windows.overhang(image, d));
    }
    let padded = g.pad(x, &before, &after, PaddingMode::Constant, value)?;
    let mut views = Vec::with_capacity(total);
    for tap in 0..total {
        let mut rest = tap;
        let mut starts = vec![0i64; 2 + n];
        for d in (0..n).rev() {
            let k = windows.kernel[d] as usize;
            starts[2 + d] = (rest % k) as i64 * i64::from(windows.dilations[d]);
            rest /= k;
        }
        let steps: Vec<i64> =
            [1, 1].into_iter().chain(windows.strides.iter().map(|&s| i64::from(s))).collect();
        let counts = [&x.dims()[..2], &windows.counts].concat();
        views.push(g.slice(&padded, &starts, &steps, &counts)?);
    }
    Ok(views)
}

/// All tensors combined, one after the other.
fn combined<'b>(
    g: &mut Emit<'b>,
    list: Vec<Tensor>,
    op: fn(&mut Emit<'b>, &Tensor, &Tensor) -> Outcome<Tensor>,
) -> Outcome<Tensor> {
    let mut list = list.into_iter();
    let Some(mut result) = list.next() else { fault!(Invalid, "the window is empty") };
    for view in list {
        result = op(g, &result, &view)?;
    }
    Ok(result)
}

fn by_taps(
    g: &mut Emit<'_>,
    x: &Tensor,
    image: &[u32],
    windows: &Windows,
    kind: Kind,
) -> Outcome<Tensor> {
    match kind {
        Kind::Max => {
            let least =
                x.elem().integer_range().map_or(f64::NEG_INFINITY, |(least, _)| least as f64);
            let views = taps(g, x, image, windows, least)?;
            combined(g, views, Emit::max)
        }
        Kind::Norm(p) => {
            let power = g.scalar(x.elem(), p as f64);
            let mut powers = Vec::new();
            for view in taps(g, x, image, windows, 0.0)? {
                let size = g.abs(&view)?;
                powers.push(if p == 1 { size } else { g.pow(&size, &power)? });
            }
            let sum = combined(g, powers, Emit::add)?;
            let root = g.scalar(x.elem(), 1.0 / p as f64);
            if p == 1 { Ok(sum) } else { g.pow(&sum, &root) }
        }
        Kind::Average { counts_padding } => {
            let views = taps(g, x, image, windows, 0.0)?;
            let sum = combined(g, views, Emit::add)?;
            let counts = divisors(g, x.elem(), image, windows, counts_padding)?;
            g.div(&sum, &counts)
        }
    }
}

/// How many elements each window's mean divides by; what hangs over is never counted.
fn divisors(
    g: &Emit<'_>,
    elem: ElemType,
    image: &[u32],
    windows: &Windows,
    counts_padding: bool,
) -> Outcome<Tensor> {
    let n = image.len();
    let per_axis: Vec<Vec<f64>> = (0..n)
        .map(|d| {
            let (low, high) = if counts_padding {
                (0, u64::from(image[d]) + u64::from(windows.pads[d] + windows.pads[n + d]))
            } else {
                (u64::from(windows.pads[d]), u64::from(image[d]) + u64::from(windows.pads[d]))
            };
            let inside = |w: u32, k: u32| {
                let at = u64::from(w) * u64::from(windows.strides[d])
                    + u64::from(k) * u64::from(windows.dilations[d]);
                at >= low && at < high
            };
            let count = |w: u32| (0..windows.kernel[d]).filter(|&k| inside(w, k)).count() as f64;
            (0..windows.counts[d]).map(count).collect()
        })
        .collect();
    let total = small_count(&windows.counts)?;
    let value = |mut i: usize| {
        let mut product = 1.0;
        for d in (0..n).rev() {
            let size = windows.counts[d] as usize;
            product *= per_axis[d][i % size];
            i /= size;
        }
        product
    };
    let dims = [&[1, 1], &windows.counts[..]].concat();
    Ok(g.list(elem, &dims, (0..total).map(value).collect()))
}

/// Window by window the greatest element and its flat index in the tensor.
fn max_with_indices(
    g: &mut Emit<'_>,
    x: &Tensor,
    image: &[u32],
    windows: &Windows,
    columns: bool,
) -> Outcome<(Tensor, Tensor)> {
    let n = image.len();
    let least = x.elem().integer_range().map_or(f64::NEG_INFINITY, |(least, _)| least as f64);
    let views = taps(g, x, image, windows, least)?;
    let mut stacked = Vec::new();
    for view in &views {
        stacked.push(g.reshape(view, &[view.dims(), &[1]].concat())?);
    }
    let stacked = g.concat(&stacked, n + 2)?;
    let best = g.arg(&stacked, n + 2, true, true)?;
    let value = g.gather_elements(&stacked, &best, n + 2)?;
    let dims = [&x.dims()[..2], &windows.counts].concat();
    let (value, best) = (g.reshape(&value, &dims)?, g.reshape(&best, &dims)?);
    // For each tap and window the place in the image, as a table that the tap's index reads.
    let total = small_count(&windows.counts)?;
    small_count(&[total as u32, views.len() as u32])?;
    let mut steps = vec![1i128; n];
    let order: Vec<usize> = if columns { (0..n).collect() } else { (0..n).rev().collect() };
    let mut step = 1i128;
    for &d in &order {
        steps[d] = step;
        step *= i128::from(image[d]);
    }
    let mut table = Vec::with_capacity(total * views.len());
    for window in 0..total {
        for tap in 0..views.len() {
            let (mut w, mut t, mut place) = (window, tap, 0);
            for d in (0..n).rev() {
                let (i, k) = (w % windows.counts[d] as usize, t % windows.kernel[d] as usize);
                (w, t) = (w / windows.counts[d] as usize, t / windows.kernel[d] as usize);
                let at = (i * windows.strides[d] as usize + k * windows.dilations[d] as usize)
                    as i128
                    - i128::from(windows.pads[d]);
                place += at * steps[d];
            }
            table.push(place);
        }
    }
    let taps = views.len() as u32;
    let table = g.int_list(ElemType::Int64, &[total as u32 * taps], table);
    let base = (0..total as i128).map(|i| i * i128::from(taps)).collect();
    let window_dims = [&[1, 1], &windows.counts[..]].concat();
    let base = g.int_list(ElemType::Int64, &window_dims, base);
    let at = g.add(&best, &base)?;
    let inside = g.gather(&table, &at, 0)?;
    let images = small_count(&x.dims()[..2])?;
    let offset = (0..images as i128).map(|i| i * step).collect();
    let mut dims = vec![1; n + 2];
    dims[..2].copy_from_slice(&x.dims()[..2]);
    let offset = g.int_list(ElemType::Int64, &dims, offset);
    Ok((value, g.add(&inside, &offset)?))
}

/// One number per channel.
pub(crate) fn global(cx: &mut Cx<'_, '_, '_>, kind: ReduceKind) -> Outcome<Vec<Value>> {
    let x = cx.x(0)?;
    require!(x.rank() >= 2, "shape {:?} has no channels", x.dims());
    let axes: Vec<usize> = (2..x.rank()).collect();
    if x.rank() == 4 && !x.is_empty() {
        let pool = if kind == ReduceKind::Mean {
            Some(PoolKind::Average)
        } else if kind == ReduceKind::Max {
            Some(PoolKind::Max)
        } else {
            None
        };
        if let Some(pool) = pool {
            return one(cx.g.pool2d(pool, &x, PoolOptions::new())?);
        }
    }
    one(cx.g.reduce(kind, &x, &axes)?)
}

pub(crate) fn global_norm(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    match cx.int_or("p", 2) {
        1 => global(cx, ReduceKind::L1),
        2 => global(cx, ReduceKind::L2),
        p => {
            let x = cx.x(0)?;
            let axes: Vec<usize> = (2..x.rank()).collect();
            let g = &mut *cx.g;
            let (power, root) = (g.scalar(x.elem(), p as f64), g.scalar(x.elem(), 1.0 / p as f64));
            let size = g.abs(&x)?;
            let size = g.pow(&size, &power)?;
            let sum = g.reduce(ReduceKind::Sum, &size, &axes)?;
            one(g.pow(&sum, &root)?)
        }
    }
}

/// The inverse of a pooling with indices: each value at its place, zeros elsewhere.
pub(crate) fn max_unpool(cx: &mut Cx<'_, '_, '_>) -> Outcome<Vec<Value>> {
    let (x, indices) = (cx.x(0)?, cx.x(1)?);
    require!(x.rank() >= 3 && x.dims() == indices.dims(), "{:?} at {:?}", x.dims(), indices.dims());
    let n = x.rank() - 2;
    let kernel = cx.sizes("kernel_shape", n, 1, 1)?;
    let strides = cx.sizes("strides", n, 1, 1)?;
    let pads = cx.sizes("pads", 2 * n, 0, 0)?;
    let mut natural = x.dims()[..2].to_vec();
    for d in 0..n {
        let size = (i64::from(x.dims()[2 + d]) - 1) * i64::from(strides[d]) + i64::from(kernel[d])
            - i64::from(pads[d])
            - i64::from(pads[n + d]);
        natural.push(size_of(size.into())?);
    }
    let dims = match cx.opt_ints(2)? {
        Some(shape) => super::shape::dims_of(&shape)?,
        None => natural.clone(),
    };
    // The indices count in the natural shape; a larger output takes that in its first corner.
    require!(dims.len() == natural.len(), "shape {dims:?} for {natural:?}");
    let g = &mut *cx.g;
    let total = size_of(crate::known::count(&natural)?.into())?;
    let zeros = g.filled(x.elem(), &[total], 0.0)?;
    let count = size_of(crate::known::count(x.dims())?.into())?;
    let (flat, at) = (g.reshape(&x, &[count])?, g.reshape(&indices, &[count])?);
    let result = g.scatter_elements(&zeros, &at, &flat, 0)?;
    let result = g.reshape(&result, &natural)?;
    let mut after = vec![0; dims.len()];
    for (d, more) in after.iter_mut().enumerate() {
        require!(dims[d] >= natural[d], "shape {dims:?} is smaller than {natural:?}");
        *more = dims[d] - natural[d];
    }
    one(g.pad(&result, &vec![0; dims.len()], &after, PaddingMode::Constant, 0.0)?)
}
