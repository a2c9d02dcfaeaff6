//! Personalised PageRank over a graph.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Graph;
use super::links::Flow;
use crate::words::Word;

/// How much of a file's rank goes on along its mentions; the rest begins anew.
const DAMPING: f32 = 0.85;
/// The same where something is wanted: what that leads to directly is nearer than what all leads to in the end.
const DAMPING_NEAR: f32 = 0.5;
/// A rank is settled where a step moves less than this, of 1: one that others begin from, so that the order
/// does not tell what was there before, and one that is asked for.
const SETTLED: f32 = 3e-6;
const SETTLED_ONCE: f32 = 1e-4;
/// So many steps at most.
const STEPS: usize = 80;
/// How much better a mention of a wanted name is.
const WANTED: f32 = 10.0;
/// What the walk begins at of what is wanted; the rest is spread over all files.
const PERSONAL: f32 = 0.8;

/// What the ranking is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Files in focus or named, and how much each counts: where the walk begins.
    pub files: &'a [(u32, f32)],
    /// Words of names that are spoken of.
    pub names: &'a [Word],
    /// How many definitions are wanted.
    pub most: usize,
}

/// A definition that files mention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Definition {
    /// The file that has it.
    pub file: u32,
    /// The word of its name.
    pub name: Word,
    /// How much rank comes to its file by its name.
    pub score: f32,
}

/// Ranks, for what is wanted.
#[derive(Clone, Debug, Default)]
pub struct Ranked {
    /// Of each file. All together are 1.
    pub files: Vec<f32>,
    /// The best definitions, the best first.
    pub definitions: Vec<Definition>,
}

/// Names that are spoken of, in order, and what all mentions of a node are worth then.
struct Spoken {
    names: Vec<Word>,
    totals: Vec<f32>,
}

impl Graph {
    /// Ranks files and definitions. None where `stops` says so before the end.
    #[must_use]
    pub fn ranked(&self, wanted: &Wanted<'_>, stops: &dyn Fn() -> bool) -> Option<Ranked> {
        let mut names = wanted.names.to_vec();
        names.sort_unstable();
        let totals = self.links.totals(&names, WANTED);
        let spoken = Spoken { names, totals };
        let mut start = self.start();
        let all: f32 = wanted.files.iter().map(|(_, weight)| weight).sum();
        let damping = if all > 0.0 { DAMPING_NEAR } else { DAMPING };
        if all > 0.0 {
            start.iter_mut().for_each(|share| *share *= 1.0 - PERSONAL);
            for (file, weight) in wanted.files {
                start[self.nodes[*file as usize] as usize] += PERSONAL * weight / all;
            }
        }
        let (walk, limits) = ((&start[..], self.rank.clone()), (damping, SETTLED_ONCE));
        let rank = self.walk(walk, limits, &spoken, stops)?;
        let definitions = self.definitions(&rank, &spoken, wanted.most);
        let files = self.nodes.iter().map(|node| rank[*node as usize]).collect();
        Some(Ranked { files, definitions })
    }

    /// Ranks all with nothing in focus, beginning from what the ranks of some files were.
    /// Says whether it came to an end.
    pub(super) fn settle(&mut self, before: &[f32], stops: &dyn Fn() -> bool) -> bool {
        let start = self.start();
        let mut rank: Vec<f32> = start.clone();
        for (file, known) in before.iter().enumerate().take(self.nodes.len()) {
            rank[self.nodes[file] as usize] = *known;
        }
        let all: f32 = rank.iter().sum();
        rank.iter_mut().for_each(|rank| *rank /= all.max(f32::MIN_POSITIVE));
        let spoken = Spoken { names: Vec::new(), totals: self.links.totals(&[], 1.0) };
        let (walk, limits) = ((&start[..], rank), (DAMPING, SETTLED));
        let settled = self.walk(walk, limits, &spoken, stops);
        let is_settled = settled.is_some();
        self.rank = settled.unwrap_or_default();
        is_settled
    }

    /// Where a walk begins: at each file, by its weight. All together are 1.
    fn start(&self) -> Vec<f32> {
        let all: f32 = self.about.iter().map(|about| about.weight).sum();
        self.about.iter().map(|about| about.weight / all.max(f32::MIN_POSITIVE)).collect()
    }

    /// Walks on from a rank until it is settled.
    fn walk(
        &self,
        (start, mut rank): (&[f32], Vec<f32>),
        (damping, settled): (f32, f32),
        spoken: &Spoken,
        stops: &dyn Fn() -> bool,
    ) -> Option<Vec<f32>> {
        for _ in 0..STEPS {
            if stops() {
                return None;
            }
            let mut next = vec![0.0; rank.len()];
            self.flow(&rank, spoken, |flow| {
                for (node, part) in flow.definers {
                    next[*node as usize] += flow.rank * part;
                }
            });
            // What came to no file, as that of those that mention nobody, begins anew.
            let moved: f32 = next.iter().sum::<f32>() * damping;
            let mut change = 0.0;
            for ((next, start), rank) in next.iter_mut().zip(start).zip(&rank) {
                *next = *next * damping + (1.0 - moved) * start;
                change += (*next - rank).abs();
            }
            rank = next;
            if change < settled {
                break;
            }
        }
        Some(rank)
    }

    /// Calls `each` with what comes to every name from those who mention it.
    fn flow(&self, ranks: &[f32], spoken: &Spoken, mut each: impl FnMut(Flow<'_>)) {
        self.links.flow(ranks, &spoken.totals, |mut flow| {
            if spoken.names.binary_search(&flow.name.word).is_ok() {
                flow.rank *= WANTED;
            }
            each(flow);
        });
    }

    fn definitions(&self, ranks: &[f32], spoken: &Spoken, most: usize) -> Vec<Definition> {
        let weights = self.about.iter().map(|about| about.weight);
        let heaviest = weights.fold(f32::MIN_POSITIVE, f32::max);
        let mut best: BinaryHeap<Scored> = BinaryHeap::new();
        self.flow(ranks, spoken, |flow| {
            for (node, part) in flow.definers {
                let Some(file) = self.files[*node as usize] else { continue };
                let weight = self.about[*node as usize].weight / heaviest;
                let score = Score(rounded(flow.rank * part * weight));
                let one = Reverse((score, Reverse((file, flow.name.word))));
                if best.len() < most {
                    best.push(one);
                } else if best.peek().is_some_and(|least| one < *least) {
                    best.pop();
                    best.push(one);
                }
            }
        });
        let sorted = best.into_sorted_vec().into_iter();
        sorted
            .map(|Reverse((Score(score), Reverse((file, name))))| Definition { file, name, score })
            .collect()
    }
}

/// A score to four digits: what is as good as equal comes in the order of the files, whatever the sums were
/// made of.
#[must_use]
pub fn rounded(score: f32) -> f32 {
    const LOST: u32 = 10;
    f32::from_bits((score.to_bits() + (1 << (LOST - 1))) >> LOST << LOST)
}

/// A definition with its score: the worst is the greatest.
type Scored = Reverse<(Score, Reverse<(u32, Word)>)>;

/// A score in order.
#[derive(Clone, Copy, PartialEq)]
struct Score(f32);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
