//! `hob stats`: the daemon in numbers, once.

use super::commands::{Group, Row, json_flag, on};
use super::profile::table;
use super::status::{print_daemon, print_json};
use super::{Status, World, manuals, units};
use crate::{
    CacheApiClient, Connection, DaemonApiClient, Error, ProfileApiClient, TasksApiClient,
    WorkspaceApiClient, block_on,
};
use clap::{ArgMatches, Command};
use hob_protocol::{
    CacheNamespace, CacheStats, DaemonStatus, Kind, ProfileOrder, ProfileTop, Task, WorkspaceList,
};
use serde::Serialize;

pub(super) const ROW: Row = Row {
    name: "stats",
    group: Group::Daemon,
    synopsis: "[--json]",
    about: "Show the daemon in numbers: workspaces, tasks, cache, calls",
    define,
    run: manuals::pass_on,
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
pub(super) struct Stats {
    pub(super) daemon: DaemonStatus,
    #[serde(flatten)]
    pub(super) workspaces: WorkspaceList,
    /// Those that wait or run.
    pub(super) tasks: Vec<Task>,
    pub(super) cache: CacheStats,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) profile: Option<ProfileTop>,
}

/// Which operations are wanted.
pub(super) struct Wanted {
    pub(super) order: Option<ProfileOrder>,
    pub(super) limit: u64,
    pub(super) since_ms: Option<u64>,
}

impl Stats {
    /// As they are now.
    pub(super) fn ask(connection: &Connection, wanted: &Wanted) -> Result<Self, Error> {
        let Wanted { order, limit, since_ms } = *wanted;
        let tasks = block_on(TasksApiClient::list(connection, None))?.tasks;
        let top = ProfileApiClient::top(connection, order, Some(limit), since_ms, None);
        Ok(Self {
            daemon: block_on(DaemonApiClient::status(connection))?,
            workspaces: block_on(WorkspaceApiClient::list(connection))?,
            tasks: tasks.into_iter().filter(|task| !task.state.has_ended()).collect(),
            cache: block_on(CacheApiClient::stats(connection))?,
            profile: match block_on(top) {
                Err(error) if error.is(Kind::ProfileOff) => None,
                top => Some(top?),
            },
        })
    }
}

pub(super) fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let wanted = Wanted { order: None, limit: SHOWN, since_ms: None };
    let stats = world.ask(|connection, _| Stats::ask(connection, &wanted))?;
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
        let (hits, held) = hits_and_bytes(namespace);
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

/// How often a namespace had the answer, and what it holds in memory and on disk.
pub(super) fn hits_and_bytes(namespace: &CacheNamespace) -> (u64, u64) {
    let hits = namespace.memory_hits + namespace.disk_hits + namespace.shared;
    (hits, namespace.memory.bytes + namespace.disk.bytes)
}
