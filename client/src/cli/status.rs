//! `hob status`: the workspace around the current directory, and the daemon.

use super::commands::{Group, Row, json_flag, on, positional, value};
use super::{Status, World, units};
use crate::{DaemonApiClient, Error, WorkspaceApiClient, block_on};
use clap::{ArgMatches, Command};
use hob_protocol::{DaemonStatus, Freshness, Kind, Text, WorkspaceStatus};
use serde::Serialize;
use serde_json::value::RawValue;
use std::io::Write;

pub(super) const ROW: Row = Row {
    name: "status",
    group: Group::Workspaces,
    synopsis: "[DIR] [--json]",
    about: "Tell how this workspace is, and the daemon",
    define,
    run,
};

fn define(command: Command) -> Command {
    command
        .arg(positional("dir", "DIR").help("Of the workspace around that directory"))
        .arg(json_flag())
        .after_help(
            "JSON: {\"root\", \"generation\", \"freshness\", \"files\", \"bytes\", \"pending\", \
             \"unoutlined\", \"watched\", \"problems\"?, \"head\"?,\n\"store\": {\"path\", \"bytes\", \"contents\", \
             \"segments\", \"symbols\", \"problem\"?}, \"daemon\": {\"version\", \"protocol\", \"pid\",\n\
             \"uptime_seconds\", \"memory_bytes\", \"connections\", \"descriptors\", \"descriptors_limit\", \"socket\", \
             \"log\"?, \"workspaces\"}};\noutside of a workspace only \"daemon\" is there. Sizes are \
             in bytes. Text that is not UTF-8 is\n{\"bytes\": base64}. \"freshness\" is live, \
             indexing, polling or partial.",
        )
}

/// The shape of `--json`.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    workspace: Option<WorkspaceStatus>,
    daemon: DaemonStatus,
}

fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let dir = world.directory(value(matches, "dir"))?;
    let no_sync = on(matches, "no-sync").then_some(true);
    let report = world.ask(|connection, _| {
        let workspace = match block_on(WorkspaceApiClient::status(connection, dir.clone(), no_sync))
        {
            Err(error) if error.is(Kind::NotAWorkspace) => None,
            other => Some(other?),
        };
        let daemon = block_on(DaemonApiClient::status(connection))?;
        Ok(Report { workspace, daemon })
    })?;
    if on(matches, "json") {
        print_json(&report, world)?;
        return Ok(Status::Done);
    }
    match &report.workspace {
        Some(workspace) => print_workspace(workspace, world.out)?,
        None => {
            world.out.write_all(b"workspace  none around ")?;
            world.out.write_all(dir.as_bytes())?;
            writeln!(world.out, "; `hob index` makes it one")?;
        }
    }
    print_daemon(&report.daemon, world.out)?;
    Ok(Status::Done)
}

/// Prints one JSON object on one line, on a terminal on several.
pub(super) fn print_json(value: &impl Serialize, world: &mut World<'_>) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(std::io::Error::from)?;
    print_text(&text, world)
}

/// Prints the last answer in the same way, as the daemon gave it.
pub(super) fn print_answer(world: &mut World<'_>) -> Result<(), Error> {
    let answer = world.answer.take();
    print_text(answer.as_deref().map_or("null", RawValue::get), world)
}

/// Prints what is JSON on one line.
pub(super) fn print_text(text: &str, world: &mut World<'_>) -> Result<(), Error> {
    match world.out_is_terminal {
        true => world.out.write_all(indented(text).as_bytes())?,
        false => world.out.write_all(text.as_bytes())?,
    }
    Ok(world.out.write_all(b"\n")?)
}

/// JSON on several lines, as `serde_json` writes it for people.
fn indented(text: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped) = (String::new(), 0_usize, false, false);
    let mut last = ' ';
    for letter in text.chars() {
        let line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
        };
        if in_string {
            (in_string, escaped) = (escaped || letter != '"', !escaped && letter == '\\');
            out.push(letter);
        } else {
            match letter {
                ' ' | '\n' | '\t' | '\r' => continue,
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    if !matches!(last, '{' | '[') {
                        line(&mut out, depth);
                    }
                }
                _ if matches!(last, '{' | '[') => line(&mut out, depth),
                _ => {}
            }
            out.push(letter);
            match letter {
                '{' | '[' => depth += 1,
                ',' => line(&mut out, depth),
                ':' => out.push(' '),
                '"' => in_string = true,
                _ => {}
            }
        }
        last = letter;
    }
    out
}

/// The word for it, as in JSON.
pub(super) fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "live",
        Freshness::Indexing => "indexing",
        Freshness::Polling => "polling",
        Freshness::Partial => "partial",
    }
}

fn print_workspace(workspace: &WorkspaceStatus, out: &mut dyn Write) -> std::io::Result<()> {
    let root = workspace.origin.root.clone().unwrap_or_else(|| Text::from("-"));
    write!(out, "workspace  ")?;
    out.write_all(root.as_bytes())?;
    match &workspace.head {
        Some(head) => writeln!(out, " ({head})")?,
        None => writeln!(out)?,
    }
    let files = units::counted(workspace.files, "file");
    writeln!(out, "files      {files}, {}", units::bytes(workspace.bytes))?;
    writeln!(out, "freshness  {}", describe(workspace))?;
    writeln!(out, "watched    {}", units::counted(workspace.watched, "directory"))?;
    let store = &workspace.store;
    let contents = units::counted(store.contents, "content");
    let segments = units::counted(store.segments, "segment");
    let symbols = units::counted(store.symbols, "symbol");
    write!(out, "store      {}, {contents}, {symbols}, {segments}: ", units::bytes(store.bytes))?;
    out.write_all(store.path.as_bytes())?;
    writeln!(out)?;
    for problem in workspace.problems.iter().chain(&store.problem) {
        writeln!(out, "problem    {problem}")?;
    }
    Ok(())
}

fn describe(workspace: &WorkspaceStatus) -> String {
    let word = freshness(workspace.origin.freshness);
    let generation = units::count(workspace.origin.generation);
    let mut text = format!("{word}, generation {generation}");
    for (files, what) in [(workspace.pending, "index"), (workspace.unoutlined, "parse")] {
        if files > 0 {
            text += &format!(", {} to {what}", units::counted(files, "file"));
        }
    }
    if workspace.paused {
        text += "; paused: `hob index` goes on with it";
    } else if let Some(task) = workspace.task {
        text += &format!(" (task {task})");
    }
    text
}

/// The daemon's part, in as many lines as it needs.
pub(super) fn print_daemon(daemon: &DaemonStatus, out: &mut dyn Write) -> std::io::Result<()> {
    let (version, pid) = (&daemon.version, daemon.pid);
    let uptime = units::seconds(daemon.uptime_seconds);
    let memory = units::bytes(daemon.memory_bytes);
    writeln!(out, "daemon     hobd {version}, process {pid}, up {uptime}, {memory} of memory")?;
    let connections = units::counted(daemon.connections, "connection");
    let mut descriptors = units::counted(daemon.descriptors, "descriptor");
    if daemon.descriptors_limit > 0 {
        descriptors += &format!(" of {}", units::count(daemon.descriptors_limit));
    }
    let workspaces = units::counted(daemon.workspaces.len() as u64, "workspace");
    writeln!(out, "           {connections}, {descriptors}, {workspaces}")?;
    write!(out, "socket     ")?;
    out.write_all(daemon.socket.as_bytes())?;
    writeln!(out)?;
    if let Some(log) = &daemon.log {
        write!(out, "log        ")?;
        out.write_all(log.as_bytes())?;
        writeln!(out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use hob_protocol::{Origin, StoreStatus};

    #[test]
    fn a_workspace_reads_at_a_glance() {
        let status = WorkspaceStatus {
            task: None,
            paused: false,
            origin: Origin {
                root: Some("/src/linux".into()),
                generation: 12,
                freshness: Freshness::Indexing,
            },
            unloaded: false,
            gone: false,
            files: 78_255,
            bytes: 1_298_700_000,
            pending: 1,
            unoutlined: 20,
            watched: 5096,
            problems: vec!["cannot watch `a`: permission denied".into()],
            head: Some("main".into()),
            store: StoreStatus {
                path: "/cache/x.redb".into(),
                bytes: 148_000_000,
                contents: 78_000,
                segments: 3,
                symbols: 5_000_000,
                problem: None,
            },
        };
        let mut out = Vec::new();
        print_workspace(&status, &mut out).unwrap();
        expect![[r#"
            workspace  /src/linux (main)
            files      78,255 files, 1.3 GB
            freshness  indexing, generation 12, 1 file to index, 20 files to parse
            watched    5,096 directories
            store      148 MB, 78,000 contents, 5,000,000 symbols, 3 segments: /cache/x.redb
            problem    cannot watch `a`: permission denied
        "#]]
        .assert_eq(&String::from_utf8(out).unwrap());
    }

    #[test]
    fn an_answer_is_indented_as_serde_json_does() {
        for text in [
            r#"{"a":[1,{"b":"x,y:{\"}\\"},[],{}],"c":{"d":null,"e":-1.5},"f":""}"#,
            "[]",
            r#""\\\"[""#,
            "7",
            r#"[[[]],[{"a":{}}]]"#,
        ] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(indented(text), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
