//! Which names are defined, over all segments of a store.

use super::error::guard;
use super::segment::{Reader, Segment};
use super::{Caches, Store, StoreError};
use crate::parallel::Crew;
use hob_index::names::{
    self, Corrupt, Counts, Entries, Entry, Filter, Fuzzy, Name, Names, RUN, Source, entries_key,
    names_key,
};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The names that are defined, as they were at one moment. A name that it gives is good for it alone.
pub(crate) struct Definitions<'a> {
    store: &'a Store,
    reader: Arc<Reader>,
}

impl Store {
    /// The names that are defined.
    pub(crate) fn definitions(&self) -> Definitions<'_> {
        Definitions { store: self, reader: self.reader() }
    }
}

impl Definitions<'_> {
    /// All spellings of a name, ignoring the case of ASCII letters.
    pub(crate) fn exact(&self, name: &[u8]) -> Result<Vec<Name>, StoreError> {
        self.store.checked(|| names::exact(&self.sources(), name))
    }

    /// The shortest names that begin with `prefix` and go on, ignoring the case of ASCII letters.
    pub(crate) fn prefix(
        &self,
        prefix: &[u8],
        filter: &Filter,
        limit: usize,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<Vec<Name>, StoreError> {
        self.store.checked(|| names::prefix(&self.sources(), prefix, filter, limit, cancelled))
    }

    /// The names that match a pattern best, by the threads of a crew.
    pub(crate) fn fuzzy(
        &self,
        pattern: &str,
        filter: &Filter,
        limit: usize,
        crew: &Crew,
        cancelled: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<Name>, StoreError> {
        self.store.checked(|| {
            let sources = self.sources();
            let runs = runs(&sources, pattern)?;
            let searches = crew.workers(|| Fuzzy::new(pattern, filter.clone(), limit));
            let scan = |search: &mut Fuzzy, &(at, run): &(usize, _)| match cancelled() {
                true => Ok(()),
                false => guard(|| {
                    search.scan(at, &sources[at].run(run)?, cancelled);
                    Ok(())
                }),
            };
            searches.map(&runs, 1, scan).into_iter().collect::<Result<(), _>>()?;
            Ok(Fuzzy::best(searches.into_own().collect()))
        })
    }

    /// Calls `each` with the definitions of a name, by content, until it breaks.
    pub(crate) fn entries(
        &self,
        name: &Name,
        each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.checked(|| names::entries(&self.sources(), name, each))
    }

    fn sources(&self) -> Vec<SegmentNames<'_>> {
        let segments = self.reader.segments.iter();
        segments
            .map(|segment| SegmentNames {
                reader: &self.reader,
                segment,
                epoch: self.store.epoch,
                caches: &self.store.caches,
            })
            .collect()
    }
}

/// What a fuzzy query reads: source and run, of each source the likeliest run first.
fn runs(sources: &[SegmentNames<'_>], pattern: &str) -> Result<Vec<(usize, u32)>, StoreError> {
    let mut runs = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let end = source.counts().blocks.div_ceil(RUN);
        let first = names::run_of(source, pattern.as_bytes())?.min(end);
        runs.extend((first..end).chain(0..first).map(|run| (at, run)));
    }
    Ok(runs)
}

/// The names of a segment as the engine reads them.
struct SegmentNames<'a> {
    reader: &'a Reader,
    segment: &'a Segment,
    epoch: u64,
    caches: &'a Caches,
}

impl Source for SegmentNames<'_> {
    type Error = StoreError;

    fn segment(&self) -> u32 {
        self.segment.number
    }

    fn counts(&self) -> Counts {
        self.segment.counts
    }

    fn find(&self, key: &[u8]) -> Result<Option<u32>, StoreError> {
        let first = self.segment.number.to_be_bytes();
        let wanted = [&first, key].concat();
        let mut range = self.reader.directory.range(first.as_slice()..=wanted.as_slice())?;
        Ok(range.next_back().transpose()?.map(|(_, block)| block.value()))
    }

    fn run(&self, run: u32) -> Result<Arc<[Names]>, StoreError> {
        let segment = self.segment.number;
        let key = (self.epoch, segment, run);
        if let Some(names) = self.caches.names.get(&key) {
            return Ok(names);
        }
        let blocks = run * RUN..self.segment.counts.blocks.min((run + 1) * RUN);
        let (first, end) = (names_key(segment, blocks.start), names_key(segment, blocks.end));
        let mut read = Vec::with_capacity(blocks.len());
        for entry in self.reader.names.range::<&[u8; 8]>(&first..&end)? {
            let (key, bytes) = entry?;
            let block = blocks.start + read.len() as u32;
            if *key.value() != names_key(segment, block) {
                break;
            }
            read.push(Names::open(segment, block, bytes.value())?);
        }
        if read.len() != blocks.len() {
            let number = blocks.start + read.len() as u32;
            return Err(Corrupt { segment, sort: names::Sort::Names, number }.into());
        }
        let names: Arc<[Names]> = read.into();
        self.caches.names.insert(key, names.clone());
        Ok(names)
    }

    fn entries(&self, name: u32, part: u32) -> Result<Option<Arc<Entries>>, StoreError> {
        let segment = self.segment.number;
        let (first, wanted) = (entries_key(segment, 0, 0), entries_key(segment, name, part));
        let mut range = self.reader.entries.range::<&[u8; 12]>(&first..=&wanted)?;
        let Some(entry) = range.next_back() else { return Ok(None) };
        let (key, bytes) = entry?;
        Ok(Some(Arc::new(open_entries(segment, key.value(), bytes.value())?)))
    }
}

/// Opens a block of entries that was found under a key.
pub(super) fn open_entries(
    segment: u32,
    key: &[u8; 12],
    bytes: &[u8],
) -> Result<Entries, StoreError> {
    let [_, _, _, _, a, b, c, d, e, f, g, h] = *key;
    let (name, part) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
    Ok(Entries::open(segment, name, part, bytes)?)
}

impl From<Corrupt> for StoreError {
    fn from(corrupt: Corrupt) -> Self {
        Self::Damaged(corrupt.to_string())
    }
}
