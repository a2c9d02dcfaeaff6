//! Looks at directories and makes the tree of them.
//!
//! A scan starts from what is known: a file whose stat is as it was keeps its
//! content's number, a directory that is as it was stays the same value. Each
//! directory is watched before it is listed, so that nothing made in between is
//! missed. Only the parts that a search would look at are entered.

use super::rules::{Outside, Rules, is_rule_file};
use crate::watcher::{AddError, Watcher};
use hob_index::tree::{Dir, DocId, Entry, File, Node};
use rayon::prelude::*;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::hash::Hasher as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file that was changed within so many nanoseconds may change again without another stat: the
/// kernel's clock for files ticks every 1 to 10 ms, of some file systems every two seconds.
const TICK: i64 = 30_000_000;
const COARSE_TICK: i64 = 2_100_000_000;

/// What a scan needs, and what it finds beside the tree.
pub(crate) struct Scan<'a> {
    /// Where directories are watched; `None` where nothing is.
    pub(crate) watcher: Option<&'a dyn Watcher>,
    /// Gives out [`File::touch`].
    pub(crate) touches: &'a AtomicU32,
    found: Mutex<Found>,
}

/// What a scan finds beside the tree.
#[derive(Default)]
pub(crate) struct Found {
    /// The rules of the directories that have some of their own, by absolute path.
    pub(crate) rules: HashMap<PathBuf, Rules>,
    /// Files outside of the tree that the rules depend on.
    pub(crate) outside: Outside,
    /// Directories that are not watched, and why.
    pub(crate) unwatched: Vec<(PathBuf, AddError)>,
    /// Files that have other names too.
    pub(crate) linked: Vec<Linked>,
}

/// A file with several names. The kernel reports a change under the name that was used for it
/// only.
pub(crate) struct Linked {
    /// Its device and inode.
    pub(crate) inode: (u64, u64),
    /// How many names it has, wherever they are.
    pub(crate) names: u64,
    /// The name at hand.
    pub(crate) path: PathBuf,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(watcher: Option<&'a dyn Watcher>, touches: &'a AtomicU32) -> Self {
        Self { watcher, touches, found: Mutex::default() }
    }

    pub(crate) fn into_found(self) -> Found {
        self.found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory at `path` as it is now. `above` are the rules of the directory it is in.
    /// `None` where it is no directory (any more).
    pub(crate) fn dir(
        &self,
        path: &Path,
        above: &Rules,
        old: Option<&Arc<Dir>>,
    ) -> Option<Arc<Dir>> {
        // Seen from outside, it makes progress.
        self.touches.fetch_add(1, Ordering::Relaxed);
        self.watch(path)?;
        let names = match list(path) {
            Ok(names) => names,
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                return None;
            }
            Err(error) => {
                if !matches!(error, rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) {
                    // It may pass, and nothing will report when it does.
                    let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.unwatched.push((path.to_owned(), AddError::Other(error.raw_os_error())));
                }
                return Some(same_or(old, Dir::unreadable(error.raw_os_error())));
            }
        };
        let rules = self.rules(path, above, &names);
        let mut entries: Vec<Entry> = Vec::with_capacity(names.names.len());
        let mut below: Vec<Arc<[u8]>> = Vec::new();
        for (name, kind) in &names.names {
            match self.entry(path, name, *kind, &rules, &names.dir, old) {
                Seen::Node(node) => entries.push(Entry { name: name.as_slice().into(), node }),
                Seen::Dir => below.push(name.as_slice().into()),
                Seen::Nothing => {}
            }
        }
        drop(names);
        let scan_one = |name: &Arc<[u8]>| {
            let old = match old.and_then(|old| old.get(name)) {
                Some(Node::Dir(dir)) => Some(dir),
                _ => None,
            };
            let dir = self.dir(&path.join(OsStr::from_bytes(name)), &rules, old)?;
            Some(Entry { name: name.clone(), node: Node::Dir(dir) })
        };
        match below.len() {
            0 => {}
            1 => entries.extend(below.iter().filter_map(scan_one)),
            _ => entries.par_extend(below.par_iter().filter_map(scan_one)),
        }
        Some(same_or(old, Dir::new(entries)))
    }

    /// What stands at a path now: `None` for nothing that a tree holds. `rules` are those of its
    /// directory. A file counts as changed.
    pub(crate) fn path(&self, path: &Path, rules: &Rules, old: Option<&Node>) -> Option<Node> {
        let stat = rustix::fs::lstat(path).ok()?;
        let name = path.file_name()?.as_bytes();
        let kind = FileType::from_raw_mode(stat.st_mode);
        let skip = rules.verdict(path, name, kind == FileType::Directory);
        match (kind, skip) {
            (FileType::RegularFile, Some(skip)) => Some(Node::SkippedFile(skip)),
            (FileType::Directory, Some(skip)) => Some(Node::SkippedDir(skip)),
            (FileType::RegularFile, None) => {
                self.note_links(path, &stat);
                Some(Node::File(self.pending(&stat)))
            }
            (FileType::Directory, None) => {
                let old = match old {
                    Some(Node::Dir(dir)) => Some(dir),
                    _ => None,
                };
                self.dir(path, rules, old).map(Node::Dir)
            }
            _ => None,
        }
    }

    fn watch(&self, path: &Path) -> Option<()> {
        let Some(watcher) = self.watcher else { return Some(()) };
        match watcher.add(path) {
            Ok(()) => Some(()),
            Err(AddError::Gone) => None,
            Err(error) => {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                found.unwatched.push((path.to_owned(), error));
                Some(())
            }
        }
    }

    fn rules(&self, path: &Path, above: &Rules, names: &Listing) -> Rules {
        if !names.names.iter().any(|(name, _)| is_rule_file(name)) {
            return above.clone();
        }
        let mut outside = Outside::default();
        let rules = above.in_dir(path, &mut outside);
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.rules.insert(path.to_owned(), rules.clone());
        found.outside.merge(outside);
        rules
    }

    fn entry(
        &self,
        dir: &Path,
        name: &[u8],
        kind: FileType,
        rules: &Rules,
        fd: &rustix::fd::OwnedFd,
        old: Option<&Arc<Dir>>,
    ) -> Seen {
        let mut stat = None;
        let mut kind = kind;
        if !matches!(kind, FileType::Directory) {
            stat = rustix::fs::statat(fd, name, AtFlags::SYMLINK_NOFOLLOW).ok();
            let Some(stat) = &stat else { return Seen::Nothing };
            kind = FileType::from_raw_mode(stat.st_mode);
        }
        let skip = match kind {
            FileType::RegularFile | FileType::Directory => {
                rules.verdict(&dir.join(OsStr::from_bytes(name)), name, kind == FileType::Directory)
            }
            _ => return Seen::Nothing,
        };
        match (kind, skip, stat) {
            (FileType::Directory, None, _) => Seen::Dir,
            (FileType::Directory, Some(skip), _) => Seen::Node(Node::SkippedDir(skip)),
            (_, Some(skip), _) => Seen::Node(Node::SkippedFile(skip)),
            (_, None, Some(stat)) => {
                if stat.st_nlink > 1 {
                    self.note_links(&dir.join(OsStr::from_bytes(name)), &stat);
                }
                let known = match old.and_then(|old| old.get(name)) {
                    Some(Node::File(file)) if file.print == print(&stat) => Some(*file),
                    _ => None,
                };
                Seen::Node(Node::File(known.unwrap_or_else(|| self.pending(&stat))))
            }
            (_, None, None) => Seen::Nothing,
        }
    }

    fn note_links(&self, path: &Path, stat: &Stat) {
        if stat.st_nlink > 1 {
            let inode = (stat.st_dev, stat.st_ino);
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.linked.push(Linked { inode, names: stat.st_nlink, path: path.to_owned() });
        }
    }

    fn pending(&self, stat: &Stat) -> File {
        File {
            size: u64::try_from(stat.st_size).unwrap_or(0),
            mtime: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
            print: print(stat),
            touch: self.touches.fetch_add(1, Ordering::Relaxed),
            doc: DocId::PENDING,
            outlined: false,
        }
    }
}

enum Seen {
    Node(Node),
    Dir,
    Nothing,
}

struct Listing {
    dir: rustix::fd::OwnedFd,
    names: Vec<(Vec<u8>, FileType)>,
}

fn list(path: &Path) -> rustix::io::Result<Listing> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = rustix::fs::open(path, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(&dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push((name.to_vec(), entry.file_type()));
        }
    }
    Ok(Listing { dir, names })
}

/// The old value where the new is the same, so that what did not change is shared.
fn same_or(old: Option<&Arc<Dir>>, new: Dir) -> Arc<Dir> {
    match old {
        Some(old) if same(old, &new) => old.clone(),
        _ => Arc::new(new),
    }
}

fn same(old: &Dir, new: &Dir) -> bool {
    old.error() == new.error()
        && old.entries().len() == new.entries().len()
        && old.entries().iter().zip(new.entries()).all(|(old, new)| {
            old.name == new.name
                && match (&old.node, &new.node) {
                    (Node::File(old), Node::File(new)) => old == new,
                    (Node::Dir(old), Node::Dir(new)) => Arc::ptr_eq(old, new),
                    (Node::SkippedFile(old), Node::SkippedFile(new)) => old == new,
                    (Node::SkippedDir(old), Node::SkippedDir(new)) => old == new,
                    _ => false,
                }
        })
}

/// Whether the file may change once more without a trace in its stat.
pub(crate) fn is_fresh(stat: &Stat) -> bool {
    let changed = nanoseconds(stat.st_ctime, stat.st_ctime_nsec);
    let coarse = stat.st_ctime_nsec == 0 && stat.st_mtime_nsec == 0;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX).saturating_sub(changed);
    (0..if coarse { COARSE_TICK } else { TICK }).contains(&age)
}

/// A hash of all that changes when a file does, or when another takes its name.
pub(crate) fn print(stat: &Stat) -> u64 {
    let mut hash = Mix(0x9e37_79b9_7f4a_7c15);
    for part in [
        stat.st_dev,
        stat.st_ino,
        stat.st_size as u64,
        stat.st_mtime as u64,
        stat.st_mtime_nsec,
        stat.st_ctime as u64,
        stat.st_ctime_nsec,
        u64::from(stat.st_mode),
    ] {
        hash.write_u64(part);
    }
    hash.finish()
}

/// SplitMix64's finalizer (Steele, Lea, Flood, 2014) as a chain: it is stored, so it must not
/// change with the compiler as the standard library's hasher may.
struct Mix(u64);

impl std::hash::Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, part: u64) {
        let mut mixed = (self.0 ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = mixed ^ (mixed >> 31);
    }
}

/// A time of a file as one number; what overflows (the year 2262) is cut.
pub(crate) fn nanoseconds(seconds: i64, nanoseconds: impl TryInto<i64>) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.try_into().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hob_index::tree::Docs;
    use std::fs;

    /// The files that a scan finds, beside those that ripgrep's own walker finds.
    fn both(root: &Path) -> (Vec<String>, Vec<String>) {
        let rules = Rules::above(root, &mut Outside::default());
        let touches = AtomicU32::new(0);
        let tree = Scan::new(None, &touches).dir(root, &rules, None).unwrap();
        let mut ours = Vec::new();
        tree.for_each_file(&Docs::All, &mut |path, _| {
            ours.push(String::from_utf8_lossy(path).into_owned());
        });
        let mut theirs = Vec::new();
        let mut walk = ignore::WalkBuilder::new(root);
        walk.add_custom_ignore_filename(".rgignore").sort_by_file_name(|a, b| a.cmp(b));
        for entry in walk.build().flatten() {
            if entry.file_type().is_some_and(|kind| kind.is_file()) {
                let path = entry.path().strip_prefix(root).unwrap();
                theirs.push(path.to_string_lossy().into_owned());
            }
        }
        (ours, theirs)
    }

    fn world(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        dir
    }

    #[test]
    fn the_rules_are_those_of_ripgreps_walker() {
        let nested = &[
            (".git/HEAD", ""),
            (".git/info/exclude", "excluded\n/anchored\n"),
            (".gitignore", "*.log\n!keep.log\nbuild/\n/top\n**/deep/x\n.hidden-not\n!.shown\n"),
            (".ignore", "!see.log\nsecret\n"),
            (".rgignore", "!secret\nrg-only\n"),
            ("a.log", ""),
            ("keep.log", ""),
            ("see.log", ""),
            ("secret", ""),
            ("rg-only", ""),
            ("excluded", ""),
            ("sub/excluded", ""),
            ("sub/anchored", ""),
            ("anchored", ""),
            ("top", ""),
            ("sub/top", ""),
            ("build/x", ""),
            ("sub/build", ""),
            ("q/deep/x", ""),
            ("q/deep/y", ""),
            (".hidden", ""),
            (".shown", ""),
            (".dir/x", ""),
            ("sub/.gitignore", "!*.log\n*.tmp\n[bad\n\\#x\n"),
            ("sub/b.log", ""),
            ("sub/b.tmp", ""),
            ("sub/#x", ""),
            ("nested/.git/HEAD", ""),
            ("nested/a.log", ""),
            ("nested/secret", ""),
            ("nested/.gitignore", "own\n"),
            ("nested/own", ""),
            ("nested/in/own", ""),
        ];
        let dir = world(nested);
        let (ours, theirs) = both(dir.path());
        assert_eq!(ours, theirs);
        assert!(ours.contains(&"nested/a.log".to_owned()) && !ours.contains(&"a.log".to_owned()));
        for part in ["sub", "nested", "q/deep"] {
            let (ours, theirs) = both(&dir.path().join(part));
            assert_eq!(ours, theirs, "{part}");
        }
    }

    #[test]
    fn gits_rules_hold_only_in_a_repository() {
        let dir = world(&[(".gitignore", "a\n"), ("a", ""), ("b", ""), (".ignore", "b\n")]);
        let (ours, theirs) = both(dir.path());
        assert_eq!((&ours, &theirs), (&vec!["a".to_owned()], &vec!["a".to_owned()]));
    }

    #[test]
    fn what_did_not_change_stays_the_same_value() {
        let dir = world(&[("a/x", ""), ("b/y", "")]);
        let rules = Rules::above(dir.path(), &mut Outside::default());
        let touches = AtomicU32::new(0);
        let scan = || Scan::new(None, &touches);
        let before = scan().dir(dir.path(), &rules, None).unwrap();
        let same = scan().dir(dir.path(), &rules, Some(&before)).unwrap();
        assert!(Arc::ptr_eq(&before, &same));
        fs::write(dir.path().join("b/y"), "changed").unwrap();
        let after = scan().dir(dir.path(), &rules, Some(&before)).unwrap();
        let part = |tree: &Dir, name: &[u8]| match tree.get(name) {
            Some(Node::Dir(dir)) => dir.clone(),
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&part(&before, b"a"), &part(&after, b"a")));
        assert!(!Arc::ptr_eq(&part(&before, b"b"), &part(&after, b"b")));
    }

    #[test]
    fn links_and_pipes_are_left_out() {
        let dir = world(&[("file", "")]);
        std::os::unix::fs::symlink("file", dir.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("root")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            dir.path().join(".gitignore"),
            FileType::Fifo,
            Mode::RUSR,
            0,
        )
        .unwrap();
        let (ours, _) = both_without_rg(dir.path());
        assert_eq!(ours, ["file"]);
    }

    fn both_without_rg(root: &Path) -> (Vec<String>, Arc<Dir>) {
        let rules = Rules::above(root, &mut Outside::default());
        let touches = AtomicU32::new(0);
        let tree = Scan::new(None, &touches).dir(root, &rules, None).unwrap();
        let mut files = Vec::new();
        tree.for_each_file(&Docs::All, &mut |path, _| {
            files.push(String::from_utf8_lossy(path).into_owned());
        });
        (files, tree)
    }
}
