//! Brings the contents of a workspace into the store of its repository, in the
//! background.
//!
//! It reads what a snapshot calls pending, numbers it, and tells the workspace. No
//! query waits for it: what is pending is read by the query itself. It knows
//! neither queries nor the wire.

mod content;
mod symbols;
mod text;

use crate::parallel::Bulk;
use crate::store::{RootId, Store, StoreError};
use crate::tasks::{
    self, Full, NotDone, Outcome, PANICKED, Priority, Running, Spec, Tasks, Waiting,
};
use crate::workspace::{Indexed, Snapshot, Workspace};
use hob_index::symbols::extract::Limits;
use hob_index::tree::{Dir, DocId, Docs, File};
use std::collections::HashSet;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use symbols::Outlining;
use text::Batch;

/// So many files wait until nothing has changed for a moment; more are indexed at once.
const FEW: usize = 512;
const QUIET: Duration = Duration::from_millis(300);
/// But no longer than this.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a store that has failed is left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How long nothing is looked at where nothing changes: a store may have been set aside.
const IDLE: Duration = Duration::from_secs(5);
/// How soon it is noticed that a task was cancelled, and how often it is looked for.
const HEED: Duration = Duration::from_millis(30);

/// Where the store of a repository comes from; it may be another one each time.
pub(crate) trait Stores: Send + Sync {
    /// The store; `None` while there is none to be had.
    fn store(&self) -> Option<Arc<Store>>;

    /// Hears that the store could not be used. For a while there is then none to be had.
    fn failed(&self, error: &StoreError);
}

/// What an indexer may use.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    /// What an outline may cost.
    pub(crate) limits: Limits,
    pub(crate) bulk: Bulk,
}

/// The background work of a workspace. Dropping it ends that, and saves what is known.
pub(crate) struct Indexer {
    course: Arc<Course>,
    workspace: Arc<Workspace>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl Indexer {
    /// Begins. `saved` is what the store has of this root.
    pub(crate) fn start(
        workspace: Arc<Workspace>,
        stores: Arc<dyn Stores>,
        budget: Budget,
        saved: (u64, RootId, Arc<Dir>),
        tasks: Tasks,
    ) -> Self {
        let course = Arc::new(Course {
            tasks,
            root: workspace.root().to_owned(),
            stop: AtomicBool::new(false),
            now: Mutex::default(),
        });
        // Where too many wait, there is one when there is something to do.
        let _ = course.submit(Priority::Usual);
        let mut work = Work {
            workspace: workspace.clone(),
            stores,
            budget,
            epoch: saved.0,
            root: saved.1,
            saved: saved.2,
            course: course.clone(),
            task: None,
            so_far: [0; 2],
            merges: true,
        };
        let thread = std::thread::Builder::new()
            .name("indexer".into())
            .stack_size(crate::STACK)
            .spawn(move || work.run());
        Self { course, workspace, thread: Mutex::new(thread.ok()) }
    }

    /// A person asks for the index: what was cancelled goes on. Returns the task's number.
    pub(crate) fn ask(&self) -> Result<u64, Full> {
        let asked = self.course.submit(Priority::Asked);
        self.workspace.wake_waiters();
        asked
    }

    /// The number of its task, while there is one.
    pub(crate) fn task(&self) -> Option<u64> {
        lock(&self.course.now).task
    }

    /// Ends its work, whoever still has it in hands, and saves what is known.
    pub(crate) fn close(&self) {
        self.course.stop.store(true, Ordering::Relaxed);
        self.workspace.wake_waiters();
        if let Some(thread) = lock(&self.thread).take() {
            let _ = thread.join();
        }
    }

    /// Whether its work has ended for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.course.stops()
    }

    /// Whether it was cancelled, and waits until somebody asks for it.
    pub(crate) fn is_paused(&self) -> bool {
        lock(&self.course.now).paused
    }
}

/// What the indexer does by which task, for those who ask.
struct Course {
    tasks: Tasks,
    root: PathBuf,
    /// The workspace is to close.
    stop: AtomicBool,
    now: Mutex<Now>,
}

#[derive(Default)]
struct Now {
    task: Option<u64>,
    /// That task, until it is taken up.
    waiting: Option<Waiting>,
    paused: bool,
}

impl Course {
    /// The number of the task that there is, or of a new one.
    fn submit(&self, priority: Priority) -> Result<u64, Full> {
        let mut now = lock(&self.now);
        let id = match now.task {
            Some(id) if !self.tasks.is_cancelled(id) => id,
            // One that was cancelled ends, and this one comes after it.
            _ => {
                let spec = Spec::new(tasks::Work::Index, &self.root).priority(priority);
                let waiting = self.tasks.submit(spec)?;
                let id = waiting.id();
                now.waiting = Some(waiting);
                id
            }
        };
        now.task = Some(id);
        now.paused &= priority != Priority::Asked;
        if priority == Priority::Asked {
            self.tasks.raise(id);
        }
        Ok(id)
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.close();
    }
}

struct Work {
    workspace: Arc<Workspace>,
    stores: Arc<dyn Stores>,
    budget: Budget,
    epoch: u64,
    root: RootId,
    saved: Arc<Dir>,
    course: Arc<Course>,
    /// From the first file that is read until all is indexed.
    task: Option<Running>,
    /// Files that this task has read, and that it has outlined.
    so_far: [u64; 2],
    /// Whether segments are merged: not once that was cancelled, until there are more.
    merges: bool,
}

impl Work {
    fn run(&mut self) {
        while !self.course.stops() && self.workspace.is_alive() {
            let snapshot = self.workspace.snapshot();
            if self.is_called_off() {
                self.rest(snapshot.generation, IDLE);
                continue;
            }
            let Some(store) = self.stores.store() else {
                let why = "there is no store for it: `hob status` says why";
                self.finish(Outcome::Failed(why.to_owned()));
                self.rest(snapshot.generation, AFTER_FAILURE);
                continue;
            };
            let round = AssertUnwindSafe(|| self.round(&store, &snapshot));
            match catch_unwind(round) {
                Ok(Ok(())) => {}
                Ok(Err(StoreError::Stopped)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(root = %self.workspace.root().display(), %error, "indexing has failed");
                    drop(store);
                    self.finish(Outcome::Failed(error.to_string()));
                    self.stores.failed(&error);
                }
                // It would do so again: whoever asks for it may try.
                Err(_) => {
                    self.finish(Outcome::Failed(PANICKED.to_owned()));
                    lock(&self.course.now).paused = true;
                }
            }
        }
        self.finish(Outcome::Cancelled("the workspace was closed".to_owned()));
        if let Some(store) = self.stores.store()
            && store.epoch() == self.epoch
        {
            // What is not saved is found out again at the next start.
            let _ = self.save(&store, &self.workspace.snapshot());
        }
    }

    /// Whether nothing is to be indexed now, since that was cancelled.
    fn is_called_off(&mut self) -> bool {
        let mut now = lock(&self.course.now);
        let ended = self.task.take_if(|task| task.is_cancelled()).is_some();
        let next = now.waiting.as_ref().map(|waiting| !waiting.is_cancelled());
        // It may have been asked for anew meanwhile.
        if next == Some(false) || (ended && next.is_none()) {
            *now = Now { paused: true, ..Now::default() };
            tracing::info!(root = %self.workspace.root().display(), "indexing is paused");
        }
        now.paused
    }

    /// Has the task begin, if it has not; false where it is not its turn.
    fn begin(&mut self) -> Result<bool, StoreError> {
        if self.task.is_some() {
            return Ok(true);
        }
        if self.course.submit(Priority::Usual).is_err() {
            self.rest(self.workspace.snapshot().generation, QUIET);
            return Ok(false);
        }
        let waiting = lock(&self.course.now).waiting.take();
        let Some(waiting) = waiting else { return Ok(false) };
        let id = waiting.id();
        self.task = waiting.turn(&|| self.course.stops());
        if self.task.is_none() && !self.course.stops() {
            let mut now = lock(&self.course.now);
            // Another may have been asked for meanwhile.
            if now.waiting.is_none() {
                *now = Now { paused: now.task == Some(id), ..Now::default() };
            }
        }
        Ok(self.task.is_some())
    }

    fn finish(&mut self, outcome: Outcome) {
        let mut now = lock(&self.course.now);
        let waiting = now.waiting.take();
        now.task = None;
        drop(now);
        // What another thread was at is read again, and is one file all the same.
        let files = std::mem::take(&mut self.so_far).into_iter().max().unwrap_or(0);
        let files = files.min(self.workspace.snapshot().tree.totals().files);
        match (self.task.take(), waiting) {
            (Some(task), _) => {
                if matches!(outcome, Outcome::Done) {
                    task.sum_up(files);
                }
                task.finish(outcome);
            }
            (None, Some(task)) => task.finish(outcome),
            (None, None) => {}
        }
    }

    fn phase(&self, phase: &'static str, files: usize, later: u64) {
        if let Some(task) = &self.task {
            task.phase_before(phase, Some(files as u64), later);
        }
    }

    /// A file more is done.
    fn advance(&self) {
        if let Some(task) = &self.task {
            task.advance(1);
        }
    }

    fn round(&mut self, store: &Arc<Store>, snapshot: &Snapshot) -> Result<(), StoreError> {
        if store.epoch() != self.epoch {
            let (root, saved) = store.load(self.workspace.root())?;
            (self.root, self.saved, self.epoch) = (root, saved, store.epoch());
            self.workspace.renumber(self.epoch);
            self.workspace.wait_for_change(snapshot.generation, PATIENCE);
            return Ok(());
        }
        let pending = pending(&snapshot.tree);
        if snapshot.epoch != self.epoch || snapshot.generation == 0 {
            self.rest(snapshot.generation, PATIENCE);
            return Ok(());
        }
        if pending.is_empty() {
            return self.symbols(store, snapshot);
        }
        let pending = match pending.len() {
            0..FEW => self.settled(),
            _ => pending,
        };
        if !self.begin()? {
            return Ok(());
        }
        // What is read is outlined after that, as far as it is of a language that is known.
        let later = snapshot.tree.totals().unoutlined;
        self.phase("reading", pending.len(), later);
        self.so_far[0] += pending.len() as u64;
        let claimed = Claims::default();
        self.budget.bulk.run(&pending, |memory| Batch::new(self, store, memory, &claimed))?;
        self.merges = true;
        if self.is_cancelled() {
            return Ok(());
        }
        // Until what was found out is in the snapshot, the same files would be read again.
        match self.workspace.settle(AFTER_FAILURE) {
            // A file that is written all the time must not keep the others from being outlined.
            Ok(after) if after.tree.totals().pending < FEW as u64 => self.symbols(store, &after),
            _ => Ok(()),
        }
    }

    /// Outlines what is not outlined; where all is, saves and tidies up.
    fn symbols(&mut self, store: &Arc<Store>, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.save(store, snapshot)?;
        let files = unoutlined(&snapshot.tree);
        if files.is_empty() {
            // What could not be read yet (it is just being written) waits for its quiet.
            let waits = snapshot.tree.totals().pending > 0;
            // Who waits for quiet, maybe for ever, leaves the turn to others.
            self.finish(Outcome::Done);
            if !waits {
                self.merge(store)?;
            }
            self.rest(snapshot.generation, if waits { QUIET } else { IDLE });
            return Ok(());
        }
        if !self.begin()? {
            return Ok(());
        }
        self.phase("outlining", files.len(), 0);
        self.so_far[1] += files.len() as u64;
        let claimed = Claims::default();
        self.budget.bulk.run(&files, |memory| {
            // As much again is needed while it is written.
            Outlining::new(self, store, memory / 2, &claimed)
        })?;
        if self.is_cancelled() {
            return Ok(());
        }
        if let Ok(after) = self.workspace.settle(AFTER_FAILURE) {
            match after.tree.totals().unoutlined as usize {
                0 => {}
                // What cannot be read is not tried without a pause, nor keeps others waiting.
                left if left >= files.len() => {
                    self.finish(Outcome::Done);
                    self.rest(after.generation, IDLE);
                }
                _ => self.rest(after.generation, QUIET),
            }
        }
        Ok(())
    }

    fn merge(&mut self, store: &Store) -> Result<(), StoreError> {
        if !self.merges || !store.wants_merge() {
            return Ok(());
        }
        let spec = Spec::new(tasks::Work::Merge, self.workspace.root()).priority(Priority::Idle);
        let course = self.course.clone();
        let needless = || course.stops();
        let merged = course
            .tasks
            .run(spec, &needless, |task| store.merge(&|| task.is_cancelled() || needless()));
        self.merges = matches!(merged, Ok(()) | Err(NotDone::Full(_)));
        match merged {
            Err(NotDone::Failed(error)) => Err(error),
            Ok(()) | Err(NotDone::Full(_) | NotDone::Cancelled | NotDone::Panicked) => Ok(()),
        }
    }

    /// The pending files, once nothing has changed for a moment.
    fn settled(&self) -> Vec<Pending> {
        let began = Instant::now();
        loop {
            let snapshot = self.workspace.snapshot();
            self.rest(snapshot.generation, QUIET);
            let now = self.workspace.snapshot();
            if now.generation == snapshot.generation || began.elapsed() > PATIENCE || self.stops() {
                return pending(&now.tree);
            }
        }
    }

    /// Tells the workspace of files that are done.
    fn hand_over(&self, done: &mut Vec<Indexed>) {
        if !done.is_empty() {
            self.workspace.indexed(self.epoch, std::mem::take(done));
        }
    }

    fn save(&mut self, store: &Store, snapshot: &Snapshot) -> Result<(), StoreError> {
        if snapshot.epoch == self.epoch
            && snapshot.generation > 0
            && !Arc::ptr_eq(&self.saved, &snapshot.tree)
        {
            let spec = Spec::new(tasks::Work::Save, self.workspace.root());
            let task = self.course.tasks.note(spec.priority(Priority::Idle));
            match store.save(self.root, &self.saved, &snapshot.tree) {
                Ok(()) => task.finish(Outcome::Done),
                Err(error) => {
                    task.finish(Outcome::Failed(error.to_string()));
                    return Err(error);
                }
            }
            self.saved = snapshot.tree.clone();
        }
        Ok(())
    }

    fn rest(&self, generation: u64, time: Duration) {
        let until = Instant::now() + time;
        loop {
            let now = lock(&self.course.now);
            let (heeds, paused) = (now.task.is_some(), now.paused);
            drop(now);
            let left = until.saturating_duration_since(Instant::now());
            if self.stops() || left.is_zero() {
                return;
            }
            let published = self.workspace.snapshot().generation != generation;
            self.workspace.wait_for_change(generation, if heeds { left.min(HEED) } else { left });
            if published || paused || !heeds || !self.workspace.is_alive() {
                return;
            }
        }
    }

    /// Whether so much is new that its text goes before all symbols.
    fn has_much_to_read(&self) -> bool {
        self.workspace.snapshot().tree.totals().pending >= FEW as u64
    }

    /// Whether what is being done is to end now.
    fn stops(&self) -> bool {
        self.course.stops() || self.is_cancelled()
    }

    /// Whether what is not stored yet is to be dropped for it.
    fn is_cancelled(&self) -> bool {
        let now = lock(&self.course.now);
        let waits = now.waiting.as_ref().is_some_and(Waiting::is_cancelled);
        waits || self.task.as_ref().is_some_and(Running::is_cancelled)
    }
}

/// What threads of one round work on, so that none does what another has begun.
struct Claims<T>(Mutex<HashSet<T>>);

impl<T> Default for Claims<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Eq + Hash> Claims<T> {
    /// Whether nobody has it yet; then whoever asks does.
    fn take(&self, one: T) -> bool {
        lock(&self.0).insert(one)
    }
}

/// A file to read.
struct Pending {
    path: Vec<u8>,
    file: File,
}

fn pending(tree: &Dir) -> Vec<Pending> {
    let mut pending = Vec::new();
    tree.for_each_file(&Docs::These(Vec::new()), &mut |path, file| {
        if file.doc == DocId::PENDING {
            pending.push(Pending { path: path.to_vec(), file: *file });
        }
    });
    pending
}

/// Files whose content is known, and what it defines is not.
fn unoutlined(tree: &Dir) -> Vec<Pending> {
    let mut files = Vec::new();
    tree.for_each_unoutlined(&mut |path, file| {
        if file.doc.known().is_some() {
            files.push(Pending { path: path.to_vec(), file: *file });
        }
    });
    files
}
