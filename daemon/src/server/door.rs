//! Where connections come in: whom it lets in, and how many.

use super::{Connections, Doorkeeper, Server, Tally, connection, fault};
use interprocess::local_socket::tokio::Stream;
use interprocess::os::unix::uds_local_socket;
use jsonrpsee::ConnectionId;
use jsonrpsee::types::ErrorObjectOwned;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
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

/// Tells when someone waits at a listener. Only what stays in the kernel's queue can be left to
/// another process, and tokio's listener cannot wait without accepting; but a stream is whatever
/// has a descriptor.
fn bell(listener: &UnixListener) -> io::Result<UnixStream> {
    UnixStream::from_std(OwnedFd::from(listener.try_clone()?).into())
}

pub(super) fn accept(listener: &UnixListener) -> io::Result<Stream> {
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
pub(super) struct Door {
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
    pub(super) fn new(server: Server, stop: CancellationToken) -> Self {
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
    pub(super) async fn attend(
        &self,
        listener: &UnixListener,
        keeper: &impl Doorkeeper,
    ) -> io::Error {
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
    pub(super) async fn hear_all(&self) {
        let heard = async {
            while self.silent.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = timeout(FIRST_WORDS, heard).await;
    }

    pub(super) fn admit(&self, stream: Stream) {
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

    fn check_user(&self, stream: &Stream) -> Result<(), ErrorObjectOwned> {
        match rustix::net::sockopt::socket_peercred(connection::fd(stream)) {
            Ok(peer) if peer.uid == self.server.owner => Ok(()),
            Ok(peer) => Err(fault::foreign(peer.uid.as_raw())),
            Err(error) => {
                tracing::warn!(%error, "cannot tell who connects");
                Err(fault::internal())
            }
        }
    }

    fn refuse(&self, stream: Stream, error: ErrorObjectOwned) {
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

    pub(super) async fn close(self) {
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
pub(super) struct Silence {
    count: Arc<AtomicUsize>,
    lasts: AtomicBool,
}

impl Silence {
    pub(super) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self { count: count.clone(), lasts: AtomicBool::new(true) }
    }

    pub(super) fn end(&self) {
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
