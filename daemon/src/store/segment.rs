//! Segments: their records, and how they are read and merged.

use super::tables::{
    BLOCKS, COMMITS, CONTENTS, DIRECTORY, ENTRIES, FILES, NAMED, NAMES, OUTLINES, REFERENCES,
    SEGMENTS, STALE, WORDS,
};
use super::{Caches, StoreError};
use hob_index::names::{self, Counts, Row, entries_key, names_key};
use hob_index::postings::{Block, Corrupt, Key, Source};
use hob_index::words::KEY_BYTES;
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, WriteTransaction};
use std::sync::Arc;

/// A segment: the postings of the documents `base..base + docs`, and names that were found together
/// with them. It may have names alone, of contents that are known from before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) base: u32,
    pub(super) docs: u32,
    pub(super) counts: Counts,
}

impl Segment {
    pub(super) fn encode(self) -> Vec<u8> {
        let Self { number, base, docs, counts: Counts { names, blocks, definitions } } = self;
        let mut value = [base, docs, names, blocks, definitions].map(u32::to_le_bytes).concat();
        let check = check(number, &value);
        value.extend(check);
        value
    }

    pub(super) fn decode(number: u32, value: &[u8]) -> Option<Self> {
        let [base, docs, names, blocks, definitions] = checked_numbers(number, value)?;
        Some(Self { number, base, docs, counts: Counts { names, blocks, definitions } })
    }

    /// About how many bytes it takes, in twelves: those of a definition. A document has about 3,400.
    pub(super) fn weight(&self) -> u64 {
        u64::from(self.docs) * 280 + u64::from(self.counts.definitions)
    }
}

fn checked_numbers<const N: usize>(number: u32, value: &[u8]) -> Option<[u32; N]> {
    let (body, stored) = value.split_at_checked(4 * N)?;
    let (numbers, rest) = body.as_chunks::<4>();
    let is_whole = rest.is_empty() && check(number, body) == stored;
    let numbers = numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect::<Vec<_>>();
    numbers.try_into().ok().filter(|_| is_whole)
}

fn check(number: u32, body: &[u8]) -> [u8; 8] {
    let mut check = [0; 8];
    let parts = [&number.to_le_bytes(), body].concat();
    check.copy_from_slice(&blake3::hash(&parts).as_bytes()[..8]);
    check
}

/// One state of the store, for any number of readers at once.
pub(super) struct Reader {
    pub(super) segments: Vec<Segment>,
    pub(super) contents: ReadOnlyTable<&'static [u8; 32], u32>,
    pub(super) files: ReadOnlyTable<&'static [u8], &'static [u8]>,
    pub(super) names: ReadOnlyTable<&'static [u8; 8], &'static [u8]>,
    pub(super) directory: ReadOnlyTable<&'static [u8], u32>,
    pub(super) entries: ReadOnlyTable<&'static [u8; 12], &'static [u8]>,
    pub(super) outlines: ReadOnlyTable<&'static [u8; 9], &'static [u8]>,
    pub(super) references: ReadOnlyTable<&'static [u8; 9], &'static [u8]>,
    pub(super) stale: ReadOnlyTable<u32, ()>,
    pub(super) blocks: ReadOnlyTable<&'static [u8; 12], &'static [u8]>,
    pub(super) words: ReadOnlyTable<&'static [u8; KEY_BYTES], &'static [u8]>,
    pub(super) named: ReadOnlyTable<&'static [u8; KEY_BYTES], &'static [u8]>,
    pub(super) commits: ReadOnlyTable<&'static [u8], &'static [u8]>,
    /// A table cannot be read any more when its database is closed.
    _db: Arc<Database>,
}

impl Reader {
    pub(super) fn open(db: &Arc<Database>) -> Result<Self, StoreError> {
        let read = db.begin_read()?;
        let mut segments = Vec::new();
        for entry in read.open_table(SEGMENTS)?.iter()? {
            let (number, value) = entry?;
            let segment = Segment::decode(number.value(), value.value())
                .ok_or_else(|| StoreError::Damaged("a segment's record is damaged".into()))?;
            segments.push(segment);
        }
        // One without documents stands before one with them that begins at the same number.
        segments.sort_by_key(|segment| (segment.base + segment.docs, segment.base, segment.number));
        Ok(Self {
            segments,
            contents: read.open_table(CONTENTS)?,
            files: read.open_table(FILES)?,
            names: read.open_table(NAMES)?,
            directory: read.open_table(DIRECTORY)?,
            entries: read.open_table(ENTRIES)?,
            outlines: read.open_table(OUTLINES)?,
            references: read.open_table(REFERENCES)?,
            stale: read.open_table(STALE)?,
            blocks: read.open_table(BLOCKS)?,
            words: read.open_table(WORDS)?,
            named: read.open_table(NAMED)?,
            commits: read.open_table(COMMITS)?,
            _db: db.clone(),
        })
    }

    /// The number that the next content gets.
    pub(super) fn end(&self) -> u32 {
        self.segments.last().map_or(0, |segment| segment.base + segment.docs)
    }

    pub(super) fn source<'a>(
        &'a self,
        epoch: u64,
        segment: &'a Segment,
        caches: &'a Caches,
    ) -> SegmentSource<'a> {
        SegmentSource { reader: self, epoch, segment, caches }
    }
}

/// A segment as the engine reads it.
pub(super) struct SegmentSource<'a> {
    reader: &'a Reader,
    epoch: u64,
    segment: &'a Segment,
    caches: &'a Caches,
}

impl Source for SegmentSource<'_> {
    type Error = StoreError;

    fn segment(&self) -> u32 {
        self.segment.number
    }

    fn docs(&self) -> u32 {
        self.segment.docs
    }

    fn block(&self, trigram: u32, part: u32) -> Result<Option<Arc<Block>>, StoreError> {
        let segment = self.segment.number;
        let first = Key { segment, trigram: 0, part: 0 }.to_bytes();
        let wanted = Key { segment, trigram, part }.to_bytes();
        let mut range = self.reader.blocks.range::<&[u8; 12]>(&first..=&wanted)?;
        let Some(entry) = range.next_back() else { return Ok(None) };
        let (key, bytes) = entry?;
        let cached = (self.epoch, *key.value());
        if let Some(block) = self.caches.blocks.get(&cached) {
            return Ok(Some(block));
        }
        let block = Arc::new(Block::open(Key::from_bytes(*key.value()), bytes.value())?);
        self.caches.blocks.insert(cached, block.clone());
        Ok(Some(block))
    }
}

impl From<Corrupt> for StoreError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Damaged(corrupt.to_string())
    }
}

/// Writes the rows of a segment's names, which `finish` gives.
pub(super) fn insert_names(
    write: &WriteTransaction,
    segment: u32,
    finish: impl FnOnce(&mut names::Emit<'_, StoreError>) -> Result<Counts, StoreError>,
) -> Result<Counts, StoreError> {
    let mut names = write.open_table(NAMES)?;
    let mut directory = write.open_table(DIRECTORY)?;
    let mut entries = write.open_table(ENTRIES)?;
    finish(&mut |row| {
        match row {
            Row::Names { block, bytes } => drop(names.insert(&names_key(segment, block), bytes)?),
            Row::Directory { key, block } => {
                let key = [&segment.to_be_bytes(), key].concat();
                directory.insert(key.as_slice(), block)?;
            }
            Row::Entries { name, part, bytes } => {
                drop(entries.insert(&entries_key(segment, name, part), bytes)?);
            }
        }
        Ok(())
    })
}
