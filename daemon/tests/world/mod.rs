//! A home for a `hobd` of a test's own, and what is asked of it.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A home of its own, so that no test meets the user's daemon or another test's.
pub(crate) struct World {
    dir: tempfile::TempDir,
    /// The `hobd` that is run.
    pub(crate) program: PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), program: env!("CARGO_BIN_EXE_hobd").into() }
    }

    /// With a copy of `hobd` that may be replaced.
    pub(crate) fn with_a_program_of_its_own() -> Self {
        let mut world = Self::new();
        world.program = world.path("hobd");
        world.replace_program();
        world
    }

    pub(crate) fn home(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home().join(name)
    }

    /// Puts another copy in the program's place, as an installation does.
    pub(crate) fn replace_program(&self) {
        self.put_program(env!("CARGO_BIN_EXE_hobd"));
    }

    /// Puts a copy of this file in the program's place.
    pub(crate) fn put_program(&self, from: impl AsRef<std::ffi::OsStr>) {
        let new = self.path("new");
        // Another process writes it: a descriptor of ours could be inherited by what a test beside
        // this one spawns, and what is open for writing cannot be run.
        assert!(Command::new("cp").arg(from).arg(&new).status().unwrap().success());
        std::fs::rename(new, &self.program).unwrap();
    }

    /// Whether a process runs the file that is the program now.
    pub(crate) fn is_run_by(&self, pid: u32) -> bool {
        let identity = |path: &Path| {
            std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino())).map_err(|_| ())
        };
        let running = identity(&Path::new("/proc").join(pid.to_string()).join("exe"));
        running.is_ok() && running == identity(&self.program)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("run/hob/hob.sock")
    }

    pub(crate) fn hobd(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().args(args).stdin(Stdio::null());
        command.env("HOME", self.home()).env("XDG_RUNTIME_DIR", self.path("run"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A daemon that has said `ready`.
    pub(crate) fn start(&self) -> Daemon {
        let mut child = self.hobd(&["--background"]).spawn().unwrap();
        let mut said = String::new();
        child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let daemon = Daemon(child);
        assert_eq!(said, "ready\n");
        daemon
    }

    pub(crate) fn ask(&self, method: &str) -> String {
        let stream = UnixStream::connect(self.socket()).unwrap();
        ask(&stream, method)
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path(".local/state/hob/hobd.log")).unwrap()
    }
}

pub(crate) fn ask(mut stream: &UnixStream, method: &str) -> String {
    writeln!(stream, r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

/// A daemon that does not outlive its test.
pub(crate) struct Daemon(pub(crate) Child);

impl Daemon {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) fn ended(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(15), "the daemon does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits for a fact.
pub(crate) fn wait_for(fact: impl Fn() -> bool) {
    let started = Instant::now();
    while !fact() {
        assert!(started.elapsed() < Duration::from_secs(15), "it does not come true");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A request for a search whose output fills the socket, so that it runs until someone reads it.
/// The lines are long, since a debug build prints few in the time that it has.
pub(crate) fn large_search(world: &World) -> String {
    let tree = world.path("large");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("a.txt"), format!("a line{}\n", "-".repeat(2000)).repeat(12_000))
        .unwrap();
    let query = format!(r#"{{"patterns":["line"],"cwd":"{}"}}"#, tree.display());
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"index.searchStream","params":{{"query":{query}}}}}"#
    )
}

/// Sends a request, and reads the first line that comes back.
pub(crate) fn begin(world: &World, request: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(world.socket()).unwrap();
    writeln!(stream, "{request}").unwrap();
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    assert!(first.contains("result"), "{first}");
    reader
}

/// What comes last, until the connection is closed.
pub(crate) fn last_line(reader: BufReader<UnixStream>) -> String {
    reader.lines().map_while(Result::ok).last().unwrap_or_default()
}
