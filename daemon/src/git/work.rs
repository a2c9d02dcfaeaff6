//! The commits of turns: made, moved to, and taken back.
//!
//! Commits are made as objects first, which nobody sees; one move of the branch makes them count. So
//! whoever is interrupted leaves the branch as it was or with all of a turn. The tree of a commit is that
//! of `HEAD` with the turn's files in it: what else is staged stays staged.

use git2::build::TreeUpdateBuilder;
use git2::{
    AttrCheckFlags, AttrValue, Commit, ErrorClass, ErrorCode, FileMode, IndexEntry, IndexTime,
    ObjectType, Oid, Repository, RepositoryState, Signature, Tree,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file of a turn: its path from the root, and its bytes and permissions before and after.
pub(crate) struct Side<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) before: Option<(&'a [u8], Option<u32>)>,
    pub(crate) after: Option<(&'a [u8], Option<u32>)>,
}

/// The commits of a turn, by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commits {
    /// What was checked out before; none where nothing was committed yet.
    pub(crate) base: Option<String>,
    /// What keeps the files as they were before, where that was not committed.
    pub(crate) saved: Option<String>,
    /// The turn.
    pub(crate) commit: String,
}

/// A path from the root, and the id of what is staged of it; none where that is that it is no more.
pub(crate) type StagedApart = (Vec<u8>, Option<String>);

/// Variables and their values.
pub(crate) type Environment = BTreeMap<OsString, OsString>;

/// What the index had of files, by their paths from the top.
pub(crate) type Staged = Vec<(Vec<u8>, Option<IndexEntry>)>;

/// How a commit is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribution {
    /// As any commit of the user's.
    None,
    /// By a line `Assisted-by: hob`.
    Trailer,
    /// By `(hob)` after the author's name.
    Author,
}

/// How git stands to a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is, or would be, a part of commits.
    Own,
    /// It is ignored.
    Ignored,
    /// It is in another repository, at that path: a submodule, or one that merely lies there.
    Within(Vec<u8>),
    /// It is in the repository, and a sparse checkout leaves it out.
    LeftOut,
    /// It has a conflict.
    Unmerged,
    /// It is in the repository, and git is told not to look at its changes.
    Unwatched,
    /// A filter that is a program, or another encoding, stands between the file and its blob.
    Filtered(String),
}

/// How a turn was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Retreat {
    /// Its commit is no more.
    Dropped,
    /// Another commit takes it back.
    Reverted(String),
    /// What is checked out does not have it.
    Nothing,
}

/// Why git does not go along.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

impl Refusal {
    fn new(message: impl Into<String>, hint: &'static str) -> Self {
        Self { message: message.into(), hint }
    }
}

impl From<git2::Error> for Refusal {
    fn from(error: git2::Error) -> Self {
        let hint = match (error.code(), error.class()) {
            (ErrorCode::Locked, _) => BUSY,
            (_, ErrorClass::Os) => "look at its permissions and the room on its disk",
            _ => "see what `git status` says; `--no-commit` leaves git alone",
        };
        // It does not always say.
        let message = match error.message() {
            "" | "no error" => "it cannot be written",
            message => message,
        };
        Self::new(format!("git: {message}"), hint)
    }
}

const BUSY: &str = "try again when it is done; if none runs, remove the file";
/// A path's entry in the index says so.
const SKIP_WORKTREE: u16 = 1 << 14;
const ASSUME_UNCHANGED: u16 = 1 << 15;
const GITLINK: u32 = 0o160_000;

/// A work tree that turns are made in.
pub(crate) struct Work {
    repository: Repository,
    top: PathBuf,
    /// The path of the root from the work tree's top, with a `/` at its end if it is below.
    prefix: Vec<u8>,
    /// The caller's, which may say in whose name to commit.
    environment: Environment,
    /// Whether the permissions of files count.
    heeds_modes: bool,
    /// Whether any text may have other line ends in the repository.
    converts_all: bool,
    /// Which paths may.
    converted: RefCell<HashMap<Vec<u8>, bool>>,
}

impl Work {
    /// That which a root is in; none where it is in none.
    pub(crate) fn of(root: &Path, environment: Environment) -> Result<Option<Self>, Refusal> {
        let Some(top) = root.ancestors().find(|dir| super::is_work_tree(dir)) else {
            return Ok(None);
        };
        let unread = |error: git2::Error| {
            let message = format!("the repository cannot be read: {}", error.message());
            Refusal::new(message, "`--no-commit` leaves git alone")
        };
        let repository = Repository::open(top).map_err(unread)?;
        // Some forms of it libgit2 does not read.
        repository.index().map_err(unread)?;
        let below = root.strip_prefix(top).unwrap_or(Path::new("")).as_os_str().as_bytes();
        let mut prefix = below.to_vec();
        if !prefix.is_empty() {
            prefix.push(b'/');
        }
        let config = repository.config()?;
        let autocrlf = config.get_string("core.autocrlf").ok();
        Ok(Some(Self {
            top: top.to_owned(),
            prefix,
            environment,
            heeds_modes: config.get_bool("core.fileMode").unwrap_or(true),
            converts_all: autocrlf.is_some_and(|value| value != "false"),
            converted: RefCell::default(),
            repository,
        }))
    }

    /// What is under way, for people; nothing is committed then.
    pub(crate) fn under_way(&self) -> Option<&'static str> {
        match self.repository.state() {
            RepositoryState::Clean => None,
            RepositoryState::Merge => Some("a merge"),
            RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
                Some("a cherry-pick")
            }
            RepositoryState::Bisect => Some("a bisection"),
            RepositoryState::Rebase
            | RepositoryState::RebaseInteractive
            | RepositoryState::RebaseMerge => Some("a rebase"),
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
                Some("`git am`")
            }
        }
    }

    /// Waits until no other git has the index or the branch locked.
    pub(crate) fn wait_for_others(&self, patience: Duration) -> Result<(), Refusal> {
        let head =
            self.branch().map(|name| self.repository.commondir().join(format!("{name}.lock")));
        let locks =
            [self.repository.path().join("index.lock"), self.repository.path().join("HEAD.lock")];
        let since = Instant::now();
        loop {
            let held = locks.iter().chain(&head).find(|lock| lock.symlink_metadata().is_ok());
            let Some(lock) = held else { return Ok(()) };
            if since.elapsed() >= patience {
                let message = format!("another git is at work: `{}` is there", lock.display());
                return Err(Refusal::new(message, BUSY));
            }
            // Nobody tells when a lock is gone.
            std::thread::sleep(Duration::from_millis(10).min(patience));
        }
    }

    /// How git stands to a path from the root.
    pub(crate) fn standing(&self, path: &[u8]) -> Result<Standing, Refusal> {
        let whole = self.whole(path);
        let index = self.repository.index()?;
        for (at, _) in whole.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = &whole[..at];
            let is_link = index.get_path(as_path(above), 0).is_some_and(|it| it.mode == GITLINK);
            if is_link || super::is_work_tree(&self.top.join(as_path(above))) {
                return Ok(Standing::Within(above.to_vec()));
            }
        }
        if (1..=3).any(|stage| index.get_path(as_path(&whole), stage).is_some()) {
            return Ok(Standing::Unmerged);
        }
        let entry = index.get_path(as_path(&whole), 0);
        let skipped = entry.as_ref().is_some_and(|it| it.flags_extended & SKIP_WORKTREE != 0);
        if skipped && self.top.join(as_path(&whole)).symlink_metadata().is_err() {
            return Ok(Standing::LeftOut);
        }
        if skipped || entry.as_ref().is_some_and(|it| it.flags & ASSUME_UNCHANGED != 0) {
            return Ok(Standing::Unwatched);
        }
        if entry.is_none() && self.repository.is_path_ignored(as_path(&whole))? {
            return Ok(Standing::Ignored);
        }
        for name in ["filter", "working-tree-encoding"] {
            let value = self.repository.get_attr_bytes(
                as_path(&whole),
                name,
                AttrCheckFlags::FILE_THEN_INDEX,
            )?;
            if let AttrValue::String(value) = AttrValue::from_bytes(value) {
                return Ok(Standing::Filtered(format!("{name}={value}")));
            }
        }
        Ok(Standing::Own)
    }

    /// Makes the commits of a turn, for nobody to see yet. None where nothing would be in it.
    pub(crate) fn commits(
        &self,
        sides: &[Side<'_>],
        message: &str,
        attribution: Attribution,
    ) -> Result<Option<Commits>, Refusal> {
        let base = self.head()?;
        let tree = base.as_ref().map(Commit::tree).transpose()?;
        let before = self.with(tree.as_ref(), sides, |side| side.before)?;
        let after = self.with(Some(&before), sides, |side| side.after)?;
        if before.id() == after.id() {
            return Ok(None);
        }
        let (author, committer) = self.signatures(attribution)?;
        let is_dirty = tree.as_ref().map_or(!before.is_empty(), |tree| tree.id() != before.id());
        let save = |parent: Option<&Commit<'_>>| {
            let parents: Vec<&Commit<'_>> = parent.into_iter().collect();
            let is_dirty = |side: &&Side<'_>| {
                let had = tree.as_ref().and_then(|tree| self.entry_and_mode(tree, side.path));
                self.entry_and_mode(&before, side.path) != had
            };
            let message = saved(&sides.iter().filter(is_dirty).collect::<Vec<_>>());
            let message = signed(&message, attribution);
            self.repository.commit(None, &author, &committer, &message, &before, &parents)
        };
        let saved = is_dirty.then(|| save(base.as_ref())).transpose()?;
        let parent = saved.map(|id| self.repository.find_commit(id)).transpose()?;
        let parents: Vec<&Commit<'_>> = parent.as_ref().or(base.as_ref()).into_iter().collect();
        let message = signed(message, attribution);
        let commit =
            self.repository.commit(None, &author, &committer, &message, &after, &parents)?;
        Ok(Some(Commits {
            base: base.map(|commit| commit.id().to_string()),
            saved: saved.map(|id| id.to_string()),
            commit: commit.to_string(),
        }))
    }

    /// Moves what is checked out from the base of a turn to its commit, and stages its files. Where that
    /// is done already, nothing is. The error is of the branch; what the index says is the answer.
    pub(crate) fn advance(
        &self,
        commits: &Commits,
        sides: &[Side<'_>],
    ) -> Result<Result<(), Refusal>, Refusal> {
        let head = self.head()?.map(|commit| commit.id().to_string());
        if head.as_deref() != Some(&commits.commit) {
            if head != commits.base {
                let hint = "look at `git log`, and try again";
                return Err(Refusal::new("another commit was made meanwhile", hint));
            }
            let base = commits.base.as_deref().map(Oid::from_str).transpose()?;
            self.move_head(base, Some(Oid::from_str(&commits.commit)?), "hob: a turn")?;
        }
        Ok(self.stage(sides))
    }

    /// Takes a turn back that is checked out: drops its commit where that is the last one and was not
    /// pushed, else adds one that reverts it. The files are as they were before by now.
    pub(crate) fn retreat(
        &self,
        commits: &Commits,
        sides: &[Side<'_>],
        message: &str,
        attribution: Attribution,
    ) -> Result<(Retreat, Result<(), Refusal>), Refusal> {
        let Some(head) = self.head()? else { return Ok((Retreat::Nothing, Ok(()))) };
        let commit = Oid::from_str(&commits.commit)?;
        if self.can_drop(&head, commit)? {
            let parent = head.parents().next().map(|parent| parent.id());
            self.move_head(Some(commit), parent, "hob: a turn is taken back")?;
            return Ok((Retreat::Dropped, self.stage(sides)));
        }
        let tree = head.tree()?;
        let has_after = |side: &&Side<'_>| {
            let after = self.blob_id(side, side.after)?;
            Ok::<_, Refusal>(self.entry(&tree, side.path) == after.map(|(id, _)| id))
        };
        let mut held = Vec::new();
        for side in sides {
            if has_after(&side)? {
                held.push(Side { ..*side });
            }
        }
        let before = self.with(Some(&tree), &held, |side| side.before)?;
        if before.id() == tree.id() {
            return Ok((Retreat::Nothing, Ok(())));
        }
        let (author, committer) = self.signatures(attribution)?;
        let id = commits.commit.as_str();
        let message = format!("Revert \"{message}\"\n\nThis reverts commit {id}.\n");
        let message = signed(&message, attribution);
        let made =
            self.repository.commit(None, &author, &committer, &message, &before, &[&head])?;
        self.move_head(Some(head.id()), Some(made), "hob: a turn is taken back")?;
        Ok((Retreat::Reverted(made.to_string()), self.stage(&held)))
    }

    /// Whether what is checked out has the commit of a turn.
    pub(crate) fn has(&self, commits: &Commits) -> Result<bool, Refusal> {
        let commit = Oid::from_str(&commits.commit)?;
        let Some(head) = self.head()? else { return Ok(false) };
        Ok(head.id() == commit || self.repository.graph_descendant_of(head.id(), commit)?)
    }

    /// Whether a commit of a turn can be dropped, for telling before it is done.
    pub(crate) fn would_drop(&self, commits: &Commits) -> Result<bool, Refusal> {
        let commit = Oid::from_str(&commits.commit)?;
        self.head()?.map_or(Ok(false), |head| self.can_drop(&head, commit))
    }

    /// Whether a commit is the last one and nobody else has it. A detached head cannot be without one.
    fn can_drop(&self, head: &Commit<'_>, commit: Oid) -> Result<bool, Refusal> {
        let has_room = head.parent_count() > 0 || self.branch().is_some();
        Ok(head.id() == commit && has_room && !self.is_pushed(commit)?)
    }

    /// Files of which something is staged that is neither in the last commit nor among these bytes, and
    /// by which id it is kept.
    pub(crate) fn staged<'a>(
        &self,
        sides: &[Side<'a>],
        of: impl Fn(&Side<'a>) -> Option<(&'a [u8], Option<u32>)>,
    ) -> Result<Vec<StagedApart>, Refusal> {
        let index = self.repository.index()?;
        let tree = self.head()?.map(|commit| commit.tree()).transpose()?;
        let mut staged = Vec::new();
        for side in sides {
            let entry = index.get_path(as_path(&self.whole(side.path)), 0).map(|entry| entry.id);
            let committed = tree.as_ref().and_then(|tree| self.entry(tree, side.path));
            // Of most files nothing is staged, and to hash them takes a while.
            if entry == committed {
                continue;
            }
            let held = self.blob_id(side, of(side))?.map(|(id, _)| id);
            if entry != held {
                staged.push((side.path.to_vec(), entry.map(|id| id.to_string())));
            }
        }
        Ok(staged)
    }

    /// Where hooks are.
    fn hooks(&self) -> PathBuf {
        let configured = self.repository.config().and_then(|mut config| config.snapshot());
        match configured.and_then(|config| config.get_path("core.hooksPath")) {
            Ok(folder) => self.top.join(folder),
            Err(_) => self.repository.commondir().join("hooks"),
        }
    }

    /// A hook, if there is one that may be run.
    pub(crate) fn hook(&self, name: &str) -> Option<PathBuf> {
        let hook = self.hooks().join(name);
        let meta = std::fs::metadata(&hook).ok()?;
        (meta.is_file() && meta.permissions().mode() & 0o111 != 0).then_some(hook)
    }

    /// Whether a path from the root is in git's own directories, wherever they are.
    pub(crate) fn keeps(&self, path: &[u8]) -> bool {
        let path = self.top.join(as_path(&self.whole(path)));
        let own = [self.repository.path(), self.repository.commondir()];
        own.iter().any(|dir| dir.canonicalize().is_ok_and(|dir| path.starts_with(dir)))
    }

    /// Whether a path from the root is where hooks are.
    pub(crate) fn is_hook(&self, path: &[u8]) -> bool {
        let path = self.top.join(as_path(&self.whole(path)));
        // Husky's own call those in the folder around them.
        let hooks = self.hooks();
        let around = hooks.parent().filter(|_| hooks.ends_with("_")).unwrap_or(&hooks).to_owned();
        path.starts_with(&around) || around.canonicalize().is_ok_and(|dir| path.starts_with(dir))
    }

    pub(crate) fn top(&self) -> &Path {
        &self.top
    }

    /// Git's own directory of this work tree.
    pub(crate) fn git_dir(&self) -> &Path {
        self.repository.path()
    }

    /// Stages files as they are after a turn, before it is committed. Gives what was staged of them.
    pub(crate) fn stage_after(&self, sides: &[Side<'_>]) -> Result<Staged, Refusal> {
        let mut index = self.fresh_index()?;
        let had = |side: &Side<'_>| {
            let path = self.whole(side.path);
            let entry = index.get_path(as_path(&path), 0);
            (path, entry)
        };
        let staged = sides.iter().map(had).collect();
        for side in sides {
            let path = self.whole(side.path);
            match self.blob(side, side.after)? {
                Some((id, mode)) => index.add(&index_entry(path, id, mode.into()))?,
                None => remove(&mut index, &path)?,
            }
        }
        index.write()?;
        Ok(staged)
    }

    /// Stages again what was staged before.
    pub(crate) fn restage(&self, staged: &Staged) -> Result<(), Refusal> {
        let mut index = self.fresh_index()?;
        for (path, entry) in staged {
            match entry {
                Some(entry) => index.add(entry)?,
                None => remove(&mut index, path)?,
            }
        }
        Ok(index.write()?)
    }

    /// Stages files as the last commit has them.
    pub(crate) fn stage(&self, sides: &[Side<'_>]) -> Result<(), Refusal> {
        let tree = self.head()?.map(|commit| commit.tree()).transpose()?;
        let mut index = self.fresh_index()?;
        for side in sides {
            let path = self.whole(side.path);
            let entry = tree.as_ref().and_then(|tree| tree.get_path(as_path(&path)).ok());
            match entry {
                Some(entry) => {
                    let mode = entry.filemode().cast_unsigned();
                    index.add(&index_entry(path, entry.id(), mode))?;
                }
                None => remove(&mut index, &path)?,
            }
        }
        Ok(index.write()?)
    }

    fn fresh_index(&self) -> Result<git2::Index, Refusal> {
        let mut index = self.repository.index()?;
        index.read(false)?;
        Ok(index)
    }

    fn head(&self) -> Result<Option<Commit<'_>>, Refusal> {
        match self.repository.head() {
            Ok(head) => Ok(Some(head.peel_to_commit()?)),
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The name of the branch that is checked out; none of a detached head.
    fn branch(&self) -> Option<String> {
        let head = self.repository.find_reference("HEAD").ok()?;
        head.symbolic_target().ok().flatten().map(str::to_owned)
    }

    /// Moves the branch that is checked out, or the detached head, if it still is where it was.
    fn move_head(&self, from: Option<Oid>, to: Option<Oid>, log: &str) -> Result<(), Refusal> {
        let name = self.branch().unwrap_or_else(|| "HEAD".to_owned());
        match (from, to) {
            (Some(from), Some(to)) => {
                self.repository.reference_matching(&name, to, true, from, log)?;
            }
            (None, Some(to)) => {
                self.repository.reference(&name, to, false, log)?;
            }
            // Nothing is committed any more.
            (Some(from), None) => {
                let mut branch = self.repository.find_reference(&name)?;
                if branch.target() != Some(from) {
                    let hint = "look at `git log`, and try again";
                    return Err(Refusal::new("another commit was made meanwhile", hint));
                }
                branch.delete()?;
            }
            (None, None) => {}
        }
        Ok(())
    }

    fn is_pushed(&self, commit: Oid) -> Result<bool, Refusal> {
        for reference in self.repository.references_glob("refs/remotes/*")? {
            let Ok(tip) = reference?.peel_to_commit() else { continue };
            if tip.id() == commit || self.repository.graph_descendant_of(tip.id(), commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A tree with one side of the files.
    fn with<'a>(
        &self,
        tree: Option<&Tree<'_>>,
        sides: &[Side<'a>],
        of: impl Fn(&Side<'a>) -> Option<(&'a [u8], Option<u32>)>,
    ) -> Result<Tree<'_>, Refusal> {
        let empty = match tree {
            Some(_) => None,
            None => Some(self.repository.find_tree(self.repository.treebuilder(None)?.write()?)?),
        };
        let tree = tree.or(empty.as_ref()).expect("one of the two");
        let mut update = TreeUpdateBuilder::new();
        for side in sides {
            let had = self.entry_and_mode(tree, side.path);
            let held = of(side);
            let Some((id, mode)) = self.blob_id(side, held)? else {
                if had.is_some() {
                    update.remove(self.whole(side.path));
                }
                continue;
            };
            if had == Some((id, mode.into())) {
                continue;
            }
            // What the tree has is in the repository.
            if had.is_none_or(|(had, _)| had != id) {
                self.blob(side, held)?;
            }
            update.upsert(self.whole(side.path), id, mode);
        }
        let id = update.create_updated(&self.repository, tree)?;
        Ok(self.repository.find_tree(id)?)
    }

    /// The blob of one side of a file, as git would make it of the file.
    fn blob(
        &self,
        side: &Side<'_>,
        held: Option<(&[u8], Option<u32>)>,
    ) -> Result<Option<(Oid, FileMode)>, Refusal> {
        let Some((bytes, mode)) = held else { return Ok(None) };
        let path = self.whole(side.path);
        let id = match self.is_converted(&path)? {
            true => self.converted(&path, bytes)?,
            false => self.repository.blob(bytes)?,
        };
        Ok(Some((id, self.mode(&path, mode)?)))
    }

    /// Its id. That of a file which is in the repository as it is is computed without writing it there.
    fn blob_id(
        &self,
        side: &Side<'_>,
        held: Option<(&[u8], Option<u32>)>,
    ) -> Result<Option<(Oid, FileMode)>, Refusal> {
        let Some((bytes, mode)) = held else { return Ok(None) };
        let path = self.whole(side.path);
        let id = match self.is_converted(&path)? {
            true => self.converted(&path, bytes)?,
            false => Oid::hash_object(ObjectType::Blob, bytes)?,
        };
        Ok(Some((id, self.mode(&path, mode)?)))
    }

    fn mode(&self, path: &[u8], mode: Option<u32>) -> Result<FileMode, Refusal> {
        let is_program = match mode {
            Some(mode) if self.heeds_modes => mode & 0o100 != 0,
            _ => self.is_program(path)?,
        };
        Ok(if is_program { FileMode::BlobExecutable } else { FileMode::Blob })
    }

    /// Whether a file may be another one in the repository: with other line ends, say.
    fn is_converted(&self, path: &[u8]) -> Result<bool, Refusal> {
        if self.converts_all {
            return Ok(true);
        }
        if let Some(known) = self.converted.borrow().get(path) {
            return Ok(*known);
        }
        let is_converted = self.has_conversion(path)?;
        self.converted.borrow_mut().insert(path.to_vec(), is_converted);
        Ok(is_converted)
    }

    fn has_conversion(&self, path: &[u8]) -> Result<bool, Refusal> {
        for name in ["text", "crlf", "eol", "ident"] {
            let flags = AttrCheckFlags::FILE_THEN_INDEX;
            let value = self.repository.get_attr_bytes(as_path(path), name, flags)?;
            if !matches!(AttrValue::from_bytes(value), AttrValue::Unspecified | AttrValue::False) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn converted(&self, path: &[u8], bytes: &[u8]) -> Result<Oid, Refusal> {
        let mut writer = self.repository.blob_writer(Some(as_path(path)))?;
        writer.write_all(bytes).map_err(|error| {
            Refusal::new(format!("git: {error}"), "look at the room on its disk")
        })?;
        Ok(writer.commit()?)
    }

    /// Whether the index has it as a program.
    fn is_program(&self, path: &[u8]) -> Result<bool, Refusal> {
        let entry = self.repository.index()?.get_path(as_path(path), 0);
        Ok(entry.is_some_and(|entry| entry.mode & 0o100 != 0))
    }

    fn entry(&self, tree: &Tree<'_>, path: &[u8]) -> Option<Oid> {
        tree.get_path(as_path(&self.whole(path))).ok().map(|entry| entry.id())
    }

    fn entry_and_mode(&self, tree: &Tree<'_>, path: &[u8]) -> Option<(Oid, i32)> {
        let entry = tree.get_path(as_path(&self.whole(path))).ok()?;
        Some((entry.id(), entry.filemode()))
    }

    fn signatures(
        &self,
        attribution: Attribution,
    ) -> Result<(Signature<'static>, Signature<'static>), Refusal> {
        let own = self.repository.signature().ok();
        let of = |whose: &str| {
            let given = |what: &str| {
                let value = self.environment.get(OsStr::new(&format!("GIT_{whose}_{what}")))?;
                value.to_str().filter(|value| !value.is_empty())
            };
            let name = given("NAME").or(own.as_ref().and_then(|own| own.name().ok()));
            let email = given("EMAIL").or(own.as_ref().and_then(|own| own.email().ok()));
            name.zip(email).ok_or_else(|| {
                Refusal::new(
                    "git does not know in whose name to commit",
                    "set `git config user.name` and `user.email`, or leave git alone with `--no-commit`",
                )
            })
        };
        let ((author, address), (name, email)) = (of("AUTHOR")?, of("COMMITTER")?);
        let author = match attribution {
            Attribution::Author => Signature::now(&format!("{author} (hob)"), address)?,
            _ => Signature::now(author, address)?,
        };
        Ok((author, Signature::now(name, email)?))
    }

    /// A path from the top of the work tree.
    fn whole(&self, path: &[u8]) -> Vec<u8> {
        [self.prefix.as_slice(), path].concat()
    }
}

/// Without a stat: git reads the file once to know that it is as staged. What it is now may be
/// somebody's later write.
fn index_entry(path: Vec<u8>, id: Oid, mode: u32) -> IndexEntry {
    let zero = IndexTime::new(0, 0);
    IndexEntry {
        ctime: zero,
        mtime: zero,
        dev: 0,
        ino: 0,
        mode,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path,
    }
}

fn remove(index: &mut git2::Index, path: &[u8]) -> Result<(), Refusal> {
    match index.remove(as_path(path), 0) {
        Err(error) if error.code() != ErrorCode::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The message of a commit that keeps files as they were before a turn.
fn saved(sides: &[&Side<'_>]) -> String {
    let names: Vec<_> = sides.iter().map(|side| hob_index::edits::shown(side.path)).collect();
    match names.as_slice() {
        [one] => format!("Save {one} before an edit\n"),
        several => format!("Save {} files before an edit\n", several.len()),
    }
}

/// A message with what says who helped.
fn signed(message: &str, attribution: Attribution) -> String {
    let message = message.trim_end();
    match attribution {
        Attribution::Trailer => {
            format!(
                "{}{}Assisted-by: hob\n",
                message,
                if ends_in_trailers(message) { "\n" } else { "\n\n" }
            )
        }
        _ => format!("{message}\n"),
    }
}

/// Whether the last paragraph of a message, which is not the only one, has trailers alone.
fn ends_in_trailers(message: &str) -> bool {
    let Some((_, last)) = message.rsplit_once("\n\n") else { return false };
    last.lines().all(|line| {
        let key = line.split_once(": ").map(|(key, _)| key);
        key.is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    })
}

fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}
