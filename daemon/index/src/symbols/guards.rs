//! Texts that a grammar must not be given.
//!
//! The grammars' scanners are C. Some keep a stack that they write into a buffer of 1,024 bytes,
//! and end the process where it does not fit; some constructs cost the square or the cube of their
//! length, within one step of the parser, so that no budget stops them. No text that a person has
//! written is like this. Each guard is one pass over the text, and errs towards refusing.

use std::borrow::Cow;
use std::ops::Range;

/// What of a text the grammar may be given: nothing, or as much, with other bytes where it must be.
pub(super) type Guarded<'a> = Option<Cow<'a, [u8]>>;

/// For a grammar that takes anything.
pub(super) fn any(text: &[u8]) -> Guarded<'_> {
    unless(nests_too_deep, text)
}

/// For languages whose statements end with a sign.
pub(super) fn statements(text: &[u8]) -> Guarded<'_> {
    unless(|text| nests_too_deep(text) || never_ends(text, false), text)
}

/// For languages whose statements end with a line. One without a word is no statement.
pub(super) fn lines(text: &[u8]) -> Guarded<'_> {
    unless(|text| nests_too_deep(text) || never_ends(text, true), text)
}

/// For Python.
pub(super) fn python(text: &[u8]) -> Guarded<'_> {
    lines(text).and_then(|_| unless(indents_too_deep, text))
}

/// For YAML.
pub(super) fn yaml(text: &[u8]) -> Guarded<'_> {
    any(text).and_then(|_| unless(opens_too_much, text))
}

/// For Ruby.
pub(super) fn ruby(text: &[u8]) -> Guarded<'_> {
    lines(text).map(|_| without_long_heredocs(text))
}

/// For Bash.
pub(super) fn bash(text: &[u8]) -> Guarded<'_> {
    lines(text).map(|_| without_wide_numbers(text))
}

/// For Kotlin. Its scanner (tree-sitter-kotlin-ng 1.1.0) looks from an `@` for the end of the word or
/// the line, and on and on where the text ends before it.
pub(super) fn kotlin(text: &[u8]) -> Guarded<'_> {
    lines(text).map(|_| without_at_end(text, b'@'))
}

/// For Swift. Its scanner (tree-sitter-swift 0.7.4) compares a NUL, or the end of the text, with the
/// end of `#if`, and goes on beyond that.
pub(super) fn swift(text: &[u8]) -> Guarded<'_> {
    let mut left = lines(text).map(|_| without_at_end(text, b'#'))?;
    if memchr::memchr(b'\0', &left).is_some() {
        left.to_mut().iter_mut().filter(|byte| **byte == b'\0').for_each(|byte| *byte = b' ');
    }
    Some(left)
}

/// Without a sign in the last line, if that has no end.
fn without_at_end(text: &[u8], sign: u8) -> Cow<'_, [u8]> {
    let mut left = Cow::Borrowed(text);
    let line = memchr::memrchr(b'\n', text).map_or(0, |newline| newline + 1);
    for at in memchr::memchr_iter(sign, &text[line..]) {
        left.to_mut()[line + at] = b' ';
    }
    left
}

/// For SQL. What stands between `$tag$` and the same again is a string, which its scanner
/// (tree-sitter-sequel 0.3.11) loses some memory for with each token. It becomes one in quotes.
pub(super) fn sql(text: &[u8]) -> Guarded<'_> {
    statements(text).map(|_| without_dollars(text))
}

fn without_dollars(text: &[u8]) -> Cow<'_, [u8]> {
    const UNCLOSED: usize = 16;
    let mut left = Cow::Borrowed(text);
    let (mut from, mut unclosed) = (0, 0);
    while let Some(found) = memchr::memchr(b'$', &text[from..]) {
        let start = from + found;
        let is_end = |byte: &u8| *byte == b'$' || byte.is_ascii_whitespace();
        let tag = text[start + 1..].iter().position(is_end).map(|length| start + 1 + length);
        from = start + 1;
        let Some(end) = tag.filter(|end| text[*end] == b'$') else { continue };
        let (tag, body) = (&text[start..=end], end + 1);
        let close =
            (unclosed < UNCLOSED).then(|| memchr::memmem::find(&text[body..], tag)).flatten();
        let left = left.to_mut();
        left[start..body].fill(b' ');
        let Some(close) = close.map(|length| body + length) else {
            unclosed += 1;
            continue;
        };
        left[start] = b'\'';
        left[body..close].iter_mut().filter(|byte| **byte == b'\'').for_each(|b| *b = b' ');
        from = close + tag.len();
        left[close..from].fill(b' ');
        left[close] = b'\'';
    }
    left
}

/// For OCaml. Its scanner (tree-sitter-ocaml 0.26.0) takes comments in comments by recursion; and of the
/// tag of a string `{tag|…|tag}` it keeps a part, reads what nobody wrote, and writes more than there is
/// room for. Such a string becomes one in quotes.
pub(super) fn ocaml(text: &[u8]) -> Guarded<'_> {
    lines(text).and_then(|_| unless(comments_too_deep, text)).map(|_| without_tags(text))
}

fn comments_too_deep(text: &[u8]) -> bool {
    const DEPTH: usize = 1000;
    let mut depth = 0_usize;
    text.windows(2).any(|pair| {
        match pair {
            b"(*" => depth += 1,
            b"*)" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH
    })
}

fn without_tags(text: &[u8]) -> Cow<'_, [u8]> {
    const UNCLOSED: usize = 16;
    let mut left = Cow::Borrowed(text);
    let mut unclosed = 0;
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'{', &text[from..]) {
        let start = from + found;
        from = start + 1;
        let Some((tag, body)) = tag(text, start) else { continue };
        let end = [b"|", &text[tag], b"}"].concat();
        let close =
            (unclosed < UNCLOSED).then(|| memchr::memmem::find(&text[body..], &end)).flatten();
        let left = left.to_mut();
        left[start..body].fill(b' ');
        let Some(close) = close.map(|length| body + length) else {
            unclosed += 1;
            continue;
        };
        left[start] = b'"';
        let marks = left[body..close].iter_mut().filter(|byte| matches!(byte, b'"' | b'\\'));
        marks.for_each(|byte| *byte = b' ');
        from = close + end.len();
        left[close..from].fill(b' ');
        left[close] = b'"';
    }
    without_long_tags(left)
}

/// The tag of a string that begins with this brace, and where its text does: `{tag|`, `{%name tag|`.
fn tag(text: &[u8], brace: usize) -> Option<(Range<usize>, usize)> {
    let count = |from: usize, is: &dyn Fn(&u8) -> bool| {
        text[from..].iter().take_while(|byte| is(byte)).count()
    };
    let mut at = brace + 1;
    let signs = count(at, &|byte| *byte == b'%');
    if signs > 0 {
        at += signs;
        at += count(at, &|byte| is_word(*byte) || matches!(byte, b'.' | b'\''));
        at += count(at, &u8::is_ascii_whitespace);
    }
    let length = count(at, &is_tag);
    (length > 0 && text.get(at + length) == Some(&b'|')).then(|| (at..at + length, at + length + 1))
}

fn is_tag(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || *byte == b'_' || *byte >= 0x80
}

/// What looks like a long tag wherever it stands, since comments may stand before one.
fn without_long_tags(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const TAG: usize = 200;
    let mut long = Vec::new();
    for bar in memchr::memchr_iter(b'|', &text) {
        if text[..bar].iter().rev().take(TAG + 1).take_while(|byte| is_tag(byte)).count() > TAG {
            long.push(bar);
        }
    }
    let mut text = text;
    for bar in long {
        text.to_mut()[bar] = b' ';
    }
    text
}

/// For Fortran. Text in the form of punched cards becomes one in the free form.
pub(super) fn fortran(text: &[u8]) -> Guarded<'_> {
    lines(text).map(|_| if is_fixed(text) { free(text) } else { Cow::Borrowed(text) })
}

/// Whether text is in the form of cards: no statement begins in the columns of labels, and something shows
/// that it is none of the free form which is indented throughout.
fn is_fixed(text: &[u8]) -> bool {
    let mut is_shown = false;
    let fits = text.split(|byte| *byte == b'\n').all(|line| {
        let is_label = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_whitespace();
        match line {
            [b'c' | b'C' | b'd' | b'D', next, ..] => {
                // `character` and `data` begin so as well.
                let is_word = next.is_ascii_alphanumeric() && !next.eq_ignore_ascii_case(&line[0]);
                is_shown |= !is_word;
                !is_word
            }
            [b'c' | b'C' | b'*', ..] => {
                is_shown = true;
                true
            }
            [b'!' | b'#', ..] => true,
            _ => {
                let is_free = continues(line).is_some_and(|sign| sign.is_ascii_alphabetic());
                is_shown |= continues(line).is_some();
                let label = &line[..line.len().min(5)];
                !is_free && label.iter().take_while(|byte| **byte != b'\t').all(is_label)
            }
        }
    });
    fits && is_shown
}

/// The sign in the sixth column that says that a line goes on with the one before.
fn continues(line: &[u8]) -> Option<u8> {
    let sign = *line.get(5)?;
    let is_one = !b" \t\r0".contains(&sign) && line[..5].iter().all(|byte| *byte == b' ');
    is_one.then_some(sign)
}

fn free(text: &[u8]) -> Cow<'_, [u8]> {
    let mut left = text.to_vec();
    // The end of the last line that is a statement.
    let (mut before, mut start) = (None, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if let Some(b'c' | b'C' | b'*' | b'd' | b'D') = line.first() {
            left[start] = b'!';
        } else if continues(line).is_some() {
            left[start + 5] = b' ';
            if let Some(newline) = before {
                left[newline] = b' ';
            }
        }
        let is_comment = matches!(left[start], b'!' | b'#') || memchr::memchr(b'!', line).is_some();
        if !line.trim_ascii().is_empty() {
            before = (!is_comment && line.ends_with(b"\n")).then(|| end - 1);
        }
        start = end;
    }
    Cow::Owned(left)
}

/// For MATLAB. Its scanner (tree-sitter-matlab 1.3.1) takes each line of a comment by recursion.
pub(super) fn matlab(text: &[u8]) -> Guarded<'_> {
    lines(text).and_then(|_| unless(comments_too_long, text))
}

fn comments_too_long(text: &[u8]) -> bool {
    const LINES: usize = 2000;
    let mut count = 0;
    text.split(|byte| matches!(byte, b'\n' | b'\r')).any(|line| {
        let is_comment = line.trim_ascii_start().first().is_none_or(|byte| *byte == b'%');
        count = if is_comment { count + 1 } else { 0 };
        count > LINES
    })
}

/// For Erlang, Gleam and HCL, where words in a row that nothing stands between cost the square of their
/// number.
pub(super) fn clauses(text: &[u8]) -> Guarded<'_> {
    lines(text).and_then(|_| unless(runs_on, text))
}

fn runs_on(text: &[u8]) -> bool {
    const TOKENS: usize = 1000;
    let (mut tokens, mut last) = (0, b' ');
    text.iter().any(|&byte| {
        let is_same = is_word(byte) == is_word(last) && !last.is_ascii_whitespace();
        match byte {
            b'.' | b',' | b';' | b':' | b'=' | b'(' | b')' | b'{' | b'}' | b'[' | b']' => {
                tokens = 0;
            }
            _ if byte.is_ascii_whitespace() || is_same => {}
            _ => tokens += 1,
        }
        last = byte;
        tokens > TOKENS
    })
}

/// For HTML, where tags that are never closed cost the square of their number.
pub(super) fn html(text: &[u8]) -> Guarded<'_> {
    any(text).and_then(|_| unless(opens_on, text))
}

fn opens_on(text: &[u8]) -> bool {
    const TAGS: usize = 500;
    let mut open = 0;
    memchr::memchr2_iter(b'<', b'>', text).any(|at| {
        open = if text[at] == b'<' { open + 1 } else { 0 };
        open > TAGS
    })
}

fn unless(refuses: fn(&[u8]) -> bool, text: &[u8]) -> Guarded<'_> {
    (!refuses(text)).then_some(Cow::Borrowed(text))
}

/// How deep brackets may nest: the parser (tree-sitter 0.27.1) frees its stack by recursion where
/// readings of the text have met on it, and a thread's own stack is used up somewhere past 20,000.
const DEEPEST: usize = 5000;

fn nests_too_deep(text: &[u8]) -> bool {
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
fn opens_too_much(text: &[u8]) -> bool {
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
fn indents_too_deep(text: &[u8]) -> bool {
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
/// each in one byte: `<<"…"` with 256 bytes ends the process. What looks like that, which is most
/// often `<<` before the end of a string, is blotted out.
fn without_long_heredocs(text: &[u8]) -> Cow<'_, [u8]> {
    const NAME: usize = 200;
    const LINE: usize = 600;
    let mut left = Cow::Borrowed(text);
    let (mut line_end, mut on_line) = (0, 0);
    for at in memchr::memmem::find_iter(text, b"<<") {
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
        if name > NAME || on_line > LINE {
            left.to_mut()[at..at + 2].fill(b' ');
        }
    }
    left
}

/// Bash's scanner (tree-sitter-bash 0.25.1) asks C's `isdigit` of each character where `{1..2}` may
/// have a digit. By some compilers that is a look into a table of 256 rows: what is no ASCII there
/// is blotted out.
fn without_wide_numbers(text: &[u8]) -> Cow<'_, [u8]> {
    let mut left = Cow::Borrowed(text);
    for open in memchr::memchr_iter(b'{', text) {
        let digits = |at: usize| text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = open + 1;
        at += digits(at);
        if text[at..].starts_with(b"..") {
            at += 2;
            at += digits(at);
        }
        let wide = text[at..].iter().take_while(|byte| !byte.is_ascii()).count();
        if wide > 0 {
            left.to_mut()[at..at + wide].fill(b'x');
        }
    }
    left
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Whether there are so many signs without any that ends a statement, or is a bracket. An expression
/// that never ends, such as `a = > a = > …` in C, keeps the parser busy for seconds in one step,
/// which is the first error after it, and grows with the cube.
fn never_ends(text: &[u8], by_line: bool) -> bool {
    const SIGNS: usize = 1000;
    let (mut signs, mut was_sign, mut has_word) = (0, false, false);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += string(&text[at..]).unwrap_or(1);
        let is_word = is_word(byte) || is_quote(byte);
        let is_sign = !is_word && !byte.is_ascii_whitespace();
        match byte {
            b';' | b',' | b'(' | b')' | b'{' | b'}' | b'[' | b']' | b'#' => signs = 0,
            b'\n' if by_line && has_word => signs = 0,
            _ => signs += usize::from(is_sign && !was_sign),
        }
        was_sign = is_sign;
        has_word = is_word || (has_word && byte != b'\n');
        if signs > SIGNS {
            return true;
        }
    }
    false
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// How long the string is that a text begins with, where it begins with one that its line ends.
fn string(text: &[u8]) -> Option<usize> {
    let quote = *text.first().filter(|byte| is_quote(**byte))?;
    let mut at = 1;
    loop {
        at += memchr::memchr3(quote, b'\\', b'\n', &text[at..])?;
        match text[at] {
            b'\n' => return None,
            b'\\' => at = (at + 2).min(text.len()),
            _ => return Some(at + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tagged_string_of_ocaml_is_one_in_quotes() {
        let left = |text: &str| String::from_utf8(ocaml(text.as_bytes()).unwrap().into()).unwrap();
        assert_eq!(left("let a = {x|b \"c\" \\|x} d"), "let a = \"  b  c   \"   d");
        assert_eq!(left("{%sql|select|}"), "{%sql|select|}");
        assert_eq!(left("{%sql\ntag|a|tag}"), "\"         a\"    ");
        assert_eq!(left("{ a | b }"), "{ a | b }");
        let long = format!("{{(*c*){}|a", "x".repeat(300));
        assert!(!left(&long).contains('|'));
        assert!(ocaml(&b"(*]\n".repeat(2000)).is_none());
        assert!(ocaml(&b"(* a *)\n".repeat(2000)).is_some());
    }

    #[test]
    fn cards_of_fortran_become_free() {
        let left =
            |text: &str| String::from_utf8(fortran(text.as_bytes()).unwrap().into()).unwrap();
        let cards = "C     old\n      CALL F(A,\n     $  B)\n   10 CONTINUE\n";
        assert_eq!(left(cards), "!     old\n      CALL F(A,         B)\n   10 CONTINUE\n");
        for free in [
            "character(10) :: a\ncomplex :: z\ndata a /'x'/\n",
            "     integer :: x\n     real :: y\n",
            "      integer :: x\n",
            "module a\nend\n",
        ] {
            assert_eq!(left(free), free);
        }
    }

    #[test]
    fn what_ends_the_process_is_refused() {
        assert!(yaml("- ".repeat(300).as_bytes()).is_none());
        let deeper: String = (0..300).map(|column| format!("{}a:\n", " ".repeat(column))).collect();
        assert!(yaml(deeper.as_bytes()).is_none());
        let deeper: String =
            (0..400).map(|column| format!("{}if a:\n", " ".repeat(column))).collect();
        assert!(python(deeper.as_bytes()).is_none());
        let blotted = |text: &str| {
            let left = ruby(text.as_bytes()).unwrap();
            left.len() == text.len() && *left != *text.as_bytes()
        };
        assert!(blotted(&format!("x <<\"{}\"", "a".repeat(256))));
        assert!(blotted(&format!("x <<~{}", "A".repeat(256))));
        assert!(blotted(&"f(<<\"a b c d e f g h\", ".repeat(40)));
        let left = |text: &str| String::from_utf8(bash(text.as_bytes()).unwrap().into()).unwrap();
        assert_eq!(left("a {é} {1é} {1..é} {1..2é}"), "a {xx} {1xx} {1..xx} {1..2xx}");
        let left = |text: &str| String::from_utf8(kotlin(text.as_bytes()).unwrap().into()).unwrap();
        assert_eq!(left("@a\nb @c @d"), "@a\nb  c  d");
        assert_eq!(left("@a\n"), "@a\n");
        assert_eq!(*swift(b"#if a\0\n#if").unwrap(), *b"#if a \n if");
        let left = |text: &str| String::from_utf8(sql(text.as_bytes()).unwrap().into()).unwrap();
        assert_eq!(left("$$ a 'b' $$ $1"), "'  a  b  '  $1");
        assert_eq!(left("$x$ '$$' $x$ $y$ $"), "'    $$  '       $");
        assert!(matlab("% a\n".repeat(2001).as_bytes()).is_none());
        assert!(statements("a =\n".repeat(1001).as_bytes()).is_none());
        assert!(lines("/*\n".repeat(1001).as_bytes()).is_none());
        assert!(clauses("a\n".repeat(1001).as_bytes()).is_none());
        assert!(clauses("#\na\n%\n".repeat(400).as_bytes()).is_none());
        assert!(html("<<a\n".repeat(300).as_bytes()).is_none());
        assert!(any("([{\n".repeat(2000).as_bytes()).is_none());
    }

    #[test]
    fn what_people_write_is_taken() {
        let deep = "a:\n  b:\n    - c:\n        d: [1, 2]\n".repeat(1000);
        assert!(yaml(deep.as_bytes()).is_some());
        assert!(python("if a:\n  if b:\n\tif c: pass\n".repeat(1000).as_bytes()).is_some());
        let plain = "a << b << \"c\"\nf(<<~SQL, <<-'X')\nSQL\nX\n".repeat(1000);
        assert_eq!(*ruby(plain.as_bytes()).unwrap(), *plain.as_bytes());
        let plain = "é() { echo ${1} {1..20} \"é{a,é}\" é; }";
        assert_eq!(*bash(plain.as_bytes()).unwrap(), *plain.as_bytes());
        assert!(
            clauses("%% Words of a comment.\na(B) -> C = b.\n".repeat(10_000).as_bytes()).is_some()
        );
        assert!(clauses("a = \"b\"\n".repeat(10_000).as_bytes()).is_some());
        assert!(html("<td>1</td> a < b\n".repeat(10_000).as_bytes()).is_some());
        assert!(any("f(a[{}])".repeat(10_000).as_bytes()).is_some());
        assert!(statements("a = b < c;\n#define A ==\n".repeat(10_000).as_bytes()).is_some());
        assert!(statements(format!("s = \"{}\";", r"\u12-".repeat(2000)).as_bytes()).is_some());
        assert!(lines("A = 1 + 2\n\n".repeat(10_000).as_bytes()).is_some());
    }
}
