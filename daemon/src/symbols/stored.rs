//! What the store knows of names, as far as it is in files now.

use super::asked::{Rank, Tier};
use super::{Finder, Hit, Place};
use crate::store::{Definitions, StoreError};
use hob_index::names::{Entry, Name};
use hob_index::symbols::languages;
use hob_index::tree::Docs;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// So many names are looked up at first, of those that begin with the query or have its letters.
/// Where too few of them are in files, four times as many are.
const FIRST_NAMES: usize = 64;

/// The paths and prints of files, by their content.
type Files = HashMap<u32, Vec<(Arc<[u8]>, u64)>>;
/// Looks up names, so many at most.
type LookUp<'a> = &'a dyn Fn(usize) -> Result<Vec<Name>, StoreError>;

impl Finder<'_> {
    /// Adds what is stored, best first, until there is enough. True where that is all there is.
    pub(super) fn stored_hits(&mut self, hits: &mut Vec<Hit>) -> Result<bool, StoreError> {
        let Some(store) = self.around.store else { return Ok(true) };
        let cancel = self.around.cancel;
        let cancelled = || cancel.is_cancelled();
        let (name, filter) = (self.asked.name.clone(), self.asked.filter.clone());
        let pattern = String::from_utf8_lossy(&name).into_owned();
        let threads = self.around.pool.current_num_threads();
        let known = &store.definitions();
        let mut exact = known.exact(&name)?;
        if self.asked.container.is_some() {
            exact.extend(known.exact(&self.asked.whole)?);
        }
        self.resolve(known, &exact, Tier::Exact, hits)?;
        self.resolve(known, &exact, Tier::Folded, hits)?;
        let complete = self.tier(known, Tier::Prefix, hits, &|most| {
            known.prefix(&name, &filter, most, &cancelled)
        })?;
        if !complete || self.asked.container.is_some() {
            return Ok(complete);
        }
        self.tier(known, Tier::Fuzzy, hits, &|most| {
            known.fuzzy(&pattern, &filter, most, threads, &cancelled)
        })
    }

    /// Adds the hits of a tier. True where these are all; false where there was enough before.
    fn tier(
        &mut self,
        known: &Definitions<'_>,
        tier: Tier,
        hits: &mut Vec<Hit>,
        look_up: LookUp<'_>,
    ) -> Result<bool, StoreError> {
        let before = hits.len();
        let mut most = FIRST_NAMES.max(self.asked.limit.saturating_add(1));
        while !self.is_enough(hits, tier) {
            let names = look_up(most)?;
            // Those that were found among fewer are found again.
            hits.truncate(before);
            self.resolve(known, &names, tier, hits)?;
            if names.len() < most {
                return Ok(!self.late);
            }
            most = most.saturating_mul(4);
        }
        Ok(false)
    }

    /// Adds the definitions of names that answer as well as that tier, in files that are there now.
    fn resolve(
        &mut self,
        known: &Definitions<'_>,
        names: &[Name],
        tier: Tier,
        hits: &mut Vec<Hit>,
    ) -> Result<(), StoreError> {
        let mut found: Vec<(&Name, u32, Entry)> = Vec::new();
        for name in names {
            let Some((own, score)) = self.asked.tier(&name.name).filter(|(own, _)| *own == tier)
            else {
                continue;
            };
            debug_assert_eq!(own, tier);
            known.entries(name, &mut |entry| {
                if self.asked.filter.accepts(&entry) {
                    found.push((name, score, entry));
                }
                ControlFlow::Continue(())
            })?;
        }
        let files = self.files(found.iter().map(|(.., entry)| entry.doc));
        for (name, score, entry) in found {
            let Some(language) = languages::by_number(entry.language) else { continue };
            for (path, print) in files.get(&entry.doc).into_iter().flatten() {
                // The same bytes under another name are of another language.
                if languages::may_be(path, language) {
                    hits.push(Hit {
                        rank: Rank::new((tier, score), &name.name, entry.kind),
                        path: path.clone(),
                        place: Place::Stored(entry, *print),
                        whole: name.whole,
                    });
                }
            }
        }
        Ok(())
    }

    /// The files that have these contents.
    fn files(&self, docs: impl Iterator<Item = u32>) -> Files {
        let mut docs: Vec<u32> = docs.collect();
        docs.sort_unstable();
        docs.dedup();
        let mut files = Files::with_capacity(docs.len());
        let tree = &self.around.snapshot.tree;
        if !docs.is_empty() {
            let wanted = Docs::These(docs);
            tree.for_each_file(&wanted, &mut |path, file| {
                // Those that are not outlined were found already.
                if let Some(doc) = file.doc.known().filter(|_| file.outlined) {
                    files.entry(doc).or_default().push((path.into(), file.print));
                }
            });
        }
        files
    }
}
