//! `hob files` prints what `rg --files --sort path` prints, and `hob types` what `rg --type-list`
//! does.

use super::{Case, Report, tree};
use crate::PROGRAMS;
use hob_tests::{Hob, Ripgrep, ripgrep};
use std::ffi::OsString;

/// Directories that are asked, the ignored, the hidden and one of no repository among them.
const DIRS: &[&str] = &[
    "",
    "src",
    "src/a/deep",
    "odd",
    "nested",
    "nested/sub",
    "nested/sub/skip",
    "vendor",
    "inner",
    "target",
    "target/debug",
    "build",
    ".config",
    "empty",
    "void",
    "locked",
    "linkdir",
    "docs/up",
    "../beside",
];

fn compare(report: &mut Report, hob: &Hob, rg: &Ripgrep, dir: &str) {
    let args = |line: &str| line.split(' ').map(OsString::from).collect();
    for (ours, theirs) in [
        ("files", "--files"),
        ("files -0", "--files --null"),
        ("files --color always", "--files --color always"),
    ] {
        let theirs = Case { dir: dir.to_owned(), args: args(theirs) };
        report.compare_with(hob, rg, &args(ours), &theirs);
    }
}

#[test]
fn files_are_those_that_ripgrep_lists() {
    let Some(rg) = ripgrep() else { return };
    let mut hob = tree::plant(PROGRAMS);
    hob.set("HOB_WORKSPACE_AUTO", "false");
    let mut report = Report::default();
    for dir in DIRS {
        compare(&mut report, &hob, &rg, dir);
    }
    let _ = hob.run("daemon stop");
    hob.set("HOB_WORKSPACE_AUTO", "true");
    for dir in DIRS {
        compare(&mut report, &hob, &rg, dir);
    }
    for round in 0..hob_tests::setting("HOB_PARITY_CASES", 300) / 10 {
        tree::disturb(&hob, round);
        compare(&mut report, &hob, &rg, DIRS[round % DIRS.len()]);
    }
    report.end("files");
}

#[test]
fn types_are_those_that_ripgrep_lists() {
    let Some(rg) = ripgrep() else { return };
    let hob = crate::start("");
    let mut report = Report::default();
    let theirs = Case { dir: String::new(), args: vec!["--type-list".into()] };
    report.compare_with(&hob, &rg, &["types".into()], &theirs);
    report.end("types");
}
