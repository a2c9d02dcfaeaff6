//! Segments against a naive model.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

mod support;

use std::collections::BTreeSet;

use hob_index::plan::Plan;
use hob_index::postings::{BLOCK, Block, Docs, Input, Key, Recent, accepts, evaluate, merge};
use hob_index::trigram::Trigram;
use proptest::prelude::*;
use support::{Document, Segment};

/// Few trigrams, so that plans meet them, of which low ones are common.
fn trigram() -> impl Strategy<Value = Trigram> {
    (0u32..40, 0u32..40).prop_map(|(a, b)| a.min(b) * 0x01_03_07)
}

fn documents(most: usize) -> impl Strategy<Value = Vec<Document>> {
    let document = prop::collection::btree_set(trigram(), 0..25);
    // Runs of the same document make lists long without many random choices.
    prop::collection::vec((document, 1usize..120), 0..most).prop_map(|runs| {
        runs.into_iter().flat_map(|(document, times)| vec![document; times]).collect()
    })
}

fn plans() -> impl Strategy<Value = Plan> {
    let leaf = prop_oneof![
        1 => Just(Plan::All),
        1 => Just(Plan::None),
        16 => trigram().prop_map(Plan::Trigram),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        let some = prop::collection::vec(inner, 0..5);
        (some, any::<bool>())
            .prop_map(|(plans, and)| if and { Plan::and(plans) } else { Plan::or(plans) })
    })
}

fn accepted(plan: &Plan, documents: &[Document]) -> BTreeSet<u32> {
    let sorted = |document: &Document| document.iter().copied().collect::<Vec<_>>();
    (0..).zip(documents).filter(|(_, d)| accepts(plan, &sorted(d))).map(|(id, _)| id).collect()
}

fn found(plan: &Plan, segment: &Segment) -> BTreeSet<u32> {
    let docs = evaluate(plan, segment).unwrap();
    let list: Vec<u32> = docs.iter(segment.docs).collect();
    assert!(list.is_sorted_by(|a, b| a < b), "ascending, each once");
    assert_eq!(list.len() as u32, docs.count(segment.docs));
    assert!(list.iter().all(|&doc| doc < segment.docs && docs.contains(doc)));
    list.into_iter().collect()
}

/// Whether the plan asks for one thing at a time, so that nothing may be skipped.
fn is_exact(plan: &Plan) -> bool {
    match plan {
        Plan::And(_) => false,
        Plan::Or(plans) => plans.iter().all(is_exact),
        _ => true,
    }
}

fn merged(number: u32, segments: &[Segment], keep: &dyn Fn(usize, u32) -> bool) -> Segment {
    let mut blocks: Vec<_> = segments.iter().map(Segment::blocks).collect();
    let mut inputs: Vec<_> = segments
        .iter()
        .zip(&mut blocks)
        .map(|(segment, blocks)| Input { docs: segment.docs, blocks })
        .collect();
    let mut result = Segment { number, ..Segment::default() };
    let docs = merge(number, &mut inputs, keep, &mut |key, bytes| result.put(key, bytes));
    result.docs = docs.unwrap();
    result
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn answers_hold_every_accepted_document(
        documents in documents(30), plans in prop::collection::vec(plans(), 1..20),
    ) {
        let segment = Segment::build(1, &documents);
        for plan in plans {
            let (found, accepted) = (found(&plan, &segment), accepted(&plan, &documents));
            prop_assert!(found.is_superset(&accepted), "{plan:?}");
            prop_assert!(!is_exact(&plan) || found == accepted, "{plan:?}");
        }
    }

    #[test]
    fn merging_is_building_the_concatenation(
        parts in prop::collection::vec(documents(8), 0..5), dropped in 1u32..20,
    ) {
        let segments: Vec<_> =
            (10..).zip(&parts).map(|(number, part)| Segment::build(number, part)).collect();
        let keep = |input: usize, doc: u32| !(doc + input as u32).is_multiple_of(dropped) || dropped == 1;
        let left = parts.iter().enumerate().flat_map(|(input, part)| {
            (0..).zip(part).map(move |(doc, document)| {
                if keep(input, doc) { document.clone() } else { Document::new() }
            })
        });
        let built = Segment::build(9, &left.collect::<Vec<_>>());
        let merged = merged(9, &segments, &keep);
        prop_assert_eq!(merged.docs, built.docs);
        prop_assert_eq!(merged.stored, built.stored);
    }

    #[test]
    fn damage_is_found(documents in documents(10), at: prop::sample::Index, flip in 1u8.., cut: bool) {
        let segment = Segment::build(1, &documents);
        for (&key, bytes) in &segment.stored {
            let mut damaged = bytes.clone();
            let at = at.index(damaged.len());
            if cut { damaged.truncate(at) } else { damaged[at] ^= flip }
            prop_assert!(Block::open(key, &damaged).is_err());
            let elsewhere = Key { trigram: key.trigram ^ u32::from(flip), ..key };
            prop_assert!(Block::open(elsewhere, bytes).is_err());
        }
    }

    // redb was seen to answer a lookup from a wrong page without an error.
    #[test]
    fn lost_block_is_found_by_whoever_needs_it(documents in documents(10), at: prop::sample::Index) {
        let whole = Segment::build(1, &documents);
        let mut segment = whole.clone();
        let (&key, bytes) = whole.stored.iter().nth(at.index(whole.stored.len())).unwrap();
        segment.stored.remove(&key);
        let block = Block::open(key, bytes).unwrap();
        for trigram in (0..40).map(|i| i * 0x01_03_07) {
            let plan = Plan::Trigram(trigram);
            match evaluate(&plan, &segment) {
                Ok(docs) => prop_assert_eq!(Ok(docs), evaluate(&plan, &whole)),
                Err(corrupt) => prop_assert_eq!(corrupt.key.segment, block.key().segment),
            }
        }
        let mut blocks = segment.blocks();
        let mut inputs = [Input { docs: segment.docs, blocks: &mut blocks }];
        prop_assert!(merge(2, &mut inputs, &|_, _| true, &mut |_, _| Ok(())).is_err());
    }

    #[test]
    fn recent_documents_answer_as_a_segment_does(documents in documents(4), plan in plans()) {
        let mut recent = Recent::new();
        for (id, document) in (0u32..).zip(&documents) {
            recent.insert(id, &[0xffffff]);
            recent.insert(id, &document.iter().rev().copied().collect::<Vec<_>>());
        }
        let candidates: BTreeSet<u32> = recent.candidates(&plan).collect();
        prop_assert_eq!(candidates, accepted(&plan, &documents));
        (0..documents.len() as u32).for_each(|id| assert!(recent.remove(id)));
        prop_assert_eq!((recent.len(), recent.memory()), (0, 0));
    }
}

/// 120,000 documents with a list of each kind: in every document, in half of
/// them at random, in a long run, in every 23rd, and in three.
fn large() -> Vec<Document> {
    (0u32..120_000)
        .map(|id| {
            let mut document = Document::from([1]);
            let random = id.wrapping_mul(0x9e37_79b9) >> 16;
            document.extend(random.is_multiple_of(2).then_some(2));
            document.extend((30_000..90_000).contains(&id).then_some(3));
            document.extend(id.is_multiple_of(23).then_some(4));
            document.extend([5, 64_321, 119_999].contains(&id).then_some(5));
            document.extend((random.is_multiple_of(5) || id > 100_000).then_some(6));
            document
        })
        .collect()
}

#[test]
fn lists_longer_than_a_block_are_answered_from_their_parts() {
    let documents = large();
    let segment = Segment::build(1, &documents);
    assert!(segment.stored.keys().any(|key| key.part > 2), "some lists have parts");
    assert!(segment.stored.values().all(|bytes| bytes.len() <= BLOCK));
    let leaf = Plan::Trigram;
    for trigram in 0..8 {
        assert_eq!(found(&leaf(trigram), &segment), accepted(&leaf(trigram), &documents));
    }
    for (a, b) in [(1, 2), (2, 3), (3, 4), (4, 2), (5, 1), (5, 4), (2, 6), (4, 6), (3, 6)] {
        let (both, one) = (Plan::and(vec![leaf(a), leaf(b)]), Plan::or(vec![leaf(a), leaf(b)]));
        assert!(found(&both, &segment).is_superset(&accepted(&both, &documents)), "{a} and {b}");
        assert_eq!(found(&one, &segment), accepted(&one, &documents), "{a} or {b}");
    }
    let selective = Plan::and(vec![leaf(2), leaf(3), leaf(4), leaf(6)]);
    assert_eq!(found(&selective, &segment), accepted(&selective, &documents));

    let (first, second) = documents.split_at(50_001);
    let halves = [Segment::build(7, first), Segment::build(8, second)];
    assert_eq!(merged(1, &halves, &|_, _| true).stored, segment.stored);
}

#[test]
fn empty_segment_answers() {
    let segment = Segment::build(1, &[]);
    assert_eq!(evaluate(&Plan::Trigram(1), &segment), Ok(Docs::NONE));
    assert_eq!(evaluate(&Plan::All, &segment), Ok(Docs::All));
    assert!(found(&Plan::and(vec![Plan::Trigram(1), Plan::Trigram(2)]), &segment).is_empty());
}
