//! Makes an [`Outline`] from a text, by the language's grammar and query.
//!
//! Work is counted in steps of the parser, never in time: the same text has the same outline on
//! a loaded machine. Trees are never walked by recursion, so that no nesting is too deep.

use std::ops::{ControlFlow, Range};

use tree_sitter::{
    ParseOptions, ParseState, Parser, QueryCursor, QueryCursorOptions, QueryCursorState,
    StreamingIterator, Tree,
};

use super::assemble::{Found, assemble};
use super::languages::Language;
use super::rules::{Rules, rules};
use super::{Extent, Outline};

/// How much an outline may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What is longer is cut, at a line's end: [`Extent::Cut`].
    pub text_bytes: usize,
    /// Steps of the parser and of the query, in units of some microseconds, for each KiB of text:
    /// [`Extent::GivenUp`], or `Cut` where the query found a part.
    pub work: usize,
    /// How many definitions are kept: [`Extent::Cut`].
    pub symbols: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes: 2 << 20, work: 24, symbols: 100_000 }
    }
}

/// Makes outlines. Each thread has one of its own.
pub struct Extractor {
    limits: Limits,
    parser: Parser,
    cursor: QueryCursor,
}

impl Default for Extractor {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Extractor {
    /// One that keeps within the limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let mut cursor = QueryCursor::new();
        // Patterns are matched side by side; nesting that is deep beyond reason drops the oldest.
        cursor.set_match_limit(1024);
        Self { limits, parser: Parser::new(), cursor }
    }

    /// What a text of that language defines.
    pub fn extract(&mut self, language: &Language, text: &[u8]) -> Outline {
        let text = &text[..text.len().min(u32::MAX as usize - 1)];
        let given_up = Outline { extent: Extent::GivenUp, ..Outline::default() };
        let Some(rules) = rules(language) else { return given_up };
        let skim = language.skim.map(|skim| skim(text));
        let whole = skim.as_ref().map_or(text, |skim| skim.text.as_slice());
        let left = &whole[..cut(whole, self.limits.text_bytes)];
        let cut = left.len() < whole.len();
        if nests_deeper(left, DEEPEST) {
            return given_up;
        }
        let Some(tree) = self.parse(rules, left) else { return given_up };
        let mut found = Vec::new();
        let complete = self.query(rules, &tree, left, &mut found);
        if let Some(skim) = skim {
            found.iter_mut().for_each(|one| skim.restore(one));
            found.extend(skim.found);
        }
        let extent = match (cut || !complete, tree.root_node().has_error()) {
            (true, _) => Extent::Cut,
            (false, true) => Extent::Errors,
            (false, false) => Extent::Whole,
        };
        assemble(found, text, extent)
    }

    fn parse(&mut self, rules: &Rules, text: &[u8]) -> Option<Tree> {
        self.parser.set_language(&rules.grammar).ok()?;
        let mut budget = self.budget(text);
        let mut progress = |_: &ParseState| spend(&mut budget);
        let options = ParseOptions::new().progress_callback(&mut progress);
        let mut read = |at: usize, _| text.get(at..).unwrap_or_default();
        let tree = self.parser.parse_with_options(&mut read, None, Some(options));
        if tree.is_none() {
            self.parser.reset();
        }
        tree
    }

    /// Says whether nothing was left out.
    fn query(&mut self, rules: &Rules, tree: &Tree, text: &[u8], found: &mut Vec<Found>) -> bool {
        let mut budget = self.budget(text);
        let limit = self.limits.symbols;
        let mut progress = |_: &QueryCursorState| spend(&mut budget);
        let options = QueryCursorOptions::new().progress_callback(&mut progress);
        let root = tree.root_node();
        let mut matches = self.cursor.matches_with_options(&rules.query, root, text, options);
        while let Some(one) = matches.next() {
            if found.len() == limit {
                return false;
            }
            found.extend(rules.found(one, text));
        }
        drop(matches);
        budget > 0
    }

    fn budget(&self, text: &[u8]) -> usize {
        self.limits.work.saturating_mul(text.len() / 1024 + 16)
    }
}

/// Brackets that are open at once, at most: where they are never closed, a parser takes time by
/// the square of their number to recover, and does not count it.
const DEEPEST: usize = 5_000;

/// Whether more brackets than so many are open at once, whatever else the text is.
fn nests_deeper(text: &[u8], most: usize) -> bool {
    let mut depth = 0usize;
    text.iter().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > most
    })
}

/// Takes one of the budget, and stops where nothing is left.
fn spend(budget: &mut usize) -> ControlFlow<()> {
    *budget = budget.saturating_sub(1);
    if *budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// How much of a text is looked at: up to the last line's end within the limit.
fn cut(text: &[u8], limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    memchr::memrchr(b'\n', &text[..limit]).map_or(limit, |newline| newline + 1)
}

/// What a pre-pass leaves of a text for the grammar.
#[derive(Debug, Default)]
pub(super) struct Skim {
    /// What is left.
    pub(super) text: Vec<u8>,
    /// Where pieces of it begin, there and in the whole text. Ascending; the first begins at 0.
    pub(super) pieces: Vec<(u32, u32)>,
    /// What the pre-pass itself has found, with offsets of the whole text.
    pub(super) found: Vec<Found>,
}

impl Skim {
    fn restore(&self, found: &mut Found) {
        // A body begins where it stands, however much before it was left out.
        found.head = match found.head < found.range.end {
            true => self.place(found.head),
            false => self.end(found.head),
        };
        found.name = self.range(&found.name);
        found.range = self.range(&found.range);
        found.scope = found.scope.as_ref().map(|scope| self.range(scope));
        found.inside = self.place(found.inside);
    }

    fn range(&self, range: &Range<u32>) -> Range<u32> {
        self.place(range.start)..self.end(range.end)
    }

    /// Where a byte of what is left stands in the whole text.
    pub(super) fn place(&self, offset: u32) -> u32 {
        let piece = self.pieces.partition_point(|&(start, _)| start <= offset);
        let (start, whole) = piece.checked_sub(1).map_or((0, 0), |before| self.pieces[before]);
        offset - start + whole
    }

    /// The same of an end: just after the byte before it.
    pub(super) fn end(&self, offset: u32) -> u32 {
        offset.checked_sub(1).map_or(0, |last| self.place(last) + 1)
    }
}
