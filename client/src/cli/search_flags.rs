//! The table of `hob search`'s flags: each is a row, named and meant as in ripgrep 15.

use clap::{Arg, ArgAction, Command, value_parser};
use std::ffi::OsString;

/// What a flag takes.
#[derive(Clone, Copy)]
pub(super) enum Takes {
    /// Nothing.
    Switch,
    /// Nothing; and `--no-…` or the like takes it back, without a place in the help.
    Undoable(&'static str),
    /// Text, each time that it is given.
    Texts(&'static str),
    /// A number; the last one counts.
    Number(&'static str),
}

/// A flag.
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
    pub(super) takes: Takes,
    pub(super) section: &'static str,
    pub(super) help: &'static str,
}

use Takes::{Number, Switch, Texts, Undoable};

const PATTERN: &str = "Patterns";
const FILES: &str = "Files";
const OUTPUT: &str = "Output";
const LIMITS: &str = "Limits";

/// All of them, in the order of the help.
pub(super) const FLAGS: &[Flag] = &[
    row(PATTERN, 'e', "regexp", Texts("PATTERN"), "Search for this; all other arguments are paths"),
    row(PATTERN, 'F', "fixed-strings", Undoable("no-fixed-strings"), "Take patterns literally"),
    row(PATTERN, 'i', "ignore-case", Switch, "Ignore case (the last of -i, -s, -S wins)"),
    row(PATTERN, 's', "case-sensitive", Switch, "Tell upper and lower case apart (the default)"),
    row(PATTERN, 'S', "smart-case", Switch, "Ignore case if the patterns are all lower case"),
    row(PATTERN, 'w', "word-regexp", Switch, "Match whole words (the last of -w, -x wins)"),
    row(PATTERN, 'x', "line-regexp", Switch, "Match whole lines"),
    row(PATTERN, 'v', "invert-match", Undoable("no-invert-match"), "Find lines without a match"),
    row(FILES, 'g', "glob", Texts("GLOB"), "Only paths that match; a leading ! excludes them"),
    row(FILES, 't', "type", Texts("TYPE"), "Only files of this type"),
    row(FILES, 'T', "type-not", Texts("TYPE"), "No files of this type"),
    row(FILES, '.', "hidden", Undoable("no-hidden"), "Hidden files and directories too"),
    row(FILES, NONE, "no-ignore", Undoable("ignore"), "Ignored files too"),
    row(FILES, 'L', "follow", Undoable("no-follow"), "Follow symbolic links"),
    row(OUTPUT, 'l', "files-with-matches", Switch, "Only names of files with a match"),
    row(OUTPUT, NONE, "files-without-match", Switch, "Only names of files without one"),
    row(OUTPUT, 'c', "count", Switch, "Count matching lines of each file; with -o, matches"),
    row(OUTPUT, NONE, "count-matches", Switch, "Count matches of each file"),
    row(OUTPUT, NONE, "json", Undoable("no-json"), "ripgrep's JSON Lines"),
    row(OUTPUT, 'o', "only-matching", Switch, "Only the parts that match"),
    row(OUTPUT, NONE, "profile", Switch, "Tell on standard error where the time went"),
    row(OUTPUT, 'q', "quiet", Switch, "Print nothing, and stop at the first match"),
    row(OUTPUT, 'A', "after-context", Number("NUM"), "Lines to show after each match"),
    row(OUTPUT, 'B', "before-context", Number("NUM"), "Lines to show before each match"),
    row(
        OUTPUT,
        'C',
        "context",
        Number("NUM"),
        "Lines to show before and after; -A and -B go first",
    ),
    row(OUTPUT, '0', "null", Switch, "A NUL byte after each file's name"),
    row(OUTPUT, NONE, "heading", Undoable("no-heading"), "Names above lines, as on a terminal"),
    row(OUTPUT, 'p', "pretty", Switch, "As on a terminal: --color always --heading"),
    row(OUTPUT, 'n', "line-number", Switch, "Line numbers (always on)"),
    row(OUTPUT, 'H', "with-filename", Switch, "Names of files (always on)"),
    row(LIMITS, 'm', "max-count", Number("NUM"), "At most so many matching lines of each file"),
    row(LIMITS, NONE, "limit", Number("NUM"), "At most so many matching lines in all"),
    row(LIMITS, NONE, "deadline", Number("MS"), "Stop after so many milliseconds"),
];

/// No short form.
const NONE: char = '\0';

const fn row(
    section: &'static str,
    short: char,
    long: &'static str,
    takes: Takes,
    help: &'static str,
) -> Flag {
    let short = if short == NONE { None } else { Some(short) };
    Flag { long, short, takes, section, help }
}

/// Adds them all to a command.
pub(super) fn define(mut command: Command) -> Command {
    for flag in FLAGS {
        command = command.arg(flag.arg());
        if let Undoable(undo) = flag.takes {
            command = command.arg(undoing(flag, undo));
        }
    }
    command
}

impl Flag {
    fn arg(&self) -> Arg {
        let mut arg = Arg::new(self.long).long(self.long).help(self.help);
        if let Some(short) = self.short {
            arg = arg.short(short);
        }
        let arg = arg.help_heading(self.section);
        match self.takes {
            Switch | Undoable(_) => arg.action(ArgAction::SetTrue),
            Texts(name) => arg
                .action(ArgAction::Append)
                .value_name(name)
                .value_parser(value_parser!(OsString))
                .allow_hyphen_values(true),
            Number(name) => arg.value_name(name).value_parser(value_parser!(u64)),
        }
    }
}

/// The flag that takes another back. The later of the two wins, by their places.
fn undoing(flag: &Flag, undo: &'static str) -> Arg {
    Arg::new(undo).long(undo).action(ArgAction::SetTrue).hide(true).help_heading(flag.section)
}
