//! Segments of postings: how they are read, added and merged.

use super::tables::{BLOCKS, CONTENTS, FILES, SEGMENTS};
use super::{BlockCache, Hash, StoreError};
use hob_index::postings::{self, Block, Builder, Corrupt, Input, Key, Source};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, WriteTransaction};
use std::sync::Arc;

/// A segment: the contents `base..base + docs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) base: u32,
    pub(super) docs: u32,
}

impl Segment {
    fn encode(self) -> Vec<u8> {
        let mut value = [self.base.to_le_bytes(), self.docs.to_le_bytes()].concat();
        value.extend(self.check());
        value
    }

    fn decode(number: u32, value: &[u8]) -> Option<Self> {
        let (body, check) = value.split_at_checked(8)?;
        let part = |at: usize| body[at..at + 4].try_into().map(u32::from_le_bytes).ok();
        let segment = Self { number, base: part(0)?, docs: part(4)? };
        (segment.check() == check).then_some(segment)
    }

    fn check(self) -> [u8; 8] {
        let parts = [self.number, self.base, self.docs].map(u32::to_le_bytes).concat();
        let mut check = [0; 8];
        check.copy_from_slice(&blake3::hash(&parts).as_bytes()[..8]);
        check
    }
}

/// One state of the store, for any number of readers at once.
pub(super) struct Reader {
    pub(super) segments: Vec<Segment>,
    pub(super) contents: ReadOnlyTable<&'static [u8; 32], u32>,
    pub(super) files: ReadOnlyTable<&'static [u8], &'static [u8]>,
    blocks: ReadOnlyTable<&'static [u8; 12], &'static [u8]>,
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
        segments.sort_by_key(|segment| segment.base);
        Ok(Self {
            segments,
            contents: read.open_table(CONTENTS)?,
            files: read.open_table(FILES)?,
            blocks: read.open_table(BLOCKS)?,
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
        cache: &'a BlockCache,
    ) -> SegmentSource<'a> {
        SegmentSource { reader: self, epoch, segment, cache }
    }
}

/// A segment as the engine reads it.
pub(super) struct SegmentSource<'a> {
    reader: &'a Reader,
    epoch: u64,
    segment: &'a Segment,
    cache: &'a BlockCache,
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
        if let Some(block) = self.cache.get(&cached) {
            return Ok(Some(block));
        }
        let block = Arc::new(Block::open(Key::from_bytes(*key.value()), bytes.value())?);
        self.cache.insert(cached, block.clone());
        Ok(Some(block))
    }
}

impl From<Corrupt> for StoreError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Damaged(corrupt.to_string())
    }
}

/// Writes a segment whose first content gets the number `base`.
pub(super) fn add(
    write: &WriteTransaction,
    base: u32,
    new: &[(Hash, u32)],
    builder: Builder,
) -> Result<(), StoreError> {
    let mut blocks = write.open_table(BLOCKS)?;
    let mut number = 0;
    let docs = builder.finish(&mut |key, block| -> Result<(), StoreError> {
        number = key.segment;
        blocks.insert(&key.to_bytes(), block)?;
        Ok(())
    })?;
    let segment = Segment { number, base, docs };
    write.open_table(SEGMENTS)?.insert(number, segment.encode().as_slice())?;
    let mut sorted: Vec<&(Hash, u32)> = new.iter().collect();
    sorted.sort_unstable();
    let mut contents = write.open_table(CONTENTS)?;
    for (hash, place) in sorted {
        contents.insert(hash, base + place)?;
    }
    Ok(())
}

/// Where the run of the newest segments begins that is worth a merge: at the oldest that is not more
/// than twice as large as all after it together.
pub(super) fn worth_merging(segments: &[Segment]) -> usize {
    let mut after: u64 = segments.iter().map(|segment| u64::from(segment.docs)).sum();
    for (at, segment) in segments.iter().enumerate() {
        let docs = u64::from(segment.docs);
        after -= docs;
        if docs <= 2 * after {
            return at;
        }
    }
    segments.len()
}

/// Puts a run of neighbours into one segment, in their place.
pub(super) fn merge(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
) -> Result<(), StoreError> {
    merge_into(reader, run, number, write)?;
    let mut blocks = write.open_table(BLOCKS)?;
    let mut segments = write.open_table(SEGMENTS)?;
    for segment in run {
        let (first, last) = bounds(segment.number);
        blocks.retain_in::<&[u8; 12], _>(&first..=&last, |_, _| false)?;
        segments.remove(segment.number)?;
    }
    Ok(())
}

/// Writes a run of neighbours as one segment, which may be in another file.
pub(super) fn merge_into(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
) -> Result<(), StoreError> {
    let mut streams = Vec::with_capacity(run.len());
    for segment in run {
        let (first, last) = bounds(segment.number);
        let range = reader.blocks.range::<&[u8; 12]>(&first..=&last)?;
        streams.push(range.map(|entry| -> Result<Arc<Block>, StoreError> {
            let (key, bytes) = entry?;
            Ok(Arc::new(Block::open(Key::from_bytes(*key.value()), bytes.value())?))
        }));
    }
    let mut blocks = write.open_table(BLOCKS)?;
    let mut inputs: Vec<Input<'_, StoreError>> = run
        .iter()
        .zip(&mut streams)
        .map(|(segment, blocks)| Input { docs: segment.docs, blocks })
        .collect();
    let docs = postings::merge(number, &mut inputs, &|_, _| true, &mut |key, block| {
        blocks.insert(&key.to_bytes(), block)?;
        Ok(())
    })?;
    let merged = Segment { number, base: run.first().map_or(0, |first| first.base), docs };
    write.open_table(SEGMENTS)?.insert(number, merged.encode().as_slice())?;
    Ok(())
}

/// The first and the last key that a segment's blocks can have.
fn bounds(segment: u32) -> ([u8; 12], [u8; 12]) {
    let first = Key { segment, trigram: 0, part: 0 };
    let last = Key { segment, trigram: u32::MAX, part: u32::MAX };
    (first.to_bytes(), last.to_bytes())
}
