//! How an outline is stored: in chunks of a few kilobytes, so that one symbol of many costs one.
//!
//! A chunk is stored under a [`Key`]. The first one, of ordinal 0, begins with a head:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | extent: `0` whole, `1` errors, `2` cut, `3` given up |
//! | 1–5 | how many symbols the outline has, LEB128 |
//!
//! Then in each chunk come symbols, in order, and 8 bytes of BLAKE3 over all before and the key. A
//! symbol is written as what differs from a guess; numbers are LEB128, a *distance* is zigzag:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1–6 | bit 0: another shape than the symbol before; above it the distance of its start from the end of the symbol before, or from the end of that one's name where that one is its parent |
//! | 0 or 2 | its shape, little-endian |
//! | 0–5 | *far parent*: its ordinal less the parent's |
//! | 1–5 | distance of the name's start from its start |
//! | 1–5 | distance of the name's end from the name's start |
//! | 1–5 | distance of its end from the name's end |
//! | 0–5 | *head*: distance from the name's end |
//! | 0–10 | *scope*: distance of its start from the symbol's start, and of its end from its start |
//! | 0–5 | *first line*: distance from the last line of the symbol before |
//! | 0–5 | *last line*: distance from the first line |
//! | 0–5 | *line*: distance from the first line |
//! | 0–5 | *column* |
//!
//! What a word in italics names is there if its bit of the shape says so. Bits 0–4 of a shape are the
//! kind; 5–6 the parent: `0` none, `1` that of the symbol before, `2` that symbol, `3` far; then head
//! (7; else the head is the end), head at the name's end (8), scope (9), first line (10; else one more
//! than the last line before), last line (11; else the first), line (12; else the first) and column
//! (13; else as far from 1 as the name's start is from the symbol's). Before the first symbol of a
//! chunk is one whose numbers are all 0.

use super::{Extent, Kind, Outline, Symbol};
use crate::seal::{self, CHECK};
use crate::varint::{push, take, unzigzag, zigzag};
use std::ops::Range;
use thiserror::Error;

/// A chunk ends before it has more bytes.
const CHUNK: usize = 4_040;
/// The most bytes of a symbol.
const SYMBOL: usize = 70;

const KIND: u16 = 0x1f;
const PARENT: u16 = 5;
const HEAD: u16 = 1 << 7;
const HEAD_AT_NAME: u16 = 1 << 8;
const SCOPE: u16 = 1 << 9;
const FIRST_LINE: u16 = 1 << 10;
const LAST_LINE: u16 = 1 << 11;
const LINE: u16 = 1 << 12;
const COLUMN: u16 = 1 << 13;

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
            outline.symbols.push(symbols.next().ok_or(corrupt)?);
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

/// What is known of the symbol before.
#[derive(Default)]
struct Before {
    shape: u16,
    name_end: u32,
    end: u32,
    last_line: u32,
    parent: Option<u32>,
}

impl Before {
    fn write(&mut self, ordinal: u32, symbol: &Symbol, out: &mut Vec<u8>) {
        let Symbol { kind, ref name, ref range, .. } = *symbol;
        let parent = self.parent_of(ordinal, symbol.parent);
        let shape = kind as u16 | parent << PARENT | self.flags(symbol);
        let distance = zigzag(self.origin(parent), range.start);
        push(out, distance << 1 | u64::from(shape != self.shape));
        if shape != self.shape {
            out.extend_from_slice(&shape.to_le_bytes());
        }
        if parent == 3 {
            push(out, u64::from(ordinal.wrapping_sub(symbol.parent.unwrap_or_default())));
        }
        push(out, zigzag(range.start, name.start));
        push(out, zigzag(name.start, name.end));
        push(out, zigzag(name.end, range.end));
        if shape & HEAD != 0 {
            push(out, zigzag(name.end, symbol.head));
        }
        if let Some(scope) = &symbol.scope {
            push(out, zigzag(range.start, scope.start));
            push(out, zigzag(scope.start, scope.end));
        }
        for (flag, from, to) in [
            (FIRST_LINE, self.last_line, symbol.first_line),
            (LAST_LINE, symbol.first_line, symbol.last_line),
            (LINE, symbol.first_line, symbol.line),
            (COLUMN, 0, symbol.column),
        ] {
            if shape & flag != 0 {
                push(out, zigzag(from, to));
            }
        }
        self.follow(shape, symbol);
    }

    fn read(&mut self, ordinal: u32, rest: &mut &[u8]) -> Option<Symbol> {
        let number = take(rest)?;
        let mut shape = self.shape;
        if number & 1 != 0 {
            let (bytes, after) = rest.split_first_chunk()?;
            (shape, *rest) = (u16::from_le_bytes(*bytes), after);
        }
        let distance = |from: u32, rest: &mut &[u8]| unzigzag(from, take(rest)?);
        let parent_code = shape >> PARENT & 3;
        let parent = match parent_code {
            0 => None,
            1 => self.parent,
            2 => Some(ordinal.checked_sub(1)?),
            _ => Some(ordinal.wrapping_sub(u32::try_from(take(rest)?).ok()?)),
        };
        let start = unzigzag(self.origin(parent_code), number >> 1)?;
        let name_start = distance(start, rest)?;
        let name = name_start..distance(name_start, rest)?;
        let range = start..distance(name.end, rest)?;
        let head = match shape & (HEAD | HEAD_AT_NAME) {
            0 => range.end,
            HEAD_AT_NAME => name.end,
            _ => distance(name.end, rest)?,
        };
        let scope = match shape & SCOPE {
            0 => None,
            _ => Some(take_range(start, rest)?),
        };
        let mut line = |flag: u16, guess: u32, from: u32| match shape & flag {
            0 => Some(guess),
            _ => distance(from, rest),
        };
        let first_line = line(FIRST_LINE, self.last_line.wrapping_add(1), self.last_line)?;
        let last_line = line(LAST_LINE, first_line, first_line)?;
        let symbol = Symbol {
            kind: Kind::from_number((shape & KIND) as u8)?,
            line: line(LINE, first_line, first_line)?,
            column: line(COLUMN, column_of(&name, &range), 0)?,
            name,
            scope,
            range,
            head,
            parent,
            first_line,
            last_line,
        };
        self.follow(shape, &symbol);
        Some(symbol)
    }

    /// How the parent is written.
    fn parent_of(&self, ordinal: u32, parent: Option<u32>) -> u16 {
        match parent {
            None => 0,
            parent if parent == self.parent => 1,
            Some(parent) if parent.checked_add(1) == Some(ordinal) => 2,
            _ => 3,
        }
    }

    /// Where the distance of a symbol's start is counted from.
    fn origin(&self, parent: u16) -> u32 {
        if parent == 2 { self.name_end } else { self.end }
    }

    fn flags(&self, symbol: &Symbol) -> u16 {
        let Symbol { ref name, ref range, first_line, .. } = *symbol;
        let head = match symbol.head {
            head if head == range.end => 0,
            head if head == name.end => HEAD_AT_NAME,
            _ => HEAD,
        };
        let flag = |is_other: bool, flag: u16| if is_other { flag } else { 0 };
        head | flag(symbol.scope.is_some(), SCOPE)
            | flag(first_line != self.last_line.wrapping_add(1), FIRST_LINE)
            | flag(symbol.last_line != first_line, LAST_LINE)
            | flag(symbol.line != first_line, LINE)
            | flag(symbol.column != column_of(name, range), COLUMN)
    }

    fn follow(&mut self, shape: u16, symbol: &Symbol) {
        *self = Self {
            shape,
            name_end: symbol.name.end,
            end: symbol.range.end,
            last_line: symbol.last_line,
            parent: symbol.parent,
        };
    }
}

/// The column of the name where the symbol begins its line.
fn column_of(name: &Range<u32>, range: &Range<u32>) -> u32 {
    name.start.wrapping_sub(range.start).wrapping_add(1)
}

fn take_range(from: u32, rest: &mut &[u8]) -> Option<Range<u32>> {
    let start = unzigzag(from, take(rest)?)?;
    Some(start..unzigzag(start, take(rest)?)?)
}

#[cfg(test)]
mod tests {
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
            Outline { symbols: symbols.into_iter().flat_map(repeat).collect(), extent }
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
