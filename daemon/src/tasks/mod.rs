//! Background work: each piece of it is a task, which can be seen, followed, waited for and cancelled.
//!
//! A task is *submitted*, waits until it is its turn ([`queue`]), runs on the thread of whoever has
//! submitted it, and ends; then the history has it, which a new daemon reads. What queries wait
//! for, such as a look at a tree, is only *noted*: it runs at once, and cannot be cancelled.
//!
//! What is asked for (`hob index`) is always kept in the history; else what took a while, or was not
//! done. So a day of editing does not push out what a person would look for.

mod keeper;
mod queue;
#[cfg(test)]
mod tests;

pub(crate) use queue::{Full, Lane, Priority};

use hob_protocol::{Task, TaskState, Text};
use keeper::Keeper;
use queue::Queue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often one who waits for a turn looks whether the daemon needs it no more.
const LOOK: Duration = Duration::from_millis(50);
/// What took less and is done is not kept, unless it was asked for.
const NOT_WORTH_KEEPING: Duration = Duration::from_millis(100);

/// Sorts of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Brings contents and what they define into a store.
    Index,
    /// Looks at a whole tree.
    Scan,
    /// Makes few large segments of many small ones.
    Merge,
    /// Writes down what is known of a tree.
    Save,
    /// Reads what past commits touched.
    History,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Scan => "scan",
            Self::Merge => "merge",
            Self::Save => "save",
            Self::History => "history",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Index => "files",
            Self::Scan => "entries",
            Self::History => "commits",
            Self::Merge | Self::Save => "",
        }
    }

    fn lane(self) -> Lane {
        match self {
            Self::Index | Self::Scan | Self::History => Lane::Cpu,
            Self::Merge | Self::Save => Lane::Disk,
        }
    }
}

/// What is to be done, and for whom.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    work: Work,
    root: Option<PathBuf>,
    priority: Priority,
}

impl Spec {
    /// Work for a workspace.
    pub(crate) fn new(work: Work, root: &Path) -> Self {
        Self { work, root: Some(root.to_owned()), priority: Priority::Usual }
    }

    pub(crate) fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }
}

/// How a task has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    Failed(String),
    Cancelled(String),
}

/// Why a task is not cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCancelled {
    /// There is none of that number.
    Unknown,
    /// It has ended before.
    Ended(TaskState),
    /// Queries wait for it.
    Needed,
}

/// How much runs at once, and how much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Tasks that wait.
    pub(crate) queue: usize,
    /// Tasks at once that mostly compute.
    pub(crate) cpu: usize,
    /// Tasks at once that mostly write.
    pub(crate) disk: usize,
    /// How long one that can be cancelled may run.
    pub(crate) deadline: Option<Duration>,
    /// Tasks that have ended.
    pub(crate) history: usize,
}

/// The task manager. A copy is the same one.
#[derive(Clone)]
pub(crate) struct Tasks(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// A turn may have come, or the keeper has something to do.
    moved: Condvar,
    /// Counts what those may want to see who follow tasks.
    news: watch::Sender<u64>,
    limits: Limits,
    /// Where the history is.
    path: Option<PathBuf>,
    keeper: OnceLock<Keeper>,
}

struct State {
    queue: Queue,
    live: BTreeMap<u64, Arc<Live>>,
    past: BTreeMap<u64, Task>,
    /// Their numbers in the order of their ends: one that took long is not the oldest for having begun
    /// first.
    ended: VecDeque<u64>,
    next: u64,
    /// What is to be written down.
    unwritten: BTreeSet<u64>,
    /// What is not known any more, and may still be written down.
    forgotten: Vec<u64>,
    /// After a failure nothing is written for a while.
    rest: Option<Instant>,
    closed: bool,
}

/// A task that has not ended.
struct Live {
    id: u64,
    work: Work,
    root: Option<PathBuf>,
    cancellable: bool,
    asked: AtomicBool,
    /// It comes again and again, and is not worth a line of the history once it is done.
    common: bool,
    submitted: (SystemTime, Instant),
    started: OnceLock<Instant>,
    deadline: Option<Duration>,
    late: AtomicBool,
    cancelled: CancellationToken,
    progress: Mutex<Progress>,
    done: AtomicU64,
}

#[derive(Default)]
struct Progress {
    phase: &'static str,
    since: Option<Instant>,
    total: Option<u64>,
    /// Units of phases that follow.
    later: u64,
    /// Counts what is done where the task does not do it itself.
    count: Option<Box<dyn Fn() -> u64 + Send>>,
}

impl Tasks {
    /// Reads the history at `path`, if there is one; without a path there is none.
    pub(crate) fn new(path: Option<PathBuf>, limits: Limits) -> Self {
        let past = path.as_deref().map(keeper::read).unwrap_or_default();
        let end = |task: &Task| task.submitted_ms + task.waited_ms + task.ran_ms;
        let mut ended: Vec<(u64, u64)> = past.values().map(|task| (end(task), task.id)).collect();
        ended.sort_unstable();
        let mut state = State {
            ended: ended.into_iter().map(|(_, id)| id).collect(),
            queue: Queue::new(limits.queue, [limits.cpu, limits.disk]),
            live: BTreeMap::new(),
            next: past.keys().next_back().map_or(1, |last| last + 1),
            past,
            unwritten: BTreeSet::new(),
            forgotten: Vec::new(),
            rest: None,
            closed: false,
        };
        state.forget_the_oldest(limits.history);
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            moved: Condvar::new(),
            news: watch::Sender::new(0),
            limits,
            path,
            keeper: OnceLock::new(),
        }))
    }

    /// Tasks that leave no history.
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self::new(None, Limits { queue: 64, cpu: 2, disk: 2, deadline: None, history: 64 })
    }

    /// Lines work up. It runs once [`Waiting::turn`] says so.
    pub(crate) fn submit(&self, spec: Spec) -> Result<Waiting, Full> {
        let mut state = self.0.lock();
        let id = state.next;
        state.queue.push(id, spec.work.lane(), spec.priority, Instant::now())?;
        let live = self.enter(&mut state, spec, true);
        drop(state);
        self.0.tell();
        Ok(Waiting(Held { tasks: self.clone(), live, lane: None, ended: false }))
    }

    /// Notes work that begins at once, since queries wait for it.
    pub(crate) fn note(&self, spec: Spec) -> Running {
        let live = self.enter(&mut self.0.lock(), spec, false);
        let _ = live.started.set(Instant::now());
        self.0.tell();
        Running(Held { tasks: self.clone(), live, lane: None, ended: false })
    }

    /// Submits work, waits for its turn and does it on this thread. A panic is that task's failure.
    /// `stop` says when it is needed no more.
    pub(crate) fn run<T, E: std::fmt::Display>(
        &self,
        spec: Spec,
        stop: &dyn Fn() -> bool,
        work: impl FnOnce(&Running) -> Result<T, E>,
    ) -> Result<T, NotDone<E>> {
        let running = self.submit(spec).map_err(NotDone::Full)?.turn(stop);
        let running = running.ok_or(NotDone::Cancelled)?;
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&running)));
        match caught {
            Ok(Ok(value)) => {
                running.finish(Outcome::Done);
                Ok(value)
            }
            Ok(Err(_)) if running.is_cancelled() || stop() => {
                let why = if running.is_cancelled() { "" } else { NEEDLESS };
                running.finish(Outcome::Cancelled(why.to_owned()));
                Err(NotDone::Cancelled)
            }
            Ok(Err(error)) => {
                running.finish(Outcome::Failed(error.to_string()));
                Err(NotDone::Failed(error))
            }
            Err(_) => {
                running.finish(Outcome::Failed(PANICKED.to_owned()));
                Err(NotDone::Panicked)
            }
        }
    }

    fn enter(&self, state: &mut State, spec: Spec, cancellable: bool) -> Arc<Live> {
        let id = state.next;
        state.next += 1;
        let live = Arc::new(Live {
            id,
            work: spec.work,
            root: spec.root,
            cancellable,
            asked: AtomicBool::new(spec.priority == Priority::Asked),
            common: !cancellable && spec.priority == Priority::Idle,
            submitted: (SystemTime::now(), Instant::now()),
            started: OnceLock::new(),
            // What queries wait for has the deadlines of those.
            deadline: self.0.limits.deadline.filter(|_| cancellable),
            late: AtomicBool::new(false),
            cancelled: CancellationToken::new(),
            progress: Mutex::default(),
            done: AtomicU64::new(0),
        });
        state.live.insert(id, live.clone());
        state.unwritten.insert(id);
        if !state.closed {
            self.0.keeper.get_or_init(|| Keeper::start(&self.0));
        }
        live
    }

    /// All that are known, the newest first, those that have not ended before the others.
    pub(crate) fn list(&self) -> Vec<Task> {
        let state = self.0.lock();
        let live = state.live.values().rev().map(|live| live.task());
        live.chain(state.past.values().rev().cloned()).collect()
    }

    /// One of them.
    pub(crate) fn get(&self, id: u64) -> Option<Task> {
        let state = self.0.lock();
        let live = state.live.get(&id).map(|live| live.task());
        live.or_else(|| state.past.get(&id).cloned())
    }

    /// Cancels a task, which ends soon after.
    pub(crate) fn cancel(&self, id: u64) -> Result<(), NotCancelled> {
        let state = self.0.lock();
        let Some(live) = state.live.get(&id) else {
            let past = state.past.get(&id);
            return Err(past.map_or(NotCancelled::Unknown, |task| NotCancelled::Ended(task.state)));
        };
        if !live.cancellable {
            return Err(NotCancelled::Needed);
        }
        live.cancelled.cancel();
        drop(state);
        self.0.tell();
        Ok(())
    }

    /// Whether a task is about to end because it was cancelled.
    pub(crate) fn is_cancelled(&self, id: u64) -> bool {
        self.0.lock().live.get(&id).is_some_and(|live| live.cancelled.is_cancelled())
    }

    /// A person waits for this one now.
    pub(crate) fn raise(&self, id: u64) {
        let mut state = self.0.lock();
        if let Some(live) = state.live.get(&id) {
            live.asked.store(true, Ordering::Relaxed);
        }
        state.queue.raise(id);
    }

    /// Tells of each task that begins, runs, is cancelled or ends; of progress it does not.
    pub(crate) fn news(&self) -> watch::Receiver<u64> {
        self.0.news.subscribe()
    }

    /// Writes down what has ended. Nothing is written after this.
    pub(crate) fn close(&self) {
        self.0.lock().closed = true;
        self.0.tell();
        if let Some(keeper) = self.0.keeper.get() {
            keeper.finish();
        }
    }
}

/// What is said of a task that was left without a word.
const NEEDLESS: &str = "it was not needed any more";
/// What is said of a task that has panicked.
pub(crate) const PANICKED: &str = "it has panicked: `hob daemon logs` has more";

/// Why work has no result.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotDone<E> {
    /// Too many wait.
    Full(Full),
    /// It was cancelled, or is needed no more.
    Cancelled,
    /// It has panicked. The log has its words.
    Panicked,
    Failed(E),
}

impl State {
    /// Keeps so many that have ended.
    fn forget_the_oldest(&mut self, most: usize) {
        while self.past.len() > most {
            let Some(oldest) = self.ended.pop_front() else { return };
            self.past.remove(&oldest);
            self.forgotten.push(oldest);
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        self.moved.notify_all();
        self.news.send_modify(|count| *count += 1);
    }

    fn end(&self, live: &Live, lane: Option<Lane>, outcome: Outcome) {
        let mut state = self.lock();
        state.live.remove(&live.id);
        match lane {
            Some(lane) => state.queue.done(lane),
            None => state.queue.leave(live.id),
        }
        let task = live.ended(outcome);
        let quick = live.common || live.submitted.1.elapsed() < NOT_WORTH_KEEPING;
        let done = task.state == TaskState::Done;
        if done && quick && !live.asked.load(Ordering::Relaxed) {
            state.unwritten.remove(&live.id);
        } else {
            state.unwritten.insert(live.id);
            state.past.insert(live.id, task);
            state.ended.push_back(live.id);
            state.forget_the_oldest(self.limits.history);
        }
        drop(state);
        self.tell();
    }
}

impl Live {
    fn task(&self) -> Task {
        let now = Instant::now();
        let started = self.started.get().copied();
        let ran = started.map_or(Duration::ZERO, |started| now - started);
        let waited = started.unwrap_or(now) - self.submitted.1;
        let progress = lock(&self.progress);
        let done = match &progress.count {
            Some(count) => count(),
            None => self.done.load(Ordering::Relaxed),
        };
        let seconds = progress.since.or(started).map_or(0.0, |since| (now - since).as_secs_f64());
        let rate = if seconds > 0.0 { done as f64 / seconds } else { 0.0 };
        let left = progress.total.map(|total| total.saturating_sub(done));
        let left = left.map(|left| left + progress.later);
        let eta = left.filter(|_| rate > 0.0).map(|left| (left as f64 / rate * 1000.0) as u64);
        let since_1970 = self.submitted.0.duration_since(SystemTime::UNIX_EPOCH);
        Task {
            id: self.id,
            kind: self.work.name().to_owned(),
            root: self.root.as_deref().map(Text::from),
            state: if started.is_some() { TaskState::Running } else { TaskState::Queued },
            phase: progress.phase.to_owned(),
            done,
            total: progress.total,
            unit: self.work.unit().to_owned(),
            rate,
            eta_ms: eta.filter(|_| started.is_some()),
            submitted_ms: millis(since_1970.unwrap_or_default()),
            waited_ms: millis(waited),
            ran_ms: millis(ran),
            cancellable: self.cancellable,
            reason: None,
        }
    }

    fn ended(&self, outcome: Outcome) -> Task {
        let (state, reason) = match outcome {
            Outcome::Done => (TaskState::Done, None),
            Outcome::Cancelled(_) if self.late.load(Ordering::Relaxed) => {
                (TaskState::Failed, Some("it took longer than its deadline".to_owned()))
            }
            Outcome::Cancelled(reason) => {
                (TaskState::Cancelled, Some(reason).filter(|reason| !reason.is_empty()))
            }
            Outcome::Failed(reason) => (TaskState::Failed, Some(reason)),
        };
        Task { state, reason, eta_ms: None, ..self.task() }
    }

    /// When it is to be cancelled because it takes too long.
    fn due(&self) -> Option<Instant> {
        let (started, deadline) = (self.started.get()?, self.deadline?);
        (!self.cancelled.is_cancelled()).then(|| *started + deadline)
    }
}

/// A task in the hands of who does it. However they let it go, it has ended.
struct Held {
    tasks: Tasks,
    live: Arc<Live>,
    /// Where it takes a place.
    lane: Option<Lane>,
    ended: bool,
}

impl Held {
    fn end(&mut self, outcome: Outcome) {
        if !std::mem::replace(&mut self.ended, true) {
            self.tasks.0.end(&self.live, self.lane, outcome);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end(match std::thread::panicking() {
            true => Outcome::Failed(PANICKED.to_owned()),
            false if self.live.cancelled.is_cancelled() => Outcome::Cancelled(String::new()),
            false => Outcome::Cancelled(NEEDLESS.to_owned()),
        });
    }
}

/// A task that waits for its turn.
pub(crate) struct Waiting(Held);

impl Waiting {
    pub(crate) fn id(&self) -> u64 {
        self.0.live.id
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.live.cancelled.is_cancelled()
    }

    /// It has come to its end without a turn.
    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.0.end(outcome);
    }

    /// Waits for the turn. `None` where it is cancelled, or `stop` says that it is needed no more.
    pub(crate) fn turn(mut self, stop: &dyn Fn() -> bool) -> Option<Running> {
        let inner = self.0.tasks.0.clone();
        let mut state = inner.lock();
        while !state.queue.take_turn(self.id(), Instant::now()) {
            if self.is_cancelled() || stop() {
                drop(state);
                return None;
            }
            let waited = inner.moved.wait_timeout(state, LOOK);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        self.0.lane = Some(self.0.live.work.lane());
        let _ = self.0.live.started.set(Instant::now());
        drop(state);
        inner.tell();
        Some(Running(self.0))
    }
}

/// A task that runs.
pub(crate) struct Running(Held);

impl Running {
    #[cfg(test)]
    pub(crate) fn id(&self) -> u64 {
        self.0.live.id
    }

    /// Whether it is to end at once.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.live.cancelled.is_cancelled()
    }

    /// Begins a part of the work, of so many units.
    pub(crate) fn phase(&self, phase: &'static str, total: Option<u64>) {
        self.phase_before(phase, total, 0);
    }

    /// The same where another part of so many units follows, of which each takes about as long.
    pub(crate) fn phase_before(&self, phase: &'static str, total: Option<u64>, later: u64) {
        self.0.live.done.store(0, Ordering::Relaxed);
        *lock(&self.0.live.progress) =
            Progress { phase, since: Some(Instant::now()), total, later, count: None };
        self.0.tasks.0.tell();
    }

    /// All of it is done: so many units.
    pub(crate) fn sum_up(&self, units: u64) {
        self.0.live.done.store(units, Ordering::Relaxed);
        let since = self.0.live.started.get().copied();
        *lock(&self.0.live.progress) =
            Progress { since, total: Some(units), ..Progress::default() };
    }

    /// Something else counts the units that are done.
    pub(crate) fn counted(&self, count: impl Fn() -> u64 + Send + 'static) {
        lock(&self.0.live.progress).count = Some(Box::new(count));
    }

    /// So many more units are done.
    pub(crate) fn advance(&self, units: u64) {
        self.0.live.done.fetch_add(units, Ordering::Relaxed);
    }

    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.0.end(outcome);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
