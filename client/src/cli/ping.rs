//! `hob ping`: whether the daemon answers, and how fast.

use super::commands::{Group, Row};
use super::{Status, World, units};
use crate::{DaemonApiClient as _, Error, block_on};
use clap::ArgMatches;
use std::time::{Duration, Instant};

pub(super) const ROW: Row = Row {
    name: "ping",
    group: Group::Daemon,
    synopsis: "",
    about: "Ask the daemon for a sign of life",
    define: |command| command,
    run,
};

/// A daemon that takes longer for nothing is not well.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

fn run(_: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let (pong, took) = world.ask(|connection, _| {
        connection.set_timeout(Some(PATIENCE))?;
        let asked = Instant::now();
        Ok((block_on(connection.ping())?, asked.elapsed()))
    })?;
    let uptime = units::seconds(pong.uptime_seconds);
    writeln!(world.out, "pong in {:.2} ms, up {uptime}", took.as_secs_f64() * 1e3)?;
    Ok(Status::Done)
}
