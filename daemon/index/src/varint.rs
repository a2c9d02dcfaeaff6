//! Numbers of any size in few bytes: LEB128, and zigzag for differences.
//!
//! Reading any bytes ends, and never panics.

/// Appends `number`, seven bits a byte, the lowest first.
#[inline]
pub(crate) fn push(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front; none where there is no whole one, or one past 64 bits.
#[inline]
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    *bytes = rest;
    if first < 0x80 {
        return Some(u64::from(first));
    }
    take_more(bytes, first)
}

fn take_more(bytes: &mut &[u8], first: u8) -> Option<u64> {
    let mut number = u64::from(first & 0x7f);
    let mut shift = 7;
    loop {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if shift > 63 || (shift == 63 && byte > 1) {
            return None;
        }
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
        shift += 7;
    }
}

/// The difference `to - from` as a number that is small where they are near.
#[inline]
pub(crate) fn zigzag(from: u32, to: u32) -> u64 {
    let difference = i64::from(to) - i64::from(from);
    (difference << 1 ^ difference >> 63).cast_unsigned()
}

/// The inverse of [`zigzag`]; none where it leaves the 32 bits.
#[inline]
pub(crate) fn unzigzag(from: u32, number: u64) -> Option<u32> {
    let difference = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
    u32::try_from(i64::from(from).checked_add(difference)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_comes_back(number: u64, shift in 0u32..64) {
            let mut out = Vec::new();
            push(&mut out, number >> shift);
            let mut rest = &out[..];
            prop_assert_eq!((take(&mut rest), rest), (Some(number >> shift), &[][..]));
        }

        #[test]
        fn a_difference_comes_back(from: u32, to: u32) {
            prop_assert_eq!(unzigzag(from, zigzag(from, to)), Some(to));
        }

        #[test]
        fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..40), from: u32) {
            let mut rest = &bytes[..];
            while let Some(number) = take(&mut rest) {
                unzigzag(from, number);
            }
        }
    }
}
