//! Which documents of a segment contain a trigram.
//!
//! A *segment* is immutable: documents with the local ids `0..docs`, and for
//! each trigram the ascending list of those that contain it. Lists are packed in
//! the order of their trigrams into *blocks*, the unit that a store keeps under
//! a [`Key`], caches and checks. [`Builder`] makes a segment, [`merge`] makes one
//! of several, [`evaluate`] answers a [`Plan`](crate::plan::Plan) through a
//! [`Source`] of blocks, and [`Recent`] holds the few documents that are in no
//! segment yet. The layout of a block is written down in [`block`].
//!
//! Where blocks live, which segments there are and what a local id stands for is
//! the caller's business.

pub mod block;
mod build;
mod docs;
mod evaluate;
mod list;
mod merge;
mod recent;
mod write;

pub use block::{Block, Corrupt, Key};
pub use build::{Builder, MAX_DOCS};
pub use docs::{Bits, Docs};
pub use evaluate::{Source, evaluate};
pub use merge::{Input, merge};
pub use recent::{Recent, accepts};
pub use write::{BLOCK, Emit};
