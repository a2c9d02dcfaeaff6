//! What `hob doctor` says of set-ups that are well, and of some that are not.

use crate::start;
use hob_tests::{Hob, finish, skipped};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// `STATE MESSAGE` of all checks of a name, and whether it is well in all.
fn checks(hob: &Hob, name: &str) -> (bool, Vec<String>) {
    let outcome = hob.try_run(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&outcome.stdout)
        .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let healthy = report["healthy"].as_bool().unwrap();
    assert_eq!(outcome.status, Some(i32::from(!healthy)), "{outcome:?}");
    let of = |check: &Value| {
        let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
        assert_eq!(text("hint").is_empty(), text("state") == "ok", "{check}");
        format!("{} {} ({})", text("state"), text("message"), text("hint"))
    };
    let all = report["checks"].as_array().unwrap();
    (healthy, all.iter().filter(|check| check["name"] == name).map(of).collect())
}

/// Asserts what the first check of a name says, and whether it is well in all.
fn finds(hob: &Hob, well: bool, name: &str, start: &str, parts: &[&str]) {
    let (healthy, checks) = checks(hob, name);
    let found = checks
        .iter()
        .any(|check| check.starts_with(start) && parts.iter().all(|part| check.contains(part)));
    assert!(found && healthy == well, "{name}: {start} {parts:?} is not in {checks:#?}");
}

#[test]
fn a_healthy_hob_is_well_with_and_without_a_daemon() {
    let hob = start("//- a.txt\nfoo");
    finds(&hob, true, "daemon", "ok", &["none runs"]);
    assert_eq!(hob.daemon(), None, "it starts nothing");
    hob.index();
    let pid = hob.daemon().unwrap();
    finds(&hob, true, "daemon", "ok", &[&format!("process {pid}"), "answers in"]);
    finds(&hob, true, "workspace", "ok", &[hob.root().to_str().unwrap(), "live"]);
    finds(&hob, true, "stores", "ok", &["1 of "]);
    let page = hob.run("doctor");
    assert!(
        page.starts_with("ok    program ")
            && page.contains("watches are in use") | page.contains("instances are in use"),
        "{page}"
    );
}

#[test]
fn a_socket_that_a_killed_daemon_left_is_nothing_to_mend() {
    let hob = start("//- a.txt\nfoo");
    let _ = hob.run("ping");
    hob.signal(Signal::KILL);
    assert!(hob.place().socket.exists());
    finds(&hob, true, "daemon", "ok", &["was killed"]);
    assert!(hob.place().socket.exists(), "it changes nothing");
}

#[test]
fn a_directory_that_is_open_to_others_is_told() {
    let hob = start("");
    let dir = hob.outside("run/hob");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    finds(&hob, false, "socket", "fail", &["open to other users", "chmod 700"]);
}

#[test]
fn what_is_in_the_sockets_way_is_told_and_left() {
    let mut hob = start("");
    let file = hob.outside("run/taken");
    fs::write(&file, "mine").unwrap();
    hob.set("HOB_SOCKET", &file);
    finds(&hob, false, "socket", "fail", &["is a file", "move it away"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    hob.set("HOB_SOCKET", hob.outside("no/such/dir/s"));
    finds(&hob, false, "socket", "fail", &["there is no directory"]);
    hob.set("HOB_SOCKET", format!("/tmp/{}", "x".repeat(110)));
    finds(&hob, false, "socket", "fail", &["at most 107"]);
}

#[test]
fn a_daemon_that_does_not_answer_is_told_and_not_waited_for() {
    let hob = start("");
    let _ = hob.run("ping");
    let pid = hob.daemon().unwrap();
    hob.signal_process(pid, Signal::STOP);
    finds(&hob, false, "daemon", "fail", &["does not answer within 3 s", "kill -CONT"]);
    hob.signal_process(pid, Signal::CONT);
    finds(&hob, true, "daemon", "ok", &[]);
}

#[test]
fn someone_else_at_the_socket_is_told() {
    let mut hob = start("");
    let socket = hob.outside("run/other");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"220 mail.example.org\r\n").unwrap();
    });
    hob.set("HOB_SOCKET", &socket);
    finds(&hob, false, "daemon", "fail", &["is no hob", "HOB_SOCKET"]);
    other.join().unwrap();
    // A lock that nobody holds tells it without a question, which would go to whoever that is.
    let _listens = std::os::unix::net::UnixListener::bind(hob.outside("run/third")).unwrap();
    hob.set("HOB_SOCKET", hob.outside("run/third"));
    fs::write(hob_protocol::place::lock(&hob.place().socket), "").unwrap();
    finds(&hob, false, "daemon", "fail", &["another program listens"]);
}

#[test]
fn a_configuration_that_is_wrong_is_told_with_its_line() {
    let mut hob = start("");
    let file = hob.outside("config/hob/config.toml");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, "[limits]\ncals = 5\n").unwrap();
    finds(&hob, true, "config", "warn", &["config.toml:2", "`limits.calls`"]);
    fs::write(&file, "[limits]\ncalls = \"many\"\n").unwrap();
    finds(&hob, false, "config", "fail", &["config.toml:2", "--help-config"]);
    fs::remove_file(&file).unwrap();
    hob.set("HOB_LIMITS_BACH", "5");
    finds(&hob, true, "config", "warn", &["`HOB_LIMITS_BACH` sets nothing", "HOB_LIMITS_BATCH"]);
    hob.set("HOB_LIMITS_BATCH", "0");
    finds(&hob, false, "config", "fail", &["HOB_LIMITS_BATCH"]);
}

#[test]
fn a_store_that_was_damaged_and_a_tree_that_is_gone_are_told() {
    let hob = start("//- a.txt\nfoo");
    hob.index();
    let _ = hob.run("daemon stop");
    let stores = hob.outside("cache/hob/stores");
    let store = fs::read_dir(&stores).unwrap().next().unwrap().unwrap().path();
    fs::write(&store, "no store at all".repeat(1000)).unwrap();
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
    hob.index();
    finds(&hob, true, "stores", "warn", &["was damaged", ".broken"]);
    fs::remove_dir_all(hob.root()).unwrap();
    let outcome = finish(hob.hob().args(["doctor", "--json"]).current_dir("/"));
    let text = outcome.text();
    assert!(text.contains("is gone") && text.contains("hob workspaces forget"), "{text}");
}

#[test]
fn programs_of_two_versions_are_told() {
    let hob = start("");
    let mut hobd = hob.hobd();
    let outcome = finish(hobd.arg("--doctor").env("HOB_DOCTOR_CLIENT", "1"));
    assert_eq!(outcome.status, Some(1));
    assert!(
        outcome.text().contains("FAIL  program") && outcome.text().contains("speaks protocol 1")
    );
}

/// Whether a shell line runs in namespaces of its own here.
fn namespaces(flags: &str, line: &str) -> bool {
    finish(Command::new("unshare").args([flags, "sh", "-c", line])).status == Some(0)
}

#[test]
fn a_disk_that_is_full_is_told() {
    let mut hob = start("");
    let cache = hob.outside("cache");
    let line = format!("mount -t tmpfs -o size=1m none {}", cache.display());
    if !namespaces("-Urm", &line) {
        return skipped("no mounts in a namespace of one's own");
    }
    hob.run_by(&["unshare", "-Urm", "sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")]);
    finds(&hob, false, "cache", "fail", &["free", "make room"]);
}

#[test]
fn watches_that_run_out_are_told() {
    let line = "echo 6 > /proc/sys/user/max_inotify_watches";
    if !namespaces("-Ur", line) {
        return skipped("no user namespaces with a limit of watches");
    }
    let mut hob = start("");
    for dir in 0..20 {
        hob.write(format!("d{dir}/a.txt"), "foo\n");
    }
    hob.run_by(&["unshare", "-Ur", "sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")]);
    hob.index();
    hob.run_by(&[]);
    finds(
        &hob,
        true,
        "workspace",
        "warn",
        &["not all of its directories can be watched", "max_user_watches"],
    );
}

#[test]
fn units_that_start_nothing_are_told() {
    let hob = start("");
    let dir = hob.outside("config/systemd/user");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("hobd.service"), "[Service]\nExecStart=/gone/hobd\n").unwrap();
    finds(&hob, false, "systemd", "fail", &["/gone/hobd", "hob daemon install"]);
}
