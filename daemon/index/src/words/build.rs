//! Collects the words of contents, and writes them as a segment.

use std::ops::Range;

use super::Word;
use super::block::{Block, Corrupt, Emit, Posting, Writer};

/// The words of some contents.
#[derive(Debug, Default)]
pub struct Build {
    /// Word and content in one number, so that they are sorted at once; and how often.
    postings: Vec<(u64, u32, u32)>,
}

impl Build {
    /// Takes the words of a content, each once.
    pub fn add(&mut self, document: u32, words: &[(Word, u32)]) {
        self.postings.extend(words.iter().map(|(word, count)| (word.0, document, *count)));
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.postings.capacity() * size_of::<(u64, u32, u32)>()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.postings.is_empty()
    }

    /// Adds a number to all contents.
    pub fn shift(&mut self, base: u32) {
        self.postings.iter_mut().for_each(|(_, document, _)| *document += base);
    }

    /// Takes all that another one has.
    pub fn append(&mut self, mut other: Self) {
        self.postings.append(&mut other.postings);
    }

    /// Writes the blocks of a segment.
    pub fn finish<E>(mut self, segment: u32, emit: &mut Emit<'_, E>) -> Result<(), E> {
        self.postings.sort_unstable();
        let mut writer = Writer::new(segment, emit);
        let mut list: Vec<Posting> = Vec::new();
        for run in self.postings.chunk_by(|a, b| a.0 == b.0) {
            list.clear();
            list.extend(run.iter().map(|(_, document, count)| (*document, *count)));
            unite(&mut list);
            writer.push(Word(run[0].0), &list)?;
        }
        writer.finish()
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
        Ok(Self { streams })
    }

    /// The word whose list is next.
    #[must_use]
    pub fn word(&self) -> Option<Word> {
        self.streams.iter().filter_map(Lists::word).min()
    }

    /// Reads the next list, in the order of the contents, and goes on to the one after it.
    pub fn take(&mut self, list: &mut Vec<Posting>) -> Result<(), E> {
        list.clear();
        let word = self.word();
        for stream in self.streams.iter_mut().filter(|stream| stream.word() == word) {
            stream.take(list)?;
        }
        list.sort_unstable();
        unite(list);
        Ok(())
    }

    /// Goes on to the first list of this word or a later one, without reading those before it.
    pub fn skip_to(&mut self, word: Word) -> Result<(), E> {
        for stream in &mut self.streams {
            while stream.word().is_some_and(|next| next < word) {
                stream.ready.pop();
                stream.fill()?;
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
