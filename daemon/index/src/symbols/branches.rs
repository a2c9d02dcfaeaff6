//! Blanks what of C++ and C# misleads a grammar: one branch of `#if` too many, and macros between
//! `class` and a name.
//!
//! What is blanked becomes spaces, so that every place stays what it was. Of branches that each have
//! a part of one definition the first counts, as in [`super::skim`]; branches that are whole all do.

use super::pieces::Skim;
use super::skim::lex::{
    begins_line, end_of_comment, end_of_directive, end_of_parentheses, end_of_quote, end_of_word,
};

/// C++ without what misleads its grammar.
pub(super) fn cpp(text: &[u8]) -> Skim {
    Blanker::new(text, true).run()
}

/// C# without what misleads its grammar.
pub(super) fn csharp(text: &[u8]) -> Skim {
    Blanker::new(text, false).run()
}

struct Blanker<'a> {
    text: &'a [u8],
    left: Vec<u8>,
    at: usize,
    is_cpp: bool,
    /// Brackets that are open.
    depth: usize,
    /// The last byte that is no space.
    last: u8,
    branches: Vec<Branch>,
}

/// An `#if` under way.
#[derive(Clone, Copy)]
struct Branch {
    depth: usize,
    /// It began where a definition may begin.
    whole: bool,
}

impl<'a> Blanker<'a> {
    fn new(text: &'a [u8], is_cpp: bool) -> Self {
        let left = text.to_vec();
        Self { text, left, at: 0, is_cpp, depth: 0, last: b';', branches: Vec::new() }
    }

    fn run(mut self) -> Skim {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b'#' if begins_line(self.text, self.at) => self.directive(),
                b'/' if matches!(self.text.get(self.at + 1), Some(b'/' | b'*')) => {
                    self.at = end_of_comment(self.text, self.at);
                }
                b'"' | b'\'' => self.quote(),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
                _ => self.sign(byte),
            }
        }
        Skim { text: self.left, pieces: vec![(0, 0)], ..Skim::default() }
    }

    fn sign(&mut self, byte: u8) {
        match byte {
            b'{' | b'(' => self.depth += 1,
            b'}' | b')' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.last = byte;
        }
        self.at += 1;
    }

    fn quote(&mut self) {
        self.last = b'"';
        let before = &self.text[..self.at];
        let raw = self.is_cpp && self.text[self.at] == b'"' && before.ends_with(b"R");
        let verbatim = !self.is_cpp && (before.ends_with(b"@") || before.ends_with(b"@$"));
        self.at = match (raw, verbatim) {
            (true, _) => end_of_raw(self.text, self.at),
            (_, true) => end_of_verbatim(self.text, self.at),
            _ => end_of_quote(self.text, self.at),
        };
    }

    fn word(&mut self) {
        let start = self.at;
        self.at = end_of_word(self.text, start);
        self.last = b'a';
        let word = &self.text[start..self.at];
        if self.is_cpp && matches!(word, b"class" | b"struct" | b"union") {
            self.macro_before_name();
        }
    }

    /// Blanks `EXPORT` in `class EXPORT Name`, with the parentheses that it may have.
    fn macro_before_name(&mut self) {
        let start = self.after_space(self.at);
        let end = end_of_word(self.text, start);
        let word = &self.text[start..end];
        let shouts = word.len() > 2
            && word
                .iter()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
        if !shouts {
            return;
        }
        let open = self.after_space(end);
        let end = match self.text.get(open) {
            Some(b'(') => end_of_parentheses(self.text, open),
            _ => end,
        };
        let next = self.after_space(end);
        let name = &self.text[next..end_of_word(self.text, next)];
        if !name.is_empty() && !name[0].is_ascii_digit() && name != b"final" {
            self.blank(start, end);
        }
    }

    fn after_space(&self, at: usize) -> usize {
        let space = self.text[at..].iter().take_while(|byte| byte.is_ascii_whitespace());
        at + space.count()
    }

    fn directive(&mut self) {
        let (start, end) = (self.at, end_of_directive(self.text, self.at).0);
        let word = self.text[start + 1..end].trim_ascii_start();
        let word = &word[..end_of_word(word, 0)];
        self.at = end;
        match word {
            b"if" | b"ifdef" | b"ifndef" => {
                let whole = self.is_between();
                self.branches.push(Branch { depth: self.depth, whole });
                self.blank(start, end);
            }
            b"else" | b"elif" => {
                self.blank(start, end);
                let whole = |branch: &Branch| branch.whole && branch.depth == self.depth;
                if self.branches.last().is_some_and(|branch| !whole(branch) || !self.is_between()) {
                    self.pass_branches();
                }
            }
            b"endif" => {
                self.branches.pop();
                self.blank(start, end);
            }
            b"region" | b"endregion" | b"pragma" | b"nullable" => self.blank(start, end),
            _ => {}
        }
    }

    /// Whether a definition may begin here, all before being whole.
    fn is_between(&self) -> bool {
        matches!(self.last, b';' | b'{' | b'}' | b',' | b':' | b']')
    }

    /// Blanks up to the end of all branches.
    fn pass_branches(&mut self) {
        let (start, mut nested) = (self.at, 0);
        while let Some(found) = memchr::memchr(b'#', &self.text[self.at..]) {
            self.at += found;
            if !begins_line(self.text, self.at) {
                self.at += 1;
                continue;
            }
            let end = end_of_directive(self.text, self.at).0;
            let word = self.text[self.at + 1..end].trim_ascii_start();
            let ends = word.starts_with(b"endif");
            nested += usize::from(word.starts_with(b"if"));
            self.at = end;
            if ends && nested == 0 {
                self.branches.pop();
                return self.blank(start, end);
            }
            nested -= usize::from(ends);
        }
        self.at = self.text.len();
        self.blank(start, self.at);
    }

    fn blank(&mut self, start: usize, end: usize) {
        for byte in &mut self.left[start..end] {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
    }
}

/// The end of `"x(…)x"`, which stands behind an `R`.
fn end_of_raw(text: &[u8], at: usize) -> usize {
    let Some(open) = memchr::memchr(b'(', &text[at..]).filter(|length| *length < 18) else {
        return end_of_quote(text, at);
    };
    let close = [b")", &text[at + 1..at + open], b"\""].concat();
    let end = memchr::memmem::find(&text[at + open..], &close);
    end.map_or(text.len(), |end| at + open + end + close.len())
}

/// The end of a C# string in which only `""` is special.
fn end_of_verbatim(text: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(found) = memchr::memchr(b'"', &text[end..]) {
        end += found + 1;
        if text.get(end) != Some(&b'"') {
            return end;
        }
        end += 1;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(blanked: fn(&[u8]) -> Skim, text: &str, left: &str) {
        let skim = blanked(text.as_bytes());
        let words = String::from_utf8(skim.text).unwrap();
        assert_eq!(words.split_whitespace().collect::<Vec<_>>().join(" "), left, "of {text}");
        assert_eq!(words.len(), text.len());
    }

    #[test]
    fn a_macro_before_the_name_of_a_class_is_blanked() {
        check(cpp, "class LEVELDB_EXPORT DB { };", "class DB { };");
        check(cpp, "struct ALIGNED(16) Vec : Base {};", "struct Vec : Base {};");
        check(
            cpp,
            "class DB {}; class DB final {}; class ABC;",
            "class DB {}; class DB final {}; class ABC;",
        );
    }

    #[test]
    fn of_branches_with_a_part_of_a_definition_the_first_counts() {
        check(
            cpp,
            "Limiter(int max) :\n#if !defined(NDEBUG)\n a(max),\n#else\n b(max),\n#endif\n c(max) {}\nint d;",
            "Limiter(int max) : a(max), b(max), c(max) {} int d;",
        );
        check(
            cpp,
            "int f(\n#ifdef A\n int a) {\n#else\n long a) {\n#endif\n}\nint g;",
            "int f( int a) { } int g;",
        );
        check(cpp, "#if A\nint a;\n#else\nint b;\n#endif\n", "int a; int b;");
        check(csharp, "interface I\n#if A\n : J\n#else\n : K\n#endif\n{ }", "interface I : J { }");
        check(
            csharp,
            "class A {\n#if X\n int a;\n#elif Y\n int b;\n#endif\n#region R\n}",
            "class A { int a; int b; }",
        );
    }

    #[test]
    fn what_stands_in_strings_is_no_directive() {
        check(cpp, "auto a = R\"x(\n#if 1\n{)x\"; int b;", "auto a = R\"x( #if 1 {)x\"; int b;");
        check(csharp, "var a = @\"\"\"\n#if 1\n{\"; int b;", "var a = @\"\"\" #if 1 {\"; int b;");
    }

    proptest! {
        #[test]
        fn nothing_moves(tokens in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "(", ")", ";", "\n", "\n#if 1\n", "\n#else\n", "\n#endif\n", "\n#define X 1", "/*", "*/", "//",
            "\"", "'", "R\"(", ")\"", "@\"", "class ", "ABC ", "ABC(", "name ", "é", "\\\n", "#",
        ]), 0..60)) {
            let text = tokens.concat();
            for blanked in [cpp, csharp] {
                let left = blanked(text.as_bytes()).text;
                prop_assert_eq!(left.len(), text.len());
                let same = left.iter().zip(text.as_bytes()).all(|(left, byte)| left == byte || *left == b' ');
                prop_assert!(same);
            }
        }
    }
}
