//! What a model needs to see: `index.context`.

use crate::{Origin, Text};
use serde::{Deserialize, Serialize};

/// Asks for the files and lines that a request in words is about.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ContextQuery {
    /// An absolute directory in the workspace, all of which is looked through. Paths in focus are
    /// from here.
    pub dir: Text,
    /// The request, in words, of which the first 64 KiB are read. Paths, `file:line`, stack traces and names of code in it count for more.
    pub request: Text,
    /// How many tokens the text may have; the configured number where it is absent. More than a
    /// million count as a million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// Files that are being worked on: they and what is near them come first.
    #[serde(default)]
    pub focus: Vec<Text>,
    /// Tell what speaks for each file.
    #[serde(default)]
    pub explain: bool,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
}

impl ContextQuery {
    /// Asks in the workspace around a directory.
    #[must_use]
    pub fn in_dir(dir: impl Into<Text>, request: impl Into<Text>) -> Self {
        Self { dir: dir.into(), request: request.into(), ..Self::default() }
    }
}

/// The answer to `index.context`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContextResult {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// The files, from the root, the best first.
    pub files: Vec<Text>,
    /// The lines that are shown, the most important first.
    pub chunks: Vec<ContextChunk>,
    /// How many tokens the text has, never more than the budget: a fourth of its bytes.
    pub tokens: u64,
    /// What goes to a model: each file's path on a line, and below it its lines, each run of them
    /// after a line `@@ FIRST-LAST`.
    pub text: Text,
    /// Whether past commits were looked at as far as they ever are.
    pub history: bool,
    /// What speaks for each file, in the order of `files`, where it was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<FileScore>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// Lines that are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContextChunk {
    /// The file, from the root.
    pub path: Text,
    /// The first line, from 1.
    pub start: u64,
    /// The last line.
    pub end: u64,
    /// Why they are shown.
    pub why: String,
    /// The name that they define, or are a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What speaks for a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileScore {
    /// The file, from the root.
    pub path: Text,
    /// The sum.
    pub score: f32,
    /// Each signal's part in it, the largest first, but for those that say nothing.
    pub parts: Vec<ScorePart>,
}

/// A signal's part in a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScorePart {
    /// The signal: the README tells what each means.
    pub signal: String,
    /// What it adds.
    pub part: f32,
}
