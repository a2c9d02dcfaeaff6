//! Who serves a socket, when several might: the daemon that has its lock. Whoever starts waits for
//! one that ends, and makes way for one that serves.

use super::{Claim, Handed, Instance, StartError, answers, claim};
use crate::options::Succeed;
use hob_protocol::place::process_env;
use listenfd::ListenFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a second daemon waits for the first one to answer.
const FIRST_ANSWERS: Duration = Duration::from_secs(10);
/// How long a daemon that systemd has started waits for one that serves without it: that notices
/// within seconds that its socket's name has been taken, and has ten more to end.
const OTHER_ENDS: Duration = Duration::from_secs(20);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(10);

/// What this process has from whoever started it.
pub(super) struct Inheritance {
    /// The sockets that systemd, or the daemon that this one succeeds, has opened.
    sockets: ListenFd,
    /// The name of the socket is that daemon's own.
    ours: bool,
    /// Its lock.
    instance: Option<Instance>,
}

impl Inheritance {
    /// To be called while there is one thread, since it changes the environment, and before
    /// standard input is anything else than it was.
    pub(super) fn of_process(succeed: Option<Succeed>, socket: Option<&Path>) -> Self {
        let instance = succeed.and(socket).and_then(Instance::inherited);
        // Without a process's number it may be meant for anyone, such as a server that is tried out.
        let sockets = match process_env("LISTEN_PID") {
            Some(_) => ListenFd::from_env(),
            None => ListenFd::empty(),
        };
        Self {
            sockets,
            // What systemd has made is its own, whatever this process was told.
            ours: instance.is_some() && succeed == Some(Succeed::Bound),
            instance,
        }
    }
}

/// The right to serve, and the socket if it is open already.
pub(super) struct Seat {
    pub(super) instance: Instance,
    pub(super) handed: Option<Handed>,
}

impl Seat {
    /// `None` where another daemon serves already. In the background that is what the starter wants;
    /// in the foreground it is an error.
    pub(super) fn take(
        socket: &Path,
        background: bool,
        inheritance: Inheritance,
    ) -> Result<Option<Self>, StartError> {
        let Inheritance { mut sockets, ours, instance } = inheritance;
        let listener = sockets
            .take_unix_listener(0)
            .map_err(|error| StartError::Handed { what: error.to_string() })?;
        let handed = listener.map(|listener| Handed { listener, ours });
        let instance = match instance {
            Some(instance) => Some(instance),
            None if handed.is_some() => Some(outwait(socket)?),
            None => take_over(socket, background)?,
        };
        Ok(instance.map(|instance| Self { instance, handed }))
    }
}

/// The right to serve a socket that is ours to serve, once the one that had it has ended.
fn outwait(socket: &Path) -> Result<Instance, StartError> {
    let until = Instant::now() + OTHER_ENDS;
    loop {
        match claim(socket)? {
            Claim::Ours(instance) => return Ok(instance),
            Claim::Taken(pid) if Instant::now() > until => {
                return Err(StartError::Silent { socket: socket.to_owned(), pid });
            }
            Claim::Taken(_) => std::thread::sleep(LOOK),
        }
    }
}

/// The right to serve, or `None` where another daemon does already.
fn take_over(socket: &Path, background: bool) -> Result<Option<Instance>, StartError> {
    let until = Instant::now() + FIRST_ANSWERS;
    loop {
        let pid = match claim(socket)? {
            Claim::Ours(instance) => return Ok(Some(instance)),
            Claim::Taken(pid) => pid,
        };
        match answers(socket) {
            true if background => return Ok(None),
            true => return Err(StartError::Running { socket: socket.to_owned(), pid }),
            false => {}
        }
        // The other one is starting, or stopping: then its lock will be free. Or a client only
        // looks whether someone has it.
        if Instant::now() > until {
            return Err(StartError::Silent { socket: socket.to_owned(), pid });
        }
        std::thread::sleep(LOOK);
    }
}
