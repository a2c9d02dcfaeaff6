//! What a request in words asks about: its words, the identifiers in it, and the places that it
//! names outright.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::words::{Like, Word, each, runs, split};

/// A request, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Its words, without the common ones, each once.
    pub terms: Vec<Term>,
    /// Names that it may mean.
    pub names: Vec<Name>,
    /// Whole identifiers that it has, or that words of it make together.
    pub identifiers: Vec<Word>,
    /// The words before the first colon, as `server` in `fix(server): …`.
    pub area: Vec<Word>,
    /// Files that it names, and lines of them.
    pub places: Vec<Place>,
    /// What finds its words and names in a text.
    pub like: Like,
    /// Whether it speaks of tests.
    pub of_tests: bool,
}

/// A word of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The word.
    pub word: Word,
    /// What it counts: the root of how often it occurs, at most 3.
    pub weight: f32,
    /// Whether the first line has it.
    pub in_subject: bool,
}

/// A name that a request may mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The compound, or the word.
    pub word: Word,
    /// Whether it is written as in code; otherwise it was joined of words that follow one another.
    pub is_code: bool,
}

/// A file that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path, or the end of one.
    pub path: Vec<u8>,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// How much of a request is read: what it begins with, and more of its end, where what a program prints says
/// what went wrong.
const READ_BYTES: usize = 64 << 10;
const HEAD_BYTES: usize = 16 << 10;
/// How many different words count.
const TERMS: usize = 256;
/// How many names and places count.
const NAMES: usize = 64;

impl Request {
    /// Takes a request apart.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = &*within(text);
        let bytes = text.as_bytes();
        let mut request = Self { places: places(text), ..Self::default() };
        let mut written = Vec::new();
        request.of_tests = request.count(bytes, &mut written);
        request.find_names(bytes, &mut written);
        request.like = Like::of(written);
        request.area = area(text);
        request
    }

    /// Counts its words, and says whether one of them is of tests.
    fn count<'t>(&mut self, text: &'t [u8], written: &mut Vec<&'t [u8]>) -> bool {
        let subject = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let mut counts: HashMap<Word, (std::ops::Range<usize>, f32)> = HashMap::new();
        let mut of_tests = false;
        each(text, |found| {
            let word = &text[found.range.clone()];
            of_tests |= [&b"test"[..], b"tests", b"testing"]
                .iter()
                .any(|test| word.eq_ignore_ascii_case(test));
            if !is_common(word) && !found.is_compound {
                counts.entry(found.word).or_insert((found.range, 0.0)).1 += 1.0;
            }
        });
        let mut counted: Vec<_> = counts.into_iter().collect();
        counted.sort_by_key(|(_, (first, _))| first.start);
        counted.truncate(TERMS);
        for (word, (first, count)) in counted {
            let (weight, in_subject) = (count.sqrt().min(3.0), first.start < subject);
            self.terms.push(Term { word, weight, in_subject });
            written.push(&text[first]);
        }
        of_tests
    }

    fn find_names<'t>(&mut self, text: &'t [u8], written: &mut Vec<&'t [u8]>) {
        let mut names: Vec<Name> = Vec::new();
        // Of words that are joined, the longest is what to look for.
        let mut add = |word: Word, longest: &'t [u8], is_code: bool| {
            if let Some(known) = names.iter_mut().find(|known| known.word == word) {
                known.is_code |= is_code;
            } else if names.len() < NAMES {
                names.push(Name { word, is_code });
                written.push(longest);
            }
        };
        let mut before: Vec<std::ops::Range<usize>> = Vec::new();
        for run in runs(text) {
            let mut parts = Vec::new();
            split(&text[run.clone()], |part| parts.push(part));
            let is_quoted = run.start > 0
                && text[run.start - 1] == b'`'
                && matches!(text.get(run.end), Some(b'`' | b'(' | b':' | b'.'));
            let is_called = text.get(run.end) == Some(&b'(')
                && text.get(run.end + 1).is_some_and(|byte| *byte == b')');
            if parts.len() > 1 {
                add(Word::compound([&text[run.clone()]]), &text[run.clone()], true);
            } else if is_quoted || is_called {
                add(Word::of(&text[run.clone()]), &text[run.clone()], true);
            }
            // Words that stand together may be a name: `flush reason`, `display-truncator`.
            let joins = before.last().is_some_and(|last| {
                matches!(&text[last.end..run.start], b" " | b"-" | b"." | b"::" | b"/")
            });
            if !joins {
                before.clear();
            }
            if !is_common(&text[run.clone()]) || !before.is_empty() {
                before.push(run.clone());
                for first in before.len().saturating_sub(3)..before.len() - 1 {
                    let joined = before[first..].iter().map(|range| &text[range.clone()]);
                    let longest = joined.clone().max_by_key(|word| word.len());
                    add(Word::compound(joined), longest.unwrap_or_default(), false);
                }
            }
        }
        self.names = names;
        let written = runs(text).map(|run| &text[run]).filter(|run| !is_common(run));
        let written = written.filter_map(Word::of_identifier);
        for word in written.take(TERMS).chain(self.names.iter().map(|name| name.word)) {
            if self.identifiers.len() < 2 * NAMES && !self.identifiers.contains(&word) {
                self.identifiers.push(word);
            }
        }
    }
}

/// A text without its middle, if it is too long.
fn within(text: &str) -> Cow<'_, str> {
    if text.len() <= READ_BYTES {
        return Cow::Borrowed(text);
    }
    let boundary = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (head, tail) = (boundary(HEAD_BYTES), boundary(text.len() - (READ_BYTES - HEAD_BYTES)));
    Cow::Owned([&text[..head], "\n", &text[tail..]].concat())
}

/// The words that a first line begins with, before its colon.
fn area(text: &str) -> Vec<Word> {
    let line = text.lines().next().unwrap_or_default();
    let Some((head, _)) = line.split_once(": ").filter(|(head, _)| head.len() <= 60) else {
        return Vec::new();
    };
    if head.split_whitespace().count() > 3 {
        return Vec::new();
    }
    let mut words = Vec::new();
    each(head.as_bytes(), |found| {
        if !is_common(&head.as_bytes()[found.range]) && !words.contains(&found.word) {
            words.push(found.word);
        }
    });
    words
}

/// Words that tell nothing of what is asked: those of the language, and those that any request
/// may begin with.
fn is_common(word: &[u8]) -> bool {
    const COMMON: &str = " a about above add added adding adds after again all allow allows also always an and any \
        are as at avoid be because been before being below better between both but by can cannot change changed changes \
        chore ci co com could did do docs does doing don done down during each either else etc even ever every feat feature few \
        fix fixed fixes fixing for from further get gets give given go got had has have having he help hence here his how \
        however http https i if implement implemented improve improved improves improvement in instead into is isn it its just keep let like \
        ll look made make makes making many may me merge might minor more most much must my need needed needs never new no nor \
        not now of off on once one only or other our out over own perf please pr pull re really refactor refactored refactoring \
        release remove removed removes rename renamed rework same see set she should show since so some still such support supported supports sure take \
        than that the their them then there these they thing things this those through thus tidy to too try tweak under until up update \
        updated updates upon us use used uses using ve very via want was way we well were what when where whether which \
        while who why will with within without work works would yet you your ";
    thread_local! {
        static WORDS: std::collections::HashSet<&'static str> = COMMON.split_whitespace().collect();
    }
    let Ok(word) = std::str::from_utf8(word) else { return false };
    word.len() < 2 || WORDS.with(|words| words.contains(word.to_ascii_lowercase().as_str()))
}

/// Paths that a text names, with lines: as people write them, and as compilers and stack traces
/// of many languages do.
fn places(text: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        while let Some(start) = rest.find(is_of_path) {
            let token = &rest[start..];
            let length = token.find(|c| !is_of_path(c)).unwrap_or(token.len());
            let (word, after) = token.split_at(length);
            rest = after;
            let Some((path, line)) = place(word, after) else { continue };
            let place = Place { path: path.as_bytes().to_vec(), line };
            if places.len() < NAMES && !places.contains(&place) {
                places.push(place);
            }
        }
    }
    places
}

fn is_of_path(c: char) -> bool {
    c.is_alphanumeric() || "._-/\\+@~:".contains(c)
}

/// The path in a word of a text, and the line that stands behind it: `a.rs:1:2`, `a.py", line 3`,
/// `A.java(4)`.
fn place<'t>(word: &'t str, after: &str) -> Option<(&'t str, Option<u32>)> {
    let mut parts = word.trim_matches(':').split(':');
    let path = parts.next()?.trim_end_matches(['.', '-']).trim_start_matches("./");
    let base = path.rsplit(['/', '\\']).next()?;
    let (stem, extension) = base.rsplit_once('.').unwrap_or((base, ""));
    let is_file = !stem.is_empty()
        && (1..=8).contains(&extension.len())
        && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !extension.bytes().all(|byte| byte.is_ascii_digit());
    if !is_file && !path.contains('/') {
        return None;
    }
    let number = |digits: &str| digits.parse().ok().filter(|line| *line > 0);
    let line = parts.next().and_then(number).or_else(|| {
        let after = after.trim_start_matches(['"', '\'', '`', ',', ' ']);
        let digits = after.strip_prefix("line ").or_else(|| after.strip_prefix('('))?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        number(&digits[..end])
    });
    Some((path, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_as_people_and_programs_write_them() {
        let check = |text: &str, expected: &[(&str, Option<u32>)]| {
            let found: Vec<_> = places(text)
                .into_iter()
                .map(|place| (String::from_utf8(place.path).unwrap(), place.line))
                .collect();
            let expected: Vec<_> =
                expected.iter().map(|(path, line)| (path.to_string(), *line)).collect();
            assert_eq!(found, expected, "{text}");
        };
        check("look at src/main.rs.", &[("src/main.rs", None)]);
        check("  --> src/a/b.rs:12:5", &[("src/a/b.rs", Some(12))]);
        check("File \"a/b.py\", line 3, in f", &[("a/b.py", Some(3))]);
        check("at f (lib/x.js:10:7)", &[("lib/x.js", Some(10))]);
        check("at a.b.C.m(File.java:7)", &[("a.b.C.m", None), ("File.java", Some(7))]);
        check("since 1.2.3, e.g. and so on", &[("e.g", None)]);
        check("./x.c(9): error", &[("x.c", Some(9))]);
    }

    #[test]
    fn names_are_those_of_code_and_those_that_words_may_stand_for() {
        let request = Request::of("stats: add FlushReason for the `shards` of display truncator");
        let name = |word, is_code| request.names.contains(&Name { word, is_code });
        assert!(name(Word::compound([&b"flushreason"[..]]), true));
        assert!(name(Word::of(b"shards"), true));
        assert!(name(Word::compound([&b"displaytruncator"[..]]), false));
        assert_eq!(request.area, [Word::of(b"stats")]);
        assert!(!request.of_tests);
        let words: Vec<_> = request.terms.iter().map(|term| term.word).collect();
        let expected = ["stats", "flush", "reason", "shards", "display", "truncator"];
        assert_eq!(words, expected.map(|word| Word::of(word.as_bytes())));
    }

    #[test]
    fn of_a_long_request_the_beginning_and_the_end_count() {
        let text = format!("first_thing {}\nsrc/last.rs:7", "ä ".repeat(READ_BYTES));
        let request = Request::of(&text);
        assert!(
            request.names.iter().any(|name| name.word == Word::compound([&b"first_thing"[..]]))
        );
        assert_eq!(request.places, [Place { path: b"src/last.rs".to_vec(), line: Some(7) }]);
    }

    #[test]
    fn a_request_of_any_bytes_and_size_is_read() {
        for text in ["", "\n", ": ", "`", "a".repeat(1 << 20).as_str(), &"ä b ".repeat(1 << 18)] {
            let request = Request::of(text);
            assert!(request.terms.len() <= TERMS && request.names.len() <= NAMES);
        }
    }
}
