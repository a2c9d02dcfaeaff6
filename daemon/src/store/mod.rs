//! What is derived from a repository's contents, on disk: redb's one home. (The cache keeps its
//! [`values`] here as well, and the tasks their [`history`].)
//!
//! One file a repository, shared by its worktrees and branches, since a content
//! is known by its hash and not by where it stands. All of it can be made again,
//! so a file that is broken, of a later version or not ours is set aside and
//! begun anew; what is read is checked ([`record`]), and a query that meets
//! something broken reads the files instead.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `version`; `rules.low`, `rules.high` | [`VERSION`](tables::VERSION); the rules that symbols were found by |
//! | `contents` | BLAKE3 of a file's bytes | the content's number |
//! | `segments` | number | first content, how many contents, names, blocks of names, definitions; checked |
//! | `blocks` | segment, trigram, part | a block of postings, checked by the engine |
//! | `names` | segment, block | a block of names, checked by the engine |
//! | `directory` | segment, where the names of a block begin | block; checked against the block |
//! | `entries` | segment, name, part | a block of definitions, checked by the engine |
//! | `outlines` | content, language, first symbol | symbols of a content, checked by the engine |
//! | `references` | content, language, first reference | references of a content, but of skimmed languages; checked by the engine |
//! | `words` | segment, word, part | a block of words of texts, checked by the engine |
//! | `named` | segment, word, part | the same of the names that are defined |
//! | `commits` | a commit's hash | what it says and what it touched, checked by the engine |
//! | `roots` | number | a worktree's path |
//! | `files` | root's number, path with NUL for `/` | stat and content's number; checked |
//! | `stale` | a root's number | its files were saved when symbols were found by other rules |
//!
//! A segment is committed before any tree refers to its contents, so the store
//! may know more than the trees, never less; and so does an outline. A content's
//! number is never given twice. Commits are durable and repaired quickly (redb's
//! `quick_repair`).

mod additions;
mod caches;
mod commits;
mod error;
pub(crate) mod history;
mod merge;
mod names;
mod outlines;
mod record;
mod segment;
mod tables;
mod trees;
pub(crate) mod values;
mod words;

pub(crate) use additions::Additions;
pub(crate) use caches::Caches;
pub(crate) use error::StoreError;
pub(crate) use names::Definitions;
pub(crate) use trees::RootId;
pub(crate) use words::Field;

use crate::profile::leaf;
use error::guard;
pub(crate) use error::is_damage;
use hob_index::plan::Plan;
use hob_index::postings::evaluate;
use hob_index::tree::Docs;
use redb::{Database, ReadableTableMetadata as _};
use segment::{Reader, Segment};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tables::{create, make_tables};

/// A content's hash: BLAKE3 of the bytes.
pub(crate) type Hash = [u8; 32];

/// How much a store has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoreCounts {
    pub(crate) contents: u64,
    /// A content that is known as two languages counts in both.
    pub(crate) definitions: u64,
    pub(crate) segments: u64,
}

/// An open store.
pub(crate) struct Store {
    path: PathBuf,
    /// Tells apart the stores that were open under one path.
    epoch: u64,
    /// By which symbols are found.
    rules: u64,
    db: RwLock<Arc<Database>>,
    reader: RwLock<Arc<Reader>>,
    next_segment: AtomicU32,
    broken: AtomicBool,
    caches: Caches,
    /// Commits of segments, merges and compaction, one at a time.
    writing: Mutex<()>,
}

impl Store {
    /// Opens the store at `path`, and begins it anew where it cannot be used; then the second
    /// value says why. Symbols that were found by other rules than `rules` are dropped. Fails where
    /// the disk does, or another process has it open.
    pub(crate) fn open(
        path: &Path,
        epoch: u64,
        rules: u64,
        caches: &Caches,
    ) -> Result<(Self, Option<String>), StoreError> {
        let error = match Self::try_open(path, epoch, rules, caches) {
            Ok(store) => return Ok((store, None)),
            Err(error) => error,
        };
        if !is_damage(&error) {
            return Err(error);
        }
        set_aside(path);
        let store = Self::try_open(path, epoch, rules, caches)?;
        Ok((store, Some(format!("the store was begun anew: {error}"))))
    }

    fn try_open(path: &Path, epoch: u64, rules: u64, caches: &Caches) -> Result<Self, StoreError> {
        guard(|| {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir).map_err(redb::Error::Io)?;
            }
            let db = create(path)?;
            make_tables(&db, rules)?;
            let db = Arc::new(db);
            let reader = Reader::open(&db)?;
            let next = reader.segments.iter().map(|segment| segment.number + 1).max();
            Ok(Self {
                path: path.to_owned(),
                epoch,
                rules,
                reader: RwLock::new(Arc::new(reader)),
                db: RwLock::new(db),
                next_segment: AtomicU32::new(next.unwrap_or(0)),
                broken: AtomicBool::new(false),
                caches: caches.clone(),
                writing: Mutex::new(()),
            })
        })
    }

    /// Tells this store from all that were open before.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Something that was read from it was not what had been written: it is to be set aside.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// The number of a content, if it is known.
    pub(crate) fn lookup(&self, hash: &Hash) -> Result<Option<u32>, StoreError> {
        self.checked(|| Ok(self.reader().contents.get(hash)?.map(|number| number.value())))
    }

    /// The contents that may satisfy a plan.
    pub(crate) fn candidates(&self, plan: &Plan) -> Result<Docs, StoreError> {
        if *plan == Plan::All {
            return Ok(Docs::All);
        }
        let evaluated = || {
            let reader = self.reader();
            let mut found = Vec::new();
            for segment in reader.segments.iter().filter(|segment| segment.docs > 0) {
                let docs = evaluate(plan, &reader.source(self.epoch, segment, &self.caches))?;
                found.extend(docs.iter(segment.docs).map(|doc| segment.base + doc));
            }
            Ok(Docs::These(found))
        };
        leaf("store.candidates", || self.checked(evaluated))
    }

    /// How much it has.
    pub(crate) fn counts(&self) -> StoreCounts {
        let reader = self.reader();
        let definitions = |segment: &Segment| u64::from(segment.counts.definitions);
        StoreCounts {
            // Not the documents of the segments: a large content has several.
            contents: guard(|| Ok(reader.contents.len()?)).unwrap_or(0),
            definitions: reader.segments.iter().map(definitions).sum(),
            segments: reader.segments.len() as u64,
        }
    }

    fn next_segment(&self) -> u32 {
        self.next_segment.fetch_add(1, Ordering::Relaxed)
    }

    fn reader(&self) -> Arc<Reader> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn reopen_reader(&self, db: &Arc<Database>) -> Result<(), StoreError> {
        let reader = Arc::new(Reader::open(db)?);
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = reader;
        Ok(())
    }

    /// Runs an operation, and remembers when it met something broken.
    fn checked<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let result = guard(work);
        if let Err(error) = &result
            && !matches!(error, StoreError::Stopped)
        {
            tracing::warn!(store = %self.path.display(), %error, "the store has failed");
            self.broken.fetch_or(is_damage(error), Ordering::Relaxed);
        }
        result
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.caches.forget(self.epoch);
    }
}

/// Takes a store's file out of the way, for a look at it later; one such file is kept.
pub(crate) fn set_aside(path: &Path) {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".broken");
    if std::fs::rename(path, &aside).is_err() {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests;
