//! Definitions by name, and outlines, through the real programs.

use crate::start;
use hob_tests::{Hob, Outcome};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::FileExt as _;

/// Place, kind, name and container of each symbol.
fn symbols(hob: &Hob, args: &[&str]) -> Vec<String> {
    let outcome = hob.try_run(&[&["symbols"], args].concat());
    assert!(matches!(outcome.status, Some(0 | 1)) && outcome.stderr.is_empty(), "{outcome:?}");
    let fields = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        fields[..4].join(" ").trim_end().to_owned()
    };
    outcome.text().lines().map(fields).collect()
}

fn refused(outcome: &Outcome, parts: &[&str]) {
    assert_eq!((outcome.status, outcome.text().as_str()), (Some(2), ""), "{outcome:?}");
    for part in parts {
        assert!(outcome.stderr.contains(part), "`{part}` is not in {outcome:?}");
    }
}

const TREE: &str = "\
//- src/lib.rs
/// Parses a text.
/// Slowly.
pub fn parse(text: &str) -> Tree {
    fn parse_word() {}
    todo!()
}
pub struct Tree { pub root: Node }
impl Tree {
    pub fn walk(&self) {}
}
pub struct Node;
impl Node {
    pub fn walk(&self) {}
}
//- tool.py
class Parser:
    def parse(self, text):
        pass
PARSE_LIMIT = 3
//- main.c
#define PARSE 1
int Parse(void) { return PARSE; }
struct parse_state { int depth; };
//- README.md
# Parse
## Use
";

#[test]
fn a_definition_is_found_by_its_name_by_its_beginning_and_by_its_letters() {
    let hob = start(TREE);
    for _ in 0..2 {
        assert_eq!(
            symbols(&hob, &["parse"]),
            [
                "src/lib.rs:3:8 function parse",
                "tool.py:2:9 method parse Parser",
                "main.c:1:9 macro PARSE",
                "main.c:2:5 function Parse",
                "README.md:1:3 section Parse",
                "tool.py:1:7 class Parser",
                "src/lib.rs:4:8 function parse_word parse",
                "tool.py:4:1 constant PARSE_LIMIT",
                "main.c:3:8 struct parse_state",
            ]
        );
        assert_eq!(symbols(&hob, &["prsstt"]), ["main.c:3:8 struct parse_state"]);
        assert_eq!(symbols(&hob, &["nothing_like_it"]), [""; 0]);
        // The second time from the index.
        hob.index();
    }
}

#[test]
fn kinds_languages_and_what_encloses_narrow_it() {
    let hob = start(TREE);
    hob.index();
    assert_eq!(
        symbols(&hob, &["parse", "--kind", "class", "--kind", "struct"]),
        ["tool.py:1:7 class Parser", "main.c:3:8 struct parse_state"]
    );
    assert_eq!(
        symbols(&hob, &["parse", "--lang", "py", "--kind", "method"]),
        ["tool.py:2:9 method parse Parser"]
    );
    assert_eq!(symbols(&hob, &["Tree::walk"]), ["src/lib.rs:9:12 method walk Tree"]);
    assert_eq!(symbols(&hob, &["parser.parse"]), ["tool.py:2:9 method parse Parser"]);
    // What is enclosed by nothing is not enclosed by that, and a file's name is no container.
    assert_eq!(symbols(&hob, &["Nothing::parse"]), [""; 0]);
    assert_eq!(symbols(&hob, &["::"]), [""; 0]);
    assert_eq!(symbols(&hob, &["main.c"]), [""; 0]);
    let found = hob.try_run(&["symbols", "--json", "--limit", "1", "Tree::w"]);
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!((&found["total"], &found["truncated"]), (&1.into(), &Value::Null));
    // What a block of methods is of is a definition elsewhere.
    assert_eq!(symbols(&hob, &["Tree"]), ["src/lib.rs:7:12 struct Tree"]);
    assert_eq!(symbols(&hob, &["Tree", "--kind", "impl"]), ["src/lib.rs:8:6 impl Tree"]);
}

#[test]
fn json_tells_all_of_a_definition() {
    let hob = start(TREE);
    let outcome = hob.try_run(&["symbols", "--json", "--limit", "1", "parse"]);
    let found: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let symbol = &found["symbols"][0];
    assert_eq!(symbol["signature"], "pub fn parse(text: &str) -> Tree");
    assert_eq!(symbol["doc"], "Parses a text.");
    assert_eq!((&symbol["line"], &symbol["end_line"]), (&3.into(), &6.into()));
    assert_eq!((&symbol["language"], &symbol["matched"]), (&"rust".into(), &"exact".into()));
    assert_eq!(found["truncated"], "limit");
}

#[test]
fn what_is_changed_is_found_at_once_and_what_is_gone_is_not() {
    let hob = start(TREE);
    hob.index();
    hob.write("src/lib.rs", "pub fn print() {}\n");
    assert_eq!(symbols(&hob, &["print"]), ["src/lib.rs:1:8 function print"]);
    assert_eq!(symbols(&hob, &["Tree"]), [""; 0]);
    fs::rename(hob.path("src/lib.rs"), hob.path("moved.rs")).unwrap();
    assert_eq!(symbols(&hob, &["print"]), ["moved.rs:1:8 function print"]);
    // The same bytes under a name of another language are something else.
    fs::rename(hob.path("moved.rs"), hob.path("moved.txt")).unwrap();
    assert_eq!(symbols(&hob, &["print"]), [""; 0]);
    for name in ["copy.c", "copy.cpp", "copy.txt"] {
        hob.write(name, "struct twice { int a; };\n");
    }
    for _ in 0..2 {
        assert_eq!(symbols(&hob, &["twice", "--lang", "c"]), ["copy.c:1:8 struct twice"]);
        assert_eq!(
            symbols(&hob, &["twice"]),
            ["copy.c:1:8 struct twice", "copy.cpp:1:8 struct twice"]
        );
        hob.index();
    }
}

/// The best answer was missing while others that had just changed were enough.
#[test]
fn what_has_just_changed_does_not_hide_what_is_stored() {
    let hob = start("//- old.rs\nfn getz() {}\n");
    hob.index();
    hob.write("new.rs", "fn get_very_long_name_one() {}\nfn get_very_long_name_two() {}\n");
    let outcome = hob.try_run(&["symbols", "--limit", "1", "get"]);
    assert!(outcome.text().starts_with("old.rs:1:4\t"), "{outcome:?}");
}

/// A file that was being written all the time gave no answer at all, and kept others from being
/// outlined.
#[test]
fn a_file_that_never_rests_is_found_and_keeps_nobody_waiting() {
    let hob = start("//- a.rs\nfn steady() {}\n");
    hob.index();
    hob.write("log.md", "# Restless\n");
    let log = fs::File::options().write(true).open(hob.path("log.md")).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                log.write_all_at(b"# Restless\n", 0).unwrap();
            }
        });
        hob.write("b.rs", "fn late() {}\n");
        assert_eq!(symbols(&hob, &["late"]), ["b.rs:1:4 function late"]);
        let found = (0..10).all(|_| symbols(&hob, &["Restless"]).len() == 1);
        let outlined = (0..600).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            hob.status()["unoutlined"].as_u64() < Some(2)
        });
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(found, "a file that changes all the time is still a file");
        assert!(outlined, "{}", hob.status());
    });
}

#[test]
fn after_a_restart_nothing_is_made_again_and_what_changed_meanwhile_is_right() {
    let hob = start(TREE);
    hob.index();
    let before = symbols(&hob, &["parse"]);
    let _ = hob.run("daemon stop");
    hob.write("late.go", "package late\n\nfunc Parse() {}\n");
    fs::remove_file(hob.path("main.c")).unwrap();
    let after = symbols(&hob, &["parse"]);
    assert!(after.contains(&"late.go:3:6 function Parse".to_owned()), "{after:?}");
    let kept = |line: &&String| !line.contains("main.c");
    assert!(before.iter().filter(kept).all(|line| after.contains(line)), "{after:?}");
    assert!(after.iter().all(|line| !line.contains("main.c")), "{after:?}");
    assert_eq!(hob.status()["unoutlined"], 1, "all but the new file is known");
}

#[test]
fn an_outline_is_nested_and_each_file_may_fail_alone() {
    let hob = start(TREE);
    hob.write("binary.c", b"int a;\0\x01\x02");
    fs::create_dir(hob.path("dir")).unwrap();
    fs::write(hob.outside("other.rs"), "fn other() {}\n").unwrap();
    for _ in 0..2 {
        assert_eq!(
            hob.run("outline src/lib.rs"),
            "3-6    pub fn parse(text: &str) -> Tree\n\
             4-4      fn parse_word()\n\
             7-7    pub struct Tree\n\
             7-7      pub root: Node\n\
             8-10   impl Tree\n\
             9-9      pub fn walk(&self)\n\
             11-11  pub struct Node\n\
             12-14  impl Node\n\
             13-13    pub fn walk(&self)\n"
        );
        let outcome = hob.try_run(&[
            "outline",
            "main.c",
            "nowhere.c",
            "binary.c",
            "dir",
            "../other.rs",
            "LICENSE",
        ]);
        assert_eq!(outcome.status, Some(2), "{outcome:?}");
        for part in ["int Parse(void)", "struct parse_state", "fn other()"] {
            assert!(outcome.text().contains(part), "{outcome:?}");
        }
        for part in [
            "`nowhere.c`: there is no such file",
            "`binary.c`: it is binary",
            "`dir`: it is a directory",
        ] {
            assert!(outcome.stderr.contains(part), "{outcome:?}");
        }
        hob.index();
    }
}

#[test]
fn a_query_that_asks_for_nothing_is_refused() {
    let hob = start(TREE);
    refused(&hob.try_run(&["symbols", ""]), &["the query is empty", "hint: "]);
    refused(
        &hob.try_run(&["symbols", &"x".repeat(10_000)]),
        &["10000 bytes", "limits.query_bytes"],
    );
    refused(
        &hob.try_run(&["symbols", "a", "--kind", "funktion"]),
        &["no kind `funktion`", "did you mean `function`?"],
    );
    refused(
        &hob.try_run(&["symbols", "a", "--lang", "pyton"]),
        &["no language `pyton`", "did you mean `python`?"],
    );
    assert_eq!(symbols(&hob, &["x".repeat(1024).as_str()]), [""; 0]);
}

#[test]
fn more_than_the_limit_is_said_to_be_more() {
    let hob = start("");
    let mut text = String::new();
    for number in 0..200 {
        let _ = writeln!(text, "fn a{number}() {{}}");
    }
    hob.write("many.rs", text);
    for _ in 0..2 {
        let outcome = hob.try_run(&["symbols", "a"]);
        assert_eq!((outcome.status, outcome.text().lines().count()), (Some(0), 50), "{outcome:?}");
        assert!(outcome.stderr.contains("--limit"), "{outcome:?}");
        assert_eq!(symbols(&hob, &["a", "--limit", "200"]).len(), 200);
        hob.index();
    }
}

#[test]
fn a_text_that_no_grammar_likes_is_bounded_in_time() {
    let hob = start("");
    hob.write("deep.js", "[".repeat(100_000));
    hob.write("line.json", format!("{{\"a\": [{}1]}}", "1, ".repeat(350_000)));
    hob.write("deep.rs", format!("fn deep() {}{}", "{".repeat(20_000), "}".repeat(20_000)));
    hob.write("good.rs", "fn good() {}\n");
    for _ in 0..2 {
        assert_eq!(symbols(&hob, &["good"]), ["good.rs:1:4 function good"]);
        let outcome = hob.try_run(&["outline", "deep.js", "deep.rs", "line.json", "good.rs"]);
        assert!(outcome.text().contains("fn good()"), "{outcome:?}");
        hob.index();
    }
}

#[test]
fn an_outline_that_no_answer_has_room_for_is_told_and_the_others_are_shown() {
    let mut hob = start("//- good.rs\nfn good() {}\n");
    hob.set("HOB_LIMITS_ANSWER_BYTES", "1048576");
    hob.write("many.rs", "fn many() {}\n".repeat(20_000));
    let outcome = hob.try_run(&["outline", "--json", "good.rs", "many.rs"]);
    assert_eq!(outcome.status, Some(2), "{outcome:?}");
    let json: serde_json::Value = serde_json::from_str(&outcome.text()).unwrap();
    assert_eq!(json["files"][0]["symbols"][0]["name"], "good");
    let error = &json["files"][1]["error"];
    assert!(error["message"].as_str().unwrap().contains("`many.rs`"), "{error}");
    assert_ne!(error["hint"], "");
    // What is printed comes in parts.
    assert_eq!(hob.run("outline good.rs many.rs").lines().count(), 20_004);
}

#[test]
fn a_second_worktree_outlines_nothing_twice() {
    let hob = start(TREE);
    hob.commit("first");
    hob.index();
    let contents = hob.status()["store"]["symbols"].clone();
    assert!(contents.as_u64() > Some(3), "{contents}");
    hob.git("worktree add -q ../second");
    let second =
        hob_tests::finish(hob.hob().args(["index", "--wait"]).current_dir(hob.outside("second")));
    assert_eq!(second.status, Some(0), "{second:?}");
    let found = hob_tests::finish(
        hob.hob().args(["symbols", "Tree::walk"]).current_dir(hob.outside("second")),
    );
    assert!(found.text().starts_with("src/lib.rs:9:12\t"), "{found:?}");
    assert_eq!(hob.status()["store"]["symbols"], contents);
}

#[test]
fn languages_and_types_are_listed() {
    let hob = start("");
    let languages = hob.run("languages");
    for language in ["rust", "python", "typescript", "markdown"] {
        assert!(languages.contains(language), "{languages}");
    }
    assert!(hob.run("types").contains("*.rs"));
}
