//! One symbol of a chunk, as what differs from a guess by the one before.
//!
//! Numbers are LEB128, a *distance* is zigzag:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1–6 | bit 0: another shape than the symbol before; above it the distance of its start from the end of the symbol before, or from the end of that one's name where that one is its parent |
//! | 0 or 2 | its shape, little-endian |
//! | 0–5 | *far parent*: its ordinal less the parent's |
//! | 1–5 | distance of the name's start from its start |
//! | 1–5 | distance of the name's end from the name's start |
//! | 1–5 | distance of its end from the name's end |
//! | 0–5 | *head*: distance from the name's end |
//! | 0–10 | *scope*: distance of its start from the symbol's start, and of its end from its start |
//! | 0–5 | *first line*: distance from the last line of the symbol before |
//! | 0–5 | *last line*: distance from the first line |
//! | 0–5 | *line*: distance from the first line |
//! | 0–5 | *column* |
//!
//! What a word in italics names is there if its bit of the shape says so. Bits 0–4 of a shape are the
//! kind; 5–6 the parent: `0` none, `1` that of the symbol before, `2` that symbol, `3` far; then head
//! (7; else the head is the end), head at the name's end (8), scope (9), first line (10; else one more
//! than the last line before), last line (11; else the first), line (12; else the first) and column
//! (13; else as far from 1 as the name's start is from the symbol's). Before the first symbol of a
//! chunk is one whose numbers are all 0.

use super::super::{Kind, Symbol};
use crate::varint::{push, take, unzigzag, zigzag};
use std::ops::Range;

const KIND: u16 = 0x1f;
const _: () = assert!(Kind::ALL.len() <= KIND as usize, "a kind has five bits");
const PARENT: u16 = 5;
const HEAD: u16 = 1 << 7;
const HEAD_AT_NAME: u16 = 1 << 8;
const SCOPE: u16 = 1 << 9;
const FIRST_LINE: u16 = 1 << 10;
const LAST_LINE: u16 = 1 << 11;
const LINE: u16 = 1 << 12;
const COLUMN: u16 = 1 << 13;

/// What is known of the symbol before.
#[derive(Default)]
pub(super) struct Before {
    shape: u16,
    name_end: u32,
    end: u32,
    last_line: u32,
    parent: Option<u32>,
}

impl Before {
    /// Appends the next symbol, which has this index.
    pub(super) fn write(&mut self, ordinal: u32, symbol: &Symbol, out: &mut Vec<u8>) {
        let Symbol { kind, ref name, ref range, .. } = *symbol;
        let parent = self.parent_of(ordinal, symbol.parent);
        let shape = kind as u16 | parent << PARENT | self.flags(symbol);
        let distance = zigzag(self.origin(parent), range.start);
        push(out, distance << 1 | u64::from(shape != self.shape));
        if shape != self.shape {
            out.extend_from_slice(&shape.to_le_bytes());
        }
        if parent == 3 {
            push(out, u64::from(ordinal.wrapping_sub(symbol.parent.unwrap_or_default())));
        }
        push(out, zigzag(range.start, name.start));
        push(out, zigzag(name.start, name.end));
        push(out, zigzag(name.end, range.end));
        if shape & HEAD != 0 {
            push(out, zigzag(name.end, symbol.head));
        }
        if let Some(scope) = &symbol.scope {
            push(out, zigzag(range.start, scope.start));
            push(out, zigzag(scope.start, scope.end));
        }
        for (flag, from, to) in [
            (FIRST_LINE, self.last_line, symbol.first_line),
            (LAST_LINE, symbol.first_line, symbol.last_line),
            (LINE, symbol.first_line, symbol.line),
            (COLUMN, 0, symbol.column),
        ] {
            if shape & flag != 0 {
                push(out, zigzag(from, to));
            }
        }
        self.follow(shape, symbol);
    }

    /// Takes the next symbol off the front; none where there is no whole one.
    pub(super) fn read(&mut self, ordinal: u32, rest: &mut &[u8]) -> Option<Symbol> {
        let number = take(rest)?;
        let mut shape = self.shape;
        if number & 1 != 0 {
            let (bytes, after) = rest.split_first_chunk()?;
            (shape, *rest) = (u16::from_le_bytes(*bytes), after);
        }
        let parent = self.take_parent(shape, ordinal, rest)?;
        let start = unzigzag(self.origin(shape >> PARENT & 3), number >> 1)?;
        let name = take_range(start, rest)?;
        let range = start..take_distance(name.end, rest)?;
        let head = match shape & (HEAD | HEAD_AT_NAME) {
            0 => range.end,
            HEAD_AT_NAME => name.end,
            _ => take_distance(name.end, rest)?,
        };
        let scope = if shape & SCOPE == 0 { None } else { Some(take_range(start, rest)?) };
        let mut line = |flag: u16, guess: u32, from: u32| {
            if shape & flag == 0 { Some(guess) } else { take_distance(from, rest) }
        };
        let first_line = line(FIRST_LINE, self.last_line.wrapping_add(1), self.last_line)?;
        let last_line = line(LAST_LINE, first_line, first_line)?;
        let symbol = Symbol {
            kind: Kind::from_number((shape & KIND) as u8)?,
            line: line(LINE, first_line, first_line)?,
            column: line(COLUMN, column_of(&name, &range), 0)?,
            name,
            scope,
            range,
            head,
            parent,
            first_line,
            last_line,
        };
        self.follow(shape, &symbol);
        Some(symbol)
    }

    fn take_parent(&self, shape: u16, ordinal: u32, rest: &mut &[u8]) -> Option<Option<u32>> {
        Some(match shape >> PARENT & 3 {
            0 => None,
            1 => self.parent,
            2 => Some(ordinal.checked_sub(1)?),
            _ => Some(ordinal.wrapping_sub(u32::try_from(take(rest)?).ok()?)),
        })
    }

    /// How the parent is written.
    fn parent_of(&self, ordinal: u32, parent: Option<u32>) -> u16 {
        match parent {
            None => 0,
            parent if parent == self.parent => 1,
            Some(parent) if parent.checked_add(1) == Some(ordinal) => 2,
            _ => 3,
        }
    }

    /// Where the distance of a symbol's start is counted from.
    fn origin(&self, parent: u16) -> u32 {
        if parent == 2 { self.name_end } else { self.end }
    }

    fn flags(&self, symbol: &Symbol) -> u16 {
        let Symbol { ref name, ref range, first_line, .. } = *symbol;
        let head = match symbol.head {
            head if head == range.end => 0,
            head if head == name.end => HEAD_AT_NAME,
            _ => HEAD,
        };
        let flag = |is_other: bool, flag: u16| if is_other { flag } else { 0 };
        head | flag(symbol.scope.is_some(), SCOPE)
            | flag(first_line != self.last_line.wrapping_add(1), FIRST_LINE)
            | flag(symbol.last_line != first_line, LAST_LINE)
            | flag(symbol.line != first_line, LINE)
            | flag(symbol.column != column_of(name, range), COLUMN)
    }

    fn follow(&mut self, shape: u16, symbol: &Symbol) {
        *self = Self {
            shape,
            name_end: symbol.name.end,
            end: symbol.range.end,
            last_line: symbol.last_line,
            parent: symbol.parent,
        };
    }
}

/// The column of the name where the symbol begins its line.
fn column_of(name: &Range<u32>, range: &Range<u32>) -> u32 {
    name.start.wrapping_sub(range.start).wrapping_add(1)
}

fn take_range(from: u32, rest: &mut &[u8]) -> Option<Range<u32>> {
    let start = take_distance(from, rest)?;
    Some(start..take_distance(start, rest)?)
}

fn take_distance(from: u32, rest: &mut &[u8]) -> Option<u32> {
    unzigzag(from, take(rest)?)
}
