//! Whether a text keeps to the grammar of its language, and where not.

use super::extract::{Extractor, addressable};
use super::languages::Language;
use std::ops::Range;
use tree_sitter::{Node, Tree};

/// How a text stands to its language's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// All of it is understood.
    Sound,
    /// There is an error: the line of the first one, from 1.
    Broken(u32),
    /// No grammar says: there is none, or the text is too large or too much work.
    Unknown,
}

impl Extractor {
    /// How a text stands to a language's grammar, within the limits of an outline.
    ///
    /// ```
    /// use hob_index::symbols::{extract::Extractor, languages::by_name, syntax::Syntax};
    ///
    /// let (rust, mut extractor) = (by_name("rust").unwrap(), Extractor::default());
    /// assert_eq!(extractor.syntax(rust, b"fn f() {}\n"), Syntax::Sound);
    /// assert_eq!(extractor.syntax(rust, b"fn f() {}\nfn g( {}\n"), Syntax::Broken(2));
    /// ```
    pub fn syntax(&mut self, language: &Language, text: &[u8]) -> Syntax {
        let whole = addressable(text);
        if whole.len() < text.len() || whole.len() > self.limits().text_bytes {
            return Syntax::Unknown;
        }
        let Some(grammar) = language.grammar() else { return Syntax::Unknown };
        let Some(text) = (language.guard)(whole) else { return Syntax::Unknown };
        match self.tree(&grammar, &text) {
            Some(tree) if tree.root_node().has_error() => first_error(&tree),
            Some(_) => Syntax::Sound,
            None => Syntax::Unknown,
        }
    }
}

/// Languages whose files are one thing after the other, each of which can be read alone.
const IN_SEQUENCE: [&str; 18] = [
    "c",
    "cpp",
    "csharp",
    "dart",
    "elixir",
    "go",
    "java",
    "javascript",
    "julia",
    "jsx",
    "kotlin",
    "lua",
    "python",
    "ruby",
    "rust",
    "scala",
    "swift",
    "typescript",
];

impl Extractor {
    /// The line of the first error of a text that was sound before a change, if it is not any more. The
    /// change made these lines, from 1, without the last.
    ///
    /// Where a language allows it, only what stands around the change is parsed: if that is sound, nothing
    /// that was sound is broken.
    pub fn breaks(
        &mut self,
        language: &Language,
        (before, after): (&[u8], &[u8]),
        changed: &[Range<u32>],
    ) -> Option<u32> {
        if IN_SEQUENCE.contains(&language.name)
            && let parts = around(after, changed)
            && parts.iter().map(Range::len).sum::<usize>() < after.len() / 2
            && parts.into_iter().all(|part| self.syntax(language, &after[part]) == Syntax::Sound)
        {
            return None;
        }
        let Syntax::Broken(line) = self.syntax(language, after) else { return None };
        (self.syntax(language, before) == Syntax::Sound).then_some(line)
    }
}

/// What stands around lines, from where something begins at the edge of the page after an empty line to where
/// the next does.
fn around(text: &[u8], lines: &[Range<u32>]) -> Vec<Range<usize>> {
    let (mut begins, mut starts) = (Vec::new(), vec![0]);
    let mut is_after_blank = true;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let start = *starts.last().unwrap_or(&0);
        let begins_here = line.first().is_some_and(|byte| {
            !byte.is_ascii_whitespace() && !matches!(byte, b'}' | b')' | b']' | b'#')
        });
        if is_after_blank && begins_here {
            begins.push(start);
        }
        is_after_blank = line.trim_ascii().is_empty();
        starts.push(start + line.len());
    }
    let at = |line: u32| starts.get(line.saturating_sub(1) as usize).copied().unwrap_or(text.len());
    let mut parts: Vec<Range<usize>> = Vec::new();
    for range in lines {
        // Where lines were only removed, what was before and after them meets there.
        let (from, to) = (at(range.start.saturating_sub(1)), at(range.end.max(range.start)));
        let start = begins.iter().rev().find(|begin| **begin <= from).copied().unwrap_or(0);
        let end = begins.iter().find(|begin| **begin > to).copied().unwrap_or(text.len());
        match parts.last_mut() {
            Some(last) if start <= last.end => last.end = last.end.max(end),
            _ => parts.push(start..end),
        }
    }
    parts
}

/// The place of the first error. An error is looked for in what says that it has one.
fn first_error(tree: &Tree) -> Syntax {
    let is_error = |node: Node<'_>| node.is_error() || node.is_missing();
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if is_error(node) || !node.has_error() {
            break;
        }
        let mut found = cursor.goto_first_child();
        while found && !is_error(cursor.node()) && !cursor.node().has_error() {
            found = cursor.goto_next_sibling();
        }
        if !found {
            break;
        }
    }
    let row = cursor.node().start_position().row;
    Syntax::Broken(u32::try_from(row).unwrap_or(u32::MAX - 1) + 1)
}

#[cfg(test)]
mod tests {
    use super::super::languages::by_name;
    use super::*;

    #[test]
    fn what_stands_around_a_change_says_whether_it_breaks_anything() {
        let rust = by_name("rust").unwrap();
        let function =
            |name: &str| format!("/// One.\nfn {name}() {{\n    let a = 1;\n\n    a\n}}\n\n");
        let names = ["a", "b", "c", "d", "e", "f"];
        let before: String = names.iter().map(|name| function(name)).collect();
        let mut extractor = Extractor::default();
        let mut breaks = |from: &str, to: &str, lines: Range<u32>| {
            let after = before.replacen(from, to, 1);
            extractor.breaks(rust, (before.as_bytes(), after.as_bytes()), &[lines])
        };
        assert_eq!(breaks("fn c() {", "fn c(x: u32) {", 16..17), None);
        assert_eq!(breaks("fn c() {", "fn c( {", 16..17), Some(16));
        // A line that is gone: the brace of the one before it takes all that follows.
        assert!(breaks("    a\n}\n\n/// One.\nfn b", "    a\n\n/// One.\nfn b", 6..6).is_some());
        let line = 1..2;
        let text = format!("{before}fn (\n");
        assert_eq!(extractor.breaks(rust, (text.as_bytes(), text.as_bytes()), &[line]), None);
    }

    #[test]
    fn parts_begin_at_the_edge_of_the_page() {
        let text = b"a\n b\n\nc\n}\n\n d\n\ne\n";
        let parts = |from: u32, to: u32| {
            let one = from..to;
            let parts = around(text, &[one]);
            assert_eq!(parts.len(), 1);
            (parts[0].start, parts[0].end)
        };
        assert_eq!(parts(2, 3), (0, 6));
        assert_eq!(parts(9, 10), (6, 17));
        assert_eq!(parts(1, 1), (0, 6));
    }
}
