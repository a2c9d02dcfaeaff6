//! A blocking connection to the daemon, without a runtime.
//!
//! Its first write carries `daemon.hello` and the first request together, and the daemon may answer
//! the two in any order. Later there is one request at a time, since callers take turns. Starting a daemon is
//! not done here: see [`crate::start()`].

use crate::stream::{Stream, StreamItem, Subscription};
use crate::wire::{self, Message, Request};
use crate::{Error, ErrorKind, Place};
use hob_protocol::{Kind, PROTOCOL, incompatible};
use jsonrpsee::core::client::{BatchResponse, ClientT, Error as RpcError};
use jsonrpsee::core::params::{BatchRequestBuilder, ObjectParams};
use jsonrpsee::core::traits::ToRpcParams;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::VecDeque;
use std::fmt;
use std::io::{BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What this client calls itself.
pub(crate) const NAME: &str = concat!("hob ", env!("CARGO_PKG_VERSION"));

/// A connection that blocks. It implements jsonrpsee's [`ClientT`], so the interface's traits of
/// calls work on it: `block_on(connection.ping())`.
///
/// Several threads may share one; their calls take turns.
pub struct Connection {
    session: Mutex<Session>,
    peer: Option<u32>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let socket = &self.lock().socket;
        f.debug_struct("Connection").field("socket", socket).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects to the daemon of an environment, once its directory is known to be safe.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRunning`] where no one answers, [`ErrorKind::Socket`] where the socket cannot
    /// be used or trusted.
    pub fn open(place: &Place) -> Result<Self, Error> {
        place.verify()?;
        Self::connect(&place.socket)
    }

    /// Connects to a socket. Whoever listens there must be the same user.
    ///
    /// # Errors
    ///
    /// As of [`Connection::open`].
    pub fn connect(socket: &Path) -> Result<Self, Error> {
        let (stream, peer) = connect(socket)?;
        Ok(Self { session: Mutex::new(Session::new(stream, socket)), peer })
    }

    /// Leaves the greeting out, and with it the check that both sides speak the same number of the
    /// interface: for `daemon.stop`, which a daemon of any age understands.
    #[must_use]
    pub fn without_greeting(self) -> Self {
        self.lock().greeted = true;
        self
    }

    /// The process at the other end, where the system tells. With socket activation it is
    /// the process that made the socket.
    #[must_use]
    pub fn peer(&self) -> Option<u32> {
        self.peer
    }

    /// How long to wait for each answer; `None`, the default, is for ever.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Socket`] where the system refuses, as it does a duration of zero.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> Result<(), Error> {
        let session = self.lock();
        session.reader.get_ref().set_read_timeout(timeout).map_err(|error| {
            Error::new(ErrorKind::Socket, format!("cannot limit the time of an answer: {error}"))
        })
    }

    /// Waits until the daemon has closed this connection, and throws away what still comes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Timeout`] where it did not within the time of [`Connection::set_timeout`].
    pub fn wait_for_end(&self) -> Result<(), Error> {
        let mut session = self.lock();
        let mut frame = Vec::new();
        loop {
            match session.read(&mut frame) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(error) if error.kind == ErrorKind::Timeout => return Err(error),
                Err(_) => return Ok(()),
            }
        }
    }

    /// Any subscription, as an iterator.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says of the request itself.
    pub fn stream<T: StreamItem>(
        &mut self,
        subscription: &'static Subscription,
        params: impl ToRpcParams,
    ) -> Result<Stream<'_, T>, Error> {
        let params = params.to_rpc_params().map_err(unsendable)?;
        let session = self.session.get_mut().unwrap_or_else(PoisonError::into_inner);
        let id = session.call(subscription.subscribe, params.as_deref())?;
        Ok(Stream::new(session, subscription, &id))
    }

    /// Calls a method by its name, with and for plain JSON.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says.
    pub fn call(&self, method: &str, params: Option<&RawValue>) -> Result<Box<RawValue>, Error> {
        self.lock().call(method, params).map_err(Error::from)
    }

    /// The last answer that was not plain JSON, as it came.
    pub(crate) fn take_answer(&self) -> Option<Box<RawValue>> {
        self.lock().answer.take()
    }

    fn lock(&self) -> MutexGuard<'_, Session> {
        // A panic elsewhere leaves at worst a connection that answers out of step, and that shows.
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientT for Connection {
    async fn notification<Params>(&self, method: &str, params: Params) -> Result<(), RpcError>
    where
        Params: ToRpcParams + Send,
    {
        let params = params.to_rpc_params()?;
        self.lock().notify(method, params.as_deref())
    }

    async fn request<R, Params>(&self, method: &str, params: Params) -> Result<R, RpcError>
    where
        R: DeserializeOwned,
        Params: ToRpcParams + Send,
    {
        let params = params.to_rpc_params()?;
        let mut session = self.lock();
        let result = session.call(method, params.as_deref())?;
        let value = serde_json::from_str(result.get())?;
        session.answer = Some(result);
        Ok(value)
    }

    /// Batches are for clients for whom a round trip is dear; here each request is sent on its own.
    async fn batch_request<'a, R>(
        &self,
        batch: BatchRequestBuilder<'a>,
    ) -> Result<BatchResponse<'a, R>, RpcError>
    where
        R: DeserializeOwned + fmt::Debug + 'a,
    {
        let requests = batch.build()?;
        let (mut answers, mut succeeded) = (Vec::new(), 0);
        for (method, params) in requests {
            match self.lock().call(method, params.as_deref()) {
                Ok(result) => {
                    succeeded += 1;
                    answers.push(Ok(serde_json::from_str(result.get())?));
                }
                Err(RpcError::Call(error)) => answers.push(Err(error)),
                Err(error) => return Err(error),
            }
        }
        let failed = answers.len() - succeeded;
        Ok(BatchResponse::new(succeeded, answers, failed))
    }
}

/// What a caller holds while it talks.
pub(crate) struct Session {
    reader: BufReader<UnixStream>,
    socket: PathBuf,
    next_id: u64,
    greeted: bool,
    /// What came before the answer to the greeting, to be read next.
    kept: VecDeque<Vec<u8>>,
    answer: Option<Box<RawValue>>,
}

impl Session {
    fn new(stream: UnixStream, socket: &Path) -> Self {
        let reader = BufReader::with_capacity(32 << 10, stream);
        Self {
            reader,
            socket: socket.to_owned(),
            next_id: 0,
            greeted: false,
            kept: VecDeque::new(),
            answer: None,
        }
    }

    pub(crate) fn call(
        &mut self,
        method: &str,
        params: Option<&RawValue>,
    ) -> Result<Box<RawValue>, RpcError> {
        let mut frames = Vec::with_capacity(512);
        let hello = self.greet(&mut frames)?;
        let id = self.id();
        Request::new(Some(id), method, params).frame(&mut frames)?;
        self.write_before_reading(&frames)?;
        if let Some(hello) = hello {
            self.await_greeting(hello)?;
        }
        self.answer(id)
    }

    fn notify(&mut self, method: &str, params: Option<&RawValue>) -> Result<(), RpcError> {
        let mut frames = Vec::new();
        let hello = self.greet(&mut frames)?;
        Request::new(None, method, params).frame(&mut frames)?;
        self.write_before_reading(&frames)?;
        if let Some(hello) = hello {
            self.await_greeting(hello)?;
        }
        Ok(())
    }

    /// Ends a subscription. Its answer is skipped by whoever reads next, and a failure means
    /// that the connection is gone, which has ended the subscription as well.
    pub(crate) fn unsubscribe(&mut self, method: &str, subscription: &str) {
        let Ok(params) = RawValue::from_string(format!("[{subscription}]")) else { return };
        let mut frame = Vec::new();
        let id = self.id();
        if Request::new(Some(id), method, Some(&params)).frame(&mut frame).is_ok() {
            let _ = self.write(&frame);
        }
    }

    /// Reads a frame; false at the end of the connection.
    pub(crate) fn read(&mut self, frame: &mut Vec<u8>) -> Result<bool, Error> {
        if let Some(kept) = self.kept.pop_front() {
            *frame = kept;
            return Ok(true);
        }
        wire::read_frame(&mut self.reader, frame, &self.socket)
    }

    pub(crate) fn parse<'f>(&self, frame: &'f [u8]) -> Result<Message<'f>, Error> {
        serde_json::from_slice(frame).map_err(|error| self.not_ours(&error))
    }

    /// A frame that is not what the caller waits for: the daemon's own requests are refused, the
    /// rest (late answers, notifications of subscriptions that have ended) is dropped.
    pub(crate) fn aside(&mut self, message: &Message<'_>) -> Result<(), Error> {
        match (&message.method, message.id) {
            (Some(_), Some(id)) => self.write(wire::refusal(id).as_bytes()),
            _ => Ok(()),
        }
    }

    pub(crate) fn lost(&self) -> Error {
        wire::lost(&self.socket)
    }

    /// The connection's end, where a part of the answer has come: asking again would repeat it.
    pub(crate) fn cut_off(&self) -> Error {
        let message =
            format!("the daemon at `{}` went away within its answer", self.socket.display());
        Error::new(ErrorKind::CutOff, message).hint("ask again; `hob daemon logs` tells why")
    }

    pub(crate) fn not_ours(&self, error: &serde_json::Error) -> Error {
        wire::not_ours(error, &self.socket)
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Puts the greeting before the first request, and gives its number.
    fn greet(&mut self, frames: &mut Vec<u8>) -> Result<Option<u64>, RpcError> {
        if self.greeted {
            return Ok(None);
        }
        self.greeted = true;
        let mut params = ObjectParams::new();
        params.insert("protocol", PROTOCOL)?;
        params.insert("client", NAME)?;
        let id = self.id();
        let params = params.to_rpc_params()?;
        Request::new(Some(id), "daemon.hello", params.as_deref()).frame(frames)?;
        Ok(Some(id))
    }

    /// What a daemon says to our number. It checks that itself; but one of another version may not,
    /// and an old one does not even know what a greeting is.
    fn check(&self, message: Message<'_>) -> Result<(), RpcError> {
        /// What a greeting says in all versions.
        #[derive(Deserialize)]
        struct Number {
            protocol: u32,
        }
        let answer = match outcome(message) {
            Err(RpcError::Call(error)) if error.code() == Kind::MethodNotFound.code() => {
                return Err(RpcError::Call(incompatible(None, PROTOCOL)));
            }
            other => other?,
        };
        let Number { protocol } =
            serde_json::from_str(answer.get()).map_err(|error| self.not_ours(&error))?;
        match protocol == PROTOCOL {
            true => Ok(()),
            false => Err(RpcError::Call(incompatible(Some(protocol), PROTOCOL))),
        }
    }

    /// Reads the answer to the greeting, and keeps what comes before it: the request that was
    /// sent along may be answered first, and if it was for a stream, items may follow.
    fn await_greeting(&mut self, id: u64) -> Result<(), RpcError> {
        let mut kept = VecDeque::new();
        loop {
            let mut frame = Vec::new();
            if !self.read(&mut frame)? {
                return Err(self.lost().into());
            }
            let message = self.parse(&frame)?;
            if message.answers(id) {
                self.check(message)?;
                self.kept = kept;
                return Ok(());
            }
            kept.push_back(frame);
        }
    }

    /// The answer to a request. What comes before it is of no interest any more.
    fn answer(&mut self, id: u64) -> Result<Box<RawValue>, RpcError> {
        let mut frame = Vec::new();
        loop {
            if !self.read(&mut frame)? {
                return Err(self.lost().into());
            }
            let message = self.parse(&frame)?;
            if message.answers(id) {
                return outcome(message);
            }
            self.aside(&message)?;
        }
    }

    /// Writes what an answer is due to. A daemon that closed at once may have said why, so
    /// that a connection that is gone shows when it is read.
    fn write_before_reading(&mut self, frames: &[u8]) -> Result<(), Error> {
        match self.write(frames) {
            Err(error) if error.kind == ErrorKind::Lost => Ok(()),
            other => other,
        }
    }

    fn write(&mut self, frames: &[u8]) -> Result<(), Error> {
        let mut stream = self.reader.get_ref();
        stream.write_all(frames).map_err(|error| wire::broken(&error, &self.socket))
    }
}

/// A stream to a socket at which the same user listens.
pub(crate) fn connect(socket: &Path) -> Result<(UnixStream, Option<u32>), Error> {
    crate::place::check_length(socket)?;
    let stream = UnixStream::connect(socket).map_err(|error| unreachable(&error, socket))?;
    let peer = crate::place::check_peer(&stream, socket)?;
    Ok((stream, peer))
}

/// What an answer says: a result, which may be null, or an error.
fn outcome(message: Message<'_>) -> Result<Box<RawValue>, RpcError> {
    match message.error {
        Some(error) => Err(RpcError::Call(error)),
        None => Ok(message.result.unwrap_or(RawValue::NULL).to_owned()),
    }
}

pub(crate) fn unsendable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Usage, format!("the parameters are no JSON: {error}"))
}

/// Why no one is reached. A socket without a listener refuses, as one that is no socket does.
pub(crate) fn unreachable(error: &std::io::Error, socket: &Path) -> Error {
    use std::io::ErrorKind as Io;
    let reason = crate::error::reason(error);
    let message = format!("cannot reach the daemon at `{}`: {reason}", socket.display());
    match error.kind() {
        Io::NotFound | Io::ConnectionRefused => {
            Error::new(ErrorKind::NotRunning, message).hint("start it with `hob daemon start`")
        }
        Io::PermissionDenied => Error::new(ErrorKind::Socket, message)
            .hint("the socket must be yours: check its owner and mode, or set `HOB_SOCKET`"),
        _ => Error::new(ErrorKind::Socket, message)
            .hint("set `HOB_SOCKET` or `XDG_RUNTIME_DIR` to a place where sockets can be"),
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
