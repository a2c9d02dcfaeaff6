//! `hobd --doctor`: what is wrong with a hob that does not do what it should, and what to do.
//!
//! Changes nothing and starts nothing. It looks at the same places as a daemon would, and asks the
//! one that runs, which it does not wait for.

mod daemon;
mod place;

use place::Here;
use serde::Serialize;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// How long one look may take. What hangs is most often a file system that is elsewhere.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a check has come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What was looked at, in a word.
    pub(crate) name: &'static str,
    pub(crate) state: State,
    /// What was found.
    pub(crate) message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) hint: String,
}

impl Check {
    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: State::Ok, message: message.into(), hint: String::new() }
    }

    fn warn(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, state: State::Warn, message: message.into(), hint: hint.into() }
    }

    fn fail(name: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { name, state: State::Fail, message: message.into(), hint: hint.into() }
    }
}

#[derive(Serialize)]
struct Report<'a> {
    healthy: bool,
    checks: &'a [Check],
}

/// Looks at everything, and prints it. The status is 1 where something is wrong.
pub(crate) fn main(json: bool) -> ExitCode {
    let checks = examine();
    let healthy = checks.iter().all(|check| check.state != State::Fail);
    let text = match json {
        true => {
            let report = serde_json::to_string(&Report { healthy, checks: &checks });
            report.unwrap_or_default() + "\n"
        }
        false => page(&checks),
    };
    // A reader that has seen enough is no failure.
    let _ = crate::life::say(&text);
    ExitCode::from(u8::from(!healthy))
}

/// Looks at one thing.
type Look = fn(&Here) -> Vec<Check>;

/// What is looked at, in order, by name.
const LOOKS: [(&str, Look); 9] = [
    ("program", Here::program),
    ("config", Here::config),
    ("socket", Here::socket),
    ("daemon", daemon::examine),
    ("disk", Here::disks),
    ("stores", Here::stores),
    ("watches", Here::watches),
    ("limits", Here::descriptors),
    ("systemd", Here::units),
];

fn examine() -> Vec<Check> {
    let here = Arc::new(Here::of_process());
    let look = |(name, look): (&'static str, Look)| {
        let here = here.clone();
        let hint = "is it on a network that does not answer? then hob does not either";
        let late = || vec![Check::fail(name, "it cannot be looked at in time", hint)];
        in_time(PATIENCE, move || look(&here)).unwrap_or_else(late)
    };
    LOOKS.into_iter().flat_map(look).collect()
}

/// Does something that may take for ever, on a thread that is left behind if it does.
fn in_time<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, done) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = sender.send(work());
    });
    done.recv_timeout(patience).ok()
}

fn page(checks: &[Check]) -> String {
    let mut text = String::new();
    for Check { name, state, message, hint } in checks {
        let state = match state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        let _ = writeln!(text, "{state:<4}  {name:<9}  {}", printable(message));
        if !hint.is_empty() {
            let _ = writeln!(text, "                 hint: {}", printable(hint));
        }
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let verdict = match (count(State::Fail), count(State::Warn)) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("it works; {warnings} to look at"),
        (failures, _) => format!("{failures} wrong"),
    };
    let _ = writeln!(text, "{verdict}");
    text
}

/// Paths may hold anything, and a terminal obeys some of it.
fn printable(text: &str) -> String {
    text.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// Sizes for people.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        1_000_000..10_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_to_do_and_how_it_is_in_all() {
        let ok = Check::ok("program", "hobd");
        let warn = Check::warn("disk", "nearly full\u{1b}[31m", "make room");
        let fail = Check::fail("socket", "a file", "move it away");
        assert_eq!(page(std::slice::from_ref(&ok)), "ok    program    hobd\nall is well\n");
        assert_eq!(
            page(&[ok, warn.clone()]),
            "ok    program    hobd\nwarn  disk       nearly full\u{fffd}[31m\n                 \
             hint: make room\nit works; 1 to look at\n"
        );
        assert!(page(&[warn, fail]).ends_with("hint: move it away\n1 wrong\n"));
    }
}
