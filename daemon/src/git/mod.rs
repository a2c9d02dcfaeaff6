//! What hob asks of git: `git2`'s one home.
//!
//! Where a repository is does not depend on libgit2: a repository that it refuses
//! (SHA-256, reftables) is searched like any other, and only its branch is not told.

pub(crate) mod commits;
pub(crate) mod work;

use std::path::{Path, PathBuf};

/// Whether a directory is the top of a work tree.
pub(crate) fn is_work_tree(dir: &Path) -> bool {
    let dot_git = dir.join(".git");
    match std::fs::metadata(&dot_git) {
        Ok(meta) if meta.is_file() => true,
        // What merely has the name is no repository.
        Ok(meta) => meta.is_dir() && dot_git.join("HEAD").symlink_metadata().is_ok(),
        Err(_) => false,
    }
}

/// The directory that all worktrees of the repository at `root` share.
pub(crate) fn common_dir(root: &Path) -> Option<PathBuf> {
    let meta = std::fs::metadata(root.join(".git")).ok()?;
    crate::workspace::rules::common_dir(root, meta.is_file())?.canonicalize().ok()
}

/// The branch that is checked out, else the commit.
pub(crate) fn head(root: &Path) -> Option<String> {
    let repository = git2::Repository::open(root).ok()?;
    if let Ok(head) = repository.head() {
        if head.is_branch() {
            return head.shorthand().ok().map(str::to_owned);
        }
        return head.target().map(|commit| commit.to_string()[..12].to_owned());
    }
    // A branch without a commit is known by its name alone.
    let head = repository.find_reference("HEAD").ok()?;
    let name = head.symbolic_target().ok().flatten()?;
    Some(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned())
}
