//! Which names are defined, and where.
//!
//! A *segment* is immutable: distinct names in order, each with the [`Entry`]s of its
//! definitions. Names are compared without the case of ASCII letters first, so that
//! all spellings of one stand together. They are packed into blocks, the units that a
//! store keeps and checks: names into blocks of names ([`Names`]), which a fuzzy query reads
//! all, and their entries into blocks of entries ([`Entries`]), which are read only for names
//! that were found. Layouts are written down in [`block`] and [`list`].
//!
//! [`Builder`] makes a segment, [`merge`] makes one of several; [`exact`], [`prefix`] and
//! [`Fuzzy`] find names in several segments at once, and [`entries`] reads where one is
//! defined, through a [`Source`] for each segment.
//!
//! Where blocks live, which segments there are and what a document is, is the caller's
//! business. A name that is longer than [`MOST`] bytes (headings and keys of data may be) is
//! cut there: see [`Name::whole`].

mod best;
pub mod block;
mod bound;
mod build;
mod filter;
mod fuzzy;
pub mod list;
mod merge;
mod order;
mod query;
mod write;

pub use block::Names;
pub use build::{Builder, Doc, Sorted};
pub use filter::Filter;
pub use fuzzy::{Fuzzy, Score};
pub use list::Entries;
pub use merge::{Input, merge};
pub use order::{MOST, search_key};
pub use query::{Name, Place, Source, entries, exact, prefix, run_of};
pub use write::{Counts, Emit, Row};

use crate::symbols::Kind;
use thiserror::Error;

/// The most bytes of a block: with its key it fills a page of 4 KiB of a B-tree.
pub const BLOCK: usize = 4_040;

/// Blocks of names that are read, and kept in memory, together.
pub const RUN: u32 = 16;

/// A definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// The content that it is in: the number of its first part.
    pub doc: u32,
    /// The number of the language that the content was parsed as.
    pub language: u8,
    /// Its index in the content's outline.
    pub ordinal: u32,
    /// What it is.
    pub kind: Kind,
}

/// A block that is missing, or whose bytes are not what was stored. What is derived can be
/// rebuilt: set the segment aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{sort} block {number} of segment {segment} is damaged; the segment has to be rebuilt")]
pub struct Corrupt {
    /// The segment.
    pub segment: u32,
    /// What the block has.
    pub sort: Sort,
    /// Its number among the blocks of names, or the name whose entries it has.
    pub number: u32,
}

/// The sorts of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Names.
    Names,
    /// Their entries.
    Entries,
}

impl std::fmt::Display for Sort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Names => "names",
            Self::Entries => "entries",
        })
    }
}

/// The key of a block of names: segment and number, big-endian.
#[must_use]
pub fn names_key(segment: u32, block: u32) -> [u8; 8] {
    (u64::from(segment) << 32 | u64::from(block)).to_be_bytes()
}

/// The key of a block of entries: segment, the first name that it has entries of, and how many
/// blocks before it have entries of the same name; big-endian.
#[must_use]
pub fn entries_key(segment: u32, name: u32, part: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&segment.to_be_bytes());
    key[4..8].copy_from_slice(&name.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}
