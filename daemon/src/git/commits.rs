//! What past commits say and what they touched, for the ranking of files.

use git2::{Delta, Diff, DiffOptions, ErrorCode, Oid, Patch, Repository, Sort};
use hob_index::context::history::{Commit, Touched, line};
use hob_index::words::count;
use std::path::Path;
use std::sync::Once;

/// A commit of more files is a move of everything, or a merge in disguise: nothing is taken of it.
const MOST_FILES: usize = 300;
/// Of a commit of more files the lines are not looked at.
const FEW_FILES: usize = 30;
/// How many lines of a file are taken.
const LINES: usize = 200;

/// Bytes of objects that libgit2 keeps, of a pack that it maps at once, and of all packs.
const CACHE: isize = 48 << 20;
const WINDOW: usize = 8 << 20;
const MAPPED: usize = 64 << 20;
/// The hash of a commit.
pub(crate) type Id = [u8; 20];

/// A repository, for reading what led to a tree.
pub(crate) struct Past {
    repository: Repository,
}

/// Bounds what libgit2 keeps in memory, for a minute of reading: 256 MiB of objects by itself, and all of a
/// pack.
#[expect(
    unsafe_code,
    reason = "libgit2's options are globals; these are read when they are compared"
)]
fn take_less() {
    // SAFETY: they are set once, before the first history is read, and are numbers and no pointers.
    let outcomes = unsafe {
        [
            git2::opts::set_cache_max_size(CACHE),
            git2::opts::set_mwindow_size(WINDOW),
            git2::opts::set_mwindow_mapped_limit(MAPPED),
        ]
    };
    for error in outcomes.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "libgit2 takes as much memory as it does");
    }
}

impl Past {
    /// That of the work tree at a root; none where libgit2 cannot read it.
    pub(crate) fn open(root: &Path) -> Option<Self> {
        static ONCE: Once = Once::new();
        // To hash each object again takes a fifth of the time; git does not either, and a damaged one
        // does not decompress.
        ONCE.call_once(|| {
            git2::opts::strict_hash_verification(false);
            take_less();
        });
        Repository::open(root).ok().map(|repository| Self { repository })
    }

    /// The commit that is checked out; none where there is none yet.
    pub(crate) fn head(&self) -> Option<Id> {
        id(self.repository.head().ok()?.peel_to_commit().ok()?.id())
    }

    /// The commits that led to one, the newest first, at most so many. A history that is shallow
    /// ends where it was cut.
    pub(crate) fn ancestors(&self, head: &Id, most: usize) -> Vec<Id> {
        let walk = || {
            let mut walk = self.repository.revwalk()?;
            walk.push(Oid::from_bytes(head)?)?;
            // In another order, all of them would be read before the first is given.
            walk.set_sorting(Sort::TIME)?;
            Ok::<_, git2::Error>(walk)
        };
        let Ok(walk) = walk() else { return Vec::new() };
        walk.map_while(Result::ok).filter_map(id).take(most).collect()
    }

    /// What a commit says and what it touched. One that has several parents touched nothing: what
    /// it brings is in the commits that it merges. One without says nothing of what belongs together.
    pub(crate) fn commit(&self, id: &Id) -> Commit {
        self.read(id).unwrap_or_else(|error| {
            // In a shallow clone the parent is not there, in a partial one its files.
            if error.code() != ErrorCode::NotFound {
                tracing::debug!(%error, "a commit cannot be read");
            }
            Commit::default()
        })
    }

    fn read(&self, id: &Id) -> Result<Commit, git2::Error> {
        let commit = self.repository.find_commit(Oid::from_bytes(id)?)?;
        if commit.parent_count() != 1 {
            return Ok(Commit::default());
        }
        let (before, after) = (commit.parent(0)?.tree()?, commit.tree()?);
        let mut options = DiffOptions::new();
        options.context_lines(0).ignore_submodules(true);
        let mut diff =
            self.repository.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))?;
        if diff.deltas().len() > MOST_FILES {
            return Ok(Commit::default());
        }
        let has = |status| diff.deltas().any(|delta| delta.status() == status);
        if has(Delta::Added) && has(Delta::Deleted) {
            diff.find_similar(None)?;
        }
        let mut made = Commit { words: count(commit.message_bytes()), ..Commit::default() };
        for (at, delta) in diff.deltas().enumerate() {
            let (old, new) = (delta.old_file().path_bytes(), delta.new_file().path_bytes());
            let Some(path) = new.filter(|_| delta.status() != Delta::Deleted) else { continue };
            if let (Delta::Renamed, Some(old)) = (delta.status(), old) {
                made.moved.push((old.to_vec(), path.to_vec()));
            }
            let is_small = diff.deltas().len() <= FEW_FILES;
            let lines = if is_small { lines(&diff, at) } else { Vec::new() };
            made.files.push(Touched { path: path.to_vec(), lines });
        }
        Ok(made)
    }
}

fn id(oid: Oid) -> Option<Id> {
    oid.as_bytes().try_into().ok()
}

/// The lines that were written to a file.
fn lines(diff: &Diff<'_>, at: usize) -> Vec<u32> {
    let Ok(Some(patch)) = Patch::from_diff(diff, at) else { return Vec::new() };
    let mut lines = Vec::new();
    for hunk in 0..patch.num_hunks() {
        for number in 0..patch.num_lines_in_hunk(hunk).unwrap_or(0) {
            let Ok(one) = patch.line_in_hunk(hunk, number) else { continue };
            lines.extend(line(one.content()).filter(|_| one.origin() == '+'));
            if lines.len() >= LINES {
                return lines;
            }
        }
    }
    lines
}
