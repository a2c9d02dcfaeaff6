//! The order of names, and what is kept of a long one.

use std::borrow::Cow;
use std::cmp::Ordering;

/// The most bytes of a name that are kept.
pub const MOST: usize = 512;
/// The bytes of a name that was cut: a mark follows the last one that is kept, and so no whole name
/// is as long.
pub(super) const CUT: usize = MOST + 1;
/// A byte that no UTF-8 has.
const MARK: u8 = 0xff;

/// The name as it is stored.
pub(super) fn stored(name: &[u8]) -> Cow<'_, [u8]> {
    match name.get(..MOST) {
        Some(kept) if name.len() > MOST => Cow::Owned([kept, &[MARK]].concat()),
        _ => Cow::Borrowed(name),
    }
}

/// The bytes of a stored name, and whether they are all.
pub(super) fn unmarked(stored: &[u8]) -> (&[u8], bool) {
    (&stored[..stored.len().min(MOST)], stored.len() <= MOST)
}

/// Compares without the case of ASCII letters, and with it where they are else the same.
pub(super) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    compare_folded(a, b).then_with(|| a.cmp(b))
}

/// Compares without the case of ASCII letters.
pub(super) fn compare_folded(a: &[u8], b: &[u8]) -> Ordering {
    // Neighbours have much in common.
    let same = common(a, b);
    let fold = u8::to_ascii_lowercase;
    a[same..].iter().map(fold).cmp(b[same..].iter().map(fold))
}

/// Eight bytes that order names by the seven folded ones from `depth` on. The last byte tells how
/// many there are, 8 where more follow: so equal keys below that are equal names.
pub(super) fn sort_key(name: &[u8], depth: usize) -> u64 {
    let rest = name.get(depth..).unwrap_or_default();
    let mut key = [0; 8];
    for (to, from) in key[..7].iter_mut().zip(rest) {
        *to = from.to_ascii_lowercase();
    }
    key[7] = rest.len().min(8) as u8;
    u64::from_be_bytes(key)
}

/// The key under which a directory finds the block that has all spellings of `name`, or the first of
/// them. Bytes whose order is that of names.
#[must_use]
pub fn search_key(name: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(name.len() + 2);
    for byte in stored(name).iter() {
        key.push(byte.to_ascii_lowercase());
        // A NUL is told from the end by what follows it.
        key.extend((*byte == 0).then_some(1));
    }
    key.extend([0, 0]);
    key
}

/// The shortest key that is after all that `before` has, and not after that of `name`.
pub(super) fn separator(before: Option<&[u8]>, name: &[u8]) -> Vec<u8> {
    let full = |name: &[u8]| [&search_key(name), name].concat();
    let Some(before) = before else { return Vec::new() };
    let (before, mut key) = (full(before), full(name));
    key.truncate(common(&before, &key) + 1);
    key
}

/// How many bytes both begin with.
pub(super) fn common(a: &[u8], b: &[u8]) -> usize {
    let eights = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let same = 8 * eights.take_while(|(a, b)| a == b).count();
    same + a[same..].iter().zip(&b[same..]).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(0), Just(1), Just(b'a'), Just(b'A'), Just(b'b'), any::<u8>()];
        prop::collection::vec(byte, 0..12)
    }

    proptest! {
        #[test]
        fn keys_order_as_names_do(a in name(), b in name()) {
            prop_assert_eq!(search_key(&a).cmp(&search_key(&b)), compare_folded(&a, &b));
        }

        #[test]
        fn a_separator_is_between_neighbours(a in name(), b in name()) {
            let (a, b) = if compare(&a, &b) == Ordering::Less { (a, b) } else { (b, a) };
            prop_assume!(a != b);
            let separator = separator(Some(&a), &b);
            prop_assert!(separator > [search_key(&a), a].concat());
            prop_assert!(separator <= [search_key(&b), b].concat());
        }

        #[test]
        fn sort_keys_order_as_names_do(a in name(), b in name()) {
            let mut order = Ordering::Equal;
            for depth in (0..21).step_by(7) {
                order = order.then(sort_key(&a, depth).cmp(&sort_key(&b, depth)));
            }
            prop_assert_eq!(order, compare_folded(&a, &b));
        }
    }

    #[test]
    fn a_long_name_is_cut_and_told_from_a_whole_one() {
        let long = [b'x'; 600];
        assert_eq!(unmarked(&stored(&long)), (&long[..MOST], false));
        assert_eq!(unmarked(&stored(&long[..MOST])), (&long[..MOST], true));
        assert_ne!(stored(&long), stored(&long[..MOST]));
        assert_eq!(stored(&long), stored(&long[..CUT]));
    }
}
