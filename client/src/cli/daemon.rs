//! `hob daemon …`: the daemon's life, from outside.

use super::commands::{Group, Row, json_flag, on, positional, utf8, value};
use super::status::{print_daemon, print_json};
use super::{Status, World, install, logs};
use crate::{Connection, DaemonApiClient as _, Error, ErrorKind, Place, block_on, start};
use clap::{ArgMatches, Command};
use hob_protocol::{DaemonStatus, Kind, Text};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

pub(super) const ROW: Row = Row {
    name: "daemon",
    group: Group::Daemon,
    synopsis: "start|stop|restart|install|...",
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
        .subcommand(
            sub("log-level", "Tell what it logs, or change that until it ends").arg(
                positional("level", "LEVEL")
                    .help("off, error, warn, info, debug, trace; `info,hob_daemon::server=debug`"),
            ),
        )
        .subcommand(install::define_install(sub(
            "install",
            "Let systemd start it: write and enable its user units",
        )))
        .subcommand(sub("uninstall", "Take the units back"))
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let place = world.place();
    match matches.subcommand() {
        Some(("start", _)) => begin(&place, world),
        Some(("stop", _)) => stop(&place, world),
        Some(("restart", _)) => {
            // One that runs is not given up for one that does not.
            crate::start::check(&place)?;
            stop(&place, world)?;
            begin(&place, world)
        }
        Some(("status", matches)) => status(&place, on(matches, "json"), world),
        Some(("log-level", matches)) => log_level(matches, world),
        Some(("logs", matches)) => logs::run(matches, &place, world),
        Some(("install", matches)) => install::install(matches, &place, world),
        Some(("uninstall", _)) => install::uninstall(&place, world),
        _ => {
            Err(Error::new(ErrorKind::Usage, "a command is missing").hint("see `hob help daemon`"))
        }
    }
}

fn log_level(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let level = value(matches, "level").map(|level| utf8(level, "the level")).transpose()?;
    let level = level.map(str::to_owned);
    let now = world.ask(|connection, _| block_on(connection.log_level(level.clone())))?;
    writeln!(world.out, "{}", now.level)?;
    Ok(Status::Done)
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

/// A connection to the daemon, if one runs. None is started for it, not even by systemd.
pub(super) fn running(place: &Place) -> Result<Option<Connection>, Error> {
    place.verify()?;
    if place.is_at_rest() {
        return Ok(None);
    }
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
    if !stop_if_running(place, world)? {
        writeln!(world.out, "hobd does not run")?;
    }
    Ok(Status::Done)
}

/// Stops the daemon and waits until it has gone. False where none runs.
pub(super) fn stop_if_running(place: &Place, world: &mut World<'_>) -> Result<bool, Error> {
    // Without the greeting, since this must work with a daemon of another version.
    let Some(connection) = running(place)?.map(Connection::without_greeting) else {
        return Ok(false);
    };
    let pid = pid(&connection)?;
    let process = pid.and_then(Process::of);
    connection.set_timeout(Some(DRAIN))?;
    match block_on(connection.stop()) {
        // It may be gone before its answer is out, or be stopping already.
        Ok(_) => {}
        Err(error) if error.kind == ErrorKind::Lost || error.is(Kind::Stopping) => {}
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
    Ok(true)
}

/// The daemon's process, of whatever version it is. The system's word would be that of who made
/// the socket, which may be systemd.
fn pid(connection: &Connection) -> Result<Option<u32>, Error> {
    #[derive(Deserialize)]
    struct Status {
        pid: u32,
    }
    connection.set_timeout(Some(super::ping::PATIENCE))?;
    let answer = connection.call("daemon.status", None).ok();
    let status = answer.and_then(|answer| serde_json::from_str::<Status>(answer.get()).ok());
    Ok(status.map(|status| status.pid))
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
