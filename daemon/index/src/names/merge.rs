//! Makes one segment of several.

use super::list::{Entries, Position};
use super::order::compare;
use super::write::{Counts, Emit, Writer};
use super::{Corrupt, Entry, Names, Sort};
use std::cmp::Ordering;

/// A segment that goes into a merge.
pub struct Input<'a, E> {
    /// The number of the segment.
    pub segment: u32,
    /// What it has.
    pub counts: Counts,
    /// All its blocks of names, in order.
    pub names: &'a mut dyn Iterator<Item = Result<Names, E>>,
    /// All its blocks of entries, in order.
    pub entries: &'a mut dyn Iterator<Item = Result<Entries, E>>,
}

/// Writes all that the inputs have as one segment; what several have once. Needs the memory of some
/// blocks an input.
///
/// # Errors
///
/// The first error of an input or of `emit`, and [`Corrupt`] where an input lacks a block.
pub fn merge<E: From<Corrupt>>(
    segment: u32,
    inputs: &mut [Input<'_, E>],
    emit: &mut Emit<'_, E>,
) -> Result<Counts, E> {
    let mut cursors = Vec::with_capacity(inputs.len());
    for input in inputs {
        cursors.push(Cursor::open(input)?);
    }
    let mut writer = Writer::new(segment);
    // Those that have a name left, the one with the first name last.
    let mut order = Vec::with_capacity(cursors.len());
    (0..cursors.len()).for_each(|at| insert(at, &mut order, &cursors));
    let mut next = Vec::new();
    while let Some(first) = order.last().and_then(|at| cursors[*at].name()) {
        writer.name(first, emit)?;
        let is_other = |at: &usize| cursors[*at].name() != Some(first);
        let same = order.iter().rposition(is_other).map_or(0, |last| last + 1);
        next.clear();
        next.extend(order.drain(same..));
        write_entries(&mut cursors, &next, &mut writer, emit)?;
        for at in &next {
            cursors[*at].step()?;
            insert(*at, &mut order, &cursors);
        }
    }
    writer.finish(emit)
}

/// Puts a cursor where it belongs, or nowhere if it is at its end.
fn insert<E: From<Corrupt>>(at: usize, order: &mut Vec<usize>, cursors: &[Cursor<'_, E>]) {
    let Some(name) = cursors[at].name() else { return };
    let is_after = |other: &usize| {
        cursors[*other].name().is_some_and(|other| compare(other, name) == Ordering::Greater)
    };
    order.insert(order.partition_point(is_after), at);
}

/// Writes the entries of the name that the cursors of `next` are at.
fn write_entries<E: From<Corrupt>>(
    cursors: &mut [Cursor<'_, E>],
    next: &[usize],
    writer: &mut Writer,
    emit: &mut Emit<'_, E>,
) -> Result<(), E> {
    loop {
        let first = next.iter().filter_map(|at| Some((cursors[*at].list.entry?, *at))).min();
        let Some((entry, at)) = first else { return Ok(()) };
        writer.entry(entry, emit)?;
        cursors[at].list.step()?;
    }
}

/// A place among the names of an input.
struct Cursor<'a, E> {
    names: &'a mut dyn Iterator<Item = Result<Names, E>>,
    counts: Counts,
    segment: u32,
    /// How many blocks were read, and how many names before the block at hand.
    blocks: u32,
    before: u32,
    /// The names of the block at hand, and where each ends.
    bytes: Vec<u8>,
    ends: Vec<usize>,
    at: usize,
    list: Lists<'a, E>,
}

impl<'a, E: From<Corrupt>> Cursor<'a, E> {
    fn open(input: &'a mut Input<'_, E>) -> Result<Self, E> {
        let mut cursor = Self {
            names: &mut *input.names,
            counts: input.counts,
            segment: input.segment,
            blocks: 0,
            before: 0,
            bytes: Vec::new(),
            ends: Vec::new(),
            at: 0,
            list: Lists {
                blocks: &mut *input.entries,
                segment: input.segment,
                names: input.counts.names,
                block: None,
                position: Position::default(),
                entry: None,
                is_last: true,
            },
        };
        cursor.load()?;
        cursor.list.begin(cursor.name().is_some())?;
        Ok(cursor)
    }

    fn name(&self) -> Option<&[u8]> {
        let end = *self.ends.get(self.at)?;
        let start = self.at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }

    fn step(&mut self) -> Result<(), E> {
        self.at += 1;
        if self.at >= self.ends.len() {
            self.load()?;
        }
        self.list.begin(self.name().is_some())
    }

    /// Goes to the next block. One that the store lost would else be lost for good, and unnoticed.
    fn load(&mut self) -> Result<(), E> {
        self.before += self.ends.len() as u32;
        self.bytes.clear();
        self.ends.clear();
        self.at = 0;
        let lost = Corrupt { segment: self.segment, sort: Sort::Names, number: self.blocks };
        let Some(block) = self.names.next().transpose()? else {
            let is_whole = (self.blocks, self.before) == (self.counts.blocks, self.counts.names);
            return if is_whole { Ok(()) } else { Err(lost.into()) };
        };
        if block.first() != self.before {
            return Err(block.corrupt().into());
        }
        block.for_each(|_, name, _| {
            self.bytes.extend_from_slice(name);
            self.ends.push(self.bytes.len());
            true
        });
        self.blocks += 1;
        Ok(())
    }
}

/// A place among the entries of an input.
struct Lists<'a, E> {
    blocks: &'a mut dyn Iterator<Item = Result<Entries, E>>,
    segment: u32,
    /// How many names the input has.
    names: u32,
    block: Option<Entries>,
    position: Position,
    /// The entry at hand, of the name at hand; none past its last one.
    entry: Option<Entry>,
    is_last: bool,
}

impl<E: From<Corrupt>> Lists<'_, E> {
    /// Goes to the list of the next name, or to the end.
    fn begin(&mut self, is_name: bool) -> Result<(), E> {
        if is_name {
            self.is_last = false;
            return self.step();
        }
        let end = self.block.as_ref().map_or((0, 0), Entries::next);
        let is_end = self.blocks.next().transpose()?.is_none() && end == (self.names, 0);
        if is_end { Ok(()) } else { Err(self.lost(end.0).into()) }
    }

    fn step(&mut self) -> Result<(), E> {
        if self.is_last {
            self.entry = None;
            return Ok(());
        }
        loop {
            if let Some(block) = &self.block {
                let mut reading = block.from(self.position);
                if let Some((entry, is_last)) = reading.next() {
                    (self.entry, self.is_last) = (Some(entry), is_last);
                    self.position = reading.position();
                    return Ok(());
                }
            }
            self.load()?;
        }
    }

    fn load(&mut self) -> Result<(), E> {
        let expected = self.block.as_ref().map_or((0, 0), Entries::next);
        let block = self.blocks.next().transpose()?.ok_or_else(|| self.lost(expected.0))?;
        if block.key() != expected {
            return Err(self.lost(expected.0).into());
        }
        self.position = block.start();
        self.block = Some(block);
        Ok(())
    }

    fn lost(&self, name: u32) -> Corrupt {
        Corrupt { segment: self.segment, sort: Sort::Entries, number: name }
    }
}
