//! `hob cache`: what the daemon has computed once and keeps.

use super::commands::{Group, Row, json_flag, limit_flag, number, on, positional, utf8, value};
use super::status::print_answer;
use super::{Status, World, manuals, units};
use crate::{CacheApiClient as _, Error, block_on};
use clap::{ArgMatches, Command};
use hob_protocol::{CacheLevel, CacheNamespace};

pub(super) const ROW: Row = Row {
    name: "cache",
    group: Group::Daemon,
    synopsis: "[stats|keys|get|clear|verify]",
    about: "Show or clear what was computed once and is kept",
    define,
    run: manuals::pass_on,
};

fn define(command: Command) -> Command {
    let namespace = || positional("namespace", "NAMESPACE").help("Only this family of values");
    let limit = limit_flag("List at most NUM (50)");
    command
        .arg(json_flag().global(true))
        .subcommand(
            Command::new("stats")
                .about("How much there is, and how often it was of use (the default)"),
        )
        .subcommand(
            Command::new("keys")
                .about("List stored values, those used last first")
                .arg(namespace())
                .arg(limit),
        )
        .subcommand(
            Command::new("get")
                .about("Print a stored value")
                .arg(positional("key", "KEY").required(true).help("As `hob cache keys` prints it")),
        )
        .subcommand(
            Command::new("clear")
                .about("Forget all values, or those of NAMESPACE")
                .arg(namespace()),
        )
        .subcommand(
            Command::new("verify").about("Look at every stored value, and remove what is damaged"),
        )
        .after_help("No value is ever stale: its key is a hash of all that it follows from.")
}

pub(super) fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let json = on(matches, "json");
    match matches.subcommand() {
        Some(("keys", matches)) => keys(matches, json, world),
        Some(("get", matches)) => get(matches, json, world),
        Some(("clear", matches)) => clear(matches, json, world),
        Some(("verify", _)) => verify(json, world),
        _ => stats(json, world),
    }
}

fn stats(json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let stats = world.ask(|connection, _| block_on(connection.stats()))?;
    if json {
        print_answer(world)?;
        return Ok(Status::Done);
    }
    for namespace in &stats.namespaces {
        print(namespace, world)?;
    }
    match &stats.file {
        None => writeln!(
            world.out,
            "file      none: values are kept in memory alone (see `hob daemon logs`)"
        )?,
        Some(file) => {
            write!(world.out, "file      ")?;
            world.out.write_all(file.as_bytes())?;
            writeln!(world.out, ", {}", units::bytes(stats.file_bytes))?;
        }
    }
    Ok(Status::Done)
}

fn print(namespace: &CacheNamespace, world: &mut World<'_>) -> Result<(), Error> {
    let level = |level: &CacheLevel| {
        let values = units::counted(level.values, "value");
        format!("{values}, {} of {}", units::bytes(level.bytes), units::bytes(level.limit))
    };
    let life = match namespace.time_to_live_seconds {
        Some(seconds) => format!("for {}", units::seconds(seconds)),
        None => "for ever".to_owned(),
    };
    let hits = namespace.memory_hits + namespace.disk_hits + namespace.shared;
    let asked = hits + namespace.misses;
    let rate =
        (hits * 100).checked_div(asked).map_or(String::new(), |share| format!(" ({share} %)"));
    let each = namespace.computing_us as f64 / 1000.0 / namespace.misses.max(1) as f64;
    writeln!(world.out, "{}", namespace.name)?;
    writeln!(world.out, "  memory  {}", level(&namespace.memory))?;
    writeln!(world.out, "  disk    {}, {life}", level(&namespace.disk))?;
    writeln!(
        world.out,
        "  hits    {}{rate}: {} from memory, {} from disk, {} shared",
        units::count(hits),
        units::count(namespace.memory_hits),
        units::count(namespace.disk_hits),
        units::count(namespace.shared),
    )?;
    writeln!(
        world.out,
        "  misses  {}, {each:.1} ms each; {} failed, {} damaged, {} evicted",
        units::count(namespace.misses),
        units::count(namespace.failed),
        units::count(namespace.damaged),
        units::count(namespace.evicted),
    )?;
    Ok(())
}

fn keys(matches: &ArgMatches, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let (namespace, limit) = (namespace(matches)?, number(matches, "limit"));
    let keys = world.ask(|connection, _| block_on(connection.keys(namespace.clone(), limit)))?;
    if json {
        print_answer(world)?;
        return Ok(Status::Done);
    }
    for key in &keys.keys {
        writeln!(world.out, "{}  {:>8}", key.key, units::bytes(key.bytes))?;
    }
    if keys.truncated {
        let message = format!(
            "stopped after {}: there are more",
            units::counted(keys.keys.len() as u64, "key")
        );
        world.note(&message, "a larger `--limit` shows them")?;
    }
    Ok(if keys.keys.is_empty() { Status::Nothing } else { Status::Done })
}

fn get(matches: &ArgMatches, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let key = value(matches, "key").map_or(Ok(""), |key| utf8(key, "the key"))?.to_owned();
    let found = world.ask(|connection, _| block_on(connection.get(key.clone())))?;
    if json {
        print_answer(world)?;
        return Ok(Status::Done);
    }
    world.out.write_all(found.value.as_bytes())?;
    writeln!(world.out)?;
    Ok(Status::Done)
}

fn clear(matches: &ArgMatches, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let namespace = namespace(matches)?;
    let cleared = world.ask(|connection, _| block_on(connection.clear(namespace.clone())))?;
    match json {
        true => print_answer(world)?,
        false => writeln!(world.out, "{} forgotten", units::counted(cleared.values, "value"))?,
    }
    Ok(Status::Done)
}

/// The status is 1 where something was damaged.
fn verify(json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let verified = world.ask(|connection, _| block_on(connection.verify()))?;
    if json {
        print_answer(world)?;
    } else {
        let good = units::counted(verified.good, "value");
        writeln!(world.out, "{good} good, {} damaged and removed", units::count(verified.damaged))?;
    }
    Ok(if verified.damaged == 0 { Status::Done } else { Status::Nothing })
}

fn namespace(matches: &ArgMatches) -> Result<Option<String>, Error> {
    let given = value(matches, "namespace");
    given.map(|name| utf8(name, "the namespace").map(str::to_owned)).transpose()
}
