//! `index.context` and `index.map`.

use super::index::CancelOnDrop;
use super::symbols::origin_of;
use super::workspace::{not_synced, synced};
use super::{blocking, directory};
use crate::Services;
use crate::context::{self, Answer, Around, Asked, MapAsked, Mapped, Tokens};
use crate::indexing::Stores as _;
use crate::outlines;
use crate::parallel::Bulk;
use crate::profile::stage;
use crate::search::Cancel;
use crate::workspaces::{Warm, not_a_workspace};
use hob_index::context::pack::Why;
use hob_index::context::rank::Signal;
use hob_protocol::api::ContextApiServer;
use hob_protocol::{
    ContextChunk, ContextQuery, ContextResult, FileScore, Freshness, Kind, MapDefinition, MapQuery,
    MapResult, Origin, ScorePart, Text,
};
use jsonrpsee::core::{RpcResult, async_trait};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(super) struct Context {
    services: Arc<Services>,
}

impl Context {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl ContextApiServer for Context {
    async fn context(&self, query: ContextQuery) -> RpcResult<ContextResult> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || find(&services, &query, &cancelled)).await
    }

    async fn map(&self, query: MapQuery) -> RpcResult<MapResult> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || draw(&services, &query, &cancelled)).await
    }
}

/// More tokens than any model takes count as so many.
const MOST_TOKENS: u64 = 1_000_000;
/// So many files that are not indexed are read for a request; with more it waits for the index.
const FEW: u64 = 512;

fn find(services: &Services, query: &ContextQuery, cancel: &Cancel) -> RpcResult<ContextResult> {
    let _stage = stage!("context").entered();
    let started = Instant::now();
    let request = String::from_utf8_lossy(query.request.as_bytes());
    if request.trim().is_empty() && query.focus.is_empty() {
        return Err(Kind::BadPattern.error("the request is empty", "say what is to be done"));
    }
    let dir = directory(&query.dir)?;
    let warm = services.workspaces.of(&dir).ok_or_else(|| not_a_workspace(&dir))?;
    let root = warm.workspace.root();
    let settings = &services.config;
    let snapshot = indexed(services, &warm, query.no_sync, cancel)?;
    let focus = query.focus.iter().map(|file| focus(file, &dir, root, &snapshot));
    let focus = focus.collect::<RpcResult<Vec<_>>>()?;
    let origin = origin_of(&warm, &snapshot);
    let stops = || cancel.is_cancelled();
    let around = around(services, &warm, &snapshot, &stops);
    let bulk = Bulk {
        jobs: settings.index_jobs(),
        memory: settings.index_memory_mb << 20,
        foreground: services.workspaces.foreground.clone(),
    };
    let patience = settings.context_history;
    let (history, history_is_whole) = context::recall(&around, &services.tasks, bulk, patience);
    let _entered = services.workspaces.foreground.enter();
    let tokens = tokens(services, query.model.as_deref());
    let budget = budget(query.budget, settings.context_tokens);
    let asked = Asked { request: &request, budget, focus: &focus, tokens };
    let answer = context::context(&around, &history, &asked);
    if cancel.is_cancelled() {
        return Err(Kind::Cancelled.error("the query was cancelled", ""));
    }
    let origin = if answer.is_whole { origin } else { lacking(origin) };
    let scores = if query.explain { scores(&answer) } else { Vec::new() };
    Ok(ContextResult {
        origin,
        files: answer.files.iter().map(|(path, _)| Text::from(path.as_slice())).collect(),
        chunks: chunks(&answer),
        tokens: answer.packed.tokens as u64,
        tokenizer: tokens.name().to_owned(),
        text: Text::from(answer.packed.text.as_slice()),
        history: history_is_whole,
        scores,
        elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    })
}

/// How many tokens may be shown.
fn budget(asked: Option<u64>, usual: usize) -> usize {
    let budget = asked.unwrap_or(usual as u64).min(MOST_TOKENS);
    usize::try_from(budget).unwrap_or(usize::MAX)
}

/// By what tokens are counted.
fn tokens(services: &Services, model: Option<&str>) -> Tokens {
    Tokens::of_model(model.unwrap_or(&services.config.context_model))
}

/// Where an answer came from that lacks files which are too new.
fn lacking(origin: Origin) -> Origin {
    Origin { freshness: Freshness::Indexing, ..origin }
}

fn draw(services: &Services, query: &MapQuery, cancel: &Cancel) -> RpcResult<MapResult> {
    let _stage = stage!("map").entered();
    let started = Instant::now();
    let dir = directory(&query.dir)?;
    let warm = services.workspaces.of(&dir).ok_or_else(|| not_a_workspace(&dir))?;
    let root = warm.workspace.root();
    let snapshot = indexed(services, &warm, query.no_sync, cancel)?;
    let focus = query.focus.iter().map(|file| focus(file, &dir, root, &snapshot));
    let asked = MapAsked::new(
        budget(query.budget, services.config.map_tokens),
        focus.collect::<RpcResult<Vec<_>>>()?,
        query.mentions.iter().map(|mention| mention.as_bytes()),
        tokens(services, query.model.as_deref()),
    );
    let origin = origin_of(&warm, &snapshot);
    let stops = || cancel.is_cancelled();
    let around = around(services, &warm, &snapshot, &stops);
    let _entered = services.workspaces.foreground.enter();
    let mapped = context::map(&around, &asked)
        .ok_or_else(|| Kind::Cancelled.error("the query was cancelled", ""))?;
    let texts = |paths: &[Vec<u8>]| paths.iter().map(|path| Text::from(path.as_slice())).collect();
    Ok(MapResult {
        origin: if mapped.is_whole { origin } else { lacking(origin) },
        named: texts(&mapped.named),
        files: texts(&mapped.files),
        definitions: definitions(&mapped),
        tokens: mapped.tokens as u64,
        tokenizer: asked.tokens.name().to_owned(),
        text: Text::from(mapped.text.as_slice()),
        elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    })
}

fn definitions(mapped: &Mapped) -> Vec<MapDefinition> {
    let definition = |one: &context::Mentioned| MapDefinition {
        path: Text::from(one.path.as_slice()),
        line: one.lines.0.into(),
        end: one.lines.1.into(),
        kind: one.kind.name().to_owned(),
        name: Text::from(one.name.as_slice()),
    };
    mapped.definitions.iter().map(definition).collect()
}

/// What a query of a workspace needs.
fn around<'a>(
    services: &'a Services,
    warm: &'a Warm,
    snapshot: &'a crate::workspace::Snapshot,
    stops: &'a (dyn Fn() -> bool + Sync),
) -> Around<'a> {
    Around {
        root: warm.workspace.root(),
        snapshot,
        store: warm.repository.store().filter(|store| store.epoch() == snapshot.epoch),
        kept: &warm.context,
        limits: outlines::limits(&services.config),
        crew: &services.crew,
        stops,
    }
}

/// How long a request waits where nothing more is indexed: a file may be written all the time, a task may
/// have to wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// A snapshot of which nearly all is indexed, unless nobody is at it.
fn indexed(
    services: &Services,
    warm: &Warm,
    no_sync: bool,
    cancel: &Cancel,
) -> RpcResult<Arc<crate::workspace::Snapshot>> {
    let (mut left, mut since) = (u64::MAX, Instant::now());
    loop {
        let snapshot = synced(services, warm, no_sync)
            .map_err(|failed| not_synced(warm.workspace.root(), failed))?;
        let totals = snapshot.tree.totals();
        let is_coming = !warm.indexer.is_paused() && !warm.indexer.is_closed();
        let has_store = warm.repository.store().is_some();
        let now = totals.pending + totals.unoutlined;
        if now < left {
            (left, since) = (now, Instant::now());
        }
        let is_stuck = since.elapsed() > PATIENCE;
        if no_sync || !is_coming || !has_store || now <= FEW || is_stuck {
            return Ok(snapshot);
        }
        if cancel.is_cancelled() {
            return Err(Kind::Cancelled.error("the query was cancelled", ""));
        }
        let _stage = stage!("context.wait").entered();
        warm.workspace.wait_for_change(snapshot.generation, Duration::from_millis(50));
    }
}

/// The path of a file in focus, from the root.
fn focus(
    named: &Text,
    dir: &Path,
    root: &Path,
    snapshot: &crate::workspace::Snapshot,
) -> RpcResult<Vec<u8>> {
    let path = dir.join(named.as_path());
    let path = path.canonicalize().unwrap_or(path);
    let refuse = |why: &str, hint: &str| {
        let named = named.as_path().display();
        Err(Kind::BadPath.error(format!("cannot put `{named}` in focus: {why}"), hint))
    };
    let Ok(relative) = path.strip_prefix(root) else {
        return refuse("it is not in the workspace", "name a file of it");
    };
    let relative = relative.as_os_str().as_bytes();
    match snapshot.tree.at(relative) {
        Some(hob_index::tree::Node::File(_)) => Ok(relative.to_vec()),
        Some(_) => refuse("it is no file", "name the files themselves"),
        None if relative.is_empty() => refuse("it is no file", "name the files themselves"),
        None if path.exists() => {
            refuse("it is ignored or hidden", "name a file that a search sees")
        }
        None => refuse("there is no such file", "`hob files` lists those that there are"),
    }
}

fn chunks(answer: &Answer) -> Vec<ContextChunk> {
    let chunk = |shown: &hob_index::context::pack::Shown| {
        let (path, names) = &answer.shown[shown.file];
        let name = shown.symbol.and_then(|symbol| names.get(symbol as usize).cloned());
        let why = match shown.why {
            Why::Named => "named in the request",
            Why::File => "one of the best files",
            Why::Around => "around lines that are shown",
            Why::Signature => "signature of a near definition",
            Why::Body => "near the request",
        };
        ContextChunk {
            path: Text::from(path.as_slice()),
            start: shown.start.into(),
            end: shown.end.into(),
            why: why.to_owned(),
            name,
        }
    };
    answer.packed.shown.iter().map(chunk).collect()
}

fn scores(answer: &Answer) -> Vec<FileScore> {
    let score = |(path, candidate): &(Vec<u8>, hob_index::context::rank::Candidate)| {
        let part = |signal: &Signal| {
            let part = candidate.signals[*signal as usize] * signal.weight();
            (part != 0.0).then(|| ScorePart { signal: signal.name().to_owned(), part })
        };
        let mut parts: Vec<ScorePart> = Signal::ALL.iter().filter_map(part).collect();
        parts.sort_by(|a, b| b.part.abs().total_cmp(&a.part.abs()));
        FileScore { path: Text::from(path.as_slice()), score: candidate.score, parts }
    };
    answer.files.iter().map(score).collect()
}
