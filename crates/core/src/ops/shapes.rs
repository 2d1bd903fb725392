//! Shape rules that several operators share.

use crate::error::{Result, bail, ensure};
use crate::types::{MAX_DIMENSION, Shape};

/// The specification's bidirectional broadcast of two shapes.
pub fn broadcast(a: &Shape, b: &Shape) -> Result<Shape> {
    let rank = a.rank().max(b.rank());
    let size = |shape: &Shape, axis: usize| {
        (axis + shape.rank()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (x, y) if x == y || y == 1 => Ok(x),
            (1, y) => Ok(y),
            _ => bail!("shapes {a} and {b} cannot be broadcast"),
        })
        .collect()
}

/// Fails unless `from` can be broadcast to `to` without changing `to`.
pub fn ensure_broadcastable(name: &str, from: &Shape, to: &Shape) -> Result<()> {
    ensure!(
        from.rank() <= to.rank() && broadcast(from, to).is_ok_and(|shape| shape == *to),
        "{name} has shape {from}, which cannot be broadcast to {to}"
    );
    Ok(())
}

/// Fails unless the axis is one of the rank's.
pub fn ensure_axis(axis: u32, rank: usize) -> Result<usize> {
    ensure!((axis as usize) < rank, "axis {axis} is out of range for rank {rank}");
    Ok(axis as usize)
}

/// Fails unless every axis is one of the rank's and none comes twice.
pub fn ensure_axes(axes: &[u32], rank: usize) -> Result<()> {
    let mut seen = [false; crate::types::MAX_RANK];
    for &axis in axes {
        let axis = ensure_axis(axis, rank)?;
        ensure!(!seen[axis], "axis {axis} is given twice");
        seen[axis] = true;
    }
    Ok(())
}

/// Fails unless the operand has exactly the expected shape.
pub fn ensure_shape(name: &str, shape: &Shape, expected: &[u32]) -> Result<()> {
    ensure!(shape[..] == *expected, "{name} has shape {shape}, expected {expected:?}");
    Ok(())
}

/// Fails unless a list of options has as many items as the operand has dimensions.
pub fn ensure_length(name: &str, items: usize, rank: usize) -> Result<()> {
    ensure!(items == rank, "{name} has {items} items, expected {rank} as input has dimensions");
    Ok(())
}

/// A computed size as a dimension.
pub fn to_dimension(name: &str, size: u64) -> Result<u32> {
    match u32::try_from(size) {
        Ok(size) if (1..=MAX_DIMENSION).contains(&size) => Ok(size),
        _too_large => bail!("{name} would be {size}, expected 1 to {MAX_DIMENSION}"),
    }
}

/// How a window moves over one spatial dimension.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The input's size.
    pub input: u32,
    /// The window's size before dilation.
    pub window: u32,
    /// The padding before and after.
    pub padding: (u32, u32),
    /// The distance between windows.
    pub stride: u32,
    /// The distance between taps.
    pub dilation: u32,
}

impl Window {
    /// How far the input, padded, reaches beyond one window; `None` where no window fits.
    pub fn slack(&self) -> Option<u64> {
        let reach = u64::from(self.window - 1) * u64::from(self.dilation) + 1;
        let padded = u64::from(self.input) + u64::from(self.padding.0) + u64::from(self.padding.1);
        padded.checked_sub(reach)
    }

    /// The number of whole windows.
    pub fn floor(&self) -> Option<u64> {
        Some(self.slack()? / u64::from(self.stride) + 1)
    }

    /// The number of windows, the last one perhaps not whole.
    pub fn ceil(&self) -> Option<u64> {
        Some(self.slack()?.div_ceil(u64::from(self.stride)) + 1)
    }

    /// What the window at an output position reads, padding left out.
    pub fn reads(&self, output: usize) -> impl Iterator<Item = usize> + Clone + use<> {
        self.taps(output).map(|(_, at)| at)
    }

    /// The taps of the window at an output position that fall on the input, each with where.
    ///
    /// Those in the padding are never visited: a window may be far greater than its input.
    pub fn taps(&self, output: usize) -> impl Iterator<Item = (usize, usize)> + Clone + use<> {
        let dilation = i128::from(self.dilation);
        let start = output as i128 * i128::from(self.stride) - i128::from(self.padding.0);
        // Both quotients round up: the first tap at 0 or later, and the first one beyond the end.
        let first = (dilation - 1 - start).max(0) / dilation;
        let end = (i128::from(self.input) - start + dilation - 1).max(0) / dilation;
        let taps = first..end.min(self.window.into());
        taps.map(move |tap| (tap as usize, (start + tap * dilation) as usize))
    }

    /// Where a tap of the window at an output position falls; `None` in the padding.
    pub fn source(&self, output: usize, tap: usize) -> Option<usize> {
        let moved =
            output as i128 * i128::from(self.stride) + tap as i128 * i128::from(self.dilation);
        let at = usize::try_from(moved - i128::from(self.padding.0)).ok()?;
        (at < self.input as usize).then_some(at)
    }

    /// The number of whole windows as the name's dimension.
    pub fn output(&self, name: &str) -> Result<u32> {
        match self.floor() {
            Some(size) => to_dimension(name, size),
            None => bail!(
                "{name}: a window of {} with dilation {} does not fit into {} padded by {} and {}",
                self.window,
                self.dilation,
                self.input,
                self.padding.0,
                self.padding.1
            ),
        }
    }
}

/// Fails unless every number of the list is above zero.
pub fn ensure_positive(name: &str, items: &[u32]) -> Result<()> {
    ensure!(items.iter().all(|&item| item > 0), "{name} are {items:?}, expected none to be 0");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(sizes: &[u32]) -> Shape {
        Shape::new(sizes).unwrap()
    }

    #[test]
    fn shapes_are_broadcast_from_the_right() {
        for (a, b, expected) in [
            (&[2, 3][..], &[3][..], Some(&[2, 3][..])),
            (&[], &[4], Some(&[4])),
            (&[2, 1], &[1, 5], Some(&[2, 5])),
            (&[2], &[3], None),
            (&[1, 1, 1], &[7], Some(&[1, 1, 7])),
        ] {
            let result = broadcast(&shape(a), &shape(b)).ok();
            assert_eq!(result, expected.map(shape), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn windows_are_counted() {
        let window = Window { input: 7, window: 3, padding: (1, 0), stride: 2, dilation: 1 };
        assert_eq!((window.floor(), window.ceil()), (Some(3), Some(4)));
        assert_eq!(window.reads(0).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(window.taps(0).collect::<Vec<_>>(), [(1, 0), (2, 1)]);
        assert_eq!(window.reads(3).collect::<Vec<_>>(), [5, 6]);
        let huge = Window { window: u32::MAX, padding: (u32::MAX, 0), dilation: 3, ..window };
        assert_eq!(huge.reads(0).collect::<Vec<_>>(), [0, 3, 6]);
        let too_wide = Window { dilation: 4, ..window };
        assert_eq!(too_wide.floor(), None);
        assert!(too_wide.output("height").is_err());
    }
}
