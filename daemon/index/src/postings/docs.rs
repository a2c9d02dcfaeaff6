//! Sets of documents of one segment.

use super::list::{Encoding, List};

/// The documents that a plan accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Docs {
    /// Every document of the segment: the plan says nothing about it.
    All,
    /// Ascending local ids.
    List(Vec<u32>),
    /// The same, where many documents are accepted.
    Bits(Bits),
}

impl Docs {
    /// No document.
    pub const NONE: Self = Self::List(Vec::new());

    /// The ascending local ids, of a segment of `docs` documents.
    pub fn iter(&self, docs: u32) -> impl Iterator<Item = u32> + '_ {
        let (all, list, bits) = match self {
            Self::All => (0..docs, &[][..], None),
            Self::List(list) => (0..0, &list[..], None),
            Self::Bits(bits) => (0..0, &[][..], Some(bits)),
        };
        all.chain(list.iter().copied()).chain(bits.into_iter().flat_map(Bits::iter))
    }

    /// How many documents these are, of a segment of `docs` documents.
    pub fn count(&self, docs: u32) -> u32 {
        match self {
            Self::All => docs,
            Self::List(list) => list.len() as u32,
            Self::Bits(bits) => bits.count(),
        }
    }

    /// Whether the document is among them.
    pub fn contains(&self, doc: u32) -> bool {
        match self {
            Self::All => true,
            Self::List(list) => list.binary_search(&doc).is_ok(),
            Self::Bits(bits) => bits.contains(doc),
        }
    }
}

/// A bit a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    end: u32,
}

impl Bits {
    /// None of the documents `0..end`.
    pub fn new(end: u32) -> Self {
        Self { words: vec![0; end.div_ceil(64) as usize], end }
    }

    /// One past the last document that fits.
    pub fn end(&self) -> u32 {
        self.end
    }

    /// Adds a document; one past the end is ignored.
    #[inline]
    pub fn insert(&mut self, doc: u32) {
        if doc < self.end {
            self.words[doc as usize / 64] |= 1 << (doc % 64);
        }
    }

    /// Whether the document is in the set.
    #[inline]
    pub fn contains(&self, doc: u32) -> bool {
        self.words.get(doc as usize / 64).is_some_and(|word| word >> (doc % 64) & 1 != 0)
    }

    /// How many documents are in the set.
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// The documents, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(at as u32 * 64 + bit)
            })
        })
    }

    /// Adds the documents of `word`, which stands at `at` among the words.
    pub(super) fn or_word(&mut self, at: usize, word: u64) {
        let mask = self.mask(at);
        if let Some(slot) = self.words.get_mut(at) {
            *slot |= word & mask;
        }
    }

    /// Adds the documents of another set.
    pub(super) fn union(&mut self, other: &Self) {
        for (at, &word) in other.words.iter().enumerate() {
            self.or_word(at, word);
        }
    }

    /// Adds to `into` what the set and the list have in common.
    pub(super) fn intersect_into(&self, list: List<'_>, into: &mut Self) {
        match list.encoding {
            Encoding::Gaps => list.for_each(self.end, |doc| {
                if self.contains(doc) {
                    into.insert(doc);
                }
            }),
            Encoding::Bitmap => {
                for (at, word) in list.words() {
                    into.or_word(at, word & self.words.get(at).copied().unwrap_or(0));
                }
            }
        }
    }

    /// The bits of the word that stand for documents before the end.
    fn mask(&self, at: usize) -> u64 {
        match (self.end as usize).saturating_sub(at * 64) {
            0 => 0,
            rest @ 1..64 => (1 << rest) - 1,
            _ => u64::MAX,
        }
    }
}
