//! The context of a request, from a small tree in memory.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::collections::HashMap;
use std::sync::Arc;

use hob_index::context::documents::Documents;
use hob_index::context::history::{Commit, History, Touched, line};
use hob_index::context::look::{Looked, Source, look};
use hob_index::context::pack::{File, Packed, Packing, Why, pack};
use hob_index::context::rank::{Candidate, Corpus, Past, Signal, candidates, settle, terms};
use hob_index::context::request::Request;
use hob_index::symbols::Outline;
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages;
use hob_index::words::{Counter, Posting, Word, count};
use proptest::prelude::*;

/// Files with their texts, in the order of their paths.
struct Tree {
    documents: Documents,
    texts: Vec<Vec<u8>>,
    outlines: Vec<Outline>,
}

impl Tree {
    fn of(files: &[(&str, &str)]) -> Self {
        let mut files: Vec<_> = files.to_vec();
        files.sort_unstable();
        let outline = |(path, text): &(&str, &str)| {
            let language = languages::of(path.as_bytes(), text.as_bytes());
            let outline = |language| Extractor::default().extract(language, text.as_bytes());
            language.map(outline).unwrap_or_default()
        };
        Self {
            documents: Documents::of(files.iter().map(|(path, _)| path.as_bytes().to_vec())),
            texts: files.iter().map(|(_, text)| text.as_bytes().to_vec()).collect(),
            outlines: files.iter().map(outline).collect(),
        }
    }

    fn path(&self, document: u32) -> &[u8] {
        &self.documents.all()[document as usize].path
    }

    fn list(&self, words: impl Fn(usize) -> Vec<Posting2>, word: Word) -> Vec<Posting> {
        let of = |at: usize| {
            let words = words(at);
            let found = words.iter().find(|(known, _)| *known == word)?;
            Some((u32::try_from(at).unwrap(), found.1))
        };
        (0..self.texts.len()).filter_map(of).collect()
    }
}

type Posting2 = (Word, u32);

impl Corpus for Tree {
    fn documents(&self) -> &Documents {
        &self.documents
    }

    fn text(&self, word: Word) -> Vec<Posting> {
        self.list(|at| count(&self.texts[at]), word)
    }

    fn names(&self, word: Word) -> Vec<Posting> {
        self.list(
            |at| {
                let mut counter = Counter::default();
                for symbol in &self.outlines[at].symbols {
                    let name = symbol.name.start as usize..symbol.name.end as usize;
                    counter.name(&self.texts[at][name]);
                }
                counter.take()
            },
            word,
        )
    }
}

struct Answer {
    files: Vec<String>,
    packed: Packed,
    /// The paths by their numbers in `packed`.
    paths: Vec<String>,
    ranked: Vec<Candidate>,
}

fn ask(tree: &Tree, history: History, request: &str, focus: &[&str], budget: usize) -> Answer {
    let request = Request::of(request);
    let focus: Vec<u32> =
        focus.iter().map(|path| tree.documents.number(path.as_bytes()).unwrap()).collect();
    let history = Arc::new(history);
    let past = Past::of(history.clone(), &tree.documents);
    let (list, weighed) = candidates(tree, &past, &request, &focus);
    let voters: HashMap<u32, f32> = history.voters(&terms(&request)).into_iter().collect();
    let looked = list.into_iter().map(|candidate| {
        let at = candidate.document as usize;
        let (path, text) = (tree.path(candidate.document), tree.texts[at].as_slice());
        let written = history.number(path).map(|path| history.lines(path, &voters));
        let mut places = Vec::new();
        for place in &request.places {
            if tree.documents.ending_with(&place.path).contains(&candidate.document) {
                places.extend(place.line);
            }
        }
        let source = Source {
            text,
            language: languages::of(path, text),
            outline: &tree.outlines[at],
            written: written.unwrap_or_default(),
            places: &places,
        };
        let looked = look(&source, &weighed);
        (candidate, looked)
    });
    let ranked: Vec<(Candidate, Looked)> = settle(looked.collect(), |looked| looked);
    let best = ranked.first().map_or(1.0, |(candidate, _)| candidate.score.max(1e-6));
    let files: Vec<File<'_>> = ranked
        .iter()
        .map(|(candidate, looked)| File {
            path: tree.path(candidate.document),
            text: &tree.texts[candidate.document as usize],
            score: candidate.score / best,
            chunks: &looked.chunks,
        })
        .collect();
    let packed = pack(&files, Packing::new(budget), &|text| text.len().div_ceil(4));
    let paths: Vec<String> =
        files.iter().map(|file| String::from_utf8(file.path.to_vec()).unwrap()).collect();
    let ranked = ranked.into_iter().map(|(candidate, _)| candidate).collect();
    Answer { files: paths.clone(), packed, paths, ranked }
}

fn tree() -> Tree {
    Tree::of(&[
        ("README.md", "# Kettle\n\nBoils water and tells when the kettle is hot.\n"),
        (
            "src/kettle.rs",
            "/// Heats water.\npub struct Kettle { level: u8 }\n\nimpl Kettle {\n    /// Boils it.\n    \
             pub fn boil(&mut self) {\n        self.level = 100;\n    }\n\n    pub fn pour(&self) {}\n}\n",
        ),
        ("src/lib.rs", "pub mod kettle;\npub mod whistle;\n"),
        (
            "src/whistle.rs",
            "use crate::kettle::Kettle;\n\n/// Sounds when it is hot.\npub fn sound_alarm(kettle: &Kettle) {\n    \
             let volume = 3;\n    println!(\"{volume}\");\n}\n",
        ),
        (
            "tests/boil.rs",
            "#[test]\nfn boils() {\n    let mut kettle = Kettle::new();\n    kettle.boil();\n}\n",
        ),
    ])
}

#[test]
fn words_names_and_paths_of_a_request_choose_the_file() {
    let first =
        |request: &str| ask(&tree(), History::default(), request, &[], 2000).files[0].clone();
    assert_eq!(first("boil water twice"), "src/kettle.rs");
    assert_eq!(first("fix(whistle): louder alarm"), "src/whistle.rs");
    assert_eq!(first("why does `sound_alarm` print"), "src/whistle.rs");
    assert_eq!(first("the alarm sounds too late"), "src/whistle.rs");
    assert_eq!(first("see README.md"), "README.md");
    assert_eq!(first("thread panicked at tests/boil.rs:4:12"), "tests/boil.rs");
}

#[test]
fn a_named_line_is_shown_first_and_what_encloses_it() {
    let answer = ask(&tree(), History::default(), "src/kettle.rs:7 is wrong", &[], 60);
    let shown: Vec<_> = answer
        .packed
        .shown
        .iter()
        .map(|one| (answer.paths[one.file].as_str(), one.start, one.end, one.why))
        .collect();
    assert_eq!(shown[0], ("src/kettle.rs", 4, 8, Why::Named), "{shown:?}");
}

#[test]
fn past_commits_vote_for_the_files_that_they_touched_and_for_their_lines() {
    let wrote = |text: &str| line(text.as_bytes()).unwrap();
    let commit = Commit {
        words: count(b"quieter in the morning"),
        files: vec![Touched {
            path: b"src/whistle.rs".to_vec(),
            lines: vec![wrote("    let volume = 3;")],
        }],
        moved: Vec::new(),
    };
    let answer = ask(&tree(), History::of([&commit]), "quieter please", &[], 200);
    assert_eq!(answer.files[0], "src/whistle.rs");
    assert!(answer.ranked[0].signals[Signal::Votes as usize] > 0.0);
    assert!(String::from_utf8_lossy(&answer.packed.text).contains("let volume"));
}

#[test]
fn a_file_in_focus_comes_first_and_brings_what_changes_with_it() {
    let commit = Commit {
        words: count(b"x"),
        files: ["src/lib.rs", "src/whistle.rs"]
            .map(|path| Touched { path: path.into(), lines: Vec::new() })
            .to_vec(),
        moved: Vec::new(),
    };
    let answer = ask(&tree(), History::of([&commit]), "", &["src/lib.rs"], 200);
    assert_eq!(answer.files[..2], ["src/lib.rs", "src/whistle.rs"]);
}

#[test]
fn the_text_has_paths_and_marked_runs_of_lines() {
    let answer = ask(&tree(), History::default(), "pour", &[], 40);
    let text = String::from_utf8(answer.packed.text).unwrap();
    assert!(text.starts_with("src/kettle.rs\n@@ "), "{text}");
    assert!(text.contains("\n    pub fn pour(&self) {}\n"), "{text}");
}

#[test]
fn no_budget_is_ever_exceeded_and_none_is_refused() {
    let tree = tree();
    for budget in (0..60).chain([100, 1000, 1 << 40]) {
        let answer =
            ask(&tree, History::default(), "boil the kettle, src/whistle.rs:4", &[], budget);
        let Packed { shown, text, tokens } = answer.packed;
        assert!(tokens <= budget && tokens == text.len().div_ceil(4), "{tokens} of {budget}");
        assert_eq!(shown.is_empty(), text.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the files and the request are, what is shown is there, each line once, and fits.
    #[test]
    fn what_is_shown_is_there(
        files in prop::collection::btree_map(
            "(src|test)/[ab]{1,2}\\.(rs|py|txt|c)",
            "(fn [ab]\\(\\) \\{\n?|\\}\n|class A:\n|  def b\\(self\\): pass\n|\n|# a b\n|int a\\(void\\)\n){0,30}",
            1..6,
        ),
        request in "[ab `:./_\n(test)]{0,40}",
        budget in 0usize..300,
    ) {
        let listed: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let tree = Tree::of(&listed);
        let answer = ask(&tree, History::default(), &request, &[], budget);
        prop_assert!(answer.packed.tokens <= budget);
        let mut seen = std::collections::HashSet::new();
        for one in &answer.packed.shown {
            let text = &files[&answer.paths[one.file]];
            prop_assert!(one.start >= 1 && one.start <= one.end);
            prop_assert!(one.end as usize <= text.lines().count());
            for line in one.start..=one.end {
                prop_assert!(seen.insert((one.file, line)), "{line} twice");
            }
        }
    }
}
