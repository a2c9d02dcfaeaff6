//! `hob doctor`: what is wrong, and what to do. `hobd` looks: it knows all the places, and this
//! program stays small.

use super::commands::{Group, Row, json_flag, on};
use super::{Status, World};
use crate::error::reason;
use crate::start::find_daemon;
use crate::{Error, ErrorKind};
use clap::{ArgMatches, Command};
use hob_protocol::PROTOCOL;
use std::process::Stdio;

pub(super) const ROW: Row = Row {
    name: "doctor",
    group: Group::Daemon,
    synopsis: "[--json]",
    about: "Look for what is wrong, and tell what to do",
    define,
    run,
};

fn define(command: Command) -> Command {
    command.arg(json_flag()).after_help(
        "It looks at the programs, the configuration, the socket, the daemon and its workspaces, the\n\
         disks, the kernel's limits and systemd's units. It changes nothing and starts nothing.\n\
         The exit status is 1 where something is wrong; a warning is not.\n\
         JSON: {\"healthy\", \"checks\": [{\"name\", \"state\": \"ok\"|\"warn\"|\"fail\", \"message\", \"hint\"?}]}.",
    )
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let program = find_daemon(&world.place())?;
    let mut command = std::process::Command::new(&program);
    command.arg("--doctor").env("HOB_DOCTOR_CLIENT", PROTOCOL.to_string()).stdin(Stdio::null());
    if on(matches, "json") {
        command.arg("--json");
    }
    let cannot = |why: &str| {
        let message = format!("cannot ask `{}`: {why}", program.display());
        Error::new(ErrorKind::Start, message)
            .hint("install `hobd` of the same version beside `hob`, or set `HOB_DAEMON` to it")
    };
    let output = command.output().map_err(|error| cannot(&reason(&error)))?;
    match output.status.code() {
        Some(code @ (0 | 1)) if !output.stdout.is_empty() => {
            world.out.write_all(&output.stdout)?;
            Ok(if code == 0 { Status::Done } else { Status::Nothing })
        }
        _ => Err(cannot("it is too old, or no hobd")),
    }
}
