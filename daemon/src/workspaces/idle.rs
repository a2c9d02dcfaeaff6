//! Unloads workspaces that nobody asks about, and makes room for them to come back.
//!
//! What is unloaded has neither watcher, tree nor threads, and its store is closed
//! unless a worktree beside it uses that. The next question opens it as after a
//! start of the daemon: it is answered once the tree has been looked at.

use super::{Repository, Warm, Workspaces};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How often it is looked for what is idle.
const OFTEN: Duration = Duration::from_millis(10);
const RARELY: Duration = Duration::from_secs(60);

/// Where a workspace is that is open, about to be, or unloaded.
pub(super) struct Place {
    warm: OnceLock<Arc<Warm>>,
    /// What was here before, until it has saved what it knows. Whoever opens it anew waits for that.
    before: Mutex<Option<Arc<Warm>>>,
    /// What it had when it was unloaded.
    had: Option<Had>,
    asked: Mutex<Instant>,
}

/// What an unloaded workspace had.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Had {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            warm: OnceLock::new(),
            before: Mutex::default(),
            had: None,
            asked: Mutex::new(Instant::now()),
        }
    }
}

impl Place {
    /// The workspace, if it is open.
    pub(super) fn get(&self) -> Option<&Arc<Warm>> {
        self.warm.get()
    }

    /// The workspace, opened if need be. It counts as asked for.
    pub(super) fn open(&self, open: impl FnOnce() -> Arc<Warm>) -> Arc<Warm> {
        let warm = self.warm.get_or_init(|| {
            self.finish();
            open()
        });
        *lock(&self.asked) = Instant::now();
        warm.clone()
    }

    /// Waits until what was here before is closed.
    pub(super) fn finish(&self) {
        // Dropped within the lock, so that who comes second waits.
        let mut before = lock(&self.before);
        *before = None;
    }

    /// How long nobody has asked for it; `None` while it is in use or has something to do.
    ///
    /// To be called with the list of places locked: only there can others get hold of it.
    fn idle(self: &Arc<Self>, now: Instant) -> Option<Duration> {
        let warm = self.warm.get()?;
        if Arc::strong_count(self) > 1 || Arc::strong_count(warm) > 1 {
            return None;
        }
        warm.is_settled().then(|| now.saturating_duration_since(*lock(&self.asked)))
    }

    /// The place of the same workspace, unloaded.
    fn unloaded(&self) -> Option<Self> {
        let warm = self.warm.get()?.clone();
        let totals = *warm.workspace.snapshot().tree.totals();
        let had = Some(Had { files: totals.files, bytes: totals.bytes });
        Some(Self { before: Mutex::new(Some(warm)), had, ..Self::default() })
    }
}

impl Workspaces {
    /// Unloads what nobody has asked for in a while, as of `now`. Returns when to look again.
    pub(crate) fn unload_idle(&self, now: Instant) -> Duration {
        let most = self.config.workspace_idle;
        let mut next = most;
        let mut closing = Vec::new();
        let mut open = self.lock();
        for (root, place) in &mut open.workspaces {
            match place.idle(now) {
                Some(idle) if idle >= most => {
                    let Some(unloaded) = place.unloaded() else { continue };
                    tracing::info!(root = %root.display(), "an idle workspace is unloaded");
                    *place = Arc::new(unloaded);
                    closing.push(place.clone());
                }
                Some(idle) => next = next.min(most.saturating_sub(idle)),
                // In use: it may be idle at any time.
                None if place.get().is_some() => next = next.min(most / 4),
                None => {}
            }
        }
        drop(open);
        for place in closing {
            place.finish();
        }
        self.close_stores();
        next.clamp(OFTEN, RARELY)
    }

    /// Closes the stores that no workspace uses.
    fn close_stores(&self) {
        let unused = |repository: &&Arc<Repository>| Arc::strong_count(repository) == 1;
        let open = self.lock();
        let unused: Vec<Arc<Repository>> =
            open.repositories.values().filter(unused).cloned().collect();
        // Each is locked before the list is unlocked: who opens a workspace meanwhile waits, and
        // opens the store after it was closed.
        let locked: Vec<_> = unused.iter().map(|repository| lock(&repository.current)).collect();
        drop(open);
        for mut current in locked {
            // A search that still runs may hold it.
            if current.store.as_ref().is_some_and(|store| Arc::strong_count(store) == 1) {
                current.store = None;
            }
        }
    }

    /// What a workspace had that is unloaded.
    pub(crate) fn had(&self, root: &Path) -> Option<Had> {
        self.lock().workspaces.get(root)?.had
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "idle_tests.rs"]
mod tests;
