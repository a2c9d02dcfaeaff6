//! `hob map`: the ranked outline of a workspace.

use super::commands::{Group, Row, json_flag, number, on};
use super::context::{budget, counted, focus, focused, model};
use super::status::print_answer;
use super::{Status, World};
use crate::{ContextApiClient as _, Error, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::{MapQuery, Text};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

pub(super) const ROW: Row = Row {
    name: "map",
    group: Group::Search,
    synopsis: "[FLAGS]",
    about: "Show the definitions that matter most in the workspace, as an outline",
    define,
    run,
};

const AFTER: &str = "\
What is printed fits into the budget: the names of files that tell what the project is and how it is built,
then each file's path, and below it a line `LINE: SIGNATURE` for each definition. Definitions come by rank:
who is mentioned by many, and by those that many mention, comes first; files in focus and names that are
mentioned make what they lead to come before all else. Files in focus are left out: whoever asks has them.

JSON: {\"root\", \"generation\", \"freshness\", \"named\": [\"path\", ...], \"files\": [\"path\", ...],
\"definitions\": [{\"path\", \"line\", \"end\", \"kind\", \"name\"}], \"tokens\", \"tokenizer\", \"text\", \"elapsed_us\"}.
Files and definitions come in order of priority.

Exit status: 0 if something is shown, 1 if nothing is, 2 after an error.

Examples:
  hob map
  hob map --budget 2000 -f src/main.rs --mention Config
  hob map --json --model gpt-4o | jq -r .text
";

fn define(command: Command) -> Command {
    let mention = Arg::new("mention")
        .long("mention")
        .value_name("WORD")
        .action(ArgAction::Append)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::Other);
    command
        .arg(focus())
        .arg(mention.help("A name of code, a word or a path that is spoken of; may be repeated"))
        .arg(budget("4096, by `context.map_tokens`"))
        .arg(model())
        .arg(json_flag())
        .after_help(AFTER)
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let mentions = matches.get_many::<OsString>("mention").unwrap_or_default();
    let query = MapQuery {
        budget: number(matches, "budget"),
        model: matches.get_one::<String>("model").cloned(),
        focus: focused(matches),
        mentions: mentions.map(|mention| Text::from(mention.as_bytes())).collect(),
        no_sync: on(matches, "no-sync"),
        ..MapQuery::in_dir(world.current_dir()?)
    };
    let found = world.ask(|connection, _| block_on(connection.map(query.clone())))?;
    if on(matches, "json") {
        print_answer(world)?;
    } else {
        world.out.write_all(found.text.as_bytes())?;
    }
    counted(query.model.as_deref(), &found.tokenizer, world)?;
    if found.text.as_bytes().is_empty() {
        world.note("nothing is shown", "a larger `--budget` has room for more, if there is any")?;
    }
    Ok(if found.text.as_bytes().is_empty() { Status::Nothing } else { Status::Done })
}
