//! How a daemon is succeeded by the program that has taken its program's place.
//!
//! No request is lost: from the moment that the new program is noticed, whoever
//! connects waits in the kernel's queue. The old program answers what it has read,
//! saves, and becomes the new one (`exec`), with the socket and the lock in its
//! hands. The process stays the same, and so does the socket's name.
//!
//! Only the path by which this very process was started counts. Two builds that
//! are started by different paths and share a socket do not chase each other.

use super::program::{Program, State};
use super::{Instance, service};
use crate::server::Doorkeeper;
use rustix::io::{FdFlags, fcntl_setfd};
use std::ffi::OsString;
use std::io;
use std::os::fd::IntoRawFd as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often it is looked for a new program while nobody connects, and for what has become of
/// the socket.
const ROUNDS: Duration = Duration::from_secs(5);
/// How long a new program that would not start is left alone at first, unless it changes: it may be
/// half copied, and those who knock wait for its verdict.
const AGAIN: Duration = Duration::from_secs(1);
/// And in the end.
const RARELY: Duration = Duration::from_secs(60);

/// Watches over the program and the socket of a daemon.
pub(super) struct Succession {
    program: Option<Program>,
    /// The arguments of this process.
    args: Vec<OsString>,
    instance: Instance,
    shutdown: CancellationToken,
    /// The new program that would not start.
    refused: tokio::sync::Mutex<Option<Refused>>,
    /// The daemon ends for a successor.
    due: AtomicBool,
    /// Nobody is let in any more, because of that.
    shut: CancellationToken,
    /// The socket, for the successor.
    listener: Mutex<Option<UnixListener>>,
}

/// A program that would not start.
struct Refused {
    state: State,
    /// When it is asked again, and how long it was left alone for that.
    again: Instant,
    pause: Duration,
}

impl Succession {
    /// For a daemon that listens there as this instance, and was started with these arguments.
    pub(super) fn new(
        program: Option<Program>,
        args: Vec<OsString>,
        (instance, listener): (Instance, &UnixListener),
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let listener = Mutex::new(Some(listener.try_clone()?));
        Ok(Self {
            program,
            args,
            instance,
            shutdown,
            refused: tokio::sync::Mutex::default(),
            due: AtomicBool::new(false),
            shut: CancellationToken::new(),
            listener,
        })
    }

    /// Looks now and then, until the daemon stops.
    pub(super) async fn go_rounds(self: Arc<Self>) {
        let rounds = async {
            loop {
                tokio::time::sleep(ROUNDS).await;
                self.look().await;
                if !self.instance.is_reachable() {
                    tracing::warn!("stopping: the socket is gone, or another's");
                    self.shutdown.cancel();
                }
            }
        };
        self.shutdown.run_until_cancelled(rounds).await;
    }

    /// Whether the daemon ends for a successor.
    pub(super) fn is_due(&self) -> bool {
        self.due.load(Ordering::SeqCst)
    }

    /// The daemon is to end for good.
    pub(super) fn call_off(&self) {
        self.due.store(false, Ordering::SeqCst);
    }

    /// Takes the socket's name away, unless a successor is to have it or it is not ours. A signal may
    /// have come after one was due. True where nobody else has the socket.
    pub(super) fn leave(&self) -> bool {
        if self.is_due() {
            return false;
        }
        *self.listener() = None;
        self.instance.unbind()
    }

    /// Becomes the new program. Comes back only if that fails.
    pub(super) fn succeed(&self) -> io::Error {
        match self.successor() {
            Ok(mut successor) => successor.exec(),
            Err(error) => error,
        }
    }

    /// Stops the daemon if a new program is there that would start.
    async fn look(&self) {
        let Some(program) = self.program.as_ref() else { return };
        let Some(new) = program.replaced() else { return };
        // Who comes second waits for the verdict.
        let mut refused = self.refused.lock().await;
        let before = refused.as_ref().filter(|refused| refused.state == new);
        if self.is_ending() || before.is_some_and(|before| Instant::now() < before.again) {
            return;
        }
        let (asked, args) = (program.clone(), self.args_with("try"));
        let would_start = tokio::task::spawn_blocking(move || asked.would_start(&args)).await;
        let path = program.path.display();
        match would_start {
            Ok(Ok(())) if !self.is_ending() => {
                tracing::info!("stopping: `{path}` was replaced, and succeeds");
                self.due.store(true, Ordering::SeqCst);
                self.shut.cancel();
            }
            Ok(Err(why)) => {
                if before.is_none() {
                    tracing::warn!("`{path}` was replaced, and cannot succeed: {why}");
                }
                let pause = before.map_or(AGAIN, |before| RARELY.min(2 * before.pause));
                *refused = Some(Refused { state: new, again: Instant::now() + pause, pause });
            }
            Ok(Ok(())) | Err(_) => {}
        }
    }

    fn is_ending(&self) -> bool {
        self.shut.is_cancelled() || self.shutdown.is_cancelled()
    }

    fn successor(&self) -> io::Result<Command> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        // Who has taken the socket's name meanwhile serves there, and nobody could reach a successor.
        if !self.instance.is_reachable() {
            return Err(io::Error::other("the socket is gone, or another's"));
        }
        let program = self.program.as_ref().ok_or_else(missing)?;
        let listener = self.listener().take().ok_or_else(missing)?;
        fcntl_setfd(&listener, FdFlags::empty())?;
        let mut command = Command::new(&program.path);
        let kind = if self.instance.owns_name() { "bound" } else { "activated" };
        command.args(self.args_with(kind)).stdin(Stdio::from(self.instance.lock_for_successor()?));
        // As systemd hands over a socket, but for its number.
        command.env("LISTEN_PID", std::process::id().to_string()).env("LISTEN_FDS", "1");
        // From here on it is the successor's to close.
        command.env("LISTEN_FDS_FIRST_FD", listener.into_raw_fd().to_string());
        Ok(command)
    }

    fn args_with(&self, kind: &str) -> Vec<OsString> {
        let mut args = self.args.clone();
        args.retain(|arg| !arg.as_encoded_bytes().starts_with(b"--succeed="));
        args.push(format!("--succeed={kind}").into());
        args
    }

    fn listener(&self) -> std::sync::MutexGuard<'_, Option<UnixListener>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doorkeeper for Succession {
    async fn knock(&self) {
        self.look().await;
    }

    async fn shut(&self) {
        self.shut.cancelled().await;
    }

    fn close(&self, told: bool) -> bool {
        if told {
            self.call_off();
        }
        match self.is_due() {
            true => service::succeeding(),
            false => service::stopping(),
        }
        self.leave()
    }
}
