//! What tells that the text of a fence is not all of a file, though it is said to be.

use super::fence;
use std::collections::BTreeSet;

/// What is said where a text has marks of another kind.
pub(super) const OTHER_MARKS: &str = "it has marks as of an edit, and they are none: an edit has the \
     lines `<<<<<<< SEARCH`, `=======` and `>>>>>>> REPLACE`";

/// Whether lines of a text look like the marks of edits or conflicts, but for those in fences of its own.
pub(super) fn has_marks(path: &[u8], text: &[u8]) -> bool {
    let ends: [&[u8]; 4] = [b".md", b".markdown", b".mdx", b".rst"];
    let is_markdown = ends.iter().any(|end| path.ends_with(end));
    let is = |line: &[u8], mark: u8| {
        let length = line.trim_ascii().iter().take_while(|byte| **byte == mark).count();
        (5..=9).contains(&length)
    };
    let (mut divides, mut opens, mut is_fenced) = (false, false, false);
    for line in text.split(|byte| *byte == b'\n') {
        is_fenced ^= is_markdown && fence::info(line).is_some();
        if !is_fenced {
            divides |= is(line, b'=') && line.trim_ascii().iter().all(|byte| *byte == b'=');
            opens |= is(line, b'<') || is(line, b'>');
        }
    }
    divides && opens
}

/// The line of a whole text, from 1, that stands for lines which are not there: `# ... existing code ...`.
pub(super) fn left_out(path: &[u8], text: &[u8], have: &[u8]) -> Option<usize> {
    let ends: [&[u8]; 6] = [b".md", b".markdown", b".txt", b".rst", b".yml", b".yaml"];
    let is_prose = ends.iter().any(|end| path.ends_with(end));
    let had: BTreeSet<&[u8]> = have.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).collect();
    let mut lines = text.split(|byte| *byte == b'\n');
    lines
        .position(|line| is_elision(line, is_prose) && !had.contains(line.trim_ascii()))
        .map(|at| at + 1)
}

/// Whether a line says that others stand there. `...` alone may be a part of a text where it is indented.
fn is_elision(line: &[u8], is_prose: bool) -> bool {
    const MARKS: [&str; 8] = ["//", "#", "--", ";", "/*", "<!--", "{/*", "%"];
    const WORDS: [&str; 8] = [
        "existing",
        "rest of",
        "unchanged",
        "remaining",
        "remains",
        "same as",
        "as before",
        "omitted",
    ];
    let Ok(whole) = std::str::from_utf8(line) else { return false };
    let text = whole.trim();
    let mark = MARKS.iter().find(|mark| text.starts_with(**mark));
    let inner = mark.map_or(text, |mark| text.trim_start_matches(*mark)).trim();
    let rest = inner.trim_start_matches(['.', '…']);
    let is_dotted =
        rest.len() < inner.len() && (inner.starts_with("...") || inner.starts_with('…'));
    // `...rest,` is code.
    let is_word = mark.is_none()
        && rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    let says = WORDS.iter().any(|word| rest.to_lowercase().contains(word));
    let is_alone = rest.trim_matches(['.', '…', ' ', '*', '/', '-', '>', '}']).is_empty();
    let is_bare = mark.is_none() && !whole.starts_with([' ', '\t']) && !is_prose;
    let in_brackets = mark.is_some() && inner.starts_with('(') && inner.ends_with(')') && says;
    is_dotted && !is_word && (says || is_alone && (mark.is_some() || is_bare)) || in_brackets
}
