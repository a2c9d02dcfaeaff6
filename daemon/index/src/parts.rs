//! The parts of a content that the text index tells apart.
//!
//! A large file contains nearly every common trigram somewhere, so as a whole it
//! would be a candidate of nearly every query. It is cut into parts, each a
//! document of its own, and is a candidate when a single part is. A match never
//! spans lines, so the cuts are at ends of lines, and nothing is lost between.

/// The size of a part, about.
const PART: u64 = 32 << 10;
/// Past this size a content has a fixed number of parts.
const LARGE: u64 = 16 << 20;
const LARGE_PARTS: u32 = 64;

/// How many parts a content of so many bytes has, at least one. What is stored depends on it.
#[must_use]
pub fn count(size: u64) -> u32 {
    match size {
        0 => 1,
        1..=LARGE => u32::try_from(size.div_ceil(PART)).unwrap_or(LARGE_PARTS),
        _ => LARGE_PARTS,
    }
}

/// About how many bytes a part of a content of `size` bytes has.
#[must_use]
pub fn length(size: u64) -> u64 {
    size.div_ceil(u64::from(count(size))).max(1)
}

/// Cuts text, which may come in pieces, into the parts of a content of `size` bytes.
///
/// The part `i` ends with the first line that ends at or after `(i + 1) * length(size)` bytes of
/// text, so that it can be found without what is before it; the last part takes what there is.
///
/// ```
/// use hob_index::parts::{Cutter, count};
/// let text = "a line\n".repeat(10_000);
/// let mut cutter = Cutter::new(text.len() as u64);
/// let mut parts = vec![Vec::new()];
/// cutter.cut(text.as_bytes(), &mut |piece, ends| {
///     parts.last_mut().unwrap().extend_from_slice(piece);
///     if ends {
///         parts.push(Vec::new());
///     }
/// });
/// assert_eq!(parts.len(), count(text.len() as u64) as usize);
/// ```
#[derive(Debug)]
pub struct Cutter {
    length: u64,
    /// How much text has come, and where the part at hand ends at the earliest.
    at: u64,
    due: u64,
    left: u32,
}

impl Cutter {
    /// For a content of so many bytes.
    #[must_use]
    pub fn new(size: u64) -> Self {
        let length = length(size);
        Self { length, at: 0, due: length, left: count(size) - 1 }
    }

    /// Calls `piece` with text that belongs to the part at hand, and whether that ends with it. A
    /// line that is longer than a part leaves parts empty.
    pub fn cut(&mut self, text: &[u8], piece: &mut dyn FnMut(&[u8], bool)) {
        let mut rest = text;
        while !rest.is_empty() {
            let Some(end) = self.end(rest) else {
                self.at += rest.len() as u64;
                piece(rest, false);
                return;
            };
            let (this, later) = rest.split_at(end);
            self.at += end as u64;
            rest = later;
            piece(this, true);
            self.next_part();
            while self.left > 0 && self.due <= self.at {
                piece(b"", true);
                self.next_part();
            }
        }
    }

    /// Parts that have not been begun: they stay empty.
    #[must_use]
    pub fn unended(&self) -> u32 {
        self.left
    }

    fn next_part(&mut self) {
        self.left -= 1;
        self.due = self.due.saturating_add(self.length);
    }

    fn end(&self, text: &[u8]) -> Option<usize> {
        if self.left == 0 {
            return None;
        }
        let wanted = usize::try_from(self.due.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let from = wanted.saturating_sub(1).min(text.len());
        memchr::memchr(b'\n', &text[from..]).map(|at| from + at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However the text comes, nothing of it is lost, no line is in two parts, and there are
        /// never more parts than the size allows.
        #[test]
        fn text_is_cut_at_lines(lines in prop::collection::vec(0usize..3000, 0..120), piece in 1usize..70_000) {
            let text: Vec<u8> = lines.iter().flat_map(|length| [vec![b'x'; *length], vec![b'\n']].concat()).collect();
            let size = text.len() as u64;
            let mut cutter = Cutter::new(size);
            let mut parts: Vec<Vec<u8>> = vec![Vec::new()];
            for piece in text.chunks(piece) {
                cutter.cut(piece, &mut |bytes, ends| {
                    parts.last_mut().unwrap().extend_from_slice(bytes);
                    if ends {
                        parts.push(Vec::new());
                    }
                });
            }
            prop_assert_eq!(&parts.concat(), &text);
            prop_assert_eq!(parts.len() as u32 + cutter.unended(), count(size));
            for (number, part) in parts[..parts.len() - 1].iter().enumerate() {
                prop_assert!(part.is_empty() || part.ends_with(b"\n"));
                // Where a part is follows from its number alone.
                let bound = |number: usize| match number {
                    0 => 0,
                    _ => {
                        let from = number * length(size) as usize - 1;
                        text[from..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at + 1)
                    }
                };
                prop_assert_eq!(&text[bound(number)..bound(number + 1)], part.as_slice());
            }
        }
    }

    #[test]
    fn the_number_of_parts_follows_the_size() {
        assert_eq!([0, 1, PART, PART + 1].map(count), [1, 1, 1, 2]);
        assert_eq!([LARGE, LARGE + 1].map(count), [512, LARGE_PARTS]);
    }
}
