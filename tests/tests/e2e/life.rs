//! The daemon comes by itself, is one, survives nothing and loses nothing.

use crate::start;
use hob_client::{DaemonApiClient as _, block_on};
use hob_tests::{Outcome, Random, finish, setting, within};
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const TREE: &str = "//- a.rs\nfn main() {}\n//- b.rs\nfn other() {}";

/// What `hob search fn` prints in [`TREE`].
const FOUND: &str = "a.rs:1:fn main() {}\nb.rs:1:fn other() {}\n";

#[test]
fn the_first_command_starts_the_daemon() {
    let hob = start(TREE);
    assert_eq!(hob.daemon(), None);
    assert_eq!(hob.run("search fn"), FOUND);
    let first = hob.daemon().expect("a daemon runs");
    assert_eq!(hob.run("search fn"), FOUND);
    assert_eq!(hob.daemon(), Some(first));
    assert!(hob.run("daemon stop").contains(&format!("process {first}")));
    assert_eq!(hob.daemon(), None);
    assert_eq!(hob.run("search fn"), FOUND);
}

#[test]
fn fifty_clients_at_once_are_one_daemon_and_fifty_answers() {
    let hob = start(TREE);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..50).map(|_| scope.spawn(|| hob.try_run(&["search", "fn"]))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for outcome in outcomes {
        assert_eq!(outcome.text(), FOUND, "{outcome:?}");
        assert_eq!((outcome.status, &*outcome.stderr), (Some(0), ""));
    }
    assert_eq!(hob.log().matches(": ready").count(), 1, "{}", hob.log());
}

#[test]
fn a_daemon_that_is_killed_while_it_indexes_loses_nothing() {
    let mut hob = start("");
    hob.set("HOB_INDEX_MEMORY_MB", "1").set("HOB_INDEX_THREADS", "1");
    let mut random = Random::new(crate::seed());
    let mut expected = Vec::new();
    for number in 0..1500 {
        let filler: String = (0..40).map(|_| format!("word{} ", random.below(5000))).collect();
        hob.write(
            format!("src/{}/{number:04}.txt", number % 20),
            format!("{filler}\nneedle{number}\n"),
        );
        if number % 100 == 7 && number > 7 {
            expected.push(format!("src/{}/{number:04}.txt:2:needle{number}\n", number % 20));
        }
    }
    expected.sort();
    let expected = expected.concat();
    let kills = setting("HOB_KILLS", 20);
    for kill in 0..kills {
        hob.write("src/changed.txt", format!("needle of kill {kill}\n"));
        // Something is always left to index when the signal comes.
        for number in 0..50 {
            hob.write(format!("new/{kill}/{number}.txt"), format!("fresh{kill} {number}\n"));
        }
        let search = finish(hob.hob().args(["search", "needle\\d*07$"]));
        assert_eq!(search.text(), expected, "after kill {kill}: {search:?}");
        let changed = format!("src/changed.txt:1:needle of kill {kill}\n");
        assert_eq!(hob.run("search of.kill"), changed, "after kill {kill}");
        assert_eq!(hob.run(&format!("search -c fresh{kill}")).lines().count(), 50);
        // Somewhere in its work, another place each time.
        std::thread::sleep(Duration::from_millis(random.below(150) as u64));
        hob.signal(Signal::KILL);
    }
    hob.index();
    assert_eq!(hob.run("search needle\\d*07$"), expected);
    assert!(hob.status()["store"].get("problem").is_none(), "{}", hob.status());
    println!("life: {kills} kills while indexing, every answer right");
}

#[test]
fn stopping_waits_for_the_end_and_twice_is_no_error() {
    let hob = start(TREE);
    assert_eq!(hob.run("daemon stop"), "hobd does not run\n");
    let _ = hob.run("ping");
    let _ = hob.run("daemon stop");
    assert!(!hob.outside("run/hob/hob.sock").exists());
    assert_eq!(hob.run("daemon stop"), "hobd does not run\n");
}

#[test]
fn a_socket_that_nobody_serves_is_in_nobodys_way() {
    let hob = start(TREE);
    let _ = hob.run("ping");
    hob.signal(Signal::KILL);
    assert!(hob.outside("run/hob/hob.sock").exists());
    assert_eq!(hob.run("search fn"), FOUND);
    let _ = hob.run("daemon stop");
    drop(UnixListener::bind(hob.outside("run/hob/hob.sock")).unwrap());
    assert_eq!(hob.run("search fn"), FOUND);
}

#[test]
fn a_socket_may_be_elsewhere() {
    let mut hob = start(TREE);
    let socket = hob.outside("other.sock");
    hob.set("HOB_SOCKET", &socket);
    assert_eq!(hob.run("search fn"), FOUND);
    assert!(socket.exists());
    assert!(!hob.outside("run/hob/hob.sock").exists());
}

/// What `hob` says where the daemon does not come.
fn complaint(vars: &[(&str, &str)]) -> String {
    let mut hob = start(TREE);
    for (name, value) in vars {
        hob.set(name, value.replace("WORLD", hob.outside("").to_str().unwrap()));
    }
    fs::write(hob.outside("file"), "precious").unwrap();
    std::os::unix::fs::symlink("file", hob.outside("link")).unwrap();
    let outcome = hob.try_run(&["search", "fn"]);
    assert_eq!(fs::read_to_string(hob.outside("link")).unwrap(), "precious");
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    assert_eq!(outcome.text(), "");
    assert!(outcome.stderr.starts_with("hob: "), "{outcome:?}");
    assert!(outcome.stderr.contains("\nhint: "), "{outcome:?}");
    outcome.stderr
}

#[test]
fn a_daemon_that_does_not_start_says_why() {
    let check = |vars: &[(&str, &str)], expected: &str| {
        let said = complaint(vars);
        assert!(said.contains(expected), "{vars:?}: {said}");
    };
    check(&[("HOB_DAEMON", "/bin/false")], "it ended before it was ready");
    check(
        &[("HOB_DAEMON", "/no/such/hobd")],
        "`/no/such/hobd`, which `HOB_DAEMON` names, is no program",
    );
    check(&[("HOB_DAEMON", "WORLD/file")], "is no program");
    check(&[("HOB_LIMITS_CALLS", "many")], "`HOB_LIMITS_CALLS`: expected a whole number");
    check(&[("XDG_RUNTIME_DIR", "WORLD/file")], "file");
    let long = format!("WORLD/{}", "x".repeat(110));
    check(&[("HOB_SOCKET", &long)], "may have 107");
    check(&[("HOB_SOCKET", "WORLD/no/dir/sock")], "no/dir/sock");
    check(&[("HOB_SOCKET", "WORLD/file")], "WORLD/file".trim_start_matches("WORLD"));
    check(&[("HOB_SOCKET", "WORLD/link")], "link");
    check(&[("HOB_SOCKET", "WORLD/tree")], "tree");
}

#[test]
fn a_place_for_state_that_cannot_be_had_is_no_obstacle_to_answers() {
    let mut hob = start(TREE);
    fs::write(hob.outside("file"), "").unwrap();
    let nowhere = hob.outside("file/below");
    hob.set("XDG_STATE_HOME", &nowhere).set("XDG_CACHE_HOME", &nowhere);
    assert_eq!(hob.run("search fn"), FOUND);
    let status = hob.status();
    assert!(status["store"]["problem"].as_str().unwrap().contains("cannot be opened"), "{status}");
    hob.write("a.rs", "fn changed() {}\n");
    assert_eq!(hob.run("search changed"), "a.rs:1:fn changed() {}\n");
}

#[test]
fn a_client_whose_reader_has_gone_ends_in_silence() {
    let hob = start("");
    hob.write("many.txt", "line\n".repeat(200_000));
    let programs = crate::PROGRAMS;
    let outcome = finish(
        hob.command("sh")
            .env("HOB", programs.hob)
            .args(["-c", "{ \"$HOB\" search line; echo $? >&3; } 3>status | head -n 1"]),
    );
    assert_eq!((outcome.text().as_str(), outcome.stderr.as_str()), ("many.txt:1:line\n", ""));
    within(Duration::from_secs(10), "the client's end", || {
        fs::read_to_string(hob.path("status")).is_ok_and(|status| status == "0\n")
    });
}

/// What `hob` prints of a greeting with this number.
fn greeted(hob: &hob_tests::Hob, protocol: u32) -> String {
    let params = format!("{{\"protocol\": {protocol}}}");
    hob.try_run(&["rpc", "daemon.hello", &params]).stderr
}

#[test]
fn whoever_is_older_is_told_so_by_both_sides() {
    let mut hob = start(TREE);
    let _ = hob.run("ping");
    let (newer, older) = (hob_protocol::PROTOCOL + 1, hob_protocol::PROTOCOL - 1);
    let said = greeted(&hob, newer);
    assert!(said.ends_with("hint: the daemon is older: run `hob daemon restart`\n"), "{said}");
    let said = greeted(&hob, older);
    assert!(said.contains("hint: the client is older: update it"), "{said}");
    assert_eq!(greeted(&hob, hob_protocol::PROTOCOL), "");

    // The other way round: what answers at the socket is of another version.
    let socket = hob.outside("other.sock");
    hob.set("HOB_SOCKET", &socket);
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        let of = |number: u32| format!(r#""result":{{"protocol":{number}}}"#);
        let unknown = r#""error":{"code":-32601,"message":"unknown"}"#.to_owned();
        for (stream, answer) in listener.incoming().zip([of(newer), of(older), unknown]) {
            let mut stream = stream.unwrap();
            let mut greeting = String::new();
            BufReader::new(&stream).read_line(&mut greeting).unwrap();
            assert!(greeting.contains("daemon.hello"), "{greeting}");
            writeln!(stream, r#"{{"jsonrpc":"2.0","id":1,{answer}}}"#).unwrap();
        }
    });
    for hint in ["the client is older: update it", "the daemon is older", "the daemon is older"] {
        let outcome = hob.try_run(&["search", "fn"]);
        assert_eq!((outcome.status, outcome.text().as_str()), (Some(2), ""));
        assert!(outcome.stderr.contains(hint), "{outcome:?}");
    }
}

#[test]
fn clients_do_not_notice_that_the_daemon_is_succeeded() {
    let mut hob = start(TREE);
    let program = hob.outside("hobd");
    let install = {
        let (hobd, new) = (crate::PROGRAMS.hobd, hob.outside("new"));
        let program = program.clone();
        move || {
            let copied = std::process::Command::new("cp").arg(hobd).arg(&new).status().unwrap();
            assert!(copied.success());
            fs::rename(&new, &program).unwrap();
        }
    };
    install();
    hob.set("HOB_DAEMON", &program);
    assert_eq!(hob.run("search fn"), FOUND);
    let pid = hob.daemon();
    let (over, asked) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for client in 0..6 {
            let (hob, over, asked) = (&hob, &over, &asked);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    match client % 3 {
                        0 => assert_eq!(hob.run("search fn"), FOUND),
                        1 => assert_eq!(hob.run("files"), "a.rs\nb.rs\n"),
                        _ => assert!(hob.run("ping").starts_with("pong")),
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 1..=4 {
            let before = asked.load(Ordering::Relaxed);
            install();
            within(Duration::from_secs(30), "the succession", || {
                hob.log().matches(": ready").count() > round
            });
            within(Duration::from_secs(30), "answers", || {
                asked.load(Ordering::Relaxed) > before + 20
            });
        }
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(hob.daemon(), pid);
}

// Someone's service may run `hob`, and what it is told by systemd is not for the daemon.
#[test]
fn a_service_that_runs_hob_is_not_spoken_for() {
    let mut hob = start(TREE);
    let ear = UnixDatagram::bind(hob.outside("notify")).unwrap();
    ear.set_nonblocking(true).unwrap();
    let notify = hob.outside("notify");
    hob.set("NOTIFY_SOCKET", notify).set("LISTEN_FDS", "1").set("LISTEN_PID", "1");
    assert_eq!(hob.run("search fn"), FOUND);
    let _ = hob.run("daemon stop");
    assert!(ear.recv(&mut [0; 64]).is_err(), "the daemon spoke for the service");
}

#[test]
fn a_daemon_that_nobody_needs_ends_and_the_next_command_has_another() {
    let mut hob = start("//- a.txt\nfoo");
    hob.set("HOB_DAEMON_IDLE_EXIT_MS", "300");
    hob.index();
    let held = hob.connection();
    let first = hob.daemon().unwrap();
    // Longer than it would wait if nobody were connected.
    within(Duration::from_secs(30), "three seconds of its life", || {
        let status = block_on(held.status()).unwrap();
        assert_eq!(status.pid, first);
        status.uptime_seconds >= 3
    });
    drop(held);
    let socket = hob.place().socket;
    within(Duration::from_secs(20), "the end of an idle daemon", || !socket.exists());
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
    assert_ne!(hob.daemon(), Some(first));
}

// The moment at which it ends is the moment at which others come.
#[test]
fn a_daemon_that_ends_all_the_time_loses_no_request() {
    let mut hob = start("//- a.txt\nfoo");
    hob.set("HOB_DAEMON_IDLE_EXIT_MS", "1");
    hob.index();
    let (ends, enough) = (|| hob.log().matches("nobody has been connected").count(), 3);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut asked = 0;
                while asked < 25 || ends() < enough {
                    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
                    asked += 1;
                }
            });
        }
    });
}

#[test]
fn the_level_of_the_log_changes_while_the_daemon_runs() {
    let hob = start("//- a.txt\nfoo");
    assert_eq!(hob.run("daemon log-level"), "info\n");
    assert_eq!(hob.run("daemon log-level warn,hob_daemon=debug"), "hob_daemon=debug,warn\n");
    let _ = hob.run("ping");
    assert!(hob.log().contains("DEBUG"), "{}", hob.log());
    let refused = hob.try_run(&["daemon", "log-level", "loud"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("`loud` is no level") && refused.stderr.contains("hint: "));
    assert_eq!(hob.run("daemon log-level"), "hob_daemon=debug,warn\n");
    let _ = hob.run("daemon log-level off");
    let before = hob.log();
    let _ = hob.run("ping");
    assert_eq!(hob.log(), before);
}
