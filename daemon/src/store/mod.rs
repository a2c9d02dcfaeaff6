//! What is derived from a repository's contents, on disk: redb's one home.
//!
//! One file a repository, shared by its worktrees and branches, since a content
//! is known by its hash and not by where it stands. All of it can be made again,
//! so a file that is broken, of another version or not ours is set aside and
//! begun anew; what is read is checked ([`record`]), and a query that meets
//! something broken reads the files instead.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `version` | [`VERSION`](tables::VERSION) |
//! | `contents` | BLAKE3 of a file's bytes | the content's number |
//! | `segments` | number | first content, how many contents; checked |
//! | `blocks` | segment, trigram, part | a block of postings, checked by the engine |
//! | `roots` | number | a worktree's path |
//! | `files` | root's number, path with NUL for `/` | stat and content's number; checked |
//!
//! A segment is committed before any tree refers to its contents, so the store
//! may know more than the trees, never less. A content's number is never given
//! twice. Commits are durable and repaired quickly (redb's `quick_repair`).

mod error;
mod merge;
mod record;
mod segment;
mod tables;
mod trees;

pub(crate) use error::StoreError;
pub(crate) use trees::RootId;

use error::{guard, is_damage};
use hob_index::plan::Plan;
use hob_index::postings::{Builder, evaluate};
use hob_index::tree::Docs;
use moka::sync::Cache;
use redb::{Database, ReadableTableMetadata as _};
use segment::Reader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tables::{begin, create, make_tables};

/// A content's hash: BLAKE3 of the bytes.
pub(crate) type Hash = [u8; 32];

/// The blocks that were read last, of all stores.
pub(crate) type BlockCache = Cache<(u64, [u8; 12]), Arc<hob_index::postings::Block>>;

/// Makes the cache of blocks, of at most so many bytes.
pub(crate) fn block_cache(bytes: u64) -> BlockCache {
    Cache::builder()
        .max_capacity(bytes)
        .weigher(|_, block: &Arc<hob_index::postings::Block>| {
            u32::try_from(block.weight() + 64).unwrap_or(u32::MAX)
        })
        .build()
}

/// An open store.
pub(crate) struct Store {
    path: PathBuf,
    /// Tells apart the stores that were open under one path.
    epoch: u64,
    db: RwLock<Arc<Database>>,
    reader: RwLock<Arc<Reader>>,
    next_segment: AtomicU32,
    broken: AtomicBool,
    cache: BlockCache,
    /// Commits of segments, merges and compaction, one at a time.
    writing: Mutex<()>,
}

impl Store {
    /// Opens the store at `path`, and begins it anew where it cannot be used; then the second
    /// value says why. Fails where the disk does, or another process has it open.
    pub(crate) fn open(
        path: &Path,
        epoch: u64,
        cache: BlockCache,
    ) -> Result<(Self, Option<String>), StoreError> {
        let error = match Self::try_open(path, epoch, cache.clone()) {
            Ok(store) => return Ok((store, None)),
            Err(error) => error,
        };
        if !is_damage(&error) {
            return Err(error);
        }
        set_aside(path);
        let store = Self::try_open(path, epoch, cache)?;
        Ok((store, Some(format!("the store was begun anew: {error}"))))
    }

    fn try_open(path: &Path, epoch: u64, cache: BlockCache) -> Result<Self, StoreError> {
        guard(|| {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir).map_err(redb::Error::Io)?;
            }
            let db = create(path)?;
            make_tables(&db)?;
            let db = Arc::new(db);
            let reader = Reader::open(&db)?;
            let next = reader.segments.iter().map(|segment| segment.number + 1).max();
            Ok(Self {
                path: path.to_owned(),
                epoch,
                reader: RwLock::new(Arc::new(reader)),
                db: RwLock::new(db),
                next_segment: AtomicU32::new(next.unwrap_or(0)),
                broken: AtomicBool::new(false),
                cache,
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

    /// A builder for the next segment, with room for so many bytes.
    pub(crate) fn builder(&self, memory: usize) -> Builder {
        Builder::with_memory(self.next_segment.fetch_add(1, Ordering::Relaxed), memory)
    }

    /// The number of a content, if it is known.
    pub(crate) fn lookup(&self, hash: &Hash) -> Result<Option<u32>, StoreError> {
        self.checked(|| Ok(self.reader().contents.get(hash)?.map(|number| number.value())))
    }

    /// Adds a segment of contents: each hash with its first document in the builder. Returns the
    /// number of the builder's first document.
    pub(crate) fn add(
        &self,
        contents: &[(Hash, u32)],
        builder: Builder,
    ) -> Result<u32, StoreError> {
        self.checked(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let base = self.reader().end();
            let write = begin(&db)?;
            segment::add(&write, base, contents, builder)?;
            write.commit()?;
            self.reopen_reader(&db)?;
            Ok(base)
        })
    }

    /// The contents that may satisfy a plan.
    pub(crate) fn candidates(&self, plan: &Plan) -> Result<Docs, StoreError> {
        if *plan == Plan::All {
            return Ok(Docs::All);
        }
        self.checked(|| {
            let reader = self.reader();
            let mut found = Vec::new();
            for segment in &reader.segments {
                let docs = evaluate(plan, &reader.source(self.epoch, segment, &self.cache))?;
                found.extend(docs.iter(segment.docs).map(|doc| segment.base + doc));
            }
            Ok(Docs::These(found))
        })
    }

    /// Contents and segments.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let reader = self.reader();
        // Not the documents of the segments: a large content has several.
        let contents = guard(|| Ok(reader.contents.len()?)).unwrap_or(0);
        (contents, reader.segments.len() as u64)
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
        if let Err(error) = &result {
            tracing::warn!(store = %self.path.display(), %error, "the store has failed");
            self.broken.fetch_or(is_damage(error), Ordering::Relaxed);
        }
        result
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
