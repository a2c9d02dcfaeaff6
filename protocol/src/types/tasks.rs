//! Background work: `tasks.*`.

use crate::Text;
use serde::{Deserialize, Serialize};

/// Tasks, the newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TaskList {
    /// Those that wait or run, and then those that have ended.
    pub tasks: Vec<Task>,
    /// There are more than were asked for.
    pub truncated: bool,
}

/// A piece of the daemon's background work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Task {
    /// Its number, which no other task ever gets.
    pub id: u64,
    /// What is done: `index`, `scan`, `merge`, `save` or `history`; others may come.
    pub kind: String,
    /// The root of the workspace that it is done for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Text>,
    /// How far it has come in its life.
    pub state: TaskState,
    /// What it does at the moment, for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phase: String,
    /// Units that are done.
    pub done: u64,
    /// Units that there are; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// What is counted, such as `files`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Units in a second, since it began to run.
    pub rate: f64,
    /// Milliseconds that are left at this rate; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta_ms: Option<u64>,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_ms: u64,
    /// Milliseconds that it has waited for its turn.
    pub waited_ms: u64,
    /// Milliseconds that it has run.
    pub ran_ms: u64,
    /// Whether `tasks.cancel` is heeded: what queries wait for is not cancelled.
    pub cancellable: bool,
    /// Why it has failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How far a task has come in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// It waits for its turn.
    Queued,
    /// It runs.
    Running,
    /// It is done.
    Done,
    /// It has failed, and `reason` says why.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// One that is newer than this program.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

impl TaskState {
    /// Whether no more comes of it.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }
}
