//! The tree of files, as an immutable value.
//!
//! Directories are shared between versions: a change copies the directories on
//! the path to it, and nothing else. The order within a directory is by name, so
//! that walking the tree yields ripgrep's `--sort path`.
//!
//! What a tree leaves out: links, sockets, pipes and devices, which no search
//! reads; and what lies below a directory that the ignore rules exclude.

use crate::letters::Letters;
use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The number of a content within a repository's store. It is never given twice, and neither are
/// those that follow it, one for each part of the content ([`crate::parts`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocId(u32);

impl DocId {
    /// The content is not known yet: the file is read at each query.
    pub const PENDING: Self = Self(u32::MAX);
    /// The file could not be read: each query tries, and reports it.
    pub const UNREADABLE: Self = Self(u32::MAX - 1);

    /// The number as a document's, unless it stands for [`DocId::PENDING`] or
    /// [`DocId::UNREADABLE`].
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number < Self::UNREADABLE.0 { Some(Self(number)) } else { None }
    }

    /// The number, where the content is known.
    #[must_use]
    pub fn known(self) -> Option<u32> {
        (self.0 < Self::UNREADABLE.0).then_some(self.0)
    }
}

/// A regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its size in bytes.
    pub size: u64,
    /// When it was last changed, in nanoseconds since 1970.
    pub mtime: i64,
    /// A hash of its device, inode, size, and times of change: another print, another content.
    pub print: u64,
    /// Counts the reports of changes, so that what was read before one is not taken for later.
    pub touch: u32,
    /// Its content.
    pub doc: DocId,
    /// What its content defines is in the store; or it defines nothing, being of no language.
    pub outlined: bool,
}

impl File {
    /// The numbers of the first and of the last part of its content, where that is known.
    #[must_use]
    pub fn docs(&self) -> Option<(u32, u32)> {
        let first = self.doc.known()?;
        Some((first, first.saturating_add(crate::parts::count(self.size) - 1)))
    }
}

/// Why the default rules leave something out of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// An ignore file says so.
    Ignored,
    /// Its name begins with a dot.
    Hidden,
}

/// What stands under a name.
#[derive(Clone, Debug)]
pub enum Node {
    /// A file that is searched.
    File(File),
    /// A directory that is descended into.
    Dir(Arc<Dir>),
    /// A file that is searched only when a glob or type asks for it.
    SkippedFile(Skip),
    /// A directory that is descended into only when a glob asks for it.
    SkippedDir(Skip),
}

/// A name in a directory, with what stands under it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name: bytes without `/`.
    pub name: Arc<[u8]>,
    /// What it names.
    pub node: Node,
}

/// Sums over a directory and all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Files that are searched.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of these, files whose content is not known yet.
    pub pending: u64,
    /// Of these, files whose content is not known: pending or unreadable.
    pub unknown: u64,
    /// Of these, files whose definitions are not in the store, though they could be read.
    pub unoutlined: u64,
    /// Directories, this one included.
    pub dirs: u64,
    /// Directories that could not be listed.
    pub unreadable: u64,
    first: u32,
    last: u32,
}

impl Totals {
    const NONE: Self = Self {
        files: 0,
        bytes: 0,
        pending: 0,
        unknown: 0,
        unoutlined: 0,
        dirs: 1,
        unreadable: 0,
        first: u32::MAX,
        last: 0,
    };

    fn add_file(&mut self, file: &File) {
        self.files += 1;
        self.bytes += file.size;
        self.unoutlined += u64::from(!file.outlined && file.doc != DocId::UNREADABLE);
        match file.docs() {
            Some((first, last)) => {
                self.first = self.first.min(first);
                self.last = self.last.max(last);
            }
            None => {
                self.unknown += 1;
                self.pending += u64::from(file.doc == DocId::PENDING);
            }
        }
    }

    fn add_dir(&mut self, below: &Self) {
        self.files += below.files;
        self.bytes += below.bytes;
        self.pending += below.pending;
        self.unknown += below.unknown;
        self.unoutlined += below.unoutlined;
        self.dirs += below.dirs;
        self.unreadable += below.unreadable;
        self.first = self.first.min(below.first);
        self.last = self.last.max(below.last);
    }
}

/// A directory.
#[derive(Clone, Debug)]
pub struct Dir {
    entries: Vec<Entry>,
    /// Of each entry: the letters of a file's name; all, if it is something else.
    letters: Vec<Letters>,
    /// Those of the paths of all files below.
    letters_below: Letters,
    totals: Totals,
    error: Option<i32>,
}

impl Default for Dir {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Dir {
    /// A directory of these entries, in any order; of two with one name the first stays.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries.dedup_by(|b, a| a.name == b.name);
        let totals = totals(&entries, None);
        let letters: Vec<Letters> = entries.iter().map(letters_of).collect();
        let letters_below = letters_below(&entries, &letters);
        Self { entries, letters, letters_below, totals, error: None }
    }

    /// The tree of these files, whose paths are in the order of a walk.
    #[must_use]
    pub fn from_files(files: &[(Vec<u8>, File)]) -> Self {
        from_sorted(files, 0)
    }

    /// A directory that could not be listed, and the operating system's number of the error.
    #[must_use]
    pub fn unreadable(error: i32) -> Self {
        Self { totals: totals(&[], Some(error)), error: Some(error), ..Self::default() }
    }

    /// The entries, sorted by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries, each with the letters that a file's name has. What is no file has all.
    pub fn spelled(&self) -> impl Iterator<Item = (Letters, &Entry)> {
        self.letters.iter().copied().zip(&self.entries)
    }

    /// The letters of all paths below, as they are from here.
    #[must_use]
    pub fn letters_below(&self) -> Letters {
        self.letters_below
    }

    /// The sums.
    #[must_use]
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Why it could not be listed: the operating system's number of the error.
    #[must_use]
    pub fn error(&self) -> Option<i32> {
        self.error
    }

    /// What stands under a name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&Node> {
        let at = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        Some(&self.entries[at].node)
    }

    /// What stands at a path below: names joined by `/`, none of them empty, `.` or `..`.
    #[must_use]
    pub fn at(&self, path: &[u8]) -> Option<&Node> {
        let (name, rest) = split(path);
        match (self.get(name)?, rest) {
            (node, None) => Some(node),
            (Node::Dir(dir), Some(rest)) => dir.at(rest),
            _ => None,
        }
    }

    /// The directory at a path below; the empty path is this one.
    #[must_use]
    pub fn dir_at(&self, path: &[u8]) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        match self.at(path)? {
            Node::Dir(dir) => Some(dir),
            _ => None,
        }
    }

    /// Puts a node at a path below, or takes it away; directories in between must exist.
    /// Returns what stood there, or `None` where nothing did or a directory is missing.
    pub fn set(&mut self, path: &[u8], node: Option<Node>) -> Option<Node> {
        let before = self.set_unsummed(path, node);
        self.totals = totals(&self.entries, self.error);
        self.letters_below = letters_below(&self.entries, &self.letters);
        before
    }

    fn set_unsummed(&mut self, path: &[u8], node: Option<Node>) -> Option<Node> {
        let (name, rest) = split(path);
        let found = self.entries.binary_search_by(|entry| (*entry.name).cmp(name));
        match (rest, found, node) {
            (Some(rest), Ok(at), node) => match &mut self.entries[at].node {
                Node::Dir(dir) => Arc::make_mut(dir).set(rest, node),
                _ => None,
            },
            (Some(_), Err(_), _) | (None, Err(_), None) => None,
            (None, Ok(at), Some(node)) => {
                let before = std::mem::replace(&mut self.entries[at].node, node);
                self.letters[at] = letters_of(&self.entries[at]);
                Some(before)
            }
            (None, Ok(at), None) => {
                self.letters.remove(at);
                Some(self.entries.remove(at).node)
            }
            (None, Err(at), Some(node)) => {
                let entry = Entry { name: name.into(), node };
                self.letters.insert(at, letters_of(&entry));
                self.entries.insert(at, entry);
                None
            }
        }
    }

    /// Changes the file at a path, without a sum over its directories for each: call
    /// [`Dir::resum`] after the last.
    pub fn file_mut(&mut self, path: &[u8]) -> Option<&mut File> {
        let (name, rest) = split(path);
        let at = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        match (&mut self.entries[at].node, rest) {
            (Node::File(file), None) => Some(file),
            (Node::Dir(dir), Some(rest)) => Arc::make_mut(dir).file_mut(rest),
            _ => None,
        }
    }

    /// Sums again along the paths that [`Dir::file_mut`] went.
    pub fn resum(&mut self, paths: &[&[u8]]) {
        let mut start = 0;
        while start < paths.len() {
            let (name, rest) = split(paths[start]);
            let mut end = start + 1;
            while end < paths.len() && split(paths[end]).0 == name {
                end += 1;
            }
            if rest.is_some()
                && let Ok(at) = self.entries.binary_search_by(|entry| (*entry.name).cmp(name))
                && let Node::Dir(dir) = &mut self.entries[at].node
            {
                let below: Vec<&[u8]> =
                    paths[start..end].iter().filter_map(|path| split(path).1).collect();
                Arc::make_mut(dir).resum(&below);
            }
            start = end;
        }
        self.totals = totals(&self.entries, self.error);
    }

    /// Calls `visit` with the path of each file that is searched and whose content may be among
    /// `docs`, or is not known; in order of paths.
    pub fn for_each_file(&self, docs: &Docs, visit: &mut dyn FnMut(&[u8], &File)) {
        self.walk_files(&mut Vec::new(), docs, visit);
    }

    /// Calls `visit` with the path of each file whose definitions are not in the store, in order of
    /// paths; files that cannot be read are left out.
    pub fn for_each_unoutlined(&self, visit: &mut dyn FnMut(&[u8], &File)) {
        self.walk_unoutlined(&mut Vec::new(), visit);
    }

    fn walk_unoutlined(&self, path: &mut Vec<u8>, visit: &mut dyn FnMut(&[u8], &File)) {
        if self.totals.unoutlined == 0 {
            return;
        }
        for entry in &self.entries {
            let length = path.len();
            path.extend_from_slice(&entry.name);
            match &entry.node {
                Node::File(file) if !file.outlined && file.doc != DocId::UNREADABLE => {
                    visit(path, file);
                }
                Node::Dir(dir) => {
                    path.push(b'/');
                    dir.walk_unoutlined(path, visit);
                }
                _ => {}
            }
            path.truncate(length);
        }
    }

    fn walk_files(&self, path: &mut Vec<u8>, docs: &Docs, visit: &mut dyn FnMut(&[u8], &File)) {
        if !docs.may_touch(&self.totals) {
            return;
        }
        for entry in &self.entries {
            let length = path.len();
            match &entry.node {
                Node::File(file) if docs.has(file) => {
                    path.extend_from_slice(&entry.name);
                    visit(path, file);
                }
                Node::Dir(dir) => {
                    path.extend_from_slice(&entry.name);
                    path.push(b'/');
                    dir.walk_files(path, docs, visit);
                }
                _ => {}
            }
            path.truncate(length);
        }
    }
}

/// A directory of files whose paths agree in the first `skip` bytes.
fn from_sorted(files: &[(Vec<u8>, File)], skip: usize) -> Dir {
    let mut entries = Vec::new();
    let mut rest = files;
    while let Some((path, file)) = rest.first() {
        let (name, below) = split(&path[skip..]);
        let same = |(path, _): &&(Vec<u8>, File)| split(&path[skip..]).0 == name;
        let count = rest.iter().take_while(same).count().max(1);
        let node = match below {
            None => Node::File(*file),
            Some(_) => Node::Dir(Arc::new(from_sorted(&rest[..count], skip + name.len() + 1))),
        };
        entries.push(Entry { name: name.into(), node });
        rest = &rest[count..];
    }
    Dir::new(entries)
}

/// Calls `visit` with each file that is not the same in both: its path, as it was, as it is. What
/// both trees share is passed over without a look, so that the cost follows the difference.
pub fn diff(old: &Dir, new: &Dir, visit: &mut Visit<'_>) -> ControlFlow<()> {
    diff_below(&mut Vec::new(), &old.entries, &new.entries, visit)
}

/// What [`diff`] calls; it may end the walk.
pub type Visit<'a> = dyn FnMut(&[u8], Option<&File>, Option<&File>) -> ControlFlow<()> + 'a;

fn diff_below(
    path: &mut Vec<u8>,
    old: &[Entry],
    new: &[Entry],
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return ControlFlow::Continue(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.name.cmp(&new.name),
        };
        let before = if order.is_le() { old.next() } else { None };
        let after = if order.is_ge() { new.next() } else { None };
        let Some(name) = before.or(after).map(|entry| &entry.name) else { continue };
        let length = path.len();
        path.extend_from_slice(name);
        diff_nodes(path, before.map(|entry| &entry.node), after.map(|entry| &entry.node), visit)?;
        path.truncate(length);
    }
}

fn diff_nodes(
    path: &mut Vec<u8>,
    old: Option<&Node>,
    new: Option<&Node>,
    visit: &mut Visit<'_>,
) -> ControlFlow<()> {
    let file = |node: Option<&Node>| match node {
        Some(Node::File(file)) => Some(*file),
        _ => None,
    };
    let (was, is) = (file(old), file(new));
    if was != is {
        visit(path, was.as_ref(), is.as_ref())?;
    }
    let below = |node: Option<&Node>| match node {
        Some(Node::Dir(dir)) => Some(dir.clone()),
        _ => None,
    };
    match (below(old), below(new)) {
        (None, None) => ControlFlow::Continue(()),
        (Some(old), Some(new)) if Arc::ptr_eq(&old, &new) => ControlFlow::Continue(()),
        (old, new) => {
            path.push(b'/');
            let entries = |dir: &Option<Arc<Dir>>| dir.clone().unwrap_or_default();
            let (old, new) = (entries(&old), entries(&new));
            diff_below(path, &old.entries, &new.entries, visit)
        }
    }
}

fn totals(entries: &[Entry], error: Option<i32>) -> Totals {
    let mut totals = Totals::NONE;
    totals.unreadable = u64::from(error.is_some());
    for entry in entries {
        match &entry.node {
            Node::File(file) => totals.add_file(file),
            Node::Dir(dir) => totals.add_dir(&dir.totals),
            Node::SkippedFile(_) | Node::SkippedDir(_) => {}
        }
    }
    totals
}

fn letters_of(entry: &Entry) -> Letters {
    match entry.node {
        Node::File(_) => Letters::of(&entry.name),
        _ => Letters::ALL,
    }
}

fn letters_below(entries: &[Entry], letters: &[Letters]) -> Letters {
    let slash = Letters::of(b"/");
    entries.iter().zip(letters).fold(Letters::default(), |all, (entry, letters)| {
        match &entry.node {
            Node::File(_) => all.and(*letters),
            Node::Dir(dir) => all.and(Letters::of(&entry.name)).and(slash).and(dir.letters_below),
            Node::SkippedFile(_) | Node::SkippedDir(_) => all,
        }
    })
}

fn split(path: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'/', path) {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    }
}

/// The contents that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Docs {
    /// Any.
    All,
    /// These, ascending. Files whose content is not known are always asked for.
    These(Vec<u32>),
}

impl Docs {
    /// Whether the file is asked for: a part of its content is, or it is not known.
    #[must_use]
    pub fn has(&self, file: &File) -> bool {
        match (self, file.docs()) {
            (Self::All, _) | (_, None) => true,
            (Self::These(docs), Some((first, last))) => any_within(docs, first, last),
        }
    }

    /// The numbers of the parts of the file's content that are asked for; `None` where all are.
    #[must_use]
    pub fn parts_of(&self, file: &File) -> Option<Vec<u32>> {
        let (Self::These(docs), Some((first, last))) = (self, file.docs()) else { return None };
        let from = docs.partition_point(|doc| *doc < first);
        let asked = docs[from..].iter().take_while(|doc| **doc <= last);
        Some(asked.map(|doc| doc - first).collect())
    }

    /// Whether anything with these sums can be asked for: what says no is skipped as a whole.
    #[must_use]
    pub fn may_touch(&self, totals: &Totals) -> bool {
        match self {
            Self::All => true,
            _ if totals.unknown > 0 || totals.unreadable > 0 => true,
            Self::These(docs) => any_within(docs, totals.first, totals.last),
        }
    }
}

fn any_within(docs: &[u32], first: u32, last: u32) -> bool {
    let at = docs.partition_point(|doc| *doc < first);
    docs.get(at).is_some_and(|doc| *doc <= last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn file(doc: u32) -> Node {
        let doc = DocId::new(doc).unwrap_or(DocId::PENDING);
        Node::File(File {
            size: 1,
            mtime: 0,
            print: 0,
            touch: 0,
            doc,
            outlined: doc.known().is_some_and(|doc| doc % 2 == 0),
        })
    }

    fn files(dir: &Dir, docs: &Docs) -> Vec<String> {
        let mut found = Vec::new();
        dir.for_each_file(docs, &mut |path, _| {
            found.push(String::from_utf8_lossy(path).into_owned());
        });
        found
    }

    #[test]
    fn the_order_is_that_of_names_and_not_of_whole_paths() {
        let mut root = Dir::default();
        root.set(b"a", Some(Node::Dir(Arc::default())));
        root.set(b"a/z", Some(file(1)));
        root.set(b"a.rs", Some(file(2)));
        assert_eq!(files(&root, &Docs::All), ["a/z", "a.rs"]);
    }

    #[test]
    fn a_change_leaves_the_version_before_as_it_was() {
        let mut root = Dir::default();
        root.set(b"d", Some(Node::Dir(Arc::default())));
        root.set(b"d/x", Some(file(1)));
        let before = root.clone();
        root.set(b"d/x", Some(file(7)));
        root.set(b"d/y", Some(file(u32::MAX)));
        assert_eq!(before.totals().unknown, 0);
        assert_eq!(root.totals().unknown, 1);
        assert_eq!(files(&before, &Docs::These(vec![1])), ["d/x"]);
        assert_eq!(files(&root, &Docs::These(vec![1])), ["d/y"]);
    }

    #[test]
    fn a_difference_names_what_changed_and_nothing_else() {
        let mut root = Dir::default();
        for dir in ["d", "e"] {
            root.set(dir.as_bytes(), Some(Node::Dir(Arc::default())));
        }
        for (number, path) in ["d/x", "d/y", "e/z", "f"].iter().enumerate() {
            root.set(path.as_bytes(), Some(file(number as u32)));
        }
        let before = root.clone();
        root.set(b"d/x", Some(file(9)));
        root.set(b"e", Some(file(8)));
        root.set(b"g", Some(file(7)));
        let mut seen = Vec::new();
        let _ = diff(&before, &root, &mut |path, was, is| {
            let path = String::from_utf8_lossy(path).into_owned();
            seen.push((path, was.is_some(), is.is_some()));
            ControlFlow::Continue(())
        });
        let expected =
            [("d/x", true, true), ("e", false, true), ("e/z", true, false), ("g", false, true)];
        assert_eq!(seen, expected.map(|(path, was, is)| (path.to_owned(), was, is)));
    }

    #[test]
    fn what_has_no_parent_is_not_put_anywhere() {
        let mut root = Dir::default();
        assert!(root.set(b"no/such", Some(file(1))).is_none());
        assert_eq!(root.totals().files, 0);
    }

    /// Whether the letters are those of the names, here and below.
    fn is_spelled_right(dir: &Dir) -> bool {
        let right = |(letters, entry): (Letters, &Entry)| match &entry.node {
            Node::Dir(dir) => letters == Letters::ALL && is_spelled_right(dir),
            _ => letters == Letters::of(&entry.name),
        };
        let mut below = Letters::default();
        dir.for_each_file(&Docs::All, &mut |path, _| below = below.and(Letters::of(path)));
        dir.letters_below().has(below)
            && dir.spelled().count() == dir.entries().len()
            && dir.spelled().all(right)
    }

    proptest! {
        /// Any sequence of changes leaves what a map of paths would hold, and sums that are right.
        #[test]
        fn a_tree_is_a_map_of_paths(steps in prop::collection::vec(("[ab](/[ab]){0,2}", 0u32..6), 0..40)) {
            let mut root = Dir::default();
            let mut model: BTreeMap<Vec<String>, u32> = BTreeMap::new();
            for (path, doc) in steps {
                let names: Vec<String> = path.split('/').map(str::to_owned).collect();
                if doc == 0 {
                    root.set(path.as_bytes(), None);
                    model.retain(|known, _| !known.starts_with(&names));
                    continue;
                }
                for depth in 1..names.len() {
                    let parent = names[..depth].join("/");
                    if root.dir_at(parent.as_bytes()).is_none() {
                        root.set(parent.as_bytes(), Some(Node::Dir(Arc::default())));
                        model.remove(&names[..depth]);
                    }
                }
                root.set(path.as_bytes(), Some(file(doc)));
                model.retain(|known, _| !known.starts_with(&names));
                model.insert(names, doc);
            }
            let all: Vec<String> = model.keys().map(|names| names.join("/")).collect();
            prop_assert_eq!(files(&root, &Docs::All), all);
            for doc in 1..6 {
                let some: Vec<String> = model.iter().filter(|(_, known)| **known == doc).map(|(names, _)| names.join("/")).collect();
                prop_assert_eq!(files(&root, &Docs::These(vec![doc])), some);
            }
            prop_assert_eq!(root.totals().files, model.len() as u64);
            let odd = |(names, doc): (&Vec<String>, &u32)| (doc % 2 == 1).then(|| names.join("/"));
            let odd: Vec<String> = model.iter().filter_map(odd).collect();
            let mut unoutlined = Vec::new();
            root.for_each_unoutlined(&mut |path, _| {
                unoutlined.push(String::from_utf8_lossy(path).into_owned());
            });
            prop_assert_eq!(root.totals().unoutlined, odd.len() as u64);
            prop_assert_eq!(unoutlined, odd);
            prop_assert!(is_spelled_right(&root));
            let mut listed = Vec::new();
            root.for_each_file(&Docs::All, &mut |path, file| listed.push((path.to_vec(), *file)));
            prop_assert_eq!(files(&Dir::from_files(&listed), &Docs::All), files(&root, &Docs::All));
            let mut new = Vec::new();
            let _ = diff(&Dir::default(), &root, &mut |path, was, is| {
                assert!(was.is_none() && is.is_some());
                new.push(String::from_utf8_lossy(path).into_owned());
                ControlFlow::Continue(())
            });
            prop_assert_eq!(new, model.keys().map(|names| names.join("/")).collect::<Vec<_>>());
        }
    }
}
