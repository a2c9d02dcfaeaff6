//! A look into the files that a request may be about: which of their chunks.

use std::collections::HashMap;
use std::ops::Range;

use super::chunks::{Chunk, Lines, chunks};
use super::history;
use super::history::Written;
use super::rank::Weighed;
use crate::symbols::languages::Language;
use crate::symbols::{Kind, Outline, Symbol};
use crate::words::{ByWord, Word, each, each_like};

/// A file with its chunks.
#[derive(Clone, Debug)]
pub struct Looked {
    /// Its chunks, in order.
    pub chunks: Vec<Seen>,
    /// The best text of a chunk.
    pub passage: f32,
    /// The best name of a definition.
    pub definition: f32,
}

/// A chunk, and what speaks for it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its lines.
    pub chunk: Chunk,
    /// How many bytes it has.
    pub bytes: u32,
    /// What speaks for it.
    pub signals: ChunkSignals,
}

/// What speaks for a chunk.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChunkSignals {
    /// BM25 of its text and its name.
    pub text: f32,
    /// How much of its name the request has.
    pub name: f32,
    /// How many of the request's words it has.
    pub coverage: f32,
    /// Identifiers of the request in it.
    pub code: f32,
    /// Commits with a similar message wrote lines of it.
    pub votes: f32,
    /// It was written lately.
    pub recency: f32,
    /// The line of it that the request names.
    pub place: Option<u32>,
    /// It is what the request names as in code.
    pub named: bool,
    /// Text of what encloses it.
    pub around: f32,
}

/// A file to look into.
pub struct Source<'a> {
    /// Its text.
    pub text: &'a [u8],
    /// Its language.
    pub language: Option<&'static Language>,
    /// What it defines.
    pub outline: &'a Outline,
    /// The lines that commits wrote: how far they vote, and how fresh they are.
    pub written: Written<'a>,
    /// Lines that the request names.
    pub places: &'a [u32],
}

/// How much of a text is looked into: what is longer is data, or was generated.
pub const LOOKED_BYTES: usize = 1 << 20;

/// Looks into a file.
#[must_use]
pub fn look(source: &Source<'_>, weighed: &Weighed) -> Looked {
    let text = &source.text[..source.text.len().min(LOOKED_BYTES)];
    let lines = Lines::of(text);
    let outline = as_far_as(source.outline, text.len());
    let outline = &*outline;
    let chunks = chunks(&lines, source.language, outline);
    // Chunks overlap: what stands in several is looked at once.
    let words = words(text, weighed);
    let written = written(&lines, &source.written);
    let mut seen: Vec<Seen> = Vec::with_capacity(chunks.len());
    let mut owns: HashMap<u32, f32> = HashMap::new();
    for chunk in chunks {
        let body = lines.range(chunk.start, chunk.end);
        let symbol = chunk.symbol.map(|index| &outline.symbols[index as usize]);
        let name = symbol
            .map_or(&[][..], |symbol| &text[symbol.name.start as usize..symbol.name.end as usize]);
        let mut signals = ChunkSignals::default();
        (signals.text, signals.code, signals.coverage) =
            bm25(within(&words, &body), name, &chunk, weighed);
        // `mod name;` says where something is defined, and defines nothing.
        let is_elsewhere = |symbol: &Symbol| {
            symbol.kind == Kind::Module && symbol.head >= symbol.range.end.saturating_sub(1)
        };
        if !symbol.is_some_and(is_elsewhere) {
            signals.name = name_match(name, weighed);
            signals.named = !weighed.code.is_empty() && weighed.code.contains(&whole(name));
        }
        let lines = chunk.start as usize..chunk.end as usize + 1;
        for (_, (vote, fresh)) in within(&written, &lines) {
            signals.votes = signals.votes.max(*vote);
            signals.recency = signals.recency.max(*fresh);
        }
        let is_in = |line: &&u32| chunk.start <= **line && **line <= chunk.end;
        signals.place = source.places.iter().find(is_in).copied();
        if let Some(symbol) = symbol {
            let parent = symbol.parent.and_then(|parent| owns.get(&parent)).copied();
            signals.around = parent.unwrap_or_default();
            owns.insert(chunk.symbol.unwrap_or_default(), signals.text);
        }
        let bytes = body.len() as u32;
        seen.push(Seen { chunk, bytes, signals });
    }
    let most = |of: fn(&ChunkSignals) -> f32| {
        seen.iter().fold(0.0, |most: f32, one| most.max(of(&one.signals)))
    };
    Looked { passage: most(|one| one.text), definition: most(|one| one.name), chunks: seen }
}

/// An outline, as far as a text goes.
fn as_far_as(outline: &Outline, length: usize) -> std::borrow::Cow<'_, Outline> {
    let is_inside = |end: u32| end as usize <= length;
    if outline.symbols.iter().all(|symbol| is_inside(symbol.range.end)) {
        return std::borrow::Cow::Borrowed(outline);
    }
    // What encloses comes first, so that parents keep their places.
    let symbols = outline.symbols.iter().take_while(|symbol| is_inside(symbol.name.end)).cloned();
    let inside = |mut symbol: Symbol| {
        symbol.range.end = symbol.range.end.min(length as u32);
        symbol.head = symbol.head.min(symbol.range.end);
        symbol
    };
    let symbols = symbols.map(inside).collect();
    std::borrow::Cow::Owned(Outline { symbols, extent: outline.extent })
}

/// The words of the request in a text, and where.
fn words(text: &[u8], weighed: &Weighed) -> Vec<(usize, Word)> {
    let mut words = Vec::new();
    each_like(text, &weighed.like, |found| {
        let word = &found.word;
        if weighed.words.contains_key(word) || weighed.names.contains_key(word) {
            words.push((found.range.start, *word));
        }
    });
    // A compound comes after its parts, and begins with the first of them.
    words.sort_by_key(|(at, _)| *at);
    words
}

/// What has its place in a range, of what is in the order of places.
fn within<'a, T>(list: &'a [(usize, T)], range: &Range<usize>) -> &'a [(usize, T)] {
    let first = |at: usize| list.partition_point(|(place, _)| *place < at);
    &list[first(range.start)..first(range.end)]
}

/// BM25 of a chunk: the words of its name count three times more.
fn bm25(text: &[(usize, Word)], name: &[u8], chunk: &Chunk, weighed: &Weighed) -> (f32, f32, f32) {
    let mut counts: ByWord<f32> = ByWord::default();
    let mut code: ByWord<f32> = ByWord::default();
    for (_, word) in text {
        if weighed.words.contains_key(word) {
            *counts.entry(*word).or_default() += 1.0;
        }
        if weighed.names.contains_key(word) {
            *code.entry(*word).or_default() += 1.0;
        }
    }
    each(name, |found| {
        if let Some(count) = counts.get_mut(&found.word) {
            *count += 3.0;
        }
        if let Some(count) = code.get_mut(&found.word) {
            *count += 2.0;
        }
    });
    let length = 0.4 + 0.6 * (chunk.end + 1 - chunk.start) as f32 / 120.0;
    let score = counts
        .iter()
        .map(|(word, count)| weighed.words[word] * count * 2.2 / (count + 1.2 * length))
        .sum();
    let code =
        code.iter().map(|(word, count)| weighed.names[word] * count * 2.0 / (count + 1.0)).sum();
    let coverage = counts.keys().map(|word| weighed.words[word]).sum();
    (score, code, coverage)
}

/// A name as requests have names: its compound, or its only word.
fn whole(name: &[u8]) -> Word {
    let mut last = Word::ALL;
    each(name, |found| last = found.word);
    last
}

/// The weight of the name's words that the request has, times the share of them.
fn name_match(name: &[u8], weighed: &Weighed) -> f32 {
    let (mut hit, mut hits, mut all) = (0.0, 0.0, 0.0_f32);
    each(name, |found| {
        if found.is_compound {
            return;
        }
        all += 1.0;
        if let Some(weight) = weighed.words.get(&found.word) {
            hit += weight;
            hits += 1.0;
        }
    });
    hit * hits / all.max(1.0)
}

/// The lines that commits wrote, with how far those vote and how fresh they are.
fn written(lines: &Lines<'_>, written: &Written<'_>) -> Vec<(usize, (f32, f32))> {
    if written.is_empty() {
        return Vec::new();
    }
    let known = |number: u32| written.get(history::line(lines.slice(number, number))?);
    (1..=lines.count()).filter_map(|number| Some((number as usize, known(number)?))).collect()
}
