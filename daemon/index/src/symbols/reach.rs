//! The ranges of what only its beginning marks: sections by their headings, namespaces that reach to
//! the end of a file.
//!
//! A heading in a quotation or in the first line of a list's item is only itself, and so is what stands
//! within another definition, where there are errors of syntax.

use super::assemble::{Found, What};

/// Gives each such definition its range: to the next one of its level or above, else to the end of
/// the text.
pub(super) fn reach(found: &mut [Found], text: &[u8]) {
    if !found.iter().any(|one| matches!(one.what, What::Reaching { .. })) {
        return;
    }
    let mut open: Vec<(usize, u8)> = Vec::new();
    let mut within = 0;
    found.sort_by_key(|one| one.range.start);
    for index in 0..found.len() {
        let What::Reaching { kind, level } = found[index].what else {
            within = within.max(found[index].range.end);
            continue;
        };
        found[index].what = What::of(kind);
        let start = found[index].range.start;
        if start < within || !starts_line(text, start as usize) {
            continue;
        }
        while let Some((above, _)) = open.pop_if(|(_, above)| *above >= level) {
            close(&mut found[above], start, text);
        }
        open.push((index, level));
    }
    for (index, _) in open {
        close(&mut found[index], text.len() as u32, text);
    }
}

fn close(one: &mut Found, end: u32, text: &[u8]) {
    let start = one.range.start as usize;
    one.range.end = (start + text[start..end as usize].trim_ascii_end().len()) as u32;
}

fn starts_line(text: &[u8], at: usize) -> bool {
    let line = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
    text[line..at].trim_ascii().is_empty()
}
