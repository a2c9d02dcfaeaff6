//! Which files a query is about, in the order in which ripgrep would come to them.
//!
//! A path below a workspace is answered from its snapshot: the walk that ripgrep
//! would do on the disk is done in memory, with the same precedence of globs,
//! ignore rules, types and hidden names. Whatever the snapshot leaves out (an
//! ignored directory that the query names, links to follow, no workspace at all)
//! is walked on the disk by ripgrep's own walker.

use super::compile::Compiled;
use super::disk::{Found, Target, Walking};
use super::{FindView, SearchError};
use hob_index::tree::{Dir, Docs, Node, Skip};
use hob_protocol::{Origin, SearchQuery};
use ignore::Match;
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Files of more bytes than this together are not looked at at once: each may match as a whole.
const WINDOW_BYTES: u64 = 16 << 20;

pub(super) struct Scope<'a> {
    query: &'a SearchQuery,
    compiled: &'a Compiled,
    find: FindView<'a>,
    /// What the query names and has not been begun.
    named: VecDeque<Named>,
    ready: VecDeque<Found>,
    walk: Option<Walking>,
    origin: Option<Origin>,
}

struct Named {
    path: PathBuf,
    shown: PathBuf,
    /// The query has an empty string in the place of a path, which is no path at all.
    path_is_empty: bool,
}

impl<'a> Scope<'a> {
    pub(super) fn new(
        query: &'a SearchQuery,
        compiled: &'a Compiled,
        find: FindView<'a>,
    ) -> Result<Self, SearchError> {
        let cwd = query.cwd.as_path();
        if !cwd.is_absolute() {
            return Err(SearchError::Cwd(cwd.to_owned(), "the path is not absolute".into()));
        }
        let named = match query.paths.is_empty() {
            true => VecDeque::from([Named {
                path: cwd.to_owned(),
                shown: PathBuf::new(),
                path_is_empty: false,
            }]),
            false => query
                .paths
                .iter()
                .map(|path| Named {
                    path: cwd.join(path.as_path()),
                    shown: path.as_path().into(),
                    path_is_empty: path.as_bytes().is_empty(),
                })
                .collect(),
        };
        if query.paths.is_empty()
            && let Err(error) = std::fs::metadata(cwd)
        {
            return Err(SearchError::Cwd(cwd.to_owned(), error.to_string()));
        }
        Ok(Self { query, compiled, find, named, ready: VecDeque::new(), walk: None, origin: None })
    }

    /// Where the answer comes from.
    pub(super) fn origin(&self) -> Origin {
        self.origin.clone().unwrap_or_default()
    }

    /// The next files, at most so many; none at the end.
    pub(super) fn next_files(&mut self, most: usize) -> Result<Vec<Found>, SearchError> {
        let mut files = Vec::with_capacity(most);
        let mut bytes = 0;
        while files.len() < most && bytes < WINDOW_BYTES {
            if let Some(found) = self.ready.pop_front() {
                if let Found::File(target) = &found {
                    bytes += target.size;
                }
                files.push(found);
                continue;
            }
            if let Some(walking) = &mut self.walk {
                match walking.next() {
                    Some(found) => files.push(found),
                    None => self.walk = None,
                }
                continue;
            }
            match self.named.pop_front() {
                Some(named) => self.begin(named)?,
                None => break,
            }
        }
        Ok(files)
    }

    fn begin(&mut self, named: Named) -> Result<(), SearchError> {
        if named.path_is_empty {
            let text = ": No such file or directory (os error 2)".to_owned();
            self.ready.push_back(Found::Problem(text));
            return Ok(());
        }
        let meta = match std::fs::metadata(&named.path) {
            Ok(meta) => meta,
            Err(error) => {
                let text = format!("{}: {error}", named.shown.display());
                self.ready.push_back(Found::Problem(text));
                return Ok(());
            }
        };
        if !meta.is_dir() {
            let Named { path, shown, .. } = named;
            let size = meta.len();
            self.ready.push_back(Found::File(Target {
                path,
                shown,
                explicit: true,
                size,
                parts: None,
            }));
            return Ok(());
        }
        let disk = self.query.hidden || self.query.no_ignore || self.query.follow;
        let canonical = match disk {
            true => None,
            false => named.path.canonicalize().ok(),
        };
        if let Some(canonical) = canonical
            && let Some(view) = (self.find)(&canonical)?
            && let Ok(relative) = canonical.strip_prefix(&view.root)
            && let Some(dir) = view.snapshot.tree.dir_at(relative.as_os_str().as_bytes())
        {
            self.origin.get_or_insert_with(|| view.origin.clone());
            let docs = (view.candidates)(&self.compiled.plan);
            let ready = self.in_memory(dir, &canonical, &named.shown, &docs);
            self.ready = ready;
            return Ok(());
        }
        self.walk = Some(self.on_disk(&named.path, &named.shown));
        Ok(())
    }

    fn in_memory(&self, dir: &Dir, path: &Path, shown: &Path, docs: &Docs) -> VecDeque<Found> {
        let mut walk = Memory {
            scope: self,
            docs,
            path: path.as_os_str().as_bytes().to_vec(),
            shown: shown.as_os_str().as_bytes().to_vec(),
            found: VecDeque::new(),
        };
        walk.dir(dir);
        walk.found
    }

    fn on_disk(&self, path: &Path, shown: &Path) -> Walking {
        let ignores = !self.query.no_ignore;
        Walking::new(path, shown, self.query.cwd.as_path(), |builder| {
            builder
                .follow_links(self.query.follow)
                .overrides(self.compiled.globs.clone())
                .types(self.compiled.types.clone())
                .hidden(!self.query.hidden)
                .parents(ignores)
                .ignore(ignores)
                .git_global(ignores)
                .git_ignore(ignores)
                .git_exclude(ignores);
            if ignores {
                builder.add_custom_ignore_filename(".rgignore");
            }
        })
    }

    /// What globs and types say of a name, in ripgrep's order.
    fn admits(&self, shown: &Path, is_dir: bool, skip: Option<Skip>) -> bool {
        if !self.compiled.globs.is_empty() {
            match self.compiled.globs.matched(shown, is_dir) {
                Match::Ignore(_) => return false,
                Match::Whitelist(_) => return true,
                Match::None => {}
            }
        }
        if skip == Some(Skip::Ignored) {
            return false;
        }
        if !self.compiled.types.is_empty() {
            match self.compiled.types.matched(shown, is_dir) {
                Match::Ignore(_) => return false,
                Match::Whitelist(_) => return true,
                Match::None => {}
            }
        }
        skip.is_none()
    }

    /// Whether globs or types could admit what the default rules pass over.
    fn may_admit_skipped(&self) -> bool {
        self.compiled.globs.num_whitelists() > 0 || !self.compiled.types.is_empty()
    }

    fn filters(&self) -> bool {
        !self.compiled.globs.is_empty() || !self.compiled.types.is_empty()
    }
}

/// A walk through a snapshot.
struct Memory<'a> {
    scope: &'a Scope<'a>,
    docs: &'a Docs,
    path: Vec<u8>,
    shown: Vec<u8>,
    found: VecDeque<Found>,
}

impl Memory<'_> {
    fn dir(&mut self, dir: &Dir) {
        if !self.scope.may_admit_skipped() && !self.docs.may_touch(dir.totals()) {
            return;
        }
        if let Some(error) = dir.error() {
            let error = std::io::Error::from_raw_os_error(error);
            let shown = match self.shown.is_empty() {
                true => ".".into(),
                false => String::from_utf8_lossy(&self.shown).into_owned(),
            };
            self.found.push_back(Found::Problem(format!("{shown}: {error}")));
        }
        for entry in dir.entries() {
            if self.scope.compiled.any_file && !self.found.is_empty() {
                return;
            }
            if self.wants(&entry.node) {
                let (path, shown) = (self.path.len(), self.shown.len());
                push(&mut self.path, &entry.name);
                push(&mut self.shown, &entry.name);
                self.entry(&entry.node);
                self.path.truncate(path);
                self.shown.truncate(shown);
            }
        }
    }

    /// What can be told without a path: most entries of a tree end here.
    fn wants(&self, node: &Node) -> bool {
        match node {
            Node::File(file) => self.docs.has(file),
            Node::Dir(dir) => self.scope.may_admit_skipped() || self.docs.may_touch(dir.totals()),
            Node::SkippedFile(_) | Node::SkippedDir(_) => self.scope.may_admit_skipped(),
        }
    }

    fn entry(&mut self, node: &Node) {
        let shown = Path::new(OsStr::from_bytes(&self.shown));
        let admits = |is_dir, skip| !self.scope.filters() || self.scope.admits(shown, is_dir, skip);
        match node {
            Node::File(file) if admits(false, None) => {
                self.take(file.size, self.docs.parts_of(file));
            }
            Node::Dir(dir) if admits(true, None) => self.dir(dir),
            Node::SkippedFile(skip) if admits(false, Some(*skip)) => self.take(0, None),
            Node::SkippedDir(skip) if admits(true, Some(*skip)) => {
                let path = Path::new(OsStr::from_bytes(&self.path));
                let mut walking = self.scope.on_disk(path, shown);
                self.found.extend(std::iter::from_fn(|| walking.next()));
            }
            _ => {}
        }
    }

    fn take(&mut self, size: u64, parts: Option<Vec<u32>>) {
        self.found.push_back(Found::File(Target {
            path: PathBuf::from(OsStr::from_bytes(&self.path)),
            shown: PathBuf::from(OsStr::from_bytes(&self.shown)),
            explicit: false,
            size,
            parts,
        }));
    }
}

/// Joins as [`Path::join`] does: an empty path takes no separator.
fn push(path: &mut Vec<u8>, name: &[u8]) {
    if path.last().is_some_and(|last| *last != b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}
