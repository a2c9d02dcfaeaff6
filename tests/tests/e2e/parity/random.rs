//! Searches that nobody thought of.

use super::Case;
use hob_tests::Random;
use std::ffi::OsString;

const ATOMS: &[&str] = &[
    "foo",
    "bar",
    "Foo",
    "mutex",
    "_lock",
    "fn",
    "main",
    "o",
    "x",
    "line",
    "K",
    "ſ",
    "ß",
    "σ",
    "été",
    "日本",
    "\\w",
    "\\d",
    "\\s",
    ".",
    "[a-f]",
    "[^o]",
    "\\pL",
    "\\b",
    "\\B",
    "^",
    "$",
    "",
    "é",
    " ",
    "\\.",
    "[[:upper:]]",
    "(?i:BAR)",
    "(?-u:\\xff)",
    "(?-u:\\w)",
    "filler",
    "nine",
    "\\r",
    "\\x{212a}",
    "i",
    "aa",
];
const REPEATS: &[&str] = &["", "", "", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "+?", "{2,}"];
const FLAGS: &[&str] = &[
    "-i",
    "-S",
    "-s",
    "-w",
    "-x",
    "-v",
    "-F",
    "-l",
    "-c",
    "-o",
    "-0",
    "--json",
    "--heading",
    "--hidden",
    "--no-ignore",
    "-L",
    "-q",
    "--count-matches",
    "--files-without-match",
    "-m1",
    "-m2",
    "-A1",
    "-B2",
    "-C1",
    "-g*.rs",
    "-g!*.rs",
    "-g!src",
    "-gsrc/**",
    "-g*.txt",
    "-g.*",
    "-trust",
    "-Trust",
    "-tmd",
    "-tc",
    "--color=always",
    "-p",
];
const PATHS: &[&str] = &[
    ".",
    "./",
    "src",
    "./src",
    "docs",
    "nested",
    "c/foo.c",
    "README.md",
    "target",
    ".config",
    "nul",
    "nul/late.bin",
    "nul/early.bin",
    "coded",
    "coded/latin1.txt",
    "ends",
    "ends/crlf.txt",
    "odd",
    "linkdir",
    "../beside",
    "inner",
    "nowhere",
    "wide/lines.txt",
    "link.rs",
];
const DIRS: &[&str] =
    &["", "", "", "", "src", "nested", "inner", "target", ".config", "..", "linkdir"];

pub(super) fn case(random: &mut Random) -> Case {
    let mut args: Vec<OsString> = Vec::new();
    for _ in 0..random.below(4) {
        args.push(random.pick::<&str>(FLAGS).into());
    }
    for _ in 0..=random.below(5) / 4 {
        args.extend(["-e".into(), OsString::from(pattern(random, 2))]);
    }
    let dir: &str = random.pick::<&str>(DIRS);
    if dir.is_empty() {
        for number in 0..random.below(6) / 3 {
            let path = random.pick::<&str>(PATHS);
            // What follows the whole tree is searched with a buffer that long lines have made larger.
            if number == 0 || !path.starts_with("nul") {
                args.push(path.into());
            }
        }
    }
    Case { dir: dir.to_owned(), args }
}

fn pattern(random: &mut Random, depth: usize) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(3) {
        match random.below(8) {
            0 if depth > 0 => {
                let (one, other) = (pattern(random, depth - 1), pattern(random, depth - 1));
                text.push_str(&format!("({one}|{other})"));
            }
            1 if depth > 0 => text.push_str(&format!("(?:{})", pattern(random, depth - 1))),
            _ => text.push_str(random.pick::<&str>(ATOMS)),
        }
        text.push_str(random.pick::<&str>(REPEATS));
    }
    text
}
