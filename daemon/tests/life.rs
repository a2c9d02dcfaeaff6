//! The life of `hobd` as its starter sees it: a process, a pipe, a socket.

#![allow(clippy::unwrap_used, reason = "a test that fails, fails there")]

mod world;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use world::{Daemon, World, begin, large_search, last_line, wait_for};

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn it_says_ready_serves_and_stops_when_asked() {
    let world = World::new();
    let mut daemon = world.start();
    let status = world.ask("daemon.status");
    assert!(status.contains(&format!(r#""pid":{}"#, daemon.0.id())), "{status}");
    assert!(status.contains("hobd.log"), "{status}");
    assert!(world.ask("daemon.stop").contains(r#""result":true"#));
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(!world.socket().exists());
    assert!(world.log().contains("stopped"), "{}", world.log());
}

#[test]
fn many_that_start_at_once_are_one_daemon() {
    let world = World::new();
    let start = || world.hobd(&["--background"]).spawn().unwrap();
    let mut started: Vec<Daemon> = (0..20).map(|_| Daemon(start())).collect();
    for daemon in &mut started {
        let mut line = String::new();
        BufReader::new(daemon.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        UnixStream::connect(world.socket()).unwrap();
    }
    world.ask("daemon.stop");
    assert!(started.iter_mut().all(|daemon| daemon.ended().code() == Some(0)));
    assert_eq!(world.log().matches(": ready").count(), 1);
}

#[test]
fn in_the_foreground_a_second_one_fails_and_names_the_first() {
    let world = World::new();
    let daemon = world.start();
    let second = world.hobd(&[]).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let error = String::from_utf8(second.stderr).unwrap();
    assert!(error.contains(&format!("(process {})", daemon.0.id())), "{error}");
    assert!(error.contains("\nhint: "), "{error}");
}

#[test]
fn a_killed_daemon_is_succeeded() {
    let world = World::new();
    for _ in 0..3 {
        let daemon = world.start();
        daemon.signal(rustix::process::Signal::KILL);
        drop(daemon);
        assert!(world.socket().exists());
    }
    let _daemon = world.start();
    assert!(world.ask("daemon.ping").contains("uptime_seconds"));
}

#[test]
fn a_stopping_daemon_is_succeeded_by_the_one_that_waits() {
    let world = World::new();
    let mut first = world.start();
    first.signal(rustix::process::Signal::TERM);
    let mut second = world.start();
    assert_eq!(first.ended().code(), Some(0));
    // What was said ready for may have been the first one, in its last moment.
    if UnixStream::connect(world.socket()).is_err() {
        assert_eq!(second.ended().code(), Some(0));
    }
}

#[test]
fn signals_stop_it_or_are_nothing_to_it() {
    use rustix::process::Signal;
    for deadly in [Signal::TERM, Signal::INT] {
        let world = World::new();
        let mut daemon = world.start();
        for harmless in [Signal::HUP, Signal::XFSZ, Signal::PIPE] {
            daemon.signal(harmless);
            assert!(world.ask("daemon.ping").contains("uptime_seconds"));
        }
        daemon.signal(deadly);
        assert_eq!(daemon.ended().code(), Some(0));
        assert!(!world.socket().exists());
    }
}

#[test]
fn why_it_does_not_start_comes_through_the_pipe() {
    let check = |command: &mut Command, message: &str| {
        let output = command.output().unwrap();
        let text = said(&output);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].starts_with("error: ") && lines[0].contains(message), "{text}");
        assert!(lines[1].starts_with("hint: "), "{text}");
        assert_eq!(output.status.code(), Some(2));
    };
    let world = World::new();
    let hobd = || world.hobd(&["--background"]);
    check(hobd().env("HOB_SOCKET", world.path(&"x".repeat(120))), "at most 107");
    check(hobd().env("HOB_SOCKET", world.home()), "is a directory");
    check(hobd().env("HOB_SOCKET", world.path("no/such/dir/s")), "cannot open the lock");
    check(hobd().env("HOB_LIMITS_CALLS", "many"), "`HOB_LIMITS_CALLS`: expected a whole number");
    check(hobd().env("XDG_RUNTIME_DIR", "/proc/nowhere"), "cannot make the directory");
    check(&mut world.hobd(&["--background", "--set", "limits.cals=1"]), "did you mean");
    assert!(!world.socket().exists());
}

#[test]
fn the_command_line_is_explained() {
    let world = World::new();
    let run = |arg| world.hobd(&[arg]).output().unwrap();
    assert!(said(&run("--help")).contains("--background"));
    assert!(said(&run("--version")).starts_with("hobd "));
    assert!(said(&run("--help-config")).contains("\n[limits]\n"));
    assert_eq!(run("--bakground").status.code(), Some(2));
}

#[test]
fn an_unknown_key_in_the_file_is_a_warning_in_the_log() {
    let world = World::new();
    std::fs::create_dir_all(world.path(".config/hob")).unwrap();
    std::fs::write(world.path(".config/hob/config.toml"), "[limits]\ncals = 1\n").unwrap();
    let _daemon = world.start();
    assert!(
        world.log().contains("config.toml:2: there is no key `limits.cals`"),
        "{}",
        world.log()
    );
}

// Out of descriptors, accepting fails at once and for ever: a loop that tries again without a pause
// takes a core, and one that ends takes the daemon.
#[test]
fn out_of_descriptors_it_waits_and_then_serves() {
    let world = World::new();
    let mut command = Command::new("sh");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", world.home());
    command.env("XDG_RUNTIME_DIR", world.path("run")).env("HOBD", env!("CARGO_BIN_EXE_hobd"));
    command.args(["-c", "ulimit -n 32; exec \"$HOBD\" --background"]).stdout(Stdio::piped());
    let mut daemon = Daemon(command.spawn().unwrap());
    let mut ready = String::new();
    daemon.0.stdout.take().unwrap().read_to_string(&mut ready).unwrap();
    assert_eq!(ready, "ready\n");

    let crowd: Vec<_> = (0..64).filter_map(|_| UnixStream::connect(world.socket()).ok()).collect();
    wait_for(|| world.log().contains("cannot accept a connection"));
    let before = cpu_ticks(daemon.0.id());
    let attempts = || world.log().matches("cannot accept a connection").count();
    let first = attempts();
    wait_for(|| attempts() >= first + 3);
    assert!(cpu_ticks(daemon.0.id()) - before < 15, "the daemon spins");
    drop(crowd);
    assert!(world.ask("daemon.ping").contains("uptime_seconds"));
}

/// The CPU time of a process, in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap();
    let after_name = stat.rsplit(") ").next().unwrap();
    after_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_full_log_and_a_limit_on_files_do_not_stop_it() {
    let world = World::new();
    let mut command = world.hobd(&[]);
    command.env("HOB_LOG", "trace").stderr(std::fs::File::create("/dev/full").unwrap());
    let mut daemon = Daemon(command.spawn().unwrap());
    wait_for(|| UnixStream::connect(world.socket()).is_ok());
    assert!(world.ask("daemon.ping").contains("uptime_seconds"));
    world.ask("daemon.stop");
    let status = daemon.ended();
    assert_eq!((status.code(), status.signal()), (Some(0), None));
}

#[test]
fn a_signal_under_load_lets_streams_finish_and_is_obeyed_in_time() {
    let world = World::new();
    let mut daemon = world.start();
    let search = large_search(&world);
    let tree = world.path("tree");
    std::fs::create_dir(&tree).unwrap();
    let about = |method: &str| {
        let params = format!(r#"{{"dir":"{}"}}"#, tree.display());
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#)
    };
    let idle = begin(&world, &about("index.build"));
    let changes = begin(&world, &about("index.changes"));
    let searches: Vec<_> = (0..3).map(|_| begin(&world, &search)).collect();
    let read_late = begin(&world, &search);
    let _never_read = begin(&world, &search);

    let told = Instant::now();
    daemon.signal(rustix::process::Signal::TERM);
    wait_for(|| world.log().contains("stopping: a signal"));
    // Whoever is still to read the most of its answer gets it.
    std::thread::scope(|scope| {
        for search in searches {
            scope.spawn(|| {
                let last = last_line(search);
                assert!(last.contains(r#""done""#), "{last}");
            });
        }
    });
    // What asks for nothing, and what would never end by itself, does not hold it up.
    assert_eq!(last_line(idle), "");
    assert!(!last_line(changes).contains("error"));
    // What nobody reads is given up in time to say so.
    wait_for(|| world.log().contains("is given up"));
    let last = last_line(read_late);
    assert!(last.contains("failed") && last.contains("stopping"), "{last}");
    let status = daemon.ended();
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    assert!(!world.socket().exists());
    assert_eq!((status.code(), status.signal()), (Some(0), None), "{}", world.log());
}
