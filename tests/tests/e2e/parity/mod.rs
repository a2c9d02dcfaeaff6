//! `hob search` prints what ripgrep prints: byte for byte, with the same exit status, and with
//! something on standard error exactly where ripgrep has something to say.
//!
//! Each row of [`rows::ROWS`] is asked of a tree without an index (`cold`), of one that is indexed
//! (`warm`), and of one that has just been changed (`dirty`).

mod files;
mod random;
mod rows;
mod tree;

use crate::PROGRAMS;
use hob_tests::{Hob, Outcome, Ripgrep, ripgrep};
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

/// A directory of the tree, and the arguments of a search there.
#[derive(Clone, Debug)]
struct Case {
    dir: String,
    args: Vec<OsString>,
}

#[test]
fn what_is_not_indexed_is_searched_as_ripgrep_does() {
    let Some(rg) = ripgrep() else { return };
    let mut hob = tree::plant(PROGRAMS);
    hob.set("HOB_WORKSPACE_AUTO", "false");
    let mut report = Report::default();
    for case in rows::cases(&hob) {
        report.compare(&hob, &rg, &case);
    }
    report.end("cold");
}

#[test]
fn what_is_indexed_is_searched_as_ripgrep_does() {
    let Some(rg) = ripgrep() else { return };
    let hob = tree::plant(PROGRAMS);
    let mut report = Report::default();
    let cases = rows::cases(&hob);
    // The very first answers come while the index is in the making.
    for case in &cases[..cases.len().min(20)] {
        report.compare(&hob, &rg, case);
    }
    hob.index();
    for case in &cases {
        report.compare(&hob, &rg, case);
    }
    assert_eq!(hob.status()["pending"], 0);
    report.end("warm");
}

#[test]
fn what_has_just_changed_is_searched_as_ripgrep_does() {
    let Some(rg) = ripgrep() else { return };
    let hob = tree::plant(PROGRAMS);
    hob.index();
    let mut report = Report::default();
    for (round, case) in rows::cases(&hob).iter().enumerate() {
        tree::disturb(&hob, round);
        report.compare(&hob, &rg, case);
    }
    report.end("dirty");
}

#[test]
fn what_is_asked_at_random_is_searched_as_ripgrep_does() {
    let Some(rg) = ripgrep() else { return };
    let hob = tree::plant(PROGRAMS);
    hob.index();
    let mut report = Report::default();
    let mut random = hob_tests::Random::new(crate::seed());
    for round in 0..hob_tests::setting("HOB_PARITY_CASES", 300) {
        if round % 7 == 0 {
            tree::disturb(&hob, round);
        }
        report.compare(&hob, &rg, &random::case(&mut random));
    }
    report.end("random");
}

/// What differed.
#[derive(Default)]
struct Report {
    cases: usize,
    wrong: usize,
    text: String,
}

/// So many differences are told in full.
const TOLD: usize = 25;

impl Report {
    fn compare(&mut self, hob: &Hob, rg: &Ripgrep, case: &Case) {
        let args: Vec<OsString> =
            [OsString::from("search")].into_iter().chain(case.args.iter().cloned()).collect();
        self.compare_with(hob, rg, &args, case);
    }

    /// Compares a command line of hob's with one of ripgrep's.
    fn compare_with(&mut self, hob: &Hob, rg: &Ripgrep, args: &[OsString], case: &Case) {
        self.cases += 1;
        let ours = hob.run_in(&case.dir, args);
        let theirs = hob.rg(rg, &case.dir, &case.args);
        let Some(difference) = difference(&ours, &theirs) else { return };
        self.wrong += 1;
        if self.wrong <= TOLD {
            let _ = writeln!(self.text, "in `{}`: {args:?}\n{difference}", case.dir);
        }
    }

    fn end(self, what: &str) {
        println!("parity, {what}: {} questions, {} differ", self.cases, self.wrong);
        assert_eq!(self.wrong, 0, "{what}\n{}", self.text);
    }
}

fn difference(ours: &Outcome, theirs: &Outcome) -> Option<String> {
    let mut text = String::new();
    if ours.status != theirs.status {
        let _ = writeln!(text, "  status {:?}, ripgrep's {:?}", ours.status, theirs.status);
    }
    let (out, their_out) = (comparable(&ours.stdout), comparable(&theirs.stdout));
    if out != their_out {
        text.push_str(&first_difference(&out, &their_out));
    }
    if ours.stderr.is_empty() != theirs.stderr.is_empty() {
        text.push_str("  standard error\n");
    }
    if text.is_empty() {
        return None;
    }
    let said = format!("  ours: {:?}\n  theirs: {:?}\n", ours.stderr, theirs.stderr);
    Some(text + &said)
}

fn first_difference(ours: &[u8], theirs: &[u8]) -> String {
    let pairs = ours.split(|byte| *byte == b'\n').zip(theirs.split(|byte| *byte == b'\n'));
    let at = pairs.take_while(|(ours, theirs)| ours == theirs).count();
    let line = |of: &[u8]| {
        let line = of.split(|byte| *byte == b'\n').nth(at).unwrap_or(b"(the end)");
        let shown = String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned();
        format!("{shown:?} ({} bytes in all)", of.len())
    };
    format!("  line {}: {}\n  ripgrep: {}\n", at + 1, line(ours), line(theirs))
}

/// Without what ripgrep itself prints otherwise each time: in JSON, times, and the summary's figures
/// of files that had no match, which an index need not read.
fn comparable(stdout: &[u8]) -> Vec<u8> {
    if !stdout.starts_with(br#"{"type":"#) && !stdout.starts_with(br#"{"data":"#) {
        return stdout.to_vec();
    }
    let lines = stdout.split_inclusive(|byte| *byte == b'\n');
    lines
        .flat_map(|line| serde_json::from_slice(line).map_or(line.to_vec(), without_times))
        .collect()
}

fn without_times(mut value: serde_json::Value) -> Vec<u8> {
    let is_summary = value["type"] == "summary";
    let remove = |of: &mut serde_json::Value, name: &str| {
        if let Some(object) = of.as_object_mut() {
            object.remove(name);
        }
    };
    remove(&mut value["data"], "elapsed_total");
    if let Some(stats) = value["data"].get_mut("stats") {
        remove(stats, "elapsed");
        for figure in ["bytes_searched", "searches", "bytes_printed"] {
            if is_summary {
                remove(stats, figure);
            }
        }
    }
    format!("{value}\n").into_bytes()
}

/// A line as a shell splits it: at blanks, but not within single quotes; `\xFF` and the like stand for
/// bytes outside of them where the table itself has put them.
fn words(line: &str) -> Vec<OsString> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<Vec<u8>>, false);
    for byte in line.bytes() {
        match byte {
            b'\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

/// Arguments as they are, some of which are no UTF-8.
fn raw(args: &[&[u8]]) -> Vec<OsString> {
    args.iter().map(|arg| OsStr::from_bytes(arg).to_owned()).collect()
}

fn fifo(hob: &Hob, path: &str) {
    let made = Command::new("mkfifo").arg(hob.path(path)).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo");
}
