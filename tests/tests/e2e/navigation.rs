//! From a name to where it is defined and who mentions it, through the real programs.

use crate::start;
use hob_tests::Hob;

const TREE: &str = "\
//- src/lib.rs
mod kettle;
use kettle::Kettle;
pub fn tea(cups: u8) -> u8 {
    let mut kettle = Kettle::new(cups);
    // Kettle in a comment
    kettle.boil();
    steep(kettle.level)
}
fn steep(level: u8) -> u8 {
    let cups = level / 2;
    cups
}
//- src/kettle.rs
pub struct Kettle { pub level: u8 }
impl Kettle {
    pub fn new(level: u8) -> Kettle {
        Kettle { level }
    }
    pub fn boil(&mut self) {
        heat(self.level);
    }
}
fn heat(level: u8) {
    boil(level);
}
fn boil(_: u8) {}
//- tool.py
from kettle import boil

class Kettle:
    def boil(self):
        return boil(self)
//- main.c
#include \"lib/heat.h\"
int main(void) { struct kettle *k = find(1); return heat(k); }
//- lib/heat.h
struct kettle { int level; };
int heat(struct kettle *k);
";

fn lines(hob: &Hob, args: &[&str]) -> Vec<String> {
    let outcome = hob.try_run(args);
    assert!(matches!(outcome.status, Some(0 | 1)) && outcome.stderr.is_empty(), "{outcome:?}");
    outcome.text().lines().map(|line| line.replace('\t', " | ")).collect()
}

fn places(hob: &Hob, args: &[&str]) -> Vec<String> {
    let first = |line: String| line.split(" | ").next().unwrap_or_default().to_owned();
    lines(hob, args).into_iter().map(first).collect()
}

#[test]
fn a_name_is_found_where_it_is_defined() {
    let hob = start(TREE);
    hob.index();
    assert_eq!(places(&hob, &["def", "steep"]), ["src/lib.rs:9:4"]);
    assert_eq!(places(&hob, &["def", "Kettle::boil"]), ["src/kettle.rs:6:12", "tool.py:4:9"]);
    assert_eq!(places(&hob, &["def", "nothing"]), [""; 0]);
    // Exactly so, although another name differs in case alone.
    assert_eq!(places(&hob, &["def", "kettle"]), ["lib/heat.h:1:8", "src/lib.rs:1:5"]);
}

#[test]
fn a_place_is_understood_by_what_is_around_it() {
    let hob = start(TREE);
    hob.index();
    let first = |place: &str| places(&hob, &["def", place]).first().cloned().unwrap_or_default();
    // The type of the same language, what its file imports.
    assert_eq!(first("src/lib.rs:4:22"), "src/kettle.rs:1:12");
    // A method of what stands before it; a function where nothing does.
    assert_eq!(first("src/lib.rs:6:12"), "src/kettle.rs:6:12");
    assert_eq!(first("src/kettle.rs:11:5"), "src/kettle.rs:13:4");
    assert_eq!(first("tool.py:5:16"), "src/kettle.rs:13:4");
    // Local: a variable, and a parameter of the same name elsewhere.
    assert_eq!(places(&hob, &["def", "src/lib.rs:11:5"]), ["src/lib.rs:10:9"]);
    assert_eq!(places(&hob, &["def", "src/lib.rs:4:34"]), ["src/lib.rs:3:12"]);
    // A definition is its own, whatever else has its name.
    assert_eq!(first("src/kettle.rs:13:4"), "src/kettle.rs:13:4");
    // Right behind the name counts.
    assert_eq!(first("src/lib.rs:7:10"), "src/lib.rs:9:4");
    assert_eq!(first("main.c:1:12"), "lib/heat.h:1:1");
}

#[test]
fn mentions_are_told_with_their_roles_and_what_they_stand_in() {
    let hob = start(TREE);
    hob.index();
    assert_eq!(
        lines(&hob, &["refs", "boil"]),
        [
            "src/kettle.rs:11:5 | call | heat | boil(level);",
            "src/lib.rs:6:12 | call | tea | kettle.boil();",
            "tool.py:1:20 | import |  | from kettle import boil",
            "tool.py:5:16 | call | Kettle.boil | return boil(self)",
        ]
    );
    assert_eq!(places(&hob, &["refs", "--role", "type", "Kettle"]).len(), 4);
    assert_eq!(places(&hob, &["refs", "src/lib.rs:3:12"]), ["src/lib.rs:3:12", "src/lib.rs:4:34"]);
    hob.write("more.rs", "fn more() { steep(1) }\n");
    let steep = ["more.rs:1:13", "src/lib.rs:7:5"];
    assert_eq!(places(&hob, &["refs", "steep"]), steep);
    let outcome = hob.try_run(&["refs", "--limit", "1", "steep"]);
    assert!(outcome.stderr.contains("1 of 2"), "{outcome:?}");
}

#[test]
fn calls_are_followed_both_ways() {
    let hob = start(TREE);
    hob.index();
    assert_eq!(
        lines(&hob, &["callers", "--depth", "2", "heat"]),
        [
            "1 | main.c:2 | main | heat | main.c:2",
            "1 | src/kettle.rs:6 | Kettle::boil | heat | src/kettle.rs:7",
            "2 | src/kettle.rs:10 | heat | Kettle::boil | src/kettle.rs:11",
            "2 | src/lib.rs:3 | tea | Kettle::boil | src/lib.rs:6",
            "2 | tool.py:4 | Kettle.boil | Kettle::boil | tool.py:5",
        ]
    );
    assert_eq!(
        lines(&hob, &["callees", "tea"]),
        [
            "1 | src/kettle.rs:3 | Kettle::new | tea | src/lib.rs:4",
            "1 | src/kettle.rs:6 | Kettle::boil | tea | src/lib.rs:6",
            "1 | src/lib.rs:9 | steep | tea | src/lib.rs:7",
        ]
    );
}

#[test]
fn what_is_no_place_gets_a_clear_error() {
    let hob = start(TREE);
    for (target, why) in [
        ("src/nowhere.rs:1:1", "there is no such file"),
        ("src/lib.rs:99:1", "it has no line 99"),
        ("src/lib.rs:5:5", "there is no name at"),
        ("src/lib.rs:5", "`src/lib.rs:5` has no column"),
        (" ", "the query names nothing"),
    ] {
        let outcome = hob.try_run(&["def", target]);
        assert_eq!(outcome.status, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(why) && outcome.stderr.contains("hint: "), "{outcome:?}");
    }
    let outcome = hob.try_run(&["refs", "--role", "cal", "boil"]);
    assert!(outcome.stderr.contains("there is no role `cal`"), "{outcome:?}");
}

const IMPORTS: &str = "\
//- src/dict.c
#include \"dict.h\"
#include <sys/none.h>
//- src/dict.h
int dict(void);
//- other/dict.h
int dict(void);
//- web/server/index.ts
import { read } from '../config'
import { only } from './lib'
import { made } from './lib.js'
const url = new URL(read())
//- web/config.ts
export function read() { return 1 }
//- web/server/lib.ts
export function only() { return 2 }
//- web/style.css
.URL { color: red }
.url { color: red }
//- pkg/models.py
def load(): return 1
//- pkg/__init__.py
//- pkg/app.py
from pkg import models
from .sub import thing
def models_of(): return models
//- pkg/user.py
from .models import load
//- pkg/sub/__init__.py
thing = 1
//- far/load.py
//- docs/models.css
.models { color: red }
";

#[test]
fn an_import_leads_to_its_file() {
    let hob = start(IMPORTS);
    hob.index();
    for (at, file) in [
        ("src/dict.c:1:11", "src/dict.h:1:1"),
        ("web/server/index.ts:1:24", "web/config.ts:1:1"),
        ("web/server/index.ts:2:24", "web/server/lib.ts:1:1"),
        ("web/server/index.ts:3:24", "web/server/lib.ts:1:1"),
        ("pkg/app.py:1:18", "pkg/models.py:1:1"),
        ("pkg/app.py:2:7", "pkg/sub/__init__.py:1:1"),
    ] {
        assert_eq!(places(&hob, &["def", at])[..1], [file], "{at}");
    }
    assert_eq!(places(&hob, &["def", "src/dict.c:2:11"]), [""; 0]);
    // A file of that name that is far away is no module of this one.
    assert_eq!(places(&hob, &["def", "pkg/user.py:1:21"])[..1], ["pkg/models.py:1:5"]);
    // What another language defines, or what differs in case, is not meant.
    assert_eq!(places(&hob, &["def", "web/server/index.ts:4:17"]), [""; 0]);
}

#[test]
fn what_is_local_or_of_another_place_is_not_called() {
    let hob = start(
        "//- l.py\n\
         def run(callback):\n    callback(2)\n    other()\n    Other()\n\
         def other(): pass\n\
         //- m.py\n\
         def callback(): pass\n\
         def run():\n    callback()\n",
    );
    hob.index();
    let l = "1 | l.py:5 | other | run | l.py:3";
    assert_eq!(lines(&hob, &["callees", "l.py:1:5"]), [l]);
    assert_eq!(lines(&hob, &["callees", "run"]), [l, "1 | m.py:1 | callback | run | m.py:3"]);
}

#[test]
fn a_language_without_case_has_mentions_in_any() {
    let hob = start(
        "//- relax.f90\nsubroutine Relax(a)\n  integer :: a\nend subroutine\n\
         //- solver.f90\nprogram p\n  call relax(1)\n  call RELAX(2)\nend program\n\
         //- other.py\nrelax()\n",
    );
    hob.index();
    for name in ["Relax", "relax"] {
        let found = places(&hob, &["refs", name]);
        assert_eq!(found[found.len() - 2..], ["solver.f90:2:8", "solver.f90:3:8"], "{name}");
    }
    assert_eq!(lines(&hob, &["callers", "Relax"]).len(), 1);
}

#[test]
fn what_nothing_defines_within_a_name_has_no_mentions() {
    let hob = start(TREE);
    hob.index();
    assert_eq!(lines(&hob, &["refs", "Nonsense::boil"]), [""; 0]);
    assert_eq!(lines(&hob, &["callers", "Nonsense::boil"]), [""; 0]);
    assert!(!lines(&hob, &["refs", "Kettle::boil"]).is_empty());
}
