//! Outlines and references of texts that nobody planned for: any bytes give them, and they hold
//! together.
//!
//! More cases: `PROPTEST_CASES=100000 cargo test --release -p hob-index --test outlines`.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::path::Path;

use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::{References, Role};
use hob_index::symbols::text::{SHOWN_BYTES, Window, doc_line, signature};
use hob_index::symbols::{Extent, Kind, Outline};
use proptest::prelude::*;
use proptest::sample::{Index, select};

fn named(name: &str) -> &'static Language {
    languages::by_name(name).unwrap()
}

fn extract(name: &str, text: impl AsRef<[u8]>) -> Outline {
    Extractor::default().extract(named(name), text.as_ref())
}

fn names<'a>(text: &'a [u8], outline: &Outline) -> Vec<&'a [u8]> {
    let names = outline.symbols.iter();
    names.map(|symbol| &text[symbol.name.start as usize..symbol.name.end as usize]).collect()
}

/// What is true of any outline.
fn check(language: &Language, text: &[u8], outline: &Outline) {
    let end = u32::try_from(text.len()).unwrap();
    let newlines: Vec<usize> = memchr::memchr_iter(b'\n', text).collect();
    for (index, symbol) in outline.symbols.iter().enumerate() {
        let (range, name) = (&symbol.range, &symbol.name);
        assert!(range.start < range.end && range.end <= end, "{symbol:?}");
        assert!(range.start <= name.start && name.start < name.end && name.end <= range.end);
        assert!(range.start <= symbol.head && symbol.head <= range.end, "{symbol:?}");
        assert!(symbol.scope.as_ref().is_none_or(|s| s.start <= s.end && s.end <= end));
        let line_of = |at: u32| newlines.partition_point(|newline| *newline < at as usize) + 1;
        let before = &text[..name.start as usize];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
        assert_eq!(symbol.line as usize, line_of(name.start));
        assert_eq!(symbol.column as usize, name.start as usize - line_start + 1);
        assert_eq!(symbol.first_line as usize, line_of(range.start));
        assert_eq!(symbol.last_line as usize, line_of(range.end - 1));
        if let Some(parent) = symbol.parent {
            assert!((parent as usize) < index);
            let outer = &outline.symbols[parent as usize].range;
            assert!(outer.start <= range.start && range.end <= outer.end, "{symbol:?}");
        }
        if let Some(next) = outline.symbols.get(index + 1) {
            let order =
                |s: &hob_index::symbols::Symbol| (s.range.start, std::cmp::Reverse(s.range.end));
            assert!(order(symbol) <= order(next));
        }
        let window = Window::whole(text);
        assert!(signature(&window, symbol, language).len() <= SHOWN_BYTES);
        assert!(doc_line(&window, symbol, language).is_none_or(|line| line.len() <= SHOWN_BYTES));
    }
}

/// What is true of the references of any text.
fn check_references(text: &[u8], outline: &Outline, found: &References) {
    let (mut end, mut last, mut line, mut line_start) = (0, 0, 1, 0);
    // Of many there is not the time to look for what is around each.
    let is_small = found.references.len() * outline.symbols.len() < 1 << 18;
    for reference in &found.references {
        let name = &reference.name;
        assert!(end <= name.start && name.start < name.end, "{reference:?}");
        assert!(name.end as usize <= text.len(), "{reference:?}");
        end = name.end;
        for at in last..name.start {
            if text[at as usize] == b'\n' {
                (line, line_start) = (line + 1, at + 1);
            }
        }
        assert_eq!((reference.line, reference.column), (line, name.start - line_start + 1));
        last = name.start;
        let encloses =
            |range: &std::ops::Range<u32>| range.start <= name.start && name.end <= range.end;
        let enclosing = reference.enclosing.map(|index| &outline.symbols[index as usize].range);
        assert!(enclosing.is_none_or(encloses), "{reference:?}");
        if is_small {
            let around = outline.symbols.iter().filter(|symbol| encloses(&symbol.range));
            let innermost = around.map(|symbol| symbol.range.len()).min();
            assert_eq!(enclosing.map(ExactSizeIterator::len), innermost);
        }
    }
}

fn check_with(language: &'static Language, text: &[u8]) {
    let mut extractor = Extractor::default();
    let outline = extractor.extract(language, text);
    check(language, text, &outline);
    let found = extractor.references(language, text, &outline);
    check_references(text, &outline, &found);
    assert_eq!(outline, extractor.extract(language, text), "the same text, another outline");
    assert_eq!(found, extractor.references(language, text, &outline), "other references");
    let (same, also) = extractor.extract_all(language, text);
    assert_eq!(same, outline, "another outline, together with references");
    if let Some(also) = also {
        assert_eq!(also, found.references, "other references, together with the outline");
    }
    // Limits that are much too low are kept, too.
    let low = Limits { text_bytes: 100, line_bytes: 30, work: 1, symbols: 3 };
    let mut extractor = Extractor::new(low);
    let outline = extractor.extract(language, text);
    check(language, text, &outline);
    check_references(text, &outline, &extractor.references(language, text, &outline));
}

fn language() -> impl Strategy<Value = &'static Language> {
    select(languages::all().iter().collect::<Vec<_>>())
}

fn fixture(language: &Language) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/languages");
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_its = |path: &std::path::PathBuf| {
        let is_expected = |last: &std::ffi::OsStr| last == "outline" || last == "references";
        path.file_stem().unwrap() == language.name && !path.extension().is_some_and(is_expected)
    };
    std::fs::read(files.find(is_its).unwrap()).unwrap()
}

/// Words and signs that mean something in some language.
const TOKENS: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ";",
    ":",
    ",",
    ".",
    "=",
    "=>",
    "->",
    "::",
    "+",
    "-",
    "*",
    "/",
    "&",
    "|",
    "!",
    "?",
    "@",
    "#",
    "$",
    "~",
    "^",
    "%",
    "\\",
    "\"",
    "'",
    "`",
    "\n",
    "\n",
    "\r\n",
    "\t",
    "  ",
    "\n    ",
    "\n\t",
    "\0",
    "é",
    "a",
    "b",
    "A",
    "f",
    "x1",
    "_",
    "0",
    "1.5",
    "fn",
    "def",
    "class",
    "function",
    "struct",
    "enum",
    "impl",
    "trait",
    "type",
    "typedef",
    "template",
    "namespace",
    "module",
    "interface",
    "const",
    "let",
    "var",
    "static",
    "extern",
    "import",
    "package",
    "func",
    "return",
    "if",
    "else",
    "end",
    "do",
    "for",
    "in",
    "public",
    "operator",
    "union",
    "macro_rules!",
    "#define",
    "#if",
    "#endif",
    "<?php",
    "?>",
    "//",
    "/*",
    "*/",
    "///",
    "\"\"\"",
    "'''",
    "<<EOF",
    "<<~A",
    "EOF",
    "- ",
    "? ",
    ": ",
    "---",
    "# ",
    "## ",
    "===",
    "```",
    "[[",
    "]]",
    "&a",
    "*a",
    "|",
    ">-",
    "%w(",
    "#{",
    "${",
    "$(",
    "r#\"",
    "f\"",
    "=begin",
];

proptest! {
    #[test]
    fn any_bytes_have_an_outline(
        language in language(),
        text in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        check_with(language, &text);
    }

    #[test]
    fn any_tokens_have_an_outline(
        language in language(),
        tokens in prop::collection::vec(select(TOKENS), 0..200),
        glue in select(&["", " "][..]),
    ) {
        check_with(language, tokens.join(glue).as_bytes());
    }

    #[test]
    fn any_change_of_a_text_has_an_outline(
        language in language(),
        cut in any::<Index>(),
        changes in prop::collection::vec((any::<Index>(), select(TOKENS), 0..8_usize), 0..12),
        is_cut in any::<bool>(),
    ) {
        let mut text = fixture(language);
        for (at, token, removed) in changes {
            let at = at.index(text.len() + 1);
            let end = (at + removed).min(text.len());
            text.splice(at..end, token.bytes());
        }
        if is_cut {
            text.truncate(cut.index(text.len() + 1));
        }
        check_with(language, &text);
    }

    #[test]
    fn signature_and_documentation_need_only_the_text_around(
        language in language(),
        which in any::<Index>(),
    ) {
        let text = fixture(language);
        let outline = Extractor::default().extract(language, &text);
        let symbol = which.get(&outline.symbols);
        let whole = Window::whole(&text);
        let start = symbol.range.start.saturating_sub(300);
        let end = text.len().min(symbol.head as usize + 300);
        let around = Window::new(&text[start as usize..end], start);
        prop_assert_eq!(signature(&whole, symbol, language), signature(&around, symbol, language));
        prop_assert_eq!(doc_line(&whole, symbol, language), doc_line(&around, symbol, language));
    }
}

#[test]
fn an_empty_text_has_an_empty_outline() {
    for language in languages::all() {
        for text in ["", "\n", " \n\n", "\u{feff}", "\0"] {
            let outline = extract(language.name, text);
            assert!(outline.symbols.is_empty(), "{}: {text:?}: {outline:?}", language.name);
        }
    }
}

#[test]
fn line_ends_of_dos_change_no_name_and_no_line() {
    for language in languages::all() {
        let text = String::from_utf8(fixture(language)).unwrap();
        let dos = text.replace('\n', "\r\n");
        let (unix, dos_outline) = (extract(language.name, &text), extract(language.name, &dos));
        check(language, dos.as_bytes(), &dos_outline);
        let shown = |text: &[u8], outline: &Outline| -> Vec<(u32, Vec<u8>)> {
            let lines = outline.symbols.iter().map(|symbol| symbol.line);
            lines.zip(names(text, outline).into_iter().map(<[u8]>::to_vec)).collect()
        };
        assert_eq!(
            shown(text.as_bytes(), &unix),
            shown(dos.as_bytes(), &dos_outline),
            "{}",
            language.name
        );
    }
}

#[test]
fn columns_count_bytes() {
    let outline = extract("rust", "\tmod é { fn ß() {} }");
    let at: Vec<_> = outline.symbols.iter().map(|symbol| (symbol.line, symbol.column)).collect();
    assert_eq!(at, [(1, 6), (1, 14)]);
}

#[test]
fn what_is_no_utf_8_is_passed_over() {
    let text = b"// \xff\xfe\nint f(void) { return \"\xff\"[0]; }\nint g(void) { return 0; }\n";
    let outline = extract("c", text);
    assert_eq!(names(text, &outline), [b"f", b"g"]);
}

#[test]
fn nesting_a_thousand_deep_has_an_outline() {
    let depth = 1000;
    let rows = [
        ("rust", "mod m { ", "}"),
        ("c", "struct s { ", "} x; "),
        ("cpp", "namespace n { ", "}"),
        ("javascript", "function f() { ", "}"),
        ("typescript", "namespace n { ", "}"),
        ("java", "class C { ", "}"),
        ("csharp", "namespace N { ", "}"),
        ("ruby", "module M; ", "end; "),
        ("php", "<?php function f() { ", "}"),
        ("bash", "f() { ", "; }; "),
        ("json", "{\"k\": ", "}"),
    ];
    for (name, open, close) in rows {
        let open = if name == "php" { open.replacen("<?php ", "", 1) } else { open.to_string() };
        let before = if name == "php" { "<?php " } else { "" };
        let inner = if name == "json" { "1" } else { "" };
        let text = format!("{before}{}{inner}{}", open.repeat(depth), close.repeat(depth));
        let outline = extract(name, &text);
        check(named(name), text.as_bytes(), &outline);
        let is_there = outline.symbols.len() >= depth / 2 || outline.extent != Extent::Whole;
        assert!(is_there, "{name}: {} {:?}", outline.symbols.len(), outline.extent);
    }
}

#[test]
fn parentheses_a_hundred_thousand_deep_end() {
    brackets_end("(");
}

#[test]
fn brackets_a_hundred_thousand_deep_end() {
    brackets_end("[");
}

#[test]
fn braces_a_hundred_thousand_deep_end() {
    brackets_end("{");
}

#[test]
fn angle_brackets_a_hundred_thousand_deep_end() {
    brackets_end("<");
}

fn brackets_end(bracket: &str) {
    // On lines, since a long line is left out anyway.
    let text = format!("{bracket}{bracket}\n").repeat(50_000);
    for language in languages::all() {
        let mut extractor = Extractor::default();
        let (outline, references) = extractor.extract_all(language, text.as_bytes());
        check(language, text.as_bytes(), &outline);
        assert_ne!(outline.extent, Extent::Cut, "{}", language.name);
        let found = match references {
            Some(references) => References { references, extent: Extent::Whole },
            None => extractor.references(language, text.as_bytes(), &outline),
        };
        check_references(text.as_bytes(), &outline, &found);
    }
}

#[test]
fn a_line_of_a_million_characters_is_left_out() {
    let long = "x".repeat(1_000_000);
    let text = format!("fn before() {{}}\nconst LONG: &str = \"{long}\";\nfn after() {{}}\n");
    let outline = extract("rust", &text);
    assert_eq!(outline.extent, Extent::Cut);
    assert_eq!(names(text.as_bytes(), &outline), [&b"before"[..], b"after"]);
    assert_eq!(outline.symbols[1].line, 3);
    for language in languages::all() {
        let outline = extract(language.name, &long);
        assert_eq!((outline.symbols.len(), outline.extent), (0, Extent::Cut), "{}", language.name);
    }
}

#[test]
fn references_keep_within_the_limits_of_outlines() {
    let text = "fn f() { g(h); }\n".repeat(1000);
    let found = |limits: Limits| {
        let mut extractor = Extractor::new(limits);
        let outline = extractor.extract(named("rust"), text.as_bytes());
        let found = extractor.references(named("rust"), text.as_bytes(), &outline);
        check_references(text.as_bytes(), &outline, &found);
        (found.references.len(), found.extent)
    };
    assert_eq!(found(Limits::default()), (2000, Extent::Whole));
    assert_eq!(found(Limits { text_bytes: 60, ..Limits::default() }), (6, Extent::Cut));
    assert_eq!(found(Limits { work: 1, ..Limits::default() }), (0, Extent::GivenUp));
    let (few, extent) = found(Limits { symbols: 10, ..Limits::default() });
    assert!((10..=80).contains(&few) && extent == Extent::Cut, "{few} {extent:?}");
}

#[test]
fn what_stands_beside_a_long_line_is_mentioned_where_it_stands() {
    let text = format!("a(b);\n\"{}\";\nc(d);\n", "x".repeat(100_000));
    let mut extractor = Extractor::default();
    let javascript = named("javascript");
    let outline = extractor.extract(javascript, text.as_bytes());
    let found = extractor.references(javascript, text.as_bytes(), &outline);
    let places = found.references.iter().map(|one| (one.line, one.column, one.role));
    let expected = [(1, 1, Role::Call), (1, 3, Role::Use), (3, 1, Role::Call), (3, 3, Role::Use)];
    assert_eq!(places.collect::<Vec<_>>(), expected);
    assert_eq!(found.extent, Extent::Cut);
}

#[test]
fn a_large_text_is_cut_at_a_line() {
    let text = "fn f() {}\n".repeat(1000);
    let limits = Limits { text_bytes: 55, ..Limits::default() };
    let outline = Extractor::new(limits).extract(named("rust"), text.as_bytes());
    assert_eq!((outline.symbols.len(), outline.extent), (5, Extent::Cut));
    let limits = Limits { symbols: 7, ..Limits::default() };
    let outline = Extractor::new(limits).extract(named("rust"), text.as_bytes());
    assert_eq!((outline.symbols.len(), outline.extent), (7, Extent::Cut));
}

#[test]
fn what_takes_too_much_work_is_given_up() {
    let text = "fn f() {}\n".repeat(10_000);
    let limits = Limits { work: 1, ..Limits::default() };
    let outline = Extractor::new(limits).extract(named("rust"), text.as_bytes());
    assert_eq!((outline.symbols.len(), outline.extent), (0, Extent::GivenUp));
    // What was given up leaves nothing behind for the next one.
    let mut extractor = Extractor::default();
    assert_eq!(extractor.extract(named("rust"), text.as_bytes()).symbols.len(), 10_000);
}

#[test]
fn a_namespace_within_a_class_ends_nothing() {
    let text =
        "<?php\nnamespace A;\nclass B {\n  function c() {}\n  namespace D;\n  function e() {}\n}\n";
    check_with(named("php"), text.as_bytes());
    let names_of = |text: &str| names(text.as_bytes(), &extract("php", text)).len();
    assert_eq!(names_of("<?php\nnamespace A;\nclass B {}\nnamespace C;\nclass D {}\n"), 4);
}

#[test]
fn work_may_end_within_what_is_no_character() {
    let limits = Limits { work: 1, ..Limits::default() };
    let mut extractor = Extractor::new(limits);
    for language in languages::all() {
        for end in [&b"\xe2\xff\xe2"[..], b"\xff", b"\xf0\x9f"] {
            for count in 0..80 {
                let text = [b"a \xff \xe2\n".repeat(count), end.to_vec()].concat();
                let outline = extractor.extract(language, &text);
                check(language, &text, &outline);
                if count % 4 == 0 {
                    let found = extractor.references(language, &text, &outline);
                    check_references(&text, &outline, &found);
                }
            }
        }
    }
}

#[test]
fn a_variable_of_a_function_is_no_symbol() {
    let text = "function f() { const a = 1; g(() => { const b = 2; }); }\nconst c = 3;\n";
    let outline = extract("javascript", text);
    assert_eq!(names(text.as_bytes(), &outline), [b"f", b"c"]);
}

#[test]
fn several_names_of_one_declaration_stand_side_by_side() {
    let text = "int a, *b, c[3];\n";
    let outline = extract("c", text);
    assert_eq!(names(text.as_bytes(), &outline), [b"a", b"b", b"c"]);
    assert!(outline.symbols.iter().all(|one| one.parent.is_none() && one.kind == Kind::Variable));
}
