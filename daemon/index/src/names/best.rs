//! The best few of many names.

use super::order::{compare, unmarked};
use super::query::{Name, Place};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The names with the highest scores; among equals the shorter ones, then by the alphabet.
pub(super) struct Best {
    limit: usize,
    /// Of each segment its own, the worst one first: of a name that several have all places are told.
    heaps: Vec<BinaryHeap<Candidate>>,
}

/// A name in one segment; the greater one is the worse one.
struct Candidate {
    score: u16,
    name: Box<[u8]>,
    place: Place,
}

impl Best {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, heaps: Vec::new() }
    }

    /// Whether a name of the segment `source`, of such a length, and at most such a score, may be
    /// among them.
    #[inline]
    pub(super) fn may_take(&self, score: u16, length: usize, source: usize) -> bool {
        let Some(heap) = self.heaps.get(source).filter(|heap| heap.len() >= self.limit) else {
            return true;
        };
        heap.peek().is_some_and(|worst| {
            score > worst.score || (score == worst.score && length <= worst.name.len())
        })
    }

    /// The longest name of the segment `source` that may be among them, where `highest` is the most
    /// that any name can score.
    pub(super) fn longest(&self, highest: u16, source: usize) -> usize {
        let heap = self.heaps.get(source).filter(|heap| heap.len() >= self.limit);
        let worst = heap.and_then(BinaryHeap::peek);
        worst.filter(|worst| worst.score >= highest).map_or(usize::MAX, |worst| worst.name.len())
    }

    pub(super) fn add(&mut self, score: u16, name: &[u8], place: Place) {
        if !self.may_take(score, name.len(), place.source) {
            return;
        }
        if self.heaps.len() <= place.source {
            self.heaps.resize_with(place.source + 1, BinaryHeap::new);
        }
        let heap = &mut self.heaps[place.source];
        let candidate = Candidate { score, name: name.into(), place };
        if heap.len() < self.limit {
            heap.push(candidate);
        } else if let Some(mut worst) = heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    /// The best of all that several have found, each name once, the best one first.
    pub(super) fn of(all: impl IntoIterator<Item = Self>, limit: usize) -> Vec<Name> {
        let heaps = all.into_iter().flat_map(|best| best.heaps);
        let mut candidates: Vec<Candidate> = heaps.flatten().collect();
        candidates.sort_unstable();
        let mut names = Vec::new();
        for same in candidates.chunk_by(|a, b| a.name == b.name).take(limit) {
            let (name, whole) = unmarked(&same[0].name);
            let places = same.iter().map(|candidate| candidate.place).collect();
            names.push(Name { name: name.to_vec(), whole, score: same[0].score, places });
        }
        names
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = other.score.cmp(&self.score);
        let by_length = || self.name.len().cmp(&other.name.len());
        by_score
            .then_with(by_length)
            .then_with(|| compare(&self.name, &other.name))
            .then_with(|| self.place.cmp(&other.place))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}
