//! The trees of worktrees as they were saved, so that a start reads no file that is as it was.

use super::tables::{FILES, ROOTS, STALE, begin, commit};
use super::{Store, StoreError, record};
use crate::profile::stage;
use hob_index::tree::{Dir, File, diff};
use redb::{ReadableDatabase, ReadableTable, WriteTransaction};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// The number of a root in its store.
pub(crate) type RootId = u32;

impl Store {
    /// The tree of a root as it was saved; empty where it never was. Where symbols were dropped
    /// since, no file is outlined.
    pub(crate) fn load(&self, root: &Path) -> Result<(RootId, Arc<Dir>), StoreError> {
        let _stage = stage!("store.load").entered();
        self.checked(|| {
            let id = self.root_id(root)?;
            let reader = self.reader();
            let (end, is_stale) = (reader.end(), reader.stale.get(id)?.is_some());
            let mut files = Vec::new();
            let (first, next) = record::bounds(id);
            for entry in reader.files.range(first.as_slice()..next.as_slice())? {
                let (key, value) = entry?;
                let (path, file) = record::decode(key.value(), value.value())
                    .ok_or_else(|| StoreError::Damaged("a file's record is damaged".into()))?;
                if file.doc.known().is_some_and(|doc| doc < end) {
                    files.push((path, File { outlined: file.outlined && !is_stale, ..file }));
                }
            }
            if is_stale {
                self.refresh(id, &files)?;
            }
            Ok((id, Arc::new(Dir::from_files(&files))))
        })
    }

    /// Saves that no file of a root is outlined: from now on what is saved can be relied on.
    fn refresh(&self, root: RootId, saved: &[(Vec<u8>, File)]) -> Result<(), StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        let write = begin(&db)?;
        {
            let mut files = write.open_table(FILES)?;
            for (path, file) in saved {
                let key = record::key(root, path);
                files.insert(key.as_slice(), record::encode(&key, file).as_slice())?;
            }
            write.open_table(STALE)?.remove(root)?;
        }
        commit(write)?;
        self.reopen_reader(&db)
    }

    /// Brings the saved tree of a root from `old` to `new`.
    pub(crate) fn save(&self, root: RootId, old: &Dir, new: &Dir) -> Result<(), StoreError> {
        let _stage = stage!("store.save").entered();
        self.checked(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let write = begin(&db)?;
            save_difference(&write, root, old, new)?;
            commit(write)?;
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
                write.open_table(STALE)?.remove(id)?;
                roots.iter()?.next().is_none()
            };
            commit(write)?;
            self.reopen_reader(&db)?;
            Ok(alone)
        })
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
        commit(write)?;
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
}

fn save_difference(
    write: &WriteTransaction,
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
