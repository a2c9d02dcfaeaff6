//! The few documents that changed since the last segment was written.

use std::collections::BTreeMap;

use crate::plan::Plan;
use crate::trigram::Trigram;

/// Documents with their trigrams, in memory, under the caller's own ids.
#[derive(Clone, Debug)]
pub struct Recent<Id> {
    documents: BTreeMap<Id, Box<[Trigram]>>,
    trigrams: usize,
}

impl<Id: Ord + Copy> Default for Recent<Id> {
    fn default() -> Self {
        Self::new()
    }
}

impl<Id: Ord + Copy> Recent<Id> {
    /// No documents.
    pub fn new() -> Self {
        Self { documents: BTreeMap::new(), trigrams: 0 }
    }

    /// Adds a document, or replaces it; the trigrams may come in any order.
    pub fn insert(&mut self, id: Id, trigrams: &[Trigram]) {
        let mut sorted: Box<[Trigram]> = trigrams.into();
        sorted.sort_unstable();
        self.trigrams += sorted.len();
        if let Some(before) = self.documents.insert(id, sorted) {
            self.trigrams -= before.len();
        }
    }

    /// Forgets a document; whether it was there.
    pub fn remove(&mut self, id: Id) -> bool {
        let removed = self.documents.remove(&id);
        self.trigrams -= removed.as_ref().map_or(0, |trigrams| trigrams.len());
        removed.is_some()
    }

    /// The documents that the plan accepts, ascending.
    pub fn candidates(&self, plan: &Plan) -> impl Iterator<Item = Id> {
        self.documents.iter().filter(|(_, trigrams)| accepts(plan, trigrams)).map(|(&id, _)| id)
    }

    /// The documents with their sorted trigrams, to make a segment of.
    pub fn iter(&self) -> impl Iterator<Item = (Id, &[Trigram])> {
        self.documents.iter().map(|(&id, trigrams)| (id, &**trigrams))
    }

    /// How many documents there are.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// About how many bytes of memory they take.
    pub fn memory(&self) -> usize {
        self.trigrams * size_of::<Trigram>() + self.documents.len() * 64
    }
}

/// Whether a document with these trigrams, ascending, may match.
pub fn accepts(plan: &Plan, sorted: &[Trigram]) -> bool {
    match plan {
        Plan::All => true,
        Plan::None => false,
        Plan::Trigram(trigram) => sorted.binary_search(trigram).is_ok(),
        Plan::And(plans) => plans.iter().all(|plan| accepts(plan, sorted)),
        Plan::Or(plans) => plans.iter().any(|plan| accepts(plan, sorted)),
    }
}
