//! The graph of who mentions whom: what it ranks first, and that it is the same however it came to be.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use hob_index::graph::{About, Base, Builder, Facts, Graph, Node, Ranked, Source, Wanted, defines};
use hob_index::symbols::Kind;
use hob_index::words::{Word, count};
use proptest::prelude::*;

/// A file that defines these functions and has this text.
fn facts(functions: &[&str], text: &str) -> Facts {
    let mut defined: Vec<_> = functions
        .iter()
        .filter_map(|name| defines(name.as_bytes(), Kind::Function, || false))
        .collect();
    defined.sort_unstable();
    defined.dedup();
    let text = format!("{text} {}", functions.join(" "));
    Facts { defines: defined, mentions: count(text.as_bytes()) }
}

const CODE: About = About { weight: 1.0, family: 0 };

/// Files of which a base is made.
struct Files(Vec<Arc<Facts>>);

impl Source for Files {
    type Error = Infallible;

    fn definers(&self, name: Word) -> Result<Vec<(u32, u32)>, Infallible> {
        Ok(self.with(name, |facts| &facts.defines))
    }

    fn mentioners(&self, word: Word) -> Result<Vec<(u32, u32)>, Infallible> {
        Ok(self.with(word, |facts| &facts.mentions))
    }
}

impl Files {
    fn with(&self, word: Word, list: fn(&Facts) -> &Vec<(Word, u32)>) -> Vec<(u32, u32)> {
        let of = |(node, facts): (u32, &Arc<Facts>)| {
            let found = list(facts).binary_search_by_key(&word, |(word, _)| *word).ok()?;
            Some((node, list(facts)[found].1))
        };
        (0..).zip(&self.0).filter_map(of).collect()
    }

    fn base(&self) -> Arc<Base> {
        let mut builder = Builder::new(self.0.len());
        let names = self.0.iter().flat_map(|facts| facts.defines.iter().map(|(word, _)| *word));
        for word in names.collect::<std::collections::BTreeSet<_>>() {
            builder.add(word, &self.definers(word).unwrap(), &self.mentioners(word).unwrap());
        }
        Arc::new(builder.finish())
    }

    /// The graph of just these.
    fn graph(&self) -> Graph {
        let nodes: Vec<_> = (0..self.0.len() as u32).map(Node::Base).collect();
        Graph::new(self.base(), &nodes, &vec![CODE; nodes.len()], &[], self, &|| false)
            .unwrap()
            .unwrap()
    }
}

fn of(files: &[(&[&str], &str)]) -> Files {
    Files(files.iter().map(|(functions, text)| Arc::new(facts(functions, text))).collect())
}

fn best(ranked: &Ranked) -> Vec<u32> {
    let mut order: Vec<u32> = (0..ranked.files.len() as u32).collect();
    order.sort_by(|a, b| ranked.files[*b as usize].total_cmp(&ranked.files[*a as usize]));
    order
}

fn ranked(graph: &Graph, wanted: &Wanted<'_>) -> Ranked {
    graph.ranked(wanted, &|| false).unwrap()
}

#[test]
fn what_many_mention_comes_first() {
    let graph = of(&[
        (&["run_program"], "parse_arguments open_index"),
        (&["parse_arguments"], "split_words"),
        (&["open_index"], "split_words read_block"),
        (&["split_words"], ""),
        (&["read_block"], ""),
        (&["lonely_thing"], ""),
    ])
    .graph();
    let ranked = ranked(&graph, &Wanted { most: 2, ..Wanted::default() });
    assert_eq!(best(&ranked)[0], 3);
    assert!((ranked.files.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    assert_eq!(ranked.definitions[0].file, 3);
    assert_eq!(ranked.definitions[0].name, Word::of_identifier(b"split_words").unwrap());
    assert_eq!(ranked.definitions.len(), 2);
}

#[test]
fn what_is_in_focus_mentions_comes_before_what_others_do() {
    let graph = of(&[
        (&["first_user"], "popular_thing"),
        (&["second_user"], "popular_thing"),
        (&["third_user"], "popular_thing rare_thing"),
        (&["popular_thing"], ""),
        (&["rare_thing"], ""),
    ])
    .graph();
    let alone = ranked(&graph, &Wanted { most: 1, ..Wanted::default() });
    assert_eq!(alone.definitions[0].file, 3);
    let focus = ranked(&graph, &Wanted { files: &[(2, 1.0)], most: 1, ..Wanted::default() });
    assert_eq!(focus.definitions[0].file, 4);
    let names = [Word::of_identifier(b"rare_thing").unwrap()];
    let named = ranked(&graph, &Wanted { names: &names, most: 9, ..Wanted::default() });
    let score = |ranked: &Ranked| ranked.files[4];
    assert!(score(&named) > score(&alone));
}

#[test]
fn a_name_that_is_rare_leads_further_than_one_that_all_mention() {
    let mut files: Vec<(&[&str], &str)> = vec![
        (&["common_name"], ""),
        (&["special_name"], ""),
        (&["main_file"], "common_name special_name"),
    ];
    let others = vec![(&[][..], "common_name"); 20];
    files.extend(others);
    let graph = of(&files).graph();
    let focus = ranked(&graph, &Wanted { files: &[(2, 1.0)], most: 1, ..Wanted::default() });
    assert_eq!(focus.definitions[0].file, 1);
}

#[test]
fn a_name_that_all_files_define_says_nothing() {
    let mut files: Vec<(&[&str], &str)> = vec![(&["same_name"], ""); 80];
    files.push((&["user_file"], "same_name"));
    let graph = of(&files).graph();
    let ranked = ranked(&graph, &Wanted { most: 9, ..Wanted::default() });
    assert_eq!(ranked.definitions, []);
}

#[test]
fn what_is_written_in_another_language_is_not_meant() {
    let files = of(&[
        (&["load_config"], ""),
        (&["load_config"], ""),
        (&["one_user"], "load_config"),
        (&["other_user"], "load_config"),
    ]);
    let nodes: Vec<_> = (0..4).map(Node::Base).collect();
    let about: Vec<_> = [1, 2, 2, 2].map(|family| About { weight: 1.0, family }).to_vec();
    let graph = Graph::new(files.base(), &nodes, &about, &[], &files, &|| false).unwrap().unwrap();
    let ranked = ranked(&graph, &Wanted { most: 9, ..Wanted::default() });
    let files: Vec<_> = ranked.definitions.iter().map(|one| (one.file, one.score > 0.0)).collect();
    assert_eq!(files, [(1, true)]);
}

#[test]
fn a_graph_of_no_files_ranks_none() {
    let graph = of(&[]).graph();
    assert_eq!((graph.len(), graph.is_empty()), (0, true));
    let ranked = ranked(&graph, &Wanted { most: 9, ..Wanted::default() });
    assert_eq!((ranked.files.len(), ranked.definitions.len()), (0, 0));
}

#[test]
fn who_has_enough_of_it_gets_nothing() {
    assert!(of(&[(&["some_name"], "")]).graph().ranked(&Wanted::default(), &|| true).is_none());
}

#[test]
fn what_nobody_speaks_of_by_name_is_left_out() {
    assert_eq!(defines(b"Chapter One", Kind::Section, || false), None);
    assert_eq!(defines(b"key_name", Kind::Key, || false), None);
    assert_eq!(defines(b"new", Kind::Method, || false), None);
    assert!(defines(b"new_index", Kind::Method, || false).is_some());
    assert_eq!(defines(b"operator ==", Kind::Method, || false), None);
    assert_eq!(defines(b"Read", Kind::Macro, || false), None);
    assert!(defines(b"READ", Kind::Macro, || false).is_some());
    assert!(defines(b"stage", Kind::Macro, || false).is_some());
    let packed = |name: &str, kind| defines(name.as_bytes(), kind, || false).unwrap().1;
    assert!(packed("LongCompound", Kind::Class) > packed("Parser", Kind::Method));
}

/// Who defines and who mentions each name, by file.
type Names = BTreeMap<Word, (Vec<u32>, Vec<u32>)>;

fn names(graph: &Graph) -> Names {
    let mut names = Names::new();
    graph.for_each_name(|word, mut definers, mut mentions| {
        definers.sort_unstable();
        mentions.sort_unstable();
        if !definers.is_empty() && !mentions.is_empty() {
            names.insert(word, (definers, mentions));
        }
    });
    names
}

const WORDS: [&str; 9] = [
    "alpha_one",
    "beta_two",
    "gamma_three",
    "delta_four",
    "epsilon_five",
    "zeta_six",
    "eta_seven",
    "theta_eight",
    "iota_nine",
];

#[derive(Clone, Debug)]
enum Change {
    /// A file is written: new, or instead of what it was.
    Write(usize, Vec<usize>, Vec<usize>),
    Remove(usize),
    /// The graph is made anew of what there is.
    Rebuild,
    /// So many files define one name.
    Crowd(usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let some = || prop::collection::vec(0..WORDS.len(), 0..4);
    let change = prop_oneof![
        6 => (0usize..8, some(), some()).prop_map(|(file, defines, mentions)| Change::Write(file, defines, mentions)),
        2 => (0usize..90).prop_map(Change::Remove),
        1 => Just(Change::Rebuild),
        1 => (0..WORDS.len(), 60usize..70).prop_map(|(name, count)| Change::Crowd(name, count)),
    ];
    prop::collection::vec(change, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(256)
    ))]

    #[test]
    fn after_any_changes_a_graph_is_as_if_made_anew(changes in changes()) {
        let mut tree: BTreeMap<usize, Arc<Facts>> = BTreeMap::new();
        let mut source = Files(Vec::new());
        let mut based: BTreeMap<usize, u32> = BTreeMap::new();
        let mut base = source.base();
        let mut ranks: BTreeMap<usize, f32> = BTreeMap::new();
        for change in &changes {
            match change {
                Change::Write(file, defines, mentions) => {
                    let words = |of: &[usize]| of.iter().map(|at| WORDS[*at]).collect::<Vec<_>>();
                    tree.insert(*file, Arc::new(facts(&words(defines), &words(mentions).join(" "))));
                }
                Change::Remove(file) => {
                    tree.remove(file);
                }
                Change::Crowd(name, count) => {
                    for file in 10..10 + count {
                        tree.insert(file, Arc::new(facts(&[WORDS[*name]], "")));
                    }
                }
                Change::Rebuild => {
                    source = Files(tree.values().cloned().collect());
                    base = source.base();
                    based = tree.keys().copied().zip(0..).collect();
                }
            }
            let node = |(file, facts): (&usize, &Arc<Facts>)| match based.get(file) {
                Some(node) if source.0[*node as usize] == *facts => Node::Base(*node),
                _ => Node::Own(facts.clone()),
            };
            let nodes: Vec<Node> = tree.iter().map(node).collect();
            let before: Vec<f32> = tree.keys().map(|file| ranks.get(file).copied().unwrap_or(0.0)).collect();
            let about = vec![CODE; nodes.len()];
            let graph = Graph::new(base.clone(), &nodes, &about, &before, &source, &|| false).unwrap().unwrap();
            let anew = Files(tree.values().cloned().collect()).graph();
            prop_assert_eq!(names(&graph), names(&anew));
            for (one, other) in graph.ranks().iter().zip(anew.ranks()) {
                prop_assert!((one - other).abs() < 2e-3, "{} {}", one, other);
            }
            let wanted = Wanted { files: &[], names: &[], most: 1_000 };
            let sorted = |ranked: Ranked| {
                let mut all = ranked.definitions;
                all.sort_by_key(|one| (one.file, one.name));
                all
            };
            let (one, other) = (sorted(ranked(&graph, &wanted)), sorted(ranked(&anew, &wanted)));
            prop_assert_eq!(one.len(), other.len());
            for (one, other) in one.iter().zip(&other) {
                prop_assert_eq!((one.file, one.name), (other.file, other.name));
                prop_assert!((one.score - other.score).abs() < 2e-3);
            }
            ranks = tree.keys().copied().zip(graph.ranks()).collect();
        }
    }
}
