//! Edits that a reply asks for, and turns: `ai.apply`, `git.undo`, `git.turns` and `git.diff`.

use crate::Text;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Asks for the edits of a reply to be made, all of them or none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ApplyQuery {
    /// An absolute directory. Edits are made in the workspace or work tree around it, else in it.
    pub dir: Text,
    /// The reply, as a model gave it.
    pub reply: Text,
    /// The form that edits are in: `diff`, `diff-fenced`, `whole`, `udiff` or `patch`; each edit tells
    /// its own where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Files that edits were asked for, from `dir`: a name that several files may have means one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Text>,
    /// What files held that the reply speaks of. One that holds something else by now is a conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<SeenFile>,
    /// The message of the commit; one is made of the edits where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Leave git alone.
    #[serde(default)]
    pub no_commit: bool,
    /// Only tell what would be done.
    #[serde(default)]
    pub dry_run: bool,
    /// What permissions the caller's new files lack; the daemon's own are where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umask: Option<u32>,
    /// The caller's environment, for hooks of git and for whose name is committed; it is used for this call
    /// and not kept.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, Text>,
}

/// What a file held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SeenFile {
    /// The file, from the root.
    pub path: Text,
    /// The BLAKE3 hash of its bytes, in hexadecimal digits.
    pub hash: String,
}

/// The answer to `ai.apply`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ApplyResult {
    /// Where the edits were made. Paths are from here.
    pub root: Text,
    /// The number of the turn; absent where nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// What was done, file by file, or would be.
    pub applied: Vec<AppliedFile>,
    /// What hinders. Where anything does, nothing was done.
    pub failed: Vec<FailedEdit>,
    /// The same in words, which can be sent back to a model; empty where edits are made.
    pub report: String,
    /// Files that their language's grammar understood before, and does not any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<SyntaxWarning>,
    /// The commit of the turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The commit before it, of what was not committed of these files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
    /// Commands that the reply suggests. Nobody has run them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<Text>,
    /// What else should be known, such as why nothing is committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What would be done as a unified diff, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<Text>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// A file of a turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AppliedFile {
    /// The file, from the root.
    pub path: Text,
    /// The path that it had before, of one that was renamed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Text>,
    /// `edit`, `create`, `delete` or `rename`.
    pub action: String,
    /// The lines that are new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<LineRange>,
}

/// Lines of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineRange {
    /// The first, from 1.
    pub start: u64,
    /// The last. Where lines were only removed, it is the one before `start`.
    pub end: u64,
}

/// What hinders an edit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedEdit {
    /// Which one of the reply's edits, from 1; absent where it is the file that hinders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<u64>,
    /// The line of the reply that it begins on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Its file, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Text>,
    /// `malformed`, `no-name`, `no-file`, `exists`, `not-found`, `ambiguous`, `already`, `elsewhere`,
    /// `not-text`, `forbidden` or `conflict`.
    pub kind: String,
    /// That in words, with what to do about it.
    pub message: String,
    /// The lines that are most like those that were looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<NearestLines>,
}

/// Lines of a file that are like others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NearestLines {
    /// The first, from 1.
    pub line: u64,
    /// All of them.
    pub text: Text,
}

/// A file whose syntax is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SyntaxWarning {
    /// The file, from the root.
    pub path: Text,
    /// The line of the first error, from 1.
    pub line: u64,
}

/// Asks for turns to be taken back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UndoQuery {
    /// An absolute directory in the workspace or work tree, or in a directory that has turns.
    pub dir: Text,
    /// How many: the last ones that were not yet. One where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// Only tell what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// The answer to `git.undo`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UndoResult {
    /// Where that was. Paths are from here.
    pub root: Text,
    /// The turns that were taken back, or would be, the last one first; empty where there is none.
    pub turns: Vec<UndoneTurn>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// A turn that was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UndoneTurn {
    /// Its number.
    pub turn: u64,
    /// The first line of its message.
    pub message: String,
    /// What that did to the files: one that the turn made is deleted.
    pub files: Vec<AppliedFile>,
    /// Its commit is no more: it was the last one, and not pushed.
    #[serde(default)]
    pub dropped: bool,
    /// The commit that reverts it, where it could not be dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverted: Option<String>,
    /// What else should be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The answer to `git.turns`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TurnList {
    /// Whose turns they are. Paths are from here.
    pub root: Text,
    /// The turns, the last one first.
    pub turns: Vec<TurnInfo>,
    /// There are more.
    #[serde(default)]
    pub truncated: bool,
}

/// A turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TurnInfo {
    /// Its number, by which it is known in its root.
    pub turn: u64,
    /// When it was made: seconds since 1970.
    pub time: u64,
    /// The first line of its message.
    pub message: String,
    /// `made`, `undone`, or `interrupted` until the next turn brings it to an end; `unreadable` where
    /// another version of hob has written it, or it is damaged: `message` says so.
    pub state: String,
    /// What it did to the files.
    pub files: Vec<AppliedFile>,
    /// Its commit, if it was committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// The answer to `git.diff`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TurnDiff {
    /// Whose turn it is. Paths are from here.
    pub root: Text,
    /// The turn; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// What it changed, as a unified diff that `git apply` takes.
    pub text: Text,
}
