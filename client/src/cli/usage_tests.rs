//! Help, and what mistakes in a command line come to.

use crate::cli::commands;
use crate::cli::tests::{check, nobody, terminal};
use expect_test::expect;

#[test]
fn mistakes_get_a_suggestion() {
    let daemon = nobody();
    check(
        &daemon,
        "serach x",
        expect![[r#"
        hob: `serach` is no command
        hint: did you mean `search`? see `hob help`
        status 2
    "#]],
    );
    check(
        &daemon,
        "search --ignore-caes x",
        expect![[r#"
        hob: `--ignore-caes` is not expected here
        hint: did you mean `--ignore-case`? see `hob help search`
        status 2
    "#]],
    );
    check(
        &daemon,
        "search -m x",
        expect![[r#"
        hob: `--max-count <NUM>` cannot be `x`
        hint: see `hob help search`
        status 2
    "#]],
    );
    check(
        &daemon,
        "--color sometimes ping",
        expect![[r#"
        hob: `--color <WHEN>` cannot be `sometimes`
        hint: it can be `auto`, `always`, `never`, `ansi`
        status 2
    "#]],
    );
    check(
        &daemon,
        "workspaces forget",
        expect![[r#"
        hob: `<DIR>` is missing
        hint: see `hob help workspaces`
        status 2
    "#]],
    );
    check(
        &daemon,
        "daemon",
        expect![[r#"
        hob: a command is missing
        hint: see `hob help daemon`
        status 2
    "#]],
    );
    check(
        &daemon,
        "ping x",
        expect![[r#"
        hob: `x` is not expected here
        hint: see `hob help ping`
        status 2
    "#]],
    );
    check(
        &daemon,
        "",
        expect![[r#"
        hob: a command is missing
        hint: see `hob help`
        status 2
    "#]],
    );
}

#[test]
fn help_is_grouped() {
    let daemon = nobody();
    check(
        &daemon,
        "help",
        expect![[r#"
            hob keeps a codebase warm, and answers questions about it at once

            Usage: hob COMMAND [ARGUMENTS]

            Search:
              search [FLAGS] PATTERN [PATH...]       Find lines that match, as ripgrep prints them, sorted by path
              symbols [FLAGS] QUERY                  Find where a name is defined, in all of the workspace
              files [QUERY] [--limit NUM] [-0]       Find files by some letters of their paths, or list all
              outline FILE... [--json]               Show what files define, nested, with lines and signatures
              def NAME|FILE:LINE:COL                 Show where a name is defined
              refs [--role ROLE] NAME|FILE:LINE:COL  Show who mentions a name, and how
              callers [--depth N] NAME|FILE:LINE:COL  Show who calls a function
              callees [--depth N] NAME|FILE:LINE:COL  Show whom a function calls
              context [FLAGS] REQUEST...             Show the files and lines that a request in words is about
              map [FLAGS]                            Show the definitions that matter most in the workspace, as an outline
              types [--json]                         List the types of files that `hob search -t` takes
              languages [--json]                     List the languages whose definitions are known, and their kinds

            Edits:
              apply [FLAGS] [REPLY-FILE|-]           Make the edits that a model's reply asks for: all or none
              undo [--turns N] [--list] [--dry-run]  Take back the last edits that were made
              diff [--turn N]                        Show what the last edits have changed

            Workspaces:
              index [DIR] [--wait]                   Make a directory a workspace, and index it in the background
              status [DIR] [--json]                  Tell how this workspace is, and the daemon
              workspaces [list|forget DIR]           List what is kept warm, or forget one

            Daemon:
              ping                                   Ask the daemon for a sign of life
              rpc METHOD [JSON] | --list             Call a method of the daemon's interface, or explain it
              tasks [list|show|watch|wait|cancel]    Show, follow or cancel what the daemon does in the background
              profile [record] [FLAGS]               Show where the daemon's time goes
              stats [--json]                         Show the daemon in numbers: workspaces, tasks, cache, calls
              top [--every MS]                       Show the daemon in numbers, live
              cache [stats|keys|get|clear|verify]    Show or clear what was computed once and is kept
              daemon start|stop|restart|install|...  Look after the daemon, which otherwise starts by itself
              doctor [--json]                        Look for what is wrong, and tell what to do
              completions SHELL                      Print what a shell completes commands by
              man [COMMAND] [--dir DIR]              Print a page of the manual

            Examples:
              hob search 'fn main'               lines, as `rg --sort path` prints them
              hob search -il -trust todo src     names of the Rust files in `src` with a todo
              hob index --wait                   make this directory a workspace, and watch it being indexed
              hob status --json | jq .freshness
              hob rpc daemon.status

            Everywhere: --no-sync answers without waiting for changes under way, --color auto|always|never.
            Exit status: 0 done or found, 1 nothing found, 2 an error.
            The daemon starts by itself. `hob help COMMAND` tells all of a command.
            status 0
        "#]],
    );
    assert_eq!(terminal(&daemon, "--help"), terminal(&daemon, "help"));
    assert_eq!(terminal(&daemon, "help search"), terminal(&daemon, "search --help"));
    check(
        &daemon,
        "help search",
        expect![[r#"
            Find lines that match, as ripgrep prints them, sorted by path

            Usage: hob search [FLAGS] PATTERN [PATH...]
                   hob search [FLAGS] -e PATTERN... [PATH...]

            Options:
                  --no-sync       Answer from the state at hand, without waiting for changes under way
                  --color <WHEN>  Colours: auto, always, never or ansi; NO_COLOR is obeyed [default: auto]
              -h, --help          Print help

            Patterns:
              -e, --regexp <PATTERN>  Search for this; all other arguments are paths
              -F, --fixed-strings     Take patterns literally
              -i, --ignore-case       Ignore case (the last of -i, -s, -S wins)
              -s, --case-sensitive    Tell upper and lower case apart (the default)
              -S, --smart-case        Ignore case if the patterns are all lower case
              -w, --word-regexp       Match whole words (the last of -w, -x wins)
              -x, --line-regexp       Match whole lines
              -v, --invert-match      Find lines without a match

            Files:
              -g, --glob <GLOB>      Only paths that match; a leading ! excludes them
              -t, --type <TYPE>      Only files of this type
              -T, --type-not <TYPE>  No files of this type
              -., --hidden           Hidden files and directories too
                  --no-ignore        Ignored files too
              -L, --follow           Follow symbolic links

            Output:
              -l, --files-with-matches    Only names of files with a match
                  --files-without-match   Only names of files without one
              -c, --count                 Count matching lines of each file; with -o, matches
                  --count-matches         Count matches of each file
                  --json                  ripgrep's JSON Lines
              -o, --only-matching         Only the parts that match
                  --profile               Tell on standard error where the time went
              -q, --quiet                 Print nothing, and stop at the first match
              -A, --after-context <NUM>   Lines to show after each match
              -B, --before-context <NUM>  Lines to show before each match
              -C, --context <NUM>         Lines to show before and after; -A and -B go first
              -0, --null                  A NUL byte after each file's name
                  --heading               Names above lines, as on a terminal
              -p, --pretty                As on a terminal: --color always --heading
              -n, --line-number           Line numbers (always on)
              -H, --with-filename         Names of files (always on)

            Limits:
              -m, --max-count <NUM>  At most so many matching lines of each file
                  --limit <NUM>      At most so many matching lines in all
                  --deadline <MS>    Stop after so many milliseconds

            PATTERN is a regular expression of Rust's regex crate. Without a PATH the current directory is
            searched; standard input is never read. A pattern that begins with a dash needs -e.

            What is printed equals `rg --sort path -H -n --no-heading`, and on a terminal `rg --sort path
            --pretty`. Every change to the tree that was complete before the search is seen, unless --no-sync
            says otherwise. A result that --limit or --deadline cut says so on standard error.

            Exit status: 0 if there was a match, 1 if there was none, 2 after an error.

            Examples:
              hob search 'fn \w+_all'
              hob search -F -w -C2 'a.b' src tests
              hob search -l -g '*.rs' -g '!tests' -e unsafe -e transmute
              hob search --json todo | jq -r 'select(.type == "match") | .data.path.text'
            status 0
        "#]],
    );
    check(
        &daemon,
        "--version",
        expect![[r#"
        hob 0.1.0
        status 0
    "#]],
    );
}

#[test]
fn every_command_is_well_formed() {
    for row in commands::COMMANDS {
        row.command().debug_assert();
    }
}
