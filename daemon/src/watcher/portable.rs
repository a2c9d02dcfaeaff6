//! What the crate `notify` has for the system.
//!
//! Its events come in the order of the kernel's queue, so a file that is made in a
//! directory of our own, watched by the same watcher, comes after all that was
//! completed before: a cookie. It may be lost with the rest of an overflow; then
//! everything counts as changed.

use super::{AddError, Event, Watcher};
use notify::event::{Flag, ModifyKind};
use notify::{Config, ErrorKind, EventKind, EventKindMask, RecommendedWatcher, RecursiveMode};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A cookie that has not come by then was lost.
const COOKIE_PATIENCE: Duration = Duration::from_millis(500);
/// More reports than this at once cost more than to look at the whole tree.
const MOST_REPORTS: usize = 200_000;

pub(super) struct Portable {
    notify: Mutex<RecommendedWatcher>,
    inbox: Arc<Inbox>,
    cookies: PathBuf,
    dirs: Mutex<Dirs>,
}

#[derive(Default)]
struct Inbox {
    state: Mutex<State>,
    arrived: Condvar,
}

#[derive(Default)]
struct State {
    events: Vec<Event>,
    /// The number of the last cookie that came, and of the last that was made.
    seen: u64,
    made: u64,
    woken: bool,
}

/// Which directory each path is, so that one that was moved is not ended by its old path.
#[derive(Default)]
struct Dirs {
    inodes: BTreeMap<(u64, u64), PathBuf>,
    paths: BTreeMap<PathBuf, (u64, u64)>,
}

impl Portable {
    pub(super) fn open(cookies: &Path) -> std::io::Result<Self> {
        let cookies = cookies.canonicalize()?;
        let inbox = Arc::new(Inbox::default());
        let (sink, home) = (inbox.clone(), cookies.clone());
        let handler = move |event: notify::Result<notify::Event>| sink.take(event, &home);
        // Without a mask each file that anyone opens is reported.
        let mask = EventKindMask::CREATE
            | EventKindMask::REMOVE
            | EventKindMask::MODIFY_DATA
            | EventKindMask::MODIFY_META
            | EventKindMask::MODIFY_NAME;
        let config = Config::default().with_follow_symlinks(false).with_event_kinds(mask);
        let mut notify: RecommendedWatcher =
            notify::Watcher::new(handler, config).map_err(std::io::Error::other)?;
        notify::Watcher::watch(&mut notify, &cookies, RecursiveMode::NonRecursive)
            .map_err(std::io::Error::other)?;
        Ok(Self { notify: Mutex::new(notify), inbox, cookies, dirs: Mutex::default() })
    }

    fn unwatch(&self, path: &Path) {
        let mut notify = self.notify.lock().unwrap_or_else(PoisonError::into_inner);
        // It fails where the watch has ended with its directory.
        let _ = notify::Watcher::unwatch(&mut *notify, path);
    }

    fn dirs(&self) -> MutexGuard<'_, Dirs> {
        self.dirs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Portable {
    fn add(&self, dir: &Path) -> Result<(), AddError> {
        let meta = std::fs::symlink_metadata(dir).map_err(|_| AddError::Gone)?;
        if !meta.is_dir() {
            return Err(AddError::Gone);
        }
        let inode = (meta.dev(), meta.ino());
        let mut dirs = self.dirs();
        if let Some(old) = dirs.inodes.get(&inode).filter(|old| *old != dir).cloned() {
            dirs.paths.remove(&old);
            self.unwatch(&old);
        }
        if let Some(old) = dirs.paths.get(dir).copied() {
            dirs.inodes.remove(&old);
        }
        // `notify` keeps a watch that it has under this path, even of a directory that is gone.
        self.unwatch(dir);
        let mut notify = self.notify.lock().unwrap_or_else(PoisonError::into_inner);
        notify::Watcher::watch(&mut *notify, dir, RecursiveMode::NonRecursive)
            .map_err(|error| add_error(&error))?;
        dirs.inodes.insert(inode, dir.to_owned());
        dirs.paths.insert(dir.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, dir: &Path) {
        let mut dirs = self.dirs();
        let below: Vec<PathBuf> = dirs
            .paths
            .range::<Path, _>((std::ops::Bound::Included(dir), std::ops::Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(dir))
            .cloned()
            .collect();
        for path in below {
            if let Some(inode) = dirs.paths.remove(&path) {
                dirs.inodes.remove(&inode);
            }
            self.unwatch(&path);
        }
    }

    fn wait(&self, timeout: Option<Duration>) {
        let state = self.inbox.lock();
        let idle = |state: &mut State| state.events.is_empty() && !state.woken;
        let mut state = match timeout {
            Some(time) => {
                let waited = self.inbox.arrived.wait_timeout_while(state, time, idle);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.inbox.arrived.wait_while(state, idle);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        };
        state.woken = false;
    }

    fn wake(&self) {
        self.inbox.lock().woken = true;
        self.inbox.arrived.notify_all();
    }

    fn catch_up(&self, events: &mut Vec<Event>) {
        let mut state = self.inbox.lock();
        state.made += 1;
        let cookie = state.made;
        drop(state);
        let path = self.cookies.join(cookie.to_string());
        let made = std::fs::write(&path, "");
        let deadline = Instant::now() + COOKIE_PATIENCE;
        let mut state = self.inbox.lock();
        while made.is_ok() && state.seen < cookie && Instant::now() < deadline {
            let patience = deadline.saturating_duration_since(Instant::now());
            let waited = self.inbox.arrived.wait_timeout(state, patience);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.seen < cookie {
            state.events.push(Event::Lost);
        }
        events.append(&mut state.events);
        drop(state);
        let _ = std::fs::remove_file(&path);
    }

    fn quiet(&self) -> bool {
        false
    }

    fn watched(&self) -> u64 {
        self.dirs().paths.len() as u64
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: notify::Result<notify::Event>, cookies: &Path) {
        let mut state = self.lock();
        match event {
            Ok(event) if event.attrs.flag() == Some(Flag::Rescan) => state.lost(),
            Ok(event) => {
                let touched = matches!(
                    event.kind,
                    EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Metadata(_))
                );
                for path in event.paths {
                    state.report(path, touched, cookies);
                }
            }
            Err(_) => state.lost(),
        }
        drop(state);
        self.arrived.notify_all();
    }
}

impl State {
    fn lost(&mut self) {
        self.events.clear();
        self.events.push(Event::Lost);
    }

    fn report(&mut self, path: PathBuf, touched: bool, cookies: &Path) {
        if let Ok(cookie) = path.strip_prefix(cookies) {
            let number = cookie.to_str().and_then(|name| name.parse().ok());
            self.seen = self.seen.max(number.unwrap_or(0));
            return;
        }
        if self.events.len() >= MOST_REPORTS {
            self.lost();
        }
        self.events.push(match touched {
            true => Event::Touched(path),
            false => Event::Moved(path),
        });
    }
}

fn add_error(error: &notify::Error) -> AddError {
    match &error.kind {
        ErrorKind::MaxFilesWatch => AddError::Limit,
        ErrorKind::PathNotFound => AddError::Gone,
        ErrorKind::Io(io) => match io.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => AddError::Gone,
            std::io::ErrorKind::PermissionDenied => AddError::Denied,
            _ => AddError::Other(io.raw_os_error().unwrap_or(0)),
        },
        _ => AddError::Other(0),
    }
}
