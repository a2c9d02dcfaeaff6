//! A file in chunks: what can be shown of it alone.
//!
//! A definition with its documentation is one; of what holds others (a class, an `impl`) its
//! beginning up to the first of them is; and what is left at the top level, in windows.

use std::ops::Range;

use super::super::symbols::languages::Language;
use super::super::symbols::{Kind, Outline};

/// Lines of a file that are shown together. Lines count from 1, and the last one is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Its first line.
    pub start: u32,
    /// Its last line.
    pub end: u32,
    /// The definition that it is: an index in the outline.
    pub symbol: Option<u32>,
    /// The lines of its signature.
    pub signature: (u32, u32),
    /// Which part of a long definition it is, from 0.
    pub part: u32,
    /// The lines on which the definitions around it are named, from the outermost.
    pub around: Vec<u32>,
}

/// How many lines a window of what is between definitions has.
const WINDOW: u32 = 60;
/// How many lines of a container's beginning are shown.
const HEADER: u32 = 25;
/// How many lines of a signature.
const SIGNATURE: u32 = 4;
/// A definition of more lines is shown in parts.
const LONG: u32 = 80;
/// How many lines a part has.
const PART: u32 = 40;

/// A text by its lines.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<u32>,
}

impl<'t> Lines<'t> {
    /// The lines of a text.
    #[must_use]
    pub fn of(text: &'t [u8]) -> Self {
        let ends = memchr::memchr_iter(b'\n', text).map(|end| end as u32 + 1);
        let mut starts: Vec<u32> = [0].into_iter().chain(ends).collect();
        if starts.last() == Some(&(text.len() as u32)) {
            starts.pop();
        }
        Self { text, starts }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The bytes of lines, from the first to the last of them, with their ends.
    #[must_use]
    pub fn slice(&self, start: u32, end: u32) -> &'t [u8] {
        &self.text[self.range(start, end)]
    }

    /// Where those lines stand.
    #[must_use]
    pub fn range(&self, start: u32, end: u32) -> Range<usize> {
        let at =
            |line: u32| self.starts.get(line as usize).map_or(self.text.len(), |at| *at as usize);
        if start == 0 || start > end { 0..0 } else { at(start - 1)..at(end) }
    }

    /// The line that a byte is in.
    #[must_use]
    pub fn at(&self, byte: u32) -> u32 {
        self.starts.partition_point(|start| *start <= byte) as u32
    }
}

/// The chunks of a text, in the order of their lines.
#[must_use]
pub fn chunks(lines: &Lines<'_>, language: Option<&Language>, outline: &Outline) -> Vec<Chunk> {
    let symbols = &outline.symbols;
    let mut first_child = vec![u32::MAX; symbols.len()];
    for symbol in symbols {
        if let Some(parent) = symbol.parent {
            let first = &mut first_child[parent as usize];
            *first = (*first).min(symbol.first_line);
        }
    }
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut covered = 0;
    for (index, symbol) in symbols.iter().enumerate() {
        let parent = symbol.parent.map(|parent| &symbols[parent as usize]);
        let is_within_function = parent.is_some_and(|parent| is_leaf(parent.kind));
        // Fields and enumerators are shown with what holds them.
        let is_part =
            matches!(symbol.kind, Kind::Field | Kind::Enumerator | Kind::Key) && parent.is_some();
        if is_within_function
            || is_part
            || symbol.last_line <= covered && symbol.first_line <= covered && parent.is_none()
        {
            continue;
        }
        let holds = !is_leaf(symbol.kind) && has_leaves(outline, index);
        let top = documented(lines, symbol.first_line, covered, language);
        let mut end = symbol.last_line;
        if holds {
            // The comment of the first that it holds belongs to that.
            let child = documented(lines, first_child[index], symbol.first_line, language);
            end = end.min(child.saturating_sub(1).max(symbol.first_line));
            end = end.min(symbol.first_line + HEADER - 1);
        }
        gap(lines, covered + 1, top.saturating_sub(1), &mut chunks);
        let head = lines.at(symbol.head.saturating_sub(1).max(symbol.range.start));
        let last = head.clamp(symbol.line.max(symbol.first_line), end.max(symbol.line));
        let signature = (symbol.line.min(last), last.min(symbol.line + SIGNATURE - 1));
        let (start, end) = (top.min(symbol.first_line), end);
        let parts = if end - start < LONG { 1 } else { (end - start + 1).div_ceil(PART) };
        let lines_of_part = (end - start + 1).div_ceil(parts);
        let around = around(outline, index);
        for part in 0..parts {
            let first = start + part * lines_of_part;
            let last = (first + lines_of_part - 1).min(end);
            chunks.push(Chunk {
                start: first,
                end: last,
                symbol: Some(index as u32),
                signature,
                part,
                around: around.clone(),
            });
        }
        covered = covered.max(end);
    }
    gap(lines, covered + 1, lines.count(), &mut chunks);
    chunks
}

/// The lines on which what encloses a definition is named.
fn around(outline: &Outline, index: usize) -> Vec<u32> {
    let mut lines = Vec::new();
    let mut next = outline.symbols[index].parent;
    while let Some(parent) = next {
        let symbol = &outline.symbols[parent as usize];
        lines.push(symbol.line);
        next = symbol.parent.filter(|above| *above < parent);
    }
    lines.reverse();
    lines
}

fn is_leaf(kind: Kind) -> bool {
    matches!(kind, Kind::Function | Kind::Method | Kind::Constructor | Kind::Macro)
}

/// Whether a definition holds others that are shown alone.
fn has_leaves(outline: &Outline, index: usize) -> bool {
    let end = outline.symbols[index].range.end;
    let inside = outline.symbols[index + 1..].iter().take_while(|one| one.range.start < end);
    inside.into_iter().any(|one| {
        one.parent == Some(index as u32)
            && !matches!(one.kind, Kind::Field | Kind::Enumerator | Kind::Key)
    })
}

/// The first line of the comments and attributes above a definition.
fn documented(lines: &Lines<'_>, first: u32, covered: u32, language: Option<&Language>) -> u32 {
    let Some(comments) = language.map(|language| &language.comments) else { return first };
    let mut top = first;
    while top > covered + 1 && top > 1 {
        let line = lines.slice(top - 1, top - 1).trim_ascii();
        let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word.as_bytes()));
        let is_block = !comments.blocks.is_empty()
            && (line.starts_with(b"*") || line.starts_with(b"/*") || line.ends_with(b"*/"));
        if line.is_empty() || !(begins(comments.lines) || begins(comments.attributes) || is_block) {
            break;
        }
        top -= 1;
    }
    top
}

/// What is between definitions, unless it is white space.
fn gap(lines: &Lines<'_>, start: u32, end: u32, chunks: &mut Vec<Chunk>) {
    let says = |line: u32| lines.slice(line, line).iter().any(|byte| *byte >= b'0');
    let mut at = start;
    while at <= end {
        let mut to = (at + WINDOW - 1).min(end);
        let next = to + 1;
        while at < to && !says(at) {
            at += 1;
        }
        while at < to && !says(to) {
            to -= 1;
        }
        let text = lines.slice(at, to);
        // Lone brackets tell nothing.
        if text.iter().filter(|byte| byte.is_ascii_alphanumeric()).count() > 3 {
            chunks.push(Chunk {
                start: at,
                end: to,
                symbol: None,
                signature: (at, at),
                part: 0,
                around: Vec::new(),
            });
        }
        at = next;
    }
}
