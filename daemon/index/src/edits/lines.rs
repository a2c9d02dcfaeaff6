//! A text by its lines, each with its end.

/// A line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// What is on it.
    pub(super) text: &'t [u8],
    /// `\n`, `\r\n`, or nothing at the end of a file.
    pub(super) end: &'t [u8],
}

/// The lines of a text.
pub(super) fn lines(text: &[u8]) -> Vec<Line<'_>> {
    text.split_inclusive(|byte| *byte == b'\n').map(line).collect()
}

fn line(whole: &[u8]) -> Line<'_> {
    let text = whole.strip_suffix(b"\n").unwrap_or(whole);
    let text =
        if text.len() < whole.len() { text.strip_suffix(b"\r").unwrap_or(text) } else { text };
    Line { text, end: &whole[text.len()..] }
}

/// What most lines of a text end with.
pub(super) fn usual_end(lines: &[Line<'_>]) -> &'static [u8] {
    let with = lines.iter().filter(|line| line.end == b"\r\n").count();
    let without = lines.iter().filter(|line| line.end == b"\n").count();
    if with > without { b"\r\n" } else { b"\n" }
}

/// The white space that a line begins with.
pub(super) fn indent(text: &[u8]) -> &[u8] {
    &text[..text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()]
}

pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}
