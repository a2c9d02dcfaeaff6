//! How an outline is stored: in chunks of a few kilobytes, so that one symbol of many costs one.
//!
//! A chunk is stored under a [`Key`]. The first one, of ordinal 0, begins with a head:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | extent: `0` whole, `1` errors, `2` cut, `3` given up |
//! | 1–5 | how many symbols the outline has, LEB128 |
//!
//! Then in each chunk come symbols, in order (see `record/code.rs`), and 8 bytes of BLAKE3 over all before and
//! the key.

mod code;

use super::{Extent, Outline, Symbol};
use crate::seal::{self, CHECK};
use crate::varint::{push, take};
use code::Before;
use thiserror::Error;

/// A chunk ends before it has more bytes.
const CHUNK: usize = 4_040;
/// The most bytes of a symbol.
const SYMBOL: usize = 70;

/// Where a chunk is stored; the order of keys is that of documents, languages and chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The content: the number of its first part.
    pub doc: u32,
    /// The number of the language that it was parsed as.
    pub language: u8,
    /// The index of the chunk's first symbol.
    pub ordinal: u32,
}

impl Key {
    /// Nine bytes, big-endian, so that they sort as the keys do.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 9] {
        let mut bytes = [0; 9];
        bytes[..4].copy_from_slice(&self.doc.to_be_bytes());
        bytes[4] = self.language;
        bytes[5..].copy_from_slice(&self.ordinal.to_be_bytes());
        bytes
    }

    /// The inverse of [`Key::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 9]) -> Self {
        let [a, b, c, d, language, e, f, g, h] = bytes;
        let (doc, ordinal) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        Self { doc, language, ordinal }
    }
}

/// A chunk that is missing, or whose bytes are not what was stored under its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the outline of content {} as language {} is damaged at symbol {}; it has to be made again",
    key.doc, key.language, key.ordinal
)]
pub struct Corrupt {
    /// The chunk's key.
    pub key: Key,
}

/// Where chunks go.
pub type Emit<'a, E> = dyn FnMut(Key, &[u8]) -> Result<(), E> + 'a;

/// An outline in chunks, but for the number of its content: a new content has none before it is
/// stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    bytes: Vec<u8>,
    /// Of each chunk its first symbol and where it ends.
    chunks: Vec<(u32, usize)>,
}

impl Encoded {
    /// Puts an outline into chunks.
    #[must_use]
    pub fn new(outline: &Outline) -> Self {
        let mut encoded = Self::default();
        let extent = EXTENTS.iter().position(|extent| *extent == outline.extent);
        encoded.bytes.push(extent.unwrap_or_default() as u8);
        push(&mut encoded.bytes, outline.symbols.len() as u64);
        let (mut first, mut start, mut before) = (0, 0, Before::default());
        for (ordinal, symbol) in (0u32..).zip(&outline.symbols) {
            if encoded.bytes.len() - start + SYMBOL + CHECK > CHUNK {
                encoded.chunks.push((first, encoded.bytes.len()));
                (first, start, before) = (ordinal, encoded.bytes.len(), Before::default());
            }
            before.write(ordinal, symbol, &mut encoded.bytes);
        }
        encoded.chunks.push((first, encoded.bytes.len()));
        encoded
    }

    /// The bytes of memory that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.chunks.capacity() * size_of::<(u32, usize)>()
    }

    /// Gives each chunk as it is stored, in the order of their keys.
    ///
    /// # Errors
    ///
    /// The first error of `emit`.
    pub fn for_each<E>(&self, doc: u32, language: u8, emit: &mut Emit<'_, E>) -> Result<(), E> {
        let (mut start, mut chunk) = (0, Vec::new());
        for &(ordinal, end) in &self.chunks {
            let key = Key { doc, language, ordinal };
            chunk.clear();
            chunk.extend_from_slice(&self.bytes[start..end]);
            seal::seal(&mut chunk, &key.to_bytes());
            emit(key, &chunk)?;
            start = end;
        }
        Ok(())
    }
}

/// The outline whose chunks these are, in the order of their keys.
///
/// # Errors
///
/// The first error of `chunks`, and [`Corrupt`] where they are not all that was written.
pub fn decode<E, B>(
    key: Key,
    chunks: &mut dyn Iterator<Item = Result<(Key, B), E>>,
) -> Result<Outline, E>
where
    E: From<Corrupt>,
    B: AsRef<[u8]>,
{
    let (mut outline, mut count) = (Outline::default(), 0);
    let mut next = Key { ordinal: 0, ..key };
    loop {
        let Some(chunk) = chunks.next().transpose()? else {
            return Err(Corrupt { key: next }.into());
        };
        let (key, bytes) = chunk;
        if key != next {
            return Err(Corrupt { key: next }.into());
        }
        let corrupt = Corrupt { key };
        let (head, mut symbols) = open(key, bytes.as_ref())?;
        if let Some((extent, symbols)) = head {
            (outline.extent, count) = (extent, symbols);
        }
        while !symbols.rest.is_empty() {
            let symbol = symbols.next().ok_or(corrupt)?;
            // What encloses it comes before it; whoever follows that is to come to an end.
            if symbol.parent.is_some_and(|parent| parent as usize >= outline.symbols.len()) {
                return Err(corrupt.into());
            }
            outline.symbols.push(symbol);
        }
        next.ordinal = symbols.ordinal;
        if next.ordinal == count {
            return Ok(outline);
        }
        // A chunk without any would never end.
        if next.ordinal > count || next.ordinal == key.ordinal {
            return Err(corrupt.into());
        }
    }
}

/// The symbol `ordinal`, from the chunk that has it.
///
/// # Errors
///
/// [`Corrupt`] where the chunk is not what was written, or does not have it.
pub fn symbol(key: Key, chunk: &[u8], ordinal: u32) -> Result<Symbol, Corrupt> {
    let (_, mut symbols) = open(key, chunk)?;
    let corrupt = Corrupt { key };
    loop {
        let at = symbols.ordinal;
        let symbol = symbols.next().ok_or(corrupt)?;
        if at >= ordinal {
            return if at == ordinal { Ok(symbol) } else { Err(corrupt) };
        }
    }
}

type Head = Option<(Extent, u32)>;

fn open(key: Key, bytes: &[u8]) -> Result<(Head, Symbols<'_>), Corrupt> {
    let corrupt = Corrupt { key };
    let mut rest = seal::open(bytes, &key.to_bytes()).ok_or(corrupt)?;
    let mut head = None;
    if key.ordinal == 0 {
        let (extent, after) = rest.split_first().ok_or(corrupt)?;
        rest = after;
        let extent = EXTENTS.get(usize::from(*extent)).ok_or(corrupt)?;
        let count = take(&mut rest).and_then(|count| u32::try_from(count).ok()).ok_or(corrupt)?;
        head = Some((*extent, count));
    }
    Ok((head, Symbols { rest, ordinal: key.ordinal, before: Before::default() }))
}

const EXTENTS: [Extent; 4] = [Extent::Whole, Extent::Errors, Extent::Cut, Extent::GivenUp];

/// Reads the symbols of a chunk.
struct Symbols<'a> {
    rest: &'a [u8],
    /// The index of the next one.
    ordinal: u32,
    before: Before,
}

impl Symbols<'_> {
    fn next(&mut self) -> Option<Symbol> {
        let symbol = self.before.read(self.ordinal, &mut self.rest)?;
        self.ordinal = self.ordinal.checked_add(1)?;
        Some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use proptest::prelude::*;

    const KEY: Key = Key { doc: 7, language: 3, ordinal: 0 };

    type Chunks = Vec<(Key, Vec<u8>)>;

    fn chunks(outline: &Outline) -> Chunks {
        let mut chunks = Vec::new();
        let encoded = Encoded::new(outline);
        let put = &mut |key, bytes: &[u8]| {
            assert!(bytes.len() <= CHUNK);
            chunks.push((key, bytes.to_vec()));
            Ok::<(), Corrupt>(())
        };
        encoded.for_each(KEY.doc, KEY.language, put).unwrap();
        chunks
    }

    fn decoded(chunks: &Chunks) -> Result<Outline, Corrupt> {
        decode(KEY, &mut chunks.iter().cloned().map(Ok))
    }

    fn outline() -> impl Strategy<Value = Outline> {
        let number = || prop_oneof![4 => 0u32..300, 1 => any::<u32>()];
        let range = move || (number(), number()).prop_map(|(start, end)| start..end);
        let line = move || prop_oneof![Just(1u32), Just(2), number()];
        let symbol = (
            prop::sample::select(&Kind::ALL[..]),
            (range(), prop::option::of(range()), range(), number()),
            prop::option::of(prop_oneof![0u32..5, any::<u32>()]),
            (line(), line(), line(), line()),
            any::<bool>(),
        );
        let symbol = symbol.prop_map(|(kind, (name, scope, range, head), parent, lines, odd)| {
            let (line, column, first_line, last_line) = lines;
            let head = if odd { head } else { name.end };
            Symbol { kind, name, scope, range, head, parent, line, column, first_line, last_line }
        });
        let symbols = prop::collection::vec((symbol, 1usize..40), 0..25);
        (symbols, prop::sample::select(&EXTENTS[..])).prop_map(|(symbols, extent)| {
            let repeat = |(symbol, times)| std::iter::repeat_n(symbol, times);
            let mut symbols: Vec<Symbol> = symbols.into_iter().flat_map(repeat).collect();
            for (at, symbol) in (0..).zip(&mut symbols) {
                symbol.parent = symbol.parent.map(|parent| parent % at.max(1)).filter(|_| at > 0);
            }
            Outline { symbols, extent }
        })
    }

    proptest! {
        #[test]
        fn an_outline_comes_back_whole_and_by_the_symbol(outline in outline()) {
            let chunks = chunks(&outline);
            prop_assert_eq!(&decoded(&chunks).unwrap(), &outline);
            for (ordinal, expected) in (0..).zip(&outline.symbols) {
                let at = chunks.partition_point(|(key, _)| key.ordinal <= ordinal) - 1;
                let (key, bytes) = &chunks[at];
                prop_assert_eq!(&symbol(*key, bytes, ordinal).unwrap(), expected);
            }
        }

        #[test]
        fn damage_and_loss_are_found(outline in outline(), at: prop::sample::Index, flip in 1u8..) {
            let chunks = chunks(&outline);
            let chunk = at.index(chunks.len());
            let mut damaged = chunks.clone();
            let byte = at.index(damaged[chunk].1.len());
            damaged[chunk].1[byte] ^= flip;
            prop_assert!(decoded(&damaged).is_err());
            let (key, bytes) = &damaged[chunk];
            prop_assert!(symbol(*key, bytes, key.ordinal).is_err());
            let mut lost = chunks.clone();
            lost.remove(chunk);
            prop_assert!(decoded(&lost).is_err());
            let (key, bytes) = &chunks[chunk];
            let elsewhere = Key { doc: 8, ..*key };
            prop_assert!(symbol(elsewhere, bytes, key.ordinal).is_err());
            prop_assert!(symbol(*key, bytes, outline.symbols.len() as u32).is_err());
        }

        // A bug of ours could seal nonsense; even that must not panic.
        #[test]
        fn sealed_nonsense_is_refused_or_read_without_panic(
            mut body in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60),
            ordinal in prop_oneof![Just(0), any::<u32>()],
        ) {
            let key = Key { ordinal, ..KEY };
            seal::seal(&mut body, &key.to_bytes());
            let _ = symbol(key, &body, ordinal.saturating_add(1));
            let _ = decoded(&vec![(key, body)]);
        }

        #[test]
        fn keys_sort_as_their_bytes(a: (u32, u8, u32), b: (u32, u8, u32)) {
            let key = |(doc, language, ordinal)| Key { doc, language, ordinal };
            prop_assert_eq!(key(a).cmp(&key(b)), key(a).to_bytes().cmp(&key(b).to_bytes()));
            prop_assert_eq!(Key::from_bytes(key(a).to_bytes()), key(a));
        }
    }

    #[test]
    fn a_run_of_definitions_takes_few_bytes() {
        let symbols = (0..1_000u32).map(|at| Symbol {
            kind: Kind::Macro,
            name: at * 70 + 8..at * 70 + 40,
            scope: None,
            range: at * 70..at * 70 + 69,
            head: at * 70 + 69,
            parent: None,
            line: at + 1,
            column: 9,
            first_line: at + 1,
            last_line: at + 1,
        });
        let outline = Outline { symbols: symbols.collect(), extent: Extent::Whole };
        let bytes: usize = chunks(&outline).iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes < 4_200, "{bytes}");
    }
}
