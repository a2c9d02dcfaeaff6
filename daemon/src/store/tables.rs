//! The tables of a store: their names and types, and how a file gets them.

use super::StoreError;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};
use std::path::Path;

/// The version of the stored format. Another one is set aside.
pub(super) const VERSION: u32 = 1;

/// What redb keeps of the file in memory.
const REDB_CACHE: usize = 8 << 20;

pub(super) const META: TableDefinition<&str, u32> = TableDefinition::new("meta");
pub(super) const CONTENTS: TableDefinition<&[u8; 32], u32> = TableDefinition::new("contents");
pub(super) const SEGMENTS: TableDefinition<u32, &[u8]> = TableDefinition::new("segments");
pub(super) const BLOCKS: TableDefinition<&[u8; 12], &[u8]> = TableDefinition::new("blocks");
pub(super) const ROOTS: TableDefinition<u32, &[u8]> = TableDefinition::new("roots");
pub(super) const FILES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("files");

/// Opens the file, and makes it where there is none.
pub(super) fn create(path: &Path) -> Result<Database, StoreError> {
    Ok(Database::builder().set_cache_size(REDB_CACHE).create(path)?)
}

/// Gives a new file its tables.
pub(super) fn make_tables(db: &Database) -> Result<(), StoreError> {
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

/// Copies what no merge makes anew into another file.
pub(super) fn copy_tables(old: &Database, write: &WriteTransaction) -> Result<(), StoreError> {
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

/// Begins a change.
pub(super) fn begin(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut write = db.begin_write()?;
    // Without it the next start after a kill reads the whole file.
    write.set_quick_repair(true);
    Ok(write)
}
