//! Collects the words of contents, and writes them as a segment.

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
    let mut streams: Vec<Lists<'_, '_, E>> = Vec::new();
    for (of, blocks) in inputs {
        let mut lists = Lists { segment: *of, blocks, from: 0, ready: Vec::new() };
        lists.fill()?;
        streams.push(lists);
    }
    let mut writer = Writer::new(segment, emit);
    let mut list: Vec<Posting> = Vec::new();
    while let Some(word) = streams.iter().filter_map(Lists::next_word).min() {
        list.clear();
        for stream in &mut streams {
            if stream.next_word() == Some(word) {
                list.extend(stream.ready.pop().map(|(_, list)| list).unwrap_or_default());
                stream.fill()?;
            }
        }
        list.sort_unstable();
        unite(&mut list);
        writer.push(word, &list)?;
    }
    writer.finish()
}

/// The lists of a segment, one after the other.
struct Lists<'a, 'b, E> {
    segment: u32,
    blocks: &'a mut Blocks<'b, E>,
    /// The first word that no block has covered yet.
    from: u64,
    /// The lists of the last block that was read, the next one last.
    ready: Vec<(Word, Vec<Posting>)>,
}

impl<E: From<Corrupt>> Lists<'_, '_, E> {
    fn next_word(&self) -> Option<Word> {
        self.ready.last().map(|(word, _)| *word)
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
            if !block.is_part() {
                for (word, bytes) in block.lists()? {
                    let list = super::block::postings(bytes).ok_or(corrupt)?;
                    self.ready.push((word, list));
                }
                self.ready.reverse();
                continue;
            }
            let (mut list, mut more) = block.part()?;
            let mut part = 0;
            while more {
                part += 1;
                let next = self.blocks.next().transpose()?.ok_or(corrupt)?;
                if next.key().word != block.key().word || next.key().part != part {
                    return Err(corrupt.into());
                }
                let (postings, goes_on) = next.part()?;
                list.extend(postings);
                more = goes_on;
            }
            self.ready.push((Word(block.key().word), list));
        }
        Ok(())
    }
}
