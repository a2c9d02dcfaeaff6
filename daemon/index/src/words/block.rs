//! How lists of words are written: which contents have a word, and how often.
//!
//! A block has at most [`BLOCK_BYTES`], so that it fills a page of a store with its key. Many short
//! lists share one; a longer list has blocks of its own, its parts. The blocks of a segment cover
//! all words without a hole, so that a word's absence is read, not concluded from a block that
//! was lost.

use std::ops::Range;

use super::{WORD_BYTES, Word};
use crate::seal;
use crate::varint;

/// How often a content has a word.
pub type Posting = (u32, u32);

/// The most that a block takes.
pub const BLOCK_BYTES: usize = 4_040;
/// What a list takes at most to share a block.
const SHORT_BYTES: usize = 2_048;
/// How many bytes a key takes.
pub const KEY_BYTES: usize = 4 + WORD_BYTES + 2;
/// One past the last word.
pub(super) const END: u64 = 1 << (8 * WORD_BYTES);
const SHARED: u8 = 1;
const PART: u8 = 2;
/// Sort of the block, one past its last word, how many lists.
const HEAD: usize = 1 + 6 + 2;

/// Where a block stands: keys sort as their bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The segment.
    pub segment: u32,
    /// The first word that it covers.
    pub word: u64,
    /// Which part of a long list it is.
    pub part: u16,
}

impl Key {
    /// The bytes by which it is stored.
    #[must_use]
    pub fn to_bytes(self) -> [u8; KEY_BYTES] {
        let mut bytes = [0; KEY_BYTES];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..9].copy_from_slice(&self.word.to_be_bytes()[3..]);
        bytes[9..].copy_from_slice(&self.part.to_be_bytes());
        bytes
    }

    /// What these bytes stand for.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k] = bytes;
        Self {
            segment: u32::from_be_bytes([a, b, c, d]),
            word: u64::from_be_bytes([0, 0, 0, e, f, g, h, i]),
            part: u16::from_be_bytes([j, k]),
        }
    }
}

/// A block that is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of words of segment {segment} is damaged or lost")]
pub struct Corrupt {
    /// The segment.
    pub segment: u32,
}

/// Takes the blocks of a segment as they are made.
pub type Emit<'a, E> = dyn FnMut(Key, &[u8]) -> Result<(), E> + 'a;

/// Writes the lists of a segment, which come in the order of their words.
pub(super) struct Writer<'a, 'e, E> {
    segment: u32,
    emit: &'a mut Emit<'e, E>,
    /// The first word that is not covered yet.
    from: u64,
    lists: usize,
    /// Words as gaps, and the lengths of their lists; then the lists themselves.
    directory: Vec<u8>,
    bytes: Vec<u8>,
    last: u64,
    list: Vec<u8>,
}

impl<'a, 'e, E> Writer<'a, 'e, E> {
    pub(super) fn new(segment: u32, emit: &'a mut Emit<'e, E>) -> Self {
        let (directory, bytes, list) = (Vec::new(), Vec::new(), Vec::new());
        Self { segment, emit, from: 0, lists: 0, directory, bytes, last: 0, list }
    }

    /// Takes the list of a word: postings in the order of their contents, each content once.
    pub(super) fn push(&mut self, word: Word, postings: &[Posting]) -> Result<(), E> {
        self.list.clear();
        let mut ends = Vec::new();
        let mut before = 0;
        for (document, count) in postings {
            let start = self.list.len();
            if start - ends.last().copied().unwrap_or(0) > BLOCK_BYTES - HEAD - 24 {
                // The next part can be read alone.
                ends.push(start);
                before = 0;
            }
            put(&mut self.list, document - before, *count);
            before = *document;
        }
        if self.list.len() > SHORT_BYTES {
            return self.long(word, &ends);
        }
        let room = BLOCK_BYTES - HEAD - 8 - 10;
        if self.directory.len() + self.bytes.len() + self.list.len() > room {
            self.end(word.0)?;
        }
        let base = if self.lists == 0 { self.from } else { self.last };
        varint::push(&mut self.directory, word.0 - base);
        varint::push(&mut self.directory, self.list.len() as u64);
        self.bytes.extend_from_slice(&self.list);
        self.lists += 1;
        self.last = word.0;
        Ok(())
    }

    fn long(&mut self, word: Word, ends: &[usize]) -> Result<(), E> {
        if self.from < word.0 || self.lists > 0 {
            self.end(word.0)?;
        }
        let list = std::mem::take(&mut self.list);
        let starts = [0].into_iter().chain(ends.iter().copied());
        let ends = ends.iter().copied().chain([list.len()]);
        for (part, (start, end)) in starts.zip(ends).enumerate() {
            let key = Key { segment: self.segment, word: word.0, part: part as u16 };
            let mut block = vec![PART, u8::from(end < list.len())];
            block.extend_from_slice(&list[start..end]);
            seal::seal(&mut block, &key.to_bytes());
            (self.emit)(key, &block)?;
        }
        self.list = list;
        self.from = word.0 + 1;
        Ok(())
    }

    /// Ends a block that covers all words before `to`.
    fn end(&mut self, to: u64) -> Result<(), E> {
        let key = Key { segment: self.segment, word: self.from, part: 0 };
        let mut block = vec![SHARED];
        block.extend_from_slice(&to.to_le_bytes()[..6]);
        block.extend_from_slice(&(self.lists as u16).to_le_bytes());
        block.append(&mut self.directory);
        block.append(&mut self.bytes);
        seal::seal(&mut block, &key.to_bytes());
        (self.emit)(key, &block)?;
        (self.from, self.lists) = (to, 0);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<(), E> {
        if self.from < END || self.lists > 0 { self.end(END) } else { Ok(()) }
    }
}

/// Most words stand once in a text: bit 0 says that this one stands more often.
fn put(list: &mut Vec<u8>, gap: u32, count: u32) {
    varint::push(list, u64::from(gap) << 1 | u64::from(count > 1));
    if count > 1 {
        varint::push(list, u64::from(count - 2));
    }
}

/// A block that was found under its key and is what was written.
pub struct Block {
    key: Key,
    body: Vec<u8>,
}

impl Block {
    /// Opens the block that was found under a key.
    pub fn open(key: Key, bytes: &[u8]) -> Result<Self, Corrupt> {
        let corrupt = Corrupt { segment: key.segment };
        let body = seal::open(bytes, &key.to_bytes()).ok_or(corrupt)?;
        let is_sound = match body {
            [SHARED, ..] => body.len() >= HEAD,
            [PART, more, ..] => *more <= 1,
            _ => false,
        };
        if is_sound { Ok(Self { key, body: body.to_vec() }) } else { Err(corrupt) }
    }

    fn corrupt(&self) -> Corrupt {
        Corrupt { segment: self.key.segment }
    }

    /// Whether it is a part of a long list.
    pub(super) fn is_part(&self) -> bool {
        self.body[0] == PART
    }

    /// The list of a word, of a block that many share.
    fn find(&self, word: Word) -> Result<Vec<Posting>, Corrupt> {
        if self.is_part() || word.0 >= self.end() {
            return Err(self.corrupt());
        }
        let found = self.lists()?.into_iter().find(|(known, _)| *known >= word);
        match found.filter(|(known, _)| *known == word) {
            Some((_, range)) => self.list(range),
            None => Ok(Vec::new()),
        }
    }

    /// The list that stands there, by [`Block::lists`].
    pub(super) fn list(&self, range: Range<usize>) -> Result<Vec<Posting>, Corrupt> {
        self.body.get(range).and_then(postings).ok_or(self.corrupt())
    }

    /// Whether there is another part after this one.
    pub(super) fn has_more(&self) -> bool {
        self.is_part() && self.body[1] == 1
    }

    /// The postings of a part, and whether there is another one.
    pub(super) fn part(&self) -> Result<(Vec<Posting>, bool), Corrupt> {
        if !self.is_part() {
            return Err(self.corrupt());
        }
        let postings = postings(&self.body[2..]).ok_or(self.corrupt())?;
        Ok((postings, self.body[1] == 1))
    }

    /// One past the last word that it covers.
    pub(super) fn end(&self) -> u64 {
        if self.is_part() {
            return self.key.word + 1;
        }
        let mut end = [0; 8];
        end[..6].copy_from_slice(&self.body[1..7]);
        u64::from_le_bytes(end)
    }

    pub(super) fn key(&self) -> Key {
        self.key
    }

    /// Where the lists of a block stand that many share.
    pub(super) fn lists(&self) -> Result<Vec<(Word, Range<usize>)>, Corrupt> {
        let corrupt = self.corrupt();
        let count = u16::from_le_bytes([self.body[7], self.body[8]]);
        let mut rest = &self.body[HEAD..];
        let mut lengths = Vec::with_capacity(usize::from(count));
        let mut word = self.key.word;
        for _ in 0..count {
            let gap = varint::take(&mut rest).ok_or(corrupt)?;
            word = word.checked_add(gap).ok_or(corrupt)?;
            lengths.push((Word(word), varint::take(&mut rest).ok_or(corrupt)?));
        }
        let mut at = self.body.len() - rest.len();
        let mut lists = Vec::with_capacity(lengths.len());
        for (word, length) in lengths {
            let length = usize::try_from(length).map_err(|_| corrupt)?;
            let end = at.checked_add(length).filter(|end| *end <= self.body.len());
            let end = end.ok_or(corrupt)?;
            lists.push((word, at..end));
            at = end;
        }
        if at == self.body.len() { Ok(lists) } else { Err(corrupt) }
    }
}

/// Where the blocks of a segment come from.
pub trait Source {
    /// What can go wrong.
    type Error: From<Corrupt>;

    /// The segment.
    fn segment(&self) -> u32;

    /// The last block whose key is at most this one.
    fn last(&self, key: Key) -> Result<Option<Block>, Self::Error>;

    /// The block of this very key.
    fn at(&self, key: Key) -> Result<Option<Block>, Self::Error>;
}

/// The contents that have a word, in order.
pub fn find<S: Source>(source: &S, word: Word) -> Result<Vec<Posting>, S::Error> {
    let segment = source.segment();
    let corrupt = Corrupt { segment };
    let last = source.last(Key { segment, word: word.0, part: u16::MAX })?.ok_or(corrupt)?;
    if !last.is_part() {
        return Ok(last.find(word)?);
    }
    let mut list = Vec::new();
    for part in 0..=u16::MAX {
        let block = source.at(Key { segment, word: word.0, part })?.ok_or(corrupt)?;
        let (postings, more) = block.part()?;
        list.extend(postings);
        if !more {
            break;
        }
    }
    Ok(list)
}

/// The postings of a list.
pub(super) fn postings(mut bytes: &[u8]) -> Option<Vec<Posting>> {
    let mut list = Vec::with_capacity(bytes.len() / 2);
    let mut document = 0_u64;
    while !bytes.is_empty() {
        let gap = varint::take(&mut bytes)?;
        document = document.checked_add(gap >> 1)?;
        let count = if gap & 1 == 1 { varint::take(&mut bytes)?.checked_add(2)? } else { 1 };
        list.push((u32::try_from(document).ok()?, u32::try_from(count).ok()?));
    }
    Some(list)
}
