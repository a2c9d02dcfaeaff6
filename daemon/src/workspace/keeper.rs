//! The single writer of a workspace: events in, snapshots out.
//!
//! It looks at what the watcher reports, changes the tree, and publishes. It reads
//! no file's content: a file that changed is pending, each query reads it, and the
//! indexer brings its number later. That is why a change is visible as soon as the
//! keeper has looked, however large it is.

use super::rules::{Outside, Rules, is_rule_file};
use super::scan::{Found, Scan};
use super::{Command, Failed, Guard, Indexed, Shared, Snapshot, Synced};
use crate::parallel::Crew;
use crate::profile::stage;
use crate::tasks::{Outcome, Priority, Running, Spec, Work};
use crate::watcher::{AddError, Event};
use hob_index::tree::{Dir, Node};
use hob_protocol::Freshness;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A look at the whole tree, while it lasts.
struct Noted(Option<Running>);

impl Drop for Noted {
    fn drop(&mut self) {
        if let Some(task) = self.0.take().filter(|_| !std::thread::panicking()) {
            task.finish(Outcome::Done);
        }
    }
}

pub(super) struct Keeper {
    shared: Arc<Shared>,
    tree: Arc<Dir>,
    /// The rules above the root, and of each directory that has some of its own.
    base: Rules,
    rules: HashMap<PathBuf, Rules>,
    /// Files outside of the tree that the rules depend on.
    outside: Outside,
    /// The root's device and inode; `None` while it is gone.
    root_id: Option<(u64, u64)>,
    unwatched: BTreeMap<PathBuf, AddError>,
    /// The paths of each file that has several, as far as they have been seen.
    links: HashMap<(u64, u64), BTreeSet<PathBuf>>,
    /// The same, the other way round.
    inodes: BTreeMap<PathBuf, (u64, u64)>,
    /// A file has a name more, and which file that was before is not known.
    new_link: bool,
    generation: u64,
    /// When the whole tree was looked at.
    swept: Instant,
    /// The store that numbers the contents.
    epoch: u64,
}

impl Shared {
    /// Threads to look at a directory and all below it. Each look has its own: in a pool that all
    /// workspaces share a small one would stand behind a large one, and its queries with it.
    fn scanners(&self) -> Crew {
        Crew::new("scan", self.scan_jobs)
    }
}

impl Keeper {
    /// `known` is the tree as it was stored; what is still so need not be read again.
    pub(super) fn new(shared: Arc<Shared>, known: Arc<Dir>) -> Self {
        let epoch = shared.snapshot().epoch;
        let mut outside = Outside::default();
        let base = Rules::above(&shared.root, &mut outside);
        Self {
            tree: known,
            base,
            rules: HashMap::new(),
            outside,
            root_id: None,
            unwatched: BTreeMap::new(),
            links: HashMap::new(),
            inodes: BTreeMap::new(),
            new_link: false,
            generation: 0,
            swept: Instant::now(),
            epoch,
            shared,
        }
    }

    /// Runs until [`Command::Close`].
    pub(super) fn run(mut self) {
        self.check_root();
        self.publish();
        loop {
            if !self.turn() {
                return;
            }
            match self.shared.watcher() {
                Some(watcher) => watcher.wait(self.until_sweep()),
                None => self.shared.await_command(),
            }
        }
    }

    /// How long until the whole tree is to be looked at.
    fn until_sweep(&self) -> Option<Duration> {
        self.shared.sweep.map(|sweep| sweep.saturating_sub(self.swept.elapsed()))
    }

    /// Does all that there is to do. False when the workspace is to close.
    fn turn(&mut self) -> bool {
        // Whoever finds the queue empty and nobody busy may rely on the snapshot, so this comes
        // before the queue is read, and its end after the snapshot is published.
        self.shared.busy.store(true, Ordering::SeqCst);
        let commands = self.shared.take_commands();
        let mut events = Vec::new();
        if let Some(watcher) = self.shared.watcher() {
            watcher.catch_up(&mut events);
        }
        if !events.is_empty() {
            // While the root is elsewhere, nothing is found under its paths; that must not pass for
            // what the tree has become.
            let _stage = stage!("changes").entered();
            self.check_root();
            self.apply(events);
            self.check_root();
        }
        let (mut waiting, mut probes) = (Vec::new(), Vec::new());
        for command in commands {
            match command {
                Command::Sync(reply) => waiting.push(reply),
                Command::Probe(reply) => probes.push(reply),
                Command::Indexed(epoch, files) if epoch == self.epoch => self.indexed(&files),
                Command::Indexed(..) => {}
                Command::Renumber(epoch) => self.renumber(epoch),
                Command::Close => return false,
            }
        }
        if !waiting.is_empty() {
            self.check_all();
        }
        if self.until_sweep() == Some(Duration::ZERO) && self.shared.watcher().is_some() {
            self.rescan_all();
        }
        self.publish();
        self.shared.busy.store(false, Ordering::SeqCst);
        let answer = match self.root_id {
            Some(_) => Ok(()),
            None => Err(Failed::RootGone),
        };
        for reply in waiting {
            let _ = reply.send(answer.map(|()| Synced));
        }
        for reply in probes {
            let _ = reply.send(());
        }
        true
    }

    /// What no event tells: the root's own fate, rules outside of the tree, and, where the kernel
    /// watches nothing or a part, everything.
    fn check_all(&mut self) {
        if self.check_root() || self.root_id.is_none() {
            return;
        }
        if !self.outside.holds() {
            self.new_rules();
        } else if self.freshness_of_watch().is_some() {
            self.rescan_all();
        }
    }

    /// Looks whether the root is what it was, and at everything if not. True if it was not.
    fn check_root(&mut self) -> bool {
        let now = root_id(&self.shared.root);
        if now == self.root_id {
            return false;
        }
        self.root_id = now;
        if let Some(watcher) = self.shared.watcher() {
            watcher.remove(&self.shared.root);
        }
        match now {
            Some(_) => self.new_rules(),
            None => self.tree = Arc::default(),
        }
        true
    }

    fn new_rules(&mut self) {
        self.outside = Outside::default();
        self.base = Rules::above(&self.shared.root, &mut self.outside);
        self.rescan(&self.shared.root.clone());
    }

    /// Looks at everything, the rules above the root included.
    fn rescan_all(&mut self) {
        self.swept = Instant::now();
        self.new_rules();
    }

    /// Looks at a directory, which the tree has, and at all below it.
    fn rescan(&mut self, dir: &Path) {
        let _stage = stage!("scan").entered();
        let _noted = (dir == self.shared.root).then(|| self.note_look());
        self.forget_below(dir);
        let path = self.relative(dir).unwrap_or_default();
        let above = match path.is_empty() {
            true => self.base.clone(),
            false => self.rules_of(dir.parent().unwrap_or(dir)),
        };
        let old = match path.is_empty() {
            true => Some(self.tree.clone()),
            false => match self.tree.at(&path) {
                Some(Node::Dir(dir)) => Some(dir.clone()),
                _ => None,
            },
        };
        let scan = Scan::new(self.shared.watcher(), &self.shared.touches);
        let new = self.shared.scanners().run(|| scan.dir(dir, &above, old.as_ref()));
        let found = scan.into_found();
        self.take_found(found);
        match (path.is_empty(), new) {
            (true, new) => self.tree = new.unwrap_or_default(),
            (false, new) => {
                Arc::make_mut(&mut self.tree).set(&path, new.map(Node::Dir));
            }
        }
    }

    /// Notes that the whole tree is looked at.
    fn note_look(&self) -> Noted {
        // Where nothing is watched, each query has one.
        let priority = if self.generation == 0 { Priority::Usual } else { Priority::Idle };
        let spec = Spec::new(Work::Scan, &self.shared.root).priority(priority);
        let task = self.shared.tasks.note(spec);
        let totals = self.tree.totals();
        task.phase("", Some(totals.files).filter(|known| *known > 0));
        let (shared, before) = (self.shared.clone(), self.shared.touches.load(Ordering::Relaxed));
        task.counted(move || shared.touches.load(Ordering::Relaxed).wrapping_sub(before).into());
        Noted(Some(task))
    }

    fn take_found(&mut self, found: Found) {
        self.rules.extend(found.rules);
        self.outside.merge(found.outside);
        for (path, error) in found.unwatched {
            self.unwatched.insert(path, error);
        }
        for link in found.linked {
            self.inodes.insert(link.path.clone(), link.inode);
            self.links.entry(link.inode).or_default().insert(link.path);
        }
    }

    fn forget_below(&mut self, dir: &Path) {
        self.rules.retain(|path, _| !path.starts_with(dir));
        self.unwatched.retain(|path, _| !path.starts_with(dir));
        if dir == self.shared.root {
            self.links.clear();
            self.inodes.clear();
        }
    }

    fn apply(&mut self, events: Vec<Event>) {
        let mut paths: BTreeMap<PathBuf, bool> = BTreeMap::new();
        for event in events {
            match event {
                Event::Lost => {
                    tracing::info!(root = %self.shared.root.display(), "events were lost: looking at the whole tree");
                    return self.rescan_all();
                }
                Event::Touched(path) => {
                    paths.entry(path).or_insert(false);
                }
                Event::Moved(path) => {
                    paths.insert(path, true);
                }
            }
        }
        let deep = self.deep(&paths);
        for dir in &deep {
            if let Some(watcher) = self.shared.watcher() {
                // What the new rules exclude must not be watched any more.
                watcher.remove(dir);
            }
            match *dir == self.shared.root {
                true => self.rescan_all(),
                false => self.rescan(dir),
            }
        }
        // Watches of what has left a path end before others begin: a directory that was moved
        // keeps its watch, under the new path.
        for (path, _) in paths.iter().filter(|(_, moved)| **moved) {
            if let (Some(Node::Dir(_)), Some(watcher)) = (self.node(path), self.shared.watcher()) {
                watcher.remove(path);
                self.forget_below(path);
            }
        }
        for (path, moved) in &paths {
            self.look(path, *moved);
        }
        self.look_at_other_names(&paths);
        if std::mem::take(&mut self.new_link) {
            // The file under its other name has a new stat, by which the scan finds it.
            self.rescan_all();
        }
    }

    /// The directories whose rules have changed, without those that are below another.
    fn deep(&self, paths: &BTreeMap<PathBuf, bool>) -> BTreeSet<PathBuf> {
        let mut deep: BTreeSet<PathBuf> = BTreeSet::new();
        for path in paths.keys() {
            let Some(name) = path.file_name() else { continue };
            let Some(dir) = path.parent() else { continue };
            if is_rule_file(name.as_bytes()) && self.is_dir(dir) {
                deep.insert(dir.to_owned());
            }
        }
        let outermost = |dir: &&PathBuf| !dir.ancestors().skip(1).any(|above| deep.contains(above));
        deep.iter().filter(outermost).cloned().collect()
    }

    /// Looks at one path.
    fn look(&mut self, path: &Path, moved: bool) {
        if path == self.shared.root {
            if moved {
                // Its watch may have ended with it, whatever is there now.
                self.root_id = None;
                self.check_root();
            } else if self.tree.error().is_some() {
                self.rescan_all();
            }
            return;
        }
        let (Some(relative), Some(parent)) = (self.relative(path), path.parent()) else { return };
        if !self.is_dir(parent) {
            return;
        }
        let old = self.tree.at(&relative).cloned();
        if let (Some(Node::Dir(dir)), false) = (&old, moved) {
            // Its attributes: what matters of them is whether it can be listed.
            let readable =
                rustix::fs::access(path, rustix::fs::Access::READ_OK | rustix::fs::Access::EXEC_OK)
                    .is_ok();
            if readable == dir.error().is_none() {
                return;
            }
        }
        let rules = self.rules_of(parent);
        let scan = Scan::new(self.shared.watcher(), &self.shared.touches);
        // A file is looked at here: that must never wait for anybody's large directory.
        let new = match path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            true => self.shared.scanners().run(|| scan.path(path, &rules, old.as_ref())),
            false => scan.path(path, &rules, old.as_ref()),
        };
        let found = scan.into_found();
        let names = found.linked.first().filter(|_| moved).map(|link| (link.inode, link.names));
        self.take_found(found);
        if let Some((inode, names)) = names {
            // Names outside of the tree are never known: only a new name makes it worth a look.
            self.new_link |= (self.links.get(&inode).map_or(0, BTreeSet::len) as u64) < names;
        }
        match (&old, new) {
            (None, None) => {}
            (Some(Node::SkippedFile(old)), Some(Node::SkippedFile(new))) if *old == new => {}
            (Some(Node::SkippedDir(old)), Some(Node::SkippedDir(new))) if *old == new => {}
            (Some(Node::File(_)), Some(Node::File(new))) => {
                if let Some(file) = Arc::make_mut(&mut self.tree).file_mut(&relative) {
                    *file = new;
                }
                Arc::make_mut(&mut self.tree).resum(&[&relative]);
            }
            (_, new) => {
                Arc::make_mut(&mut self.tree).set(&relative, new);
            }
        }
    }

    /// Looks at the other names of files that have several and were reported under one. What a
    /// report says of a directory may concern all in it.
    fn look_at_other_names(&mut self, paths: &BTreeMap<PathBuf, bool>) {
        let mut inodes = BTreeSet::new();
        for path in paths.keys() {
            let below =
                self.inodes.range::<Path, _>((Bound::Included(path.as_path()), Bound::Unbounded));
            inodes.extend(
                below.take_while(|(name, _)| name.starts_with(path)).map(|(_, inode)| *inode),
            );
        }
        let names: Vec<PathBuf> =
            inodes.iter().filter_map(|inode| self.links.get(inode)).flatten().cloned().collect();
        let scan = Scan::new(None, &self.shared.touches);
        for name in names.iter().filter(|name| !paths.contains_key(*name)) {
            let (Some(relative), Some(dir)) = (self.relative(name), name.parent()) else {
                continue;
            };
            if let Some(Node::File(new)) = scan.path(name, &self.rules_of(dir), None)
                && let Some(file) = Arc::make_mut(&mut self.tree).file_mut(&relative)
            {
                *file = new;
                Arc::make_mut(&mut self.tree).resum(&[&relative]);
            }
        }
    }

    /// Takes the numbers of contents that the indexer has found, where nothing has changed since.
    fn indexed(&mut self, files: &[Indexed]) {
        let tree = Arc::make_mut(&mut self.tree);
        let mut taken: Vec<&[u8]> = Vec::with_capacity(files.len());
        for indexed in files {
            if let Some(file) = tree.file_mut(&indexed.path)
                && file.touch == indexed.touch
                && file.print == indexed.print
            {
                file.doc = indexed.doc;
                file.outlined = indexed.outlined;
                taken.push(&indexed.path);
            }
        }
        if !taken.is_empty() {
            tree.resum(&taken);
        }
    }

    /// Makes every content unknown: another store numbers them from now on.
    fn renumber(&mut self, epoch: u64) {
        self.epoch = epoch;
        self.tree = Arc::default();
        self.rescan_all();
    }

    fn guard(&self) -> Arc<Guard> {
        Arc::new(Guard { outside: self.outside.clone(), root_id: self.root_id })
    }

    fn publish(&mut self) {
        let before = self.shared.snapshot();
        let freshness = self.freshness();
        let same = Arc::ptr_eq(&before.tree, &self.tree)
            && before.guard.outside == self.outside
            && before.guard.root_id == self.root_id
            && before.epoch == self.epoch;
        if same && before.freshness == freshness && self.generation > 0 {
            return;
        }
        self.generation += 1;
        self.shared.publish(Snapshot {
            tree: self.tree.clone(),
            generation: self.generation,
            freshness,
            epoch: self.epoch,
            guard: self.guard(),
            problems: self.problems(),
        });
    }

    fn freshness(&self) -> Freshness {
        self.freshness_of_watch().unwrap_or(match self.tree.totals().pending {
            0 => Freshness::Live,
            _ => Freshness::Indexing,
        })
    }

    /// What the watch falls short of, if it does.
    fn freshness_of_watch(&self) -> Option<Freshness> {
        if self.shared.watcher().is_none() {
            return Some(Freshness::Polling);
        }
        // A directory that the user may not read has nothing that a query could show.
        let blind = self.unwatched.values().any(|error| *error != AddError::Denied);
        blind.then_some(Freshness::Partial)
    }

    fn problems(&self) -> Vec<String> {
        let blind = self.unwatched.iter().filter(|(_, error)| **error != AddError::Denied).count();
        let mut problems: Vec<String> = self.shared.watch_problem.iter().cloned().collect();
        if let Some((path, error)) = self.unwatched.iter().next().filter(|_| blind > 0) {
            let why = match error {
                AddError::Limit => "the limit `fs.inotify.max_user_watches` is reached".to_owned(),
                other => format!("{other:?}"),
            };
            problems.push(format!(
                "{blind} directories are not watched, among them `{}`: {why}",
                path.display()
            ));
        }
        problems
    }

    fn rules_of(&self, dir: &Path) -> Rules {
        dir.ancestors()
            .take_while(|above| above.starts_with(&self.shared.root))
            .find_map(|above| self.rules.get(above))
            .unwrap_or(&self.base)
            .clone()
    }

    fn relative(&self, path: &Path) -> Option<Vec<u8>> {
        let relative = path.strip_prefix(&self.shared.root).ok()?;
        Some(relative.as_os_str().as_bytes().to_vec())
    }

    fn node(&self, path: &Path) -> Option<&Node> {
        self.tree.at(&self.relative(path)?)
    }

    fn is_dir(&self, path: &Path) -> bool {
        path == self.shared.root || matches!(self.node(path), Some(Node::Dir(_)))
    }
}

/// The device and inode of a root; `None` where it is no directory.
pub(super) fn root_id(root: &Path) -> Option<(u64, u64)> {
    let stat = rustix::fs::lstat(root).ok()?;
    let kind = rustix::fs::FileType::from_raw_mode(stat.st_mode);
    (kind == rustix::fs::FileType::Directory).then_some((stat.st_dev, stat.st_ino))
}
