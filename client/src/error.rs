//! What can go wrong in a client: a message that names its object, and the next step.

use hob_protocol::{Failure, Kind};
use jsonrpsee::core::client::Error as RpcError;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserialize;
use std::fmt;

/// What sort of error it is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The command line or a parameter makes no sense.
    Usage,
    /// No daemon answers at the socket.
    NotRunning,
    /// The socket cannot be used: its path, its directory, or who listens there.
    Socket,
    /// The daemon could not be started.
    Start,
    /// The connection ended before any answer: asking again is safe for a question.
    Lost,
    /// The connection ended within an answer.
    CutOff,
    /// No answer in time.
    Timeout,
    /// What came is not hob's protocol.
    Protocol,
    /// The daemon answered with an error.
    Remote {
        /// The JSON-RPC code.
        code: i32,
        /// The stable word, where this client knows it.
        kind: Option<Kind>,
    },
    /// Our own output went nowhere: whoever read it has gone.
    BrokenPipe,
    /// A file or the terminal cannot be read or written.
    Io,
}

/// An error as a person reads it.
///
/// ```
/// # use hob_client::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::NotRunning, "no daemon answers at `/x`")
///     .hint("start it with `hob daemon start`");
/// assert_eq!(
///     error.report(),
///     "hob: no daemon answers at `/x`\nhint: start it with `hob daemon start`\n"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Error {
    /// What happened: lowercase, objects in backticks, no full stop.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// The sort.
    pub kind: ErrorKind,
}

impl Error {
    /// An error without a hint.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: String::new(), kind }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// The lines for standard error.
    #[must_use]
    pub fn report(&self) -> String {
        let mut report = format!("hob: {}\n", self.message.trim_end());
        if !self.hint.is_empty() {
            report.push_str(&format!("hint: {}\n", self.hint));
        }
        report
    }

    /// Whether the daemon answered with this stable word.
    #[must_use]
    pub fn is(&self, wanted: Kind) -> bool {
        matches!(self.kind, ErrorKind::Remote { kind: Some(kind), .. } if kind == wanted)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Output that cannot be written, and everything else that is ours.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
            _ => ErrorKind::Io,
        };
        Self::new(kind, format!("cannot write the output: {}", reason(&error)))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let kind = Some(failure.data.kind).filter(|kind| *kind != Kind::Unknown);
        let kind = ErrorKind::Remote { code: failure.code, kind };
        Self { message: failure.message, hint: failure.data.hint, kind }
    }
}

impl From<ErrorObjectOwned> for Error {
    fn from(error: ErrorObjectOwned) -> Self {
        // Word by word, so that a kind that this client does not know costs it only the kind.
        #[derive(Default, Deserialize)]
        struct Data {
            kind: Option<serde_json::Value>,
            hint: Option<String>,
        }
        let data = error.data().and_then(|data| serde_json::from_str::<Data>(data.get()).ok());
        let Data { kind, hint } = data.unwrap_or_default();
        let kind = kind.and_then(|kind| serde_json::from_value(kind).ok());
        let kind = kind.filter(|kind| *kind != Kind::Unknown);
        Self {
            message: error.message().to_owned(),
            hint: hint.unwrap_or_default(),
            kind: ErrorKind::Remote { code: error.code(), kind },
        }
    }
}

/// From the error that jsonrpsee's traits demand.
impl From<RpcError> for Error {
    fn from(error: RpcError) -> Self {
        match error {
            RpcError::Call(error) => error.into(),
            RpcError::Transport(error) => match error.downcast::<Self>() {
                Ok(error) => *error,
                Err(error) => Self::new(ErrorKind::Lost, error.to_string()),
            },
            // The async client wraps the first cause in shared ownership.
            RpcError::RestartNeeded(cause) => Self::from_shared(&cause),
            RpcError::ParseError(error) => {
                Self::new(ErrorKind::Protocol, format!("cannot read the daemon's answer: {error}"))
                    .hint("restart the daemon with `hob daemon restart`")
            }
            RpcError::RequestTimeout => {
                Self::new(ErrorKind::Timeout, "the daemon did not answer in time")
            }
            other => Self::new(ErrorKind::Protocol, other.to_string()),
        }
    }
}

impl Error {
    fn from_shared(cause: &RpcError) -> Self {
        match cause {
            RpcError::Transport(error) => match error.downcast_ref::<Self>() {
                Some(error) => error.clone(),
                None => Self::new(ErrorKind::Lost, error.to_string()),
            },
            other => Self::new(ErrorKind::Lost, other.to_string()),
        }
    }
}

impl From<Error> for RpcError {
    fn from(error: Error) -> Self {
        Self::Transport(Box::new(error))
    }
}

/// A system's error as part of a sentence: `connection refused`, without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemons_hint_and_kind_survive_jsonrpsee() {
        let sent = Kind::NotAWorkspace.error("`/x` is in no workspace", "run `hob index /x`");
        let error = Error::from(RpcError::Call(sent));
        assert!(error.is(Kind::NotAWorkspace));
        assert_eq!(error.report(), "hob: `/x` is in no workspace\nhint: run `hob index /x`\n");
    }

    #[test]
    fn an_unknown_kind_keeps_its_hint() {
        let data = serde_json::json!({"kind": "from_the_future", "hint": "do this"});
        let error = Error::from(ErrorObjectOwned::owned(-32099, "new", Some(data)));
        assert_eq!(error.kind, ErrorKind::Remote { code: -32099, kind: None });
        assert_eq!(error.hint, "do this");
    }

    #[test]
    fn a_systems_error_reads_as_part_of_a_sentence() {
        let error = std::io::Error::from_raw_os_error(2);
        assert_eq!(reason(&error), "no such file or directory");
    }
}
