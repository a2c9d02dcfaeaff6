//! What whoever started the daemon hears of its start.
//!
//! In the background, standard output is a pipe to the client that waits: one line
//! `ready`, or `error: MESSAGE` and `hint: HINT`. After that the daemon has no terminal
//! and no pipe of its starter's any more.

use super::StartError;
use std::fs::OpenOptions;
use std::io::{self, Write as _};

/// Tells of the start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Herald {
    background: bool,
}

impl Herald {
    /// In the background, leaves the terminal's session and its standard input.
    pub(super) fn new(background: bool) -> Self {
        if background {
            // It fails for the leader of a process group, whose starter has seen to it.
            let _ = rustix::process::setsid();
            if let Ok(null) = OpenOptions::new().read(true).open("/dev/null") {
                let _ = rustix::stdio::dup2_stdin(null);
            }
        }
        Self { background }
    }

    /// The socket answers. That nobody listens any more is no reason not to serve the others.
    pub(super) fn ready(self) {
        if self.background {
            let _ = say("ready\n");
            let _ = let_go();
        }
    }

    /// The daemon does not start.
    pub(super) fn failed(self, error: &StartError) {
        if self.background {
            let _ = say(&refusal(error));
        } else {
            let (message, hint) = lines(error);
            let _ = write!(io::stderr(), "hobd: {message}\nhint: {hint}\n");
        }
    }
}

/// What is said of a daemon that does not start.
pub(super) fn refusal(error: &StartError) -> String {
    let (message, hint) = lines(error);
    format!("error: {message}\nhint: {hint}\n")
}

/// Message and hint, each one line: a path may hold anything.
fn lines(error: &StartError) -> (String, String) {
    let line = |text: String| text.replace(['\n', '\r'], " ");
    (line(error.to_string()), line(error.hint()))
}

/// Writes to standard output at once.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The starter reads to the end of the pipe, and a terminal may want to close.
fn let_go() -> io::Result<()> {
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    std::env::set_current_dir("/")
}
