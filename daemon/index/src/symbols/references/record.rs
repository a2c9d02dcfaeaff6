//! How the references of a content are stored: in chunks of a few kilobytes.
//!
//! For each reference two numbers, LEB128: how far its name begins behind the one before, times four, plus its
//! role less one; and how long the name is. A chunk ends with eight bytes of BLAKE3 over all before and its
//! key. The last chunk is not full, or is followed by one without any reference.
//!
//! Lines, columns and what is around are found anew in the text and its outline.

use super::{Reference, Role, place};
use crate::seal;
use crate::symbols::Outline;
use crate::symbols::record::{Emit, Key};
use crate::varint::{push, take};

/// How many references a chunk has; the last one has less.
const CHUNK: usize = 600;

/// References as they are stored, but for the number of their content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded(Vec<Vec<u8>>);

impl Encoded {
    /// Puts references, which are in order, into chunks.
    #[must_use]
    pub fn new(references: &[Reference]) -> Self {
        let mut chunks: Vec<Vec<u8>> = Vec::new();
        let mut before = 0;
        for chunk in references.chunks(CHUNK) {
            let mut bytes = Vec::with_capacity(chunk.len() * 3);
            for Reference { role, name, .. } in chunk {
                push(&mut bytes, u64::from(name.start - before) << 2 | u64::from(*role as u8 - 1));
                push(&mut bytes, u64::from(name.end - name.start));
                before = name.start;
            }
            chunks.push(bytes);
        }
        if references.len().is_multiple_of(CHUNK) {
            chunks.push(Vec::new());
        }
        Self(chunks)
    }

    /// The bytes of memory that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.0.iter().map(|chunk| chunk.capacity() + size_of::<Vec<u8>>()).sum()
    }

    /// Gives each chunk as it is stored, in the order of their keys.
    ///
    /// # Errors
    ///
    /// The first error of `emit`.
    pub fn for_each<E>(&self, doc: u32, language: u8, emit: &mut Emit<'_, E>) -> Result<(), E> {
        for (chunk, ordinal) in self.0.iter().zip((0..).step_by(CHUNK)) {
            let key = Key { doc, language, ordinal };
            let mut bytes = chunk.clone();
            seal::seal(&mut bytes, &key.to_bytes());
            emit(key, &bytes)?;
        }
        Ok(())
    }
}

/// The references of its chunks in order, each with its key; their places are not known yet. None where
/// they are not what was stored.
#[must_use]
pub fn decode(first: Key, chunks: &[(Key, Vec<u8>)]) -> Option<Vec<Reference>> {
    let mut references: Vec<Reference> = Vec::new();
    let mut start = 0_u32;
    let mut is_full = true;
    for (key, bytes) in chunks {
        let ordinal = u32::try_from(references.len()).ok()?;
        if !is_full || *key != (Key { ordinal, ..first }) {
            return None;
        }
        let mut body = seal::open(bytes, &key.to_bytes())?;
        while !body.is_empty() {
            let number = take(&mut body)?;
            start = start.checked_add(u32::try_from(number >> 2).ok()?)?;
            let role = Role::ALL[(number & 3) as usize];
            let end = start.checked_add(u32::try_from(take(&mut body)?).ok()?)?;
            let name = start..end;
            references.push(Reference { role, name, line: 0, column: 0, enclosing: None });
        }
        is_full = references.len() == ordinal as usize + CHUNK;
    }
    (!is_full).then_some(references)
}

/// References with their places, in the text and its outline that they were stored of. None where they are
/// of another one.
#[must_use]
pub fn fit(
    mut references: Vec<Reference>,
    text: &[u8],
    outline: &Outline,
) -> Option<Vec<Reference>> {
    if references.iter().any(|one| one.name.end as usize > text.len()) {
        return None;
    }
    place(&mut references, text, &outline.symbols);
    Some(references)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbols::{extract::Extractor, languages::by_name};

    fn stored(references: &[Reference]) -> Vec<(Key, Vec<u8>)> {
        let mut chunks = Vec::new();
        let emit = &mut |key, bytes: &[u8]| {
            chunks.push((key, bytes.to_vec()));
            Ok::<_, std::convert::Infallible>(())
        };
        Encoded::new(references).for_each(7, 1, emit).unwrap();
        chunks
    }

    #[test]
    fn references_come_back_and_what_is_damaged_or_lost_does_not() {
        let first = Key { doc: 7, language: 1, ordinal: 0 };
        let rust = by_name("rust").unwrap();
        for calls in [0, 1, 599, 600, 601, 1_500] {
            let text = format!("fn f() {{ {} }}", "g();\n".repeat(calls)).into_bytes();
            let (outline, references) = Extractor::default().extract_all(rust, &text);
            let references = references.unwrap();
            assert_eq!(references.len(), calls);
            let chunks = stored(&references);
            assert_eq!(
                decode(first, &chunks).and_then(|found| fit(found, &text, &outline)),
                Some(references)
            );
            let mut damaged = chunks.clone();
            damaged[0].1[0] ^= 1;
            assert_eq!(decode(first, &damaged), None);
            let lost = &chunks[..chunks.len() - 1];
            assert_eq!(decode(first, lost), None);
            let other = Key { doc: 8, ..first };
            assert_eq!(decode(other, &chunks), None);
            if calls > 0 {
                let stored = decode(first, &chunks).unwrap();
                assert_eq!(fit(stored, &text[..9], &outline), None);
            }
        }
    }
}
