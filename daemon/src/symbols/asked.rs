//! What a query for symbols asks, and how well a name answers it.

use grep_matcher::Matcher as _;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use hob_index::names::{Filter, Score};
use hob_index::symbols::Kind;
use hob_index::symbols::languages::{self, Language};
use hob_protocol::{Matched, SymbolsQuery};
use std::cmp::Reverse;

use super::SymbolsError;
use crate::nearest::nearest;

/// A query, understood.
pub(super) struct Asked {
    /// The name, its beginning, or some of its letters.
    pub(super) name: Vec<u8>,
    /// What encloses it, where the query says so: `Vec` in `Vec::push`.
    pub(super) container: Option<Vec<u8>>,
    /// The query as it stands, where that may be a name as well: `package.json`.
    pub(super) whole: Vec<u8>,
    pub(super) filter: Filter,
    score: Score,
    /// Only names that are the query.
    pub(super) exact: bool,
    /// At most so many.
    pub(super) limit: usize,
}

/// How well a name answers: the least is the best.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) tier: Tier,
    score: Reverse<u32>,
    length: usize,
    name: Box<[u8]>,
    kind: u8,
}

/// The sorts of answers, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// The name, letter for letter.
    Exact,
    /// The name in other cases.
    Folded,
    Prefix,
    Fuzzy,
}

impl Tier {
    pub(super) fn matched(self) -> Matched {
        match self {
            Self::Exact | Self::Folded => Matched::Exact,
            Self::Prefix => Matched::Prefix,
            Self::Fuzzy => Matched::Fuzzy,
        }
    }
}

impl Asked {
    /// Understands a query, whose answer has so many symbols at most.
    pub(super) fn new(query: &SymbolsQuery, most_symbols: usize) -> Result<Self, SymbolsError> {
        if query.query.trim().is_empty() {
            return Err(SymbolsError::Empty);
        }
        let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
        let limit = limit.unwrap_or(most_symbols).min(most_symbols);
        let kinds = query.kinds.iter().map(|name| kind(name));
        let mut kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        if kinds.is_empty() {
            // It names no more than what it is of, which is defined elsewhere.
            kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Impl).collect();
        }
        let languages = query.languages.iter().map(|name| Ok(language(name)?.number));
        let languages = languages.collect::<Result<Vec<_>, SymbolsError>>()?;
        let (container, name) = qualified(query.query.trim());
        Ok(Self {
            score: Score::new(name),
            name: name.into(),
            container: container.map(Into::into),
            whole: query.query.trim().into(),
            filter: Filter::new(&kinds, &languages),
            exact: query.exact,
            limit,
        })
    }

    /// How well a name answers; `None` where it does not.
    pub(super) fn tier(&mut self, name: &[u8]) -> Option<(Tier, u32)> {
        let equal = |wanted: &[u8]| {
            let tier = if name == wanted { Tier::Exact } else { Tier::Folded };
            name.eq_ignore_ascii_case(wanted).then_some((tier, 0))
        };
        if let Some(tier) = equal(&self.name).or_else(|| equal(&self.whole)) {
            return Some(tier);
        }
        if self.exact {
            return None;
        }
        if name.get(..self.name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(&self.name)) {
            return Some((Tier::Prefix, 0));
        }
        // What is named with what encloses it is known, and not looked for.
        match self.container {
            None => Some((Tier::Fuzzy, u32::from(self.score.of(name)?))),
            Some(_) => None,
        }
    }

    /// Whether a name that was read from its file, and what encloses it, are as asked.
    pub(super) fn accepts(&self, name: &[u8], container: Option<&[u8]>, whole: bool) -> bool {
        // What is stored of a very long name is its beginning.
        let begins = || {
            name.get(..self.name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(&self.name))
        };
        let around = match &self.container {
            Some(wanted) if !name.eq_ignore_ascii_case(&self.whole) => {
                container.is_some_and(|container| encloses(container, wanted))
            }
            _ => true,
        };
        (whole || begins()) && around
    }

    /// Tells of a text whether the name may be defined in it.
    pub(super) fn finder(&self) -> Finder {
        let name = bytes_pattern(&self.name);
        Finder(RegexMatcherBuilder::new().case_insensitive(true).build(&name).ok())
    }
}

/// Looks for a name in a text, whatever its case.
pub(super) struct Finder(Option<RegexMatcher>);

impl Finder {
    pub(super) fn has(&self, text: &[u8]) -> bool {
        self.0.as_ref().is_none_or(|matcher| matcher.is_match(text).unwrap_or(true))
    }
}

/// Whether the last parts of what encloses a definition are those that are wanted.
fn encloses(container: &[u8], wanted: &[u8]) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    let parts = |text: &[u8]| -> Vec<Vec<u8>> {
        let parts = text.split(|byte| !is_part(byte)).filter(|part| !part.is_empty());
        parts.map(<[u8]>::to_ascii_lowercase).rev().collect()
    };
    let (container, wanted) = (parts(container), parts(wanted));
    // A file does not know all that encloses it: `Vec` is as good as `std::vec::Vec`.
    let mut both = container.iter().zip(&wanted).peekable();
    both.peek().is_some() && both.all(|(part, wanted)| part == wanted)
}

impl Rank {
    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    pub(super) fn new((tier, score): (Tier, u32), name: &[u8], kind: Kind) -> Self {
        Self {
            tier,
            score: Reverse(score),
            length: name.len(),
            name: name.into(),
            kind: order(kind),
        }
    }
}

/// Of equal names those come first that other code refers to most.
fn order(kind: Kind) -> u8 {
    match kind {
        Kind::Class | Kind::Struct | Kind::Interface | Kind::Trait | Kind::Enum | Kind::Union => 0,
        Kind::Type | Kind::Function | Kind::Method | Kind::Constructor | Kind::Module => 1,
        Kind::Macro | Kind::Constant => 2,
        Kind::Variable | Kind::Enumerator | Kind::Section => 3,
        Kind::Field | Kind::Property | Kind::Key | Kind::Impl => 4,
    }
}

/// What encloses the name in a query, and the name: `Vec` and `push` in `Vec::push`, `Vec.push` or
/// `Vec#push`.
fn qualified(query: &str) -> (Option<&str>, &str) {
    let split = ["::", ".", "#", "->"].iter().filter_map(|sign| {
        let at = query.rfind(sign)?;
        Some((at, at + sign.len()))
    });
    match split.max_by_key(|(_, end)| *end) {
        Some((at, end)) if at > 0 && end < query.len() => (Some(&query[..at]), &query[end..]),
        _ => (None, query),
    }
}

fn bytes_pattern(name: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut pattern = String::from("(?-u)");
    for byte in name {
        let _ = write!(pattern, "\\x{byte:02x}");
    }
    pattern
}

fn kind(name: &str) -> Result<Kind, SymbolsError> {
    Kind::from_name(&name.to_ascii_lowercase()).ok_or_else(|| SymbolsError::Unknown {
        what: "kind",
        name: name.to_owned(),
        near: nearest(name, Kind::ALL.iter().map(|kind| kind.name())).map(str::to_owned),
        list: "hob languages",
    })
}

fn language(name: &str) -> Result<&'static Language, SymbolsError> {
    languages::by_name(name).ok_or_else(|| {
        let names = languages::all().iter().flat_map(|language| {
            std::iter::once(language.name).chain(language.aliases.iter().copied())
        });
        SymbolsError::Unknown {
            what: "language",
            name: name.to_owned(),
            near: nearest(name, names).map(str::to_owned),
            list: "hob languages",
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Asked {
        Asked::new(&SymbolsQuery::in_dir("/", query), 1000).ok().unwrap()
    }

    #[test]
    fn a_query_may_say_what_encloses_the_name() {
        for (query, container, name) in [
            ("push", None, "push"),
            ("Vec::push", Some("Vec"), "push"),
            ("std::vec::Vec::push", Some("std::vec::Vec"), "push"),
            ("Server.serve", Some("Server"), "serve"),
            ("String#sub", Some("String"), "sub"),
            ("list->next", Some("list"), "next"),
            (".config", None, ".config"),
            ("end.", None, "end."),
        ] {
            let asked = asked(query);
            let found = asked.container.as_deref().map(|name| std::str::from_utf8(name).unwrap());
            assert_eq!((found, asked.name.as_slice()), (container, name.as_bytes()), "of {query}");
        }
    }

    #[test]
    fn the_best_answers_come_first() {
        let mut asked = asked("read");
        let mut names = ["thread", "Read", "readdir", "read", "re_a_d", "write", "read_at"]
            .into_iter()
            .filter_map(|name| {
                Some(Rank::new(asked.tier(name.as_bytes())?, name.as_bytes(), Kind::Function))
            })
            .collect::<Vec<_>>();
        names.sort();
        let names: Vec<_> =
            names.iter().map(|rank| std::str::from_utf8(&rank.name).unwrap()).collect();
        assert_eq!(names, ["read", "Read", "read_at", "readdir", "re_a_d", "thread"]);
    }
}
