//! The headings of a Markdown text, as CommonMark has them.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::Kind;
use super::assemble::{Found, What};
use super::rules::{is_name, slice, title, trimmed};

/// Quotations and items of lists, one in the other, that a line may open. Each line after it may take as
/// many steps.
const DEPTH: usize = 100;

/// A heading begins a section, which reaches to the next one of its level or above.
pub(super) fn markdown(text: &[u8]) -> Option<Vec<Found>> {
    if text.split(|byte| *byte == b'\n').any(|line| opens(line) > DEPTH) {
        return None;
    }
    let start = front_matter(text);
    let readable = readable(&text[start..]);
    let events = Parser::new_ext(&readable, Options::ENABLE_TABLES).into_offset_iter();
    let headings = events.filter_map(|(event, range)| match event {
        Event::Start(Tag::Heading { level, .. }) => {
            heading(level as u8, start + range.start..start + range.end, text)
        }
        _ => None,
    });
    Some(headings.collect())
}

/// How long the data is that a text begins with, between `---` or `+++`. CommonMark knows none, and the
/// parser would take it for such anywhere.
fn front_matter(text: &[u8]) -> usize {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let closes: &[&[u8]] = match first.trim_ascii_end() {
        b"---" => &[b"---", b"..."],
        b"+++" => &[b"+++"],
        _ => return 0,
    };
    let mut length = first.len();
    for line in lines {
        length += line.len();
        if closes.contains(&line.trim_ascii_end()) {
            return length;
        }
    }
    0
}

/// How many quotations and items a line may open, at most.
fn opens(line: &[u8]) -> usize {
    let is_mark = |byte: &u8| b">-+*.) \t".contains(byte) || byte.is_ascii_digit();
    let marks = line.iter().position(|byte| !is_mark(byte)).unwrap_or(line.len());
    let ends = |pair: &[u8]| match pair {
        [b'>', _] => true,
        [mark, blank] => b"-+*.)".contains(mark) && matches!(blank, b' ' | b'\t'),
        _ => false,
    };
    line[..marks].windows(2).filter(|pair| ends(pair)).count()
}

/// The text, byte for byte: what is no character is another one.
fn readable(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Cow::Borrowed(text);
    }
    let mut readable = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        readable.push_str(chunk.valid());
        readable.extend(chunk.invalid().iter().map(|_| '?'));
    }
    Cow::Owned(readable)
}

fn heading(level: u8, range: Range<usize>, text: &[u8]) -> Option<Found> {
    let range = trimmed(range.start as u32..range.end as u32, text);
    let whole = slice(text, &range);
    let marks = whole.iter().take_while(|byte| **byte == b'#').count();
    let is_marked =
        marks == usize::from(level) && whole.get(marks).is_none_or(u8::is_ascii_whitespace);
    let start = if is_marked { range.start + marks as u32 } else { range.start };
    let name = title(start..range.end, text);
    let what = What::Reaching { kind: Kind::Section, level };
    let inside = name.end;
    is_name(slice(text, &name)).then_some(Found {
        what,
        name,
        scope: None,
        range,
        head: None,
        inside,
        rank: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let found = markdown(text.as_bytes()).unwrap();
        found.iter().map(|one| &text[one.name.start as usize..one.name.end as usize]).collect()
    }

    #[test]
    fn only_what_a_text_begins_with_is_front_matter() {
        assert_eq!(names("---\ntitle: a\n---\n# b\n"), ["b"]);
        assert_eq!(names("+++\n# a\n+++\n# b\n"), ["b"]);
        assert_eq!(names("---\n# a\n"), ["a"]);
        assert_eq!(names("\n---\n# a\n\n---\n# b\n"), ["a", "b"]);
    }

    #[test]
    fn a_heading_is_marked_or_underlined() {
        assert_eq!(names("#tag\n====\n#tag\n\n####### g\n\n## **x** ##\n"), ["#tag", "x"]);
        assert_eq!(names("> # quoted\n\n```\n# fenced\n```\n"), ["quoted"]);
    }

    #[test]
    fn what_is_nested_beyond_reason_is_given_up() {
        let nested = |depth: usize| format!("{}a\n# b\n", "> ".repeat(depth));
        assert!(markdown(nested(DEPTH).as_bytes()).is_some());
        assert!(markdown(nested(DEPTH + 1).as_bytes()).is_none());
        assert!(markdown(format!("{}\n", "-".repeat(1000)).as_bytes()).is_some());
    }

    #[test]
    fn what_is_no_text_keeps_its_length() {
        assert_eq!(readable(b"a\xff\xe2\x82b"), "a???b");
        assert_eq!(readable("aé".as_bytes()), "aé");
    }
}
