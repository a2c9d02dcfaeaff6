//! Lists of words, as they are written, read and merged.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::collections::BTreeMap;
use std::convert::Infallible;

use hob_index::words::{BLOCK_BYTES, Block, Build, Corrupt, Key, Posting, Source, Word, merge};
use proptest::prelude::*;

type Blocks = BTreeMap<[u8; 11], Vec<u8>>;
type Lists = BTreeMap<Word, BTreeMap<u32, u32>>;

fn built(segment: u32, lists: &Lists) -> Blocks {
    let mut build = Build::default();
    for (word, postings) in lists {
        for (document, count) in postings {
            build.add(*document, &[(*word, *count)]);
        }
    }
    let mut blocks = Blocks::new();
    let emit = &mut |key: Key, bytes: &[u8]| {
        assert!(bytes.len() <= BLOCK_BYTES, "{}", bytes.len());
        assert!(blocks.insert(key.to_bytes(), bytes.to_vec()).is_none());
        Ok::<_, Infallible>(())
    };
    build.finish(segment, emit).unwrap();
    blocks
}

/// The blocks as a store has them.
struct Stored<'a>(u32, &'a Blocks);

impl Source for Stored<'_> {
    type Error = Corrupt;

    fn segment(&self) -> u32 {
        self.0
    }

    fn last(&self, key: Key) -> Result<Option<Block>, Corrupt> {
        let last = self.1.range(..=key.to_bytes()).next_back();
        last.map(|(key, bytes)| Block::open(Key::from_bytes(*key), bytes)).transpose()
    }

    fn at(&self, key: Key) -> Result<Option<Block>, Corrupt> {
        self.1.get(&key.to_bytes()).map(|bytes| Block::open(key, bytes)).transpose()
    }
}

fn find(blocks: &Blocks, segment: u32, word: Word) -> Result<Vec<Posting>, Corrupt> {
    hob_index::words::find(&Stored(segment, blocks), word)
}

fn merged(inputs: &[(u32, &Blocks)], segment: u32) -> Result<Blocks, Corrupt> {
    let mut streams: Vec<_> = inputs
        .iter()
        .map(|(number, blocks)| {
            let open =
                |(key, bytes): (&[u8; 11], &Vec<u8>)| Block::open(Key::from_bytes(*key), bytes);
            (*number, blocks.iter().map(open))
        })
        .collect();
    let mut inputs: Vec<_> = streams
        .iter_mut()
        .map(|(number, stream)| {
            (*number, stream as &mut dyn Iterator<Item = Result<Block, Corrupt>>)
        })
        .collect();
    let mut blocks = Blocks::new();
    merge(segment, &mut inputs, &mut |key, bytes| {
        blocks.insert(key.to_bytes(), bytes.to_vec());
        Ok(())
    })?;
    Ok(blocks)
}

fn lists() -> impl Strategy<Value = Lists> {
    let word = prop_oneof![1u64..40, 0u64..1 << 40].prop_map(Word);
    let postings = prop::collection::btree_map(0u32..5_000, 1u32..300, 1..12);
    let long = (1u32..9_000).prop_map(|n| (0..n).map(|at| (at * 7, at % 5 + 1)).collect());
    let list = prop_oneof![30 => postings, 1 => long];
    prop::collection::btree_map(word, list, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_found_and_nothing_else(lists in lists(), other in 0u64..1 << 40) {
        let blocks = built(3, &lists);
        for (word, postings) in &lists {
            let expected: Vec<_> = postings.iter().map(|(d, c)| (*d, *c)).collect();
            prop_assert_eq!(find(&blocks, 3, *word).unwrap(), expected);
        }
        if !lists.contains_key(&Word(other)) {
            prop_assert_eq!(find(&blocks, 3, Word(other)).unwrap(), vec![]);
        }
    }

    #[test]
    fn merged_segments_are_one_that_was_built_of_all(a in lists(), b in lists()) {
        let mut all = a.clone();
        for (word, postings) in &b {
            for (document, count) in postings {
                let one = all.entry(*word).or_default().entry(*document).or_default();
                *one = (*one).max(*count);
            }
        }
        let merged = merged(&[(1, &built(1, &a)), (2, &built(2, &b))], 9).unwrap();
        prop_assert!(merged == built(9, &all));
    }

    #[test]
    fn a_lost_or_damaged_block_is_noticed(lists in lists(), at: prop::sample::Index, byte: prop::sample::Index) {
        let blocks = built(1, &lists);
        let key = *blocks.keys().nth(at.index(blocks.len())).unwrap();
        let mut lost = blocks.clone();
        lost.remove(&key);
        prop_assert!(merged(&[(1, &lost)], 9).is_err());
        let word = Word(Key::from_bytes(key).word);
        if Key::from_bytes(key).part == 0 {
            prop_assert!(find(&lost, 1, word).is_err());
        }
        let mut damaged = blocks.clone();
        let bytes = damaged.get_mut(&key).unwrap();
        let byte = byte.index(bytes.len());
        bytes[byte] ^= 0x55;
        prop_assert!(merged(&[(1, &damaged)], 9).is_err());
    }
}
