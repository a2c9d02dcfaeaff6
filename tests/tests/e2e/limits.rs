//! What the kernel does not report is seen all the same.

use crate::start;
use hob_tests::{Hob, finish, skipped, within};
use rustix::process::Signal;
use std::fs;
use std::process::Command;
use std::time::Duration;

fn spread(hob: &Hob, files: usize, content: &str) {
    for number in 0..files {
        hob.write(format!("d{}/{number}.txt", number % 20), format!("{content} {number}\n"));
    }
}

#[test]
fn a_queue_that_overflows_hides_nothing() {
    let limit = fs::read_to_string("/proc/sys/fs/inotify/max_queued_events");
    let limit: usize = limit.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(16_384);
    if limit > 100_000 {
        return skipped("the kernel's queue of events is too long to fill");
    }
    let hob = start("");
    spread(&hob, 2000, "old");
    hob.index();
    let pid = hob.daemon().unwrap();
    hob.signal_process(pid, Signal::STOP);
    // Each round is two events a file, and none is the same as the one before it.
    for round in 0..=limit / 2000 {
        spread(&hob, 2000, &format!("round{round}"));
    }
    fs::remove_dir_all(hob.path("d3")).unwrap();
    hob.write("new/dir/file.txt", "round of its own\n");
    hob.signal_process(pid, Signal::CONT);
    let last = limit / 2000;
    assert_eq!(hob.run(&format!("search round{last}")).lines().count(), 1900);
    assert_eq!(hob.run("search of.its.own"), "new/dir/file.txt:1:round of its own\n");
    assert_eq!(hob.run("search old"), "");
    hob.write("d0/0.txt", "after it all\n");
    assert_eq!(hob.run("search after.it"), "d0/0.txt:1:after it all\n");
    assert_eq!(hob.daemon(), Some(pid));
}

/// Whether a shell line runs in a user namespace of its own here.
fn namespaces(flags: &str, line: &str) -> bool {
    finish(Command::new("unshare").args([flags, "sh", "-c", line])).status == Some(0)
}

#[test]
fn without_enough_watches_answers_are_right_and_say_partial() {
    let line = "echo 6 > /proc/sys/user/max_inotify_watches";
    if !namespaces("-Ur", line) {
        return skipped("no user namespaces with a limit of watches");
    }
    let mut hob = start("");
    spread(&hob, 100, "old");
    hob.run_by(&["unshare", "-Ur", "sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")]);
    hob.index();
    hob.run_by(&[]);
    for round in 0..20 {
        hob.write(format!("d{round}/{round}.txt"), format!("new {round}\n"));
        let found = format!("d{round}/{round}.txt:1:new {round}\n");
        assert_eq!(hob.run(&format!("search new.{round}$")), found);
    }
    let status = hob.status();
    assert_eq!(status["freshness"], "partial", "{status}");
    assert!(status["problems"][0].as_str().unwrap().contains("max_user_watches"), "{status}");
}

#[test]
fn without_any_watcher_answers_are_right_and_say_polling() {
    let line = "echo 0 > /proc/sys/user/max_inotify_instances";
    if !namespaces("-Ur", line) {
        return skipped("no user namespaces with a limit of inotify instances");
    }
    let mut hob = start("");
    spread(&hob, 40, "old");
    hob.run_by(&["unshare", "-Ur", "sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")]);
    hob.index();
    hob.run_by(&[]);
    hob.write("d3/3.txt", "new\n");
    assert_eq!(hob.run("search new"), "d3/3.txt:1:new\n");
    let status = hob.status();
    assert_eq!(status["freshness"], "polling", "{status}");
    assert!(status["problems"][0].as_str().is_some(), "{status}");
}

#[test]
fn each_backend_sees_changes_and_says_how() {
    for (backend, freshness) in [("poll", "polling"), ("notify", "live"), ("auto", "live")] {
        let mut hob = start("//- a/b/c.txt\nold");
        hob.set("HOB_WATCH_BACKEND", backend);
        hob.index();
        assert_eq!(hob.status()["freshness"], freshness, "{backend}");
        hob.write("a/b/c.txt", "new\n");
        assert_eq!(hob.run("search new"), "a/b/c.txt:1:new\n", "{backend}");
        hob.write("a/d/e/f.txt", "new\n");
        assert_eq!(hob.run("search -l new"), "a/b/c.txt\na/d/e/f.txt\n", "{backend}");
    }
}

// `hob index --wait` waited for ever here, while the indexer tried again and again without a pause.
#[test]
fn a_full_disk_is_told_is_no_obstacle_to_answers_and_passes() {
    let mut hob = start("");
    let cache = hob.outside("cache");
    let mount = format!("mount -t tmpfs -o size=176k tmpfs '{}'", cache.display());
    if !namespaces("-Urm", &mount) {
        return skipped("no mount namespaces");
    }
    for number in 0..400 {
        let words: String = (0..300).map(|word| format!("w{} ", word * number)).collect();
        hob.write(format!("{number}.txt"), format!("{words}\nneedle {number}\n"));
    }
    hob.run_by(&["unshare", "-Urm", "sh", "-c", &format!("{mount}; exec \"$0\" \"$@\"")]);
    let _ = hob.run("ping");
    hob.run_by(&[]);
    assert_eq!(hob.run("search needle.7$"), "7.txt:2:needle 7\n");
    let waited = hob.try_run(&["index", "--wait"]);
    assert_eq!(waited.status, Some(2), "{waited:?}");
    assert!(waited.stderr.contains("cannot be indexed: it cannot be written"), "{waited:?}");
    for round in 0..5 {
        hob.write("7.txt", format!("needle of round {round}\n"));
        let found = format!("7.txt:1:needle of round {round}\n");
        assert_eq!(hob.run(&format!("search round.{round}")), found);
    }
    assert_eq!(hob.run("search -c needle").lines().count(), 400);
    assert!(hob.log().matches("indexing has failed").count() < 10, "{}", hob.log());
    there_is_room_again(&hob);
    within(Duration::from_secs(60), "an index", || {
        hob.try_run(&["index", "--wait"]).status == Some(0)
    });
    assert!(hob.status()["store"].get("problem").is_none(), "{}", hob.status());
    assert_eq!(hob.run("search -c needle").lines().count(), 400);
}

fn there_is_room_again(hob: &Hob) {
    let pid = hob.daemon().unwrap().to_string();
    let mut enter = Command::new("nsenter");
    enter.args(["--preserve-credentials", "-U", "-m", "-t", &pid]);
    enter.args(["mount", "-o", "remount,size=50m"]).arg(hob.outside("cache"));
    assert_eq!(finish(&mut enter).status, Some(0), "{:?}", finish(&mut enter));
}
