//! hob's engine: the tree of files, the trigrams of their text, and the queries
//! over both.
//!
//! A pure library. It opens no file and knows neither store, watcher nor wire:
//! it is given bytes, and values come out.

pub mod tree;
