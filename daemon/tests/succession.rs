//! A daemon whose program is replaced becomes the new one, and nobody who asks notices.

#![allow(clippy::unwrap_used, reason = "a test that fails, fails there")]

mod world;

use rustix::process::Signal;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use world::{Daemon, World, ask, begin, large_search, last_line, wait_for};

/// An answer, or what came in its place.
fn try_ask(socket: &Path, request: &str) -> Result<String, String> {
    let mut stream = UnixStream::connect(socket).map_err(|error| format!("connect: {error}"))?;
    writeln!(stream, "{request}").map_err(|error| format!("write: {error}"))?;
    let mut answer = String::new();
    let read = BufReader::new(stream).read_line(&mut answer);
    read.map_err(|error| format!("read: {error}"))?;
    match answer.contains(r#""result""#) {
        true => Ok(answer),
        false => Err(format!("answer: {answer:?}")),
    }
}

/// A tree to search, as a request that does.
fn searching(world: &World) -> String {
    let tree = world.path("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("a.txt"), "kettle\n").unwrap();
    let git = Command::new("git").args(["init", "-q"]).arg(&tree).status().unwrap();
    assert!(git.success());
    let query = format!(r#"{{"patterns":["kettle"],"cwd":"{}"}}"#, tree.display());
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"index.search","params":{{"query":{query}}}}}"#)
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.ping"}"#;

// Each client is one that knows nothing of daemons that stop: a connection, a question, an answer.
#[test]
fn no_request_is_lost_while_the_program_is_replaced_again_and_again() {
    let world = World::with_a_program_of_its_own();
    let search = searching(&world);
    let daemon = world.start();
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..12)
            .map(|client| {
                let (world, search, over, asked) = (&world, &search, &over, &asked);
                scope.spawn(move || {
                    while !over.load(Ordering::Relaxed) {
                        let request = if client % 3 == 0 { search } else { PING };
                        let answer = try_ask(&world.socket(), request)?;
                        if client % 3 == 0 && !answer.contains("kettle") {
                            return Err(answer);
                        }
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok(())
                })
            })
            .collect();
        for _ in 0..8 {
            let before = asked.load(Ordering::Relaxed);
            world.replace_program();
            wait_for(|| world.is_run_by(daemon.0.id()));
            wait_for(|| asked.load(Ordering::Relaxed) > before + 50);
        }
        over.store(true, Ordering::Relaxed);
        let failed: Vec<_> = clients.into_iter().filter_map(|c| c.join().unwrap().err()).collect();
        assert!(failed.is_empty(), "{failed:?}\n{}", world.log());
    });
    assert_eq!(world.log().matches(": ready").count(), 9, "{}", world.log());
    assert_eq!(world.log().matches("was replaced, and succeeds").count(), 8);
}

#[test]
fn what_was_read_is_answered_before_the_new_program_takes_over() {
    let world = World::with_a_program_of_its_own();
    let daemon = world.start();
    let search = begin(&world, &large_search(&world));
    world.replace_program();
    std::thread::scope(|scope| {
        let next = scope.spawn(|| try_ask(&world.socket(), PING));
        wait_for(|| world.log().contains("was replaced, and succeeds"));
        assert!(!world.is_run_by(daemon.0.id()), "the search still runs");
        let last = last_line(search);
        assert!(last.contains(r#""done""#), "{last}");
        assert!(next.join().unwrap().is_ok());
    });
    assert!(world.is_run_by(daemon.0.id()));
}

// Such as an editor's: it reads an end, not an error, and connects again.
#[test]
fn a_connection_that_is_kept_open_is_closed_once_nothing_runs_on_it() {
    let world = World::with_a_program_of_its_own();
    let daemon = world.start();
    let mut kept = begin(&world, PING);
    world.replace_program();
    try_ask(&world.socket(), PING).unwrap();
    let mut rest = String::new();
    assert_eq!(kept.read_line(&mut rest).unwrap(), 0, "{rest}");
    let _again = begin(&world, PING);
    assert!(world.is_run_by(daemon.0.id()));
}

#[test]
fn a_program_that_would_not_start_does_not_succeed() {
    let world = World::with_a_program_of_its_own();
    let daemon = world.start();
    let broken = world.path("broken");
    let mut write = Command::new("sh");
    write.args(["-c", "printf '#!/bin/sh\\necho error: broken\\n' > $0; chmod 755 $0"]);
    assert!(write.arg(&broken).status().unwrap().success());
    world.put_program(&broken);
    for _ in 0..3 {
        try_ask(&world.socket(), PING).unwrap();
    }
    assert_eq!(world.log().matches("cannot succeed: broken").count(), 1, "{}", world.log());
    assert!(!world.is_run_by(daemon.0.id()));
    world.replace_program();
    try_ask(&world.socket(), PING).unwrap();
    assert!(world.is_run_by(daemon.0.id()));
}

#[test]
fn settings_are_those_of_the_daemon_that_is_succeeded() {
    let world = World::with_a_program_of_its_own();
    let mut command = world.hobd(&["--set", "limits.batch=1", "--set=limits.calls=7"]);
    command.stderr(Stdio::null());
    let daemon = Daemon(command.spawn().unwrap());
    wait_for(|| UnixStream::connect(world.socket()).is_ok());
    world.replace_program();
    let batch = format!("[{PING},{PING}]");
    let refused = try_ask(&world.socket(), &batch).unwrap_err();
    assert!(refused.contains("more than 1 messages in a batch"), "{refused}");
    assert!(world.is_run_by(daemon.0.id()));
    let line = std::fs::read(format!("/proc/{}/cmdline", daemon.0.id())).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert!(
        line.ends_with("--set\0limits.batch=1\0--set=limits.calls=7\0--succeed=bound\0"),
        "{line}"
    );
}

// Two checkouts, each with a `hob` and a `hobd` of its own, on the user's one socket.
#[test]
fn two_builds_that_share_a_socket_do_not_chase_each_other() {
    let one = World::with_a_program_of_its_own();
    let other = World::with_a_program_of_its_own();
    let daemon = one.start();
    for _ in 0..5 {
        let mut second = other.hobd(&["--background"]);
        second.env("HOME", one.home()).env("XDG_RUNTIME_DIR", one.path("run"));
        let said = second.output().unwrap();
        assert_eq!((said.stdout.as_slice(), said.status.code()), (&b"ready\n"[..], Some(0)));
        try_ask(&one.socket(), PING).unwrap();
    }
    assert!(one.is_run_by(daemon.0.id()));
    assert_eq!(one.log().matches(": ready").count(), 1, "{}", one.log());
}

#[test]
fn a_signal_while_a_successor_waits_is_the_end() {
    let world = World::with_a_program_of_its_own();
    let mut daemon = world.start();
    let search = begin(&world, &large_search(&world));
    world.replace_program();
    let _waits = UnixStream::connect(world.socket()).unwrap();
    wait_for(|| world.log().contains("was replaced, and succeeds"));
    daemon.signal(Signal::TERM);
    wait_for(|| world.log().contains("stopping: a signal"));
    last_line(search);
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(!world.socket().exists());
    assert_eq!(world.log().matches(": ready").count(), 1, "{}", world.log());
}

#[test]
fn a_client_that_stops_a_daemon_about_to_be_succeeded_is_obeyed() {
    let world = World::with_a_program_of_its_own();
    let mut daemon = world.start();
    let kept = begin(&world, PING);
    // The daemon waits a second for what this one wants.
    let _silent = UnixStream::connect(world.socket()).unwrap();
    try_ask(&world.socket(), PING).unwrap();
    world.replace_program();
    let _waits = UnixStream::connect(world.socket()).unwrap();
    wait_for(|| world.log().contains("was replaced, and succeeds"));
    ask(kept.get_ref(), "daemon.stop");
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(!world.socket().exists());
    assert_eq!(world.log().matches(": ready").count(), 1, "{}", world.log());
}

// Whoever cleans `/tmp` leaves a daemon that nobody can reach, and that holds the lock.
#[test]
fn a_daemon_whose_socket_is_gone_ends() {
    let world = World::new();
    let mut first = world.start();
    std::fs::remove_file(world.socket()).unwrap();
    let second = world.start();
    assert_eq!(first.ended().code(), Some(0));
    try_ask(&world.socket(), PING).unwrap();
    assert!(world.is_run_by(second.0.id()));
}
