//! `hob callers` and `hob callees`: steps of the graph of calls.

use super::commands::{Group, Row, color, json_flag, limit_flag, number, on, positional};
use super::cut::Cut;
use super::names::query;
use super::paint::{Ink, Paint, one_line};
use super::status::print_answer;
use super::symbols::places;
use super::{Status, World};
use crate::{Error, NavigationApiClient as _, block_on};
use clap::{Arg, ArgMatches, Command, value_parser};
use hob_protocol::{CallsResult, NameQuery};
use std::os::unix::ffi::OsStrExt as _;

pub(super) const CALLERS: Row = Row {
    name: "callers",
    group: Group::Search,
    synopsis: "[--depth N] NAME|FILE:LINE:COL",
    about: "Show who calls a function",
    define,
    run: |matches, world| run(matches, world, true),
};

pub(super) const CALLEES: Row = Row {
    name: "callees",
    group: Group::Search,
    synopsis: "[--depth N] NAME|FILE:LINE:COL",
    about: "Show whom a function calls",
    define,
    run: |matches, world| run(matches, world, false),
};

/// How many are shown where nobody says how many.
const LIMIT: u64 = 1_000;

const AFTER: &str = "\
Calls are matched by name, as nothing is compiled: where several definitions share one, the calls of
all of them are told. Of callees, those that are defined in the workspace are told, each where it is
likeliest defined. Of FILE:LINE:COL, the definition that is meant there calls, and no other of its name. With
--depth the callers of the callers follow, and so on, from each name once.

On a pipe each line has five fields, separated by tabs: the depth, path:line of the definition, its name
(may be empty: a call outside of any), what it calls or who calls it, and where: path:line,line,...

JSON: {\"root\", \"generation\", \"freshness\", \"name\", \"calls\": [{\"depth\", \"name\"?, \"of\", \"path\", \"line\",
\"at\", \"lines\"}], \"truncated\"?, \"elapsed_us\"}.

Exit status: 0 if there is a call, 1 if there is none, 2 after an error.
";

fn define(command: Command) -> Command {
    command
        .arg(
            positional("target", "NAME|FILE:LINE:COL")
                .required(true)
                .help("A name, or a place of one"),
        )
        .arg(
            Arg::new("depth")
                .long("depth")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("How many steps to go [default: 1]"),
        )
        .arg(limit_flag("At most so many calls [default: 1000]"))
        .arg(json_flag())
        .after_help(AFTER)
}

fn run(matches: &ArgMatches, world: &mut World<'_>, callers: bool) -> Result<Status, Error> {
    let query = NameQuery { depth: number(matches, "depth"), ..query(matches, LIMIT, world)? };
    let found = world.ask(|connection, _| match callers {
        true => block_on(connection.callers(query.clone())),
        false => block_on(connection.callees(query.clone())),
    })?;
    match on(matches, "json") {
        true => print_answer(world)?,
        false => print(&found, Paint { color: color(matches, world) }, world)?,
    }
    if let Some(why) = found.truncated {
        let hint = "a larger `--limit` shows more";
        let limit = found.calls.len() as u64;
        Cut { what: "call", limit, total: None, hint, deadline_ms: 0 }.tell(why, world)?;
    }
    Ok(if found.calls.is_empty() { Status::Nothing } else { Status::Done })
}

fn print(found: &CallsResult, paint: Paint, world: &mut World<'_>) -> Result<(), Error> {
    let paths = found.calls.iter().map(|call| call.path.as_path());
    let paths = places(found.origin.root.as_ref(), paths, world)?;
    let at = found.calls.iter().map(|call| call.at.as_path());
    let at = places(found.origin.root.as_ref(), at, world)?;
    for ((path, at), call) in paths.iter().zip(&at).zip(&found.calls) {
        write!(world.out, "{}\t", call.depth)?;
        paint.put(world.out, Ink::Path, path.as_os_str().as_bytes())?;
        world.out.write_all(b":")?;
        paint.put(world.out, Ink::Number, call.line.to_string().as_bytes())?;
        world.out.write_all(b"\t")?;
        let name = call.name.as_ref().map_or(&[][..], |name| name.as_bytes());
        paint.put(world.out, Ink::Match, &one_line(name))?;
        world.out.write_all(b"\t")?;
        world.out.write_all(&one_line(call.of.as_bytes()))?;
        let lines: Vec<String> = call.lines.iter().map(u64::to_string).collect();
        world.out.write_all(b"\t")?;
        world.out.write_all(at.as_os_str().as_bytes())?;
        writeln!(world.out, ":{}", lines.join(","))?;
    }
    Ok(())
}
