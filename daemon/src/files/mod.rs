//! Files by their paths: all, in the order of paths, or those that match, the best first.
//!
//! Answered from the tree of a snapshot, and by ripgrep's own walk where none has the
//! directory. How well a path matches is the engine's matter ([`hob_index::picker`]).
//! Knows nothing of the wire: each file goes to a receiver.

use crate::parallel::Crew;
use crate::search::{Cancel, Found, Walking};
use crate::workspace::Snapshot;
use hob_index::picker::{Picked, Picker, Query, parts};
use hob_index::tree::{Dir, DocId, Docs, File, Node};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// So many files are one thread's work at a time.
const PART: u64 = 2_000;

/// Where files are looked for.
pub(crate) enum Source {
    /// Below a directory of a snapshot's tree, by its path from the root.
    Tree(Arc<Snapshot>, Vec<u8>),
    /// Below a directory on the disk.
    Disk(PathBuf),
}

/// Which files are asked for.
pub(crate) struct Ask<'a> {
    pub(crate) query: &'a Query,
    /// At most so many.
    pub(crate) limit: Option<usize>,
}

/// What is said at the end.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// How many files match, whatever the limit is.
    pub(crate) total: u64,
    /// What could not be listed, and why.
    pub(crate) warnings: Vec<String>,
}

/// Takes each file: its path, and how well it matches where that was asked. False when nobody wants
/// more.
pub(crate) type Receiver<'a> = dyn FnMut(&[u8], Option<u32>) -> bool + 'a;

/// Finds files. `None` where it was cancelled.
pub(crate) fn find(
    source: &Source,
    ask: &Ask<'_>,
    crew: &Crew,
    cancel: &Cancel,
    each: &mut Receiver<'_>,
) -> Option<Summary> {
    match source {
        Source::Tree(snapshot, path) => {
            // One that is left out of the tree was found on the disk instead.
            let dir = snapshot.tree.dir_at(path)?;
            let total = match ask.query.is_empty() {
                true => list(dir, ask.limit, cancel, each)?,
                false => pick(dir, ask, crew, cancel, each)?,
            };
            Some(Summary { total, warnings: unreadable(dir) })
        }
        Source::Disk(dir) if ask.query.is_empty() => list_on_disk(dir, ask.limit, cancel, each),
        Source::Disk(dir) => {
            let (tree, warnings) = read(dir, cancel)?;
            let total = pick(&tree, ask, crew, cancel, each)?;
            Some(Summary { total, warnings })
        }
    }
}

/// Hands over files in the order in which they come, up to a limit.
struct Counted<'a, 'r> {
    left: usize,
    total: u64,
    open: bool,
    each: &'a mut Receiver<'r>,
}

impl<'a, 'r> Counted<'a, 'r> {
    fn new(limit: Option<usize>, each: &'a mut Receiver<'r>) -> Self {
        Self { left: limit.unwrap_or(usize::MAX), total: 0, open: true, each }
    }

    fn take(&mut self, path: &[u8]) {
        self.total += 1;
        if self.open && self.left > 0 {
            self.left -= 1;
            self.open = (self.each)(path, None);
        }
    }
}

fn list(dir: &Dir, limit: Option<usize>, cancel: &Cancel, each: &mut Receiver<'_>) -> Option<u64> {
    let mut counted = Counted::new(limit, each);
    dir.for_each_file(&Docs::All, &mut |path, _| counted.take(path));
    (!cancel.is_cancelled()).then_some(counted.total)
}

fn list_on_disk(
    dir: &Path,
    limit: Option<usize>,
    cancel: &Cancel,
    each: &mut Receiver<'_>,
) -> Option<Summary> {
    let mut counted = Counted::new(limit, each);
    let mut warnings = Vec::new();
    for found in Walking::plain(dir) {
        if cancel.is_cancelled() || !counted.open {
            return None;
        }
        match found {
            Found::File(file) => counted.take(file.shown.as_os_str().as_bytes()),
            Found::Problem(problem) => warnings.push(problem),
        }
    }
    Some(Summary { total: counted.total, warnings })
}

/// Hands over the files that match, the best first.
fn pick(
    dir: &Dir,
    ask: &Ask<'_>,
    crew: &Crew,
    cancel: &Cancel,
    each: &mut Receiver<'_>,
) -> Option<u64> {
    let picker = Picker::new(ask.query, now(), ask.limit);
    let one = |part: &_| match cancel.is_cancelled() {
        true => Picked::default(),
        false => picker.pick(part),
    };
    let picked = picker.merge(crew.map(&parts(dir, PART), 1, one));
    for pick in &picked.best {
        if cancel.is_cancelled() || !each(&pick.path, Some(pick.score)) {
            return None;
        }
    }
    Some(picked.total)
}

/// The tree of the files that a walk on the disk finds.
fn read(dir: &Path, cancel: &Cancel) -> Option<(Dir, Vec<String>)> {
    let (mut files, mut warnings) = (Vec::new(), Vec::new());
    for found in Walking::plain(dir) {
        if cancel.is_cancelled() {
            return None;
        }
        match found {
            Found::File(found) => {
                let mtime = std::fs::symlink_metadata(&found.path).map_or(0, |meta| {
                    meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec())
                });
                let file = File {
                    size: 0,
                    mtime,
                    print: 0,
                    touch: 0,
                    doc: DocId::PENDING,
                    outlined: false,
                };
                files.push((found.shown.into_os_string().into_vec(), file));
            }
            Found::Problem(problem) => warnings.push(problem),
        }
    }
    Some((Dir::from_files(&files), warnings))
}

/// The time, in nanoseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

/// What could not be listed, as ripgrep says it.
fn unreadable(dir: &Dir) -> Vec<String> {
    let mut warnings = Vec::new();
    tell_unreadable(dir, &mut Vec::new(), &mut warnings);
    warnings
}

fn tell_unreadable(dir: &Dir, path: &mut Vec<u8>, warnings: &mut Vec<String>) {
    if dir.totals().unreadable == 0 {
        return;
    }
    if let Some(error) = dir.error() {
        let error = std::io::Error::from_raw_os_error(error);
        let shown = if path.is_empty() { ".".into() } else { String::from_utf8_lossy(path) };
        warnings.push(format!("{shown}: {error}"));
    }
    for entry in dir.entries() {
        if let Node::Dir(inner) = &entry.node {
            let length = path.len();
            path.extend_from_slice(if length > 0 { b"/" } else { b"" });
            path.extend_from_slice(&entry.name);
            tell_unreadable(inner, path, warnings);
            path.truncate(length);
        }
    }
}
