//! `hob stats`: the daemon in numbers, once.

use super::commands::{Group, Row, json_flag, on};
use super::profile::table;
use super::status::{print_daemon, print_json};
use super::{Status, World, units};
use crate::{
    CacheApiClient, DaemonApiClient, Error, ProfileApiClient, TasksApiClient, WorkspaceApiClient,
    block_on,
};
use clap::{ArgMatches, Command};
use hob_protocol::{CacheStats, DaemonStatus, Kind, ProfileTop, Task, WorkspaceList};
use serde::Serialize;

pub(super) const ROW: Row = Row {
    name: "stats",
    group: Group::Daemon,
    synopsis: "[--json]",
    about: "Show the daemon in numbers: workspaces, tasks, cache, calls",
    define,
    run,
};

/// How many calls and stages are shown.
const SHOWN: u64 = 12;

fn define(command: Command) -> Command {
    command.arg(json_flag()).after_help(
        "JSON: {\"daemon\", \"workspaces\", \"tasks\", \"cache\", \"profile\"?}, each as its own command shows it.",
    )
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Stats {
    daemon: DaemonStatus,
    #[serde(flatten)]
    workspaces: WorkspaceList,
    /// Those that wait or run.
    tasks: Vec<Task>,
    cache: CacheStats,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileTop>,
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let stats = world.ask(|connection, _| {
        let tasks = block_on(TasksApiClient::list(connection, None))?.tasks;
        Ok(Stats {
            daemon: block_on(DaemonApiClient::status(connection))?,
            workspaces: block_on(WorkspaceApiClient::list(connection))?,
            tasks: tasks.into_iter().filter(|task| !task.state.has_ended()).collect(),
            cache: block_on(CacheApiClient::stats(connection))?,
            profile: match block_on(ProfileApiClient::top(
                connection,
                None,
                Some(SHOWN),
                None,
                None,
            )) {
                Err(error) if error.is(Kind::ProfileOff) => None,
                top => Some(top?),
            },
        })
    })?;
    if on(matches, "json") {
        print_json(&stats, world)?;
        return Ok(Status::Done);
    }
    print_daemon(&stats.daemon, world.out)?;
    let known = &stats.workspaces.workspaces;
    let sum = |figure: fn(&hob_protocol::WorkspaceStatus) -> u64| known.iter().map(figure).sum();
    let (files, bytes): (u64, u64) = (sum(|one| one.files), sum(|one| one.bytes));
    let pending: u64 = sum(|one| one.pending + one.unoutlined);
    write!(world.out, "files      {}, {}", units::counted(files, "file"), units::bytes(bytes))?;
    writeln!(world.out, ", {} left to index", units::count(pending))?;
    writeln!(world.out, "tasks      {} that wait or run", units::count(stats.tasks.len() as u64))?;
    for namespace in &stats.cache.namespaces {
        let hits = namespace.memory_hits + namespace.disk_hits + namespace.shared;
        let held = namespace.memory.bytes + namespace.disk.bytes;
        writeln!(
            world.out,
            "cache      {}: {} hits, {} misses, {}",
            namespace.name,
            units::count(hits),
            units::count(namespace.misses),
            units::bytes(held),
        )?;
    }
    match &stats.profile {
        None => writeln!(world.out, "calls      not measured: `profile.enabled` is false")?,
        Some(top) => {
            writeln!(world.out)?;
            table(top, world)?;
        }
    }
    Ok(Status::Done)
}
