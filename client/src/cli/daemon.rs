//! `hob daemon start|stop|restart|status|logs`: the daemon's life, from outside.

use super::commands::{Group, Row, json_flag, on};
use super::status::{print_daemon, print_json};
use super::{Status, World, logs};
use crate::{Connection, DaemonApiClient as _, Error, ErrorKind, Place, block_on, start};
use clap::{ArgMatches, Command};
use hob_protocol::{DaemonStatus, Text};
use serde::Serialize;
use std::time::{Duration, Instant};

pub(super) const ROW: Row = Row {
    name: "daemon",
    group: Group::Daemon,
    synopsis: "start|stop|restart|status|logs",
    about: "Look after the daemon, which otherwise starts by itself",
    define,
    run,
};

fn define(command: Command) -> Command {
    let sub = |name, about| Command::new(name).about(about);
    command
        .subcommand_required(true)
        .subcommand(sub("start", "Start it, if it does not run"))
        .subcommand(sub("stop", "Stop it, and wait until it has gone"))
        .subcommand(sub("restart", "Stop it and start it, as after an update"))
        .subcommand(
            sub("status", "Tell how it is; the exit status is 1 if it does not run")
                .arg(json_flag()),
        )
        .subcommand(logs::define(sub("logs", "Show its log")))
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let place = world.place();
    match matches.subcommand() {
        Some(("start", _)) => begin(&place, world),
        Some(("stop", _)) => stop(&place, world),
        Some(("restart", _)) => {
            stop(&place, world)?;
            begin(&place, world)
        }
        Some(("status", matches)) => status(&place, on(matches, "json"), world),
        Some(("logs", matches)) => logs::run(matches, &place, world),
        _ => {
            Err(Error::new(ErrorKind::Usage, "a command is missing").hint("see `hob help daemon`"))
        }
    }
}

fn begin(place: &Place, world: &mut World<'_>) -> Result<Status, Error> {
    let ran = running(place)?.is_some();
    let daemon = ask_status(&start(place)?)?;
    let how = if ran { "runs already" } else { "started" };
    writeln!(world.out, "hobd {} {how}, process {}", daemon.version, daemon.pid)?;
    Ok(Status::Done)
}

fn status(place: &Place, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let daemon = running(place)?.map(|connection| ask_status(&connection)).transpose()?;
    let found = if daemon.is_some() { Status::Done } else { Status::Nothing };
    if json {
        print_json(&Report::new(place, daemon), world)?;
        return Ok(found);
    }
    match daemon {
        Some(daemon) => print_daemon(&daemon, world.out)?,
        None => writeln!(world.out, "daemon     does not run")?,
    }
    Ok(found)
}

/// The shape of `hob daemon status --json`: `running`, and what `daemon.status` answers; the
/// socket alone where none runs.
#[derive(Serialize)]
#[serde(untagged)]
enum Report {
    Runs {
        running: bool,
        #[serde(flatten)]
        daemon: DaemonStatus,
    },
    Rests {
        running: bool,
        socket: Text,
    },
}

impl Report {
    fn new(place: &Place, daemon: Option<DaemonStatus>) -> Self {
        match daemon {
            Some(daemon) => Self::Runs { running: true, daemon },
            None => Self::Rests { running: false, socket: place.socket.clone().into() },
        }
    }
}

/// A connection to the daemon, if one runs.
pub(super) fn running(place: &Place) -> Result<Option<Connection>, Error> {
    match Connection::open(place) {
        Ok(connection) => Ok(Some(connection)),
        Err(error) if error.kind == ErrorKind::NotRunning => Ok(None),
        Err(error) => Err(error),
    }
}

/// How the daemon is, of whatever age it is.
pub(super) fn ask_status(connection: &Connection) -> Result<DaemonStatus, Error> {
    connection.set_timeout(Some(super::ping::PATIENCE))?;
    block_on(connection.status())
}

/// How long a daemon may take to stop: it promises ten seconds.
const DRAIN: Duration = Duration::from_secs(15);

fn stop(place: &Place, world: &mut World<'_>) -> Result<Status, Error> {
    // Without the greeting, since this must work with a daemon of another version.
    let Some(connection) = running(place)?.map(Connection::without_greeting) else {
        writeln!(world.out, "hobd does not run")?;
        return Ok(Status::Done);
    };
    let pid = ask_status(&connection).ok().map(|daemon| daemon.pid).or(connection.peer());
    let process = pid.and_then(Process::of);
    connection.set_timeout(Some(DRAIN))?;
    match block_on(connection.stop()) {
        // It may be gone before its answer is out.
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::Lost => {}
        Err(error) => return Err(error),
    }
    let deadline = Instant::now() + DRAIN;
    let ended = connection.wait_for_end().and_then(|()| match process {
        Some(process) if process.ended_by(deadline) => Ok(()),
        Some(_) => Err(Error::new(ErrorKind::Timeout, "")),
        None => silence(place, deadline),
    });
    ended.map_err(|_| still_there(pid))?;
    match pid {
        Some(pid) => writeln!(world.out, "hobd stopped, process {pid}")?,
        None => writeln!(world.out, "hobd stopped")?,
    }
    Ok(Status::Done)
}

fn still_there(pid: Option<u32>) -> Error {
    let limit = DRAIN.as_secs();
    let error = Error::new(ErrorKind::Timeout, format!("hobd has not stopped within {limit} s"));
    match pid {
        Some(pid) => error.hint(format!("end it with `kill -9 {pid}`: its data is safe")),
        None => error.hint("see `hob daemon logs`"),
    }
}

/// Waits until no one answers at the socket any more.
fn silence(place: &Place, deadline: Instant) -> Result<(), Error> {
    while running(place)?.is_some() {
        if Instant::now() >= deadline {
            return Err(Error::new(ErrorKind::Timeout, ""));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// A process by a handle that no other process can inherit, to wait for its end.
struct Process(#[cfg(target_os = "linux")] std::os::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Process {
    /// None for ourselves and for what does not exist.
    fn of(pid: u32) -> Option<Self> {
        use rustix::process::{Pid, PidfdFlags, pidfd_open};
        if pid == std::process::id() {
            return None;
        }
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        pidfd_open(pid, PidfdFlags::empty()).ok().map(Self)
    }

    fn ended_by(&self, deadline: Instant) -> bool {
        crate::start::readable(&self.0, deadline)
    }
}

#[cfg(not(target_os = "linux"))]
impl Process {
    fn of(_: u32) -> Option<Self> {
        None
    }

    fn ended_by(&self, _: Instant) -> bool {
        true
    }
}
