//! A query in words, and how well a path matches it.

use crate::letters::Letters;
use nucleo_matcher::chars::graphemes;
use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What is added where a word stands in the name as it is, and for each letter of it: just more than
/// what it gains at the start of a directory over standing within a word.
const NAME_BONUS: u32 = 14;
const NAME_LETTER_BONUS: u32 = 5;
/// What is added for each letter where the name has them apart: letters at the starts of its words
/// then go before a directory that has them together, and no others do.
const APART_LETTER_BONUS: u32 = 4;
/// What is added where a word has a `/` and the name has what follows it: who names directories means
/// them, so that this decides among equals only.
const TAIL_BONUS: u32 = 2;
/// What is added where a word is the whole name, or all of it before its last dot.
const WHOLE_NAME_BONUS: u32 = 8;
const STEM_BONUS: u32 = 4;
/// The most that nucleo gives for a letter, and once more for the first.
const LETTER: u32 = 16 + 9;
const FIRST: u32 = 9;
/// nucleo counts in 16 bits. A longer word than this matches nothing, and no name is as long.
const LONGEST_WORD: usize = 2_000;

/// What a picker looks for: words that must all match.
///
/// The words are fzf's: `word` matches where its letters stand in the path in their order, `'word`
/// where they stand together, `^word` at the start, `word$` at the end, `!word` where they do not.
/// A word that has an upper-case letter tells upper and lower case apart. The number of a line
/// at the end, as in `main.c:12`, is no part of the query.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub(super) words: Vec<Word>,
}

/// A word of a query.
#[derive(Clone, Debug)]
pub(super) struct Word {
    atom: Atom,
    /// Whether it is compared with a file's name alone as well.
    in_name: bool,
    /// Its letters where they are ASCII and must all be there, and how to compare them.
    letters: Vec<u8>,
    fold: bool,
    /// The set of its letters from each of them on.
    needs: Vec<Letters>,
    /// The letters that may stand in a file's own name begin here: after the last `/`.
    name_from: usize,
    /// What its best match can score, in the directories and in the name.
    most: u32,
    most_in_name: u32,
}

impl Query {
    /// Takes a query apart. No text is wrong.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self { words: split(without_line(text)).filter_map(Word::new).collect() }
    }

    /// Whether every path that has all letters of all words in their order matches.
    pub(super) fn is_certain(&self) -> bool {
        self.words.iter().all(|word| {
            let fuzzy = word.atom.kind == AtomKind::Fuzzy && !word.atom.negative;
            fuzzy && !word.letters.is_empty() && word.letters.len() <= LONGEST_WORD
        })
    }

    /// Whether there is no word, so that every path matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }
}

/// Words are split at spaces, but not at `\ `.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |letter: char| {
        let splits = letter.is_whitespace() && !escaped;
        escaped = letter == '\\';
        splits
    })
}

/// The query without `:12` or `:12:7` at its end.
fn without_line(text: &str) -> &str {
    let mut rest = text.trim_end();
    for _ in 0..2 {
        let digits =
            rest.trim_end_matches(':').trim_end_matches(|letter: char| letter.is_ascii_digit());
        match digits.strip_suffix(':') {
            Some(before) if digits.len() < rest.len() && !before.is_empty() => rest = before,
            _ => break,
        }
    }
    rest
}

impl Word {
    fn new(text: &str) -> Option<Self> {
        let atom = Atom::parse(text, CaseMatching::Smart, Normalization::Smart);
        let needle = atom.needle_text();
        if needle.is_empty() {
            return None;
        }
        let letters = match needle {
            Utf32Str::Ascii(letters) if !atom.negative => letters.to_vec(),
            _ => Vec::new(),
        };
        let fold = !letters.iter().any(u8::is_ascii_uppercase);
        let name_from = letters.iter().rposition(|letter| *letter == b'/').map_or(0, |at| at + 1);
        let anywhere =
            matches!(atom.kind, AtomKind::Fuzzy | AtomKind::Substring | AtomKind::Postfix);
        let in_name = anywhere && !atom.negative && name_from == 0;
        let most = if atom.negative { 0 } else { most(needle.len()) };
        let most_in_name =
            most.saturating_add(bonus(needle.len())).saturating_add(WHOLE_NAME_BONUS);
        let needs = (0..=letters.len()).map(|at| Letters::of(&letters[at..])).collect();
        Some(Self { atom, in_name, letters, fold, needs, name_from, most, most_in_name })
    }

    /// How many of its letters stand in the text in their order, after those before `from`.
    pub(super) fn advance(&self, from: usize, text: &[u8]) -> usize {
        let mut at = from;
        for byte in text {
            let Some(letter) = self.letters.get(at) else { break };
            let byte = if self.fold { byte.to_ascii_lowercase() } else { *byte };
            at += usize::from(byte == *letter);
        }
        at
    }

    /// What must still come after so many letters.
    pub(super) fn needs(&self, at: usize) -> Letters {
        self.needs[at]
    }

    /// Whether so many letters are all.
    pub(super) fn is_through(&self, at: usize) -> bool {
        at == self.letters.len()
    }

    /// The most that a path with this name can score; the name is ASCII.
    pub(super) fn most(&self, name: &[u8]) -> u32 {
        match self.is_through(self.advance(self.name_from, name)) {
            true => self.most_in_name,
            false => self.most,
        }
    }
}

fn most(letters: usize) -> u32 {
    LETTER.saturating_mul(u32::try_from(letters).unwrap_or(u32::MAX)).saturating_add(FIRST)
}

fn bonus(letters: usize) -> u32 {
    let letters = u32::try_from(letters).unwrap_or(u32::MAX);
    NAME_LETTER_BONUS.saturating_mul(letters).saturating_add(NAME_BONUS)
}

/// Scores paths. It keeps nucleo's memory between them.
pub(super) struct Scorer {
    matcher: Matcher,
    path: Vec<char>,
    name: Vec<char>,
}

impl Default for Scorer {
    fn default() -> Self {
        let matcher = Matcher::new(Config::DEFAULT.match_paths());
        Self { matcher, path: Vec::new(), name: Vec::new() }
    }
}

impl Scorer {
    /// How well a path matches, whose name begins at a byte of it.
    pub(super) fn score(&mut self, query: &Query, path: &[u8], name_at: usize) -> Option<u32> {
        let name_text = &path[name_at..];
        let matcher = &mut self.matcher;
        let path = text(path, &mut self.path);
        let name = text(name_text, &mut self.name);
        let mut sum = 0u32;
        for word in &query.words {
            sum = sum.saturating_add(word.score(path, name, name_text, matcher)?);
        }
        Some(sum)
    }
}

impl Word {
    fn score(
        &self,
        path: Utf32Str<'_>,
        name: Utf32Str<'_>,
        name_text: &[u8],
        matcher: &mut Matcher,
    ) -> Option<u32> {
        if self.atom.needle_text().len() > LONGEST_WORD {
            return self.atom.negative.then_some(0);
        }
        let in_name = match self.in_name {
            true => self.atom.score(name, matcher).map(u32::from),
            false => None,
        };
        let in_name = in_name.map(|score| score + self.name_bonus(name_text));
        // Where no match of the whole path can be better, it is not looked for.
        if in_name.is_some_and(|score| score >= self.most) {
            return in_name;
        }
        let anywhere = u32::from(self.atom.score(path, matcher)?);
        match self.name_from {
            0 => Some(anywhere.max(in_name.unwrap_or(0))),
            _ => Some(anywhere + self.tail_bonus(name_text)),
        }
    }

    /// What is added where a name matches.
    fn name_bonus(&self, name: &[u8]) -> u32 {
        let letters = self.atom.needle_text().len();
        match self.stands_in(name) {
            true => bonus(letters) + whole(&self.letters, name),
            false => APART_LETTER_BONUS * u32::try_from(letters).unwrap_or(u32::MAX),
        }
    }

    /// What is added to a match of a path where its name has the word's end.
    fn tail_bonus(&self, name: &[u8]) -> u32 {
        match self.stands_in(name) {
            true => TAIL_BONUS + whole(&self.letters[self.name_from..], name),
            false => 0,
        }
    }

    /// Whether its letters, from the last `/` on, stand together in a name.
    fn stands_in(&self, name: &[u8]) -> bool {
        let word = &self.letters[self.name_from..];
        let same = |part: &[u8]| match self.fold {
            true => part.eq_ignore_ascii_case(word),
            false => part == word,
        };
        !word.is_empty() && name.windows(word.len()).any(same)
    }
}

/// The bonus of a word that is the whole name, or its stem.
fn whole(word: &[u8], name: &[u8]) -> u32 {
    if word.eq_ignore_ascii_case(name) {
        return WHOLE_NAME_BONUS;
    }
    let stem = memchr::memrchr(b'.', name).map_or(name, |dot| &name[..dot]);
    if word.eq_ignore_ascii_case(stem) { STEM_BONUS } else { 0 }
}

/// Bytes as nucleo takes them; what is not UTF-8 is replaced.
fn text<'a>(bytes: &'a [u8], letters: &'a mut Vec<char>) -> Utf32Str<'a> {
    if bytes.is_ascii() {
        return Utf32Str::Ascii(bytes);
    }
    letters.clear();
    letters.extend(graphemes(&String::from_utf8_lossy(bytes)));
    Utf32Str::Unicode(letters)
}
