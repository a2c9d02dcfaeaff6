//! Replies, and what becomes of the files.
//!
//! `edits/NAME.case` is one case, in parts that lines `%%% …` begin:
//!
//! | part | what follows |
//! | --- | --- |
//! | `%%% file PATH [FLAGS]` | a file that there is |
//! | `%%% reply [FORMAT]` | the reply, of one form alone or of any |
//! | `%%% after PATH [FLAGS]` | a file afterwards; what is not told is as it was |
//! | `%%% gone PATH` | a file that is no more |
//! | `%%% fails` | a line for each failure: `BLOCK KIND PATH`, and ` near LINE` where that is told |
//! | `%%% shell` | what is suggested for a shell |
//!
//! In a path `%20` is a space. Flags: `crlf`, `open` (no end of line at the end), `bom`, `utf16`, `latin1`. Where an edit fails nothing
//! is to be written, so that only the failures are looked at.

#![allow(clippy::unwrap_used)] // clippy takes only `#[test]` functions for tests

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use similar::{Algorithm, TextDiff};

use hob_index::edits::names::Known;
use hob_index::edits::{Files, Format, Parser, Plan, Refused, Reply, parse, plan};

/// Files by their paths.
type Tree = BTreeMap<Vec<u8>, Vec<u8>>;

struct Held<'a>(&'a Tree);

impl Files for Held<'_> {
    fn read(&self, path: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        Ok(self.0.get(path).cloned())
    }

    fn having(&self, line: &[u8]) -> Vec<Vec<u8>> {
        let has = |text: &Vec<u8>| memchr::memmem::find(text, line).is_some();
        self.0.iter().filter(|(_, text)| has(text)).map(|(path, _)| path.clone()).collect()
    }
}

fn made(tree: &Tree, reply: &Reply) -> Plan {
    let all = || tree.keys().cloned().collect();
    plan(reply, &Known::of(Vec::new(), all), &Held(tree))
}

/// The files after a plan.
fn after(tree: &Tree, plan: &Plan) -> Tree {
    let mut tree = tree.clone();
    for file in &plan.files {
        tree.remove(file.from.as_ref().unwrap_or(&file.path));
    }
    for file in &plan.files {
        if let Some(after) = &file.after {
            tree.insert(file.path.clone(), after.clone());
        }
    }
    tree
}

#[derive(Default)]
struct Case {
    before: Tree,
    reply: Vec<u8>,
    only: Option<Format>,
    after: Tree,
    fails: Vec<String>,
    shell: Vec<u8>,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut case = Self::default();
        let mut gone = Vec::new();
        for part in text.strip_prefix("%%% ").expect("a part").split("\n%%% ") {
            let (head, body) = part.split_once('\n').unwrap_or((part, ""));
            let body = if body.is_empty() || body.ends_with('\n') {
                body.to_owned()
            } else {
                format!("{body}\n")
            };
            let mut words = head.split(' ');
            match (words.next().unwrap(), words.next()) {
                ("file", Some(path)) => {
                    case.before.insert(named(path), bytes(&body, words));
                }
                ("after", Some(path)) => {
                    case.after.insert(named(path), bytes(&body, words));
                }
                ("gone", Some(path)) => gone.push(path.as_bytes().to_vec()),
                ("reply", format) => {
                    case.only = format.map(|format| Format::from_name(format).unwrap());
                    case.reply = body.into_bytes();
                }
                ("fails", None) => case.fails = body.lines().map(str::to_owned).collect(),
                ("shell", None) => case.shell = body.into_bytes(),
                _ => panic!("{}: {head}", path.display()),
            }
        }
        let mut after = case.before.clone();
        after.retain(|path, _| !gone.contains(path));
        after.append(&mut case.after);
        case.after = after;
        case
    }
}

/// A path, in which `%20` is a space.
fn named(path: &str) -> Vec<u8> {
    path.replace("%20", " ").into_bytes()
}

fn bytes<'a>(body: &str, flags: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut text = body.to_owned();
    let mut bytes: Option<Vec<u8>> = None;
    for flag in flags {
        match flag {
            "crlf" => text = text.replace('\n', "\r\n"),
            "open" => {
                text.truncate(text.trim_end_matches(['\r', '\n']).len());
            }
            "bom" => text.insert(0, '\u{feff}'),
            "utf16" => {
                let units = std::iter::once(0xfeff).chain(text.encode_utf16());
                bytes = Some(units.flat_map(u16::to_le_bytes).collect());
            }
            "latin1" => {
                bytes = Some(text.chars().map(|letter| u8::try_from(letter).unwrap()).collect());
            }
            other => panic!("{other}"),
        }
    }
    bytes.unwrap_or(text.into_bytes())
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edits");
    let mut cases: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

fn told(plan: &Plan) -> Vec<String> {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let one = |failure: &hob_index::edits::Failure| {
        let path = failure.path.as_ref().map_or("-".to_owned(), text);
        let near = failure
            .nearest
            .as_ref()
            .map_or_else(String::new, |near| format!(" near {}", near.line));
        format!("{} {} {path}{near}", failure.block, failure.kind.name())
    };
    plan.failures.iter().map(one).collect()
}

#[test]
fn each_reply_does_what_its_case_says() {
    let mut wrong = Vec::new();
    for path in cases() {
        let case = Case::read(&path);
        let reply = parse(&case.reply, case.only);
        let plan = made(&case.before, &reply);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if told(&plan) != case.fails {
            wrong.push(format!(
                "{name}: {:?} and not {:?}\n{:#?}",
                told(&plan),
                case.fails,
                plan.failures
            ));
        } else if case.fails.is_empty() && after(&case.before, &plan) != case.after {
            let show = |tree: &Tree| {
                let one = |(path, text): (&Vec<u8>, &Vec<u8>)| {
                    format!(
                        "{}: {:?}\n",
                        String::from_utf8_lossy(path),
                        String::from_utf8_lossy(text)
                    )
                };
                tree.iter().map(one).collect::<String>()
            };
            wrong.push(format!(
                "{name}:\n{}and not\n{}",
                show(&after(&case.before, &plan)),
                show(&case.after)
            ));
        }
        if reply.shell.concat() != case.shell {
            wrong.push(format!("{name}: for a shell {:?}", reply.shell));
        }
        // A reply that comes byte by byte is the same.
        let mut parser = Parser::new(case.only);
        case.reply.iter().for_each(|byte| parser.feed(&[*byte]));
        assert_eq!(parser.finish(), reply, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lines of few sorts, so that many are alike.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "[a-c]{0,3}",
        "( {4}|\t)?[a-c]{1,3}",
        Just("-- a".to_owned()),
        Just("++ b".to_owned()),
        Just("=======".to_owned()),
        Just("@@ -1 +1 @@".to_owned()),
        Just("*** End Patch".to_owned()),
    ];
    (prop::collection::vec(line, 0..30), any::<bool>()).prop_map(|(lines, is_open)| {
        let text: String = lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        if is_open { text.strip_suffix('\n').map_or(text.clone(), str::to_owned) } else { text }
    })
}

fn applied(tree: &Tree, reply: &str) -> Result<Tree, Plan> {
    let plan = made(tree, &parse(reply.as_bytes(), None));
    if plan.failures.is_empty() { Ok(after(tree, &plan)) } else { Err(plan) }
}

proptest! {
    #[test]
    fn the_diff_of_two_texts_makes_the_second_of_the_first(
        old in text(),
        new in text(),
        context in 0..4_usize,
        fenced in any::<bool>(),
    ) {
        prop_assume!(!old.is_empty() && old != new);
        let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_lines(&old, &new);
        let unified =
            diff.unified_diff().context_radius(context).header("a/f.txt", "b/f.txt").to_string();
        let reply = if fenced { format!("So:\n\n````diff\n{unified}````\n") } else { unified };
        let tree = Tree::from([(b"f.txt".to_vec(), old.into_bytes())]);
        let made = applied(&tree, &reply).map_err(|plan| {
            TestCaseError::fail(format!("{reply}\n{:#?}", plan.failures))
        })?;
        prop_assert_eq!(String::from_utf8_lossy(&made[&b"f.txt"[..]]), new, "{}", reply);
    }

    #[test]
    fn a_whole_text_in_a_block_becomes_the_other(old in text(), new in text()) {
        // Which line divides cannot be told where the texts have such lines.
        let plain = |text: String| {
            let text = text.replace("=======", "x");
            if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" }
        };
        let (old, new) = (plain(old), plain(new));
        prop_assume!(old != new);
        prop_assume!(old.lines().any(|line| !line.trim().is_empty()));
        let reply = format!("f.txt\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n");
        let tree = Tree::from([(b"f.txt".to_vec(), old.into_bytes())]);
        let made = applied(&tree, &reply).map_err(|plan| {
            TestCaseError::fail(format!("{reply}\n{:#?}", plan.failures))
        })?;
        prop_assert_eq!(String::from_utf8_lossy(&made[&b"f.txt"[..]]), new);
    }

    #[test]
    fn any_reply_is_read(
        parts in prop::collection::vec(prop_oneof![
            "[a-z .`/]{0,12}",
            prop::sample::select(&[
                "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "```", "```diff", "````md f.txt",
                "f.txt", "--- a/f.txt", "+++ b/f.txt", "@@ -1,2 +3 @@ x", "@@", "-a", "+b", " c", "...",
                "*** Begin Patch", "*** Update File: f.txt", "*** Add File: n", "*** Delete File: f.txt",
                "*** Move to: g", "*** End Patch", "*** End of File", "diff --git a/f.txt b/f.txt",
                "rename from f.txt", "rename to g.txt", "new file mode 100644", "\\ No newline",
            ][..]).prop_map(str::to_owned),
        ], 0..24),
        bytes in prop::collection::vec(any::<u8>(), 0..8),
        only in prop::option::of(prop::sample::select(&Format::ALL[..])),
    ) {
        let mut reply = parts.join("\n").into_bytes();
        reply.extend(bytes);
        let tree = Tree::from([(b"f.txt".to_vec(), b"a\nb\n c\nabc\n".to_vec())]);
        let whole = parse(&reply, only);
        let mut parser = Parser::new(only);
        reply.chunks(3).for_each(|part| parser.feed(part));
        prop_assert_eq!(parser.finish(), whole.clone());
        let plan = made(&tree, &whole);
        // What was read of a file is what it is checked against.
        for file in plan.files.iter().filter(|file| file.before.is_some()) {
            let path = file.from.as_ref().unwrap_or(&file.path);
            prop_assert_eq!(file.before.as_ref(), tree.get(path));
        }
    }
}
