//! Definitions by name, and what a file defines.
//!
//! Names are in the store, for all contents that it knows; the snapshot tells which of them are
//! files now. What is not stored yet is outlined for the query ([`fresh`]). Text (a name as it is
//! written, a signature, a comment) is read from the files, so that it is never older than they
//! are; a file that has changed since the snapshot makes the query begin anew.

mod asked;
mod detail;
mod fresh;
mod outline;
mod pages;
mod print;
mod stored;

use crate::parallel::Crew;
use crate::search::Cancel;
use crate::store::{Store, StoreError};
use crate::workspace::{Failed, Snapshot};
use asked::{Asked, Rank};
use detail::Details;
use fresh::Fresh;
pub(crate) use fresh::FreshFiles;
use hob_index::names::Entry;
use hob_index::symbols::extract::Limits;
use hob_protocol::{SymbolMatch, SymbolsQuery, Truncated};
pub(crate) use outline::{Maker, Outlined, Stored, outline};
pub(crate) use print::{Printed, heading};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A file may change between the snapshot and the reading of its text: then all is asked again, so
/// often.
const TRIES: usize = 3;

/// A state of a workspace, and what is needed to ask it.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) root: &'a Path,
    pub(crate) snapshot: &'a Snapshot,
    /// The store that knows the snapshot's contents; without it every file is read.
    pub(crate) store: Option<&'a Store>,
    pub(crate) fresh: &'a FreshFiles,
    pub(crate) limits: Limits,
    pub(crate) crew: &'a Crew,
    pub(crate) cancel: &'a Cancel,
    /// When to stop with what was found.
    pub(crate) deadline: Option<Instant>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) symbols: Vec<SymbolMatch>,
    pub(crate) truncated: Option<Truncated>,
    /// How many match, where they were all counted.
    pub(crate) total: Option<u64>,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SymbolsError {
    #[error("the query is empty")]
    Empty,
    #[error("there is no {what} `{name}`")]
    Unknown { what: &'static str, name: String, near: Option<String>, list: &'static str },
    #[error("{1}: `{path}`", path = .0.display())]
    Workspace(PathBuf, Failed),
    #[error("the query was cancelled")]
    Cancelled,
}

/// A definition that answers.
struct Hit {
    rank: Rank,
    path: Arc<[u8]>,
    place: Place,
    /// The name is what is stored of it; or it stands for names that begin so.
    whole: bool,
}

/// Where its definition is known from.
enum Place {
    /// From the store; with the file's print.
    Stored(Entry, u64),
    /// From the outline that was made for the query, and its index there.
    Fresh(Arc<Fresh>, usize),
}

/// Calls a search with a state of the workspace that shows all changes so far.
pub(crate) type Look<'a> =
    &'a mut dyn FnMut(&mut dyn FnMut(Around<'_>) -> Outcome) -> Result<Outcome, SymbolsError>;

/// Finds definitions by their names.
pub(crate) fn find(
    query: &SymbolsQuery,
    config: &crate::config::Config,
    look: Look<'_>,
) -> Result<Answer, SymbolsError> {
    let mut asked = Asked::new(query, config.symbols_limit)?;
    let deadline = query.deadline_ms.map(|ms| Instant::now() + Duration::from_millis(ms));
    for attempt in 1.. {
        let last = attempt == TRIES;
        let mut search = |around: Around<'_>| {
            let around = Around { deadline, ..around };
            let found = Finder { asked: &mut asked, around, last }.find();
            found.unwrap_or_else(|error| {
                tracing::warn!(%error, "symbols are found without the store");
                let around = Around { store: None, ..around };
                Finder { asked: &mut asked, around, last }.find().unwrap_or_default()
            })
        };
        let outcome = look(&mut search)?;
        if !outcome.stale || last {
            return Ok(outcome.answer);
        }
    }
    Ok(Answer::default())
}

/// What came of one attempt.
#[derive(Default)]
pub(crate) struct Outcome {
    answer: Answer,
    /// A file has changed since the snapshot.
    stale: bool,
}

impl Around<'_> {
    /// Whether the deadline has passed.
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether to stop with what there is.
    fn stops(&self) -> bool {
        self.cancel.is_cancelled() || self.is_late()
    }
}

struct Finder<'a> {
    asked: &'a mut Asked,
    around: Around<'a>,
    /// What has changed since the snapshot is taken as it is now.
    last: bool,
}

impl Finder<'_> {
    fn find(mut self) -> Result<Outcome, StoreError> {
        let (mut hits, all_fresh) = self.fresh_hits();
        let complete = self.stored_hits(&mut hits)?;
        hits.sort_by(|a, b| a.order().cmp(&b.order()));
        let count = hits.len();
        let Details { mut symbols, looked_at, stale } = self.details(&hits)?;
        let limit = self.asked.limit;
        let truncated = match (self.around.is_late(), symbols.len() > limit) {
            (true, _) => Some(Truncated::Deadline),
            (_, true) => Some(Truncated::Limit),
            (_, false) if !all_fresh => Some(Truncated::Indexing),
            (_, false) => (!complete || looked_at < count).then_some(Truncated::Limit),
        };
        // How many of those that were not looked at are enclosed as asked is not known.
        let counted = complete && all_fresh && truncated != Some(Truncated::Deadline);
        let total = match (looked_at == count, &self.asked.container) {
            (true, _) => Some(symbols.len()),
            (false, None) => Some(count),
            (false, Some(_)) => None,
        };
        let total = total.filter(|_| counted).map(|total| total as u64);
        symbols.truncate(limit);
        Ok(Outcome { answer: Answer { symbols, truncated, total }, stale })
    }

    /// Of files that are not stored, and whether all of them were looked at.
    fn fresh_hits(&mut self) -> (Vec<Hit>, bool) {
        let finder = self.asked.finder();
        let gathered = self.around.fresh.gather(&self.around, &|text| finder.has(text));
        let mut hits = Vec::new();
        for fresh in gathered.files {
            let Some(outlined) = &fresh.outlined else { continue };
            let language = outlined.language.number;
            for (at, (name, symbol)) in fresh.symbols().enumerate() {
                if self.asked.filter.accepts(&Entry {
                    doc: 0,
                    language,
                    ordinal: 0,
                    kind: symbol.kind,
                }) && let Some(tier) = self.asked.tier(name)
                {
                    hits.push(Hit {
                        rank: Rank::new(tier, name, symbol.kind),
                        path: fresh.path.as_slice().into(),
                        place: Place::Fresh(fresh.clone(), at),
                        whole: true,
                    });
                }
            }
        }
        (hits, gathered.all)
    }
}

impl Hit {
    fn order(&self) -> (&Rank, &[u8], usize) {
        let at = match &self.place {
            Place::Stored(entry, _) => entry.ordinal as usize,
            Place::Fresh(_, at) => *at,
        };
        (&self.rank, &self.path, at)
    }
}
