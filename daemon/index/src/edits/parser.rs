//! Reads the edits of a reply, line by line, as it comes.

use super::blocks::{Block, Step as InBlock};
use super::diff::{Diff, Found, Step};
use super::fence::{self, End, Fence};
use super::names::{alone, from_info, from_line, is_path};
use super::patch::Patch;
use super::whole::{OTHER_MARKS, has_marks};
use super::{Change, Edit, Format, Malformed, OnlyIf};

/// What a reply asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// Its edits, in order.
    pub edits: Vec<Edit>,
    /// What begins like an edit and is none.
    pub malformed: Vec<Malformed>,
    /// What it suggests for a shell.
    pub shell: Vec<Vec<u8>>,
    /// The lines on which fences begin that name no file.
    pub unnamed: Vec<u32>,
}

/// The edits of a whole reply.
#[must_use]
pub fn parse(reply: &[u8], only: Option<Format>) -> Reply {
    let mut parser = Parser::new(only);
    parser.feed(reply);
    parser.finish()
}

/// Takes a reply as it comes.
#[derive(Debug)]
pub struct Parser {
    only: Option<Format>,
    /// A line that has not ended yet.
    rest: Vec<u8>,
    /// How many lines were read.
    number: u32,
    /// The last lines outside of edits, the last one last.
    above: Vec<Above>,
    /// The first line of a header of a diff, perhaps.
    held: Option<Vec<u8>>,
    fence: Option<Fence>,
    open: Open,
    reply: Reply,
    /// Whole files: they count where there is no edit of another form.
    wholes: Vec<Edit>,
    cut: Vec<Malformed>,
}

/// What is being read.
#[derive(Debug)]
enum Open {
    Text,
    Block(Block),
    Diff(Diff),
    Patch(Patch),
}

/// A line above an edit.
#[derive(Debug)]
struct Above {
    line: Vec<u8>,
    /// The name that it gives.
    name: Option<Vec<u8>>,
    is_fence: bool,
}

/// A line that is longer says no name.
const NAMING: usize = 4096;
/// How many lines above a block may say its file.
const ABOVE: usize = 3;
const UNCLOSED_BLOCK: &str = "it has no line `>>>>>>> REPLACE` at its end: was the reply cut off?";
const UNCLOSED_PATCH: &str = "it has no line `*** End Patch` at its end: was the reply cut off?";
const UNCLOSED_FENCE: &str = "its fence is not closed: was the reply cut off?";

impl Parser {
    /// For edits of any form, or of one alone.
    #[must_use]
    pub fn new(only: Option<Format>) -> Self {
        Self {
            only,
            rest: Vec::new(),
            number: 0,
            above: Vec::new(),
            held: None,
            fence: None,
            open: Open::Text,
            reply: Reply::default(),
            wholes: Vec::new(),
            cut: Vec::new(),
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            let mut line = std::mem::take(&mut self.rest);
            line.extend_from_slice(&rest[..newline]);
            rest = &rest[newline + 1..];
            self.line(&line);
        }
        self.rest.extend_from_slice(rest);
    }

    /// The edits that are complete so far.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        &self.reply.edits
    }

    /// What the whole reply asks for.
    #[must_use]
    pub fn finish(mut self) -> Reply {
        let last = std::mem::take(&mut self.rest);
        if !last.is_empty() {
            self.line(&last);
        }
        if let Some(held) = self.held.take() {
            self.plain(&held);
        }
        if self.fence.as_ref().is_some_and(Fence::is_at_end) {
            self.close();
        }
        match std::mem::replace(&mut self.open, Open::Text) {
            Open::Text => {}
            Open::Block(block) => self.malformed(block.line, block.names, UNCLOSED_BLOCK),
            Open::Diff(diff) if self.fence.is_some() => {
                for found in diff.finish() {
                    self.malformed(found.line, found.names, UNCLOSED_FENCE);
                }
            }
            Open::Diff(diff) => self.take(diff.finish(), Format::Udiff),
            Open::Patch(patch) => self.malformed(patch.line, Vec::new(), UNCLOSED_PATCH),
        }
        if let Some(fence) = self.fence.take()
            && !fence.is_taken
            && self.whole_name(&fence).is_some()
        {
            let names = self.whole_name(&fence).into_iter().collect();
            let block = self.wholes.len() as u32 + 1;
            self.cut.push(Malformed { block, line: fence.line, names, what: UNCLOSED_FENCE });
        }
        if self.may(Format::Whole) {
            self.add_wholes();
        }
        self.reply
    }

    /// Takes whole files: beside edits of another form those alone that are new, and no vague ones.
    fn add_wholes(&mut self) {
        let wholes = std::mem::take(&mut self.wholes);
        if self.reply.edits.is_empty() && self.reply.malformed.is_empty() {
            self.reply.edits = wholes;
            self.reply.malformed = std::mem::take(&mut self.cut);
            return;
        }
        // What was cut off is missed, whatever else there is.
        let cut = std::mem::take(&mut self.cut);
        self.reply.malformed.extend(cut.into_iter().filter(|cut| !cut.names.is_empty()));
        let sure = wholes.into_iter().filter(|whole| whole.only_if.is_none());
        let beside = sure.map(|whole| Edit { only_if: Some(OnlyIf::IsNew), ..whole });
        self.reply.edits.extend(beside);
        // They are counted together, as they come.
        let Reply { edits, malformed, .. } = &mut self.reply;
        edits.sort_by_key(|edit| edit.line);
        let edits = edits.iter_mut().map(|edit| (edit.line, &mut edit.block));
        let mut all: Vec<(u32, &mut u32)> =
            edits.chain(malformed.iter_mut().map(|one| (one.line, &mut one.block))).collect();
        all.sort_by_key(|(line, _)| *line);
        for (number, (_, block)) in (1..).zip(all) {
            *block = number;
        }
    }

    fn may(&self, format: Format) -> bool {
        self.only.is_none_or(|only| {
            let either = [Format::Diff, Format::DiffFenced];
            only == format || (either.contains(&only) && either.contains(&format))
        })
    }

    fn line(&mut self, line: &[u8]) {
        self.number = self.number.saturating_add(1);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let marked = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.number == 1);
        let line = marked.unwrap_or(line);
        match &mut self.open {
            Open::Text => self.text(line),
            Open::Block(block) => {
                if let InBlock::Ends(change) = block.line(line) {
                    let Open::Block(block) = std::mem::replace(&mut self.open, Open::Text) else {
                        return;
                    };
                    let format = if block.is_fenced { Format::DiffFenced } else { Format::Diff };
                    self.take(vec![Found { line: block.line, names: block.names, change }], format);
                }
            }
            Open::Diff(diff) => {
                let is_closed = self.fence.as_ref().is_some_and(|fence| fence.ends_diff(line));
                if is_closed || diff.line(line, self.number) == Step::Over {
                    let Open::Diff(diff) = std::mem::replace(&mut self.open, Open::Text) else {
                        return;
                    };
                    self.take(diff.finish(), Format::Udiff);
                    if is_closed {
                        self.fence = None;
                    } else {
                        self.text(line);
                    }
                }
            }
            Open::Patch(patch) => {
                if let Some(found) = patch.line(line, self.number) {
                    self.open = Open::Text;
                    self.take(found, Format::Patch);
                }
            }
        }
    }

    fn text(&mut self, line: &[u8]) {
        if let Some(held) = self.held.take() {
            if line.starts_with(b"+++ ") {
                self.diff(&[&held, line]);
                return;
            }
            self.plain(&held);
        }
        let is_example = self.fence.as_ref().is_some_and(Fence::is_example);
        if line.starts_with(b"--- ") && self.may(Format::Udiff) && !is_example {
            self.held = Some(line.to_vec());
            return;
        }
        self.plain(line);
    }

    /// A line that is no header of a diff.
    fn plain(&mut self, line: &[u8]) {
        if self.fence.as_mut().is_some_and(|fence| fence.is_over(line)) {
            self.close();
        }
        match self.fence.as_mut().map(|fence| fence.closes(line)) {
            Some(End::Yes) => return self.close(),
            Some(End::Perhaps) => return,
            Some(End::No) | None => {}
        }
        if let Some(fence) = self.fence.as_mut().filter(|fence| fence.is_example()) {
            return fence.push(line);
        }
        let is_fenced = self.fence.is_some();
        if self.may(Format::Diff) {
            let (names, within) = self.names();
            if let Some(block) = Block::open(line, self.number, names, within) {
                self.begin(Open::Block(block));
                return;
            }
        }
        if self.may(Format::Patch)
            && let Some(patch) = Patch::open(line, self.number)
        {
            self.begin(Open::Patch(patch));
            return;
        }
        if self.may(Format::Udiff) {
            let is_first = self.fence.as_ref().is_some_and(|fence| {
                fence.is_diff() && !fence.is_taken && fence.text.is_empty() && !line.is_empty()
            });
            if line.starts_with(b"diff --git ") || is_first || (is_fenced && is_ranges(line)) {
                self.diff(&[line]);
                return;
            }
        }
        if let Some(fence) = &mut self.fence {
            fence.push(line);
        } else if fence::info(line).is_some() {
            let names = self.names().0;
            let above = self.above.last().map(|above| &above.line);
            self.fence = Fence::open(line, self.number, names, above);
        }
        if !line.trim_ascii().is_empty() {
            if self.above.len() == ABOVE {
                self.above.remove(0);
            }
            let is_short = line.len() <= NAMING;
            self.above.push(Above {
                line: if is_short { line.to_vec() } else { Vec::new() },
                name: is_short.then(|| from_line(line)).flatten(),
                is_fence: fence::info(line).is_some(),
            });
        }
    }

    /// The names that the lines above give, the nearest first, and whether that one is within the fence.
    fn names(&self) -> (Vec<Vec<u8>>, bool) {
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut within = false;
        for (at, above) in self.above.iter().rev().enumerate() {
            if let Some(name) = &above.name {
                within |= at == 0 && !above.is_fence && self.fence.is_some();
                names.push(name.clone());
            }
        }
        // A path goes before a word.
        names.sort_by_key(|name| !is_path(name));
        names.dedup();
        (names, within)
    }

    fn begin(&mut self, open: Open) {
        if let Some(fence) = &mut self.fence {
            fence.is_taken = true;
        }
        self.above.clear();
        self.open = open;
    }

    fn diff(&mut self, lines: &[&[u8]]) {
        let mut above = self.fence.as_ref().map_or_else(Vec::new, |fence| fence.names.clone());
        if above.is_empty() {
            above = self.names().0;
        }
        let mut diff = Diff::new(above, self.fence.is_some());
        let first = self.number + 1 - lines.len() as u32;
        for (number, line) in (first..).zip(lines) {
            diff.line(line, number);
        }
        self.begin(Open::Diff(diff));
    }

    fn close(&mut self) {
        let Some(fence) = self.fence.take() else { return };
        self.above.clear();
        if fence.is_taken {
            return;
        }
        let (line, format) = (fence.line, Format::Whole);
        let mut text = fence.text.clone();
        let name = self.whole_name(&fence);
        let is_script = |name: &Vec<u8>| {
            let ends: [&[u8]; 6] = [b".sh", b".bash", b".zsh", b".fish", b".ps1", b".cmd"];
            ends.iter().any(|end| name.ends_with(end)) || from_info(&fence.info).is_some()
        };
        let is_shell = fence.is_shell() && !name.as_ref().is_some_and(is_script);
        let has_extension = |name: &Vec<u8>| {
            let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
            base.contains(&b'.') || is_path(base)
        };
        let (name, only_if) = if let Some(name) = name.filter(|_| !is_shell) {
            // `macOS/Linux` is a path only where there is one.
            let only_if = (!has_extension(&name)).then_some(OnlyIf::IsThere);
            (name, only_if)
        } else if is_shell {
            self.reply.shell.push(text);
            return;
        } else if let Some(name) = fence.said {
            (name, Some(OnlyIf::IsAll))
        } else if let Some((name, head)) = headed(&text) {
            text.drain(..head.len());
            (name, Some(OnlyIf::IsAllAfter(head)))
        } else if let Some(word) = fence.word {
            (word, Some(OnlyIf::IsThere))
        } else {
            if has_marks(b"", &text) {
                let block = self.cut.len() as u32 + 1;
                self.cut.push(Malformed { block, line, names: Vec::new(), what: OTHER_MARKS });
            }
            self.reply.unnamed.push(line);
            return;
        };
        let block = self.wholes.len() as u32 + 1;
        let (names, change) = (vec![name], Change::Whole(text));
        self.wholes.push(Edit { block, line, format, names, change, only_if });
    }

    /// The file whose text a fence has: its name stands on it, or alone on the line above.
    fn whole_name(&self, fence: &Fence) -> Option<Vec<u8>> {
        from_info(&fence.info).or_else(|| fence.alone.clone())
    }

    fn take(&mut self, found: Vec<Found>, format: Format) {
        for Found { line, names, change } in found {
            match change {
                Ok(change) => {
                    let block = self.next_block();
                    let only_if = None;
                    self.reply.edits.push(Edit { block, line, format, names, change, only_if });
                }
                Err(what) => self.malformed(line, names, what),
            }
        }
        self.above.clear();
    }

    fn malformed(&mut self, line: u32, names: Vec<Vec<u8>>, what: &'static str) {
        let block = self.next_block();
        self.reply.malformed.push(Malformed { block, line, names, what });
    }

    /// Edits and what is none are counted together, as they come.
    fn next_block(&self) -> u32 {
        (self.reply.edits.len() + self.reply.malformed.len()) as u32 + 1
    }
}

/// Whether a line is `@@ … @@`.
fn is_ranges(line: &[u8]) -> bool {
    line.starts_with(b"@@ -") && memchr::memmem::find(&line[2..], b"@@").is_some()
}

/// The path that the first line of a text says as a comment, and that line.
fn headed(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let end = memchr::memchr(b'\n', text)? + 1;
    let line = text[..end].trim_ascii();
    let marks: [&[u8]; 6] = [b"#", b"//", b"--", b";", b"/*", b"<!--"];
    let is_comment = marks.iter().any(|mark| line.starts_with(mark)) && !line.starts_with(b"#!");
    let name = alone(line).filter(|_| is_comment)?;
    Some((name, text[..end].to_vec()))
}
