//! The places that hob uses, and the limits of the system.

use super::{Check, size};
use crate::config;
use hob_protocol::PROTOCOL;
use hob_protocol::place::{self, process_env};
use rustix::fs::{Access, StatVfsMountFlags, access, statfs, statvfs};
use rustix::process::{Resource, geteuid, getrlimit};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// The longest path of a socket.
const LONGEST: usize = 107;
/// With less room than this nothing can be stored for long, and with less than that at all.
const LITTLE: u64 = 1 << 30;
const NOTHING: u64 = 64 << 20;
/// Each directory of a tree takes a watch.
const FEW_WATCHES: u64 = 8192;
const FEW_DESCRIPTORS: u64 = 4096;
/// File systems that are somewhere else: what is stored there is slow, and may come back damaged.
const REMOTE: [(i64, &str); 7] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "SMB"),
    (0xfe53_4d42, "SMB"),
    (0x6573_5546, "FUSE"),
    (0x0102_1997, "9P"),
    (0x00c3_6400, "Ceph"),
    (0x5346_414f, "AFS"),
];

/// Where everything is for this process.
pub(super) struct Here {
    pub(super) socket: PathBuf,
    /// Whether `HOB_SOCKET` says so.
    given: bool,
    cache: PathBuf,
    state: PathBuf,
    config: PathBuf,
}

impl Here {
    pub(super) fn of_process() -> Self {
        let socket = place::socket(&process_env, geteuid().as_raw());
        let config = place::config_dir(&process_env).join("config.toml");
        Self {
            socket: std::path::absolute(&socket).unwrap_or(socket),
            given: process_env("HOB_SOCKET").is_some(),
            cache: place::cache_dir(&process_env),
            state: place::state_dir(&process_env),
            config,
        }
    }

    pub(super) fn program(&self) -> Check {
        let path = std::env::current_exe()
            .map_or_else(|_| "hobd".into(), |path| path.display().to_string());
        let ours = format!("{path}, version {}, protocol {PROTOCOL}", env!("CARGO_PKG_VERSION"));
        let client =
            process_env("HOB_DOCTOR_CLIENT").map(|client| client.to_string_lossy().into_owned());
        match client.as_deref().map(str::parse::<u32>) {
            Some(Ok(theirs)) if theirs != PROTOCOL => Check::fail(
                "program",
                format!("{ours}; but `hob` speaks protocol {theirs}"),
                "install `hob` and `hobd` of one version, or set `HOB_DAEMON` to the right one",
            ),
            _ => Check::ok("program", ours),
        }
    }

    pub(super) fn config(&self) -> Vec<Check> {
        let path = self.config.display();
        match config::load(&self.config, &process_env, &[]) {
            Err(error) => vec![Check::fail(
                "config",
                error.to_string(),
                "mend it: `hobd --help-config` has all keys; a daemon does not start like this",
            )],
            Ok(loaded) if loaded.warnings.is_empty() => vec![match self.config.exists() {
                true => Check::ok("config", path.to_string()),
                false => Check::ok("config", format!("{path} is not there: all is as it comes")),
            }],
            Ok(loaded) => {
                let hint = "it is ignored; `hobd --help-config` has all keys";
                loaded.warnings.iter().map(|what| Check::warn("config", what, hint)).collect()
            }
        }
    }

    /// The directory of the socket, and what stands under the socket's name.
    pub(super) fn directory(&self) -> Check {
        let length = self.socket.as_os_str().as_bytes().len();
        if length > LONGEST {
            return Check::fail(
                "socket",
                format!(
                    "its path has {length} bytes and may have {LONGEST}: {}",
                    self.socket.display()
                ),
                "set `HOB_SOCKET` or `XDG_RUNTIME_DIR` to a shorter one",
            );
        }
        let dir = self.socket.parent().unwrap_or(Path::new("/"));
        let Ok(meta) = dir.symlink_metadata() else {
            return match self.given {
                true => Check::fail(
                    "socket",
                    format!("there is no directory {}", dir.display()),
                    "make it, or change `HOB_SOCKET`",
                ),
                false => Check::ok(
                    "socket",
                    format!("{}, made when it is needed", self.socket.display()),
                ),
            };
        };
        let fault = if !meta.is_dir() {
            Some("is no directory")
        } else if !self.given && meta.uid() != geteuid().as_raw() {
            Some("belongs to another user")
        } else if !self.given && meta.mode() & 0o077 != 0 {
            Some("is open to other users")
        } else {
            None
        };
        if let Some(fault) = fault {
            return Check::fail(
                "socket",
                format!("its directory {} {fault}", dir.display()),
                format!(
                    "run `chmod 700 {}` if it is yours, or set `XDG_RUNTIME_DIR`",
                    dir.display()
                ),
            );
        }
        match self.socket.symlink_metadata() {
            Ok(meta) if !meta.file_type().is_socket() => Check::fail(
                "socket",
                format!("{} is there, and is no socket", self.socket.display()),
                "move it away, or set `HOB_SOCKET` to another path: hob removes nothing that is not its own",
            ),
            Ok(meta) if meta.uid() != geteuid().as_raw() => Check::fail(
                "socket",
                format!("{} belongs to another user", self.socket.display()),
                "set `HOB_SOCKET` to a path of yours",
            ),
            _ => Check::ok("socket", self.socket.display().to_string()),
        }
    }

    /// Room for what is stored, and whether it may be written.
    pub(super) fn disks(&self) -> Vec<Check> {
        let runtime = self.socket.parent().unwrap_or(Path::new("/"));
        [("cache", self.cache.as_path()), ("state", &self.state), ("runtime", runtime)]
            .into_iter()
            .map(|(name, dir)| disk(name, dir))
            .collect()
    }

    /// Stores that were given up, which are kept for a look and take room.
    pub(super) fn set_aside(&self) -> Vec<Check> {
        let (mut broken, mut bytes, mut stores) = (Vec::new(), 0, 0);
        for entry in std::fs::read_dir(self.cache.join("stores")).into_iter().flatten().flatten() {
            let length = entry.metadata().map_or(0, |meta| meta.len());
            if entry.file_name().as_bytes().ends_with(b".broken") {
                broken.push(entry.path());
            } else {
                stores += 1;
                bytes += length;
            }
        }
        let mut checks = vec![Check::ok("stores", format!("{stores} of {}", size(bytes)))];
        checks.extend(broken.iter().map(|path| {
            Check::warn(
                "stores",
                format!("one was damaged and set aside: {}", path.display()),
                "it was made anew, and nothing is lost; if this comes again the disk may be failing. Delete it",
            )
        }));
        checks
    }

    pub(super) fn watches(&self) -> Check {
        let limit = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
            text.trim().parse::<u64>().ok()
        };
        let (Some(watches), Some(instances)) =
            (limit("max_user_watches"), limit("max_user_instances"))
        else {
            return Check::warn(
                "watches",
                "the kernel has no inotify",
                "each query looks at its whole tree",
            );
        };
        let (used, open) = watches_in_use();
        let message =
            format!("{used} of {watches} watches and {open} of {instances} instances are in use");
        let hint = "raise `fs.inotify.max_user_watches` and `max_user_instances` with `sysctl`: without a \
                    watch each query looks at the whole tree";
        match watches.saturating_sub(used) < watches / 10
            || watches < FEW_WATCHES
            || open >= instances
        {
            true => Check::warn("watches", message, hint),
            false => Check::ok("watches", message),
        }
    }

    pub(super) fn descriptors(&self) -> Check {
        let most = getrlimit(Resource::Nofile).maximum;
        match most {
            Some(most) if most < FEW_DESCRIPTORS => Check::warn(
                "limits",
                format!("a process may have {most} descriptors"),
                "raise it (`ulimit -Hn`, `LimitNOFILE=`): each connection and each open file takes one",
            ),
            Some(most) => Check::ok("limits", format!("a process may have {most} descriptors")),
            None => Check::ok("limits", "a process may have any number of descriptors"),
        }
    }

    /// Whether the units of systemd, where they are installed, still start something.
    pub(super) fn units(&self) -> Vec<Check> {
        let base =
            process_env("XDG_CONFIG_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
        let home = process_env("HOME").map(|home| PathBuf::from(home).join(".config"));
        let Some(base) = base.or(home) else { return Vec::new() };
        let unit = base.join("systemd/user/hobd.service");
        let Ok(text) = std::fs::read_to_string(&unit) else { return Vec::new() };
        let line = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
        let program = line.unwrap_or_default().trim().trim_matches('"').replace("%%", "%");
        let unit = unit.display();
        vec![match Path::new(&program).is_file() || program.contains("%h") {
            true => Check::ok("systemd", format!("{unit} starts {program}")),
            false => Check::fail(
                "systemd",
                format!("{unit} starts `{program}`, which is not there"),
                "run `hob daemon install` again, or `hob daemon uninstall`",
            ),
        }]
    }
}

fn disk(name: &'static str, dir: &Path) -> Check {
    // What is not there yet will be made in the nearest that is.
    let there = dir.ancestors().find(|dir| dir.exists()).unwrap_or(Path::new("/"));
    let shown = dir.display();
    let Ok(room) = statvfs(there) else {
        return Check::fail(name, format!("cannot look at {shown}"), "is it a directory of yours?");
    };
    if room.f_flag.contains(StatVfsMountFlags::RDONLY) || access(there, Access::WRITE_OK).is_err() {
        return Check::fail(
            name,
            format!("{shown} cannot be written"),
            "make it yours, or set `XDG_CACHE_HOME`, `XDG_STATE_HOME` or `XDG_RUNTIME_DIR`",
        );
    }
    let free = room.f_bavail.saturating_mul(room.f_frsize);
    let message = format!("{shown}, {} free", size(free));
    let magic = statfs(there).map_or(0, |stat| stat.f_type);
    let remote = REMOTE.iter().find(|(number, _)| *number == magic);
    // A runtime directory needs next to none.
    let (little, nothing) = if name == "runtime" { (1 << 20, 64 << 10) } else { (LITTLE, NOTHING) };
    if free < nothing || (room.f_files > 0 && room.f_favail == 0) {
        return Check::fail(
            name,
            message,
            "make room: what is not stored is read from the files at each query",
        );
    }
    if let Some((_, kind)) = remote {
        return Check::warn(
            name,
            format!("{message}, on {kind}"),
            "a local disk is faster and safer",
        );
    }
    match free < little {
        true => {
            Check::warn(name, message, "make room, or `hob workspaces forget` what is not needed")
        }
        false => Check::ok(name, message),
    }
}

/// The inotify watches and instances of this user's processes.
fn watches_in_use() -> (u64, u64) {
    let (mut watches, mut instances) = (0, 0);
    let uid = geteuid().as_raw();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if process.metadata().map_or(true, |meta| meta.uid() != uid) {
            continue;
        }
        for fd in std::fs::read_dir(process.path().join("fdinfo")).into_iter().flatten().flatten() {
            let target = std::fs::read_link(process.path().join("fd").join(fd.file_name()));
            if target.is_ok_and(|target| target.as_os_str() == "anon_inode:inotify") {
                instances += 1;
                let info = std::fs::read_to_string(fd.path()).unwrap_or_default();
                watches +=
                    info.lines().filter(|line| line.starts_with("inotify wd:")).count() as u64;
            }
        }
    }
    (watches, instances)
}
