//! Who mentions whom: the files of a tree, and the names by which they know each other.
//!
//! A file *defines* names, and *mentions* those that stand in its text. Who mentions a name that another
//! file defines leads to that file, the more the rarer the name is, the longer, and the more its kind
//! is one that people speak of. Rank is what a walk along these mentions comes to: personalised
//! PageRank (Page, Brin, Motwani, Winograd, *The PageRank Citation Ranking*, 1999), from file to name
//! to file, over lists of a few bytes a mention.
//!
//! A [`Base`] has the names of a tree, made in one pass over the index. What changed since is laid over
//! it ([`Graph::new`]): the files that are not any more what they were there are masked, and what they
//! say now is added. A graph is the same whatever its base was, and its ranks are begun from those of
//! the graph before it.

mod base;
mod links;
mod lists;
mod rank;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use base::{Base, Builder};
use links::Links;
use lists::List;
pub use rank::{Definition, Ranked, Wanted, rounded};

use crate::symbols::languages::Language;
use crate::symbols::{Kind, Outline, Symbol};
use crate::words::{Counter, Word};

/// A name that more files define than this says nothing.
pub const MOST_DEFINERS: usize = 64;

/// What a file defines, with what is said about it by [`defines`], and which words its text has, how
/// often: each in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The names that it defines.
    pub defines: Vec<(Word, u32)>,
    /// The words of its text that may be names.
    pub mentions: Vec<(Word, u32)>,
}

impl Facts {
    /// Those of a text: its words that [may be names](crate::words::names), and what [`names`] says of
    /// what it defines.
    #[must_use]
    pub fn new(text: &[(Word, u32)], names: &[(Word, u32)]) -> Self {
        let whole = names.iter().filter_map(|(word, packed)| Some((word.named()?, *packed)));
        Self { defines: whole.collect(), mentions: text.to_vec() }
    }
}

/// How a definition takes part: the word of its name, and a number that says what kind it is and how
/// telling its name. None where it is one that nobody mentions by name, or its name is too short.
#[must_use]
pub fn defines(name: &[u8], of: Kind, is_private: impl FnOnce() -> bool) -> Option<(Word, u32)> {
    let kind = match of {
        Kind::Impl | Kind::Section | Kind::Key => return None,
        Kind::Field | Kind::Variable | Kind::Enumerator | Kind::Property => return None,
        Kind::Method | Kind::Constructor => METHOD,
        Kind::Constant | Kind::Module => 1,
        Kind::Function | Kind::Macro => 2,
        Kind::Class
        | Kind::Struct
        | Kind::Union
        | Kind::Enum
        | Kind::Interface
        | Kind::Trait
        | Kind::Type => 3,
    };
    let (word, is_compound) = Word::identifier(name)?;
    // `#define Read 5`: where a text has the word, it hardly means that.
    let is_constant = matches!(of, Kind::Macro | Kind::Constant);
    let is_word = name[0].is_ascii_uppercase() && name.iter().any(u8::is_ascii_lowercase);
    if is_constant && !is_compound && is_word {
        return None;
    }
    if !is_compound && name.len() < 4 {
        return None;
    }
    let is_private = is_private();
    let telling = match (is_compound, name.len()) {
        // Nobody outside can call it.
        _ if is_private && kind == METHOD => return None,
        _ if is_private => 0,
        (false, ..8) => 1,
        (false, _) | (true, ..8) => 2,
        (true, _) => 3,
    };
    Some((word, telling << 2 | kind))
}

/// What a store keeps of the names that a text defines: their words, how often each is there; then each
/// name as a [whole](Word::name), with what [`defines`] says. In order, each once.
#[must_use]
pub fn names(
    outline: &Outline,
    text: &[u8],
    language: Option<&Language>,
    counter: &mut Counter,
) -> Vec<(Word, u32)> {
    let mut whole: Vec<(Word, u32)> = Vec::new();
    for symbol in &outline.symbols {
        let name = symbol.name.start as usize..symbol.name.end as usize;
        let name = text.get(name).unwrap_or_default();
        counter.name(name);
        let parent = symbol.parent.map(|parent| outline.symbols[parent as usize].kind);
        let is_private =
            || language.is_some_and(|language| is_private(symbol, parent, text, language));
        let defined = defines(name, symbol.kind, is_private);
        whole.extend(defined.map(|(word, packed)| (word.name(), packed)));
    }
    // Of a name that several define the greatest counts.
    whole.sort_unstable_by_key(|(word, packed)| (*word, std::cmp::Reverse(*packed)));
    whole.dedup_by_key(|(word, _)| *word);
    let mut names = counter.take();
    names.append(&mut whole);
    names
}

/// Whether a definition says that hardly anybody outside of its file can mention it.
fn is_private(symbol: &Symbol, parent: Option<Kind>, text: &[u8], language: &Language) -> bool {
    let name = text.get(symbol.name.start as usize..symbol.name.end as usize).unwrap_or_default();
    let before = text.get(symbol.range.start as usize..symbol.name.start as usize);
    let before = before.unwrap_or_default();
    let says = |word: &[u8]| {
        let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        before.split(|byte| !is_letter(byte)).any(|one| one == word)
    };
    match language.name {
        // What a trait has is as public as the trait; what an implementation of it has is named there.
        "rust" => !says(b"pub") && symbol.kind != Kind::Macro && parent != Some(Kind::Trait),
        // Headers define functions so that everybody calls.
        "c" => says(b"static") && !says(b"inline"),
        "python" => name.starts_with(b"_") && !name.ends_with(b"__"),
        "java" | "csharp" | "kotlin" | "scala" | "swift" | "php" | "typescript" | "tsx" => {
            says(b"private") || says(b"fileprivate")
        }
        _ => false,
    }
}

/// The kind of methods.
const METHOD: u32 = 0;

/// What a definition counts beside others: by its kind, and by how telling its name is.
fn weight(packed: u8) -> f32 {
    let kind = [0.2, 0.4, 1.0, 1.3][usize::from(packed & 3)];
    kind * [0.1, 0.5, 0.8, 1.0][usize::from(packed >> 2 & 3)]
}

/// What is known of a file beside its facts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct About {
    /// How much it counts by itself.
    pub weight: f32,
    /// Files mention what those of the same family define.
    pub family: u8,
}

/// The names and texts of the files that a base was made of.
pub trait Source {
    /// What can go wrong.
    type Error;

    /// Those that define a name, in order, with what [`defines`] said.
    fn definers(&self, name: Word) -> Result<Vec<(u32, u32)>, Self::Error>;

    /// Those that have a word, in order, and how often.
    fn mentioners(&self, word: Word) -> Result<Vec<(u32, u32)>, Self::Error>;
}

/// Where a file's facts come from.
#[derive(Clone, Debug)]
pub enum Node {
    /// It is what it was in the base: a number there. No two files have the same.
    Base(u32),
    /// It has come since, or changed.
    Own(Arc<Facts>),
}

/// The files of a tree, who mentions whom.
pub struct Graph {
    base: Arc<Base>,
    /// The files, by node; those of the base that are no more have none.
    files: Vec<Option<u32>>,
    /// The node of each file.
    nodes: Vec<u32>,
    /// What is known of a file, by node.
    about: Vec<About>,
    /// What files that are not in the base add to its lists: by the list's number.
    over: Vec<(u32, List)>,
    /// Lists that the base lacks.
    added: Vec<(Word, List)>,
    /// All of that for a walk.
    links: Links,
    /// By node, without anything in focus.
    rank: Vec<f32>,
}

impl Graph {
    /// The graph of these files. `about` says what is known of each; `before`, what the ranks of some
    /// were: they are begun from. None where `stops` says so before the end.
    pub fn new<S: Source>(
        base: Arc<Base>,
        files: &[Node],
        about: &[About],
        before: &[f32],
        source: &S,
        stops: &dyn Fn() -> bool,
    ) -> Result<Option<Self>, S::Error> {
        let mut graph = Self {
            files: vec![None; base.nodes()],
            nodes: Vec::with_capacity(files.len()),
            about: Vec::new(),
            over: Vec::new(),
            added: Vec::new(),
            links: Links::default(),
            rank: Vec::new(),
            base,
        };
        let mut own = Vec::new();
        for (file, node) in (0..).zip(files) {
            match node {
                Node::Base(node) => {
                    graph.nodes.push(*node);
                    graph.files[*node as usize] = Some(file);
                }
                Node::Own(facts) => {
                    let node = graph.files.len() as u32;
                    graph.nodes.push(node);
                    graph.files.push(Some(file));
                    own.push((node, facts));
                }
            }
        }
        let of = |file: &Option<u32>| file.map_or(About::default(), |file| about[file as usize]);
        graph.about = graph.files.iter().map(of).collect();
        graph.lay_over(&own, source, stops)?;
        if stops() {
            return Ok(None);
        }
        graph.links = graph.link(stops);
        if stops() {
            return Ok(None);
        }
        Ok(graph.settle(before, stops).then_some(graph))
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The rank of each file, with nothing in focus. All together are 1.
    #[must_use]
    pub fn ranks(&self) -> Vec<f32> {
        self.nodes.iter().map(|node| self.rank[*node as usize]).collect()
    }

    /// Calls `each` with every name, the files that define it and those that mention it, in no order.
    pub fn for_each_name(&self, mut each: impl FnMut(Word, Vec<u32>, Vec<u32>)) {
        let file = |node: u32| self.files[node as usize];
        for name in self.links.names() {
            let definers = self.links.definers(name).iter().filter_map(|(node, _)| file(*node));
            let mentions = self.links.mentions(name).filter_map(|(node, _)| file(node));
            each(name.word, definers.collect(), mentions.collect());
        }
    }

    /// Adds what files that are not in the base say.
    fn lay_over<S: Source>(
        &mut self,
        own: &[(u32, &Arc<Facts>)],
        source: &S,
        stops: &dyn Fn() -> bool,
    ) -> Result<(), S::Error> {
        let mut lists: BTreeMap<Word, List> = BTreeMap::new();
        for (node, facts) in own {
            for (word, packed) in &facts.defines {
                lists.entry(*word).or_default().definers.push((*node, *packed as u8));
            }
        }
        for (node, facts) in own {
            let mut defined = facts.defines.iter().map(|(word, _)| *word).peekable();
            for (word, count) in &facts.mentions {
                while defined.next_if(|name| name < word).is_some() {}
                if *word != Word::ALL && defined.peek() != Some(word) {
                    let mentions = &mut lists.entry(*word).or_default().mentions;
                    mentions.push((*node, lists::class_of(*count)));
                }
            }
        }
        for (word, list) in lists {
            if stops() {
                return Ok(());
            }
            if let Some(at) = self.base.find(word) {
                self.over.push((at, list));
            } else if let Some(known) = self.base.late(word, !list.definers.is_empty(), source)? {
                let mut whole = self.live(&known);
                whole.append(list);
                self.added.push((word, whole));
            }
        }
        // A name that too many defined may be left to few.
        let mut over = std::mem::take(&mut self.over);
        let mut freed = Vec::new();
        for at in self.base.crowded() {
            if stops() {
                return Ok(());
            }
            let live = self.live(&self.base.list(*at));
            let more = over.binary_search_by_key(at, |(at, _)| *at);
            let count = more.map_or(0, |more| over[more].1.definers.len()) + live.definers.len();
            if count <= MOST_DEFINERS {
                let word = self.base.word(*at);
                let Some(known) = self.base.late(word, true, source)? else { continue };
                let mut whole = self.live(&known);
                if let Ok(more) = more {
                    whole.append(std::mem::take(&mut over[more].1));
                }
                freed.push((word, whole));
            }
        }
        self.over = over;
        self.added.extend(freed);
        self.added.sort_by_key(|(word, _)| *word);
        Ok(())
    }

    /// What is left of a list of the base.
    fn live(&self, list: &List) -> List {
        let is_live = |node: u32| self.files[node as usize].is_some();
        List {
            definers: list.definers.iter().copied().filter(|(node, _)| is_live(*node)).collect(),
            mentions: list.mentions.iter().copied().filter(|(node, _)| is_live(*node)).collect(),
        }
    }

    /// Calls `each` with every name and its list, until `stops` says so.
    fn for_each(&self, stops: &dyn Fn() -> bool, mut each: impl FnMut(Word, &List)) {
        let mut over = self.over.iter().peekable();
        let mut list = List::default();
        for at in 0..self.base.len() as u32 {
            if at % 1024 == 0 && stops() {
                return;
            }
            self.base.read(at, &mut list, |node| self.files[node as usize].is_some());
            if let Some((_, more)) = over.next_if(|(next, _)| *next == at) {
                list.definers.extend_from_slice(&more.definers);
                list.mentions.extend_from_slice(&more.mentions);
            }
            each(self.base.word(at), &list);
        }
        self.added.iter().for_each(|(word, list)| each(*word, list));
    }

    /// What a walk needs of all lists.
    fn link(&self, stops: &dyn Fn() -> bool) -> Links {
        let files = self.about.iter().filter(|about| about.weight > 0.0).count() as f32;
        let mut links = Links::new(self.files.len());
        self.for_each(stops, |word, list| {
            let mentions = list.mentions.len() as f32;
            let is_told = (1..=MOST_DEFINERS).contains(&list.definers.len());
            // What so many files call is not this method, but another of that name.
            let is_other = mentions > 8.0 + files / 5.0
                && list.definers.iter().all(|(_, packed)| u32::from(packed & 3) == METHOD);
            if !is_told || is_other || list.mentions.is_empty() {
                return;
            }
            let rarity = (1.0 + files / mentions).ln();
            let weights = list.definers.iter().map(|(_, packed)| weight(*packed));
            let worth = rarity * weights.fold(0.0, f32::max);
            for family in self.families(list) {
                let is_of = |node: u32| self.about[node as usize].family == family;
                let definers = list.definers.iter().filter(|(node, _)| is_of(*node));
                let all: f32 = definers.clone().map(|(_, packed)| weight(*packed)).sum();
                links.add(
                    word,
                    worth,
                    definers.map(|(node, packed)| (*node, weight(*packed) / all)),
                    list.mentions.iter().copied().filter(|(node, _)| is_of(*node)),
                );
            }
        });
        links
    }

    /// The families of those who define a name.
    fn families(&self, list: &List) -> impl Iterator<Item = u8> + use<> {
        // Few have more than one.
        let mut families = [0_u128; 2];
        for (node, _) in &list.definers {
            let family = self.about[*node as usize].family;
            families[usize::from(family / 128)] |= 1 << (family % 128);
        }
        std::iter::from_fn(move || {
            let half = families.iter().position(|half| *half != 0)?;
            let bit = families[half].trailing_zeros();
            families[half] &= families[half] - 1;
            Some(half as u8 * 128 + bit as u8)
        })
    }
}
