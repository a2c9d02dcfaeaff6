//! What shells and `man` make of what hob says of itself.

use crate::start;
use hob_tests::{Hob, finish, said, skipped};

/// Whether a program is here that judges.
fn has(program: &str) -> bool {
    let found = std::process::Command::new(program).arg("--version").output().is_ok();
    if !found {
        skipped(&format!("no {program}"));
    }
    found
}

/// What bash offers for the last word of a line.
fn offered(hob: &Hob, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let last = words.len() - 1;
    let script = format!(
        "source /dev/stdin <<<\"$SCRIPT\"; COMP_WORDS=({line}); COMP_CWORD={last}; \
         _hob hob \"{}\" \"{}\"; echo \"${{COMPREPLY[*]}}\"",
        words[last],
        words[last - 1],
    );
    let completions = hob.run("completions bash");
    said(hob.command("bash").args(["-c", &script]).env("SCRIPT", completions))
}

#[test]
fn bash_completes_commands_flags_and_values() {
    if !has("bash") {
        return;
    }
    let hob = start("");
    assert_eq!(offered(&hob, "hob sea"), "search\n");
    assert_eq!(offered(&hob, "hob daemon re"), "restart\n");
    assert_eq!(offered(&hob, "hob search --hid"), "--hidden\n");
    assert_eq!(offered(&hob, "hob search --color al"), "always\n");
    assert_eq!(offered(&hob, "hob completions z"), "zsh\n");
}

#[test]
fn other_shells_read_their_scripts() {
    let hob = start("");
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        let script = hob.outside(shell);
        std::fs::write(&script, hob.run(&format!("completions {shell}"))).unwrap();
        if has(shell) {
            let outcome = finish(hob.command(shell).arg(check).arg(script));
            assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{shell}");
        }
    }
    let refused = hob.try_run(&["completions", "tcsh"]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("`bash`, `elvish`, `fish`"), "{refused:?}");
}

#[test]
fn every_page_of_the_manual_is_one() {
    let hob = start("");
    let dir = hob.outside("man1");
    let printed = hob.run(&format!("man --dir {}", dir.display()));
    let pages: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(printed.starts_with(&format!("{} pages in", pages.len())), "{printed}");
    assert!(dir.join("hob-search.1").is_file() && dir.join("hob-daemon-logs.1").is_file());
    assert_eq!(hob.run("man"), std::fs::read_to_string(dir.join("hob.1")).unwrap());
    let logs = std::fs::read_to_string(dir.join("hob-daemon-logs.1")).unwrap();
    assert_eq!(hob.run("man daemon logs"), logs);
    assert_eq!(hob.try_run(&["man", "nothing"]).status, Some(2));
    assert_eq!(hob.try_run(&["man", "--dir", "/proc/nowhere"]).status, Some(2));
    if has("groff") {
        for page in pages {
            let outcome =
                finish(hob.command("groff").args(["-man", "-Tutf8", "-ww", "-P-cbou"]).arg(&page));
            assert_eq!(
                (outcome.status, outcome.stderr.as_str()),
                (Some(0), ""),
                "{}",
                page.display()
            );
            let text = outcome.text();
            assert!(text.contains("NAME"), "{}", page.display());
            let foot = text.trim_end().lines().last().unwrap_or_default();
            assert!(
                foot.starts_with(concat!("hob ", env!("CARGO_PKG_VERSION"), "  ")),
                "{}: {foot}",
                page.display()
            );
        }
    }
}

#[test]
fn a_live_page_needs_a_terminal_and_says_what_does_not() {
    let hob = start("");
    let outcome = hob.try_run(&["top"]);
    assert_eq!((outcome.status, outcome.stdout.len()), (Some(2), 0), "{outcome:?}");
    assert!(outcome.stderr.contains("hint: `hob stats`"), "{outcome:?}");
    let outcome = hob.try_run(&["top", "--every", "99"]);
    assert!(outcome.stderr.contains("99"), "{outcome:?}");
    assert_eq!(hob.daemon(), None);
}
