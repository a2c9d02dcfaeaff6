//! hob's engine: the tree of files, the trigrams of their text, and the queries
//! over both.
//!
//! A pure library. It opens no file and knows neither store, watcher nor wire:
//! it is given bytes, and values come out.
//!
//! ```
//! use hob_index::plan::{PlanOptions, plan};
//! use hob_index::postings::accepts;
//! use hob_index::trigram::Extractor;
//!
//! let mut extractor = Extractor::new();
//! extractor.feed(b"fn mutex_lock() {}\n");
//! let mut trigrams = extractor.take().to_vec();
//! trigrams.sort_unstable();
//! let wanted = |pattern: &str| plan(&[pattern.to_string()], PlanOptions::default());
//! assert!(accepts(&wanted(r"mutex_\w+"), &trigrams));
//! assert!(!accepts(&wanted("spin_lock"), &trigrams));
//! ```

pub mod context;
pub mod edits;
pub mod graph;
pub mod letters;
pub mod names;
pub mod parts;
pub mod picker;
pub mod plan;
pub mod postings;
mod seal;
pub mod symbols;
pub mod tree;
pub mod trigram;
mod varint;
pub mod words;
