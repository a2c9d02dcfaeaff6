//! What can go wrong, as the wire says it.

use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};

/// The stable word of an error, in `data.kind`. Programs may rely on it.
///
/// Each kind has its JSON-RPC code: see [`Kind::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The directory belongs to no workspace, and is not made one by itself.
    NotAWorkspace,
    /// A path that does not exist, is of the wrong sort, or cannot be read.
    BadPath,
    /// A workspace's root was deleted or moved.
    RootGone,
    /// A pattern that is no regular expression, or too large a one; a query that asks for nothing.
    BadPattern,
    /// A glob, file type, kind or language that does not exist or does not parse.
    BadFilter,
    /// The promise of freshness could not be kept in time.
    NotSynced,
    /// The caller, or the end of its connection, cancelled the work.
    Cancelled,
    /// The work took longer than its deadline.
    Deadline,
    /// A frame, a query or an answer past the limit of size.
    TooLarge,
    /// More connections, calls or subscriptions than the limit.
    TooMany,
    /// Client and daemon speak other numbers of the interface.
    Incompatible,
    /// The daemon is about to stop.
    Stopping,
    /// The store cannot be read or written.
    Store,
    /// The caller is another user.
    Forbidden,
    /// A number that no task has, or whose task is not known any more.
    NoSuchTask,
    /// A task that is to be cancelled has ended.
    TaskEnded,
    /// A task that is to be cancelled is one that queries wait for.
    NotCancellable,
    /// Nothing is measured, by the configuration.
    ProfileOff,
    /// The daemon is being recorded already.
    Recording,
    /// Git's repository is not in a state in which it can be committed, or not readable.
    Git,
    /// A hook of git's refuses a commit. Nothing was changed.
    HookFailed,
    /// A file, or the journal of turns, cannot be read or written. No file was changed.
    NotWritten,
    /// To take a turn back would lose what was done later.
    LaterWork,
    /// A number that no turn has.
    NoSuchTurn,
    /// A frame that is no JSON, or no object or array.
    ParseError,
    /// A frame that is JSON, and no request by the specification.
    InvalidRequest,
    /// A method that does not exist.
    MethodNotFound,
    /// Parameters that are missing or of the wrong type.
    BadParams,
    /// A fault of hob's own.
    Internal,
    /// A kind that is newer than this program. Nobody sends it.
    #[serde(other)]
    #[cfg_attr(feature = "schema", schemars(skip))]
    Unknown,
}

impl Kind {
    /// The JSON-RPC code: the specification's own, or one of the range that it leaves to servers.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::NotAWorkspace => -32001,
            Self::BadPath => -32002,
            Self::RootGone => -32003,
            Self::BadPattern => -32004,
            Self::BadFilter => -32005,
            Self::NotSynced => -32006,
            Self::Cancelled => -32800,
            Self::Deadline => -32007,
            Self::TooLarge => -32008,
            Self::TooMany => -32009,
            Self::Incompatible => -32010,
            Self::Stopping => -32011,
            Self::Store => -32012,
            Self::Forbidden => -32013,
            Self::NoSuchTask => -32014,
            Self::TaskEnded => -32015,
            Self::NotCancellable => -32016,
            Self::ProfileOff => -32017,
            Self::Recording => -32018,
            Self::Git => -32019,
            Self::HookFailed => -32020,
            Self::NotWritten => -32021,
            Self::LaterWork => -32022,
            Self::NoSuchTurn => -32023,
            Self::ParseError => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::BadParams => -32602,
            Self::Internal | Self::Unknown => -32603,
        }
    }

    /// The error for the wire.
    #[must_use]
    pub fn error(self, message: impl Into<String>, hint: impl Into<String>) -> ErrorObjectOwned {
        let data = ErrorData { kind: self, hint: hint.into() };
        ErrorObjectOwned::owned(self.code(), message, Some(data))
    }
}

/// The error where a daemon and a client speak other numbers of the interface: it says which of the
/// two is older. A daemon without a number has never heard of greetings.
#[must_use]
pub fn incompatible(daemon: Option<u32>, client: u32) -> ErrorObjectOwned {
    let (of_daemon, older) = match daemon {
        Some(number) => (format!("number {number}"), number < client),
        None => ("none".to_owned(), true),
    };
    let hint = match older {
        true => "the daemon is older: run `hob daemon restart`",
        false => "the client is older: update it, or go back with its `hob daemon restart`",
    };
    Kind::Incompatible.error(
        format!("of the interface the daemon speaks {of_daemon}, and the client number {client}"),
        hint,
    )
}

/// `data` of an error: its stable word, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ErrorData {
    /// The stable word.
    pub kind: Kind,
    /// What to do, for a person. May be empty.
    #[serde(default)]
    pub hint: String,
}

/// An error at the end of a stream, in the shape that a call's error has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// The JSON-RPC code.
    pub code: i32,
    /// What happened.
    pub message: String,
    /// The kind and what to do.
    pub data: ErrorData,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_is_older_is_told() {
        let told = |daemon, client| {
            let error = incompatible(daemon, client);
            let data: ErrorData = serde_json::from_str(error.data().unwrap().get()).unwrap();
            format!("{}: {}", error.message(), data.hint)
        };
        assert_eq!(
            told(Some(1), 2),
            "of the interface the daemon speaks number 1, and the client number 2: \
             the daemon is older: run `hob daemon restart`"
        );
        assert!(told(Some(3), 2).ends_with("or go back with its `hob daemon restart`"));
        assert_eq!(
            told(None, 2),
            "of the interface the daemon speaks none, and the client number 2: \
             the daemon is older: run `hob daemon restart`"
        );
    }

    #[test]
    fn a_later_kind_costs_only_the_kind() {
        let failure =
            r#"{"code":-32099,"message":"no tea","data":{"kind":"no_tea","hint":"boil"}}"#;
        let failure: Failure = serde_json::from_str(failure).unwrap();
        assert_eq!(failure.message, "no tea");
        assert_eq!(failure.data, ErrorData { kind: Kind::Unknown, hint: "boil".into() });
    }
}
