//! Merges segments in the background.

use super::names::open_entries;
use super::segment::{Reader, Segment, insert_names};
use super::tables::{
    BLOCKS, DIRECTORY, ENTRIES, NAMES, SEGMENTS, begin, commit, copy_tables, create, make_tables,
};
use super::words::{merge_words, remove_words};
use super::{Store, StoreError};
use crate::profile::stage;
use hob_index::names::{self, Corrupt, Counts, Names, entries_key, names_key};
use hob_index::postings::{self, Block, Key};
use redb::{Database, WriteTransaction};
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// More segments than this are merged in the background: each costs a query a look-up.
const MOST_SEGMENTS: usize = 4;

/// Whether work is to stop before its end.
pub(crate) type Stop<'a> = dyn Fn() -> bool + 'a;

impl Store {
    /// Merges neighbouring segments until there are few, or each is much larger than all after it
    /// together: so a content is written anew only as often as the logarithm of their number.
    /// Queries go on meanwhile. Ends with [`StoreError::Stopped`], and all as it was before, once
    /// `stop` says so.
    pub(crate) fn merge(&self, stop: &Stop<'_>) -> Result<(), StoreError> {
        let _stage = stage!("store.merge").entered();
        while self.checked(|| self.merge_once(stop))? {}
        self.caches.tidy();
        Ok(())
    }

    /// Whether there is something to merge.
    pub(crate) fn wants_merge(&self) -> bool {
        let segments = &self.reader().segments;
        segments.len() > MOST_SEGMENTS && segments.len() - worth_merging(segments) > 1
    }

    fn merge_once(&self, stop: &Stop<'_>) -> Result<bool, StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let reader = self.reader();
        let run = &reader.segments[worth_merging(&reader.segments)..];
        if reader.segments.len() <= MOST_SEGMENTS || run.len() < 2 {
            return Ok(false);
        }
        let number = self.next_segment();
        if run.len() == reader.segments.len() {
            let run = run.to_vec();
            drop(db);
            return self.rewrite(&reader, &run, number, stop).map(|()| true);
        }
        let write = begin(&db)?;
        merge_in_place(&reader, run, number, &write, stop)?;
        commit(write)?;
        self.reopen_reader(&db)?;
        Ok(true)
    }

    /// Merges all segments into one, in a new file that takes the place of the old one. What is
    /// freed in a file of redb's stays in it, and compacting it would keep every query waiting;
    /// this way they go on in the old file.
    fn rewrite(
        &self,
        reader: &Reader,
        run: &[Segment],
        number: u32,
        stop: &Stop<'_>,
    ) -> Result<(), StoreError> {
        let path = self.path.with_extension("new");
        let _ = std::fs::remove_file(&path);
        // Nothing is left of one that was stopped.
        let made = self.write_anew(&path, reader, run, number, stop);
        if made.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        let new = made?;
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        // Nothing was written to the old file meanwhile: who writes has the lock of `writing`.
        std::fs::rename(&path, &self.path).map_err(redb::Error::Io)?;
        *db = Arc::new(new);
        self.reopen_reader(&db)
    }

    fn write_anew(
        &self,
        path: &Path,
        reader: &Reader,
        run: &[Segment],
        number: u32,
        stop: &Stop<'_>,
    ) -> Result<Database, StoreError> {
        let mut new = create(path)?;
        make_tables(&new, self.rules)?;
        let write = begin(&new)?;
        merge_into(reader, run, number, &write, stop)?;
        {
            let old = self.db.read().unwrap_or_else(PoisonError::into_inner);
            copy_tables(&old, &write, stop)?;
        }
        commit(write)?;
        new.compact()?;
        Ok(new)
    }
}

/// Where the run of the newest segments begins that is worth a merge: at the oldest that is not more
/// than twice as large as all after it together.
fn worth_merging(segments: &[Segment]) -> usize {
    let mut after: u64 = segments.iter().map(Segment::weight).sum();
    for (at, segment) in segments.iter().enumerate() {
        after -= segment.weight();
        if segment.weight() <= 2 * after {
            return at;
        }
    }
    segments.len()
}

/// Puts a run of neighbours into one segment, in their place.
fn merge_in_place(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<(), StoreError> {
    merge_into(reader, run, number, write, stop)?;
    let mut blocks = write.open_table(BLOCKS)?;
    let mut names = write.open_table(NAMES)?;
    let mut directory = write.open_table(DIRECTORY)?;
    let mut entries = write.open_table(ENTRIES)?;
    let mut segments = write.open_table(SEGMENTS)?;
    for Segment { number, .. } in run {
        remove_words(write, *number)?;
        let (first, last) = bounds(*number);
        blocks.retain_in::<&[u8; 12], _>(&first..=&last, |_, _| false)?;
        let (first, last) = (names_key(*number, 0), names_key(*number, u32::MAX));
        names.retain_in::<&[u8; 8], _>(&first..=&last, |_, _| false)?;
        let (first, last) = (entries_key(*number, 0, 0), entries_key(*number, u32::MAX, u32::MAX));
        entries.retain_in::<&[u8; 12], _>(&first..=&last, |_, _| false)?;
        let (first, next) = (number.to_be_bytes(), number.saturating_add(1).to_be_bytes());
        directory.retain_in::<&[u8], _>(first.as_slice()..next.as_slice(), |_, _| false)?;
        segments.remove(number)?;
    }
    Ok(())
}

/// Writes a run of neighbours as one segment, which may be in another file.
fn merge_into(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<(), StoreError> {
    let docs = merge_text(reader, run, number, write, stop)?;
    let counts = merge_names(reader, run, number, write, stop)?;
    merge_words(reader, run, number, write, stop)?;
    let merged = Segment { number, base: run.first().map_or(0, |first| first.base), docs, counts };
    write.open_table(SEGMENTS)?.insert(number, merged.encode().as_slice())?;
    Ok(())
}

fn merge_text(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<u32, StoreError> {
    let run: Vec<&Segment> = run.iter().filter(|segment| segment.docs > 0).collect();
    if run.is_empty() {
        return Ok(0);
    }
    let mut streams = Vec::with_capacity(run.len());
    for segment in &run {
        let (first, last) = bounds(segment.number);
        let range = reader.blocks.range::<&[u8; 12]>(&first..=&last)?;
        streams.push(range.map(|entry| -> Result<Arc<Block>, StoreError> {
            let (key, bytes) = entry?;
            Ok(Arc::new(Block::open(Key::from_bytes(*key.value()), bytes.value())?))
        }));
    }
    let mut blocks = write.open_table(BLOCKS)?;
    let mut inputs: Vec<postings::Input<'_, StoreError>> = run
        .iter()
        .zip(&mut streams)
        .map(|(segment, blocks)| postings::Input { docs: segment.docs, blocks })
        .collect();
    postings::merge(number, &mut inputs, &|_, _| true, &mut |key, block| {
        check(stop)?;
        blocks.insert(&key.to_bytes(), block)?;
        Ok(())
    })
}

fn merge_names(
    reader: &Reader,
    run: &[Segment],
    number: u32,
    write: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<Counts, StoreError> {
    let (mut blocks, mut lists) = (Vec::new(), Vec::new());
    for Segment { number, .. } in run {
        let (first, last) = (names_key(*number, 0), names_key(*number, u32::MAX));
        let range = reader.names.range::<&[u8; 8]>(&first..=&last)?;
        blocks.push(range.zip(0..).map(|(entry, block)| {
            check(stop)?;
            let (key, bytes) = entry?;
            let lost = Corrupt { segment: *number, sort: names::Sort::Names, number: block };
            let is_next = *key.value() == names_key(*number, block);
            Ok(Names::open(*number, block, if is_next { bytes.value() } else { &[] })
                .map_err(|_| lost)?)
        }));
        let (first, last) = (entries_key(*number, 0, 0), entries_key(*number, u32::MAX, u32::MAX));
        let range = reader.entries.range::<&[u8; 12]>(&first..=&last)?;
        lists.push(range.map(|entry| {
            let (key, bytes) = entry?;
            open_entries(*number, key.value(), bytes.value())
        }));
    }
    let mut inputs: Vec<names::Input<'_, StoreError>> = run
        .iter()
        .zip(blocks.iter_mut().zip(&mut lists))
        .map(|(segment, (names, entries))| names::Input {
            segment: segment.number,
            counts: segment.counts,
            names,
            entries,
        })
        .collect();
    insert_names(write, number, |emit| names::merge(number, &mut inputs, emit))
}

/// An error where the work is to stop.
pub(super) fn check(stop: &Stop<'_>) -> Result<(), StoreError> {
    if stop() { Err(StoreError::Stopped) } else { Ok(()) }
}

/// The first and the last key that a segment's blocks of postings can have.
fn bounds(segment: u32) -> ([u8; 12], [u8; 12]) {
    let first = Key { segment, trigram: 0, part: 0 };
    let last = Key { segment, trigram: u32::MAX, part: u32::MAX };
    (first.to_bytes(), last.to_bytes())
}
