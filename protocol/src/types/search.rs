//! The search of text: `index.search` and `index.searchStream`.

use crate::{Failure, Origin, StageTime, Text, Truncated};
use serde::{Deserialize, Serialize};

/// Which letters a pattern tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// All.
    #[default]
    Sensitive,
    /// None: Unicode's simple case folding.
    Insensitive,
    /// All if the pattern has an upper-case letter, else none.
    Smart,
}

/// A search, in the terms of ripgrep.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// A line is found where one of these regular expressions matches it.
    pub patterns: Vec<String>,
    /// The absolute directory that paths and globs are relative to.
    pub cwd: Text,
    /// Files and directories to search. Empty: [`SearchQuery::cwd`], and what is found is named
    /// without a leading `./`.
    #[serde(default)]
    pub paths: Vec<Text>,
    /// Take the patterns as literal strings.
    #[serde(default)]
    pub fixed_strings: bool,
    /// Which letters to tell apart.
    #[serde(default)]
    pub case: Case,
    /// Match whole words only.
    #[serde(default)]
    pub word: bool,
    /// Match whole lines only.
    #[serde(default)]
    pub line: bool,
    /// Find the lines that do not match.
    #[serde(default)]
    pub invert: bool,
    /// Globs as of ripgrep's `-g`: the last that matches decides, `!` excludes.
    #[serde(default)]
    pub globs: Vec<String>,
    /// File types as of ripgrep's `-t`.
    #[serde(default)]
    pub types: Vec<String>,
    /// File types to leave out, as of ripgrep's `-T`.
    #[serde(default)]
    pub types_not: Vec<String>,
    /// Search hidden files too.
    #[serde(default)]
    pub hidden: bool,
    /// Search ignored files too.
    #[serde(default)]
    pub no_ignore: bool,
    /// Follow symbolic links.
    #[serde(default)]
    pub follow: bool,
    /// At most so many matching lines of each file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_count: Option<u64>,
    /// At most so many matching lines in all; `truncated` says when it cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Lines of context before a match.
    #[serde(default)]
    pub before: usize,
    /// Lines of context after a match.
    #[serde(default)]
    pub after: usize,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
    /// Give up after so many milliseconds, with what was found; `truncated` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Tell in the summary where the time went.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub profile: bool,
}

impl SearchQuery {
    /// A query without patterns about a directory.
    #[must_use]
    pub fn in_dir(cwd: impl Into<Text>) -> Self {
        Self { cwd: cwd.into(), ..Self::default() }
    }
}

/// What to print of a search.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Print {
    /// The lines.
    #[default]
    Lines,
    /// Only the parts of lines that match.
    OnlyMatching,
    /// The names of files with a match.
    Files,
    /// The names of files without a match.
    FilesWithoutMatch,
    /// The number of matching lines of each file that has one.
    Count,
    /// The number of matches of each file that has one.
    CountMatches,
    /// Nothing: only whether there is a match.
    Quiet,
    /// ripgrep's JSON Lines.
    Json,
}

/// How to print it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Style {
    /// What to print.
    pub print: Print,
    /// With ripgrep's colours.
    pub color: bool,
    /// A file's name above its lines instead of before each.
    pub heading: bool,
    /// A NUL byte after a file's name.
    pub null: bool,
}

/// A part of a streamed search.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SearchEvent {
    /// Printed output, to be written as it is.
    Output(Text),
    /// Something that could not be searched, for the standard error stream.
    Warning(String),
    /// The end: nothing follows.
    Done(SearchSummary),
    /// The end, by an error.
    Failed(Failure),
}

/// The end of a search.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SearchSummary {
    /// Where the answer came from; of the first workspace if there were several.
    #[serde(flatten)]
    pub origin: Origin,
    /// Whether anything was found.
    pub found: bool,
    /// How many lines matched.
    pub lines: u64,
    /// Files that were read.
    pub files_read: u64,
    /// Set where the result is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// Whether something could not be searched: each is told by a warning.
    #[serde(default)]
    pub errors: bool,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
    /// Where the time went, if the query wants to know it: the stages in the order in which they
    /// began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub profile: Vec<StageTime>,
    /// The same: the time that it waited for a thread before, in microseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub queued_us: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde hands over")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The answer to `index.search`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SearchResult {
    /// The summary.
    #[serde(flatten)]
    pub summary: SearchSummary,
    /// The lines, in the order of paths and lines.
    pub matches: Vec<LineMatch>,
    /// What could not be searched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A line that matches, or stands beside one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineMatch {
    /// The file: relative to the workspace's root, or as the query named it in a plain scan.
    pub path: Text,
    /// The line's number, from 1.
    pub line: u64,
    /// The byte of the first match in the line, from 1; 0 for a line of context.
    pub column: u64,
    /// The line without its end.
    pub text: Text,
    /// Where the pattern matches: byte offsets in `text`, half-open.
    pub spans: Vec<(usize, usize)>,
}
