//! ripgrep's colours, for what the client prints itself.

use std::io::{Result, Write};

/// What a part of a line is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ink {
    /// A path.
    Path,
    /// The number of a line or a column.
    Number,
    /// What was looked for.
    Match,
    /// What is said beside.
    Faint,
}

/// Writes with colours, or without.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    /// Writes a part of a line.
    pub(super) fn put(self, out: &mut dyn Write, ink: Ink, text: &[u8]) -> Result<()> {
        if !self.color {
            return out.write_all(text);
        }
        let codes = match ink {
            Ink::Path => "\x1b[35m",
            Ink::Number => "\x1b[32m",
            Ink::Match => "\x1b[1m\x1b[31m",
            Ink::Faint => "\x1b[2m",
        };
        write!(out, "\x1b[0m{codes}")?;
        out.write_all(text)?;
        write!(out, "\x1b[0m")
    }
}

/// A text that cannot mislead: what is not seen, or turns the direction of writing, stands there by its
/// number.
pub(super) fn shown(text: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in text.utf8_chunks() {
        for letter in chunk.valid().chars() {
            let is_hidden = letter.is_control()
                || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}');
            match is_hidden {
                true => shown.push_str(&format!("\\u{{{:x}}}", letter as u32)),
                false => shown.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| shown.push_str(&format!("\\x{byte:02x}")));
    }
    shown
}

/// A text as a part of one line: each run of white space is one space.
pub(super) fn one_line(text: &[u8]) -> Vec<u8> {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}
