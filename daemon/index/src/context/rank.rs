//! Which files a request is about: several signals, each weak alone, added up.
//!
//! [`Signal`] is the table of them. Each is divided by its greatest value over the files, so that
//! the weights say how much each counts. They were fitted, by the logarithm of the chance that a
//! softmax over the candidates gives to the files which commits went on to change, to 400 commits of
//! fifteen repositories; those against tests, prose and data were then made weaker, since people ask
//! about these, too, and such commits were left out.
//!
//! BM25: Robertson and Zaragoza, *The Probabilistic Relevance Framework: BM25 and Beyond*, 2009.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::documents::{Documents, Sort};
use super::history::History;
use super::look::Looked;
use super::request::Request;
use crate::words::{ByWord, Like, Word};

/// What the ranking asks of a tree: which files have a word, and how often.
pub trait Corpus {
    /// The files.
    fn documents(&self) -> &Documents;
    /// The files whose text has a word, in order, and how often.
    fn text(&self, word: Word) -> Vec<(u32, u32)>;
    /// The files that define a name with a word, in order, and how often.
    fn names(&self, word: Word) -> Vec<(u32, u32)>;
}

macro_rules! signals {
    ($($name:ident = $word:literal, $weight:literal, $about:literal;)*) => {
        /// What speaks for a file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Signal { $(#[doc = $about] $name),* }

        impl Signal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];
            /// What each is called.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
            /// What it means.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about),* }
            }
            /// How much it counts.
            #[must_use]
            pub fn weight(self) -> f32 {
                WEIGHTS[self as usize]
            }
        }
        const WEIGHTS: Signals = [$($weight),*];
        /// How many there are.
        pub const SIGNALS: usize = [$(Signal::$name),*].len();
    };
}

signals! {
    Fields = "fields", 0.78, "BM25F of its text, the names that it defines, its path and its name";
    Subject = "subject", 1.7, "BM25 of the request's first line in its text and path";
    Passage = "passage", 1.52, "BM25 of its best chunk";
    Definition = "definition", 0.66, "the name of a definition that the request has most of";
    Code = "code", 1.48, "identifiers of the request that it mentions, more if it defines them";
    Joined = "joined", 0.27, "names that words of the request make together, the same";
    Path = "path", 1.18, "words of the request in its path";
    Area = "area", 0.83, "words before the request's colon in its path";
    Votes = "votes", 1.08, "past commits with a similar message touched it";
    Nearest = "nearest", 0.59, "the most similar of them did";
    Recency = "recency", 0.31, "commits touched it lately and often";
    Neighbours = "neighbours", 0.66, "the best files are in its directory";
    Size = "size", 0.46, "how many words it has";
    Test = "test", -2.5, "it is a test, an example, a fixture or vendored";
    Prose = "prose", -2.5, "it is a text for people";
    Data = "data", -2.5, "it is data or settings";
    Latest = "latest", 0.66, "the very last commits touched it";
    Mentions = "mentions", 0.65, "identifiers of the request stand in it as they are written";
    Together = "together", 1.0, "it changed together with the files in focus";
    Place = "place", 5.0, "the request names it";
    Focus = "focus", 6.0, "it is in focus";
}

/// All signals, as a table in Markdown.
#[must_use]
pub fn table() -> String {
    let mut table = String::from("| signal | weight | what it says |\n| --- | --- | --- |\n");
    for signal in Signal::ALL {
        let (name, weight, about) = (signal.name(), signal.weight(), signal.about());
        table.push_str(&format!("| {name} | {weight} | {about} |\n"));
    }
    table
}

/// A file's signals, each from 0 to 1.
pub type Signals = [f32; SIGNALS];

/// A file that may be meant.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The document.
    pub document: u32,
    /// What speaks for it.
    pub signals: Signals,
    /// The sum.
    pub score: f32,
}

/// The words of a request, weighed by how rare they are.
#[derive(Clone, Debug, Default)]
pub struct Weighed {
    /// Each word with its weight times its idf.
    pub words: ByWord<f32>,
    /// Names written as in code, and joined ones, with their idf.
    pub names: ByWord<f32>,
    /// Those that are written as in code.
    pub code: HashSet<Word>,
    /// What finds all of them in a text.
    pub like: Like,
}

/// How many files are looked into.
pub const CANDIDATES: usize = 56;
/// A name that more files define says nothing where it is mentioned.
const MOST_DEFINERS: usize = 40;
/// How many of the best files say what is near them.
const SEEDS: usize = 12;

/// What is known of the past, beside the files of now.
#[derive(Debug)]
pub struct Past {
    /// The commits.
    pub history: Arc<History>,
    /// The document of each of their paths.
    documents: Vec<Option<u32>>,
}

impl Past {
    /// For these files.
    #[must_use]
    pub fn of(history: Arc<History>, documents: &Documents) -> Self {
        let documents = history.paths().iter().map(|path| documents.number(path)).collect();
        Self { history, documents }
    }
}

/// The files that a request may be about, best first, before their text was read.
pub fn candidates(
    corpus: &dyn Corpus,
    past: &Past,
    request: &Request,
    focus: &[u32],
) -> (Vec<Candidate>, Weighed) {
    let Past { history, documents: paths } = past;
    let documents = corpus.documents();
    let count = documents.all().len();
    let mut rows: Vec<Signals> = vec![[0.0; SIGNALS]; count];
    let weighed = by_words(corpus, request, &mut rows);
    let voters = history.voters(&terms(request));
    spread(&mut rows, paths, Signal::Votes, &history.votes(&voters), f32::sqrt);
    let nearest: Vec<_> =
        voters.iter().take(12).map(|(commit, weight)| (*commit, weight * weight)).collect();
    spread(&mut rows, paths, Signal::Nearest, &history.votes(&nearest), f32::sqrt);
    spread(&mut rows, paths, Signal::Recency, history.recency(), |value| value);
    spread(&mut rows, paths, Signal::Latest, history.latest(), |value| value);
    for (row, document) in rows.iter_mut().zip(documents.all()) {
        match document.sort {
            Sort::Code => {}
            Sort::Test => {
                row[Signal::Test as usize] = if request.of_tests { 0.5 } else { 1.0 };
            }
            Sort::Prose => row[Signal::Prose as usize] = 1.0,
            Sort::Data => row[Signal::Data as usize] = 1.0,
        }
    }
    for place in &request.places {
        for document in documents.ending_with(&place.path) {
            rows[document as usize][Signal::Place as usize] = 1.0;
        }
    }
    for document in focus {
        rows[*document as usize][Signal::Focus as usize] = 1.0;
    }
    let seeds = focus.iter().filter_map(|document| {
        Some((history.number(&documents.all()[*document as usize].path)?, 1.0))
    });
    let together = history.together(&seeds.collect::<Vec<_>>());
    spread(&mut rows, paths, Signal::Together, &together, |value| value);
    normalize_all(&mut rows);
    let mut order: Vec<(f32, u32)> =
        (0..).zip(&rows).map(|(document, row)| (sum(row), document)).collect();
    let best = |order: &mut Vec<(f32, u32)>, n: usize| {
        let by_score = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if order.len() > n {
            order.select_nth_unstable_by(n, by_score);
            order.truncate(n);
        }
        order.sort_by(by_score);
    };
    let mut seeds = order.clone();
    best(&mut seeds, SEEDS);
    near(documents, &seeds, &mut rows);
    for (score, document) in &mut order {
        *score = sum(&rows[*document as usize]);
    }
    best(&mut order, CANDIDATES);
    let candidates = order
        .into_iter()
        .map(|(score, document)| Candidate { document, signals: rows[document as usize], score })
        .collect();
    (candidates, weighed)
}

/// Takes in what a look into the candidates has shown, and puts them in order: the best first.
/// `looked` is what was seen of each.
#[must_use]
pub fn settle<L>(
    candidates: Vec<(Candidate, L)>,
    looked: impl Fn(&L) -> &Looked,
) -> Vec<(Candidate, L)> {
    let mut settled = candidates;
    for (candidate, look) in &mut settled {
        let looked = looked(look);
        candidate.signals[Signal::Passage as usize] = looked.passage;
        candidate.signals[Signal::Definition as usize] = looked.definition;
    }
    for signal in [Signal::Passage, Signal::Definition] {
        normalize(settled.iter_mut().map(|(one, _)| &mut one.signals[signal as usize]));
    }
    settled.iter_mut().for_each(|(candidate, _)| candidate.score = sum(&candidate.signals));
    settled.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document)));
    settled
}

/// The words that vote.
#[must_use]
pub fn terms(request: &Request) -> Vec<(Word, f32)> {
    request.terms.iter().map(|term| (term.word, term.weight)).collect()
}

/// The sum of what speaks for a file.
#[must_use]
pub fn sum(signals: &Signals) -> f32 {
    WEIGHTS.iter().zip(signals).map(|(weight, signal)| weight * signal).sum()
}

/// Divides all by the greatest.
pub fn normalize<'a>(values: impl Iterator<Item = &'a mut f32>) {
    let mut values: Vec<_> = values.collect();
    let most = values.iter().fold(0.0_f32, |most, value| most.max(**value));
    if most > 0.0 {
        values.iter_mut().for_each(|value| **value /= most);
    }
}

/// Divides each signal by its greatest.
fn normalize_all(rows: &mut [Signals]) {
    let mut most = [0.0_f32; SIGNALS];
    for row in &*rows {
        most.iter_mut().zip(row).for_each(|(most, value)| *most = most.max(*value));
    }
    let most = most.map(|most| if most > 0.0 { most } else { 1.0 });
    for row in rows {
        row.iter_mut().zip(&most).for_each(|(value, most)| *value /= most);
    }
}

/// The signals that follow from words.
fn by_words(corpus: &dyn Corpus, request: &Request, rows: &mut [Signals]) -> Weighed {
    let documents = corpus.documents();
    let count = rows.len() as f32;
    let lengths = dense(&corpus.text(Word::ALL), rows.len());
    let names = dense(&corpus.names(Word::ALL), rows.len());
    let mean = |lengths: &[f32]| (lengths.iter().sum::<f32>() / count.max(1.0)).max(1.0);
    let (mean_length, mean_names) = (mean(&lengths), mean(&names));
    let idf = |found: usize| (1.0 + (count - found as f32 + 0.5) / (found as f32 + 0.5)).ln();
    for (row, length) in rows.iter_mut().zip(&lengths) {
        row[Signal::Size as usize] = (length + 1.0).ln();
    }
    let mut weighed = Weighed { like: request.like.clone(), ..Weighed::default() };
    let mut fields = vec![0.0_f32; rows.len()];
    for term in &request.terms {
        let (text, named) = (corpus.text(term.word), corpus.names(term.word));
        let in_path = documents.with_word(term.word);
        let rarity = idf(text.len().max(named.len()).max(in_path.len()));
        let weight = term.weight * rarity;
        weighed.words.insert(term.word, weight);
        let paths: HashMap<u32, u32> =
            in_path.iter().map(|one| (one.document, one.count)).collect();
        fields.fill(0.0);
        for (document, count) in &text {
            let at = *document as usize;
            let length = lengths[at] / mean_length;
            let count = *count as f32;
            if term.in_subject {
                let with_path = count + *paths.get(document).unwrap_or(&0) as f32;
                rows[at][Signal::Subject as usize] +=
                    weight * with_path * 2.2 / (with_path + 1.2 * (0.25 + 0.75 * length));
            }
            fields[at] += count / (0.5 + 0.5 * length);
        }
        for (document, count) in &named {
            let at = *document as usize;
            let length = 0.6 + 0.4 * names[at] / mean_names;
            fields[at] += 4.0 * *count as f32 / length;
        }
        let rarity_of_path = idf(in_path.len());
        for one in in_path {
            let at = one.document as usize;
            let length = documents.all()[at].words as f32;
            rows[at][Signal::Path as usize] += term.weight * rarity_of_path / (0.6 + 0.08 * length);
            fields[at] += 6.0 * one.count as f32;
            if one.in_base {
                fields[at] += 6.0;
            }
        }
        for (row, field) in rows.iter_mut().zip(&fields).filter(|(_, field)| **field > 0.0) {
            row[Signal::Fields as usize] += weight * field / (1.5 + field);
        }
    }
    for word in &request.area {
        let in_path = documents.with_word(*word);
        for one in in_path {
            rows[one.document as usize][Signal::Area as usize] +=
                idf(in_path.len()) * if one.in_base { 1.5 } else { 1.0 };
        }
    }
    for name in &request.names {
        let (text, named) = (corpus.text(name.word), corpus.names(name.word));
        if text.is_empty() && named.is_empty() {
            continue;
        }
        let rarity = idf(text.len().max(named.len()));
        if name.is_code {
            weighed.code.insert(name.word);
        }
        weighed.names.insert(name.word, rarity * if name.is_code { 1.0 } else { 0.5 });
        let signal = if name.is_code { Signal::Code } else { Signal::Joined };
        for (document, _) in &text {
            rows[*document as usize][signal as usize] += rarity;
        }
        for (document, _) in &named {
            rows[*document as usize][signal as usize] += rarity;
        }
    }
    for identifier in &request.identifiers {
        // What nobody defines is no name, and what many do tells little.
        if !(1..=MOST_DEFINERS).contains(&corpus.names(identifier.name()).len()) {
            continue;
        }
        let text = corpus.text(*identifier);
        for (document, _) in &text {
            rows[*document as usize][Signal::Mentions as usize] += idf(text.len());
        }
    }
    weighed
}

fn dense(list: &[(u32, u32)], count: usize) -> Vec<f32> {
    let mut dense = vec![0.0; count];
    for (document, value) in list {
        dense[*document as usize] = *value as f32;
    }
    dense
}

/// Brings what is known of paths of the history to the documents that they are.
fn spread(
    rows: &mut [Signals],
    paths: &[Option<u32>],
    signal: Signal,
    values: &[f32],
    shape: impl Fn(f32) -> f32,
) {
    for (path, value) in paths.iter().zip(values).filter(|(_, value)| **value > 0.0) {
        if let Some(document) = path {
            rows[*document as usize][signal as usize] = shape(*value);
        }
    }
}

/// Which files have the best ones in their directory.
fn near(documents: &Documents, seeds: &[(f32, u32)], rows: &mut [Signals]) {
    let best = seeds.first().map_or(1.0, |(score, _)| score.max(1e-6));
    let mut directories: HashMap<&[u8], f32> = HashMap::new();
    for (score, document) in seeds {
        let path = &documents.all()[*document as usize].path;
        *directories.entry(directory(path)).or_default() += (score / best).max(0.0).powi(2);
    }
    for (row, document) in rows.iter_mut().zip(documents.all()) {
        let near = directories.get(directory(&document.path)).copied().unwrap_or_default();
        row[Signal::Neighbours as usize] = near;
    }
    normalize(rows.iter_mut().map(|row| &mut row[Signal::Neighbours as usize]));
}

fn directory(path: &[u8]) -> &[u8] {
    &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)]
}
