//! What the index knows of a text: the set of its trigrams.
//!
//! A trigram is three consecutive bytes of one line, ASCII letters folded to
//! lower case and other bytes as they are, packed big-endian into the low 24
//! bits of a `u32`. Because no match spans lines, no trigram contains `\n`.
//!
//! Owns the folding rule and the rule of what part of a file is its text; knows
//! nothing of how sets are stored.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// One trigram: 24 bits, the first byte in the highest.
pub type Trigram = u32;

/// The number of values that a [`Trigram`] can take.
pub const TRIGRAMS: usize = 1 << 24;

const MASK: u32 = TRIGRAMS as u32 - 1;
const LINE_START: u32 = 0x0a_0a_0a;
/// Bytes between two checks that `found` has room.
const STRIDE: usize = 4096;
/// Places in `found` that are kept for the next document.
const KEPT: usize = 1 << 18;
const FOLD: [u8; 256] = fold_table();

const fn fold_table() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).to_ascii_lowercase();
        byte += 1;
    }
    table
}

/// The byte as the index sees it.
#[inline]
pub fn fold(byte: u8) -> u8 {
    FOLD[byte as usize]
}

/// Packs three bytes that are folded already.
#[inline]
pub fn pack(bytes: [u8; 3]) -> Trigram {
    u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]])
}

/// Collects the distinct trigrams of one document after another.
///
/// Holds 2 MiB for life and the trigrams of the document at hand; make one a
/// thread and reuse it.
///
/// ```
/// use hob_index::trigram::{Extractor, pack};
/// let mut extractor = Extractor::new();
/// extractor.feed(b"Ab");
/// extractor.feed(b"c\nbcd");
/// assert_eq!(extractor.take(), [pack(*b"abc"), pack(*b"bcd")]);
/// ```
pub struct Extractor {
    /// A bit a trigram. Those with a `\n` are set for ever, so that the inner
    /// loop needs no test for line ends.
    seen: Box<[u64]>,
    /// The distinct trigrams in the order of their first occurrence, in the
    /// first `len` places; the rest is scratch.
    found: Vec<Trigram>,
    len: usize,
    /// The last bytes that were fed, the newest lowest.
    window: u32,
    /// Whether `found` was handed out and is to be forgotten.
    taken: bool,
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new()
    }
}

impl Extractor {
    /// An extractor at the start of its first document.
    pub fn new() -> Self {
        let mut seen = vec![0u64; TRIGRAMS / 64].into_boxed_slice();
        for pair in 0..=0xffff_u32 {
            let (high, low) = (pair >> 8, pair & 0xff);
            for trigram in [0x0a_0000 | pair, high << 16 | 0x0a00 | low, pair << 8 | 0x0a] {
                seen[trigram as usize / 64] |= 1 << (trigram % 64);
            }
        }
        Self { seen, found: Vec::new(), len: 0, window: LINE_START, taken: false }
    }

    /// Adds the next bytes of the document; chunks may be cut anywhere.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.taken {
            self.reset();
        }
        for chunk in bytes.chunks(STRIDE) {
            self.feed_stride(chunk);
        }
    }

    /// Ends the document: its distinct trigrams, unsorted. The next `feed`
    /// begins another document.
    pub fn take(&mut self) -> &[Trigram] {
        if self.taken {
            self.reset();
        }
        self.taken = true;
        &self.found[..self.len]
    }

    // Both the bit and the place in `found` are written whether the trigram is
    // new or not: one byte in twelve brings a new trigram, at random, and a branch
    // on that was a third slower.
    fn feed_stride(&mut self, chunk: &[u8]) {
        if self.found.len() < self.len + STRIDE {
            self.found.resize((self.len + STRIDE).next_power_of_two(), 0);
        }
        // As an array of known length, the index below needs no bounds check.
        let Some(seen) = self.seen.first_chunk_mut::<{ TRIGRAMS / 64 }>() else { return };
        let Some(room) = self.found[self.len..].first_chunk_mut::<STRIDE>() else { return };
        let mut window = self.window;
        let mut new = 0;
        for &byte in chunk {
            window = (window << 8) | u32::from(FOLD[byte as usize]);
            let trigram = window & MASK;
            let word = &mut seen[(trigram >> 6) as usize];
            let bit = trigram & 63;
            let unseen = (!*word >> bit) & 1;
            *word |= 1 << bit;
            room[new & (STRIDE - 1)] = trigram;
            new += unseen as usize;
        }
        self.window = window;
        self.len += new;
    }

    fn reset(&mut self) {
        for &trigram in &self.found[..self.len] {
            self.seen[trigram as usize / 64] &= !(1 << (trigram % 64));
        }
        if self.found.len() > KEPT {
            self.found = Vec::new();
        }
        self.len = 0;
        self.window = LINE_START;
        self.taken = false;
    }
}

/// The part of a file that ripgrep would search: a file with a UTF-16 mark is
/// decoded, and everything from the first NUL on is left out, since ripgrep
/// stops there. (Not where a file is named on its command line, nor with `--text`:
/// for such a search the index says nothing of a file with a NUL.)
pub fn text_of(bytes: &[u8]) -> Cow<'_, [u8]> {
    match Encoding::for_bom(bytes) {
        Some((encoding, mark)) if encoding == UTF_16LE || encoding == UTF_16BE => {
            let (text, _) = encoding.decode_without_bom_handling(&bytes[mark..]);
            let mut text = text.into_owned().into_bytes();
            text.truncate(until_nul(&text));
            Cow::Owned(text)
        }
        Some((encoding, mark)) if encoding == UTF_8 => {
            Cow::Borrowed(&bytes[mark..][..until_nul(&bytes[mark..])])
        }
        _ => Cow::Borrowed(&bytes[..until_nul(bytes)]),
    }
}

fn until_nul(bytes: &[u8]) -> usize {
    memchr::memchr(0, bytes).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn naive(text: &[u8]) -> BTreeSet<Trigram> {
        let folded = text.to_ascii_lowercase();
        let lines = folded.split(|&byte| byte == b'\n');
        lines.flat_map(|line| line.windows(3)).map(|w| pack([w[0], w[1], w[2]])).collect()
    }

    fn taken(extractor: &mut Extractor) -> BTreeSet<Trigram> {
        let found = extractor.take();
        let set: BTreeSet<_> = found.iter().copied().collect();
        assert_eq!(set.len(), found.len(), "each trigram once");
        set
    }

    proptest! {
        #[test]
        fn chunks_and_earlier_documents_do_not_matter(
            documents in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'a'), Just(b'B'), any::<u8>()], 0..300), 1..5),
            cut in 1usize..40,
        ) {
            let mut extractor = Extractor::new();
            for document in &documents {
                document.chunks(cut).for_each(|chunk| extractor.feed(chunk));
                prop_assert_eq!(taken(&mut extractor), naive(document));
            }
        }
    }

    #[test]
    fn long_document_without_repetition_keeps_every_trigram() {
        let text: Vec<u8> =
            (0..200_000u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
        let mut extractor = Extractor::new();
        extractor.feed(&text);
        assert_eq!(taken(&mut extractor), naive(&text));
    }

    #[test]
    fn taking_twice_gives_an_empty_document() {
        let mut extractor = Extractor::new();
        extractor.feed(b"abc");
        extractor.take();
        assert!(extractor.take().is_empty());
    }

    #[test]
    fn text_is_what_ripgrep_searches() {
        let cases: [(&[u8], &[u8]); 6] = [
            (b"plain", b"plain"),
            (b"early\0late", b"early"),
            (b"\xef\xbb\xbfmark", b"mark"),
            (b"\xff\xfeh\0i\0", b"hi"),
            (b"\xfe\xff\0h\0\0\0i", b"h"),
            (b"\xff\xfe\x00\xd8", "\u{fffd}".as_bytes()),
        ];
        for (bytes, text) in cases {
            assert_eq!(text_of(bytes), text, "{bytes:?}");
        }
    }
}
