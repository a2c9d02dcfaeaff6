//! What was computed once and is asked for again: in memory (moka), and behind that on disk
//! ([`crate::store::values`]).
//!
//! A key is a hash of all that its value follows from, so a value is never stale; it is only of no
//! more use, and then its namespace's budget and time to live let it go. Simultaneous callers of one key
//! compute it once.

mod key;
mod namespace;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use key::Key;
pub(crate) use namespace::{Namespace, Room};

use crate::profile::stage;
use crate::store::values::{Amount, Change, Got, NOTE, Values};
use moka::sync::Cache as Memory;
use namespace::Counts;
use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime};
use writer::Writer;

/// A value that can be kept.
pub(crate) trait Value: Send + Sync + Sized + 'static {
    /// As it is stored.
    fn encode(&self) -> Vec<u8>;
    /// From what is stored; `None` where it is nothing of ours.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// Bytes of memory that it takes.
    fn weight(&self) -> usize;
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Missing<E> {
    /// It cannot be computed. Not cached; those who have waited for it get the same.
    #[cfg_attr(not(test), expect(dead_code, reason = "outlines always come to something"))]
    Failed(E),
    /// Who computed it has left before its end. Of those who have waited one computes it instead.
    Left,
}

#[derive(Clone)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    weight: u32,
    /// When it was computed, in seconds since 1970.
    computed: u64,
    /// When it was noted last that it is used.
    noted: Arc<AtomicU64>,
}

/// The cache. A copy is the same one.
#[derive(Clone)]
pub(crate) struct Cache(Arc<Inner>);

struct Inner {
    memory: Vec<Memory<Key, Entry>>,
    counts: Vec<Counts>,
    rooms: Vec<Room>,
    path: PathBuf,
    /// Opened when something is first asked for; `None` where it cannot be used.
    disk: OnceLock<Option<Disk>>,
}

struct Disk {
    values: Arc<Values>,
    writer: Writer,
}

/// A namespace as `hob cache stats` shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stats {
    pub(crate) namespace: Namespace,
    pub(crate) room: Room,
    pub(crate) in_memory: Amount,
    pub(crate) on_disk: Amount,
    pub(crate) counted: namespace::Counted,
}

impl Cache {
    /// A cache with a file, which is made when it is first needed. Where it cannot be used, values
    /// are kept in memory alone, and the log says why.
    pub(crate) fn new(path: PathBuf, room: impl Fn(Namespace) -> Room) -> Self {
        let rooms: Vec<Room> = Namespace::ALL.iter().map(|one| room(*one)).collect();
        let counts: Vec<Counts> = rooms.iter().map(|_| Counts::default()).collect();
        let memory =
            rooms.iter().zip(&counts).map(|(room, counts)| memory(*room, counts)).collect();
        Self(Arc::new(Inner { memory, counts, rooms, path, disk: OnceLock::new() }))
    }

    /// The value of a key, if it is in memory.
    pub(crate) fn known<T: Value>(&self, key: Key) -> Option<Arc<T>> {
        let value = self.in_memory(key)?;
        self.0.counts[key.namespace.index()].hit_in_memory();
        Some(value)
    }

    /// The value of a key, computed if it is not known. Blocks; of several who ask for one key at
    /// once one computes, and a panic of its is its own.
    pub(crate) fn get_or_compute<T: Value, E: Clone + Send + Sync + 'static>(
        &self,
        key: Key,
        compute: impl FnOnce() -> Result<T, Missing<E>>,
    ) -> Result<Arc<T>, Missing<E>> {
        let (memory, counts) =
            (&self.0.memory[key.namespace.index()], &self.0.counts[key.namespace.index()]);
        if let Some(value) = self.in_memory(key) {
            counts.hit_in_memory();
            return Ok(value);
        }
        let mut compute = Some(compute);
        loop {
            let mut mine = false;
            let found = memory.try_get_with(key, || {
                mine = true;
                self.load::<T, E>(key, &mut compute)
            });
            return match found {
                Ok(entry) => {
                    if !mine {
                        counts.shared();
                    }
                    // Another type under the same key would be a fault of ours.
                    entry.typed().ok_or(Missing::Left)
                }
                Err(error) => match &*error {
                    Missing::Left if !mine => continue,
                    missing => Err(missing.clone()),
                },
            };
        }
    }

    /// What memory has under a key, if it is still good. That it is used shows on disk as well, or
    /// there it would go before what nobody asks for.
    fn in_memory<T: Value>(&self, key: Key) -> Option<Arc<T>> {
        let memory = &self.0.memory[key.namespace.index()];
        let entry = memory.get(&key)?;
        let now = now();
        if self.is_past(key.namespace, entry.computed) {
            memory.invalidate(&key);
            return None;
        }
        if entry.noted.load(Ordering::Relaxed) + NOTE <= now
            && let Some(disk) = self.disk(key)
        {
            entry.noted.store(now, Ordering::Relaxed);
            disk.writer.change(Change::Used(key.stored()));
        }
        entry.typed()
    }

    fn load<T: Value, E>(
        &self,
        key: Key,
        compute: &mut Option<impl FnOnce() -> Result<T, Missing<E>>>,
    ) -> Result<Entry, Missing<E>> {
        let counts = &self.0.counts[key.namespace.index()];
        if let Some((value, computed)) = self.stored::<T>(key) {
            counts.hit_on_disk();
            return Ok(Entry::of(Arc::new(value), computed));
        }
        let Some(compute) = compute.take() else { return Err(Missing::Left) };
        counts.missed();
        let began = Instant::now();
        let computed = stage!("cache.compute").in_scope(compute);
        counts.computed(began.elapsed(), computed.is_ok());
        let value = Arc::new(computed?);
        if let Some(disk) = self.disk(key) {
            let value = value.clone();
            disk.writer.put(key.stored(), move || value.encode());
        }
        Ok(Entry::of(value, now()))
    }

    /// What the disk has under a key, if it is still good, and when that was computed.
    fn stored<T: Value>(&self, key: Key) -> Option<(T, u64)> {
        let disk = self.disk(key)?;
        let _stage = stage!("cache.read").entered();
        let stored = key.stored();
        let bytes = match disk.values.get(&stored) {
            Got::Nothing => return None,
            Got::Damaged => None,
            Got::Value(_, computed) if self.is_past(key.namespace, computed) => {
                disk.writer.change(Change::Remove(stored));
                return None;
            }
            Got::Value(bytes, computed) => Some((bytes, computed)),
        };
        let value = bytes.and_then(|(bytes, computed)| Some((T::decode(&bytes)?, computed)));
        if value.is_none() {
            self.0.counts[key.namespace.index()].damaged();
        }
        let change = if value.is_some() { Change::Used } else { Change::Remove };
        disk.writer.change(change(stored));
        value
    }

    /// Whether what was computed then has outlived its time.
    fn is_past(&self, namespace: Namespace, computed: u64) -> bool {
        let room = self.0.rooms[namespace.index()];
        room.time_to_live.is_some_and(|time| computed.saturating_add(time.as_secs()) < now())
    }

    /// Where a key is stored, if its namespace is.
    fn disk(&self, key: Key) -> Option<&Disk> {
        let stores = self.0.rooms[key.namespace.index()].disk > 0;
        if stores { self.0.disk() } else { None }
    }

    /// What is stored under a key, as bytes.
    pub(crate) fn bytes(&self, key: Key) -> Option<Vec<u8>> {
        let disk = self.disk(key)?;
        disk.writer.flush();
        match disk.values.get(&key.stored()) {
            Got::Value(bytes, _) => Some(bytes),
            Got::Nothing | Got::Damaged => None,
        }
    }

    /// Forgets a namespace, or all; how many values that were.
    pub(crate) fn clear(
        &self,
        namespace: Option<Namespace>,
    ) -> Result<u64, crate::store::StoreError> {
        let chosen = Namespace::ALL.iter().filter(|one| namespace.is_none_or(|only| only == **one));
        let mut in_memory_alone = 0;
        for one in chosen {
            let memory = &self.0.memory[one.index()];
            memory.run_pending_tasks();
            // What is stored is counted there.
            if self.0.rooms[one.index()].disk == 0 || self.0.disk().is_none() {
                in_memory_alone += memory.entry_count();
            }
            memory.invalidate_all();
            memory.run_pending_tasks();
        }
        let Some(disk) = self.0.disk() else { return Ok(in_memory_alone) };
        disk.writer.flush();
        Ok(in_memory_alone + disk.values.clear(namespace.map(Namespace::number))?)
    }

    /// Looks at every stored value and removes what is damaged; `None` where nothing is stored.
    pub(crate) fn verify(
        &self,
    ) -> Result<Option<crate::store::values::Verified>, crate::store::StoreError> {
        let Some(disk) = self.0.disk() else { return Ok(None) };
        disk.writer.flush();
        let verified = disk.values.verify()?;
        Ok(Some(verified))
    }

    /// Each namespace as it is.
    pub(crate) fn stats(&self) -> Vec<Stats> {
        let on_disk = self.0.disk().map(|disk| {
            disk.writer.flush();
            disk.values.amounts()
        });
        let of = |namespace: &Namespace| {
            let memory = &self.0.memory[namespace.index()];
            memory.run_pending_tasks();
            let stored = on_disk.as_ref().and_then(|amounts| amounts.get(&namespace.number()));
            Stats {
                namespace: *namespace,
                room: self.0.rooms[namespace.index()],
                in_memory: Amount { values: memory.entry_count(), bytes: memory.weighted_size() },
                on_disk: stored.copied().unwrap_or_default(),
                counted: self.0.counts[namespace.index()].counted(),
            }
        };
        Namespace::ALL.iter().map(of).collect()
    }

    /// The file, and its size in bytes; `None` where there is none.
    pub(crate) fn file(&self) -> Option<(&Path, u64)> {
        self.0.disk().map(|disk| (self.0.path.as_path(), disk.values.file_bytes()))
    }

    /// The keys of what is stored, with when they were last used in seconds since 1970, and their
    /// bytes; those used last come first.
    pub(crate) fn keys(
        &self,
        namespace: Option<Namespace>,
    ) -> Result<Vec<(Key, u64, u64)>, crate::store::StoreError> {
        let Some(disk) = self.0.disk() else { return Ok(Vec::new()) };
        disk.writer.flush();
        let stored = disk.values.keys()?;
        let keys = stored.into_iter().filter_map(|(key, used, bytes)| {
            let key = Key::from_stored(&key)?;
            namespace.is_none_or(|only| only == key.namespace).then_some((key, used, bytes))
        });
        let mut keys: Vec<_> = keys.collect();
        keys.sort_by_key(|(key, used, _)| (std::cmp::Reverse(*used), *key));
        Ok(keys)
    }

    /// Stores what waits to be.
    pub(crate) fn flush(&self) {
        if let Some(Some(disk)) = self.0.disk.get() {
            disk.writer.flush();
        }
    }
}

impl Inner {
    fn disk(&self) -> Option<&Disk> {
        self.disk.get_or_init(|| self.open()).as_ref()
    }

    fn open(&self) -> Option<Disk> {
        match Values::open(&self.path) {
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "values are cached in memory alone");
                None
            }
            Ok(values) => {
                let values = Arc::new(values);
                let budgets: Vec<u64> = self.rooms.iter().map(|room| room.disk).collect();
                // The budgets may be smaller than they were.
                let budget = |number| writer::budget(&budgets, number);
                if let Err(error) = values.commit(&[], budget, now()) {
                    tracing::warn!(%error, "the cached values are left as they are");
                }
                let evicted = self.counts.iter().map(Counts::evictions).collect();
                Some(Disk { writer: Writer::start(values.clone(), budgets, evicted), values })
            }
        }
    }
}

impl Entry {
    fn of<T: Value>(value: Arc<T>, computed: u64) -> Self {
        let weight = u32::try_from(value.weight() + 120).unwrap_or(u32::MAX);
        Self { value, weight, computed, noted: Arc::new(AtomicU64::new(now())) }
    }

    fn typed<T: Value>(self) -> Option<Arc<T>> {
        self.value.downcast().ok()
    }
}

fn memory(room: Room, counts: &Counts) -> Memory<Key, Entry> {
    let evictions = counts.evictions();
    let mut memory = Memory::builder()
        .max_capacity(room.memory)
        .weigher(|_, entry: &Entry| entry.weight)
        .eviction_listener(move |_, _, cause| {
            if cause.was_evicted() {
                evictions.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
    if let Some(time) = room.time_to_live {
        memory = memory.time_to_live(time);
    }
    memory.build()
}

/// Seconds since 1970: what is stored outlives the process, whose own clock ends with it.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}
