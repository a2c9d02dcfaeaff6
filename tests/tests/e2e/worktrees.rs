//! What is derived from a content is kept once: for all branches, worktrees and names.

use crate::start;
use hob_tests::Hob;

/// A repository of a hundred files, committed and indexed.
fn indexed() -> Hob {
    let hob = start("");
    for number in 0..100 {
        hob.write(format!("src/{number}.txt"), format!("content {number}\n"));
    }
    hob.commit("first");
    hob.index();
    hob
}

/// How many contents the store knows, and in how many segments.
fn store(hob: &Hob) -> (u64, u64) {
    let status = hob.status();
    assert_eq!(status["pending"], 0, "{status}");
    let count = |name: &str| status["store"][name].as_u64().unwrap();
    (count("contents"), count("segments"))
}

#[test]
fn a_second_worktree_has_nothing_to_process() {
    let hob = indexed();
    let before = store(&hob);
    hob.git("worktree add -q ../second -b second");
    let found = hob.run_in("../second", &["search", "content 7$"]);
    assert_eq!(found.text(), "src/7.txt:1:content 7\n");
    assert_eq!(hob.run_in("../second", &["index", "--wait"]).status, Some(0));
    assert_eq!(store(&hob), before);
    // What is then written there is of that worktree alone.
    hob.write("../second/src/7.txt", "changed\n");
    assert_eq!(hob.run("search changed"), "");
    let found = hob.run_in("../second", &["search", "changed"]);
    assert_eq!(found.text(), "src/7.txt:1:changed\n");
}

#[test]
fn a_branch_and_back_have_nothing_to_process() {
    let hob = indexed();
    hob.git("checkout -q -b other");
    for number in 0..50 {
        hob.write(format!("src/{number}.txt"), format!("other {number}\n"));
    }
    hob.commit("other");
    hob.index();
    let known = store(&hob);
    for (branch, lines) in [("main", 100), ("other", 50), ("main", 100)] {
        hob.git(&format!("checkout -q {branch}"));
        assert_eq!(hob.run("search content").lines().count(), lines, "on {branch}");
        hob.index();
        assert_eq!(store(&hob), known, "on {branch}");
        assert_eq!(hob.status()["head"], branch);
    }
}

#[test]
fn a_moved_file_has_nothing_to_process() {
    let hob = indexed();
    let known = store(&hob);
    hob.git("mv src moved");
    assert_eq!(hob.run("search content.7$").lines().next(), Some("moved/7.txt:1:content 7"));
    hob.index();
    assert_eq!(store(&hob), known);
}

#[test]
fn a_new_daemon_has_nothing_to_process() {
    let hob = indexed();
    let known = store(&hob);
    let _ = hob.run("daemon stop");
    hob.write("src/7.txt", "changed meanwhile\n");
    assert_eq!(hob.run("search meanwhile"), "src/7.txt:1:changed meanwhile\n");
    hob.write("src/7.txt", "content 7\n");
    hob.index();
    assert!(store(&hob).0 <= known.0 + 1);
}
