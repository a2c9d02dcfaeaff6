//! Where the tokens of C end.

/// The end of parentheses, at the latest that of the statement.
pub(in super::super) fn end_of_parentheses(text: &[u8], at: usize) -> usize {
    let mut depth = 0;
    for (length, byte) in text[at..].iter().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return at + length + 1,
            b')' => depth -= 1,
            b';' | b'{' | b'}' => return at + length,
            _ => {}
        }
    }
    text.len()
}

pub(in super::super) fn begins_line(text: &[u8], at: usize) -> bool {
    let before = text[..at].iter().rev().find(|byte| !matches!(byte, b' ' | b'\t'));
    before.is_none_or(|byte| *byte == b'\n')
}

pub(in super::super) fn next_line(text: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length + 1)
}

pub(in super::super) fn after_blanks(text: &[u8], at: usize) -> usize {
    text[at..]
        .iter()
        .position(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(text.len(), |length| at + length)
}

pub(in super::super) fn end_of_word(text: &[u8], at: usize) -> usize {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..);
    text[at..].iter().position(|byte| !is_word(byte)).map_or(text.len(), |length| at + length)
}

pub(in super::super) fn end_of_comment(text: &[u8], at: usize) -> usize {
    let rest = &text[(at + 2).min(text.len())..];
    if text[at + 1] == b'/' {
        return memchr::memchr(b'\n', rest).map_or(text.len(), |end| at + 2 + end);
    }
    memchr::memmem::find(rest, b"*/").map_or(text.len(), |end| at + 2 + end + 2)
}

/// The end of a string or character, at the latest that of its line.
pub(in super::super) fn end_of_quote(text: &[u8], at: usize) -> usize {
    let quote = text[at];
    let mut end = at + 1;
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' => end += 2,
            b'\n' => return end,
            byte if *byte == quote => return end + 1,
            _ => end += 1,
        }
    }
    text.len()
}

/// Where a directive ends, without the end of its last line, and where its first line does.
pub(in super::super) fn end_of_directive(text: &[u8], at: usize) -> (usize, usize) {
    let mut first = None;
    let mut end = at;
    while let Some(found) = memchr::memchr3(b'\n', b'/', b'"', &text[end..]) {
        end += found;
        match text[end] {
            b'"' => end = end_of_quote(text, end),
            b'/' if text.get(end + 1) == Some(&b'*') => {
                let line = memchr::memchr(b'\n', &text[end..]).map(|length| end + length);
                end = end_of_comment(text, end);
                first = first.or(line.filter(|line| *line < end));
            }
            b'/' => end += 1,
            _ => {
                let line = text[..end].strip_suffix(b"\r").unwrap_or(&text[..end]);
                let words = line.strip_suffix(b"\\").unwrap_or(line).trim_ascii_end();
                first = first.or(Some(words.len().max(at + 1)));
                if !line.ends_with(b"\\") {
                    return (line.len().max(at + 1), first.unwrap_or(end));
                }
                end += 1;
            }
        }
    }
    (text.len(), first.unwrap_or(text.len()))
}

fn after_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The star of a declarator that begins with a parenthesis: `(*`, or `(WORD *`.
pub(in super::super) fn star_after(text: &[u8], open: usize) -> Option<usize> {
    let word = after_space(text, open + 1);
    let end = end_of_word(text, word.min(text.len()));
    let shouts = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    let annotates = text.get(word..end)?.starts_with(b"__") || text[word..end].iter().all(shouts);
    let star = after_space(text, end);
    (annotates && matches!(text.get(star), Some(b'*' | b'^'))).then_some(star)
}

/// A word that is all there is in parentheses, where others follow: `(word)(`.
pub(in super::super) fn word_within(text: &[u8], open: usize) -> Option<(usize, usize)> {
    let word = after_space(text, open + 1);
    let end = end_of_word(text, word.min(text.len()));
    let close = after_space(text, end);
    let next = after_space(text, close + 1);
    let is_so = end > word && text.get(close) == Some(&b')') && text.get(next) == Some(&b'(');
    is_so.then_some((word, end))
}
