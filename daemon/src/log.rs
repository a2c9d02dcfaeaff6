//! The log: standard error in the foreground, a file that is turned over in the background.
//!
//! What clients send never stands in it: not at any level, and not by way of jsonrpsee,
//! which would log whole messages and is kept out. A log that cannot be written is lost,
//! and the daemon goes on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// A file of this size is set aside, as the only one.
const TURN_AT: u64 = 10 << 20;
/// How much of a panic's words is logged: they may quote what a client sent.
const PANIC_CHARS: usize = 200;

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard error.
    Stderr,
    /// A file, made 0600.
    File(PathBuf),
}

/// Begins to log, for the process. `filter` is in the terms of `tracing`'s `EnvFilter`; one that
/// does not parse counts as `info`, and is reported in the log.
pub fn init(target: &Target, json: bool, filter: Option<&str>) {
    let (writer, ansi) = match target {
        Target::Stderr => {
            let ansi =
                rustix::termios::isatty(io::stderr()) && std::env::var_os("NO_COLOR").is_none();
            (BoxMakeWriter::new(io::stderr), ansi)
        }
        Target::File(path) => (BoxMakeWriter::new(Turning::new(path, TURN_AT)), false),
    };
    let level = || EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    let parsed = level().parse(filter.unwrap_or_default());
    let complaint = parsed.as_ref().err().map(ToString::to_string);
    let filter = parsed.unwrap_or_else(|_| level().parse_lossy(""));
    let own = filter.and(filter_fn(|event| !event.target().starts_with("jsonrpsee")));
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(ansi);
    let layer = match json {
        true => lines.json().with_filter(own).boxed(),
        false => lines.with_filter(own).boxed(),
    };
    // A second daemon in one process, as tests have it, logs where the first one does.
    let _ = tracing_subscriber::registry().with(layer).try_init();
    std::panic::set_hook(Box::new(log_panic));
    if let Some(complaint) = complaint {
        tracing::warn!("`HOB_LOG` is ignored: {complaint}");
    }
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let payload = panic.payload();
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or(payload.downcast_ref::<String>().map(String::as_str));
    let words: String = words.unwrap_or("(no words)").chars().take(PANIC_CHARS).collect();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, words, "a panic");
}

/// A file that is renamed to `NAME.1` when it is large, and begun anew.
struct Turning {
    path: PathBuf,
    turn_at: u64,
    open: Mutex<Option<Open>>,
}

struct Open {
    file: File,
    size: u64,
}

impl Turning {
    fn new(path: &Path, turn_at: u64) -> Self {
        Self { path: path.to_owned(), turn_at, open: Mutex::new(open(path).ok()) }
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut open_file = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let length = line.len() as u64;
        if open_file.as_ref().is_some_and(|open| open.size > 0 && open.size + length > self.turn_at)
        {
            std::fs::rename(&self.path, set_aside(&self.path))?;
            *open_file = None;
        }
        let target = match &mut *open_file {
            Some(open) => open,
            none => none.insert(open(&self.path)?),
        };
        target.file.write_all(line)?;
        target.size += length;
        Ok(())
    }
}

fn set_aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    name.into()
}

fn open(path: &Path) -> io::Result<Open> {
    let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(nofollow)
        .open(path)?;
    let size = file.metadata()?.len();
    Ok(Open { file, size })
}

impl<'a> MakeWriter<'a> for Turning {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

/// Writes to a [`Turning`], and never fails: there is nowhere left to report it.
struct Line<'a>(&'a Turning);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.write(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_large_log_is_turned_over_and_one_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        let log = Turning::new(&path, 10);
        for line in ["first\n", "second\n", "third\n"] {
            log.make_writer().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "third\n");
        assert_eq!(std::fs::read_to_string(set_aside(&path)).unwrap(), "second\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_log_goes_on_where_the_last_daemon_left_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        for line in ["first\n", "second\n"] {
            Turning::new(&path, 100).make_writer().write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\nsecond\n");
    }

    #[test]
    fn a_full_disk_is_no_error() {
        let log = Turning::new(Path::new("/dev/full"), 100);
        assert!(log.make_writer().write_all(b"lost\n").is_ok());
        let log = Turning::new(Path::new("/nonexistent/hobd.log"), 100);
        assert!(log.make_writer().write_all(b"lost\n").is_ok());
    }
}
