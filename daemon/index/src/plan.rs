//! From patterns to a boolean query over trigrams.
//!
//! A [`Plan`] says which trigrams a document must have for a line of it to be
//! able to match. It errs on one side only: a document that it rejects has no
//! match. Which is why whatever is too large or not understood becomes
//! [`Plan::All`], and why a plan must not be used where lines that do *not* match
//! are wanted.
//!
//! What strings a pattern can match is worked out in `analysis`; this file has
//! the query itself, its simplification and its bounds.

mod analysis;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use crate::trigram::Trigram;

/// The most trigrams that stand in a plan; with the nodes that join them this
/// makes at most twice as many nodes.
pub const MAX_TRIGRAMS: usize = 2_048;

/// Which documents can match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// Any document.
    All,
    /// No document.
    None,
    /// Documents that have the trigram.
    Trigram(Trigram),
    /// Documents that satisfy each of two or more plans, rare trigrams first.
    And(Vec<Self>),
    /// Documents that satisfy one of two or more plans.
    Or(Vec<Self>),
}

/// How patterns are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// Patterns are literal text, as with `-F`.
    pub fixed_strings: bool,
    /// Letters match in both cases, as with `-i`; smart case is decided before.
    pub case_insensitive: bool,
}

/// The plan of all lines that match one of the patterns.
///
/// Patterns are read as ripgrep reads them by default: Unicode on, one line at a
/// time. For a search that reads them otherwise (`--no-unicode`, `--multiline`,
/// `--null-data`) only [`Plan::All`] is right. Where a pattern cannot be read the
/// plan is `All` as well: the matcher says what is wrong.
///
/// ```
/// use hob_index::plan::{Plan, PlanOptions, plan};
/// use hob_index::trigram::pack;
/// let plan = plan(&["Foo|b[ae]r".to_owned()], PlanOptions::default());
/// let trigrams = [b"bar", b"ber", b"foo"].map(|bytes| Plan::Trigram(pack(*bytes)));
/// assert_eq!(plan, Plan::Or(trigrams.to_vec()));
/// ```
pub fn plan(patterns: &[String], options: PlanOptions) -> Plan {
    parse(patterns, options).map_or(Plan::All, |hir| analysis::of(&hir).bounded(MAX_TRIGRAMS))
}

// Joined as text, not as trees, because `grep-regex` does so: a pattern like
// `a)|(?:b` means something only there.
fn parse(patterns: &[String], options: PlanOptions) -> Option<Hir> {
    if patterns.is_empty() {
        return None;
    }
    let groups: Vec<String> = patterns
        .iter()
        .map(|pattern| match options.fixed_strings {
            true => format!("(?:{})", regex_syntax::escape(pattern)),
            false => format!("(?:{pattern})"),
        })
        .collect();
    ParserBuilder::new()
        .utf8(false)
        .multi_line(true)
        .case_insensitive(options.case_insensitive)
        .build()
        .parse(&groups.join("|"))
        .ok()
}

impl Plan {
    /// Both of the plans hold, for any number of plans.
    pub fn and(plans: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(plans.len());
        for plan in plans {
            match plan {
                Self::All => (),
                Self::None => return Self::None,
                Self::And(plans) => flat.extend(plans),
                other => flat.push(other),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        flat.sort_by_key(Self::commonness);
        match flat.len() {
            0 => Self::All,
            1 => flat.swap_remove(0),
            _ => Self::And(flat),
        }
    }

    /// One of the plans holds, for any number of plans.
    pub fn or(plans: Vec<Self>) -> Self {
        let mut flat = Vec::with_capacity(plans.len());
        for plan in plans {
            match plan {
                Self::All => return Self::All,
                Self::None => (),
                Self::Or(plans) => flat.extend(plans),
                other => flat.push(other),
            }
        }
        flat.sort_unstable();
        flat.dedup();
        match flat.len() {
            0 => Self::None,
            1 => flat.swap_remove(0),
            _ => Self::Or(flat),
        }
    }

    /// How many trigrams stand in the plan.
    pub fn trigrams(&self) -> usize {
        match self {
            Self::All | Self::None => 0,
            Self::Trigram(_) => 1,
            Self::And(plans) | Self::Or(plans) => plans.iter().map(Self::trigrams).sum(),
        }
    }

    /// A plan of at most `budget` trigrams that accepts what this one accepts,
    /// and perhaps more.
    pub(crate) fn bounded(self, budget: usize) -> Self {
        if self.trigrams() <= budget {
            return self;
        }
        match self {
            Self::And(plans) => Self::and(fitting(plans, budget)),
            Self::Or(plans) => bounded_or(plans, budget),
            _ => Self::All,
        }
    }

    /// A guess, without an index at hand: plans that accept few documents first.
    fn commonness(&self) -> u32 {
        match self {
            Self::Trigram(trigram) => {
                trigram.to_be_bytes()[1..].iter().map(|&b| byte_rank(b)).sum()
            }
            _ => u32::MAX,
        }
    }
}

/// The conjuncts that the budget has room for; leaving some out only accepts more.
fn fitting(plans: Vec<Plan>, mut budget: usize) -> Vec<Plan> {
    let mut kept = Vec::new();
    for plan in plans {
        let plan = plan.bounded(budget);
        budget -= plan.trigrams();
        kept.push(plan);
        if budget == 0 {
            break;
        }
    }
    kept
}

/// Small alternatives leave the rest of their share to the larger ones.
fn bounded_or(mut plans: Vec<Plan>, mut budget: usize) -> Plan {
    plans.sort_by_cached_key(Plan::trigrams);
    let mut kept = Vec::with_capacity(plans.len());
    let mut left = plans.len();
    for plan in plans {
        let plan = plan.bounded(budget / left);
        if plan == Plan::All {
            return Plan::All;
        }
        budget -= plan.trigrams();
        left -= 1;
        kept.push(plan);
    }
    Plan::or(kept)
}

/// How common the byte is in source text, roughly: the larger the commoner.
fn byte_rank(byte: u8) -> u32 {
    match byte {
        b' ' | b'\t' => 12,
        b'e' | b't' | b'r' | b'i' | b's' | b'n' | b'a' | b'o' => 9,
        b'_' | b'd' | b'c' | b'l' | b'u' | b'p' | b'f' | b'm' => 7,
        b'q' | b'z' | b'j' | b'x' => 2,
        b'a'..=b'z' | b'(' | b')' | b'0' | b';' | b',' | b'*' | b'=' | b'-' => 5,
        0x80.. => 1,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn show(plan: &Plan) -> String {
        let join = |plans: &[Plan], by: &str| {
            format!("({})", plans.iter().map(show).collect::<Vec<_>>().join(by))
        };
        match plan {
            Plan::All => "all".to_owned(),
            Plan::None => "none".to_owned(),
            Plan::Trigram(trigram) => trigram.to_be_bytes()[1..].escape_ascii().to_string(),
            Plan::And(plans) => join(plans, " "),
            Plan::Or(plans) => join(plans, " | "),
        }
    }

    fn check(pattern: &str, expect: Expect) {
        let plan = plan(&[pattern.to_owned()], PlanOptions::default());
        expect.assert_eq(&show(&plan));
    }

    #[test]
    fn literals_and_classes() {
        check("Mutex", expect!["(tex mut ute)"]);
        check("ab", expect!["all"]);
        check("[ab]cd", expect!["(acd | bcd)"]);
        check("foo.*bar", expect!["(bar foo)"]);
        check("(foo|barn)[xy]", expect!["((bar rny arn) | (oox foo) | (ooy foo) | (rnx bar arn))"]);
        check(r"^\bfn main\($", expect!["(in( mai ain  ma fn  n m)"]);
        check("x{3}y+", expect!["(xxx xxy)"]);
        check(r"a\nb", expect!["all"]);
        check(r"\d\d", expect!["all"]);
        check("(", expect!["all"]);
        check(r"[^\s\S]", expect!["none"]);
    }

    #[test]
    fn folding_keeps_letters_beyond_ascii() {
        check("(?i)kin", expect![[r#"(kin | (\xe2\x84\xaa \x84\xaai \xaain))"#]]);
        check("(?i)ß!!", expect![[r#"((\xc3\x9f! \x9f!!) | (\xe1\xba\x9e \xba\x9e! \x9e!!))"#]]);
    }

    #[test]
    fn fixed_strings_and_several_patterns() {
        let patterns = ["a.c".to_owned(), "x*yz".to_owned()];
        let fixed = PlanOptions { fixed_strings: true, ..PlanOptions::default() };
        expect!["(a.c | (*yz x*y))"].assert_eq(&show(&plan(&patterns, fixed)));
        expect!["all"].assert_eq(&show(&plan(&patterns, PlanOptions::default())));
        assert_eq!(plan(&[], fixed), Plan::All);
    }

    #[test]
    fn large_patterns_make_bounded_plans() {
        let alternatives: Vec<String> =
            (0..10_000).map(|i| format!("word{}x{i}", i * 7919)).collect();
        let classes = "[ab][cd]{3}".repeat(5_000);
        let nested = format!("{}abc{}", "(?:x(".repeat(110), "){3,5}|y)".repeat(110));
        for pattern in [
            alternatives.join("|"),
            alternatives[..500].join("|"),
            classes,
            nested,
            "long literal ".repeat(8_000),
            "(?i)".to_owned() + &"kiss".repeat(5_000),
            "(".repeat(50_000),
            "a|".repeat(20_000),
        ] {
            let plan = plan(&[pattern], PlanOptions::default());
            assert!(plan.trigrams() <= MAX_TRIGRAMS, "{}", plan.trigrams());
        }
        let some = plan(&alternatives[..500], PlanOptions::default());
        assert!(some != Plan::All, "a bounded plan still selects");
    }
}
