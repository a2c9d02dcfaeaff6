//! A workspace that nobody asks about is unloaded, and comes back by itself.

use crate::start;
use hob_tests::{Hob, within};
use serde_json::Value;
use std::fs;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// The workspaces as `hob workspaces` lists them, which asks none of them.
fn listed(hob: &Hob) -> Vec<Value> {
    let list: Value = serde_json::from_str(&hob.run("workspaces --json")).unwrap();
    list["workspaces"].as_array().unwrap().clone()
}

fn is_unloaded(hob: &Hob, root: &str) -> bool {
    listed(hob).iter().any(|one| one["root"] == root && one["unloaded"] == true)
}

fn quick(fixture: &str) -> Hob {
    let mut hob = start(fixture);
    hob.set("HOB_WORKSPACE_IDLE_MS", "200");
    hob
}

#[test]
fn what_is_unloaded_comes_back_with_what_has_changed_meanwhile() {
    let hob = quick("//- a.txt\nfoo one\n//- b.txt\nfoo two\n//- d/c.txt\nfoo three");
    hob.index();
    let (pid, root) = (hob.daemon(), hob.root().to_str().unwrap().to_owned());
    for round in 0..5 {
        within(PATIENCE, "the workspace is unloaded", || is_unloaded(&hob, &root));
        assert_eq!(listed(&hob)[0]["files"], 3);
        hob.write("a.txt", format!("bar {round}\n"));
        hob.write("new.txt", format!("foo of round {round}\n"));
        let found =
            format!("b.txt:1:foo two\nd/c.txt:1:foo three\nnew.txt:1:foo of round {round}\n");
        assert_eq!(hob.run("search foo"), found);
        fs::remove_file(hob.path("new.txt")).unwrap();
        assert_eq!(hob.run("files"), "a.txt\nb.txt\nd/c.txt\n");
        hob.index();
    }
    assert_eq!(hob.daemon(), pid);
    within(PATIENCE, "the workspace is unloaded", || is_unloaded(&hob, &root));
    assert!(hob.run("workspaces").starts_with("unloaded  3 files  "), "{}", hob.run("workspaces"));
    let _ = hob.run("workspaces forget .");
    assert!(listed(&hob).is_empty());
}

#[test]
fn what_somebody_listens_to_stays() {
    let hob = quick("//- a.txt\nfoo");
    let other = hob.outside("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("b.txt"), "foo\n").unwrap();
    hob.index();
    let mut connection = hob.connection();
    let root = hob_protocol::Text::from(hob.root());
    let mut changes = connection.changes(&root).unwrap();
    changes.next().unwrap().unwrap();
    // The other is asked for later, and is unloaded first.
    let indexed = hob.try_run(&["index", "--wait", other.to_str().unwrap()]);
    assert_eq!(indexed.status, Some(0), "{indexed:?}");
    within(PATIENCE, "the other is unloaded", || is_unloaded(&hob, other.to_str().unwrap()));
    assert!(!is_unloaded(&hob, hob.root().to_str().unwrap()));
    drop(changes);
    drop(connection);
    within(PATIENCE, "this one too", || is_unloaded(&hob, hob.root().to_str().unwrap()));
}

#[test]
fn what_is_unloaded_holds_no_descriptors() {
    let hob = quick("//- a.txt\nfoo");
    let descriptors = || {
        let status: Value = serde_json::from_str(&hob.run("daemon status --json")).unwrap();
        status["descriptors"].as_u64().unwrap()
    };
    let _ = hob.run("ping");
    let before = descriptors();
    hob.index();
    let root = hob.root().to_str().unwrap().to_owned();
    within(PATIENCE, "the workspace is unloaded", || is_unloaded(&hob, &root));
    within(PATIENCE, "all is closed", || descriptors() <= before);
}

#[test]
fn many_who_come_at_once_find_it_back() {
    let mut hob = start("");
    hob.set("HOB_WORKSPACE_IDLE_MS", "1");
    for number in 0..300 {
        hob.write(format!("d{}/{number}.txt", number % 7), format!("kettle {number}\n"));
    }
    hob.index();
    let root = hob.root().to_str().unwrap().to_owned();
    for round in 0..10 {
        within(PATIENCE, "the workspace is unloaded", || is_unloaded(&hob, &root));
        std::thread::scope(|scope| {
            for asker in 0..4 {
                let hob = &hob;
                scope.spawn(move || {
                    let path = format!("own{asker}.txt");
                    hob.write(&path, format!("round {round} of {asker}\n"));
                    let found = format!("{path}:1:round {round} of {asker}\n");
                    assert_eq!(hob.run(&format!("search round.{round}.of.{asker}$")), found);
                    assert_eq!(hob.run("search -c kettle").lines().count(), 300);
                });
            }
        });
    }
    let log = hob.log();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}
