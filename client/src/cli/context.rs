//! `hob context REQUEST`: what a model needs to see.

use super::commands::{Group, Row, json_flag, number, on};
use super::status::print_answer;
use super::{Status, World};
use crate::{ContextApiClient as _, Error, ErrorKind, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::{ContextQuery, ContextResult, Text};
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

pub(super) const ROW: Row = Row {
    name: "context",
    group: Group::Search,
    synopsis: "[FLAGS] REQUEST...",
    about: "Show the files and lines that a request in words is about",
    define,
    run,
};

/// A request is not longer than this.
const REQUEST_BYTES: u64 = 4 << 20;

const AFTER: &str = "\
REQUEST is what you would ask of a model, such as a task, a bug report or a stack trace; `-` reads it
from standard input. Paths, `file:line` and names of code in it count for more. What is printed fits
into the budget: each file's path, and below it the lines that matter, each run of them after a line
`@@ FIRST-LAST`. First come a line of each of the best files and the signatures of the best
definitions, then whole definitions as long as there is room.

With --explain each file of the ranking stands on a line with its score and what it is made of;
the README tells what each signal means.

JSON: {\"root\", \"generation\", \"freshness\", \"files\": [\"ranked\", ...], \"chunks\": [{\"path\", \"start\", \"end\",
\"why\", \"name\"?}], \"tokens\", \"tokenizer\", \"text\", \"history\", \"scores\"?, \"elapsed_us\"}. The chunks come in order of
priority; lines count from 1, and the last one is shown. \"history\" is false while past commits are
still being read.

Exit status: 0 if a line is shown, 1 if none is, 2 after an error.

Examples:
  hob context fix the panic when the config file is empty
  hob context --budget 2000 -f src/main.rs \"add a --quiet flag\"
  cargo test 2>&1 | hob context -
";

fn define(command: Command) -> Command {
    let request = Arg::new("request")
        .value_name("REQUEST")
        .action(ArgAction::Append)
        .num_args(1..)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::Other);
    command
        .arg(request.help("What is to be done, in words; `-`: from standard input"))
        .arg(focus())
        .arg(budget("8192, by `context.tokens`"))
        .arg(model())
        .arg(
            Arg::new("explain")
                .long("explain")
                .action(ArgAction::SetTrue)
                .help("Show what speaks for each file instead of the text"),
        )
        .arg(json_flag())
        .after_help(AFTER)
}

/// `-f FILE`.
pub(super) fn focus() -> Arg {
    Arg::new("file")
        .short('f')
        .long("file")
        .value_name("FILE")
        .action(ArgAction::Append)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::FilePath)
        .help("A file that is being worked on; may be repeated")
}

/// What `-f` names.
pub(super) fn focused(matches: &ArgMatches) -> Vec<Text> {
    let files = matches.get_many::<OsString>("file").unwrap_or_default();
    files.map(|file| Text::from(Path::new(file))).collect()
}

/// `--budget TOKENS`.
pub(super) fn budget(default: &str) -> Arg {
    Arg::new("budget")
        .long("budget")
        .value_name("TOKENS")
        .value_parser(value_parser!(u64))
        .help(format!("At most so many tokens [default: {default}]"))
}

/// `--model NAME`.
pub(super) fn model() -> Arg {
    Arg::new("model").long("model").value_name("NAME").value_hint(ValueHint::Other).help(
        "The model whose tokens are counted [default: `context.model`; else four bytes are one]",
    )
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let words: Vec<&OsString> = matches.get_many("request").unwrap_or_default().collect();
    let query = ContextQuery {
        budget: number(matches, "budget"),
        model: matches.get_one::<String>("model").cloned(),
        focus: focused(matches),
        explain: on(matches, "explain"),
        no_sync: on(matches, "no-sync"),
        ..ContextQuery::in_dir(world.current_dir()?, request(&words)?)
    };
    let found = world.ask(|connection, _| block_on(connection.context(query.clone())))?;
    if on(matches, "json") {
        print_answer(world)?;
    } else if query.explain {
        explain(&found, world)?;
    } else {
        world.out.write_all(found.text.as_bytes())?;
    }
    if !found.history {
        let hint = "`hob tasks` shows how far it is; ask again for what it adds";
        world.note("past commits are still being read", hint)?;
    }
    counted(query.model.as_deref(), &found.tokenizer, world)?;
    if found.files.is_empty() {
        world.note("no file here has to do with that", "name what stands in one")?;
    }
    if found.chunks.is_empty() && !found.files.is_empty() {
        world.note("the budget has no room for a line", "a larger `--budget` shows some")?;
    }
    Ok(if found.chunks.is_empty() { Status::Nothing } else { Status::Done })
}

/// Says so where a model's tokens are not known.
pub(super) fn counted(
    model: Option<&str>,
    tokenizer: &str,
    world: &mut World<'_>,
) -> Result<(), Error> {
    if model.is_some() && tokenizer == "bytes/4" {
        world.note("the tokens of that model are not known", "four bytes are counted as one")?;
    }
    Ok(())
}

fn request(words: &[&OsString]) -> Result<Text, Error> {
    if words.len() == 1 && words[0] == "-" {
        let request = ends(&mut std::io::stdin().lock()).map_err(|error| {
            Error::new(ErrorKind::Usage, format!("cannot read standard input: {error}"))
        })?;
        return Ok(Text::from(request.as_slice()));
    }
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    Ok(Text::from(words.join(&b' ').as_slice()))
}

/// All that is piped, without its middle if it is long: the daemon looks at what it begins and ends with.
fn ends(input: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    while input.take(REQUEST_BYTES).read_to_end(&mut all)? > 0 {
        let (most, middle) = (REQUEST_BYTES as usize, REQUEST_BYTES as usize / 2);
        if let Some(over) = all.len().checked_sub(most) {
            all.drain(middle..middle + over);
        }
    }
    Ok(all)
}

/// A line for each file: its score, its path, and the parts of the score, the largest first.
fn explain(found: &ContextResult, world: &mut World<'_>) -> Result<(), Error> {
    for file in &found.scores {
        write!(world.out, "{:6.2}  ", file.score)?;
        world.out.write_all(&super::paint::one_line(file.path.as_bytes()))?;
        for part in &file.parts {
            write!(world.out, "  {} {:+.2}", part.signal, part.part)?;
        }
        world.out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_is_piped_the_beginning_and_the_end_are_kept() {
        let limit = REQUEST_BYTES as usize;
        for length in [0, limit - 1, limit, limit + 1, 3 * limit + 7] {
            let mut input = vec![b'.'; length];
            input.splice(0..0, *b"first");
            input.extend(*b"last");
            let kept = ends(&mut input.as_slice()).unwrap();
            assert!(kept.starts_with(b"first") && kept.ends_with(b"last"), "{length}");
            assert_eq!(kept.len(), input.len().min(limit), "{length}");
        }
    }
}
