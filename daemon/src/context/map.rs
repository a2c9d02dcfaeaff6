//! The map of a workspace: the definitions that matter most, as far as there is room.

use super::graph::Graphs;
use super::table::Table;
use super::{Around, read, table};
use crate::profile::stage;
use crate::store::StoreError;
use hob_index::context::documents::Sort;
use hob_index::context::map::{Map, Outlined, Shown, importance, is_worth_a_line};
use hob_index::context::rank::Corpus as _;
use hob_index::graph::{Definition, Graph, Ranked, Wanted, rounded};
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::{Kind, languages};
use hob_index::words::{Word, each};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Files that are read before it is seen whether there is still room.
const WINDOW: usize = 16;
/// A line of a map has at least about so many tokens.
const LEAST_LINE: usize = 4;
/// So many definitions are looked at, at most.
const MOST: usize = 100_000;
/// After so many definitions in a row that do not fit, there is no room.
const MISSES: usize = 24;
/// The part of a budget that goes to important files' names: one in so many.
const NAMES_SHARE: usize = 10;
/// Answers that are kept, of one state of a workspace, if they are not larger.
const ANSWERS: usize = 16;
const KEPT_BYTES: usize = 256 << 10;
/// So many mentions count, and so much of each.
const MENTIONS: usize = 256;
const MENTION_BYTES: usize = 1_024;
/// The part of a budget that goes to what is mentioned itself: one in so many.
const SPOKEN_SHARE: usize = 3;
/// What a file in focus counts where the walk begins, one whose path is mentioned, and one that defines
/// what is mentioned.
const FOCUS: f32 = 1.0;
const PATH: f32 = 1.0;
const DEFINES: f32 = 0.5;
/// A word that is in more paths, or names, than these says too little.
const MOST_MEANT: usize = 20;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MapAsked {
    /// In tokens.
    pub(crate) budget: usize,
    /// Paths of files in focus, from the root: they are left out.
    pub(crate) focus: Vec<Vec<u8>>,
    /// Words, names of code and paths that are spoken of.
    pub(crate) mentions: Vec<Vec<u8>>,
    /// By what tokens are counted.
    pub(crate) tokens: super::tokens::Tokens,
}

/// The answer.
#[derive(Debug, Default)]
pub(crate) struct Mapped {
    pub(crate) text: Vec<u8>,
    pub(crate) tokens: usize,
    /// The names of files that stand above all.
    pub(crate) named: Vec<Vec<u8>>,
    /// The files that are drawn, in the order of the text.
    pub(crate) files: Vec<Vec<u8>>,
    /// The definitions, the most important first.
    pub(crate) definitions: Vec<Mentioned>,
    /// Everything was looked at: no file was left out for being new.
    pub(crate) is_whole: bool,
}

/// A definition that is drawn.
#[derive(Debug)]
pub(crate) struct Mentioned {
    pub(crate) path: Vec<u8>,
    pub(crate) name: Vec<u8>,
    pub(crate) kind: Kind,
    /// The line of its name, and its last line.
    pub(crate) lines: (u32, u32),
}

/// What is kept of a workspace.
#[derive(Default)]
pub(super) struct Maps {
    graphs: Graphs,
    answers: Mutex<Answers>,
}

/// The last answers, and the files that they are of.
#[derive(Default)]
struct Answers {
    of: Weak<Table>,
    answers: Vec<(MapAsked, Arc<Mapped>)>,
}

/// Draws the map. None where the query is cancelled.
pub(crate) fn map(around: &Around<'_>, asked: &MapAsked) -> Option<Arc<Mapped>> {
    match try_map(around, asked) {
        Ok(mapped) => mapped,
        Err(error) => {
            tracing::warn!(%error, "a map is drawn without the store");
            try_map(&Around { store: None, ..around.clone() }, asked).ok()?
        }
    }
}

fn try_map(around: &Around<'_>, asked: &MapAsked) -> Result<Option<Arc<Mapped>>, StoreError> {
    let maps = &around.kept.maps;
    let table = table(around);
    if let Some(known) = maps.known(&table, asked) {
        return Ok(Some(known));
    }
    let Some((graph, is_whole)) = maps.graphs.of(around, &table)? else { return Ok(None) };
    let Some(spoken) = Spoken::of(around, &table, asked)? else { return Ok(None) };
    let Some(mapped) = draw(around, &table, &graph, asked, &spoken) else { return Ok(None) };
    let mapped = Arc::new(Mapped { is_whole: is_whole && table.is_whole, ..mapped });
    maps.keep(&table, asked, &mapped);
    Ok(Some(mapped))
}

impl MapAsked {
    /// What is asked, as far as it counts.
    pub(crate) fn new<'a>(
        budget: usize,
        focus: Vec<Vec<u8>>,
        mentions: impl Iterator<Item = &'a [u8]>,
        tokens: super::tokens::Tokens,
    ) -> Self {
        let mention = |one: &[u8]| one[..one.len().min(MENTION_BYTES)].to_vec();
        let mentions = mentions.take(MENTIONS).map(mention).collect();
        Self { budget, focus, mentions, tokens }
    }
}

impl Maps {
    fn known(&self, table: &Arc<Table>, asked: &MapAsked) -> Option<Arc<Mapped>> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let Answers { of, answers } = &*answers;
        let is_same = std::ptr::eq(of.as_ptr(), Arc::as_ptr(table));
        let known = answers.iter().find(|(known, _)| is_same && known == asked);
        known.map(|(_, mapped)| mapped.clone())
    }

    fn keep(&self, table: &Arc<Table>, asked: &MapAsked, mapped: &Arc<Mapped>) {
        let asked_bytes: usize = asked.mentions.iter().chain(&asked.focus).map(Vec::len).sum();
        if mapped.text.len() + asked_bytes > KEPT_BYTES {
            return;
        }
        let mut kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let Answers { of, answers } = &mut *kept;
        if !std::ptr::eq(of.as_ptr(), Arc::as_ptr(table)) {
            *of = Arc::downgrade(table);
            answers.clear();
        }
        if answers.len() == ANSWERS {
            answers.remove(0);
        }
        answers.push((asked.clone(), mapped.clone()));
    }
}

fn draw(
    around: &Around<'_>,
    table: &Table,
    graph: &Graph,
    asked: &MapAsked,
    spoken: &Spoken,
) -> Option<Mapped> {
    let ranked = rank(around, graph, asked, spoken)?;
    let _stage = stage!("map.draw").entered();
    let count = |text: &[u8]| asked.tokens.count(text);
    let mut map = Map::new(asked.budget, &count);
    for path in important(table, spoken) {
        map.name(path, asked.budget / NAMES_SHARE);
    }
    let mut files = Files { around, table, numbers: HashMap::new() };
    files.draw_spoken(&mut map, spoken, &ranked.files, asked.budget / SPOKEN_SHARE)?;
    let is_left = |definition: &&Definition| !spoken.focus.contains(&definition.file);
    let definitions: Vec<Definition> = ranked.definitions.iter().filter(is_left).copied().collect();
    let is_full = files.draw_definitions(&mut map, &definitions)?;
    if !is_full {
        files.draw_rest(&mut map, &ranked.files, &spoken.focus)?;
    }
    let (drawn, files) = map.finish();
    let mentioned = |shown: &Shown| {
        let file = &files[shown.file];
        let symbol = &file.symbols[shown.symbol as usize];
        let (path, name) = (file.path.clone(), file.name(shown.symbol).to_vec());
        Mentioned { path, name, kind: symbol.kind, lines: (symbol.line, symbol.last_line) }
    };
    Some(Mapped {
        definitions: drawn.shown.iter().map(mentioned).collect(),
        files: drawn.files.iter().map(|file| files[*file].path.clone()).collect(),
        text: drawn.text,
        tokens: drawn.tokens,
        named: drawn.named,
        is_whole: false,
    })
}

/// The files that people look at first, in that order.
fn important<'a>(table: &'a Table, spoken: &Spoken) -> Vec<&'a [u8]> {
    let documents = (0..).zip(table.documents.all());
    let mut important: Vec<(usize, &[u8])> = documents
        .filter(|(at, _)| !spoken.focus.contains(at))
        .filter_map(|(_, one)| Some((importance(&one.path)?, one.path.as_slice())))
        .collect();
    important.sort_unstable();
    important.into_iter().map(|(_, path)| path).collect()
}

/// What a map is asked for.
struct Spoken {
    focus: HashSet<u32>,
    /// The names that are mentioned, and which files define them.
    names: Vec<(Word, Vec<u32>)>,
    /// Files whose paths are mentioned, and how much each counts.
    paths: Vec<(u32, f32)>,
}

impl Spoken {
    /// None where the query is cancelled.
    fn of(
        around: &Around<'_>,
        table: &Table,
        asked: &MapAsked,
    ) -> Result<Option<Self>, StoreError> {
        let documents = &table.documents;
        let focus = asked.focus.iter().filter_map(|path| documents.number(path)).collect();
        let mut names: Vec<(Word, Vec<u32>)> = Vec::new();
        let mut paths: BTreeMap<u32, f32> = BTreeMap::new();
        let mut lead = |file: u32, weight: f32| {
            let known = paths.entry(file).or_default();
            *known = known.max(weight);
        };
        let corpus = table.corpus(around.store.as_deref());
        for mention in &asked.mentions {
            if (around.stops)() {
                return Ok(None);
            }
            let ending = documents.ending_with(mention);
            ending.iter().for_each(|file| lead(*file, PATH));
            each(mention, |found| {
                let named = documents.with_word(found.word).iter().filter(|one| one.in_base);
                let named: Vec<u32> = named.map(|one| one.document).collect();
                if ending.is_empty() && named.len() <= MOST_MEANT {
                    named.iter().for_each(|file| lead(*file, PATH / named.len() as f32));
                }
            });
            let inside = if ending.is_empty() { documents.beneath(mention) } else { Vec::new() };
            inside.iter().for_each(|file| lead(*file, PATH / inside.len() as f32));
            let word = Word::of_identifier(mention);
            if let Some(word) = word.filter(|word| names.iter().all(|(known, _)| known != word)) {
                let definers = corpus.names(word.name());
                names.push((word, definers.into_iter().map(|(file, _)| file).collect()));
            }
        }
        match corpus.error() {
            Some(error) => Err(error),
            None => Ok(Some(Self { focus, names, paths: paths.into_iter().collect() })),
        }
    }
}

/// Ranks files and definitions for what is in focus and mentioned.
fn rank(around: &Around<'_>, graph: &Graph, asked: &MapAsked, spoken: &Spoken) -> Option<Ranked> {
    let _stage = stage!("map.rank").entered();
    let mut files: Vec<(u32, f32)> = spoken.focus.iter().map(|file| (*file, FOCUS)).collect();
    files.extend(&spoken.paths);
    for (_, definers) in spoken.names.iter().filter(|(_, files)| files.len() <= MOST_MEANT) {
        files.extend(definers.iter().map(|file| (*file, DEFINES / definers.len() as f32)));
    }
    files.sort_by_key(|(file, _)| *file);
    let names: Vec<Word> = spoken.names.iter().map(|(word, _)| *word).collect();
    let most = (asked.budget / LEAST_LINE).min(MOST);
    graph.ranked(&Wanted { files: &files, names: &names, most }, around.stops)
}

/// Which of two files comes first: the better one, by as many digits as ranks are settled to.
fn by_rank(ranks: &[f32], a: u32, b: u32) -> std::cmp::Ordering {
    let rank = |file: u32| rounded(ranks[file as usize]);
    rank(b).total_cmp(&rank(a)).then(a.cmp(&b))
}

/// The files that are drawn.
struct Files<'a> {
    around: &'a Around<'a>,
    table: &'a Table,
    /// The number of a document in the map; none where it cannot be read.
    numbers: HashMap<u32, Option<usize>>,
}

impl Files<'_> {
    /// Draws the definitions of names that are mentioned, and what files define whose paths are.
    fn draw_spoken(
        &mut self,
        map: &mut Map<'_>,
        spoken: &Spoken,
        ranks: &[f32],
        limit: usize,
    ) -> Option<()> {
        let is_drawn = |file: &u32| !spoken.focus.contains(file);
        for (word, definers) in spoken.names.iter().filter(|(_, files)| files.len() <= MOST_MEANT) {
            let mut definers: Vec<u32> = definers.iter().copied().filter(is_drawn).collect();
            definers.sort_by(|a, b| by_rank(ranks, *a, *b));
            for document in definers {
                let Some(file) = self.number(map, document, std::iter::empty())? else { continue };
                for symbol in map.defining(file, *word) {
                    map.add(file, symbol, limit);
                }
            }
        }
        let mut misses = 0;
        for document in spoken.paths.iter().map(|(file, _)| *file).filter(is_drawn) {
            let Some(file) = self.number(map, document, std::iter::empty())? else { continue };
            let symbols = (0..).zip(&map.at(file).symbols);
            let top = symbols.filter(|(_, one)| one.parent.is_none() && is_worth_a_line(one.kind));
            for symbol in top.map(|(at, _)| at).collect::<Vec<u32>>() {
                misses = if map.add(file, symbol, limit) { 0 } else { misses + 1 };
                if misses >= MISSES {
                    return Some(());
                }
            }
        }
        Some(())
    }

    /// The number in the map of the first of these documents; none where it cannot be read. Those after it
    /// are read with it.
    fn number(
        &mut self,
        map: &mut Map<'_>,
        document: u32,
        next: impl Iterator<Item = u32>,
    ) -> Option<Option<usize>> {
        if !self.numbers.contains_key(&document) {
            self.read(map, std::iter::once(document).chain(next))?;
        }
        Some(self.numbers.get(&document).copied().flatten())
    }

    /// Draws the best definitions. Says whether there is no more room; none where the query is cancelled.
    fn draw_definitions(&mut self, map: &mut Map<'_>, definitions: &[Definition]) -> Option<bool> {
        let mut misses = 0;
        for (at, definition) in definitions.iter().enumerate() {
            let next = definitions[at..].iter().map(|definition| definition.file);
            let Some(file) = self.number(map, definition.file, next)? else { continue };
            if (self.around.stops)() {
                return None;
            }
            // Of what is written several times, as overloads are, one line says it.
            let mut seen = HashSet::new();
            for symbol in map.defining(file, definition.name) {
                if seen.insert(map.at(file).symbols[symbol as usize].parent) {
                    misses = if map.add(file, symbol, usize::MAX) { 0 } else { misses + 1 };
                }
            }
            if misses >= MISSES {
                return Some(true);
            }
        }
        Some(false)
    }

    /// Draws what nobody mentions, of the best files first.
    fn draw_rest(&mut self, map: &mut Map<'_>, ranks: &[f32], focus: &HashSet<u32>) -> Option<()> {
        let documents = self.table.documents.all();
        let is_test = |file: &u32| documents[*file as usize].sort == Sort::Test;
        let is_drawn = |file: &u32| {
            let document = &documents[*file as usize];
            matches!(document.sort, Sort::Code | Sort::Test)
                && languages::named(&document.path).is_some()
                && !focus.contains(file)
        };
        let mut order: Vec<u32> = (0..documents.len() as u32).filter(is_drawn).collect();
        order.sort_by(|a, b| is_test(a).cmp(&is_test(b)).then(by_rank(ranks, *a, *b)));
        let mut misses = 0;
        for (at, document) in order.iter().enumerate() {
            let next = order[at..].iter().copied();
            let Some(file) = self.number(map, *document, next)? else { continue };
            let symbols = (0..).zip(&map.at(file).symbols);
            let wanted: Vec<u32> = symbols
                .filter(|(_, symbol)| is_worth_a_line(symbol.kind))
                .map(|(at, _)| at)
                .collect();
            if (self.around.stops)() {
                return None;
            }
            for symbol in wanted {
                misses = if map.add(file, symbol, usize::MAX) { 0 } else { misses + 1 };
                if misses >= MISSES {
                    return Some(());
                }
            }
        }
        Some(())
    }

    /// Reads the next files that were not read yet.
    fn read(&mut self, map: &mut Map<'_>, next: impl Iterator<Item = u32>) -> Option<()> {
        let _stage = stage!("map.read").entered();
        let mut seen = HashSet::new();
        let is_new = |file: &u32| !self.numbers.contains_key(file) && seen.insert(*file);
        let wanted: Vec<u32> = next.filter(is_new).take(WINDOW).collect();
        let (around, table) = (self.around, self.table);
        let one = |extractor: &mut Option<Extractor>, document: &u32| {
            let path = &table.documents.all()[*document as usize].path;
            let file = &table.files[*document as usize];
            let extractor = extractor.get_or_insert_with(|| Extractor::new(around.limits));
            let (text, language, outline) = read(around, path, file, extractor)?;
            Some(Outlined { path: path.clone(), text, language, outline })
        };
        let read = around.crew.workers(|| None).map(&wanted, 2, one);
        if (around.stops)() {
            return None;
        }
        for (document, outlined) in wanted.into_iter().zip(read) {
            self.numbers.insert(document, outlined.map(|outlined| map.file(outlined)));
        }
        Some(())
    }
}
