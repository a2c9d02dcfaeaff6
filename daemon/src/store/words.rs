//! Which contents have a word, over all segments of a store.

use super::segment::{Reader, Segment};
use super::tables::{NAMED, WORDS};
use super::{Store, StoreError};
use crate::store::merge::{Stop, check};
use hob_index::words::{self, Block, Corrupt, Emit, KEY_BYTES, Key, Posting, Source, Word};
use redb::{ReadOnlyTable, TableDefinition, WriteTransaction};

type Table = ReadOnlyTable<&'static [u8; KEY_BYTES], &'static [u8]>;

/// Which words of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Those of its text.
    Text,
    /// Those of the names that it defines.
    Names,
}

impl Field {
    fn table(self, reader: &Reader) -> &Table {
        match self {
            Self::Text => &reader.words,
            Self::Names => &reader.named,
        }
    }

    fn definition(self) -> TableDefinition<'static, &'static [u8; KEY_BYTES], &'static [u8]> {
        match self {
            Self::Text => WORDS,
            Self::Names => NAMED,
        }
    }

    /// Whether a segment has such words.
    fn is_in(self, segment: &Segment) -> bool {
        match self {
            Self::Text => segment.docs > 0,
            Self::Names => segment.counts.names > 0,
        }
    }
}

impl Store {
    /// The contents that have a word, by number, and how often. The names of a content that is of
    /// two languages may be there twice.
    pub(crate) fn words(&self, field: Field, word: Word) -> Result<Vec<Posting>, StoreError> {
        self.checked(|| {
            let reader = self.reader();
            let mut found = Vec::new();
            for segment in reader.segments.iter().filter(|segment| field.is_in(segment)) {
                let table = field.table(&reader);
                found.extend(words::find(&Stored { table, segment: segment.number }, word)?);
            }
            Ok(found)
        })
    }
}

/// The words of a segment as the engine reads them.
struct Stored<'a> {
    table: &'a Table,
    segment: u32,
}

impl Source for Stored<'_> {
    type Error = StoreError;

    fn segment(&self) -> u32 {
        self.segment
    }

    fn last(&self, key: Key) -> Result<Option<Block>, StoreError> {
        let first = Key { segment: self.segment, word: 0, part: 0 }.to_bytes();
        let wanted = key.to_bytes();
        let mut range = self.table.range::<&[u8; KEY_BYTES]>(&first..=&wanted)?;
        range.next_back().map(open).transpose()
    }

    fn at(&self, key: Key) -> Result<Option<Block>, StoreError> {
        let found = self.table.get(&key.to_bytes())?;
        Ok(found.map(|bytes| Block::open(key, bytes.value())).transpose()?)
    }
}

type Entry = Result<
    (
        redb::AccessGuard<'static, &'static [u8; KEY_BYTES]>,
        redb::AccessGuard<'static, &'static [u8]>,
    ),
    redb::StorageError,
>;

fn open(entry: Entry) -> Result<Block, StoreError> {
    let (key, bytes) = entry?;
    Ok(Block::open(Key::from_bytes(*key.value()), bytes.value())?)
}

/// Writes the blocks of a segment, which `finish` gives.
pub(super) fn insert_words(
    write: &WriteTransaction,
    table: TableDefinition<'_, &'static [u8; KEY_BYTES], &'static [u8]>,
    finish: impl FnOnce(&mut Emit<'_, StoreError>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut table = write.open_table(table)?;
    finish(&mut |key, bytes| {
        table.insert(&key.to_bytes(), bytes)?;
        Ok(())
    })
}

/// Writes the words of segments as those of one.
pub(super) fn merge_words(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<(), StoreError> {
    for field in [Field::Text, Field::Names] {
        let run: Vec<&Segment> = run.iter().filter(|segment| field.is_in(segment)).collect();
        if run.is_empty() {
            continue;
        }
        let mut streams = Vec::with_capacity(run.len());
        for segment in &run {
            let (first, last) = bounds(segment.number);
            let range = field.table(reader).range::<&[u8; KEY_BYTES]>(&first..=&last)?;
            streams.push(range.map(|entry| {
                check(stop)?;
                open(entry)
            }));
        }
        let mut inputs: Vec<(u32, words::Blocks<'_, StoreError>)> = run
            .iter()
            .zip(&mut streams)
            .map(|(segment, blocks)| (segment.number, blocks as words::Blocks<'_, StoreError>))
            .collect();
        insert_words(write, field.definition(), |emit| words::merge(number, &mut inputs, emit))?;
    }
    Ok(())
}

/// Takes the words of a segment away.
pub(super) fn remove_words(write: &WriteTransaction, segment: u32) -> Result<(), StoreError> {
    let (first, last) = bounds(segment);
    for table in [WORDS, NAMED] {
        let mut table = write.open_table(table)?;
        table.retain_in::<&[u8; KEY_BYTES], _>(&first..=&last, |_, _| false)?;
    }
    Ok(())
}

/// The first and the last key that a segment's words can have.
fn bounds(segment: u32) -> ([u8; KEY_BYTES], [u8; KEY_BYTES]) {
    let first = Key { segment, word: 0, part: 0 };
    let last = Key { segment, word: (1 << 40) - 1, part: u16::MAX };
    (first.to_bytes(), last.to_bytes())
}

impl From<Corrupt> for StoreError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Damaged(corrupt.to_string())
    }
}
