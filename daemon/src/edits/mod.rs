//! Edits applied to files, all of them or none, and taken back.
//!
//! What a reply asks for is planned by the engine ([`hob_index::edits`]); here files are read beneath their
//! root, changed together, kept in a journal and committed. Knows no wire.

mod beneath;
mod hooks;
mod journal;
mod report;
mod swap;
mod turns;

use crate::git::work::{Attribution, Commits, Environment, Refusal, Retreat, Standing, Work};
use crate::parallel::Crew;
use crate::profile::stage;
use beneath::{Root, forbidden};
use hob_index::edits::names::Known;
use hob_index::edits::unified::{Side, unified};
use hob_index::edits::{
    self, Action, Failure, FileChange, Files, Format, Found, Kind, Refused, shown,
};
use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages;
use hob_index::trigram::text_of;
use journal::{Change, Journal, Kept};
pub(crate) use journal::{Stage, Told, Turn};
pub(crate) use report::report;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
pub(crate) use turns::Failed;
use turns::Turns;

/// How edits are made, by the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// A file that is edited has no more bytes.
    pub(crate) file_bytes: u64,
    /// Turns are committed.
    pub(crate) commit: bool,
    pub(crate) attribution: Attribution,
    /// Hooks are run.
    pub(crate) hooks: bool,
    /// A hook may take so long.
    pub(crate) hook: Duration,
    /// Another git is waited for so long.
    pub(crate) patience: Duration,
    pub(crate) syntax: Limits,
}

/// Where edits are made.
pub(crate) struct Editor<'a> {
    /// The canonical root.
    pub(crate) root: &'a Path,
    /// The directory of all journals.
    pub(crate) turns: &'a Path,
    pub(crate) settings: Settings,
    pub(crate) crew: &'a Crew,
    /// All files, by their paths from the root.
    pub(crate) all: &'a dyn Fn() -> Vec<Vec<u8>>,
    /// Files that may have a line.
    pub(crate) having: &'a dyn Fn(&[u8]) -> Vec<Vec<u8>>,
}

/// A reply to apply.
pub(crate) struct Asked<'a> {
    pub(crate) reply: &'a [u8],
    /// The form that it is in, where only one counts.
    pub(crate) format: Option<Format>,
    /// Files that edits were asked for, from the root.
    pub(crate) files: Vec<Vec<u8>>,
    pub(crate) message: Option<&'a str>,
    pub(crate) commit: bool,
    pub(crate) dry_run: bool,
    /// What files held that the reply speaks of: BLAKE3 in hexadecimal digits.
    pub(crate) seen: HashMap<Vec<u8>, String>,
    /// The caller's, for hooks and for the name to commit in.
    pub(crate) environment: Environment,
    /// What permissions the caller's new files lack.
    pub(crate) umask: Option<u32>,
}

/// What became of a reply.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// The number of the turn, if it was made.
    pub(crate) turn: Option<u64>,
    /// What it does, or would do.
    pub(crate) files: Vec<FileChange>,
    /// What hinders. Where anything does, nothing was done.
    pub(crate) failures: Vec<Failure>,
    /// There are edits, and the files are so already.
    pub(crate) changes_nothing: bool,
    /// The lines of the reply on which fences begin that name no file.
    pub(crate) unnamed: Vec<u32>,
    /// Commands that the reply suggests.
    pub(crate) shell: Vec<Vec<u8>>,
    /// Files that were sound and are not any more, with the line of the first error.
    pub(crate) broken: Vec<(Vec<u8>, u32)>,
    pub(crate) commits: Option<Commits>,
    pub(crate) notes: Vec<String>,
    /// What it does as a unified diff, where that is asked for instead.
    pub(crate) diff: Vec<u8>,
}

/// A turn by its number, or why it cannot be read.
pub(crate) type Listed = (u64, Result<Turn, String>);

/// A turn that was taken back, or would be.
#[derive(Debug)]
pub(crate) struct Undone {
    pub(crate) turn: Turn,
    /// What becomes of its commit.
    pub(crate) retreat: Option<Retreat>,
    pub(crate) notes: Vec<String>,
}

impl Editor<'_> {
    /// Applies a reply: all of it, or nothing.
    pub(crate) fn apply(&self, asked: &Asked<'_>) -> Result<Applied, Failed> {
        let reply = {
            let _stage = stage!("edits.parse").entered();
            edits::parse(asked.reply, asked.format)
        };
        let shell = reply.shell.clone();
        let root = self.open(asked.umask)?;
        let mut notes = Vec::new();
        let wanted = asked.commit && self.settings.commit;
        let (turns, unread) = self.turns(&root, asked.environment.clone())?;
        notes.extend(unread.map(|refusal| format!("nothing is committed: {refusal}")));
        if let Some(git) = turns.git.as_ref().filter(|_| wanted && !asked.dry_run) {
            git.wait_for_others(self.settings.patience)?;
        }
        let tree = Tree {
            root: &root,
            git: turns.git.as_ref(),
            commits: wanted,
            hooks: self.settings.hooks,
            having: self.having,
            modes: RefCell::default(),
            standings: RefCell::default(),
        };
        let known = Known::of(asked.files.clone(), self.all);
        let plan = {
            let _stage = stage!("edits.plan").entered();
            edits::plan(&reply, &known, &tree)
        };
        let (files, mut failures) = (plan.files, plan.failures);
        failures.extend(self.unseen(&files, &asked.seen, &tree));
        if !failures.is_empty() || files.is_empty() {
            let changes_nothing = !reply.edits.is_empty();
            let unnamed = reply.unnamed;
            let rest = Applied::default();
            return Ok(Applied { failures, shell, notes, changes_nothing, unnamed, ..rest });
        }
        let committed = tree.committed(wanted, &files, &mut notes)?;
        if asked.dry_run {
            let broken = broken(&files, self.settings.syntax, self.crew);
            let diff = diff_of(&changes(&files, &tree.modes.borrow(), &committed, asked.umask));
            return Ok(Applied { files, shell, broken, notes, diff, ..Applied::default() });
        }
        let changes = changes(&files, &tree.modes.borrow(), &committed, asked.umask);
        if changes.is_empty() {
            return Ok(Applied { shell, notes, changes_nothing: true, ..Applied::default() });
        }
        notes.extend(more_names(&root, &changes));
        if let Some(git) = turns.git.as_ref().filter(|_| !committed.is_empty()) {
            notes.extend(staged_apart(git, &changes)?);
        }
        let message = asked.message.map(str::to_owned);
        let message = message.unwrap_or_else(|| message_of(&files));
        let run = |git: &Work, message: &str| {
            hooks::run(git, message, &asked.environment, self.settings.hook)
        };
        let hooks = self.settings.hooks.then_some(&run as &turns::Hooks<'_>);
        // What the files look like to their grammars is known before they are, and told after.
        let (syntax, crew, planned) = (self.settings.syntax, self.crew, &files);
        let (made, broken) = std::thread::scope(|scope| {
            let looked = scope.spawn(move || broken(planned, syntax, crew));
            let _stage = stage!("edits.make").entered();
            let made = turns.make((&message, now()), &changes, hooks);
            let broken = looked.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (made, broken)
        });
        match made {
            Ok(made) => {
                notes.extend(made.notes);
                let (turn, commits) = (Some(made.number), made.commits);
                Ok(Applied { turn, files, shell, broken, commits, notes, ..Applied::default() })
            }
            Err(Failed::Refused(path, Refused { kind, message })) => {
                let failure =
                    Failure { block: 0, line: 0, path: Some(path), kind, message, nearest: None };
                Ok(Applied { failures: vec![failure], shell, notes, ..Applied::default() })
            }
            Err(failed) => Err(failed),
        }
    }

    /// Takes the last turns back that were not yet, the last one first. Where one cannot be, none is.
    pub(crate) fn undo(&self, count: usize, dry_run: bool) -> Result<Vec<Undone>, Failed> {
        if !Journal::of(self.turns, self.root).exists() {
            return Ok(Vec::new());
        }
        let root = self.open(None)?;
        let (turns, unread) = self.turns(&root, Environment::new())?;
        let numbers = turns.journal.numbers().map_err(|error| unread_journal(&error))?;
        let mut last: Vec<Turn> = Vec::new();
        for (number, stage) in numbers {
            if last.len() == count {
                break;
            }
            if stage != Stage::Done {
                continue;
            }
            let turn =
                turns.journal.turn(number, stage).map_err(|error| unread_turn(number, &error))?;
            // By `git reset`, say; or it is on another branch, where it can be taken back later.
            if last.is_empty() && turns.is_undone(&turn)? {
                continue;
            }
            last.push(turn);
        }
        let commits = last.iter().any(|turn| turn.head.commits().is_some());
        if let Some(git) = turns.git.as_ref().filter(|_| commits && !dry_run) {
            git.wait_for_others(self.settings.patience)?;
        }
        if let Some(refusal) = unread.filter(|_| commits) {
            return Err(refusal.into());
        }
        turns.check(&last)?;
        let mut undone: Vec<Undone> = Vec::new();
        for turn in last {
            if dry_run {
                let commits = turns.git.as_ref().zip(turn.head.commits());
                let drops = commits.map(|(git, commits)| git.would_drop(&commits)).transpose()?;
                let retreat = drops.filter(|drops| *drops && undone.is_empty());
                let retreat = retreat.map(|_| Retreat::Dropped);
                undone.push(Undone { turn, retreat, notes: Vec::new() });
                continue;
            }
            match turns.take_back(&turn) {
                Ok(turns::TakenBack { retreat, notes }) => {
                    undone.push(Undone { turn, retreat, notes });
                }
                Err(failed) => return Err(after(&undone, failed)),
            }
        }
        Ok(undone)
    }

    /// The turns that there are, the last one first: at most so many, and whether there are more.
    pub(crate) fn list(&self, limit: usize) -> Result<(Vec<Listed>, bool), Failed> {
        let journal = Journal::of(self.turns, self.root);
        let numbers = journal.numbers().map_err(|error| unread_journal(&error))?;
        let is_cut = numbers.len() > limit;
        let turns = numbers.into_iter().take(limit).filter_map(|(number, _)| {
            let turn = journal.find(number).transpose()?;
            Some((number, turn.map_err(|error| crate::io_text(&error))))
        });
        Ok((turns.collect(), is_cut))
    }

    /// What a turn has changed, as a unified diff; the last one that was not taken back where none is named.
    pub(crate) fn diff(&self, number: Option<u64>) -> Result<Option<(Turn, Vec<u8>)>, Failed> {
        let journal = Journal::of(self.turns, self.root);
        let numbers = journal.numbers().map_err(|error| unread_journal(&error))?;
        let mut stand = numbers.iter().filter(|(_, stage)| *stage != Stage::Undone);
        let Some(number) = number.or_else(|| stand.next().map(|(number, _)| *number)) else {
            return Ok(None);
        };
        let unread = |error| unread_turn(number, &error);
        let Some(turn) = journal.find(number).map_err(unread)? else { return Ok(None) };
        let changes = journal.changes(&turn).map_err(unread)?;
        Ok(Some((turn, diff_of(&changes))))
    }

    fn open(&self, umask: Option<u32>) -> Result<Root, Failed> {
        let umask = umask.unwrap_or(0);
        Root::open(self.root, self.settings.file_bytes, umask).map_err(|error| {
            let root = self.root.display();
            Failed::Io(format!("`{root}` cannot be opened: {}", crate::io_text(&error)))
        })
    }

    /// The journal, for this caller alone, with what was interrupted brought to its end; and why the
    /// repository cannot be read, if it cannot.
    fn turns<'r>(
        &self,
        root: &'r Root,
        environment: Environment,
    ) -> Result<(Turns<'r>, Option<Refusal>), Failed> {
        let (git, refusal) = match Work::of(self.root, environment) {
            Ok(git) => (git, None),
            Err(refusal) => (None, Some(refusal)),
        };
        let journal = Journal::of(self.turns, self.root).locked().map_err(|error| {
            let error = crate::io_text(&error);
            Failed::Io(format!("`{}` cannot be written: {error}", self.turns.display()))
        })?;
        let turns = Turns { root, journal, git, attribution: self.settings.attribution };
        turns.recover()?;
        Ok((turns, refusal))
    }

    /// Files that are others than the reply speaks of.
    fn unseen(
        &self,
        files: &[FileChange],
        seen: &HashMap<Vec<u8>, String>,
        tree: &Tree<'_>,
    ) -> Vec<Failure> {
        let resolve = |(path, hash): (&Vec<u8>, &String)| {
            let path = tree.root.find(path).map_or_else(|_| path.clone(), |found| found.path);
            (path, hash.clone())
        };
        let seen: HashMap<Vec<u8>, String> = seen.iter().map(resolve).collect();
        files.iter().filter_map(|file| unseen(file, &seen)).collect()
    }
}

/// Brings turns of all roots to an end that were interrupted when a daemon before was killed.
pub(crate) fn recover(turns: &Path, settings: Settings) {
    for journal in Journal::all(turns) {
        let unsettled = journal
            .numbers()
            .ok()
            .and_then(|numbers| numbers.into_iter().find(|(_, stage)| !stage.is_settled()));
        let Some((number, stage)) = unsettled else { continue };
        let Ok(journal) = journal.locked() else { continue };
        let root = match journal.turn(number, stage) {
            Ok(turn) => turn.head.root.into_path(),
            // It is for whoever makes the next turn there to set aside.
            Err(_) => continue,
        };
        let Ok(beneath) = Root::open(&root, settings.file_bytes, 0) else { continue };
        let git = Work::of(&root, Environment::new()).unwrap_or_default();
        let turns = Turns { root: &beneath, journal, git, attribution: settings.attribution };
        if let Err(error) = turns.recover() {
            tracing::error!(root = %root.display(), %error, "a turn stays interrupted");
        }
    }
}

/// The nearest directory from here upwards that has turns, and not further up than the last.
pub(crate) fn root_with_turns(turns: &Path, dir: &Path, last: Option<&Path>) -> Option<PathBuf> {
    let within = |dir: &&Path| last.is_none_or(|last| dir.starts_with(last));
    let mut around = dir.ancestors().take_while(within);
    around.find(|dir| Journal::of(turns, dir).exists()).map(Path::to_owned)
}

fn unread_turn(number: u64, error: &std::io::Error) -> Failed {
    Failed::Io(format!("turn {number} cannot be read: {}", crate::io_text(error)))
}

fn unread_journal(error: &std::io::Error) -> Failed {
    Failed::Io(format!("the journal of turns cannot be read: {}", crate::io_text(error)))
}

/// What is said where not all turns are taken back.
fn after(undone: &[Undone], failed: Failed) -> Failed {
    if undone.is_empty() {
        return failed;
    }
    let numbers: Vec<_> = undone.iter().map(|undone| undone.turn.number.to_string()).collect();
    let before = format!("taken back: turn {}; then: ", numbers.join(", "));
    match failed {
        Failed::Refused(path, Refused { kind, message }) => {
            Failed::Refused(path, Refused { kind, message: before + &message })
        }
        Failed::Io(what) => Failed::Io(before + &what),
        Failed::Half(what) => Failed::Half(before + &what),
        Failed::Git(Refusal { message, hint }) => {
            Failed::Git(Refusal { message: before + &message, hint })
        }
        Failed::Hook(what) => Failed::Hook(before + &what),
        Failed::LaterWork(what) => Failed::LaterWork(before + &what),
    }
}

/// The files beneath a root, as the engine asks for them.
struct Tree<'a> {
    root: &'a Root,
    git: Option<&'a Work>,
    /// Edits are to be committed.
    commits: bool,
    /// Hooks are run.
    hooks: bool,
    having: &'a dyn Fn(&[u8]) -> Vec<Vec<u8>>,
    /// The permissions of files that were read.
    modes: RefCell<HashMap<Vec<u8>, u32>>,
    standings: RefCell<HashMap<Vec<u8>, Standing>>,
}

impl Files for Tree<'_> {
    fn find(&self, name: &[u8]) -> Result<Found, Refused> {
        self.root.find(name)
    }

    fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        if let Some(git) = self.git {
            if git.keeps(path) {
                return Err(forbidden(path, "what version control keeps is not edited"));
            }
            if self.hooks && git.is_hook(path) {
                return Err(forbidden(path, "hooks are run: nothing edits one"));
            }
        }
        let standing = self.standing(path)?;
        match &standing {
            Standing::Ignored | Standing::Within(_) if is_secret(path) => {
                let why = match self.git {
                    Some(_) => "it is ignored, and by its name it keeps secrets",
                    None => "by its name it keeps secrets, and no repository has it",
                };
                return Err(forbidden(path, why));
            }
            Standing::Within(other) if self.commits => {
                let other = shown(other);
                let why = format!(
                    "it is in another repository: apply it in `{other}`, or with `--no-commit`"
                );
                return Err(forbidden(path, &why));
            }
            Standing::LeftOut => {
                let why = "the sparse checkout leaves it out: `git sparse-checkout add` brings it";
                return Err(forbidden(path, why));
            }
            _ => {}
        }
        let Some(held) = self.root.read(path)? else { return Ok(None) };
        self.modes.borrow_mut().insert(path.to_vec(), held.mode);
        Ok(Some(held.bytes))
    }

    fn having(&self, line: &[u8]) -> Vec<Vec<u8>> {
        (self.having)(line)
    }
}

impl Tree<'_> {
    fn standing(&self, path: &[u8]) -> Result<Standing, Refused> {
        if let Some(standing) = self.standings.borrow().get(path) {
            return Ok(standing.clone());
        }
        let standing = match self.git {
            Some(git) => git.standing(path),
            None => Ok(self.without_git(path)),
        };
        let standing = standing.map_err(|refusal| forbidden(path, &refusal.message))?;
        self.standings.borrow_mut().insert(path.to_vec(), standing.clone());
        Ok(standing)
    }

    /// Where there is no repository nothing says that a file is a part of anything; but one may be below.
    fn without_git(&self, path: &[u8]) -> Standing {
        let above = Path::new(OsStr::from_bytes(path)).ancestors().skip(1);
        let mut inner = above.filter(|dir| !dir.as_os_str().is_empty());
        let within = inner.find(|dir| crate::git::is_work_tree(&self.root.path().join(dir)));
        within
            .map_or(Standing::Ignored, |dir| Standing::Within(dir.as_os_str().as_bytes().to_vec()))
    }

    /// The paths that go into the turn's commit; none where nothing is to be committed.
    fn committed(
        &self,
        wanted: bool,
        files: &[FileChange],
        notes: &mut Vec<String>,
    ) -> Result<Vec<Vec<u8>>, Failed> {
        let Some(git) = self.git.filter(|_| wanted) else { return Ok(Vec::new()) };
        if let Some(what) = git.under_way() {
            notes.push(format!("{what} is under way: nothing is committed"));
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for path in files.iter().flat_map(|file| file.from.iter().chain([&file.path])) {
            let standing = self.standing(path);
            match standing.map_err(|refused| Failed::Refused(path.clone(), refused))? {
                Standing::Own | Standing::LeftOut => paths.push(path.clone()),
                Standing::Unwatched => notes.push(format!(
                    "`{}` is marked as unchanged (`git update-index`): it is not committed",
                    shown(path)
                )),
                Standing::Unmerged => {
                    notes.push(format!("`{}` has a conflict: nothing is committed", shown(path)));
                    return Ok(Vec::new());
                }
                Standing::Ignored => {
                    notes.push(format!("`{}` is ignored: it is not committed", shown(path)));
                }
                Standing::Within(_) => {}
                Standing::Filtered(by) => {
                    let name = shown(path);
                    notes.push(format!(
                        "`{name}` has `{by}`, which hob does not run: nothing is committed"
                    ));
                    return Ok(Vec::new());
                }
            }
        }
        Ok(paths)
    }
}

/// Whether a file of that name is kept from everybody where nothing but its name is known.
fn is_secret(path: &[u8]) -> bool {
    const NAMES: [&str; 12] = [
        ".env",
        ".envrc",
        ".netrc",
        ".npmrc",
        ".pypirc",
        ".pgpass",
        ".htpasswd",
        "id_rsa",
        "id_dsa",
        "id_ecdsa",
        "id_ed25519",
        "credentials",
    ];
    const ENDS: [&str; 7] = [".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx"];
    const SHOWN: [&str; 4] = [".example", ".sample", ".template", ".dist"];
    const DIRS: [&[u8]; 5] = [b".ssh", b".gnupg", b".aws", b".kube", b".docker"];
    if path.split(|byte| *byte == b'/').any(|part| DIRS.contains(&part)) {
        return true;
    }
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let name = String::from_utf8_lossy(name).to_lowercase();
    let is_shown = SHOWN.iter().any(|end| name.ends_with(end));
    let is_env = name.starts_with(".env.") || name.starts_with("credentials.");
    !is_shown
        && (is_env || NAMES.contains(&name.as_str()) || ENDS.iter().any(|end| name.ends_with(end)))
}

/// A file that is another one than the reply speaks of.
fn unseen(file: &FileChange, seen: &HashMap<Vec<u8>, String>) -> Option<Failure> {
    let path = file.from.as_ref().unwrap_or(&file.path);
    let hash = seen.get(path)?;
    let now = file.before.as_ref().map(|bytes| blake3::hash(bytes).to_hex());
    if now.is_some_and(|now| now.as_str().eq_ignore_ascii_case(hash)) {
        return None;
    }
    let message = format!("`{}` has changed since it was seen: look at it anew", shown(path));
    let (path, kind) = (Some(path.clone()), Kind::Conflict);
    Some(Failure { block: 0, line: 0, path, kind, message, nearest: None })
}

/// What is staged of files and stands nowhere else: the index gets the edited file in its place.
fn staged_apart(git: &Work, changes: &[Change]) -> Result<Vec<String>, Failed> {
    let staged = git.staged(&turns::sides(changes), |side| side.before)?;
    let note = |(path, id): (Vec<u8>, Option<String>)| {
        let name = shown(&path);
        match id {
            Some(id) => {
                format!("what was staged of `{name}` is no more: `git cat-file -p {id}` prints it")
            }
            None => format!("that `{name}` is to be no part of commits was staged, and is no more"),
        }
    };
    Ok(staged.into_iter().map(note).collect())
}

/// Files that keep the old text under another name.
fn more_names(root: &Root, changes: &[Change]) -> Vec<String> {
    let has_more = |change: &&Change| {
        change.before.is_some()
            && matches!(root.place(&change.path, &mut None), Ok(Some(place)) if place.names() > 1)
    };
    let note = |change: &Change| {
        format!(
            "`{}` is a hard link: under its other names it stays as it was",
            shown(&change.path)
        )
    };
    changes.iter().filter(has_more).map(note).collect()
}

/// What a plan changes, file by file.
fn changes(
    files: &[FileChange],
    modes: &HashMap<Vec<u8>, u32>,
    committed: &[Vec<u8>],
    umask: Option<u32>,
) -> Vec<Change> {
    let mut changes = Vec::new();
    for file in files {
        let had = file.from.as_ref().unwrap_or(&file.path);
        let mode = file.before.as_ref().and_then(|_| modes.get(had).copied());
        let new = umask.or(file.program.map(|_| 0o022)).map(|umask| 0o666 & !umask);
        let run = |mode: u32| match file.program {
            // Whoever may read it may run it.
            Some(true) => mode | (mode & 0o444) >> 2,
            Some(false) => mode & !0o111,
            None => mode,
        };
        let kept = |bytes: &Option<Vec<u8>>, mode| bytes.clone().map(|bytes| Kept { bytes, mode });
        let (before, after) = (kept(&file.before, mode), kept(&file.after, mode.or(new).map(run)));
        if before.is_some() && before == after && file.from.is_none() {
            continue;
        }
        let mut add = |path: &Vec<u8>, from: Option<&Vec<u8>>, before, after| {
            let (path, from, is_committed) =
                (path.clone(), from.cloned(), committed.contains(path));
            changes.push(Change { path, from, is_committed, before, after });
        };
        match &file.from {
            Some(from) => {
                add(from, None, before, None);
                add(&file.path, Some(from), None, after);
            }
            None => add(&file.path, None, before, after),
        }
    }
    changes
}

/// What becomes of files as a unified diff.
fn diff_of(changes: &[Change]) -> Vec<u8> {
    fn side<'a>(path: &'a [u8], kept: &'a Kept) -> Side<'a> {
        let is_program = kept.mode.is_some_and(|mode| mode & 0o100 != 0);
        Side { path, bytes: &kept.bytes, is_program }
    }
    let renamed: Vec<&[u8]> = changes.iter().filter_map(|one| one.from.as_deref()).collect();
    let mut text = Vec::new();
    for change in changes {
        if renamed.contains(&change.path.as_slice()) && change.after.is_none() {
            continue;
        }
        let from = change.from.as_deref();
        let old =
            from.and_then(|from| changes.iter().find(|one| one.path == from)).unwrap_or(change);
        let before = old.before.as_ref().map(|kept| side(&old.path, kept));
        let after = change.after.as_ref().map(|kept| side(&change.path, kept));
        unified(before, after, &mut text);
    }
    text
}

/// Files that their languages' grammars understood before, and do not any more.
fn broken(files: &[FileChange], limits: Limits, crew: &Crew) -> Vec<(Vec<u8>, u32)> {
    let _stage = stage!("edits.syntax").entered();
    let one = |extractor: &mut Option<Extractor>, file: &FileChange| {
        let (before, after) = file.before.as_deref().zip(file.after.as_deref())?;
        let (before, after) = (text_of(before), text_of(after));
        let language = languages::of(&file.path, &after)?;
        let extractor = extractor.get_or_insert_with(|| Extractor::new(limits));
        let line = extractor.breaks(language, (&before, &after), &file.ranges)?;
        Some((file.path.clone(), line))
    };
    crew.workers(|| None).map(files, 1, one).into_iter().flatten().collect()
}

/// What is said of a turn where nobody gives a message.
fn message_of(files: &[FileChange]) -> String {
    const SUBJECT: usize = 60;
    let of = |file: &FileChange| {
        let path = shown(&file.path);
        match (&file.action, &file.from) {
            (Action::Edit, _) => ("Edit", path),
            (Action::Create, _) => ("Add", path),
            (Action::Delete, _) => ("Delete", path),
            (Action::Rename, from) => {
                ("Rename", format!("{} to {path}", shown(from.as_deref().unwrap_or_default())))
            }
        }
    };
    let all: Vec<(&str, String)> = files.iter().map(of).collect();
    let verb = all.iter().map(|(verb, _)| *verb).reduce(|a, b| if a == b { a } else { "Change" });
    let verb = verb.unwrap_or("Change");
    let names: Vec<&str> = all.iter().map(|(_, name)| name.as_str()).collect();
    let named = match names.as_slice() {
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
        [] => String::new(),
    };
    if names.len() == 1 || verb.len() + named.len() < SUBJECT {
        return format!("{verb} {named}");
    }
    let list: Vec<String> = all.iter().map(|(verb, name)| format!("- {verb} {name}")).collect();
    format!("{verb} {} files\n\n{}", names.len(), list.join("\n"))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// A step of a turn. Tests end the process at one.
#[cfg(not(test))]
fn point(_: &str) {}
/// Whether files change as on a file system that knows one step for each rename.
#[cfg(not(test))]
fn is_plain() -> bool {
    false
}
#[cfg(test)]
use tests::{is_plain, point};
#[cfg(test)]
mod tests;
