//! The mentions of a graph as a walk goes along them: flat, and weighed.

use std::ops::Range;

use super::lists::mention_weight;
use crate::words::Word;

/// Names that files define and others of their family mention.
#[derive(Debug, Default)]
pub(super) struct Links {
    names: Vec<Name>,
    /// By name: nodes, and the part of it that each has.
    definers: Vec<(u32, f32)>,
    /// By name: nodes with the class of their count in the lowest bits.
    mentions: Vec<u32>,
    /// What all mentions of a node are worth.
    totals: Vec<f32>,
}

/// A name, for one family.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) word: Word,
    /// What a mention is worth.
    pub(super) worth: f32,
    definers: (u32, u32),
    mentions: (u32, u32),
}

/// What a step of a walk brings to a name.
pub(super) struct Flow<'a> {
    pub(super) name: &'a Name,
    /// What comes to it.
    pub(super) rank: f32,
    pub(super) definers: &'a [(u32, f32)],
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}

impl Links {
    pub(super) fn new(nodes: usize) -> Self {
        Self { totals: vec![0.0; nodes], ..Self::default() }
    }

    /// Adds a name for one family: who defines it, each with its part, and who mentions it.
    pub(super) fn add(
        &mut self,
        word: Word,
        worth: f32,
        definers: impl Iterator<Item = (u32, f32)>,
        mentions: impl Iterator<Item = (u32, u8)>,
    ) {
        let starts = (self.definers.len() as u32, self.mentions.len() as u32);
        for (node, class) in mentions {
            self.mentions.push(node << 2 | u32::from(class & 3));
            self.totals[node as usize] += worth * mention_weight(class);
        }
        if self.mentions.len() as u32 == starts.1 {
            return;
        }
        self.definers.extend(definers);
        let definers = (starts.0, self.definers.len() as u32);
        let mentions = (starts.1, self.mentions.len() as u32);
        self.names.push(Name { word, worth, definers, mentions });
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter()
    }

    pub(super) fn definers(&self, name: &Name) -> &[(u32, f32)] {
        &self.definers[range(name.definers)]
    }

    pub(super) fn mentions(&self, name: &Name) -> impl Iterator<Item = (u32, u8)> + '_ {
        self.mentions[range(name.mentions)].iter().map(|one| (one >> 2, (one & 3) as u8))
    }

    /// Where these names count more: by what each mention of them is better. Gives what all
    /// mentions of a node are worth then.
    pub(super) fn totals(&self, wanted: &[Word], times: f32) -> Vec<f32> {
        let mut totals = self.totals.clone();
        for name in self.names.iter().filter(|name| wanted.binary_search(&name.word).is_ok()) {
            for (node, class) in self.mentions(name) {
                totals[node as usize] += (times - 1.0) * name.worth * mention_weight(class);
            }
        }
        totals
    }

    /// Calls `each` with what comes to every name from those who mention it. `ranks` are by node, `totals`
    /// what all mentions of it are worth.
    pub(super) fn flow(&self, ranks: &[f32], totals: &[f32], mut each: impl FnMut(Flow<'_>)) {
        // By the class of a mention, so that nothing is to be computed for each of them.
        let share = |(rank, total): (&f32, &f32)| if *total > 0.0 { rank / total } else { 0.0 };
        let shares: Vec<f32> = ranks.iter().zip(totals).map(share).collect();
        let weights = [0, 1, 2, 3].map(mention_weight);
        for name in &self.names {
            let mentions = &self.mentions[range(name.mentions)];
            let share = |one: &u32| shares[(one >> 2) as usize] * weights[(one & 3) as usize];
            let rank = name.worth * mentions.iter().map(share).sum::<f32>();
            each(Flow { name, rank, definers: self.definers(name) });
        }
    }
}
