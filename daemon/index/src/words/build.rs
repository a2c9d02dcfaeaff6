//! Collects the words of contents, and writes them as a segment.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;

use super::block::{Block, Corrupt, Emit, Posting, Writer};
use super::{ByWord, WORD_BYTES, Word};

/// The words of some contents.
///
/// A posting is one number, by which it sorts: the word, the content's place, and how often it has the
/// word. That is a third of what three numbers take, and is sorted in a third of the time.
#[derive(Debug, Default)]
pub struct Build {
    /// The contents, by place.
    documents: Vec<u32>,
    postings: Vec<u64>,
    /// How often, where that is [`MANY`] or more: by a posting without that.
    many: ByWord<u32>,
}

const COUNT_BITS: u32 = 4;
const PLACE_BITS: u32 = 64 - COUNT_BITS - 8 * WORD_BYTES as u32;
/// What a posting cannot hold.
const MANY: u32 = (1 << COUNT_BITS) - 1;
/// Postings by which their room grows: to double it would waste half of a budget.
const GROWTH: usize = 1 << 18;

/// The most contents of a [`Build`].
pub const MAX_CONTENTS: usize = 1 << PLACE_BITS;

impl Build {
    /// Takes the words of a content, each once.
    ///
    /// # Panics
    ///
    /// Where it has [`MAX_CONTENTS`].
    pub fn add(&mut self, document: u32, words: &[(Word, u32)]) {
        if words.is_empty() {
            return;
        }
        let place = self.documents.len();
        assert!(place < MAX_CONTENTS, "at most {MAX_CONTENTS} contents are collected");
        self.documents.push(document);
        self.reserve(words.len());
        for (word, count) in words {
            let key = word.0 << PLACE_BITS | place as u64;
            if *count >= MANY {
                self.many.insert(Word(key), *count);
            }
            self.postings.push(key << COUNT_BITS | u64::from((*count).min(MANY)));
        }
    }

    fn reserve(&mut self, more: usize) {
        if self.postings.capacity() < self.postings.len() + more {
            self.postings.reserve_exact(more.max(GROWTH));
        }
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of_val(self.postings.as_slice())
            + size_of_val(self.documents.as_slice())
            + self.many.len() * 2 * size_of::<(Word, u32)>()
    }

    /// Whether it cannot take another content.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.documents.len() == MAX_CONTENTS
    }

    /// Adds a number to all contents.
    pub fn shift(&mut self, base: u32) {
        self.documents.iter_mut().for_each(|document| *document += base);
    }

    /// Takes all that another one has.
    ///
    /// # Panics
    ///
    /// Where both have more than [`MAX_CONTENTS`].
    pub fn append(&mut self, other: Self) {
        let base = self.documents.len();
        assert!(base + other.documents.len() <= MAX_CONTENTS);
        self.documents.extend(other.documents);
        self.reserve(other.postings.len());
        let base = base as u64;
        self.postings.extend(other.postings.iter().map(|posting| posting + (base << COUNT_BITS)));
        self.many.extend(other.many.into_iter().map(|(key, count)| (Word(key.0 + base), count)));
    }

    /// Writes the blocks of a segment.
    pub fn finish<E>(mut self, segment: u32, emit: &mut Emit<'_, E>) -> Result<(), E> {
        self.postings.sort_unstable();
        let word = |posting: &u64| posting >> (PLACE_BITS + COUNT_BITS);
        let mut writer = Writer::new(segment, emit);
        let mut list: Vec<Posting> = Vec::new();
        for run in self.postings.chunk_by(|a, b| word(a) == word(b)) {
            list.clear();
            list.extend(run.iter().map(|posting| self.open(*posting)));
            list.sort_unstable();
            unite(&mut list);
            writer.push(Word(word(&run[0])), &list)?;
        }
        writer.finish()
    }

    /// The content of a posting, and how often it has the word.
    fn open(&self, posting: u64) -> Posting {
        let key = posting >> COUNT_BITS;
        let count = match (posting as u32) & MANY {
            MANY => self.many.get(&Word(key)).copied().unwrap_or(MANY),
            count => count,
        };
        (self.documents[key as usize % MAX_CONTENTS], count)
    }
}

/// Makes one posting of those of one content: the greatest.
fn unite(list: &mut Vec<Posting>) {
    list.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.max(next.1);
        }
        same
    });
}

/// The blocks of a segment that is merged, in order.
pub type Blocks<'a, E> = &'a mut dyn Iterator<Item = Result<Block, E>>;

/// Writes the lists of several segments as those of one.
pub fn merge<E: From<Corrupt>>(
    segment: u32,
    inputs: &mut [(u32, Blocks<'_, E>)],
    emit: &mut Emit<'_, E>,
) -> Result<(), E> {
    let mut merged = Merged::new(inputs)?;
    let mut writer = Writer::new(segment, emit);
    let mut list: Vec<Posting> = Vec::new();
    while let Some(word) = merged.word() {
        merged.take(&mut list)?;
        writer.push(word, &list)?;
    }
    writer.finish()
}

/// The lists of several segments as those of one, in the order of their words.
pub struct Merged<'a, 'b, E> {
    streams: Vec<Lists<'a, 'b, E>>,
    /// The next word of each stream, with the stream.
    next: BinaryHeap<Reverse<(Word, usize)>>,
}

impl<'a, 'b, E: From<Corrupt>> Merged<'a, 'b, E> {
    /// Reads the segments of these numbers.
    pub fn new(inputs: &'a mut [(u32, Blocks<'b, E>)]) -> Result<Self, E> {
        let mut streams: Vec<Lists<'_, '_, E>> = Vec::new();
        for (segment, blocks) in inputs {
            let (parts, ready) = (Vec::new(), Vec::new());
            let mut lists = Lists { segment: *segment, blocks, from: 0, parts, ready };
            lists.fill()?;
            streams.push(lists);
        }
        let next = streams.iter().enumerate();
        let next = next.filter_map(|(at, lists)| Some(Reverse((lists.word()?, at)))).collect();
        Ok(Self { streams, next })
    }

    /// The word whose list is next.
    #[must_use]
    pub fn word(&self) -> Option<Word> {
        self.next.peek().map(|Reverse((word, _))| *word)
    }

    /// Reads the next list, in the order of the contents, and goes on to the one after it.
    pub fn take(&mut self, list: &mut Vec<Posting>) -> Result<(), E> {
        list.clear();
        let word = self.word();
        while let Some(mut top) = self.next.peek_mut().filter(|top| Some(top.0.0) == word) {
            let stream = &mut self.streams[top.0.1];
            stream.take(list)?;
            match stream.word() {
                Some(next) => top.0.0 = next,
                None => drop(PeekMut::pop(top)),
            }
        }
        list.sort_unstable();
        unite(list);
        Ok(())
    }

    /// Goes on to the first list of this word or a later one. Lists before it are not taken apart, though their
    /// blocks are read.
    pub fn skip_to(&mut self, word: Word) -> Result<(), E> {
        while let Some(mut top) = self.next.peek_mut().filter(|top| top.0.0 < word) {
            let stream = &mut self.streams[top.0.1];
            stream.skip_to(word)?;
            match stream.word() {
                Some(next) => top.0.0 = next,
                None => drop(PeekMut::pop(top)),
            }
        }
        Ok(())
    }
}

/// The lists of a segment, one after the other.
struct Lists<'a, 'b, E> {
    segment: u32,
    blocks: &'a mut Blocks<'b, E>,
    /// The first word that no block has covered yet.
    from: u64,
    /// The block that was read last, or all parts of one list.
    parts: Vec<Block>,
    /// The words of it, the next one last, and where their lists stand in a block that is shared.
    ready: Vec<(Word, Option<Range<usize>>)>,
}

impl<E: From<Corrupt>> Lists<'_, '_, E> {
    fn word(&self) -> Option<Word> {
        self.ready.last().map(|(word, _)| *word)
    }

    fn take(&mut self, list: &mut Vec<Posting>) -> Result<(), E> {
        match self.ready.pop() {
            Some((_, Some(range))) => list.extend(self.parts[0].list(range)?),
            Some((_, None)) => {
                for part in &self.parts {
                    list.extend(part.part()?.0);
                }
            }
            None => {}
        }
        self.fill()
    }

    fn skip_to(&mut self, word: Word) -> Result<(), E> {
        while self.word().is_some_and(|next| next < word) {
            self.ready.pop();
            self.fill()?;
        }
        Ok(())
    }

    /// Reads on until there is a list.
    fn fill(&mut self) -> Result<(), E> {
        let corrupt = Corrupt { segment: self.segment };
        while self.ready.is_empty() {
            let Some(block) = self.blocks.next().transpose()? else {
                let is_whole = self.from == super::block::END;
                return if is_whole { Ok(()) } else { Err(corrupt.into()) };
            };
            if block.key().word != self.from || block.key().part != 0 {
                return Err(corrupt.into());
            }
            self.from = block.end();
            self.parts.clear();
            if block.is_part() {
                self.ready.push((Word(block.key().word), None));
                self.read_parts(block)?;
            } else {
                let lists = block.lists()?.into_iter();
                self.ready.extend(lists.map(|(word, list)| (word, Some(list))).rev());
                self.parts.push(block);
            }
        }
        Ok(())
    }

    /// Reads all parts of a list.
    fn read_parts(&mut self, first: Block) -> Result<(), E> {
        let corrupt = Corrupt { segment: self.segment };
        let key = first.key();
        let mut more = first.has_more();
        self.parts.push(first);
        for part in 1.. {
            if !more {
                break;
            }
            let next = self.blocks.next().transpose()?.ok_or(corrupt)?;
            if !next.is_part() || next.key().word != key.word || next.key().part != part {
                return Err(corrupt.into());
            }
            more = next.has_more();
            self.parts.push(next);
        }
        Ok(())
    }
}
