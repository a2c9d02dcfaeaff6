//! A segment in memory, and documents at random.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hob_index::postings::{Block, Builder, Corrupt, Key, Source};
use hob_index::trigram::Trigram;

/// A document as the set of its trigrams.
pub(crate) type Document = BTreeSet<Trigram>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) docs: u32,
    pub(crate) stored: BTreeMap<Key, Vec<u8>>,
}

impl Segment {
    pub(crate) fn build(number: u32, documents: &[Document]) -> Self {
        let mut builder = Builder::new(number);
        for document in documents {
            let trigrams: Vec<Trigram> = document.iter().rev().copied().collect();
            builder.add(&trigrams);
        }
        let mut segment = Self { number, ..Self::default() };
        let docs = builder.finish(&mut |key, bytes| segment.put(key, bytes));
        segment.docs = docs.unwrap();
        segment
    }

    pub(crate) fn put(&mut self, key: Key, bytes: &[u8]) -> Result<(), Corrupt> {
        if let Some((last, _)) = self.stored.last_key_value() {
            assert!(*last < key, "blocks come in the order of their keys");
        }
        self.stored.insert(key, bytes.to_vec());
        Ok(())
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = Result<Arc<Block>, Corrupt>> {
        self.stored.iter().map(|(&key, bytes)| Ok(Arc::new(Block::open(key, bytes).unwrap())))
    }
}

impl Source for Segment {
    type Error = Corrupt;

    fn segment(&self) -> u32 {
        self.number
    }

    fn docs(&self) -> u32 {
        self.docs
    }

    fn block(&self, trigram: Trigram, part: u32) -> Result<Option<Arc<Block>>, Corrupt> {
        let wanted = Key { segment: self.number, trigram, part };
        let found = self.stored.range(..=wanted).next_back();
        Ok(found.map(|(&key, bytes)| Arc::new(Block::open(key, bytes).unwrap())))
    }
}
