//! Tells which paths below a directory may have changed.
//!
//! Knows nothing of the index: it reports, the workspace looks. A report is a
//! hint, never a fact: it names a path, and what is there now must be read. What
//! a watcher does promise is completeness: [`Watcher::catch_up`] returns a report
//! of every change that was completed before the call, or [`Event::Lost`].

#[cfg(target_os = "linux")]
mod inotify;
mod portable;

use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a watcher reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The content or the attributes of what stands at this path may have changed.
    Touched(PathBuf),
    /// Something else may stand at this path than before, or nothing.
    Moved(PathBuf),
    /// Reports were lost: anything may have changed.
    Lost,
}

/// Why a directory is not watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    /// It is not there, or is no directory (any more).
    Gone,
    /// The kernel allows no more watches.
    Limit,
    /// The user may not read it.
    Denied,
    /// Anything else: the number of the operating system's error.
    Other(i32),
}

/// A source of reports about directories, each of which is added for itself.
pub(crate) trait Watcher: Send + Sync {
    /// Watches a directory, not what is below it. After the call every change in it is reported.
    /// A directory that was watched under another path is reported under this one from now on.
    fn add(&self, dir: &Path) -> Result<(), AddError>;

    /// Ends the watch of a directory and of all that are below its path.
    fn remove(&self, dir: &Path);

    /// Waits until there is something to report, [`Watcher::wake`] is called, or the time is over.
    fn wait(&self, timeout: Option<Duration>);

    /// Ends a [`Watcher::wait`], the next one if none is under way.
    fn wake(&self);

    /// Appends a report of every change that was completed before the call.
    fn catch_up(&self, events: &mut Vec<Event>);

    /// Whether it is certain, at no cost, that nothing is to be reported.
    fn quiet(&self) -> bool;

    /// How many directories are watched.
    fn watched(&self) -> u64;
}

/// Which implementation to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The kernel's own where there is one, else what `notify` has for the system.
    Auto,
    /// What the crate `notify` has for the system.
    Notify,
}

/// Opens a watcher. `cookies` is a directory of hob's own, beside the runtime directory's socket,
/// where it may make files.
pub(crate) fn open(backend: Backend, cookies: &Path) -> std::io::Result<Box<dyn Watcher>> {
    #[cfg(target_os = "linux")]
    if backend == Backend::Auto {
        return Ok(Box::new(inotify::Inotify::open()?));
    }
    Ok(Box::new(portable::Portable::open(cookies)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;

    fn each(run: impl Fn(&dyn Watcher, &Path)) {
        for backend in [Backend::Auto, Backend::Notify] {
            let dir = tempfile::tempdir().unwrap();
            let cookies = tempfile::tempdir().unwrap();
            let root = dir.path().canonicalize().unwrap();
            let watcher = open(backend, cookies.path()).unwrap();
            run(&*watcher, &root);
        }
    }

    fn reports(watcher: &dyn Watcher) -> BTreeSet<PathBuf> {
        let mut events = Vec::new();
        watcher.catch_up(&mut events);
        events
            .into_iter()
            .map(|event| match event {
                Event::Touched(path) | Event::Moved(path) => path,
                Event::Lost => PathBuf::from("lost"),
            })
            .collect()
    }

    #[test]
    fn a_completed_change_is_reported_by_the_next_catch_up() {
        each(|watcher, root| {
            watcher.add(root).unwrap();
            for round in 0..200 {
                let path = root.join(format!("f{}", round % 7));
                fs::write(&path, round.to_string()).unwrap();
                assert!(reports(watcher).contains(&path), "round {round}");
            }
            assert!(reports(watcher).is_empty());
        });
    }

    #[test]
    fn a_renamed_directory_reports_under_its_new_path() {
        each(|watcher, root| {
            fs::create_dir(root.join("a")).unwrap();
            watcher.add(root).unwrap();
            watcher.add(&root.join("a")).unwrap();
            fs::rename(root.join("a"), root.join("b")).unwrap();
            assert!(reports(watcher).contains(&root.join("b")));
            // As a scan that comes before the report of the old path's end would do it.
            watcher.add(&root.join("b")).unwrap();
            watcher.remove(&root.join("a"));
            fs::write(root.join("b/f"), "").unwrap();
            assert!(reports(watcher).contains(&root.join("b/f")));
        });
    }

    #[test]
    fn a_directory_that_took_the_place_of_another_is_watched() {
        each(|watcher, root| {
            fs::create_dir(root.join("a")).unwrap();
            fs::create_dir(root.join("b")).unwrap();
            watcher.add(root).unwrap();
            watcher.add(&root.join("a")).unwrap();
            watcher.add(&root.join("b")).unwrap();
            fs::rename(root.join("a"), root.join("c")).unwrap();
            fs::rename(root.join("b"), root.join("a")).unwrap();
            reports(watcher);
            watcher.remove(&root.join("b"));
            watcher.add(&root.join("a")).unwrap();
            watcher.add(&root.join("c")).unwrap();
            fs::write(root.join("a/f"), "").unwrap();
            fs::write(root.join("c/g"), "").unwrap();
            let seen = reports(watcher);
            assert!(
                seen.contains(&root.join("a/f")) && seen.contains(&root.join("c/g")),
                "{seen:?}"
            );
        });
    }

    #[test]
    fn what_is_not_there_is_not_watched() {
        each(|watcher, root| {
            assert_eq!(watcher.add(&root.join("no")), Err(AddError::Gone));
            fs::write(root.join("file"), "").unwrap();
            assert_eq!(watcher.add(&root.join("file")), Err(AddError::Gone));
        });
    }

    #[test]
    fn a_wake_ends_a_wait() {
        each(|watcher, _| {
            watcher.wake();
            watcher.wait(None);
        });
    }
}
