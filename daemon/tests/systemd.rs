//! `hobd` as systemd starts it: with the socket, and with ears for what it has to say.

#![allow(clippy::unwrap_used, reason = "a test that fails, fails there")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says so")]

mod world;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use world::{Daemon, World, ask, wait_for};

/// What systemd has of a daemon: its socket, and where it hears from it.
struct Manager {
    world: World,
    listener: UnixListener,
    ear: UnixDatagram,
}

impl Manager {
    fn new(world: World) -> Self {
        let dir = world.path("run/hob");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).unwrap();
        let listener = UnixListener::bind(world.socket()).unwrap();
        Self::with(world, listener)
    }

    fn with(world: World, listener: UnixListener) -> Self {
        let ear = UnixDatagram::bind(world.path("notify")).unwrap();
        ear.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { world, listener, ear }
    }

    /// The daemon's command, by a shell that puts the socket where systemd puts it.
    fn command(&self, args: &[&str]) -> Command {
        hand_over(&self.world, args, self.listener.try_clone().unwrap().into())
    }

    fn start(&self, args: &[&str]) -> Daemon {
        let mut command = self.command(args);
        command.env("NOTIFY_SOCKET", self.world.path("notify"));
        let log = std::fs::File::create(self.world.path("log")).unwrap();
        Daemon(command.stderr(log).spawn().unwrap())
    }

    /// What the daemon says next.
    fn hears(&self) -> String {
        let mut said = [0; 4096];
        let length = self.ear.recv(&mut said).unwrap();
        String::from_utf8(said[..length].to_vec()).unwrap()
    }

    /// Waits until the daemon says something that contains this.
    fn hears_of(&self, what: &str) -> String {
        loop {
            let said = self.hears();
            if said.contains(what) {
                return said;
            }
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.world.path("log")).unwrap_or_default()
    }

    fn inode(&self) -> u64 {
        std::fs::symlink_metadata(self.world.socket()).unwrap().ino()
    }
}

fn hand_over(world: &World, args: &[&str], descriptor: OwnedFd) -> Command {
    let direct = world.hobd(args);
    let script = r#"exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(direct.get_program()).args(args).env_clear();
    command.envs(direct.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.stdin(Stdio::from(descriptor)).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn answer(stream: UnixStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line
}

#[test]
fn who_connects_before_it_is_ready_waits_and_is_served() {
    let manager = Manager::new(World::new());
    let mut early = UnixStream::connect(manager.world.socket()).unwrap();
    writeln!(early, r#"{{"jsonrpc":"2.0","id":1,"method":"daemon.status"}}"#).unwrap();
    let daemon = manager.start(&[]);
    let said = manager.hears_of("READY=1");
    assert!(said.contains("STATUS=serving ") && said.contains("hob.sock"), "{said}");
    let status = answer(early);
    assert!(status.contains(&format!(r#""pid":{}"#, daemon.0.id())), "{status}");
}

#[test]
fn the_socket_stays_when_the_daemon_goes_and_so_do_those_who_wait() {
    let manager = Manager::new(World::new());
    let inode = manager.inode();
    let mut first = manager.start(&[]);
    manager.hears_of("READY=1");
    assert!(manager.world.ask("daemon.stop").contains("true"));
    manager.hears_of("STOPPING=1");
    assert_eq!(first.ended().code(), Some(0));
    assert_eq!(manager.inode(), inode);
    let mut waits = UnixStream::connect(manager.world.socket()).unwrap();
    writeln!(waits, r#"{{"jsonrpc":"2.0","id":1,"method":"daemon.ping"}}"#).unwrap();
    let _second = manager.start(&[]);
    assert!(answer(waits).contains("uptime_seconds"));
}

#[test]
fn a_socket_that_clients_would_not_find_is_refused() {
    let refused = |descriptor: OwnedFd, world: &World, reason: &str| {
        let output = hand_over(world, &[], descriptor).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(reason) && said.contains("\nhint: "), "{said}");
    };
    let world = World::new();
    let elsewhere = UnixListener::bind(world.path("elsewhere")).unwrap();
    refused(elsewhere.into(), &world, "and clients look for it at");
    let datagrams = UnixDatagram::bind(world.path("datagrams")).unwrap();
    refused(datagrams.into(), &world, "not a valid unix stream socket");
    let (end, _other) = UnixStream::pair().unwrap();
    refused(end.into(), &world, "a socket that does not listen");
    let file = std::fs::File::open("/dev/null").unwrap();
    refused(file.into(), &world, "is not a socket");
}

#[test]
fn a_socket_that_is_meant_for_another_process_is_left_alone() {
    for pid in [Some("1"), None] {
        let world = World::new();
        let mut command = world.hobd(&[]);
        command.env("LISTEN_FDS", "1").envs(pid.map(|pid| ("LISTEN_PID", pid)));
        let mut daemon = Daemon(command.stderr(Stdio::null()).spawn().unwrap());
        wait_for(|| UnixStream::connect(world.socket()).is_ok());
        world.ask("daemon.stop");
        assert_eq!(daemon.ended().code(), Some(0));
        assert!(!world.socket().exists());
    }
}

// `hob daemon install` stops a daemon that serves already, but another client may start one in between:
// systemd takes the socket's name from it.
#[test]
fn a_daemon_that_serves_without_systemd_makes_room() {
    let world = World::new();
    let mut other = world.start();
    std::fs::remove_file(world.socket()).unwrap();
    let listener = UnixListener::bind(world.socket()).unwrap();
    let manager = Manager::with(world, listener);
    let daemon = manager.start(&[]);
    manager.hears_of("READY=1");
    assert_eq!(other.ended().code(), Some(0));
    let status = manager.world.ask("daemon.status");
    assert!(status.contains(&format!(r#""pid":{}"#, daemon.0.id())), "{status}");
}

#[test]
fn a_new_build_takes_over_and_systemd_hears_no_end() {
    let manager = Manager::new(World::with_a_program_of_its_own());
    let inode = manager.inode();
    let mut daemon = manager.start(&[]);
    manager.hears_of("READY=1");
    manager.world.replace_program();
    assert!(manager.world.ask("daemon.ping").contains("uptime_seconds"));
    assert!(manager.hears().contains("succeeded"));
    assert!(manager.hears().contains("READY=1"));
    assert!(manager.world.is_run_by(daemon.0.id()));
    manager.world.ask("daemon.stop");
    assert_eq!(daemon.ended().code(), Some(0));
    assert_eq!(manager.inode(), inode, "the name is systemd's still");
}

/// A tree that is a workspace of the daemon.
fn open_workspace(world: &World) {
    let tree = world.path("tree");
    std::fs::create_dir(&tree).unwrap();
    std::fs::write(tree.join("a.rs"), "fn main() {}\n").unwrap();
    let stream = UnixStream::connect(world.socket()).unwrap();
    let params = format!(r#"{{"dir":"{}","wait":true}}"#, tree.display());
    let built = ask(&stream, &format!(r#"index.build","params":{params},"x":""#));
    assert!(built.contains(r#""pending":0"#), "{built}");
}

#[test]
fn the_watchdog_is_pinged_while_all_is_well() {
    let manager = Manager::new(World::new());
    let mut command = manager.command(&[]);
    command.env("NOTIFY_SOCKET", manager.world.path("notify")).env("WATCHDOG_USEC", "400000");
    let _daemon = Daemon(command.stderr(Stdio::null()).spawn().unwrap());
    manager.hears_of("READY=1");
    open_workspace(&manager.world);
    for _ in 0..4 {
        manager.hears_of("WATCHDOG=1");
    }
}

/// Stops one thread of a process, as if it hung, until this is dropped.
struct Hung(Child);

impl Hung {
    /// `None` where the system does not let us.
    fn thread(pid: u32, name: &str) -> Option<Self> {
        const SCRIPT: &str = "
import ctypes, os, sys
libc, thread = ctypes.CDLL(None), int(sys.argv[1])
SEIZE, INTERRUPT, ALL = 0x4206, 0x4207, 0x40000000
if libc.ptrace(SEIZE, thread, None, None) or libc.ptrace(INTERRUPT, thread, None, None):
    sys.exit(1)
os.waitpid(thread, ALL)
print('stopped', flush=True)
sys.stdin.read()
";
        let tasks = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task"));
        let thread = tasks.unwrap().map(|task| task.unwrap()).find(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|is| is.trim() == name)
        });
        let thread = thread.unwrap().file_name();
        let mut python = Command::new("python3");
        python.args(["-c", SCRIPT]).arg(thread).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.stderr(Stdio::null()).spawn().ok()?;
        let mut said = String::new();
        BufReader::new(child.stdout.take()?).read_line(&mut said).ok()?;
        let hung = Self(child);
        (said == "stopped\n").then_some(hung)
    }
}

impl Drop for Hung {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_watchdog_is_not_pinged_while_a_worker_hangs() {
    let manager = Manager::new(World::new());
    let mut command = manager.command(&[]);
    command.env("NOTIFY_SOCKET", manager.world.path("notify")).env("WATCHDOG_USEC", "400000");
    let log = std::fs::File::create(manager.world.path("log")).unwrap();
    let daemon = Daemon(command.stderr(log).spawn().unwrap());
    manager.hears_of("READY=1");
    open_workspace(&manager.world);
    let Some(hung) = Hung::thread(daemon.0.id(), "keeper") else {
        println!("skipped: a thread cannot be stopped here (python3 and ptrace)");
        return;
    };
    let complaints = || manager.log().matches("the watchdog is not pinged").count();
    wait_for(|| complaints() > 0);
    // What was said before that is passed over: from here on it says nothing while it complains.
    manager.ear.set_nonblocking(true).unwrap();
    let silent = || manager.ear.recv(&mut [0; 4096]).is_err();
    while !silent() {}
    let before = complaints();
    wait_for(|| complaints() > before + 2);
    assert!(silent(), "it is pinged although a worker hangs");
    assert!(manager.log().contains("tree` does not answer"), "{}", manager.log());
    // Others are answered all the while.
    assert!(manager.world.ask("daemon.ping").contains("uptime_seconds"));
    manager.ear.set_nonblocking(false).unwrap();
    drop(hung);
    manager.hears_of("WATCHDOG=1");
}

// The real thing, as far as it goes without systemd as the first process.
#[test]
fn systemds_own_activation_starts_it() {
    let world = World::new();
    let dir = world.path("run/hob");
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).unwrap();
    let mut activate = Command::new("systemd-socket-activate");
    activate.arg("-l").arg(world.socket()).arg("-E").arg("HOME").arg("-E").arg("XDG_RUNTIME_DIR");
    activate
        .arg(&world.program)
        .env("HOME", world.home())
        .env("XDG_RUNTIME_DIR", world.path("run"));
    let activate =
        activate.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(activate) = activate else {
        println!("skipped: there is no systemd-socket-activate");
        return;
    };
    let mut daemon = Daemon(activate);
    wait_for(|| UnixStream::connect(world.socket()).is_ok());
    assert!(world.ask("daemon.ping").contains("uptime_seconds"));
    // It has become the daemon.
    assert!(world.is_run_by(daemon.0.id()));
    world.ask("daemon.stop");
    assert_eq!(daemon.ended().code(), Some(0));
    assert!(world.socket().exists());
}
