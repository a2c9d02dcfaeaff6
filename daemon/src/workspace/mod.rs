//! A tree that is kept warm: its watcher, its one writer, and the snapshots that
//! readers hold.
//!
//! Knows nothing of queries and of the wire. A reader calls [`Workspace::sync`] and
//! gets a snapshot that shows every change which was completed before the call, or
//! an error; it never gets an older one without having asked for it.

mod keeper;
pub(crate) mod rules;
pub(crate) mod scan;

use crate::tasks::Tasks;
use crate::watcher::{self, Backend, Watcher};
use hob_index::tree::{Dir, DocId, File, diff};
use hob_protocol::{Freshness, IndexChange, Origin, Text};
use keeper::{Keeper, root_id};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, mpsc};
use std::time::Duration;
use tokio::sync::broadcast;

/// How many paths a notification of changes names; past that it says `rescan`.
const NAMED_CHANGES: usize = 1_000;
/// And so long names.
const NAMED_BYTES: usize = 128 << 10;

/// A state of a workspace. It never changes.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) tree: Arc<Dir>,
    pub(crate) generation: u64,
    pub(crate) freshness: Freshness,
    /// The store that numbered the contents: in another one the numbers mean nothing.
    pub(crate) epoch: u64,
    /// What it depends on that no watcher reports.
    pub(crate) guard: Arc<Guard>,
    /// What cannot be watched, for people.
    pub(crate) problems: Vec<String>,
}

/// Why a snapshot that is up to date is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failed {
    /// The root was deleted or moved.
    #[error("the root is gone")]
    RootGone,
    /// The deadline has passed.
    #[error("the deadline has passed")]
    Late,
    /// The workspace was closed, or its writer has failed.
    #[error("the workspace was closed")]
    Closed,
}

#[derive(Clone, Copy, Debug)]
struct Synced;

enum Command {
    Sync(mpsc::SyncSender<Result<Synced, Failed>>),
    /// To be answered once what the watcher had to report is taken in.
    Probe(mpsc::SyncSender<()>),
    Indexed(u64, Vec<Indexed>),
    Renumber(u64),
    Close,
}

/// What the indexer found out of a file.
#[derive(Clone, Debug)]
pub(crate) struct Indexed {
    pub(crate) path: Vec<u8>,
    pub(crate) print: u64,
    pub(crate) touch: u32,
    pub(crate) doc: DocId,
    /// What it defines is in the store as well.
    pub(crate) outlined: bool,
}

struct Shared {
    root: PathBuf,
    watcher: Option<Box<dyn Watcher>>,
    watch_problem: Option<String>,
    snapshot: RwLock<Arc<Snapshot>>,
    changes: broadcast::Sender<IndexChange>,
    commands: Mutex<Vec<Command>>,
    /// How often the whole tree is looked at, if ever.
    sweep: Option<Duration>,
    /// Wakes the keeper where no watcher does.
    posted: Condvar,
    /// The generation that was published last.
    published: (Mutex<u64>, Condvar),
    /// The keeper has taken events whose effect is not published yet.
    busy: AtomicBool,
    /// How many directories and files were looked at. A file gets its number.
    touches: AtomicU32,
    /// How many threads look at directories.
    scan_jobs: usize,
    /// Where a look at the whole tree is noted.
    tasks: Tasks,
    alive: AtomicBool,
}

/// How a workspace is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watching {
    /// By this implementation.
    By(Backend),
    /// Not at all: each query looks at the whole tree.
    Polling,
}

/// A workspace that is open. Dropping it closes it.
pub(crate) struct Workspace {
    shared: Arc<Shared>,
    keeper: Option<std::thread::JoinHandle<()>>,
}

impl Workspace {
    /// Opens the workspace at `root`, which is canonical. `known` is its tree as it was stored, in
    /// the store of that epoch. Every `sweep` the whole tree is looked at, for what no watcher reports.
    /// Returns at once: the first [`Workspace::sync`] waits until the tree
    /// has been looked at.
    pub(crate) fn open(
        root: &Path,
        watching: Watching,
        cookies: &Path,
        (epoch, known): (u64, Arc<Dir>),
        sweep: Option<Duration>,
        tasks: Tasks,
        scan_jobs: usize,
    ) -> Self {
        let (watcher, watch_problem) = open_watcher(root, watching, cookies);
        let first = Snapshot {
            tree: Arc::default(),
            generation: 0,
            freshness: Freshness::Indexing,
            epoch,
            guard: Arc::default(),
            problems: Vec::new(),
        };
        let shared = Arc::new(Shared {
            root: root.to_owned(),
            watcher,
            watch_problem,
            snapshot: RwLock::new(Arc::new(first)),
            changes: broadcast::Sender::new(256),
            commands: Mutex::default(),
            sweep,
            posted: Condvar::new(),
            published: (Mutex::new(0), Condvar::new()),
            busy: AtomicBool::new(true),
            touches: AtomicU32::new(0),
            tasks,
            scan_jobs,
            alive: AtomicBool::new(true),
        });
        let ours = shared.clone();
        let keeper = std::thread::Builder::new().name("keeper".into()).stack_size(crate::STACK).spawn(move || {
            let work = std::panic::AssertUnwindSafe(|| Keeper::new(ours.clone(), known).run());
            if std::panic::catch_unwind(work).is_err() {
                tracing::error!(root = %ours.root.display(), "the keeper of a workspace has failed");
            }
            ours.alive.store(false, Ordering::SeqCst);
            // Whoever waits gets the closed channel for an answer.
            ours.take_commands();
            ours.published.1.notify_all();
        });
        if keeper.is_err() {
            shared.alive.store(false, Ordering::SeqCst);
        }
        Self { shared, keeper: keeper.ok() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.shared.root
    }

    /// False once its writer has ended: it must be opened anew.
    pub(crate) fn is_alive(&self) -> bool {
        self.shared.alive.load(Ordering::SeqCst)
    }

    /// The newest snapshot, which may not show changes under way.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot()
    }

    /// A snapshot that shows every change that was completed before the call.
    pub(crate) fn sync(&self, deadline: Duration) -> Result<Arc<Snapshot>, Failed> {
        match self.shared.quiet_snapshot() {
            Some(snapshot) => Ok(snapshot),
            None => self.ask(deadline),
        }
    }

    /// A snapshot that shows besides what was handed over before the call ([`Workspace::indexed`]).
    pub(crate) fn settle(&self, deadline: Duration) -> Result<Arc<Snapshot>, Failed> {
        self.ask(deadline)
    }

    fn ask(&self, deadline: Duration) -> Result<Arc<Snapshot>, Failed> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.shared.post(Command::Sync(reply));
        if !self.is_alive() {
            return Err(Failed::Closed);
        }
        match answer.recv_timeout(deadline) {
            Ok(Ok(Synced)) => Ok(self.snapshot()),
            Ok(Err(failed)) => Err(failed),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(Failed::Late),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(Failed::Closed),
        }
    }

    /// Whether the keeper and the watcher answer in time, or are seen to work. No tree is looked at
    /// for it. One that has failed counts as well: whoever asks next opens it anew.
    pub(crate) fn probe(&self, patience: Duration) -> bool {
        let (reply, answer) = mpsc::sync_channel(1);
        let touches = self.shared.touches.load(Ordering::Relaxed);
        self.shared.post(Command::Probe(reply));
        if !self.is_alive() {
            return true;
        }
        match answer.recv_timeout(patience) {
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => true,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.shared.touches.load(Ordering::Relaxed) != touches
            }
        }
    }

    /// Each state that is published from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<IndexChange> {
        self.shared.changes.subscribe()
    }

    /// How many directories are watched.
    pub(crate) fn watched(&self) -> u64 {
        self.shared.watcher().map_or(0, Watcher::watched)
    }

    /// Where an answer from this snapshot came from.
    pub(crate) fn origin(&self, snapshot: &Snapshot) -> Origin {
        self.shared.origin(snapshot)
    }

    /// Hands over what the indexer has found out, in the numbers of a store.
    pub(crate) fn indexed(&self, epoch: u64, files: Vec<Indexed>) {
        self.shared.post(Command::Indexed(epoch, files));
    }

    /// Makes all contents unknown, since another store numbers them from now on.
    pub(crate) fn renumber(&self, epoch: u64) {
        self.shared.post(Command::Renumber(epoch));
    }

    /// Ends every [`Workspace::wait_for_change`].
    pub(crate) fn wake_waiters(&self) {
        drop(lock(&self.shared.published.0));
        self.shared.published.1.notify_all();
    }

    /// Waits until another snapshot than that of this generation is there, the workspace closes,
    /// or the time is over.
    pub(crate) fn wait_for_change(&self, generation: u64, timeout: Duration) {
        let (published, woken) = &self.shared.published;
        let published = lock(published);
        if *published == generation && self.is_alive() {
            let waited = woken.wait_timeout(published, timeout);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.shared.post(Command::Close);
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
    }
}

impl Shared {
    fn watcher(&self) -> Option<&dyn Watcher> {
        self.watcher.as_deref()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The snapshot, if it is certain that nothing has changed since.
    ///
    /// The order matters: what was completed before is in the queue, or was taken by the keeper,
    /// who was busy from before he took it until he had published it.
    fn quiet_snapshot(&self) -> Option<Arc<Snapshot>> {
        if !self.watcher()?.quiet() || self.busy.load(Ordering::SeqCst) {
            return None;
        }
        let snapshot = self.snapshot();
        let watched = matches!(snapshot.freshness, Freshness::Live | Freshness::Indexing);
        (watched && snapshot.guard.holds(&self.root)).then_some(snapshot)
    }

    fn post(&self, command: Command) {
        lock(&self.commands).push(command);
        match self.watcher() {
            Some(watcher) => watcher.wake(),
            None => self.posted.notify_all(),
        }
    }

    fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut *lock(&self.commands))
    }

    fn await_command(&self) {
        let commands = lock(&self.commands);
        let waited = self.posted.wait_while(commands, |commands| commands.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn publish(&self, snapshot: Snapshot) {
        let snapshot = Arc::new(snapshot);
        let mut current = self.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *current, snapshot.clone());
        drop(current);
        *lock(&self.published.0) = snapshot.generation;
        self.published.1.notify_all();
        if self.changes.receiver_count() > 0 {
            // It fails where nobody listens any more.
            let _ = self.changes.send(self.change(&before, &snapshot));
        }
    }

    fn change(&self, before: &Snapshot, after: &Snapshot) -> IndexChange {
        let totals = *after.tree.totals();
        let (mut changed, mut bytes) = (Vec::new(), 0);
        let cut = diff(&before.tree, &after.tree, &mut |path, was, is| {
            let content = |file: &File| (file.print, file.touch);
            if was.map(content) != is.map(content) {
                changed.push(Text::from(path));
                bytes += path.len();
            }
            match changed.len() > NAMED_CHANGES || bytes > NAMED_BYTES {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        let rescan = cut.is_break();
        if rescan {
            changed.clear();
        }
        IndexChange {
            origin: self.origin(after),
            changed,
            rescan,
            files: totals.files,
            pending: totals.pending,
            unoutlined: totals.unoutlined,
        }
    }

    fn origin(&self, snapshot: &Snapshot) -> Origin {
        Origin {
            root: Some(Text::from(self.root.as_path())),
            generation: snapshot.generation,
            freshness: snapshot.freshness,
        }
    }
}

/// What a snapshot depends on that no watcher reports.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    outside: rules::Outside,
    root_id: Option<(u64, u64)>,
}

impl Guard {
    fn holds(&self, root: &Path) -> bool {
        self.root_id.is_some() && root_id(root) == self.root_id && self.outside.holds()
    }
}

fn open_watcher(
    root: &Path,
    watching: Watching,
    cookies: &Path,
) -> (Option<Box<dyn Watcher>>, Option<String>) {
    let Watching::By(backend) = watching else { return (None, None) };
    if let Some(kind) = remote_file_system(root) {
        return (None, Some(format!("{kind} does not report the changes of others")));
    }
    match watcher::open(backend, cookies) {
        Ok(watcher) => (Some(watcher), None),
        Err(error) => (None, Some(format!("the kernel gives no more watchers: {error}"))),
    }
}

/// The name of the file system that `path` is on, where it is one whose changes are made elsewhere.
pub(crate) fn remote_file_system(path: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(path).ok()?.f_type as u32;
    let named = match kind {
        0x6969 => "NFS",
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => "SMB",
        0x6573_5546 => "FUSE",
        0x0102_1997 => "9P",
        0x00c3_6400 => "Ceph",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x786f_4256 => "vboxsf",
        0x0bd0_0bd0 => "Lustre",
        0x4750_4653 => "GPFS",
        0x1983_0326 => "BeeGFS",
        0x7461_636f => "OCFS2",
        _ => return None,
    };
    Some(named)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
