//! A WebSocket as one more framing: a message is a frame, text or binary.

use super::connection::{Line, converse};
use super::frame::{FrameError, Patience, Source};
use super::outgoing::Sink;
use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde_json::value::RawValue;
use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Bytes that are read at once. An idle connection holds so many.
const READ_BYTES: usize = 8 << 10;

type Socket = WebSocketStream<TokioIo<Upgraded>>;
/// Why the daemon closes, as RFC 6455 numbers it.
type Reason = Arc<Mutex<CloseCode>>;

/// Serves a WebSocket to its end. `arrived` is told of bytes that come in.
pub(super) async fn serve(line: &Line, upgraded: Upgraded, arrived: Arc<Notify>) {
    let max = Some(line.limits().frame_bytes);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(READ_BYTES)
        .max_message_size(max)
        .max_frame_size(max);
    let io = TokioIo::new(upgraded);
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let (sink, stream) = socket.split();
    let reason = Arc::new(Mutex::new(CloseCode::Away));
    let patience = line.patience();
    let deadline = Some((Instant::now() + patience.first, patience.first));
    let max = line.limits().frame_bytes;
    let frames = Frames { sink, waiting: Vec::new(), bytes: 0, reason: reason.clone() };
    let source = Messages { stream, arrived, patience, deadline, greeted: false, reason, max };
    converse(line, source, frames).await;
}

/// What the peer sends.
struct Messages {
    stream: SplitStream<Socket>,
    arrived: Arc<Notify>,
    patience: Patience,
    /// When the message that is awaited must be there; `None` between messages.
    deadline: Option<(Instant, Duration)>,
    /// Whether the first message has come.
    greeted: bool,
    reason: Reason,
    max: usize,
}

impl Messages {
    /// A message, or `None` where it is not one for us. Pings are answered by the library.
    fn took(
        &mut self,
        message: Option<Result<Message, Error>>,
    ) -> Result<Option<Bytes>, FrameError> {
        let frame = match message {
            Some(Ok(Message::Text(text))) => Some(Bytes::from(text)),
            Some(Ok(Message::Binary(bytes))) => Some(bytes),
            Some(Ok(_)) => None,
            Some(Err(error)) => return Err(self.failed(error)),
            // Whoever closes a WebSocket does not read any more.
            None => return Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
        };
        // What has come belonged to this message. (Of a next one that came along the deadline
        // begins with its next byte.)
        let _ = futures_util::FutureExt::now_or_never(self.arrived.notified());
        self.greeted |= frame.is_some();
        self.deadline = self.deadline.filter(|_| !self.greeted);
        Ok(frame)
    }

    fn failed(&mut self, error: Error) -> FrameError {
        let (code, error) = match error {
            Error::Capacity(_) => (CloseCode::Size, FrameError::TooLarge(self.max)),
            Error::Utf8(what) => (CloseCode::Invalid, FrameError::Malformed(what)),
            Error::Protocol(what) => (CloseCode::Protocol, FrameError::Malformed(what.to_string())),
            other => return io::Error::other(other).into(),
        };
        self.close_with(code);
        error
    }

    fn close_with(&self, code: CloseCode) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = code;
    }
}

impl Source for Messages {
    async fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        loop {
            let late = async {
                match self.deadline {
                    Some((at, _)) => sleep_until(at).await,
                    None => pending().await,
                }
            };
            tokio::select! {
                biased;
                message = self.stream.next() => {
                    if let Some(frame) = self.took(message)? {
                        return Ok(Some(frame));
                    }
                }
                () = self.arrived.notified(), if self.deadline.is_none() => {
                    self.deadline = Some((Instant::now() + self.patience.partial, self.patience.partial));
                }
                () = late => {
                    self.close_with(CloseCode::Policy);
                    let patience = self.deadline.map_or(self.patience.partial, |(_, patience)| patience);
                    return Err(FrameError::TooSlow(patience));
                }
            }
        }
    }

    async fn linger(&mut self, patience: Duration) {
        let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
        let _ = timeout(patience, rest).await;
    }
}

/// What the peer is sent. That it reads is seen to below, by the stream itself.
struct Frames {
    sink: SplitSink<Socket, Message>,
    waiting: Vec<Message>,
    bytes: usize,
    reason: Reason,
}

impl Sink for Frames {
    fn add(&mut self, json: Box<RawValue>) -> io::Result<usize> {
        let text = String::from(Box::<str>::from(json));
        self.bytes += text.len();
        self.waiting.push(Message::Text(text.into()));
        Ok(self.bytes)
    }

    async fn flush(&mut self, _: Duration) -> io::Result<()> {
        self.bytes = 0;
        for message in self.waiting.drain(..) {
            self.sink.feed(message).await.map_err(io::Error::other)?;
        }
        self.sink.flush().await.map_err(io::Error::other)
    }

    async fn finish(&mut self) {
        let code = *self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        let close = CloseFrame { code, reason: "".into() };
        let _ = self.sink.send(Message::Close(Some(close))).await;
    }
}
