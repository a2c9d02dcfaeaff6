//! What of the files is shown: first a line of each of the best, then the signatures of the best
//! definitions, then whole ones, as long as there is room.

use std::collections::HashMap;

use super::chunks::Chunk;
use super::look::{ChunkSignals, Seen};

/// A file that may be shown.
#[derive(Clone, Debug)]
pub struct File<'a> {
    /// Its path.
    pub path: &'a [u8],
    /// Its text.
    pub text: &'a [u8],
    /// How good it is, beside the best: 1 for that one.
    pub score: f32,
    /// Its chunks.
    pub chunks: &'a [Seen],
}

/// Lines that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The file, by its place in the list.
    pub file: usize,
    /// The first line, from 1.
    pub start: u32,
    /// The last line.
    pub end: u32,
    /// The definition that it is, or is a part of: an index in the file's outline.
    pub symbol: Option<u32>,
    /// Why.
    pub why: Why,
}

/// Why lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The request names them.
    Named,
    /// The file is one of the best.
    File,
    /// They name what encloses lines that are shown.
    Around,
    /// The signature of a definition that seems near.
    Signature,
    /// They seem to be meant.
    Body,
}

/// How a context is packed.
#[derive(Clone, Copy, Debug)]
pub struct Packing {
    /// How many tokens there are.
    pub budget: usize,
    /// How many of them go to a line of each of the best files: a share.
    pub files: f32,
    /// How many of them go to signatures.
    pub signatures: f32,
    /// How much a short chunk is better than a long one.
    pub brevity: f32,
}

impl Packing {
    /// The usual one.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { budget, files: 0.3, signatures: 0.3, brevity: 0.5 }
    }
}

/// What was packed.
#[derive(Clone, Debug, Default)]
pub struct Packed {
    /// The lines, the most important first.
    pub shown: Vec<Shown>,
    /// The text that goes to a model.
    pub text: Vec<u8>,
    /// How many tokens it has.
    pub tokens: usize,
}

/// How many files at most get a line of their own.
const FILES: usize = 40;

/// Packs what fits into a budget. `count` counts tokens; `files` are the best first.
pub fn pack(files: &[File<'_>], packing: Packing, count: &dyn Fn(&[u8]) -> usize) -> Packed {
    let mut page = Page::new(files, packing.budget, count);
    let scored = scored(files);
    let mut order: Vec<usize> = (0..scored.len()).collect();
    order.sort_unstable_by(|a, b| scored[*b].score.total_cmp(&scored[*a].score).then(a.cmp(b)));
    for one in order.iter().map(|at| &scored[*at]) {
        let Some(line) = one.seen.signals.place else { continue };
        let Chunk { start, end, .. } = one.seen.chunk;
        // Where all of it has no room, what is next to the line has.
        for near in [u32::MAX, 10, 3, 0] {
            let (first, last) =
                (line.saturating_sub(near).max(start), line.saturating_add(near).min(end));
            if page.add(one, first, last, Why::Named, packing.budget) {
                break;
            }
        }
    }
    let share = |share: f32| (packing.budget as f32 * share) as usize;
    let limit = page.tokens + share(packing.files);
    let mut best: Vec<Option<&Scored<'_>>> = vec![None; files.len()];
    // A definition says more of a file than what stands above all of them.
    let is_definition = |one: &&Scored<'_>| one.seen.chunk.symbol.is_some();
    let all = order.iter().map(|at| &scored[*at]);
    for one in all.clone().filter(is_definition).chain(all) {
        best[one.file].get_or_insert(one);
    }
    for (file, one) in best.iter().enumerate().take(FILES) {
        let Some(one) = one else { continue };
        let line = one.seen.chunk.signature.0.max(1);
        // Where there is no room for the best, there is none for the others.
        if !page.add(one, line, line, Why::File, limit) && file == 0 {
            break;
        }
    }
    let limit = page.tokens + share(packing.signatures);
    for one in order.iter().map(|at| &scored[*at]) {
        if one.seen.chunk.symbol.is_some() && one.seen.chunk.part == 0 {
            let (first, last) = one.seen.chunk.signature;
            if !page.add(one, first, last, Why::Signature, limit) {
                break;
            }
        }
    }
    let value = |one: &Scored<'_>| one.score - packing.brevity * (1.0 + one.seen.bytes as f32).ln();
    let values: Vec<f32> = scored.iter().map(value).collect();
    order.sort_unstable_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
    let mut misses = 0;
    for one in order.iter().map(|at| &scored[*at]) {
        let chunk = &one.seen.chunk;
        if !page.add(one, chunk.start, chunk.end, Why::Body, packing.budget) {
            misses += 1;
            if misses > 40 {
                break;
            }
        }
    }
    page.finish()
}

struct Scored<'a> {
    file: usize,
    seen: &'a Seen,
    score: f32,
}

/// What it counts that the request names a definition.
const NAMED: f32 = 2.0;

/// How good each chunk is. The weights are of a model that was fitted to what commits of many
/// repositories changed.
fn scored<'a>(files: &[File<'a>]) -> Vec<Scored<'a>> {
    let most = |of: fn(&ChunkSignals) -> f32| {
        let all = files.iter().flat_map(|file| file.chunks);
        all.fold(1e-6_f32, |most, seen| most.max(of(&seen.signals)))
    };
    let (text, name) = (most(|one| one.text), most(|one| one.name));
    let (code, around) = (most(|one| one.code), most(|one| one.around));
    let coverage = most(|one| one.coverage);
    let mut scored = Vec::new();
    for (file, of) in files.iter().enumerate() {
        for seen in of.chunks {
            let signals = &seen.signals;
            let own = signals.text / text;
            let lines = (seen.chunk.end + 1 - seen.chunk.start) as f32;
            let near = of.score.max(0.0);
            let score = 2.55 * own
                + 1.24 * signals.name / name
                + 1.24 * signals.code / code
                + 1.14 * signals.votes
                + 0.66 * signals.recency
                + 0.42 * signals.around / around
                + 0.33 * signals.coverage / coverage
                + 4.1 * near
                + 0.88 * near * own
                + 0.29 * (1.0 + lines).ln()
                + if seen.chunk.part > 0 { 0.34 } else { 0.0 }
                + if signals.named { NAMED } else { 0.0 }
                - if seen.chunk.symbol.is_some() { 0.48 } else { 0.0 };
            scored.push(Scored { file, seen, score });
        }
    }
    scored
}

/// What is shown so far.
struct Page<'a> {
    files: &'a [File<'a>],
    lines: HashMap<usize, super::chunks::Lines<'a>>,
    budget: usize,
    count: &'a dyn Fn(&[u8]) -> usize,
    tokens: usize,
    shown: Vec<Shown>,
    /// Of each file the lines that are shown.
    has: HashMap<usize, std::collections::BTreeSet<u32>>,
}

impl<'a> Page<'a> {
    fn new(files: &'a [File<'a>], budget: usize, count: &'a dyn Fn(&[u8]) -> usize) -> Self {
        let (lines, has) = (HashMap::new(), HashMap::new());
        Self { files, lines, budget, count, tokens: 0, shown: Vec::new(), has }
    }

    /// Shows lines, unless the page would be larger than the limit. Says whether it is not full.
    fn add(&mut self, one: &Scored<'_>, start: u32, end: u32, why: Why, limit: usize) -> bool {
        let file = &self.files[one.file];
        let lines =
            self.lines.entry(one.file).or_insert_with(|| super::chunks::Lines::of(file.text));
        let has = self.has.get(&one.file);
        let is_new = |line: &u32| has.is_none_or(|has| !has.contains(line));
        let mut cost = 0;
        if has.is_none() {
            cost += (self.count)(file.path) + 1;
        }
        let mut run: Option<(u32, u32)> = None;
        let mut runs = Vec::new();
        let around = one.seen.chunk.around.iter().copied().filter(|line| *line < start);
        let own = start..=end.min(lines.count());
        if own.clone().all(|line| !is_new(&line)) {
            return true;
        }
        for line in around.chain(own).filter(is_new) {
            match &mut run {
                Some((_, last)) if *last + 1 == line => *last = line,
                _ => {
                    runs.extend(run.take());
                    run = Some((line, line));
                }
            }
        }
        runs.extend(run);
        let bytes = |(first, last): &(u32, u32)| lines.slice(*first, *last).len();
        // What cannot fit is not counted: that takes time.
        if runs.iter().map(bytes).sum::<usize>() / TOKEN_BYTES > limit.min(self.budget) {
            return false;
        }
        for (first, last) in &runs {
            cost += (self.count)(lines.slice(*first, *last)) + (self.count)(&mark(*first, *last));
        }
        if self.tokens + cost > limit.min(self.budget) {
            return false;
        }
        self.tokens += cost;
        let has = self.has.entry(one.file).or_default();
        let symbol = one.seen.chunk.symbol;
        for (first, last) in runs {
            has.extend(first..=last);
            let (symbol, why) = if last < start { (None, Why::Around) } else { (symbol, why) };
            self.shown.push(Shown { file: one.file, start: first, end: last, symbol, why });
        }
        true
    }

    fn finish(mut self) -> Packed {
        loop {
            let text = self.render();
            let tokens = (self.count)(&text);
            if tokens <= self.budget || self.shown.is_empty() {
                let (text, tokens) =
                    if tokens <= self.budget { (text, tokens) } else { (Vec::new(), 0) };
                return Packed { shown: self.shown, text, tokens };
            }
            // Counting part by part is never much off; what matters least goes.
            let over = tokens - self.budget;
            let drop = (self.shown.len() * over / tokens).max(1);
            self.shown.truncate(self.shown.len() - drop);
        }
    }

    /// The text: each file with its path, and before each run of lines where it stands.
    fn render(&self) -> Vec<u8> {
        let mut order: Vec<usize> = Vec::new();
        let mut has: HashMap<usize, std::collections::BTreeSet<u32>> = HashMap::new();
        for shown in &self.shown {
            if !has.contains_key(&shown.file) {
                order.push(shown.file);
            }
            has.entry(shown.file).or_default().extend(shown.start..=shown.end);
        }
        let mut text = Vec::new();
        for file in order {
            let lines = &self.lines[&file];
            text.extend_from_slice(self.files[file].path);
            text.push(b'\n');
            let numbers: Vec<u32> =
                has[&file].iter().copied().filter(|line| *line <= lines.count()).collect();
            for run in numbers.chunk_by(|a, b| a + 1 == *b) {
                let (first, last) = (run[0], run[run.len() - 1]);
                text.extend_from_slice(&mark(first, last));
                let body = lines.slice(first, last);
                text.extend_from_slice(body);
                if !body.ends_with(b"\n") {
                    text.push(b'\n');
                }
            }
        }
        text
    }
}

/// No token has more bytes.
const TOKEN_BYTES: usize = 128;

/// What stands before a run of lines.
fn mark(first: u32, last: u32) -> Vec<u8> {
    format!("@@ {first}-{last}\n").into_bytes()
}
