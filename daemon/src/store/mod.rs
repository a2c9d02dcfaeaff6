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
//! | `meta` | `version` | [`VERSION`] |
//! | `contents` | BLAKE3 of a file's bytes | the content's number |
//! | `segments` | number | first content, how many contents; checked |
//! | `blocks` | segment, trigram, part | a block of postings, checked by the engine |
//! | `roots` | number | a worktree's path |
//! | `files` | root's number, path with NUL for `/` | stat and content's number; checked |
//!
//! A segment is committed before any tree refers to its contents, so the store
//! may know more than the trees, never less. A content's number is never given
//! twice. Commits are durable and repaired quickly (redb's `quick_repair`).

mod record;
mod segment;

use hob_index::plan::Plan;
use hob_index::postings::{Builder, evaluate};
use hob_index::tree::{Dir, Docs, diff};
use moka::sync::Cache;
use redb::{
    Database, ReadableDatabase, ReadableTable, ReadableTableMetadata as _, TableDefinition,
};
use segment::{Reader, Segment};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The version of the stored format. Another one is set aside.
const VERSION: u32 = 1;

/// More segments than this are merged in the background: each costs a query a look-up.
const MOST_SEGMENTS: usize = 4;
/// What redb keeps of the file in memory.
const REDB_CACHE: usize = 8 << 20;

const META: TableDefinition<&str, u32> = TableDefinition::new("meta");
const CONTENTS: TableDefinition<&[u8; 32], u32> = TableDefinition::new("contents");
const SEGMENTS: TableDefinition<u32, &[u8]> = TableDefinition::new("segments");
const BLOCKS: TableDefinition<&[u8; 12], &[u8]> = TableDefinition::new("blocks");
const ROOTS: TableDefinition<u32, &[u8]> = TableDefinition::new("roots");
const FILES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("files");

/// A content's hash: BLAKE3 of the bytes.
pub(crate) type Hash = [u8; 32];

/// The number of a root in its store.
pub(crate) type RootId = u32;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// The disk, or redb.
    #[error("{0}")]
    Redb(#[from] redb::Error),
    /// What was read is not what was written.
    #[error("{0}")]
    Damaged(String),
}

macro_rules! from_redb {
    ($($error:ty),*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self::Redb(error.into())
            }
        }
    )*};
}
from_redb!(
    redb::DatabaseError,
    redb::TransactionError,
    redb::TableError,
    redb::StorageError,
    redb::CommitError,
    redb::CompactionError
);

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
            let db = Database::builder().set_cache_size(REDB_CACHE).create(path)?;
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

    /// The tree of a root as it was saved; empty where it never was.
    pub(crate) fn load(&self, root: &Path) -> Result<(RootId, Arc<Dir>), StoreError> {
        self.checked(|| {
            let id = self.root_id(root)?;
            let reader = self.reader();
            let end = reader.end();
            let mut files = Vec::new();
            let (first, next) = record::bounds(id);
            for entry in reader.files.range(first.as_slice()..next.as_slice())? {
                let (key, value) = entry?;
                let (path, file) = record::decode(key.value(), value.value())
                    .ok_or_else(|| StoreError::Damaged("a file's record is damaged".into()))?;
                if file.doc.known().is_some_and(|doc| doc < end) {
                    files.push((path, file));
                }
            }
            Ok((id, Arc::new(Dir::from_files(&files))))
        })
    }

    /// Brings the saved tree of a root from `old` to `new`.
    pub(crate) fn save(&self, root: RootId, old: &Dir, new: &Dir) -> Result<(), StoreError> {
        self.checked(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let write = begin(&db)?;
            save_difference(&write, root, old, new)?;
            write.commit()?;
            self.reopen_reader(&db)
        })
    }

    /// Deletes what is saved of a root. True where no other root is left.
    pub(crate) fn forget(&self, root: &Path) -> Result<bool, StoreError> {
        self.checked(|| {
            let id = self.root_id(root)?;
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let write = begin(&db)?;
            let alone = {
                let mut files = write.open_table(FILES)?;
                let (first, next) = record::bounds(id);
                files.retain_in(first.as_slice()..next.as_slice(), |_, _| false)?;
                let mut roots = write.open_table(ROOTS)?;
                roots.remove(id)?;
                roots.iter()?.next().is_none()
            };
            write.commit()?;
            self.reopen_reader(&db)?;
            Ok(alone)
        })
    }

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
        let mut new = Database::builder().set_cache_size(REDB_CACHE).create(&path)?;
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

    /// Contents and segments.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let reader = self.reader();
        // Not the documents of the segments: a large content has several.
        let contents = guard(|| Ok(reader.contents.len()?)).unwrap_or(0);
        (contents, reader.segments.len() as u64)
    }

    fn root_id(&self, root: &Path) -> Result<RootId, StoreError> {
        let path = root.as_os_str().as_bytes();
        if let Some(id) = self.roots()?.get(path) {
            return Ok(*id);
        }
        // Another may have been given meanwhile.
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.roots()?;
        if let Some(id) = known.get(path) {
            return Ok(*id);
        }
        let id = known.values().max().map_or(0, |id| id + 1);
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let write = begin(&db)?;
        write.open_table(ROOTS)?.insert(id, path)?;
        write.commit()?;
        Ok(id)
    }

    fn roots(&self) -> Result<HashMap<Vec<u8>, RootId>, StoreError> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::new();
        for entry in db.begin_read()?.open_table(ROOTS)?.iter()? {
            let (id, path) = entry?;
            known.insert(path.value().to_vec(), id.value());
        }
        Ok(known)
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

fn make_tables(db: &Database) -> Result<(), StoreError> {
    let version = match db.begin_read()?.open_table(META) {
        Ok(meta) => meta.get("version")?.map(|version| version.value()),
        Err(redb::TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(error.into()),
    };
    match version {
        Some(VERSION) => return Ok(()),
        Some(other) => return Err(StoreError::Damaged(format!("it is of version {other}"))),
        None => {}
    }
    let write = begin(db)?;
    write.open_table(META)?.insert("version", VERSION)?;
    write.open_table(CONTENTS)?;
    write.open_table(SEGMENTS)?;
    write.open_table(BLOCKS)?;
    write.open_table(ROOTS)?;
    write.open_table(FILES)?;
    write.commit()?;
    Ok(())
}

fn copy_tables(old: &Database, write: &redb::WriteTransaction) -> Result<(), StoreError> {
    let read = old.begin_read()?;
    let mut contents = write.open_table(CONTENTS)?;
    for entry in read.open_table(CONTENTS)?.iter()? {
        let (hash, number) = entry?;
        contents.insert(hash.value(), number.value())?;
    }
    let mut roots = write.open_table(ROOTS)?;
    for entry in read.open_table(ROOTS)?.iter()? {
        let (id, path) = entry?;
        roots.insert(id.value(), path.value())?;
    }
    let mut files = write.open_table(FILES)?;
    for entry in read.open_table(FILES)?.iter()? {
        let (key, value) = entry?;
        files.insert(key.value(), value.value())?;
    }
    Ok(())
}

fn save_difference(
    write: &redb::WriteTransaction,
    root: RootId,
    old: &Dir,
    new: &Dir,
) -> Result<(), StoreError> {
    let mut files = write.open_table(FILES)?;
    let mut result = Ok(());
    let _ = diff(old, new, &mut |path, _, is| {
        let key = record::key(root, path);
        let done = match is.filter(|file| file.doc.known().is_some()) {
            Some(file) => {
                let value = record::encode(&key, file);
                files.insert(key.as_slice(), value.as_slice()).map(|_| ())
            }
            None => files.remove(key.as_slice()).map(|_| ()),
        };
        match done {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                result = Err(error);
                ControlFlow::Break(())
            }
        }
    });
    Ok(result?)
}

fn begin(db: &Database) -> Result<redb::WriteTransaction, StoreError> {
    let mut write = db.begin_write()?;
    // Without it the next start after a kill reads the whole file.
    write.set_quick_repair(true);
    Ok(write)
}

/// Whether an error means that the file is not what was written, rather than that the disk is
/// full or the file is someone else's.
fn is_damage(error: &StoreError) -> bool {
    match error {
        StoreError::Damaged(_) => true,
        StoreError::Redb(redb::Error::Io(error)) => matches!(
            error.kind(),
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::UnexpectedEof
        ),
        StoreError::Redb(
            redb::Error::DatabaseAlreadyOpen
            | redb::Error::DatabaseClosed
            | redb::Error::TransactionInProgress
            | redb::Error::ValueTooLarge(_)
            | redb::Error::PreviousIo,
        ) => false,
        StoreError::Redb(_) => true,
    }
}

/// redb asserts what it relies on: a damaged file may make it panic.
fn guard<T>(work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(_) => Err(StoreError::Damaged("reading it has failed an assertion".into())),
    }
}

#[cfg(test)]
mod tests;
