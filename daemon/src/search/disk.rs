//! A walk on the disk by ripgrep's own walker, in the order of paths.

use ignore::WalkBuilder;
use std::path::{Path, PathBuf};

/// A file to look at, or something that cannot be.
pub(crate) enum Found {
    /// A file.
    File(Target),
    /// What could not be looked at, for people.
    Problem(String),
}

/// A file to look at.
pub(crate) struct Target {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What the query calls it.
    pub(crate) shown: PathBuf,
    /// The query names this very file.
    pub(super) explicit: bool,
    /// Its size when it was looked at last; 0 where that is not known.
    pub(super) size: u64,
    /// The parts of it, by number, that can have a match; `None` where any can.
    pub(super) parts: Option<Vec<u32>>,
}

/// A walk on the disk, and what stands in for its root in what is shown.
pub(crate) struct Walking {
    walk: ignore::Walk,
    root: PathBuf,
    shown: PathBuf,
}

impl Walking {
    /// A walk below a directory that is shown by another name, by rules that are set.
    pub(super) fn new(
        root: &Path,
        shown: &Path,
        cwd: &Path,
        set: impl FnOnce(&mut WalkBuilder),
    ) -> Self {
        let mut builder = WalkBuilder::new(root);
        set(&mut builder);
        builder.current_dir(cwd).sort_by_file_name(Ord::cmp);
        Self { walk: builder.build(), root: root.to_owned(), shown: shown.to_owned() }
    }

    /// The walk of a plain search in a directory. Its files are shown from there.
    pub(crate) fn plain(dir: &Path) -> Self {
        Self::new(dir, Path::new(""), dir, |builder| {
            builder.add_custom_ignore_filename(".rgignore");
        })
    }
}

impl Iterator for Walking {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            let entry = match self.walk.next()? {
                Ok(entry) => entry,
                Err(error) => return Some(Found::Problem(self.problem(&error))),
            };
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                let shown = self.shown_of(entry.path());
                return Some(Found::File(Target {
                    path: entry.into_path(),
                    shown,
                    explicit: false,
                    size: 0,
                    parts: None,
                }));
            }
        }
    }
}

impl Walking {
    fn shown_of(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(&self.root) {
            Ok(below) if self.shown.as_os_str().is_empty() => below.to_owned(),
            Ok(below) => self.shown.join(below),
            Err(_) => path.to_owned(),
        }
    }

    fn problem(&self, error: &ignore::Error) -> String {
        match (path_of(error), error.io_error()) {
            (Some(path), Some(io)) => format!("{}: {io}", self.shown_of(path).display()),
            _ => error.to_string(),
        }
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}
