//! `hob symbols QUERY`: where a name is defined.

use super::commands::{
    Group, Row, color, json_flag, limit_flag, number, on, positional, texts, utf8, value,
};
use super::cut::Cut;
use super::paint::{Ink, Paint, one_line};
use super::status::print_answer;
use super::{Status, World};
use crate::{Error, SymbolsApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use hob_protocol::{SymbolMatch, SymbolsQuery, Text};
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub(super) const ROW: Row = Row {
    name: "symbols",
    group: Group::Search,
    synopsis: "[FLAGS] QUERY",
    about: "Find where a name is defined, in all of the workspace",
    define,
    run,
};

/// How many are shown where nobody says how many.
const LIMIT: u64 = 50;

const AFTER: &str = "\
Names that are QUERY come first, then those that begin with it, then those that have its letters in
their order. All of the workspace is looked through, and paths are relative to the current
directory. A result that the limit has cut says so on standard error.

On a pipe each line has five fields, separated by tabs: path:line:column, kind, name, container
(may be empty), signature. On a terminal a line has the place, the kind, the signature and the
container. Lines and columns count from 1, columns in bytes. `hob languages` tells all kinds.

JSON: {\"root\", \"generation\", \"freshness\", \"symbols\": [{\"name\", \"kind\", \"container\"?, \"path\",
\"line\", \"column\", \"end_line\", \"signature\", \"doc\"?, \"language\", \"matched\"}], \"truncated\"?, \"total\"?,
\"elapsed_us\"}; \"path\" is relative to \"root\", \"matched\" is exact, prefix or fuzzy.

Exit status: 0 if there is a symbol, 1 if there is none, 2 after an error.

Examples:
  hob symbols mutex_lock
  hob symbols --kind struct --lang c inode
  hob symbols parse | cut -f1
";

fn define(command: Command) -> Command {
    let names = |name: &'static str, value: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name(value)
            .action(ArgAction::Append)
            .value_parser(value_parser!(OsString))
    };
    command
        .arg(positional("query", "QUERY").required(true).help("A name, or some of its letters"))
        .arg(names("kind", "KIND").help("Only of this kind, such as function; may be repeated"))
        .arg(names("lang", "LANG").help("Only in this language; may be repeated"))
        .arg(
            Arg::new("exact")
                .long("exact")
                .action(ArgAction::SetTrue)
                .help("Only names that are QUERY, whatever the case of their letters"),
        )
        .arg(limit_flag("At most so many symbols [default: 50]"))
        .arg(
            Arg::new("deadline")
                .long("deadline")
                .value_name("MS")
                .value_parser(value_parser!(u64))
                .help("Stop after so many milliseconds"),
        )
        .arg(json_flag())
        .after_help(AFTER)
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let limit = number(matches, "limit").unwrap_or(LIMIT);
    let name = value(matches, "query").map(|name| utf8(name, "the query")).transpose()?;
    let query = SymbolsQuery {
        kinds: texts(matches, "kind")?,
        languages: texts(matches, "lang")?,
        exact: on(matches, "exact"),
        limit: Some(limit),
        no_sync: on(matches, "no-sync"),
        deadline_ms: number(matches, "deadline"),
        ..SymbolsQuery::in_dir(world.current_dir()?, name.unwrap_or_default())
    };
    let found = world.ask(|connection, _| block_on(connection.symbols(query.clone())))?;
    match on(matches, "json") {
        true => print_answer(world)?,
        false => {
            let paint = Paint { color: color(matches, world) };
            print_symbols(found.origin.root.as_ref(), &found.symbols, paint, world)?;
        }
    }
    if let Some(why) = found.truncated {
        let cut = Cut {
            what: "symbol",
            limit,
            total: found.total,
            hint: "a larger `--limit` shows more",
            deadline_ms: query.deadline_ms.unwrap_or_default(),
        };
        cut.tell(why, world)?;
    }
    Ok(if found.symbols.is_empty() { Status::Nothing } else { Status::Done })
}

/// Paths of an answer as they are from the current directory.
pub(super) fn places<'a>(
    root: Option<&Text>,
    paths: impl Iterator<Item = &'a Path>,
    world: &World<'_>,
) -> Result<Vec<PathBuf>, Error> {
    let here = world.current_dir()?;
    let here = here.canonicalize().unwrap_or(here);
    let named = |path: &Path| match root {
        Some(root) => relative(&root.as_path().join(path), &here),
        None => path.to_owned(),
    };
    Ok(paths.map(named).collect())
}

/// Prints symbols: for programs on a pipe, in columns on a terminal.
pub(super) fn print_symbols(
    root: Option<&Text>,
    symbols: &[SymbolMatch],
    paint: Paint,
    world: &mut World<'_>,
) -> Result<(), Error> {
    let places = places(root, symbols.iter().map(|symbol| symbol.path.as_path()), world)?;
    let rows = || places.iter().zip(symbols);
    if !world.out_is_terminal {
        return Ok(rows().try_for_each(|(path, symbol)| fields(path, symbol, paint, world.out))?);
    }
    let place = |(path, symbol): (&PathBuf, &SymbolMatch)| place_width(path, symbol);
    let place = rows().map(place).max().unwrap_or(0).min(WIDEST_PLACE);
    let kind = symbols.iter().map(|symbol| symbol.kind.len()).max().unwrap_or(0);
    Ok(rows()
        .try_for_each(|(path, symbol)| columns(path, symbol, (place, kind), paint, world.out))?)
}

/// A column of places is not wider than this: longer ones stand out of it.
const WIDEST_PLACE: usize = 48;

/// A line for programs.
fn fields(
    path: &Path,
    symbol: &SymbolMatch,
    paint: Paint,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    put_place(path, symbol, paint, out)?;
    write!(out, "\t{}\t", symbol.kind)?;
    paint.put(out, Ink::Match, &one_line(symbol.name.as_bytes()))?;
    out.write_all(b"\t")?;
    if let Some(container) = &symbol.container {
        out.write_all(&one_line(container.as_bytes()))?;
    }
    out.write_all(b"\t")?;
    out.write_all(&one_line(symbol.signature.as_bytes()))?;
    out.write_all(b"\n")
}

/// A line for people.
fn columns(
    path: &Path,
    symbol: &SymbolMatch,
    (place, kind): (usize, usize),
    paint: Paint,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    put_place(path, symbol, paint, out)?;
    let gap = place.saturating_sub(place_width(path, symbol)) + 2;
    write!(out, "{:gap$}{:<kind$}  ", "", symbol.kind)?;
    let name = one_line(symbol.name.as_bytes());
    let signature = one_line(symbol.signature.as_bytes());
    match signature.windows(name.len().max(1)).position(|part| part == name) {
        Some(at) => {
            out.write_all(&signature[..at])?;
            paint.put(out, Ink::Match, &name)?;
            out.write_all(&signature[at + name.len()..])?;
        }
        None => paint.put(out, Ink::Match, &name)?,
    }
    if let Some(container) = &symbol.container {
        let container = one_line(container.as_bytes());
        paint.put(out, Ink::Faint, &[b"  in ".as_slice(), &container].concat())?;
    }
    out.write_all(b"\n")
}

fn put_place(
    path: &Path,
    symbol: &SymbolMatch,
    paint: Paint,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    paint.put(out, Ink::Path, path.as_os_str().as_bytes())?;
    for number in [symbol.line, symbol.column] {
        out.write_all(b":")?;
        paint.put(out, Ink::Number, number.to_string().as_bytes())?;
    }
    Ok(())
}

fn place_width(path: &Path, symbol: &SymbolMatch) -> usize {
    let numbers = format!(":{}:{}", symbol.line, symbol.column);
    path.to_string_lossy().chars().count() + numbers.len()
}

/// How to come to an absolute path from an absolute directory, both without links.
fn relative(path: &Path, from: &Path) -> PathBuf {
    let shared = path.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    let down = path.components().skip(shared).map(|part| Path::new(part.as_os_str()));
    up.chain(down).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_where_one_is() {
        let told = |path: &str, from: &str| relative(Path::new(path), Path::new(from));
        assert_eq!(told("/r/a/b.c", "/r"), Path::new("a/b.c"));
        assert_eq!(told("/r/a/b.c", "/r/a"), Path::new("b.c"));
        assert_eq!(told("/r/a/b.c", "/r/d/e"), Path::new("../../a/b.c"));
        assert_eq!(told("/r/ab/c", "/r/a"), Path::new("../ab/c"));
    }
}
