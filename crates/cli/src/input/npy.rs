//! NumPy's files: a header in Python's notation, then the elements.

use anyhow::{Context as _, Result, bail, ensure};
use half::f16;
use webnn::{DataType, Desc};

use crate::values::Numbers;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Shape and elements of a file.
pub(crate) fn read(bytes: &[u8]) -> Result<(Vec<u32>, Numbers)> {
    let rest = bytes.strip_prefix(MAGIC).context("not a NumPy file")?;
    let (&[major, _minor], rest) = rest.split_first_chunk().context("the header is cut off")?;
    let (length, rest) = match major {
        1 => {
            let (&length, rest) = rest.split_first_chunk().context("the header is cut off")?;
            (usize::from(u16::from_le_bytes(length)), rest)
        }
        2 | 3 => {
            let (&length, rest) = rest.split_first_chunk().context("the header is cut off")?;
            (u32::from_le_bytes(length) as usize, rest)
        }
        other => bail!("version {other} of the format is not known"),
    };
    let (header, data) = rest.split_at_checked(length).context("the header is cut off")?;
    let header = std::str::from_utf8(header).context("the header is not text")?;
    ensure!(
        value_of(header, "fortran_order")?.starts_with("False"),
        "the elements are column-major, expected row-major"
    );
    let shape = shape(value_of(header, "shape")?)?;
    let numbers = elements(value_of(header, "descr")?, data)?;
    let expected = shape.iter().try_fold(1usize, |count, &size| count.checked_mul(size as usize));
    ensure!(
        Some(numbers.len()) == expected,
        "{} elements, expected those of shape {shape:?}",
        numbers.len()
    );
    Ok((shape, numbers))
}

/// What follows a key of the header's dictionary.
fn value_of<'a>(header: &'a str, key: &str) -> Result<&'a str> {
    let quoted = [format!("'{key}':"), format!("\"{key}\":")];
    let start = quoted.iter().find_map(|key| Some(header.find(key)? + key.len()));
    Ok(header[start.with_context(|| format!("the header has no {key}"))?..].trim_start())
}

fn shape(text: &str) -> Result<Vec<u32>> {
    let inner = text.strip_prefix('(').and_then(|text| text.split_once(')'));
    let (inner, _) = inner.context("the shape is not a tuple")?;
    let sizes = inner.split(',').map(str::trim).filter(|size| !size.is_empty());
    sizes.map(|size| size.parse().with_context(|| format!("{size:?} is not a size"))).collect()
}

fn elements(descr: &str, data: &[u8]) -> Result<Numbers> {
    let mut chars = descr.chars();
    let quote = chars.next().filter(|quote| matches!(quote, '\'' | '"'));
    let name = quote.and_then(|quote| chars.as_str().split_once(quote));
    let (name, _) = name.context("the elements are records, expected numbers")?;
    let is_big = name.starts_with('>');
    let kind = name.trim_start_matches(['<', '>', '=', '|']);

    fn each<const N: usize, T>(
        data: &[u8],
        is_big: bool,
        element: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>> {
        let (chunks, rest) = data.as_chunks::<N>();
        ensure!(rest.is_empty(), "the file ends within an element");
        let ordered = |mut chunk: [u8; N]| {
            if is_big {
                chunk.reverse();
            }
            chunk
        };
        Ok(chunks.iter().map(|&chunk| element(ordered(chunk))).collect())
    }
    Ok(match kind {
        "f2" => Numbers::Floats(each(data, is_big, |b| f16::from_le_bytes(b).to_f64())?),
        "f4" => Numbers::Floats(each(data, is_big, |b| f32::from_le_bytes(b).into())?),
        "f8" => Numbers::Floats(each(data, is_big, f64::from_le_bytes)?),
        "b1" | "u1" => Numbers::Integers(each(data, is_big, |b| u8::from_le_bytes(b).into())?),
        "i1" => Numbers::Integers(each(data, is_big, |b| i8::from_le_bytes(b).into())?),
        "u2" => Numbers::Integers(each(data, is_big, |b| u16::from_le_bytes(b).into())?),
        "i2" => Numbers::Integers(each(data, is_big, |b| i16::from_le_bytes(b).into())?),
        "u4" => Numbers::Integers(each(data, is_big, |b| u32::from_le_bytes(b).into())?),
        "i4" => Numbers::Integers(each(data, is_big, |b| i32::from_le_bytes(b).into())?),
        "u8" => Numbers::Integers(each(data, is_big, |b| u64::from_le_bytes(b).into())?),
        "i8" => Numbers::Integers(each(data, is_big, |b| i64::from_le_bytes(b).into())?),
        _ => bail!("elements of type {name:?} are not numbers that a tensor can hold"),
    })
}

/// A tensor as a file. NumPy has no 4-bit integers: they become 8-bit ones.
pub(crate) fn write(desc: Desc, bytes: &[u8]) -> Result<Vec<u8>> {
    let (descr, widened) = match desc.data_type {
        DataType::Float32 => ("<f4", None),
        DataType::Float16 => ("<f2", None),
        DataType::Int32 => ("<i4", None),
        DataType::Uint32 => ("<u4", None),
        DataType::Int64 => ("<i8", None),
        DataType::Uint64 => ("<u8", None),
        DataType::Int8 => ("|i1", None),
        DataType::Uint8 => ("|u1", None),
        DataType::Int4 => ("|i1", Some(DataType::Int8)),
        DataType::Uint4 => ("|u1", Some(DataType::Uint8)),
    };
    let sizes: String = desc.shape.iter().map(|size| format!("{size}, ")).collect();
    let mut header = format!(
        "{{'descr': '{descr}', 'fortran_order': False, 'shape': ({}), }}",
        sizes.trim_end()
    );
    // The elements begin at a multiple of 64 bytes.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut file = Vec::with_capacity(unpadded + 64 + bytes.len());
    file.extend(MAGIC);
    file.extend([1, 0]);
    file.extend(u16::try_from(header.len()).context("the header is too long")?.to_le_bytes());
    file.extend(header.as_bytes());
    match widened {
        None => file.extend(bytes),
        Some(wide) => {
            let numbers = Numbers::from_bytes(desc, bytes)?;
            file.extend(numbers.to_bytes(Desc::new(wide, desc.shape))?);
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for of in DataType::ALL {
            for shape in [&[][..], &[3], &[2, 3]] {
                let desc = Desc::checked(of, shape).unwrap();
                let numbers = if of.is_float() {
                    Numbers::Floats((0..desc.elements()).map(|i| i as f64 - 0.5).collect())
                } else {
                    Numbers::Integers((0..desc.elements() as i128).collect())
                };
                let file = write(desc, &numbers.to_bytes(desc).unwrap()).unwrap();
                assert_eq!(file.len() % 64, file[128..].len() % 64, "{desc}");
                assert_eq!(read(&file).unwrap(), (shape.to_vec(), numbers), "{desc}");
            }
        }
    }

    #[test]
    fn headers_of_numpy_are_understood() {
        let file = |header: &str, data: &[u8]| {
            let mut file = [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes()].concat();
            file.extend(header.as_bytes());
            file.extend(data);
            file
        };
        let big =
            file("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", &[0, 1, 1, 0]);
        assert_eq!(read(&big).unwrap(), (vec![2], Numbers::Integers(vec![1, 256])));
        for (header, data, text) in [
            ("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", &[0; 4][..], "column-major"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", &[0; 4], "elements"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", &[0; 5], "within"),
            ("{'descr': '<U4', 'fortran_order': False, 'shape': (1,)}", &[0; 16], "<U4"),
            ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()}", &[0; 4], "records"),
            ("{'descr': '<f4', 'fortran_order': False}", &[0; 4], "no shape"),
        ] {
            let error = read(&file(header, data)).unwrap_err().to_string();
            assert!(error.contains(text), "{header}: {error}");
        }
        for length in 0..big.len() {
            assert!(read(&big[..length]).is_err(), "{length} bytes");
        }
    }
}
