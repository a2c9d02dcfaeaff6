//! Whatever comes in, an answer or an error comes out that says what to do.

use crate::{PROGRAMS, start};
use hob_tests::{Hob, Outcome, finish, skipped, within};
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

fn refused(outcome: &Outcome, parts: &[&str]) {
    assert_eq!((outcome.status, outcome.text().as_str()), (Some(2), ""), "{outcome:?}");
    for part in parts {
        assert!(outcome.stderr.contains(part), "`{part}` is not in {outcome:?}");
    }
}

#[test]
fn a_plain_directory_is_scanned_and_becomes_a_workspace_by_index() {
    let hob = Hob::plain(PROGRAMS, "//- a.txt\nfoo");
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
    assert!(hob.status().get("root").is_none());
    hob.index();
    assert_eq!(hob.status()["root"], hob.root().to_str().unwrap());
    hob.write("a.txt", "foo two\n");
    assert_eq!(hob.run("search foo"), "a.txt:1:foo two\n");
    let _ = hob.run("daemon stop");
    assert_eq!(hob.status()["root"], hob.root().to_str().unwrap());
    assert!(hob.run("workspaces forget .").contains("forgotten"));
    assert!(hob.status().get("root").is_none());
}

#[test]
fn a_home_directory_is_no_workspace_by_itself() {
    let mut hob = start("//- a.txt\nfoo");
    let home = hob.root();
    hob.set("HOME", home);
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
    assert!(hob.status().get("root").is_none());
    let outcome = hob.hob().args(["status", "--json"]).current_dir("/").output().unwrap();
    let status: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    assert!(status.get("root").is_none(), "{status}");
    hob.index();
    assert_eq!(hob.status()["root"], hob.root().to_str().unwrap());
}

#[test]
fn a_file_is_no_workspace() {
    let hob = start("//- a.txt\nfoo");
    refused(&hob.try_run(&["index", "a.txt"]), &["a.txt`: it is no directory", "hint: "]);
    refused(&hob.try_run(&["index", "nowhere"]), &["nowhere`", "hint: "]);
    refused(&hob.try_run(&["status", "a.txt"]), &["a.txt"]);
}

#[test]
fn a_root_that_goes_away_is_told_and_one_that_comes_back_is_served() {
    let hob = start("//- a.txt\nfoo");
    hob.index();
    let (root, moved) = (hob.root(), hob.outside("moved"));
    fs::rename(&root, &moved).unwrap();
    let there = finish(hob.hob().args(["search", "foo"]).current_dir(&moved));
    assert_eq!(there.text(), "a.txt:1:foo\n", "{there:?}");
    let gone = finish(hob.hob().args(["search", "foo", root.to_str().unwrap()]).current_dir("/"));
    refused(&gone, &[root.to_str().unwrap()]);
    let gone = finish(hob.hob().args(["status", root.to_str().unwrap()]).current_dir("/"));
    refused(&gone, &["hint: "]);
    fs::create_dir(&root).unwrap();
    hob.git("init -q");
    hob.write("b.txt", "foo again\n");
    assert_eq!(hob.run("search foo"), "b.txt:1:foo again\n");
    fs::remove_dir_all(&root).unwrap();
    fs::rename(&moved, &root).unwrap();
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
}

// What is stored of a tree that was deleted would otherwise stay for ever.
#[test]
fn a_workspace_that_is_gone_is_shown_so_and_can_be_forgotten_after_a_restart() {
    for indexed_by_name in [true, false] {
        let hob = start("//- a.txt\nfoo");
        if indexed_by_name {
            hob.index();
        } else {
            // A search alone makes it one, which no list remembers.
            let _ = hob.run("search foo");
            let stores = hob.outside("cache/hob/stores");
            within(Duration::from_secs(30), "a store", || {
                stores.read_dir().is_ok_and(|mut stores| stores.next().is_some())
            });
        }
        let root = hob.root();
        let from_outside = |args: &[&str]| finish(hob.hob().args(args).current_dir("/"));
        fs::remove_dir_all(&root).unwrap();
        let shown = from_outside(&["workspaces"]).text();
        assert!(shown.starts_with("gone"), "{shown}");
        assert_eq!(from_outside(&["daemon", "stop"]).status, Some(0));
        // As one would name it from beside it.
        let beside = hob.outside("home/..").join(root.file_name().unwrap());
        let forgotten = from_outside(&["workspaces", "forget", beside.to_str().unwrap()]);
        assert!(forgotten.text().contains(": forgotten, "), "{forgotten:?}");
        assert_eq!(hob.outside("cache/hob/stores").read_dir().unwrap().count(), 0);
        let again = from_outside(&["workspaces", "forget", root.to_str().unwrap()]);
        assert_eq!(again.status, Some(2), "{again:?}");
    }
}

#[test]
fn a_pattern_that_is_none_is_refused_at_its_place() {
    let hob = start("//- a.txt\nfoo");
    let check = |pattern: &str, parts: &[&str]| {
        refused(&hob.try_run(&["search", pattern]), parts);
    };
    check("(foo", &["(foo", "^", "unclosed group"]);
    check("[a", &["[a", "^", "unclosed character class"]);
    check("*", &["^", "repetition operator missing expression"]);
    check("a(?=b)", &["a(?=b)", "^^^", "look-around"]);
    check("(?<!a)b", &["(?<!a)b", "^^^^", "look-around"]);
    check("(a)\\1", &["(a)\\1", "^^", "backreferences"]);
    check("a{3,2}", &["^^^^^"]);
    check("\\q", &["^^", "unrecognized escape"]);
    check("\\pX{Nope}", &["^"]);
    check("a\\nb", &["\\n"]);
    check("a\nb", &["\\n"]);
    check("\\w{1000}{1000}", &["size limit"]);
    check("a{4000000000}", &[]);
    let large = "x".repeat(900_000);
    let outcome = hob.try_run(&["rpc", "index.search", "-"]);
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    let query = json!({"query": {"patterns": [format!("(?i){}", "\\pL".repeat(20_000))], "cwd": hob.root()}});
    refused(&hob.try_run(&["rpc", "index.search", &query.to_string()]), &["size limit"]);
    let query = json!({"query": {"patterns": [large], "cwd": hob.root()}}).to_string();
    let connection = hob.connection();
    let params = serde_json::value::RawValue::from_string(query).unwrap();
    let answer = connection.call("index.search", Some(&params));
    assert!(answer.is_ok() || answer.unwrap_err().message.contains("size"));
    assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
}

#[test]
fn a_filter_that_is_none_is_refused() {
    let hob = start("//- a.txt\nfoo");
    refused(&hob.try_run(&["search", "-g", "a[", "foo"]), &["`a[`", "hint: "]);
    refused(&hob.try_run(&["search", "-t", "ruust", "foo"]), &["`ruust`", "did you mean `rust`?"]);
    refused(&hob.try_run(&["search", "-A", "x", "foo"]), &["x"]);
    refused(&hob.try_run(&["search"]), &["a pattern is missing", "hint: "]);
    refused(&hob.try_run(&["serach", "foo"]), &["`search`"]);
}

#[test]
fn wrong_calls_say_what_is_wrong() {
    let hob = start("//- a.txt\nfoo");
    refused(&hob.try_run(&["rpc", "index.serach", "{}"]), &["index.serach", "-32601", "hint: "]);
    refused(&hob.try_run(&["rpc", "index.search", "{}"]), &["-32602", "query"]);
    refused(
        &hob.try_run(&["rpc", "workspace.status", "{\"dir\": \"relative\"}"]),
        &["not absolute"],
    );
    refused(&hob.try_run(&["rpc", "workspace.status", "nonsense"]), &["hint: "]);
}

#[test]
fn a_repository_that_libgit2_refuses_is_searched_as_well() {
    for flag in ["--object-format=sha256", "--ref-format=reftable"] {
        let hob = Hob::plain(PROGRAMS, "//- a.txt\nfoo\n//- .gitignore\nb.txt\n//- b.txt\nfoo");
        let made = finish(hob.command("git").args(["init", "-q", flag]));
        if made.status != Some(0) {
            skipped(&format!("git has no {flag}"));
            continue;
        }
        hob.commit("first");
        assert_eq!(hob.run("search foo"), "a.txt:1:foo\n");
        hob.index();
        hob.write("a.txt", "foo two\n");
        assert_eq!(hob.run("search foo"), "a.txt:1:foo two\n");
        hob.git("worktree add -q ../second");
        assert_eq!(hob.run_in("../second", &["search", "foo"]).text(), "a.txt:1:foo\n");
        assert_eq!(hob.status()["root"], hob.root().to_str().unwrap(), "{flag}");
    }
}

/// A user who may not read everything.
const NOBODY: &str = "65534";

#[test]
fn what_may_not_be_read_is_told_and_the_rest_is_found() {
    let mut hob = start("//- a.txt\nfoo\n//- file.txt\nfoo\n//- dir/x.txt\nfoo\n//- z/z.txt\nfoo");
    hob.chmod("file.txt", 0);
    hob.chmod("dir", 0);
    if rustix::process::geteuid().is_root() {
        let owner = format!("{NOBODY}:{NOBODY}");
        let world = hob.outside("");
        let given = finish(hob.command("chown").args(["-R", &owner]).arg(world));
        assert_eq!(given.status, Some(0), "{given:?}");
        hob.run_by(&["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]);
        let tried = finish(hob.hob().arg("--version"));
        if tried.status != Some(0) {
            hob.run_by(&[]);
            return skipped(&format!("root cannot become another user: {}", tried.stderr));
        }
    }
    for _ in 0..2 {
        let outcome = hob.try_run(&["search", "foo"]);
        assert_eq!(outcome.text(), "a.txt:1:foo\nz/z.txt:1:foo\n");
        assert_eq!(outcome.status, Some(2));
        for name in ["file.txt", "dir"] {
            let told = outcome.stderr.lines().filter(|line| line.contains(name)).count();
            assert_eq!(told, 1, "{outcome:?}");
        }
        assert!(outcome.stderr.contains("ermission denied"), "{outcome:?}");
        let _ = hob.try_run(&["index", "--wait"]);
    }
    hob.chmod("dir", 0o755);
    hob.chmod("file.txt", 0o644);
    assert_eq!(hob.run("search -c foo").lines().count(), 4);
    let _ = hob.run("daemon stop");
}
