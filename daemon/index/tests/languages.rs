//! The outline of a file in each language, with its signatures and documentation.
//!
//! `languages/NAME.EXT` has all that the query of the language knows, and stands beside what is
//! expected of it; `UPDATE_EXPECT=1` writes that anew. `NAME-broken.EXT` has errors of syntax in the
//! middle. Each line is
//! `first-last kind name @line:column of scope in container | signature | documentation`.
//!
//! What the file mentions stands in `NAME.references`, by lines `line:column role name in container`.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::References;
use hob_index::symbols::text::{Window, doc_line, signature};
use hob_index::symbols::{Kind, Outline, Symbol};

fn outline(language: &Language, text: &[u8]) -> Outline {
    Extractor::default().extract(language, text)
}

fn render(language: &Language, text: &[u8], outline: &Outline) -> String {
    let mut rendered = format!("{:?}\n", outline.extent);
    for symbol in &outline.symbols {
        writeln!(rendered, "{}", line(language, text, outline, symbol)).unwrap();
    }
    rendered
}

fn line(language: &Language, text: &[u8], outline: &Outline, symbol: &Symbol) -> String {
    let window = Window::whole(text);
    let word = |range| String::from_utf8_lossy(window.slice(range)).into_owned();
    let scope = symbol.scope.clone().map_or_else(String::new, word);
    let Symbol { first_line, last_line, line, column, .. } = symbol;
    let (kind, name) = (symbol.kind.name(), word(symbol.name.clone()));
    let mut rendered = format!("{first_line}-{last_line} {kind} {name} @{line}:{column}");
    if !scope.is_empty() {
        write!(rendered, " of {scope}").unwrap();
    }
    rendered.push_str(&containers(text, outline, symbol.parent));
    write!(rendered, " | {}", String::from_utf8_lossy(&signature(&window, symbol, language)))
        .unwrap();
    if let Some(doc) = doc_line(&window, symbol, language) {
        write!(rendered, " | {}", String::from_utf8_lossy(doc)).unwrap();
    }
    rendered
}

/// What is around something, if anything is: ` in outer › inner`.
fn containers(text: &[u8], outline: &Outline, mut innermost: Option<u32>) -> String {
    let mut names = Vec::new();
    while let Some(index) = innermost {
        let container = &outline.symbols[index as usize];
        let name = Window::whole(text).slice(container.name.clone());
        names.push(String::from_utf8_lossy(name).into_owned());
        innermost = container.parent;
    }
    names.reverse();
    if names.is_empty() { String::new() } else { format!(" in {}", names.join(" › ")) }
}

fn render_references(text: &[u8], outline: &Outline, found: &References) -> String {
    let mut rendered = format!("{:?}\n", found.extent);
    for reference in &found.references {
        let name = Window::whole(text).slice(reference.name.clone());
        let (role, name) = (reference.role.name(), String::from_utf8_lossy(name));
        let container = containers(text, outline, reference.enclosing);
        writeln!(rendered, "{}:{} {role} {name}{container}", reference.line, reference.column)
            .unwrap();
    }
    rendered
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/languages");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_expected = |path: &PathBuf| {
        path.extension().is_some_and(|last| last == "outline" || last == "references")
    };
    let mut files: Vec<_> = files.filter(|path| !is_expected(path)).collect();
    files.sort();
    files
}

#[test]
fn each_language_has_the_outline_that_its_fixture_shows() {
    for path in fixtures() {
        let text = std::fs::read(&path).unwrap();
        let language = languages::of(path.as_os_str().as_encoded_bytes(), &text).unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        assert_eq!(language.name, stem.split('-').next().unwrap(), "{}", path.display());
        let outline = outline(language, &text);
        let rendered = render(language, &text, &outline);
        expect_file![path.with_extension("outline")].assert_eq(&rendered);
    }
}

#[test]
fn each_language_has_the_references_that_its_fixture_shows() {
    for path in fixtures() {
        let text = std::fs::read(&path).unwrap();
        let language = languages::of(path.as_os_str().as_encoded_bytes(), &text).unwrap();
        let mut extractor = Extractor::default();
        let outline = extractor.extract(language, &text);
        let found = extractor.references(language, &text, &outline);
        if language.has_references() {
            let rendered = render_references(&text, &outline, &found);
            expect_file![path.with_extension("references")].assert_eq(&rendered);
        } else {
            assert_eq!(found, References::default(), "{}", language.name);
        }
    }
}

#[test]
fn a_fixture_shows_each_kind_that_its_language_yields() {
    for language in languages::all() {
        let is_its = |path: &&PathBuf| path.file_stem().unwrap() == language.name;
        let path = fixtures().iter().find(is_its).expect(language.name).clone();
        let text = std::fs::read(path).unwrap();
        let seen = outline(language, &text).symbols.into_iter().map(|symbol| symbol.kind);
        let seen: BTreeSet<Kind> = seen.collect();
        assert_eq!(Vec::from_iter(seen), language.yields(), "{}", language.name);
    }
}

#[test]
fn errors_of_syntax_cost_what_is_near_them() {
    for path in fixtures() {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let Some(name) = stem.strip_suffix("-broken") else { continue };
        let text = std::fs::read(&path).unwrap();
        let outline = outline(languages::by_name(name).unwrap(), &text);
        let lines: Vec<u32> = outline.symbols.iter().map(|symbol| symbol.line).collect();
        let count = text.split(|&byte| byte == b'\n').count() as u32;
        assert!(lines.iter().any(|&line| line < count / 2), "{stem}: nothing before");
        // A fence that is never closed, or a bracket of YAML, reaches to the end.
        if !matches!(name, "markdown" | "yaml") {
            assert!(lines.iter().any(|&line| line > count / 2), "{stem}: nothing after");
        }
    }
}

#[test]
fn each_language_has_a_name_a_number_and_files_of_its_own() {
    let all = languages::all();
    let names = all.iter().flat_map(|language| [&[language.name], language.aliases].concat());
    let names: Vec<_> = names.collect();
    assert_eq!(BTreeSet::from_iter(&names).len(), names.len());
    let files = all.iter().flat_map(|language| [language.extensions, language.files].concat());
    let files: Vec<_> = files.collect();
    assert_eq!(BTreeSet::from_iter(&files).len(), files.len());
    for (index, language) in all.iter().enumerate() {
        assert_eq!(usize::from(language.number), index + 1, "{}", language.name);
        assert!(std::ptr::eq(languages::by_number(language.number).unwrap(), language));
        assert!(std::ptr::eq(languages::by_name(&language.name.to_uppercase()).unwrap(), language));
    }
}

#[test]
fn a_row_names_the_version_of_its_grammar() {
    let lock = include_str!("../../../Cargo.lock");
    for language in languages::all() {
        let (name, version) = language.grammar;
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "{}: Cargo.lock has another {name}", language.name);
    }
}

/// `UPDATE_EXPECT=1` writes it anew.
#[test]
fn the_readme_lists_each_language() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("<!-- languages -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- /languages -->\n").unwrap();
    let table = languages::table();
    let marked = format!("<!-- languages -->\n\n{table}\n<!-- /languages -->\n");
    expect_file![path].assert_eq(&format!("{before}{marked}{after}"));
}
