//! `hob files [QUERY]`: the files that a search looks at, or those whose paths match.

use super::commands::{Group, Row, color, json_flag, limit_flag, number, on, positional, utf8};
use super::cut::Cut;
use super::status::print_answer;
use super::{Status, World};
use crate::{Connection, Error, ErrorKind, IndexApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command};
use hob_protocol::{FilesEvent, FilesQuery, FilesStyle, FilesSummary};
use std::ffi::OsString;

pub(super) const ROW: Row = Row {
    name: "files",
    group: Group::Search,
    synopsis: "[QUERY] [--limit NUM] [-0]",
    about: "Find files by some letters of their paths, or list all",
    define,
    run,
};

const AFTER: &str = "\
Without a QUERY all files below the current directory are printed, as `rg --files --sort path`
prints them. With one, those whose paths have its letters in their order, the best match first:
in the name rather than in its directories, at the start of words, and together; then what was
changed last. A query that has an upper-case letter tells upper and lower case apart.

Each word of a QUERY must match, as in fzf: `'word` as it is, `^word` at the path's start, `word$` at
its end, and `!word` must not. A line number at the end, as in `main.c:12`, is passed over.

Exit status: 0 if there is a file, 1 if there is none, 2 after an error.

Examples:
  hob files mainrs
  hob files 'drivers .c$ !test' --limit 20
  $EDITOR \"$(hob files --limit 1 search/mod)\"
  hob files -0 | xargs -0 wc -l
";

fn define(command: Command) -> Command {
    let null = Arg::new("null").short('0').long("null").action(ArgAction::SetTrue);
    command
        .arg(
            positional("query", "QUERY")
                .action(ArgAction::Append)
                .num_args(0..)
                .help("Letters of paths, in words that must all match"),
        )
        .arg(limit_flag("At most so many files"))
        .arg(null.help("A NUL byte after each path, instead of a line feed"))
        .arg(json_flag())
        .after_help(AFTER)
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let query = query(matches, world)?;
    if on(matches, "json") {
        let found = world.ask(|connection, _| block_on(connection.files(query.clone())))?;
        print_answer(world)?;
        return finish(&query, &found.summary, world);
    }
    let style = FilesStyle { color: color(matches, world), null: on(matches, "null") };
    world.ask(|connection, world| stream(&query, style, connection, world))
}

/// Words that the shell has taken apart are one query.
fn query(matches: &ArgMatches, world: &World<'_>) -> Result<FilesQuery, Error> {
    let words = matches.get_many::<OsString>("query").unwrap_or_default();
    let words: Vec<&str> = words.map(|word| utf8(word, "the query")).collect::<Result<_, _>>()?;
    Ok(FilesQuery {
        query: (!words.is_empty()).then(|| words.join(" ")),
        limit: number(matches, "limit"),
        no_sync: on(matches, "no-sync"),
        ..FilesQuery::in_dir(world.current_dir()?)
    })
}

fn stream(
    query: &FilesQuery,
    style: FilesStyle,
    connection: &mut Connection,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    for event in connection.files_stream(query, style)? {
        match event? {
            FilesEvent::Output(part) => world.out.write_all(part.as_bytes())?,
            FilesEvent::Done(summary) => return finish(query, &summary, world),
            FilesEvent::Failed(failure) => return Err(failure.into()),
        }
    }
    Err(Error::new(ErrorKind::Protocol, "the answer ended without a summary")
        .hint("restart the daemon with `hob daemon restart`"))
}

fn finish(
    query: &FilesQuery,
    summary: &FilesSummary,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    for warning in &summary.warnings {
        world.note(warning, "")?;
    }
    if let Some(why) = summary.truncated {
        let cut = Cut {
            what: "file",
            limit: query.limit.unwrap_or_default(),
            total: Some(summary.total),
            hint: "a larger `--limit`, or none, shows it",
            deadline_ms: 0,
        };
        cut.tell(why, world)?;
    }
    Ok(match summary.total {
        _ if !summary.warnings.is_empty() => Status::Failed,
        0 => Status::Nothing,
        _ => Status::Done,
    })
}
