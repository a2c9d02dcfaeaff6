//! The program that this process runs, and whether another has taken its place on the disk.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take to say that it would start.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than this no verdict has.
const LONGEST: usize = 4096;

/// The program of this process.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// Where it was started from.
    pub(super) path: PathBuf,
    /// What stood there.
    running: Identity,
}

/// Tells a file from another that takes its place. One that runs cannot be written to, so a new
/// build is always another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// A file at a moment: it may still be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    identity: Identity,
    size: u64,
    changed: (i64, i64),
}

impl From<&Metadata> for Identity {
    fn from(meta: &Metadata) -> Self {
        Self { device: meta.dev(), inode: meta.ino() }
    }
}

impl Program {
    /// The program of this process, which was started by the name `name`. `None` where the system
    /// does not tell.
    pub(super) fn running(name: Option<&OsStr>) -> Option<Self> {
        let running = Identity::from(&std::fs::metadata("/proc/self/exe").ok()?);
        let real = std::fs::read_link("/proc/self/exe").ok()?;
        Some(Self { path: find(name.map(Path::new), &real, running), running })
    }

    /// The file that has taken the place of the one that runs, if one has, as it is now.
    pub(super) fn replaced(&self) -> Option<State> {
        let there = std::fs::metadata(&self.path).ok()?;
        let usable = there.is_file() && there.permissions().mode() & 0o111 != 0;
        let identity = Identity::from(&there);
        let state =
            State { identity, size: there.len(), changed: (there.ctime(), there.ctime_nsec()) };
        (usable && identity != self.running).then_some(state)
    }

    /// Has the program that is there now say whether it would start with these arguments. An
    /// error is its reason: it is half copied, of another machine, or does not know a setting.
    pub(super) fn would_start(&self, args: &[OsString]) -> Result<(), String> {
        let mut command = Command::new(&self.path);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        let said = listen(&mut child, Instant::now() + PATIENCE);
        // It has said what it has to say, and must not stay.
        let _ = child.kill();
        let _ = child.wait();
        match said?.lines().next() {
            Some("ready") => Ok(()),
            Some(line) => Err(line.strip_prefix("error: ").unwrap_or(line).to_owned()),
            None => Err("it does not say that it would start".to_owned()),
        }
    }
}

/// By which path a program is replaced: the one by which it was started, since that may be a link
/// which an update turns to another file. A name that leads elsewhere (an interpreter's, a
/// wrapper's) is not it.
fn find(name: Option<&Path>, real: &Path, running: Identity) -> PathBuf {
    let leads_here = |path: &&Path| {
        path.is_absolute()
            && std::fs::metadata(path).is_ok_and(|meta| Identity::from(&meta) == running)
    };
    match name.filter(leads_here) {
        Some(name) => name.to_owned(),
        None => without_mark(real),
    }
}

/// The kernel marks the path of a program that was replaced before it could look.
fn without_mark(real: &Path) -> PathBuf {
    let bytes = real.as_os_str().as_bytes();
    match bytes.strip_suffix(b" (deleted)") {
        Some(path) if !real.exists() => OsString::from_vec(path.to_vec()).into(),
        _ => real.to_owned(),
    }
}

fn listen(child: &mut Child, deadline: Instant) -> Result<String, String> {
    let Some(mut pipe) = child.stdout.take() else { return Err("it has no output".to_owned()) };
    let (mut said, mut part) = (Vec::new(), [0; 512]);
    while said.len() < LONGEST {
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&limit)) {
            Ok(0) => return Err("it does not say whether it would start".to_owned()),
            Err(rustix::io::Errno::INTR) => continue,
            // A failure of the pipe shows when it is read.
            _ => {}
        }
        match pipe.read(&mut part).map_err(|error| error.to_string())? {
            0 => break,
            read => said.extend_from_slice(&part[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program by script. Another process writes it: a descriptor of ours could be inherited by
    /// what a test beside this one spawns, and what is open for writing cannot be run.
    fn script(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
        let mut shell = Command::new("sh");
        assert!(shell.args(["-c", write, "sh"]).arg(&path).arg(text).status().unwrap().success());
        path
    }

    fn at(path: &Path) -> Program {
        let running = Identity::from(&std::fs::metadata(path).unwrap());
        Program { path: path.to_owned(), running }
    }

    #[test]
    fn a_file_that_takes_the_programs_place_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = script(dir.path(), "hobd", "exit 0");
        let program = at(&path);
        assert_eq!(program.replaced(), None);
        let new = script(dir.path(), "new", "exit 0");
        std::fs::rename(&new, &path).unwrap();
        assert_eq!(program.replaced().map(|new| new.identity), Some(at(&path).running));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(program.replaced(), None, "nothing is there yet");
        std::fs::write(&path, "").unwrap();
        assert_eq!(program.replaced(), None, "that is no program");
    }

    #[test]
    fn an_update_by_a_link_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (script(dir.path(), "1", "exit 0"), script(dir.path(), "2", "exit 0"));
        let link = dir.path().join("hobd");
        std::os::unix::fs::symlink(&old, &link).unwrap();
        let running = at(&old).running;
        let program = Program { path: find(Some(&link), &old, running), running };
        assert_eq!((program.path.as_path(), program.replaced()), (link.as_path(), None));
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink(&new, &link).unwrap();
        assert!(program.replaced().is_some());
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_not_the_programs() {
        let dir = tempfile::tempdir().unwrap();
        let path = script(dir.path(), "hobd", "exit 0");
        let (other, running) = (script(dir.path(), "other", "exit 0"), at(&path).running);
        for name in [Some(other.as_path()), Some(Path::new("hobd")), None] {
            assert_eq!(find(name, &path, running), path);
        }
        let marked = dir.path().join("gone (deleted)");
        assert_eq!(find(None, &marked, running), dir.path().join("gone"));
    }

    #[test]
    fn this_process_has_a_program() {
        let program = Program::running(None).unwrap();
        assert_eq!(program.path, std::env::current_exe().unwrap());
        assert_eq!(program.replaced(), None);
    }

    #[test]
    fn a_program_says_whether_it_would_start() {
        let dir = tempfile::tempdir().unwrap();
        let verdict = |text: &str| at(&script(dir.path(), "hobd", text)).would_start(&[]);
        assert_eq!(verdict("echo ready"), Ok(()));
        assert_eq!(verdict("echo 'error: no such key'; exit 2"), Err("no such key".to_owned()));
        assert!(verdict("exit 1").unwrap_err().contains("does not say"));
        std::fs::write(dir.path().join("cut"), b"\x7fELF\x02").unwrap();
        let cut = dir.path().join("cut");
        std::fs::set_permissions(&cut, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(at(&cut).would_start(&[]).is_err());
    }
}
