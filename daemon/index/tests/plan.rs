//! The one law of plans: a document with a matching line is accepted.
//!
//! Random expressions over a small, nasty alphabet are compared with the matcher
//! that verifies candidates, `grep-regex`, set up as ripgrep sets it up. More
//! cases: `PROPTEST_CASES=100000 cargo test --release -p hob-index --test plan`.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use grep_matcher::Matcher;
use grep_regex::RegexMatcherBuilder;
use hob_index::plan::{PlanOptions, plan};
use hob_index::postings::accepts;
use hob_index::trigram::Extractor;
use proptest::prelude::*;
use proptest::sample::select;

const LETTERS: &[&str] =
    &["a", "b", "k", "K", "s", "S", "ß", "ſ", "\u{212a}", "Σ", "ς", "é", "1", "2", " ", "_"];
const ATOMS: &[&str] = &[
    ".",
    r"\w",
    r"\d",
    r"\s",
    r"\W",
    "[ab]",
    "[a-c1]",
    "[^k]",
    "[kK]",
    "[^a-z]",
    r"[[:alpha:]]",
    r"\pL",
    r"\x61",
    r"(?-u:[ab])",
    r"(?-u:\w)",
    r"(?-u:.)",
    r"(?-u:\xC3)",
    r"(?-u:[^a])",
    r"\u{17f}",
    "[σ-ω]",
    "",
    r"[^\s\S]",
    r"\n",
    "aks",
    "bss",
    "kk1",
    "1 2",
    "sßa",
];
const LOOKS: &[&str] = &[
    "^",
    "$",
    r"\b",
    r"\B",
    r"\A",
    r"\z",
    r"\b{start}",
    "(?i)",
    "(?s)",
    "(?x) ",
    "(?-i)",
    "(?-m)",
];
const REPEATS: &[&str] =
    &["*", "+", "?", "{2}", "{3}", "{5}", "{2,}", "{1,3}", "{0,2}", "{0}", "+?", "*?"];
const GROUPS: &[&str] = &["(", "(?:", "(?i:", "(?-i:", "(?P<n>", "(?s:", "(?x:", "(?i-u:"];

fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        6 => select(LETTERS).prop_map(str::to_owned),
        4 => select(ATOMS).prop_map(str::to_owned),
        1 => select(LOOKS).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            5 => prop::collection::vec(inner.clone(), 1..7).prop_map(|parts| parts.concat()),
            2 => (select(GROUPS), inner.clone()).prop_map(|(open, sub)| format!("{open}{sub})")),
            2 => (inner.clone(), select(REPEATS)).prop_map(|(sub, times)| format!("(?:{sub}){times}")),
            2 => prop::collection::vec(inner, 2..5).prop_map(|subs| format!("(?:{})", subs.join("|"))),
        ]
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        20 => select(LETTERS).prop_map(|letter| letter.as_bytes().to_vec()),
        2 => select(vec!["\n", "\r\n", "aks", "bss", "\t", "σ"]).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(1u8.., 1..3),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn check(
    patterns: &[String],
    options: PlanOptions,
    texts: &[Vec<u8>],
) -> Result<bool, TestCaseError> {
    let matcher = RegexMatcherBuilder::new()
        .multi_line(true)
        .unicode(true)
        .line_terminator(Some(b'\n'))
        .fixed_strings(options.fixed_strings)
        .case_insensitive(options.case_insensitive)
        .build_many(patterns);
    let plan = plan(patterns, options);
    let Ok(matcher) = matcher else { return Ok(false) };
    let mut extractor = Extractor::new();
    let mut matched = false;
    for text in texts {
        let matches = |line: &[u8]| matcher.is_match(line).unwrap();
        if !text.split(|&byte| byte == b'\n').any(matches) {
            continue;
        }
        matched = true;
        extractor.feed(text);
        let mut trigrams = extractor.take().to_vec();
        trigrams.sort_unstable();
        prop_assert!(
            accepts(&plan, &trigrams),
            "{patterns:?} in {:?}: {plan:?}",
            text.escape_ascii().to_string()
        );
    }
    Ok(matched)
}

proptest! {
    #[test]
    fn matching_document_is_accepted(
        patterns in prop::collection::vec(expression(), 1..3),
        case_insensitive: bool,
        texts in prop::collection::vec(text(), 1..12),
    ) {
        check(&patterns, PlanOptions { case_insensitive, ..PlanOptions::default() }, &texts)?;
    }

    // Texts at random seldom match a long pattern; one cut from the text does.
    #[test]
    fn document_with_the_literal_is_accepted(
        text in text(), from: prop::sample::Index, to: prop::sample::Index, case_insensitive: bool,
        upper: bool, fixed_strings: bool, tail in expression(),
    ) {
        let line = String::from_utf8_lossy(&text).replace(['\n', '\r'], " ");
        let chars: Vec<char> = line.chars().collect();
        let (a, b) = (from.index(chars.len() + 1), to.index(chars.len() + 1));
        let mut literal: String = chars[a.min(b)..a.max(b)].iter().collect();
        if upper && case_insensitive {
            literal = literal.replace('s', "ſ").replace('k', "\u{212a}").to_uppercase();
        }
        let options = PlanOptions { fixed_strings, case_insensitive };
        let pattern = if fixed_strings { literal } else { format!("{}(?:{tail})?", regex_syntax::escape(&literal)) };
        let texts = [line.clone().into_bytes(), line.to_lowercase().into_bytes(), text.clone()];
        check(&[pattern], options, &texts)?;
    }
}

#[test]
fn generators_meet_often_enough() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (expression(), prop::collection::vec(text(), 12));
    let matched = (0..300).filter(|_| {
        let (pattern, texts) = strategy.new_tree(&mut runner).unwrap().current();
        check(&[pattern], PlanOptions::default(), &texts).unwrap()
    });
    assert!(matched.count() > 60, "the law must be tried, not dodged");
}
