//! `index.*`, what has one answer.

use super::workspace::{not_synced, synced};
use super::{blocking, directory, stopping};
use crate::Services;
use crate::indexing::Stores as _;
use crate::profile::{self, stage};
use crate::search::{self, Cancel, FindView, Lines, Part, Receiver, SearchError, View, Want};
use crate::tasks::Full;
use crate::workspace::Failed;
use crate::workspaces::Warm;
use hob_index::tree::Docs;
use hob_protocol::api::IndexApiServer;
use hob_protocol::{
    FileTypes, FilesQuery, FilesResult, Kind, LineMatch, SearchQuery, SearchResult, SearchSummary,
    StageTime, Text, WorkspaceStatus,
};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a caller who waits for the index is looked after.
const WAITING: Duration = Duration::from_millis(500);

/// How long a caller who does not wait is kept.
const AT_ONCE: Duration = Duration::from_millis(2);

pub(super) struct Index {
    services: Arc<Services>,
}

impl Index {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl IndexApiServer for Index {
    async fn build(&self, dir: Text, wait: Option<bool>) -> RpcResult<WorkspaceStatus> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || {
            let warm = services.workspaces.make(&directory(&dir)?)?;
            let failed = |failed| not_synced(warm.workspace.root(), failed);
            let mut snapshot = match wait {
                Some(true) => synced(&services, &warm, false).map_err(failed)?,
                // Whoever does not wait for the index does not for the first look at the tree.
                _ => match warm.workspace.sync(AT_ONCE) {
                    Err(Failed::Late) => warm.workspace.snapshot(),
                    synced => synced.map_err(failed)?,
                },
            };
            let mut task = None;
            if snapshot.generation == 0 || !is_indexed(&snapshot) {
                task = Some(warm.indexer.ask().map_err(|full| too_many(full, &warm))?);
            }
            while wait == Some(true) && !is_indexed(&snapshot) {
                if warm.indexer.is_paused() {
                    return Err(called_off(&warm, task));
                }
                if warm.repository.store().is_none() {
                    let problem = warm.status(&snapshot).store.problem.unwrap_or_default();
                    let root = warm.workspace.root().display();
                    return Err(Kind::Store.error(
                        format!("`{root}` cannot be indexed: {problem}"),
                        "searches read the files meanwhile",
                    ));
                }
                if services.shutdown.is_cancelled() {
                    return Err(stopping());
                }
                if warm.indexer.is_closed() {
                    return Err(Kind::NotAWorkspace.error(
                        format!("`{}` was forgotten meanwhile", warm.workspace.root().display()),
                        "`hob index` makes it a workspace again",
                    ));
                }
                if cancelled.is_cancelled() {
                    return Err(Kind::Cancelled.error("the wait was cancelled", ""));
                }
                let began = Instant::now();
                warm.workspace.wait_for_change(snapshot.generation, WAITING);
                profile::waited(began.elapsed());
                snapshot = synced(&services, &warm, false).map_err(failed)?;
            }
            let status = warm.status(&snapshot);
            Ok(WorkspaceStatus { task: task.or(status.task), ..status })
        })
        .await
    }

    async fn search(&self, query: SearchQuery) -> RpcResult<SearchResult> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || {
            let mut collect = Collect::default();
            let summary = search(&services, &query, Want::Lines, &cancelled, &mut collect)
                .map_err(|error| explain(&error))?;
            Ok(collect.result(summary))
        })
        .await
    }

    async fn files(&self, query: FilesQuery) -> RpcResult<FilesResult> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || super::files::files(&services, &query, &cancelled)).await
    }

    async fn types(&self) -> RpcResult<FileTypes> {
        Ok(FileTypes { types: search::file_types() })
    }
}

fn too_many(full: Full, warm: &Warm) -> ErrorObjectOwned {
    let root = warm.workspace.root().display();
    Kind::TooMany.error(
        format!("`{root}` is not indexed now: {full}"),
        "wait for some of them (`hob tasks`); searches read the files meanwhile",
    )
}

fn called_off(warm: &Warm, task: Option<u64>) -> ErrorObjectOwned {
    let root = warm.workspace.root().display();
    let task = task.map_or_else(String::new, |task| format!("task {task}, "));
    Kind::Cancelled.error(
        format!("{task}the indexing of `{root}`, was cancelled or has failed"),
        "`hob index` goes on with it; searches read the files meanwhile",
    )
}

/// Whether nothing has to be read or parsed for a query.
fn is_indexed(snapshot: &crate::workspace::Snapshot) -> bool {
    let totals = snapshot.tree.totals();
    totals.pending == 0 && totals.unoutlined == 0
}

/// Cancels a search when nobody waits for it any more.
#[derive(Default)]
pub(super) struct CancelOnDrop(pub(super) Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Searches with what the daemon has.
pub(super) fn search(
    services: &Services,
    query: &SearchQuery,
    want: Want,
    cancel: &Cancel,
    receiver: &mut dyn Receiver,
) -> Result<SearchSummary, SearchError> {
    let stage = stage!("search").entered();
    let recording = if query.profile { profile::record(&stage) } else { None };
    let _entered = services.workspaces.foreground.enter();
    let find: FindView<'_> = &|path| match services.workspaces.of(path) {
        Some(warm) => view(services, &warm, query.no_sync).map(Some),
        None => Ok(None),
    };
    let mut summary = search::run(query, want, find, &services.crew, cancel, receiver)?;
    if let Some(recording) = recording {
        let queued = profile::queued().as_nanos();
        summary.queued_us = u64::try_from(queued / 1000).unwrap_or(u64::MAX);
        summary.profile = recording.stages().into_iter().map(stage_time).collect();
    }
    Ok(summary)
}

fn stage_time(stage: profile::Stage) -> StageTime {
    StageTime {
        name: stage.name.to_owned(),
        depth: stage.depth as u64,
        count: stage.count,
        total_us: stage.total / 1000,
        self_us: stage.own / 1000,
    }
}

fn view(services: &Services, warm: &Arc<Warm>, no_sync: bool) -> Result<View, SearchError> {
    let root = warm.workspace.root().to_owned();
    let snapshot = synced(services, warm, no_sync)
        .map_err(|failed| SearchError::Workspace(root.clone(), failed))?;
    let (store, epoch) = (warm.repository.store(), snapshot.epoch);
    Ok(View {
        root,
        origin: warm.workspace.origin(&snapshot),
        snapshot,
        // Where the store cannot tell, every file is looked at: slower, and as right.
        candidates: Arc::new(move |plan| match &store {
            Some(store) if store.epoch() == epoch => store.candidates(plan).unwrap_or(Docs::All),
            _ => Docs::All,
        }),
    })
}

/// The error as a client gets it.
pub(super) fn explain(error: &SearchError) -> ErrorObjectOwned {
    match error {
        SearchError::Pattern(text) => Kind::BadPattern.error(text.clone(), pattern_hint(text)),
        SearchError::Filter { message, hint } => Kind::BadFilter.error(message.clone(), hint),
        SearchError::Cwd(..) => {
            Kind::BadPath.error(error.to_string(), "go to a directory that is there")
        }
        SearchError::Workspace(root, failed) => not_synced(root, *failed),
        SearchError::Cancelled => Kind::Cancelled.error(error.to_string(), ""),
    }
}

fn pattern_hint(text: &str) -> &'static str {
    if text.contains("look-around") || text.contains("backreferences") {
        return "patterns are those of Rust's regex crate, which has neither look-around nor backreferences";
    }
    if text.contains("the literal") && text.contains("not allowed") {
        return "a match is always within one line: leave the line's end out of the pattern";
    }
    if text.contains("size limit") || text.contains("exceeds") {
        return "use a smaller pattern, or several with -e";
    }
    "for a literal string use -F"
}

/// Collects all lines.
#[derive(Default)]
struct Collect {
    parts: Vec<Lines>,
    warnings: Vec<String>,
}

impl Receiver for Collect {
    fn output(&mut self, output: Part) -> bool {
        if let Part::Lines(lines) = output {
            self.parts.push(lines);
        }
        true
    }

    fn warning(&mut self, text: String) -> bool {
        self.warnings.push(text);
        true
    }

    fn pause(&mut self) -> bool {
        true
    }
}

impl Collect {
    fn result(self, summary: SearchSummary) -> SearchResult {
        let root: Option<PathBuf> = summary.origin.root.clone().map(Text::into_path);
        let matches = self.parts.into_iter().flat_map(|part| {
            let path = named(&part, root.as_deref());
            part.lines.into_iter().map(move |line| LineMatch { path: path.clone(), ..line })
        });
        SearchResult { matches: matches.collect(), warnings: self.warnings, summary }
    }
}

fn named(part: &Lines, root: Option<&Path>) -> Text {
    let below = root.and_then(|root| part.path.strip_prefix(root).ok());
    Text::from(below.unwrap_or(&part.shown))
}
