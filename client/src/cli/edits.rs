//! `hob apply`, `hob undo` and `hob diff`: a model's edits, and turns.

use super::commands::{Group, Row, json_flag, limit_flag, number, on, positional, value};
use super::paint::{one_line, shown};
use super::status::print_answer;
use super::units::seconds;
use super::{Status, World};
use crate::error::reason;
use crate::{EditsApiClient as _, Error, ErrorKind, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::{AppliedFile, ApplyQuery, ApplyResult, Text, TurnList, UndoQuery, UndoneTurn};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::SystemTime;

pub(super) const APPLY: Row = Row {
    name: "apply",
    group: Group::Edits,
    synopsis: "[FLAGS] [REPLY-FILE|-]",
    about: "Make the edits that a model's reply asks for: all or none",
    define: define_apply,
    run: apply,
};

pub(super) const UNDO: Row = Row {
    name: "undo",
    group: Group::Edits,
    synopsis: "[--turns N] [--list] [--dry-run]",
    about: "Take back the last edits that were made",
    define: define_undo,
    run: undo,
};

pub(super) const DIFF: Row = Row {
    name: "diff",
    group: Group::Edits,
    synopsis: "[--turn N]",
    about: "Show what the last edits have changed",
    define: define_diff,
    run: diff,
};

/// What hooks of git need of the caller.
const ENVIRONMENT: [&str; 22] = [
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_EMAIL",
    "GIT_COMMITTER_NAME",
    "GIT_COMMITTER_EMAIL",
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "VIRTUAL_ENV",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "GNUPGHOME",
    "GIT_CONFIG_GLOBAL",
];

const AFTER_APPLY: &str = "\
The reply comes from a file or standard input, as a model gave it: SEARCH/REPLACE blocks, whole files,
unified diffs, or `*** Begin Patch`, with any text around them. Where an edit does not fit, nothing is
changed, and what is printed says which one and why: it can be sent back to the model as it is. Commands
that the reply suggests are told, and not run.

In a git repository the edits are committed, and before them what was not committed of the same files.
`hob undo` takes the last edits back, in a repository or not.

On a pipe each line has three fields, separated by tabs: edit, create, delete or rename, the path, and
the lines that are new, or of a rename the path before.

JSON: {\"root\", \"turn\"?, \"applied\": [{\"path\", \"from\"?, \"action\", \"ranges\"?: [{\"start\", \"end\"}]}], \"failed\":
[{\"block\"?, \"line\"?, \"path\"?, \"kind\", \"message\", \"nearest\"?: {\"line\", \"text\"}}], \"report\", \"warnings\"?:
[{\"path\", \"line\"}], \"commit\"?, \"saved\"?, \"shell\"?, \"notes\"?, \"diff\"?, \"elapsed_us\"}.

Exit status: 0 if the edits are made, 1 if they do not fit, 2 after an error; at 1 and 2 nothing was
changed, unless the daemon was lost meanwhile: `hob undo --list` tells.

Examples:
  hob apply reply.md
  wl-paste | hob apply --dry-run
";

const AFTER_UNDO: &str = "\
Files get back every byte, and those that were made are deleted. A commit of the edits that is the last
one and was not pushed is dropped; else another one reverts it. Where that would lose what was done later,
nothing is changed.

JSON: {\"root\", \"turns\": [{\"turn\", \"message\", \"files\": [{\"path\", \"from\"?, \"action\"}], \"dropped\",
\"reverted\"?, \"notes\"?}], \"elapsed_us\"}; of --list {\"root\", \"turns\": [{\"turn\", \"time\", \"message\", \"state\",
\"files\", \"commit\"?}], \"truncated\"}.

Exit status: 0 if something is taken back, or listed, 1 if there is nothing, 2 after an error.
";

const AFTER_DIFF: &str = "\
`git apply` takes what is printed, and with -R it leads back.

Exit status: 0 if there is something to show, 1 if there is nothing, 2 after an error.
";

fn define_apply(command: Command) -> Command {
    let formats = ["auto", "diff", "diff-fenced", "whole", "udiff", "patch"];
    command
        .arg(positional("reply", "FILE").help("The reply; `-`, or nothing: standard input"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(formats)
                .help("Take only edits of one form; diff and diff-fenced are blocks, the path above or in the fence [default: auto, all]"),
        )
        .arg(
            Arg::new("files")
                .long("files")
                .value_name("A,B")
                .value_delimiter(',')
                .action(ArgAction::Append)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::FilePath)
                .help(
                    "Files that edits were asked for: a name in the reply means one of these first",
                ),
        )
        .arg(
            Arg::new("message")
                .short('m')
                .long("message")
                .value_name("TEXT")
                .value_hint(ValueHint::Other)
                .help("The message of the commit [default: what was edited]"),
        )
        .arg(switch("no-commit", "Leave git alone"))
        .arg(switch("dry-run", "Show what would be changed, and change nothing"))
        .arg(json_flag())
        .after_help(AFTER_APPLY)
}

fn define_undo(command: Command) -> Command {
    command
        .arg(
            Arg::new("turns")
                .long("turns")
                .value_name("N")
                .value_parser(value_parser!(u64).range(1..))
                .help("How many to take back, the last one first [default: 1]"),
        )
        .arg(switch("list", "List the edits that were made, and change nothing"))
        .arg(limit_flag("With --list: at most so many [default: 50]"))
        .arg(switch("dry-run", "Show what would be taken back, and change nothing"))
        .arg(json_flag())
        .after_help(AFTER_UNDO)
}

fn define_diff(command: Command) -> Command {
    command
        .arg(
            Arg::new("turn")
                .long("turn")
                .value_name("N")
                .value_parser(value_parser!(u64))
                .help("Which, as `hob undo --list` numbers them [default: the last that stands]"),
        )
        .after_help(AFTER_DIFF)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn apply(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let files = matches.get_many::<OsString>("files").unwrap_or_default();
    let files = files.filter(|file| !file.is_empty());
    let variable = |name: &&str| {
        let value = (world.env)(name)?;
        Some(((*name).to_owned(), Text::from(value.as_bytes())))
    };
    let query = ApplyQuery {
        dir: world.directory(None)?,
        reply: reply(value(matches, "reply"), world)?,
        format: matches.get_one::<String>("format").cloned(),
        files: files.map(|file| Text::from(Path::new(file))).collect(),
        seen: Vec::new(),
        message: matches.get_one::<String>("message").cloned(),
        no_commit: on(matches, "no-commit"),
        dry_run: on(matches, "dry-run"),
        umask: Some(umask()),
        environment: ENVIRONMENT.iter().filter_map(variable).collect::<BTreeMap<_, _>>(),
    };
    let found = world.ask_once(|connection| block_on(connection.apply(query.clone())))?;
    match on(matches, "json") {
        true => print_answer(world)?,
        false => print(&found, world)?,
    }
    Ok(if found.applied.is_empty() { Status::Nothing } else { Status::Done })
}

/// What permissions new files lack here. The system tells it only to whoever sets it.
fn umask() -> u32 {
    let umask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(umask);
    umask.bits()
}

fn reply(file: Option<&OsString>, world: &mut World<'_>) -> Result<Text, Error> {
    let mut reply = Vec::new();
    let (read, name) = match file.filter(|file| *file != "-") {
        Some(file) => {
            let opened = std::fs::File::open(file);
            (opened.and_then(|mut file| file.read_to_end(&mut reply)), file.to_string_lossy())
        }
        None => {
            let input = std::io::stdin();
            if input.is_terminal() {
                world.note("the reply is read from the terminal", "Ctrl-D ends it")?;
            }
            (input.lock().read_to_end(&mut reply), "standard input".into())
        }
    };
    match read {
        Ok(_) => Ok(Text::from(reply)),
        Err(error) => {
            let message = format!("cannot read `{name}`: {}", reason(&error));
            Err(Error::new(ErrorKind::Usage, message).hint("name the file that the reply is in"))
        }
    }
}

fn print(found: &ApplyResult, world: &mut World<'_>) -> Result<(), Error> {
    match &found.diff {
        Some(diff) => world.out.write_all(diff.as_bytes())?,
        None => print_files(&found.applied, world)?,
    }
    world.out.write_all(found.report.as_bytes())?;
    world.out.flush()?;
    for warning in &found.warnings {
        let path = shown(warning.path.as_bytes());
        let what = format!("`{path}` does not parse any more, from line {} on", warning.line);
        world.note(&what, "it did before: look at it, or take it back with `hob undo`")?;
    }
    for note in &found.notes {
        world.note(note, "")?;
    }
    let lines =
        found.shell.iter().flat_map(|command| command.as_bytes().split(|byte| *byte == b'\n'));
    for line in lines.filter(|line| !line.trim_ascii().is_empty()) {
        world.note(&format!("the reply suggests to run: {}", shown(line.trim_ascii())), "")?;
    }
    if let Some(turn) = found.turn {
        let id = |id: &Option<String>, what: &str| {
            id.as_deref().map_or_else(String::new, |id| format!(", {what} {}", short(id)))
        };
        let commit =
            id(&found.commit, "committed as") + &id(&found.saved, "what was there before as");
        writeln!(world.err, "turn {turn}{commit}; `hob undo` takes it back")?;
    }
    Ok(())
}

fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// A line for each file.
fn print_files(files: &[AppliedFile], world: &mut World<'_>) -> Result<(), Error> {
    for file in files {
        write!(world.out, "{}\t{}", file.action, shown(file.path.as_bytes()))?;
        if let Some(from) = &file.from {
            write!(world.out, "\t{}", shown(from.as_bytes()))?;
        }
        let ranges: Vec<String> = file.ranges.iter().map(range).collect();
        if file.from.is_none() && !ranges.is_empty() {
            write!(world.out, "\t{}", ranges.join(","))?;
        }
        world.out.write_all(b"\n")?;
    }
    Ok(())
}

fn range(range: &hob_protocol::LineRange) -> String {
    match range.end > range.start {
        true => format!("{}-{}", range.start, range.end),
        false => range.start.to_string(),
    }
}

fn undo(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let dir = world.directory(None)?;
    if on(matches, "list") {
        let limit = number(matches, "limit");
        let found = world.ask(|connection, _| block_on(connection.turns(dir.clone(), limit)))?;
        match on(matches, "json") {
            true => print_answer(world)?,
            false => print_list(&found, world)?,
        }
        return Ok(if found.turns.is_empty() { Status::Nothing } else { Status::Done });
    }
    let (turns, dry_run) = (number(matches, "turns"), on(matches, "dry-run"));
    let query = UndoQuery { dir, turns, dry_run };
    let found = world.ask_once(|connection| block_on(connection.undo(query.clone())))?;
    if on(matches, "json") {
        print_answer(world)?;
    } else {
        for turn in &found.turns {
            print_undone(turn, dry_run, world)?;
        }
    }
    if found.turns.is_empty() {
        world.note("there is nothing to take back", "`hob undo --list` tells what was made")?;
    }
    Ok(if found.turns.is_empty() { Status::Nothing } else { Status::Done })
}

fn print_undone(turn: &UndoneTurn, dry_run: bool, world: &mut World<'_>) -> Result<(), Error> {
    print_files(&turn.files, world)?;
    world.out.flush()?;
    let commit = match (&turn.reverted, turn.dropped, dry_run) {
        (Some(id), ..) => format!(", by the commit {}", short(id)),
        (None, true, false) => ", its commit is dropped".to_owned(),
        (None, true, true) => ", its commit would be dropped".to_owned(),
        _ => String::new(),
    };
    let what = if dry_run { "would be taken back" } else { "is taken back" };
    let message = String::from_utf8_lossy(&one_line(turn.message.as_bytes())).into_owned();
    writeln!(world.err, "turn {} {what}{commit}: {message}", turn.turn)?;
    for note in &turn.notes {
        world.note(note, "")?;
    }
    Ok(())
}

fn print_list(found: &TurnList, world: &mut World<'_>) -> Result<(), Error> {
    for turn in &found.turns {
        let commit = turn.commit.as_deref().map_or("-", short);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let when = seconds(now.as_secs().saturating_sub(turn.time));
        let message = one_line(turn.message.as_bytes());
        write!(world.out, "{}\t{}\t{when} ago\t{commit}\t", turn.turn, turn.state)?;
        world.out.write_all(&message)?;
        world.out.write_all(b"\n")?;
    }
    if found.truncated {
        world.note("there are more", "a larger `--limit` shows them")?;
    }
    Ok(())
}

fn diff(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let (dir, turn) = (world.directory(None)?, number(matches, "turn"));
    let found = world.ask(|connection, _| block_on(connection.diff(dir.clone(), turn)))?;
    world.out.write_all(found.text.as_bytes())?;
    if found.turn.is_none() {
        world
            .note("no edits stand that could be shown", "`hob undo --list` tells what was made")?;
    }
    Ok(if found.text.as_bytes().is_empty() { Status::Nothing } else { Status::Done })
}
