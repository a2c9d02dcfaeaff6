//! The words of a text: what a request and the code that it is about have in common.
//!
//! A run of letters, digits and `_` is an identifier. It is split at underscores and humps; each
//! part is a word, lowercased and lightly stemmed, and an identifier of several parts is a word
//! of its own as well, its *compound*: `max_matches`, `maxMatches` and `MaxMatches` have the same. An
//! identifier of one part that begins with a capital or is called is a word as it is written, too.
//!
//! A word is known by a hash of 39 bits: what is ranked by them may very rarely be a little off. One
//! more bit tells a [whole name](Word::name) from a word in one.

mod block;
mod build;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

pub use block::{BLOCK_BYTES, Block, Corrupt, Emit, KEY_BYTES, Key, Posting, Source, find};
pub use build::{Blocks, Build, MAX_CONTENTS, Merged, merge};

/// A word, by its hash. It stands in stores: the same word is the same number for ever, unless the
/// number of the store's rules is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub u64);

/// How many bytes a [`Word`] takes.
pub const WORD_BYTES: usize = 5;
/// What is longer is no word that anybody wrote.
const LONGEST: usize = 40;
/// An identifier that is longer is left out as a whole.
const LONGEST_RUN: usize = 80;

impl Word {
    /// The word of a part of an identifier, or of a word of a language: without case, stemmed.
    #[must_use]
    pub fn of(part: &[u8]) -> Self {
        let mut hash = Hash::new();
        let mut buffer = [0; LONGEST];
        let part = &part[..part.len().min(LONGEST)];
        let lower = &mut buffer[..part.len()];
        lower.copy_from_slice(part);
        lower.make_ascii_lowercase();
        let (stem, end) = stem(lower);
        stem.iter().chain(end).for_each(|byte| hash.add(*byte));
        hash.end(PART)
    }

    /// The compound of several parts: their letters without underscores and case, not stemmed.
    pub fn compound<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Hash::new();
        for byte in parts.into_iter().flatten().filter(|byte| **byte != b'_') {
            hash.add(byte.to_ascii_lowercase());
        }
        hash.end(COMPOUND)
    }

    /// What stands for all the words of a text: it occurs as often as there are words.
    pub const ALL: Self = Self(0);

    /// The word that a text has where it seems to mention this identifier: its compound; of one that
    /// has only one part, as it is written, where it begins with a capital or is called. None where it is not an
    /// identifier.
    #[must_use]
    pub fn of_identifier(name: &[u8]) -> Option<Self> {
        Self::identifier(name).map(|(word, _)| word)
    }

    /// The same, and whether it is a compound.
    pub(crate) fn identifier(name: &[u8]) -> Option<(Self, bool)> {
        let mut runs = runs(name);
        if runs.next()? != (0..name.len()) {
            return None;
        }
        let mut parts = 0;
        split(name, |_| parts += 1);
        match parts {
            0 => None,
            1 => Some((Self::exact(name), false)),
            _ => Some((Self::compound([name]), true)),
        }
    }

    /// A word that a text has wherever this identifier stands in its [first MiB](COUNTED_BYTES), the rarest
    /// one: its compound; of one with only one part that part, or the identifier as it is written. None where
    /// it is no identifier or has no word.
    #[must_use]
    pub fn of_any(name: &[u8]) -> Option<Self> {
        let mut runs = runs(name);
        if runs.next()? != (0..name.len()) {
            return None;
        }
        let (mut parts, mut last) = (0, 0..0);
        split(name, |part| (parts, last) = (parts + 1, part));
        match parts {
            0 => None,
            1 if name.len() > 2 && is_capital(name) => Some(Self::exact(name)),
            1 => Some(Self::of(&name[last])),
            _ => Some(Self::compound([name])),
        }
    }

    /// An identifier of one part, as it is written.
    fn exact(name: &[u8]) -> Self {
        let mut hash = Hash::new();
        name.iter().for_each(|byte| hash.add(*byte));
        hash.end(EXACT)
    }

    /// The word as a whole name, which stands apart from all words in names.
    #[must_use]
    pub const fn name(self) -> Self {
        Self(self.0 | NAME)
    }

    /// The word that is a whole name; none where it is a word in one.
    #[must_use]
    pub const fn named(self) -> Option<Self> {
        if self.0 & NAME == 0 { None } else { Some(Self(self.0 & !NAME)) }
    }
}

/// The bit of a word that is a whole name.
const NAME: u64 = 1 << (8 * WORD_BYTES - 1);

const PART: u64 = 1;
const COMPOUND: u64 = 2;
const EXACT: u64 = 3;

/// FNV-1a, mixed at its end, as only some of its bits are kept.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }

    fn end(self, sort: u64) -> Word {
        let mixed = (self.0 ^ sort ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Word((mixed >> (65 - 8 * WORD_BYTES)).max(1))
    }
}

/// What [`each`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The word.
    pub word: Word,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it is the compound of the parts before it.
    pub is_compound: bool,
}

/// Every word of a text, in order; a compound after its parts.
pub fn each(text: &[u8], mut take: impl FnMut(Found)) {
    runs(text).for_each(|run| each_of(text, run, &mut take));
}

/// The words of those identifiers of a text that have something like the wanted words: all that are
/// wanted, and others. Of a compound it is looked for the longest part, so that one which is written in
/// other parts may be missed.
pub fn each_like(text: &[u8], wanted: &Like, mut take: impl FnMut(Found)) {
    let mut done = 0;
    for hit in wanted.0.iter().flat_map(|like| like.find_iter(text)) {
        if hit.start() < done {
            continue;
        }
        let before = text[done..hit.start()].iter().rposition(|byte| !is_letter(*byte));
        let start = before.map_or(done, |before| done + before + 1);
        let after = text[hit.end()..].iter().position(|byte| !is_letter(*byte));
        done = after.map_or(text.len(), |after| hit.end() + after);
        if is_run(&text[start..done]) {
            each_of(text, start..done, &mut take);
        }
    }
}

/// The words of an identifier.
fn each_of(text: &[u8], run: Range<usize>, take: &mut impl FnMut(Found)) {
    let mut parts = 0;
    split(&text[run.clone()], |part| {
        let range = run.start + part.start..run.start + part.end;
        parts += 1;
        take(Found { word: Word::of(&text[range.clone()]), range, is_compound: false });
    });
    if parts > 1 {
        let word = Word::compound([&text[run.clone()]]);
        take(Found { word, range: run, is_compound: true });
    }
}

/// The identifiers of a text, and its words of other languages.
pub fn runs(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..].iter().position(|byte| is_letter(*byte))?;
            let rest = &text[start..];
            let length = rest.iter().position(|byte| !is_letter(*byte)).unwrap_or(rest.len());
            at = start + length;
            if is_run(&rest[..length]) {
                return Some(start..at);
            }
        }
    })
}

fn is_letter(byte: u8) -> bool {
    LETTERS[usize::from(byte)]
}

const LETTERS: [bool; 256] = {
    let mut letters = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        letters[byte] = byte >= 0x80 || (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    letters
};

/// Whether letters are an identifier or a word.
fn is_run(run: &[u8]) -> bool {
    run.len() <= LONGEST_RUN && is_worth_it(run)
}

/// Numbers are words only where people remember them, as those of errors.
fn is_worth_it(run: &[u8]) -> bool {
    if run[0].is_ascii_digit() {
        return (2..=4).contains(&run.len()) && run.iter().all(u8::is_ascii_digit);
    }
    run.len() > 1
}

/// The parts of an identifier: `HTTPServer_v2` has `HTTP`, `Server`, `v2`.
pub fn split(run: &[u8], mut take: impl FnMut(Range<usize>)) {
    let mut start = 0;
    let mut end = |start: usize, at: usize| {
        if at - start > 1 && at - start <= LONGEST {
            take(start..at);
        }
    };
    for at in 0..run.len() {
        let byte = run[at];
        if byte == b'_' {
            end(start, at);
            start = at + 1;
        } else if byte.is_ascii_uppercase() && at > start {
            let is_after_lower = !run[at - 1].is_ascii_uppercase();
            let is_before_lower = run.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            if is_after_lower || is_before_lower {
                end(start, at);
                start = at;
            }
        }
    }
    end(start, run.len());
}

/// A word without its endings, lowercase: the stem, and what is put to its end.
///
/// Far less than Porter's, and the same for `handle`, `handles`, `handled`, `handling`.
fn stem(word: &[u8]) -> (&[u8], &'static [u8]) {
    let mut stem = word;
    // Most words end otherwise.
    let may_end = matches!(stem, [.., b's' | b'g' | b'd' | b'n' | b'r' | b'e']);
    if !may_end || !stem.is_ascii() {
        return (stem, b"");
    }
    if let Some(rest) = strip(stem, b"ies", 2) {
        return (rest, b"y");
    }
    stem = match stem {
        [rest @ .., b's', b's', b'e', b's'] => &stem[..rest.len() + 2],
        [rest @ .., b'x' | b'h' | b'z', b'e', b's'] if rest.len() > 1 => &stem[..rest.len() + 1],
        [.., b's' | b'u' | b'i', b's'] => stem,
        [rest @ .., b's'] if rest.len() > 2 => rest,
        _ => stem,
    };
    let shorter = strip(stem, b"ing", 3).or_else(|| strip(stem, b"ed", 3));
    if let Some(shorter) = shorter.filter(|rest| rest.iter().any(|byte| b"aeiouy".contains(byte))) {
        stem = match shorter {
            [rest @ .., a, b] if a == b && !b"lsz".contains(b) => &shorter[..=rest.len()],
            _ => shorter,
        };
    }
    if let Some(rest) = strip(stem, b"ation", 4).or_else(|| strip(stem, b"ator", 4)) {
        return (rest, b"at");
    }
    (strip(stem, b"e", 3).unwrap_or(stem), b"")
}

fn strip<'a>(word: &'a [u8], end: &[u8], at_least: usize) -> Option<&'a [u8]> {
    word.strip_suffix(end).filter(|rest| rest.len() >= at_least)
}

/// What words that are looked for have in all their forms. To find that costs less than to take all of a
/// text apart, and most of it are other words.
#[derive(Clone, Debug, Default)]
pub struct Like(Option<AhoCorasick>);

impl Like {
    /// For these words and identifiers, as they are written. An identifier is found where its longest
    /// part stands in one.
    pub fn of<'a>(written: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let common = |written: &'a [u8]| {
            let mut longest = 0..0;
            split(written, |part| {
                if part.len() > longest.len() {
                    longest = part;
                }
            });
            common(&written[longest])
        };
        let mut all: Vec<Vec<u8>> = written.into_iter().map(common).collect();
        all.retain(|common| !common.is_empty());
        all.sort_unstable();
        all.dedup();
        let kind = Some(AhoCorasickKind::DFA);
        let like = AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(&all);
        Self(like.ok().filter(|_| !all.is_empty()))
    }
}

/// What all forms of a word begin with, lowercase.
fn common(part: &[u8]) -> Vec<u8> {
    let lower = part[..part.len().min(LONGEST)].to_ascii_lowercase();
    let (stem, _) = stem(&lower);
    let stem = stem.strip_suffix(b"y").unwrap_or(stem);
    let stem = stem.strip_suffix(b"at").unwrap_or(stem);
    let length = stem.len().max(2).min(lower.len());
    lower[..length].to_vec()
}

/// How often each word occurs in a text: in the order of the words, [`Word::ALL`] first.
#[must_use]
pub fn count(text: &[u8]) -> Vec<(Word, u32)> {
    let mut counter = Counter::default();
    counter.count(text);
    counter.take()
}

/// How often each word occurs in a text that may be the name of a definition: compounds, and identifiers of
/// one part as [`Word::of_identifier`] has them; in the order of the words.
#[must_use]
pub fn names(text: &[u8]) -> Vec<(Word, u32)> {
    let text = &text[..text.len().min(COUNTED_BYTES)];
    let mut names: ByWord<u32> = ByWord::default();
    written(text, &mut Letters::default()).for_each(|one| {
        let (name, mut parts) = (one.of(text), 0);
        split(name, |_| parts += 1);
        if let Some((word, times)) = one.name(name, parts) {
            *names.entry(word).or_insert(0) += times;
        }
    });
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort_unstable();
    names
}

/// How much of a text is counted: what is longer is data, or was generated.
pub const COUNTED_BYTES: usize = 1 << 20;

/// Counts words.
#[derive(Default)]
pub struct Counter {
    /// The identifiers of a text, by a hash of their letters: each is taken apart once.
    letters: Letters,
    words: ByWord<u32>,
    all: u32,
}

type Letters = HashMap<u64, Written, BuildHasherDefault<ByItself>>;

/// An identifier of a text.
struct Written {
    /// Where it stands for the first time.
    start: u32,
    end: u32,
    times: u32,
    /// How often it is called.
    calls: u32,
}

impl Written {
    fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// The word that it is as a name, with how often it is one, by how many parts it has.
    fn name(&self, name: &[u8], parts: usize) -> Option<(Word, u32)> {
        match parts {
            0 => None,
            1 => {
                let times = if is_capital(name) { self.times } else { self.calls };
                (times > 0 && name.len() > 2).then(|| (Word::exact(name), times))
            }
            _ => Some((Word::compound([name]), self.times)),
        }
    }
}

/// The identifiers of a text, each once. The map is only room for that, and is empty afterwards.
fn written<'l>(text: &[u8], letters_of: &'l mut Letters) -> impl Iterator<Item = Written> + 'l {
    for run in runs(text) {
        let is_called = matches!(text.get(run.end), Some(b'(' | b'!'));
        let (start, end) = (run.start as u32, run.end as u32);
        let of = letters_of.entry(letters(&text[run]));
        let of = of.or_insert(Written { start, end, times: 0, calls: 0 });
        of.times += 1;
        of.calls += u32::from(is_called);
    }
    letters_of.drain().map(|(_, one)| one)
}

/// Room for words that is kept for the next text.
const KEPT: usize = 1 << 14;

impl Counter {
    /// All the words of a text, or of the first MiB of it, with the names of one part as they are written.
    pub fn count(&mut self, text: &[u8]) {
        let text = &text[..text.len().min(COUNTED_BYTES)];
        let mut letters = std::mem::take(&mut self.letters);
        written(text, &mut letters).for_each(|one| self.identifier(one.of(text), &one));
        if letters.capacity() <= KEPT {
            self.letters = letters;
        }
    }

    fn identifier(&mut self, name: &[u8], of: &Written) {
        let mut parts = 0;
        split(name, |part| {
            parts += 1;
            self.add_times(Word::of(&name[part]), of.times);
        });
        match of.name(name, parts) {
            Some((word, times)) if parts > 1 => self.add_times(word, times),
            // It is a name and no word: it does not make the text longer.
            Some((word, times)) => *self.words.entry(word).or_insert(0) += times,
            None => {}
        }
    }

    /// The words of a name.
    pub fn name(&mut self, name: &[u8]) {
        each(name, |found| self.add_times(found.word, 1));
    }

    fn add_times(&mut self, word: Word, times: u32) {
        *self.words.entry(word).or_insert(0) += times;
        self.all += times;
    }

    /// What was counted, in the order of the words, and the counter is empty.
    pub fn take(&mut self) -> Vec<(Word, u32)> {
        let all = std::mem::take(&mut self.all);
        let mut words = Vec::with_capacity(self.words.len() + 1);
        words.push((Word::ALL, all));
        words.extend(self.words.drain());
        if self.words.capacity() > KEPT {
            self.words = ByWord::default();
        }
        words.sort_unstable();
        words
    }
}

/// A hash of letters, of all 64 bits, so that no two identifiers of a text are taken for one. It stands in
/// stores.
pub(crate) fn letters(run: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let wide = u128::from(hash ^ word) * 0x9e37_79b9_7f4a_7c15;
        (wide >> 64) as u64 ^ wide as u64
    };
    let (words, rest) = run.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let hash =
        words.iter().fold(run.len() as u64, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    mix(hash, u64::from_le_bytes(last))
}

/// Whether a word of one part seems to name something and not to be a word of a language, wherever it
/// stands.
fn is_capital(name: &[u8]) -> bool {
    name[0].is_ascii_uppercase()
}

/// A map from words, whose hash they are themselves.
pub type ByWord<T> = HashMap<Word, T, BuildHasherDefault<ByItself>>;

/// A hash that is one already.
#[derive(Clone, Copy, Default)]
pub struct ByItself(u64);

impl std::hash::Hasher for ByItself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u32(&mut self, hash: u32) {
        self.write_u64(hash.into());
    }

    fn write_u64(&mut self, hash: u64) {
        // Tables look at the highest bits and the lowest.
        self.0 = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(run: &str) -> Vec<&str> {
        let mut parts = Vec::new();
        split(run.as_bytes(), |part| parts.push(&run[part]));
        parts
    }

    #[test]
    fn identifiers_are_split_at_underscores_and_humps() {
        assert_eq!(parts("max_matches"), ["max", "matches"]);
        assert_eq!(parts("HTTPServer_v2"), ["HTTP", "Server", "v2"]);
        assert_eq!(parts("__init__"), ["init"]);
        assert_eq!(parts("getScmFName"), ["get", "Scm", "Name"]);
        assert_eq!(parts("utf8"), ["utf8"]);
        assert_eq!(parts("größe_max"), ["größe", "max"]);
    }

    #[test]
    fn endings_do_not_tell_words_apart() {
        let same = |words: &[&str]| {
            let words: Vec<_> = words.iter().map(|word| Word::of(word.as_bytes())).collect();
            assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
        };
        same(&["handle", "handles", "handled", "Handling"]);
        same(&["map", "maps", "mapped", "mapping"]);
        same(&["query", "queries"]);
        same(&["match", "matches", "matching", "matched"]);
        same(&["class", "classes"]);
        same(&["authenticate", "authentication"]);
        assert_ne!(Word::of(b"status"), Word::of(b"statu"));
        assert_ne!(Word::of(b"string"), Word::of(b"str"));
    }

    #[test]
    fn a_compound_is_the_same_however_it_is_written() {
        let compound = |text: &str| {
            let mut compounds = Vec::new();
            each(text.as_bytes(), |found| {
                if found.is_compound {
                    compounds.push(found.word);
                }
            });
            compounds
        };
        assert_eq!(compound("max_matches"), compound("maxMatches"));
        assert_eq!(compound("MaxMatches"), [Word::compound([&b"max"[..], b"matches"])]);
        assert_eq!(compound("matches"), []);
    }

    #[test]
    fn an_identifier_is_known_by_the_word_that_texts_have() {
        let of = |name: &str| Word::of_identifier(name.as_bytes());
        assert_eq!(of("maxMatches"), Some(Word::compound([&b"max"[..], b"matches"])));
        for none in ["", "_", "operator +", "foo-bar", "x"] {
            assert_eq!(of(none), None, "{none}");
        }
        let text = count(b"The Parser reads; search(max_matches) searches what we parse: walk!");
        let has = |name: &str| text.iter().any(|(word, _)| Some(*word) == of(name));
        for (name, expected) in [
            ("Parser", true),
            ("parser", false),
            ("search", true),
            ("searches", false),
            ("walk", true),
            ("maxMatches", true),
            ("matches", false),
        ] {
            assert_eq!(has(name), expected, "{name}");
        }
        // They do not make a text longer.
        assert_eq!(text[0], (Word::ALL, 12));
        let word = Word::of(b"parser");
        assert_eq!((word.name().named(), word.named()), (Some(word), None));
        assert!(word < word.name());
    }

    #[test]
    fn words_are_found_among_those_that_begin_like_them() {
        let text = b"Handled queries; max_matches, MaxMatches and __init__ of classes";
        for wanted in ["handling", "query", "maxMatches", "match", "init", "class", "absent"] {
            let begins = Like::of([wanted.as_bytes()]);
            let words = [Word::of(wanted.as_bytes()), Word::compound([wanted.as_bytes()])];
            let places = |found: &Found| words.contains(&found.word).then(|| found.range.clone());
            let (mut all, mut like) = (Vec::new(), Vec::new());
            each(text, |found| all.extend(places(&found)));
            each_like(text, &begins, |found| like.extend(places(&found)));
            assert_eq!(all, like, "{wanted}");
            assert_eq!(all.is_empty(), wanted == "absent");
        }
    }

    #[test]
    fn all_forms_of_a_word_have_what_is_common_to_them() {
        let forms = [
            "handle handles handled handling",
            "map maps mapped mapping",
            "query queries",
            "try tries",
            "match matches matching",
            "authenticate authentication authenticator authenticates",
            "create creation creator created",
            "use uses using",
            "status",
            "class classes",
            "at ats",
            "dye dyed",
        ];
        for forms in forms {
            for wanted in forms.split(' ') {
                let like = Like::of([wanted.as_bytes()]);
                for form in forms.split(' ') {
                    let same = Word::of(wanted.as_bytes()) == Word::of(form.as_bytes());
                    let mut found = false;
                    each_like(form.as_bytes(), &like, |_| found = true);
                    assert!(found || !same, "{wanted} {form}");
                }
            }
        }
    }

    #[test]
    fn numbers_and_what_nobody_wrote_are_no_words() {
        let words = |text: &str| count(text.as_bytes())[0].1;
        assert_eq!(words("0x1f 1234567 1 7"), 0);
        assert_eq!(words("404 x the"), 2);
        assert_eq!(words(&"a".repeat(200)), 0);
    }

    proptest::proptest! {
        #[test]
        fn a_text_has_the_word_of_any_identifier_in_it(
            name in "[A-Za-z0-9_é]{1,50}",
            before in "[a-z (.]{0,9}[ .(]",
            after in "[ .(!][a-z (.]{0,9}",
        ) {
            if let Some(word) = Word::of_any(name.as_bytes()) {
                let text = format!("{before}{name}{after}");
                let words = count(text.as_bytes());
                proptest::prop_assert!(words.iter().any(|(one, _)| *one == word), "{text}");
            }
        }
    }
}
