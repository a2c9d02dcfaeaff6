//! `hob tasks` against a daemon by script.

use super::tests::{answering, check, on_a_terminal, terminal};
use crate::testing::{Act, Scripted};
use expect_test::expect;
use serde_json::{Value, json};

fn task(id: u64, state: &str, more: &Value) -> Value {
    let mut task = json!({
        "id": id, "kind": "index", "root": "/src/linux", "state": state, "phase": "reading",
        "done": 1200, "total": 78255, "unit": "files", "rate": 4800.5, "submitted_ms": 0,
        "waited_ms": 12, "ran_ms": 250, "cancellable": true
    });
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

#[test]
fn tasks_are_a_line_each() {
    let daemon = answering("tasks.list", || {
        let tasks = json!([
            task(7, "running", &json!({"eta_ms": 15_900})),
            task(6, "queued", &json!({"phase": "", "done": 0, "total": null, "rate": 0.0})),
            task(5, "done", &json!({"done": 78_255})),
            task(4, "failed", &json!({"reason": "no room on the disk"})),
            task(12, "cancelled", &json!({"kind": "merge", "phase": "", "done": 0, "total": null})),
        ]);
        vec![Act::Result(json!({"tasks": tasks, "truncated": true}))]
    });
    check(
        &daemon,
        "tasks",
        expect![[r#"
               7  running    index   /src/linux: reading 1,200 of 78,255 files, 4,800 a second, 16 s left
               6  queued     index   /src/linux: 0.0 s
               5  done       index   /src/linux: reading 78,255 files, 0.2 s
               4  failed     index   /src/linux: reading 1,200 of 78,255 files, 0.2 s, no room on the disk
              12  cancelled  merge   /src/linux: 0.2 s
            hob: there are more
            hint: a larger `--limit` shows them
            status 0
        "#]],
    );
    assert!(terminal(&daemon, "tasks list --json").contains("\"tasks\":[{"));
    let none =
        answering("tasks.list", || vec![Act::Result(json!({"tasks": [], "truncated": false}))]);
    check(
        &none,
        "tasks",
        expect![[r#"
            hob: no task is known
            hint: `hob index` begins one
            status 0
        "#]],
    );
}

#[test]
fn the_status_tells_how_one_has_ended() {
    for (state, status) in [("done", 0), ("running", 0), ("failed", 1), ("cancelled", 1)] {
        let daemon = answering("tasks.get", move || vec![Act::Result(task(7, state, &json!({})))]);
        let shown = terminal(&daemon, "tasks show 7");
        assert!(shown.ends_with(&format!("status {status}\n")), "{shown}");
    }
    let daemon = answering("tasks.cancel", || vec![Act::Result(task(7, "cancelled", &json!({})))]);
    assert!(terminal(&daemon, "tasks cancel 7").ends_with("status 0\n"));
    check(
        &daemon,
        "tasks cancel seven",
        expect![[r#"
            hob: `<ID>` cannot be `seven`
            hint: see `hob help tasks`
            status 2
        "#]],
    );
}

#[test]
fn on_a_terminal_what_goes_on_is_drawn_anew_and_what_has_ended_stays() {
    let daemon = Scripted::start(|asked, _| match asked {
        "tasks.watch" => {
            let list = |tasks: Value| json!({"tasks": tasks, "truncated": false});
            let running = |done: u64| task(7, "running", &json!({"done": done}));
            let lists = [
                list(json!([running(1200), task(6, "queued", &json!({}))])),
                list(json!([running(2400), task(6, "done", &json!({}))])),
                list(json!([task(7, "done", &json!({}))])),
            ];
            let items = lists.into_iter().map(|list| Act::Item("tasks.changed", list));
            [Act::Result(json!(7))].into_iter().chain(items).collect()
        }
        "tasks.watchStop" => vec![Act::Result(json!(true))],
        _ => vec![],
    });
    let shown = on_a_terminal(&daemon, "tasks watch 7").replace('\x1b', "ESC");
    expect![[r#"
           7  running    index   /…linux: reading 1,200 of 78,255 files, 4,800 a second
           6  queued     index   /src/linux: reading 1,200 of 78,255 files, 0.0 s
        ESC[2AESC[J   6  done       index   /src/linux: reading 78,255 files, 0.2 s
           7  running    index   /…linux: reading 2,400 of 78,255 files, 4,800 a second
        ESC[1AESC[J   7  done       index   /src/linux: reading 78,255 files, 0.2 s
        status 0
    "#]]
    .assert_eq(&shown);
    // Elsewhere a line for each new state.
    let lines = terminal(&daemon, "tasks watch 7");
    expect![[r#"
           7  running    index   /src/linux: reading 1,200 of 78,255 files, 4,800 a second
           6  queued     index   /src/linux: reading 1,200 of 78,255 files, 0.0 s
           6  done       index   /src/linux: reading 78,255 files, 0.2 s
           7  done       index   /src/linux: reading 78,255 files, 0.2 s
        status 0
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_line_that_is_drawn_anew_is_one_line_of_the_screen() {
    let line =
        b"  30  running    index   /tmp/a/long/path/to/a/tree: reading 1 of 2 files, 9 s left\n";
    let cut = |columns| String::from_utf8(super::tasks::within(line, columns)).unwrap();
    assert_eq!(cut(200).as_bytes(), line);
    for columns in [20, 40, 80] {
        assert_eq!(cut(columns).trim_end().chars().count(), columns - 1, "{}", cut(columns));
    }
    assert!(cut(60).starts_with("  30  running") && cut(60).ends_with("9 s left\n"));
}
