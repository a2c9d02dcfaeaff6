//! `ai.apply`, `git.undo`, `git.turns` and `git.diff`.

use super::workspace::synced;
use super::{blocking, directory};
use crate::Services;
use crate::edits::{
    self, Applied, Asked, Editor, Failed, Listed, Stage, Told, Turn, Undone, report,
};
use crate::files::{self, Ask, Source};
use crate::git::work::Retreat;
use crate::indexing::Stores as _;
use crate::profile::stage;
use crate::search::Cancel;
use crate::workspaces::Warm;
use hob_index::edits::{Failure, FileChange, Format};
use hob_index::picker::Query;
use hob_index::plan::{PlanOptions, plan};
use hob_index::tree::Docs;
use hob_protocol::api::EditsApiServer;
use hob_protocol::{
    AppliedFile, ApplyQuery, ApplyResult, FailedEdit, Kind, LineRange, NearestLines, SyntaxWarning,
    Text, TurnDiff, TurnInfo, TurnList, UndoQuery, UndoResult, UndoneTurn,
};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

pub(super) struct Edits {
    services: Arc<Services>,
}

impl Edits {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

/// How many turns are told where nobody says how many.
const TURNS: u64 = 50;
/// Files that may have a line, of which each is read.
const HAVING: usize = 200;

#[async_trait]
impl EditsApiServer for Edits {
    async fn apply(&self, query: ApplyQuery) -> RpcResult<ApplyResult> {
        let services = self.services.clone();
        blocking(move || apply(&services, query)).await
    }

    async fn undo(&self, query: UndoQuery) -> RpcResult<UndoResult> {
        let services = self.services.clone();
        blocking(move || undo(&services, &query)).await
    }

    async fn turns(&self, dir: Text, limit: Option<u64>) -> RpcResult<TurnList> {
        let services = self.services.clone();
        blocking(move || {
            let root = root_with_turns(&services, &directory(&dir)?);
            let limit = usize::try_from(limit.unwrap_or(TURNS)).unwrap_or(usize::MAX);
            let (turns, truncated) =
                editor(&services, &root, &Vec::new, &|_| Vec::new()).list(limit).map_err(error)?;
            let turns = turns.iter().map(info).collect();
            Ok(TurnList { root: Text::from(root), turns, truncated })
        })
        .await
    }

    async fn diff(&self, dir: Text, turn: Option<u64>) -> RpcResult<TurnDiff> {
        let services = self.services.clone();
        blocking(move || {
            let root = root_with_turns(&services, &directory(&dir)?);
            let found =
                editor(&services, &root, &Vec::new, &|_| Vec::new()).diff(turn).map_err(error)?;
            let root = Text::from(root);
            match (found, turn) {
                (Some((turn, text)), _) => {
                    Ok(TurnDiff { root, turn: Some(turn.number), text: Text::from(text) })
                }
                (None, Some(number)) => Err(Kind::NoSuchTurn.error(
                    format!("`{}` has no turn {number}", root.to_string_lossy()),
                    "`hob undo --list` tells those that there are",
                )),
                (None, None) => Ok(TurnDiff { root, ..TurnDiff::default() }),
            }
        })
        .await
    }
}

fn apply(services: &Services, query: ApplyQuery) -> RpcResult<ApplyResult> {
    let _stage = stage!("apply").entered();
    let started = Instant::now();
    let dir = directory(&query.dir)?;
    let root = root_of(services, &dir);
    let format = query.format.as_deref().filter(|name| *name != "auto");
    let format = format.map(|name| {
        Format::from_name(name).ok_or_else(|| {
            let names = Format::ALL.map(Format::name).join(", ");
            let hint = format!("one of: auto, {names}");
            Kind::BadFilter.error(format!("there is no format of edits `{name}`"), hint)
        })
    });
    let format = format.transpose()?;
    let files = query.files.iter().map(|file| asked(file, &dir, &root));
    let files = files.collect::<RpcResult<Vec<_>>>()?;
    let environment = query.environment.into_iter();
    let environment =
        environment.map(|(name, value)| (name.into(), value.into_path().into_os_string()));
    let asked = Asked {
        reply: query.reply.as_bytes(),
        format,
        files,
        message: query.message.as_deref().filter(|message| !message.trim().is_empty()),
        commit: !query.no_commit,
        dry_run: query.dry_run,
        seen: query.seen.into_iter().map(|seen| (seen.path.into_bytes(), seen.hash)).collect(),
        environment: environment.collect(),
        umask: query.umask.map(|umask| umask & 0o777),
    };
    let warm = services.workspaces.of(&root).filter(|warm| warm.workspace.root() == root);
    let all = || all(services, &root, warm.as_deref());
    let having = |line: &[u8]| having(services, warm.as_deref(), line);
    let applied = editor(services, &root, &all, &having).apply(&asked).map_err(error)?;
    let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(told(applied, root, query.dry_run, took))
}

fn told(applied: Applied, root: PathBuf, dry_run: bool, elapsed_us: u64) -> ApplyResult {
    let Applied { turn, files, failures, changes_nothing, unnamed, .. } = applied;
    let Applied { shell, broken, commits, notes, diff, .. } = applied;
    let report =
        if files.is_empty() { report(&failures, changes_nothing, &unnamed) } else { String::new() };
    let warning =
        |(path, line): (Vec<u8>, u32)| SyntaxWarning { path: Text::from(path), line: line.into() };
    let (commit, saved) = commits.map_or((None, None), |it| (Some(it.commit), it.saved));
    ApplyResult {
        root: Text::from(root),
        turn,
        applied: files.into_iter().map(file).collect(),
        failed: failures.into_iter().map(failed).collect(),
        report,
        warnings: broken.into_iter().map(warning).collect(),
        commit,
        saved,
        shell: shell.into_iter().map(Text::from).collect(),
        notes,
        diff: dry_run.then(|| Text::from(diff)),
        elapsed_us,
    }
}

fn file(change: FileChange) -> AppliedFile {
    let range = |range: &std::ops::Range<u32>| LineRange {
        start: range.start.into(),
        end: u64::from(range.end).saturating_sub(1),
    };
    AppliedFile {
        path: Text::from(change.path),
        from: change.from.map(Text::from),
        action: change.action.name().to_owned(),
        ranges: change.ranges.iter().map(range).collect(),
    }
}

fn failed(failure: Failure) -> FailedEdit {
    let of_block = |number: u32| (failure.block > 0).then_some(number.into());
    FailedEdit {
        block: of_block(failure.block),
        line: of_block(failure.line),
        path: failure.path.map(Text::from),
        kind: failure.kind.name().to_owned(),
        message: failure.message,
        nearest: failure
            .nearest
            .map(|near| NearestLines { line: near.line.into(), text: Text::from(near.text) }),
    }
}

fn undo(services: &Services, query: &UndoQuery) -> RpcResult<UndoResult> {
    let _stage = stage!("undo").entered();
    let started = Instant::now();
    let root = root_with_turns(services, &directory(&query.dir)?);
    let count = usize::try_from(query.turns.unwrap_or(1)).unwrap_or(usize::MAX);
    let undone = editor(services, &root, &Vec::new, &|_| Vec::new()).undo(count, query.dry_run);
    let turns = undone.map_err(error)?.into_iter().map(|Undone { turn, retreat, notes }| {
        let (dropped, reverted) = match retreat {
            Some(Retreat::Dropped) => (true, None),
            Some(Retreat::Reverted(commit)) => (false, Some(commit)),
            Some(Retreat::Nothing) | None => (false, None),
        };
        let files = files_of(turn.head.files().map(Told::back));
        UndoneTurn { turn: turn.number, message: subject(&turn), files, dropped, reverted, notes }
    });
    Ok(UndoResult {
        root: Text::from(root.clone()),
        turns: turns.collect(),
        elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    })
}

fn info((number, turn): &Listed) -> TurnInfo {
    let turn = match turn {
        Ok(turn) => turn,
        Err(why) => {
            let (turn, message, state) = (*number, why.clone(), "unreadable".to_owned());
            return TurnInfo { turn, message, state, ..TurnInfo::default() };
        }
    };
    let state = match turn.stage {
        Stage::Done => "made",
        Stage::Undone => "undone",
        _ => "interrupted",
    };
    TurnInfo {
        turn: turn.number,
        time: turn.head.time,
        message: subject(turn),
        state: state.to_owned(),
        files: files_of(turn.head.files()),
        commit: turn.head.commits().map(|commits| commits.commit),
    }
}

fn subject(turn: &Turn) -> String {
    turn.head.message.lines().next().unwrap_or_default().to_owned()
}

/// What is done to files. One that is renamed is in a turn twice, by its two names.
fn files_of<'a>(files: impl Iterator<Item = Told<'a>>) -> Vec<AppliedFile> {
    let files: Vec<Told<'_>> = files.collect();
    let renamed = files.iter().filter_map(|file| Some([file.from?, file.path]));
    let renamed: Vec<&[u8]> = renamed.flatten().collect();
    let is_told = |file: &&Told<'_>| file.from.is_some() || !renamed.contains(&file.path);
    let told = files.iter().filter(is_told).map(|file| {
        let action = match (file.had, file.has) {
            _ if file.from.is_some() => "rename",
            (false, _) => "create",
            (_, false) => "delete",
            _ => "edit",
        };
        AppliedFile {
            path: Text::from(file.path),
            from: file.from.map(Text::from),
            action: action.to_owned(),
            ranges: Vec::new(),
        }
    });
    told.collect()
}

fn editor<'a>(
    services: &'a Services,
    root: &'a Path,
    all: &'a dyn Fn() -> Vec<Vec<u8>>,
    having: &'a dyn Fn(&[u8]) -> Vec<Vec<u8>>,
) -> Editor<'a> {
    let settings = services.config.edits();
    Editor { root, turns: &services.turns, settings, crew: &services.crew, all, having }
}

/// Where edits are made that are asked for in a directory: in the workspace or the work tree around it, else
/// in the directory itself.
fn root_of(services: &Services, dir: &Path) -> PathBuf {
    let tree = || dir.ancestors().find(|dir| crate::git::is_work_tree(dir)).map(Path::to_owned);
    services.workspaces.root_of(dir).or_else(tree).unwrap_or_else(|| dir.to_owned())
}

/// Whose turns are asked for in a directory: the nearest that has some, up to the root of what is around it.
fn root_with_turns(services: &Services, dir: &Path) -> PathBuf {
    let tree = || dir.ancestors().find(|dir| crate::git::is_work_tree(dir)).map(Path::to_owned);
    let root = services.workspaces.root_of(dir).or_else(tree);
    let found = edits::root_with_turns(&services.turns, dir, root.as_deref());
    found.or(root).unwrap_or_else(|| dir.to_owned())
}

/// The path of a file that edits were asked for, from the root.
fn asked(named: &Text, dir: &Path, root: &Path) -> RpcResult<Vec<u8>> {
    let path = dir.join(named.as_path());
    // It may be one that is to be made.
    let path = path.canonicalize().unwrap_or_else(|_| super::workspace::without_dots(&path));
    let path = path.strip_prefix(root).map_err(|_| {
        let named = named.as_path().display();
        Kind::BadPath
            .error(format!("`{named}` is not in `{}`", root.display()), "name a file of it")
    })?;
    Ok(path.as_os_str().as_bytes().to_vec())
}

/// All files that a search sees.
fn all(services: &Services, root: &Path, warm: Option<&Warm>) -> Vec<Vec<u8>> {
    let snapshot = warm.and_then(|warm| synced(services, warm, false).ok());
    // Nobody wants the whole disk looked through for a name.
    if snapshot.is_none() && crate::workspaces::is_too_large(root) {
        return Vec::new();
    }
    let source = match snapshot {
        Some(snapshot) => Source::Tree(snapshot, Vec::new()),
        None => Source::Disk(root.to_owned()),
    };
    let query = Query::new("");
    let mut paths = Vec::new();
    let ask = Ask { query: &query, limit: None };
    files::find(&source, &ask, &services.crew, &Cancel::default(), &mut |path, _| {
        paths.push(path.to_vec());
        true
    });
    paths
}

/// Files that may have a line, by the index.
fn having(services: &Services, warm: Option<&Warm>, line: &[u8]) -> Vec<Vec<u8>> {
    let Some(warm) = warm else { return Vec::new() };
    let Ok(snapshot) = synced(services, warm, false) else { return Vec::new() };
    let Ok(text) = std::str::from_utf8(line) else { return Vec::new() };
    let options = PlanOptions { fixed_strings: true, case_insensitive: false };
    let plan = plan(&[text.to_owned()], options);
    let store = warm.repository.store().filter(|store| store.epoch() == snapshot.epoch);
    let docs = store.and_then(|store| store.candidates(&plan).ok()).unwrap_or(Docs::All);
    let mut paths = Vec::new();
    snapshot.tree.for_each_file(&docs, &mut |path, _| paths.push(path.to_vec()));
    // What so many files have tells nothing.
    if paths.len() > HAVING { Vec::new() } else { paths }
}

fn error(failed: Failed) -> ErrorObjectOwned {
    let message = failed.to_string();
    match failed {
        Failed::Git(refusal) => Kind::Git.error(message, refusal.hint),
        Failed::Hook(_) => {
            Kind::HookFailed.error(message, "nothing was changed; `--no-commit` leaves git alone")
        }
        Failed::LaterWork(_) => Kind::LaterWork.error(message, "`hob undo --list` tells the turns"),
        Failed::Io(_) | Failed::Half(_) => {
            Kind::NotWritten.error(message, "look at its permissions and the room on its disk")
        }
        Failed::Refused(..) => Kind::LaterWork.error(message, "look at the file"),
    }
}
