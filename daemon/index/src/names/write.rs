//! Packs names, given in order with their entries, into blocks.

use super::block::{
    ANY_CLASS, GROUP_HEAD, HEAD, LONG_OWN, LONG_SHARED, MOST_SETS, NAMES, NEW_SET, classes,
};
use super::list::EntriesWriter;
use super::order::{common, separator};
use super::{BLOCK, Entry, names_key};
use crate::seal::{self, CHECK};

/// Names in a group.
const GROUP: usize = 16;
/// A group ends where its names have so many bytes: any group fits a block.
const GROUP_BYTES: usize = 1_500;
/// Pairs of a set that are told apart; more are any.
const SET_PAIRS: usize = 8;

/// A row that a store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row<'a> {
    /// A block of names, under [`names_key`].
    Names {
        /// Its number.
        block: u32,
        /// What is stored.
        bytes: &'a [u8],
    },
    /// The block of names from which on a name is looked for whose [`search_key`](super::search_key)
    /// is not before `key`.
    Directory {
        /// Where its names begin.
        key: &'a [u8],
        /// Its number.
        block: u32,
    },
    /// A block of entries, under [`entries_key`](super::entries_key).
    Entries {
        /// The first name that it has entries of.
        name: u32,
        /// How many blocks before it have entries of the same name.
        part: u32,
        /// What is stored.
        bytes: &'a [u8],
    },
}

/// Where rows go; those of a sort come in the order of their keys.
pub type Emit<'a, E> = dyn FnMut(Row<'_>) -> Result<(), E> + 'a;

/// What a segment has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct names.
    pub names: u32,
    /// Blocks of names.
    pub blocks: u32,
    /// Entries.
    pub definitions: u32,
}

/// Writes a segment.
pub(super) struct Writer {
    names: NamesWriter,
    entries: EntriesWriter,
    counts: Counts,
    /// The name at hand and its set.
    name: Vec<u8>,
    set: Vec<[u8; 2]>,
    /// The entry at hand: whether it is the last of its name shows when the next one comes.
    entry: Option<Entry>,
}

impl Writer {
    pub(super) fn new(segment: u32) -> Self {
        Self {
            names: NamesWriter::new(segment),
            entries: EntriesWriter::new(segment),
            counts: Counts::default(),
            name: Vec::new(),
            set: Vec::new(),
            entry: None,
        }
    }

    /// Begins the next name, in order and as it is stored.
    pub(super) fn name<E>(&mut self, name: &[u8], emit: &mut Emit<'_, E>) -> Result<(), E> {
        self.end_name(emit)?;
        self.name.clear();
        self.name.extend_from_slice(name);
        Ok(())
    }

    /// Adds an entry of the name, in order; one that is there already is left out. A name without
    /// any is not written.
    pub(super) fn entry<E>(&mut self, entry: Entry, emit: &mut Emit<'_, E>) -> Result<(), E> {
        if let Some(before) = self.entry {
            if is_same(before, entry) {
                return Ok(());
            }
            self.entries.push(before, false, emit)?;
        }
        let pair = [entry.language, entry.kind as u8];
        if self.set.last() != Some(&pair) && !self.set.contains(&pair) {
            self.set.push(pair);
        }
        self.entry = Some(entry);
        self.counts.definitions = self.counts.definitions.saturating_add(1);
        Ok(())
    }

    /// Writes out what is left; without it the segment is not whole.
    pub(super) fn finish<E>(mut self, emit: &mut Emit<'_, E>) -> Result<Counts, E> {
        self.end_name(emit)?;
        self.names.finish(emit)?;
        self.entries.flush(emit)?;
        self.counts.blocks = self.names.block;
        Ok(self.counts)
    }

    fn end_name<E>(&mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        let Some(entry) = self.entry.take() else { return Ok(()) };
        self.entries.push(entry, true, emit)?;
        self.counts.names += 1;
        self.set.sort_unstable();
        if self.set.len() > SET_PAIRS {
            self.set.clear();
        }
        self.names.push(&self.name, &self.set, emit)?;
        self.set.clear();
        Ok(())
    }
}

/// Whether it is the same definition, known twice.
fn is_same(a: Entry, b: Entry) -> bool {
    (a.doc, a.language, a.ordinal) == (b.doc, b.language, b.ordinal)
}

/// The block of names at hand.
struct NamesWriter {
    segment: u32,
    /// Its number.
    block: u32,
    /// The number of its first name.
    first: u32,
    names: u32,
    sets: Sets,
    groups: Vec<u8>,
    /// The first name of the group before, and the last name of all.
    head: Vec<u8>,
    last: Option<Vec<u8>>,
    group: Gathered,
    scratch: Vec<u8>,
}

/// The distinct sets of a block, as they are written.
#[derive(Default)]
struct Sets {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

/// The names of a group that is not written yet.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// For each name where it ends, and where its set does.
    ends: Vec<(usize, usize)>,
    sets: Vec<[u8; 2]>,
}

impl NamesWriter {
    fn new(segment: u32) -> Self {
        Self {
            segment,
            block: 0,
            first: 0,
            names: 0,
            sets: Sets::default(),
            groups: Vec::new(),
            head: Vec::new(),
            last: None,
            group: Gathered::default(),
            scratch: Vec::new(),
        }
    }

    fn push<E>(&mut self, name: &[u8], set: &[[u8; 2]], emit: &mut Emit<'_, E>) -> Result<(), E> {
        self.group.push(name, set);
        if self.group.ends.len() == GROUP || self.group.bytes.len() > GROUP_BYTES {
            self.end_group(emit)?;
        }
        Ok(())
    }

    fn finish<E>(&mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        if !self.group.ends.is_empty() {
            self.end_group(emit)?;
        }
        self.flush(emit)
    }

    fn end_group<E>(&mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        let sets = (self.sets.bytes.len(), self.sets.starts.len());
        self.group.write(&self.head, &mut self.sets, &mut self.scratch);
        let room = BLOCK - HEAD - CHECK;
        let taken = self.sets.bytes.len() + self.groups.len() + self.scratch.len();
        if taken > room || self.sets.starts.len() > MOST_SETS {
            self.sets.bytes.truncate(sets.0);
            self.sets.starts.truncate(sets.1);
            self.flush(emit)?;
            self.group.write(&[], &mut self.sets, &mut self.scratch);
        }
        let (first, last) = (self.group.name(0), self.group.name(self.group.ends.len() - 1));
        if self.names == 0 {
            let key = separator(self.last.as_deref(), first);
            emit(Row::Directory { key: &key, block: self.block })?;
        }
        first.clone_into(&mut self.head);
        last.clone_into(self.last.get_or_insert_default());
        self.groups.extend_from_slice(&self.scratch);
        self.names += self.group.ends.len() as u32;
        self.group.clear();
        Ok(())
    }

    fn flush<E>(&mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        if self.names == 0 {
            return Ok(());
        }
        let block = &mut self.scratch;
        block.clear();
        block.push(NAMES);
        block.extend_from_slice(&self.first.to_le_bytes());
        block.extend_from_slice(&(self.names as u16).to_le_bytes());
        block.push(self.sets.starts.len() as u8);
        block.append(&mut self.sets.bytes);
        block.append(&mut self.groups);
        seal::seal(block, &names_key(self.segment, self.block));
        emit(Row::Names { block: self.block, bytes: block })?;
        self.sets.starts.clear();
        self.head.clear();
        self.first += std::mem::take(&mut self.names);
        self.block += 1;
        Ok(())
    }
}

impl Sets {
    /// The number of a set, which becomes one of the block's.
    fn number(&mut self, set: &[[u8; 2]]) -> usize {
        let is_it = |start: usize| {
            let (pairs, bytes) = (usize::from(self.bytes[start]), &self.bytes[start + 1..]);
            bytes[..2 * pairs] == *set.as_flattened()
        };
        // Neighbours are alike.
        if let Some(at) = self.starts.iter().rposition(|&start| is_it(start)) {
            return at;
        }
        self.starts.push(self.bytes.len());
        self.bytes.push(set.len() as u8);
        self.bytes.extend_from_slice(set.as_flattened());
        self.starts.len() - 1
    }
}

impl Gathered {
    fn push(&mut self, name: &[u8], set: &[[u8; 2]]) {
        self.bytes.extend_from_slice(name);
        self.sets.extend_from_slice(set);
        self.ends.push((self.bytes.len(), self.sets.len()));
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.sets.clear();
    }

    fn start(&self, at: usize) -> (usize, usize) {
        at.checked_sub(1).map_or((0, 0), |before| self.ends[before])
    }

    fn name(&self, at: usize) -> &[u8] {
        &self.bytes[self.start(at).0..self.ends[at].0]
    }

    fn set(&self, at: usize) -> &[[u8; 2]] {
        &self.sets[self.start(at).1..self.ends[at].1]
    }

    /// Writes the group as the one after that of `head`.
    fn write(&self, head: &[u8], sets: &mut Sets, out: &mut Vec<u8>) {
        let first = self.name(0);
        let names = || (0..self.ends.len()).map(|at| self.name(at));
        let shortest = names().map(|name| common(first, name)).min().unwrap_or(0).min(255);
        let all = names().map(|name| &name[shortest..]);
        let mut found = all.flatten().fold(0, |found, byte| found | classes(*byte));
        if !first[..shortest].is_ascii() {
            found = ANY_CLASS;
        }
        out.clear();
        out.push(self.ends.len() as u8);
        out.extend_from_slice(&found.to_le_bytes());
        out.extend_from_slice(&[0, 0, shortest as u8]);
        let (mut before, mut set) = (head, None);
        for at in 0..self.ends.len() {
            let (name, number) = (self.name(at), sets.number(self.set(at)));
            let changed = (set != Some(number)).then_some(number as u8);
            write_name(name, common(before, name), changed, out);
            (before, set) = (name, Some(number));
        }
        let length = (out.len() - GROUP_HEAD) as u16;
        out[5..7].copy_from_slice(&length.to_le_bytes());
    }
}

fn write_name(name: &[u8], shared: usize, set: Option<u8>, out: &mut Vec<u8>) {
    let own = &name[shared..];
    let flag = if set.is_some() { NEW_SET } else { 0 };
    match u8::try_from(shared).ok().filter(|shared| *shared < LONG_SHARED) {
        Some(short) => out.push(short),
        None => {
            out.push(LONG_SHARED);
            out.extend_from_slice(&(shared as u16).to_le_bytes());
        }
    }
    if own.len() < usize::from(LONG_OWN) {
        out.push(own.len() as u8 | flag);
    } else {
        out.push(LONG_OWN | flag);
        out.extend_from_slice(&(own.len() as u16).to_le_bytes());
    }
    out.extend(set);
    out.extend_from_slice(own);
}
