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
/// Names that begin with the query are looked up, at most, where it says what encloses them.
const ENCLOSED_NAMES: usize = 256;

/// The paths and prints of files, by their content.
type Files = HashMap<u32, Vec<(Arc<[u8]>, u64)>>;
/// Looks up names, so many at most.
type LookUp<'a> = &'a dyn Fn(usize) -> Result<Vec<Name>, StoreError>;

impl Finder<'_> {
    /// Adds what is stored, best first, until there is enough. True where that is all there is.
    pub(super) fn stored_hits(&mut self, hits: &mut Vec<Hit>) -> Result<bool, StoreError> {
        let Some(store) = self.around.store else { return Ok(true) };
        let around = self.around;
        let stops = || around.stops();
        let (name, filter) = (self.asked.name.clone(), self.asked.filter.clone());
        let pattern = String::from_utf8_lossy(&name).into_owned();
        let known = &store.definitions();
        let mut exact = known.exact(&name)?;
        if self.asked.container.is_some() {
            exact.extend(known.exact(&self.asked.whole)?);
        }
        self.resolve(known, &exact, Tier::Exact, hits)?;
        self.resolve(known, &exact, Tier::Folded, hits)?;
        if self.asked.exact {
            return Ok(true);
        }
        let prefix = |most| known.prefix(&name, &filter, most, &stops);
        if self.asked.container.is_some() {
            // Of the names that begin so many are enclosed by something else.
            let names = prefix(ENCLOSED_NAMES)?;
            self.resolve(known, &names, Tier::Prefix, hits)?;
            return Ok(names.len() < ENCLOSED_NAMES);
        }
        let fuzzy = |most| known.fuzzy(&pattern, &filter, most, around.crew, &stops);
        Ok(self.tier(known, Tier::Prefix, hits, &prefix)?
            && self.tier(known, Tier::Fuzzy, hits, &fuzzy)?)
    }

    /// Adds the hits of a tier. True where these are all; false where there was enough before.
    fn tier(
        &mut self,
        known: &Definitions<'_>,
        tier: Tier,
        hits: &mut Vec<Hit>,
        look_up: LookUp<'_>,
    ) -> Result<bool, StoreError> {
        let (before, limit) = (hits.len(), self.asked.limit);
        if hits.iter().filter(|hit| hit.rank.tier < tier).count() > limit {
            return Ok(false);
        }
        let mut most = FIRST_NAMES.max(limit.saturating_add(1));
        loop {
            let names = look_up(most)?;
            // Those that were found among fewer are found again.
            hits.truncate(before);
            self.resolve(known, &names, tier, hits)?;
            if names.len() < most || self.around.stops() {
                return Ok(!self.around.stops());
            }
            // Those that are only in files which have just changed may be less alike.
            if hits.len() - before > limit {
                return Ok(false);
            }
            most = most.saturating_mul(4);
        }
    }

    /// Adds the definitions of names that answer as well as that tier, in files that are there now.
    fn resolve(
        &mut self,
        known: &Definitions<'_>,
        names: &[Name],
        tier: Tier,
        hits: &mut Vec<Hit>,
    ) -> Result<(), StoreError> {
        let around = self.around;
        let mut found: Vec<(&Name, u32, Entry)> = Vec::new();
        for name in names {
            let Some((_, score)) = self.asked.tier(&name.name).filter(|(own, _)| *own == tier)
            else {
                continue;
            };
            known.entries(name, &mut |entry| {
                if self.asked.filter.accepts(&entry) {
                    found.push((name, score, entry));
                }
                match around.stops() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
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
