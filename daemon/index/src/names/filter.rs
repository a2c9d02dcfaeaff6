//! Which definitions a query wants.

use super::Entry;
use crate::symbols::Kind;

/// Kinds and languages that are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// A bit a kind's number.
    kinds: u32,
    /// A bit a language's number.
    languages: [u64; 4],
}

impl Filter {
    /// Everything is wanted.
    pub const ALL: Self = Self { kinds: u32::MAX, languages: [u64::MAX; 4] };

    /// These kinds in these languages are wanted; of what none is named, all are.
    #[must_use]
    pub fn new(kinds: &[Kind], languages: &[u8]) -> Self {
        let mut filter = Self::ALL;
        if !kinds.is_empty() {
            filter.kinds = kinds.iter().fold(0, |bits, kind| bits | 1 << *kind as u8);
        }
        if !languages.is_empty() {
            filter.languages = [0; 4];
            for language in languages {
                filter.languages[usize::from(language >> 6)] |= 1 << (language & 63);
            }
        }
        filter
    }

    /// Whether a definition is wanted.
    #[must_use]
    pub fn accepts(&self, entry: &Entry) -> bool {
        self.accepts_pair([entry.language, entry.kind as u8])
    }

    /// Whether a name may have an entry that is wanted, by its set.
    pub(super) fn accepts_set(&self, set: &[[u8; 2]]) -> bool {
        set.is_empty() || set.iter().any(|pair| self.accepts_pair(*pair))
    }

    fn accepts_pair(&self, [language, kind]: [u8; 2]) -> bool {
        self.kinds >> kind & 1 != 0
            && self.languages[usize::from(language >> 6)] >> (language & 63) & 1 != 0
    }
}
