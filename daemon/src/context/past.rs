//! The history that votes: read once a commit, kept in the store, and put together for the commit
//! that is checked out.

use crate::git::commits::{Id, Past};
use crate::parallel::{Bulk, Worker};
use crate::store::{Store, StoreError};
use crate::tasks::{Outcome, Priority, Running, Spec, Tasks, Work};
use hob_index::context::history::{Commit, History};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many commits of the past are looked at, merges not counted.
const MOST: usize = 3_000;
/// After so many commits, what is known so far can be used.
const STEPS: [usize; 3] = [200, 1_000, MOST * 2];

/// What is known of the past of a workspace.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<Inner>);

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The commit that the history led to.
    head: Option<Id>,
    history: Arc<History>,
    is_whole: bool,
    /// For which commit it is being read.
    reading: Option<Id>,
    /// Somebody has waited for that as long as the patience lasts: nobody else has to.
    waited: bool,
    /// The workspace is closed: its store is to be let go of.
    closed: bool,
}

/// What reading the past takes.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) store: Option<Arc<Store>>,
    pub(super) tasks: Tasks,
    pub(super) bulk: Bulk,
    /// How long a query waits for it.
    pub(super) patience: Duration,
}

impl Known {
    /// The history of the commit that is checked out, and whether it is all that is looked at.
    /// Where it takes longer to read than the patience lasts, what is known of it by then.
    pub(super) fn history(
        &self,
        root: &Path,
        means: &Means,
        stops: &dyn Fn() -> bool,
    ) -> (Arc<History>, bool) {
        let head = Past::open(root).and_then(|past| past.head());
        let Some(head) = head else { return (Arc::default(), true) };
        let until = Instant::now() + means.patience;
        let mut state = self.lock();
        loop {
            if state.head == Some(head) && state.is_whole {
                return (state.history.clone(), true);
            }
            if state.reading.is_none() {
                state.waited = false;
                state.reading = Some(head);
                let (known, root, means) = (self.clone(), root.to_owned(), means.clone());
                let work = move || known.read(&root, head, &means);
                if std::thread::Builder::new().name("history".into()).spawn(work).is_err() {
                    state.reading = None;
                    return (state.history.clone(), false);
                }
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.waited || stops() {
                state.waited |= left.is_zero();
                // That of the commit before is better than none.
                return (state.history.clone(), false);
            }
            let wait = left.min(Duration::from_millis(50));
            let waited = self.0.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends what is being read, since the workspace is closed.
    pub(super) fn close(&self) {
        self.lock().closed = true;
    }

    fn read(&self, root: &Path, head: Id, means: &Means) {
        let _ended = Ended(self);
        let Some(past) = Past::open(root) else { return };
        let ids = past.ancestors(&head, MOST * 2);
        let mut commits: Vec<Commit> = Vec::new();
        let mut from = 0;
        let mut task: Option<Running> = None;
        for step in STEPS {
            let next = &ids[from.min(ids.len())..step.min(ids.len())];
            from = step;
            let known = |id: &Id| means.store.as_ref()?.commit(id).ok().flatten();
            let mut read: HashMap<Id, Commit> =
                next.iter().filter_map(|id| Some((*id, known(id)?))).collect();
            let missing: Vec<Id> =
                next.iter().filter(|id| !read.contains_key(*id)).copied().collect();
            if missing.len() > 32 && task.is_none() {
                let spec = Spec::new(Work::History, root).priority(Priority::Usual);
                task = Some(means.tasks.note(spec));
            }
            if let Some(task) = &task {
                task.phase_before("reading", Some(missing.len() as u64), 0);
            }
            let made = Mutex::new(Vec::new());
            let _ = means.bulk.run(&missing, |_| Reading {
                past: Past::open(root),
                commits: Vec::new(),
                made: &made,
                task: task.as_ref(),
                known: self,
            });
            let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
            if let Some(store) = &means.store
                && !made.is_empty()
            {
                // What is not stored is read again.
                let _ = store.add_commits(&made);
            }
            read.extend(
                made.into_iter().filter_map(|(id, commit)| Some((id.try_into().ok()?, commit))),
            );
            let new = next.iter().filter_map(|id| read.remove(id));
            commits.extend(new.filter(|commit| !commit.files.is_empty()));
            commits.truncate(MOST);
            let is_whole = step >= ids.len() || commits.len() >= MOST;
            let mut state = self.lock();
            if state.closed {
                break;
            }
            // A part of it is no better than all of the one before.
            if is_whole || !state.is_whole {
                state.history = Arc::new(History::of(&commits));
                state.head = Some(head);
                state.is_whole = is_whole;
            }
            drop(state);
            self.0.changed.notify_all();
            if is_whole {
                break;
            }
        }
        if let Some(task) = task {
            task.finish(Outcome::Done);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody reads any more, whatever has happened.
struct Ended<'a>(&'a Known);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.lock().reading = None;
        self.0.0.changed.notify_all();
    }
}

/// A thread's part of the commits.
struct Reading<'a> {
    past: Option<Past>,
    commits: Vec<(Vec<u8>, Commit)>,
    made: &'a Mutex<Vec<(Vec<u8>, Commit)>>,
    task: Option<&'a Running>,
    known: &'a Known,
}

impl Worker<Id> for Reading<'_> {
    type Error = StoreError;

    fn stops(&self) -> bool {
        self.known.lock().closed
    }

    fn item(&mut self, id: &Id) -> Result<(), StoreError> {
        if let Some(past) = &self.past {
            self.commits.push((id.to_vec(), past.commit(id)));
        }
        if let Some(task) = self.task {
            task.advance(1);
        }
        Ok(())
    }

    fn finish(self) -> Result<(), StoreError> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).extend(self.commits);
        Ok(())
    }
}
