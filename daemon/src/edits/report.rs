//! What hinders a reply, in words that a person reads and a model can be sent as they are.

use hob_index::edits::{Failure, shown};

/// Of nearest lines, so many are told.
const NEAREST: usize = 40;

/// All that hinders. Of a reply without any edit it says so.
pub(crate) fn report(failures: &[Failure], changes_nothing: bool, unnamed: &[u32]) -> String {
    if failures.is_empty() && changes_nothing {
        return "Its edits change nothing: all of it is there already.\n".to_owned();
    }
    if failures.is_empty() {
        let lines: Vec<_> = unnamed.iter().take(10).map(u32::to_string).collect();
        let fences = match lines.as_slice() {
            [] => String::new(),
            [one] => format!(
                "The fence on its line {one} names no file: put the path alone on the line above it.\n"
            ),
            several => format!(
                "The fences on its lines {} name no file: put the path alone on the line above each.\n",
                several.join(", ")
            ),
        };
        return format!("There is no edit in it; nothing was changed.\n{fences}");
    }
    let mut text = match failures.len() {
        1 => "An edit does not fit; nothing was changed.\n".to_owned(),
        count => format!("{count} edits do not fit; nothing was changed.\n"),
    };
    for failure in failures {
        text.push('\n');
        if failure.block > 0 {
            text.push_str(&format!("Block {}, line {}: ", failure.block, failure.line));
        }
        text.push_str(&failure.message);
        text.push_str(&format!(" ({}).\n", failure.kind.name()));
        let Some(nearest) = &failure.nearest else { continue };
        let path = failure.path.as_deref().map(|path| format!(" of `{}`", shown(path)));
        let lines = String::from_utf8_lossy(&nearest.text);
        let fence = fence(&lines);
        text.push_str(&format!(
            "Did you mean these lines{}, from line {}?\n{fence}\n",
            path.unwrap_or_default(),
            nearest.line
        ));
        for line in lines.lines().take(NEAREST) {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&fence);
        text.push('\n');
    }
    text
}

/// A fence that no line of a text ends.
fn fence(text: &str) -> String {
    let longest = text.lines().map(|line| line.bytes().take_while(|byte| *byte == b'`').count());
    "`".repeat(longest.max().unwrap_or(0).max(2) + 1)
}
