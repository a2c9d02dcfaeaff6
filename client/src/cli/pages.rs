//! `hob-pages`: live pages, figures, and what shells and `man` want to know of the commands, made of the
//! same rows as they are. A program of its own, so that `hob` stays small.

use super::commands::{COMMANDS, Row, global_flags, root, utf8, value, whole};
use super::{Status, World, cache, live, manuals, profile, stats, top, usage};
use crate::error::reason;
use crate::{Error, ErrorKind};
use clap::{ArgMatches, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use std::ffi::OsString;
use std::path::Path;

/// Runs a command line that `hob` has passed on.
pub(super) fn run(mut args: Vec<OsString>, world: &mut World<'_>) -> Result<Status, Error> {
    let name = if args.is_empty() { OsString::new() } else { args.remove(0) };
    let row = match name.to_str() {
        Some("completions") => Row { run: completions, ..manuals::COMPLETIONS },
        Some("man") => Row { run: man, ..manuals::MAN },
        Some("top") => Row { run: live::run, ..top::ROW },
        Some("stats") => Row { run: stats::run, ..stats::ROW },
        Some("profile") => Row { run: profile::run, ..profile::ROW },
        Some("cache") => Row { run: cache::run, ..cache::ROW },
        _ => {
            return Err(Error::new(ErrorKind::Usage, "this is what `hob` makes its pages with")
                .hint("run `hob top`, `stats`, `profile`, `cache`, `man` or `completions`"));
        }
    };
    match row.command().try_get_matches_from(args) {
        Ok(matches) => (row.run)(&matches, world),
        Err(error) => usage::report(&error, row.name, world),
    }
}

fn completions(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let shell = matches.get_one::<String>("shell").map(|shell| shell.parse::<Shell>());
    let Some(Ok(shell)) = shell else {
        return Err(Error::new(ErrorKind::Usage, "`SHELL` is missing"));
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut whole(), "hob", &mut script);
    world.out.write_all(&script)?;
    Ok(Status::Done)
}

fn man(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    if let Some(dir) = value(matches, "dir") {
        return write_all(Path::new(dir), world);
    }
    let words = matches.get_many::<OsString>("command").unwrap_or_default();
    let words: Result<Vec<&str>, Error> = words.map(|word| utf8(word, "the command")).collect();
    let words = words?.join(" ");
    let Some((_, command)) = pages().into_iter().find(|(name, _)| *name == words) else {
        let message = format!("`{words}` is no command");
        return Err(Error::new(ErrorKind::Usage, message).hint("see `hob help`"));
    };
    let page = page(command)?;
    world.out.write_all(&page)?;
    Ok(Status::Done)
}

fn write_all(dir: &Path, world: &mut World<'_>) -> Result<Status, Error> {
    let failed = |path: &Path, error: &std::io::Error| {
        let message = format!("cannot write `{}`: {}", path.display(), reason(error));
        Error::new(ErrorKind::Io, message).hint("name a directory that is yours with `--dir`")
    };
    std::fs::create_dir_all(dir).map_err(|error| failed(dir, &error))?;
    let pages = pages();
    for (_, command) in &pages {
        let name = command.get_display_name().unwrap_or("hob");
        let path = dir.join(format!("{name}.1"));
        std::fs::write(&path, page(command.clone())?).map_err(|error| failed(&path, &error))?;
    }
    writeln!(world.out, "{} pages in {}", pages.len(), dir.display())?;
    Ok(Status::Done)
}

/// All pages, by the words of their commands: none for hob's own.
fn pages() -> Vec<(String, Command)> {
    let commands = COMMANDS.iter().map(|row| Command::new(row.name).about(row.about));
    let overview = root().subcommands(commands).after_help(usage::ENDING);
    let mut pages = vec![(String::new(), overview)];
    for row in COMMANDS {
        let command = (row.define)(Command::new(row.name).about(row.about));
        let below: Vec<Command> = command.get_subcommands().cloned().collect();
        pages.push((row.name.to_owned(), described(command, row.name)));
        for command in below {
            let words = format!("{} {}", row.name, command.get_name());
            pages.push((words.clone(), described(command, &words)));
        }
    }
    pages
}

/// A command as its page shows it.
fn described(command: Command, words: &str) -> Command {
    command
        .bin_name(format!("hob {words}"))
        .display_name(format!("hob-{}", words.replace(' ', "-")))
        .version(env!("CARGO_PKG_VERSION"))
        .args(global_flags())
        .disable_help_subcommand(true)
}

fn page(command: Command) -> Result<Vec<u8>, Error> {
    let mut page = Vec::new();
    // A date that is empty is not written, and the source is then read in its place.
    let man = Man::new(command).date(" ").source(concat!("hob ", env!("CARGO_PKG_VERSION")));
    man.render(&mut page)?;
    Ok(page)
}
