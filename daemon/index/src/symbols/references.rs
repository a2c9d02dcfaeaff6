//! References: where a text mentions a name, and how.
//!
//! They are made with an outline, of the same tree, or when somebody asks for them, by patterns that outlines
//! know nothing of. Scopes are not looked at: a local variable is a mention like any other.

mod patterns;
mod record;

pub use record::{Encoded, decode, fit};
use tree_sitter::{QueryCursor, Tree};

use std::cmp::Reverse;
use std::iter::Peekable;
use std::ops::Range;

use super::extract::{Extractor, Limits, Looks, Placed as _, addressable, query};
use super::languages::Language;
use super::pieces::Skim;
use super::{Extent, Kind, Outline, Symbol};
use patterns::{Mention, Sort, patterns};

/// How a name is mentioned. The number stands in stores: it never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// A function, method or macro is called, or a class is made with `new`.
    Call = 1,
    /// A type is named: of a variable, as a base class, as a bound.
    Type = 2,
    /// A name, or the path of a file or module, is brought in from elsewhere.
    Import = 3,
    /// Any other mention in code.
    Use = 4,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Call, Self::Type, Self::Import, Self::Use];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Type => "type",
            Self::Import => "import",
            Self::Use => "use",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A mention of a name. Lines and columns count from 1, columns in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// How it is mentioned.
    pub role: Role,
    /// Where the name stands: offsets of bytes in the text.
    pub name: Range<u32>,
    /// The line of the name.
    pub line: u32,
    /// The column of the name.
    pub column: u32,
    /// The innermost definition around it: an index in [`Outline::symbols`].
    pub enclosing: Option<u32>,
}

/// What names a text mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// In the order of their places. None overlaps another one.
    pub references: Vec<Reference>,
    /// How much of the text they cover.
    pub extent: Extent,
}

/// For each definition that may be kept, so many mentions may.
const MENTIONS: usize = 8;

impl Extractor {
    /// Which names a text of that language mentions, and how. The names that the outline, which is
    /// of the same text, defines are none.
    ///
    /// ```
    /// use hob_index::symbols::{extract::Extractor, languages::by_name};
    ///
    /// let (rust, text) = (by_name("rust").unwrap(), b"fn f() { g(); }");
    /// let mut extractor = Extractor::default();
    /// let outline = extractor.extract(rust, text);
    /// let found = extractor.references(rust, text, &outline).references;
    /// assert_eq!((found.len(), found[0].role.name(), found[0].column), (1, "call", 10));
    /// assert_eq!(found[0].enclosing, Some(0));
    /// ```
    pub fn references(
        &mut self,
        language: &Language,
        text: &[u8],
        outline: &Outline,
    ) -> References {
        let text = addressable(text);
        if !language.has_references() {
            return References::default();
        }
        let Some(patterns) = patterns(language) else {
            return References { references: Vec::new(), extent: Extent::GivenUp };
        };
        let most = self.limits().symbols.saturating_mul(MENTIONS);
        let (found, extent) = self.search(language, patterns, text, &[], most, None);
        let references = finish(found, text, outline, most);
        References { references, extent }
    }

    /// What a text defines and mentions: its outline, and the same references as [`Extractor::references`]
    /// gives, if they can be had of the same tree. That costs little more than the outline alone.
    pub fn extract_all(
        &mut self,
        language: &Language,
        text: &[u8],
    ) -> (Outline, Option<Vec<Reference>>) {
        let shares_tree = language.has_references() && language.skim.is_none();
        let Some(patterns) = patterns(language).filter(|_| shares_tree) else {
            return (self.extract(language, text), None);
        };
        let limits = self.limits();
        let most = limits.symbols.saturating_mul(MENTIONS);
        let mut also = Also { patterns, limits, most, found: Vec::new() };
        let outline = self.extract_with(language, text, Some(&mut also));
        let references = finish(also.found, addressable(text), &outline, most);
        (outline, Some(references))
    }
}

/// Looks for mentions in the tree of an outline.
struct Also {
    patterns: &'static patterns::Patterns,
    limits: Limits,
    most: usize,
    found: Vec<Mention>,
}

impl Looks for Also {
    fn look(&mut self, cursor: &mut QueryCursor, tree: &Tree, text: &[u8]) {
        let budget = self.limits.budget(text);
        query(cursor, self.patterns, tree, text, &budget, &mut self.found, self.most);
    }

    fn restore(&mut self, left: &Skim) {
        self.found.iter_mut().for_each(|one| one.restore(left));
    }
}

fn finish(found: Vec<Mention>, text: &[u8], outline: &Outline, most: usize) -> Vec<Reference> {
    let mut references = mentions(found, &outline.symbols);
    references.truncate(most);
    place(&mut references, text, &outline.symbols);
    references
}

/// Finds the line of each, and what is around it.
pub(super) fn place(references: &mut [Reference], text: &[u8], symbols: &[Symbol]) {
    locate(references, text);
    enclose(references, symbols);
}

/// Each mention once, in the order of their places, without the names that are defined there.
fn mentions(found: Vec<Mention>, symbols: &[Symbol]) -> Vec<Reference> {
    let (mut around, mut found): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|one| one.sort == Sort::Within);
    around.sort_by_key(|one| (one.name.start, Reverse(one.name.end), one.rank));
    found.sort_unstable_by_key(|one| (one.name.start, one.rank, one.name.end));
    let mut around = Around { next: around.into_iter().peekable(), open: Vec::new() };
    let mut defined = Defined::new(symbols);
    let mut taken_to = 0;
    let mut references = Vec::new();
    for mention in found {
        if mention.name.start < taken_to {
            continue;
        }
        taken_to = mention.name.end;
        let role = around.role(&mention);
        let is_defined = defined.has(&mention.name) && mention.sort != Sort::Also;
        let Some(role) = role.filter(|_| !is_defined) else { continue };
        references.push(Reference {
            role,
            name: mention.name,
            line: 0,
            column: 0,
            enclosing: None,
        });
    }
    references
}

/// What is around mentions, which are asked for in the order of their places.
struct Around {
    next: Peekable<std::vec::IntoIter<Mention>>,
    /// Where those end that are around, with the first pattern of each and of all further out, and
    /// its role.
    open: Vec<(u32, u32, Option<Role>)>,
}

impl Around {
    /// The role that the first pattern gives.
    fn role(&mut self, mention: &Mention) -> Option<Role> {
        let start = mention.name.start;
        while let Some(one) = self.next.next_if(|one| one.name.start <= start) {
            self.close(one.name.start);
            let outer = self.open.last().filter(|(_, rank, _)| *rank < one.rank);
            let (rank, role) = outer.map_or((one.rank, one.role), |(_, rank, role)| (*rank, *role));
            self.open.push((one.name.end, rank, role));
        }
        self.close(start);
        let around = self.open.last().filter(|(_, rank, _)| *rank < mention.rank);
        around.map_or(mention.role, |(_, _, role)| *role)
    }

    fn close(&mut self, at: u32) {
        while self.open.pop_if(|(end, ..)| *end <= at).is_some() {}
    }
}

/// The names that are defined, which are asked for in the order of their places.
struct Defined {
    next: Peekable<std::vec::IntoIter<Range<u32>>>,
    /// Where the last of those ends that were passed.
    end: u32,
}

impl Defined {
    fn new(symbols: &[Symbol]) -> Self {
        // An `impl` defines no name: it mentions one.
        let names = symbols.iter().filter(|symbol| symbol.kind != Kind::Impl);
        let mut names: Vec<_> = names.map(|symbol| symbol.name.clone()).collect();
        names.sort_unstable_by_key(|name| name.start);
        Self { next: names.into_iter().peekable(), end: 0 }
    }

    /// Whether it is a part of one.
    fn has(&mut self, name: &Range<u32>) -> bool {
        while let Some(passed) = self.next.next_if(|next| next.start < name.end) {
            self.end = self.end.max(passed.end);
        }
        name.start < self.end
    }
}

/// Counts lines and columns.
fn locate(references: &mut [Reference], text: &[u8]) {
    let (mut line, mut line_start, mut seen) = (1, 0, 0);
    for reference in references {
        let start = reference.name.start as usize;
        for newline in memchr::memchr_iter(b'\n', &text[seen..start]) {
            line += 1;
            line_start = seen + newline + 1;
        }
        seen = start;
        reference.line = line;
        reference.column = (start - line_start) as u32 + 1;
    }
}

/// Finds what is around each. Of definitions that stand in one declaration, as in
/// `int a = f(), b = g();`, it is the last one whose name stands before the mention.
fn enclose(references: &mut [Reference], symbols: &[Symbol]) {
    let mut next = 0;
    let mut open: Vec<usize> = Vec::new();
    for reference in references {
        let name = &reference.name;
        while let Some(symbol) = symbols.get(next).filter(|next| next.range.start <= name.start) {
            let is_beside = next.checked_sub(1).is_some_and(|l| symbols[l].range == symbol.range);
            if !is_beside {
                open.push(next);
            }
            next += 1;
        }
        // What ends here encloses nothing that follows either.
        while open.pop_if(|top| symbols[*top].range.end < name.end).is_some() {}
        let Some(top) = open.last_mut() else { continue };
        let range = &symbols[*top].range;
        let is_its = |beside: &Symbol| beside.range == *range && beside.name.start <= name.start;
        while symbols.get(*top + 1).is_some_and(is_its) {
            *top += 1;
        }
        reference.enclosing = Some(*top as u32);
    }
}

#[cfg(test)]
mod tests {
    use super::super::languages::by_name;
    use super::*;

    /// The mentions in a text, as `column role name`.
    fn shown(language: &str, text: &str) -> Vec<String> {
        let language = by_name(language).unwrap();
        let mut extractor = Extractor::default();
        let outline = extractor.extract(language, text.as_bytes());
        let found = extractor.references(language, text.as_bytes(), &outline);
        let show = |one: &Reference| {
            let name = &text[one.name.start as usize..one.name.end as usize];
            format!("{} {} {name}", one.column, one.role.name())
        };
        found.references.iter().map(show).collect()
    }

    #[test]
    fn the_first_pattern_says_how_a_name_is_mentioned() {
        assert_eq!(shown("rust", "use a::b;"), ["5 import a", "8 import b"]);
        assert_eq!(shown("rust", "fn f() { g(h) }"), ["10 call g", "12 use h"]);
        // A value within a type within a call.
        assert_eq!(
            shown("csharp", "class A { B[] c = new D[e()]; }"),
            ["11 type B", "23 type D", "25 call e"]
        );
    }

    #[test]
    fn a_defined_name_is_no_mention_but_that_of_an_impl() {
        assert_eq!(
            shown("rust", "struct A; impl A {} const B: A = A;"),
            ["16 type A", "30 type A", "34 use A",]
        );
    }

    #[test]
    fn the_code_that_a_macro_stands_for_is_read_word_by_word() {
        let text = "#define A(x) do { B(x, \"C\", 'D', 0x1F); /* E */ if (c->d) e; } while (0)";
        let expected = ["11 use x", "19 call B", "21 use x", "53 use c", "56 use d", "59 use e"];
        assert_eq!(shown("c", text), expected);
        assert_eq!(shown("c", "#error no such thing\n#undef A\n"), ["8 use A"]);
        assert_eq!(
            shown("c", "#include <a/b.h>\n#include \"c.h\"\n"),
            ["11 import a/b.h", "11 import c.h"]
        );
    }

    #[test]
    fn of_declarations_that_stand_together_the_last_one_before_it_encloses_a_mention() {
        let text = b"int a = f(), b = g(a), c;";
        let c = by_name("c").unwrap();
        let mut extractor = Extractor::default();
        let outline = extractor.extract(c, text);
        let found = extractor.references(c, text, &outline).references;
        let enclosing: Vec<_> = found.iter().map(|one| one.enclosing.unwrap()).collect();
        assert_eq!(enclosing, [0, 1, 1]);
    }

    #[test]
    fn a_role_has_a_name_and_a_number() {
        for (index, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, index + 1);
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        assert_eq!(Role::from_name("nothing"), None);
    }
}
