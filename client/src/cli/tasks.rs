//! `hob tasks`: the daemon's background work.

use super::commands::{Group, Row, json_flag, limit_flag, number, on};
use super::status::{print_answer, print_json};
use super::{Status, World, units};
use crate::{Error, TasksApiClient as _, block_on};
use clap::{Arg, ArgMatches, Command, value_parser};
use hob_protocol::{Task, TaskState};
use std::io::Write;

pub(super) const ROW: Row = Row {
    name: "tasks",
    group: Group::Daemon,
    synopsis: "[list|show|watch|wait|cancel]",
    about: "Show, follow or cancel what the daemon does in the background",
    define,
    run,
};

fn define(command: Command) -> Command {
    let id = || Arg::new("id").value_name("ID").value_parser(value_parser!(u64));
    let id = || id().help("The task's number, as `hob tasks` prints it");
    let on_id = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).arg(id().required(true))
    };
    command
        .arg(json_flag().global(true))
        .subcommand(
            Command::new("list")
                .about("List those that wait or run, and those that have ended (the default)")
                .arg(limit_flag("List at most NUM (50)")),
        )
        .subcommand(on_id("show", "Show one"))
        .subcommand(
            Command::new("watch")
                .about("Show how they go on: one until its end, or all until you stop it")
                .arg(id()),
        )
        .subcommand(on_id("wait", "Wait for the end of one"))
        .subcommand(on_id("cancel", "Cancel one"))
        .after_help(
            "The status is 1 where a task that is shown, watched to its end or waited for has failed \
             or was\ncancelled. What was quick, and nobody had asked for, is not kept.",
        )
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let json = on(matches, "json");
    let id = |matches: &ArgMatches| number(matches, "id");
    match matches.subcommand() {
        Some(("show", matches)) => {
            one(json, world, |connection| block_on(connection.get(id(matches).unwrap_or_default())))
        }
        Some(("wait", matches)) => one(json, world, |connection| {
            block_on(connection.wait(id(matches).unwrap_or_default()))
        }),
        Some(("cancel", matches)) => {
            let cancel = |connection: &crate::Connection| {
                block_on(connection.cancel(id(matches).unwrap_or_default()))
            };
            one(json, world, cancel).map(|_| Status::Done)
        }
        Some(("watch", matches)) => watch(id(matches), json, world),
        Some((_, matches)) => list(number(matches, "limit"), json, world),
        None => list(None, json, world),
    }
}

fn list(limit: Option<u64>, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let list = world.ask(|connection, _| block_on(connection.list(limit)))?;
    if json {
        print_answer(world)?;
        return Ok(Status::Done);
    }
    if list.tasks.is_empty() {
        world.note("no task is known", "`hob index` begins one")?;
    }
    for task in &list.tasks {
        print(task, world.out)?;
    }
    if list.truncated {
        world.note("there are more", "a larger `--limit` shows them")?;
    }
    Ok(Status::Done)
}

fn one(
    json: bool,
    world: &mut World<'_>,
    ask: impl Fn(&crate::Connection) -> Result<Task, Error>,
) -> Result<Status, Error> {
    let task = world.ask(|connection, _| ask(connection))?;
    match json {
        true => print_answer(world)?,
        false => print(&task, world.out)?,
    }
    Ok(outcome(&task))
}

fn outcome(task: &Task) -> Status {
    match task.state {
        TaskState::Failed | TaskState::Cancelled => Status::Nothing,
        _ => Status::Done,
    }
}

/// On a terminal the lines are drawn anew each time; elsewhere one is printed for each new state.
fn watch(id: Option<u64>, json: bool, world: &mut World<'_>) -> Result<Status, Error> {
    let terminal = world.out_is_terminal && !json;
    world.ask(|connection, world| {
        let (mut drawn, mut shown, mut last) = (0, Vec::new(), Status::Done);
        for list in connection.tasks(id)? {
            let list = list?;
            if json {
                print_json(&list, world)?;
            } else if terminal && drawn > 0 {
                write!(world.out, "\x1b[{drawn}A\x1b[J")?;
            }
            // What has ended stays on the page, above what is drawn anew.
            let (ended, live): (Vec<&Task>, Vec<&Task>) =
                list.tasks.iter().partition(|task| task.state.has_ended());
            drawn = live.len();
            // A line that is drawn anew must be one line of the screen.
            let columns = if terminal { columns() } else { usize::MAX };
            for task in ended.into_iter().chain(live).filter(|_| !json) {
                let state = (task.id, task.state, task.phase.clone());
                if terminal || !shown.contains(&state) {
                    let mut line = Vec::new();
                    print(task, &mut line)?;
                    if !task.state.has_ended() {
                        line = within(&line, columns);
                    }
                    world.out.write_all(&line)?;
                    shown.push(state);
                }
            }
            world.out.flush()?;
            last = list.tasks.first().map_or(last, outcome);
            if id.is_some() && list.tasks.iter().all(|task| task.state.has_ended()) {
                break;
            }
        }
        Ok(if id.is_some() { last } else { Status::Done })
    })
}

/// How wide the terminal is.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map_or(80, |size| usize::from(size.ws_col)).max(20)
}

/// A line that is no wider than that, with the end of what was cut out: that says the most.
pub(super) fn within(line: &[u8], columns: usize) -> Vec<u8> {
    let text = String::from_utf8_lossy(line.trim_ascii_end());
    let count = text.chars().count();
    if count < columns {
        return line.to_vec();
    }
    let start = columns / 3;
    let end = count - (columns - start - 2);
    let kept = text.chars().enumerate().filter_map(|(at, char)| match at {
        _ if at == start => Some('…'),
        _ if at < start || at >= end => Some(char),
        _ => None,
    });
    kept.chain(['\n']).collect::<String>().into_bytes()
}

/// A line of a task. The root is last and as bytes, so that any name comes through whole.
fn print(task: &Task, out: &mut dyn Write) -> std::io::Result<()> {
    write!(out, "{:>4}  {:<9}  {:<6}", task.id, state(task.state), task.kind)?;
    if let Some(root) = &task.root {
        write!(out, "  ")?;
        out.write_all(root.as_bytes())?;
    }
    writeln!(out, "{}", progress(task))
}

pub(super) fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::Queued => "queued",
        TaskState::Running => "running",
        TaskState::Done => "done",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
        TaskState::Unknown => "?",
    }
}

/// `: reading 1,200 of 78,255 files, 2,345 a second, 33 s left`.
pub(super) fn progress(task: &Task) -> String {
    let mut parts = Vec::new();
    let unit = &task.unit;
    let done = match task.total {
        Some(total) if task.state == TaskState::Done => format!("{} {unit}", units::count(total)),
        Some(total) => {
            format!("{} of {} {unit}", units::count(task.done.min(total)), units::count(total))
        }
        None => format!("{} {unit}", units::count(task.done)),
    };
    let done = if task.total.unwrap_or(task.done) > 0 { done } else { String::new() };
    parts.push(format!("{} {done}", task.phase).trim().to_owned());
    if task.state == TaskState::Running {
        if task.rate >= 1.0 {
            parts.push(format!("{} a second", units::count(task.rate as u64)));
        }
        parts.extend(
            task.eta_ms.map(|left| format!("{} left", units::seconds(left.div_ceil(1000)))),
        );
    } else {
        let time = if task.state == TaskState::Queued { task.waited_ms } else { task.ran_ms };
        parts.push(format!("{:.1} s", time as f64 / 1000.0));
    }
    parts.extend(task.reason.clone());
    parts.retain(|part| !part.is_empty());
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}
