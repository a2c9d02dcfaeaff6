//! Finds names in several segments at once, and reads their entries.

use super::best::Best;
use super::list::{Entries, Position};
use super::order::{compare_folded, search_key, stored, unmarked};
use super::{Corrupt, Counts, Entry, Filter, Names, RUN, Sort};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Gives the rows of one segment.
pub trait Source {
    /// What can go wrong in the store.
    type Error: From<Corrupt>;

    /// The number of the segment.
    fn segment(&self) -> u32;

    /// What the segment has.
    fn counts(&self) -> Counts;

    /// What the directory says of the last key that is not after this one.
    ///
    /// # Errors
    ///
    /// Where the directory cannot be read.
    fn find(&self, key: &[u8]) -> Result<Option<u32>, Self::Error>;

    /// The blocks of names from `RUN * run` on, [`RUN`] of them or as many as are left.
    ///
    /// # Errors
    ///
    /// Where one is missing, cannot be read, or does not open.
    fn run(&self, run: u32) -> Result<Arc<[Names]>, Self::Error>;

    /// The last block of entries whose key is not after that of `(name, part)`; none where all are.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or does not open.
    fn entries(&self, name: u32, part: u32) -> Result<Option<Arc<Entries>>, Self::Error>;
}

/// A name that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its bytes, at most [`MOST`](super::MOST).
    pub name: Vec<u8>,
    /// Whether these are all. Else it stands for all names that begin so: the text tells which.
    pub whole: bool,
    /// How well it matches a pattern; 0 where there was none.
    pub score: u16,
    /// Where it is.
    pub places: Vec<Place>,
}

/// A name in a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The index of the segment's source.
    pub source: usize,
    /// The name's number in the segment.
    pub number: u32,
}

/// All spellings of `name`, which are those that differ in the case of ASCII letters, by the
/// alphabet.
///
/// # Errors
///
/// The first error of a source, and [`Corrupt`] where its rows do not fit together.
pub fn exact<S: Source>(sources: &[S], name: &[u8]) -> Result<Vec<Name>, S::Error> {
    let (wanted, key) = (stored(name), search_key(name));
    let mut found: BTreeMap<Vec<u8>, Vec<Place>> = BTreeMap::new();
    for (source, segment) in sources.iter().enumerate() {
        walk(segment, &key, &|first| compare_folded(first, &wanted), &mut |number, name, _| {
            match compare_folded(name, &wanted) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => {
                    found.entry(name.to_vec()).or_default().push(Place { source, number });
                    true
                }
            }
        })?;
    }
    let name = |(stored, places): (Vec<u8>, _)| {
        let (name, whole) = unmarked(&stored);
        Name { name: name.to_vec(), whole, score: 0, places }
    };
    Ok(found.into_iter().map(name).collect())
}

/// Names that begin with `prefix` and go on, ignoring the case of ASCII letters: at most `limit`, the
/// shortest ones first, then by the alphabet. What was found so far where `cancelled` says so.
///
/// # Errors
///
/// The first error of a source, and [`Corrupt`] where its rows do not fit together.
pub fn prefix<S: Source>(
    sources: &[S],
    prefix: &[u8],
    filter: &Filter,
    limit: usize,
    cancelled: &dyn Fn() -> bool,
) -> Result<Vec<Name>, S::Error> {
    let mut key = search_key(prefix);
    key.truncate(key.len() - 2);
    let beginning = |name: &[u8]| compare_folded(&name[..name.len().min(prefix.len())], prefix);
    let mut best = Best::new(limit);
    for (source, segment) in sources.iter().enumerate() {
        let mut sets = Vec::new();
        walk(segment, &key, &beginning, &mut |number, name, set| {
            let Set { block, number: set } = set;
            if let Some(block) = block {
                sets.clear();
                block.for_each_set(|set| sets.push(filter.accepts_set(set)));
                if cancelled() {
                    return false;
                }
            }
            let order = beginning(name);
            if order == Ordering::Equal && name.len() > prefix.len() && sets[usize::from(set)] {
                best.add(0, name, Place { source, number });
            }
            order != Ordering::Greater
        })?;
    }
    Ok(Best::of([best], limit))
}

/// The run of blocks that has the names which begin with `prefix`, or would have them. A fuzzy query
/// that looks there first finds the best names soon, and then passes over most others.
///
/// # Errors
///
/// Where the directory cannot be read.
pub fn run_of<S: Source>(source: &S, prefix: &[u8]) -> Result<u32, S::Error> {
    let mut key = search_key(prefix);
    key.truncate(key.len() - 2);
    Ok(source.find(&key)?.unwrap_or_default() / RUN)
}

/// The set of a name; with the block where that is another one than before.
struct Set<'a> {
    block: Option<&'a Names>,
    number: u8,
}

/// Calls `each` with the names from some place before `key` on, until it says false. `order` tells
/// where a name is, seen from the key.
fn walk<S: Source>(
    source: &S,
    key: &[u8],
    order: &dyn Fn(&[u8]) -> Ordering,
    each: &mut dyn FnMut(u32, &[u8], Set<'_>) -> bool,
) -> Result<(), S::Error> {
    let Counts { blocks, .. } = source.counts();
    if blocks == 0 {
        return Ok(());
    }
    let lost = Corrupt { segment: source.segment(), sort: Sort::Names, number: 0 };
    let mut at = source.find(key)?.filter(|block| *block < blocks).ok_or(lost)?;
    let mut run = (at / RUN, source.run(at / RUN)?);
    let mut is_before = starts(&run.1, at, order)?;
    if !is_before && at > 0 {
        // It may be between two blocks: or the directory is wrong.
        at -= 1;
        run = (at / RUN, source.run(at / RUN)?);
        is_before = starts(&run.1, at, order)?;
    }
    if !is_before && at > 0 {
        return Err(lost.into());
    }
    let mut goes_on = true;
    while goes_on && at < blocks {
        if run.0 != at / RUN {
            run = (at / RUN, source.run(at / RUN)?);
        }
        let block = run.1.get((at % RUN) as usize).ok_or(lost)?;
        let mut is_new = true;
        block.for_each(|number, name, set| {
            let block = std::mem::take(&mut is_new).then_some(block);
            goes_on = each(number, name, Set { block, number: set });
            goes_on
        });
        at += 1;
    }
    Ok(())
}

/// Whether the block begins before what is looked for, or with it.
fn starts(run: &[Names], block: u32, order: &dyn Fn(&[u8]) -> Ordering) -> Result<bool, Corrupt> {
    let mut is_before = false;
    if let Some(names) = run.get((block % RUN) as usize) {
        names.for_each(|_, name, _| {
            is_before = order(name) != Ordering::Greater;
            false
        });
    }
    Ok(is_before)
}

/// Calls `each` with the entries of a name, in order and each once, until it breaks.
///
/// # Errors
///
/// The first error of a source, and [`Corrupt`] where its rows do not fit together.
pub fn entries<S: Source>(
    sources: &[S],
    name: &Name,
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), S::Error> {
    let mut lists = Vec::with_capacity(name.places.len());
    for place in &name.places {
        if let Some(source) = sources.get(place.source) {
            lists.push(List::open(source, place.number)?);
        }
    }
    while let Some(next) = lists.iter().filter_map(|list| list.entry).min() {
        if each(next).is_break() {
            return Ok(());
        }
        for list in lists.iter_mut().filter(|list| list.entry == Some(next)) {
            list.step()?;
        }
    }
    Ok(())
}

/// A place in the list of a name.
struct List<'a, S> {
    source: &'a S,
    name: u32,
    part: u32,
    block: Arc<Entries>,
    position: Position,
    entry: Option<Entry>,
    is_last: bool,
}

impl<'a, S: Source> List<'a, S> {
    fn open(source: &'a S, name: u32) -> Result<Self, S::Error> {
        let block = fetch(source, name, 0)?;
        let position = block.list(name).ok_or_else(|| block.corrupt())?;
        let mut list = Self { source, name, part: 0, block, position, entry: None, is_last: false };
        list.step()?;
        Ok(list)
    }

    fn step(&mut self) -> Result<(), S::Error> {
        if self.is_last {
            self.entry = None;
            return Ok(());
        }
        let mut reading = self.block.from(self.position);
        if let Some((entry, is_last)) = reading.next() {
            (self.entry, self.is_last) = (Some(entry), is_last);
            self.position = reading.position();
            return Ok(());
        }
        self.part += 1;
        self.block = fetch(self.source, self.name, self.part)?;
        self.position = self.block.start();
        self.step()
    }
}

/// The block in which the list of a name begins, or that has a part of it.
fn fetch<S: Source>(source: &S, name: u32, part: u32) -> Result<Arc<Entries>, S::Error> {
    let lost = Corrupt { segment: source.segment(), sort: Sort::Entries, number: name };
    let block = source.entries(name, part)?.ok_or(lost)?;
    if block.begins(name, part) { Ok(block) } else { Err(lost.into()) }
}
