//! Makes a segment of definitions that are given in any order.
//!
//! A name takes its own bytes and 24 more. They are sorted by eight bytes at a time, as one number:
//! names share long beginnings, which a comparison of whole names would read again and again.

use super::Entry;
use super::order::{sort_key, stored};
use super::write::{Counts, Emit, Writer};

use crate::symbols::Kind;
use std::cmp::Ordering;

/// The content that a definition is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doc {
    /// One that is added together with the segment: its place among those.
    New(u32),
    /// One that has its number already, before all new ones.
    Known(u32),
}

/// Collects definitions in memory.
///
/// ```
/// use hob_index::names::{Builder, Counts, Doc, Row};
/// use hob_index::symbols::Kind;
/// let mut builder = Builder::new(7);
/// builder.add(b"main", Doc::New(0), 1, Kind::Function, 0);
/// builder.add(b"main", Doc::Known(3), 1, Kind::Function, 5);
/// let mut rows = 0;
/// let counts = builder.sort().finish(100, &mut |_: Row<'_>| {
///     rows += 1;
///     Ok::<(), std::convert::Infallible>(())
/// });
/// assert_eq!((counts, rows), (Ok(Counts { names: 1, blocks: 1, definitions: 2 }), 3));
/// ```
pub struct Builder {
    segment: u32,
    names: Vec<u8>,
    slots: Vec<Slot>,
}

/// A definition while it waits.
#[derive(Clone, Copy)]
struct Slot {
    /// What it is sorted by at the moment.
    key: u64,
    /// Where its name begins.
    at: u32,
    /// Its document, or the place of a new one.
    doc: u32,
    ordinal: u32,
    /// The length of its name, and whether the document is new.
    length: u16,
    language: u8,
    kind: Kind,
}

const NEW: u16 = 1 << 15;

impl Builder {
    /// The builder of a segment that has nothing yet.
    #[must_use]
    pub fn new(segment: u32) -> Self {
        Self::with_memory(segment, 0)
    }

    /// The same, with room for about so many bytes from the start, so that nothing is copied as it
    /// grows. What is not used costs address space only.
    #[must_use]
    pub fn with_memory(segment: u32, bytes: usize) -> Self {
        let slots = Vec::with_capacity(bytes / 2 / size_of::<Slot>());
        Self { segment, names: Vec::with_capacity(bytes / 2), slots }
    }

    /// Adds a definition.
    ///
    /// # Panics
    ///
    /// Where the names take 4 GiB: ask [`Builder::memory`].
    pub fn add(&mut self, name: &[u8], doc: Doc, language: u8, kind: Kind, ordinal: u32) {
        let name = stored(name);
        let at = u32::try_from(self.names.len()).expect("less than 4 GiB of names");
        self.names.extend_from_slice(&name);
        let (doc, new) = match doc {
            Doc::New(place) => (place, NEW),
            Doc::Known(doc) => (doc, 0),
        };
        let length = name.len() as u16 | new;
        let key = sort_key(&name, 0);
        self.slots.push(Slot { key, at, doc, ordinal, length, language, kind });
    }

    /// The bytes that it takes at the moment.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.names.len() + self.slots.len() * size_of::<Slot>()
    }

    /// Puts the definitions in order, which is most of the work.
    #[must_use]
    pub fn sort(mut self) -> Sorted {
        sort(&mut self.slots, &self.names, 0);
        Sorted(self)
    }
}

/// Definitions in order, ready to be written.
pub struct Sorted(Builder);

impl Sorted {
    /// Writes the segment's rows out. The new documents get the numbers from `base` on.
    ///
    /// # Errors
    ///
    /// The first error of `emit`.
    pub fn finish<E>(self, base: u32, emit: &mut Emit<'_, E>) -> Result<Counts, E> {
        let Builder { segment, names, slots } = self.0;
        let mut writer = Writer::new(segment);
        let mut before = None;
        for slot in &slots {
            let name = slot.name(&names);
            if before != Some(name) {
                writer.name(name, emit)?;
                before = Some(name);
            }
            let Slot { ordinal, language, kind, .. } = *slot;
            let doc = if slot.is_new() { base.saturating_add(slot.doc) } else { slot.doc };
            writer.entry(Entry { doc, language, ordinal, kind }, emit)?;
        }
        writer.finish(emit)
    }

    /// The segment's number.
    #[must_use]
    pub fn segment(&self) -> u32 {
        self.0.segment
    }
}

impl Slot {
    fn name<'a>(&self, names: &'a [u8]) -> &'a [u8] {
        let at = self.at as usize;
        &names[at..at + usize::from(self.length & !NEW)]
    }

    fn is_new(&self) -> bool {
        self.length & NEW != 0
    }

    fn compare(&self, other: &Self, names: &[u8]) -> Ordering {
        let place = |slot: &Self| (slot.is_new(), slot.doc, slot.language, slot.ordinal);
        self.name(names).cmp(other.name(names)).then_with(|| place(self).cmp(&place(other)))
    }
}

/// Sorts slots whose names are equal, case aside, before `depth`; their keys are of that depth.
fn sort(slots: &mut [Slot], names: &[u8], depth: usize) {
    slots.sort_unstable_by_key(|slot| slot.key);
    for same in slots.chunk_by_mut(|a, b| a.key == b.key) {
        let [first, _, ..] = same else { continue };
        if first.key & 0xff < 8 {
            same.sort_unstable_by(|a, b| a.compare(b, names));
            continue;
        }
        for slot in same.iter_mut() {
            slot.key = sort_key(slot.name(names), depth + 7);
        }
        sort(same, names, depth + 7);
    }
}
