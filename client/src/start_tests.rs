//! Starting daemons that are shell scripts.

use super::*;
use crate::testing::{Act, Scripted, program};

/// What comes of starting this script, where nothing listens.
fn failing(script: &str) -> Error {
    failing_within(script, PATIENCE)
}

fn failing_within(script: &str, patience: Duration) -> Error {
    let dir = tempfile::tempdir().unwrap();
    let daemon = Some(program(dir.path(), script).into());
    let log = "/state/hobd.log".into();
    let place = Place { daemon, log, ..Place::with_socket(dir.path().join("s")) };
    start_within(&place, patience).unwrap_err()
}

#[test]
fn a_daemon_that_cannot_start_says_why() {
    let error = failing("echo 'error: cannot bind `/s`: denied'; echo 'hint: move it'; exit 2");
    assert_eq!(
        (error.message.as_str(), error.hint.as_str()),
        ("cannot bind `/s`: denied", "move it")
    );
    // Without waiting for it to end.
    let error = failing("echo 'error: no'; echo 'hint: none'; exec sleep 5");
    assert_eq!(error.message, "no");
}

#[test]
fn a_daemon_that_ends_without_a_word_leads_to_the_log() {
    for script in ["exit 1", "echo ready-ish", "printf ready"] {
        let error = failing(script);
        assert_eq!(error.message, "cannot start the daemon: it ended before it was ready");
        assert_eq!(error.hint, "its log `/state/hobd.log` may tell why");
    }
}

#[test]
fn a_daemon_that_never_gets_ready_is_given_up() {
    let error = failing_within("exec sleep 5", Duration::from_millis(50));
    assert!(error.message.starts_with("cannot start the daemon: it was not ready within"));
}

#[test]
fn a_daemon_that_is_no_program_is_named() {
    let place = Place { daemon: Some("/no/hobd".into()), ..Place::with_socket("/no/s") };
    let error = start(&place).unwrap_err();
    assert_eq!(error.message, "`/no/hobd`, which `HOB_DAEMON` names, is no program");
}

#[test]
fn a_daemon_is_looked_for_in_path() {
    let dir = tempfile::tempdir().unwrap();
    let hobd = program(dir.path(), "exit 0");
    let path = std::env::join_paths([Path::new("relative"), Path::new("/no"), dir.path()]).unwrap();
    assert_eq!(in_path(OsStr::new("hobd"), Some(&path)), Some(hobd.clone()));
    assert_eq!(named(&"hobd".into(), Some(&path)).unwrap(), hobd);
    assert_eq!(in_path(OsStr::new("other"), Some(&path)), None);
}

/// Many clients at once: the script counts its starts, and the socket is there only from the
/// first of them on.
#[test]
fn clients_that_start_at_once_start_one_daemon() {
    let daemon = Scripted::start(|method, _| match method {
        "daemon.ping" => vec![Act::Result(serde_json::json!({"uptime_seconds": 1}))],
        _ => vec![],
    });
    let dir = tempfile::tempdir().unwrap();
    let (socket, real) = (dir.path().join("s"), daemon.socket());
    let script = format!(
        "echo start >> {0}/starts; ln -s {1} {0}/s; echo ready; exec sleep 1",
        dir.path().display(),
        real.display()
    );
    let hobd = program(dir.path(), &script);
    let place = Place { daemon: Some(hobd.into()), ..Place::with_socket(socket) };
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let connection = start(&place).unwrap();
                crate::block_on(crate::DaemonApiClient::ping(&connection)).unwrap();
            });
        }
    });
    assert_eq!(std::fs::read_to_string(dir.path().join("starts")).unwrap(), "start\n");
}
