//! Operations that move elements without computing with them.

use webnn_core::ops;
use webnn_core::ops::pad::PaddingMode;
use webnn_core::ops::split::Splits;

use super::{Emit, same_elem};
use crate::elem::ElemType;
use crate::error::{Outcome, fault, require};
use crate::host;
use crate::known::{Array, count};
use crate::tensor::{Tensor, broadcast};

impl Emit<'_> {
    pub(crate) fn reshape(&mut self, x: &Tensor, dims: &[u32]) -> Outcome<Tensor> {
        require!(
            count(dims)? == count(x.dims())?,
            "shape {:?} cannot be read as {dims:?}",
            x.dims()
        );
        if x.dims() == dims {
            return Ok(x.clone());
        }
        if x.is_empty() {
            return Ok(Array::empty(x.elem(), dims).into());
        }
        // A known value keeps its bytes, however many.
        if let Some(known) = x.known() {
            return Ok(match known.bytes() {
                Some(bytes) => {
                    crate::known::Known::from_bytes(x.elem(), dims, bytes.clone())?.into()
                }
                None => known.array()?.reshaped(dims).into(),
            });
        }
        self.push_one(ops::Reshape::new(dims.to_vec()), &[x], x.elem())
    }

    pub(crate) fn transpose(&mut self, x: &Tensor, permutation: &[usize]) -> Outcome<Tensor> {
        let mut sorted = permutation.to_vec();
        sorted.sort_unstable();
        require!(
            sorted.iter().copied().eq(0..x.rank()),
            "{permutation:?} is no permutation of {} axes",
            x.rank()
        );
        if permutation.iter().copied().eq(0..x.rank()) {
            return Ok(x.clone());
        }
        if let Some(array) = x.array() {
            return Ok(host::transpose(&array, permutation)?.into());
        }
        let op = ops::Transpose {
            permutation: Some(permutation.iter().map(|&axis| axis as u32).collect()),
        };
        self.push_one(op, &[x], x.elem())
    }

    /// Swaps two axes.
    pub(crate) fn swap(&mut self, x: &Tensor, a: usize, b: usize) -> Outcome<Tensor> {
        let mut permutation: Vec<usize> = (0..x.rank()).collect();
        permutation.swap(a, b);
        self.transpose(x, &permutation)
    }

    pub(crate) fn expand(&mut self, x: &Tensor, dims: &[u32]) -> Outcome<Tensor> {
        if x.dims() == dims {
            return Ok(x.clone());
        }
        require!(
            broadcast(x.dims(), dims)? == dims,
            "shape {:?} does not expand to {dims:?}",
            x.dims()
        );
        if dims.contains(&0) {
            return Ok(Array::empty(x.elem(), dims).into());
        }
        if count(dims)? <= crate::known::MAX_KNOWN >> 4
            && let Some(array) = x.array()
        {
            return Ok(host::expand(&array, dims)?.into());
        }
        self.push_one(ops::Expand::new(dims.to_vec()), &[x], x.elem())
    }

    pub(crate) fn tile(&mut self, x: &Tensor, repeats: &[u32]) -> Outcome<Tensor> {
        require!(repeats.len() == x.rank(), "{} repeats for rank {}", repeats.len(), x.rank());
        if repeats.iter().all(|&n| n == 1) {
            return Ok(x.clone());
        }
        let mut dims = Vec::new();
        for (&size, &n) in x.dims().iter().zip(repeats) {
            match size.checked_mul(n) {
                Some(size) => dims.push(size),
                None => fault!(Limit, "{size} repeated {n} times"),
            }
        }
        if dims.contains(&0) {
            return Ok(Array::empty(x.elem(), &dims).into());
        }
        if count(&dims)? <= crate::known::MAX_KNOWN >> 4
            && let Some(array) = x.array()
        {
            let from = host::strides(x.dims());
            let place = |at: &[u32]| {
                at.iter()
                    .zip(x.dims())
                    .zip(&from)
                    .map(|((i, n), step)| (i % n) as usize * step)
                    .sum()
            };
            return Ok(host::gathered(&array, &dims, place)?.into());
        }
        self.push_one(ops::Tile::new(repeats.to_vec()), &[x], x.elem())
    }

    pub(crate) fn concat(&mut self, parts: &[Tensor], axis: usize) -> Outcome<Tensor> {
        let Some(first) = parts.first() else { fault!(Invalid, "there is nothing to concatenate") };
        require!(axis < first.rank(), "axis {axis} is out of range for rank {}", first.rank());
        let mut dims = first.dims().to_vec();
        let mut along = 0u32;
        for part in parts {
            same_elem(first, part)?;
            let fits = part.rank() == dims.len()
                && (0..dims.len()).all(|d| d == axis || part.dims()[d] == dims[d]);
            require!(fits, "{:?} does not continue {:?} along axis {axis}", part.dims(), dims);
            along = match along.checked_add(part.dims()[axis]) {
                Some(along) => along,
                None => fault!(Limit, "the concatenation is too long"),
            };
        }
        dims[axis] = along;
        if dims.contains(&0) {
            return Ok(Array::empty(first.elem(), &dims).into());
        }
        let full: Vec<&Tensor> = parts.iter().filter(|part| !part.is_empty()).collect();
        if let [one] = full[..] {
            return Ok(one.clone());
        }
        let arrays: Option<Vec<_>> = full.iter().map(|part| part.array()).collect();
        if let Some(arrays) = arrays.filter(|_| count(&dims).is_ok_and(|n| n <= 1 << 20)) {
            let arrays: Vec<&Array> = arrays.iter().map(|array| &**array).collect();
            return Ok(host::concat(&arrays, axis, &dims)?.into());
        }
        self.push_one(ops::Concat::new(axis as u32), &full, first.elem())
    }

    /// `counts` elements from `starts`, every `steps`-th; a negative step walks backwards.
    pub(crate) fn slice(
        &mut self,
        x: &Tensor,
        starts: &[i64],
        steps: &[i64],
        counts: &[u32],
    ) -> Outcome<Tensor> {
        for axis in 0..x.rank() {
            let (start, step, count) = (starts[axis], steps[axis], i64::from(counts[axis]));
            let last = step.checked_mul((count - 1).max(0)).and_then(|way| way.checked_add(start));
            let size = i64::from(x.dims()[axis]);
            let inside = |place: i64| (0..size).contains(&place);
            require!(
                count == 0 || (inside(start) && last.is_some_and(inside)),
                "a slice of {count} elements from {start} by {step} leaves axis {axis} of {:?}",
                x.dims()
            );
        }
        if counts.contains(&0) {
            return Ok(Array::empty(x.elem(), counts).into());
        }
        if counts == x.dims() && steps.iter().zip(counts).all(|(&s, &n)| s == 1 || n == 1) {
            return Ok(x.clone());
        }
        if let Some(array) = x.array() {
            return Ok(host::slice(&array, starts, steps, counts)?.into());
        }
        // The window that is walked over, from its low end.
        let way = |axis: usize| steps[axis].abs() * (i64::from(counts[axis]) - 1);
        let low = |axis: usize| starts[axis] - if steps[axis] < 0 { way(axis) } else { 0 };
        let axes = 0..x.rank();
        let backwards: Vec<usize> =
            axes.clone().filter(|&a| steps[a] < 0 && counts[a] > 1).collect();
        let window = if (0..x.rank()).all(|a| counts[a] == x.dims()[a]) {
            x.clone()
        } else {
            let op = ops::Slice {
                strides: Some(
                    axes.clone()
                        .map(|a| if counts[a] > 1 { steps[a].unsigned_abs() as u32 } else { 1 })
                        .collect(),
                ),
                ..ops::Slice::new(
                    axes.clone().map(|a| low(a) as u32).collect(),
                    axes.map(|a| way(a) as u32 + 1).collect(),
                )
            };
            self.push_one(op, &[x], x.elem())?
        };
        self.reverse(&window, &backwards)
    }

    /// `count` neighbours along one axis.
    pub(crate) fn narrow(
        &mut self,
        x: &Tensor,
        axis: usize,
        start: u32,
        count: u32,
    ) -> Outcome<Tensor> {
        let mut starts = vec![0; x.rank()];
        let mut counts = x.dims().to_vec();
        require!(axis < x.rank(), "axis {axis} is out of range for rank {}", x.rank());
        starts[axis] = i64::from(start);
        counts[axis] = count;
        self.slice(x, &starts, &vec![1; x.rank()], &counts)
    }

    /// Parts of the given sizes along an axis.
    pub(crate) fn split(&mut self, x: &Tensor, axis: usize, sizes: &[u32]) -> Outcome<Vec<Tensor>> {
        require!(axis < x.rank(), "axis {axis} is out of range for rank {}", x.rank());
        let total: u64 = sizes.iter().map(|&size| u64::from(size)).sum();
        require!(
            total == u64::from(x.dims()[axis]),
            "parts of {sizes:?} do not make up the {} of axis {axis}",
            x.dims()[axis]
        );
        if sizes.len() == 1 {
            return Ok(vec![x.clone()]);
        }
        if x.is_empty() || sizes.contains(&0) || x.array().is_some() {
            let mut start = 0;
            let mut parts = Vec::new();
            for &size in sizes {
                parts.push(self.narrow(x, axis, start, size)?);
                start += size;
            }
            return Ok(parts);
        }
        let op = ops::Split { axis: axis as u32, ..ops::Split::new(Splits::Sizes(sizes.to_vec())) };
        self.push(op, &[Some(x)], x.elem())
    }

    pub(crate) fn reverse(&mut self, x: &Tensor, axes: &[usize]) -> Outcome<Tensor> {
        if axes.is_empty() || x.is_empty() {
            return Ok(x.clone());
        }
        if x.array().is_some() {
            let back = |axis: usize| axes.contains(&axis);
            let starts: Vec<i64> = (0..x.rank())
                .map(|a| if back(a) { i64::from(x.dims()[a]) - 1 } else { 0 })
                .collect();
            let steps: Vec<i64> = (0..x.rank()).map(|a| if back(a) { -1 } else { 1 }).collect();
            return self.slice(x, &starts, &steps, x.dims());
        }
        let op = ops::Reverse { axes: Some(axes.iter().map(|&axis| axis as u32).collect()) };
        self.push_one(op, &[x], x.elem())
    }

    /// Pads with a value; paddings are not negative.
    pub(crate) fn pad(
        &mut self,
        x: &Tensor,
        before: &[u32],
        after: &[u32],
        mode: PaddingMode,
        value: f64,
    ) -> Outcome<Tensor> {
        if before.iter().chain(after).all(|&size| size == 0) {
            return Ok(x.clone());
        }
        if x.is_empty() {
            let dims: Vec<u32> =
                (0..x.rank()).map(|a| x.dims()[a].saturating_add(before[a] + after[a])).collect();
            require!(
                mode == PaddingMode::Constant || dims.contains(&0),
                "there is nothing to pad {:?} with",
                x.dims()
            );
            return self.filled(x.elem(), &dims, value);
        }
        if mode == PaddingMode::Constant
            && let Some(array) = x.array()
        {
            let dims: Vec<u32> =
                (0..x.rank()).map(|a| x.dims()[a].saturating_add(before[a] + after[a])).collect();
            let from = host::strides(x.dims());
            let outside = array.data.len();
            let fill = Array::filled(x.elem(), &[1], value)?;
            let all = host::concat(
                &[&array.reshaped(&[outside as u32]), &fill],
                0,
                &[outside as u32 + 1],
            )?;
            let place = |at: &[u32]| {
                let mut flat = 0;
                for a in 0..at.len() {
                    match at[a].checked_sub(before[a]) {
                        Some(i) if i < x.dims()[a] => flat += i as usize * from[a],
                        _padding => return outside,
                    }
                }
                flat
            };
            return Ok(host::gathered(&all, &dims, place)?.into());
        }
        let op = ops::Pad {
            mode,
            value: value.into(),
            ..ops::Pad::new(before.to_vec(), after.to_vec())
        };
        self.push_one(op, &[x], x.elem())
    }

    /// Indices in a type that gathers and scatters take.
    fn indices(&mut self, indices: &Tensor) -> Outcome<Tensor> {
        let taken =
            [ElemType::Int32, ElemType::Int64, ElemType::Uint32, ElemType::Uint16, ElemType::Int16];
        if taken.contains(&indices.elem()) {
            return Ok(indices.clone());
        }
        self.cast(indices, ElemType::Int64)
    }

    pub(crate) fn gather(&mut self, x: &Tensor, indices: &Tensor, axis: usize) -> Outcome<Tensor> {
        require!(axis < x.rank(), "axis {axis} is out of range for rank {}", x.rank());
        let dims = [&x.dims()[..axis], indices.dims(), &x.dims()[axis + 1..]].concat();
        if dims.contains(&0) {
            return Ok(Array::empty(x.elem(), &dims).into());
        }
        if let (Some(a), Some(i)) = (x.array(), indices.array())
            && count(&dims)? <= crate::known::MAX_KNOWN >> 4
        {
            return Ok(host::gather(&a, &i, axis, &dims)?.into());
        }
        let indices = self.indices(indices)?;
        let op = ops::Gather { axis: axis as u32 };
        self.push_one(op, &[x, &indices], x.elem())
    }

    pub(crate) fn gather_elements(
        &mut self,
        x: &Tensor,
        indices: &Tensor,
        axis: usize,
    ) -> Outcome<Tensor> {
        let fits = x.rank() == indices.rank()
            && axis < x.rank()
            && (0..x.rank()).all(|d| d == axis || indices.dims()[d] <= x.dims()[d]);
        require!(fits, "indices {:?} do not fit {:?}", indices.dims(), x.dims());
        if indices.is_empty() {
            return Ok(Array::empty(x.elem(), indices.dims()).into());
        }
        if let (Some(a), Some(i)) = (x.array(), indices.array()) {
            return Ok(host::gather_elements(&a, &i, axis)?.into());
        }
        // WebNN wants equal sizes off the axis: what lies outside is never read.
        let mut counts = indices.dims().to_vec();
        counts[axis] = x.dims()[axis];
        let x = self.slice(x, &vec![0; x.rank()], &vec![1; x.rank()], &counts)?;
        let indices = self.indices(indices)?;
        let op = ops::GatherElements { axis: axis as u32 };
        self.push_one(op, &[&x, &indices], x.elem())
    }

    pub(crate) fn gather_nd(&mut self, x: &Tensor, indices: &Tensor) -> Outcome<Tensor> {
        let Some((&depth, outer)) = indices.dims().split_last() else {
            fault!(Invalid, "the indices are a scalar, expected at least one dimension")
        };
        require!(depth as usize <= x.rank(), "indices name {depth} axes of {:?}", x.dims());
        let dims = [outer, &x.dims()[depth as usize..]].concat();
        if dims.contains(&0) {
            return Ok(Array::empty(x.elem(), &dims).into());
        }
        if let (Some(a), Some(i)) = (x.array(), indices.array()) {
            return Ok(host::gather_nd(&a, &i, &dims)?.into());
        }
        let indices = self.indices(indices)?;
        self.push_one(ops::GatherNd {}, &[x, &indices], x.elem())
    }

    pub(crate) fn scatter_elements(
        &mut self,
        x: &Tensor,
        indices: &Tensor,
        updates: &Tensor,
        axis: usize,
    ) -> Outcome<Tensor> {
        if indices.is_empty() {
            return Ok(x.clone());
        }
        let fits = indices.dims() == updates.dims()
            && x.rank() == indices.rank()
            && axis < x.rank()
            && (0..x.rank()).all(|d| d == axis || indices.dims()[d] <= x.dims()[d]);
        require!(
            fits,
            "indices {:?} and updates {:?} do not fit {:?}",
            indices.dims(),
            updates.dims(),
            x.dims()
        );
        if let (Some(a), Some(i), Some(u)) = (x.array(), indices.array(), updates.array()) {
            let places = host::scatter_elements_places(&a, &i, axis);
            return Ok(host::replaced(&a, &places, &u).into());
        }
        let indices = self.indices(indices)?;
        let mut whole = indices.dims().to_vec();
        whole[axis] = x.dims()[axis];
        if whole == x.dims() {
            let op = ops::ScatterElements { axis: axis as u32 };
            return self.push_one(op, &[x, &indices, updates], x.elem());
        }
        // WebNN wants equal sizes off the axis: a corner is cut out, changed and put back.
        let (zeros, ones) = (vec![0; x.rank()], vec![1; x.rank()]);
        let corner = self.slice(x, &zeros, &ones, &whole)?;
        let op = ops::ScatterElements { axis: axis as u32 };
        let mut result = self.push_one(op, &[&corner, &indices, updates], x.elem())?;
        for d in 0..x.rank() {
            let rest = x.dims()[d] - whole[d];
            if rest > 0 {
                let mut starts = vec![0; x.rank()];
                starts[d] = i64::from(whole[d]);
                let mut counts = whole.clone();
                counts[d] = rest;
                let tail = self.slice(x, &starts, &ones, &counts)?;
                result = self.concat(&[result, tail], d)?;
                whole[d] = x.dims()[d];
            }
        }
        Ok(result)
    }

    pub(crate) fn scatter_nd(
        &mut self,
        x: &Tensor,
        indices: &Tensor,
        updates: &Tensor,
    ) -> Outcome<Tensor> {
        if indices.is_empty() || updates.is_empty() || x.is_empty() {
            return Ok(x.clone());
        }
        require!(indices.rank() > 0, "the indices are a scalar, expected at least one dimension");
        if let (Some(a), Some(i), Some(u)) = (x.array(), indices.array(), updates.array()) {
            let places = host::scatter_nd_places(&a, &i)?;
            require!(
                places.len() == u.data.len(),
                "{} updates for {} places",
                u.data.len(),
                places.len()
            );
            return Ok(host::replaced(&a, &places, &u).into());
        }
        let indices = self.indices(indices)?;
        self.push_one(ops::ScatterNd {}, &[x, &indices, updates], x.elem())
    }

    /// Keeps one side of the diagonal of each matrix, zeros elsewhere.
    pub(crate) fn triangular(&mut self, x: &Tensor, upper: bool, diagonal: i32) -> Outcome<Tensor> {
        require!(x.rank() >= 2, "shape {:?} has no matrices", x.dims());
        if x.is_empty() {
            return Ok(x.clone());
        }
        if let Some(array) = x.array() {
            let (rows, columns) = (x.dim(x.rank() - 2) as usize, x.dim(x.rank() - 1) as usize);
            let mask = |i: usize| {
                let across = (i % columns) as i64 - ((i / columns) % rows) as i64;
                let kept = if upper {
                    across >= i64::from(diagonal)
                } else {
                    across <= i64::from(diagonal)
                };
                if kept { i } else { usize::MAX }
            };
            return Ok(array.pick(x.dims(), (0..array.data.len()).map(mask)).into());
        }
        let op = ops::Triangular { upper, diagonal };
        self.push_one(op, &[x], x.elem())
    }
}
