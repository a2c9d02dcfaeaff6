//! What contents define, by content.

use super::{Store, StoreError};
use hob_index::symbols::record::{self, Corrupt, Key};
use hob_index::symbols::references::{self, Reference};
use hob_index::symbols::{Outline, Symbol};

impl Store {
    /// Whether the content was parsed as the language, whatever came of it.
    pub(crate) fn outlined(&self, doc: u32, language: u8) -> Result<bool, StoreError> {
        let key = Key { doc, language, ordinal: 0 };
        self.checked(|| Ok(self.reader().outlines.get(&key.to_bytes())?.is_some()))
    }

    /// What the content defines as the language; `None` where it was not parsed.
    pub(crate) fn outline(&self, doc: u32, language: u8) -> Result<Option<Outline>, StoreError> {
        let first = Key { doc, language, ordinal: 0 };
        let last = Key { ordinal: u32::MAX, ..first };
        self.checked(|| {
            let reader = self.reader();
            let (first_bytes, last_bytes) = (first.to_bytes(), last.to_bytes());
            let mut chunks =
                reader.outlines.range::<&[u8; 9]>(&first_bytes..=&last_bytes)?.peekable();
            if chunks.peek().is_none() {
                return Ok(None);
            }
            let mut chunks = chunks.map(|entry| {
                let (key, chunk) = entry?;
                Ok::<_, StoreError>((Key::from_bytes(*key.value()), chunk.value().to_vec()))
            });
            record::decode(first, &mut chunks).map(Some)
        })
    }

    /// What the content mentions as the language, by its text and its outline; `None` where that is not
    /// stored.
    pub(crate) fn references(
        &self,
        doc: u32,
        language: u8,
        text: &[u8],
        outline: &Outline,
    ) -> Result<Option<Vec<Reference>>, StoreError> {
        let first = Key { doc, language, ordinal: 0 };
        let last = Key { ordinal: u32::MAX, ..first };
        let stored = self.checked(|| {
            let reader = self.reader();
            let (from, to) = (first.to_bytes(), last.to_bytes());
            let mut chunks = Vec::new();
            for entry in reader.references.range::<&[u8; 9]>(&from..=&to)? {
                let (key, chunk) = entry?;
                chunks.push((Key::from_bytes(*key.value()), chunk.value().to_vec()));
            }
            if chunks.is_empty() {
                return Ok(None);
            }
            let lost = || StoreError::Damaged(format!("references of content {doc} are damaged"));
            references::decode(first, &chunks).ok_or_else(lost).map(Some)
        })?;
        // A text that they do not fit is another one: that is no fault of the store.
        Ok(stored.and_then(|stored| references::fit(stored, text, outline)))
    }

    /// A symbol of a content's outline, by its index there.
    pub(crate) fn symbol(
        &self,
        doc: u32,
        language: u8,
        ordinal: u32,
    ) -> Result<Symbol, StoreError> {
        let first = Key { doc, language, ordinal: 0 }.to_bytes();
        let wanted = Key { doc, language, ordinal };
        self.checked(|| {
            let reader = self.reader();
            let wanted_bytes = wanted.to_bytes();
            let mut range = reader.outlines.range::<&[u8; 9]>(&first..=&wanted_bytes)?;
            let (key, chunk) = range.next_back().ok_or(Corrupt { key: wanted })??;
            Ok(record::symbol(Key::from_bytes(*key.value()), chunk.value(), ordinal)?)
        })
    }

    /// What encloses a symbol, the nearest first, at most so many.
    pub(crate) fn enclosing(
        &self,
        doc: u32,
        language: u8,
        symbol: &Symbol,
        most: usize,
    ) -> Result<Vec<Symbol>, StoreError> {
        let mut found = Vec::new();
        let mut next = symbol.parent;
        while let Some(ordinal) = next.filter(|_| found.len() < most) {
            let symbol = self.symbol(doc, language, ordinal)?;
            // What encloses comes before, so that this ends.
            next = symbol.parent.filter(|parent| *parent < ordinal);
            found.push(symbol);
        }
        Ok(found)
    }
}

impl From<Corrupt> for StoreError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Damaged(corrupt.to_string())
    }
}
