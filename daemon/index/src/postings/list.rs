//! The two encodings of an ascending list of documents.
//!
//! *Gaps*: for each document the number of documents skipped since the one
//! before it (at first: since the base), as LEB128. *Bitmap*: bit `i % 8` of byte
//! `i / 8` stands for the document `base + i`; trailing zero bytes are left out.
//! Decoding any bytes ends, and never panics.

use super::docs::Bits;

/// How the bytes of a list are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Gaps,
    Bitmap,
}

/// A list, or a part of one, within its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'a> {
    pub(super) encoding: Encoding,
    /// The document that offsets count from; of a bitmap a multiple of 64.
    pub(super) base: u32,
    pub(super) bytes: &'a [u8],
}

impl List<'_> {
    /// Calls `each` with every document below `end`, ascending.
    #[inline]
    pub(super) fn for_each(&self, end: u32, mut each: impl FnMut(u32)) {
        match self.encoding {
            Encoding::Gaps => for_each_gap(self.bytes, self.base, end, each),
            Encoding::Bitmap => {
                for (at, word) in self.words() {
                    let mut rest = word;
                    while rest != 0 {
                        let doc =
                            (at as u32).saturating_mul(64).saturating_add(rest.trailing_zeros());
                        if doc >= end {
                            return;
                        }
                        each(doc);
                        rest &= rest - 1;
                    }
                }
            }
        }
    }

    /// A bitmap's words with their index in a bitmap over the whole segment.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, u64)> {
        let first = self.base as usize / 64;
        self.bytes.chunks(8).enumerate().map(move |(i, chunk)| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            (first + i, u64::from_le_bytes(word))
        })
    }

    /// Whether a bitmap has the document.
    #[inline]
    pub(super) fn probe(&self, doc: u32) -> bool {
        let Some(at) = doc.checked_sub(self.base) else { return false };
        self.bytes.get(at as usize / 8).is_some_and(|byte| byte >> (at % 8) & 1 != 0)
    }

    /// Adds the documents to `bits`; those past its end are dropped.
    pub(super) fn add_to(&self, bits: &mut Bits) {
        match self.encoding {
            Encoding::Gaps => self.for_each(bits.end(), |doc| bits.insert(doc)),
            Encoding::Bitmap => self.words().for_each(|(at, word)| bits.or_word(at, word)),
        }
    }
}

#[inline]
fn for_each_gap(bytes: &[u8], base: u32, end: u32, mut each: impl FnMut(u32)) {
    let mut next = base;
    let mut rest = bytes.iter();
    while let Some(&byte) = rest.next() {
        let mut gap = u32::from(byte & 0x7f);
        let mut more = byte >= 0x80;
        let mut shift = 7;
        while more {
            let Some(&byte) = rest.next() else { return };
            gap |= u32::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            more = byte >= 0x80;
            shift += 7;
        }
        let doc = next.saturating_add(gap);
        if doc >= end {
            return;
        }
        each(doc);
        next = doc + 1;
    }
}

/// Appends `gap` as LEB128.
#[inline]
pub(super) fn push_gap(out: &mut Vec<u8>, mut gap: u32) {
    while gap >= 0x80 {
        out.push(gap as u8 | 0x80);
        gap >>= 7;
    }
    out.push(gap as u8);
}

/// The bytes that `push_gap` takes.
#[inline]
pub(super) fn gap_len(gap: u32) -> usize {
    (38 - gap.leading_zeros().min(31) as usize) / 7
}

/// Appends ascending `docs`, none below `base`, as gaps.
pub(super) fn push_gaps(out: &mut Vec<u8>, base: u32, docs: &[u32]) {
    let mut next = base;
    for &doc in docs {
        push_gap(out, doc - next);
        next = doc + 1;
    }
}

/// Appends ascending `docs`, none below `base`, as a bitmap.
pub(super) fn push_bitmap(out: &mut Vec<u8>, base: u32, docs: &[u32]) {
    let start = out.len();
    let bytes = docs.last().map_or(0, |&last| bitmap_len(base, last));
    out.resize(start + bytes, 0);
    let bitmap = &mut out[start..];
    for &doc in docs {
        let at = doc - base;
        bitmap[at as usize / 8] |= 1 << (at % 8);
    }
}

/// The bytes of a bitmap from `base` up to `last`.
pub(super) fn bitmap_len(base: u32, last: u32) -> usize {
    (last - base) as usize / 8 + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(encoding: Encoding, base: u32, bytes: &[u8]) -> Vec<u32> {
        let mut docs = Vec::new();
        List { encoding, base, bytes }.for_each(u32::MAX, |doc| docs.push(doc));
        docs
    }

    proptest! {
        #[test]
        fn both_encodings_give_back_the_list(set in prop::collection::btree_set(64u32..100_000, 0..200)) {
            let docs: Vec<u32> = set.into_iter().collect();
            let (mut gaps, mut bitmap) = (Vec::new(), Vec::new());
            push_gaps(&mut gaps, 64, &docs);
            push_bitmap(&mut bitmap, 64, &docs);
            prop_assert_eq!(decoded(Encoding::Gaps, 64, &gaps), docs.clone());
            prop_assert_eq!(decoded(Encoding::Bitmap, 64, &bitmap), docs.clone());
            let list = List { encoding: Encoding::Bitmap, base: 64, bytes: &bitmap };
            prop_assert!(docs.iter().all(|&doc| list.probe(doc)));
        }

        #[test]
        fn any_bytes_decode_to_an_ascending_list(
            bytes in prop::collection::vec(any::<u8>(), 0..200), base in any::<u32>(), bitmap: bool,
        ) {
            let (encoding, base) = if bitmap { (Encoding::Bitmap, base & !63) } else { (Encoding::Gaps, base) };
            prop_assert!(decoded(encoding, base, &bytes).is_sorted_by(|a, b| a < b));
        }

        #[test]
        fn length_of_a_gap_is_known_beforehand(gap: u32, small in 0u32..20_000) {
            for gap in [gap, small] {
                let mut out = Vec::new();
                push_gap(&mut out, gap);
                prop_assert_eq!(gap_len(gap), out.len());
            }
        }
    }
}
