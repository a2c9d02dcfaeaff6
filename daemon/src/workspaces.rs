//! The workspaces that are open, and how a path finds its own.
//!
//! A workspace is the git work tree around a path, or a directory that a user has
//! named. The worktrees of a repository share its store.

mod idle;
mod probe;

use crate::config::Config;
use crate::context;
use crate::git;
use crate::indexing::{Budget, Indexer, Stores};
use crate::outlines;
use crate::parallel::{Bulk, Foreground};
use crate::store::{self, Caches, RootId, Store, StoreCounts, StoreError};
use crate::symbols::FreshFiles;
use crate::tasks::Tasks;
use crate::watcher::Backend;
use crate::workspace::{Watching, Workspace};
use hob_index::tree::Dir;
use hob_protocol::{Kind, StoreStatus, Text, WorkspaceStatus};
pub(crate) use idle::Had;
use idle::Place;
use jsonrpsee::types::ErrorObjectOwned;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More threads than this for one index only wait for each other.
/// How long a store that cannot be opened is left alone.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// All workspaces of the daemon.
pub(crate) struct Workspaces {
    config: Config,
    cache: PathBuf,
    state: PathBuf,
    runtime: PathBuf,
    tasks: Tasks,
    caches: Caches,
    epochs: Arc<AtomicU64>,
    pub(crate) foreground: Arc<Foreground>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    workspaces: BTreeMap<PathBuf, Arc<Place>>,
    repositories: HashMap<PathBuf, Arc<Repository>>,
    /// Directories that a user has made workspaces, as they are in the list on disk.
    named: BTreeSet<PathBuf>,
    closed: bool,
}

/// An open workspace with its background work.
pub(crate) struct Warm {
    // The order matters: the indexer saves what the workspace knows, then that closes.
    pub(crate) indexer: Indexer,
    pub(crate) workspace: Arc<Workspace>,
    pub(crate) repository: Arc<Repository>,
    /// What was outlined for queries, and is not stored yet.
    pub(crate) fresh: FreshFiles,
    /// What requests in words are answered from.
    pub(crate) context: context::Kept,
}

impl Warm {
    /// Whether nothing is left to look at, and nothing to index, or not now.
    pub(crate) fn is_settled(&self) -> bool {
        let snapshot = self.workspace.snapshot();
        let totals = snapshot.tree.totals();
        let indexed = totals.pending + totals.unoutlined == 0;
        snapshot.generation > 0 && (indexed || self.indexer.is_paused())
    }
}

/// What the worktrees of a repository share.
pub(crate) struct Repository {
    path: PathBuf,
    /// By which outlines are made.
    rules: u64,
    epochs: Arc<AtomicU64>,
    caches: Caches,
    current: Mutex<Current>,
}

#[derive(Default)]
struct Current {
    store: Option<Arc<Store>>,
    problem: Option<String>,
    failed: Option<Instant>,
}

impl Workspaces {
    /// None is open at first; those that were named before are remembered.
    pub(crate) fn new(
        config: Config,
        cache: PathBuf,
        state: PathBuf,
        runtime: PathBuf,
        tasks: Tasks,
    ) -> Self {
        let named = read_named(&state.join("workspaces"));
        let open = Open { named, ..Open::default() };
        Self {
            caches: Caches::new((config.cache_memory_mb as u64) << 20),
            config,
            cache,
            state,
            runtime,
            tasks,
            epochs: Arc::new(AtomicU64::new(1)),
            foreground: Arc::default(),
            open: Mutex::new(open),
        }
    }

    /// The workspace that a canonical path belongs to, opened if need be; `None` where there is none
    /// and none is made by itself.
    pub(crate) fn of(&self, path: &Path) -> Option<Arc<Warm>> {
        let root = self.root_of(path)?;
        self.open_at(&root)
    }

    /// The root of the workspace that a canonical path belongs to.
    pub(crate) fn root_of(&self, path: &Path) -> Option<PathBuf> {
        let named = self.lock().named.clone();
        let root = path.ancestors().find(|dir| named.contains(*dir) || git::is_work_tree(dir))?;
        let by_itself = self.config.workspace_auto && !is_too_large(root);
        (named.contains(root) || by_itself).then(|| root.to_owned())
    }

    /// Makes a directory a workspace, unless it is in one, and opens it.
    pub(crate) fn make(&self, dir: &Path) -> Result<Arc<Warm>, ErrorObjectOwned> {
        let root = match self.root_of(dir) {
            Some(root) => root,
            None => {
                self.name(dir)?;
                dir.to_owned()
            }
        };
        self.open_at(&root).ok_or_else(|| Kind::Stopping.error("the daemon is about to stop", ""))
    }

    fn name(&self, dir: &Path) -> Result<(), ErrorObjectOwned> {
        let mut open = self.lock();
        open.named.insert(dir.to_owned());
        self.write_named(&open.named).map_err(|error| {
            Kind::Store.error(
                format!("cannot remember the workspace `{}`: {error}", dir.display()),
                format!("look at `{}`", self.state.display()),
            )
        })
    }

    fn open_at(&self, root: &Path) -> Option<Arc<Warm>> {
        let (place, repository) = self.place(root)?;
        // To read a stored tree takes a while: only those wait who want this very workspace.
        Some(place.open(|| {
            tracing::info!(root = %root.display(), "a workspace is opened");
            Arc::new(self.warm(root, repository))
        }))
    }

    /// Where the workspace is put once it is open, and its repository.
    fn place(&self, root: &Path) -> Option<(Arc<Place>, Arc<Repository>)> {
        let mut open = self.lock();
        if open.closed {
            return None;
        }
        let failed =
            |place: &Arc<Place>| place.get().is_some_and(|warm| !warm.workspace.is_alive());
        if open.workspaces.get(root).is_some_and(failed) {
            open.workspaces.remove(root);
        }
        let place = open.workspaces.entry(root.to_owned()).or_default().clone();
        if let Some(warm) = place.get() {
            let repository = warm.repository.clone();
            return Some((place, repository));
        }
        let common = git::common_dir(root).unwrap_or_else(|| root.to_owned());
        let path = self.store_path(&common);
        let repository = open.repositories.entry(common).or_insert_with(|| {
            Arc::new(Repository {
                path,
                epochs: self.epochs.clone(),
                rules: outlines::rules(&self.config),
                caches: self.caches.clone(),
                current: Mutex::default(),
            })
        });
        Some((place, repository.clone()))
    }

    fn warm(&self, root: &Path, repository: Arc<Repository>) -> Warm {
        let known = repository.store().and_then(|store| {
            let (id, tree) = store.load(root).ok()?;
            Some((store.epoch(), id, tree))
        });
        let (epoch, id, tree): (u64, RootId, Arc<Dir>) = known.unwrap_or_default();
        let watching = match self.config.watch_backend {
            "poll" => Watching::Polling,
            "notify" => Watching::By(Backend::Notify),
            _ => Watching::By(Backend::Auto),
        };
        // Each watcher counts its own.
        let name = blake3::hash(root.as_os_str().as_bytes()).to_hex();
        let cookies = self.runtime.join("cookies").join(&name[..16]);
        let _ = std::fs::create_dir_all(&cookies);
        let workspace = Arc::new(Workspace::open(
            root,
            watching,
            &cookies,
            (epoch, tree.clone()),
            Some(self.config.sync_sweep),
            self.tasks.clone(),
            self.config.jobs(),
        ));
        let indexer = Indexer::start(
            workspace.clone(),
            repository.clone(),
            Budget {
                limits: outlines::limits(&self.config),
                bulk: Bulk {
                    jobs: self.config.index_jobs(),
                    memory: self.config.index_memory_mb << 20,
                    foreground: self.foreground.clone(),
                },
            },
            (epoch, id, tree),
            self.tasks.clone(),
        );
        let (fresh, context) = (FreshFiles::default(), context::Kept::default());
        Warm { indexer, workspace, repository, fresh, context }
    }

    fn store_path(&self, common: &Path) -> PathBuf {
        let canonical = common.canonicalize().unwrap_or_else(|_| common.to_owned());
        let hash = blake3::hash(canonical.as_os_str().as_bytes()).to_hex();
        self.cache.join("stores").join(format!("{}.redb", &hash[..24]))
    }

    /// What the store of a root is named by. Of one that is gone git tells nothing any more.
    fn common_of(&self, root: &Path) -> PathBuf {
        let gone = || {
            let git = root.join(".git");
            let was_git = !root.exists() && self.store_path(&git).exists();
            if was_git { git } else { root.to_owned() }
        };
        git::common_dir(root).unwrap_or_else(gone)
    }

    /// Whether a directory is gone of which something is stored.
    fn has_left_a_store(&self, dir: &Path) -> bool {
        !dir.exists() && self.store_path(&self.common_of(dir)).exists()
    }

    /// Those that are open, by root.
    pub(crate) fn opened(&self) -> Vec<Arc<Warm>> {
        self.lock().workspaces.values().filter_map(|place| place.get().cloned()).collect()
    }

    /// Whether nothing is left to index in any that is open. One that is gone has nothing to index.
    pub(crate) fn are_settled(&self) -> bool {
        let open = self.lock();
        let mut warm =
            open.workspaces.iter().filter_map(|(root, place)| Some((root, place.get()?)));
        warm.all(|(root, warm)| warm.is_settled() || !root.exists())
    }

    /// The roots that are open or were named.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        let open = self.lock();
        let roots: BTreeSet<&PathBuf> = open.workspaces.keys().chain(&open.named).collect();
        roots.into_iter().cloned().collect()
    }

    /// Closes the workspace around `dir` and deletes what is stored of it. Returns its root and the
    /// bytes that were freed.
    pub(crate) fn forget(&self, dir: &Path) -> Result<(PathBuf, u64), ErrorObjectOwned> {
        // One that is gone can be forgotten, but only by its own name: what is around it is another.
        let own = self.roots().into_iter().find(|root| root == dir);
        let own = own.or_else(|| self.has_left_a_store(dir).then(|| dir.to_owned()));
        let root = match own.or_else(|| self.root_of(dir).filter(|_| dir.exists())) {
            Some(root) if root == dir => root,
            Some(root) => {
                return Err(Kind::NotAWorkspace.error(
                    format!("`{}` is a part of the workspace `{}`", dir.display(), root.display()),
                    "name the workspace itself to forget it",
                ));
            }
            None => return Err(not_a_workspace(dir)),
        };
        let mut open = self.lock();
        open.named.remove(&root);
        if let Err(error) = self.write_named(&open.named) {
            tracing::warn!(%error, "the list of workspaces");
        }
        let common = self.common_of(&root);
        let path = self.store_path(&common);
        let before = size(&path);
        let place = open.workspaces.remove(&root);
        let repository = open.repositories.get(&common).cloned();
        drop(open);
        if let Some(place) = place {
            place.finish();
            // Somebody may wait for its index, and has it in hands.
            if let Some(warm) = place.get() {
                warm.indexer.close();
            }
        }
        let alone = match repository.and_then(|repository| repository.store()) {
            Some(store) => store.forget(&root).unwrap_or(true),
            None => !path.exists() || self.forget_unopened(&path, &root),
        };
        if alone {
            self.lock().repositories.remove(&common);
            let _ = std::fs::remove_file(&path);
            let mut aside = path.clone().into_os_string();
            aside.push(".broken");
            let _ = std::fs::remove_file(aside);
        }
        Ok((root, before.saturating_sub(size(&path))))
    }

    /// Closes all, and saves what they know.
    pub(crate) fn close(&self) {
        let mut open = self.lock();
        open.closed = true;
        let workspaces = std::mem::take(&mut open.workspaces);
        open.repositories.clear();
        drop(open);
        std::thread::scope(|scope| {
            for place in workspaces.into_values() {
                scope.spawn(move || place.finish());
            }
        });
    }

    fn forget_unopened(&self, path: &Path, root: &Path) -> bool {
        let opened = Store::open(path, 0, outlines::rules(&self.config), &Caches::new(0));
        opened.and_then(|(store, _)| store.forget(root)).unwrap_or(true)
    }

    fn write_named(&self, named: &BTreeSet<PathBuf>) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.state)?;
        let path = self.state.join("workspaces");
        let temporary = self.state.join("workspaces.new");
        let mut file = std::fs::File::create(&temporary)?;
        for root in named {
            file.write_all(root.as_os_str().as_bytes())?;
            file.write_all(b"\0")?;
        }
        file.sync_all()?;
        std::fs::rename(temporary, path)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with a path that has no workspace.
pub(crate) fn not_a_workspace(dir: &Path) -> ErrorObjectOwned {
    Kind::NotAWorkspace.error(
        format!("`{}` is in no workspace", dir.display()),
        "make it one with `hob index DIR`, or go into a git repository",
    )
}

/// What a file takes on the disk: redb reserves room in it that is not written yet.
fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.blocks() * 512)
}

fn read_named(list: &Path) -> BTreeSet<PathBuf> {
    let bytes = std::fs::read(list).unwrap_or_default();
    let paths = bytes.split(|byte| *byte == 0).filter(|path| !path.is_empty());
    paths.map(|path| PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()))).collect()
}

/// A home directory or the root of the file system is never indexed without having been named.
pub(crate) fn is_too_large(root: &Path) -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let home = home.map(|home| home.canonicalize().unwrap_or(home));
    root.parent().is_none() || home.is_some_and(|home| home.starts_with(root))
}

impl Stores for Repository {
    /// The store, opened if need be, and begun anew if it is broken.
    fn store(&self) -> Option<Arc<Store>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &current.store {
            if !store.is_broken() {
                return Some(store.clone());
            }
            tracing::warn!(store = %self.path.display(), "the store is set aside");
            store::set_aside(&self.path);
            current.problem = Some("it was broken, and is made again".into());
            current.store = None;
        }
        if current.failed.is_some_and(|failed| failed.elapsed() < STORE_RETRY) {
            return None;
        }
        match self.open_store() {
            Ok((store, anew)) => {
                // What kept it from being opened or written is over; that it was broken stays told.
                let told = match current.failed.take() {
                    Some(_) => None,
                    None => current.problem.take(),
                };
                current.problem = anew.or(told);
                current.store = Some(Arc::new(store));
                current.store.clone()
            }
            Err(error) => {
                tracing::warn!(store = %self.path.display(), %error, "the store cannot be opened");
                current.failed = Some(Instant::now());
                current.problem = Some(format!("it cannot be opened: {error}"));
                None
            }
        }
    }

    /// A store that could not be written, as on a full disk, refuses all writing until it is opened
    /// anew. One that is broken is set aside by who asks for it next.
    fn failed(&self, error: &StoreError) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.store.as_ref().is_some_and(|store| store.is_broken()) {
            return;
        }
        current.store = None;
        current.failed = Some(Instant::now());
        current.problem = Some(format!("it cannot be written: {error}"));
    }
}

impl Repository {
    fn open_store(&self) -> Result<(Store, Option<String>), StoreError> {
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed);
        Store::open(&self.path, epoch, self.rules, &self.caches)
    }

    fn status(&self) -> StoreStatus {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let StoreCounts { contents, definitions, segments } =
            current.store.as_ref().map(|store| store.counts()).unwrap_or_default();
        StoreStatus {
            path: Text::from(self.path.as_path()),
            bytes: size(&self.path),
            contents,
            segments,
            symbols: definitions,
            problem: current.problem.clone(),
        }
    }
}

impl Warm {
    /// How the workspace is, by this snapshot.
    pub(crate) fn status(&self, snapshot: &crate::workspace::Snapshot) -> WorkspaceStatus {
        let totals = snapshot.tree.totals();
        WorkspaceStatus {
            gone: false,
            // It ends a little after its work, when that is saved.
            task: self.indexer.task().filter(|_| !self.is_settled()),
            paused: self.indexer.is_paused(),
            origin: self.workspace.origin(snapshot),
            unloaded: false,
            files: totals.files,
            bytes: totals.bytes,
            pending: totals.pending,
            unoutlined: totals.unoutlined,
            watched: self.workspace.watched(),
            problems: snapshot.problems.clone(),
            head: git::head(self.workspace.root()),
            store: self.repository.status(),
        }
    }
}
