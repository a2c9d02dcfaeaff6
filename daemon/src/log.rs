//! The log: standard error in the foreground, a file that is turned over in the background.
//!
//! What clients send never stands in it: not at any level, and not by way of jsonrpsee,
//! which would log whole messages and is kept out. A log that cannot be written is lost,
//! and the daemon goes on. What `profile` measures comes by the same way, and
//! is no concern of the log.

use crate::profile;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tracing::{Dispatch, Metadata};
use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

/// How much of a panic's words is logged: they may quote what a client sent.
const PANIC_CHARS: usize = 200;
/// How often it is looked whether the file is still where it was: somebody may have moved it away.
const LOOK: Duration = Duration::from_secs(1);

/// Where the log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard error.
    Stderr,
    /// A file, made 0600.
    File(PathBuf),
}

/// How the log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// An object a line.
    pub json: bool,
    /// A file of so many bytes is set aside.
    pub file_bytes: u64,
    /// So many are kept beside the one that is written to.
    pub files: usize,
    /// Spans are measured as well.
    pub profile: bool,
}

/// The filter, as it can be changed while the daemon runs.
static LEVEL: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Begins to log, for the process. `filter` is in the terms of `tracing`'s `EnvFilter`; one that
/// makes no sense counts as `info`, and is reported in the log.
pub fn init(target: &Target, options: &Options, filter: &str) {
    let (writer, ansi) = match target {
        Target::Stderr => {
            let ansi =
                rustix::termios::isatty(io::stderr()) && std::env::var_os("NO_COLOR").is_none();
            (BoxMakeWriter::new(io::stderr), ansi)
        }
        Target::File(path) => (BoxMakeWriter::new(Turning::new(path, options)), false),
    };
    let (filter, complaint) = match parse(filter) {
        Ok(filter) => (filter, None),
        Err(complaint) => (EnvFilter::new("info"), Some(complaint)),
    };
    let (filter, handle) = reload::Layer::new(filter);
    // The one that costs nothing first: it spares the other all spans that are measured.
    let own = filter_fn(is_logged).and(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_ansi(ansi);
    let layer = match options.json {
        true => lines.json().with_filter(own).boxed(),
        false => lines.with_filter(own).boxed(),
    };
    // A second daemon in one process, as tests have it, logs where the first one does.
    if listening(layer, options.profile).try_init().is_ok() {
        let _ = LEVEL.set(handle);
    }
    std::panic::set_hook(Box::new(log_panic));
    if let Some(complaint) = complaint {
        tracing::warn!("the level of the log is `info`: {complaint}");
    }
}

/// Whether the log may show something of that kind, its level aside.
fn is_logged(event: &Metadata<'_>) -> bool {
    !event.target().starts_with("jsonrpsee") && event.target() != profile::TARGET
}

/// The log, and beside it what measures spans.
fn listening(log: Box<dyn Layer<Registry> + Send + Sync>, profile: bool) -> Dispatch {
    let log = tracing_subscriber::registry().with(log);
    if !profile {
        // `None` in the place of a layer would pass for one that wants to hear of every span.
        return log.into();
    }
    let measured =
        filter_fn(|span| span.target() == profile::TARGET).with_max_level_hint(LevelFilter::INFO);
    log.with(profile::Stages.with_filter(measured)).into()
}

/// What is logged now, in the terms of `EnvFilter`.
#[must_use]
pub fn level() -> String {
    let level = LEVEL.get().and_then(|handle| handle.with_current(ToString::to_string).ok());
    level.unwrap_or_else(|| "off".to_owned())
}

/// Logs by another filter from now on.
///
/// # Errors
/// What is wrong with it; then the one before stays.
pub fn set_level(filter: &str) -> Result<(), String> {
    let filter = parse(filter)?;
    let changed = LEVEL.get().map(|handle| handle.reload(filter));
    match changed {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("nothing is logged by this process".to_owned()),
    }
}

/// A filter from its directives. A word that is neither a level nor a module would be taken for the
/// name of a module that nobody has, which silences all others.
///
/// # Errors
/// What is wrong with it.
pub fn parse(filter: &str) -> Result<EnvFilter, String> {
    for directive in filter.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let is_word = directive.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_word && directive.parse::<LevelFilter>().is_err() {
            return Err(format!(
                "`{directive}` is no level: off, error, warn, info, debug or trace, or a module's as in \
                 `hob_daemon::server=debug`"
            ));
        }
    }
    let level = EnvFilter::builder().with_default_directive(LevelFilter::INFO.into());
    level.parse(filter).map_err(|error| format!("`{filter}`: {error}"))
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let payload = panic.payload();
    let words = payload.downcast_ref::<&str>().copied();
    let words = words.or(payload.downcast_ref::<String>().map(String::as_str));
    let words: String = words.unwrap_or("(no words)").chars().take(PANIC_CHARS).collect();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, words, "a panic");
}

/// A file that is renamed to `NAME.1` when it is large, and begun anew; what was `NAME.1` is `NAME.2`
/// then, and the last one goes.
struct Turning {
    path: PathBuf,
    turn_at: u64,
    keep: usize,
    open: Mutex<Option<Open>>,
}

struct Open {
    file: File,
    size: u64,
    /// When it was last seen under its name.
    seen: Instant,
}

impl Turning {
    fn new(path: &Path, options: &Options) -> Self {
        let open = Mutex::new(open(path).ok());
        Self { path: path.to_owned(), turn_at: options.file_bytes, keep: options.files, open }
    }

    fn write(&self, line: &[u8]) -> io::Result<()> {
        let mut current = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_mut().is_some_and(|open| !open.is_at(&self.path)) {
            *current = None;
        }
        let length = line.len() as u64;
        let full = |open: &Open| open.size > 0 && open.size + length > self.turn_at;
        if let Some(open) = current.as_mut().filter(|open| full(open)) {
            match self.turn() {
                Ok(()) => *current = None,
                // Better the old lines are lost than all new ones, or the disk.
                Err(_) => open.begin_anew()?,
            }
        }
        let target = match &mut *current {
            Some(open) => open,
            none => none.insert(open(&self.path)?),
        };
        target.file.write_all(line)?;
        target.size += length;
        Ok(())
    }

    fn turn(&self) -> io::Result<()> {
        if self.keep == 0 {
            return std::fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            // Most often there is none yet.
            let _ = std::fs::rename(self.set_aside(number), self.set_aside(number + 1));
        }
        std::fs::rename(&self.path, self.set_aside(1))
    }

    fn set_aside(&self, number: usize) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Open {
    /// Whether the file is still under its name. What is written to it otherwise, nobody finds.
    fn is_at(&mut self, path: &Path) -> bool {
        if self.seen.elapsed() < LOOK {
            return true;
        }
        self.seen = Instant::now();
        match (self.file.metadata(), std::fs::metadata(path)) {
            (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
            _ => false,
        }
    }

    fn begin_anew(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.size = 0;
        Ok(())
    }
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
    Ok(Open { file, size, seen: Instant::now() })
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

    fn turning(path: &Path, file_bytes: u64, files: usize) -> Turning {
        Turning::new(path, &Options { json: false, file_bytes, files, profile: false })
    }

    fn write(log: &Turning, lines: &[&str]) {
        for line in lines {
            log.make_writer().write_all(line.as_bytes()).unwrap();
        }
    }

    fn read(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_large_log_is_turned_over_and_so_many_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        let log = turning(&path, 10, 2);
        write(&log, &["first\n", "second\n", "third\n", "fourth\n"]);
        assert_eq!(read(&path), "fourth\n");
        assert_eq!(read(&log.set_aside(1)), "third\n");
        assert_eq!(read(&log.set_aside(2)), "second\n");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_log_is_turned_at_its_size_and_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        let log = turning(&path, 10, 1);
        write(&log, &["1234\n", "6789\n"]);
        assert_eq!(read(&path), "1234\n6789\n");
        write(&log, &["x"]);
        assert_eq!((read(&path), read(&log.set_aside(1))), ("x".into(), "1234\n6789\n".into()));
        // A line that is longer than a file still stands in one.
        write(&log, &["a line of its own\n"]);
        assert_eq!(read(&path), "a line of its own\n");
    }

    #[test]
    fn none_may_be_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        let log = turning(&path, 10, 0);
        write(&log, &["first\n", "second\n"]);
        assert_eq!(read(&path), "second\n");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_log_that_cannot_be_set_aside_is_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        let log = turning(&path, 10, 1);
        std::fs::create_dir_all(log.set_aside(1).join("in the way")).unwrap();
        write(&log, &["first\n", "second\n"]);
        assert_eq!(read(&path), "second\n");
    }

    #[test]
    fn a_log_that_was_moved_away_is_begun_under_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        let log = turning(&path, 100, 1);
        write(&log, &["first\n"]);
        std::fs::remove_file(&path).unwrap();
        log.open.lock().unwrap().as_mut().unwrap().seen = Instant::now() - 2 * LOOK;
        write(&log, &["second\n"]);
        assert_eq!(read(&path), "second\n");
    }

    #[test]
    fn a_log_goes_on_where_the_last_daemon_left_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hobd.log");
        for line in ["first\n", "second\n"] {
            write(&turning(&path, 100, 1), &[line]);
        }
        assert_eq!(read(&path), "first\nsecond\n");
    }

    #[test]
    fn a_full_disk_is_no_error() {
        write(&turning(Path::new("/dev/full"), 100, 1), &["lost\n"]);
        write(&turning(Path::new("/nonexistent/hobd.log"), 100, 1), &["lost\n"]);
    }

    #[test]
    fn spans_that_nobody_measures_are_not_made() {
        let is_made = |profile: bool| {
            let log = tracing_subscriber::fmt::layer()
                .with_filter(EnvFilter::new("trace").and(filter_fn(is_logged)));
            let spans = listening(log.boxed(), profile);
            tracing::dispatcher::with_default(&spans, || {
                !tracing::info_span!(target: "hob::profile", "test.made").is_disabled()
            })
        };
        assert!(is_made(true));
        assert!(!is_made(false));
    }

    #[test]
    fn a_level_is_one_or_directives() {
        for level in
            ["", "warn", "INFO", "off", "hob_daemon=debug", "warn,hob_daemon::server=trace"]
        {
            assert!(parse(level).is_ok(), "{level}");
        }
        for level in ["verbose", "info,loud", "hob_daemon=loud", "=", "a=b=c"] {
            assert!(parse(level).is_err(), "{level}");
        }
        assert_eq!(parse("debug").unwrap().to_string(), "debug");
    }
}
