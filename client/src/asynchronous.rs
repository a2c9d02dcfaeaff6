//! jsonrpsee's own client over the daemon's socket, for programs with a tokio runtime.

use crate::wire::{self, FRAME_LIMIT};
use crate::{DaemonApiClient as _, Error};
use hob_protocol::{Kind, PROTOCOL, incompatible};
use jsonrpsee::core::client::{
    Client, ClientBuilder, Error as RpcError, ReceivedMessage, TransportReceiverT, TransportSenderT,
};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// Connects jsonrpsee's async client, which serves all of the interface's traits.
///
/// It does not start a daemon: call [`crate::start()`] before, on a thread that may block.
///
/// ```no_run
/// use hob_client::{IndexStreamsClient as _, Place, connect_async, start};
/// use hob_protocol::{SearchEvent, SearchQuery};
///
/// # async fn example() -> Result<(), hob_client::Error> {
/// let place = Place::from_env();
/// let socket = place.socket.clone();
/// tokio::task::spawn_blocking(move || start(&place)).await.expect("starting does not panic")?;
/// let client = connect_async(&socket).await?;
/// let query = SearchQuery { patterns: vec!["fn main".into()], ..SearchQuery::in_dir("/repo") };
/// let mut events = client.search_stream(query, None).await?;
/// while let Some(Ok(event)) = events.next().await {
///     if let SearchEvent::Output(part) = event {
///         print!("{}", part.to_string_lossy());
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`crate::ErrorKind::NotRunning`] where no one answers, [`crate::ErrorKind::Socket`] where the
/// socket cannot be used or trusted, and the daemon's error where it speaks another number of the
/// interface.
pub async fn connect_async(socket: &Path) -> Result<Client, Error> {
    let stream = crate::connection::connect(socket)?.0;
    let cannot = |error: std::io::Error| crate::connection::unreachable(&error, socket);
    stream.set_nonblocking(true).map_err(cannot)?;
    let stream = tokio::net::UnixStream::from_std(stream).map_err(cannot)?;
    let (reader, writer) = stream.into_split();
    let receiver = Receiver {
        reader: BufReader::with_capacity(32 << 10, reader),
        frame: Vec::new(),
        socket: socket.to_owned(),
    };
    let sender = Sender { writer, socket: socket.to_owned() };
    // Building an index takes what it takes; and a search that nobody reads for long is ended
    // by jsonrpsee when this many parts have piled up.
    let builder = ClientBuilder::default()
        .request_timeout(NO_LIMIT)
        .max_buffer_capacity_per_subscription(PARTS);
    let client = builder.build_with_tokio(sender, receiver);
    let name = crate::connection::NAME.to_owned();
    let differs = match client.hello(PROTOCOL, Some(name)).await {
        Ok(hello) if hello.protocol == PROTOCOL => return Ok(client),
        Ok(hello) => Some(hello.protocol),
        Err(RpcError::Call(error)) if error.code() == Kind::MethodNotFound.code() => None,
        Err(error) => return Err(error.into()),
    };
    Err(incompatible(differs, PROTOCOL).into())
}

/// Long enough to be none: callers set their own.
const NO_LIMIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// Items of one subscription that may wait to be read.
const PARTS: usize = 8192;

struct Sender {
    writer: OwnedWriteHalf,
    socket: PathBuf,
}

impl TransportSenderT for Sender {
    type Error = Error;

    async fn send(&mut self, mut message: String) -> Result<(), Error> {
        message.push('\n');
        let sent = self.writer.write_all(message.as_bytes()).await;
        sent.map_err(|error| wire::broken(&error, &self.socket))
    }
}

struct Receiver {
    reader: BufReader<OwnedReadHalf>,
    /// What has come of a frame. It stays if the future that reads is dropped.
    frame: Vec<u8>,
    socket: PathBuf,
}

impl TransportReceiverT for Receiver {
    type Error = Error;

    async fn receive(&mut self) -> Result<ReceivedMessage, Error> {
        let left = (FRAME_LIMIT + 1 - self.frame.len()) as u64;
        let mut limited = (&mut self.reader).take(left);
        match limited.read_until(b'\n', &mut self.frame).await {
            Ok(_) if self.frame.last() == Some(&b'\n') => {
                self.frame.pop();
                Ok(ReceivedMessage::Bytes(std::mem::take(&mut self.frame)))
            }
            Ok(_) if self.frame.len() > FRAME_LIMIT => Err(wire::too_long(&self.socket)),
            Ok(_) => Err(wire::lost(&self.socket)),
            Err(error) => Err(wire::broken(&error, &self.socket)),
        }
    }
}

#[cfg(test)]
#[path = "asynchronous_tests.rs"]
mod tests;
