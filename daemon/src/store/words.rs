//! Which contents have a word, over all segments of a store.

use super::segment::{Reader, Segment};
use super::tables::{NAMED, WORDS};
use super::{Store, StoreError};
use crate::profile::stage;
use crate::store::merge::{Stop, check};
use hob_index::words::{self, Block, Corrupt, Emit, KEY_BYTES, Key, Merged, Posting, Source, Word};
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

/// A name, the contents that define it, with what the graph of names keeps of that, and those whose
/// text has it, and how often.
pub(crate) type Named<'a> = dyn FnMut(Word, &[Posting], &[Posting]) + 'a;

impl Store {
    /// Calls `take` with every whole name that `wants` does not leave out for who defines it, in order.
    /// Ends with [`StoreError::Stopped`] once `stop` says so.
    pub(crate) fn each_name(
        &self,
        wants: &dyn Fn(&[Posting]) -> bool,
        take: &mut Named<'_>,
        stop: &Stop<'_>,
    ) -> Result<(), StoreError> {
        let _stage = stage!("store.names").entered();
        self.checked(|| {
            let reader = self.reader();
            let segments: Vec<&Segment> = reader.segments.iter().collect();
            let mut names = streams(&reader, Field::Names, &segments, stop)?;
            let mut texts = streams(&reader, Field::Text, &segments, stop)?;
            let (mut names, mut texts) = (inputs(&mut names), inputs(&mut texts));
            let (mut names, mut texts) = (Merged::new(&mut names)?, Merged::new(&mut texts)?);
            let (mut definers, mut mentioners) = (Vec::new(), Vec::new());
            names.skip_to(Word(0).name())?;
            while let Some(name) = names.word() {
                names.take(&mut definers)?;
                let Some(word) = name.named().filter(|_| wants(&definers)) else { continue };
                texts.skip_to(word)?;
                mentioners.clear();
                if texts.word() == Some(word) {
                    texts.take(&mut mentioners)?;
                }
                take(word, &definers, &mentioners);
            }
            Ok(())
        })
    }
}

/// The blocks of a segment's words, in order.
type Stream<'a> = (u32, Box<dyn Iterator<Item = Result<Block, StoreError>> + 'a>);

fn streams<'a>(
    reader: &Reader,
    field: Field,
    segments: &[&Segment],
    stop: &'a Stop<'_>,
) -> Result<Vec<Stream<'a>>, StoreError> {
    let mut streams: Vec<Stream<'a>> = Vec::new();
    for segment in segments.iter().filter(|segment| field.is_in(segment)) {
        let (first, last) = bounds(segment.number);
        let range = field.table(reader).range::<&[u8; KEY_BYTES]>(&first..=&last)?;
        let blocks = range.map(|entry| {
            check(stop)?;
            open(entry)
        });
        streams.push((segment.number, Box::new(blocks)));
    }
    Ok(streams)
}

fn inputs<'a>(streams: &'a mut [Stream<'_>]) -> Vec<(u32, words::Blocks<'a, StoreError>)> {
    let blocks =
        |(segment, blocks): &'a mut Stream<'_>| (*segment, blocks as words::Blocks<'a, StoreError>);
    streams.iter_mut().map(blocks).collect()
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
        let segments: Vec<&Segment> = run.iter().collect();
        let mut streams = streams(reader, field, &segments, stop)?;
        if streams.is_empty() {
            continue;
        }
        let mut inputs = inputs(&mut streams);
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
