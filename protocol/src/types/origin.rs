//! What each answer from the index says of itself.

use crate::Text;
use serde::{Deserialize, Serialize};

/// How far an answer can be trusted to show the tree as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Origin {
    /// The workspace's root; absent where the answer came from a plain scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Text>,
    /// Counts the states of the workspace since the daemon opened it.
    pub generation: u64,
    /// How fresh the answer is.
    pub freshness: Freshness,
}

/// Why a result is not the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Truncated {
    /// The limit of the query was reached.
    Limit,
    /// The deadline of the query has passed.
    Deadline,
    /// Files that are not indexed yet were left out.
    Indexing,
}
