//! The names of files: `index.files`, `index.filesStream` and `index.types`.

use crate::{Failure, Origin, Text, Truncated};
use serde::{Deserialize, Serialize};

/// Asks for files by their paths.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FilesQuery {
    /// The absolute directory below which files are looked for, and which their paths are
    /// relative to.
    pub dir: Text,
    /// Words as in fzf: each must match the path, `'word` literally, `^word` at its start, `word$` at
    /// its end, and `!word` must not. Absent or without a word: all files, in the order of paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// At most so many files; `truncated` says when it cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
}

impl FilesQuery {
    /// Asks for all files below a directory.
    #[must_use]
    pub fn in_dir(dir: impl Into<Text>) -> Self {
        Self { dir: dir.into(), ..Self::default() }
    }
}

/// The end of an answer about files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilesSummary {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// How many files match, whatever the limit was.
    pub total: u64,
    /// Set where the result is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// Directories that could not be listed, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// The answer to `index.files`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FilesResult {
    /// The summary.
    #[serde(flatten)]
    pub summary: FilesSummary,
    /// The files: the best match first, without a query in the order of paths.
    pub files: Vec<FileMatch>,
}

/// A file whose path matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileMatch {
    /// Its path, relative to the query's directory.
    pub path: Text,
    /// How well it matches, to compare within one answer; absent without a query.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
}

/// How `index.filesStream` prints.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct FilesStyle {
    /// With ripgrep's colours.
    pub color: bool,
    /// A NUL byte after each path instead of a line feed.
    pub null: bool,
}

/// A part of a streamed answer about files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FilesEvent {
    /// Printed output, to be written as it is.
    Output(Text),
    /// The end: nothing follows.
    Done(FilesSummary),
    /// The end, by an error.
    Failed(Failure),
}

/// The answer to `index.types`: what [`crate::SearchQuery::types`] can name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileTypes {
    /// By name.
    pub types: Vec<FileType>,
}

/// A type of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileType {
    /// Its name.
    pub name: String,
    /// The globs of which one matches the names of its files.
    pub globs: Vec<String>,
}
