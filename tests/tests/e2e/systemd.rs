//! hob under a user manager of systemd. A real one, in a mount namespace of its own, since it runs
//! only where `/run` says that systemd has booted the machine.

use crate::{PROGRAMS, start};
use hob_tests::{Hob, finish, skipped, within};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

const TREE: &str = "//- a.rs\nfn main() {}\n";
const FOUND: &str = "a.rs:1:fn main() {}\n";
const PATIENCE: Duration = Duration::from_secs(30);

struct Manager(Child);

impl Manager {
    /// The user manager of a world; `None` where there can be none.
    fn start(hob: &Hob) -> Option<Self> {
        let script = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system &&
            for systemd in /usr/lib/systemd/systemd /lib/systemd/systemd; do
                test -x $systemd && exec $systemd --user
            done";
        let mut command = hob.command("unshare");
        command.args(["-m", "sh", "-c", script]).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut manager = Self(command.spawn().ok()?);
        while finish(hob.command("systemctl").args(["--user", "show-environment"])).status
            != Some(0)
        {
            if manager.0.try_wait().unwrap().is_some() {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(manager)
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

fn systemctl(hob: &Hob, line: &str) -> String {
    let mut command = hob.command("systemctl");
    finish(command.arg("--user").args(line.split_whitespace())).text().trim().to_owned()
}

/// The process that systemd takes for the daemon.
fn main_pid(hob: &Hob) -> String {
    systemctl(hob, "show --property MainPID --value hobd.service")
}

fn pid(hob: &Hob) -> String {
    hob.status()["daemon"]["pid"].to_string()
}

#[test]
fn systemd_starts_it_watches_it_and_lets_it_go() {
    if !Path::new("/usr/bin/systemctl").exists() && !Path::new("/bin/systemctl").exists() {
        return skipped("there is no systemctl");
    }
    let mut hob = start(TREE);
    let Some(_manager) = Manager::start(&hob) else {
        return skipped("no user manager of systemd runs here");
    };

    // One that serves already is handed over.
    assert_eq!(hob.run("search fn"), FOUND);
    let own = pid(&hob);
    let said = hob.run("daemon install");
    assert!(said.contains(&format!("hobd stopped, process {own}\n")), "{said}");
    // Both are well, and it is not asked for: that would start one.
    let doctor = hob.run("doctor");
    assert!(doctor.contains("none runs; systemd starts one at the first question"), "{doctor}");
    assert!(doctor.contains("ok    systemd ") && doctor.ends_with("all is well\n"), "{doctor}");
    assert_eq!(systemctl(&hob, "is-active hobd.socket hobd.service"), "active\ninactive");
    // From here on no daemon can be started but by systemd.
    hob.set("HOB_DAEMON", "/bin/false");
    assert_eq!(hob.run("daemon status"), "daemon     does not run\n");
    assert_eq!(hob.run("daemon stop"), "hobd does not run\n");
    assert_eq!(systemctl(&hob, "is-active hobd.socket hobd.service"), "active\ninactive");

    assert_eq!(hob.run("search fn"), FOUND);
    let first = pid(&hob);
    assert_eq!(main_pid(&hob), first);
    assert_eq!(hob.run("daemon stop"), format!("hobd stopped, process {first}\n"));
    assert_eq!(hob.run("daemon status"), "daemon     does not run\n");
    assert_eq!(hob.run("search fn"), FOUND);
    let said = hob.run("daemon restart");
    assert!(said.contains("started, process"), "{said}");
    assert_eq!(main_pid(&hob), pid(&hob));

    // What does not ping is killed and started again, and what was stored is there.
    hob.index();
    let dir = hob.outside("config/systemd/user/hobd.service.d");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("quick.conf"), "[Service]\nWatchdogSec=500ms\n").unwrap();
    systemctl(&hob, "daemon-reload");
    let _ = hob.run("daemon restart");
    let stuck = pid(&hob);
    hob.signal_process(stuck.parse().unwrap(), Signal::STOP);
    assert_eq!(hob.run("search fn"), FOUND);
    assert_ne!(pid(&hob), stuck);
    assert_eq!(systemctl(&hob, "show --property NRestarts --value hobd.service"), "1");
    assert!(hob.status()["store"].get("problem").is_none(), "{}", hob.status());

    let said = hob.run("daemon uninstall");
    assert_eq!(said.matches("removed ").count(), 2, "{said}");
    within(PATIENCE, "the socket's end", || !hob.outside("run/hob/hob.sock").exists());
    hob.set("HOB_DAEMON", PROGRAMS.hobd);
    assert_eq!(hob.run("search fn"), FOUND);
}

#[test]
fn the_units_are_well_formed() {
    let mut hob = start("");
    let odd = hob.outside("an odd $HOME of 100% hob");
    fs::create_dir(&odd).unwrap();
    std::os::unix::fs::symlink(PROGRAMS.hobd, odd.join("hobd")).unwrap();
    hob.set("HOB_DAEMON", odd.join("hobd"));
    let units = hob.run("daemon install --print");
    let dir = hob.outside("units");
    fs::create_dir(&dir).unwrap();
    let (socket, service) = units.split_at(units.rfind("# Written by").unwrap());
    fs::write(dir.join("hobd.socket"), socket).unwrap();
    fs::write(dir.join("hobd.service"), service).unwrap();
    let mut verify = hob.command("systemd-analyze");
    verify.args(["verify", "--user", "--man=no"]);
    verify.args([dir.join("hobd.socket"), dir.join("hobd.service")]);
    if verify.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return skipped("there is no systemd-analyze");
    }
    let outcome = finish(&mut verify);
    assert_eq!((outcome.status, outcome.stderr.as_str()), (Some(0), ""), "{units}");
    // A program that is not there is noticed, so that the path has been understood.
    let broken = service.replace("hob/hobd", "hob/none");
    assert_ne!(service, broken);
    fs::write(dir.join("hobd.service"), &broken).unwrap();
    assert_ne!(finish(&mut verify).status, Some(0));
}
