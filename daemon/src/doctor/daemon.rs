//! The daemon that runs, asked as a client would.

use super::place::Here;
use super::{Check, size};
use hob_protocol::{DaemonStatus, Freshness, PROTOCOL, WorkspaceList, WorkspaceStatus};
use rustix::fs::{FlockOperation, Mode, OFlags};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a daemon may take for an answer. It needs less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn examine(here: &Here) -> Vec<Check> {
    // Where systemd has the socket, to connect would start one.
    if is_at_rest(&here.socket) {
        let left = here.socket.exists() && UnixStream::connect(&here.socket).is_err();
        let message = match left {
            true => "none runs; the last one was killed, and has left its socket",
            false => "none runs; `hob` starts one when it is needed",
        };
        return vec![Check::ok("daemon", message)];
    }
    let asked = Instant::now();
    let status: DaemonStatus = match ask(&here.socket, "daemon.status") {
        Ok(status) => status,
        Err(Silence::Absent(_)) if !here.socket.exists() => {
            return vec![Check::ok("daemon", "none runs; `hob` starts one when it is needed")];
        }
        Err(silence) => return vec![silence.check(&here.socket)],
    };
    let took = asked.elapsed().as_secs_f64() * 1000.0;
    let mut checks = vec![version(&status, took)];
    checks.extend(descriptors(&status));
    match ask::<WorkspaceList>(&here.socket, "workspace.list") {
        Ok(list) => checks.extend(list.workspaces.iter().map(workspace)),
        Err(silence) => checks.push(silence.check(&here.socket)),
    }
    checks
}

fn version(status: &DaemonStatus, took: f64) -> Check {
    let DaemonStatus { version, pid, memory_bytes, .. } = status;
    let memory = size(*memory_bytes);
    let message =
        format!("process {pid}, version {version}, answers in {took:.1} ms, {memory} of memory");
    if status.protocol != PROTOCOL {
        return Check::fail(
            "daemon",
            format!("{message}; it speaks protocol {} and not {PROTOCOL}", status.protocol),
            "run `hob daemon restart`",
        );
    }
    let runs = std::fs::read_link(format!("/proc/{pid}/exe"));
    let replaced =
        runs.is_ok_and(|path| path.as_os_str().to_string_lossy().ends_with(" (deleted)"));
    match version != env!("CARGO_PKG_VERSION") || replaced {
        true => Check::warn(
            "daemon",
            format!("{message}; its program was replaced since"),
            "it is succeeded at the next connection; if not, run `hob daemon restart`",
        ),
        false => Check::ok("daemon", message),
    }
}

fn descriptors(status: &DaemonStatus) -> Option<Check> {
    let (used, limit) = (status.descriptors, status.descriptors_limit);
    (limit > 0 && used > limit / 10 * 8).then(|| {
        Check::warn(
            "daemon",
            format!(
                "{used} of {limit} descriptors are open, {} of them connections",
                status.connections
            ),
            "raise the limit (`ulimit -Hn`, `LimitNOFILE=`), or lower `limits.connections`",
        )
    })
}

fn workspace(workspace: &WorkspaceStatus) -> Check {
    let root =
        workspace.origin.root.as_ref().map(|root| root.as_path().to_owned()).unwrap_or_default();
    let (name, shown) = ("workspace", root.display());
    if !root.is_dir() {
        return Check::warn(
            name,
            format!("{shown} is gone, and what is stored of it is kept"),
            format!("`hob workspaces forget {shown}` frees it"),
        );
    }
    if let Some(problem) = &workspace.store.problem {
        return Check::warn(
            name,
            format!("{shown}: {problem}"),
            "answers are right, from the files themselves",
        );
    }
    let partial = workspace.origin.freshness == Freshness::Partial && !workspace.unloaded;
    if let Some(problem) = workspace.problems.first().filter(|_| !partial) {
        return Check::warn(name, format!("{shown}: {problem}"), "`hob status` there shows all");
    }
    let freshness = match workspace.origin.freshness {
        _ if workspace.unloaded => "unloaded until it is asked for",
        Freshness::Live => "live",
        Freshness::Indexing => "being indexed",
        Freshness::Partial => {
            return Check::warn(
                name,
                format!("{shown}: not all of its directories can be watched"),
                "raise `fs.inotify.max_user_watches`: each query looks at the whole tree",
            );
        }
        Freshness::Polling => {
            return Check::warn(
                name,
                format!("{shown}: nothing of it can be watched"),
                "it is on a network, or `watch.backend` is `poll`: each query looks at the whole tree",
            );
        }
    };
    Check::ok(name, format!("{shown}, {freshness}"))
}

/// Whether it is certain that no daemon runs: its lock is there, and free.
fn is_at_rest(socket: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let lock = rustix::fs::open(hob_protocol::place::lock(socket), flags, Mode::empty());
    lock.is_ok_and(|lock| rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared).is_ok())
}

/// Why there is no answer.
enum Silence {
    Absent(String),
    Late,
    Nonsense(String),
}

impl Silence {
    fn check(self, socket: &Path) -> Check {
        let socket = socket.display();
        match self {
            Self::Absent(why) => Check::fail(
                "daemon",
                format!("cannot reach it at {socket}: {why}"),
                "`hob daemon restart`; `hob daemon logs` may tell why",
            ),
            Self::Late => Check::fail(
                "daemon",
                format!("it does not answer within {} s", PATIENCE.as_secs()),
                "is it stopped (`kill -CONT`)? `hob daemon logs` may tell why; `hob daemon restart` ends it",
            ),
            Self::Nonsense(what) => Check::fail(
                "daemon",
                format!("what answers at {socket} is no hob: {what}"),
                "set `HOB_SOCKET` to another path, or end what listens there",
            ),
        }
    }
}

/// Asks one question. A thread does it, since to connect may take for ever as well.
fn ask<T: DeserializeOwned + Send + 'static>(
    socket: &Path,
    method: &'static str,
) -> Result<T, Silence> {
    let (sender, answer) = mpsc::channel();
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        let _ = sender.send(talk(&socket, method));
    });
    answer.recv_timeout(PATIENCE).unwrap_or(Err(Silence::Late))
}

fn talk<T: DeserializeOwned>(socket: &Path, method: &str) -> Result<T, Silence> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    let absent = |error: std::io::Error| Silence::Absent(error.to_string());
    let mut stream = UnixStream::connect(socket).map_err(absent)?;
    let request = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\"}}\n");
    let sent = stream.write_all(request.as_bytes());
    let mut line = String::new();
    let read = BufReader::new(stream).read_line(&mut line);
    // Who speaks first and hangs up has said enough.
    if line.is_empty() {
        sent.and(read).map_err(absent)?;
    }
    let answer: Answer<'_> =
        serde_json::from_str(&line).map_err(|error| Silence::Nonsense(error.to_string()))?;
    let Some(result) = answer.result else { return Err(Silence::Nonsense(line.trim().to_owned())) };
    serde_json::from_str(result.get()).map_err(|error| Silence::Nonsense(error.to_string()))
}
