//! The daemon that runs, asked as a client would.

use super::place::Here;
use super::{Check, in_time, size};
use crate::life::{is_claimed, same_place};
use hob_protocol::{DaemonStatus, Freshness, PROTOCOL, WorkspaceList, WorkspaceStatus};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a daemon may take for an answer. It needs less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) fn examine(here: &Here) -> Vec<Check> {
    let socket = &here.socket;
    match (is_claimed(socket), listens(socket)) {
        (Some(true), _) => ask_all(socket),
        (_, true) if here.is_activated() => {
            vec![Check::ok("daemon", "none runs; systemd starts one at the first question")]
        }
        // Whoever cleans directories may have taken the lock away.
        (None, true) => ask_all(socket),
        (Some(false), true) => vec![Check::fail(
            "daemon",
            format!("none runs, and another program listens at {}", socket.display()),
            "set `HOB_SOCKET` to another path, or end what listens there",
        )],
        (_, false) => vec![Check::ok(
            "daemon",
            match socket.exists() {
                true => "none runs; the last one was killed, and has left its socket",
                false => "none runs; `hob` starts one when it is needed",
            },
        )],
    }
}

/// Whether someone listens at a socket, as the kernel tells: to connect could start a daemon.
fn listens(socket: &Path) -> bool {
    let table = std::fs::read("/proc/net/unix").unwrap_or_default();
    table.split(|byte| *byte == b'\n').filter_map(listener).any(|path| same_place(path, socket))
}

/// The path of a line of `/proc/net/unix`, if it is of a socket that listens: address, references,
/// protocol, flags, type, state, inode, path. The path may have blanks.
fn listener(line: &[u8]) -> Option<&Path> {
    const ACCEPTS: u32 = 0x1_0000;
    let (mut rest, mut flags) = (line, 0);
    for column in 0..7 {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|byte| *byte == b' ')?;
        if column == 3 {
            flags = u32::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        }
        rest = &rest[end..];
    }
    (flags & ACCEPTS != 0).then(|| Path::new(OsStr::from_bytes(&rest[1..])))
}

fn ask_all(socket: &Path) -> Vec<Check> {
    let asked = Instant::now();
    let status: DaemonStatus = match ask(socket, "daemon.status") {
        Ok(status) => status,
        Err(silence) => return vec![silence.check(socket)],
    };
    let took = asked.elapsed().as_secs_f64() * 1000.0;
    let mut checks = vec![version(&status, took)];
    checks.extend(descriptors(&status));
    match ask::<WorkspaceList>(socket, "workspace.list") {
        Ok(list) => checks.extend(list.workspaces.iter().map(workspace)),
        Err(silence) => checks.push(silence.check(socket)),
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
    if workspace.gone {
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

/// Asks one question. To connect may take for ever as well.
fn ask<T: DeserializeOwned + Send + 'static>(
    socket: &Path,
    method: &'static str,
) -> Result<T, Silence> {
    let socket = socket.to_owned();
    in_time(PATIENCE, move || talk(&socket, method)).unwrap_or(Err(Silence::Late))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_is_read_of_the_kernels_table() {
        let of = |flags: &str, path: &str| {
            let line = format!("00000000f2a7: 00000002 00000000 {flags} 0001 01    45 {path}");
            listener(line.as_bytes()).map(|path| path.display().to_string())
        };
        assert_eq!(of("00010000", "/run/a b/s").as_deref(), Some("/run/a b/s"));
        assert_eq!(of("00000000", "/run/s"), None, "a connection");
        assert_eq!(listener(b"Num       RefCount Protocol Flags    Type St Inode Path"), None);
        assert_eq!(listener(b"00000000f2a7: 00000003 00000000 00000000 0001 03 1234"), None);
        assert_eq!(listener(b""), None);
    }

    #[test]
    fn a_socket_that_is_bound_listens_and_one_that_was_left_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        assert!(!listens(&socket));
        let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(listens(&socket));
        drop(listener);
        assert!(socket.exists() && !listens(&socket));
    }
}
