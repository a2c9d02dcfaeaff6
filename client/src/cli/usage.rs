//! Help, the version, and errors of usage.

use super::commands::{COMMANDS, find};
use super::{Group, Status, World};
use crate::{Error, ErrorKind};
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind as ClapKind};
use std::ffi::OsString;
use std::fmt::Write as _;

const GROUPS: [(Group, &str); 4] = [
    (Group::Search, "Search"),
    (Group::Edits, "Edits"),
    (Group::Workspaces, "Workspaces"),
    (Group::Daemon, "Daemon"),
];

const EXAMPLES: &str = "\
Examples:
  hob search 'fn main'               lines, as `rg --sort path` prints them
  hob search -il -trust todo src     names of the Rust files in `src` with a todo
  hob index --wait                   make this directory a workspace, and watch it being indexed
  hob status --json | jq .freshness
  hob rpc daemon.status
";

pub(super) const ENDING: &str = "\
Everywhere: --no-sync answers without waiting for changes under way, --color auto|always|never.
Exit status: 0 done or found, 1 nothing found, 2 an error.
The daemon starts by itself. `hob help COMMAND` tells all of a command.
";

/// `hob help [COMMAND [COMMAND OF IT]]`.
pub(super) fn help(names: &[OsString], world: &mut World<'_>) -> Result<Status, Error> {
    let text = match names.first() {
        None => overview(),
        Some(name) => match name.to_str().and_then(find) {
            Some(row) => {
                let mut command = row.command();
                for name in &names[1..] {
                    let Some(below) = command.find_subcommand(name) else {
                        let shown = name.to_string_lossy();
                        let message = format!("`{shown}` is no command of `hob {}`", row.name);
                        let hint = format!("see `hob help {}`", row.name);
                        return Err(Error::new(ErrorKind::Usage, message).hint(hint));
                    };
                    let whole =
                        format!("{} {}", command.get_bin_name().unwrap_or("hob"), below.get_name());
                    command = below.clone().bin_name(whole).args(super::commands::global_flags());
                }
                command.render_help().to_string()
            }
            None => return unknown(names, world),
        },
    };
    world.out.write_all(text.as_bytes())?;
    Ok(Status::Done)
}

/// `hob --version`.
pub(super) fn version(world: &mut World<'_>) -> Result<Status, Error> {
    writeln!(world.out, "{}", crate::connection::NAME)?;
    Ok(Status::Done)
}

/// The overview of all commands.
pub(super) fn overview() -> String {
    let mut text = "hob keeps a codebase warm, and answers questions about it at once\n\n\
                    Usage: hob COMMAND [ARGUMENTS]\n"
        .to_owned();
    for (group, title) in GROUPS {
        let _ = write!(text, "\n{title}:\n");
        for row in COMMANDS.iter().filter(|row| row.group == group) {
            let left = format!("{} {}", row.name, row.synopsis);
            let _ = writeln!(text, "  {left:<37}  {}", row.about);
        }
    }
    let _ = write!(text, "\n{EXAMPLES}\n{ENDING}");
    text
}

/// A command line that names no command: an error with the nearest name.
pub(super) fn unknown(args: &[OsString], world: &mut World<'_>) -> Result<Status, Error> {
    let names = COMMANDS.iter().map(|row| Command::new(row.name));
    let root = Command::new("hob")
        .no_binary_name(true)
        .disable_version_flag(true)
        .subcommands(names)
        .subcommand_required(true)
        .args(super::commands::global_flags());
    match root.try_get_matches_from(args) {
        Err(error) => report(&error, "", world),
        // Only a name that is no text comes here, and no command has one.
        Ok(_) => Err(Error::new(ErrorKind::Usage, "no such command").hint("see `hob help`")),
    }
}

/// Says what clap found: help on standard output, anything else as an error of ours.
pub(super) fn report(
    error: &clap::Error,
    command: &str,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    match error.kind() {
        ClapKind::DisplayHelp | ClapKind::DisplayVersion => {
            world.out.write_all(error.to_string().as_bytes())?;
            Ok(Status::Done)
        }
        _ => Err(Error::new(ErrorKind::Usage, message(error)).hint(hint(error, command))),
    }
}

fn message(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join("`, `"),
        _ => String::new(),
    };
    let argument = text(ContextKind::InvalidArg);
    match error.kind() {
        ClapKind::InvalidSubcommand => {
            format!("`{}` is no command", text(ContextKind::InvalidSubcommand))
        }
        ClapKind::MissingSubcommand | ClapKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "a command is missing".to_owned()
        }
        ClapKind::UnknownArgument => format!("`{argument}` is not expected here"),
        ClapKind::MissingRequiredArgument => format!("`{argument}` is missing"),
        ClapKind::InvalidValue if text(ContextKind::InvalidValue).is_empty() => {
            format!("`{argument}` needs a value")
        }
        ClapKind::InvalidValue | ClapKind::ValueValidation => {
            format!("`{argument}` cannot be `{}`", text(ContextKind::InvalidValue))
        }
        _ => plain(error),
    }
}

/// clap's own words, in our form.
fn plain(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").replace('\'', "`")
}

fn hint(error: &clap::Error, command: &str) -> String {
    let suggestion = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg]
        .into_iter()
        .find_map(|kind| match error.get(kind)? {
            ContextValue::String(name) => Some(name.clone()),
            // clap puts the nearest last.
            ContextValue::Strings(names) => names.last().cloned(),
            _ => None,
        });
    let valid = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => Some(values.join("`, `")),
        _ => None,
    };
    let help = if command.is_empty() { "hob help".into() } else { format!("hob help {command}") };
    match (suggestion, valid) {
        (Some(name), _) => format!("did you mean `{name}`? see `{help}`"),
        (None, Some(values)) => format!("it can be `{values}`"),
        (None, None) => format!("see `{help}`"),
    }
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
