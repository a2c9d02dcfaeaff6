//! The tables of a store: their names and types, and how a file gets them.

use super::StoreError;
use super::merge::{Stop, check};
use super::segment::Segment;
use crate::profile::stage;
use hob_index::names::Counts;
use hob_index::words::KEY_BYTES;
use redb::{
    Database, ReadableDatabase, ReadableTable, TableDefinition, TableError, WriteTransaction,
};
use std::path::Path;

/// The version of the stored format. Any other is set aside.
pub(super) const VERSION: u32 = 6;

/// What redb keeps of the file in memory.
const REDB_CACHE: usize = 8 << 20;

pub(super) const META: TableDefinition<&str, u32> = TableDefinition::new("meta");
pub(super) const CONTENTS: TableDefinition<&[u8; 32], u32> = TableDefinition::new("contents");
pub(super) const SEGMENTS: TableDefinition<u32, &[u8]> = TableDefinition::new("segments");
pub(super) const BLOCKS: TableDefinition<&[u8; 12], &[u8]> = TableDefinition::new("blocks");
pub(super) const NAMES: TableDefinition<&[u8; 8], &[u8]> = TableDefinition::new("names");
pub(super) const DIRECTORY: TableDefinition<&[u8], u32> = TableDefinition::new("directory");
pub(super) const ENTRIES: TableDefinition<&[u8; 12], &[u8]> = TableDefinition::new("entries");
pub(super) const OUTLINES: TableDefinition<&[u8; 9], &[u8]> = TableDefinition::new("outlines");
pub(super) const REFERENCES: TableDefinition<&[u8; 9], &[u8]> = TableDefinition::new("references");
pub(super) const WORDS: TableDefinition<&[u8; KEY_BYTES], &[u8]> = TableDefinition::new("words");
pub(super) const NAMED: TableDefinition<&[u8; KEY_BYTES], &[u8]> = TableDefinition::new("named");
pub(super) const COMMITS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("commits");
pub(super) const ROOTS: TableDefinition<u32, &[u8]> = TableDefinition::new("roots");
pub(super) const FILES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("files");
pub(super) const STALE: TableDefinition<u32, ()> = TableDefinition::new("stale");

/// What `meta` tells of the rules by which symbols were found: its low half and its high half.
const RULES: [&str; 2] = ["rules.low", "rules.high"];

/// Opens the file, and makes it where there is none.
pub(super) fn create(path: &Path) -> Result<Database, StoreError> {
    Ok(Database::builder().set_cache_size(REDB_CACHE).create(path)?)
}

/// Commits, which is where the disk is waited for.
pub(super) fn commit(write: WriteTransaction) -> Result<(), StoreError> {
    let _stage = stage!("store.commit").entered();
    Ok(write.commit()?)
}

/// Begins a change.
pub(super) fn begin(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut write = db.begin_write()?;
    // Without it the next start after a kill reads the whole file.
    write.set_quick_repair(true);
    Ok(write)
}

/// Gives a new file its tables, and drops symbols that were found by other rules than `rules`.
pub(super) fn make_tables(db: &Database, rules: u64) -> Result<(), StoreError> {
    let stamp = stamp(db)?;
    match stamp {
        Some((VERSION, known)) if known == rules => return Ok(()),
        None | Some((VERSION, _)) => {}
        Some((other, _)) => {
            return Err(StoreError::Damaged(format!("it is of version {other}")));
        }
    }
    let write = begin(db)?;
    open_all(&write)?;
    if stamp.is_some() {
        drop_symbols(&write)?;
    }
    {
        let mut meta = write.open_table(META)?;
        meta.insert("version", VERSION)?;
        meta.insert(RULES[0], rules as u32)?;
        meta.insert(RULES[1], (rules >> 32) as u32)?;
    }
    write.commit()?;
    Ok(())
}

/// Copies what no merge makes anew into another file.
pub(super) fn copy_tables(
    old: &Database,
    write: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<(), StoreError> {
    let read = old.begin_read()?;
    copy(CONTENTS, &read, write, stop)?;
    copy(ROOTS, &read, write, stop)?;
    copy(FILES, &read, write, stop)?;
    copy(STALE, &read, write, stop)?;
    copy(COMMITS, &read, write, stop)?;
    copy(REFERENCES, &read, write, stop)?;
    copy(OUTLINES, &read, write, stop)
}

/// The version and the rules that a file is of; none of a new one.
fn stamp(db: &Database) -> Result<Option<(u32, u64)>, StoreError> {
    let meta = match db.begin_read()?.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let Some(version) = meta.get("version")? else { return Ok(None) };
    let half = |key| Ok::<u64, StoreError>(meta.get(key)?.map_or(0, |half| half.value().into()));
    Ok(Some((version.value(), half(RULES[0])? | half(RULES[1])? << 32)))
}

fn open_all(write: &WriteTransaction) -> Result<(), StoreError> {
    write.open_table(META)?;
    write.open_table(CONTENTS)?;
    write.open_table(SEGMENTS)?;
    write.open_table(BLOCKS)?;
    write.open_table(NAMES)?;
    write.open_table(DIRECTORY)?;
    write.open_table(ENTRIES)?;
    write.open_table(OUTLINES)?;
    write.open_table(REFERENCES)?;
    write.open_table(WORDS)?;
    write.open_table(NAMED)?;
    write.open_table(COMMITS)?;
    write.open_table(ROOTS)?;
    write.open_table(FILES)?;
    write.open_table(STALE)?;
    Ok(())
}

/// Leaves no symbols, and remembers that the saved trees are of a time when there were others.
fn drop_symbols(write: &WriteTransaction) -> Result<(), StoreError> {
    write.delete_table(NAMES)?;
    write.delete_table(DIRECTORY)?;
    write.delete_table(ENTRIES)?;
    write.delete_table(OUTLINES)?;
    write.delete_table(REFERENCES)?;
    write.delete_table(NAMED)?;
    open_all(write)?;
    let mut segments = write.open_table(SEGMENTS)?;
    let mut without = Vec::new();
    for entry in segments.iter()? {
        let (number, value) = entry?;
        let segment = Segment::decode(number.value(), value.value())
            .ok_or_else(|| StoreError::Damaged("a segment's record is damaged".into()))?;
        without.push(Segment { counts: Counts::default(), ..segment });
    }
    for segment in without {
        match segment.docs {
            0 => drop(segments.remove(segment.number)?),
            _ => drop(segments.insert(segment.number, segment.encode().as_slice())?),
        }
    }
    let mut stale = write.open_table(STALE)?;
    for entry in write.open_table(ROOTS)?.iter()? {
        stale.insert(entry?.0.value(), ())?;
    }
    Ok(())
}

fn copy<K: redb::Key + 'static, V: redb::Value + 'static>(
    table: TableDefinition<'_, K, V>,
    from: &redb::ReadTransaction,
    to: &WriteTransaction,
    stop: &Stop<'_>,
) -> Result<(), StoreError> {
    let mut copy = to.open_table(table)?;
    for entry in from.open_table(table)?.iter()? {
        check(stop)?;
        let (key, value) = entry?;
        copy.insert(key.value(), value.value())?;
    }
    Ok(())
}
