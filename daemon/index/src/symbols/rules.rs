//! What the queries say: their captures, and what a match of one has found.
//!
//! | capture | meaning |
//! | --- | --- |
//! | `@definition.KIND` | a whole definition |
//! | `@definition.KIND.OTHER` | the same, of the other kind within a type |
//! | `@assignment.KIND` | the same, where only the first of a name in its container counts |
//! | `@reach.KIND.N` | the beginning of one that reaches to the next of level N or above |
//! | `@declaration` | not a definition, whatever later patterns say of the name |
//! | `@local` | a function without a name: its variables are local |
//! | `@name` | the name, without quotes; of several, from the first to the last |
//! | `@title` | the name, without marks of emphasis and closing `#` |
//! | `@declarator` | the name is inside, as C nests it |
//! | `@scope` | the type or module that the definition itself names |
//! | `@body` | the signature ends before it; otherwise before the field `body`; a function without one is all signature, anything else to its line's end |
//! | `@_…` | only for predicates |
//!
//! Where several patterns take the same name, the first one in the file counts. A variable or
//! constant within a function is local and no symbol.
//!
//! After a line `;; References` come the patterns for mentions of names, which are a query of their
//! own ([`super::references`]):
//!
//! | capture | meaning |
//! | --- | --- |
//! | `@reference.call` | a name that is called, or of a class that is made with `new` |
//! | `@reference.type` | a name where a type stands |
//! | `@reference.import` | a name, or the path in a string, that is brought in from elsewhere |
//! | `@reference.use` | any other mention |
//! | `@reference.words` | code that the grammar leaves as it is: its words are calls or uses |
//! | `@reference.nothing` | no mention, whatever later patterns say of it |
//! | `@also.type`, … | such a mention, even where it defines the name as well |
//! | `@within.import`, … | all names in it that later patterns take are mentioned so |
//! | `@_…` | only for predicates |
//!
//! Again the first pattern in the file counts, so that the last one can take all that is left.

use std::num::NonZeroU16;
use std::ops::Range;
use std::sync::OnceLock;

use tree_sitter::{Node, Query, QueryMatch};

use super::Kind;
use super::assemble::{Found, What};
use super::declarator::declared;
use super::extract::Seeks;
use super::languages::Language;

/// A query, ready to be run.
pub(super) struct Rules {
    grammar: tree_sitter::Language,
    query: Query,
    /// What each capture means, by its number.
    roles: Vec<Role>,
    /// The field of that name.
    body: Option<NonZeroU16>,
}

#[derive(Clone, Copy)]
enum Role {
    What(What),
    Name,
    Title,
    Declarator,
    Scope,
    Body,
    Nothing,
}

/// The rules of a language, made when they are first needed.
pub(super) fn rules(language: &Language) -> Option<&'static Rules> {
    static RULES: [OnceLock<Option<Rules>>; 256] = [const { OnceLock::new() }; 256];
    RULES[language.number as usize].get_or_init(|| Rules::new(language)).as_ref()
}

impl Seeks for Rules {
    type Found = Found;

    fn grammar(&self) -> &tree_sitter::Language {
        &self.grammar
    }

    fn query(&self) -> &Query {
        &self.query
    }

    fn take(&self, found: &QueryMatch<'_, '_>, text: &[u8], to: &mut Vec<Found>) {
        to.extend(self.found(found, text));
    }
}

impl Rules {
    fn new(language: &Language) -> Option<Self> {
        let grammar = language.grammar()?;
        let query = Query::new(&grammar, &language.definitions()).ok()?;
        let roles = query.capture_names().iter().map(|name| Role::of(name));
        let roles = roles.collect::<Option<_>>()?;
        let body = grammar.field_id_for_name("body");
        Some(Self { grammar, query, roles, body })
    }

    /// What a match has found.
    fn found(&self, found: &QueryMatch<'_, '_>, text: &[u8]) -> Option<Found> {
        let captured = self.captured(found, text)?;
        let (what, node) = captured.what?;
        let range = trimmed(bytes(node), text);
        // A function without a name is known by its range.
        let name = if what == What::Local { range.clone() } else { captured.name? };
        let body = captured.body.or_else(|| self.body_of(node));
        let start = if what == What::Local { range.start } else { name.end };
        let inside = body.map_or(start, |body| body.min(start));
        let head = body.map(|body| body.clamp(range.start, range.end));
        let rank = found.pattern_index as u32;
        // Where there are errors of syntax, a name can be missing.
        let is_sound =
            is_name(slice(text, &name)) && range.start <= name.start && name.end <= range.end;
        let scope = captured.scope;
        (is_sound || what == What::Local).then_some(Found {
            what,
            name,
            scope,
            range,
            head,
            inside,
            rank,
        })
    }

    fn captured<'tree>(
        &self,
        found: &QueryMatch<'_, 'tree>,
        text: &[u8],
    ) -> Option<Captured<'tree>> {
        let mut captured = Captured::default();
        for capture in found.captures() {
            let node = capture.node;
            match self.roles[capture.index as usize] {
                Role::What(what) => captured.what = Some((what, node)),
                Role::Name => captured.extend_name(bare(bytes(node), text)),
                Role::Title => captured.name = Some(title(bytes(node), text)),
                Role::Scope => captured.scope = Some(bytes(node)),
                Role::Body => captured.body = Some(node.start_byte() as u32),
                Role::Declarator => captured.declare(node)?,
                Role::Nothing => {}
            }
        }
        Some(captured)
    }

    fn body_of(&self, node: Node<'_>) -> Option<u32> {
        Some(node.child_by_field_id(self.body?.get())?.start_byte() as u32)
    }
}

impl Role {
    fn of(capture: &str) -> Option<Self> {
        Some(match capture {
            "name" => Self::Name,
            "title" => Self::Title,
            "declarator" => Self::Declarator,
            "scope" => Self::Scope,
            "body" => Self::Body,
            "local" => Self::What(What::Local),
            "declaration" => Self::What(What::Declaration),
            other if other.starts_with('_') => Self::Nothing,
            definition => Self::What(definition_of(definition)?),
        })
    }
}

fn definition_of(capture: &str) -> Option<What> {
    let mut words = capture.split('.');
    let sort = words.next()?;
    let kind = Kind::from_name(words.next()?)?;
    let more = words.next();
    let within_type = more.and_then(Kind::from_name).unwrap_or(kind);
    Some(match sort {
        "definition" => What::Definition { kind, within_type, once: false },
        "assignment" => What::Definition { kind, within_type, once: true },
        "reach" => What::Reaching { kind, level: more?.parse().ok()? },
        _ => return None,
    })
}

/// What the captures of a match say.
#[derive(Default)]
struct Captured<'tree> {
    what: Option<(What, Node<'tree>)>,
    name: Option<Range<u32>>,
    scope: Option<Range<u32>>,
    body: Option<u32>,
}

impl Captured<'_> {
    fn extend_name(&mut self, part: Range<u32>) {
        let start = self.name.as_ref().map_or(part.start, |name| name.start);
        self.name = Some(start..part.end);
    }

    fn declare(&mut self, declarator: Node<'_>) -> Option<()> {
        let declared = declared(declarator)?;
        self.name = Some(declared.name);
        self.scope = declared.scope.or(self.scope.take());
        if let Some((what @ What::Definition { kind: Kind::Variable | Kind::Field, .. }, _)) =
            &mut self.what
            && declared.is_function
        {
            *what = What::Prototype;
        }
        Some(())
    }
}

/// What is longer is no name that anybody looks for.
const NAME_BYTES: usize = 1024;

/// Whether somebody might look for it.
pub(super) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES && name != b"_"
}

/// A name without quotes, or without the colon of a symbol or keyword.
pub(super) fn bare(range: Range<u32>, text: &[u8]) -> Range<u32> {
    let name = slice(text, &range).trim_ascii_end();
    let name = if name.len() > 1 { name.strip_suffix(b":").unwrap_or(name) } else { name };
    let range = range.start..range.start + name.len() as u32;
    match name {
        [b':', _, ..] => range.start + 1..range.end,
        [first @ (b'"' | b'\'' | b'`'), .., last] if first == last => {
            range.start + 1..range.end - 1
        }
        _ => range,
    }
}

/// The first line of a heading, without the closing `#`, and without marks of emphasis or code
/// around all of it.
pub(super) fn title(range: Range<u32>, text: &[u8]) -> Range<u32> {
    let whole = slice(text, &range);
    let line = &whole[..memchr::memchr(b'\n', whole).unwrap_or(whole.len())];
    let open = &line[..line.iter().rposition(|&byte| byte != b'#').map_or(0, |last| last + 1)];
    let is_closed = open.last().is_none_or(u8::is_ascii_whitespace);
    let title = unmarked(if is_closed { open } else { line }.trim_ascii());
    // `title` is a part of `whole`.
    let start = range.start + (title.as_ptr() as usize - whole.as_ptr() as usize) as u32;
    start..start + title.len() as u32
}

fn unmarked(title: &[u8]) -> &[u8] {
    let marks: [&[u8]; 6] = [b"***", b"**", b"*", b"__", b"_", b"`"];
    let inner = marks.iter().find_map(|mark| {
        let inner = title.strip_prefix(*mark)?.strip_suffix(*mark)?;
        (!inner.contains(&mark[0])).then_some(inner)
    });
    inner.map_or(title, unmarked)
}

pub(super) fn slice<'a>(text: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    text.get(range.start as usize..range.end as usize).unwrap_or_default()
}

pub(super) fn bytes(node: Node<'_>) -> Range<u32> {
    node.start_byte() as u32..node.end_byte() as u32
}

/// A range without white space at its end, as some grammars have it.
pub(super) fn trimmed(range: Range<u32>, text: &[u8]) -> Range<u32> {
    range.start..range.start + slice(text, &range).trim_ascii_end().len() as u32
}

#[cfg(test)]
mod tests {
    use super::super::languages::all;
    use super::*;

    #[test]
    fn all_patterns_are_in_the_terms_of_their_grammars() {
        for language in all() {
            let Some(grammar) = language.grammar() else { continue };
            let query = Query::new(&grammar, &language.definitions());
            let query = query.unwrap_or_else(|error| panic!("{}: {error}", language.name));
            let unknown = query.capture_names().iter().find(|name| Role::of(name).is_none());
            assert_eq!(unknown, None, "{}", language.name);
        }
    }
}
