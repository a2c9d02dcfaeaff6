//! `hob daemon install|uninstall`: the units of systemd's user manager, of which `systemd/` has the
//! text.

use super::commands::on;
use super::{Status, World, daemon};
use crate::error::reason;
use crate::start::{find_daemon, in_path};
use crate::{Error, ErrorKind, Place};
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

const SOCKET: &str = include_str!("../../../systemd/hobd.socket");
const SERVICE: &str = include_str!("../../../systemd/hobd.service");

/// How a unit of ours begins: what does not is never overwritten or removed.
const MARK: &str = "# Written by `hob daemon install`";

/// Variables that say where hob keeps things. The user manager may not know them.
const PLACES: [&str; 3] = ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"];

pub(super) fn define_install(command: Command) -> Command {
    let print = Arg::new("print").long("print").action(ArgAction::SetTrue);
    command.arg(print.help("Only print the units"))
}

/// A unit, where it belongs.
struct Unit {
    path: PathBuf,
    text: String,
}

pub(super) fn install(
    matches: &ArgMatches,
    place: &Place,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    let units = units(place, world)?;
    if on(matches, "print") {
        for Unit { path, text } in &units {
            writeln!(world.out, "# {}\n{text}", path.display())?;
        }
        return Ok(Status::Done);
    }
    let manager = Manager::find(place)?;
    manager.run(&["show-environment"]).map_err(no_manager)?;
    for unit in &units {
        unit.check()?;
    }
    if units.iter().any(|unit| unit.path.exists()) {
        // They may not be running, or not have failed, which is as well.
        for verb in ["stop", "reset-failed"] {
            let _ = manager.run(&[verb, "hobd.socket", "hobd.service"]);
        }
    }
    // A daemon that has the socket's name would lose it, and end only then.
    daemon::stop_if_running(place, world)?;
    for unit in &units {
        unit.write()?;
        writeln!(world.out, "wrote {}", unit.path.display())?;
    }
    for args in [&["daemon-reload"][..], &["enable", "--now", "hobd.socket"]] {
        manager.run(args).map_err(|why| {
            let command = args.join(" ");
            Error::new(ErrorKind::Start, format!("`systemctl --user {command}` failed: {why}"))
                .hint(
                    "see `systemctl --user status hobd.socket`, or go back: `hob daemon uninstall`",
                )
        })?;
    }
    writeln!(world.out, "hobd.socket listens: the first question starts the daemon")?;
    Ok(Status::Done)
}

pub(super) fn uninstall(place: &Place, world: &mut World<'_>) -> Result<Status, Error> {
    let dir = unit_dir(world);
    let units: Vec<Unit> = ["hobd.socket", "hobd.service"]
        .map(|name| Unit { path: dir.join(name), text: String::new() })
        .into_iter()
        .filter(|unit| unit.path.symlink_metadata().is_ok())
        .collect();
    if units.is_empty() {
        writeln!(world.out, "no units in {}", dir.display())?;
        return Ok(Status::Done);
    }
    for unit in &units {
        unit.check()?;
    }
    let manager = Manager::find(place).ok();
    let tell = |args: &[&str]| manager.as_ref().map_or(Ok(()), |manager| manager.run(args));
    let stopped = tell(&["disable", "--now", "hobd.socket", "hobd.service"]);
    for unit in &units {
        std::fs::remove_file(&unit.path).map_err(|error| cannot("remove", &unit.path, &error))?;
        writeln!(world.out, "removed {}", unit.path.display())?;
    }
    if let Err(why) = stopped.and_then(|()| tell(&["daemon-reload"])) {
        world.note(
            &format!("systemd's user manager has not heard of it: {why}"),
            "where one runs: `systemctl --user daemon-reload`",
        )?;
    }
    Ok(Status::Done)
}

/// Both units, for this daemon and this environment.
fn units(place: &Place, world: &World<'_>) -> Result<[Unit; 2], Error> {
    if place.is_given() {
        let message = "the units are for the usual socket, and `HOB_SOCKET` names another";
        return Err(Error::new(ErrorKind::Usage, message).hint("unset it, for the daemon as well"));
    }
    let program = find_daemon(place)?;
    let shown = program.to_string_lossy();
    if shown.contains(|char: char| char.is_control() || "\"'\\".contains(char)) {
        let message = format!("systemd runs no program whose path has a quote: `{shown}`");
        return Err(Error::new(ErrorKind::Usage, message).hint("put `hobd` elsewhere"));
    }
    let mut lines = format!("ExecStart=:{}", quoted(program.as_os_str())?);
    for name in PLACES {
        if let Some(value) = (world.env)(name).filter(|value| Path::new(value).is_absolute()) {
            let mut pair = OsStr::new(name).to_owned();
            pair.push("=");
            pair.push(value);
            lines.push_str(&format!("\nEnvironment={}", quoted(&pair)?));
        }
    }
    let service = SERVICE.lines().map(|line| match line.starts_with("ExecStart=") {
        true => format!("{lines}\n"),
        false => format!("{line}\n"),
    });
    let dir = unit_dir(world);
    Ok([
        Unit { path: dir.join("hobd.socket"), text: SOCKET.to_owned() },
        Unit { path: dir.join("hobd.service"), text: service.collect() },
    ])
}

fn unit_dir(world: &World<'_>) -> PathBuf {
    // hob's own directory is beside systemd's.
    hob_protocol::place::config_dir(world.env).with_file_name("systemd").join("user")
}

/// A word as units have it. systemd reads escapes of C in quotes, and `%` as the start of a
/// specifier; that `$` is no variable is said by the `:` of `ExecStart`.
fn quoted(word: &OsStr) -> Result<String, Error> {
    let text = word.to_str().ok_or_else(|| {
        let shown = word.to_string_lossy();
        Error::new(ErrorKind::Usage, format!("`{shown}` cannot stand in a unit: it is not UTF-8"))
            .hint("use a path that is")
    })?;
    let mut quoted = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '%' => quoted.push_str("%%"),
            control if control.is_ascii_control() => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    Ok(quoted)
}

impl Unit {
    /// Refuses to touch what is not ours.
    fn check(&self) -> Result<(), Error> {
        let foreign = match std::fs::read(&self.path) {
            Ok(text) => !text.starts_with(MARK.as_bytes()),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        };
        if !foreign && !self.path.is_symlink() {
            return Ok(());
        }
        let path = self.path.display();
        Err(Error::new(ErrorKind::Io, format!("`{path}` was not written by `hob daemon install`"))
            .hint("move it away if hob is to manage it"))
    }

    /// Replaces it as a whole: systemd may read it at any time.
    fn write(&self) -> Result<(), Error> {
        let new = self.path.with_extension("new");
        let dir = self.path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(dir)
            .and_then(|()| std::fs::write(&new, &self.text))
            .and_then(|()| std::fs::rename(&new, &self.path))
            .map_err(|error| cannot("write", &self.path, &error))
    }
}

fn cannot(action: &str, path: &Path, error: &std::io::Error) -> Error {
    let message = format!("cannot {action} `{}`: {}", path.display(), reason(error));
    Error::new(ErrorKind::Io, message).hint("check who owns the directory")
}

fn no_manager(why: String) -> Error {
    Error::new(ErrorKind::Start, format!("cannot reach systemd's user manager: {why}")).hint(
        "hob needs none and starts the daemon by itself; `hob daemon install --print` prints the units",
    )
}

/// systemd's user manager.
struct Manager {
    systemctl: PathBuf,
}

impl Manager {
    fn find(place: &Place) -> Result<Self, Error> {
        let systemctl = in_path(OsStr::new("systemctl"), place.path.as_deref());
        let missing = || no_manager("there is no `systemctl` in `PATH`".to_owned());
        Ok(Self { systemctl: systemctl.ok_or_else(missing)? })
    }

    /// An error is what it says, in one line.
    fn run(&self, args: &[&str]) -> Result<(), String> {
        let mut command = std::process::Command::new(&self.systemctl);
        command.arg("--user").args(args).stdin(Stdio::null());
        let output = command.output().map_err(|error| reason(&error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.lines().last().map_or_else(|| output.status.to_string(), str::to_owned))
    }
}

#[cfg(test)]
#[path = "install_tests.rs"]
mod tests;
