//! Outlines as they are printed, in ripgrep's colours.

use super::outline::Outlined;
use crate::cache::Value;
use hob_protocol::{Extent, Outline, OutlineSymbol};
use std::io::Write as _;

/// How many levels are indented: deeper ones stand below each other.
const DEEPEST: usize = 40;

/// An outline as it is printed, without its heading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Printed {
    pub(crate) text: Vec<u8>,
    pub(crate) extent: Extent,
    /// Whether there is any definition.
    pub(crate) found: bool,
}

impl Printed {
    pub(crate) fn of(outlined: &Outlined, color: bool) -> Self {
        let outline = &outlined.outline;
        let found = !outline.symbols.is_empty();
        Self { text: print(outline, color), extent: outline.extent, found }
    }
}

/// Kept in memory alone: on disk is what it is made of.
impl Value for Printed {
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(_: &[u8]) -> Option<Self> {
        None
    }

    fn weight(&self) -> usize {
        self.text.len() + size_of::<Self>()
    }
}

/// The name of a file above its outline.
pub(crate) fn heading(path: &[u8], color: bool, output: &mut Vec<u8>) {
    put(path, "\x1b[35m", color, output);
    output.push(b'\n');
}

/// Each line has the first and the last line of a definition, and its signature, indented by what
/// encloses it.
fn print(outline: &Outline, color: bool) -> Vec<u8> {
    let lines =
        |symbol: &OutlineSymbol| format!("{}-{}", symbol.range.start.line, symbol.range.end.line);
    let width = outline.symbols.iter().map(|symbol| lines(symbol).len()).max().unwrap_or(0);
    let mut output = Vec::new();
    for symbol in &outline.symbols {
        let lines = lines(symbol);
        put(lines.as_bytes(), "\x1b[32m", color, &mut output);
        let indent = 2 * (symbol.depth as usize).min(DEEPEST);
        let gap = width - lines.len() + 2 + indent;
        // Writing to memory does not fail.
        let _ = write!(output, "{:gap$}", "");
        match one_line(symbol.signature.as_bytes()) {
            signature if signature.is_empty() => {
                output.extend(one_line(symbol.name.as_bytes()));
            }
            signature => output.extend(signature),
        }
        output.push(b'\n');
    }
    output
}

fn put(text: &[u8], code: &str, color: bool, output: &mut Vec<u8>) {
    if !color {
        return output.extend_from_slice(text);
    }
    for part in [b"\x1b[0m", code.as_bytes(), text, b"\x1b[0m"] {
        output.extend_from_slice(part);
    }
}

/// A text as a part of one line: each run of white space is one space.
fn one_line(text: &[u8]) -> Vec<u8> {
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use hob_protocol::{Position, Range, Text};

    fn symbol(name: &str, signature: &str, depth: u32, (first, last): (u64, u64)) -> OutlineSymbol {
        let at = |line| Position { line, column: 1 };
        OutlineSymbol {
            name: Text::from(name),
            signature: Text::from(signature),
            depth,
            range: Range { start: at(first), end: at(last) },
            ..OutlineSymbol::default()
        }
    }

    fn printed(symbols: Vec<OutlineSymbol>, color: bool) -> String {
        let outline = Outline { language: "rust".into(), extent: Extent::Whole, symbols };
        String::from_utf8(print(&outline, color)).unwrap()
    }

    #[test]
    fn an_outline_is_nested_and_its_lines_are_aligned() {
        let symbols = vec![
            symbol("Index", "pub struct Index", 0, (3, 120)),
            symbol("at", "at:\n  u32", 1, (4, 4)),
            symbol("deps", "", 0, (121, 121)),
        ];
        let expected = "3-120    pub struct Index\n4-4        at: u32\n121-121  deps\n";
        assert_eq!(printed(symbols.clone(), false), expected);
        let colored = printed(symbols[..1].to_vec(), true);
        assert_eq!(colored, "\x1b[0m\x1b[32m3-120\x1b[0m  pub struct Index\n");
        assert_eq!(printed(Vec::new(), false), "");
        let deep = printed(vec![symbol("x", "x", 5000, (1, 1))], false);
        assert_eq!(deep, format!("1-1  {:80}x\n", ""));
    }

    #[test]
    fn a_heading_is_the_name_as_it_is() {
        let mut output = Vec::new();
        heading(b"a\xff.rs", false, &mut output);
        heading(b"b.rs", true, &mut output);
        assert_eq!(output, b"a\xff.rs\n\x1b[0m\x1b[35mb.rs\x1b[0m\n");
    }
}
