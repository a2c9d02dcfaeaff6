//! Makes an [`Outline`] from a text, by the language's grammar and query.
//!
//! Work is counted in steps of the parser, never in time: the same text has the same outline on
//! a loaded machine. Trees are never walked by recursion, so that no nesting is too deep.

use std::cell::Cell;
use std::ops::{ControlFlow, Range};

use tree_sitter::{
    ParseOptions, ParseState, Parser, Query, QueryCursor, QueryCursorOptions, QueryCursorState,
    QueryMatch, StreamingIterator, Tree,
};

use super::assemble::{Found, assemble};
use super::languages::{Language, Reader};
use super::pieces::{Skim, cut, without_long_lines};
use super::rules::rules;
use super::{Extent, Outline};

/// A query that is run over a text, and what becomes of its matches.
pub(super) trait Seeks {
    /// What it finds.
    type Found: Placed;

    fn grammar(&self) -> &tree_sitter::Language;
    fn query(&self) -> &Query;
    /// Adds what a match has found.
    fn take(&self, found: &QueryMatch<'_, '_>, text: &[u8], to: &mut Vec<Self::Found>);
}

/// What was found has a place.
pub(super) trait Placed {
    /// What was found in a part of a text becomes what is in the text.
    fn shift(&mut self, by: u32);
    /// What was found in what is left of a text becomes what is in the whole text.
    fn restore(&mut self, left: &Skim);
}

/// Looks at a tree after the query that it was made for.
pub(super) trait Looks {
    /// A tree, and the text that it is of.
    fn look(&mut self, cursor: &mut QueryCursor, tree: &Tree, text: &[u8]);
    /// What was found in what is left of a text becomes what is in the whole text.
    fn restore(&mut self, left: &Skim);
}

/// A text, and where parts of it end that are parsed one by one.
struct Parts<'a> {
    text: &'a [u8],
    ends: &'a [usize],
}

/// How much an outline may cost, or the references of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How much of a text the grammar reads. The rest is cut at a line's end: [`Extent::Cut`].
    pub text_bytes: usize,
    /// Lines that are longer are left out: [`Extent::Cut`]. Nobody writes them, and some grammars
    /// look to a line's end at each token of an error.
    pub line_bytes: usize,
    /// Work for each KiB of text: of the parser hundreds of steps, of the query thousands. Code
    /// that people write takes up to 21. [`Extent::GivenUp`], or `Cut` where the query is stopped.
    pub work: usize,
    /// How many definitions are kept: [`Extent::Cut`].
    pub symbols: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { text_bytes: 2 << 20, line_bytes: 32 << 10, work: 32, symbols: 100_000 }
    }
}

impl Limits {
    /// The work that a text may take.
    pub(super) fn budget(&self, text: &[u8]) -> Budget {
        Budget(Cell::new(self.work.saturating_mul(text.len() / 1024 + 64).saturating_mul(STEP)))
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
        self.extract_with(language, text, None)
    }

    /// The same; `also` looks at the tree as well, if the grammar reads all of the text at once.
    pub(super) fn extract_with(
        &mut self,
        language: &Language,
        text: &[u8],
        also: Option<&mut dyn Looks>,
    ) -> Outline {
        let text = addressable(text);
        if let Reader::Parser { parse, .. } = language.reader {
            let (found, extent) = self.parse_with(parse, text);
            return assemble(found, text, language.comments.attributes, extent);
        }
        let Some(rules) = rules(language) else {
            return Outline { symbols: Vec::new(), extent: Extent::GivenUp };
        };
        let skim = language.skim.map(|skim| skim(text));
        let whole = skim.as_ref().map_or(text, |skim| skim.text.as_slice());
        let ends = skim.as_ref().map_or(&[][..], |skim| &skim.ends);
        let also = also.filter(|_| skim.is_none());
        let most = self.limits.symbols;
        let (mut found, extent) = self.search(language, rules, whole, ends, most, also);
        let has_error = skim.as_ref().and_then(|skim| skim.has_error);
        let extent = match (extent, has_error) {
            (Extent::Whole | Extent::Errors, Some(true)) => Extent::Errors,
            (Extent::Whole | Extent::Errors, Some(false)) => Extent::Whole,
            (extent, _) => extent,
        };
        if let Some(skim) = &skim {
            found.iter_mut().for_each(|one| one.restore(skim));
        }
        found.extend(skim.into_iter().flat_map(|skim| skim.found));
        assemble(found, text, language.comments.attributes, extent)
    }

    /// What a parser finds in a text within the limits.
    fn parse_with(
        &self,
        parse: fn(&[u8]) -> Option<Vec<Found>>,
        whole: &[u8],
    ) -> (Vec<Found>, Extent) {
        let short = without_long_lines(whole, self.limits.line_bytes);
        let lines = short.as_ref().map_or(whole, |short| short.text.as_slice());
        let left = &lines[..cut(lines, self.limits.text_bytes)];
        let Some(mut found) = parse(left) else { return (Vec::new(), Extent::GivenUp) };
        let is_whole = left.len() == whole.len() && found.len() <= self.limits.symbols;
        found.truncate(self.limits.symbols);
        if let Some(short) = &short {
            found.iter_mut().for_each(|one| one.restore(short));
        }
        (found, if is_whole { Extent::Whole } else { Extent::Cut })
    }

    /// How much an outline may cost.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Finds something in a text within the limits: all of it, or no more than `most`. The grammar
    /// takes the parts of the text one by one that end there.
    pub(super) fn search<S: Seeks>(
        &mut self,
        language: &Language,
        seeks: &S,
        whole: &[u8],
        ends: &[usize],
        most: usize,
        mut also: Option<&mut dyn Looks>,
    ) -> (Vec<S::Found>, Extent) {
        let short = without_long_lines(whole, self.limits.line_bytes);
        let lines = short.as_ref().map_or(whole, |short| short.text.as_slice());
        let left = &lines[..cut(lines, self.limits.text_bytes)];
        // Without its long lines, a text's parts end elsewhere.
        let ends = if short.is_none() { ends } else { &[] };
        let mut found = Vec::new();
        let parts = Parts { text: left, ends };
        let also_there = also.as_mut().map(|also| &mut **also as &mut dyn Looks);
        let extent = match self.find(language, seeks, parts, &mut found, most, also_there) {
            Extent::Whole | Extent::Errors if left.len() < whole.len() => Extent::Cut,
            extent => extent,
        };
        if let Some(short) = &short {
            found.iter_mut().for_each(|one| one.restore(short));
            also.iter_mut().for_each(|also| also.restore(short));
        }
        (found, extent)
    }

    /// Parses what is left of a text, part by part, and says how much of it that covered.
    fn find<S: Seeks>(
        &mut self,
        language: &Language,
        seeks: &S,
        Parts { text, ends }: Parts<'_>,
        found: &mut Vec<S::Found>,
        most: usize,
        mut also: Option<&mut dyn Looks>,
    ) -> Extent {
        let Some(text) = (language.guard)(text) else { return Extent::GivenUp };
        let text = &*text;
        if self.parser.set_language(seeks.grammar()).is_err() {
            return Extent::GivenUp;
        }
        let (parsing, querying) = (self.limits.budget(text), self.limits.budget(text));
        let (mut extent, mut tangled) = (Extent::Whole, 0);
        let ends = ends.iter().copied().take_while(|end| *end < text.len());
        let mut start = 0;
        for end in ends.chain([text.len()]) {
            let part = &text[start..end];
            let Some(tree) = self.parse(part, &parsing) else { return Extent::GivenUp };
            let has_error = tree.root_node().has_error();
            // What takes less than a step is not asked for by the parser.
            let cost = if has_error { STEP } else { STEP / 8 };
            if parsing.spend(cost).is_break() || is_tangled(&tree, &mut tangled) {
                return Extent::GivenUp;
            }
            let first = found.len();
            if !query(&mut self.cursor, seeks, &tree, part, &querying, found, most) {
                extent = Extent::Cut;
            } else if has_error && extent == Extent::Whole {
                extent = Extent::Errors;
            }
            found[first..].iter_mut().for_each(|one| one.shift(start as u32));
            also.iter_mut().for_each(|also| also.look(&mut self.cursor, &tree, part));
            if !querying.is_left() || found.len() >= most {
                // Of what follows nothing would be taken.
                return Extent::Cut;
            }
            start = end;
        }
        extent
    }

    /// The tree of a whole text, within the limits.
    pub(super) fn tree(&mut self, grammar: &tree_sitter::Language, text: &[u8]) -> Option<Tree> {
        self.parser.set_language(grammar).ok()?;
        let budget = self.limits.budget(text);
        self.parse(text, &budget)
    }

    fn parse(&mut self, text: &[u8], budget: &Budget) -> Option<Tree> {
        let mut progress =
            |state: &ParseState| budget.spend(if state.has_error() { LOST } else { STEP });
        let options = ParseOptions::new().progress_callback(&mut progress);
        // Text that is read again is work, too: to find that a comment is never closed, a grammar
        // reads to the end, and again at the next one.
        let mut input = Input { text, given: 0..0, ended: false };
        let mut read = |at: usize, _| input.read(at, budget);
        let tree = self.parser.parse_with_options(&mut read, None, Some(options));
        let tree = tree.filter(|_| budget.is_left());
        if tree.is_none() {
            self.parser.reset();
        }
        tree
    }
}

/// Runs a query over a tree. Says whether nothing was left out.
pub(super) fn query<S: Seeks>(
    cursor: &mut QueryCursor,
    seeks: &S,
    tree: &Tree,
    text: &[u8],
    budget: &Budget,
    found: &mut Vec<S::Found>,
    most: usize,
) -> bool {
    let mut progress = |_: &QueryCursorState| budget.spend(STEP);
    let options = QueryCursorOptions::new().progress_callback(&mut progress);
    let root = tree.root_node();
    let mut matches = cursor.matches_with_options(seeks.query(), root, text, options);
    while let Some(one) = matches.next() {
        if found.len() >= most {
            return false;
        }
        seeks.take(one, text, found);
    }
    drop(matches);
    budget.is_left() && !cursor.did_exceed_match_limit()
}

/// A text as far as its offsets are numbers of 32 bits.
pub(super) fn addressable(text: &[u8]) -> &[u8] {
    &text[..text.len().min(u32::MAX as usize - 1)]
}

/// What a step costs: of the parser or the query, as much as to read that many bytes.
const STEP: usize = 2048;
/// What a step costs the parser where it has no reading of the text that is free of errors. In code
/// that happens once in some thousand steps.
const LOST: usize = 16 * STEP;
/// How much of a text the parser gets at once.
const CHUNK: usize = 4096;

/// A text as the parser reads it.
struct Input<'t> {
    text: &'t [u8],
    /// What it has read last.
    given: Range<usize>,
    /// Whether work has ended.
    ended: bool,
}

impl<'t> Input<'t> {
    /// The text from there. Nothing more stops the parser at once, even within a token.
    ///
    /// Within what it was given last, it asks to see the bytes again that are no character, and
    /// does not expect that nothing is there: it would read from a null pointer. And some grammars
    /// look for the end of a line or a word without a thought of the end of the text. So where work
    /// ends, it gets one line's end, and none after that.
    fn read(&mut self, at: usize, budget: &Budget) -> &'t [u8] {
        let rest = &self.text[at.min(self.text.len())..self.text.len().min(at + CHUNK)];
        let read = match budget.spend(rest.len()) {
            ControlFlow::Continue(()) => rest,
            ControlFlow::Break(()) if self.given.contains(&at) || !self.ended => b"\n",
            ControlFlow::Break(()) => &[],
        };
        self.ended = !budget.is_left();
        self.given = at..at + read.len();
        read
    }
}

/// The work that is left.
pub(super) struct Budget(Cell<usize>);

impl Budget {
    /// Takes of it, and stops where nothing is left.
    fn spend(&self, cost: usize) -> ControlFlow<()> {
        self.0.set(self.0.get().saturating_sub(cost));
        if self.is_left() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn is_left(&self) -> bool {
        self.0.get() > 0
    }
}

/// Whether errors of syntax have so long runs of tokens without a name, such as brackets, that a
/// query, which looks from each of them for the next node with a name, would not come to an end.
/// `steps` are those of all parts of a text together.
fn is_tangled(tree: &Tree, steps: &mut u64) -> bool {
    const STEPS: u64 = 200_000_000;
    let mut cursor = tree.walk();
    let mut run = 0;
    loop {
        let node = cursor.node();
        run = if node.is_named() { 0 } else { run + 1 };
        *steps += run;
        if *steps > STEPS {
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
