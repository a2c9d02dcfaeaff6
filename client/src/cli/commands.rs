//! The table of commands, and how a command line finds its row.
//!
//! Only the command that is run builds its arguments: that keeps the start of `hob` short.

use super::{Status, World, usage};
use crate::Error;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use std::ffi::{OsStr, OsString};

/// Where a command stands in the help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Search,
    Edits,
    Workspaces,
    Daemon,
}

/// A command.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) group: Group,
    /// Its arguments, for the overview.
    pub(super) synopsis: &'static str,
    /// One line of what it does.
    pub(super) about: &'static str,
    /// Adds its arguments.
    pub(super) define: fn(Command) -> Command,
    /// Does it.
    pub(super) run: fn(&ArgMatches, &mut World<'_>) -> Result<Status, Error>,
}

/// All commands, in the order of the help.
pub(super) const COMMANDS: &[Row] = &[
    super::search::ROW,
    super::symbols::ROW,
    super::files::ROW,
    super::outline::ROW,
    super::names::DEF,
    super::names::REFS,
    super::calls::CALLERS,
    super::calls::CALLEES,
    super::context::ROW,
    super::map::ROW,
    super::edits::APPLY,
    super::edits::UNDO,
    super::edits::DIFF,
    super::kinds::TYPES,
    super::kinds::LANGUAGES,
    super::index::ROW,
    super::status::ROW,
    super::workspaces::ROW,
    super::ping::ROW,
    super::rpc::ROW,
    super::tasks::ROW,
    super::profile::ROW,
    super::stats::ROW,
    super::top::ROW,
    super::cache::ROW,
    super::daemon::ROW,
    super::doctor::ROW,
    super::manuals::COMPLETIONS,
    super::manuals::MAN,
];

impl Row {
    /// The command with its arguments.
    pub(super) fn command(&self) -> Command {
        let command = Command::new(self.name)
            .bin_name(format!("hob {}", self.name))
            .about(self.about)
            .no_binary_name(true)
            .args_override_self(true)
            .disable_help_subcommand(true)
            .disable_version_flag(true)
            .args(global_flags());
        (self.define)(command)
    }
}

/// The program as a command, for what describes it: without the commands below it.
pub(super) fn root() -> Command {
    Command::new("hob")
        .about("keeps a codebase warm, and answers questions about it at once")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .args(global_flags())
}

/// The same with all of them.
pub(super) fn whole() -> Command {
    let commands = COMMANDS.iter().map(|row| (row.define)(Command::new(row.name).about(row.about)));
    let name = positional("command", "COMMAND");
    root()
        .subcommands(commands)
        .subcommand(Command::new("help").about("Tell all of a command").arg(name))
}

/// The flags that every command takes, before its name as well.
pub(super) fn global_flags() -> [Arg; 2] {
    let no_sync = Arg::new("no-sync").long("no-sync").action(ArgAction::SetTrue).global(true);
    let color = Arg::new("color").long("color").value_name("WHEN").global(true);
    [
        no_sync.help("Answer from the state at hand, without waiting for changes under way"),
        color
            .value_parser(["auto", "always", "never", "ansi"])
            .default_value("auto")
            .hide_possible_values(true)
            .help("Colours: auto, always, never or ansi; NO_COLOR is obeyed"),
    ]
}

/// Runs a command line.
pub(super) fn dispatch(mut args: Vec<OsString>, world: &mut World<'_>) -> Result<Status, Error> {
    let before = leading_flags(&args);
    let mut rest = args.split_off(before);
    let Some(name) = rest.first().and_then(|name| name.to_str()) else {
        return usage::unknown(&rest, world);
    };
    match name {
        "help" => return usage::help(&rest[1..], world),
        "-h" | "--help" => return usage::help(&[], world),
        "-V" | "--version" => return usage::version(world),
        _ => {}
    }
    let Some(row) = find(name) else { return usage::unknown(&rest, world) };
    // Those that come last win, so the flags of the command itself come after.
    args.extend(rest.drain(1..));
    match row.command().try_get_matches_from(args) {
        Ok(matches) => (row.run)(&matches, world),
        Err(error) => usage::report(&error, row.name, world),
    }
}

pub(super) fn find(name: &str) -> Option<&'static Row> {
    COMMANDS.iter().find(|row| row.name == name)
}

/// How many arguments before the command's name are global flags and their values.
pub(super) fn leading_flags(args: &[OsString]) -> usize {
    let mut taken = 0;
    while let Some(arg) = args.get(taken).and_then(|arg| arg.to_str()) {
        taken += match arg {
            "--no-sync" => 1,
            // Only a search knows it, but it may stand before its name.
            "--profile" => 1,
            "--color" if taken + 1 < args.len() => 2,
            _ if arg.starts_with("--color=") => 1,
            _ => break,
        };
    }
    taken
}

/// Whether a switch is on.
pub(super) fn on(matches: &ArgMatches, id: &str) -> bool {
    matches.get_flag(id)
}

/// The value of an argument that is a path or free text.
pub(super) fn value<'m>(matches: &'m ArgMatches, id: &str) -> Option<&'m OsString> {
    matches.get_one::<OsString>(id)
}

/// An argument for a path or free text, without a flag.
pub(super) fn positional(id: &'static str, name: &'static str) -> Arg {
    let hint = match name {
        "DIR" => ValueHint::DirPath,
        "FILE" | "PATH" => ValueHint::AnyPath,
        _ => ValueHint::Other,
    };
    Arg::new(id).value_name(name).value_parser(value_parser!(OsString)).value_hint(hint)
}

/// The switch `--json`.
pub(super) fn json_flag() -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help("Print one JSON object")
}

/// The flag `--limit`.
pub(super) fn limit_flag(help: &'static str) -> Arg {
    Arg::new("limit").long("limit").value_name("NUM").value_parser(value_parser!(u64)).help(help)
}

/// The value of a flag that is a number.
pub(super) fn number(matches: &ArgMatches, flag: &str) -> Option<u64> {
    matches.get_one::<u64>(flag).copied()
}

/// The values of a flag that is text.
pub(super) fn texts(matches: &ArgMatches, flag: &str) -> Result<Vec<String>, Error> {
    let given = matches.get_many::<OsString>(flag).unwrap_or_default();
    given.map(|text| utf8(text, &format!("the value of `--{flag}`")).map(str::to_owned)).collect()
}

/// Whether to colour: as asked, else on a terminal that can and may.
pub(super) fn color(matches: &ArgMatches, world: &World<'_>) -> bool {
    match matches.get_one::<String>("color").map_or("auto", String::as_str) {
        "always" | "ansi" => true,
        "never" => false,
        _ => {
            let able = (world.env)("TERM").is_some_and(|term| term != "dumb");
            world.out_is_terminal && able && (world.env)("NO_COLOR").is_none()
        }
    }
}

/// Text that a method's parameter needs to be UTF-8.
pub(super) fn utf8<'t>(text: &'t OsStr, what: &str) -> Result<&'t str, Error> {
    text.to_str().ok_or_else(|| {
        let shown = text.to_string_lossy();
        Error::new(crate::ErrorKind::Usage, format!("{what} `{shown}` is not UTF-8"))
    })
}
