//! `hob top`: the daemon in numbers, live. The page itself is drawn by `hob-pages`: [`super::live`].

use super::commands::{Group, Row};
use super::manuals;
use clap::{Arg, Command, value_parser};

pub(super) const ROW: Row = Row {
    name: "top",
    group: Group::Daemon,
    synopsis: "[--every MS]",
    about: "Show the daemon in numbers, live",
    define,
    run: manuals::pass_on,
};

/// How often the page is drawn anew where nothing else is said, in milliseconds.
pub(super) const EVERY: u64 = 1_000;

fn define(command: Command) -> Command {
    let every = Arg::new("every").long("every").value_name("MS");
    command
        .arg(
            every
                .value_parser(value_parser!(u64).range(100..=60_000))
                .help("Look again every MS milliseconds, from 100 to 60000 (1000)"),
        )
        .after_help(
            "Keys: t, s, c and p order by total, self, count and p99; space stops and goes on;\n\
             q or Ctrl-C leaves. Operations are those of the last minute or two.",
        )
}
