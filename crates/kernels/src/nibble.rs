//! 4-bit integers, two to a byte.

/// Reads 4-bit integers from `start` on, two to a byte, the first in the low half.
///
/// # Panics
///
/// If the bytes hold too few.
pub fn unpack(is_signed: Signed, bytes: &[u8], start: usize, out: &mut [i8]) {
    for (i, out) in (start..).zip(out) {
        let nibble = bytes[i / 2] >> (4 * (i % 2)) & 0xf;
        *out = match is_signed {
            Signed::Yes => (nibble << 4) as i8 >> 4,
            Signed::No => nibble as i8,
        };
    }
}

/// Writes the low halves of `x`, two to a byte, the first in the low half.
///
/// # Panics
///
/// If the bytes are not as many as the elements fill.
pub fn pack(x: &[i8], bytes: &mut [u8]) {
    assert_eq!(x.len().div_ceil(2), bytes.len());
    for (pair, byte) in x.chunks(2).zip(bytes) {
        let high = pair.get(1).map_or(0, |&x| (x as u8) << 4);
        *byte = pair[0] as u8 & 0xf | high;
    }
}

/// Whether an integer type has negative numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// It has.
    Yes,
    /// It has not.
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nibbles_survive_both_ways() {
        let x = [-8, 7, 0, -1, 3];
        let mut bytes = [0; 3];
        pack(&x, &mut bytes);
        let mut back = [0; 5];
        unpack(Signed::Yes, &bytes, 0, &mut back);
        assert_eq!(back, x);
        unpack(Signed::No, &bytes, 2, &mut back[..2]);
        assert_eq!(back[..2], [0, 15]);
    }
}
