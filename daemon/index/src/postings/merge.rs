//! Makes one segment of several that follow each other.

use std::sync::Arc;

use super::block::{Block, Corrupt, Key};
use super::docs::Bits;
use super::list::List;
use super::write::{Emit, Writer};
use crate::trigram::{TRIGRAMS, Trigram};

/// A segment that goes into a merge.
pub struct Input<'a, E> {
    /// The number of its documents.
    pub docs: u32,
    /// All its blocks in the order of their keys.
    pub blocks: &'a mut dyn Iterator<Item = Result<Arc<Block>, E>>,
}

/// Concatenates segments: the document `d` of input `i` becomes the document
/// `d` plus the documents of all inputs before `i`. A document that `keep(i, d)`
/// denies has no postings in the result and leaves a hole, so that no id moves.
/// Needs the memory of one list, decoded, and of one block an input.
/// Returns the number of documents, which must fit 32 bits.
///
/// # Errors
///
/// The first error of an input or of `emit`, and [`Corrupt`] where an input lacks
/// a block.
pub fn merge<E: From<Corrupt>>(
    segment: u32,
    inputs: &mut [Input<'_, E>],
    keep: &dyn Fn(usize, u32) -> bool,
    emit: &mut Emit<'_, E>,
) -> Result<u32, E> {
    let mut cursors = Vec::with_capacity(inputs.len());
    let mut base = 0;
    for (at, input) in inputs.iter_mut().enumerate() {
        let dropped = Dropped::new(input.docs, &|doc| !keep(at, doc));
        let mut cursor = Cursor {
            blocks: &mut *input.blocks,
            docs: input.docs,
            base,
            dropped,
            block: None,
            at: 0,
        };
        base += input.docs;
        cursor.load()?;
        cursors.push(cursor);
    }
    let mut writer = Writer::new(segment);
    let mut docs = Vec::new();
    while let Some(trigram) = cursors.iter().filter_map(Cursor::trigram).min() {
        docs.clear();
        for cursor in &mut cursors {
            cursor.drain(trigram, &mut docs)?;
        }
        if !docs.is_empty() {
            writer.push(trigram, &docs, emit)?;
        }
    }
    writer.finish(emit)?;
    Ok(base)
}

/// The documents of an input that are left out; mostly there are none.
struct Dropped(Option<Bits>);

impl Dropped {
    fn new(docs: u32, is_dropped: &dyn Fn(u32) -> bool) -> Self {
        let mut bits = None;
        for doc in (0..docs).filter(|&doc| is_dropped(doc)) {
            bits.get_or_insert_with(|| Bits::new(docs)).insert(doc);
        }
        Self(bits)
    }

    /// Appends the documents of `list` that are not left out, moved by `base`.
    fn copy_rest(&self, list: List<'_>, docs: u32, base: u32, into: &mut Vec<u32>) {
        match &self.0 {
            None => list.for_each(docs, |doc| into.push(base + doc)),
            Some(dropped) => list.for_each(docs, |doc| {
                if !dropped.contains(doc) {
                    into.push(base + doc);
                }
            }),
        }
    }
}

/// A place among the lists of an input.
struct Cursor<'a, E> {
    blocks: &'a mut dyn Iterator<Item = Result<Arc<Block>, E>>,
    docs: u32,
    base: u32,
    dropped: Dropped,
    block: Option<Arc<Block>>,
    /// The list at hand, of those that share the block.
    at: usize,
}

impl<E: From<Corrupt>> Cursor<'_, E> {
    /// Steps to the next block that has a list.
    fn load(&mut self) -> Result<(), E> {
        self.at = 0;
        loop {
            let next = self.blocks.next().transpose()?;
            check_order(self.block.as_deref(), next.as_deref())?;
            self.block = next;
            let is_empty = |block: &Arc<Block>| block.part().is_none() && block.lists() == 0;
            if !self.block.as_ref().is_some_and(is_empty) {
                return Ok(());
            }
        }
    }

    fn trigram(&self) -> Option<Trigram> {
        let block = self.block.as_ref()?;
        Some(if block.lists() > 0 { block.list_at(self.at).0 } else { block.key().trigram })
    }

    /// Appends what the input has of the trigram, and steps past it.
    fn drain(&mut self, trigram: Trigram, into: &mut Vec<u32>) -> Result<(), E> {
        while self.trigram() == Some(trigram) {
            let Some(block) = self.block.clone() else { return Ok(()) };
            let list = match block.part() {
                Some(part) => part.list,
                None => block.list_at(self.at).1,
            };
            self.dropped.copy_rest(list, self.docs, self.base, into);
            self.at += 1;
            if self.at >= block.lists() {
                self.load()?;
            }
        }
        Ok(())
    }
}

// A block that the store lost would otherwise be lost for good, and unnoticed.
fn check_order(before: Option<&Block>, next: Option<&Block>) -> Result<(), Corrupt> {
    let expected = match before {
        None => (0, 0),
        Some(block) => match block.part() {
            Some(part) if block.key().part + 1 < part.parts => {
                (block.key().trigram, block.key().part + 1)
            }
            _ => (block.until(), 0),
        },
    };
    let found = match next {
        None => (TRIGRAMS as u32, 0),
        Some(block) => (block.key().trigram, block.key().part),
    };
    let segment = next.or(before).map_or(0, |block| block.key().segment);
    let key = Key { segment, trigram: expected.0, part: expected.1 };
    if found == expected { Ok(()) } else { Err(Corrupt { key }) }
}
