//! `hob search`: from the command line to the question that the daemon is asked.
//!
//! What the question means is ripgrep's and the daemon's matter; here is only what rules flags
//! have among each other. [`super::search_run`] asks it.

use super::commands::{Group, Row, number, on, texts};
use super::search_flags::{FLAGS, Takes};
use super::{Status, World, search_flags, search_run};
use crate::{Error, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::{Case, Print, SearchQuery, Style, Text};
use std::ffi::OsString;

pub(super) const ROW: Row = Row {
    name: "search",
    group: Group::Search,
    synopsis: "[FLAGS] PATTERN [PATH...]",
    about: "Find lines that match, as ripgrep prints them, sorted by path",
    define,
    run,
};

const AFTER: &str = "\
PATTERN is a regular expression of Rust's regex crate. Without a PATH the current directory is
searched; standard input is never read. A pattern that begins with a dash needs -e.

What is printed equals `rg --sort path -H -n --no-heading`, and on a terminal `rg --sort path
--pretty`. Every change to the tree that was complete before the search is seen, unless --no-sync
says otherwise. A result that --limit or --deadline cut says so on standard error.

Exit status: 0 if there was a match, 1 if there was none, 2 after an error.

Examples:
  hob search 'fn \\w+_all'
  hob search -F -w -C2 'a.b' src tests
  hob search -l -g '*.rs' -g '!tests' -e unsafe -e transmute
  hob search --json todo | jq -r 'select(.type == \"match\") | .data.path.text'
";

fn define(command: Command) -> Command {
    let arguments = Arg::new("arguments")
        .value_names(["PATTERN", "PATH"])
        .action(ArgAction::Append)
        .num_args(0..)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::AnyPath)
        .hide(true);
    search_flags::define(command)
        .arg(arguments)
        .override_usage("hob search [FLAGS] PATTERN [PATH...]\n       hob search [FLAGS] -e PATTERN... [PATH...]")
        .after_help(AFTER)
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let request = Request::of(matches, world)?;
    search_run::run(&request, world)
}

/// A search as the daemon is asked it, and what is then kept from the reader.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) query: SearchQuery,
    pub(super) style: Style,
    /// Print nothing: the first thing that would be printed is the answer.
    pub(super) quiet: bool,
}

impl Request {
    /// What the arguments ask for.
    pub(super) fn of(matches: &ArgMatches, world: &World<'_>) -> Result<Self, Error> {
        let (patterns, paths) = patterns_and_paths(matches)?;
        let (types, types_not) = types(matches)?;
        let both = number(matches, "context");
        let context = |side| number(matches, side).or(both).unwrap_or(0) as usize;
        let boundary = last_of(matches, &["word-regexp", "line-regexp"]);
        let query = SearchQuery {
            patterns,
            paths,
            fixed_strings: undoable(matches, "fixed-strings"),
            case: case(matches),
            word: boundary == Some("word-regexp"),
            line: boundary == Some("line-regexp"),
            invert: undoable(matches, "invert-match"),
            globs: texts(matches, "glob")?,
            types,
            types_not,
            hidden: undoable(matches, "hidden"),
            no_ignore: undoable(matches, "no-ignore"),
            follow: undoable(matches, "follow"),
            max_count: number(matches, "max-count"),
            limit: number(matches, "limit"),
            before: context("before-context"),
            after: context("after-context"),
            no_sync: on(matches, "no-sync"),
            deadline_ms: number(matches, "deadline"),
            profile: on(matches, "profile"),
            ..SearchQuery::in_dir(world.current_dir()?)
        };
        let quiet = on(matches, "quiet");
        Ok(Self { query, style: style(matches, world), quiet })
    }
}

/// Without -e the first argument is the pattern. The same pattern twice is once, as in ripgrep.
fn patterns_and_paths(matches: &ArgMatches) -> Result<(Vec<String>, Vec<Text>), Error> {
    let mut arguments = matches.get_many::<OsString>("arguments").unwrap_or_default();
    let given: Vec<&OsString> = match matches.get_many::<OsString>("regexp") {
        Some(patterns) => patterns.collect(),
        None => arguments.by_ref().take(1).collect(),
    };
    if given.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "a pattern is missing")
            .hint("such as `hob search 'fn main'`; see `hob help search`"));
    }
    let mut patterns: Vec<String> = Vec::with_capacity(given.len());
    for pattern in given {
        let pattern = super::commands::utf8(pattern, "the pattern")
            .map_err(|error| error.hint("match any bytes with an escape, such as `(?-u:\\xFF)`"))?;
        if !patterns.iter().any(|known| known == pattern) {
            patterns.push(pattern.to_owned());
        }
    }
    let paths = arguments.map(path).collect::<Result<_, _>>()?;
    Ok((patterns, paths))
}

/// ripgrep's `-` is standard input, which hob never reads.
fn path(path: &OsString) -> Result<Text, Error> {
    if path == "-" {
        return Err(Error::new(
            ErrorKind::Usage,
            "`-` is standard input, which hob does not search",
        )
        .hint("search it with `rg`; a file of that name is `./-`"));
    }
    Ok(Text::from(std::path::Path::new(path)))
}

/// The types to search and those to leave out. In ripgrep the last flag that a file's type has
/// wins; the daemon takes all of -t first, so that a -T which its -t follows must go.
fn types(matches: &ArgMatches) -> Result<(Vec<String>, Vec<String>), Error> {
    let types = texts(matches, "type")?;
    let places = |flag| matches.indices_of(flag).unwrap_or_default();
    let taken: Vec<(usize, &String)> = places("type").zip(&types).collect();
    let not = places("type-not").zip(texts(matches, "type-not")?);
    let overruled = |place: usize, name: &String| {
        taken.iter().any(|(later, taken)| *later > place && *taken == name)
    };
    let not = not.filter(|(place, name)| !overruled(*place, name)).map(|(_, name)| name).collect();
    Ok((types.clone(), not))
}

/// Of some switches, the one that was given last.
fn last_of<'f>(matches: &ArgMatches, flags: &[&'f str]) -> Option<&'f str> {
    let given = |flag: &&&str| matches.value_source(flag) == Some(ValueSource::CommandLine);
    flags.iter().filter(given).max_by_key(|flag| matches.index_of(flag)).copied()
}

/// Whether a switch is on that another can take back.
fn undoable(matches: &ArgMatches, flag: &str) -> bool {
    let undo = FLAGS.iter().find(|row| row.long == flag).map(|row| row.takes);
    match undo {
        Some(Takes::Undoable(undo)) => last_of(matches, &[flag, undo]) == Some(flag),
        _ => on(matches, flag),
    }
}

fn case(matches: &ArgMatches) -> Case {
    match last_of(matches, &["ignore-case", "case-sensitive", "smart-case"]) {
        Some("ignore-case") => Case::Insensitive,
        Some("smart-case") => Case::Smart,
        _ => Case::Sensitive,
    }
}

fn style(matches: &ArgMatches, world: &World<'_>) -> Style {
    let heading = match last_of(matches, &["heading", "no-heading", "pretty"]) {
        Some(flag) => flag != "no-heading",
        None => world.out_is_terminal,
    };
    Style {
        print: print(matches),
        color: color(matches, world),
        heading,
        null: on(matches, "null"),
    }
}

/// The last of the modes wins. -o makes a count one of matches, -v one of lines; -q leaves
/// only the question whether there is anything, which of files without a match is its own, and
/// of JSON the summary.
fn print(matches: &ArgMatches) -> Print {
    const MODES: [&str; 6] =
        ["files-with-matches", "files-without-match", "count", "count-matches", "json", "no-json"];
    let mode = last_of(matches, &MODES);
    let (only, invert) = (on(matches, "only-matching"), undoable(matches, "invert-match"));
    match mode {
        Some("files-without-match") => Print::FilesWithoutMatch,
        Some("json") => Print::Json,
        _ if on(matches, "quiet") => Print::Quiet,
        Some("files-with-matches") => Print::Files,
        Some("count") if only => Print::CountMatches,
        Some("count-matches") if !invert => Print::CountMatches,
        Some("count" | "count-matches") => Print::Count,
        _ if only => Print::OnlyMatching,
        _ => Print::Lines,
    }
}

/// Whether to colour. `--pretty` is `--color always` in its place.
fn color(matches: &ArgMatches, world: &World<'_>) -> bool {
    let asked = matches.value_source("color") == Some(ValueSource::CommandLine);
    let pretty =
        on(matches, "pretty") && (!asked || matches.index_of("pretty") > matches.index_of("color"));
    pretty || super::commands::color(matches, world)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
