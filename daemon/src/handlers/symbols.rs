//! `index.*`, what files define.

use super::index::CancelOnDrop;
use super::workspace::{not_synced, synced};
use super::{blocking, directory, within_limit};
use crate::Services;
use crate::cache::{Key, Missing, Namespace};
use crate::indexing::Stores as _;
use crate::outlines;
use crate::profile::stage;
use crate::search::Cancel;
use crate::symbols::{self, Around, Maker, Outlined, Printed, Stored, SymbolsError};
use crate::workspace::scan::{is_fresh, print};
use crate::workspaces::{Warm, not_a_workspace};
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages;
use hob_protocol::api::SymbolsApiServer;
use hob_protocol::{
    ErrorData, FileError, FileOutline, Freshness, Kind, Language, Languages, Origin, Outcome,
    Outline, OutlineQuery, OutlineResult, OutlineSymbol, SymbolsQuery, SymbolsResult, Text,
};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use rustix::fs::FileType;
use std::collections::HashMap;
use std::convert::Infallible;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub(super) struct Symbols {
    services: Arc<Services>,
}

impl Symbols {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl SymbolsApiServer for Symbols {
    async fn symbols(&self, query: SymbolsQuery) -> RpcResult<SymbolsResult> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || find(&services, &query, &cancelled)).await
    }

    async fn outline(&self, query: OutlineQuery) -> RpcResult<OutlineResult> {
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        blocking(move || outline(&services, &query, &cancelled)).await
    }

    async fn languages(&self) -> RpcResult<Languages> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let mut languages: Vec<Language> = languages::all()
            .iter()
            .map(|language| Language {
                name: language.name.to_owned(),
                aliases: texts(language.aliases),
                extensions: texts(language.extensions),
                file_names: texts(language.files),
                kinds: language.yields().iter().map(|kind| kind.name().to_owned()).collect(),
            })
            .collect();
        languages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Languages { languages })
    }
}

fn find(services: &Services, query: &SymbolsQuery, cancel: &Cancel) -> RpcResult<SymbolsResult> {
    let _stage = stage!("symbols").entered();
    let started = Instant::now();
    within_limit(services, &query.query)?;
    let dir = directory(&query.dir)?;
    let warm = services.workspaces.of(&dir).ok_or_else(|| not_a_workspace(&dir))?;
    let root = warm.workspace.root();
    let _entered = services.workspaces.foreground.enter();
    let mut origin = Origin::default();
    let answer = symbols::find(query, &services.config, &mut |search| {
        let snapshot = synced(services, &warm, query.no_sync)
            .map_err(|failed| SymbolsError::Workspace(root.to_owned(), failed))?;
        origin = origin_of(&warm, &snapshot);
        let store = warm.repository.store().filter(|store| store.epoch() == snapshot.epoch);
        let outcome = search(Around {
            root,
            snapshot: &snapshot,
            store: store.as_deref(),
            fresh: &warm.fresh,
            limits: outlines::limits(&services.config),
            crew: &services.crew,
            cancel,
            deadline: None,
        });
        match cancel.is_cancelled() {
            true => Err(SymbolsError::Cancelled),
            false => Ok(outcome),
        }
    });
    let answer = answer.map_err(|error| explain(&error))?;
    Ok(SymbolsResult {
        origin,
        symbols: answer.symbols,
        truncated: answer.truncated,
        total: answer.total,
        elapsed_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
    })
}

/// Where an answer about symbols came from: what is not outlined yet is not indexed.
pub(super) fn origin_of(warm: &Warm, snapshot: &crate::workspace::Snapshot) -> Origin {
    let origin = warm.workspace.origin(snapshot);
    match origin.freshness {
        Freshness::Live if snapshot.tree.totals().unoutlined > 0 => {
            Origin { freshness: Freshness::Indexing, ..origin }
        }
        _ => origin,
    }
}

fn outline(services: &Services, query: &OutlineQuery, cancel: &Cancel) -> RpcResult<OutlineResult> {
    let _stage = stage!("outlines").entered();
    let cwd = directory(&query.cwd)?;
    let _entered = services.workspaces.foreground.enter();
    let mut views = Views { services, no_sync: query.no_sync, known: HashMap::new() };
    let files: Vec<Asked<'_>> =
        query.files.iter().map(|named| views.asked(named, &cwd, cancel)).collect();
    let room = AtomicUsize::new(services.config.limits.answer_bytes);
    let outlines = each_outlined(services, &files, cancel, |asked, outlined| {
        let outcome = outlined
            .and_then(|outlined| fits(asked.named, Arc::unwrap_or_clone(outlined.outline), &room));
        let outcome = outcome.map_or_else(|error| Outcome::Failed { error }, Outcome::Outline);
        FileOutline { path: asked.named.clone(), outcome }
    });
    let origin =
        files.iter().find_map(|asked| Some(asked.view.as_ref().ok()?.as_ref()?.origin.clone()));
    Ok(OutlineResult { origin: origin.unwrap_or_default(), files: outlines })
}

/// Files that are printed before the first of them is handed over.
const TOGETHER: usize = 128;

/// Takes the outline of a file as it is printed. False when nobody wants more.
pub(super) type Reader<'a> = dyn FnMut(&Text, Result<&Printed, FileError>) -> bool + 'a;

/// Prints the outlines of files, in their order. What was printed before of a file in its present state
/// is at hand: then nothing is asked of it but its stat.
pub(super) fn print_outlines(
    services: &Services,
    query: &OutlineQuery,
    color: bool,
    cancel: &Cancel,
    reader: &mut Reader<'_>,
) -> RpcResult<()> {
    let _stage = stage!("outlines").entered();
    let cwd = directory(&query.cwd)?;
    let _entered = services.workspaces.foreground.enter();
    let rules = outlines::rules(&services.config);
    let mut views = Views { services, no_sync: query.no_sync, known: HashMap::new() };
    for files in query.files.chunks(TOGETHER) {
        let states: Vec<Option<(u64, Key)>> =
            files.iter().map(|named| state(&cwd.join(named.as_path()), rules, color)).collect();
        let known = |state: &Option<(u64, Key)>| services.cache.known::<Printed>(state.as_ref()?.1);
        let known: Vec<Option<Arc<Printed>>> = states.iter().map(known).collect();
        let missing = (0..files.len()).filter(|at| known[*at].is_none());
        let missing: Vec<(usize, Asked<'_>)> =
            missing.map(|at| (at, views.asked(&files[at], &cwd, cancel))).collect();
        let (places, missing): (Vec<usize>, Vec<Asked<'_>>) = missing.into_iter().unzip();
        let made = each_outlined(services, &missing, cancel, |_, outlined| {
            outlined.map(|outlined| (Arc::new(Printed::of(&outlined, color)), outlined.print))
        });
        let mut made = places.into_iter().zip(made);
        for (at, known) in known.into_iter().enumerate() {
            let printed = match known {
                Some(printed) => Ok(printed),
                None => match made.next() {
                    Some((_, Ok((printed, print)))) => {
                        keep(services, states[at].filter(|(state, _)| *state == print), &printed);
                        Ok(printed)
                    }
                    Some((_, Err(error))) => Err(error),
                    None => return Ok(()),
                },
            };
            let wanted = match printed {
                Ok(printed) => reader(&files[at], Ok(&printed)),
                Err(error) => reader(&files[at], Err(error)),
            };
            if !wanted || cancel.is_cancelled() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The state of a file, and under what it is known as it is printed; `None` where that could change
/// without another state. By way of a link another name decides on the language.
fn state(path: &Path, rules: u64, color: bool) -> Option<(u64, Key)> {
    let stat = rustix::fs::lstat(path).ok()?;
    let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    if !is_file || is_fresh(&stat) {
        return None;
    }
    let print = print(&stat);
    let key = Key::of(Namespace::Printed)
        .bytes(path.file_name()?.as_bytes())
        .number(print)
        .number(rules)
        .number(color.into());
    Some((print, key.finish()))
}

fn keep(services: &Services, state: Option<(u64, Key)>, printed: &Arc<Printed>) {
    if let Some((_, key)) = state {
        let copy = || Ok::<_, Missing<Infallible>>(Printed::clone(printed));
        let _ = services.cache.get_or_compute(key, copy);
    }
}

/// A file of a query.
struct Asked<'a> {
    named: &'a Text,
    path: PathBuf,
    view: Found,
}

/// Outlines files, several at a time, and makes something of each.
fn each_outlined<T: Send>(
    services: &Services,
    files: &[Asked<'_>],
    cancel: &Cancel,
    make: impl Fn(&Asked<'_>, Result<Outlined, FileError>) -> T + Sync,
) -> Vec<T> {
    let limits = outlines::limits(&services.config);
    let rules = outlines::rules(&services.config);
    let one = |extractor: &mut Extractor, asked: &Asked<'_>| {
        let cancelled = || Kind::Cancelled.error("the query was cancelled", "");
        let stored = match &asked.view {
            Ok(view) if !cancel.is_cancelled() => view.as_ref().and_then(View::stored),
            Ok(_) => return make(asked, Err(file_error(&cancelled()))),
            Err(error) => return make(asked, Err(file_error(error))),
        };
        let mut maker = Maker { extractor, cache: &services.cache, rules };
        make(asked, symbols::outline(asked.named, &asked.path, stored.as_ref(), &mut maker))
    };
    services.crew.workers(|| Extractor::new(limits)).map(files, 1, one)
}

/// Takes an outline if an answer has room for it besides the others.
fn fits(named: &Text, outline: Outline, room: &AtomicUsize) -> Result<Outline, FileError> {
    let text = |symbol: &OutlineSymbol| {
        let doc = symbol.doc.as_ref().map_or(0, |doc| doc.as_bytes().len());
        symbol.name.as_bytes().len() + symbol.signature.as_bytes().len() + doc
    };
    // Text may be escaped; names of fields and numbers come to less than this.
    let size: usize = outline.symbols.iter().map(|symbol| 2 * text(symbol) + 320).sum();
    let took =
        room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(size));
    took.map(|_| outline).map_err(|_| FileError {
        kind: Kind::TooLarge,
        message: format!(
            "the outline of `{}` is larger than what an answer has room for",
            named.as_path().display()
        ),
        hint: "ask for fewer files at once, or raise `limits.answer_bytes`".to_owned(),
    })
}

fn file_error(error: &ErrorObjectOwned) -> FileError {
    let data: Option<ErrorData> =
        error.data().and_then(|data| serde_json::from_str(data.get()).ok());
    let (kind, hint) = data.map_or((Kind::Internal, String::new()), |data| (data.kind, data.hint));
    FileError { kind, message: error.message().to_owned(), hint }
}

/// The workspace of a file, if it is in one.
type Found = RpcResult<Option<View>>;

/// A workspace as a query sees it.
#[derive(Clone)]
struct View {
    warm: Arc<Warm>,
    snapshot: Arc<crate::workspace::Snapshot>,
    store: Option<Arc<crate::store::Store>>,
    origin: Origin,
}

impl View {
    fn stored(&self) -> Option<Stored<'_>> {
        let store = self.store.as_deref()?;
        Some(Stored { root: self.warm.workspace.root(), snapshot: &self.snapshot, store })
    }
}

/// The workspaces that files of a query are in, each looked at once.
struct Views<'a> {
    services: &'a Services,
    no_sync: bool,
    known: HashMap<PathBuf, View>,
}

impl Views<'_> {
    fn asked<'t>(&mut self, named: &'t Text, cwd: &Path, cancel: &Cancel) -> Asked<'t> {
        let path = cwd.join(named.as_path());
        let path = path.canonicalize().unwrap_or(path);
        let view = match cancel.is_cancelled() {
            true => Err(Kind::Cancelled.error("the query was cancelled", "")),
            false => self.of(&path),
        };
        Asked { named, path, view }
    }

    /// That of a canonical path; `None` where it is in none, or only becomes one by being indexed.
    fn of(&mut self, path: &Path) -> RpcResult<Option<View>> {
        let Some(warm) = self.services.workspaces.of(path) else { return Ok(None) };
        let root = warm.workspace.root().to_owned();
        if let Some(view) = self.known.get(&root) {
            return Ok(Some(view.clone()));
        }
        let snapshot = synced(self.services, &warm, self.no_sync)
            .map_err(|failed| not_synced(&root, failed))?;
        let store = warm.repository.store().filter(|store| store.epoch() == snapshot.epoch);
        let origin = origin_of(&warm, &snapshot);
        let view = View { warm, snapshot, store, origin };
        self.known.insert(root, view.clone());
        Ok(Some(view))
    }
}

pub(super) fn explain(error: &SymbolsError) -> ErrorObjectOwned {
    let text = error.to_string();
    match error {
        SymbolsError::Empty => Kind::BadPattern.error(text, "give a name, or some of its letters"),
        SymbolsError::Unknown { near, list, .. } => {
            let all = format!("`{list}` lists them all");
            let hint = near.as_ref().map_or(all, |near| format!("did you mean `{near}`?"));
            Kind::BadFilter.error(text, hint)
        }
        SymbolsError::Workspace(root, failed) => not_synced(root, *failed),
        SymbolsError::Cancelled => Kind::Cancelled.error(text, ""),
    }
}
