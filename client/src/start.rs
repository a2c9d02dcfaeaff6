//! Starts the daemon where none answers.
//!
//! Fifty clients that find none start one: they take turns at a lock beside the socket, and
//! all but the first find the daemon there. The daemon says on a pipe when it is ready, or why not.

use crate::error::reason;
use crate::{Connection, Error, ErrorKind, Place};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start may take, the turns of others included.
const PATIENCE: Duration = Duration::from_secs(15);

/// What systemd tells the service that `hob` may be run by: the daemon is not that service.
const ANOTHERS: [&str; 6] = [
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
];

/// Connects to the daemon, and starts it first where none answers.
///
/// The program is `$HOB_DAEMON`, else the `hobd` beside this program, else the one in `PATH`. It is
/// detached: it outlives this process.
///
/// # Errors
///
/// What [`Connection::open`] says of a socket that cannot be used; [`ErrorKind::Start`] with the
/// daemon's own reason where it does not come up within 15 seconds.
pub fn start(place: &Place) -> Result<Connection, Error> {
    match Connection::open(place) {
        Err(error) if error.kind == ErrorKind::NotRunning => start_within(place, PATIENCE),
        other => other,
    }
}

fn start_within(place: &Place, patience: Duration) -> Result<Connection, Error> {
    let deadline = Instant::now() + patience;
    let program = find_daemon(place)?;
    place.prepare()?;
    let _turn = take_turn(place, deadline)?;
    loop {
        match Connection::open(place) {
            // One that was ready may have ended since: it may be set up to, or have been stopped.
            Err(error) if error.kind == ErrorKind::NotRunning && Instant::now() < deadline => {}
            other => return other,
        }
        let pipe = spawn(&program, place)?;
        match wait_until_ready(pipe, deadline) {
            Verdict::Ready => {}
            Verdict::Refused(error) => return Err(error),
            Verdict::Silent => return Err(failed(place, "it ended before it was ready")),
            Verdict::Late => {
                let late = format!("it was not ready within {} s", patience.as_secs());
                return Err(failed(place, &late));
            }
        }
    }
}

/// Asks the program to start whether it would, with the settings that there are now.
pub(crate) fn check(place: &Place) -> Result<(), Error> {
    let program = find_daemon(place)?;
    let asked = Command::new(&program).arg("--succeed=try").stdin(Stdio::null()).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let said = said.unwrap_or_default();
    let line = |word: &str| said.lines().find_map(|line| line.strip_prefix(word));
    match line("error: ") {
        Some(error) => {
            let message = format!("a new daemon would not start: {error}");
            let hint = line("hint: ").unwrap_or("see `hobd --help-config`");
            Err(Error::new(ErrorKind::Start, message).hint(hint))
        }
        None => Ok(()),
    }
}

/// The program to start.
pub(crate) fn find_daemon(place: &Place) -> Result<PathBuf, Error> {
    if let Some(given) = &place.daemon {
        return named(given, place.path.as_deref());
    }
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("hobd"));
    let known = in_path(OsStr::new("hobd"), place.path.as_deref());
    if let Some(program) = beside.filter(|program| is_program(program)) {
        // `PATH` may lead to the same by a link, which an update turns to the next version.
        return Ok(known.filter(|known| is_same(known, &program)).unwrap_or(program));
    }
    known.ok_or_else(|| {
        Error::new(ErrorKind::Start, "cannot find the daemon `hobd` beside `hob` or in `PATH`")
            .hint("install it there, or set `HOB_DAEMON` to its path")
    })
}

/// `$HOB_DAEMON`: a path, or a name to look for in `PATH`, as a shell takes it.
fn named(given: &OsString, path: Option<&OsStr>) -> Result<PathBuf, Error> {
    let direct = PathBuf::from(given);
    let found = if direct.components().count() > 1 {
        // The daemon starts in `/`, where a relative path would lead elsewhere.
        std::path::absolute(&direct).ok().filter(|program| is_program(program))
    } else {
        in_path(given, path)
    };
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::Start,
            format!("`{}`, which `HOB_DAEMON` names, is no program", direct.display()),
        )
        .hint("set `HOB_DAEMON` to the path of `hobd`, or unset it")
    })
}

pub(crate) fn in_path(name: &OsStr, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(name))
        .find(|program| is_program(program))
}

/// Whether two paths lead to the same file.
pub(crate) fn is_same(a: &Path, b: &Path) -> bool {
    let identity = |path| std::fs::metadata(path).map(|file| (file.dev(), file.ino()));
    matches!((identity(a), identity(b)), (Ok(a), Ok(b)) if a == b)
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Waits for the lock of those who start. It is held until the file is dropped.
fn take_turn(place: &Place, deadline: Instant) -> Result<File, Error> {
    let mut path = place.socket.clone().into_os_string();
    path.push(".start");
    let path = PathBuf::from(path);
    let file = File::options().create(true).append(true).mode(0o600).open(&path);
    let file = file.map_err(|error| cannot_lock(&path, &reason(&error)))?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    // A lock cannot be waited for with a limit, so a thread waits, and may be left behind.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let locked = file.lock().map(|()| file);
        let _ = sender.send(locked);
    });
    match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(error)) => Err(cannot_lock(&path, &reason(&error))),
        Err(_) => Err(failed(place, "another client has been starting it all the while")),
    }
}

fn cannot_lock(path: &Path, why: &str) -> Error {
    Error::new(ErrorKind::Socket, format!("cannot lock `{}`: {why}", path.display()))
        .hint("the socket's directory must exist and be yours: check `HOB_SOCKET`")
}

/// Starts the daemon in the background and gives the pipe on which it reports.
fn spawn(program: &Path, place: &Place) -> Result<ChildStdout, Error> {
    let mut command = Command::new(program);
    command.arg("--background").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in ANOTHERS {
        command.env_remove(name);
    }
    if place.is_given() {
        command.env("HOB_SOCKET", &place.socket);
    }
    let cannot = |why: &str| {
        Error::new(ErrorKind::Start, format!("cannot start `{}`: {why}", program.display()))
            .hint("set `HOB_DAEMON` to a `hobd` that this machine can run")
    };
    let mut child = command.spawn().map_err(|error| cannot(&reason(&error)))?;
    let pipe = child.stdout.take().ok_or_else(|| cannot("it has no output"))?;
    // A program that lives longer than the daemon must not keep a zombie.
    std::thread::spawn(move || child.wait());
    Ok(pipe)
}

enum Verdict {
    Ready,
    Refused(Error),
    Silent,
    Late,
}

fn wait_until_ready(mut pipe: ChildStdout, deadline: Instant) -> Verdict {
    let (mut said, mut part) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(verdict) = verdict(&said, false) {
            return verdict;
        }
        if !readable(&pipe, deadline) {
            return Verdict::Late;
        }
        match pipe.read(&mut part) {
            Ok(0) => return verdict(&said, true).unwrap_or(Verdict::Silent),
            Ok(read) => said.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Verdict::Silent,
        }
    }
}

/// Waits until there is something to read, or an end. False at the deadline.
pub(crate) fn readable(pipe: &impl AsFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(pipe, PollFlags::IN)];
        let limit = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut fds, Some(&limit)) {
            Ok(0) => return false,
            Err(rustix::io::Errno::INTR) => {}
            // A failure of the pipe shows when it is read.
            _ => return true,
        }
    }
}

/// What the daemon's lines mean, as soon as they are whole.
fn verdict(said: &[u8], ended: bool) -> Option<Verdict> {
    let said = String::from_utf8_lossy(said);
    let whole = said.matches('\n').count();
    let mut lines = said.lines();
    let first = lines.next()?;
    if first == "ready" && whole > 0 {
        return Some(Verdict::Ready);
    }
    let message = first.strip_prefix("error: ")?;
    if whole < 2 && !ended {
        return None;
    }
    let hint = lines.next().and_then(|line| line.strip_prefix("hint: ")).unwrap_or_default();
    Some(Verdict::Refused(Error::new(ErrorKind::Start, message).hint(hint)))
}

fn failed(place: &Place, why: &str) -> Error {
    Error::new(ErrorKind::Start, format!("cannot start the daemon: {why}"))
        .hint(format!("its log `{}` may tell why", place.log.display()))
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
