//! Whether what is open still answers: a look that goes all the way, for whoever restarts a daemon
//! that is stuck.

use super::{Warm, Workspaces};
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

impl Workspaces {
    /// Reads from each open store, and has each open workspace take what its watcher reports. An
    /// error is the root of one where that is not done within the time, and no progress is seen. It
    /// does not come back from a store that never answers.
    pub(crate) fn probe(&self, patience: Duration) -> Result<(), PathBuf> {
        let until = Instant::now() + patience;
        for warm in self.opened() {
            warm.touch_store();
            if !warm.workspace.probe(until.saturating_duration_since(Instant::now())) {
                return Err(warm.workspace.root().to_owned());
            }
        }
        Ok(())
    }
}

impl Warm {
    /// A store that fails is dealt with by who needs it: here it only has to come back.
    fn touch_store(&self) {
        let current = self.repository.current.lock().unwrap_or_else(PoisonError::into_inner);
        let store = current.store.clone();
        drop(current);
        if let Some(store) = store {
            let _ = store.lookup(&[0; 32]);
        }
    }
}
