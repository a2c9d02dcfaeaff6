//! What is left of a text for a grammar, and where it stood.
//!
//! What can define nothing, or nothing that anybody wrote, is taken away before the parse.

use std::ops::Range;

use super::assemble::Found;

/// What a pre-pass leaves of a text for the grammar.
#[derive(Debug, Default)]
pub(super) struct Skim {
    /// What is left.
    pub(super) text: Vec<u8>,
    /// Where pieces of it begin, there and in the whole text. Ascending; the first begins at 0.
    pub(super) pieces: Vec<(u32, u32)>,
    /// Where parts of it end that the grammar takes one by one, so that what it cannot read in one
    /// does not mislead it in the next. Ascending; without any, it takes all at once.
    pub(super) ends: Vec<usize>,
    /// What the pre-pass itself has found, with offsets of the whole text.
    pub(super) found: Vec<Found>,
    /// Whether the text has errors, where the pre-pass knows that better than the grammar.
    pub(super) has_error: Option<bool>,
}

impl Skim {
    /// Gives what was found in what is left its place in the whole text.
    pub(super) fn restore(&self, found: &mut Found) {
        // A body begins where it stands, however much before it was left out.
        found.head = found.head.map(|head| match head < found.range.end {
            true => self.place(head),
            false => self.end(head),
        });
        found.name = self.range(&found.name);
        found.range = self.range(&found.range);
        found.scope = found.scope.as_ref().map(|scope| self.range(scope));
        found.inside = self.place(found.inside);
    }

    /// The same of a range.
    pub(super) fn range(&self, range: &Range<u32>) -> Range<u32> {
        self.place(range.start)..self.end(range.end)
    }

    /// Where a byte of what is left stands in the whole text.
    pub(super) fn place(&self, offset: u32) -> u32 {
        let piece = self.pieces.partition_point(|&(start, _)| start <= offset);
        let (start, whole) = piece.checked_sub(1).map_or((0, 0), |before| self.pieces[before]);
        offset - start + whole
    }

    /// The same of an end: just after the byte before it.
    pub(super) fn end(&self, offset: u32) -> u32 {
        offset.checked_sub(1).map_or(0, |last| self.place(last) + 1)
    }
}

/// A text without its lines of more than so many bytes, if there are such lines.
pub(super) fn without_long_lines(text: &[u8], line_bytes: usize) -> Option<Skim> {
    let ends = memchr::memchr_iter(b'\n', text).map(|newline| newline + 1);
    let mut kept = Vec::new();
    let (mut piece, mut line) = (0, 0);
    for end in ends.chain([text.len()]) {
        if end - line > line_bytes {
            kept.push(piece..line);
            piece = end;
        }
        line = end;
    }
    if kept.is_empty() {
        return None;
    }
    kept.push(piece..text.len());
    let mut skim = Skim::default();
    for piece in kept {
        skim.pieces.push((skim.text.len() as u32, piece.start as u32));
        skim.text.extend_from_slice(&text[piece]);
    }
    Some(skim)
}

/// How much of a text is no longer than that, up to a line's end.
pub(super) fn cut(text: &[u8], limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    memchr::memrchr(b'\n', &text[..limit]).map_or(limit, |newline| newline + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_left_out_and_places_stay() {
        let text = b"ab\nxxxxxxxx\ncd\nyyyyyyyyyyyy\nef\n";
        let left = without_long_lines(text, 4).unwrap();
        assert_eq!(left.text, b"ab\ncd\nef\n");
        let places: Vec<u32> = (0..left.text.len() as u32).map(|at| left.place(at)).collect();
        assert!(places.iter().zip(&left.text).all(|(at, byte)| text[*at as usize] == *byte));
        assert_eq!(left.range(&(1..4)), 1..13);
        assert_eq!(without_long_lines(b"xxxxx", 4).unwrap().text, b"");
    }

    #[test]
    fn a_text_within_its_limits_is_left_as_it_is() {
        assert!(without_long_lines(b"ab\ncd", 3).is_none());
        assert!(without_long_lines(b"", 0).is_none());
        assert_eq!(cut(b"ab\ncd", 5), 5);
        assert_eq!(cut(b"ab\ncd", 4), 3);
        assert_eq!(cut(b"abcd", 3), 3);
    }
}
