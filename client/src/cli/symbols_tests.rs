//! `hob symbols`, `files`, `outline`, `types` and `languages` against a daemon by script.

use super::tests::{answering, check, on_a_terminal, terminal};
use crate::testing::{Act, Scripted};
use expect_test::expect;
use serde_json::{Value, json};

fn symbol(name: &str, kind: &str, path: &str) -> Value {
    json!({"name": name, "kind": kind, "path": path, "line": 12, "column": 8, "end_line": 20,
        "signature": format!("pub fn {name}(\n        &self,\n\tx: u8)"), "language": "rust",
        "matched": "exact"})
}

fn finding(symbols: Value, truncated: Value, total: Value) -> Scripted {
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    answering("index.symbols", move || {
        vec![Act::Result(json!({"root": here, "generation": 1, "freshness": "live",
            "symbols": symbols, "truncated": truncated, "total": total, "elapsed_us": 1}))]
    })
}

fn two() -> Value {
    let mut method = symbol("search", "method", "src/a.rs");
    method["container"] = json!("Index");
    let mut bare = symbol("searching", "key", "b.toml");
    bare["signature"] = json!("");
    json!([method, bare])
}

#[test]
fn symbols_are_fields_on_a_pipe() {
    check(
        &finding(two(), Value::Null, json!(2)),
        "symbols search",
        expect![[r#"
            src/a.rs:12:8	method	search	Index	pub fn search( &self, x: u8)
            b.toml:12:8	key	searching		
            status 0
        "#]],
    );
}

#[test]
fn symbols_are_columns_on_a_terminal() {
    let daemon = finding(two(), Value::Null, json!(2));
    expect![[r#"
        src/a.rs:12:8  method  pub fn search( &self, x: u8)  in Index
        b.toml:12:8    key     searching
        status 0
    "#]]
    .assert_eq(&on_a_terminal(&daemon, "symbols search"));
    let colored = terminal(&daemon, "symbols search --color always");
    assert!(colored.contains("\x1b[0m\x1b[1m\x1b[31msearch\x1b[0m\tIndex\t"), "{colored:?}");
}

#[test]
fn symbols_ask_for_what_the_flags_say() {
    let daemon = finding(json!([]), Value::Null, json!(0));
    check(
        &daemon,
        "symbols x --kind function --kind method --lang c --limit 7 --deadline 9",
        expect![["status 1\n"]],
    );
    let mut asked = daemon.asked().remove(0)["params"]["query"].take();
    asked.as_object_mut().unwrap().remove("dir");
    let expected = json!({"query": "x", "kinds": ["function", "method"], "languages": ["c"],
        "exact": false, "limit": 7, "deadline_ms": 9, "no_sync": false});
    assert_eq!(asked, expected);
    terminal(&daemon, "symbols x");
    assert_eq!(daemon.asked()[1]["params"]["query"]["limit"], 50);
}

#[test]
fn symbols_that_were_cut_say_so() {
    check(
        &finding(json!([symbol("f", "function", "a.rs")]), json!("limit"), json!(1_234_567)),
        "symbols f --limit 1",
        expect![[r#"
            a.rs:12:8	function	f		pub fn f( &self, x: u8)
            hob: stopped after 1 of 1,234,567 symbols
            hint: a larger `--limit` shows more
            status 0
        "#]],
    );
    check(
        &finding(json!([]), json!("indexing"), Value::Null),
        "symbols f",
        expect![[r#"
            hob: files that are not indexed yet were left out
            hint: `hob index --wait` waits until all are indexed
            status 1
        "#]],
    );
}

#[test]
fn symbols_as_json_are_what_the_daemon_says() {
    let daemon = finding(json!([symbol("f", "function", "a.rs")]), Value::Null, json!(1));
    let shown = terminal(&daemon, "symbols f --json");
    let (json, status) = shown.split_once('\n').unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["symbols"], json!([symbol("f", "function", "a.rs")]));
    assert_eq!(status, "status 0\n");
}

fn outlines() -> Scripted {
    let place = |first: u64, last: u64| json!({"start": {"line": first, "column": 1}, "end": {"line": last, "column": 2}});
    answering("index.outline", move || {
        let files = json!([
            {"path": "a.rs", "language": "rust", "extent": "errors", "symbols": [
                {"name": "Index", "kind": "struct", "depth": 0, "line": 3, "column": 12,
                    "range": place(3, 120), "signature": "pub struct Index"},
                {"name": "at", "kind": "field", "parent": 0, "depth": 1, "line": 4, "column": 5,
                    "range": place(4, 4), "signature": "at:\n  u32"}]},
            {"path": "no.rs", "error": {"kind": "bad_path", "hint": "name a file",
                "message": "cannot read `no.rs`: no such file"}},
            {"path": "b.toml", "language": "toml", "extent": "whole", "symbols": [
                {"name": "deps", "kind": "key", "depth": 0, "line": 1, "column": 1,
                    "range": place(1, 1), "signature": ""}]}
        ]);
        vec![Act::Result(json!({"generation": 1, "freshness": "live", "files": files}))]
    })
}

fn printed_outlines() -> Scripted {
    answering("index.outlineStream", || {
        let items = [
            json!({"output": "a.rs\n3-120  pub struct Index\n4-4      at: u32\n"}),
            json!({"remark": {"message": "`a.rs` could not be parsed as a whole", "hint": ""}}),
            json!({"remark": {"message": "cannot outline `no.rs`: no such file", "hint": "name a file"}}),
            json!({"output": "\nb.toml\n1-1  deps\n"}),
            json!({"done": {"found": true, "errors": true, "elapsed_us": 1}}),
        ];
        let items = items.into_iter().map(|event| Act::Item("index.outlineEvent", event));
        [Act::Result(json!(7))].into_iter().chain(items).collect()
    })
}

#[test]
fn an_outline_prints_what_comes_and_an_error_stops_no_other_file() {
    check(
        &printed_outlines(),
        "outline a.rs no.rs b.toml",
        expect![[r#"
            a.rs
            3-120  pub struct Index
            4-4      at: u32

            b.toml
            1-1  deps
            hob: `a.rs` could not be parsed as a whole
            hob: cannot outline `no.rs`: no such file
            hint: name a file
            status 2
        "#]],
    );
    check(
        &outlines(),
        "outline a.rs -",
        expect![[r#"
            hob: `-` is standard input, which hob does not read
            hint: a file of that name is `./-`
            status 2
        "#]],
    );
}

#[test]
fn an_outline_as_json_is_flat() {
    let shown = terminal(&outlines(), "outline a.rs --json");
    let json: Value = serde_json::from_str(shown.lines().next().unwrap()).unwrap();
    assert_eq!(json["files"][0]["symbols"][1]["parent"], 0);
    assert_eq!(json["files"][1]["error"]["kind"], "bad_path");
    assert!(shown.ends_with("}\nstatus 2\n"), "{shown}");
}

fn summary(total: u64) -> Value {
    json!({"generation": 1, "freshness": "live", "total": total, "elapsed_us": 1})
}

fn listing(last: Value) -> Scripted {
    answering("index.filesStream", move || {
        let items = [json!({"output": "b/main.rs\n"}), json!({"output": "a\n"}), last.clone()];
        let items = items.into_iter().map(|event| Act::Item("index.filesEvent", event));
        [Act::Result(json!(7))].into_iter().chain(items).collect()
    })
}

#[test]
fn files_print_what_comes() {
    let daemon = listing(json!({"done": summary(2)}));
    check(
        &daemon,
        "files main rs -0 --color always",
        expect![[r#"
            b/main.rs
            a
            status 0
        "#]],
    );
    let mut asked = daemon.asked().remove(0)["params"].take();
    assert_eq!(asked["style"], json!({"color": true, "null": true}));
    let query = asked["query"].as_object_mut().unwrap();
    query.remove("dir");
    assert_eq!(Value::from(query.clone()), json!({"query": "main rs", "no_sync": false}));
    terminal(&daemon, "files");
    assert!(daemon.asked()[1]["params"]["query"].get("query").is_none());
}

#[test]
fn files_tell_what_is_missing() {
    let mut cut = summary(78_255);
    cut["truncated"] = json!("limit");
    check(
        &listing(json!({"done": cut})),
        "files --limit 2 main",
        expect![[r#"
            b/main.rs
            a
            hob: stopped after 2 of 78,255 files
            hint: a larger `--limit`, or none, shows it
            status 0
        "#]],
    );
    let mut unreadable = summary(2);
    unreadable["warnings"] = json!(["secret: Permission denied (os error 13)"]);
    check(
        &listing(json!({"done": unreadable})),
        "files",
        expect![[r#"
            b/main.rs
            a
            hob: secret: Permission denied (os error 13)
            status 2
        "#]],
    );
    let failed = json!({"failed": {"code": -32008, "message": "the query is too long",
        "data": {"kind": "too_large", "hint": "shorten it"}}});
    check(
        &listing(failed),
        "files x",
        expect![[r#"
            b/main.rs
            a
            hob: the query is too long
            hint: shorten it
            status 2
        "#]],
    );
}

#[test]
fn files_as_json_are_one_answer() {
    let daemon = answering("index.files", || {
        let mut result = summary(1);
        result["files"] = json!([{"path": {"bytes": "/w=="}, "score": 5}]);
        vec![Act::Result(result)]
    });
    check(
        &daemon,
        "files x --json",
        expect![[r#"
            {"elapsed_us":1,"files":[{"path":{"bytes":"/w=="},"score":5}],"freshness":"live","generation":1,"total":1}
            status 0
        "#]],
    );
}

#[test]
fn types_and_languages_are_tables() {
    let daemon = Scripted::start(|method, _| match method {
        "index.types" => {
            vec![Act::Result(json!({"types": [{"name": "c", "globs": ["*.[chH]", "*.cats"]}]}))]
        }
        "index.languages" => vec![Act::Result(json!({"languages": [
            {"name": "rust", "aliases": ["rs"], "extensions": ["rs"], "kinds": ["function", "struct"]},
            {"name": "bash", "extensions": ["sh", "bash"], "file_names": [".bashrc"],
                "kinds": ["function"]}]}))],
        _ => vec![],
    });
    check(
        &daemon,
        "types",
        expect![[r#"
            c: *.[chH], *.cats
            status 0
        "#]],
    );
    check(
        &daemon,
        "languages",
        expect![[r#"
            rust (rs)  .rs                function struct
            bash       .sh .bash .bashrc  function
            status 0
        "#]],
    );
    check(
        &daemon,
        "types --json",
        expect![[r#"
            {"types":[{"globs":["*.[chH]","*.cats"],"name":"c"}]}
            status 0
        "#]],
    );
}
