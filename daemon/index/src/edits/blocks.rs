//! SEARCH/REPLACE blocks.

use super::{Change, Reading, Replace};

/// A block that is open.
#[derive(Debug)]
pub(super) struct Block {
    /// The line of the reply that it begins on.
    pub(super) line: u32,
    pub(super) names: Vec<Vec<u8>>,
    pub(super) is_fenced: bool,
    indent: usize,
    length: usize,
    /// The marks that open and close it.
    marks: (u8, u8),
    lines: Vec<Vec<u8>>,
    /// How many blocks are open in it: a text about such blocks has them.
    within: usize,
}

/// What became of a line.
pub(super) enum Step {
    /// It is a part of the block.
    Taken,
    /// It is the end of the block.
    Ends(Result<Change, &'static str>),
}

impl Block {
    /// The block that a line opens.
    pub(super) fn open(
        line: &[u8],
        number: u32,
        names: Vec<Vec<u8>>,
        is_fenced: bool,
    ) -> Option<Self> {
        let (marks, (indent, length, path)) =
            MARKS.into_iter().find_map(|marks| Some((marks, opener(line, marks.0)?)))?;
        let names = path.into_iter().chain(names).collect();
        let (lines, within) = (Vec::new(), 0);
        Some(Self { line: number, names, is_fenced, indent, length, marks, lines, within })
    }

    pub(super) fn line(&mut self, line: &[u8]) -> Step {
        let (opens, closes) = self.marks;
        if CLOSE.iter().any(|word| self.is_marker(line, closes, word)) {
            if self.within == 0 {
                return Step::Ends(self.finish());
            }
            self.within -= 1;
        } else if self.is_marker(line, opens, b"SEARCH") {
            self.within += 1;
        }
        let blank = line.iter().take(self.indent).take_while(|byte| byte.is_ascii_whitespace());
        self.lines.push(line[blank.count()..].to_vec());
        Step::Taken
    }

    fn is_marker(&self, line: &[u8], mark: u8, word: &[u8]) -> bool {
        marker(line, mark, word) == Some((self.indent, self.length))
    }

    /// Every line that divides is one reading: which one is meant, the file tells.
    fn finish(&self) -> Result<Change, &'static str> {
        let lines = &self.lines;
        let divides = |exact: bool| {
            let is_divider = move |(_, line): &(usize, &Vec<u8>)| {
                let (_, length) = marker(line, b'=', b"").unwrap_or_default();
                if exact { length == self.length } else { length > 0 }
            };
            lines.iter().enumerate().filter(is_divider).map(|(at, _)| at).collect::<Vec<_>>()
        };
        let mut dividers = divides(true);
        if dividers.is_empty() {
            dividers = divides(false);
        }
        let text = |lines: &[Vec<u8>]| {
            lines.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect::<Vec<u8>>()
        };
        let reading = |at: &usize| Reading {
            search: text(&lines[..*at]),
            replace: text(&lines[at + 1..]),
            ends: None,
        };
        if dividers.len() > READINGS {
            return Err("it has too many lines `=======` to tell which one divides it");
        }
        let readings: Vec<Reading> = dividers.iter().map(reading).collect();
        if readings.is_empty() {
            return Err("it has no line `=======` between what is looked for and what it becomes");
        }
        Ok(Change::Replace(Replace { readings, ..Replace::default() }))
    }
}

/// A text with more lines that may divide it is not understood.
const READINGS: usize = 32;
/// Marks that open and close a block.
const MARKS: [(u8, u8); 2] = [(b'<', b'>'), (b'-', b'+')];
/// What stands after those that open one, and after those that close one.
const OPEN: [&[u8]; 3] = [b"SEARCH", b"ORIGINAL", b"FIND"];
const CLOSE: [&[u8]; 2] = [b"REPLACE", b"UPDATED"];

/// The indentation of a line that opens a block, how many marks it has, and the path that it says.
fn opener(line: &[u8], mark: u8) -> Option<(usize, usize, Option<Vec<u8>>)> {
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line = line[indent..].trim_ascii_end();
    let length = line.iter().take_while(|byte| **byte == mark).count();
    let rest = line[length..].trim_ascii();
    let word = rest.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let after = rest[word.len()..].trim_ascii();
    // `<<<<<<< SEARCH>` is seen as well.
    let word = word.strip_suffix(b">").unwrap_or(word).to_ascii_uppercase();
    let path = super::names::alone(after);
    let is_opener = (5..=9).contains(&length)
        && OPEN.contains(&word.as_slice())
        && (after.is_empty() || path.is_some());
    is_opener.then_some((indent, length, path))
}

/// How far a line of marks is indented, and how many marks it has: five to nine, and a word.
fn marker(line: &[u8], mark: u8, word: &[u8]) -> Option<(usize, usize)> {
    let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line = line[indent..].trim_ascii_end();
    let length = line.iter().take_while(|byte| **byte == mark).count();
    let rest = &line[length..];
    let is_word = if word.is_empty() {
        rest.is_empty()
    } else {
        // `<<<<<<< SEARCH>` is seen as well.
        let rest = rest.strip_suffix(b">").unwrap_or(rest);
        rest.trim_ascii().eq_ignore_ascii_case(word)
    };
    ((5..=9).contains(&length) && is_word).then_some((indent, length))
}
