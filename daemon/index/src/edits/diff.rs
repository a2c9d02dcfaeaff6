//! Unified diffs, as `diff -u` and git write them, and as models do: with counts that are wrong, or
//! without headers.

use super::{Change, Reading, Replace};

/// A change of a diff, and where it begins in the reply.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) line: u32,
    pub(super) names: Vec<Vec<u8>>,
    pub(super) change: Result<Change, &'static str>,
}

/// A diff that is open.
#[derive(Debug, Default)]
pub(super) struct Diff {
    found: Vec<Found>,
    file: File,
    hunk: Option<Hunk>,
    /// A line that may begin the next file.
    held: Option<(u32, Vec<u8>)>,
    /// Names from above, for hunks without a file's header.
    above: Vec<Vec<u8>>,
    /// In a fence, a line without a mark is one of the text.
    is_fenced: bool,
}

#[derive(Debug, Default)]
struct File {
    line: u32,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    created: bool,
    deleted: bool,
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    binary: bool,
    copied: bool,
    /// Whether it may be run by now, and whether it is a link.
    program: Option<bool>,
    link: bool,
    /// The name on the first line of git's.
    both: Option<Vec<u8>>,
    hunks: Vec<Hunk>,
}

/// Lines of a hunk.
#[derive(Debug, Default)]
pub(super) struct Hunk {
    pub(super) line: u32,
    pub(super) at: Option<u32>,
    /// How many lines of the old and of the new text its header still promises.
    left: Option<(u32, u32)>,
    pub(super) anchors: Vec<Vec<u8>>,
    pub(super) lines: Vec<(u8, Vec<u8>)>,
    /// Whether the new text ends without an end of line, where that is said.
    ends: Option<bool>,
    pub(super) at_end: bool,
}

/// So many empty lines at its end may be those of the reply.
const READINGS: usize = 8;

/// Whether a line takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Taken,
    /// It is none of the diff's, which has ended before it.
    Over,
}

impl Diff {
    pub(super) fn new(above: Vec<Vec<u8>>, is_fenced: bool) -> Self {
        Self { above, is_fenced, ..Self::default() }
    }

    pub(super) fn line(&mut self, line: &[u8], number: u32) -> Step {
        if let Some((at, old)) = self.held.take() {
            let new = line.strip_prefix(b"+++ ");
            if let Some(new) = new.filter(|new| !self.promises() || is_header(&old, new)) {
                self.header(at, &old, new);
                return Step::Taken;
            }
            // It was a line that is taken out.
            self.text(&old, at);
        }
        if line.starts_with(b"--- ") {
            self.held = Some((number, line.to_vec()));
            return Step::Taken;
        }
        // So the signature of a mail begins.
        if line == b"-- " && self.hunk.as_ref().is_some_and(|hunk| hunk.left == Some((0, 0))) {
            return Step::Over;
        }
        if self.extended(line, number) {
            return Step::Taken;
        }
        self.text(line, number)
    }

    /// Whether the hunk at hand has more lines to come, by its header, that take out and put in.
    fn promises(&self) -> bool {
        let left = self.hunk.as_ref().and_then(|hunk| hunk.left);
        left.is_some_and(|(old, new)| old > 0 && new > 0)
    }

    fn header(&mut self, line: u32, old: &[u8], new: &[u8]) {
        // git says more of the file before that.
        let is_named = self.file.old.is_some() || self.file.new.is_some() || self.hunk.is_some();
        if is_named || !self.file.hunks.is_empty() {
            self.end_file();
        }
        if self.file.line == 0 {
            self.file.line = line;
        }
        self.file.old = Some(name(old.strip_prefix(b"--- ").unwrap_or(old)));
        self.file.new = Some(name(new));
    }

    /// Lines that git puts before the header.
    fn extended(&mut self, line: &[u8], number: u32) -> bool {
        if line.starts_with(b"diff --git ") {
            self.end_file();
            self.file.line = number;
            self.file.both = of_both(&line[b"diff --git ".len()..]);
            return true;
        }
        // They stand before the hunks.
        if self.hunk.is_some() || self.file.line == 0 {
            return false;
        }
        let file = &mut self.file;
        if let Some(mode) = line.strip_prefix(b"new file mode ") {
            file.created = true;
            file.mode(mode);
        } else if let Some(mode) = line.strip_prefix(b"new mode ") {
            file.mode(mode);
        } else if line.starts_with(b"copy from ") || line.starts_with(b"copy to ") {
            file.copied = true;
        } else if line.starts_with(b"deleted file mode") {
            file.deleted = true;
        } else if let Some(from) = line.strip_prefix(b"rename from ") {
            file.from = Some(name(from));
        } else if let Some(to) = line.strip_prefix(b"rename to ") {
            file.to = Some(name(to));
        } else if line.starts_with(b"Binary files ") || line.starts_with(b"GIT binary patch") {
            file.binary = true;
        } else {
            let known: [&[u8]; 4] =
                [b"index ", b"old mode ", b"similarity index ", b"dissimilarity index "];
            return known.iter().any(|known| line.starts_with(known));
        }
        true
    }

    fn text(&mut self, line: &[u8], number: u32) -> Step {
        if line.starts_with(b"@@") {
            self.end_hunk();
            self.hunk = Some(Hunk::open(line, number));
            if self.file.line == 0 {
                self.file.line = number;
            }
            return Step::Taken;
        }
        let is_marked = matches!(line.first(), Some(b' ' | b'+' | b'-' | b'\\'));
        let is_blank = line.is_empty() && self.promises_old();
        if !(is_marked || self.is_fenced || is_blank) {
            return Step::Over;
        }
        if self.file.binary {
            return Step::Taken;
        }
        let hunk = self.hunk.get_or_insert_with(|| Hunk::new(number));
        if self.file.line == 0 {
            self.file.line = number;
        }
        hunk.push(line);
        Step::Taken
    }

    fn promises_old(&self) -> bool {
        let left = self.hunk.as_ref().and_then(|hunk| hunk.left);
        left.is_some_and(|(old, _)| old > 0)
    }

    fn end_hunk(&mut self) {
        if let Some(hunk) = self.hunk.take() {
            self.file.hunks.push(hunk);
        }
    }

    fn end_file(&mut self) {
        self.end_hunk();
        let file = std::mem::take(&mut self.file);
        self.found.extend(file.changes(&self.above));
    }

    /// All that it changes.
    pub(super) fn finish(mut self) -> Vec<Found> {
        if let Some((at, old)) = self.held.take() {
            self.text(&old, at);
        }
        self.end_file();
        self.found
    }
}

impl File {
    fn mode(&mut self, mode: &[u8]) {
        match mode.trim_ascii() {
            b"100755" => self.program = Some(true),
            b"100644" => self.program = Some(false),
            b"120000" => self.link = true,
            _ => {}
        }
    }

    fn changes(self, above: &[Vec<u8>]) -> Vec<Found> {
        let none: &[u8] = b"/dev/null";
        let line = self.line;
        let is = |name: &Option<Vec<u8>>, wanted: &[u8]| name.as_deref() == Some(wanted);
        let mut names: Vec<Vec<u8>> = Vec::new();
        for name in [&self.to, &self.new, &self.from, &self.old, &self.both].into_iter().flatten() {
            if name != none {
                names.extend(readings_of(name));
            }
        }
        names.dedup();
        if names.is_empty() {
            names = above.to_vec();
        }
        let one = |change| Found { line, names: names.clone(), change };
        if self.binary {
            return vec![one(Err("it is a binary patch, which is not applied"))];
        }
        if self.copied {
            return vec![one(Err(
                "it copies a file, which is not done: make the file with its text",
            ))];
        }
        if self.link {
            return vec![one(Err("it makes a link, which is not done"))];
        }
        if self.deleted || is(&self.new, none) {
            let held: Vec<u8> = self.hunks.iter().flat_map(|hunk| hunk.reading().search).collect();
            let held = Some(held).filter(|held| !held.is_empty());
            return vec![one(Ok(Change::Delete(held)))];
        }
        if self.created || is(&self.old, none) {
            let mut text = Vec::new();
            let mut ends = None;
            for hunk in &self.hunks {
                let reading = hunk.reading();
                text.extend(reading.replace);
                ends = reading.ends.or(ends);
            }
            if ends == Some(false) {
                text.pop();
            }
            let mut found = vec![one(Ok(Change::Create(text)))];
            found.extend(self.program.filter(|is| *is).map(|is| one(Ok(Change::Program(is)))));
            return found;
        }
        let mut found = Vec::new();
        if let (Some(from), Some(to)) = (&self.from, &self.to) {
            let change = Ok(Change::Rename(to.clone()));
            found.push(Found { line, names: readings_of(from), change });
            names = vec![to.clone()];
        }
        if let Some(is) = self.program {
            let (names, change) = (names.clone(), Ok(Change::Program(is)));
            found.push(Found { line, names, change });
        }
        for hunk in self.hunks {
            let line = hunk.line;
            found.push(Found { line, names: names.clone(), change: hunk.change() });
        }
        found
    }
}

impl Hunk {
    /// One without a header.
    pub(super) fn new(line: u32) -> Self {
        Self { line, ..Self::default() }
    }

    /// `@@ -1,2 +1,3 @@ fn around()`, or `@@` alone, or with a line of the text.
    fn open(line: &[u8], number: u32) -> Self {
        let mut hunk = Self::new(number);
        let inner = line.strip_prefix(b"@@").unwrap_or(line);
        let close = memchr::memmem::find(inner, b"@@");
        let (ranges, heading) = match close {
            Some(close) => (&inner[..close], inner[close + 2..].trim_ascii()),
            // Without numbers, it is a line that stands before.
            None => (&b""[..], inner.trim_ascii()),
        };
        let heading =
            if heading.iter().all(|byte| b". ".contains(byte)) { &b""[..] } else { heading };
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u32>().ok();
        let range = |word: &[u8]| {
            let mut numbers = word.splitn(2, |byte| *byte == b',');
            let start = number(numbers.next()?)?;
            Some((start, numbers.next().map_or(Some(1), number)?))
        };
        let mut words = ranges.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let old = words.next().and_then(|word| range(word.strip_prefix(b"-")?));
        let new = words.next().and_then(|word| range(word.strip_prefix(b"+")?));
        if let (Some((start, old)), Some((_, new))) = (old, new) {
            // Of nothing, it says the line before.
            hunk.at = Some(start.saturating_add(u32::from(old == 0))).filter(|at| *at > 0);
            hunk.left = Some((old, new));
        }
        if !heading.is_empty() {
            hunk.anchors.push(heading.to_vec());
        }
        hunk
    }

    pub(super) fn push(&mut self, line: &[u8]) {
        let (mark, text) = match line {
            [b'\\', ..] => {
                // It speaks of the line before it.
                match self.lines.last() {
                    Some((b'-', _)) => self.ends = self.ends.or(Some(true)),
                    Some(_) => self.ends = Some(false),
                    None => {}
                }
                return;
            }
            [mark @ (b' ' | b'+' | b'-'), text @ ..] => (*mark, text),
            // Without a mark; where it is empty, an editor has taken that away.
            text => (b' ', text),
        };
        if let Some((old, new)) = &mut self.left {
            *old -= u32::from(mark != b'+' && *old > 0);
            *new -= u32::from(mark != b'-' && *new > 0);
        }
        self.lines.push((mark, text.to_vec()));
    }

    fn reading(&self) -> Reading {
        let text = |not: u8| {
            let lines = self.lines.iter().filter(|(mark, _)| *mark != not);
            lines.flat_map(|(_, line)| line.iter().copied().chain([b'\n'])).collect()
        };
        Reading { search: text(b'+'), replace: text(b'-'), ends: self.ends }
    }

    pub(super) fn change(mut self) -> Result<Change, &'static str> {
        if self.lines.iter().all(|(mark, _)| *mark == b' ') && self.ends.is_none() {
            return Err("it neither takes out a line nor puts one in");
        }
        let mut readings = vec![self.reading()];
        // Empty lines at its end may be those of the reply.
        while readings.len() < READINGS
            && self.lines.last().is_some_and(|(mark, line)| *mark == b' ' && line.is_empty())
        {
            self.lines.pop();
            readings.push(self.reading());
        }
        let Self { at, anchors, at_end, .. } = self;
        Ok(Change::Replace(Replace { readings, at, anchors, at_end }))
    }
}

/// Whether two lines within a hunk begin the next file: what they say looks like names.
fn is_header(old: &[u8], new: &[u8]) -> bool {
    let is_name = |text: &[u8]| {
        let name = name(text);
        name == b"/dev/null" || super::names::is_path(&name)
    };
    is_name(old.strip_prefix(b"--- ").unwrap_or(old)) && is_name(new)
}

/// A name of a header, without what stands after it, or the quotes around it.
fn name(text: &[u8]) -> Vec<u8> {
    let text = text.split(|byte| *byte == b'\t').next().unwrap_or(text).trim_ascii();
    match text {
        [b'"', inner @ .., b'"'] => unquoted(inner),
        _ => text.to_vec(),
    }
}

/// A name as git quotes it: `\303\244`, `\n`, `\"`.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        if *byte != b'\\' {
            plain.push(*byte);
            continue;
        }
        match rest {
            [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                plain.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            [sign, after @ ..] => {
                plain.push(match sign {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    other => *other,
                });
                rest = after;
            }
            [] => plain.push(b'\\'),
        }
    }
    plain
}

/// The name in `a/NAME b/NAME`, where both are the same.
fn of_both(names: &[u8]) -> Option<Vec<u8>> {
    let names = names.trim_ascii();
    let (old, new) = names.split_at_checked(names.len() / 2)?;
    let (old, new) = (name(old), name(new));
    let (old, new) = (old.strip_prefix(b"a/")?, new.strip_prefix(b"b/")?);
    (old == new).then(|| old.to_vec())
}

/// A name without the `a/` or `b/` before it, and as it is.
fn readings_of(name: &[u8]) -> Vec<Vec<u8>> {
    let short = name.strip_prefix(b"a/").or(name.strip_prefix(b"b/"));
    short.into_iter().chain([name]).map(<[u8]>::to_vec).collect()
}
