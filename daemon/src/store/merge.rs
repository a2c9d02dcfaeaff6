//! Merges segments in the background.

use super::segment::{self, Reader, Segment};
use super::tables::{begin, copy_tables, create, make_tables};
use super::{Store, StoreError};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

/// More segments than this are merged in the background: each costs a query a look-up.
const MOST_SEGMENTS: usize = 4;
impl Store {
    /// Merges neighbouring segments until there are few, or each is much larger than all after it
    /// together: so a content is written anew only as often as the logarithm of their number.
    /// Queries go on meanwhile.
    pub(crate) fn merge(&self) -> Result<(), StoreError> {
        while self.checked(|| self.merge_once())? {}
        Ok(())
    }

    fn merge_once(&self) -> Result<bool, StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let reader = self.reader();
        let run = &reader.segments[segment::worth_merging(&reader.segments)..];
        if reader.segments.len() <= MOST_SEGMENTS || run.len() < 2 {
            return Ok(false);
        }
        let number = self.next_segment.fetch_add(1, Ordering::Relaxed);
        if run.len() == reader.segments.len() {
            let run = run.to_vec();
            drop(db);
            return self.rewrite(&reader, &run, number).map(|()| true);
        }
        let write = begin(&db)?;
        segment::merge(&reader, run, number, &write)?;
        write.commit()?;
        self.reopen_reader(&db)?;
        Ok(true)
    }

    /// Merges all segments into one, in a new file that takes the place of the old one. What is
    /// freed in a file of redb's stays in it, and compacting it would keep every query waiting;
    /// this way they go on in the old file.
    fn rewrite(&self, reader: &Reader, run: &[Segment], number: u32) -> Result<(), StoreError> {
        let path = self.path.with_extension("new");
        let _ = std::fs::remove_file(&path);
        let mut new = create(&path)?;
        make_tables(&new)?;
        let write = begin(&new)?;
        segment::merge_into(reader, run, number, &write)?;
        {
            let old = self.db.read().unwrap_or_else(PoisonError::into_inner);
            copy_tables(&old, &write)?;
        }
        write.commit()?;
        new.compact()?;
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        // What was saved of trees meanwhile is only in the old file: it is found out again.
        std::fs::rename(&path, &self.path).map_err(redb::Error::Io)?;
        *db = Arc::new(new);
        self.reopen_reader(&db)
    }
}
