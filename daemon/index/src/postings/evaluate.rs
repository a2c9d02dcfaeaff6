//! Answers a plan with the documents that it accepts.
//!
//! Verifying a candidate later is exact, so a conjunction need not read all its
//! lists. It starts from the rarest and goes on to the next only while that is
//! likely to save more verifications than it costs to read; the costs below, in
//! nanoseconds, are estimates: only their proportions matter.

use std::sync::Arc;

use super::block::{Block, Corrupt, Key, Part};
use super::docs::{Bits, Docs};
use super::list::{Encoding, List};
use crate::plan::Plan;
use crate::trigram::Trigram;

/// Opening a candidate's file and searching it.
const VERIFY: u64 = 8_000;
/// Fetching a block.
const BLOCK_COST: u64 = 500;
/// Decoding a document of a gap-coded list.
const DECODE: u64 = 2;
/// Probing a bitmap for one document.
const PROBE: u64 = 3;
/// Trigrams of a conjunction that are looked up; more hardly ever select better.
const LOOKUPS: usize = 32;

/// Gives the blocks of one segment.
pub trait Source {
    /// What can go wrong in the store.
    type Error: From<Corrupt>;

    /// The number of the segment, as in the keys of its blocks.
    fn segment(&self) -> u32;

    /// The number of documents of the segment.
    fn docs(&self) -> u32;

    /// The last block of this segment whose key is not after `(trigram, part)`;
    /// none where all are.
    ///
    /// # Errors
    ///
    /// Where the block cannot be read, or does not open.
    fn block(&self, trigram: Trigram, part: u32) -> Result<Option<Arc<Block>>, Self::Error>;
}

/// The documents whose trigrams satisfy the plan, and perhaps some more.
///
/// # Errors
///
/// The first error of the source, and [`Corrupt`] where it gave a block that is
/// not the last one at or before what was asked for.
pub fn evaluate<S: Source>(plan: &Plan, source: &S) -> Result<Docs, S::Error> {
    let node = resolve(plan, source)?;
    node.narrow(&Docs::All, source).map(|docs| compact(docs, source.docs()))
}

/// A plan whose lists were found.
enum Node {
    All,
    None,
    Posting(Posting),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// Where a trigram's list is, and about how long.
struct Posting {
    trigram: Trigram,
    block: Arc<Block>,
    /// Documents; of a short list at most as many.
    count: u64,
    parts: u32,
    encoding: Encoding,
}

fn resolve<S: Source>(plan: &Plan, source: &S) -> Result<Node, S::Error> {
    Ok(match plan {
        Plan::All => Node::All,
        Plan::None => Node::None,
        Plan::Trigram(trigram) => find(*trigram, source)?.map_or(Node::None, Node::Posting),
        Plan::And(plans) => resolve_all(plans, source)?,
        Plan::Or(plans) => resolve_any(plans, source)?,
    })
}

fn resolve_all<S: Source>(plans: &[Plan], source: &S) -> Result<Node, S::Error> {
    let mut nodes = Vec::with_capacity(plans.len());
    for plan in sample(plans) {
        match resolve(plan, source)? {
            Node::None => return Ok(Node::None),
            Node::All => (),
            node => nodes.push(node),
        }
    }
    nodes.sort_by_key(|node| node.count(source.docs()));
    Ok(match nodes.len() {
        0 => Node::All,
        _ => Node::And(nodes),
    })
}

/// Some plans of a conjunction, evenly: the trigrams of a literal overlap, so
/// each third covers it whole.
fn sample(plans: &[Plan]) -> impl Iterator<Item = &Plan> {
    plans.iter().step_by(plans.len().div_ceil(LOOKUPS).max(1))
}

fn resolve_any<S: Source>(plans: &[Plan], source: &S) -> Result<Node, S::Error> {
    let mut nodes = Vec::new();
    for plan in plans {
        match resolve(plan, source)? {
            Node::All => return Ok(Node::All),
            Node::None => (),
            node => nodes.push(node),
        }
    }
    Ok(if nodes.is_empty() { Node::None } else { Node::Or(nodes) })
}

fn find<S: Source>(trigram: Trigram, source: &S) -> Result<Option<Posting>, S::Error> {
    let block = fetch(trigram, 0, source)?;
    let (count, parts, encoding) = match block.part() {
        Some(part) => (u64::from(part.count), part.parts, part.list.encoding),
        None => match block.list(trigram) {
            Some(list) => (shared_count(list), 1, list.encoding),
            None => return Ok(None),
        },
    };
    Ok(Some(Posting { trigram, block, count, parts, encoding }))
}

/// The block that has the part, or that would have the list.
fn fetch<S: Source>(trigram: Trigram, part: u32, source: &S) -> Result<Arc<Block>, S::Error> {
    let wanted = Key { segment: source.segment(), trigram, part };
    let block = source.block(trigram, part)?.ok_or(Corrupt { key: wanted })?;
    let key = block.key();
    let covers = key.segment == wanted.segment
        && key.part == part
        && (key.trigram..block.until()).contains(&trigram);
    if covers { Ok(block) } else { Err(Corrupt { key: wanted }.into()) }
}

/// At most how many documents a list has that shares its block: a gap takes a
/// byte or more.
fn shared_count(list: List<'_>) -> u64 {
    match list.encoding {
        Encoding::Gaps => list.bytes.len() as u64,
        Encoding::Bitmap => list.words().map(|(_, word)| u64::from(word.count_ones())).sum(),
    }
}

impl Node {
    /// At most how many of the segment's documents are accepted, about.
    fn count(&self, docs: u32) -> u64 {
        let all = u64::from(docs);
        match self {
            Self::All => all,
            Self::None => 0,
            Self::Posting(posting) => posting.count,
            Self::And(nodes) => nodes.first().map_or(all, |node| node.count(docs)),
            Self::Or(nodes) => nodes.iter().map(|node| node.count(docs)).sum::<u64>().min(all),
        }
    }

    /// What it costs to narrow so many candidates by it.
    fn cost(&self, candidates: u64) -> u64 {
        match self {
            Self::All | Self::None => 0,
            Self::Posting(posting) => posting.cost(candidates),
            Self::And(nodes) => nodes.first().map_or(0, |node| node.cost(candidates)),
            Self::Or(nodes) => nodes.iter().map(|node| node.cost(candidates)).sum(),
        }
    }

    /// The documents among `within` that it accepts.
    fn narrow<S: Source>(&self, within: &Docs, source: &S) -> Result<Docs, S::Error> {
        match self {
            Self::All => Ok(within.clone()),
            Self::None => Ok(Docs::NONE),
            Self::Posting(posting) => posting.narrow(within, source),
            Self::And(nodes) => narrow_all(nodes, within, source),
            Self::Or(nodes) => narrow_any(nodes, within, source),
        }
    }
}

fn narrow_all<S: Source>(nodes: &[Node], within: &Docs, source: &S) -> Result<Docs, S::Error> {
    let docs = source.docs();
    let [first, rest @ ..] = nodes else { return Ok(within.clone()) };
    let mut found = compact(first.narrow(within, source)?, docs);
    // The lists of one literal go together, so that a list saves less than its
    // length says. One that saved nothing makes the next less promising: what is
    // wasted stays below what it costs to verify.
    let mut trust = 2;
    for node in rest {
        let candidates = u64::from(found.count(docs));
        let denied = u64::from(docs).saturating_sub(node.count(docs));
        let saved = candidates * VERIFY / trust * denied / u64::from(docs).max(1);
        if saved <= node.cost(candidates) {
            continue;
        }
        found = compact(node.narrow(&found, source)?, docs);
        let left = u64::from(found.count(docs));
        trust = if left * 10 > candidates * 9 { trust * 2 } else { 2 };
    }
    Ok(found)
}

fn narrow_any<S: Source>(nodes: &[Node], within: &Docs, source: &S) -> Result<Docs, S::Error> {
    let mut found = Bits::new(source.docs());
    for node in nodes {
        match node.narrow(within, source)? {
            Docs::All => return Ok(within.clone()),
            Docs::List(list) => list.into_iter().for_each(|doc| found.insert(doc)),
            Docs::Bits(bits) => found.union(&bits),
        }
    }
    Ok(Docs::Bits(found))
}

/// The smaller of list and bitmap.
fn compact(docs: Docs, end: u32) -> Docs {
    match docs {
        Docs::Bits(bits) if bits.count() < end / 32 + 1 => Docs::List(bits.iter().collect()),
        other => other,
    }
}

impl Posting {
    fn cost(&self, candidates: u64) -> u64 {
        let read = match self.encoding {
            Encoding::Gaps => self.count * DECODE,
            Encoding::Bitmap => candidates.min(self.count) * PROBE,
        };
        read + u64::from(self.parts) * BLOCK_COST
    }

    fn narrow<S: Source>(&self, within: &Docs, source: &S) -> Result<Docs, S::Error> {
        let mut found = match (within, self.encoding) {
            (Docs::List(_), _) | (_, Encoding::Gaps) => Docs::List(Vec::new()),
            (_, Encoding::Bitmap) => Docs::Bits(Bits::new(source.docs())),
        };
        let mut from = 0;
        self.for_each_list(source, within, |list, last| {
            from = select(list, last, within, from, source.docs(), &mut found);
        })?;
        Ok(found)
    }

    /// Calls `each` with the list, or with each of its parts that may have a
    /// document of `within`, and the last document that can be in it.
    fn for_each_list<S: Source>(
        &self,
        source: &S,
        within: &Docs,
        mut each: impl FnMut(List<'_>, u32),
    ) -> Result<(), S::Error> {
        let Some(part) = self.block.part() else {
            self.block.list(self.trigram).into_iter().for_each(|list| each(list, u32::MAX));
            return Ok(());
        };
        let end = if let Docs::List(list) = within { list.last().copied() } else { None };
        let mut last = part.last;
        each(part.list, part.last);
        for number in 1..self.parts {
            if end.is_some_and(|end| end <= last) {
                break;
            }
            let block = fetch(self.trigram, number, source)?;
            if let Some(Part { list, last: last_of_part, .. }) = block.part() {
                each(list, last_of_part);
                last = last_of_part;
            }
        }
        Ok(())
    }
}

/// Adds to `found` what `list` and `within` have in common. Of a list `within`
/// the places before `from` are done; returns where to go on.
fn select(
    list: List<'_>,
    last: u32,
    within: &Docs,
    from: usize,
    end: u32,
    found: &mut Docs,
) -> usize {
    match (within, found) {
        (Docs::List(candidates), Docs::List(found)) => {
            let rest = &candidates[from..];
            let here = &rest[..rest.partition_point(|&doc| doc <= last)];
            match list.encoding {
                Encoding::Bitmap => found.extend(here.iter().filter(|&&doc| list.probe(doc))),
                Encoding::Gaps => intersect(list, here, end, found),
            }
            from + here.len()
        }
        (Docs::All, Docs::List(found)) => {
            list.for_each(end, |doc| found.push(doc));
            from
        }
        (Docs::All, Docs::Bits(found)) => {
            list.add_to(found);
            from
        }
        (Docs::Bits(bits), Docs::List(found)) => {
            list.for_each(end, |doc| {
                if bits.contains(doc) {
                    found.push(doc);
                }
            });
            from
        }
        (Docs::Bits(bits), Docs::Bits(found)) => {
            bits.intersect_into(list, found);
            from
        }
        (Docs::List(_), _) | (_, Docs::All) => from,
    }
}

/// Streams a list against ascending candidates.
fn intersect(list: List<'_>, candidates: &[u32], end: u32, found: &mut Vec<u32>) {
    let Some(&last) = candidates.last() else { return };
    let mut rest = candidates.iter();
    let mut next = rest.next();
    // Past the last candidate nothing is decoded.
    list.for_each(end.min(last.saturating_add(1)), |doc| {
        while let Some(&candidate) = next {
            if candidate > doc {
                return;
            }
            if candidate == doc {
                found.push(doc);
            }
            next = rest.next();
        }
    });
}
