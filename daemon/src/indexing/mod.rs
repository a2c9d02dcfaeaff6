//! Brings the contents of a workspace into the store of its repository, in the
//! background.
//!
//! It reads what a snapshot calls pending, numbers it, and tells the workspace. No
//! query waits for it: what is pending is read by the query itself. It knows
//! neither queries nor the wire.

mod content;

use crate::store::{Additions, Hash, RootId, Store, StoreError};
use crate::workspace::{Indexed, Snapshot, Workspace};
use content::{Content, Reader};
use hob_index::postings::MAX_DOCS;
use hob_index::tree::{Dir, DocId, Docs, File};
use hob_index::trigram::Extractor;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many files wait until nothing has changed for a moment; more are indexed at once.
const FEW: usize = 512;
const QUIET: Duration = Duration::from_millis(300);
/// But no longer than this.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a store that has failed is left alone.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How long nothing is looked at where nothing changes: a store may have been set aside.
const IDLE: Duration = Duration::from_secs(5);
/// Files that a thread takes at a time.
const HANDFUL: usize = 32;
/// How long indexing steps back for a query.
const STEP_BACK: Duration = Duration::from_millis(50);

/// Counts the queries that run, so that what nobody waits for steps back.
#[derive(Debug, Default)]
pub(crate) struct Foreground(AtomicUsize);

impl Foreground {
    /// A query runs until the result is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> impl Drop + use<> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entered(self.clone())
    }

    /// Waits for the queries that run, but not for ever: nobody starves.
    fn step_back(&self) {
        let began = Instant::now();
        while self.0.load(Ordering::Relaxed) > 0 && began.elapsed() < STEP_BACK {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Entered(Arc<Foreground>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where the store of a repository comes from; it may be another one each time.
pub(crate) trait Stores: Send + Sync {
    /// The store; `None` while there is none to be had.
    fn store(&self) -> Option<Arc<Store>>;

    /// Hears that the store could not be used. For a while there is then none to be had.
    fn failed(&self, error: &StoreError);
}

/// What an indexer may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) threads: usize,
    pub(crate) memory: usize,
}

/// The background work of a workspace. Dropping it ends that, and saves what is known.
pub(crate) struct Indexer {
    stop: Arc<AtomicBool>,
    workspace: Arc<Workspace>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Indexer {
    /// Begins. `saved` is what the store has of this root.
    pub(crate) fn start(
        workspace: Arc<Workspace>,
        stores: Arc<dyn Stores>,
        foreground: Arc<Foreground>,
        budget: Budget,
        saved: (u64, RootId, Arc<Dir>),
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut work = Work {
            workspace: workspace.clone(),
            stores,
            foreground,
            budget,
            epoch: saved.0,
            root: saved.1,
            saved: saved.2,
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("indexer".into())
            .stack_size(crate::STACK)
            .spawn(move || work.run());
        Self { stop, workspace, thread: thread.ok() }
    }
}

impl Drop for Indexer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.workspace.wake_waiters();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Work {
    workspace: Arc<Workspace>,
    stores: Arc<dyn Stores>,
    foreground: Arc<Foreground>,
    budget: Budget,
    epoch: u64,
    root: RootId,
    saved: Arc<Dir>,
    stop: Arc<AtomicBool>,
}

impl Work {
    fn run(&mut self) {
        while !self.stops() && self.workspace.is_alive() {
            let snapshot = self.workspace.snapshot();
            let Some(store) = self.stores.store() else {
                self.rest(snapshot.generation, AFTER_FAILURE);
                continue;
            };
            if let Err(error) = self.round(&store, &snapshot) {
                tracing::warn!(root = %self.workspace.root().display(), %error, "indexing has failed");
                drop(store);
                self.stores.failed(&error);
            }
        }
        if let Some(store) = self.stores.store()
            && store.epoch() == self.epoch
        {
            // What is not saved is found out again at the next start.
            let _ = self.save(&store, &self.workspace.snapshot());
        }
    }

    fn round(&mut self, store: &Arc<Store>, snapshot: &Snapshot) -> Result<(), StoreError> {
        if store.epoch() != self.epoch {
            let (root, saved) = store.load(self.workspace.root(), &|_, _| true)?;
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
            self.save(store, snapshot)?;
            store.merge()?;
            self.rest(snapshot.generation, IDLE);
            return Ok(());
        }
        let pending = match pending.len() {
            0..FEW => self.settled(),
            _ => pending,
        };
        self.index(store, &pending)?;
        // Until what was found out is in the snapshot, the same files would be read again.
        if let Ok(after) = self.workspace.settle(AFTER_FAILURE) {
            // What could not be read yet (it is just being written) waits for its quiet.
            if after.tree.totals().pending > 0 {
                self.rest(after.generation, QUIET);
            }
        }
        Ok(())
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

    fn index(&self, store: &Arc<Store>, files: &[Pending]) -> Result<(), StoreError> {
        let threads = self.budget.threads.min(files.len().div_ceil(HANDFUL)).max(1);
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<StoreError>> = Mutex::new(None);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let memory = self.budget.memory / threads;
                    if let Err(error) = Batch::new(self, store, memory).run(files, &next) {
                        next.store(files.len(), Ordering::Relaxed);
                        *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                    }
                });
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    fn save(&mut self, store: &Store, snapshot: &Snapshot) -> Result<(), StoreError> {
        if snapshot.epoch == self.epoch
            && snapshot.generation > 0
            && !Arc::ptr_eq(&self.saved, &snapshot.tree)
        {
            store.save(self.root, &self.saved, &snapshot.tree)?;
            self.saved = snapshot.tree.clone();
        }
        Ok(())
    }

    fn rest(&self, generation: u64, time: Duration) {
        if !self.stops() {
            self.workspace.wait_for_change(generation, time);
        }
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
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

/// A segment in the making, of one thread.
struct Batch<'a> {
    work: &'a Work,
    store: &'a Store,
    memory: usize,
    extractor: Extractor,
    additions: Additions,
    known: HashMap<Hash, u32>,
    /// Files whose content is in the additions, by its place there.
    waiting: Vec<(Indexed, u32)>,
    done: Vec<Indexed>,
    reader: Reader,
}

impl<'a> Batch<'a> {
    fn new(work: &'a Work, store: &'a Store, memory: usize) -> Self {
        Self {
            work,
            store,
            memory,
            extractor: Extractor::new(),
            additions: store.additions(memory),
            known: HashMap::new(),
            waiting: Vec::new(),
            done: Vec::new(),
            reader: Reader::default(),
        }
    }

    fn run(mut self, files: &[Pending], next: &AtomicUsize) -> Result<(), StoreError> {
        be_nice();
        loop {
            let from = next.fetch_add(HANDFUL, Ordering::Relaxed);
            if from >= files.len() || self.work.stops() {
                break;
            }
            self.work.foreground.step_back();
            for pending in &files[from..files.len().min(from + HANDFUL)] {
                self.file(pending)?;
                // Room for a file of the most parts must be left.
                if self.additions.memory() > self.memory
                    || self.additions.text.docs() > MAX_DOCS / 2
                {
                    self.flush()?;
                }
            }
            if self.done.len() >= FEW {
                self.hand_over();
            }
        }
        self.flush()
    }

    fn file(&mut self, pending: &Pending) -> Result<(), StoreError> {
        let path = content::join(self.work.workspace.root(), &pending.path);
        let indexed = |doc| Indexed {
            path: pending.path.clone(),
            print: pending.file.print,
            touch: pending.file.touch,
            doc,
        };
        let read = self.reader.read(&path, &pending.file, &mut self.extractor);
        let hash = match read {
            Content::Read(hash) => hash,
            Content::Unreadable => {
                self.done.push(indexed(DocId::UNREADABLE));
                return Ok(());
            }
            Content::Changing => return Ok(()),
        };
        if let Some(place) = self.known.get(&hash) {
            self.waiting.push((indexed(DocId::PENDING), *place));
            return Ok(());
        }
        if let Some(doc) = self.store.lookup(&hash)?.and_then(DocId::new) {
            self.done.push(indexed(doc));
            return Ok(());
        }
        let place = self.additions.text.docs();
        self.reader.each_part(&pending.file, &mut self.extractor, &mut |trigrams| {
            self.additions.text.add(trigrams);
        });
        self.known.insert(hash, place);
        self.additions.contents.push((hash, place));
        self.waiting.push((indexed(DocId::PENDING), place));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if !self.additions.is_empty() {
            let next = self.store.additions(self.memory);
            let base = self.store.add(std::mem::replace(&mut self.additions, next))?;
            let numbered = self.waiting.drain(..).filter_map(|(indexed, place)| {
                Some(Indexed { doc: DocId::new(base.checked_add(place)?)?, ..indexed })
            });
            self.done.extend(numbered);
            self.known.clear();
        }
        self.hand_over();
        Ok(())
    }

    fn hand_over(&mut self) {
        if !self.done.is_empty() {
            self.work.workspace.indexed(self.work.epoch, std::mem::take(&mut self.done));
        }
    }
}

/// Lets everything that somebody waits for go first, this process's own threads included.
fn be_nice() {
    let thread = rustix::thread::gettid();
    // It fails where the user may not, and then all are equal.
    let _ = rustix::process::setpriority_process(Some(thread), 10);
}
