//! The arithmetic of known values: what the graph's operations would compute, computed now.

use crate::elem::ElemType;
use crate::error::{Outcome, require};
use crate::known::{Array, Data, small_count};
use crate::tensor::broadcast;

/// The distance between neighbours along each dimension of a row-major tensor.
pub(crate) fn strides(dims: &[u32]) -> Vec<usize> {
    let mut strides = vec![0; dims.len()];
    let mut stride = 1usize;
    for (place, &size) in strides.iter_mut().zip(dims).rev() {
        *place = stride;
        stride = stride.saturating_mul(size as usize);
    }
    strides
}

/// Calls `visit` with the coordinates of every element, in row-major order.
fn each(dims: &[u32], mut visit: impl FnMut(&[u32])) {
    if dims.contains(&0) {
        return;
    }
    let mut at = vec![0; dims.len()];
    loop {
        visit(&at);
        let mut axis = dims.len();
        loop {
            if axis == 0 {
                return;
            }
            axis -= 1;
            at[axis] += 1;
            if at[axis] < dims[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
}

/// The tensor whose element at each coordinate is the source's at the flat index that `place`
/// gives.
pub(crate) fn gathered(
    source: &Array,
    dims: &[u32],
    mut place: impl FnMut(&[u32]) -> usize,
) -> Outcome<Array> {
    let mut places = Vec::with_capacity(small_count(dims)?);
    each(dims, |at| places.push(place(at)));
    Ok(source.pick(dims, places.into_iter()))
}

/// The tensor repeated along its dimensions of size 1.
pub(crate) fn expand(source: &Array, dims: &[u32]) -> Outcome<Array> {
    let from = strides(&source.dims);
    let skip = dims.len().saturating_sub(source.dims.len());
    let steps: Vec<usize> = (0..source.dims.len())
        .map(|axis| if source.dims[axis] == 1 { 0 } else { from[axis] })
        .collect();
    gathered(source, dims, |at| {
        at[skip..].iter().zip(&steps).map(|(&i, step)| i as usize * step).sum()
    })
}

pub(crate) fn transpose(source: &Array, permutation: &[usize]) -> Outcome<Array> {
    let from = strides(&source.dims);
    let dims: Vec<u32> = permutation.iter().map(|&axis| source.dims[axis]).collect();
    gathered(source, &dims, |at| {
        at.iter().zip(permutation).map(|(&i, &axis)| i as usize * from[axis]).sum()
    })
}

/// Elements from `starts`, every `steps`-th; steps may be negative.
pub(crate) fn slice(source: &Array, starts: &[i64], steps: &[i64], dims: &[u32]) -> Outcome<Array> {
    let from = strides(&source.dims);
    gathered(source, dims, |at| {
        let along = |axis: usize| starts[axis] + i64::from(at[axis]) * steps[axis];
        (0..at.len()).map(|axis| along(axis) as usize * from[axis]).sum()
    })
}

pub(crate) fn concat(parts: &[&Array], axis: usize, dims: &[u32]) -> Outcome<Array> {
    // One tensor after the other, then picked from there.
    let mut ends = Vec::new();
    let (mut base, mut along) = (0usize, 0u32);
    for part in parts {
        along += part.dims[axis];
        ends.push((along, base, strides(&part.dims)));
        base += part.data.len();
    }
    let data = if parts.iter().all(|part| matches!(part.data, Data::Ints(_))) {
        Data::Ints(parts.iter().flat_map(|part| part.to_ints()).collect())
    } else {
        Data::Floats(parts.iter().flat_map(|part| part.to_floats()).collect())
    };
    let elem = parts.first().map_or(ElemType::Float32, |part| part.elem);
    let all = Array { elem, dims: vec![base as u32], data };
    gathered(&all, dims, |at| {
        let i = ends.partition_point(|(end, ..)| *end <= at[axis]);
        let (_, base, strides) = &ends[i];
        let begin = if i == 0 { 0 } else { ends[i - 1].0 };
        let offsets = at
            .iter()
            .zip(strides)
            .enumerate()
            .map(|(d, (&x, stride))| (if d == axis { x - begin } else { x }) as usize * stride);
        base + offsets.sum::<usize>()
    })
}

/// An index counted from the front, clamped into the range.
fn index(value: i128, size: u32) -> usize {
    let size = i128::from(size);
    (if value < 0 { value + size } else { value }).clamp(0, (size - 1).max(0)) as usize
}

pub(crate) fn gather(source: &Array, indices: &Array, axis: usize, dims: &[u32]) -> Outcome<Array> {
    let (from, by) = (strides(&source.dims), strides(&indices.dims));
    let picks = indices.to_ints();
    let rank = indices.dims.len();
    gathered(source, dims, |at| {
        let k: usize = (0..rank).map(|d| at[axis + d] as usize * by[d]).sum();
        let i = index(picks.get(k).copied().unwrap_or(0), source.dims[axis]);
        let before: usize = (0..axis).map(|d| at[d] as usize * from[d]).sum();
        let after = (axis + 1..source.dims.len()).map(|d| at[d + rank - 1] as usize * from[d]);
        before + i * from[axis] + after.sum::<usize>()
    })
}

pub(crate) fn gather_elements(source: &Array, indices: &Array, axis: usize) -> Outcome<Array> {
    let (from, by) = (strides(&source.dims), strides(&indices.dims));
    let picks = indices.to_ints();
    gathered(source, &indices.dims, |at| {
        let k: usize = at.iter().zip(&by).map(|(&i, step)| i as usize * step).sum();
        let i = index(picks[k], source.dims[axis]);
        let along = |d: usize| if d == axis { i } else { at[d] as usize };
        (0..at.len()).map(|d| along(d) * from[d]).sum()
    })
}

pub(crate) fn gather_nd(source: &Array, indices: &Array, dims: &[u32]) -> Outcome<Array> {
    let (from, by) = (strides(&source.dims), strides(&indices.dims));
    let picks = indices.to_ints();
    let outer = indices.dims.len() - 1;
    let depth = indices.dims[outer] as usize;
    gathered(source, dims, |at| {
        let k: usize = (0..outer).map(|d| at[d] as usize * by[d]).sum();
        let named = (0..depth).map(|d| index(picks[k + d], source.dims[d]) * from[d]);
        let rest = (outer..at.len()).map(|d| at[d] as usize * from[depth + d - outer]);
        named.sum::<usize>() + rest.sum::<usize>()
    })
}

/// The elements of a list, replaced at flat places in order.
pub(crate) fn replaced(source: &Array, places: &[usize], updates: &Array) -> Array {
    let mut result = source.clone();
    match &mut result.data {
        Data::Ints(values) => {
            for (&place, value) in places.iter().zip(updates.to_ints()) {
                if let Some(slot) = values.get_mut(place) {
                    *slot = value;
                }
            }
        }
        Data::Floats(values) => {
            for (&place, value) in places.iter().zip(updates.to_floats()) {
                if let Some(slot) = values.get_mut(place) {
                    *slot = value;
                }
            }
        }
    }
    result
}

/// The flat places that ScatterND writes, one per element of the updates.
pub(crate) fn scatter_nd_places(source: &Array, indices: &Array) -> Outcome<Vec<usize>> {
    let from = strides(&source.dims);
    let outer = indices.dims.len() - 1;
    let depth = indices.dims[outer] as usize;
    require!(depth <= source.dims.len(), "indices name {depth} of {} axes", source.dims.len());
    let block = source.dims[depth..].iter().map(|&size| size as usize).product::<usize>();
    let mut places = Vec::new();
    for tuple in indices.to_ints().chunks(depth.max(1)) {
        let base: usize = tuple
            .iter()
            .take(depth)
            .enumerate()
            .map(|(d, &i)| index(i, source.dims[d]) * from[d])
            .sum();
        places.extend(base..base + block);
    }
    Ok(places)
}

/// The flat places that ScatterElements writes.
pub(crate) fn scatter_elements_places(source: &Array, indices: &Array, axis: usize) -> Vec<usize> {
    let from = strides(&source.dims);
    let picks = indices.to_ints();
    let mut places = Vec::with_capacity(picks.len());
    each(&indices.dims, |at| {
        let i = index(picks[places.len()], source.dims[axis]);
        let along = |d: usize| if d == axis { i } else { at[d] as usize };
        places.push((0..at.len()).map(|d| along(d) * from[d]).sum());
    });
    places
}

/// Each pair of elements of two broadcast tensors.
pub(crate) fn zip(
    elem: ElemType,
    a: &Array,
    b: &Array,
    ints: impl Fn(i128, i128) -> i128,
    floats: impl Fn(f64, f64) -> f64,
) -> Outcome<Array> {
    let dims = broadcast(&a.dims, &b.dims)?;
    let (a, b) = (expand(a, &dims)?, expand(b, &dims)?);
    Ok(match (&a.data, &b.data) {
        (Data::Ints(x), Data::Ints(y)) => {
            Array::ints(elem, &dims, x.iter().zip(y).map(|(&x, &y)| ints(x, y)).collect())
        }
        _with_floats => {
            let (x, y) = (a.to_floats(), b.to_floats());
            Array::floats(elem, &dims, x.iter().zip(&y).map(|(&x, &y)| floats(x, y)).collect())
        }
    })
}

/// Each pair of elements of two broadcast tensors, compared.
pub(crate) fn compare(
    a: &Array,
    b: &Array,
    ints: impl Fn(&i128, &i128) -> bool,
    floats: impl Fn(&f64, &f64) -> bool,
) -> Outcome<Array> {
    let dims = broadcast(&a.dims, &b.dims)?;
    let (a, b) = (expand(a, &dims)?, expand(b, &dims)?);
    let values = match (&a.data, &b.data) {
        (Data::Ints(x), Data::Ints(y)) => {
            x.iter().zip(y).map(|(x, y)| i128::from(ints(x, y))).collect()
        }
        _with_floats => {
            let (x, y) = (a.to_floats(), b.to_floats());
            x.iter().zip(&y).map(|(x, y)| i128::from(floats(x, y))).collect()
        }
    };
    Ok(Array::ints(ElemType::Bool, &dims, values))
}

pub(crate) fn map(a: &Array, ints: impl Fn(i128) -> i128, floats: impl Fn(f64) -> f64) -> Array {
    match &a.data {
        Data::Ints(values) => {
            Array::ints(a.elem, &a.dims, values.iter().map(|&value| ints(value)).collect())
        }
        Data::Floats(values) => {
            Array::floats(a.elem, &a.dims, values.iter().map(|&value| floats(value)).collect())
        }
    }
}

pub(crate) fn select(condition: &Array, a: &Array, b: &Array) -> Outcome<Array> {
    let dims = broadcast(&condition.dims, &broadcast(&a.dims, &b.dims)?)?;
    let (a, b) = (expand(a, &dims)?, expand(b, &dims)?);
    let chosen = expand(condition, &dims)?.to_ints();
    let both = match (&a.data, &b.data) {
        (Data::Ints(x), Data::Ints(y)) => Data::Ints([&x[..], y].concat()),
        _with_floats => Data::Floats([a.to_floats(), b.to_floats()].concat()),
    };
    let all = Array { elem: a.elem, dims: vec![0], data: both };
    let places = chosen.iter().enumerate();
    let half = chosen.len();
    Ok(all.pick(&dims, places.map(|(i, &first)| if first != 0 { i } else { half + i })))
}

/// Folds the given axes, which stay with size 1.
pub(crate) fn reduce(
    source: &Array,
    axes: &[usize],
    ints: impl Fn(&[i128]) -> i128,
    floats: impl Fn(&[f64]) -> f64,
) -> Outcome<Array> {
    let mut dims = source.dims.clone();
    axes.iter().for_each(|&axis| dims[axis] = 1);
    let inner: Vec<u32> =
        (0..dims.len()).map(|d| if axes.contains(&d) { source.dims[d] } else { 1 }).collect();
    let from = strides(&source.dims);
    let flat = |at: &[u32]| at.iter().zip(&from).map(|(&i, step)| i as usize * step).sum::<usize>();
    let mut offsets = Vec::new();
    each(&inner, |at| offsets.push(flat(at)));
    let mut bases = Vec::with_capacity(small_count(&dims)?);
    each(&dims, |at| bases.push(flat(at)));
    Ok(match &source.data {
        Data::Ints(values) => {
            let group = |base: &usize| offsets.iter().map(|o| values[base + o]).collect::<Vec<_>>();
            Array::ints(source.elem, &dims, bases.iter().map(|b| ints(&group(b))).collect())
        }
        Data::Floats(values) => {
            let group = |base: &usize| offsets.iter().map(|o| values[base + o]).collect::<Vec<_>>();
            Array::floats(source.elem, &dims, bases.iter().map(|b| floats(&group(b))).collect())
        }
    })
}

/// Integer power as the graph's: a negative exponent gives the truncated quotient.
pub(crate) fn int_pow(base: i128, exponent: i128) -> i128 {
    match (base, exponent) {
        (1, _) | (_, 0) => 1,
        (-1, e) => {
            if e % 2 == 0 {
                1
            } else {
                -1
            }
        }
        (_, e) if e < 0 => 0,
        (base, e) => (0..e.min(64)).fold(1i128, |product, _| product.wrapping_mul(base)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(dims: &[u32], values: &[i128]) -> Array {
        Array::ints(ElemType::Int64, dims, values.to_vec())
    }

    #[test]
    fn movements_pick_the_right_elements() {
        let m = list(&[2, 3], &[0, 1, 2, 3, 4, 5]);
        for (name, result, dims, values) in [
            ("transpose", transpose(&m, &[1, 0]), &[3, 2][..], &[0, 3, 1, 4, 2, 5][..]),
            ("slice", slice(&m, &[1, 2], &[-1, -2], &[2, 2]), &[2, 2], &[5, 3, 2, 0]),
            ("expand", expand(&list(&[2, 1], &[7, 8]), &[1, 2, 2]), &[1, 2, 2], &[7, 7, 8, 8]),
            (
                "concat",
                concat(&[&m, &list(&[2, 1], &[8, 9])], 1, &[2, 4]),
                &[2, 4],
                &[0, 1, 2, 8, 3, 4, 5, 9],
            ),
            ("gather", gather(&m, &list(&[2], &[-1, 0]), 1, &[2, 2]), &[2, 2], &[2, 0, 5, 3]),
            ("gather_nd", gather_nd(&m, &list(&[1, 2], &[1, 1]), &[1]), &[1], &[4]),
            (
                "gather_elements",
                gather_elements(&m, &list(&[1, 3], &[1, 0, 1]), 0),
                &[1, 3],
                &[3, 1, 5],
            ),
            ("sum", reduce(&m, &[0], |v| v.iter().sum(), |_| 0.0), &[1, 3], &[3, 5, 7]),
            (
                "sum of nothing",
                reduce(&list(&[0, 2], &[]), &[0], |v| v.iter().sum(), |_| 0.0),
                &[1, 2],
                &[0, 0],
            ),
        ] {
            let result = result.unwrap();
            assert_eq!((&result.dims[..], &result.to_ints()[..]), (dims, values), "{name}");
        }
    }

    #[test]
    fn integer_powers_truncate() {
        for (base, exponent, power) in [(2, 10, 1024), (-1, 3, -1), (5, -1, 0), (0, 0, 1)] {
            assert_eq!(int_pow(base, exponent), power);
        }
    }
}
