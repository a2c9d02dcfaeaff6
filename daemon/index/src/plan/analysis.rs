//! What strings a regular expression can match, as far as trigrams see.
//!
//! The algorithm is Russ Cox's ("Regular Expression Matching with a Trigram
//! Index", 2012). Bottom-up, an expression is known either by the *exact* set of
//! its strings, or, once that is too large, by what its matches begin with and
//! end with and by the plans that they *need*. All strings are folded.
//!
//! Sets and the list of needs are bounded at each step, and the copies of a
//! repetition bring no needs of their own, so that time and memory stay linear
//! in the pattern. Recursion goes as deep as the parser's nesting limit, 250.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use super::Plan;
use crate::trigram::{fold, pack};

/// Strings in a set.
const MAX_SET: usize = 64;
/// Bytes of a string that is exact and alone in its set.
const MAX_LEN: usize = 256;
/// Once all strings of a larger set are so long, they are turned into needs.
const LONG: usize = 4;
/// Characters of a class that are told apart.
const MAX_CLASS: u32 = 160;
/// Copies of a repeated expression that are looked at; with four there is
/// every trigram that more copies could have.
const MAX_COPIES: u32 = 4;
/// Trigrams among the needs of a sequence.
const MAX_NEEDS: usize = 1_024;

/// The plan of the lines in which the expression matches.
pub(super) fn of(hir: &Hir) -> Plan {
    info(hir).into_plan()
}

/// Folded strings, ascending, each once.
type Set = Vec<Vec<u8>>;

/// What is known of the matches of an expression.
struct Info {
    ends: Ends,
    /// Plans that hold wherever the expression matches.
    needs: Vec<Plan>,
    /// The trigrams in `needs`.
    size: usize,
}

enum Ends {
    /// A match is one of these strings.
    Exact(Set),
    /// A match begins with one of the first and ends with one of the second,
    /// none longer than two bytes: more is never part of a trigram with what
    /// comes before or after.
    Open { prefix: Set, suffix: Set },
}

fn info(hir: &Hir) -> Info {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Info::exact(vec![Vec::new()]),
        HirKind::Literal(literal) => literal_info(&literal.0),
        HirKind::Class(class) => class_info(class),
        HirKind::Repetition(repetition) => repetition_info(repetition),
        HirKind::Capture(capture) => info(&capture.sub),
        HirKind::Concat(subs) => subs
            .iter()
            .map(info)
            .reduce(Info::then)
            .unwrap_or_else(|| Info::exact(vec![Vec::new()])),
        HirKind::Alternation(subs) => alternation_info(subs),
    }
}

// No line has a `\n`, and the matcher refuses such a pattern with its own words,
// which it can only do where it gets to see a candidate.
fn literal_info(bytes: &[u8]) -> Info {
    if bytes.contains(&b'\n') {
        return Info::anything();
    }
    Info::exact(vec![bytes.iter().map(|&byte| fold(byte)).collect()])
}

fn class_info(class: &Class) -> Info {
    let mut set = Set::new();
    match class {
        Class::Unicode(class) => {
            let size: u32 =
                class.iter().map(|range| range.end() as u32 - range.start() as u32 + 1).sum();
            if size > MAX_CLASS {
                return Info::anything();
            }
            for char in class.iter().flat_map(|range| range.start()..=range.end()) {
                set.push(char.encode_utf8(&mut [0; 4]).bytes().map(fold).collect());
            }
        }
        Class::Bytes(class) => {
            for byte in class.iter().flat_map(|range| range.start()..=range.end()) {
                set.push(vec![fold(byte)]);
            }
        }
    }
    let only_newline = set.len() == 1 && set[0] == b"\n";
    if only_newline {
        return Info::anything();
    }
    set.retain(|string| string != b"\n");
    normalize(&mut set);
    if set.len() > MAX_SET { Info::anything() } else { Info::exact(set) }
}

fn repetition_info(repetition: &Repetition) -> Info {
    let Repetition { min, max, ref sub, .. } = *repetition;
    match (min, max) {
        (_, Some(0)) => Info::exact(vec![Vec::new()]),
        (0, Some(1)) => Info::either(vec![info(sub), Info::exact(vec![Vec::new()])]),
        (0, _) => Info::anything(),
        _ => {
            let once = info(sub);
            let copies: Vec<Info> = (1..min.min(MAX_COPIES)).map(|_| once.copy()).collect();
            let whole = copies.into_iter().fold(once, Info::then);
            // More copies may come between: then a match still begins with the
            // first copies and ends with the last ones.
            if max == Some(min) && min <= MAX_COPIES { whole } else { whole.open() }
        }
    }
}

fn alternation_info(subs: &[Hir]) -> Info {
    let share = (2 * super::MAX_TRIGRAMS / subs.len().max(1)).max(1);
    Info::either(subs.iter().map(|sub| info(sub).bounded(share)).collect())
}

impl Info {
    fn exact(set: Set) -> Self {
        Self { ends: Ends::Exact(set), needs: Vec::new(), size: 0 }.settled()
    }

    fn anything() -> Self {
        let any = || vec![Vec::new()];
        let ends = Ends::Open { prefix: any(), suffix: any() };
        Self { ends, needs: Vec::new(), size: 0 }
    }

    /// The same strings without their needs, to stand beside the original.
    fn copy(&self) -> Self {
        let ends = match &self.ends {
            Ends::Exact(set) => Ends::Exact(set.clone()),
            Ends::Open { prefix, suffix } => {
                Ends::Open { prefix: prefix.clone(), suffix: suffix.clone() }
            }
        };
        Self { ends, needs: Vec::new(), size: 0 }
    }

    fn need(&mut self, plan: Plan) {
        let size = plan.trigrams();
        if plan == Plan::None || self.size + size <= MAX_NEEDS {
            self.size += size;
            self.needs.push(plan);
        }
    }

    /// This expression and then the other.
    fn then(mut self, next: Self) -> Self {
        for plan in next.needs {
            self.need(plan);
        }
        let joined = match (self.ends, next.ends) {
            (Ends::Exact(a), Ends::Exact(b)) if a.len() * b.len() <= MAX_SET => {
                let ends = Ends::Exact(cross(&a, &b));
                return Self { ends, needs: self.needs, size: self.size }.settled();
            }
            joined => joined,
        };
        let mut both = Self { ends: Self::anything().ends, needs: self.needs, size: self.size };
        both.join(&joined.0, &joined.1);
        both
    }

    /// Makes the ends those of `first` and then `second`, which are not exact
    /// together, and needs what lies at their border.
    fn join(&mut self, first: &Ends, second: &Ends) {
        let (mut prefix, left) = match first {
            Ends::Exact(set) => {
                self.need(strings_plan(set));
                (extended(set, second), tails(set))
            }
            Ends::Open { prefix, suffix } => (prefix.clone(), suffix.clone()),
        };
        let (mut suffix, right) = match second {
            Ends::Exact(set) => {
                self.need(strings_plan(set));
                (extended_back(set, first), heads(set))
            }
            Ends::Open { prefix, suffix } => (suffix.clone(), prefix.clone()),
        };
        self.need(border_plan(&left, &right));
        shorten(&mut prefix, head);
        shorten(&mut suffix, tail);
        self.ends = Ends::Open { prefix, suffix };
    }

    /// One of the expressions.
    fn either(infos: Vec<Self>) -> Self {
        let exact = infos.iter().map(|info| match &info.ends {
            Ends::Exact(set) if info.needs.is_empty() => Some(set.len()),
            _ => None,
        });
        if exact.sum::<Option<usize>>().is_some_and(|strings| strings <= MAX_SET) {
            let mut set = Set::new();
            for info in infos {
                if let Ends::Exact(strings) = info.ends {
                    set.extend(strings);
                }
            }
            normalize(&mut set);
            return Self::exact(set);
        }
        let (mut prefix, mut suffix, mut plans) = (Set::new(), Set::new(), Vec::new());
        for info in infos {
            let info = info.open();
            if let Ends::Open { prefix: heads, suffix: tails } = info.ends {
                prefix.extend(heads);
                suffix.extend(tails);
            }
            plans.push(Plan::and(info.needs));
            // As many alternatives as there may be, the sets stay small.
            if prefix.len().max(suffix.len()) > 16 * MAX_SET {
                shorten(&mut prefix, head);
                shorten(&mut suffix, tail);
            }
        }
        shorten(&mut prefix, head);
        shorten(&mut suffix, tail);
        let mut either = Self { ends: Ends::Open { prefix, suffix }, needs: Vec::new(), size: 0 };
        either.need(Plan::or(plans).bounded(MAX_NEEDS));
        either
    }

    /// Gives exactness up: the strings become needs and ends.
    fn open(mut self) -> Self {
        if let Ends::Exact(set) = &self.ends {
            let (plan, mut prefix, mut suffix) = (strings_plan(set), heads(set), tails(set));
            shorten(&mut prefix, head);
            shorten(&mut suffix, tail);
            self.ends = Ends::Open { prefix, suffix };
            self.need(plan);
        }
        self
    }

    /// Keeps an exact set only while it is small.
    fn settled(self) -> Self {
        let Ends::Exact(set) = &self.ends else { return self };
        let longest = set.iter().map(Vec::len).max().unwrap_or(0);
        let shortest = set.iter().map(Vec::len).min().unwrap_or(0);
        let small = longest <= MAX_LEN && (set.len() == 1 || shortest < LONG);
        if set.is_empty() || small && set.len() <= MAX_SET { self } else { self.open() }
    }

    fn bounded(mut self, budget: usize) -> Self {
        if self.size > budget {
            let plan = Plan::and(std::mem::take(&mut self.needs)).bounded(budget);
            self.size = 0;
            self.need(plan);
        }
        self
    }

    fn into_plan(self) -> Plan {
        Plan::and(self.open().needs)
    }
}

fn normalize(set: &mut Set) {
    set.sort_unstable();
    set.dedup();
}

/// Each string of the first with each of the second.
fn cross(first: &Set, second: &Set) -> Set {
    let join = |a: &Vec<u8>, b: &Vec<u8>| [a.as_slice(), b.as_slice()].concat();
    let mut set: Set = first.iter().flat_map(|a| second.iter().map(move |b| join(a, b))).collect();
    normalize(&mut set);
    set
}

/// Shortens a string to at most so many bytes.
type Cut = fn(&[u8], usize) -> &[u8];

/// A string's first bytes, at most `len`.
fn head(string: &[u8], len: usize) -> &[u8] {
    &string[..len.min(string.len())]
}

/// A string's last bytes, at most `len`.
fn tail(string: &[u8], len: usize) -> &[u8] {
    &string[string.len().saturating_sub(len)..]
}

fn heads(set: &Set) -> Set {
    set.iter().map(|string| head(string, 2).to_vec()).collect()
}

fn tails(set: &Set) -> Set {
    set.iter().map(|string| tail(string, 2).to_vec()).collect()
}

/// The heads of `set` and then `next`: short strings reach into what follows.
fn extended(set: &Set, next: &Ends) -> Set {
    let following = match next {
        Ends::Exact(set) => heads(set),
        Ends::Open { prefix, .. } => prefix.clone(),
    };
    let (short, long): (Set, Set) = set.iter().cloned().partition(|string| string.len() < 2);
    [cross(&short, &following), heads(&long)].concat()
}

/// The tails of `before` and then `set`.
fn extended_back(set: &Set, before: &Ends) -> Set {
    let preceding = match before {
        Ends::Exact(set) => tails(set),
        Ends::Open { suffix, .. } => suffix.clone(),
    };
    let (short, long): (Set, Set) = set.iter().cloned().partition(|string| string.len() < 2);
    [cross(&preceding, &short), tails(&long)].concat()
}

/// Cuts strings to two bytes, or fewer until the set is small; one that is
/// empty says all that the set can say.
fn shorten(set: &mut Set, cut: Cut) {
    for len in [2, 1, 0] {
        set.iter_mut().for_each(|string| *string = cut(string, len).to_vec());
        normalize(set);
        if set.first().is_some_and(Vec::is_empty) {
            set.truncate(1);
        }
        if set.len() <= MAX_SET {
            return;
        }
    }
}

/// What a text needs that contains one of the strings.
fn strings_plan(set: &Set) -> Plan {
    Plan::or(set.iter().map(|string| string_plan(string)).collect())
}

fn string_plan(string: &[u8]) -> Plan {
    let windows = string.windows(3).take(MAX_NEEDS / 2);
    Plan::and(windows.map(|w| Plan::Trigram(pack([w[0], w[1], w[2]]))).collect())
}

/// What a text needs that has one of the first strings and right after it one of
/// the second.
fn border_plan(left: &Set, right: &Set) -> Plan {
    let (mut left, mut right) = (left.clone(), right.clone());
    if left.len() * right.len() > MAX_SET {
        shorten_to(&mut left, &mut right);
    }
    if left.len() * right.len() > MAX_SET {
        return Plan::All;
    }
    strings_plan(&cross(&left, &right))
}

/// Gives up a byte of the larger side.
fn shorten_to(left: &mut Set, right: &mut Set) {
    let (set, cut): (_, Cut) = if left.len() > right.len() { (left, tail) } else { (right, head) };
    set.iter_mut().for_each(|string| *string = cut(string, 1).to_vec());
    normalize(set);
}
