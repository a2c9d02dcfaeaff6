//! The order that people know from fzf and editors, as a table; and the walk, held to scoring
//! every path.

use expect_test::{Expect, expect};
use hob_index::picker::{Picker, Query, parts, pick_from};
use hob_index::tree::{Dir, DocId, File};
use proptest::prelude::*;

/// A tree as people have it, in no order.
const TREE: &[&str] = &[
    "Cargo.toml",
    "README.md",
    "src/main.rs",
    "src/lib.rs",
    "src/domain/rs/mod.txt",
    "src/domain/domain.rs",
    "src/main.rs.bak",
    "src/search/mod.rs",
    "src/research/mod.rs",
    "src/searching.rs",
    "src/latest.rs",
    "src/test.rs",
    "src/view/FileList.tsx",
    "src/view/file_list_test.tsx",
    "src/view/profile.ts",
    "src/view/filter.ts",
    "test/main_loop.rs",
    "test/fixtures/README.md",
    "test/fixtures/plain.txt",
    "docs/Stra\u{df}e.md",
    "docs/caf\u{e9}.md",
    "docs/two words.md",
    "docs/odd:12",
];

/// The first matches, best first, and how many there are.
fn check(query: &str, expected: Expect) {
    let found = pick_from(TREE, &Query::new(query));
    let best = found.iter().take(3).copied().collect::<Vec<_>>().join(" > ");
    expected.assert_eq(&format!("{}: {best}", found.len()));
}

#[test]
fn a_name_goes_before_a_directory() {
    check("test", expect!["6: src/test.rs > src/view/file_list_test.tsx > src/latest.rs"]);
    check("search", expect!["3: src/searching.rs > src/search/mod.rs > src/research/mod.rs"]);
    check("main.rs", expect!["4: src/main.rs > src/main.rs.bak > test/main_loop.rs"]);
    check("main", expect!["5: src/main.rs > src/main.rs.bak > test/main_loop.rs"]);
}

#[test]
fn starts_of_words_and_humps_go_before_the_middle_of_words() {
    check(
        "fl",
        expect!["5: src/view/file_list_test.tsx > src/view/FileList.tsx > src/view/filter.ts"],
    );
    check("FL", expect!["1: src/view/FileList.tsx"]);
    check("fltest", expect!["1: src/view/file_list_test.tsx"]);
    check(
        "file",
        expect!["4: src/view/FileList.tsx > src/view/file_list_test.tsx > src/view/filter.ts"],
    );
}

#[test]
fn letters_match_across_directories() {
    check("srcmain", expect!["4: src/main.rs > src/main.rs.bak > src/domain/domain.rs"]);
    check("s/m", expect!["11: src/main.rs > src/main.rs.bak > src/search/mod.rs"]);
    check("search/mod", expect!["2: src/search/mod.rs > src/research/mod.rs"]);
    check("src/search/mod.rs", expect!["2: src/search/mod.rs > src/research/mod.rs"]);
    check("readme", expect!["2: README.md > test/fixtures/README.md"]);
}

#[test]
fn words_are_those_of_fzf() {
    check("src .rs$ !main", expect!["6: src/lib.rs > src/test.rs > src/latest.rs"]);
    check("'ain", expect!["6: src/main.rs > src/main.rs.bak > test/main_loop.rs"]);
    check("^test read", expect!["1: test/fixtures/README.md"]);
    check("^README.md$", expect!["1: README.md"]);
    check("!s !d", expect!["1: Cargo.toml"]);
    check("two\\ words", expect!["1: docs/two words.md"]);
}

#[test]
fn a_query_with_an_upper_case_letter_tells_case_apart() {
    check("readme", expect!["2: README.md > test/fixtures/README.md"]);
    check("README", expect!["2: README.md > test/fixtures/README.md"]);
    check("Readme", expect!["0: "]);
}

#[test]
fn the_number_of_a_line_is_passed_over() {
    check("lib.rs:12", expect!["1: src/lib.rs"]);
    check("src lib.rs:12:7:", expect!["1: src/lib.rs"]);
    check("odd:12", expect!["2: docs/odd:12 > docs/two words.md"]);
    check(":12", expect!["1: docs/odd:12"]);
}

#[test]
fn letters_that_are_not_ascii_match_and_plain_ones_match_them() {
    check("cafe", expect!["1: docs/café.md"]);
    check("caf\u{e9}", expect!["1: docs/café.md"]);
    check("stra\u{df}e", expect!["1: docs/Straße.md"]);
}

#[test]
fn a_query_without_a_word_matches_all() {
    for text in ["", "  ", "!", "^", "$"] {
        assert!(Query::new(text).is_empty(), "{text:?}");
    }
}

fn tree(files: &[(&str, i64)]) -> Dir {
    let mut files: Vec<(Vec<u8>, File)> = files
        .iter()
        .map(|(path, mtime)| {
            let doc = DocId::PENDING;
            let file = File { size: 0, mtime: *mtime, print: 0, touch: 0, doc, outlined: false };
            (path.as_bytes().to_vec(), file)
        })
        .collect();
    files
        .sort_by(|(a, _), (b, _)| a.split(|byte| *byte == b'/').cmp(b.split(|byte| *byte == b'/')));
    Dir::from_files(&files)
}

fn pick(tree: &Dir, query: &str, now: i64, limit: Option<usize>, of: u64) -> (Vec<String>, u64) {
    let query = Query::new(query);
    let picker = Picker::new(&query, now, limit);
    let picked = picker.merge(parts(tree, of).iter().map(|part| picker.pick(part)).collect());
    let path = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    (picked.best.iter().map(|pick| path(&pick.path)).collect(), picked.total)
}

#[test]
fn among_equals_what_was_just_changed_goes_first_and_then_the_shorter_path() {
    const SECOND: i64 = 1_000_000_000;
    let now = 1_000_000 * SECOND;
    let tree = tree(&[
        ("a/mod.rs", now - 3000 * SECOND),
        ("long/mod.rs", now - 3001 * SECOND),
        ("b/b/mod.rs", now - 10 * SECOND),
        ("future/mod.rs", now + SECOND),
        ("mod_of_now.rs", now),
    ]);
    let (found, _) = pick(&tree, "mod", now, None, 100);
    let expected = ["future/mod.rs", "b/b/mod.rs", "a/mod.rs", "long/mod.rs", "mod_of_now.rs"];
    assert_eq!(found, expected, "the last is no equal: its name has more than the word");
}

#[test]
fn a_limit_keeps_the_best_and_counts_all() {
    let tree = tree(&TREE.iter().map(|path| (*path, 0)).collect::<Vec<_>>());
    let (all, total) = pick(&tree, "s", 0, None, 1000);
    assert_eq!(all.len() as u64, total);
    for limit in [0, 1, 3, 1000] {
        for of in [1, 5, 1000] {
            let (best, counted) = pick(&tree, "s", 0, Some(limit), of);
            assert_eq!((&best[..], counted), (&all[..limit.min(all.len())], total));
        }
    }
}

// nucleo counts scores in 16 bits.
#[test]
fn a_word_longer_than_any_name_matches_nothing() {
    let long = "a".repeat(4000);
    let path = [long.as_str(), "/", long.as_str()].concat();
    assert!(pick_from(&[&path], &Query::new(&long)).is_empty());
    assert_eq!(pick_from(&[&path], &Query::new(&long[..2000])).len(), 1);
    assert_eq!(pick_from(&["b"], &Query::new(&format!("!{long}"))), ["b"]);
}

proptest! {
    /// The walk passes over most paths without scoring them. It finds what scoring all finds, in
    /// the same order, whatever the parts and the limit are.
    #[test]
    fn the_walk_finds_what_scoring_all_finds(
        names in prop::collection::btree_set("[abA._\u{e4}]{1,5}(/[abcA._]{1,4}){0,3}", 0..40),
        query in "[abAc/ !'^$.\u{e4}:1\\\\]{0,6}",
        of in 1u64..20,
        limit in prop::option::of(0usize..6),
    ) {
        // What others are below is a directory.
        let files: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|name| !names.iter().any(|other| other.starts_with(&format!("{name}/"))))
            .collect();
        let expected = pick_from(&files, &Query::new(&query));
        let tree = tree(&files.iter().map(|path| (*path, 0)).collect::<Vec<_>>());
        let (found, total) = pick(&tree, &query, 0, limit, of);
        prop_assert_eq!(total, expected.len() as u64);
        let wanted = limit.unwrap_or(usize::MAX).min(expected.len());
        prop_assert_eq!(found, &expected[..wanted]);
    }

    /// No text is a wrong query, and none makes the matcher fail.
    #[test]
    fn any_text_is_a_query(query in ".{0,40}", path in "(.{1,20}/){0,3}.{1,30}") {
        let _ = pick_from(&[&path], &Query::new(&query));
    }
}
