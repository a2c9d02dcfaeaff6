//! Names that contain a pattern as a subsequence, the best ones as `nucleo` sees them.
//!
//! Millions of names are looked at, so little is done for each. Names share beginnings with the
//! names before them, as in a trie: where the bytes of the pattern stand in a name is kept, and only
//! the next name's own bytes are looked at, eight at once, for the first byte of the pattern that is
//! missing. A group of names is passed over by its classes where the pattern cannot go on in it. A
//! name is spelled out only where it contains the pattern, and scored only where it may be among the
//! best ([`Bound`]).

use super::best::Best;
use super::block::{ANY_CLASS, Coded, Group, Wanted, classes};
use super::bound::Bound;
use super::order::unmarked;
use super::query::{Name, Place};
use super::{Filter, MOST, Names};
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// A search for one pattern. Several may look at different blocks at once: see [`Fuzzy::best`].
///
/// A capital letter in the pattern makes it tell case, as people know from `fzf`.
pub struct Fuzzy {
    pattern: Pattern,
    filter: Filter,
    best: Best,
    limit: usize,
    scorer: Scorer,
    /// The first name of a group, that was spelled out last.
    head: Vec<u8>,
    /// How far the pattern goes in the first name of the group at hand.
    head_progress: Progress,
    /// The name that was spelled out last.
    name: Vec<u8>,
    /// How far the pattern goes in the name at hand.
    progress: Progress,
    /// The sets of the block at hand: whether they are wanted.
    wanted: Vec<bool>,
}

/// The bytes that a name must contain in this order.
struct Pattern {
    bytes: Vec<Wanted>,
    /// The classes of the bytes from each place on.
    rest: Vec<u32>,
}

/// How far the pattern goes in a name.
struct Progress {
    /// How many bytes of the pattern the name contains.
    count: usize,
    /// For each of them, the length of the name up to there.
    lengths: Vec<u16>,
}

/// The groups whose first names are not spelled out yet.
struct Late<I> {
    groups: I,
    behind: usize,
}

struct Scorer {
    atom: Atom,
    matcher: Matcher,
    buffer: Vec<char>,
    bound: Bound,
    is_ascii: bool,
}

/// Scores one name after the other, as [`Fuzzy`] does.
pub struct Score(Scorer);

impl Score {
    /// Scores by this pattern.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let ignore_case = !pattern.bytes().any(|byte| byte.is_ascii_uppercase());
        Self(Scorer::new(pattern, ignore_case))
    }

    /// How well a name matches, if it does.
    pub fn of(&mut self, name: &[u8]) -> Option<u16> {
        self.0.score(name, |_| true)
    }
}

impl Fuzzy {
    /// Begins a search for the `limit` best names that are wanted.
    #[must_use]
    pub fn new(pattern: &str, filter: Filter, limit: usize) -> Self {
        let ignore_case = !pattern.bytes().any(|byte| byte.is_ascii_uppercase());
        Self {
            scorer: Scorer::new(pattern, ignore_case),
            pattern: Pattern::new(pattern, ignore_case),
            filter,
            best: Best::new(limit),
            limit,
            head: Vec::new(),
            head_progress: Progress::new(pattern),
            name: Vec::new(),
            progress: Progress::new(pattern),
            wanted: Vec::new(),
        }
    }

    /// Looks at blocks of the segment `source`, until `cancelled`.
    pub fn scan(&mut self, source: usize, blocks: &[Names], cancelled: &dyn Fn() -> bool) {
        if self.pattern.bytes.len() > MOST {
            return;
        }
        for block in blocks {
            if cancelled() {
                return;
            }
            self.scan_block(source, block);
        }
    }

    /// The best names that any of the searches has found, the best one first; among equals the
    /// shorter ones, then by the alphabet.
    #[must_use]
    pub fn best(searches: Vec<Self>) -> Vec<Name> {
        let limit = searches.first().map_or(0, |search| search.limit);
        Best::of(searches.into_iter().map(|search| search.best), limit)
    }

    fn scan_block(&mut self, source: usize, block: &Names) {
        self.wanted.clear();
        block.for_each_set(|set| self.wanted.push(self.filter.accepts_set(set)));
        let mut place = Place { source, number: block.first() };
        let mut late = Late { groups: block.groups(), behind: 0 };
        self.head.clear();
        self.head_progress.count = 0;
        for group in block.groups() {
            late.behind += 1;
            if let Some(first) = group.iter().next() {
                self.head_progress.advance(&first, &self.pattern);
                if self.may_have(&group) && group.common <= self.longest(place) {
                    self.scan_group(place, &group, &mut late);
                }
            }
            place.number += group.names as u32;
        }
    }

    /// Whether a name of the group may contain the rest of the pattern.
    fn may_have(&self, group: &Group<'_>) -> bool {
        let contained = self.head_progress.within(group.common);
        self.pattern.rest[contained] & !group.classes == 0
    }

    fn scan_group<'a>(
        &mut self,
        mut place: Place,
        group: &Group<'_>,
        late: &mut Late<impl Iterator<Item = Group<'a>>>,
    ) {
        let is_any = group.classes == ANY_CLASS;
        self.progress.become_like(&self.head_progress);
        let mut longest = self.longest(place);
        let (mut set, mut spelled) = (0, 0);
        let mut names = group.iter();
        for (at, coded) in group.iter().enumerate() {
            set = coded.set.unwrap_or(set);
            if at > 0 {
                self.progress.advance(&coded, &self.pattern);
            }
            let contains = self.progress.count == self.pattern.bytes.len();
            let may_be = (contains || is_any) && coded.length() <= longest;
            if may_be && self.wanted.get(usize::from(set)).is_some_and(|wanted| *wanted) {
                if spelled == 0 {
                    late.catch_up(&mut self.head);
                    self.name.clone_from(&self.head);
                }
                names.by_ref().take(at + 1 - spelled).for_each(|coded| coded.apply(&mut self.name));
                spelled = at + 1;
                self.consider(place);
                longest = self.longest(place);
            }
            place.number += 1;
        }
    }

    /// The longest name that may be one of the best.
    fn longest(&self, place: Place) -> usize {
        self.best.longest(self.scorer.bound.highest(), place.source)
    }

    /// Takes the name at hand if it is one of the best.
    fn consider(&mut self, place: Place) {
        let name = &self.name;
        let matters = |most| self.best.may_take(most, name.len(), place.source);
        if let Some(score) = self.scorer.score(name, matters) {
            self.best.add(score, name, place);
        }
    }
}

impl<'a, I: Iterator<Item = Group<'a>>> Late<I> {
    /// Makes the first name of the last group that was passed of the one that was spelled out last.
    fn catch_up(&mut self, head: &mut Vec<u8>) {
        for group in self.groups.by_ref().take(std::mem::take(&mut self.behind)) {
            if let Some(first) = group.iter().next() {
                first.apply(head);
            }
        }
    }
}

impl Pattern {
    fn new(pattern: &str, ignore_case: bool) -> Self {
        let bytes: Vec<Wanted> =
            pattern.bytes().map(|byte| Wanted::new(byte, ignore_case)).collect();
        // Only names that are not ASCII match what is not ASCII.
        let end = if pattern.is_ascii() { 0 } else { ANY_CLASS };
        let mut rest = vec![end; bytes.len() + 1];
        for (at, byte) in pattern.bytes().enumerate().rev() {
            rest[at] = rest[at + 1] | classes(byte);
        }
        Self { bytes, rest }
    }
}

impl Progress {
    fn new(pattern: &str) -> Self {
        Self { count: 0, lengths: vec![0; pattern.len()] }
    }

    fn become_like(&mut self, other: &Self) {
        self.count = other.count;
        self.lengths[..other.count].copy_from_slice(&other.lengths[..other.count]);
    }

    /// Goes on to the next name.
    #[inline]
    fn advance(&mut self, coded: &Coded<'_>, pattern: &Pattern) {
        let mut count = self.count;
        while count > 0 && usize::from(self.lengths[count - 1]) > coded.shared {
            count -= 1;
        }
        let mut at = 0;
        while let Some(wanted) = pattern.bytes.get(count) {
            let Some(found) = coded.find(*wanted, at) else { break };
            at = found + 1;
            self.lengths[count] = (coded.shared + at) as u16;
            count += 1;
        }
        self.count = count;
    }

    /// How many bytes of the pattern the name contains up to a length.
    fn within(&self, length: usize) -> usize {
        self.lengths[..self.count].partition_point(|end| usize::from(*end) <= length)
    }
}

impl Scorer {
    fn new(pattern: &str, ignore_case: bool) -> Self {
        Self {
            atom: Atom::new(
                pattern,
                CaseMatching::Smart,
                Normalization::Smart,
                AtomKind::Fuzzy,
                false,
            ),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
            bound: Bound::new(pattern.as_bytes(), ignore_case),
            is_ascii: pattern.is_ascii(),
        }
    }

    /// How well a name matches, if it does, and if `matters` says that it may matter at all.
    fn score(&mut self, stored: &[u8], matters: impl Fn(u16) -> bool) -> Option<u16> {
        let (name, _) = unmarked(stored);
        if name.is_ascii() {
            let worth = self.is_ascii && matters(self.bound.of(name));
            return worth.then(|| self.atom.score(Utf32Str::Ascii(name), &mut self.matcher))?;
        }
        let text = String::from_utf8_lossy(name);
        self.atom.score(Utf32Str::new(&text, &mut self.buffer), &mut self.matcher)
    }
}
