//! What surrounds a command: its streams, its environment, its directory, its daemon.

use crate::error::reason;
use crate::start::is_same;
use crate::{Connection, Error, ErrorKind, Place, start};
use hob_protocol::{Kind, Text};
use serde_json::value::RawValue;
use std::ffi::OsString;
use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A command's surroundings. Tests make their own.
pub(super) struct World<'a> {
    /// Data goes here.
    pub(super) out: &'a mut dyn Write,
    /// Everything else goes here.
    pub(super) err: &'a mut dyn Write,
    pub(super) out_is_terminal: bool,
    pub(super) err_is_terminal: bool,
    /// When the process began, about.
    pub(super) began: Instant,
    /// What the daemon answered last, for `--json`.
    pub(super) answer: Option<Box<RawValue>>,
    /// A variable of the environment; one that is empty counts as unset.
    pub(super) env: &'a dyn Fn(&str) -> Option<OsString>,
}

impl<'a> World<'a> {
    /// The surroundings of this process.
    pub(super) fn of_process(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out,
            err,
            out_is_terminal: std::io::stdout().is_terminal(),
            err_is_terminal: std::io::stderr().is_terminal(),
            began: Instant::now(),
            answer: None,
            env: &hob_protocol::place::process_env,
        }
    }

    /// Where the daemon is.
    pub(super) fn place(&self) -> Place {
        Place::of(self.env)
    }

    /// The current directory, as the shell names it where it does: through its links.
    pub(super) fn current_dir(&self) -> Result<PathBuf, Error> {
        let real = std::env::current_dir().map_err(|error| {
            Error::new(
                ErrorKind::Io,
                format!("cannot tell the current directory: {}", reason(&error)),
            )
            .hint("was it deleted? change to another")
        });
        match (self.env)("PWD").map(PathBuf::from) {
            Some(named) if named.is_absolute() && is_same(&named, Path::new(".")) => Ok(named),
            _ => real,
        }
    }

    /// A directory that was given, else the current one, as an absolute path.
    pub(super) fn directory(&self, given: Option<&OsString>) -> Result<Text, Error> {
        let current = self.current_dir()?;
        Ok(match given {
            Some(dir) => current.join(dir).into(),
            None => current.into(),
        })
    }

    /// Asks the daemon, which is started where none answers.
    ///
    /// A daemon that goes away before it answers (it was told to stop, or killed) is succeeded by
    /// another, which is asked again: so `ask` must be safe to run twice.
    pub(super) fn ask<T>(
        &mut self,
        mut ask: impl FnMut(&mut Connection, &mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let place = self.place();
        for _ in 0..RETRIES {
            let mut connection = start(&place)?;
            match ask(&mut connection, self) {
                Err(error) if is_gone(&error) => {
                    connection.set_timeout(Some(DRAIN))?;
                    connection.wait_for_end()?;
                }
                other => {
                    self.answer = connection.take_answer();
                    return other;
                }
            }
        }
        let mut connection = start(&place)?;
        let outcome = ask(&mut connection, self);
        self.answer = connection.take_answer();
        outcome
    }

    /// Asks the daemon for what must not be done twice. Where its answer is lost, nobody asks again.
    pub(super) fn ask_once<T>(
        &mut self,
        mut ask: impl FnMut(&mut Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ask(|connection, _| match ask(connection) {
            Err(error) if error.kind == ErrorKind::Lost => {
                let message = "the daemon went away before it answered";
                Err(Error::new(ErrorKind::Protocol, message)
                    .hint("`hob undo --list` tells whether it was done"))
            }
            other => other,
        })
    }

    /// A remark beside the data.
    pub(super) fn note(&mut self, message: &str, hint: &str) -> Result<(), Error> {
        let report = Error::new(ErrorKind::Io, message).hint(hint).report();
        Ok(self.err.write_all(report.as_bytes())?)
    }
}

/// How often a question is asked again.
const RETRIES: usize = 2;

/// How long a daemon that stops may take: it promises ten seconds.
const DRAIN: Duration = Duration::from_secs(12);

fn is_gone(error: &Error) -> bool {
    error.kind == ErrorKind::Lost || error.is(Kind::Stopping)
}
