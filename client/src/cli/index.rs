//! `hob index [DIR] [--wait]`: makes a directory a workspace, and shows how it is indexed.

use super::commands::{Group, Row, on, positional, value};
use super::{Status, World, units};
use crate::{Connection, Error, IndexApiClient as _, Place, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command};
use hob_protocol::{Text, WorkspaceStatus};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

pub(super) const ROW: Row = Row {
    name: "index",
    group: Group::Workspaces,
    synopsis: "[DIR] [--wait]",
    about: "Make a directory a workspace, and index it in the background",
    define,
    run,
};

fn define(command: Command) -> Command {
    let wait = Arg::new("wait").long("wait").action(ArgAction::SetTrue);
    command
        .arg(positional("dir", "DIR").help("The directory, else the current one"))
        .arg(wait.help("Wait until all is indexed, and show the progress"))
        .after_help("Searches are right all the while: what is not indexed yet is read.")
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let dir = world.directory(value(matches, "dir"))?;
    let begun = Instant::now();
    let status = world.ask(|connection, _| block_on(connection.build(dir.clone(), None)))?;
    let root = status.origin.root.clone().unwrap_or(dir);
    if status.origin.generation > 0 && status.pending + status.unoutlined == 0 {
        return done(&root, &status, None, world);
    }
    if !on(matches, "wait") {
        return under_way(&root, &status, world);
    }
    let bar = Bar::show(&world.place(), &root, &status, world.err_is_terminal);
    let status = world.ask(|connection, _| block_on(connection.build(root.clone(), Some(true))));
    bar.clear();
    done(&root, &status?, Some(begun.elapsed()), world)
}

fn under_way(
    root: &Text,
    status: &WorkspaceStatus,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    let files = units::counted(status.files, "file");
    world.out.write_all(root.as_bytes())?;
    match (status.origin.generation, status.pending) {
        (0, _) => write!(world.out, ": looking at the tree")?,
        (_, 0) => write!(world.out, ": parsing {} of {files}", units::count(status.unoutlined))?,
        (_, pending) => write!(world.out, ": indexing {} of {files}", units::count(pending))?,
    }
    match status.task {
        Some(task) => writeln!(world.out, ", task {task}")?,
        None => writeln!(world.out)?,
    }
    world.out.flush()?;
    if world.out_is_terminal {
        world.err.write_all(b"hint: watch it with `hob tasks watch`, or ask `hob status`\n")?;
    }
    Ok(Status::Done)
}

fn done(
    root: &Text,
    status: &WorkspaceStatus,
    took: Option<Duration>,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    let (files, bytes) = (units::counted(status.files, "file"), units::bytes(status.bytes));
    world.out.write_all(root.as_bytes())?;
    write!(world.out, ": {files} indexed, {bytes}")?;
    match took {
        Some(took) => writeln!(world.out, ", in {:.1} s", took.as_secs_f64())?,
        None => writeln!(world.out)?,
    }
    Ok(Status::Done)
}

/// A progress bar on standard error, moved by a thread that follows the workspace.
struct Bar(ProgressBar);

impl Bar {
    fn show(place: &Place, root: &Text, status: &WorkspaceStatus, terminal: bool) -> Self {
        if !terminal {
            return Self(ProgressBar::hidden());
        }
        let bar =
            ProgressBar::with_draw_target(Some(2 * status.files), ProgressDrawTarget::stderr());
        let template = "indexing [{bar:30}] {percent} %, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_position(steps(status.files, status.pending, status.unoutlined));
        let (moved, place, root) = (bar.clone(), place.clone(), root.clone());
        // It ends with the process, or with the connection.
        std::thread::spawn(move || follow(&place, &root, &moved));
        Self(bar)
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// What is done: each file is read once for its text, and once for its definitions.
fn steps(files: u64, pending: u64, unoutlined: u64) -> u64 {
    (2 * files).saturating_sub(pending + unoutlined)
}

/// Moves the bar. It is an ornament: without news it stands still, and the wait goes on.
fn follow(place: &Place, root: &Text, bar: &ProgressBar) {
    let Ok(mut connection) = Connection::open(place) else { return };
    let Ok(changes) = connection.changes(root) else { return };
    for change in changes.map_while(Result::ok) {
        if bar.is_finished() {
            return;
        }
        bar.set_length(2 * change.files);
        bar.set_position(steps(change.files, change.pending, change.unoutlined));
    }
}
