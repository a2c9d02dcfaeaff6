//! Whole command lines against a daemon by script: each test reads like a terminal.

use super::*;
use crate::testing::{Act, Scripted};
use expect_test::{Expect, expect};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// What a command line shows on a pipe: standard output, standard error, status.
pub(super) fn terminal(daemon: &Scripted, line: &str) -> String {
    terminal_at(&daemon.socket(), line)
}

fn terminal_at(socket: &Path, line: &str) -> String {
    shown_on(false, socket, line)
}

/// What a command line shows on a terminal without colours.
pub(super) fn on_a_terminal(daemon: &Scripted, line: &str) -> String {
    shown_on(true, &daemon.socket(), line)
}

fn shown_on(terminal: bool, socket: &Path, line: &str) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run_on(terminal, socket, line, &mut out, &mut err);
    let shown = String::from_utf8_lossy(&out).into_owned() + &String::from_utf8_lossy(&err);
    let socket = socket.display().to_string();
    format!("{}status {}\n", shown.replace(&socket, "SOCKET"), status as u8)
}

fn run_with(socket: &Path, line: &str, out: &mut dyn Write, err: &mut dyn Write) -> Status {
    run_on(false, socket, line, out, err)
}

fn run_on(
    terminal: bool,
    socket: &Path,
    line: &str,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Status {
    let env = |name: &str| match name {
        "HOB_SOCKET" => Some(socket.into()),
        // No daemon can be started.
        "HOB_DAEMON" => Some("/no/hobd".into()),
        "HOME" => Some("/no/home".into()),
        _ => None,
    };
    let args = line.split_whitespace().map(OsString::from).collect();
    let (out_is_terminal, err_is_terminal) = (terminal, terminal);
    run(
        args,
        &mut World {
            out,
            err,
            out_is_terminal,
            err_is_terminal,
            began: std::time::Instant::now(),
            answer: None,
            env: &env,
        },
    )
}

pub(super) fn check(daemon: &Scripted, line: &str, expected: Expect) {
    expected.assert_eq(&terminal(daemon, line));
}

/// A daemon that answers one method, or streams, in one way.
pub(super) fn answering(
    method: &'static str,
    acts: impl Fn() -> Vec<Act> + Send + Sync + 'static,
) -> Scripted {
    Scripted::start(move |asked, _| if asked == method { acts() } else { vec![] })
}

fn searching(events: Value) -> Scripted {
    answering("index.searchStream", move || {
        let items = events.as_array().unwrap().iter().cloned();
        let items = items.map(|event| Act::Item("index.searchEvent", event));
        [Act::Result(json!(7))].into_iter().chain(items).collect()
    })
}

fn done(found: bool) -> Value {
    json!({"done": {"generation": 1, "freshness": "live", "found": found, "lines": 1,
        "files_read": 1, "elapsed_us": 1}})
}

pub(super) fn nobody() -> Scripted {
    Scripted::start(|_, _| vec![])
}

#[test]
fn search_prints_what_comes() {
    let daemon = searching(json!([{"output": "a:1:x\n"}, {"output": "b:2:x\n"}, done(true)]));
    check(
        &daemon,
        "search x",
        expect![[r#"
        a:1:x
        b:2:x
        status 0
    "#]],
    );
    check(&daemon, "search -q x", expect![["status 0\n"]]);
}

#[test]
fn search_that_finds_nothing_has_status_1() {
    check(&searching(json!([done(false)])), "search x", expect![["status 1\n"]]);
    // Nothing may match, so nobody is asked.
    check(&nobody(), "search -m0 x", expect![["status 1\n"]]);
}

#[test]
fn search_with_trouble_has_status_2_unless_quiet_and_found() {
    let mut end = done(true);
    end["done"]["errors"] = json!(true);
    let daemon = searching(json!([{"warning": "`f`: permission denied"}, end.clone()]));
    check(
        &daemon,
        "search x",
        expect![[r#"
        hob: `f`: permission denied
        status 2
    "#]],
    );
    check(&searching(json!([end])), "search -q x", expect![["status 0\n"]]);
}

#[test]
fn search_that_was_cut_says_so() {
    let mut end = done(true);
    end["done"]["truncated"] = json!("limit");
    check(
        &searching(json!([{"output": "a\n"}, end])),
        "search --limit 1 x",
        expect![[r#"
        a
        hob: stopped after 1 line: there is more
        hint: a larger `--limit`, or none, shows it
        status 0
    "#]],
    );
    let mut end = done(false);
    end["done"]["truncated"] = json!("deadline");
    check(
        &searching(json!([end])),
        "search --deadline 5 x",
        expect![[r#"
        hob: stopped after 5 ms: there may be more
        hint: a later `--deadline`, or none, searches all
        status 2
    "#]],
    );
}

#[test]
fn search_that_fails_gives_the_daemons_reason() {
    let data = json!({"kind": "bad_pattern", "hint": "escape it"});
    let failed = json!({"failed": {"code": -32004, "message": "unclosed group", "data": data}});
    check(
        &searching(json!([failed])),
        "search (",
        expect![[r#"
        hob: unclosed group
        hint: escape it
        status 2
    "#]],
    );
}

#[test]
fn search_cut_within_its_output_is_not_asked_again() {
    let daemon = answering("index.searchStream", || {
        let item = Act::Item("index.searchEvent", json!({"output": "a\n"}));
        vec![Act::Result(json!(7)), item, Act::Close]
    });
    check(
        &daemon,
        "search x",
        expect![[r#"
        a
        hob: the daemon at `SOCKET` went away within its answer
        hint: ask again; `hob daemon logs` tells why
        status 2
    "#]],
    );
    assert_eq!(daemon.methods(), ["index.searchStream"]);
}

#[test]
fn search_whose_reader_has_gone_is_silent() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let daemon = searching(json!([{"output": "a\n"}, done(true)]));
    let mut err = Vec::new();
    assert_eq!(run_with(&daemon.socket(), "search x", &mut Gone, &mut err), Status::Done);
    assert_eq!(err, b"");
}

/// A daemon that stops hangs up on its last clients: the next one is asked, here the same.
#[test]
fn a_question_survives_a_daemon_that_goes_away() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let asked = AtomicU32::new(0);
    let daemon = answering("daemon.ping", move || match asked.fetch_add(1, Ordering::Relaxed) {
        0 => vec![Act::Close],
        1 => {
            let data = json!({"kind": "stopping", "hint": ""});
            vec![Act::Error(json!({"code": -32011, "message": "m", "data": data})), Act::Close]
        }
        _ => vec![Act::Result(json!({"uptime_seconds": 3725}))],
    });
    let shown = terminal(&daemon, "ping");
    assert!(shown.starts_with("pong in "), "{shown}");
    assert!(shown.ends_with(" ms, up 1 h 2 min\nstatus 0\n"), "{shown}");
}

fn daemon_status() -> Value {
    json!({"version": "0.1.0", "protocol": 1, "pid": 0, "uptime_seconds": 61,
        "memory_bytes": 61_000_000, "connections": 1, "descriptors": 20, "descriptors_limit": 1024, "socket": "/run/s",
        "log": "/state/hobd.log", "workspaces": ["/a"]})
}

fn workspace_status(pending: u64) -> Value {
    json!({"root": "/a", "generation": 3, "freshness": "live", "files": 1200, "bytes": 5000,
        "pending": pending, "watched": 7, "head": "main", "store": {"path": "/c/x.redb",
        "bytes": 1000, "contents": 1, "segments": 1}})
}

fn with_workspace(pending: u64) -> Scripted {
    Scripted::start(move |method, params| match method {
        "daemon.status" => vec![Act::Result(daemon_status())],
        "workspace.status" => vec![Act::Result(workspace_status(0))],
        "workspace.list" => {
            let mut small = workspace_status(0);
            small["files"] = json!(1);
            small["root"] = json!("/b b");
            small["freshness"] = json!("indexing");
            let mut away = workspace_status(0);
            away["root"] = json!("/c");
            away["unloaded"] = json!(true);
            let mut unknown = away.clone();
            unknown["root"] = json!("/d");
            unknown["files"] = json!(0);
            vec![Act::Result(json!({"workspaces": [workspace_status(0), small, away, unknown]}))]
        }
        "workspace.forget" => vec![Act::Result(json!({"root": params["dir"], "freed": 2048}))],
        "index.build" if params["wait"] == true => vec![Act::Result(workspace_status(0))],
        "index.build" => vec![Act::Result(workspace_status(pending))],
        _ => vec![],
    })
}

#[test]
fn status_tells_of_the_workspace_and_the_daemon() {
    check(
        &with_workspace(0),
        "status",
        expect![[r#"
            workspace  /a (main)
            files      1,200 files, 5.0 kB
            freshness  live, generation 3
            watched    7 directories
            store      1.0 kB, 1 content, 0 symbols, 1 segment: /c/x.redb
            daemon     hobd 0.1.0, process 0, up 1 min 1 s, 61 MB of memory
                       1 connection, 20 descriptors of 1,024, 1 workspace
            socket     /run/s
            log        /state/hobd.log
            status 0
        "#]],
    );
    check(
        &with_workspace(0),
        "status --json",
        expect![[r#"
            {"root":"/a","generation":3,"freshness":"live","files":1200,"bytes":5000,"pending":0,"unoutlined":0,"watched":7,"head":"main","store":{"path":"/c/x.redb","bytes":1000,"contents":1,"segments":1,"symbols":0},"daemon":{"version":"0.1.0","protocol":1,"pid":0,"uptime_seconds":61,"memory_bytes":61000000,"connections":1,"descriptors":20,"descriptors_limit":1024,"socket":"/run/s","log":"/state/hobd.log","workspaces":["/a"]}}
            status 0
        "#]],
    );
}

#[test]
fn status_outside_of_a_workspace_tells_of_the_daemon() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.status" => vec![Act::Result(daemon_status())],
        "workspace.status" => {
            let data = json!({"kind": "not_a_workspace", "hint": ""});
            vec![Act::Error(json!({"code": -32001, "message": "m", "data": data}))]
        }
        _ => vec![],
    });
    check(
        &daemon,
        "status /tmp",
        expect![[r#"
            workspace  none around /tmp; `hob index` makes it one
            daemon     hobd 0.1.0, process 0, up 1 min 1 s, 61 MB of memory
                       1 connection, 20 descriptors of 1,024, 1 workspace
            socket     /run/s
            log        /state/hobd.log
            status 0
        "#]],
    );
    let json = terminal(&daemon, "status /tmp --json");
    assert!(json.starts_with(r#"{"daemon":{"version""#), "{json}");
}

#[test]
fn workspaces_are_listed_and_forgotten() {
    let daemon = with_workspace(0);
    check(
        &daemon,
        "workspaces",
        expect![[r#"
            live      1,200 files  5.0 kB  /a
            indexing       1 file  5.0 kB  /b b
            unloaded  1,200 files  5.0 kB  /c
            unloaded            -       -  /d
            status 0
        "#]],
    );
    assert_eq!(terminal(&daemon, "workspaces"), terminal(&daemon, "workspaces list"));
    check(
        &daemon,
        "workspaces forget /a",
        expect![[r#"
        /a: forgotten, 2.0 kB freed
        status 0
    "#]],
    );
    check(
        &daemon,
        "workspaces forget /a --json",
        expect![[r#"
            {"freed":2048,"root":"/a"}
            status 0
        "#]],
    );
}

#[test]
fn index_tells_what_goes_on_or_waits() {
    check(
        &with_workspace(1000),
        "index",
        expect![[r#"
        /a: indexing 1,000 of 1,200 files
        status 0
    "#]],
    );
    check(
        &with_workspace(0),
        "index",
        expect![[r#"
        /a: 1,200 files indexed, 5.0 kB
        status 0
    "#]],
    );
    let daemon = with_workspace(1000);
    let shown = terminal(&daemon, "index /a --wait");
    assert!(shown.starts_with("/a: 1,200 files indexed, 5.0 kB, in 0."), "{shown}");
    assert_eq!(daemon.methods(), ["index.build", "index.build"]);
}

#[test]
fn rpc_calls_any_method() {
    let daemon = with_workspace(0);
    check(
        &daemon,
        r#"rpc workspace.forget {"dir":"/x"}"#,
        expect![[r#"
        {"freed":2048,"root":"/x"}
        status 0
    "#]],
    );
    check(
        &daemon,
        "rpc no.such",
        expect![[r#"
        hob: `no.such`: no such method (code -32601)
        status 2
    "#]],
    );
    check(
        &daemon,
        "rpc daemon.status 5",
        expect![[r#"
        hob: the parameters are no JSON-RPC parameters: neither an object nor an array
        hint: give an object, such as '{"dir": "/repo"}'
        status 2
    "#]],
    );
    let daemon = searching(json!([{"output": "a\n"}, done(true)]));
    check(
        &daemon,
        r#"rpc index.searchStream {"query":{}}"#,
        expect![[r#"
        {"output":"a\n"}
        {"done":{"elapsed_us":1,"files_read":1,"found":true,"freshness":"live","generation":1,"lines":1}}
        status 0
    "#]],
    );
}

#[test]
fn rpc_has_methods_explained() {
    let daemon = Scripted::start(|method, params| match method {
        "rpc.explain" => {
            vec![Act::Result(json!({"text": format!("about {}\n", params["method"])}))]
        }
        "rpc.discover" => vec![Act::Result(json!({"openrpc": "1.3.2"}))],
        _ => vec![],
    });
    assert_eq!(terminal(&daemon, "rpc --list"), "about null\nstatus 0\n");
    assert_eq!(terminal(&daemon, "rpc tea.boil --help"), "about \"tea.boil\"\nstatus 0\n");
    assert_eq!(terminal(&daemon, "rpc -h tea.boil"), "about \"tea.boil\"\nstatus 0\n");
    assert_eq!(terminal(&daemon, "rpc --list --json"), "{\"openrpc\":\"1.3.2\"}\nstatus 0\n");
    assert_eq!(terminal(&daemon, "rpc --help"), terminal(&daemon, "help rpc"));
    check(
        &daemon,
        "rpc tea.boil --list",
        expect![[r#"
            hob: the argument `[METHOD]` cannot be used with `--list`
            hint: see `hob help rpc`
            status 2
        "#]],
    );
}

#[test]
fn stop_waits_until_no_one_answers() {
    let here = tempfile::tempdir().unwrap();
    let link = here.path().join("s");
    let gone = link.clone();
    let daemon = Scripted::start(move |method, _| match method {
        "daemon.status" => {
            // A process that does not exist, so that the socket is watched instead.
            let mut status = daemon_status();
            status["pid"] = json!(i32::MAX);
            vec![Act::Result(status)]
        }
        "daemon.stop" => {
            std::fs::remove_file(&gone).unwrap();
            vec![Act::Result(json!(true)), Act::Close]
        }
        _ => vec![],
    });
    std::os::unix::fs::symlink(daemon.socket(), &link).unwrap();
    expect![[r#"
        hobd stopped, process 2147483647
        status 0
    "#]]
    .assert_eq(&terminal_at(&link, "daemon stop"));
    assert_eq!(daemon.methods(), ["daemon.status", "daemon.stop"]);
}

#[test]
fn a_daemon_that_does_not_run_is_no_trouble_to_stop() {
    let daemon = nobody();
    std::fs::remove_file(daemon.socket()).unwrap();
    check(
        &daemon,
        "daemon stop",
        expect![[r#"
        hobd does not run
        status 0
    "#]],
    );
    check(
        &daemon,
        "daemon status",
        expect![[r#"
        daemon     does not run
        status 1
    "#]],
    );
    check(
        &daemon,
        "daemon status --json",
        expect![[r#"
        {"running":false,"socket":"SOCKET"}
        status 1
    "#]],
    );
    check(
        &daemon,
        "daemon logs",
        expect![[r#"
        hob: cannot read the log `/no/home/.local/state/hob/hobd.log`: no such file or directory
        hint: the daemon makes it when it first starts
        status 2
    "#]],
    );
    check(
        &daemon,
        "ping",
        expect![[r#"
        hob: `/no/hobd`, which `HOB_DAEMON` names, is no program
        hint: set `HOB_DAEMON` to the path of `hobd`, or unset it
        status 2
    "#]],
    );
}

#[test]
fn global_flags_stand_on_either_side_of_the_command() {
    let daemon = searching(json!([done(true)]));
    for line in ["--no-sync --color always search x", "search --no-sync x --color=always"] {
        terminal(&daemon, line);
        let asked = daemon.asked().pop().unwrap();
        assert_eq!(asked["params"]["query"]["no_sync"], true, "{line}");
        assert_eq!(asked["params"]["style"]["color"], true, "{line}");
    }
}
