//! `hob outline FILE...`: what files define, nested.

use super::commands::{Group, Row, color, json_flag, on};
use super::paint::{Ink, Paint, one_line};
use super::status::print_json;
use super::{Status, World};
use crate::{Error, ErrorKind, SymbolsApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::{
    Extent, FileError, FileOutline, Outcome, Outline, OutlineQuery, OutlineResult, OutlineSymbol,
    Text,
};
use std::ffi::OsString;
use std::io::Write;
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

/// How many levels are indented: deeper ones stand below each other.
const DEEPEST: usize = 40;

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
    let found = world.ask(|connection, _| block_on(connection.outline(query.clone())))?;
    match on(matches, "json") {
        true => print_json(&found, world)?,
        false => print(&found, Paint { color: color(matches, world) }, world)?,
    }
    Ok(status(&found))
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

fn print(found: &OutlineResult, paint: Paint, world: &mut World<'_>) -> Result<(), Error> {
    let mut begun = false;
    for file in &found.files {
        match &file.outcome {
            Outcome::Outline(outline) => {
                if found.files.len() > 1 {
                    heading(&file.path, begun, paint, world.out)?;
                }
                begun = true;
                print_outline(outline, paint, world.out)?;
                tell_extent(&file.path, outline.extent, world)?;
            }
            Outcome::Failed { error: FileError { message, hint, .. } } => {
                world.out.flush()?;
                world.note(message, hint)?;
            }
        }
    }
    Ok(())
}

fn heading(path: &Text, below: bool, paint: Paint, out: &mut dyn Write) -> std::io::Result<()> {
    if below {
        out.write_all(b"\n")?;
    }
    paint.put(out, Ink::Path, path.as_bytes())?;
    out.write_all(b"\n")
}

fn print_outline(outline: &Outline, paint: Paint, out: &mut dyn Write) -> std::io::Result<()> {
    let lines =
        |symbol: &OutlineSymbol| format!("{}-{}", symbol.range.start.line, symbol.range.end.line);
    let width = outline.symbols.iter().map(|symbol| lines(symbol).len()).max().unwrap_or(0);
    for symbol in &outline.symbols {
        let lines = lines(symbol);
        paint.put(out, Ink::Number, lines.as_bytes())?;
        let indent = 2 * (symbol.depth as usize).min(DEEPEST);
        write!(out, "{:gap$}", "", gap = width - lines.len() + 2 + indent)?;
        let signature = one_line(symbol.signature.as_bytes());
        match signature.is_empty() {
            true => out.write_all(&one_line(symbol.name.as_bytes()))?,
            false => out.write_all(&signature)?,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn tell_extent(path: &Text, extent: Extent, world: &mut World<'_>) -> Result<(), Error> {
    let what = match extent {
        Extent::Whole => return Ok(()),
        Extent::Errors => "could not be parsed as a whole: this is what was understood",
        Extent::Cut => "is too large, or has lines that are: this is what was parsed of it",
        Extent::GivenUp => "takes too much work to parse: what it defines is not known",
    };
    world.out.flush()?;
    world.note(&format!("`{}` {what}", path.to_string_lossy()), "")
}
