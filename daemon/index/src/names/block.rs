//! A block of names.
//!
//! Stored under [`names_key`]. Integers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | `1`: a block of names |
//! | 4 | number of its first name in the segment |
//! | 2 | how many names |
//! | 1 | how many sets |
//! | … | the sets: how many pairs, none for any at all; a pair is a language and a [`Kind`], 1 byte each |
//! | … | groups |
//! | 8 | check |
//!
//! A set says what the entries of a name are, so that a query for a kind passes over the others.
//! A *group* is up to 16 names:
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 | how many names |
//! | 4 | the classes of all bytes after *common*, a bit a class (see [`classes`]) |
//! | 2 | bytes of the group after *common* |
//! | 1 | *common*: a length that all its names have in common, at most 255 |
//! | … | the names |
//!
//! A name is front-coded: the first one of a group against the first one of the group before, any
//! other against the one before it. So a group is passed over by its first name and its classes.
//!
//! | bytes | what |
//! | --- | --- |
//! | 1 or 3 | how many bytes it shares; 255: it is in the next 2 |
//! | 1 or 3 | bit 7: a set follows, else it has that of the name before it; bits 0–6 how many bytes are its own, 127: it is in the next 2 |
//! | 0 or 1 | its set; the first of a group has one |
//! | … | its own bytes |
//!
//! The check is 8 bytes of BLAKE3 over all before it and the key.

use super::order::CUT;
use super::{Corrupt, Sort, names_key};
use crate::seal::{self, CHECK};
use crate::symbols::Kind;

pub(super) const NAMES: u8 = 1;
pub(super) const HEAD: usize = 8;
pub(super) const GROUP_HEAD: usize = 8;
pub(super) const LONG_SHARED: u8 = 255;
pub(super) const LONG_OWN: u8 = 127;
pub(super) const NEW_SET: u8 = 0x80;
/// A block has at most so many names, and so many sets.
pub(super) const MOST_SETS: usize = 255;

/// What a group's classes are where a name has a byte that is not ASCII: then a pattern may match in
/// ways that are not told from bytes.
pub(super) const ANY_CLASS: u32 = u32::MAX;

/// The class of each byte, as a bit: a letter without its case, two digits, `_`, anything else.
#[must_use]
pub fn classes(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => 1 << (byte - b'a'),
        b'A'..=b'Z' => 1 << (byte - b'A'),
        b'0'..=b'7' => 1 << (26 + (byte & 3)),
        b'8' | b'9' => 1 << 26,
        b'_' => 1 << 30,
        0x80.. => ANY_CLASS,
        _ => 1 << 31,
    }
}

/// A block of names whose check and lengths are right.
#[derive(Clone, Debug)]
pub struct Names {
    segment: u32,
    number: u32,
    first: u32,
    names: u32,
    /// Where the groups begin.
    groups: usize,
    /// The check included: so there are eight bytes from each byte of a name on.
    bytes: Box<[u8]>,
}

/// A group of names.
pub(super) struct Group<'a> {
    pub(super) names: usize,
    pub(super) classes: u32,
    pub(super) common: usize,
    length: usize,
    /// From the first name to the end of the block.
    bytes: &'a [u8],
}

/// A name as it is written.
pub(super) struct Coded<'a> {
    pub(super) shared: usize,
    own: usize,
    /// From its own bytes to the end of the block.
    rest: &'a [u8],
    /// Where it has another set than the one before.
    pub(super) set: Option<u8>,
}

impl Names {
    /// Checks the bytes that were stored under the key of the block.
    ///
    /// # Errors
    ///
    /// [`Corrupt`] where they are not the bytes that were written.
    pub fn open(segment: u32, block: u32, bytes: &[u8]) -> Result<Self, Corrupt> {
        let corrupt = Corrupt { segment, sort: Sort::Names, number: block };
        let body = seal::open(bytes, &names_key(segment, block)).ok_or(corrupt)?;
        let [NAMES, a, b, c, d, low, high, sets, rest @ ..] = body else { return Err(corrupt) };
        let after = skip_sets(rest, *sets).ok_or(corrupt)?;
        let names = Self {
            segment,
            number: block,
            first: u32::from_le_bytes([*a, *b, *c, *d]),
            names: u16::from_le_bytes([*low, *high]).into(),
            groups: body.len() - after.len(),
            bytes: bytes.into(),
        };
        if names.is_sound(*sets) { Ok(names) } else { Err(corrupt) }
    }

    /// The number of its first name.
    #[must_use]
    pub fn first(&self) -> u32 {
        self.first
    }

    /// One past the number of its last name.
    #[must_use]
    pub fn end(&self) -> u32 {
        self.first.saturating_add(self.names)
    }

    /// The bytes of memory that it takes, for a cache to weigh.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.bytes.len() + size_of::<Self>()
    }

    pub(super) fn corrupt(&self) -> Corrupt {
        Corrupt { segment: self.segment, sort: Sort::Names, number: self.number }
    }

    /// Calls `each` with each set, in order: its pairs of a language and a kind, none for any.
    pub(super) fn for_each_set(&self, mut each: impl FnMut(&[[u8; 2]])) {
        let mut rest = &self.bytes[HEAD..self.groups];
        while let Some((&pairs, after)) = rest.split_first() {
            let (set, after) = after.split_at(usize::from(pairs) * 2);
            each(set.as_chunks().0);
            rest = after;
        }
    }

    pub(super) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let mut rest = &self.bytes[self.groups..];
        std::iter::from_fn(move || if rest.len() > CHECK { take_group(&mut rest) } else { None })
    }

    /// Calls `each` with the names in order, their numbers and their sets, until it says false.
    pub(super) fn for_each(&self, mut each: impl FnMut(u32, &[u8], u8) -> bool) {
        let (mut head, mut name) = (Vec::new(), Vec::new());
        let mut number = self.first;
        for group in self.groups() {
            let (mut set, mut is_head) = (0, true);
            for coded in group.iter() {
                let before = if is_head { &mut head } else { &mut name };
                coded.apply(before);
                set = coded.set.unwrap_or(set);
                if is_head {
                    name.clone_from(&head);
                }
                is_head = false;
                if !each(number, &name, set) {
                    return;
                }
                number += 1;
            }
        }
    }

    fn is_sound(&self, sets: u8) -> bool {
        let mut rest = &self.bytes[self.groups..];
        let (mut names, mut head) = (0, 0);
        while rest.len() > CHECK {
            let Some(group) = take_group(&mut rest) else { return false };
            let Some(length) = group.is_sound(head, sets) else { return false };
            head = length;
            names += group.names;
        }
        rest.len() == CHECK && names == self.names as usize && names > 0
    }
}

impl Coded<'_> {
    /// The length of the name.
    pub(super) fn length(&self) -> usize {
        self.shared + self.own
    }

    /// Makes the name of the one before it.
    pub(super) fn apply(&self, name: &mut Vec<u8>) {
        name.truncate(self.shared);
        name.extend_from_slice(&self.rest[..self.own]);
    }

    /// The first of its own bytes, from the place `at` on, that `wanted` stands for.
    #[inline]
    pub(super) fn find(&self, wanted: Wanted, mut at: usize) -> Option<usize> {
        while at < self.own {
            let eight = self.rest.get(at..)?.first_chunk()?;
            if let Some(found) = wanted.first_in(u64::from_le_bytes(*eight)) {
                return (at + found < self.own).then_some(at + found);
            }
            at += 8;
        }
        None
    }
}

/// A byte that is looked for among eight at once: what is a name's own is mostly that short.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    byte: u64,
    /// The bit by which letters of both cases differ, where case is ignored.
    fold: u64,
}

const EACH: u64 = 0x0101_0101_0101_0101;

impl Wanted {
    /// `byte` is no capital where case is ignored.
    pub(super) fn new(byte: u8, ignore_case: bool) -> Self {
        let fold = if ignore_case && byte.is_ascii_lowercase() { 0x20 } else { 0 };
        Self { byte: EACH * u64::from(byte), fold: EACH * fold }
    }

    #[inline]
    fn first_in(self, eight: u64) -> Option<usize> {
        // The lowest byte that is zero borrows from above it, and from none below.
        let other = (eight | self.fold) ^ self.byte;
        let zero = other.wrapping_sub(EACH) & !other & EACH << 7;
        (zero != 0).then(|| zero.trailing_zeros() as usize / 8)
    }
}

impl<'a> Group<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = Coded<'a>> + use<'a> {
        let mut rest = self.bytes;
        (0..self.names).map_while(move |_| take_name(&mut rest))
    }

    /// The length of its first name; none where its lengths cannot be.
    fn is_sound(&self, head: usize, sets: u8) -> Option<usize> {
        let (mut rest, mut length, mut first) = (self.bytes, head, None);
        let end = self.bytes.len() - self.length;
        for at in 0..self.names {
            let name = take_name(&mut rest)?;
            let fits = name.shared <= length && name.length() <= CUT;
            let has_set = name.set.map_or(at > 0, |set| set < sets);
            length = name.length();
            let is_common = self.common <= if at == 0 { length } else { name.shared };
            if !fits || !has_set || !is_common {
                return None;
            }
            first.get_or_insert(length);
        }
        first.filter(|_| rest.len() == end)
    }
}

fn skip_sets(mut rest: &[u8], sets: u8) -> Option<&[u8]> {
    for _ in 0..sets {
        let (&pairs, after) = rest.split_first()?;
        let (set, after) = after.split_at_checked(usize::from(pairs) * 2)?;
        let kinds =
            set.as_chunks::<2>().0.iter().all(|[_, kind]| Kind::from_number(*kind).is_some());
        rest = kinds.then_some(after)?;
    }
    Some(rest)
}

#[inline]
fn take_group<'a>(rest: &mut &'a [u8]) -> Option<Group<'a>> {
    let [names, a, b, c, d, low, high, common, after @ ..] = *rest else { return None };
    let length = usize::from(u16::from_le_bytes([*low, *high]));
    *rest = after.get(length..)?;
    let classes = u32::from_le_bytes([*a, *b, *c, *d]);
    let (names, common) = (usize::from(*names), usize::from(*common));
    Some(Group { names, classes, common, length, bytes: after })
}

#[inline]
fn take_name<'a>(rest: &mut &'a [u8]) -> Option<Coded<'a>> {
    let [shared, own, after @ ..] = *rest else { return None };
    if *shared == LONG_SHARED || *own & LONG_OWN == LONG_OWN {
        return take_long_name(rest);
    }
    let (set, after) = match own & NEW_SET {
        0 => (None, after),
        _ => after.split_first().map(|(set, after)| (Some(*set), after))?,
    };
    let own = usize::from(own & LONG_OWN);
    *rest = after.get(own..)?;
    Some(Coded { shared: usize::from(*shared), own, rest: after, set })
}

/// The same, where a length may not fit its byte.
fn take_long_name<'a>(rest: &mut &'a [u8]) -> Option<Coded<'a>> {
    let mut bytes = *rest;
    let shared = match take_byte(&mut bytes)? {
        LONG_SHARED => take_length(&mut bytes)?,
        shared => usize::from(shared),
    };
    let flags = take_byte(&mut bytes)?;
    let own = match flags & LONG_OWN {
        LONG_OWN => take_length(&mut bytes)?,
        own => usize::from(own),
    };
    let set = if flags & NEW_SET == 0 { None } else { Some(take_byte(&mut bytes)?) };
    *rest = bytes.get(own..)?;
    Some(Coded { shared, own, rest: bytes, set })
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = bytes.split_first()?;
    *bytes = after;
    Some(byte)
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes([take_byte(bytes)?, take_byte(bytes)?])))
}
