//! Frames: one JSON value a line, of a limited size.
//!
//! Knows what JSON-RPC looks like, and nothing of hob's methods.

use crate::{Error, ErrorKind};
use jsonrpsee::types::ErrorObjectOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::{BufRead, Read as _};
use std::path::Path;

/// The longest frame that we read: twice what a daemon sends.
pub(crate) const FRAME_LIMIT: usize = 32 << 20;

/// A request as it is sent.
#[derive(Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<u64>,
    pub(crate) method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) params: Option<&'a RawValue>,
}

impl<'a> Request<'a> {
    /// A call, or a notification where there is no `id`.
    pub(crate) fn new(id: Option<u64>, method: &'a str, params: Option<&'a RawValue>) -> Self {
        Self { jsonrpc: "2.0", id, method, params }
    }

    /// Appends the frame, its newline included.
    pub(crate) fn frame(&self, frames: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(&mut *frames, self)?;
        frames.push(b'\n');
        Ok(())
    }
}

/// A frame as it comes: an answer, a notification, or a request of the daemon's own.
#[derive(Deserialize)]
pub(crate) struct Message<'a> {
    #[serde(borrow, default)]
    pub(crate) id: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(borrow, default)]
    pub(crate) params: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) result: Option<&'a RawValue>,
    #[serde(default)]
    pub(crate) error: Option<ErrorObjectOwned>,
}

impl Message<'_> {
    /// Whether this answers the request of that number. An error without a number is about the
    /// connection as a whole, so it answers whatever was asked.
    pub(crate) fn answers(&self, id: u64) -> bool {
        match (&self.method, self.id) {
            (Some(_), _) => false,
            (None, Some(raw)) => raw.get() == id.to_string(),
            (None, None) => self.error.is_some(),
        }
    }
}

/// Refuses a request that the daemon sends: this client serves none.
pub(crate) fn refusal(id: &RawValue) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32601,"message":"this client serves no requests"}}}}{}"#,
        id.get(),
        '\n'
    )
}

/// Reads one frame into `frame`, without its newline. False at the end of the connection; a
/// frame that ends early is an error.
pub(crate) fn read_frame(
    reader: &mut impl BufRead,
    frame: &mut Vec<u8>,
    socket: &Path,
) -> Result<bool, Error> {
    frame.clear();
    let limit = FRAME_LIMIT as u64 + 1;
    match reader.take(limit).read_until(b'\n', frame) {
        Ok(0) => Ok(false),
        Ok(_) if frame.last() == Some(&b'\n') => {
            frame.pop();
            Ok(true)
        }
        Ok(read) if read as u64 == limit => Err(too_long(socket)),
        Ok(_) => Err(lost(socket)),
        Err(error) => Err(broken(&error, socket)),
    }
}

/// A frame past the limit.
pub(crate) fn too_long(socket: &Path) -> Error {
    let limit = FRAME_LIMIT >> 20;
    Error::new(
        ErrorKind::Protocol,
        format!("an answer of `{}` is longer than {limit} MiB", socket.display()),
    )
    .hint("is that hob's socket? ask for less, or for a stream")
}

/// The connection's end, where an answer was due.
pub(crate) fn lost(socket: &Path) -> Error {
    Error::new(
        ErrorKind::Lost,
        format!(
            "the daemon at `{}` closed the connection before it had answered",
            socket.display()
        ),
    )
    .hint("`hob daemon logs` tells why")
}

/// A failure of the connection itself.
pub(crate) fn broken(error: &std::io::Error, socket: &Path) -> Error {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::WouldBlock | Io::TimedOut => Error::new(
            ErrorKind::Timeout,
            format!("the daemon at `{}` did not answer in time", socket.display()),
        )
        .hint("see `hob daemon logs`, or restart it with `hob daemon restart`"),
        Io::BrokenPipe | Io::ConnectionReset => lost(socket),
        _ => Error::new(
            ErrorKind::Lost,
            format!("lost the daemon at `{}`: {}", socket.display(), crate::error::reason(error)),
        ),
    }
}

/// Bytes that are no JSON-RPC.
pub(crate) fn not_ours(error: &serde_json::Error, socket: &Path) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("what answers at `{}` does not speak hob's protocol: {error}", socket.display()),
    )
    .hint("set `HOB_SOCKET` to the daemon's socket, or run `hob daemon restart`")
}
