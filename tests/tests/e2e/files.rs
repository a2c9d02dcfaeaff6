//! `hob files` with a query, and what it is asked amiss.

use crate::{PROGRAMS, start};
use hob_tests::{Hob, finish};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::time::{Duration, SystemTime};

const TREE: &str = "\
//- src/main.rs
//- src/domain/rs.txt
//- src/latest.rs
//- src/test.rs
//- test/mod.rs
//- view/FileList.tsx
//- view/profile.ts
//- .gitignore
target
//- target/test.rs
";

/// A world whose files were all changed at the same time: what was changed last comes first among
/// equals, and a tree that is written as a second turns has two times.
fn evenly_aged(tree: &str) -> Hob {
    let hob = start(tree);
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    for name in tree.lines().filter_map(|line| line.strip_prefix("//- ")) {
        let file = fs::File::options().append(true).open(hob.path(name)).unwrap();
        file.set_modified(hour_ago).unwrap();
    }
    hob
}

#[test]
fn the_best_match_comes_first() {
    let hob = evenly_aged(TREE);
    assert_eq!(hob.run("files mainrs"), "src/main.rs\nsrc/domain/rs.txt\n");
    assert_eq!(hob.run("files test"), "src/test.rs\nsrc/latest.rs\ntest/mod.rs\n");
    assert_eq!(hob.run("files test !latest .rs$"), "src/test.rs\ntest/mod.rs\n");
    assert_eq!(hob.run("files FL"), "view/FileList.tsx\n");
    assert_eq!(hob.run("files src/test.rs:12"), "src/test.rs\nsrc/latest.rs\n");
    let nothing = hob.try_run(&["files", "zzz"]);
    assert_eq!((nothing.status, nothing.text().as_str()), (Some(1), ""));
}

#[test]
fn paths_are_from_where_one_is() {
    let hob = evenly_aged(TREE);
    let run = |dir: &str, args: &[&str]| hob.run_in(dir, args).text();
    assert_eq!(run("src", &["files", "rs"]), "domain/rs.txt\nmain.rs\ntest.rs\nlatest.rs\n");
    assert_eq!(run("src", &["files", "srcmain"]), "");
    assert_eq!(run("target", &["files", "test"]), "test.rs\n");
    assert_eq!(run("view", &["files", "-0"]), "FileList.tsx\0profile.ts\0");
}

#[test]
fn files_come_and_go_at_once() {
    let hob = start(TREE);
    for round in 0..20 {
        let path = format!("new{round}/kettle{round}.txt");
        hob.write(&path, "");
        assert_eq!(hob.run(&format!("files kettle{round}")), format!("{path}\n"));
        fs::remove_file(hob.path(&path)).unwrap();
        assert_eq!(hob.run(&format!("files kettle{round}")), "");
    }
    hob.write(".gitignore", "");
    assert_eq!(hob.run("files target/test"), "target/test.rs\n");
}

#[test]
fn what_was_changed_last_comes_first_among_equals() {
    let hob = evenly_aged("//- a/mod.rs\n//- b/mod.rs\n//- c/mod.rs");
    assert_eq!(hob.run("files mod"), "a/mod.rs\nb/mod.rs\nc/mod.rs\n");
    hob.write("c/mod.rs", "// changed");
    assert_eq!(hob.run("files mod"), "c/mod.rs\na/mod.rs\nb/mod.rs\n");
}

#[test]
fn a_limit_cuts_and_says_so() {
    let hob = start(TREE);
    let cut = hob.try_run(&["files", "rs", "--limit", "2"]);
    assert_eq!((cut.status, cut.text().lines().count()), (Some(0), 2));
    assert!(cut.stderr.starts_with("hob: stopped after 2 of "), "{cut:?}");
    let all = hob.try_run(&["files", "--limit", "1"]);
    assert_eq!(all.text(), "src/domain/rs.txt\n");
    assert_eq!(hob.run("files main --limit 5"), "src/main.rs\nsrc/domain/rs.txt\n");
}

#[test]
fn any_name_comes_through_whole() {
    let hob = start("");
    let odd = OsStr::from_bytes(b"na\xefve \xff.txt");
    hob.write(odd, "");
    for args in [&["files"][..], &["files", "txt"], &["files", "na ve"], &["files", "na .txt$"]] {
        assert_eq!(hob.run_in("", args).stdout, b"na\xefve \xff.txt\n", "{args:?}");
    }
    let json: Value = serde_json::from_str(&hob.run("files txt --json")).unwrap();
    let path = json["files"][0]["path"].clone();
    let path: hob_protocol::Text = serde_json::from_value(path).unwrap();
    assert_eq!(path.into_path().into_os_string().into_vec(), odd.as_bytes());
    assert_eq!(json["total"], 1);
}

#[test]
fn a_directory_without_a_workspace_is_scanned() {
    let hob = Hob::plain(PROGRAMS, "//- a/main.rs\n//- .ignore\n*.log\n//- main.log\n//- b.rs");
    assert_eq!(hob.run("files"), "a/main.rs\nb.rs\n");
    assert_eq!(hob.run("files main"), "a/main.rs\n");
    let json: Value = serde_json::from_str(&hob.run("files --json")).unwrap();
    assert!(json.get("root").is_none(), "{json}");
    assert_eq!(json["total"], 2);
}

#[test]
fn what_is_asked_amiss_says_what_to_do() {
    let hob = start(TREE);
    let long = "x".repeat(10_000);
    let refused = |args: &[&str], parts: &[&str]| {
        let outcome = hob.try_run(args);
        assert_eq!((outcome.status, outcome.text().as_str()), (Some(2), ""), "{outcome:?}");
        for part in parts {
            assert!(outcome.stderr.contains(part), "`{part}` is not in {outcome:?}");
        }
    };
    refused(&["files", &long], &["10000 bytes", "`limits.query_bytes` is 1024", "hint: "]);
    refused(&["files", &long, "--json"], &["`limits.query_bytes`"]);
    refused(&["files", "--limit", "x"], &["--limit"]);
    fs::create_dir(hob.path("gone")).unwrap();
    let line = "cd gone && rmdir ../gone && exec \"$0\" files";
    let gone = finish(hob.command("sh").args(["-c", line, PROGRAMS.hob]));
    assert_eq!(gone.status, Some(2), "{gone:?}");
    assert!(gone.stderr.contains("hint: "), "{gone:?}");
}
