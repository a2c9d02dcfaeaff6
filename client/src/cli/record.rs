//! `hob profile record`: what the daemon does for a while, as files.

use super::commands::{number, on, positional, value};
use super::{Status, World, units};
use crate::error::reason;
use crate::{Error, ErrorKind, ProfileApiClient as _, block_on};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint, value_parser};
use hob_protocol::ProfileRecording;
use std::fs::File;
use std::io::{ErrorKind as IoKind, Write as _};
use std::path::{Path, PathBuf};

pub(super) fn define() -> Command {
    let file =
        |name: &'static str| positional(name, "FILE").long(name).value_hint(ValueHint::FilePath);
    let seconds = Arg::new("seconds").long("seconds").value_name("NUM").default_value("5");
    let force = Arg::new("force").long("force").action(ArgAction::SetTrue);
    Command::new("record")
        .about("Record what the daemon does for a while")
        .arg(
            seconds
                .value_parser(value_parser!(u64).range(1..=600))
                .hide_default_value(true)
                .help("For NUM seconds, at most 600 (5)"),
        )
        .arg(file("flame").help("Write a flame graph of its time on the processor, an SVG"))
        .arg(file("trace").help("Write its calls and stages one by one, for ui.perfetto.dev"))
        .arg(force.help("Replace files that are there"))
}

pub(super) fn run(matches: &ArgMatches, world: &mut World<'_>) -> Result<Status, Error> {
    let outputs = Outputs {
        flame: value(matches, "flame").map(PathBuf::from),
        trace: value(matches, "trace").map(PathBuf::from),
        force: on(matches, "force"),
    };
    outputs.check()?;
    let ms = number(matches, "seconds").unwrap_or_default() * 1000;
    let (flame, trace) = (outputs.flame.is_some(), outputs.trace.is_some());
    let recorded =
        world.ask(|connection, _| block_on(connection.record(ms, Some(flame), Some(trace))))?;
    outputs.take(&recorded, world)
}

/// Where a recording goes.
struct Outputs {
    flame: Option<PathBuf>,
    trace: Option<PathBuf>,
    /// Over what is there.
    force: bool,
}

impl Outputs {
    /// Finds out what is wrong with them before anybody has waited for a recording.
    fn check(&self) -> Result<(), Error> {
        if self.flame.is_none() && self.trace.is_none() {
            return Err(Error::new(ErrorKind::Usage, "nothing is to be recorded")
                .hint("say where to: `--flame FILE.svg`, `--trace FILE.json` or both"));
        }
        let absolute =
            |path: &Option<PathBuf>| path.as_ref().and_then(|p| std::path::absolute(p).ok());
        if absolute(&self.flame) == absolute(&self.trace) {
            return Err(Error::new(ErrorKind::Usage, "`--flame` and `--trace` name one file")
                .hint("give each its own"));
        }
        self.flame.iter().chain(&self.trace).try_for_each(|path| self.probe(path))
    }

    /// Whether a file can be written, which is left as it is.
    fn probe(&self, path: &Path) -> Result<(), Error> {
        if self.force && path.symlink_metadata().is_ok() {
            // A link may lead to a file that is not there yet.
            let was_there = path.exists();
            let opened = File::options().write(true).create(true).truncate(false).open(path);
            opened.map_err(|error| cannot(path, &error))?;
            if let (false, Ok(made)) = (was_there, path.canonicalize()) {
                let _ = std::fs::remove_file(made);
            }
            return Ok(());
        }
        File::create_new(path).map_err(|error| cannot(path, &error))?;
        std::fs::remove_file(path).map_err(|error| cannot(path, &error))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), Error> {
        let opened = if self.force { File::create(path) } else { File::create_new(path) };
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| cannot(path, &error))
    }

    /// Writes what was recorded, and tells it.
    fn take(&self, recorded: &ProfileRecording, world: &mut World<'_>) -> Result<Status, Error> {
        let mut status = Status::Done;
        // Where one cannot be written the other is, all the same.
        let mut failed = Ok(());
        if let Some(path) = &self.flame {
            match &recorded.flame {
                Some(image) => {
                    if let Err(error) = self.write(path, image) {
                        failed = Err(error);
                    } else {
                        let samples = units::counted(recorded.samples, "sample");
                        writeln!(world.out, "{}: {samples}", path.display())?;
                    }
                }
                None => {
                    world.note(
                        &format!("no `{}`: the daemon has used no processor", path.display()),
                        "ask it something meanwhile, or record it for longer",
                    )?;
                    status = Status::Nothing;
                }
            }
        }
        if let (Some(path), Some(trace)) = (&self.trace, &recorded.trace) {
            self.write(path, trace)?;
            writeln!(world.out, "{}: {}", path.display(), units::counted(recorded.spans, "span"))?;
        }
        failed?;
        if recorded.dropped > 0 {
            let dropped = units::counted(recorded.dropped, "later span");
            let message = format!("the trace has no room for {dropped}");
            world.note(&message, "record it for less long")?;
        }
        Ok(status)
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    if error.kind() == IoKind::AlreadyExists {
        return Error::new(ErrorKind::Io, format!("`{path}` is there already"))
            .hint("name another file, or replace it with `--force`");
    }
    Error::new(ErrorKind::Io, format!("cannot write `{path}`: {}", reason(error)))
        .hint("name a file in a directory that is there and yours")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_replaced_by_force_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        std::fs::write(&old, "mine").unwrap();
        let outputs = |path: &Path, force| Outputs { flame: Some(path.into()), trace: None, force };
        let refused = outputs(&old, false).check().unwrap_err();
        assert!(refused.message.ends_with("is there already"), "{}", refused.message);
        assert!(outputs(&old, false).write(&old, "theirs").is_err());
        assert!(outputs(&new, false).check().is_ok() && !new.exists());
        assert!(outputs(&old, true).check().is_ok());
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "mine");
        let (link, target) = (dir.path().join("link"), dir.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(outputs(&link, true).check().is_ok() && !target.exists());
        let twice = Outputs { flame: Some("y".into()), trace: Some("./y".into()), force: false };
        assert!(twice.check().unwrap_err().message.contains("one file"));
        outputs(&old, true).write(&old, "theirs").unwrap();
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "theirs");
    }

    #[test]
    fn what_cannot_be_written_is_told_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let outputs = |path: PathBuf, force| Outputs { flame: None, trace: Some(path), force };
        let nowhere = outputs(dir.path().join("no/such"), false).check().unwrap_err();
        assert!(nowhere.message.starts_with("cannot write `"), "{}", nowhere.message);
        assert!(outputs(dir.path().to_owned(), true).check().is_err());
        assert!(Outputs { flame: None, trace: None, force: false }.check().is_err());
        let one = Some(dir.path().join("one"));
        assert!(Outputs { flame: one.clone(), trace: one, force: false }.check().is_err());
    }
}
