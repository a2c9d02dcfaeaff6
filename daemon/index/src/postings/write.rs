//! Packs lists, given in the order of their trigrams, into blocks.

use super::block::{BITMAP_FLAG, CHECK, ENTRY, Key, LISTS, LISTS_HEAD, PART, PART_HEAD, checksum};
use super::list::{Encoding, bitmap_len, gap_len, push_bitmap, push_gaps};
use crate::trigram::{TRIGRAMS, Trigram};

/// The most bytes that a block has. With its key of 12 bytes it fills one 4 KiB
/// leaf of a B-tree, page and length headers included.
pub const BLOCK: usize = 4_040;

const LISTS_ROOM: usize = BLOCK - LISTS_HEAD - CHECK;
const PART_ROOM: usize = BLOCK - PART_HEAD - CHECK;

/// Where blocks go, in the order of their keys.
pub type Emit<'a, E> = dyn FnMut(Key, &[u8]) -> Result<(), E> + 'a;

/// The block at hand, in the pieces that it is put together from.
pub(super) struct Writer {
    segment: u32,
    /// The first trigram that no block before covers.
    from: Trigram,
    directory: Vec<u8>,
    lists: Vec<u8>,
    /// The next list while its size is unknown, and whole blocks.
    scratch: Vec<u8>,
}

/// A run of a long list's documents that fits one block.
struct Run {
    encoding: Encoding,
    base: u32,
    start: usize,
    end: usize,
}

impl Writer {
    pub(super) fn new(segment: u32) -> Self {
        let (directory, lists, scratch) = (Vec::new(), Vec::new(), Vec::new());
        Self { segment, from: 0, directory, lists, scratch }
    }

    /// Adds the ascending, not empty list of the next trigram.
    pub(super) fn push<E>(
        &mut self,
        trigram: Trigram,
        docs: &[u32],
        emit: &mut Emit<'_, E>,
    ) -> Result<(), E> {
        let Some(encoding) = self.encode(docs) else {
            self.flush(trigram, emit)?;
            return self.write_parts(trigram, docs, emit);
        };
        let taken = self.directory.len() + self.lists.len();
        if taken + ENTRY + self.scratch.len() > LISTS_ROOM {
            // Flushing writes a block through `scratch`.
            let list = std::mem::take(&mut self.scratch);
            self.flush(trigram, emit)?;
            self.scratch = list;
        }
        self.lists.extend_from_slice(&self.scratch);
        let flag = if encoding == Encoding::Bitmap { BITMAP_FLAG } else { 0 };
        self.directory.extend_from_slice(&trigram.to_be_bytes()[1..]);
        self.directory.extend_from_slice(&(self.lists.len() as u16 | flag).to_le_bytes());
        Ok(())
    }

    /// Writes out what is left; without it the segment is not whole.
    pub(super) fn finish<E>(mut self, emit: &mut Emit<'_, E>) -> Result<(), E> {
        self.flush(TRIGRAMS as u32, emit)
    }

    /// Writes out the block at hand, so that all before `until` is covered.
    fn flush<E>(&mut self, until: u32, emit: &mut Emit<'_, E>) -> Result<(), E> {
        if self.from == until {
            return Ok(());
        }
        self.scratch.clear();
        self.scratch.push(LISTS);
        self.scratch.extend_from_slice(&until.to_le_bytes());
        self.scratch.extend_from_slice(&((self.directory.len() / ENTRY) as u16).to_le_bytes());
        self.scratch.append(&mut self.directory);
        self.scratch.append(&mut self.lists);
        self.seal(self.from, 0, emit)?;
        self.from = until;
        Ok(())
    }

    /// Puts the list into `scratch` in its smaller encoding; none where it does
    /// not fit a block.
    fn encode(&mut self, docs: &[u32]) -> Option<Encoding> {
        const ROOM: usize = LISTS_ROOM - ENTRY;
        let bitmap = docs.last().map_or(0, |&last| bitmap_len(0, last));
        self.scratch.clear();
        if docs.len() >= bitmap && bitmap <= ROOM {
            push_bitmap(&mut self.scratch, 0, docs);
            return Some(Encoding::Bitmap);
        }
        if docs.len() > ROOM {
            return None;
        }
        push_gaps(&mut self.scratch, 0, docs);
        if self.scratch.len() > bitmap && bitmap <= ROOM {
            self.scratch.clear();
            push_bitmap(&mut self.scratch, 0, docs);
            return Some(Encoding::Bitmap);
        }
        (self.scratch.len() <= ROOM).then_some(Encoding::Gaps)
    }

    fn write_parts<E>(
        &mut self,
        trigram: Trigram,
        docs: &[u32],
        emit: &mut Emit<'_, E>,
    ) -> Result<(), E> {
        let runs = runs(docs);
        for (part, run) in runs.iter().enumerate() {
            let docs_of_run = &docs[run.start..run.end];
            let last = docs_of_run.last().copied().unwrap_or(run.base);
            self.scratch.clear();
            self.scratch.extend([PART, u8::from(run.encoding == Encoding::Bitmap)]);
            for number in [run.base, last, docs.len() as u32, runs.len() as u32] {
                self.scratch.extend_from_slice(&number.to_le_bytes());
            }
            match run.encoding {
                Encoding::Gaps => push_gaps(&mut self.scratch, run.base, docs_of_run),
                Encoding::Bitmap => push_bitmap(&mut self.scratch, run.base, docs_of_run),
            }
            self.seal(trigram, part as u32, emit)?;
        }
        self.from = trigram + 1;
        Ok(())
    }

    fn seal<E>(&mut self, trigram: Trigram, part: u32, emit: &mut Emit<'_, E>) -> Result<(), E> {
        let key = Key { segment: self.segment, trigram, part };
        let check = checksum(&self.scratch, key);
        self.scratch.extend_from_slice(&check);
        emit(key, &self.scratch)
    }
}

/// Cuts a long list so that each run goes as far as one block can.
fn runs(docs: &[u32]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < docs.len() {
        let rest = &docs[start..];
        let base = rest[0] & !63;
        let by_bitmap = rest.partition_point(|&doc| bitmap_len(base, doc) <= PART_ROOM);
        let by_gaps = gaps_that_fit(rest);
        let run = if by_bitmap >= by_gaps {
            Run { encoding: Encoding::Bitmap, base, start, end: start + by_bitmap }
        } else {
            Run { encoding: Encoding::Gaps, base: rest[0], start, end: start + by_gaps }
        };
        start = run.end;
        runs.push(run);
    }
    runs
}

fn gaps_that_fit(docs: &[u32]) -> usize {
    let (mut next, mut len) = (docs[0], 0);
    for (at, &doc) in docs.iter().enumerate() {
        len += gap_len(doc - next);
        if len > PART_ROOM {
            return at;
        }
        next = doc + 1;
    }
    docs.len()
}
