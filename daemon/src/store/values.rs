//! Values that were computed, on disk: what is behind the memory of the cache.
//!
//! One file for all. All of it can be computed again, so a file that is broken, of
//! another version or not ours is begun anew, and a value that is not what was
//! written is none.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `meta` | `version` | [`VERSION`] |
//! | `values` | namespace (1 byte), hash (32) | 8 bytes of BLAKE3 over key and what follows; when it was computed (seconds since 1970, 8 bytes, little-endian); the value |
//! | `uses` | the same | when it was last asked for, in seconds; the value's size in bytes |
//!
//! A value that is asked for again is noted as used at most once an hour, so that
//! reading writes nearly nothing.

use super::error::{StoreError, guard, is_damage};
use crate::profile::stage;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock, TryLockError};

/// Of another version nothing is read.
const VERSION: u64 = 1;
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
const VALUES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("values");
const USES: TableDefinition<'_, &[u8], (u64, u64)> = TableDefinition::new("uses");
const CHECK: usize = 8;
const HEAD: usize = CHECK + 8;
/// Pages that redb keeps.
const PAGES: usize = 4 << 20;
/// Uses are noted as often.
pub(crate) const NOTE: u64 = 3600;
/// Where the budget is passed, so much of it is made room at once, in percent.
const ROOM: u64 = 10;
/// A file with this much free space is compacted once that is also half of it.
const FREE: u64 = 8 << 20;

/// Namespace and hash.
pub(crate) type ValueKey = [u8; 33];

/// What was found under a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// The value, and when it was computed, in seconds.
    Value(Vec<u8>, u64),
    /// There is none, or it cannot be had now.
    Nothing,
    /// There is one, and it is not what was written.
    Damaged,
}

/// A change that is to be stored.
pub(crate) enum Change {
    /// A value that was computed.
    Put(ValueKey, Vec<u8>),
    /// A value was asked for.
    Used(ValueKey),
    /// A value is of no use.
    Remove(ValueKey),
}

/// How much there is of a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) values: u64,
    pub(crate) bytes: u64,
}

/// What a look at all values has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) good: u64,
    /// They are removed.
    pub(crate) damaged: u64,
}

/// The values on disk.
pub(crate) struct Values {
    path: PathBuf,
    /// Held for writing only by who changes the file itself. Who finds it so has a miss, which is
    /// always right.
    db: RwLock<Option<Database>>,
    amounts: Mutex<BTreeMap<u8, Amount>>,
    /// One change at a time.
    writing: Mutex<()>,
}

impl Values {
    /// Opens the file, and begins it anew where it is of no use.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let values = Self {
            path: path.to_owned(),
            db: RwLock::new(None),
            amounts: Mutex::default(),
            writing: Mutex::default(),
        };
        match values.reopen() {
            Err(error) if is_damage(&error) => values.begin_anew(&error)?,
            other => other?,
        }
        Ok(values)
    }

    /// Gives up what the file has, which is of no use, and begins it anew.
    pub(crate) fn begin_anew(&self, error: &StoreError) -> Result<(), StoreError> {
        tracing::warn!(%error, path = %self.path.display(), "the cached values are begun anew");
        *self.db.write().unwrap_or_else(PoisonError::into_inner) = None;
        std::fs::remove_file(&self.path).map_err(redb::Error::Io)?;
        self.reopen()
    }

    /// Opens it again: after a full disk nothing can be written otherwise.
    pub(crate) fn reopen(&self) -> Result<(), StoreError> {
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        *db = None;
        let (opened, amounts) = guard(|| open(&self.path))?;
        *db = Some(opened);
        *self.amounts.lock().unwrap_or_else(PoisonError::into_inner) = amounts;
        Ok(())
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &ValueKey) -> Got {
        let db = match self.db.try_read() {
            Ok(db) => db,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Got::Nothing,
        };
        let Some(db) = &*db else { return Got::Nothing };
        let read = guard(|| {
            let table = db.begin_read()?.open_table(VALUES)?;
            Ok(table.get(&key[..])?.map(|stored| decode(key, stored.value())))
        });
        match read {
            Ok(None) => Got::Nothing,
            Ok(Some(Some((value, computed)))) => Got::Value(value, computed),
            Ok(Some(None)) | Err(StoreError::Damaged(_)) => Got::Damaged,
            Err(error) => {
                tracing::debug!(%error, "a cached value cannot be read");
                Got::Nothing
            }
        }
    }

    /// Stores changes in one commit, and keeps each namespace within its budget in bytes: those
    /// values go that nobody has asked for the longest. How many, is counted by namespace.
    pub(crate) fn commit(
        &self,
        changes: &[Change],
        budget: impl Fn(u8) -> u64,
        now: u64,
    ) -> Result<BTreeMap<u8, u64>, StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_worth_a_commit(changes, &budget, now)? {
            return Ok(BTreeMap::new());
        }
        let _stage = stage!("cache.write").entered();
        let mut amounts = self.amounts();
        let evicted = self.with(|db| {
            let writing = db.begin_write()?;
            let mut evicted = BTreeMap::new();
            {
                let mut values = writing.open_table(VALUES)?;
                let mut uses = writing.open_table(USES)?;
                for change in changes {
                    apply(change, &mut values, &mut uses, &mut amounts, &budget, now)?;
                }
                let over: Vec<u8> = amounts
                    .iter()
                    .filter(|(namespace, amount)| amount.bytes > budget(**namespace))
                    .map(|(namespace, _)| *namespace)
                    .collect();
                for namespace in over {
                    let keep = budget(namespace) / 100 * (100 - ROOM);
                    let count = evict(namespace, keep, &mut values, &mut uses, &mut amounts)?;
                    evicted.insert(namespace, count);
                }
            }
            writing.commit()?;
            Ok(evicted)
        })?;
        *self.amounts.lock().unwrap_or_else(PoisonError::into_inner) = amounts;
        self.compact()?;
        Ok(evicted)
    }

    /// Whether there is more than uses that need no note: to commit waits for the disk.
    fn is_worth_a_commit(
        &self,
        changes: &[Change],
        budget: &impl Fn(u8) -> u64,
        now: u64,
    ) -> Result<bool, StoreError> {
        let changes_values = changes.iter().any(|change| !matches!(change, Change::Used(_)));
        let is_over = self.amounts().iter().any(|(at, amount)| amount.bytes > budget(*at));
        if changes_values || is_over {
            return Ok(true);
        }
        self.with(|db| {
            let uses = db.begin_read()?.open_table(USES)?;
            for change in changes {
                let Change::Used(key) = change else { continue };
                let noted = uses.get(&key[..])?.map(|noted| noted.value().0);
                if noted.is_some_and(|used| used + NOTE <= now) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Forgets a namespace, or all of them. Where the file is damaged all is forgotten.
    pub(crate) fn clear(&self, namespace: Option<u8>) -> Result<u64, StoreError> {
        let had: u64 = self.amounts().values().map(|amount| amount.values).sum();
        match self.clear_in_place(namespace) {
            Err(error) if is_damage(&error) => self.begin_anew(&error).map(|()| had),
            cleared => cleared,
        }
    }

    fn clear_in_place(&self, namespace: Option<u8>) -> Result<u64, StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut amounts = self.amounts();
        let cleared = self.with(|db| {
            let writing = db.begin_write()?;
            let mut cleared = 0;
            {
                let mut values = writing.open_table(VALUES)?;
                let mut uses = writing.open_table(USES)?;
                let chosen: Vec<u8> = amounts
                    .keys()
                    .copied()
                    .filter(|at| namespace.is_none_or(|one| one == *at))
                    .collect();
                for namespace in chosen {
                    cleared += evict(namespace, 0, &mut values, &mut uses, &mut amounts)?;
                }
            }
            writing.commit()?;
            Ok(cleared)
        })?;
        *self.amounts.lock().unwrap_or_else(PoisonError::into_inner) = amounts;
        self.compact()?;
        Ok(cleared)
    }

    /// Looks at every value, and removes what is damaged: all, where the file itself is.
    pub(crate) fn verify(&self) -> Result<Verified, StoreError> {
        let had: u64 = self.amounts().values().map(|amount| amount.values).sum();
        match self.verify_in_place() {
            Err(error) if is_damage(&error) => {
                self.begin_anew(&error).map(|()| Verified { good: 0, damaged: had })
            }
            verified => verified,
        }
    }

    fn verify_in_place(&self) -> Result<Verified, StoreError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut verified, mut damaged) = (Verified::default(), Vec::new());
        self.with(|db| {
            for entry in db.begin_read()?.open_table(VALUES)?.iter()? {
                let (key, stored) = entry?;
                let whole: Result<ValueKey, _> = key.value().try_into();
                match whole {
                    Ok(whole) if decode(&whole, stored.value()).is_some() => verified.good += 1,
                    _ => damaged.push(key.value().to_vec()),
                }
            }
            Ok(())
        })?;
        verified.damaged = damaged.len() as u64;
        if !damaged.is_empty() {
            self.with(|db| {
                let writing = db.begin_write()?;
                for key in &damaged {
                    writing.open_table(VALUES)?.remove(&key[..])?;
                    writing.open_table(USES)?.remove(&key[..])?;
                }
                Ok(writing.commit()?)
            })?;
            self.reopen()?;
        }
        Ok(verified)
    }

    /// All keys, with when they were last used and their sizes.
    pub(crate) fn keys(&self) -> Result<Vec<(ValueKey, u64, u64)>, StoreError> {
        self.with(|db| {
            let mut keys = Vec::new();
            for entry in db.begin_read()?.open_table(USES)?.iter()? {
                let (key, stored) = entry?;
                let (used, bytes) = stored.value();
                if let Ok(key) = key.value().try_into() {
                    keys.push((key, used, bytes));
                }
            }
            Ok(keys)
        })
    }

    /// How much there is of each namespace.
    pub(crate) fn amounts(&self) -> BTreeMap<u8, Amount> {
        self.amounts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The size of the file, in bytes.
    pub(crate) fn file_bytes(&self) -> u64 {
        std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
        match &*db {
            Some(db) => guard(|| work(db)),
            None => Err(redb::Error::DatabaseClosed.into()),
        }
    }

    /// redb gives no space back by itself. While this runs, whoever asks has a miss.
    fn compact(&self) -> Result<(), StoreError> {
        let live: u64 = self.amounts().values().map(|amount| amount.bytes).sum();
        let file = self.file_bytes();
        let free = file.saturating_sub(live);
        if free < FREE || free < file / 2 {
            return Ok(());
        }
        let mut db = self.db.write().unwrap_or_else(PoisonError::into_inner);
        let Some(db) = &mut *db else { return Ok(()) };
        guard(|| {
            // The first time moves what is at the end, the last one cuts.
            while db.compact()? {}
            Ok(())
        })
    }
}

fn open(path: &Path) -> Result<(Database, BTreeMap<u8, Amount>), StoreError> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(redb::Error::Io)?;
    }
    let db = Database::builder().set_cache_size(PAGES).create(path)?;
    let mut writing = db.begin_write()?;
    writing.set_quick_repair(true);
    let version = {
        let mut meta = writing.open_table(META)?;
        writing.open_table(VALUES)?;
        writing.open_table(USES)?;
        let version = meta.get("version")?.map_or(VERSION, |version| version.value());
        meta.insert("version", VERSION)?;
        version
    };
    if version != VERSION {
        return Err(StoreError::Damaged(format!("its version is {version}")));
    }
    writing.commit()?;
    let mut amounts: BTreeMap<u8, Amount> = BTreeMap::new();
    for entry in db.begin_read()?.open_table(USES)?.iter()? {
        let (key, stored) = entry?;
        let amount = amounts.entry(key.value().first().copied().unwrap_or(0)).or_default();
        amount.values += 1;
        amount.bytes += stored.value().1;
    }
    Ok((db, amounts))
}

type Bytes<'a> = redb::Table<'a, &'static [u8], &'static [u8]>;
type Uses<'a> = redb::Table<'a, &'static [u8], (u64, u64)>;

fn apply(
    change: &Change,
    values: &mut Bytes<'_>,
    uses: &mut Uses<'_>,
    amounts: &mut BTreeMap<u8, Amount>,
    budget: &impl Fn(u8) -> u64,
    now: u64,
) -> Result<(), StoreError> {
    match change {
        Change::Put(key, value) => {
            take_out(key, values, uses, amounts)?;
            let stored = encode(key, value, now);
            // One that is larger than the budget would only throw out all others.
            if stored.len() as u64 <= budget(key[0]) {
                values.insert(&key[..], &stored[..])?;
                uses.insert(&key[..], (now, stored.len() as u64))?;
                let amount = amounts.entry(key[0]).or_default();
                amount.values += 1;
                amount.bytes += stored.len() as u64;
            }
        }
        Change::Used(key) => {
            let noted = uses.get(&key[..])?.map(|noted| noted.value());
            if let Some((_, bytes)) = noted.filter(|(used, _)| used + NOTE <= now) {
                uses.insert(&key[..], (now, bytes))?;
            }
        }
        Change::Remove(key) => take_out(key, values, uses, amounts)?,
    }
    Ok(())
}

fn take_out(
    key: &[u8],
    values: &mut Bytes<'_>,
    uses: &mut Uses<'_>,
    amounts: &mut BTreeMap<u8, Amount>,
) -> Result<(), StoreError> {
    values.remove(key)?;
    let removed = uses.remove(key)?.map(|stored| stored.value().1);
    if let (Some(bytes), Some(amount)) = (removed, amounts.get_mut(&key[0])) {
        amount.values = amount.values.saturating_sub(1);
        amount.bytes = amount.bytes.saturating_sub(bytes);
    }
    Ok(())
}

/// Removes what was asked for the longest ago, until at most so many bytes are left.
fn evict(
    namespace: u8,
    keep: u64,
    values: &mut Bytes<'_>,
    uses: &mut Uses<'_>,
    amounts: &mut BTreeMap<u8, Amount>,
) -> Result<u64, StoreError> {
    let (first, next) = ([namespace], [namespace.saturating_add(1)]);
    let mut all = Vec::new();
    for entry in uses.range(&first[..]..&next[..])? {
        let (key, stored) = entry?;
        all.push((stored.value().0, key.value().to_vec()));
    }
    all.sort_unstable();
    let mut evicted = 0;
    for (_, key) in all {
        let left = amounts.get(&namespace).copied().unwrap_or_default();
        if left.bytes <= keep && (keep > 0 || left.values == 0) {
            break;
        }
        take_out(&key, values, uses, amounts)?;
        evicted += 1;
    }
    Ok(evicted)
}

fn encode(key: &ValueKey, value: &[u8], computed: u64) -> Vec<u8> {
    let mut stored = vec![0; CHECK];
    stored.extend(computed.to_le_bytes());
    stored.extend(value);
    let check = check(key, &stored[CHECK..]);
    stored[..CHECK].copy_from_slice(&check);
    stored
}

fn decode(key: &ValueKey, stored: &[u8]) -> Option<(Vec<u8>, u64)> {
    let (head, value) = stored.split_at_checked(HEAD)?;
    if head[..CHECK] != check(key, &stored[CHECK..]) {
        return None;
    }
    let computed = head[CHECK..].try_into().map(u64::from_le_bytes).ok()?;
    Some((value.to_vec(), computed))
}

fn check(key: &ValueKey, body: &[u8]) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    let mut check = [0; CHECK];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    check
}
