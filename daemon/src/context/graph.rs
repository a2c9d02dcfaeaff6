//! The graph of a snapshot's files, kept from one query to the next.
//!
//! Its base is made of the store in one pass, and lasts until too many files have changed since; those
//! are read, once each, and laid over it.

use super::Around;
use super::table::{Fresh, Passing, Table};
use crate::profile::stage;
use crate::store::{Field, Store, StoreError};
use hob_index::context::documents::{Document, Sort};
use hob_index::graph::{self, About, Base, Builder, Facts, Graph, Node};
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use hob_index::tree::File;
use hob_index::words::{Posting, Word};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many files that the store knows may differ from the base before it is made anew.
const MOST_CHANGED: usize = 400;
/// So many files that are not in the base are read for a query.
const MOST_READ: usize = 4_096;
/// Files that are read before another query may come in between.
const WINDOW: usize = 32;
/// What a test counts beside code.
const TEST_WEIGHT: f32 = 0.2;

/// What is kept of a workspace.
#[derive(Default)]
pub(super) struct Graphs {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    kept: Option<Arc<Kept>>,
    /// Somebody makes the next one.
    is_made: bool,
}

struct Kept {
    /// The files that the graph is of.
    table: Arc<Table>,
    /// Those that its base is of.
    based: Arc<Based>,
    own: HashMap<Vec<u8>, Own>,
    about: Arc<[About]>,
    graph: Arc<Graph>,
    /// No file was left out for being new.
    is_whole: bool,
}

/// The files of a base. A file's number in it is its document's.
struct Based {
    table: Arc<Table>,
    /// What the store knew of the document is in the base.
    has: Vec<bool>,
    /// And it is code.
    code: Vec<bool>,
    base: Arc<Base>,
}

/// What a file says that is not in the base.
#[derive(Clone)]
struct Own {
    state: (u64, u32),
    facts: Arc<Facts>,
}

impl Graphs {
    /// The graph of a table's files, and whether all of them are in it. None where the query is cancelled.
    pub(super) fn of(
        &self,
        around: &Around<'_>,
        table: &Arc<Table>,
    ) -> Result<Option<(Arc<Graph>, bool)>, StoreError> {
        let _stage = stage!("map.graph").entered();
        let Some(turn) = self.turn(around.stops) else { return Ok(None) };
        let is_same = |known: &&Arc<Kept>| Arc::ptr_eq(&known.table, table) && known.is_whole;
        if let Some(known) = turn.before.as_ref().filter(is_same) {
            return Ok(Some((known.graph.clone(), known.is_whole)));
        }
        match make(around, table, turn.before.as_deref()) {
            Err(StoreError::Stopped) => Ok(None),
            Err(error) => Err(error),
            Ok(new) => {
                let made = (new.graph.clone(), new.is_whole);
                self.lock().kept = Some(Arc::new(new));
                Ok(Some(made))
            }
        }
    }

    /// Waits while another makes one, but not longer than the query does.
    fn turn(&self, stops: &dyn Fn() -> bool) -> Option<Turn<'_>> {
        let mut state = self.lock();
        while state.is_made {
            if stops() {
                return None;
            }
            let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.is_made = true;
        Some(Turn { graphs: self, before: state.kept.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has it makes the next graph; dropping it lets another one.
struct Turn<'a> {
    graphs: &'a Graphs,
    before: Option<Arc<Kept>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.graphs.lock().is_made = false;
        self.graphs.changed.notify_all();
    }
}

/// Who waits looks so often whether the query is still wanted.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

fn make(
    around: &Around<'_>,
    table: &Arc<Table>,
    before: Option<&Kept>,
) -> Result<Kept, StoreError> {
    let usable = before.filter(|before| before.based.table.epoch == table.epoch);
    let based = match usable.filter(|before| changed(&before.based, table) <= MOST_CHANGED) {
        Some(before) => before.based.clone(),
        None => Arc::new(base(around, table)?),
    };
    let (nodes, own, is_whole) = nodes(around, table, &based, before);
    if (around.stops)() {
        return Err(StoreError::Stopped);
    }
    let is_same = |before: &&Kept| Arc::ptr_eq(&before.table.documents, &table.documents);
    let about: Arc<[About]> = match before.filter(is_same) {
        Some(before) => before.about.clone(),
        None => table.documents.all().iter().map(about).collect(),
    };
    let ranks = before.map_or_else(Vec::new, |before| ranks(before, table));
    let source = InStore { store: around.store.as_deref(), based: &based };
    let graph = Graph::new(based.base.clone(), &nodes, &about, &ranks, &source, around.stops)?;
    let graph = graph.ok_or(StoreError::Stopped)?;
    Ok(Kept { table: table.clone(), based, own, about, graph: Arc::new(graph), is_whole })
}

/// The language of a file that names other files' definitions: its path tells it. A script without an
/// extension is in no graph.
fn code(path: &[u8]) -> Option<&'static Language> {
    languages::named(path).filter(|language| language.has_references())
}

fn is_code(path: &[u8]) -> bool {
    code(path).is_some()
}

/// How much a file counts, and which others it can mention.
fn about(document: &Document) -> About {
    let Some(language) = code(&document.path) else { return About::default() };
    let weight = if document.sort == Sort::Test { TEST_WEIGHT } else { 1.0 };
    About { weight, family: language.family() }
}

/// How many files the store knows that are not in a base as they are.
fn changed(based: &Based, table: &Table) -> usize {
    let is_new = |(document, file): &(u32, &File)| {
        is_stored(file) && place(based, table, *document, file).is_none()
    };
    (0..).zip(&table.files).filter(is_new).count()
}

fn is_stored(file: &File) -> bool {
    file.doc.known().is_some() && file.outlined
}

/// Where a document stands in a base, if it is there as it is.
fn place(based: &Based, table: &Table, document: u32, file: &File) -> Option<u32> {
    let at = match Arc::ptr_eq(&based.table.documents, &table.documents) {
        true => document,
        false => based.table.documents.number(&table.documents.all()[document as usize].path)?,
    };
    let is_same = based.has[at as usize] && based.table.files[at as usize].doc == file.doc;
    (is_same && is_stored(file)).then_some(at)
}

/// Makes a base of what the store knows of the files.
fn base(around: &Around<'_>, table: &Arc<Table>) -> Result<Based, StoreError> {
    let _stage = stage!("map.base").entered();
    let documents = table.documents.all().iter().zip(&table.files);
    let code: Vec<bool> =
        documents.map(|(document, file)| is_stored(file) && is_code(&document.path)).collect();
    let has = table.files.iter().map(is_stored).collect();
    let mut builder = Builder::new(table.files.len());
    let Some(store) = around.store.as_deref() else {
        let (none, base) = (vec![false; table.files.len()], Arc::new(builder.finish()));
        return Ok(Based { table: table.clone(), has: none.clone(), code: none, base });
    };
    let wants = |definers: &[Posting]| {
        definers.iter().any(|(content, _)| table.with_content(*content).any(|at| code[at as usize]))
    };
    let files = |list: &[Posting]| files(table, &code, list);
    let mut take = |word: Word, definers: &[Posting], mentioners: &[Posting]| {
        let definers = files(definers);
        let mentioners = match Builder::wants_mentions(definers.len()) {
            true => files(mentioners),
            false => Vec::new(),
        };
        builder.add(word, &definers, &mentioners);
    };
    store.each_name(&wants, &mut take, around.stops)?;
    Ok(Based { table: table.clone(), has, code, base: Arc::new(builder.finish()) })
}

/// The files of contents that are code, in order, each once.
fn files(table: &Table, code: &[bool], list: &[Posting]) -> Vec<(u32, u32)> {
    let mut files: Vec<(u32, u32)> = list
        .iter()
        .flat_map(|(content, number)| table.with_content(*content).map(|at| (at, *number)))
        .filter(|(at, _)| code[*at as usize])
        .collect();
    // Of a content that is of two languages the greatest counts.
    files.sort_unstable_by_key(|(at, number)| (*at, Reverse(*number)));
    files.dedup_by_key(|(at, _)| *at);
    files
}

/// Where what each file says comes from; what is not in the base is read, if it is not known from before.
fn nodes(
    around: &Around<'_>,
    table: &Table,
    based: &Based,
    before: Option<&Kept>,
) -> (Vec<Node>, HashMap<Vec<u8>, Own>, bool) {
    let nothing = Arc::new(Facts::default());
    let mut nodes = Vec::with_capacity(table.files.len());
    let mut wanted: Vec<(u32, File)> = Vec::new();
    for (document, file) in (0..).zip(&table.files) {
        match place(based, table, document, file) {
            Some(at) => nodes.push(Node::Base(at)),
            None => {
                nodes.push(Node::Own(nothing.clone()));
                if is_code(&table.documents.all()[document as usize].path) {
                    wanted.push((document, *file));
                }
            }
        }
    }
    let misses = AtomicBool::new(false);
    let read = |extractor: &mut Option<Extractor>, (document, file): &(u32, File)| {
        if (around.stops)() {
            return None;
        }
        let path = table.documents.all()[*document as usize].path.as_slice();
        let state = (file.print, file.touch);
        let known = before.and_then(|before| before.own.get(path));
        if let Some(own) = known.filter(|own| own.state == state) {
            return Some((*document, own.clone()));
        }
        let fresh = match table.fresh(*document) {
            Some(fresh) => fresh.clone(),
            None => {
                let extractor = extractor.get_or_insert_with(|| Extractor::new(around.limits));
                match Fresh::read(around.root, path, file, false, extractor) {
                    Ok(fresh) => Arc::new(fresh?),
                    Err(Passing) => {
                        misses.store(true, Ordering::Relaxed);
                        return None;
                    }
                }
            }
        };
        let facts = Arc::new(Facts::new(&fresh.mentions, &fresh.names));
        Some((*document, Own { state: fresh.state, facts }))
    };
    let is_whole = wanted.len() <= MOST_READ;
    wanted.truncate(MOST_READ);
    let workers = around.crew.workers(|| None);
    let mut own = HashMap::new();
    for window in wanted.chunks(WINDOW) {
        for (document, one) in workers.map(window, 1, read).into_iter().flatten() {
            nodes[document as usize] = Node::Own(one.facts.clone());
            own.insert(table.documents.all()[document as usize].path.clone(), one);
        }
    }
    (nodes, own, is_whole && !misses.into_inner())
}

/// The ranks that files had before.
fn ranks(before: &Kept, table: &Table) -> Vec<f32> {
    let ranks = before.graph.ranks();
    if Arc::ptr_eq(&before.table.documents, &table.documents) {
        return ranks;
    }
    let rank =
        |path: &[u8]| before.table.documents.number(path).map_or(0.0, |at| ranks[at as usize]);
    table.documents.all().iter().map(|document| rank(&document.path)).collect()
}

/// What the store says of the files of a base.
struct InStore<'a> {
    store: Option<&'a Store>,
    based: &'a Based,
}

impl InStore<'_> {
    fn list(&self, field: Field, word: Word) -> Result<Vec<(u32, u32)>, StoreError> {
        let Some(store) = self.store else { return Ok(Vec::new()) };
        let Based { table, code, .. } = self.based;
        Ok(files(table, code, &store.words(field, word)?))
    }
}

impl graph::Source for InStore<'_> {
    type Error = StoreError;

    fn definers(&self, name: Word) -> Result<Vec<(u32, u32)>, StoreError> {
        self.list(Field::Names, name.name())
    }

    fn mentioners(&self, word: Word) -> Result<Vec<(u32, u32)>, StoreError> {
        self.list(Field::Text, word)
    }
}
