//! The files that are ranked, and the words of their paths.

use std::collections::HashMap;

use crate::words::{ByWord, Word, each};

/// The files of a tree, in the order of their paths.
#[derive(Debug, Default)]
pub struct Documents {
    documents: Vec<Document>,
    words: ByWord<Vec<InPath>>,
    by_base: HashMap<Vec<u8>, Vec<u32>>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its path, with `/`.
    pub path: Vec<u8>,
    /// What it seems to be.
    pub sort: Sort,
    /// How many words its path has.
    pub words: u32,
}

/// What a file seems to be, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Code.
    Code,
    /// Tests, examples, benchmarks, fixtures, vendored code.
    Test,
    /// Text for people.
    Prose,
    /// Data, lists of dependencies, settings.
    Data,
}

/// Where a word stands in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPath {
    /// The document.
    pub document: u32,
    /// How often it stands in the path.
    pub count: u32,
    /// Whether it stands in the name of the file; of `mod.rs` and its like, of the directory.
    pub in_base: bool,
}

impl Documents {
    /// The documents of these paths, which are in order.
    pub fn of(paths: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut documents = Self::default();
        paths.into_iter().for_each(|path| documents.add(path));
        documents
    }

    fn add(&mut self, path: Vec<u8>) {
        let document = self.documents.len() as u32;
        let base = base(&path);
        let mut words = 0;
        each(&path, |found| {
            words += 1;
            let in_base = base.start <= found.range.start && found.range.end <= base.end;
            let list = self.words.entry(found.word).or_default();
            match list.last_mut().filter(|last| last.document == document) {
                Some(last) => {
                    last.count += 1;
                    last.in_base |= in_base;
                }
                None => list.push(InPath { document, count: 1, in_base }),
            }
        });
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(&path);
        self.by_base.entry(name.to_ascii_lowercase()).or_default().push(document);
        let sort = sort(&path);
        self.documents.push(Document { path, sort, words });
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Document] {
        &self.documents
    }

    /// Where a word stands in their paths.
    #[must_use]
    pub fn with_word(&self, word: Word) -> &[InPath] {
        self.words.get(&word).map_or(&[], Vec::as_slice)
    }

    /// The document of that path.
    #[must_use]
    pub fn number(&self, path: &[u8]) -> Option<u32> {
        let at = self.documents.binary_search_by(|one| one.path.as_slice().cmp(path));
        at.ok().map(|at| at as u32)
    }

    /// The documents whose paths are this one or end with it, unless they are too many to be meant.
    #[must_use]
    pub fn ending_with(&self, path: &[u8]) -> Vec<u32> {
        if let Some(exact) = self.number(path) {
            return vec![exact];
        }
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
        let named = self.by_base.get(&name.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
        let is_meant = |document: &&u32| {
            let whole = &self.documents[**document as usize].path;
            // A trace may have the path of another machine in front of ours.
            ends_with(whole, path) || ends_with(path, whole)
        };
        let meant: Vec<_> = named.iter().filter(is_meant).copied().collect();
        if meant.len() > 3 { Vec::new() } else { meant }
    }
}

impl Documents {
    /// The documents beneath a directory of that path, or whose path ends with it.
    #[must_use]
    pub fn beneath(&self, directory: &[u8]) -> Vec<u32> {
        let directory = directory.strip_suffix(b"/").unwrap_or(directory);
        if directory.is_empty() {
            return Vec::new();
        }
        let inner = [b"/", directory, b"/"].concat();
        let is_beneath = |path: &[u8]| {
            path.starts_with(&inner[1..]) || memchr::memmem::find(path, &inner).is_some()
        };
        let all = (0..).zip(&self.documents);
        all.filter(|(_, one)| is_beneath(&one.path)).map(|(document, _)| document).collect()
    }
}

fn ends_with(path: &[u8], end: &[u8]) -> bool {
    let (path, end) = (path.to_ascii_lowercase(), end.to_ascii_lowercase());
    path.strip_suffix(end.as_slice())
        .is_some_and(|before| before.is_empty() || before.ends_with(b"/"))
}

/// The part of a path that names the file: without its extension, or the directory's name where
/// the file's says nothing.
fn base(path: &[u8]) -> std::ops::Range<usize> {
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let name = &path[start..];
    let stem = name.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0);
    let stem = stem.unwrap_or(name.len());
    let says_nothing = [&b"mod"[..], b"lib", b"__init__", b"index", b"main"];
    if start == 0 || !says_nothing.contains(&&name[..stem]) {
        return start..start + stem;
    }
    let above = &path[..start - 1];
    let parent = above.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let crate_root = &above[parent..] == b"src";
    if crate_root && parent > 0 {
        let above = &path[..parent - 1];
        let parent = above.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        return parent..above.len();
    }
    parent..start - 1
}

/// What a path says of a file.
#[must_use]
pub fn sort(path: &[u8]) -> Sort {
    let lower = path.to_ascii_lowercase();
    let mut parts: Vec<&[u8]> = lower.split(|byte| *byte == b'/').collect();
    let name = parts.pop().unwrap_or_default();
    let stem = &name[..name.iter().rposition(|byte| *byte == b'.').unwrap_or(name.len())];
    let extension = &name[(stem.len() + 1).min(name.len())..];
    let is_test_directory = |part: &&[u8]| {
        let words = part.split(|byte| b"-_.".contains(byte));
        let named: &[&[u8]] = &[
            b"test",
            b"tests",
            b"testing",
            b"spec",
            b"specs",
            b"fixtures",
            b"fixture",
            b"testdata",
            b"bench",
            b"benches",
            b"benchmark",
            b"benchmarks",
            b"example",
            b"examples",
            b"sample",
            b"samples",
            b"vendor",
            b"vendored",
            b"third",
            b"node",
            b"mocks",
            b"mock",
            b"snapshots",
            b"playground",
            b"e2e",
            b"deps",
            b"external",
            b"thirdparty",
        ];
        let mut words = words.filter(|word| !word.is_empty());
        let is_named = |word: &[u8]| named.contains(&word);
        match (words.next(), words.next(), words.next()) {
            (Some(b"node"), next, _) => next == Some(b"modules"),
            (Some(b"third"), next, _) => next == Some(b"party"),
            (Some(first), second, third) => {
                is_named(first) || second.is_some_and(is_named) || third.is_some_and(is_named)
            }
            _ => false,
        }
    };
    let is_test_file = stem.starts_with(b"test_")
        || stem.ends_with(b"_test")
        || stem.ends_with(b"_tests")
        || stem.ends_with(b".test")
        || stem.ends_with(b".spec")
        || stem.ends_with(b"_spec")
        || stem == b"tests"
        || stem == b"test"
        || stem == b"conftest"
        || path_ends_with_test(path);
    if parts.iter().any(is_test_directory) || is_test_file {
        return Sort::Test;
    }
    let prose: &[&[u8]] =
        &[b"md", b"markdown", b"rst", b"txt", b"adoc", b"org", b"html", b"1", b"tex", b"mdx"];
    let data: &[&[u8]] = &[
        b"json",
        b"yaml",
        b"yml",
        b"toml",
        b"lock",
        b"csv",
        b"xml",
        b"svg",
        b"ini",
        b"cfg",
        b"snap",
        b"properties",
        b"jsonl",
        b"sum",
        b"mod",
        b"map",
        b"po",
        b"patch",
        b"diff",
        b"log",
        b"conf",
        b"gitignore",
    ];
    let bare: &[&[u8]] =
        &[b"license", b"changelog", b"authors", b"readme", b"copying", b"news", b"contributing"];
    if prose.contains(&extension) || bare.contains(&stem) {
        Sort::Prose
    } else if data.contains(&extension) || name.starts_with(b".") {
        Sort::Data
    } else {
        Sort::Code
    }
}

/// `ParserTest.java`, `ParserTests.kt`.
fn path_ends_with_test(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let stem = &name[..name.iter().rposition(|byte| *byte == b'.').unwrap_or(name.len())];
    [&b"Test"[..], b"Tests", b"Spec", b"IT"].iter().any(|end| {
        stem.strip_suffix(*end).is_some_and(|rest| rest.last().is_some_and(u8::is_ascii_lowercase))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_what_a_file_is() {
        for (path, expected) in [
            ("src/main.rs", Sort::Code),
            ("tests/basic/test_x.py", Sort::Test),
            ("pkg/x_test.go", Sort::Test),
            ("src/test/java/A.java", Sort::Test),
            ("src/contest/latest.py", Sort::Code),
            ("gson/ParserTest.java", Sort::Test),
            ("a/x.spec.ts", Sort::Test),
            ("node_modules/a/index.js", Sort::Test),
            ("lib/node.js", Sort::Code),
            ("README.md", Sort::Prose),
            ("Cargo.lock", Sort::Data),
            ("crates/ruff_test/src/lib.rs", Sort::Test),
        ] {
            assert_eq!(sort(path.as_bytes()), expected, "{path}");
        }
    }

    #[test]
    fn a_file_whose_name_says_nothing_has_its_directorys() {
        let base = |path: &str| path[base(path.as_bytes())].to_string();
        assert_eq!(base("src/parser/mod.rs"), "parser");
        assert_eq!(base("crates/printer/src/lib.rs"), "printer");
        assert_eq!(base("aider/__init__.py"), "aider");
        assert_eq!(base("index.js"), "index");
        assert_eq!(base("a/b.tar.gz"), "b.tar");
    }
}
