//! Parameters and results.

use crate::Text;
use serde::{Deserialize, Serialize};

/// What the client says of itself, and of what it wants to speak.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The number of the interface that the daemon speaks: [`crate::PROTOCOL`].
    pub protocol: u32,
    /// The daemon's version, as in its `Cargo.toml`.
    pub version: String,
    /// The daemon's process.
    pub pid: u32,
}

/// The answer to `daemon.ping`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pong {
    /// How long the daemon has run, in seconds.
    pub uptime_seconds: u64,
}

/// How far an answer can be trusted to show the tree as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// The kernel reports every change, and all of it is indexed.
    #[default]
    Live,
    /// The same, while a part is not indexed yet: that part is read at each query.
    Indexing,
    /// The kernel reports nothing: each query looks at the whole tree first.
    Polling,
    /// The kernel reports a part: each query looks at the whole tree first.
    Partial,
}

/// What each answer from the index says of its origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The workspace's root; absent where the answer came from a plain scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Text>,
    /// Counts the states of the workspace since the daemon opened it.
    pub generation: u64,
    /// How fresh the answer is.
    pub freshness: Freshness,
}

/// Which letters a pattern tells apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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

/// An error at the end of a stream, in the shape that a call's error has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The JSON-RPC code.
    pub code: i32,
    /// What happened.
    pub message: String,
    /// The kind and what to do.
    pub data: crate::ErrorData,
}

/// Why a result is not the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truncated {
    /// [`SearchQuery::limit`] was reached.
    Limit,
    /// [`SearchQuery::deadline_ms`] has passed.
    Deadline,
}

/// The end of a search.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
}

/// The answer to `index.search`.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// A workspace, as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkspaceStatus {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Files that a search looks at.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files that are not indexed yet, and read at each query.
    pub pending: u64,
    /// Directories that are watched.
    pub watched: u64,
    /// What the kernel cannot watch, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The branch or commit that is checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// The store of this repository.
    pub store: StoreStatus,
}

/// The store of a repository.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Its file.
    pub path: Text,
    /// The bytes that it takes on the disk.
    pub bytes: u64,
    /// Contents that it knows, of all branches and worktrees.
    pub contents: u64,
    /// Segments of postings.
    pub segments: u64,
    /// Set where the store was broken, and is being made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The daemon, as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DaemonStatus {
    /// Its version.
    pub version: String,
    /// Its number of the interface.
    pub protocol: u32,
    /// Its process.
    pub pid: u32,
    /// How long it has run, in seconds.
    pub uptime_seconds: u64,
    /// Its resident memory in bytes.
    pub memory_bytes: u64,
    /// Its connections.
    pub connections: u64,
    /// Its open file descriptors.
    pub descriptors: u64,
    /// Its socket.
    pub socket: Text,
    /// Its log; absent where it writes to standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Text>,
    /// The roots of the workspaces that are open.
    pub workspaces: Vec<Text>,
}

/// The workspaces that the daemon knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkspaceList {
    /// Those that are open or were made by `index.build`.
    pub workspaces: Vec<WorkspaceStatus>,
}

/// The answer to `workspace.forget`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Forgotten {
    /// The root that was forgotten.
    pub root: Text,
    /// Bytes of store that were freed.
    pub freed: u64,
}

/// A state of a workspace that was published, as `index.changes` tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IndexChange {
    /// Where it stands now.
    #[serde(flatten)]
    pub origin: Origin,
    /// Paths that changed since the last notification, relative to the root. Empty where only the
    /// progress of indexing has changed.
    pub changed: Vec<Text>,
    /// There were more than fit: the subscriber looks at the whole again.
    #[serde(default)]
    pub rescan: bool,
    /// Files in the workspace.
    pub files: u64,
    /// Files still to index.
    pub pending: u64,
}
