//! What is shown of a definition beside its name: its signature, and what its comment says first.
//!
//! Works on the text alone, and on any part of it that reaches far enough around the definition.

use std::ops::Range;

use super::Symbol;
use super::languages::{Comments, Docstring, Language};

/// A part of a text.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    bytes: &'a [u8],
    start: u32,
}

impl<'a> Window<'a> {
    /// The bytes of a text from `start` on.
    #[must_use]
    pub fn new(bytes: &'a [u8], start: u32) -> Self {
        Self { bytes, start }
    }

    /// A whole text.
    #[must_use]
    pub fn whole(text: &'a [u8]) -> Self {
        Self::new(text, 0)
    }

    /// The bytes at offsets of the whole text, as far as they are here.
    #[must_use]
    pub fn slice(&self, range: Range<u32>) -> &'a [u8] {
        let (from, to) = (self.at(range.start), self.at(range.end));
        self.bytes.get(from..to).unwrap_or_default()
    }

    fn at(&self, offset: u32) -> usize {
        (offset.saturating_sub(self.start) as usize).min(self.bytes.len())
    }
}

/// A signature or a line of documentation is cut after so many bytes.
pub const SHOWN_BYTES: usize = 512;

/// The definition up to where its body begins, on one line, without attributes. A name that stands
/// after the body is put behind it: `typedef struct … name`.
#[must_use]
pub fn signature(window: &Window<'_>, symbol: &Symbol, language: &Language) -> Vec<u8> {
    let head = window.slice(symbol.range.start..symbol.head);
    let name = window.slice(symbol.name.clone());
    let to_name = symbol.name.start.saturating_sub(symbol.range.start) as usize;
    let attributes = leading_attributes(head, language.comments.attributes);
    let head = if attributes <= to_name { &head[attributes..] } else { head };
    let is_behind = symbol.name.start >= symbol.head && !name.is_empty();
    let keep = if is_behind { 0 } else { (to_name + name.len()).saturating_sub(attributes) };
    let mut shown = collapse(without_opening(head, keep), &language.comments);
    if is_behind {
        shown.extend_from_slice(" … ".as_bytes());
        shown.extend_from_slice(name);
    }
    cut(&mut shown);
    shown
}

/// How many bytes of attributes, and white space after them, a text begins with.
pub(super) fn leading_attributes(text: &[u8], openers: &[&str]) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let is_opened = |opener: &&&str| rest.starts_with(opener.as_bytes());
        let Some(opener) = openers.iter().find(is_opened) else { return at };
        // Java declares an annotation by `@interface`.
        if *opener == "//" || rest.starts_with(b"@interface") {
            return at;
        }
        let Some(length) = attribute_length(rest, opener.len()) else { return at };
        let after = &rest[length..];
        at += length + (after.len() - after.trim_ascii_start().len());
    }
}

/// How long an attribute is: brackets and what is in them, or a dotted name and its arguments.
fn attribute_length(text: &[u8], opener: usize) -> Option<usize> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$');
    let mut depth = usize::from(text[opener - 1] == b'[');
    let mut at = opener;
    if depth == 0 {
        at += text[opener..].iter().take_while(|byte| is_name(byte)).count();
        let spaces = text[at..].iter().take_while(|byte| **byte == b' ').count();
        if text.get(at + spaces) != Some(&b'(') {
            return Some(at);
        }
        at += spaces;
    }
    for (index, byte) in text.iter().enumerate().skip(at) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(index + 1);
        }
    }
    None
}

/// Without what opens the body or the value; what ends the name stays.
fn without_opening(head: &[u8], keep: usize) -> &[u8] {
    let mut shown = head.trim_ascii_end();
    loop {
        let shorter = [&b"=>"[..], b"{", b":", b"=", b";", b"\\", b","]
            .iter()
            .find_map(|end| shown.strip_suffix(*end));
        match shorter {
            Some(shorter) if shorter.len() >= keep => shown = shorter.trim_ascii_end(),
            _ => return shown,
        }
    }
}

/// One line, with single spaces, and none within brackets. Lines that are comments are left out.
fn collapse(text: &[u8], comments: &Comments) -> Vec<u8> {
    let is_code = |line: &&[u8]| opener(line.trim_ascii_start(), comments.lines) == 0;
    let mut lines = text.split(|&byte| byte == b'\n');
    let first = lines.next().into_iter();
    let words =
        first.chain(lines.filter(is_code)).flat_map(|line| line.split(u8::is_ascii_whitespace));
    let mut shown = Vec::with_capacity(text.len().min(SHOWN_BYTES));
    for word in words.filter(|word| !matches!(word, [] | [b'\\'])) {
        let closes = matches!(word[0], b')' | b']');
        if closes && shown.last() == Some(&b',') {
            shown.pop();
        }
        if !closes && !matches!(shown.last(), None | Some(b'(' | b'[')) {
            shown.push(b' ');
        }
        shown.extend_from_slice(word);
        if shown.len() > SHOWN_BYTES {
            break;
        }
    }
    shown
}

/// Cuts what is too long, at a character's start.
fn cut(line: &mut Vec<u8>) {
    if line.len() <= SHOWN_BYTES {
        return;
    }
    line.truncate(boundary(line, SHOWN_BYTES - '…'.len_utf8()));
    line.extend_from_slice("…".as_bytes());
}

/// The start of the character that `at` is in.
fn boundary(text: &[u8], at: usize) -> usize {
    let is_start = |at: &usize| text.get(*at).is_none_or(|byte| byte & 0xC0 != 0x80);
    (at.saturating_sub(3)..=at).rev().find(is_start).unwrap_or(at)
}

/// The first line that says something of the comment directly before the definition, or of its
/// docstring. Attributes may stand in between.
#[must_use]
pub fn doc_line<'a>(window: &Window<'a>, symbol: &Symbol, language: &Language) -> Option<&'a [u8]> {
    let comments = &language.comments;
    let after = (comments.docstring == Some(Docstring::Within))
        .then(|| window.slice(symbol.head..u32::MAX));
    let before = || comment_before(window.slice(0..symbol.range.start), comments);
    let line = after.and_then(docstring).or_else(before)?;
    Some(if line.len() > SHOWN_BYTES { &line[..boundary(line, SHOWN_BYTES)] } else { line })
}

/// The first line of the string that a body begins with.
fn docstring(body: &[u8]) -> Option<&[u8]> {
    let body = body.strip_prefix(b":").unwrap_or(body).trim_ascii_start();
    let prefix = body.iter().take(2).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let string = &body[prefix..];
    let quotes: [&[u8]; 4] = [b"\"\"\"", b"'''", b"\"", b"'"];
    let quote = quotes.into_iter().find(|quote| string.starts_with(quote))?;
    let content = &string[quote.len()..];
    let end = memchr::memmem::find(content, quote).unwrap_or(content.len());
    first_telling(&content[..end], &[])
}

/// The first line of the comment that stands before a definition: on its own line, or on the lines
/// above, with attributes and words such as `export` in between.
fn comment_before<'a>(before: &'a [u8], comments: &Comments) -> Option<&'a [u8]> {
    let beside = before.trim_ascii_end();
    let line = last_line(before);
    if beside.len() > before.len() - line.len() {
        if let Some(block) = block_at_end(beside, comments, true) {
            return first_telling(block, &["*", "!"]);
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_ \t<>,()&*:".contains(byte);
        if !line.iter().all(is_word) {
            return None;
        }
    }
    let mut above = &before[..before.len() - line.len()];
    while let Some(shorter) = without_attribute(above, comments) {
        above = shorter;
    }
    let comment = above.strip_suffix(b"\n")?.trim_ascii_end();
    if memchr::memchr_iter(b'\n', &above[comment.len()..]).count() > 1 {
        return None;
    }
    if comments.docstring == Some(Docstring::Before)
        && let Some(string) = string_at_end(comment)
    {
        return first_telling(string, &[]);
    }
    if let Some(block) = block_at_end(comment, comments, false) {
        return first_telling(block, &["*", "!"]);
    }
    first_telling(lines_at_end(comment, comments), comments.lines)
}

/// The last line of a text, which is empty where the text ends with a newline.
fn last_line(text: &[u8]) -> &[u8] {
    &text[memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1)..]
}

/// What is in the block comment that a text ends with. One that something stands before on its
/// line belongs to that, unless the definition is on the same line.
fn block_at_end<'a>(text: &'a [u8], comments: &Comments, beside: bool) -> Option<&'a [u8]> {
    let is_closed = |(_, close): &&(&str, &str)| text.ends_with(close.as_bytes());
    let (_, close) = comments.blocks.iter().find(is_closed)?;
    let inner = &text[..text.len() - close.len()];
    let from = memchr::memmem::rfind(inner, close.as_bytes()).map_or(0, |at| at + close.len());
    // All that open with two bytes: Rust's other comments are to be seen, and left alone.
    let shortest = &comments.blocks.last()?.0.as_bytes()[..2];
    let start = memchr::memmem::find_iter(&inner[from..], shortest)
        .map(|at| from + at)
        .find(|at| beside || last_line(&inner[..*at]).trim_ascii().is_empty())?;
    let is_open = |(open, _): &&(&str, &str)| inner[start..].starts_with(open.as_bytes());
    let (open, _) = comments.blocks.iter().find(is_open)?;
    Some(&inner[start + open.len()..])
}

/// What is in the string that a text ends with, if nothing stands before it on its line.
fn string_at_end(text: &[u8]) -> Option<&[u8]> {
    let quotes: [&[u8]; 2] = [b"\"\"\"", b"\""];
    let quote = quotes.into_iter().find(|quote| text.ends_with(quote))?;
    let inner = &text[..text.len() - quote.len()];
    let start = memchr::memmem::rfind(inner, quote)?;
    let is_alone = last_line(&inner[..start]).trim_ascii().is_empty();
    is_alone.then(|| &inner[start + quote.len()..])
}

/// The lines of comment that a text ends with.
fn lines_at_end<'a>(text: &'a [u8], comments: &Comments) -> &'a [u8] {
    let mut top = text.len();
    let mut rest = Some(text);
    while let Some(above) = rest {
        let line = last_line(above);
        if !is_doc(line.trim_ascii(), comments) {
            break;
        }
        top = above.len() - line.len();
        rest = above[..top].strip_suffix(b"\n");
    }
    &text[top..]
}

/// How many lines an attribute may have.
const ATTRIBUTE_LINES: usize = 32;

/// Without the attribute that the lines above end with, if they do.
fn without_attribute<'a>(above: &'a [u8], comments: &Comments) -> Option<&'a [u8]> {
    let end = above.strip_suffix(b"\n")?;
    let mut rest = end;
    for number in 0..ATTRIBUTE_LINES {
        let line = last_line(rest);
        let content = line.trim_ascii();
        let before = &rest[..rest.len() - line.len()];
        if opener(content, comments.attributes) > opener(content, comments.lines) {
            return is_attribute(&end[before.len()..], comments).then_some(before);
        }
        // Only the end of an attribute goes on above.
        let is_end = matches!(content.last(), Some(b']' | b')' | b'>'));
        if content.is_empty() || is_doc(content, comments) || (number == 0 && !is_end) {
            return None;
        }
        rest = before.strip_suffix(b"\n")?;
    }
    None
}

/// Whether lines that begin like an attribute are nothing else.
fn is_attribute(lines: &[u8], comments: &Comments) -> bool {
    let lines = lines.trim_ascii();
    let has_no_brackets = |open: &&str| matches!(*open, "//" | "template");
    let mut openers = comments.attributes.iter().copied();
    openers.any(|open| has_no_brackets(&open) && lines.starts_with(open.as_bytes()))
        || leading_attributes(lines, comments.attributes) == lines.len()
}

/// Whether a line is a comment that documents. `#[` is none in PHP, and `//` none in Rust.
fn is_doc(line: &[u8], comments: &Comments) -> bool {
    let doc = opener(line, comments.lines);
    doc > opener(line, comments.attributes) && !line.starts_with(b"#!")
}

/// How long the longest of these is that a line begins with.
fn opener(line: &[u8], openers: &[&str]) -> usize {
    let begins = openers.iter().filter(|open| line.starts_with(open.as_bytes()));
    begins.map(|open| open.len()).max().unwrap_or(0)
}

/// The first line with a letter or digit in it, without marks at its start and tags around it.
fn first_telling<'a>(text: &'a [u8], marks: &[&str]) -> Option<&'a [u8]> {
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let mut line = line.trim_ascii();
        while let Some(rest) = marks.iter().find_map(|mark| line.strip_prefix(mark.as_bytes())) {
            line = rest;
        }
        let line = without_tags(line.trim_ascii());
        let tells = line.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
        tells.then_some(line)
    })
}

/// Without tags as C# has them: `<summary>…</summary>`.
fn without_tags(line: &[u8]) -> &[u8] {
    let mut inner = line;
    while let Some(rest) = inner.strip_prefix(b"<") {
        let Some(end) = memchr::memchr(b'>', rest) else { return line };
        inner = rest[end + 1..].trim_ascii_start();
    }
    match memchr::memmem::rfind(inner, b"</") {
        Some(end) if inner.len() < line.len() => inner[..end].trim_ascii_end(),
        _ => inner,
    }
}
