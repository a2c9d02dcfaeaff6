//! The thread that writes the history down, and cancels what takes too long.

use super::{Inner, Live, State};
use crate::store::history::History;
use hob_protocol::{Task, TaskState};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long tasks are gathered before they are written: most have ended by then, and are not worth it.
const GATHER: Duration = Duration::from_secs(1);
/// How often it is looked for deadlines, where there are some.
const OFTEN: Duration = Duration::from_millis(20);
/// How long nothing is written after a failure, such as a full disk.
const REST: Duration = Duration::from_secs(10);
/// How often it is looked whether anyone has tasks at all.
const LOOK: Duration = Duration::from_secs(60);

pub(super) struct Keeper(Mutex<Option<JoinHandle<()>>>);

impl Keeper {
    pub(super) fn start(tasks: &Arc<Inner>) -> Self {
        let tasks = Arc::downgrade(tasks);
        let thread = std::thread::Builder::new().name("tasks".into());
        let thread = thread.spawn(move || keep(&tasks));
        if let Err(error) = &thread {
            tracing::warn!(%error, "the history of tasks is not kept");
        }
        Self(Mutex::new(thread.ok()))
    }

    /// Waits until all is written. The tasks are closed by then.
    pub(super) fn finish(&self) {
        let thread = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

/// What an earlier daemon has written. What had not ended then has ended with it.
pub(super) fn read(path: &Path) -> BTreeMap<u64, Task> {
    if !path.exists() {
        return BTreeMap::new();
    }
    let stored = History::open(path).and_then(|history| history.read());
    let stored = stored.unwrap_or_else(|error| {
        tracing::warn!(%error, "the history of tasks cannot be read");
        Vec::new()
    });
    let task = |(id, bytes): (u64, Vec<u8>)| {
        let mut task: Task = serde_json::from_slice(&bytes).ok()?;
        if !task.state.has_ended() {
            task.state = TaskState::Failed;
            task.reason = Some("the daemon ended before it".to_owned());
            task.eta_ms = None;
        }
        (task.id == id).then_some((id, task))
    };
    stored.into_iter().filter_map(task).collect()
}

fn keep(tasks: &Weak<Inner>) {
    while let Some(inner) = tasks.upgrade() {
        let state = inner.lock();
        let at_rest = |state: &mut State| {
            state.live.is_empty() && state.unwritten.is_empty() && !state.closed
        };
        let waited = inner.moved.wait_timeout_while(state, LOOK, at_rest);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        let hurry = state.live.values().any(|live| live.due().is_some());
        let pause = if hurry { OFTEN } else { GATHER };
        let waited = inner.moved.wait_timeout_while(state, pause, |state| !state.closed);
        let state = waited.unwrap_or_else(PoisonError::into_inner).0;
        call_off(&state, Instant::now());
        let closed = state.closed;
        write_down(&inner, state);
        if closed {
            return;
        }
    }
}

/// Cancels what takes too long.
fn call_off(state: &State, now: Instant) {
    for live in state.live.values().filter(|live| live.due().is_some_and(|due| due <= now)) {
        live.late.store(true, Ordering::Relaxed);
        live.cancelled.cancel();
    }
}

fn write_down(inner: &Inner, mut state: MutexGuard<'_, State>) {
    let Some(path) = &inner.path else {
        state.forgotten.clear();
        return state.unwritten.clear();
    };
    if state.rest.is_some_and(|until| Instant::now() < until) && !state.closed {
        return;
    }
    // What has just begun may end before it is worth a line.
    let young =
        |live: &Arc<Live>| (live.common || live.submitted.1.elapsed() < GATHER) && !state.closed;
    let (later, now): (BTreeSet<u64>, BTreeSet<u64>) =
        state.unwritten.iter().partition(|id| state.live.get(id).is_some_and(young));
    let task = |id: &u64| {
        let live = state.live.get(id).map(|live| live.task());
        let task = live.or_else(|| state.past.get(id).cloned())?;
        Some((*id, serde_json::to_vec(&task).ok()?))
    };
    let tasks: Vec<(u64, Vec<u8>)> = now.iter().filter_map(task).collect();
    state.unwritten = later;
    let forgotten = std::mem::take(&mut state.forgotten);
    drop(state);
    if tasks.is_empty() && forgotten.is_empty() {
        return;
    }
    // Opened each time: it is rare, and a file that is open is for nothing most of the day.
    let written = History::open(path).and_then(|history| history.write(&tasks, &forgotten));
    if let Err(error) = written {
        tracing::warn!(%error, "the history of tasks is not written, and tried again later");
        let mut state = inner.lock();
        state.unwritten.extend(now);
        state.forgotten.extend(forgotten);
        state.rest = Some(Instant::now() + REST);
    }
}
