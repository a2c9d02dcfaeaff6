//! What stands at a place of a text, and which definition of that name is likely meant.

use super::Parsed;
use hob_index::context::documents::{Sort, sort};
use hob_index::symbols::references::{Reference, Role};
use hob_index::symbols::{Kind, Symbol};
use hob_protocol::SymbolMatch;
use std::ops::Range;

/// A name at a place.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// It is mentioned there.
    Mention(Reference),
    /// It is defined there: an index in the outline.
    Definition(u32),
}

/// The byte at a line and a column, both from 1.
pub(crate) fn offset(text: &[u8], line: u64, column: u64) -> Option<u32> {
    let before = usize::try_from(line.checked_sub(1)?).ok()?;
    let mut start = 0;
    for _ in 0..before {
        start += memchr::memchr(b'\n', text.get(start..)?)? + 1;
    }
    let rest = text.get(start..)?;
    let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    let column = usize::try_from(column.checked_sub(1)?).ok()?;
    // The end of a line is a place, too: that of a name which ends there.
    (column <= length).then_some(())?;
    u32::try_from(start + column).ok()
}

/// What is named at a byte; directly after a name counts as well.
pub(crate) fn at(parsed: &Parsed, offset: u32) -> Option<At> {
    let touches = |range: &Range<u32>| range.start <= offset && offset <= range.end;
    let holds = |range: &Range<u32>| range.start <= offset && offset < range.end;
    let mentioned = &parsed.mentioned;
    for fits in [&holds as &dyn Fn(&Range<u32>) -> bool, &touches] {
        let mention = mentioned.references.iter().find(|one| fits(&one.name));
        if let Some(reference) = mention {
            return Some(At::Mention(reference.clone()));
        }
        let is_meant = |symbol: &Symbol| symbol.kind != Kind::Impl && fits(&symbol.name);
        if let Some(at) = mentioned.outline.symbols.iter().position(is_meant) {
            return Some(At::Definition(at as u32));
        }
    }
    None
}

/// Where a mention's name is bound, if that is a parameter or variable of the function around it.
///
/// Told by what stands beside the first mention in that function: a parameter stands before its
/// body, a variable after a word such as `let` or a type, or before `=` or `in`.
pub(crate) fn local<'p>(parsed: &'p Parsed, reference: &Reference) -> Option<&'p Reference> {
    if reference.role != Role::Use && reference.role != Role::Call || is_member(parsed, reference) {
        return None;
    }
    let symbols = &parsed.mentioned.outline.symbols;
    let name = parsed.name(reference);
    let mut around = reference.enclosing;
    while let Some(function) = around.and_then(|at| symbols.get(at as usize)) {
        let is_function = matches!(
            function.kind,
            Kind::Function | Kind::Method | Kind::Constructor | Kind::Macro
        );
        if is_function {
            let mut inside = parsed.mentioned.references.iter().filter(|one| {
                function.range.start <= one.name.start
                    && one.name.start <= reference.name.start
                    && parsed.name(one) == name
                    && !is_member(parsed, one)
            });
            if let Some(bound) = inside.find(|one| is_bound(parsed, one, function)) {
                return Some(bound);
            }
        }
        around = function.parent.filter(|parent| Some(*parent) < around);
    }
    None
}

/// Whether a mention is of a part of something: `a.name`, `a->name`, `A::name`.
fn is_member(parsed: &Parsed, reference: &Reference) -> bool {
    let before = parsed.text[..reference.name.start as usize].trim_ascii_end();
    let is_range = before.ends_with(b"..");
    [&b"."[..], b"->", b"::", b"?."].iter().any(|sign| before.ends_with(sign)) && !is_range
}

fn is_bound(parsed: &Parsed, reference: &Reference, function: &Symbol) -> bool {
    let (start, end) = (reference.name.start as usize, reference.name.end as usize);
    if function.name.end <= reference.name.start && reference.name.end <= function.head {
        // Of `name: Type` and `Type name` the type has another role.
        return reference.role == Role::Use;
    }
    let before = parsed.text[..start].trim_ascii_end();
    let after = parsed.text[end..].trim_ascii_start();
    let word = before.rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
    let binds: [&[u8]; 13] = [
        b"let", b"mut", b"var", b"const", b"val", b"for", b"auto", b"my", b"local", b"as", b"ref",
        b"final", b"catch",
    ];
    if binds.contains(&word) {
        return true;
    }
    // A type directly before it, as in C and Java: `int n`, `Node *node`, `List<T> list`.
    let type_end = before.trim_ascii_end().iter().rposition(|byte| !b"*& ".contains(byte));
    let is_typed = type_end.is_some_and(|last| {
        let of = |one: &&Reference| one.name.end as usize == last + 1 && one.role == Role::Type;
        parsed.mentioned.references.iter().any(|one| of(&one))
    });
    let primitive: [&[u8]; 10] = [
        b"int",
        b"char",
        b"long",
        b"short",
        b"bool",
        b"boolean",
        b"double",
        b"float",
        b"unsigned",
        b"void",
    ];
    let named = before.strip_suffix(b"*").unwrap_or(before).trim_ascii_end();
    let last = named.rsplit(|byte| !byte.is_ascii_alphanumeric()).next().unwrap_or_default();
    let assigned = after.starts_with(b":=")
        || after.starts_with(b"=") && !after.starts_with(b"==") && !after.starts_with(b"=>")
        || after.starts_with(b"in ")
        || after.starts_with(b"|") && before.ends_with(b"|");
    is_typed || primitive.contains(&last) || assigned
}

/// Puts definitions of a name in the order of how likely a mention means them.
pub(crate) fn likeliest(parsed: &Parsed, reference: &Reference, found: &mut [SymbolMatch]) {
    let before = parsed.text[..reference.name.start as usize].trim_ascii_end();
    let receiver = [&b"::"[..], b".", b"->"].iter().find_map(|sign| before.strip_suffix(*sign));
    let receiver = receiver.map(|text| {
        text.rsplit(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').next().unwrap_or(text)
    });
    let own = |name: &[u8]| matches!(name, b"self" | b"this" | b"Self" | b"cls" | b"super");
    let around = reference.enclosing.map(|symbol| parsed.whole_name(symbol));
    let in_tests = sort(&parsed.path) == Sort::Test;
    let imports: Vec<&[u8]> = parsed
        .mentioned
        .references
        .iter()
        .filter(|one| one.role == Role::Import)
        .map(|one| parsed.name(one))
        .collect();
    let score = |one: &SymbolMatch| {
        let path = one.path.as_bytes();
        let container = one.container.as_ref().map_or(&[][..], |container| container.as_bytes());
        let mut score = 0.0;
        if path == parsed.path {
            score += 5.0;
        } else {
            let shared =
                path.split(|byte| *byte == b'/').zip(parsed.path.split(|byte| *byte == b'/'));
            score += shared.take_while(|(a, b)| a == b).count().min(4) as f32 * 0.5;
            if in_tests != (sort(path) == Sort::Test) {
                score -= 2.0;
            }
        }
        if one.language == parsed.language.name {
            score += 3.0;
        }
        score += if fits(reference.role, &one.kind) { 3.0 } else { 0.0 };
        let is_part = !container.is_empty();
        match receiver {
            Some(name) if own(name) => {
                let is_own = around.as_ref().is_some_and(|around| starts_with(around, container));
                score += if is_part && is_own { 6.0 } else { 0.0 };
            }
            Some(name) if !name.is_empty() && ends_with(container, name) => score += 6.0,
            Some(name) if !name.is_empty() && has_part(path, name) => score += 3.0,
            Some(_) => score += if is_part { 1.0 } else { 0.0 },
            // Elsewhere a member is meant without anything before it, within its type.
            None if is_part && EXPLICIT.contains(&parsed.language.name) => score -= 10.0,
            None if is_part && one.kind != "enumerator" => score -= 1.5,
            None => {}
        }
        let is_imported = |name: &&&[u8]| has_part(path, name) || ends_with(container, name);
        score += imports.iter().filter(is_imported).count().min(3) as f32;
        score
    };
    let mut scored: Vec<(f32, SymbolMatch)> =
        found.iter().map(|one| (score(one), one.clone())).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (place, (_, one)) in found.iter_mut().zip(scored) {
        *place = one;
    }
}

/// Languages where a member is never named without what it is of.
const EXPLICIT: &[&str] =
    &["rust", "python", "go", "javascript", "typescript", "tsx", "lua", "php", "zig"];

/// Whether a mention in that role may mean a definition of that kind.
fn fits(role: Role, kind: &str) -> bool {
    match role {
        Role::Call => matches!(kind, "function" | "method" | "constructor" | "macro" | "class"),
        Role::Type => {
            matches!(kind, "class" | "struct" | "union" | "enum" | "interface" | "trait" | "type")
        }
        Role::Import => !matches!(kind, "field" | "property" | "enumerator" | "method"),
        Role::Use => matches!(
            kind,
            "constant" | "variable" | "field" | "property" | "enumerator" | "function" | "macro"
        ),
    }
}

fn ends_with(container: &[u8], name: &[u8]) -> bool {
    let before = container.strip_suffix(name);
    before.is_some_and(|before| before.last().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
}

fn starts_with(around: &[u8], container: &[u8]) -> bool {
    let rest = around.strip_prefix(container);
    rest.is_some_and(|rest| rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric()))
}

/// Whether a directory or file of a path has that name.
fn has_part(path: &[u8], name: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|part| {
        part.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"."))
    })
}
