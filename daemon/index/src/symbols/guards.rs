//! Texts that a grammar must not be given.
//!
//! The grammars' scanners are C. Some keep a stack that they write into a buffer of 1,024 bytes,
//! and end the process where it does not fit; some constructs cost the square or the cube of their
//! length, within one step of the parser, so that no budget stops them. No text that a person has
//! written is like this. Each guard is one pass over the text, and errs towards refusing.

/// How deep brackets may nest. The parser (tree-sitter 0.27.1) frees its stack by recursion where
/// readings of the text have met on it, and a thread's own stack is used up somewhere past 20,000.
const DEEPEST: usize = 5000;

/// For any grammar.
pub(super) fn nests_too_deep(text: &[u8]) -> bool {
    let mut depth = 0_usize;
    text.iter().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// YAML's scanner (tree-sitter-yaml 0.7.2) keeps the columns of open collections, and 254 of them
/// end the process. What can be open is at most what lines, each further to the right than the one
/// before, open with `- `, `? ` and `: `.
pub(super) fn yaml(text: &[u8]) -> bool {
    const OPEN: usize = 250;
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut open = 0;
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let column = line.iter().take_while(|byte| **byte == b' ').count();
        if column == line.len() {
            continue;
        }
        while let Some((_, closed)) = lines.pop_if(|(outer, _)| *outer >= column) {
            open -= closed;
        }
        let follows = |at: usize| line.get(at + 1).is_none_or(|next| *next <= b' ');
        let begins = memchr::memchr3_iter(b'-', b'?', b':', line).filter(|at| follows(*at)).count();
        open += begins + 1;
        lines.push((column, begins + 1));
        if open > OPEN {
            return true;
        }
    }
    false
}

/// Python's scanner (tree-sitter-python 0.25.0) keeps the open indentations together with the open
/// strings.
pub(super) fn python(text: &[u8]) -> bool {
    const OPEN: usize = 380;
    let mut open: Vec<usize> = Vec::new();
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let blank = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\x0c'));
        let width = |byte: &u8| if *byte == b'\t' { 8 } else { 1 };
        let (count, column) = blank.fold((0, 0), |(n, sum), byte| (n + 1, sum + width(byte)));
        if count == line.len() {
            continue;
        }
        while open.pop_if(|outer| *outer >= column).is_some() {}
        open.push(column);
        if open.len() > OPEN {
            return true;
        }
    }
    false
}

/// Ruby's scanner (tree-sitter-ruby 0.23.1) keeps the names of open heredocs, and the length of
/// each in one byte: `<<"…"` with 256 bytes ends the process.
pub(super) fn ruby(text: &[u8]) -> bool {
    const NAME: usize = 200;
    const LINE: usize = 600;
    let (mut line_end, mut on_line) = (0, 0);
    memchr::memmem::find_iter(text, b"<<").any(|at| {
        let rest = &text[at + 2..];
        let rest = rest.strip_prefix(b"~").or(rest.strip_prefix(b"-")).unwrap_or(rest);
        let name = match rest {
            [quote @ (b'"' | b'\'' | b'`'), name @ ..] => {
                memchr::memchr(*quote, name).unwrap_or(name.len())
            }
            name => name.iter().take_while(|byte| is_word(**byte)).count(),
        };
        if at >= line_end {
            line_end = memchr::memchr(b'\n', rest).map_or(text.len(), |newline| at + 2 + newline);
            on_line = 0;
        }
        on_line += name + 8;
        name > NAME || on_line > LINE
    })
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// `a = > a = > …` and `a<a<a<…` without any end of a statement or bracket: with 4,000 of them the
/// parsers of C, C++, Java and C# are busy for seconds in one step.
pub(super) fn chains(text: &[u8]) -> bool {
    const LINKS: usize = 1000;
    let mut links = 0;
    for byte in text {
        match byte {
            b'=' | b'<' => links += 1,
            b';' | b',' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'#' => links = 0,
            _ => {}
        }
        if links > LINKS {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_the_process_is_refused() {
        assert!(yaml("- ".repeat(300).as_bytes()));
        let deeper: String = (0..300).map(|column| format!("{}a:\n", " ".repeat(column))).collect();
        assert!(yaml(deeper.as_bytes()));
        let deeper: String =
            (0..400).map(|column| format!("{}if a:\n", " ".repeat(column))).collect();
        assert!(python(deeper.as_bytes()));
        assert!(ruby(format!("x <<\"{}\"", "a".repeat(256)).as_bytes()));
        assert!(ruby(format!("x <<~{}", "A".repeat(256)).as_bytes()));
        assert!(ruby("f(<<\"a b c d e f g h\", ".repeat(40).as_bytes()));
        assert!(chains("a => ".repeat(1001).as_bytes()));
        assert!(nests_too_deep("([{\n".repeat(2000).as_bytes()));
    }

    #[test]
    fn what_people_write_is_taken() {
        let deep = "a:\n  b:\n    - c:\n        d: [1, 2]\n".repeat(1000);
        assert!(!yaml(deep.as_bytes()));
        assert!(!python("if a:\n  if b:\n\tif c: pass\n".repeat(1000).as_bytes()));
        assert!(!ruby("a << b << \"c\"\nf(<<~SQL, <<-'X')\nSQL\nX\n".repeat(1000).as_bytes()));
        assert!(!nests_too_deep("f(a[{}])".repeat(10_000).as_bytes()));
        assert!(!chains("a = b < c;\n#define A ==\n".repeat(10_000).as_bytes()));
    }
}
