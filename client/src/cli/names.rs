//! `hob def` and `hob refs`: where a name is defined, and who mentions it.

use super::commands::{
    Group, Row, color, json_flag, limit_flag, number, on, positional, texts, utf8, value,
};
use super::cut::Cut;
use super::paint::{Ink, Paint, one_line};
use super::status::print_answer;
use super::symbols::{places, print_symbols};
use super::{Status, World};
use crate::{Error, ErrorKind, NavigationApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use hob_protocol::{NameQuery, Place, ReferencesResult, Text};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

pub(super) const DEF: Row = Row {
    name: "def",
    group: Group::Search,
    synopsis: "NAME|FILE:LINE:COL",
    about: "Show where a name is defined",
    define: define_def,
    run: run_def,
};

pub(super) const REFS: Row = Row {
    name: "refs",
    group: Group::Search,
    synopsis: "[--role ROLE] NAME|FILE:LINE:COL",
    about: "Show who mentions a name, and how",
    define: define_refs,
    run: run_refs,
};

/// How many are shown where nobody says how many.
const DEFINITIONS: u64 = 50;
const REFERENCES: u64 = 1_000;

const AFTER_DEF: &str = "\
NAME may say what encloses it: `Parser::parse`, `Parser.parse`. FILE:LINE:COL is a place where the
name stands; what is defined then comes first as that place means it: a local variable or parameter is
found where it is bound, of several definitions the likeliest comes first, by what stands before the
name, what the file imports, and where they are.

On a pipe each line has five fields, separated by tabs: path:line:column, kind, name, container
(may be empty), signature.

JSON: {\"root\", \"generation\", \"freshness\", \"name\", \"definitions\": [as of `hob symbols`], \"truncated\"?,
\"elapsed_us\"}.

Exit status: 0 if there is a definition, 1 if there is none, 2 after an error.

Examples:
  hob def Parser::parse
  hob def src/main.rs:12:9
";

const AFTER_REFS: &str = "\
What is told is where the name is mentioned in code, in the order of paths, and not in comments or
plain strings. A mention is a call, a type, an import or another use. Of FILE:LINE:COL, a local variable
is looked for in its function alone.

On a pipe each line has four fields, separated by tabs: path:line:column, role, what it stands in (may
be empty), the line's text.

JSON: {\"root\", \"generation\", \"freshness\", \"name\", \"references\": [{\"path\", \"line\", \"column\", \"role\",
\"enclosing\"?, \"text\"}], \"truncated\"?, \"total\", \"elapsed_us\"}.

Exit status: 0 if there is a mention, 1 if there is none, 2 after an error.

Examples:
  hob refs mutex_lock --role call
  hob refs src/main.rs:12:9
";

fn target() -> Arg {
    positional("target", "NAME|FILE:LINE:COL").required(true).help("A name, or a place of one")
}

fn define_def(command: Command) -> Command {
    command
        .arg(target())
        .arg(limit_flag("At most so many definitions [default: 50]"))
        .arg(json_flag())
        .after_help(AFTER_DEF)
}

fn define_refs(command: Command) -> Command {
    command
        .arg(target())
        .arg(
            Arg::new("role")
                .long("role")
                .value_name("ROLE")
                .action(ArgAction::Append)
                .value_parser(value_parser!(OsString))
                .help("Only mentions as this: call, type, import, use; may be repeated"),
        )
        .arg(limit_flag("At most so many mentions [default: 1000]"))
        .arg(json_flag())
        .after_help(AFTER_REFS)
}

/// What is asked about: a place if there is such a file, else a name.
pub(super) fn query(
    matches: &ArgMatches,
    limit: u64,
    world: &World<'_>,
) -> Result<NameQuery, Error> {
    let target = value(matches, "target").map(|name| utf8(name, "the name")).transpose()?;
    let target = target.unwrap_or_default();
    let dir = world.current_dir()?;
    let at = place(target).filter(|(path, ..)| {
        // `a::b` is no place, nor is a name with numbers that no file has.
        dir.join(path).exists() || path.contains(['/', '.'])
    });
    let query = NameQuery {
        limit: Some(number(matches, "limit").unwrap_or(limit)),
        no_sync: on(matches, "no-sync"),
        ..NameQuery::in_dir(dir.as_path(), target)
    };
    if at.is_none()
        && let Some((path, line)) = target.rsplit_once(':')
        && line.parse::<u64>().is_ok()
        && dir.join(path).is_file()
    {
        let message = format!("`{target}` has no column");
        let hint = "give FILE:LINE:COL; `hob outline FILE` shows what stands where";
        return Err(Error::new(ErrorKind::Usage, message).hint(hint));
    }
    Ok(match at {
        Some((path, line, column)) => {
            let at = Place { path: Text::from(Path::new(path)), line, column };
            NameQuery { name: None, at: Some(at), ..query }
        }
        None => query,
    })
}

/// `FILE:LINE:COL`, taken apart.
fn place(target: &str) -> Option<(&str, u64, u64)> {
    let (rest, column) = target.rsplit_once(':')?;
    let (path, line) = rest.rsplit_once(':')?;
    Some((path, line.parse().ok()?, column.parse().ok()?)).filter(|(path, ..)| !path.is_empty())
}

fn run_def(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let query = query(matches, DEFINITIONS, world)?;
    let found = world.ask(|connection, _| block_on(connection.definition(query.clone())))?;
    match on(matches, "json") {
        true => print_answer(world)?,
        false => {
            let paint = Paint { color: color(matches, world) };
            print_symbols(found.origin.root.as_ref(), &found.definitions, paint, world)?;
        }
    }
    if let Some(why) = found.truncated {
        let hint = "a larger `--limit` shows more";
        let limit = found.definitions.len() as u64;
        Cut { what: "definition", limit, total: None, hint, deadline_ms: 0 }.tell(why, world)?;
    }
    Ok(if found.definitions.is_empty() { Status::Nothing } else { Status::Done })
}

fn run_refs(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let query = NameQuery { roles: texts(matches, "role")?, ..query(matches, REFERENCES, world)? };
    let found = world.ask(|connection, _| block_on(connection.references(query.clone())))?;
    match on(matches, "json") {
        true => print_answer(world)?,
        false => print_references(&found, Paint { color: color(matches, world) }, world)?,
    }
    if let Some(why) = found.truncated {
        let hint = "a larger `--limit` shows more";
        let (limit, total) = (found.references.len() as u64, Some(found.total));
        Cut { what: "mention", limit, total, hint, deadline_ms: 0 }.tell(why, world)?;
    }
    Ok(if found.references.is_empty() { Status::Nothing } else { Status::Done })
}

fn print_references(
    found: &ReferencesResult,
    paint: Paint,
    world: &mut World<'_>,
) -> Result<(), Error> {
    let paths = places(
        found.origin.root.as_ref(),
        found.references.iter().map(|one| one.path.as_path()),
        world,
    )?;
    for (path, one) in paths.iter().zip(&found.references) {
        paint.put(world.out, Ink::Path, path.as_os_str().as_bytes())?;
        for number in [one.line, one.column] {
            world.out.write_all(b":")?;
            paint.put(world.out, Ink::Number, number.to_string().as_bytes())?;
        }
        write!(world.out, "\t{}\t", one.role)?;
        if let Some(enclosing) = &one.enclosing {
            world.out.write_all(&one_line(enclosing.as_bytes()))?;
        }
        world.out.write_all(b"\t")?;
        world.out.write_all(&one_line(one.text.as_bytes()))?;
        world.out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_line_and_a_column() {
        assert_eq!(place("src/a.rs:3:14"), Some(("src/a.rs", 3, 14)));
        assert_eq!(place("a:b.rs:3:14"), Some(("a:b.rs", 3, 14)));
        for name in ["parse", "Parser::parse", "a.rs:3", "a.rs:3:x", ":3:4"] {
            assert_eq!(place(name), None, "{name}");
        }
    }
}
