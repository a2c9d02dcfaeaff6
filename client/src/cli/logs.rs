//! `hob daemon logs [-f] [-n N]`: the end of the daemon's log.

use super::commands::on;
use super::daemon::{ask_status, running};
use super::{Status, World};
use crate::error::reason;
use crate::{Error, ErrorKind, Place};
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(super) fn define(command: Command) -> Command {
    let follow = Arg::new("follow").short('f').long("follow").action(ArgAction::SetTrue);
    let lines = Arg::new("lines").short('n').long("lines").value_name("NUM");
    command.arg(follow.help("Go on with what is written to it")).arg(
        lines
            .value_parser(value_parser!(u64))
            .default_value("50")
            .help("How many lines of its end"),
    )
}

pub(super) fn run(
    matches: &ArgMatches,
    place: &Place,
    world: &mut World<'_>,
) -> Result<Status, Error> {
    let path = log_of(place)?;
    let lines = matches.get_one::<u64>("lines").copied().unwrap_or(0);
    let mut file = open(&path)?;
    let start = start_of_last_lines(&mut file, lines).map_err(|error| unreadable(&path, &error))?;
    let mut at = copy_from(&mut file, start, &path, world)?;
    while on(matches, "follow") {
        // The file may be replaced at any time, which no event of the file itself would tell.
        std::thread::sleep(Duration::from_millis(200));
        if let Ok(next) = File::open(&path)
            && !is_same(&file, &next)
        {
            // What the daemon wrote to the old file last comes first.
            copy_from(&mut file, at, &path, world)?;
            (file, at) = (next, 0);
        }
        at = copy_from(&mut file, at, &path, world)?;
    }
    Ok(Status::Done)
}

/// Where the daemon says that its log is; where it does not run, or does not answer, where it
/// would be.
fn log_of(place: &Place) -> Result<PathBuf, Error> {
    let Some(daemon) = running(place)?.and_then(|connection| ask_status(&connection).ok()) else {
        return Ok(place.log.clone());
    };
    daemon.log.map(hob_protocol::Text::into_path).ok_or_else(|| {
        Error::new(ErrorKind::Io, "the daemon writes its log to its standard error")
            .hint("under systemd, see `journalctl --user -u hobd`")
    })
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(|error| {
        let error_is_absence = error.kind() == std::io::ErrorKind::NotFound;
        let failed = unreadable(path, &error);
        if error_is_absence {
            failed.hint("the daemon makes it when it first starts")
        } else {
            failed
        }
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    let message = format!("cannot read the log `{}`: {}", path.display(), reason(error));
    Error::new(ErrorKind::Io, message)
}

/// The byte at which the last lines begin, found from the end in blocks.
fn start_of_last_lines(file: &mut File, lines: u64) -> std::io::Result<u64> {
    const BLOCK: u64 = 8192;
    let mut end = file.seek(SeekFrom::End(0))?;
    let last = end.saturating_sub(1);
    let (mut block, mut left) = (Vec::new(), lines);
    if lines == 0 {
        return Ok(end);
    }
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.take(end - start).read_to_end(&mut block)?;
        for (offset, byte) in block.iter().enumerate().rev() {
            let at = start + offset as u64;
            // The newline at the very end closes the last line and begins none.
            if *byte == b'\n' && at != last {
                left -= 1;
                if left == 0 {
                    return Ok(at + 1);
                }
            }
        }
        end = start;
    }
    Ok(0)
}

/// Copies the file from a byte to its end, and gives the byte where that is. A file that was
/// cut shorter is read from its beginning.
fn copy_from(file: &mut File, at: u64, path: &Path, world: &mut World<'_>) -> Result<u64, Error> {
    let length = file.metadata().map_err(|error| unreadable(path, &error))?.len();
    let start = if length < at { 0 } else { at };
    file.seek(SeekFrom::Start(start)).map_err(|error| unreadable(path, &error))?;
    let copied = std::io::copy(file, &mut world.out)?;
    world.out.flush()?;
    Ok(start + copied)
}

fn is_same(a: &File, b: &File) -> bool {
    let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((identity(a), identity(b)), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn last(text: &str, lines: u64) -> String {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let start = start_of_last_lines(&mut file, lines).unwrap() as usize;
        text[start..].to_owned()
    }

    #[test]
    fn the_last_lines_are_found_from_the_end() {
        assert_eq!(last("a\nb\nc\n", 2), "b\nc\n");
        assert_eq!(last("a\nb\nc", 2), "b\nc");
        assert_eq!(last("a\nb\n", 9), "a\nb\n");
        assert_eq!(last("a\nb\n", 0), "");
        assert_eq!(last("", 3), "");
        let long = format!("{}\nend\n", "x".repeat(20_000));
        assert_eq!(last(&long, 1), "end\n");
        assert_eq!(last(&long, 2), long);
    }
}
