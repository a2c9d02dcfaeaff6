//! `hob workspaces [list | forget DIR]`: the trees that the daemon keeps warm.

use super::commands::{Group, Row, json_flag, on, positional, value};
use super::status::freshness;
use super::{Status, World, units};
use crate::{Error, WorkspaceApiClient as _, block_on};
use clap::{ArgMatches, Command};
use hob_protocol::{WorkspaceList, WorkspaceStatus};

pub(super) const ROW: Row = Row {
    name: "workspaces",
    group: Group::Workspaces,
    synopsis: "[list|forget DIR]",
    about: "List what is kept warm, or forget one",
    define,
    run,
};

fn define(command: Command) -> Command {
    let list = Command::new("list").about("List them (the default)");
    let forget = Command::new("forget")
        .about("Close a workspace, and delete what is stored of it")
        .arg(positional("dir", "DIR").required(true).help("A directory in the workspace"));
    command
        .arg(json_flag().global(true))
        .subcommand(list)
        .subcommand(forget)
        .after_help("JSON: {\"workspaces\": [...]}, each as `hob status --json` shows it.")
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let json = on(matches, "json");
    match matches.subcommand() {
        Some(("forget", matches)) => forget(matches, json, world),
        _ => list(json, world),
    }
}

fn list(json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let known = world.ask(|connection, _| block_on(connection.list()))?;
    if json {
        super::status::print_answer(world)?;
    } else {
        print(&known, world)?;
    }
    Ok(Status::Done)
}

fn print(known: &WorkspaceList, world: &mut World<'_>) -> Result<(), Error> {
    if known.workspaces.is_empty() {
        return world.note("no workspace is known yet", "run `hob index` in a directory");
    }
    let rows: Vec<_> = known.workspaces.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let [state, files, size] = [0, 1, 2].map(width);
    for (row, workspace) in rows.iter().zip(&known.workspaces) {
        write!(world.out, "{:<state$}  {:>files$}  {:>size$}  ", row[0], row[1], row[2])?;
        // Last, and as bytes, so that any name comes through whole.
        let root = workspace.origin.root.as_ref().map_or(&b"-"[..], |root| root.as_bytes());
        world.out.write_all(root)?;
        writeln!(world.out)?;
    }
    Ok(())
}

fn row(workspace: &WorkspaceStatus) -> [String; 3] {
    let state = match (workspace.gone, workspace.unloaded) {
        (true, _) => "gone",
        (_, true) => "unloaded",
        _ => freshness(workspace.origin.freshness),
    };
    // Of one that was never loaded nothing is known.
    if workspace.unloaded && workspace.files == 0 {
        return [state, "-", "-"].map(str::to_owned);
    }
    [state.to_owned(), units::counted(workspace.files, "file"), units::bytes(workspace.bytes)]
}

fn forget(matches: &ArgMatches, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let dir = world.directory(value(matches, "dir"))?;
    // Asked once: a second time it would be an error that there is nothing left to forget.
    let connection = crate::start(&world.place())?;
    let forgotten = block_on(connection.forget(dir))?;
    if json {
        world.answer = connection.take_answer();
        super::status::print_answer(world)?;
        return Ok(Status::Done);
    }
    world.out.write_all(forgotten.root.as_bytes())?;
    writeln!(world.out, ": forgotten, {} freed", units::bytes(forgotten.freed))?;
    Ok(Status::Done)
}
