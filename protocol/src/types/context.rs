//! What a model needs to see: `index.context` and `index.map`.

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
    /// The request, in words, of which 64 KiB are read: the first 16 and the last 48. Paths, `file:line`, stack traces and names of code in it count for more.
    pub request: Text,
    /// How many tokens the text may have; the configured number where it is absent. More than a
    /// million count as a million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// The model whose tokens are counted; the configured one where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
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
    /// How many tokens the text has, never more than the budget.
    pub tokens: u64,
    /// What they were counted by: a tokenizer, or `bytes/4` where the model has none that is known.
    pub tokenizer: String,
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

/// Asks for the ranked outline of a workspace.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MapQuery {
    /// An absolute directory in the workspace, all of which is shown. Paths in focus are from here.
    pub dir: Text,
    /// How many tokens the text may have; the configured number where it is absent. More than a
    /// million count as a million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<u64>,
    /// The model whose tokens are counted; the configured one where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Files that are being worked on: what they mention comes first, and they are left out.
    #[serde(default)]
    pub focus: Vec<Text>,
    /// Names of code, words and paths that are spoken of: what they lead to comes first. Of these 256
    /// count, and the first KiB of each.
    #[serde(default)]
    pub mentions: Vec<Text>,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
}

impl MapQuery {
    /// Asks for the map of the workspace around a directory.
    #[must_use]
    pub fn in_dir(dir: impl Into<Text>) -> Self {
        Self { dir: dir.into(), ..Self::default() }
    }
}

/// The answer to `index.map`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MapResult {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Files that stand there with their names alone, from the root: what the project is, and how it
    /// is built.
    pub named: Vec<Text>,
    /// Files that are shown with definitions, from the root, the best first.
    pub files: Vec<Text>,
    /// The definitions that are shown, the most important first.
    pub definitions: Vec<MapDefinition>,
    /// How many tokens the text has, never more than the budget.
    pub tokens: u64,
    /// What they were counted by: a tokenizer, or `bytes/4` where the model has none that is known.
    pub tokenizer: String,
    /// What goes to a model: the named files, each on a line; then each file's path on a line, and
    /// below it a line `LINE: SIGNATURE` for each definition, those within others further in.
    pub text: Text,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// A definition in a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MapDefinition {
    /// The file, from the root.
    pub path: Text,
    /// The line of its name, from 1.
    pub line: u64,
    /// The last line of the definition.
    pub end: u64,
    /// What it is, as in `index.symbols`.
    pub kind: String,
    /// Its name.
    pub name: Text,
}
