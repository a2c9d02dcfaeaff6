//! The context of a request in words: which files, and which lines of them.
//!
//! What is ranked and packed, and how, is the engine's ([`hob_index::context`]). Here are the files of
//! a snapshot, the words in the store, the history, and the texts of what may be shown.

mod graph;
mod map;
mod past;
mod table;
mod tokens;

use crate::outlines::{Links, Source};
use crate::parallel::{Bulk, Crew};
use crate::profile::stage;
use crate::store::Store;
use crate::tasks::Tasks;
use crate::workspace::Snapshot;
use hob_index::context::documents::Documents;
use hob_index::context::history::History;
use hob_index::context::look::{self, Looked, look};
use hob_index::context::pack::{self, Packed, Packing, pack};
use hob_index::context::rank::{Candidate, Past, Weighed, candidates, settle, terms};
use hob_index::context::request::Request;
use hob_index::symbols::Outline;
use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages::Language;
use hob_index::tree::File;
pub(crate) use map::{MapAsked, Mapped, Mentioned, map};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use table::{Table, Tables};
pub(crate) use tokens::Tokens;

/// What is kept of a workspace from one request to the next.
#[derive(Default)]
pub(crate) struct Kept {
    tables: Tables,
    maps: map::Maps,
    past: past::Known,
    places: Places,
}

/// What is known of the past for the files of a table: there are tens of thousands of paths to look up.
type Places = Mutex<Option<(Arc<Documents>, Arc<Past>)>>;

impl Drop for Kept {
    fn drop(&mut self) {
        self.past.close();
    }
}

/// A state of a workspace, and what is needed to ask it.
#[derive(Clone)]
pub(crate) struct Around<'a> {
    pub(crate) root: &'a Path,
    pub(crate) snapshot: &'a Snapshot,
    /// The store that knows the snapshot's contents.
    pub(crate) store: Option<Arc<Store>>,
    pub(crate) kept: &'a Kept,
    pub(crate) limits: Limits,
    pub(crate) crew: &'a Crew,
    pub(crate) stops: &'a (dyn Fn() -> bool + Sync),
}

/// What is asked.
pub(crate) struct Asked<'a> {
    pub(crate) request: &'a str,
    /// In tokens.
    pub(crate) budget: usize,
    /// Paths of files in focus, from the root.
    pub(crate) focus: &'a [Vec<u8>],
    /// By what tokens are counted.
    pub(crate) tokens: Tokens,
}

/// The answer.
pub(crate) struct Answer {
    /// The files, the best first.
    pub(crate) files: Vec<(Vec<u8>, Candidate)>,
    pub(crate) packed: Packed,
    /// Of each file that is shown its path, by the numbers in `packed`, and the names that it defines.
    pub(crate) shown: Vec<(Vec<u8>, Vec<String>)>,
    /// Everything was looked at: no file was left out for being new.
    pub(crate) is_whole: bool,
}

/// How many files may be shown.
const SHOWN: usize = 40;

/// Brings what is known of the past up to the commit that is checked out; waits for it a while.
pub(crate) fn recall(
    around: &Around<'_>,
    tasks: &Tasks,
    bulk: Bulk,
    patience: Duration,
) -> (Arc<History>, bool) {
    let _stage = stage!("context.history").entered();
    let means = past::Means { store: around.store.clone(), tasks: tasks.clone(), bulk, patience };
    around.kept.past.history(around.root, &means, around.stops)
}

/// Finds the context of a request.
pub(crate) fn context(around: &Around<'_>, history: &Arc<History>, asked: &Asked<'_>) -> Answer {
    let request = Request::of(asked.request);
    let table = table(around);
    let documents = table.documents.clone();
    let focus: Vec<u32> = asked.focus.iter().filter_map(|path| documents.number(path)).collect();
    let ranking = stage!("context.rank").entered();
    let corpus = table.corpus(around.store.as_deref());
    let past = past_of(around.kept, history, &documents);
    let (list, weighed) = candidates(&corpus, &past, &request, &focus);
    if let Some(error) = corpus.error() {
        tracing::warn!(%error, "a request is answered without the store");
        return context(&Around { store: None, ..around.clone() }, history, asked);
    }
    drop(ranking);
    let looked = look_into(around, &table, history, &request, list, &weighed);
    let mut files: Vec<(Candidate, Seen)> = settle(looked, |seen| &seen.looked);
    let _stage = stage!("context.pack").entered();
    // How large or how new a file is speaks for none that nothing else speaks for.
    files.retain(|(candidate, _)| !seen_nothing(candidate));
    let best = files.first().map_or(1.0, |(candidate, _)| candidate.score.max(1e-6));
    let path = |candidate: &Candidate| documents.all()[candidate.document as usize].path.clone();
    let paths: Vec<Vec<u8>> = files.iter().map(|(candidate, _)| path(candidate)).collect();
    let shown: Vec<pack::File<'_>> = files
        .iter()
        .zip(&paths)
        .take(SHOWN)
        .map(|((candidate, seen), path)| pack::File {
            path,
            text: &seen.text,
            score: candidate.score / best,
            chunks: &seen.looked.chunks,
        })
        .collect();
    let count = |text: &[u8]| asked.tokens.count(text);
    let packed = pack(&shown, Packing::new(asked.budget), &count);
    let shown = files.iter().zip(&paths).take(SHOWN);
    let shown = shown.map(|((_, seen), path)| (path.clone(), seen.names())).collect();
    let files =
        paths.into_iter().zip(files).map(|(path, (candidate, _))| (path, candidate)).collect();
    Answer { files, packed, shown, is_whole: table.is_whole }
}

fn past_of(kept: &Kept, history: &Arc<History>, documents: &Arc<Documents>) -> Arc<Past> {
    let known = kept.places.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let is_same = |(of, past): &(Arc<Documents>, Arc<Past>)| {
        Arc::ptr_eq(of, documents) && Arc::ptr_eq(&past.history, history)
    };
    if let Some((_, past)) = known.filter(is_same) {
        return past;
    }
    let past = Arc::new(Past::of(history.clone(), documents));
    let places = Some((documents.clone(), past.clone()));
    *kept.places.lock().unwrap_or_else(PoisonError::into_inner) = places;
    past
}

/// Whether no word, name, place or commit speaks for a file.
fn seen_nothing(candidate: &Candidate) -> bool {
    use hob_index::context::rank::Signal::{
        Code, Fields, Focus, Joined, Path, Place, Together, Votes,
    };
    let for_it = [Fields, Path, Code, Joined, Votes, Place, Focus, Together];
    for_it.iter().all(|signal| candidate.signals[*signal as usize] == 0.0)
}

fn table(around: &Around<'_>) -> Arc<Table> {
    let _stage = stage!("context.files").entered();
    let store = around.store.as_deref().map(|store| (store, around.snapshot.epoch));
    let means = table::Means {
        root: around.root,
        limits: around.limits,
        crew: around.crew,
        stops: around.stops,
    };
    around.kept.tables.of(&around.snapshot.tree, store, means)
}

/// A file that was looked into.
struct Seen {
    text: Vec<u8>,
    outline: Outline,
    looked: Looked,
}

impl Seen {
    /// The names of its definitions, by their places in the outline.
    fn names(&self) -> Vec<String> {
        let name = |symbol: &hob_index::symbols::Symbol| {
            let name = symbol.name.start as usize..symbol.name.end as usize;
            String::from_utf8_lossy(self.text.get(name).unwrap_or_default()).into_owned()
        };
        self.outline.symbols.iter().map(name).collect()
    }
}

fn look_into(
    around: &Around<'_>,
    table: &Table,
    history: &History,
    request: &Request,
    list: Vec<Candidate>,
    weighed: &Weighed,
) -> Vec<(Candidate, Seen)> {
    let _stage = stage!("context.look").entered();
    let voters: HashMap<u32, f32> = history.voters(&terms(request)).into_iter().collect();
    let mut places: HashMap<u32, Vec<u32>> = HashMap::new();
    for place in &request.places {
        for document in table.documents.ending_with(&place.path) {
            places.entry(document).or_default().extend(place.line);
        }
    }
    let one = |extractor: &mut Option<Extractor>, candidate: &Candidate| {
        if (around.stops)() {
            return None;
        }
        let path = &table.documents.all()[candidate.document as usize].path;
        let file = &table.files[candidate.document as usize];
        let extractor = extractor.get_or_insert_with(|| Extractor::new(around.limits));
        let (text, language, outline) = read(around, path, file, extractor)?;
        let written = history.number(path).map(|path| history.lines(path, &voters));
        let source = look::Source {
            text: &text,
            language,
            outline: &outline,
            written: written.unwrap_or_default(),
            places: places.get(&candidate.document).map_or(&[], Vec::as_slice),
        };
        let looked = look(&source, weighed);
        Some((candidate.clone(), Seen { text, outline, looked }))
    };
    let seen = around.crew.workers(|| None).map(&list, 4, one);
    seen.into_iter().flatten().collect()
}

/// The text of a file, its language and what it defines.
fn read(
    around: &Around<'_>,
    path: &[u8],
    file: &File,
    extractor: &mut Extractor,
) -> Option<(Vec<u8>, Option<&'static Language>, Outline)> {
    let source = Source::read(&around.root.join(OsStr::from_bytes(path)), Links::Refuse).ok()?;
    if source.is_binary() {
        return None;
    }
    let Some(language) = source.language(path) else {
        return Some((source.text().into_owned(), None, Outline::default()));
    };
    let doc = file.doc.known().filter(|_| file.outlined && file.print == source.print);
    let stored = around.store.as_deref().zip(doc);
    let known = stored.and_then(|(store, doc)| store.outline(doc, language.number).ok().flatten());
    let outline = known.unwrap_or_else(|| source.outline(language, extractor));
    Some((source.text().into_owned(), Some(language), outline))
}
