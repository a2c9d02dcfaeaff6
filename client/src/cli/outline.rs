//! `hob outline FILE...`: what files define, nested.

use super::commands::{Group, Row, color, json_flag, on};
use super::status::print_answer;
use super::{Status, World};
use crate::{Error, ErrorKind, SymbolsApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::{
    Extent, FileOutline, Outcome, OutlineEvent, OutlineQuery, OutlineResult, OutlineSummary, Text,
};
use std::ffi::OsString;
use std::path::Path;

pub(super) const ROW: Row = Row {
    name: "outline",
    group: Group::Search,
    synopsis: "FILE... [--json]",
    about: "Show what files define, nested, with lines and signatures",
    define,
    run,
};

const AFTER: &str = "\
Each line has the first and the last line of a definition, and its signature, indented by what
encloses it. Of several files each stands below its name. A file that does not parse shows what could
be understood, and says so on standard error.

JSON: {\"root\"?, \"generation\", \"freshness\", \"files\": [{\"path\", \"language\", \"extent\", \"symbols\":
[{\"name\", \"kind\", \"parent\"?, \"depth\", \"line\", \"column\", \"range\": {\"start\": {\"line\", \"column\"},
\"end\"}, \"signature\", \"doc\"?}]}, or {\"path\", \"error\": {\"kind\", \"message\", \"hint\"}}]}. The symbols
are flat: \"parent\" is the index of what encloses one. \"extent\" is whole, errors, cut or given_up.

Exit status: 0 if there is a definition, 1 if there is none, 2 after an error with any file.
";

fn define(command: Command) -> Command {
    let files = Arg::new("files")
        .value_name("FILE")
        .action(ArgAction::Append)
        .num_args(1..)
        .required(true)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::FilePath);
    command.arg(files.help("Files, from the current directory")).arg(json_flag()).after_help(AFTER)
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let files = matches.get_many::<OsString>("files").unwrap_or_default();
    let query = OutlineQuery {
        no_sync: on(matches, "no-sync"),
        ..OutlineQuery::in_dir(world.current_dir()?, files.map(file).collect::<Result<_, _>>()?)
    };
    if on(matches, "json") {
        let found = world.ask(|connection, _| block_on(connection.outline(query.clone())))?;
        print_answer(world)?;
        return Ok(status(&found));
    }
    let color = color(matches, world);
    world.ask(|connection, world| {
        for event in connection.outline_stream(&query, color)? {
            match event? {
                OutlineEvent::Output(part) => world.out.write_all(part.as_bytes())?,
                OutlineEvent::Remark(remark) => {
                    world.out.flush()?;
                    world.note(&remark.message, &remark.hint)?;
                }
                OutlineEvent::Done(OutlineSummary { errors: true, .. }) => {
                    return Ok(Status::Failed);
                }
                OutlineEvent::Done(OutlineSummary { found: true, .. }) => return Ok(Status::Done),
                OutlineEvent::Done(_) => return Ok(Status::Nothing),
                OutlineEvent::Failed(failure) => return Err(failure.into()),
            }
        }
        Err(Error::new(ErrorKind::Protocol, "the outlines ended without a summary")
            .hint("restart the daemon with `hob daemon restart`"))
    })
}

fn file(file: &OsString) -> Result<Text, Error> {
    if file == "-" {
        return Err(Error::new(ErrorKind::Usage, "`-` is standard input, which hob does not read")
            .hint("a file of that name is `./-`"));
    }
    Ok(Text::from(Path::new(file)))
}

fn status(found: &OutlineResult) -> Status {
    let failed = |file: &FileOutline| match &file.outcome {
        Outcome::Outline(outline) => outline.extent == Extent::GivenUp,
        Outcome::Failed { .. } => true,
    };
    let any = |file: &FileOutline| match &file.outcome {
        Outcome::Outline(outline) => !outline.symbols.is_empty(),
        Outcome::Failed { .. } => false,
    };
    if found.files.iter().any(failed) {
        return Status::Failed;
    }
    if found.files.iter().any(any) { Status::Done } else { Status::Nothing }
}
