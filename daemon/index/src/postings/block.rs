//! One block: a few kilobytes of lists, checked as a whole.
//!
//! A block is stored under its [`Key`]. Integers are little-endian unless said
//! otherwise. Lists that fit share a block:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | `1`: a block of lists |
//! | 4 | until: one past the last trigram that the block covers |
//! | 2 | `n`, the number of lists |
//! | 5 `n` | directory, ascending by trigram: the trigram (3 bytes, big-endian), then two bytes: bit 15 says bitmap, bits 0 to 11 say where the list ends, counted from the end of the directory |
//! | … | the lists one after the other, none empty, offsets counted from document 0 |
//! | 8 | check |
//!
//! A list that is larger than a block has blocks of its own, its *parts* 0, 1, 2,
//! …, in each the documents up to `last`:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | `2`: a part |
//! | 1 | `0` gaps, `1` bitmap |
//! | 4 | base: the document that offsets count from (of a bitmap a multiple of 64) |
//! | 4 | last: the part's last document |
//! | 4 | how many documents the whole list has |
//! | 4 | how many parts the whole list has |
//! | … | the documents |
//! | 8 | check |
//!
//! The blocks of a segment cover all 2²⁴ trigrams without a hole: the parts of a
//! list that list's trigram, a block of lists those from its key's (which need not
//! be that of its first list) up to *until*. So it is known that there is no such
//! list, and not concluded from a block that a damaged store did not find.
//!
//! The check is the first 8 bytes of BLAKE3 over all before it and the key
//! (12 bytes, see [`Key::to_bytes`]): a block that was damaged, or that is found
//! under a key which is not its own, does not open.

use thiserror::Error;

use super::list::{Encoding, List};
use crate::trigram::{TRIGRAMS, Trigram};

pub(super) const LISTS: u8 = 1;
pub(super) const PART: u8 = 2;
pub(super) const LISTS_HEAD: usize = 7;
pub(super) const ENTRY: usize = 5;
pub(super) const PART_HEAD: usize = 18;
pub(super) const CHECK: usize = 8;
pub(super) const BITMAP_FLAG: u16 = 1 << 15;
pub(super) const END_MASK: u16 = 0xfff;

/// Where a block is stored; the order of keys is the order of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The segment's number, the caller's choice.
    pub segment: u32,
    /// The first trigram that the block covers.
    pub trigram: Trigram,
    /// The number of the part, 0 where lists share the block.
    pub part: u32,
}

impl Key {
    /// Twelve bytes, big-endian, so that they sort as the keys do.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.segment.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.trigram.to_be_bytes());
        bytes[8..].copy_from_slice(&self.part.to_be_bytes());
        bytes
    }

    /// The inverse of [`Key::to_bytes`].
    pub fn from_bytes(bytes: [u8; 12]) -> Self {
        let number = |at: usize| {
            u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        Self { segment: number(0), trigram: number(4), part: number(8) }
    }
}

/// A block whose bytes are not what was stored under its key. What is derived
/// can be rebuilt: set the segment aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "postings block `{}/{:06x}/{}` is damaged; the segment has to be rebuilt",
    key.segment, key.trigram, key.part
)]
pub struct Corrupt {
    /// The key under which the bytes were found.
    pub key: Key,
}

/// A block whose check and lengths are right.
#[derive(Clone, Debug)]
pub struct Block {
    key: Key,
    bytes: Box<[u8]>,
}

/// A block that is one part of a long list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) list: List<'a>,
    pub(super) last: u32,
    pub(super) count: u32,
    pub(super) parts: u32,
}

impl Block {
    /// Checks the bytes that were stored under `key`.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] where they are not the bytes that were written.
    pub fn open(key: Key, bytes: &[u8]) -> Result<Self, Corrupt> {
        let (body, check) = bytes.split_last_chunk::<CHECK>().ok_or(Corrupt { key })?;
        if checksum(body, key) != *check {
            return Err(Corrupt { key });
        }
        let block = Self { key, bytes: body.into() };
        if block.is_sound() { Ok(block) } else { Err(Corrupt { key }) }
    }

    /// The key that it was stored under.
    pub fn key(&self) -> Key {
        self.key
    }

    /// The bytes of memory that it takes, for a cache to weigh.
    pub fn weight(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }

    /// The list of a trigram, where the block is one of lists.
    pub(super) fn list(&self, trigram: Trigram) -> Option<List<'_>> {
        let (mut low, mut high) = (0, self.lists());
        while low < high {
            let middle = low.midpoint(high);
            match self.entry(middle).0.cmp(&trigram) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.list_at(middle).1),
            }
        }
        None
    }

    /// Where the next block begins to cover.
    pub(super) fn until(&self) -> u32 {
        if self.bytes[0] == PART { self.key.trigram + 1 } else { self.number(1) }
    }

    /// How many lists share the block; none where it is a part.
    pub(super) fn lists(&self) -> usize {
        match *self.bytes {
            [LISTS, _, _, _, _, low, high, ..] => usize::from(u16::from_le_bytes([low, high])),
            _ => 0,
        }
    }

    /// The list at a place below `lists()`.
    pub(super) fn list_at(&self, at: usize) -> (Trigram, List<'_>) {
        let (trigram, end) = self.entry(at);
        let start = if at == 0 { 0 } else { self.entry(at - 1).1 & END_MASK };
        let lists = &self.bytes[LISTS_HEAD + ENTRY * self.lists()..];
        let bytes = &lists[usize::from(start)..usize::from(end & END_MASK)];
        let encoding = if end & BITMAP_FLAG != 0 { Encoding::Bitmap } else { Encoding::Gaps };
        (trigram, List { encoding, base: 0, bytes })
    }

    /// The part that the block is, where it is one.
    pub(super) fn part(&self) -> Option<Part<'_>> {
        if self.bytes.first() != Some(&PART) {
            return None;
        }
        let (head, bytes) = self.bytes.split_at_checked(PART_HEAD)?;
        let encoding = if head[1] == 1 { Encoding::Bitmap } else { Encoding::Gaps };
        let list = List { encoding, base: self.number(2), bytes };
        let [last, count, parts] = [6, 10, 14].map(|at| self.number(at));
        Some(Part { list, last, count, parts })
    }

    fn number(&self, at: usize) -> u32 {
        let bytes = &self.bytes[at..at + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    fn entry(&self, at: usize) -> (Trigram, u16) {
        let start = LISTS_HEAD + ENTRY * at;
        let entry = &self.bytes[start..start + ENTRY];
        let trigram = u32::from_be_bytes([0, entry[0], entry[1], entry[2]]);
        (trigram, u16::from_le_bytes([entry[3], entry[4]]))
    }

    fn is_sound(&self) -> bool {
        self.bytes.len() >= LISTS_HEAD
            && self.key.trigram < TRIGRAMS as u32
            && (self.key.trigram + 1..=TRIGRAMS as u32).contains(&self.until())
            && match self.bytes[0] {
                LISTS => self.directory_is_sound(),
                PART => self.part_is_sound(),
                _ => false,
            }
    }

    fn directory_is_sound(&self) -> bool {
        let lists = self.lists();
        let Some(room) = self.bytes.len().checked_sub(LISTS_HEAD + ENTRY * lists) else {
            return false;
        };
        let (mut least, mut start) = (self.key.trigram, 0);
        for at in 0..lists {
            let (trigram, end) = self.entry(at);
            let end = end & END_MASK;
            if trigram < least || end <= start {
                return false;
            }
            (least, start) = (trigram + 1, end);
        }
        usize::from(start) == room && least <= self.until() && self.key.part == 0
    }

    fn part_is_sound(&self) -> bool {
        self.part().is_some_and(|part| {
            let List { encoding, base, bytes } = part.list;
            !bytes.is_empty()
                && self.bytes[1] <= 1
                && base <= part.last
                && self.key.part < part.parts
                && (encoding == Encoding::Gaps || base % 64 == 0)
        })
    }
}

/// The eight bytes that end the block whose other bytes are `body`.
pub(super) fn checksum(body: &[u8], key: Key) -> [u8; CHECK] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(body);
    hasher.update(&key.to_bytes());
    let mut check = [0; CHECK];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: Key = Key { segment: 3, trigram: 0x61_62_63, part: 0 };

    fn sealed(body: &[u8]) -> Vec<u8> {
        let mut bytes = body.to_vec();
        bytes.extend(checksum(body, KEY));
        bytes
    }

    fn read_everything(block: &Block) {
        for at in 0..block.lists() {
            let (trigram, list) = block.list_at(at);
            list.for_each(u32::MAX, |_| ());
            assert!(block.list(trigram).is_some());
        }
        if let Some(part) = block.part() {
            part.list.for_each(u32::MAX, |_| ());
        }
    }

    proptest! {
        #[test]
        fn keys_sort_as_their_bytes(a: [u32; 3], b: [u32; 3]) {
            let key = |[segment, trigram, part]: [u32; 3]| Key { segment, trigram, part };
            prop_assert_eq!(key(a).cmp(&key(b)), key(a).to_bytes().cmp(&key(b).to_bytes()));
            prop_assert_eq!(Key::from_bytes(key(a).to_bytes()), key(a));
        }

        #[test]
        fn bytes_at_random_do_not_open(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Block::open(KEY, &bytes).is_err());
        }

        // A bug of ours could seal nonsense; even that must not panic.
        #[test]
        fn sealed_nonsense_is_refused_or_read_without_panic(
            kind in 0u8..4, rest in prop::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..60),
        ) {
            let mut body = vec![kind, 0, 0, 0, 1];
            body.extend(rest);
            if let Ok(block) = Block::open(KEY, &sealed(&body)) {
                read_everything(&block);
            }
        }
    }

    #[test]
    fn block_under_a_foreign_key_does_not_open() {
        let bytes = sealed(&[LISTS, 0x70, 0x62, 0x61, 0, 1, 0, 0x61, 0x62, 0x63, 1, 0, 7]);
        let block = Block::open(KEY, &bytes).unwrap();
        read_everything(&block);
        for key in [Key { segment: 4, ..KEY }, Key { trigram: 1, ..KEY }, Key { part: 1, ..KEY }] {
            assert_eq!(Block::open(key, &bytes).unwrap_err(), Corrupt { key });
        }
    }
}
