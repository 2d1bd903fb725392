//! Numbers between files and tensors.

use anyhow::{Result, ensure};
use webnn::core::reference::{Data, Tensor};
use webnn::{DataType, Desc};

/// The elements of a tensor, wide enough for every data type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    Floats(Vec<f64>),
    Integers(Vec<i128>),
}

impl Numbers {
    pub(crate) fn len(&self) -> usize {
        match self {
            Numbers::Floats(items) => items.len(),
            Numbers::Integers(items) => items.len(),
        }
    }

    /// As doubles.
    pub(crate) fn to_floats(&self) -> Vec<f64> {
        match self {
            Numbers::Floats(items) => items.clone(),
            Numbers::Integers(items) => items.iter().map(|&item| item as f64).collect(),
        }
    }

    /// The numbers as little-endian elements of a data type; fails where one does not fit in it.
    pub(crate) fn to_bytes(&self, desc: Desc) -> Result<Vec<u8>> {
        let of = desc.data_type;
        ensure!(
            self.len() == desc.elements(),
            "{} elements, expected {} for {desc}",
            self.len(),
            desc.elements()
        );
        let Some((least, greatest)) = of.integer_range() else {
            return Ok(Tensor::float(desc, self.to_floats()).rounded().to_bytes());
        };
        let integers: Vec<i128> = match self {
            Numbers::Integers(items) => items.clone(),
            Numbers::Floats(items) => {
                let integer = |&item: &f64| {
                    ensure!(item.fract() == 0.0, "{item} is not an integer, as {of} asks for");
                    Ok(item as i128)
                };
                items.iter().map(integer).collect::<Result<_>>()?
            }
        };
        for item in &integers {
            ensure!((least..=greatest).contains(item), "{item} is out of the range of {of}");
        }
        Ok(Tensor::int(desc, integers).to_bytes())
    }

    /// A tensor's elements.
    pub(crate) fn from_bytes(desc: Desc, bytes: &[u8]) -> Result<Numbers> {
        Ok(match Tensor::from_bytes(desc, bytes)?.data {
            Data::Float(items) => Numbers::Floats(items),
            Data::Int(items) => Numbers::Integers(items),
        })
    }

    /// An element in as many digits as its type needs.
    pub(crate) fn text(&self, i: usize, of: DataType) -> String {
        match self {
            Numbers::Floats(items) if of == DataType::Float16 => {
                half::f16::from_f64(items[i]).to_string()
            }
            Numbers::Floats(items) => (items[i] as f32).to_string(),
            Numbers::Integers(items) => items[i].to_string(),
        }
    }
}

/// How far two tensors are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Difference {
    /// The greatest difference of two elements.
    pub(crate) absolute: f64,
    /// The root of the summed squares of differences over that of what is expected.
    pub(crate) relative: f64,
    /// The element with the greatest difference.
    pub(crate) at: usize,
}

impl Difference {
    pub(crate) fn of(actual: &Numbers, expected: &Numbers) -> Difference {
        let mut difference = Difference { absolute: 0.0, relative: 0.0, at: 0 };
        let (mut squares, mut norm) = (0.0, 0.0);
        for (i, (a, e)) in actual.to_floats().into_iter().zip(expected.to_floats()).enumerate() {
            let distance = if a == e || (a.is_nan() && e.is_nan()) { 0.0 } else { (a - e).abs() };
            if distance > difference.absolute || distance.is_nan() {
                difference.absolute = distance;
                difference.at = i;
            }
            squares += distance * distance;
            norm += if e.is_finite() { e * e } else { 0.0 };
        }
        difference.relative = if squares == 0.0 { 0.0 } else { (squares / norm).sqrt() };
        difference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_must_fit_in_the_data_type() {
        let desc = |of| Desc::checked(of, &[2]).unwrap();
        let floats = Numbers::Floats(vec![1.0, -2.0]);
        assert_eq!(floats.to_bytes(desc(DataType::Int8)).unwrap(), [1, 254]);
        assert!(floats.to_bytes(desc(DataType::Uint8)).is_err());
        assert!(Numbers::Floats(vec![0.5, 0.0]).to_bytes(desc(DataType::Int32)).is_err());
        assert!(Numbers::Integers(vec![1]).to_bytes(desc(DataType::Int32)).is_err());
        let integers = Numbers::Integers(vec![1, 2]);
        let halves = integers.to_bytes(desc(DataType::Float16)).unwrap();
        assert_eq!(halves, [0x00, 0x3c, 0x00, 0x40]);
    }

    #[test]
    fn differences_name_the_worst_element() {
        let expected = Numbers::Floats(vec![3.0, 4.0, f64::NAN]);
        let same = Difference::of(&expected, &expected);
        assert_eq!((same.absolute, same.relative), (0.0, 0.0));
        let off = Difference::of(&Numbers::Floats(vec![3.0, 4.5, f64::NAN]), &expected);
        assert_eq!((off.absolute, off.relative, off.at), (0.5, 0.1, 1));
        assert!(Difference::of(&Numbers::Floats(vec![0.0; 3]), &expected).absolute.is_nan());
    }
}
