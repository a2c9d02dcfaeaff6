//! Names that contain a pattern as a subsequence, the best ones as `nucleo` sees them.
//!
//! Millions of names are looked at, so little is done for each. Names share beginnings with the
//! names before them, as in a trie: how much of the pattern their first *n* bytes contain is kept
//! for each *n*, and only a name's own bytes are looked at. A group of names is passed over by its
//! classes where the pattern cannot go on in it. What does contain the pattern is scored only where it
//! may be among the best ([`Bound`]).

use super::best::Best;
use super::block::{ANY_CLASS, Coded, Group, classes};
use super::bound::Bound;
use super::order::{CUT, unmarked};
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
    heads: Prefixes,
    names: Prefixes,
    /// The sets of the block at hand: whether they are wanted.
    wanted: Vec<bool>,
}

/// The bytes that a name must contain in this order.
struct Pattern {
    bytes: Vec<u8>,
    /// For each byte what it is compared as.
    fold: Box<[u8; 256]>,
    /// The classes of the bytes from each place on.
    rest: Vec<u32>,
}

/// A name, and for each length how much of the pattern its beginning contains.
struct Prefixes {
    name: Vec<u8>,
    matched: Box<[u16; CUT + 1]>,
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
            heads: Prefixes::new(),
            names: Prefixes::new(),
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
        let mut number = block.first();
        for group in block.groups() {
            let mut names = group.iter();
            if let Some(first) = names.next() {
                self.heads.extend(&first, &self.pattern);
                if self.may_have(&group) {
                    self.scan_group(Place { source, number }, &first, names);
                }
            }
            number += group.names as u32;
        }
    }

    /// Whether a name of the group may contain the rest of the pattern.
    fn may_have(&self, group: &Group<'_>) -> bool {
        let matched = usize::from(self.heads.matched[group.common]);
        let rest = self.pattern.rest[matched];
        rest & !group.classes == 0
    }

    fn scan_group<'a>(
        &mut self,
        mut place: Place,
        first: &Coded<'_>,
        others: impl Iterator<Item = Coded<'a>>,
    ) {
        self.names.clone_from(&self.heads);
        let mut set = first.set.unwrap_or_default();
        self.consider(place, set);
        for coded in others {
            place.number += 1;
            set = coded.set.unwrap_or(set);
            self.names.extend(&coded, &self.pattern);
            self.consider(place, set);
        }
    }

    /// Takes the name at hand if it is one of the best.
    fn consider(&mut self, place: Place, set: u8) {
        let name = &self.names.name;
        let contains = self.names.matched() == self.pattern.bytes.len();
        let is_wanted = self.wanted.get(usize::from(set)).is_some_and(|wanted| *wanted);
        if !is_wanted || !(contains || self.scorer.may_match_otherwise(name)) {
            return;
        }
        let matters = |most| self.best.may_take(most, name.len(), place.source);
        if !matters(self.scorer.bound.highest()) {
            return;
        }
        if let Some(score) = self.scorer.score(name, matters) {
            self.best.add(score, name, place);
        }
    }
}

impl Pattern {
    fn new(pattern: &str, ignore_case: bool) -> Self {
        let mut fold = Box::new([0; 256]);
        for byte in 0..=255u8 {
            fold[usize::from(byte)] = if ignore_case { byte.to_ascii_lowercase() } else { byte };
        }
        let bytes = pattern.as_bytes().to_vec();
        // Only names that are not ASCII match what is not ASCII.
        let end = if pattern.is_ascii() { 0 } else { ANY_CLASS };
        let mut rest = vec![end; bytes.len() + 1];
        for (at, byte) in bytes.iter().enumerate().rev() {
            rest[at] = rest[at + 1] | classes(*byte);
        }
        Self { bytes, fold, rest }
    }
}

impl Prefixes {
    fn new() -> Self {
        Self { name: Vec::with_capacity(CUT), matched: Box::new([0; CUT + 1]) }
    }

    fn clone_from(&mut self, other: &Self) {
        self.name.clone_from(&other.name);
        let known = other.name.len() + 1;
        self.matched[..known].copy_from_slice(&other.matched[..known]);
    }

    /// How much of the pattern the whole name contains.
    fn matched(&self) -> usize {
        usize::from(self.matched[self.name.len()])
    }

    /// Becomes the next name.
    #[inline]
    fn extend(&mut self, coded: &Coded<'_>, pattern: &Pattern) {
        self.name.truncate(coded.shared);
        self.name.extend_from_slice(coded.own);
        let mut matched = self.matched[coded.shared];
        let after = &mut self.matched[coded.shared + 1..];
        for (byte, after) in coded.own.iter().zip(after) {
            let wanted = pattern.bytes.get(usize::from(matched));
            matched += u16::from(wanted == Some(&pattern.fold[usize::from(*byte)]));
            *after = matched;
        }
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

    /// Whether the name may match although it does not contain the pattern's bytes: `é` matches `e`.
    fn may_match_otherwise(&self, name: &[u8]) -> bool {
        !name.is_ascii()
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
