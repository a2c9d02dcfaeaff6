//! Makes an [`Outline`] from a text, by the language's grammar and query.
//!
//! Work is counted in steps of the parser, never in time: the same text has the same outline on
//! a loaded machine. Trees are never walked by recursion, so that no nesting is too deep.
//!
//! What the queries' captures mean:
//!
//! | capture | meaning |
//! | --- | --- |
//! | `@definition.KIND` | a whole definition |
//! | `@definition.KIND.OTHER` | the same, of the other kind within a type |
//! | `@declaration` | not a definition, whatever later patterns say of the name |
//! | `@local` | a function without a name: its variables are local |
//! | `@name` | the name |
//! | `@declarator` | the name is inside, as C nests it |
//! | `@scope` | the type or module that the definition itself names |
//! | `@body` | the signature ends before it; otherwise before the field `body`, or at the line's end |
//!
//! Where several patterns take the same name, the first one in the file counts. A variable or
//! constant within a function is local and no symbol.

use std::num::NonZeroU16;
use std::ops::{ControlFlow, Range};
use std::sync::OnceLock;

use tree_sitter::{
    Node, ParseOptions, ParseState, Parser, Query, QueryCursor, QueryCursorOptions,
    QueryCursorState, QueryMatch, StreamingIterator, Tree,
};

use super::assemble::{Found, What, assemble};
use super::declarator::declared;
use super::languages::Language;
use super::{Extent, Kind, Outline};

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
        Self { text_bytes: 2 << 20, work: 100, symbols: 100_000 }
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
        found.name = self.range(&found.name);
        found.range = self.range(&found.range);
        found.scope = found.scope.as_ref().map(|scope| self.range(scope));
        found.head = self.end(found.head);
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

/// A query, ready to be run.
struct Rules {
    grammar: tree_sitter::Language,
    query: Query,
    /// What each capture means, by its number.
    roles: Vec<Role>,
    body: Option<NonZeroU16>,
}

#[derive(Clone, Copy)]
enum Role {
    What(What),
    Name,
    Declarator,
    Scope,
    Body,
}

/// Made once for each language, when it is first needed.
fn rules(language: &Language) -> Option<&'static Rules> {
    static RULES: [OnceLock<Option<Rules>>; 256] = [const { OnceLock::new() }; 256];
    RULES[language.number as usize].get_or_init(|| Rules::new(language)).as_ref()
}

impl Rules {
    fn new(language: &Language) -> Option<Self> {
        let grammar = (language.load)();
        let query = Query::new(&grammar, language.query).ok()?;
        let roles = query.capture_names().iter().map(|name| Role::of(name));
        let roles = roles.collect::<Option<_>>()?;
        let body = grammar.field_id_for_name("body");
        Some(Self { grammar, query, roles, body })
    }

    /// What a match has found. Names may be missing or empty where there are errors of syntax.
    fn found(&self, found: &QueryMatch<'_, '_>, text: &[u8]) -> Option<Found> {
        let (mut what, mut name, mut scope, mut body) = (None, None, None, None);
        let mut declares_function = false;
        for capture in found.captures() {
            let node = capture.node;
            match self.roles[capture.index as usize] {
                Role::What(role) => what = Some((role, node)),
                Role::Name => name = Some(bytes(node)),
                Role::Scope => scope = Some(bytes(node)),
                Role::Body => body = Some(node.start_byte() as u32),
                Role::Declarator => {
                    let declared = declared(node)?;
                    declares_function = declared.is_function;
                    (name, scope) = (Some(declared.name), declared.scope.or(scope));
                }
            }
        }
        let (what, node) = what?;
        let what = if declares_function { of_function(what) } else { what };
        let range = trimmed(bytes(node), text);
        // A function without a name has its own place for one, so that no two are taken for one.
        let name = if what == What::Local { range.clone() } else { name? };
        let body = body.or_else(|| self.body_of(node));
        let inside = body.map_or(name.end, |body| body.min(name.end));
        let head = body.unwrap_or_else(|| line_end(&range, text)).clamp(range.start, range.end);
        let is_sound = !name.is_empty() && range.start <= name.start && name.end <= range.end;
        let rank = found.pattern_index as u32;
        is_sound.then_some(Found { what, name, scope, range, head, inside, rank })
    }

    fn body_of(&self, node: Node<'_>) -> Option<u32> {
        Some(node.child_by_field_id(self.body?.get())?.start_byte() as u32)
    }
}

impl Role {
    fn of(capture: &str) -> Option<Self> {
        Some(match capture {
            "name" => Self::Name,
            "declarator" => Self::Declarator,
            "scope" => Self::Scope,
            "body" => Self::Body,
            "local" => Self::What(What::Local),
            "declaration" => Self::What(What::Declaration),
            definition => {
                let mut kinds = definition.strip_prefix("definition.")?.split('.');
                let kind = Kind::from_name(kinds.next()?)?;
                let within_type = kinds.next().map_or(Some(kind), Kind::from_name)?;
                Self::What(What::Definition(kind, within_type))
            }
        })
    }
}

/// A variable whose declarator is a function's is a prototype; a field is a method.
fn of_function(what: What) -> What {
    match what {
        What::Definition(Kind::Variable, _) => What::Declaration,
        What::Definition(Kind::Field, _) => What::Definition(Kind::Method, Kind::Method),
        other => other,
    }
}

fn bytes(node: Node<'_>) -> Range<u32> {
    node.start_byte() as u32..node.end_byte() as u32
}

/// A range without white space at its end, as some grammars have it.
fn trimmed(range: Range<u32>, text: &[u8]) -> Range<u32> {
    let slice = text.get(range.start as usize..range.end as usize).unwrap_or_default();
    range.start..range.start + slice.trim_ascii_end().len() as u32
}

fn line_end(range: &Range<u32>, text: &[u8]) -> u32 {
    let slice = text.get(range.start as usize..range.end as usize).unwrap_or_default();
    memchr::memchr(b'\n', slice).map_or(range.end, |newline| range.start + newline as u32)
}
