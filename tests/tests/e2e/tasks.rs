//! Background work is seen, waited for, cancelled and remembered.

use crate::start;
use hob_tests::{Hob, within};
use rustix::process::Signal;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

/// Anything may take so long before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const FILES: usize = 6_000;

/// A world with so much to index that there is time to look.
fn busy() -> Hob {
    let mut hob = start("");
    hob.set("HOB_INDEX_THREADS", "1").set("HOB_TASKS_CPU", "1");
    for file in 0..FILES {
        hob.write(format!("{}/{file}.rs", file % 50), format!("fn steam{file}() {{}}\n"));
    }
    hob
}

/// The number in `…, task 3`.
fn begin(hob: &Hob) -> String {
    let said = hob.run("index");
    said.trim_end().rsplit(' ').next().unwrap().to_owned()
}

fn task(hob: &Hob, id: &str) -> Value {
    serde_json::from_str(&hob.try_run(&["tasks", "show", id, "--json"]).text()).unwrap()
}

/// Waits until so many wait, one of them by `hob index --wait`: that asks for the index first, and then for
/// its end over another connection.
fn wait_with(hob: &Hob, clients: u64) {
    within(PATIENCE, "the first question", || {
        let top: Value = serde_json::from_str(&hob.run("profile --json --top 100")).unwrap();
        let mut operations = top["operations"].as_array().unwrap().iter();
        operations.any(|one| one["name"] == "index.build" && one["count"].as_u64() >= Some(2))
    });
    let connections = || hob.status()["daemon"]["connections"].as_u64().unwrap_or_default();
    within(PATIENCE, "those who wait", || connections() > clients);
}

fn is_reading(hob: &Hob, id: &str) {
    within(PATIENCE, "files are read", || {
        let task = task(hob, id);
        task["phase"] == "reading" && task["done"].as_u64() > Some(0)
    });
}

#[test]
fn what_is_begun_can_be_followed_to_its_end() {
    let hob = busy();
    let id = begin(&hob);
    let followed = hob.run(&format!("tasks watch {id}"));
    let lines: Vec<&str> = followed.lines().collect();
    assert!(lines.last().unwrap().contains("  done  "), "{followed}");
    assert!(lines.last().unwrap().contains(&format!("{}", hob.root().display())), "{followed}");
    let waited = hob.run(&format!("tasks wait {id}"));
    assert_eq!(waited, hob.run(&format!("tasks show {id}")));
    assert_eq!(hob.status()["pending"], 0);
    assert!(hob.status()["task"].is_null());
    // What is indexed is not indexed again.
    assert!(hob.run("index").contains("6,000 files indexed"));
}

#[test]
fn what_is_cancelled_stops_at_once_and_answers_stay_right() {
    let hob = busy();
    let id = begin(&hob);
    is_reading(&hob, &id);
    let cancelled = hob.run(&format!("tasks cancel {id}"));
    assert!(cancelled.contains("cancelled"), "{cancelled}");
    assert_eq!(task(&hob, &id)["state"], "cancelled");
    let status = hob.status();
    assert_eq!(status["paused"], true, "{status}");
    let left = status["pending"].as_u64().unwrap();
    assert!(left > 0, "{status}");
    assert!(hob.run("status").contains("paused: `hob index` goes on with it"));
    // A change does not begin it again, and is seen like all else.
    hob.write("new.rs", "fn steam_of_today() {}\n");
    assert_eq!(hob.run("search -c steam").lines().count(), FILES + 1);
    let symbols = hob.try_run(&["symbols", "steam_of_today"]);
    assert!(symbols.text().starts_with("new.rs:1:4\t"), "{symbols:?}");
    assert!(symbols.stderr.contains("not indexed yet"), "{symbols:?}");
    assert_eq!(hob.status()["pending"], left + 1);
    let again = hob.try_run(&["tasks", "cancel", &id]);
    assert_eq!(again.status, Some(2));
    assert!(again.stderr.contains("was cancelled: there is nothing to cancel"), "{again:?}");
    // It goes on where it was, and the store has no hole.
    hob.index();
    let status = hob.status();
    assert_eq!((&status["pending"], &status["unoutlined"]), (&0.into(), &0.into()), "{status}");
    assert!(status["paused"].is_null());
    assert_eq!(status["store"]["contents"].as_u64(), Some(FILES as u64 + 1));
    assert_eq!(hob.run("search -c steam").lines().count(), FILES + 1);
}

#[test]
fn who_waits_for_an_index_is_told_that_it_was_cancelled() {
    let hob = busy();
    let id = begin(&hob);
    is_reading(&hob, &id);
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| hob.try_run(&["index", "--wait"]));
        let follows = scope.spawn(|| hob.try_run(&["tasks", "wait", &id]));
        wait_with(&hob, 2);
        let _ = hob.run(&format!("tasks cancel {id}"));
        let waits = waits.join().unwrap();
        assert_eq!(waits.status, Some(2), "{waits:?}");
        assert!(waits.stderr.contains("was cancelled") && waits.stderr.contains("`hob index`"));
        let follows = follows.join().unwrap();
        assert_eq!(follows.status, Some(1), "{follows:?}");
    });
}

#[test]
fn the_next_daemon_knows_what_was_and_what_was_cut_off() {
    let hob = busy();
    let first = begin(&hob);
    is_reading(&hob, &first);
    let _ = hob.run(&format!("tasks cancel {first}"));
    let second = begin(&hob);
    let _ = hob.run("daemon stop");
    assert_eq!(task(&hob, &first)["state"], "cancelled");
    let stopped = task(&hob, &second);
    assert_eq!(stopped["state"], "cancelled", "{stopped}");
    assert!(stopped["reason"].as_str().unwrap().contains("closed"), "{stopped}");
    let third: u64 = begin(&hob).parse().unwrap();
    assert!(third > second.parse().unwrap());
    let _ = hob.run(&format!("tasks wait {third}"));
    hob.signal(Signal::KILL);
    assert_eq!(task(&hob, &first)["state"], "cancelled");
}

#[test]
fn a_task_that_is_none_is_told() {
    let hob = start("//- a.txt\nfoo");
    for command in ["show", "wait", "cancel", "watch"] {
        let refused = hob.try_run(&["tasks", command, "99"]);
        assert_eq!(refused.status, Some(2), "{refused:?}");
        assert!(refused.stderr.contains("there is no task 99"), "{refused:?}");
        assert!(refused.stderr.contains("hint: `hob tasks` lists"), "{refused:?}");
        assert_eq!(hob.try_run(&["tasks", command, "many"]).status, Some(2));
    }
}

#[test]
fn a_full_queue_is_told_and_answers_stay_right() {
    let mut hob = busy();
    hob.set("HOB_TASKS_QUEUE", "1");
    let id = begin(&hob);
    is_reading(&hob, &id);
    for name in ["second", "third"] {
        std::fs::create_dir(hob.outside(name)).unwrap();
        std::fs::write(hob.outside(name).join("a.txt"), "foo\n").unwrap();
    }
    let index = |name: &str| hob.try_run(&["index", hob.outside(name).to_str().unwrap()]);
    let (second, third) = (index("second"), index("third"));
    assert_eq!(second.status, Some(0), "{second:?}");
    assert_eq!(third.status, Some(2), "{third:?}");
    assert!(third.stderr.contains("1 tasks wait already"), "{third:?}");
    assert!(third.stderr.contains("`tasks.queue`"), "{third:?}");
    let found = hob.run(&format!("search foo {}", hob.outside("third").display()));
    assert!(found.ends_with("a.txt:1:foo\n"), "{found}");
    // Once there is room it is indexed without being asked for again.
    let _ = hob.run(&format!("tasks cancel {id}"));
    within(PATIENCE, "the third is indexed", || {
        let status = hob.run(&format!("status --json {}", hob.outside("third").display()));
        let status: Value = serde_json::from_str(&status).unwrap();
        status["pending"] == 0
    });
}

#[test]
fn who_waits_on_a_terminal_is_told_when_it_is_done() {
    let hob = start("");
    for number in 0..300 {
        hob.write(format!("{number}.rs"), "fn kettle() {}\n".repeat(200));
    }
    // It draws a bar there, from a thread of its own.
    let program = hob.hob().get_program().to_str().unwrap().to_owned();
    let mut script = hob.command("script");
    script.args(["-qec", &format!("{program} index --wait"), "/dev/null"]).current_dir(hob.root());
    let Ok(mut child) = script.stdin(Stdio::null()).stdout(Stdio::piped()).spawn() else {
        return hob_tests::skipped("no script");
    };
    within(PATIENCE, "the end of it", || child.try_wait().unwrap().is_some());
    let told = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert!(told.contains(": 300 files indexed"), "{told}");
}

#[test]
fn a_file_that_never_rests_keeps_nobody_waiting() {
    let mut hob = start("//- log.txt\nfoo\n");
    hob.set("HOB_TASKS_CPU", "1");
    hob.index();
    let second = hob.outside("second");
    std::fs::create_dir(&second).unwrap();
    std::fs::write(second.join("a.rs"), "fn pot() {}\n").unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut line = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                hob.write("log.txt", format!("foo {line}\n"));
                line += 1;
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        });
        within(PATIENCE, "a turn of the log", || hob.status()["pending"] != 0);
        let waited = hob.try_run(&["index", "--wait", second.to_str().unwrap()]);
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(waited.status, Some(0), "{waited:?}");
    });
}

#[test]
fn one_content_is_indexed_once_however_many_threads_meet_it() {
    let mut hob = start("");
    hob.set("HOB_INDEX_THREADS", "4");
    for number in 0..400 {
        hob.write(format!("{number}.rs"), format!("fn kettle_{}() {{}}\n", number % 10));
    }
    hob.index();
    let store = &hob.status()["store"];
    assert_eq!((&store["contents"], &store["symbols"]), (&10.into(), &10.into()), "{store}");
}

#[test]
fn who_waits_for_what_is_forgotten_is_told() {
    let hob = busy();
    let waits = || hob.try_run(&["index", "--wait"]);
    std::thread::scope(|scope| {
        let id = begin(&hob);
        is_reading(&hob, &id);
        let waits = scope.spawn(waits);
        wait_with(&hob, 1);
        let _ = hob.run("workspaces forget .");
        let told = waits.join().unwrap();
        assert_eq!(told.status, Some(2), "{told:?}");
        assert!(told.stderr.contains("was forgotten meanwhile"), "{told:?}");
    });
}
