//! What finds mentions: a query for each language, and what its captures mean.
//!
//! Knows nothing of outlines. What it finds is in no order, and may be found more than once.

use std::ops::Range;
use std::sync::OnceLock;

use tree_sitter::{Query, QueryMatch};

use super::super::extract::{Placed, Seeks};
use super::super::languages::Language;
use super::super::pieces::Skim;
use super::super::rules::{bare, bytes, is_name, slice};
use super::super::skim::lex::{after_blanks, end_of_comment, end_of_quote, end_of_word};
use super::Role;

/// A query for mentions, ready to be run.
pub(super) struct Patterns {
    grammar: tree_sitter::Language,
    query: Query,
    /// What each capture means, by its number.
    marks: Vec<Mark>,
}

/// What a capture means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// A mention, or, where there is no role, what looks like one.
    Name(Option<Role>),
    /// A mention, even where the name is defined by it.
    Also(Role),
    /// What is around mentions of that role.
    Within(Option<Role>),
    Words,
    Predicate,
}

/// The patterns of a language, made when they are first needed.
pub(super) fn patterns(language: &Language) -> Option<&'static Patterns> {
    static PATTERNS: [OnceLock<Option<Patterns>>; 256] = [const { OnceLock::new() }; 256];
    PATTERNS[language.number as usize].get_or_init(|| Patterns::new(language)).as_ref()
}

impl Patterns {
    fn new(language: &Language) -> Option<Self> {
        let grammar = language.grammar()?;
        let query = Query::new(&grammar, &language.mentions()).ok()?;
        let marks = query.capture_names().iter().map(|name| Mark::of(name));
        let marks = marks.collect::<Option<_>>()?;
        Some(Self { grammar, query, marks })
    }
}

impl Mark {
    fn of(capture: &str) -> Option<Self> {
        let role = |word| match word {
            "nothing" => Some(None),
            role => Role::from_name(role).map(Some),
        };
        Some(match capture.split_once('.') {
            Some(("reference", "words")) => Self::Words,
            Some(("reference", word)) => Self::Name(role(word)?),
            Some(("also", word)) => Self::Also(Role::from_name(word)?),
            Some(("within", word)) => Self::Within(role(word)?),
            _ if capture.starts_with('_') => Self::Predicate,
            _ => return None,
        })
    }
}

/// A mention as it is found in a tree. Offsets are of the whole text.
pub(super) struct Mention {
    /// How it is mentioned, unless it only looks like a mention.
    pub(super) role: Option<Role>,
    /// Where the name stands, or all that it is within.
    pub(super) name: Range<u32>,
    pub(super) sort: Sort,
    /// Which pattern has found it. Of several for one name the first counts.
    pub(super) rank: u32,
}

/// What sort of a mention it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A name, unless it is defined there.
    Name,
    /// A name, whatever is defined there.
    Also,
    /// All names within it.
    Within,
}

impl Seeks for Patterns {
    type Found = Mention;

    fn grammar(&self) -> &tree_sitter::Language {
        &self.grammar
    }

    fn query(&self) -> &Query {
        &self.query
    }

    fn take(&self, found: &QueryMatch<'_, '_>, text: &[u8], to: &mut Vec<Mention>) {
        let rank = found.pattern_index as u32;
        for capture in found.captures() {
            let range = bytes(capture.node);
            let (sort, role) = match self.marks[capture.index as usize] {
                Mark::Name(role) => (Sort::Name, role),
                Mark::Also(role) => (Sort::Also, Some(role)),
                Mark::Within(role) => (Sort::Within, role),
                Mark::Words => {
                    to.extend(words(text, range, rank));
                    continue;
                }
                Mark::Predicate => continue,
            };
            let name = if sort == Sort::Within { range } else { unquoted(range, text) };
            // Where there are errors of syntax, a name can be missing.
            if sort == Sort::Within || is_name(slice(text, &name)) {
                to.push(Mention { role, name, sort, rank });
            }
        }
    }
}

impl Placed for Mention {
    fn shift(&mut self, by: u32) {
        self.name = self.name.start + by..self.name.end + by;
    }

    fn restore(&mut self, left: &Skim) {
        self.name = left.range(&self.name);
    }
}

/// Words that are no names where the grammar leaves code as it is: in what `#define` defines.
const KEYWORDS: &str = "\
    alignas alignof asm auto bool break case catch char class const const_cast constexpr \
    continue decltype default define defined delete do double dynamic_cast else endif enum \
    extern false float for friend goto if ifdef ifndef inline int long namespace new \
    noexcept nullptr operator private protected public register reinterpret_cast return \
    short signed sizeof static static_assert static_cast struct switch template this throw \
    true try typedef typename union unsigned using virtual void volatile while";

/// The words of code in the manner of C: a call where a parenthesis follows, else a use.
fn words(text: &[u8], range: Range<u32>, rank: u32) -> Vec<Mention> {
    let code = slice(text, &range);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&byte) = code.get(at) {
        let end = match byte {
            b'/' if matches!(code.get(at + 1), Some(b'/' | b'*')) => end_of_comment(code, at),
            b'"' | b'\'' => end_of_quote(code, at),
            _ => end_of_word(code, at).max(at + 1),
        };
        let word = &code[at..end];
        let begins = byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'$' | 0x80..);
        let is_keyword = || KEYWORDS.split(' ').any(|keyword| keyword.as_bytes() == word);
        if begins && is_name(word) && !is_keyword() {
            let is_call = code.get(after_blanks(code, end)) == Some(&b'(');
            let role = Some(if is_call { Role::Call } else { Role::Use });
            let name = range.start + at as u32..range.start + end as u32;
            found.push(Mention { role, name, sort: Sort::Name, rank });
        }
        at = end;
    }
    found
}

/// A name without quotes, or the path of `#include <path>`.
fn unquoted(range: Range<u32>, text: &[u8]) -> Range<u32> {
    match slice(text, &range) {
        [b'<', _, .., b'>'] => range.start + 1..range.end - 1,
        [b':', ..] => range,
        _ => bare(range, text),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::languages::all;
    use super::*;

    #[test]
    fn all_patterns_are_in_the_terms_of_their_grammars() {
        for language in all() {
            let Some(grammar) = language.grammar() else { continue };
            let query = Query::new(&grammar, &language.mentions());
            let query = query.unwrap_or_else(|error| panic!("{}: {error}", language.name));
            let unknown = query.capture_names().iter().find(|name| Mark::of(name).is_none());
            assert_eq!(unknown, None, "{}", language.name);
        }
    }
}
