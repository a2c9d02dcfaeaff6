//! Fences of Markdown: what they open, and what closes them.

use super::names::{alone, said, word_alone};

/// What stands after the opening marks of a fence; none where a line opens none.
pub(super) fn info(line: &[u8]) -> Option<&[u8]> {
    let line = line.trim_ascii();
    let mark = *line.first().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let length = line.iter().take_while(|byte| **byte == mark).count();
    let info = line[length..].trim_ascii();
    // Marks of code within a line are no fence.
    (length >= 3 && !info.contains(&b'`')).then_some(info)
}

/// The mark of a fence's line, how many there are, and whether something stands after them.
fn marks(line: &[u8]) -> Option<(u8, usize, bool)> {
    let info = info(line)?;
    let line = line.trim_ascii();
    let mark = line[0];
    let length = line.iter().take_while(|byte| **byte == mark).count();
    Some((mark, length, !info.is_empty()))
}

/// A fence that is open.
#[derive(Debug)]
pub(super) struct Fence {
    mark: u8,
    length: usize,
    /// How far it is indented, and so what is in it.
    indent: usize,
    /// The fences that are open in it.
    inner: Vec<(u8, usize)>,
    /// A line that closes it, if what follows does not say that it opens another one.
    closing: Option<Vec<u8>>,
    /// The line of the reply that it begins on.
    pub(super) line: u32,
    /// What stands after its opening marks.
    pub(super) info: Vec<u8>,
    /// The names that the lines above give.
    pub(super) names: Vec<Vec<u8>>,
    /// The path that the line above says, and nothing else.
    pub(super) alone: Option<Vec<u8>>,
    /// The only path in a sentence above that speaks of a whole file.
    pub(super) said: Option<Vec<u8>>,
    /// The word that the line above says, and nothing else.
    pub(super) word: Option<Vec<u8>>,
    /// The text in it.
    pub(super) text: Vec<u8>,
    /// It holds edits of another form.
    pub(super) is_taken: bool,
}

/// What a line is to the fence that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A part of what is in it.
    No,
    /// Its end.
    Yes,
    /// Its end, if what follows does not say that another one begins in it.
    Perhaps,
}

impl Fence {
    /// The fence that a line opens, below these lines.
    pub(super) fn open(
        line: &[u8],
        number: u32,
        names: Vec<Vec<u8>>,
        above: Option<&Vec<u8>>,
    ) -> Option<Self> {
        let info = info(line)?.to_vec();
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let (mark, length, _) = marks(line)?;
        Some(Self {
            mark,
            length,
            indent,
            inner: Vec::new(),
            closing: None,
            line: number,
            info,
            names,
            alone: above.and_then(|line| alone(line)),
            said: above.and_then(|line| said(line)),
            word: above.and_then(|line| word_alone(line)),
            text: Vec::new(),
            is_taken: false,
        })
    }

    /// Whether a line closes it. A line of marks in it may open another one, or close that.
    pub(super) fn closes(&mut self, line: &[u8]) -> End {
        let Some((mark, length, has_info)) = marks(line) else { return End::No };
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let is_own = mark == self.mark && length >= self.length;
        // What is indented further is a part of the text, as in a comment of code.
        let may_close = is_own && !has_info && indent <= self.indent + 3;
        let is_markdown = self.is_markdown();
        if let Some((inner, least)) = self.inner.last().copied() {
            if may_close && (least < self.length || inner != self.mark) {
                return End::Yes;
            }
            if has_info {
                self.inner.push((mark, length));
            } else if mark == inner && length >= least {
                self.inner.pop();
            }
            return End::No;
        }
        if !may_close {
            // Fences of other marks, or fewer, are of a text about such texts, or of a whole reply.
            if is_own && has_info || is_markdown || self.alone.is_none() && mark == self.mark {
                self.inner.push((mark, length));
            }
            return End::No;
        }
        // A plain fence in a text with fences looks like the end of the one around it.
        if is_markdown && !self.text.is_empty() {
            self.closing = Some(line.to_vec());
            return End::Perhaps;
        }
        End::Yes
    }

    /// Whether a line closes it whatever is in it: of a diff, whose own lines have a mark before them.
    pub(super) fn ends_diff(&self, line: &[u8]) -> bool {
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let is_own = |(mark, length, has_info): (u8, usize, bool)| {
            mark == self.mark && length >= self.length && !has_info
        };
        indent == self.indent && marks(line).is_some_and(is_own)
    }

    /// Whether its end has come, now that the next line is known: after the end of a file there is nothing
    /// in the very next line, or another fence.
    pub(super) fn is_over(&mut self, next: &[u8]) -> bool {
        let Some(line) = self.closing.take() else { return false };
        if next.trim_ascii().is_empty() || info(next).is_some() || alone(next).is_some() {
            return true;
        }
        self.push(&line);
        self.inner.push((self.mark, self.length));
        false
    }

    /// Whether its last line was its end, as nothing follows.
    pub(super) fn is_at_end(&self) -> bool {
        self.closing.is_some()
    }

    /// Adds a line of what is in it.
    pub(super) fn push(&mut self, line: &[u8]) {
        let blank = line.iter().take(self.indent).take_while(|byte| byte.is_ascii_whitespace());
        self.text.extend_from_slice(&line[blank.count()..]);
        self.text.push(b'\n');
    }

    /// Whether what is in it now is an example within the text of a file.
    pub(super) fn is_example(&self) -> bool {
        let is_named = self.alone.is_some() || super::names::from_info(&self.info).is_some();
        is_named && self.is_markdown() && !self.inner.is_empty() && !self.is_taken
    }

    fn is_markdown(&self) -> bool {
        let language = self.info.split(|byte| !byte.is_ascii_alphanumeric()).next();
        let named = super::names::from_info(&self.info);
        let name = named.as_ref().or(self.alone.as_ref()).or(self.said.as_ref());
        let ends = |end: &[u8]| name.is_some_and(|name| name.ends_with(end));
        matches!(language, Some(b"md" | b"markdown" | b"mdx"))
            || ends(b".md")
            || ends(b".markdown")
            || ends(b".mdx")
    }

    /// Whether it says that a diff is in it.
    pub(super) fn is_diff(&self) -> bool {
        let language = self.info.split(|byte| !byte.is_ascii_alphanumeric()).next();
        matches!(language, Some(b"diff" | b"udiff" | b"patch"))
    }

    /// Whether it says that what is in it is for a shell.
    pub(super) fn is_shell(&self) -> bool {
        let language = self.info.split(|byte| byte.is_ascii_whitespace()).next();
        matches!(
            language,
            Some(
                b"bash"
                    | b"sh"
                    | b"shell"
                    | b"zsh"
                    | b"fish"
                    | b"console"
                    | b"cmd"
                    | b"powershell"
                    | b"ps1"
            )
        )
    }
}
