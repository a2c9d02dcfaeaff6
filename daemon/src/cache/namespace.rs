//! The families of values, each with a budget and counters of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A family of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Namespace {
    /// What files define, as it is answered.
    Outlines,
    /// The same as it is printed, by the files' stat.
    Printed,
    /// What texts define and mention.
    Mentioned,
}

impl Namespace {
    /// All of them, each at its [`Namespace::index`].
    pub(crate) const ALL: &'static [Self] = &[Self::Outlines, Self::Printed, Self::Mentioned];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Outlines => "outlines",
            Self::Printed => "printed",
            Self::Mentioned => "mentioned",
        }
    }

    /// What stands for it on disk. A number is never given again.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Outlines => 1,
            Self::Printed => 2,
            Self::Mentioned => 3,
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }

    /// The one with a name, or what to do.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let names: Vec<&str> = Self::ALL.iter().map(|one| one.name()).collect();
        Self::ALL.iter().copied().find(|one| one.name() == name).ok_or_else(|| {
            format!("there is no namespace `{name}`; there is `{}`", names.join("`, `"))
        })
    }
}

/// What a namespace may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes of memory.
    pub(crate) memory: u64,
    /// Bytes on disk; 0 stores nothing.
    pub(crate) disk: u64,
    /// How long a value is good for.
    pub(crate) time_to_live: Option<Duration>,
}

/// What has become of the questions so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    memory: AtomicU64,
    disk: AtomicU64,
    shared: AtomicU64,
    missed: AtomicU64,
    failed: AtomicU64,
    damaged: AtomicU64,
    computing_us: AtomicU64,
    evicted: Arc<AtomicU64>,
}

/// The same as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Found in memory.
    pub(crate) memory: u64,
    /// Found on disk.
    pub(crate) disk: u64,
    /// Waited for another who computed it, or had it from there.
    pub(crate) shared: u64,
    /// Computed.
    pub(crate) missed: u64,
    /// Of these, without a value.
    pub(crate) failed: u64,
    /// Stored, and not what was written.
    pub(crate) damaged: u64,
    /// Microseconds of computing.
    pub(crate) computing_us: u64,
    /// Let go of for want of room, in memory or on disk.
    pub(crate) evicted: u64,
}

impl Counts {
    pub(super) fn hit_in_memory(&self) {
        self.memory.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn hit_on_disk(&self) {
        self.disk.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn shared(&self) {
        self.shared.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn missed(&self) {
        self.missed.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn damaged(&self) {
        self.damaged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn computed(&self, took: Duration, well: bool) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.computing_us.fetch_add(took, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(!well), Ordering::Relaxed);
    }

    /// What counts those that were let go of.
    pub(super) fn evictions(&self) -> Arc<AtomicU64> {
        self.evicted.clone()
    }

    pub(super) fn counted(&self) -> Counted {
        let now = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            memory: now(&self.memory),
            disk: now(&self.disk),
            shared: now(&self.shared),
            missed: now(&self.missed),
            failed: now(&self.failed),
            damaged: now(&self.damaged),
            computing_us: now(&self.computing_us),
            evicted: now(&self.evicted),
        }
    }
}
