//! Programs that are not ours, each in its own framing, on the one socket.

use crate::start;
use hob_tests::{Hob, finish, said, skipped};
use std::path::{Path, PathBuf};

const TREE: &str = "//- a.txt\na kettle\n//- b.txt\na pot\n";

/// The directory of the clients' scripts.
fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Whether a client is here. In CI it must be.
fn has(program: &str, args: &[&str], how: &str) -> bool {
    let found = std::process::Command::new(program).args(args).current_dir(scripts()).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        let why = format!("`{program} {}` fails: {how}", args.join(" "));
        assert!(std::env::var_os("CI").is_none(), "{why}");
        skipped(&why);
    }
    found
}

/// The same of a command without its reasons.
pub(crate) fn has_words(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    has(program, &words.collect::<Vec<_>>(), "install it")
}

fn has_node(library: &str) -> bool {
    let how = "install node, and run `npm install --no-package-lock` in `tests/clients`";
    has("node", &["-e", &format!("require('{library}')")], how)
}

/// A world whose daemon runs.
fn warm() -> Hob {
    let hob = start(TREE);
    hob.index();
    hob
}

/// What a script prints.
fn transcript(hob: &Hob, program: &str, script: &str, more: &[&str]) -> String {
    let mut command = hob.command(program);
    command.arg(scripts().join(script)).arg(hob.place().socket).arg(hob.root()).args(more);
    said(&mut command)
}

#[test]
fn an_editor_with_vscode_jsonrpc() {
    if !has_node("vscode-jsonrpc/node") {
        return;
    }
    let hob = start(TREE);
    let pong = hob.run("ping");
    assert!(!pong.is_empty());
    let protocol = hob_protocol::PROTOCOL.to_string();
    assert_eq!(
        transcript(&hob, "node", "editor.js", &[&protocol]),
        "hello: true\n\
         progress: 2 of 2\n\
         search: a.txt:1:a kettle\n\
         changed: new.txt\n\
         search: a.txt:1:a kettle | new.txt:2:ä kettle ☕\n\
         at once: 30 of 60\n\
         error: -32601 method_not_found - did you mean `index.search`?\n\
         ended: true\n"
    );
}

// It is large, so that it is not asked for even in CI.
#[test]
fn neovim_with_its_own_client() {
    let here = |program: &&str| std::process::Command::new(program).arg("--help").output().is_ok();
    if !["nvim", "socat"].iter().all(here) {
        return skipped("no Neovim, or no socat");
    }
    let hob = warm();
    let mut command = hob.command("nvim");
    command.env("SOCKET", hob.place().socket).env("TREE", hob.root());
    command.args(["--headless", "-u", "NONE", "-c"]);
    command.arg(format!("luafile {}", scripts().join("neovim.lua").display())).args(["-c", "qa!"]);
    assert_eq!(
        said(&mut command),
        "daemon.ping: number\n\
         index.changes: number\n\
         index.nothing: -32601\n\
         index.search: a kettle\n\
         told: index.changed\n"
    );
}

#[test]
fn a_program_with_the_websocket_library_ws() {
    if !has_node("ws") {
        return;
    }
    assert_eq!(
        transcript(&warm(), "node", "websocket.js", &[]),
        "ping: number\n\
         search: a.txt: a kettle\n\
         stream: number\n\
         index.searchEvent: output\n\
         index.searchEvent: done\n\
         pong: warm?\n\
         error: null -32700 parse_error\n\
         after it: number\n\
         closed: 1000\n"
    );
}

/// By OpenRPC's own schema of it, and the examples by the schemas in it.
#[test]
fn the_description_is_an_openrpc_document() {
    if !["ajv", "@open-rpc/meta-schema", "@json-schema-tools/meta-schema"]
        .iter()
        .all(|it| has_node(it))
    {
        return;
    }
    assert_eq!(
        transcript(&warm(), "node", "openrpc.js", &[]),
        "document: valid\n\
         errors: valid\n\
         examples: valid\n"
    );
}

#[test]
fn a_script_in_python_with_lines() {
    if !has("python3", &["-c", "import json, socket"], "install Python 3") {
        return;
    }
    assert_eq!(
        transcript(&warm(), "python3", "lines.py", &[]),
        "search: a.txt: a kettle\n\
         batch: [(2, True), (3, True), (None, False)]\n\
         error: None -32700 parse_error\n\
         last: last ''\n"
    );
}

#[test]
fn curl_with_http() {
    if !has("curl", &["--version"], "install curl") {
        return;
    }
    let hob = warm();
    let curl = |args: &[&str], body: &str| {
        let mut command = hob.command("curl");
        command.args(["-sS", "--unix-socket"]).arg(hob.place().socket);
        finish(command.args(args).args(["http://hob/", "-d", body])).text()
    };
    let search = |id: u32, method: &str| {
        let query = serde_json::json!({ "patterns": ["kettle"], "cwd": hob.root() });
        serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "query": query } })
            .to_string()
    };
    let answer: serde_json::Value =
        serde_json::from_str(&curl(&[], &search(1, "index.search"))).unwrap();
    assert_eq!(
        (&answer["id"], &answer["result"]["matches"][0]["text"]),
        (&1.into(), &"a kettle".into())
    );

    let batch = format!("[{},{}]", search(1, "index.search"), search(2, "index.search"));
    let answers: Vec<serde_json::Value> = serde_json::from_str(&curl(&[], &batch)).unwrap();
    assert_eq!(answers.len(), 2);

    // A stream is a body that goes on, and ends when the search does.
    let stream = curl(&["-N"], &search(1, "index.searchStream"));
    let lines: Vec<serde_json::Value> =
        stream.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[1]["params"]["result"]["output"], "a.txt:1:a kettle\n");
    assert_eq!(lines[2]["params"]["result"]["done"]["lines"], 1);

    let status = ["-o", "/dev/null", "-w", "%{http_code}"];
    let tell = r#"{"jsonrpc":"2.0","method":"nobody.listens"}"#;
    assert_eq!(curl(&status, tell), "204");
    assert_eq!(curl(&status, "no json"), "200");
    assert_eq!(curl(&[status.as_slice(), &["-X", "PUT"]].concat(), tell), "405");
    let error = curl(&[], "no json");
    assert!(error.contains("\"code\":-32700"), "{error}");
}
