//! A daemon by script, for tests: a thread at a temporary socket that answers as it is told.

use crate::Place;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a script does upon a request.
pub(crate) enum Act {
    /// Sends a line.
    Say(String),
    /// Answers with a result.
    Result(Value),
    /// Answers with an error object.
    Error(Value),
    /// Sends a subscription's item, by the notification's name.
    Item(&'static str, Value),
    /// Closes the connection.
    Close,
}

type Script = dyn Fn(&str, &Value) -> Vec<Act> + Send + Sync;

/// The daemon. It remembers what it was asked, the greeting left out.
pub(crate) struct Scripted {
    dir: tempfile::TempDir,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Scripted {
    /// Listens. The script gets each method with its parameters; where it does nothing,
    /// greetings are answered well and all else is unknown.
    pub(crate) fn start(script: impl Fn(&str, &Value) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("s")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, log): (Arc<Script>, _) = (Arc::new(script), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, log) = (script.clone(), log.clone());
                std::thread::spawn(move || serve(&stream.unwrap(), &*script, &log));
            }
        });
        Self { dir, asked }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("s")
    }

    pub(crate) fn place(&self) -> Place {
        Place::with_socket(self.socket())
    }

    /// The methods that it was asked, in order.
    pub(crate) fn methods(&self) -> Vec<String> {
        let method = |request: &Value| request["method"].as_str().unwrap_or("answer").to_owned();
        self.asked.lock().unwrap().iter().map(method).collect()
    }

    /// What it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &UnixStream, script: &Script, log: &Mutex<Vec<Value>>) {
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let request: Value = serde_json::from_str(&line).unwrap();
        let method = request["method"].as_str().unwrap_or_default();
        if method != "daemon.hello" {
            log.lock().unwrap().push(request.clone());
        }
        let mut acts = script(method, &request["params"]);
        if acts.is_empty() {
            acts.push(by_default(method));
        }
        for act in acts {
            let Some(line) = line_of(act, &request["id"]) else { return };
            // A client that has gone wants no more.
            let mut stream = stream;
            let _ = stream.write_all(format!("{line}\n").as_bytes());
        }
    }
}

fn by_default(method: &str) -> Act {
    match method {
        "daemon.hello" => {
            Act::Result(json!({"protocol": hob_protocol::PROTOCOL, "version": "0.1.0", "pid": 0}))
        }
        _ => Act::Error(json!({"code": -32601, "message": "no such method"})),
    }
}

fn line_of(act: Act, id: &Value) -> Option<String> {
    let message = match act {
        Act::Say(line) => return Some(line),
        Act::Close => return None,
        Act::Result(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Act::Error(error) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
        Act::Item(method, item) => {
            let params = json!({"subscription": 7, "result": item});
            json!({"jsonrpc": "2.0", "method": method, "params": params})
        }
    };
    Some(message.to_string())
}

/// A file that the shell runs, for a daemon that is started.
pub(crate) fn program(dir: &Path, script: &str) -> PathBuf {
    program_named(dir, "hobd", script)
}

/// The same, by its name.
pub(crate) fn program_named(dir: &Path, name: &str, script: &str) -> PathBuf {
    let path = dir.join(name);
    // Another process writes it: a descriptor of ours could be inherited by what a test beside
    // this one spawns, and the system refuses to run a file that is open for writing.
    let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
    let mut shell = std::process::Command::new("sh");
    assert!(shell.args(["-c", write, "sh"]).arg(&path).arg(script).status().unwrap().success());
    path
}
