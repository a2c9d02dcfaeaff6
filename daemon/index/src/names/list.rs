//! A block of entries.
//!
//! Stored under [`entries_key`]. Integers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | `2`: a block of entries |
//! | 4 | *until*: one past the last name that it has entries of |
//! | 1 | `1`: the list of that name goes on in the next block, else `0` |
//! | 1 | how many pairs |
//! | 2 a pair | language, [`Kind`] |
//! | … | the lists of the names, from the key's on |
//! | 8 | check |
//!
//! A list is the entries of a name in order. An entry:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1–6 | a number, LEB128: bit 0 the last one of its list, bit 1 another pair than the entry before; above them, the distance of its document from that of the entry before, zigzag |
//! | 0 or 1 | its pair |
//! | 1–5 | its ordinal; where the document is the same, the distance from that of the entry before, zigzag |
//!
//! The first entry of a block comes after document 0, ordinal 0, pair 0. The blocks of a segment
//! have the lists of all names without a hole: the next one's key is (*until*, 0), or (*until* − 1,
//! part + 1) where a list goes on. The check is 8 bytes of BLAKE3 over all before it and the key.

use super::write::{Emit, Row};
use super::{BLOCK, Corrupt, Entry, Sort, entries_key};
use crate::seal::{self, CHECK};
use crate::symbols::Kind;
use crate::varint;

const ENTRIES: u8 = 2;
const HEAD: usize = 7;
/// The most bytes of an entry.
const ENTRY: usize = 16;

/// A block of entries whose check and lengths are right.
#[derive(Clone, Debug)]
pub struct Entries {
    segment: u32,
    name: u32,
    part: u32,
    until: u32,
    goes_on: bool,
    lists: usize,
    bytes: Box<[u8]>,
}

/// An entry, and whether it is the last one of its list.
type Read = (Entry, bool);

impl Entries {
    /// Checks the bytes that were stored under the key of the block.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] where they are not the bytes that were written.
    pub fn open(segment: u32, name: u32, part: u32, bytes: &[u8]) -> Result<Self, Corrupt> {
        let corrupt = Corrupt { segment, sort: Sort::Entries, number: name };
        let body = seal::open(bytes, &entries_key(segment, name, part)).ok_or(corrupt)?;
        let [ENTRIES, a, b, c, d, goes_on, pairs, ..] = body else { return Err(corrupt) };
        let entries = Self {
            segment,
            name,
            part,
            until: u32::from_le_bytes([*a, *b, *c, *d]),
            goes_on: *goes_on == 1,
            lists: HEAD + 2 * usize::from(*pairs),
            bytes: body.into(),
        };
        if *goes_on <= 1 && entries.is_sound() { Ok(entries) } else { Err(corrupt) }
    }

    /// Whether the list of `name` begins in it, or in part `part` goes on.
    pub(super) fn begins(&self, name: u32, part: u32) -> bool {
        match part {
            0 => (self.name, self.part) <= (name, 0) && name < self.until,
            _ => (self.name, self.part) == (name, part),
        }
    }

    /// Where the next block begins.
    pub(super) fn next(&self) -> (u32, u32) {
        match self.goes_on {
            false => (self.until, 0),
            true if self.until == self.name + 1 => (self.name, self.part + 1),
            true => (self.until - 1, 1),
        }
    }

    /// The key's name and part.
    pub(super) fn key(&self) -> (u32, u32) {
        (self.name, self.part)
    }

    pub(super) fn corrupt(&self) -> Corrupt {
        Corrupt { segment: self.segment, sort: Sort::Entries, number: self.name }
    }

    /// All its entries in order, each with whether it is the last one of its name.
    pub(super) fn iter(&self) -> Reading<'_> {
        self.from(self.start())
    }

    /// Where its first entry is.
    pub(super) fn start(&self) -> Position {
        Position { at: self.lists, ..Position::default() }
    }

    /// Where the list of a name begins; none where that is in another block.
    pub(super) fn list(&self, name: u32) -> Option<Position> {
        let mut reading = self.iter();
        let before = name.checked_sub(self.name)?;
        let mut ended = 0;
        while ended < before {
            let (_, is_last) = reading.next()?;
            ended += u32::from(is_last);
        }
        (name < self.until).then(|| reading.position())
    }

    /// The same, from a place on.
    pub(super) fn from(&self, position: Position) -> Reading<'_> {
        Reading { block: self, position }
    }

    fn is_sound(&self) -> bool {
        if self.bytes.len() < self.lists || self.name >= self.until {
            return false;
        }
        let mut reading = self.iter();
        let (mut ended, mut is_last) = (0u32, true);
        for (_, last) in &mut reading {
            ended += u32::from(last);
            is_last = last;
        }
        let lists = self.until - self.name - u32::from(self.goes_on);
        reading.position.at == self.bytes.len()
            && ended == lists
            && is_last != self.goes_on
            && self.bytes.len() > self.lists
    }
}

/// A place between the entries of a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Position {
    at: usize,
    doc: u32,
    ordinal: u32,
    pair: u8,
}

/// Reads the entries of a block.
pub(super) struct Reading<'a> {
    block: &'a Entries,
    position: Position,
}

impl Reading<'_> {
    /// Where it is.
    pub(super) fn position(&self) -> Position {
        self.position
    }

    fn entry(&mut self) -> Option<Read> {
        let bytes = &self.block.bytes;
        let mut rest = bytes.get(self.position.at..)?;
        let before = self.position;
        let number = varint::take(&mut rest)?;
        let doc = varint::unzigzag(before.doc, number >> 2)?;
        let mut pair = before.pair;
        if number & 2 != 0 {
            let (&other, after) = rest.split_first()?;
            (pair, rest) = (other, after);
        }
        let ordinal = varint::take(&mut rest)?;
        let ordinal = match doc == before.doc {
            true => varint::unzigzag(before.ordinal, ordinal)?,
            false => u32::try_from(ordinal).ok()?,
        };
        let pairs = bytes.get(HEAD..self.block.lists)?.as_chunks::<2>().0;
        let [language, kind] = *pairs.get(usize::from(pair))?;
        let entry = Entry { doc, language, ordinal, kind: Kind::from_number(kind)? };
        self.position = Position { at: bytes.len() - rest.len(), doc, ordinal, pair };
        Some((entry, number & 1 != 0))
    }
}

impl Iterator for Reading<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        self.entry()
    }
}

/// The block of entries at hand.
pub(super) struct EntriesWriter {
    segment: u32,
    /// Its key.
    name: u32,
    part: u32,
    /// The name that the next entry belongs to, and whether it has one already.
    at: u32,
    is_inside: bool,
    pairs: Vec<[u8; 2]>,
    lists: Vec<u8>,
    before: (u32, u32, u8),
    scratch: Vec<u8>,
}

impl EntriesWriter {
    pub(super) fn new(segment: u32) -> Self {
        Self {
            segment,
            name: 0,
            part: 0,
            at: 0,
            is_inside: false,
            pairs: Vec::new(),
            lists: Vec::new(),
            before: (0, 0, 0),
            scratch: Vec::new(),
        }
    }

    /// Adds the next entry of a name, or its last one.
    pub(super) fn push<E>(
        &mut self,
        entry: Entry,
        is_last: bool,
        emit: &mut Emit<'_, E>,
    ) -> Result<(), E> {
        let taken = 2 * self.pairs.len() + self.lists.len();
        if taken + ENTRY > BLOCK - HEAD - CHECK || self.pairs.len() == 255 {
            self.flush(emit)?;
        }
        let pair = self.pair([entry.language, entry.kind as u8]);
        let (doc, ordinal, pair_before) = self.before;
        let flags = u64::from(is_last) | u64::from(pair != pair_before) << 1;
        varint::push(&mut self.lists, varint::zigzag(doc, entry.doc) << 2 | flags);
        self.lists.extend((pair != pair_before).then_some(pair));
        let ordinal = match entry.doc == doc {
            true => varint::zigzag(ordinal, entry.ordinal),
            false => u64::from(entry.ordinal),
        };
        varint::push(&mut self.lists, ordinal);
        self.before = (entry.doc, entry.ordinal, pair);
        self.is_inside = !is_last;
        self.at += u32::from(is_last);
        Ok(())
    }

    fn pair(&mut self, pair: [u8; 2]) -> u8 {
        let known = self.pairs.iter().position(|known| *known == pair);
        known.unwrap_or_else(|| {
            self.pairs.push(pair);
            self.pairs.len() - 1
        }) as u8
    }

    /// Writes out the block at hand.
    pub(super) fn flush<E>(&mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        if self.lists.is_empty() {
            return Ok(());
        }
        let block = &mut self.scratch;
        block.clear();
        block.push(ENTRIES);
        block.extend_from_slice(&(self.at + u32::from(self.is_inside)).to_le_bytes());
        block.extend_from_slice(&[u8::from(self.is_inside), self.pairs.len() as u8]);
        block.extend_from_slice(self.pairs.as_flattened());
        block.append(&mut self.lists);
        seal::seal(block, &entries_key(self.segment, self.name, self.part));
        emit(Row::Entries { name: self.name, part: self.part, bytes: block })?;
        self.pairs.clear();
        self.before = (0, 0, 0);
        self.part = match (self.is_inside, self.at == self.name) {
            (true, true) => self.part + 1,
            (true, false) => 1,
            _ => 0,
        };
        self.name = self.at;
        Ok(())
    }
}
