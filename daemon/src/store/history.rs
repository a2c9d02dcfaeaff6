//! The tasks that were, on disk, so that a new daemon knows of them.
//!
//! One file, in the directory of state. A file that is broken or of another version
//! is begun anew: nothing depends on it.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `version` | [`VERSION`] |
//! | `tasks` | the task's number | 8 bytes of BLAKE3 over number and what follows; the task |

use super::error::{StoreError, guard, is_damage};
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use std::path::Path;

/// Of another version nothing is read.
const VERSION: u64 = 1;
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const TASKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("tasks");
const CHECK: usize = 8;
/// Pages that redb keeps.
const PAGES: usize = 1 << 20;

/// The file.
pub(crate) struct History(Database);

impl History {
    /// Opens it, and begins it anew where it is of no use.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        match guard(|| open(path)) {
            Err(error) if is_damage(&error) => {
                tracing::warn!(%error, "the history of tasks is begun anew");
                std::fs::remove_file(path).map_err(redb::Error::Io)?;
                guard(|| open(path)).map(Self)
            }
            opened => opened.map(Self),
        }
    }

    /// Writes tasks down, each in the place of what was written of it, and strikes others out.
    pub(crate) fn write(
        &self,
        tasks: &[(u64, Vec<u8>)],
        forgotten: &[u64],
    ) -> Result<(), StoreError> {
        guard(|| {
            let mut write = self.0.begin_write()?;
            write.set_quick_repair(true);
            {
                let mut table = write.open_table(TASKS)?;
                for (id, task) in tasks {
                    let value = [&check(*id, task), task.as_slice()].concat();
                    table.insert(id, value.as_slice())?;
                }
                for id in forgotten {
                    table.remove(id)?;
                }
            }
            write.commit()?;
            Ok(())
        })
    }

    /// All that is known, by number. What was damaged is left out.
    pub(crate) fn read(&self) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        guard(|| {
            let table = self.0.begin_read()?.open_table(TASKS)?;
            let mut tasks = Vec::new();
            for entry in table.iter()? {
                let (id, value) = entry?;
                let Some((stored, task)) = value.value().split_at_checked(CHECK) else { continue };
                if check(id.value(), task) == stored {
                    tasks.push((id.value(), task.to_vec()));
                }
            }
            Ok(tasks)
        })
    }
}

fn check(id: u64, task: &[u8]) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&id.to_le_bytes()).update(task);
    let mut check = [0; CHECK];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    check
}

fn open(path: &Path) -> Result<Database, StoreError> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(redb::Error::Io)?;
    }
    let db = Database::builder().set_cache_size(PAGES).create(path)?;
    // Most often it is as it should be, and a write would wait for the disk.
    match db.begin_read()?.open_table(META) {
        Ok(meta) => match meta.get("version")?.map(|version| version.value()) {
            Some(VERSION) => return Ok(db),
            version => return Err(StoreError::Damaged(format!("its version is {version:?}"))),
        },
        Err(redb::TableError::TableDoesNotExist(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut write = db.begin_write()?;
    write.set_quick_repair(true);
    write.open_table(META)?.insert("version", VERSION)?;
    write.open_table(TASKS)?;
    write.commit()?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_struck_out_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tasks.redb");
        let history = History::open(&path).unwrap();
        let task = |id: u64, text: &str| (id, text.as_bytes().to_vec());
        history.write(&[task(1, "one"), task(2, "two"), task(3, "begun")], &[]).unwrap();
        history.write(&[task(3, "ended")], &[1, 7]).unwrap();
        drop(history);
        let history = History::open(&path).unwrap();
        assert_eq!(history.read().unwrap(), [task(2, "two"), task(3, "ended")]);
        history.write(&[], &[2, 3]).unwrap();
        assert_eq!(history.read().unwrap(), []);
    }

    #[test]
    fn what_is_no_history_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tasks.redb");
        std::fs::write(&path, vec![7; 9000]).unwrap();
        let history = History::open(&path).unwrap();
        assert_eq!(history.read().unwrap(), []);
        history.write(&[(1, vec![1])], &[]).unwrap();
        assert_eq!(history.read().unwrap(), [(1, vec![1])]);
    }
}
