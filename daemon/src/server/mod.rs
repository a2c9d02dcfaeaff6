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
mod door;
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

use door::Door;
use jsonrpsee::Methods;
use jsonrpsee::types::ErrorObjectOwned;
use serde_json::value::RawValue;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

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
        while let Ok(stream) = door::accept(listener) {
            door.admit(stream);
        }
    }
    door.close().await;
}
