//! Definitions as they are found become an [`Outline`]: in order, each once, with lines and
//! parents, and without what is local to a function.
//!
//! Knows no grammar: it works on offsets alone.

use std::cmp::Reverse;
use std::ops::Range;

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
    /// Where the signature ends.
    pub(super) head: u32,
    /// What starts before this place belongs beside it and not into it: in
    /// `typedef struct s { … } t`, `s` is none of `t`'s parts.
    pub(super) inside: u32,
    /// Which pattern has found it. Of several for one name the first counts.
    pub(super) rank: u32,
}

/// What a found thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A definition: its kind, and the kind that it has in a type.
    Definition(Kind, Kind),
    /// A declaration of what is defined elsewhere.
    Declaration,
    /// A function without a name: what it holds of variables is local.
    Local,
}

/// The outline of what was found in a text.
pub(super) fn assemble(mut found: Vec<Found>, text: &[u8], extent: Extent) -> Outline {
    // One name is one definition.
    let is_local = |one: &Found| one.what == What::Local;
    found.sort_unstable_by_key(|one| {
        (is_local(one), one.name.start, one.rank, one.range.start, one.range.end)
    });
    found.dedup_by(|next, kept| next.name.start == kept.name.start && !is_local(next));
    found.retain(|one| one.what != What::Declaration);
    found.sort_by_key(|one| {
        (one.range.start, Reverse(one.range.end), is_local(one), one.name.start)
    });
    let symbols = nest(&found);
    Outline { symbols: locate(symbols, text), extent }
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
    local: bool,
    /// Whether variables beside it are.
    local_beside: bool,
}

/// Gives each its parent, and its kind by that parent, and leaves out what is local.
fn nest(found: &[Found]) -> Vec<Symbol> {
    let mut symbols: Vec<Symbol> = Vec::with_capacity(found.len());
    let mut open: Vec<Open> = Vec::new();
    for one in found {
        while open.last().is_some_and(|top| top.range.end <= one.range.start) {
            open.pop();
        }
        let beside = open.last().is_some_and(|top| top.range == one.range);
        // Where the innermost one does not enclose it, it stands where that one stands.
        let (parent, local) = match open.last() {
            None => (None, false),
            Some(top) if beside || one.range.start < top.inside => (top.parent, top.local_beside),
            Some(top) => (top.symbol, top.local),
        };
        let (symbol, own_local) = match one.what {
            What::Definition(kind, within_type) => {
                let parent = container(&symbols, kind, parent);
                let parent_kind = parent.map(|parent| symbols[parent as usize].kind);
                let kind = if parent_kind.is_some_and(is_type) { within_type } else { kind };
                if local && matches!(kind, Kind::Variable | Kind::Constant) {
                    continue;
                }
                symbols.push(symbol(one, kind, parent));
                (Some(symbols.len() as u32 - 1), is_function(kind))
            }
            What::Declaration | What::Local => (parent, true),
        };
        if !beside {
            let Found { range, inside, .. } = one.clone();
            open.push(Open {
                range,
                inside,
                symbol,
                parent,
                local: own_local,
                local_beside: local,
            });
        }
    }
    symbols
}

/// Where a definition belongs that stands in `parent`: in `a = b = 1`, `b` is not a part of `a`.
fn container(symbols: &[Symbol], kind: Kind, parent: Option<u32>) -> Option<u32> {
    let around = &symbols[parent? as usize];
    let is_value = |kind| matches!(kind, Kind::Variable | Kind::Constant | Kind::Field);
    if is_value(kind) && is_value(around.kind) { around.parent } else { parent }
}

fn symbol(found: &Found, kind: Kind, parent: Option<u32>) -> Symbol {
    let Found { name, scope, range, head, .. } = found.clone();
    Symbol {
        kind,
        name,
        scope,
        range,
        head,
        parent,
        line: 0,
        column: 0,
        first_line: 0,
        last_line: 0,
    }
}

/// Whether its functions are methods and its variables fields.
fn is_type(kind: Kind) -> bool {
    use Kind::{Class, Enum, Impl, Interface, Struct, Trait, Union};
    matches!(kind, Class | Struct | Union | Enum | Interface | Trait | Impl)
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
