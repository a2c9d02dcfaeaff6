//! What the benchmarks share: a world of their own, times, and a table.
//!
//! Nothing here asserts a time. A benchmark prints what it measured beside what a
//! peer took in the same run, and fails only where an answer is wrong.

#![allow(dead_code, reason = "each program uses a part")]

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

/// What a benchmark fails with, for people.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Runs a benchmark to its exit status.
pub(crate) fn main(run: impl FnOnce() -> Result<(), Failure>) -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The command line: `--name value` pairs, and what is left over.
pub(crate) struct Options {
    named: Vec<(String, OsString)>,
    pub(crate) rest: Vec<OsString>,
}

impl Options {
    /// Those of this process. `known` are the names that may be given.
    pub(crate) fn of_process(usage: &str, known: &[&str]) -> Result<Self, Failure> {
        let (mut named, mut rest) = (Vec::new(), Vec::new());
        let mut args = std::env::args_os().skip(1);
        while let Some(arg) = args.next() {
            let Some(name) = arg.to_str().and_then(|arg| arg.strip_prefix("--")) else {
                rest.push(arg);
                continue;
            };
            let ours = known.contains(&name) || ["hob", "hobd", "rg", "rounds"].contains(&name);
            let (true, Some(value)) = (ours, args.next()) else {
                return Err(format!(
                    "usage: {usage} [--hob PATH] [--hobd PATH] [--rg PATH] [--rounds N]"
                )
                .into());
            };
            named.push((name.to_owned(), value));
        }
        Ok(Self { named, rest })
    }

    /// The last value that was given under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.named.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    /// The same as a number.
    pub(crate) fn number(&self, name: &str, default: usize) -> Result<usize, Failure> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let number = value.to_str().and_then(|value| value.parse().ok());
        number.filter(|number| *number > 0).ok_or_else(|| format!("`--{name}` is no number").into())
    }

    /// The directory that was given, as an absolute path without links.
    pub(crate) fn tree(&self) -> Result<PathBuf, Failure> {
        let given = self.rest.first().ok_or("name the tree to measure on")?;
        Path::new(given)
            .canonicalize()
            .map_err(|error| format!("`{}`: {error}", Path::new(given).display()).into())
    }
}

/// hob, with a socket, a store and a home of its own. Dropping it stops the daemon.
pub(crate) struct World {
    dir: tempfile::TempDir,
    hob: PathBuf,
    hobd: PathBuf,
    pub(crate) rg: PathBuf,
}

impl World {
    /// An empty world for the programs that the options name, else those of the release build.
    pub(crate) fn new(options: &Options) -> Result<Self, Failure> {
        let target = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/release");
        let program = |name| match options.get(name) {
            Some(path) => PathBuf::from(path).canonicalize(),
            None => Path::new(target).join(name).canonicalize(),
        };
        let found = |name| {
            program(name).map_err(|error| {
                format!("`{name}`: {error}; build it with `cargo build --release`")
            })
        };
        let world = Self {
            dir: tempfile::tempdir()?,
            hob: found("hob")?,
            hobd: found("hobd")?,
            rg: options.get("rg").unwrap_or("rg".as_ref()).into(),
        };
        for name in ["home", "run", "cache", "state", "config"] {
            use std::os::unix::fs::DirBuilderExt as _;
            std::fs::DirBuilder::new().mode(0o700).create(world.path(name))?;
        }
        Ok(world)
    }

    /// A path in the world's own directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The daemon's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/hob/hob.sock")
    }

    /// A program in this world: it sees nothing of the caller's settings.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).env("HOB_DAEMON", &self.hobd);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.path("home"));
        for (variable, name) in [
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"),
        ] {
            command.env(variable, self.path(name));
        }
        command
    }

    /// hob, with these arguments.
    pub(crate) fn hob<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = self.command(&self.hob);
        command.args(args);
        command
    }

    /// Starts the daemon with a setting, as a variable of its environment.
    pub(crate) fn start_with(&self, variable: &str, value: &str) -> Result<(), Failure> {
        let output = self.hob(["ping"]).env(variable, value).output()?;
        match output.status.success() {
            true => Ok(()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
        }
    }

    /// Runs hob in a directory and returns what it printed.
    pub(crate) fn run(&self, dir: &Path, args: &[&str]) -> Result<String, Failure> {
        let output = self.hob(args).current_dir(dir).output()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("`hob {}`: {said}", args.join(" ")).into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// `hob status --json` of the workspace around a directory.
    pub(crate) fn status(&self, dir: &Path) -> Result<serde_json::Value, Failure> {
        Ok(serde_json::from_str(&self.run(dir, &["status", "--json"])?)?)
    }

    /// The daemon, which must run.
    pub(crate) fn daemon(&self, dir: &Path) -> Result<Process, Failure> {
        let pid = self.status(dir)?["daemon"]["pid"].as_u64().ok_or("the daemon has no pid")?;
        Ok(Process { pid })
    }

    /// Waits until the daemon computes nothing any more: merging comes after indexing.
    pub(crate) fn settle(&self, dir: &Path) -> Result<(), Failure> {
        let daemon = self.daemon(dir)?;
        let mut before = daemon.cpu();
        for _ in 0..120 {
            std::thread::sleep(Duration::from_secs(1));
            let now = daemon.cpu();
            if now == before {
                return Ok(());
            }
            before = now;
        }
        Err("the daemon does not come to rest".into())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.hob(["daemon", "stop"]).stdout(Stdio::null()).status();
    }
}

/// A process as `/proc` shows it.
#[derive(Clone, Copy)]
pub(crate) struct Process {
    pub(crate) pid: u64,
}

impl Process {
    /// The time that it has computed, to ten milliseconds.
    pub(crate) fn cpu(self) -> Duration {
        ticks(&format!("/proc/{}/stat", self.pid), 13)
    }

    /// A field of its status that is in kB, in bytes: `VmRSS`, `VmHWM`, `RssAnon`.
    pub(crate) fn memory(self, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid));
        let text = text.unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        number.unwrap_or(0) * 1024
    }
}

/// The time that the children of this process have computed which it has waited for.
pub(crate) fn children_cpu() -> Duration {
    ticks("/proc/self/stat", 15)
}

/// Two neighbouring fields of a `stat`, counted from 0, in ticks of ten milliseconds.
fn ticks(path: &str, field: usize) -> Duration {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // The name of the program, field 1, is in parentheses, and may contain anything.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = rest.split_whitespace().skip(field - 2).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Runs a whole process. Its time is that until all it printed was read.
pub(crate) fn timed(command: &mut Command, times: &mut Times) -> Result<Output, Failure> {
    let before = children_cpu();
    let began = Instant::now();
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output();
    times.wall.push(began.elapsed());
    times.cpu += children_cpu().saturating_sub(before);
    let name = command.get_program().to_string_lossy().into_owned();
    Ok(output.map_err(|error| format!("`{name}`: {error}"))?)
}

/// What a number of runs took.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) wall: Vec<Duration>,
    /// Of all runs together.
    pub(crate) cpu: Duration,
}

impl Times {
    pub(crate) fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// Of a share of the runs, at most so much.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.wall.clone();
        sorted.sort_unstable();
        let at = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(at.saturating_sub(1)).copied().unwrap_or_default()
    }

    /// The mean of a run.
    pub(crate) fn cpu_each(&self) -> Duration {
        self.cpu / u32::try_from(self.wall.len().max(1)).unwrap_or(u32::MAX)
    }
}

/// Milliseconds with as many digits as mean something.
pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    match ms {
        ..10.0 => format!("{ms:.3}"),
        ..1000.0 => format!("{ms:.1}"),
        _ => format!("{ms:.0}"),
    }
}

/// How many times longer `ours` is than `theirs`.
pub(crate) fn ratio(ours: Duration, theirs: Duration) -> String {
    format!("{:.3}", ours.as_secs_f64() / theirs.as_secs_f64().max(1e-9))
}

/// Megabytes.
pub(crate) fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// Rows that are printed in columns.
#[derive(Default)]
pub(crate) struct Table(Vec<Vec<String>>);

impl Table {
    pub(crate) fn row<T: Display>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.0.push(cells.into_iter().map(|cell| cell.to_string()).collect());
    }

    /// Prints all rows, the first column to the left and the others to the right.
    pub(crate) fn print(&self) -> std::io::Result<()> {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.0.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut out = std::io::stdout().lock();
        for row in &self.0 {
            for (column, cell) in row.iter().enumerate() {
                match column {
                    0 => write!(out, "{cell:<0$}", widths[0])?,
                    _ => write!(out, "  {cell:>0$}", widths[column])?,
                }
            }
            writeln!(out)?;
        }
        Ok(())
    }
}
