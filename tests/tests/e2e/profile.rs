//! Where the time goes is told, by operation.

use crate::start;
use hob_tests::within;
use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

fn top(hob: &hob_tests::Hob, args: &str) -> Value {
    serde_json::from_str(&hob.run(&format!("profile --json {args}"))).unwrap()
}

fn named<'a>(top: &'a Value, name: &str) -> Option<&'a Value> {
    top["operations"].as_array().unwrap().iter().find(|one| one["name"] == name)
}

#[test]
fn each_call_and_each_stage_is_counted() {
    let hob = start("//- a.rs\nfn kettle() {}\n");
    hob.index();
    let _ = hob.run("profile --reset");
    for _ in 0..5 {
        assert_eq!(hob.run("search kettle"), "a.rs:1:fn kettle() {}\n");
    }
    let _ = hob.run("symbols kettle");
    let top = top(&hob, "--top 100 --since 5m");
    for (name, count) in [
        ("index.searchStream", 5),
        ("search", 5),
        ("search.read", 5),
        ("index.symbols", 1),
        ("symbols", 1),
    ] {
        let operation = named(&top, name).unwrap_or_else(|| panic!("{name}: {top}"));
        assert_eq!(operation["count"], count, "{name}: {top}");
        let figure = |name: &str| operation[name].as_u64().unwrap();
        assert!(figure("total_us") >= figure("self_us"), "{top}");
        assert!(figure("max_us") >= figure("p50_us") && figure("p99_us") >= figure("p50_us"));
    }
    // What it reads is a part of a search.
    let of = |name: &str, figure: &str| named(&top, name).unwrap()[figure].as_u64().unwrap();
    assert!(of("search", "total_us") >= of("search.read", "total_us"), "{top}");
    let text = hob.run("profile --top 2 --by count");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.starts_with("operation") && text.contains(" more\n"), "{text}");
    // What nobody has is no operation.
    let _ = hob.try_run(&["rpc", "no.such"]);
    assert!(named(&self::top(&hob, "--top 100"), "no.such").is_none());
}

#[test]
fn what_is_asked_wrongly_is_told() {
    let mut hob = start("");
    for (args, said) in [
        ("--since 5", "`5` is no time"),
        ("--since 2h", "at most 3600 s"),
        ("--by speed", "speed"),
        ("--top many", "many"),
    ] {
        let args: Vec<&str> = ["profile"].into_iter().chain(args.split(' ')).collect();
        let refused = hob.try_run(&args);
        assert_eq!(refused.status, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
    let _ = hob.run("daemon stop");
    hob.set("HOB_PROFILE_ENABLED", "false");
    let off = hob.try_run(&["profile"]);
    assert_eq!(off.status, Some(2), "{off:?}");
    assert!(off.stderr.contains("`profile.enabled` is false"), "{off:?}");
}

#[test]
fn a_search_tells_where_its_own_time_went() {
    let hob = start("//- a.rs\nfn kettle() {}\n");
    hob.index();
    for args in [&["--profile", "search", "kettle"], &["search", "--profile", "kettle"]] {
        let told = hob.try_run(args);
        assert_eq!((told.status, told.text().as_str()), (Some(0), "a.rs:1:fn kettle() {}\n"));
        let names: Vec<&str> =
            told.stderr.lines().filter_map(|line| line.split_whitespace().next()).collect();
        for name in ["hob", "connect", "answer", "wire,", "queue", "search", "search.read"] {
            assert!(names.contains(&name), "{}", told.stderr);
        }
        assert!(told.stderr.lines().all(|line| line.ends_with(" ms")), "{}", told.stderr);
    }
    assert_eq!(hob.try_run(&["search", "kettle"]).stderr, "");
    assert_eq!(hob.try_run(&["--profile", "files"]).status, Some(2));
}

#[test]
fn the_daemon_in_numbers_is_one_page() {
    let mut hob = start("//- a.rs\nfn kettle() {}\n");
    hob.index();
    let _ = hob.run("outline a.rs");
    let page = hob.run("stats");
    for part in [
        "daemon     hobd ",
        "files      1 file, ",
        "tasks      0 that",
        "outlines: 0 hits, 1 misses",
    ] {
        assert!(page.contains(part), "`{part}`: {page}");
    }
    assert!(page.contains("\noperation ") && page.contains("\nindex.build "), "{page}");
    let json: Value = serde_json::from_str(&hob.run("stats --json")).unwrap();
    for (path, value) in
        [("/workspaces/0/files", 1), ("/cache/namespaces/0/misses", 1), ("/daemon/connections", 1)]
    {
        assert_eq!(json.pointer(path), Some(&value.into()), "{path}: {json}");
    }
    let _ = hob.run("daemon stop");
    hob.set("HOB_PROFILE_ENABLED", "false");
    assert!(hob.run("stats").ends_with("not measured: `profile.enabled` is false\n"));
}

#[test]
fn what_is_done_for_a_while_is_recorded() {
    let hob = start("//- a.rs\nfn kettle() {}\n");
    hob.index();
    let (flame, trace) = (hob.path("out.svg"), hob.path("out.json"));
    let args = ["profile", "record", "--seconds", "1", "--flame", "out.svg", "--trace", "out.json"];
    let recorder = std::thread::scope(|scope| {
        let recorder = scope.spawn(|| hob.try_run(&args));
        // The processor is used until the recording is over.
        while !recorder.is_finished() {
            let _ = hob.run("search kettle");
        }
        recorder.join().unwrap()
    });
    assert_eq!(recorder.status, Some(0), "{recorder:?}");
    assert!(std::fs::read_to_string(&flame).unwrap().contains("<svg"));
    let trace: Value = serde_json::from_str(&std::fs::read_to_string(&trace).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    for (name, phase) in
        [("search", "X"), ("search.read", "X"), ("queue", "b"), ("thread_name", "M")]
    {
        let found = events.iter().any(|event| event["name"] == name && event["ph"] == phase);
        assert!(found, "{name}: {}", recorder.text());
    }
    // Nothing is written over, and nobody has to wait to be told so.
    let again = hob.try_run(&args);
    assert_eq!(again.status, Some(2), "{again:?}");
    assert!(again.stderr.contains("`out.svg` is there already"), "{again:?}");
}

#[test]
fn there_is_one_recording_at_a_time_and_it_ends_with_its_client() {
    let hob = start("//- a.rs\nfn kettle() {}\n");
    let begin = || {
        let mut long = hob.hob();
        long.args(["profile", "record", "--seconds", "600", "--trace", "long.json"]);
        long.current_dir(hob.root()).stderr(Stdio::null()).spawn().unwrap()
    };
    let short = || hob.try_run(&["rpc", "profile.record", r#"{"ms": 1, "trace": true}"#]);
    let mut long = begin();
    within(PATIENCE, "a refusal", || {
        // The short one may have had its turn first, and the long one was refused.
        if long.try_wait().unwrap().is_some() {
            long = begin();
        }
        short().stderr.contains("a recording runs already")
    });
    long.kill().unwrap();
    long.wait().unwrap();
    within(PATIENCE, "another turn", || short().status == Some(0));
    assert!(!hob.path("long.json").exists());
    for (args, said) in [
        (r#"{"ms": 1}"#, "nothing is to be recorded"),
        (r#"{"ms": 0, "trace": true}"#, "from 1 to 600000 ms"),
    ] {
        let refused = hob.try_run(&["rpc", "profile.record", args]);
        assert!(refused.stderr.contains(said), "{refused:?}");
    }
}
