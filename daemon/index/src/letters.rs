//! Which letters a name has: what passes over most names of a tree without a look at them.

/// A set of letters, upper and lower case as one. All digits are one letter of it, and so is all that
/// is rare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Letters(u32);

const DIGIT: u32 = 1 << 26;
const UNDERSCORE: u32 = 1 << 27;
const DASH: u32 = 1 << 28;
const DOT: u32 = 1 << 29;
const RARE: u32 = 1 << 30;
const ANY: u32 = 1 << 31;

impl Letters {
    /// Every letter: of what must be looked at in any case.
    pub const ALL: Self = Self(u32::MAX);

    /// Those of a text. One that is not ASCII has all: its letters may match as others.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        let letters = text.iter().fold(0, |letters, byte| letters | bit(*byte));
        if letters & ANY == 0 { Self(letters) } else { Self::ALL }
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it has all of these.
    #[must_use]
    pub fn has(self, wanted: Self) -> bool {
        wanted.0 & !self.0 == 0
    }
}

fn bit(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' => 1 << (byte - b'a'),
        b'A'..=b'Z' => 1 << (byte - b'A'),
        b'0'..=b'9' => DIGIT,
        b'_' => UNDERSCORE,
        b'-' => DASH,
        b'.' => DOT,
        0x80.. => ANY,
        _ => RARE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_letters_of_its_parts() {
        let whole = Letters::of(b"Main_42-a.rs");
        for part in ["main", "MAIN", "_", "9", ".", "-", "srn", ""] {
            assert!(whole.has(Letters::of(part.as_bytes())), "{part}");
        }
        for other in ["x", "b", " ", "/"] {
            assert!(!whole.has(Letters::of(other.as_bytes())), "{other}");
        }
        assert!(Letters::of("\u{e9}".as_bytes()).has(whole));
    }
}
