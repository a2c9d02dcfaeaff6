//! Definitions as they are found become an [`Outline`]: in order, each once, with lines and
//! parents, and without what is local to a function.
//!
//! Knows no grammar: it works on offsets alone.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::ops::Range;

use super::extract::Placed;
use super::pieces::Skim;
use super::reach::reach;
use super::rules::slice;
use super::text::leading_attributes;
use super::{Extent, Kind, Outline, Symbol};

/// What was found in a tree. Offsets are of the whole text.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What it is, or nothing.
    pub(super) what: What,
    /// Where its name stands.
    pub(super) name: Range<u32>,
    /// The type or module that it names itself.
    pub(super) scope: Option<Range<u32>>,
    /// The whole definition.
    pub(super) range: Range<u32>,
    /// Where the signature ends, if it does before what follows from the text.
    pub(super) head: Option<u32>,
    /// What starts before this place belongs beside it and not into it: in
    /// `typedef struct s { … } t`, `s` is none of `t`'s parts.
    pub(super) inside: u32,
    /// Which pattern has found it. Of several for one name the first counts.
    pub(super) rank: u32,
}

impl Placed for Found {
    fn shift(&mut self, by: u32) {
        let shifted = |range: &Range<u32>| range.start + by..range.end + by;
        self.name = shifted(&self.name);
        self.scope = self.scope.as_ref().map(shifted);
        self.range = shifted(&self.range);
        self.head = self.head.map(|head| head + by);
        self.inside += by;
    }

    fn restore(&mut self, left: &Skim) {
        left.restore(self);
    }
}

/// What a found thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A definition.
    Definition {
        /// Its kind.
        kind: Kind,
        /// Its kind if it is in a type, or names one as its scope.
        within_type: Kind,
        /// Whether only the first of its name in a container counts.
        once: bool,
    },
    /// The beginning of what reaches to the next one of its level or above, as a heading.
    Reaching {
        /// Its kind.
        kind: Kind,
        /// Its level, the highest of which is 1.
        level: u8,
    },
    /// A function without a body: in a type, a method.
    Prototype,
    /// A declaration of what is defined elsewhere.
    Declaration,
    /// A function without a name: what it holds of variables is local.
    Local,
}

impl What {
    /// A definition that is of that kind anywhere.
    pub(super) fn of(kind: Kind) -> Self {
        Self::Definition { kind, within_type: kind, once: false }
    }
}

/// The outline of what was found in a text.
pub(super) fn assemble(
    mut found: Vec<Found>,
    text: &[u8],
    attributes: &[&str],
    extent: Extent,
) -> Outline {
    reach(&mut found, text);
    let is_local = |one: &Found| one.what == What::Local;
    // One name is one definition.
    found.sort_by_key(|one| {
        (is_local(one), one.name.start, one.rank, one.range.start, one.range.end)
    });
    found.dedup_by(|next, kept| next.name.start == kept.name.start && !is_local(next));
    found.retain(|one| one.what != What::Declaration);
    found.sort_by_key(|one| {
        (one.range.start, Reverse(one.range.end), is_local(one), one.name.start)
    });
    let (symbols, open, seen) = (Vec::new(), Vec::new(), HashSet::new());
    let mut nest = Nest { text, attributes, symbols, open, seen };
    for one in found {
        nest.add(one);
    }
    Outline { symbols: locate(nest.symbols, text), extent }
}

/// A definition that is open where the next one starts.
struct Open {
    range: Range<u32>,
    inside: u32,
    /// The symbol that it is, or that encloses it where it is none.
    symbol: Option<u32>,
    /// The symbol that encloses it.
    parent: Option<u32>,
    /// Whether variables in it are local.
    is_local: bool,
    /// Whether variables beside it are.
    is_local_beside: bool,
}

/// Gives each definition its parent, and its kind by that parent, and leaves out what is local.
struct Nest<'a> {
    text: &'a [u8],
    /// What begins an attribute.
    attributes: &'a [&'a str],
    symbols: Vec<Symbol>,
    /// Ranges that enclose each other, the innermost last.
    open: Vec<Open>,
    /// The names that count once, and the symbols around them.
    seen: HashSet<(Option<u32>, &'a [u8])>,
}

impl Nest<'_> {
    fn add(&mut self, one: Found) {
        while self.open.pop_if(|top| top.range.end <= one.range.start).is_some() {}
        let is_beside = self.open.last().is_some_and(|top| top.range == one.range);
        // Where the innermost one does not enclose it, it stands where that one stands.
        let (parent, is_local_beside) = match self.open.last() {
            None => (None, false),
            Some(top) if is_beside || one.range.start < top.inside => {
                (top.parent, top.is_local_beside)
            }
            Some(top) => (top.symbol, top.is_local),
        };
        let (range, inside) = (one.range.clone(), one.inside);
        let (symbol, is_local) = if one.what == What::Local {
            (parent, true)
        } else {
            let Some(kind) = self.symbol(one, parent, is_local_beside) else { return };
            (self.symbols.len().checked_sub(1).map(|last| last as u32), is_function(kind))
        };
        if !is_beside {
            self.open.push(Open { range, inside, symbol, parent, is_local, is_local_beside });
        }
    }

    /// Makes it a symbol, unless it is none.
    fn symbol(&mut self, one: Found, parent: Option<u32>, is_local: bool) -> Option<Kind> {
        let (kind, parent) = self.kind(&one, parent)?;
        // In a block of a type, too, such as one that initialises it.
        let is_variable = |kind| matches!(kind, Kind::Variable | Kind::Constant);
        if is_local && matches!(one.what, What::Definition { kind, .. } if is_variable(kind)) {
            return None;
        }
        let name = slice(self.text, &one.name);
        if matches!(one.what, What::Definition { once: true, .. })
            && !self.seen.insert((parent, name))
        {
            return None;
        }
        let head = one.head.unwrap_or_else(|| self.head(kind, &one.range));
        let Found { name, scope, range, .. } = one;
        let (line, column, first_line, last_line) = Default::default();
        self.symbols.push(Symbol {
            kind,
            name,
            scope,
            range,
            head,
            parent,
            line,
            column,
            first_line,
            last_line,
        });
        Some(kind)
    }

    /// A function without a body is all signature; of anything else it is the first line that is
    /// not an attribute's.
    fn head(&self, kind: Kind, range: &Range<u32>) -> u32 {
        if is_function(kind) {
            return range.end;
        }
        let definition = slice(self.text, range);
        let start = leading_attributes(definition, self.attributes);
        let newline = memchr::memchr(b'\n', &definition[start..]);
        newline.map_or(range.end, |newline| range.start + (start + newline) as u32)
    }

    /// What it is where it stands, and what it belongs to.
    fn kind(&self, one: &Found, parent: Option<u32>) -> Option<(Kind, Option<u32>)> {
        let around = |parent: Option<u32>| parent.map(|parent| &self.symbols[parent as usize]);
        let is_in_type = around(parent).is_some_and(|parent| is_type(parent.kind));
        let (kind, within_type) = match one.what {
            What::Definition { kind, within_type, .. } => (kind, within_type),
            What::Prototype if is_in_type => return Some((Kind::Method, parent)),
            _ => return None,
        };
        let container = match (kind, around(parent)) {
            // In `a = b = 1`, `b` is not a part of `a`.
            (Kind::Variable | Kind::Constant, Some(around)) if is_value(around.kind) => {
                around.parent
            }
            // A field that a constructor's parameter makes. Those of a structure without a name
            // in a function are nobody else's.
            (Kind::Field, Some(around)) if around.kind == Kind::Constructor => around.parent,
            (Kind::Field, Some(around)) if is_function(around.kind) => return None,
            _ => parent,
        };
        let is_in_type = one.scope.is_some() || around(container).is_some_and(|c| is_type(c.kind));
        Some((if is_in_type { within_type } else { kind }, container))
    }
}

/// Whether its functions are methods and its variables fields.
fn is_type(kind: Kind) -> bool {
    use Kind::{Class, Enum, Impl, Interface, Struct, Trait, Union};
    matches!(kind, Class | Struct | Union | Enum | Interface | Trait | Impl)
}

/// Whether it holds a value.
fn is_value(kind: Kind) -> bool {
    matches!(kind, Kind::Variable | Kind::Constant | Kind::Field)
}

/// Whether its variables are nobody else's.
fn is_function(kind: Kind) -> bool {
    matches!(kind, Kind::Function | Kind::Method | Kind::Constructor)
}

/// Counts lines and columns.
fn locate(mut symbols: Vec<Symbol>, text: &[u8]) -> Vec<Symbol> {
    let Some(last) = symbols.iter().map(|symbol| symbol.range.end).max() else {
        return symbols;
    };
    let end = text.len().min(last as usize);
    let newlines: Vec<u32> = memchr::memchr_iter(b'\n', &text[..end]).map(|at| at as u32).collect();
    let line = |offset: u32| newlines.partition_point(|&newline| newline < offset);
    for symbol in &mut symbols {
        let name_line = line(symbol.name.start);
        let line_start = if name_line == 0 { 0 } else { newlines[name_line - 1] + 1 };
        symbol.line = name_line as u32 + 1;
        symbol.column = symbol.name.start - line_start + 1;
        symbol.first_line = line(symbol.range.start) as u32 + 1;
        symbol.last_line = line(symbol.range.end - 1) as u32 + 1;
    }
    symbols
}
