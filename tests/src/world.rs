//! A tree, and a `hob` with a daemon of its own, that meet nobody else's.

use crate::outcome::{Outcome, finish, said, within};
use crate::{Ripgrep, fixture};
use hob_client::{Connection, Place};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

/// The programs under test.
#[derive(Clone, Copy, Debug)]
pub struct Programs {
    /// The client.
    pub hob: &'static str,
    /// The daemon.
    pub hobd: &'static str,
    /// What makes the client's pages.
    pub pages: &'static str,
}

/// A world: a directory with a tree, a home, and places for the daemon's things. Dropping it stops
/// the daemon.
pub struct Hob {
    programs: Programs,
    dir: TempDir,
    vars: BTreeMap<OsString, OsString>,
    /// What stands before every command line, such as `unshare -U`.
    before: Vec<OsString>,
}

/// The longest directory that leaves room for the socket in the kernel's 107 bytes.
const LONGEST_DIR: usize = 80;

impl Hob {
    /// A world whose tree is a git repository with these files.
    #[must_use]
    pub fn start(programs: Programs, fixture: &str) -> Self {
        let hob = Self::plain(programs, fixture);
        hob.git("init -q");
        hob
    }

    /// A world whose tree is no repository.
    #[must_use]
    pub fn plain(programs: Programs, fixture: &str) -> Self {
        let hob = Self::empty(programs);
        for (path, content) in fixture::files(fixture) {
            hob.write(path, content);
        }
        hob
    }

    fn empty(programs: Programs) -> Self {
        let dir = tempfile::Builder::new().prefix("hob-").tempdir().unwrap();
        let dir = match dir.path().as_os_str().len() <= LONGEST_DIR {
            true => dir,
            false => tempfile::Builder::new().prefix("hob-").tempdir_in("/tmp").unwrap(),
        };
        for place in ["tree", "home", "run", "cache", "state", "config"] {
            fs::DirBuilder::new().mode(0o700).create(dir.path().join(place)).unwrap();
        }
        let identity = "[user]\nname = A\nemail = a@example.org\n[init]\ndefaultBranch = main\n";
        fs::write(dir.path().join("home/.gitconfig"), identity).unwrap();
        let mut hob = Self { programs, dir, vars: BTreeMap::new(), before: Vec::new() };
        let path = std::env::var_os("PATH").unwrap_or_default();
        hob.set("PATH", path)
            .set("HOB_DAEMON", programs.hobd)
            .set("HOB_PAGES", programs.pages)
            .set("LC_ALL", "C.UTF-8");
        for (name, place) in [
            ("HOME", "home"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CONFIG_HOME", "config"),
        ] {
            let value = hob.dir.path().join(place);
            hob.set(name, value);
        }
        hob
    }

    /// Sets a variable for all that is run from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) -> &mut Self {
        self.vars.insert(name.into(), value.into());
        self
    }

    /// Runs every command of the world by this one, such as `unshare -U`, from now on.
    pub fn run_by(&mut self, before: &[&str]) -> &mut Self {
        self.before = before.iter().map(OsString::from).collect();
        self
    }

    /// The world's directory, around the tree.
    #[must_use]
    pub fn outside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(path)
    }

    /// The tree.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.outside("tree")
    }

    /// A path in the tree.
    #[must_use]
    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root().join(path)
    }

    /// Writes a file of the tree, with the directories that it needs.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Sets the permissions of something in the tree.
    pub fn chmod(&self, path: impl AsRef<Path>, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What `hob` prints for a command line of words, which ends well (found or nothing found).
    #[must_use]
    pub fn run(&self, line: &str) -> String {
        let args: Vec<&str> = line.split_whitespace().collect();
        let outcome = self.try_run(&args);
        let fine = matches!(outcome.status, Some(0 | 1)) && outcome.stderr.is_empty();
        assert!(fine, "hob {line}: {outcome:?}");
        outcome.text()
    }

    /// Runs `hob` in the tree.
    #[must_use]
    pub fn try_run(&self, args: &[&str]) -> Outcome {
        self.run_in("", args)
    }

    /// Runs `hob` in a directory of the tree.
    #[must_use]
    pub fn run_in(&self, dir: &str, args: &[impl AsRef<OsStr>]) -> Outcome {
        finish(self.hob().args(args).current_dir(self.path(dir)))
    }

    /// The client, in the tree.
    #[must_use]
    pub fn hob(&self) -> Command {
        self.command(self.programs.hob)
    }

    /// The daemon itself.
    #[must_use]
    pub fn hobd(&self) -> Command {
        self.command(self.programs.hobd)
    }

    /// ripgrep, printing as hob does.
    #[must_use]
    pub fn rg(&self, ripgrep: &Ripgrep, dir: &str, args: &[impl AsRef<OsStr>]) -> Outcome {
        let mut command = self.command(&ripgrep.program);
        command.args(["--sort", "path", "-H", "-n", "--no-heading"]).args(args);
        finish(command.current_dir(self.path(dir)))
    }

    /// Any program, in the tree and with the environment of the world alone.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut line = self.before.clone();
        line.push(program.as_ref().to_owned());
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env_clear().envs(&self.vars).current_dir(self.root());
        command
    }

    /// Runs git in the tree, with a line of words.
    pub fn git(&self, line: &str) -> String {
        self.git_in("", line)
    }

    /// Runs git in a directory of the tree.
    pub fn git_in(&self, dir: &str, line: &str) -> String {
        said(self.command("git").args(line.split_whitespace()).current_dir(self.path(dir)))
    }

    /// Commits all there is.
    pub fn commit(&self, message: &str) {
        self.git("add -A");
        self.git(&format!("commit -q --allow-empty -m {message}"));
    }

    /// Makes the tree a workspace, and waits until it is indexed.
    pub fn index(&self) {
        let outcome = self.try_run(&["index", "--wait"]);
        assert_eq!(outcome.status, Some(0), "{outcome:?}");
    }

    /// `hob status --json`.
    #[must_use]
    pub fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.run("status --json")).unwrap()
    }

    /// Where the daemon is.
    #[must_use]
    pub fn place(&self) -> Place {
        Place::of(&|name| self.vars.get(OsStr::new(name)).cloned())
    }

    /// A connection to the daemon, which is started where none answers.
    #[must_use]
    pub fn connection(&self) -> Connection {
        let started = self.try_run(&["ping"]);
        assert_eq!(started.status, Some(0), "{started:?}");
        let connection = Connection::open(&self.place()).unwrap();
        connection.set_timeout(Some(Duration::from_secs(90))).unwrap();
        connection
    }

    /// The process of the daemon, if one runs.
    #[must_use]
    pub fn daemon(&self) -> Option<u32> {
        Connection::open(&self.place()).ok().and_then(|connection| connection.peer())
    }

    /// Sends the daemon a signal, and waits for its end where it is `KILL`.
    pub fn signal(&self, signal: Signal) {
        let pid = self.daemon().expect("a daemon runs");
        self.signal_process(pid, signal);
    }

    /// Sends a process a signal, and waits for its end where it is `KILL`.
    pub fn signal_process(&self, pid: u32, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        if signal == Signal::KILL {
            let patience = Duration::from_secs(10);
            within(patience, "the daemon's end", || !is_running(pid));
        }
    }

    /// The daemon's log.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.outside("state/hob/hobd.log")).unwrap_or_default()
    }
}

/// A zombie runs no more; it may stay for as long as whoever started it.
fn is_running(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    match stat {
        Ok(stat) => !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => test_kill_process(pid).is_ok(),
    }
}

impl Drop for Hob {
    fn drop(&mut self) {
        let Some(pid) = self.daemon() else { return };
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        let stopped = self.hob().args(["daemon", "stop"]).current_dir("/").output();
        if !stopped.is_ok_and(|output| output.status.success())
            && let Some(pid) = pid
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}
