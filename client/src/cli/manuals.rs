//! `hob completions SHELL` and `hob man`. What makes them is large and seldom used, so `hob` has it
//! done by `hob-pages`, which is [`super::pages`], and so it has live pages.

use super::commands::{Group, Row, leading_flags, positional};
use super::{Status, World};
use crate::error::reason;
use crate::start::in_path;
use crate::{Error, ErrorKind};
use clap::{Arg, ArgMatches, Command, ValueHint, value_parser};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

/// The program that makes them.
const PROGRAM: &str = "hob-pages";

pub(super) const COMPLETIONS: Row = Row {
    name: "completions",
    group: Group::Daemon,
    synopsis: "SHELL",
    about: "Print what a shell completes commands by",
    define: define_completions,
    run: pass_on,
};

pub(super) const MAN: Row = Row {
    name: "man",
    group: Group::Daemon,
    synopsis: "[COMMAND] [--dir DIR]",
    about: "Print a page of the manual",
    define: define_man,
    run: pass_on,
};

fn define_completions(command: Command) -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true);
    command
        .arg(shell.value_parser(["bash", "elvish", "fish", "powershell", "zsh"]).help("Your shell"))
        .after_help(
            "bash:  hob completions bash > ~/.local/share/bash-completion/completions/hob\n\
         zsh:   hob completions zsh > DIR/_hob, where DIR is one of $fpath\n\
         fish:  hob completions fish > ~/.config/fish/completions/hob.fish",
        )
}

fn define_man(command: Command) -> Command {
    let dir = Arg::new("dir").long("dir").value_name("DIR").value_parser(value_parser!(OsString));
    command
        .arg(positional("command", "COMMAND").num_args(0..).help("Its page, else that of hob"))
        .arg(dir.value_hint(ValueHint::DirPath).help("Write all pages there, a file each"))
        .after_help("To read one: hob man search | man -l -\nTo install all: hob man --dir ~/.local/share/man/man1")
}

/// Becomes the program that does it, with the same arguments.
pub(super) fn pass_on(_: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let program = find(world)?;
    let command = &args[leading_flags(&args).min(args.len())..];
    world.out.flush()?;
    let error = std::process::Command::new(&program).args(command).exec();
    let message = format!("cannot run `{}`: {}", program.display(), reason(&error));
    Err(Error::new(ErrorKind::Start, message).hint("install `hob` anew: `hob-pages` comes with it"))
}

/// `$HOB_PAGES`, else the one beside this program, else the one in `PATH`.
fn find(world: &World<'_>) -> Result<PathBuf, Error> {
    if let Some(named) = (world.env)("HOB_PAGES") {
        return Ok(named.into());
    }
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name(PROGRAM));
    let path = (world.env)("PATH");
    let found = beside.filter(|program| program.is_file());
    found.or_else(|| in_path(OsStr::new(PROGRAM), path.as_deref())).ok_or_else(|| {
        Error::new(ErrorKind::Start, "`hob-pages` is neither beside `hob` nor in `PATH`")
            .hint("install it there: it comes with `hob`; or set `HOB_PAGES` to its path")
    })
}
