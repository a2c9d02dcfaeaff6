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
    /// How much of a text the grammar reads. The rest is cut at a line's end: [`Extent::Cut`].
    pub text_bytes: usize,
    /// Work for each KiB of text: of the parser hundreds of steps, of the query thousands. Code
    /// that people write takes up to 21. [`Extent::GivenUp`], or `Cut` where the query is stopped.
    pub work: usize,
    /// How many definitions are kept: [`Extent::Cut`].
    pub symbols: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes: 2 << 20, work: 32, symbols: 100_000 }
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
        let text = &text[..cut(text, u32::MAX as usize - 1)];
        let given_up = Outline { extent: Extent::GivenUp, ..Outline::default() };
        let Some(rules) = rules(language) else { return given_up };
        let skim = language.skim.map(|skim| skim(text));
        let whole = skim.as_ref().map_or(text, |skim| skim.text.as_slice());
        let left = &whole[..cut(whole, self.limits.text_bytes)];
        if language.refuses.is_some_and(|refuses| refuses(left)) {
            return given_up;
        }
        let Some(tree) = self.parse(rules, left) else { return given_up };
        if is_tangled(&tree) {
            return given_up;
        }
        let mut found = Vec::new();
        let is_complete = self.query(rules, &tree, left, &mut found) && left.len() == whole.len();
        if let Some(skim) = skim {
            found.iter_mut().for_each(|one| skim.restore(one));
            found.extend(skim.found);
        }
        let extent = match (is_complete, tree.root_node().has_error()) {
            (false, _) => Extent::Cut,
            (true, true) => Extent::Errors,
            (true, false) => Extent::Whole,
        };
        assemble(found, text, extent)
    }

    fn parse(&mut self, rules: &Rules, text: &[u8]) -> Option<Tree> {
        self.parser.set_language(&rules.grammar).ok()?;
        let mut budget = self.budget(text);
        let mut progress =
            |state: &ParseState| spend(&mut budget, if state.has_error() { LOST } else { 1 });
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
        let mut progress = |_: &QueryCursorState| spend(&mut budget, 1);
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
        budget > 0 && !self.cursor.did_exceed_match_limit()
    }

    fn budget(&self, text: &[u8]) -> usize {
        self.limits.work.saturating_mul(text.len() / 1024 + 64)
    }
}

/// How much more a step costs the parser where it has no reading of the text that is free of
/// errors. In code that happens once in some thousand steps.
const LOST: usize = 16;

/// Takes of the budget, and stops where nothing is left.
fn spend(budget: &mut usize, cost: usize) -> ControlFlow<()> {
    *budget = budget.saturating_sub(cost);
    if *budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Whether errors of syntax have so long runs of tokens without a name, such as brackets, that a
/// query, which looks from each of them for the next node with a name, would not come to an end.
fn is_tangled(tree: &Tree) -> bool {
    const STEPS: u64 = 200_000_000;
    let mut cursor = tree.walk();
    let (mut steps, mut run) = (0, 0);
    loop {
        let node = cursor.node();
        run = if node.is_named() { 0 } else { run + 1 };
        steps += run;
        if steps > STEPS {
            return true;
        }
        if node.has_error() && cursor.goto_first_child() {
            run = 0;
            continue;
        }
        while !cursor.goto_next_sibling() {
            run = 0;
            if !cursor.goto_parent() {
                return false;
            }
        }
    }
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
