//! A change of a file as a unified diff, in the form of `git diff`.

use similar::{Algorithm, DiffOp, DiffTag, TextDiff};
use std::time::Duration;

/// A side of a change: the path, the bytes, and whether it is a program.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The path from the root.
    pub path: &'a [u8],
    /// What the file holds.
    pub bytes: &'a [u8],
    /// Whether it may be run.
    pub is_program: bool,
}

/// Lines that are shown around each change.
const AROUND: usize = 3;
/// A diff that takes longer is made of fewer, larger pieces.
const LONGEST: Duration = Duration::from_secs(1);

/// Appends what leads from one side to the other; a file that is not there has no side.
pub fn unified(before: Option<Side<'_>>, after: Option<Side<'_>>, to: &mut Vec<u8>) {
    let Some(some) = after.or(before) else { return };
    let (old, new) = (before.unwrap_or(some), after.unwrap_or(some));
    let mut head = b"diff --git ".to_vec();
    head.extend(quoted(b"a/", old.path));
    head.push(b' ');
    head.extend(quoted(b"b/", new.path));
    head.push(b'\n');
    let mode = |side: Side<'_>| if side.is_program { "100755" } else { "100644" };
    match (before, after) {
        (None, _) => head.extend(format!("new file mode {}\n", mode(new)).bytes()),
        (_, None) => head.extend(format!("deleted file mode {}\n", mode(old)).bytes()),
        _ => {
            if old.is_program != new.is_program {
                let modes = format!("old mode {}\nnew mode {}\n", mode(old), mode(new));
                head.extend(modes.bytes());
            }
            if old.path != new.path {
                head.extend(b"rename from ");
                head.extend(quoted(b"", old.path));
                head.extend(b"\nrename to ");
                head.extend(quoted(b"", new.path));
                head.push(b'\n');
            }
        }
    }
    to.extend(head);
    let (old_bytes, new_bytes) =
        (before.map_or(&[][..], |side| side.bytes), after.map_or(&[][..], |side| side.bytes));
    if old_bytes == new_bytes {
        return;
    }
    let name = |side: Option<Side<'_>>, mark: &[u8]| {
        side.map_or_else(|| b"/dev/null".to_vec(), |side| quoted(mark, side.path))
    };
    let (from, into) = (name(before, b"a/"), name(after, b"b/"));
    if [old_bytes, new_bytes].iter().any(|bytes| memchr::memchr(0, bytes).is_some()) {
        to.extend([b"Binary files ", from.as_slice(), b" and ", &into, b" differ\n"].concat());
        return;
    }
    to.extend([b"--- ", from.as_slice(), b"\n+++ ", &into, b"\n"].concat());
    fn lines(bytes: &[u8]) -> Vec<&[u8]> {
        bytes.split_inclusive(|byte| *byte == b'\n').collect()
    }
    let (old_lines, new_lines) = (lines(old_bytes), lines(new_bytes));
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(LONGEST)
        .diff_slices(&old_lines, &new_lines);
    for group in diff.grouped_ops(AROUND) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let range = |of: fn(&DiffOp) -> std::ops::Range<usize>| {
            let (start, end) = (of(first).start, of(last).end);
            match end - start {
                // Of nothing, the line before is told.
                0 => format!("{start},0"),
                1 => (start + 1).to_string(),
                count => format!("{},{count}", start + 1),
            }
        };
        let (from, into) = (range(DiffOp::old_range), range(DiffOp::new_range));
        to.extend(format!("@@ -{from} +{into} @@\n").bytes());
        for op in &group {
            let mut put = |mark: u8, lines: &[&[u8]]| {
                for line in lines {
                    to.push(mark);
                    to.extend_from_slice(line);
                    if !line.ends_with(b"\n") {
                        to.extend(b"\n\\ No newline at end of file\n");
                    }
                }
            };
            let (old, new) = (&old_lines[op.old_range()], &new_lines[op.new_range()]);
            match op.tag() {
                DiffTag::Equal => put(b' ', old),
                DiffTag::Delete => put(b'-', old),
                DiffTag::Insert => put(b'+', new),
                DiffTag::Replace => {
                    put(b'-', old);
                    put(b'+', new);
                }
            }
        }
    }
}

/// A path as git writes it: what would be misread, or not seen, by its bytes.
fn quoted(mark: &[u8], path: &[u8]) -> Vec<u8> {
    let whole = [mark, path].concat();
    let is_plain = super::shown(&whole).as_bytes() == whole
        && !whole.iter().any(|byte| matches!(byte, b'"' | b'\\'));
    if is_plain {
        return whole;
    }
    let mut quoted = b"\"".to_vec();
    for byte in whole {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(b"\\n"),
            b'\t' => quoted.extend(b"\\t"),
            b' '..=b'~' => quoted.push(byte),
            byte => quoted.extend(format!("\\{byte:03o}").bytes()),
        }
    }
    quoted.push(b'"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: Option<(&str, &str)>, after: Option<(&str, &str)>) -> String {
        fn side<'a>((path, text): (&'a str, &'a str)) -> Side<'a> {
            Side { path: path.as_bytes(), bytes: text.as_bytes(), is_program: false }
        }
        let mut text = Vec::new();
        unified(before.map(side), after.map(side), &mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn each_kind_of_change_has_its_head() {
        assert_eq!(
            told(Some(("a", "x\ny\n")), Some(("a", "x\nz"))),
            "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n\\ No newline at end of file\n"
        );
        assert_eq!(
            told(None, Some(("n", "x\n"))),
            "diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+x\n"
        );
        assert_eq!(
            told(Some(("o", "x\n")), None),
            "diff --git a/o b/o\ndeleted file mode 100644\n--- a/o\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        );
        assert_eq!(
            told(Some(("o", "x\n")), Some(("n", "x\n"))),
            "diff --git a/o b/n\nrename from o\nrename to n\n"
        );
        assert!(told(Some(("a", "x\ry\n")), Some(("a", "x\rz\n"))).ends_with("\n-x\ry\n+x\rz\n"));
        let mut latin = Vec::new();
        let side = |bytes: &'static [u8]| Side { path: b"a", bytes, is_program: false };
        unified(Some(side(b"gr\xfcn\nb\n")), Some(side(b"gr\xfcn\nc\n")), &mut latin);
        assert!(latin.ends_with(b"@@ -1,2 +1,2 @@\n gr\xfcn\n-b\n+c\n"));
        assert!(told(None, Some(("b", "\0"))).ends_with("Binary files /dev/null and b/b differ\n"));
        assert!(told(None, Some(("\u{202e}b", ""))).starts_with(r#"diff --git "a/\342\200\256b""#));
    }
}
