//! The trees that are kept warm: `workspace.*`, `index.build` and `index.changes`.

use crate::{Origin, Text};
use serde::{Deserialize, Serialize};

/// A workspace, as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkspaceStatus {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// Nothing of it is in memory: nobody has asked about it for a while, and the next question
    /// loads it. The figures are those that it had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unloaded: bool,
    /// Its directory is not there. What is stored of it is kept until it is forgotten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// The number of the task that indexes it, while there is something to index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<u64>,
    /// Indexing was cancelled: it goes on with `index.build`, or once the workspace is opened anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Files that a search looks at.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Files that are not indexed yet, and read at each query.
    pub pending: u64,
    /// Files whose definitions are not stored yet, and which a query about these parses.
    #[serde(default)]
    pub unoutlined: u64,
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StoreStatus {
    /// Its file.
    pub path: Text,
    /// The bytes that it takes on the disk.
    pub bytes: u64,
    /// Contents that it knows, of all branches and worktrees.
    pub contents: u64,
    /// Segments of postings.
    pub segments: u64,
    /// Definitions that it has, of all branches and worktrees.
    #[serde(default)]
    pub symbols: u64,
    /// Set where the store was broken, and is being made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// The workspaces that the daemon knows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorkspaceList {
    /// Those that are open or were made by `index.build`.
    pub workspaces: Vec<WorkspaceStatus>,
}

/// The answer to `workspace.forget`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Forgotten {
    /// The root that was forgotten.
    pub root: Text,
    /// Bytes of store that were freed.
    pub freed: u64,
}

/// A state of a workspace that was published, as `index.changes` tells it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// Files whose definitions are not stored yet.
    #[serde(default)]
    pub unoutlined: u64,
}
