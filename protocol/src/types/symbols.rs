//! What files define: `index.symbols`, `index.outline` and `index.languages`.
//!
//! Lines and columns count from 1, columns in bytes. Kinds and languages are words:
//! `index.languages` has them all.

use crate::{Failure, Kind, Origin, Text, Truncated};
use serde::{Deserialize, Serialize};

/// Asks for definitions by their names.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SymbolsQuery {
    /// An absolute directory in the workspace, all of which is looked through.
    pub dir: Text,
    /// The name, its beginning, or some of its letters in their order.
    pub query: String,
    /// Only of these kinds; empty: of any.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// Only in these languages, by name or alias; empty: in any.
    #[serde(default)]
    pub languages: Vec<String>,
    /// Only names that are the query, whatever the case of their letters.
    #[serde(default)]
    pub exact: bool,
    /// At most so many symbols; `truncated` says when it cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
    /// Give up after so many milliseconds, with what was found; `truncated` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

impl SymbolsQuery {
    /// Asks for a name in the workspace around a directory.
    #[must_use]
    pub fn in_dir(dir: impl Into<Text>, query: impl Into<String>) -> Self {
        Self { dir: dir.into(), query: query.into(), ..Self::default() }
    }
}

/// The answer to `index.symbols`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SymbolsResult {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// The symbols: exact matches first, then by prefix, then fuzzy.
    pub symbols: Vec<SymbolMatch>,
    /// Set where the result is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// How many match, whatever the limit was, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// How a query matches a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Matched {
    /// It is the name.
    Exact,
    /// The name begins with it.
    Prefix,
    /// The name has its letters, in their order.
    Fuzzy,
}

/// A definition whose name matches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SymbolMatch {
    /// Its name.
    pub name: Text,
    /// What it is.
    pub kind: String,
    /// What encloses it, or what the definition itself names as its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Text>,
    /// The file, relative to the workspace's root.
    pub path: Text,
    /// The line of the name.
    pub line: u64,
    /// The column of the name.
    pub column: u64,
    /// The last line of the definition.
    pub end_line: u64,
    /// The definition up to its body.
    pub signature: Text,
    /// The first line of the comment before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<Text>,
    /// The language of the file.
    pub language: String,
    /// How the query matches.
    pub matched: Matched,
}

/// Asks for what files define.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OutlineQuery {
    /// The absolute directory that paths are relative to.
    pub cwd: Text,
    /// The files.
    pub files: Vec<Text>,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
}

impl OutlineQuery {
    /// Asks for files by their paths from a directory.
    #[must_use]
    pub fn in_dir(cwd: impl Into<Text>, files: Vec<Text>) -> Self {
        Self { cwd: cwd.into(), files, ..Self::default() }
    }
}

/// The answer to `index.outline`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutlineResult {
    /// Where the answer came from; of the first workspace if there were several.
    #[serde(flatten)]
    pub origin: Origin,
    /// The files, in the order of the query.
    pub files: Vec<FileOutline>,
}

/// What a file defines, or why that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(from = "FlatOutline")]
pub struct FileOutline {
    /// The file, as the query named it.
    pub path: Text,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What came of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Outcome {
    /// An outline.
    Outline(Outline),
    /// None.
    Failed {
        /// Why not.
        error: FileError,
    },
}

/// An outline: a forest, flat, since it can be deeper than JSON may be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Outline {
    /// The language of the file.
    pub language: String,
    /// How much of the file it covers.
    pub extent: Extent,
    /// In the order of their starts; what encloses others stands before them.
    pub symbols: Vec<OutlineSymbol>,
}

/// A part of a streamed answer about what files define.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutlineEvent {
    /// Printed output, to be written as it is.
    Output(Text),
    /// What is to be said of a file beside the output: it belongs after the output so far.
    Remark(Remark),
    /// The end: nothing follows.
    Done(OutlineSummary),
    /// The end, by an error.
    Failed(Failure),
}

/// What is said of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Remark {
    /// What is wrong.
    pub message: String,
    /// What to do; empty where that is plain.
    pub hint: String,
}

/// The end of `index.outlineStream`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutlineSummary {
    /// Whether there was any definition.
    pub found: bool,
    /// Whether what some file defines is not known: each is told by a remark.
    pub errors: bool,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// How much of a text an outline covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// There are errors of syntax: it is what could be understood.
    Errors,
    /// The text is too large: only its beginning.
    Cut,
    /// The text took too much work: nothing.
    GivenUp,
}

/// A definition in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutlineSymbol {
    /// Its name.
    pub name: Text,
    /// What it is.
    pub kind: String,
    /// The definition that encloses it: an index in [`Outline::symbols`], less than its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// How many enclose it.
    pub depth: u32,
    /// The line of the name.
    pub line: u64,
    /// The column of the name.
    pub column: u64,
    /// The whole definition, without the comment before it.
    pub range: Range,
    /// The definition up to its body.
    pub signature: Text,
    /// The first line of the comment before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<Text>,
}

/// A part of a text, half-open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Range {
    /// Its first byte.
    pub start: Position,
    /// The byte after its last.
    pub end: Position,
}

/// A byte of a text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Position {
    /// Its line.
    pub line: u64,
    /// Its column.
    pub column: u64,
}

/// Why one of several files has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileError {
    /// The stable word.
    pub kind: Kind,
    /// What happened.
    pub message: String,
    /// What to do, for a person. May be empty.
    #[serde(default)]
    pub hint: String,
}

/// The answer to `index.languages`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Languages {
    /// By name.
    pub languages: Vec<Language>,
}

/// A language whose definitions are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Language {
    /// Its name.
    pub name: String,
    /// Other names that [`SymbolsQuery::languages`] takes.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The ends of its files' names, without the dot.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Whole names of its files.
    #[serde(default)]
    pub file_names: Vec<String>,
    /// The kinds of what is found in it.
    pub kinds: Vec<String>,
}

/// [`FileOutline`] as it is read, field by field: serde would first copy all of a flattened enum.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FlatOutline {
    path: Text,
    #[serde(default)]
    language: String,
    #[serde(default)]
    extent: Extent,
    #[serde(default)]
    symbols: Vec<OutlineSymbol>,
    #[serde(default)]
    error: Option<FileError>,
}

impl From<FlatOutline> for FileOutline {
    fn from(flat: FlatOutline) -> Self {
        let FlatOutline { path, language, extent, symbols, error } = flat;
        let outcome = match error {
            Some(error) => Outcome::Failed { error },
            None => Outcome::Outline(Outline { language, extent, symbols }),
        };
        Self { path, outcome }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survives(outline: &FileOutline, wire: &str) {
        assert_eq!(serde_json::to_string(outline).unwrap(), wire);
        assert_eq!(&serde_json::from_str::<FileOutline>(wire).unwrap(), outline);
    }

    #[test]
    fn a_file_has_an_outline_or_an_error() {
        let symbol = OutlineSymbol {
            name: "f".into(),
            kind: "function".into(),
            parent: Some(0),
            depth: 1,
            line: 2,
            column: 8,
            range: Range {
                start: Position { line: 2, column: 5 },
                end: Position { line: 2, column: 14 },
            },
            signature: "fn f()".into(),
            doc: None,
        };
        let outline =
            Outline { language: "rust".into(), extent: Extent::GivenUp, symbols: vec![symbol] };
        survives(
            &FileOutline { path: "a.rs".into(), outcome: Outcome::Outline(outline) },
            r#"{"path":"a.rs","language":"rust","extent":"given_up","symbols":[{"name":"f","kind":"function","parent":0,"depth":1,"line":2,"column":8,"range":{"start":{"line":2,"column":5},"end":{"line":2,"column":14}},"signature":"fn f()"}]}"#,
        );
        let error = FileError { kind: Kind::BadPath, message: "no".into(), hint: "another".into() };
        survives(
            &FileOutline { path: "b".into(), outcome: Outcome::Failed { error } },
            r#"{"path":"b","error":{"kind":"bad_path","message":"no","hint":"another"}}"#,
        );
    }
}
