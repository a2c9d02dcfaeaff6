//! Serves JSON-RPC methods over a Unix socket.
//!
//! Connections come in here, get their limits, and are driven one task each
//! (`connection`). What a method does is jsonrpsee's and the handlers' affair;
//! where the socket is and who may bind it is [`crate::life`]'s.
//!
//! ```
//! # use {hob_daemon::{life, server}, jsonrpsee::RpcModule, std::io::{BufRead, Write}};
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let mut module = RpcModule::new(());
//! module.register_method("double", |params, _, _| params.one::<u64>().map(|n| 2 * n))?;
//!
//! let socket = dir.path().join("s");
//! let life::Claim::Ours(instance) = life::claim(&socket)? else { panic!("someone serves") };
//! let stop = tokio_util::sync::CancellationToken::new();
//! let (listener, server) = (instance.bind()?, server::Server::new(module));
//! let stopped = stop.clone();
//! let served = tokio::spawn(async move {
//!     server::serve(&listener, server, stopped, &server::Open).await;
//! });
//!
//! let answer = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
//!     let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
//!     writeln!(stream, r#"{{"jsonrpc":"2.0","id":1,"method":"double","params":[21]}}"#)?;
//!     std::io::BufReader::new(stream).lines().next().unwrap_or(Ok(String::new()))
//! });
//! assert_eq!(answer.await??, r#"{"jsonrpc":"2.0","id":1,"result":42}"#);
//! stop.cancel();
//! served.await?;
//! # Ok(())
//! # }
//! ```

mod batch;
mod calls;
mod connection;
mod fault;
mod frame;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod http;
mod invoke;
mod message;
mod outgoing;
mod patient;
mod peer;
mod speech;
#[cfg(test)]
mod tests;
mod websocket;

pub(crate) use fault::unknown_method;
pub use peer::{Peer, PeerError};

use interprocess::local_socket::tokio::Stream;
use interprocess::os::unix::uds_local_socket;
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{ConnectionId, Methods};
use serde_json::value::RawValue;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long accepting waits after the kernel had no descriptor or memory for a connection.
const BACK_OFF: Duration = Duration::from_millis(100);
/// How long those who were let in last are waited for when the door is shut.
const FIRST_WORDS: Duration = Duration::from_secs(1);
/// How many refused connections are listened to at a time, to answer in their framing; more are
/// told at once and closed.
const REFUSALS: usize = 64;

/// What a client may use up. Past a limit it gets an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a frame that comes in.
    pub frame_bytes: usize,
    /// Bytes of an answer, and of each part of a stream.
    pub answer_bytes: usize,
    /// Messages in a batch.
    pub batch: usize,
    /// Calls that run at once on a connection.
    pub calls: usize,
    /// Subscriptions of a connection.
    pub subscriptions: usize,
    /// Connections.
    pub connections: usize,
    /// Time until the first frame of a connection is there.
    pub first_frame: Duration,
    /// Time from the first byte of a frame to its last.
    pub partial_frame: Duration,
    /// Time without progress after which a peer that does not read is disconnected.
    pub stalled_write: Duration,
    /// Time that running calls get when the daemon stops.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 16 << 20,
            answer_bytes: 16 << 20,
            batch: 64,
            calls: 64,
            subscriptions: 64,
            connections: 1024,
            first_frame: Duration::from_secs(30),
            partial_frame: Duration::from_secs(30),
            stalled_write: Duration::from_secs(30),
            drain: Duration::from_secs(8),
        }
    }
}

/// What the daemon wants to know of what is said besides calls, and its say before a call.
pub trait Hooks: Send + Sync + 'static {
    /// A client has sent a notification. Those of one connection come in the order in which they
    /// were sent, and before the calls that were sent after them begin. To be quick: the
    /// connection is not read meanwhile.
    fn notification(&self, method: &str, params: Option<&RawValue>, peer: &Peer) {
        let _ = (method, params, peer);
    }

    /// A method that exists is about to be called.
    ///
    /// # Errors
    /// Why it is not: the answer to the call.
    fn vet(&self, method: &str, params: &RawValue) -> Result<(), ErrorObjectOwned> {
        let _ = (method, params);
        Ok(())
    }
}

/// Ignores notifications, and lets all calls pass.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {}

/// How many connections there are.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Tally>);

#[derive(Debug)]
struct Tally {
    now: AtomicUsize,
    /// When the last one ended, or the counting began.
    ended: Mutex<Instant>,
}

impl Default for Connections {
    fn default() -> Self {
        Self(Arc::new(Tally { now: AtomicUsize::new(0), ended: Mutex::new(Instant::now()) }))
    }
}

impl Connections {
    /// How many there are now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.now.load(Ordering::Relaxed)
    }

    /// Since when there is none; `None` while there is one.
    #[must_use]
    pub fn none_since(&self) -> Option<Instant> {
        let ended = *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner);
        (self.count() == 0).then_some(ended)
    }
}

/// What is served, and to whom.
#[derive(Clone)]
pub struct Server {
    /// The methods.
    pub methods: Methods,
    /// What a client may use up.
    pub limits: Limits,
    /// What hears the clients' notifications.
    pub hooks: Arc<dyn Hooks>,
    /// The only user who is served.
    pub owner: rustix::process::Uid,
    /// Counts the connections.
    pub connections: Connections,
}

impl Server {
    /// Serves methods to the user that this process runs as, within the default limits.
    #[must_use]
    pub fn new(methods: impl Into<Methods>) -> Self {
        Self {
            methods: methods.into(),
            limits: Limits::default(),
            hooks: Arc::new(NoHooks),
            owner: rustix::process::geteuid(),
            connections: Connections::default(),
        }
    }
}

/// Has a say in who is let in.
pub trait Doorkeeper: Sync {
    /// Someone waits in the kernel's queue, and is let in when this comes back, unless the door
    /// is shut by then.
    fn knock(&self) -> impl Future<Output = ()> + Send;

    /// Waits until nobody is to be let in any more, and the server is to stop once it has heard
    /// what those want who are in.
    fn shut(&self) -> impl Future<Output = ()> + Send;

    /// Nobody is let in any more; `told` is whether the server was told to stop, even after the door
    /// was shut. True where those who still wait are to be told so: nobody may be able to join them
    /// from here on. False leaves them to whoever serves the socket next.
    fn close(&self, told: bool) -> bool;
}

/// Lets everyone in until the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Doorkeeper for Open {
    async fn knock(&self) {}

    async fn shut(&self) {
        std::future::pending::<()>().await;
    }

    fn close(&self, _: bool) -> bool {
        true
    }
}

/// Serves what comes to `listener`, which does not block, until `stop` is cancelled or the
/// doorkeeper shuts; then refuses new calls, lets running ones finish for [`Limits::drain`], and
/// returns when the last connection is closed.
pub async fn serve(
    listener: &UnixListener,
    server: Server,
    stop: CancellationToken,
    keeper: &impl Doorkeeper,
) {
    let door = Door::new(server, stop.clone());
    let told = tokio::select! {
        biased;
        () = stop.cancelled() => true,
        () = keeper.shut() => stop.run_until_cancelled(door.hear_all()).await.is_none(),
        error = door.attend(listener, keeper) => {
            tracing::error!(%error, "cannot wait for connections");
            true
        }
    };
    stop.cancel();
    if keeper.close(told) {
        while let Ok(stream) = accept(listener) {
            door.admit(stream);
        }
    }
    door.close().await;
}

/// Tells when someone waits at a listener. Only what stays in the kernel's queue can be left to
/// another process, and tokio's listener cannot wait without accepting; but a stream is whatever
/// has a descriptor.
fn bell(listener: &UnixListener) -> io::Result<UnixStream> {
    UnixStream::from_std(OwnedFd::from(listener.try_clone()?).into())
}

fn accept(listener: &UnixListener) -> io::Result<Stream> {
    let (stream, _) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok(uds_local_socket::tokio::Stream::try_from(OwnedFd::from(stream))?.into())
}

/// Out of descriptors, `accept` fails at once and for ever: the loop must not spin.
async fn back_off(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(BACK_OFF).await;
}

/// Where connections come in.
struct Door {
    server: Arc<Server>,
    stop: CancellationToken,
    /// Ends connections that do not end by themselves.
    kill: CancellationToken,
    tasks: TaskTracker,
    room: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    last: AtomicUsize,
    /// How many connections have not asked anything yet.
    silent: Arc<AtomicUsize>,
}

impl Door {
    fn new(server: Server, stop: CancellationToken) -> Self {
        Self {
            room: Arc::new(Semaphore::new(server.limits.connections)),
            refusals: Arc::new(Semaphore::new(REFUSALS)),
            server: Arc::new(server),
            stop,
            kill: CancellationToken::new(),
            tasks: TaskTracker::new(),
            last: AtomicUsize::new(0),
            silent: Arc::default(),
        }
    }

    /// Lets in whoever knocks, until that fails.
    async fn attend(&self, listener: &UnixListener, keeper: &impl Doorkeeper) -> io::Error {
        let bell = match bell(listener) {
            Ok(bell) => bell,
            Err(error) => return error,
        };
        loop {
            if let Err(error) = bell.readable().await {
                return error;
            }
            keeper.knock().await;
            // Where that has shut the door, this goes no further.
            tokio::task::yield_now().await;
            match bell.try_io(Interest::READABLE, || accept(listener)) {
                Ok(stream) => self.admit(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => back_off(&error).await,
            }
        }
    }

    /// Waits for the first request of each connection. One that is idle is not waited for long.
    async fn hear_all(&self) {
        let heard = async {
            while self.silent.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = timeout(FIRST_WORDS, heard).await;
    }

    fn admit(&self, stream: Stream) {
        if let Err(error) = self.check_user(&stream) {
            return self.refuse(stream, error);
        }
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            let hint = "close some, or raise `limits.connections`";
            let limit = self.server.limits.connections;
            return self.refuse(stream, fault::too_many("connections", limit, hint));
        };
        let connection = ConnectionId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (server, stop, kill) =
            (self.server.clone(), self.stop.clone(), self.kill.child_token());
        let silence = Silence::new(&self.silent);
        self.tasks.spawn(async move {
            let _counted = Counted::new(&server.connections);
            let line =
                connection::Line::new(stream, server.clone(), connection, silence, stop, kill);
            line.serve().await;
            drop(room);
        });
    }

    fn check_user(&self, stream: &Stream) -> Result<(), jsonrpsee::types::ErrorObjectOwned> {
        match rustix::net::sockopt::socket_peercred(connection::fd(stream)) {
            Ok(peer) if peer.uid == self.server.owner => Ok(()),
            Ok(peer) => Err(fault::foreign(peer.uid.as_raw())),
            Err(error) => {
                tracing::warn!(%error, "cannot tell who connects");
                Err(fault::internal())
            }
        }
    }

    fn refuse(&self, stream: Stream, error: jsonrpsee::types::ErrorObjectOwned) {
        if let Ok(turn) = self.refusals.clone().try_acquire_owned() {
            tracing::warn!(reason = error.message(), "a connection is refused");
            let kill = self.kill.clone();
            self.tasks.spawn(async move {
                kill.run_until_cancelled(connection::refuse(stream, error)).await;
                drop(turn);
            });
        } else {
            connection::refuse_at_once(&stream, error);
        }
    }

    async fn close(self) {
        self.tasks.close();
        let grace = self.server.limits.drain + Duration::from_millis(500);
        if timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!("connections are cut: their work does not end");
            self.kill.cancel();
            let _ = timeout(Duration::from_millis(250), self.tasks.wait()).await;
        }
    }
}

/// Counts a connection until its first request is taken in.
struct Silence {
    count: Arc<AtomicUsize>,
    lasts: AtomicBool,
}

impl Silence {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count: count.clone(), lasts: AtomicBool::new(true) }
    }

    fn end(&self) {
        if self.lasts.swap(false, Ordering::Relaxed) {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.end();
    }
}

/// Counts a connection while it lives.
struct Counted<'a>(&'a Tally);

impl<'a> Counted<'a> {
    fn new(connections: &'a Connections) -> Self {
        connections.0.now.fetch_add(1, Ordering::Relaxed);
        Self(&connections.0)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        *self.0.ended.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}
