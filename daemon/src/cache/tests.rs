//! What is computed once is not computed again, and never wrong.

use super::*;
use crate::store::values::Verified;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A text that weighs as much as it says.
#[derive(Debug, PartialEq, Eq)]
struct Words(String);

impl Value for Words {
    fn encode(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().map(Self)
    }

    fn weight(&self) -> usize {
        self.0.len()
    }
}

const ROOM: Room = Room { memory: 1 << 20, disk: 1 << 20, time_to_live: None };

fn open(dir: &tempfile::TempDir, room: Room) -> Cache {
    Cache::new(dir.path().join("values.redb"), |_| room)
}

fn key(number: u64) -> Key {
    Key::of(Namespace::Outlines).number(number).finish()
}

fn words(text: &str) -> Result<Words, Missing<String>> {
    Ok(Words(text.to_owned()))
}

/// Asks for a value that must be there already.
fn known(cache: &Cache, number: u64) -> Option<String> {
    let found = cache.get_or_compute(key(number), || Err::<Words, _>(Missing::Failed(())));
    found.ok().map(|found| found.0.clone())
}

fn counted(cache: &Cache) -> namespace::Counted {
    cache.stats()[0].counted
}

#[test]
fn a_value_is_computed_once_and_known_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    assert_eq!(cache.get_or_compute(key(1), || words("tea")).unwrap().0, "tea");
    assert_eq!(known(&cache, 1).as_deref(), Some("tea"));
    let told = counted(&cache);
    assert_eq!((told.missed, told.memory, told.disk), (1, 1, 0));
    close(&dir, cache);
    let cache = open(&dir, ROOM);
    assert_eq!(known(&cache, 1).as_deref(), Some("tea"));
    assert_eq!(known(&cache, 2), None);
    let told = counted(&cache);
    assert_eq!((told.missed, told.failed, told.memory, told.disk), (1, 1, 0, 1));
}

#[test]
fn a_hundred_who_ask_at_once_compute_once() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    let (computed, all) = (AtomicUsize::new(0), Barrier::new(100));
    std::thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| {
                all.wait();
                let found = cache.get_or_compute(key(1), || {
                    computed.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(50));
                    words("tea")
                });
                assert_eq!(found.unwrap().0, "tea");
            });
        }
    });
    assert_eq!(computed.into_inner(), 1);
    let told = counted(&cache);
    assert_eq!((told.missed, told.memory + told.shared), (1, 99));
}

#[test]
fn an_error_is_not_kept_and_a_panic_is_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    let failed = cache.get_or_compute(key(1), || Err::<Words, _>(Missing::Failed("no water")));
    assert_eq!(failed.unwrap_err(), Missing::Failed("no water"));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        cache.get_or_compute::<Words, String>(key(1), || panic!("it boils over"))
    }));
    assert!(panicked.is_err());
    assert_eq!(cache.get_or_compute(key(1), || words("tea")).unwrap().0, "tea");
}

// Whoever computes may be cancelled; that is no reason for the others to have nothing.
#[test]
fn one_who_leaves_does_not_spoil_it_for_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    let begun = Barrier::new(2);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            cache.get_or_compute(key(1), || {
                begun.wait();
                std::thread::sleep(Duration::from_millis(50));
                Err::<Words, _>(Missing::<String>::Left)
            })
        });
        begun.wait();
        let others: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    cache.get_or_compute(key(1), || words("tea")).map(|tea| tea.0.clone())
                })
            })
            .collect();
        for other in others {
            assert_eq!(other.join().unwrap(), Ok("tea".to_owned()));
        }
        assert_eq!(first.join().unwrap().unwrap_err(), Missing::Left);
    });
}

#[test]
fn a_damaged_value_is_a_miss_that_is_counted_and_never_an_answer() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    for number in 0..20 {
        cache.get_or_compute(key(number), || words(&format!("needle {number}"))).unwrap();
    }
    let path = close(&dir, cache);
    let mut bytes = std::fs::read(&path).unwrap();
    let at: Vec<usize> =
        (0..bytes.len() - 8).filter(|at| &bytes[*at..at + 7] == b"needle ").collect();
    assert!(!at.is_empty());
    for at in at {
        bytes[at] = b'N';
    }
    std::fs::write(&path, bytes).unwrap();
    let cache = open(&dir, ROOM);
    for number in 0..20 {
        let found = known(&cache, number);
        assert!(found.is_none(), "{found:?}");
    }
    assert_eq!(counted(&cache).damaged, 20);
    assert_eq!(cache.get_or_compute(key(3), || words("tea")).unwrap().0, "tea");
}

/// Waits until the thread that stores has ended, after what waits, and has let the file go.
fn close(dir: &tempfile::TempDir, cache: Cache) -> std::path::PathBuf {
    drop(cache);
    let path = dir.path().join("values.redb");
    while Values::open(&path).is_err() {
        std::thread::sleep(Duration::from_millis(5));
    }
    path
}

#[test]
fn damage_is_found_by_verifying_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    for number in 0..5 {
        cache.get_or_compute(key(number), || words("tea")).unwrap();
    }
    assert_eq!(cache.verify().unwrap(), Some(Verified { good: 5, damaged: 0 }));
    let path = close(&dir, cache);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(33).position(|bytes| bytes == key(2).stored()).unwrap();
    // What follows the keys of a leaf are its values.
    let at = at + bytes[at..].windows(3).position(|bytes| bytes == b"tea").unwrap();
    bytes[at] = b'T';
    std::fs::write(&path, bytes).unwrap();
    let cache = open(&dir, ROOM);
    assert_eq!(cache.verify().unwrap(), Some(Verified { good: 4, damaged: 1 }));
    assert_eq!(cache.verify().unwrap(), Some(Verified { good: 4, damaged: 0 }));
    assert_eq!(cache.stats()[0].on_disk.values, 4);
}

#[test]
fn a_file_that_is_none_of_ours_is_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("values.redb"), "no database".repeat(1000)).unwrap();
    let cache = open(&dir, ROOM);
    cache.get_or_compute(key(1), || words("tea")).unwrap();
    assert_eq!(cache.stats()[0].on_disk.values, 1);
}

#[test]
fn a_budget_lets_the_least_used_go_and_the_file_shrinks() {
    let dir = tempfile::tempdir().unwrap();
    let room = Room { memory: 0, disk: 40 << 20, time_to_live: None };
    let cache = open(&dir, room);
    let large = "x".repeat(1 << 20);
    for number in 0..60 {
        cache.get_or_compute(key(number), || words(&format!("{number} {large}"))).unwrap();
    }
    let stats = cache.stats()[0];
    assert!(stats.on_disk.bytes <= 40 << 20, "{stats:?}");
    assert!(stats.counted.evicted >= 20, "{stats:?}");
    assert!(known(&cache, 59).is_some());
    assert!(known(&cache, 0).is_none());
    let full = cache.file().unwrap().1;
    assert_eq!(cache.clear(None).unwrap(), stats.on_disk.values);
    let cleared = cache.file().unwrap().1;
    assert!(cleared < full / 4, "{cleared} of {full} bytes");
    assert!(known(&cache, 59).is_none());
}

#[test]
fn a_budget_of_nothing_or_less_than_a_value_stores_nothing_and_answers() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in [0, 10] {
        let cache = open(&dir, Room { memory: bytes, disk: bytes, time_to_live: None });
        for _ in 0..2 {
            let tea = cache.get_or_compute(key(bytes), || words("a cup of tea")).unwrap();
            assert_eq!(tea.0, "a cup of tea");
            // moka lets go of what does not fit when it gets to it.
            let _ = cache.stats();
        }
        let stats = cache.stats()[0];
        assert_eq!((stats.counted.missed, stats.on_disk), (2, Amount::default()));
        close(&dir, cache);
    }
}

#[test]
fn a_value_is_good_for_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let hour = Some(Duration::from_secs(3600));
    let cache = open(&dir, Room { time_to_live: hour, ..ROOM });
    cache.get_or_compute(key(1), || words("tea")).unwrap();
    let disk = cache.0.disk().unwrap();
    cache.flush();
    // Two values that were computed at other times.
    let put = |number, at| {
        let change = [Change::Put(key(number).stored(), b"old".to_vec())];
        disk.values.commit(&change, |_| 1 << 20, at).unwrap();
    };
    put(2, now() - 7200);
    put(3, now() - 1800);
    assert_eq!(known(&cache, 1).as_deref(), Some("tea"));
    assert_eq!(known(&cache, 2), None);
    assert_eq!(known(&cache, 3).as_deref(), Some("old"));
}

#[test]
fn without_a_disk_values_are_kept_in_memory() {
    let cache = Cache::new("/dev/null/values.redb".into(), |_| ROOM);
    cache.get_or_compute(key(1), || words("tea")).unwrap();
    assert_eq!(known(&cache, 1).as_deref(), Some("tea"));
    assert_eq!(cache.file(), None);
    assert_eq!(cache.verify().unwrap(), None);
}

#[test]
fn a_namespace_is_cleared_in_memory_too() {
    let dir = tempfile::tempdir().unwrap();
    let cache = open(&dir, ROOM);
    cache.get_or_compute(key(1), || words("tea")).unwrap();
    assert_eq!(cache.bytes(key(1)).as_deref(), Some(&b"tea"[..]));
    let keys: Vec<Key> = cache.keys(None).unwrap().into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, [key(1)]);
    assert_eq!(cache.clear(Some(Namespace::Outlines)).unwrap(), 1);
    assert_eq!(cache.bytes(key(1)), None);
    assert_eq!(known(&cache, 1), None);
}
