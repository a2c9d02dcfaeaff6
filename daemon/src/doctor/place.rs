//! The places that hob uses, and the limits of the system.

use super::{Check, size};
use crate::{config, life, workspace};
use hob_protocol::PROTOCOL;
use hob_protocol::place::{self, process_env};
use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use rustix::process::{Resource, geteuid, getrlimit};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// With less room than this nothing can be stored for long, and with less than that at all.
const LITTLE: u64 = 1 << 30;
const NOTHING: u64 = 64 << 20;
/// Each directory of a tree takes a watch.
const FEW_WATCHES: u64 = 8192;
const FEW_DESCRIPTORS: u64 = 4096;
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

    pub(super) fn program(&self) -> Vec<Check> {
        let path = std::env::current_exe()
            .map_or_else(|_| "hobd".into(), |path| path.display().to_string());
        let ours = format!("{path}, version {}, protocol {PROTOCOL}", env!("CARGO_PKG_VERSION"));
        let client =
            process_env("HOB_DOCTOR_CLIENT").map(|client| client.to_string_lossy().into_owned());
        vec![match client.as_deref().map(str::parse::<u32>) {
            Some(Ok(theirs)) if theirs != PROTOCOL => Check::fail(
                "program",
                format!("{ours}; but `hob` speaks protocol {theirs}"),
                "install `hob` and `hobd` of one version, or set `HOB_DAEMON` to the right one",
            ),
            _ => Check::ok("program", ours),
        }]
    }

    /// The file and the environment, as a daemon takes them.
    pub(super) fn config(&self) -> Vec<Check> {
        let path = self.config.display();
        let loaded = match config::load(&self.config, &process_env, &[]) {
            Ok(loaded) => loaded,
            Err(error) => {
                let hint =
                    "mend it: `hobd --help-config` has all keys; a daemon does not start like this";
                return vec![Check::fail("config", error.to_string(), hint)];
            }
        };
        let variables = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
        let strangers = variables.filter_map(|name| config::strange_variable(&name));
        let odd: Vec<String> = loaded.warnings.into_iter().chain(strangers).collect();
        let hint = "it is ignored; `hobd --help-config` has all keys";
        match odd.as_slice() {
            [] if self.config.exists() => vec![Check::ok("config", path.to_string())],
            [] => vec![Check::ok("config", format!("{path} is not there: all is as it comes"))],
            odd => odd.iter().map(|what| Check::warn("config", what, hint)).collect(),
        }
    }

    /// The directory of the socket, and what stands under the socket's name: what would keep a
    /// daemon from starting.
    pub(super) fn socket(&self) -> Vec<Check> {
        let dir = self.socket.parent().unwrap_or(Path::new("/"));
        let shown = self.socket.display();
        let verdict = match dir.symlink_metadata() {
            Err(_) if self.given => {
                let message = format!("there is no directory {}", dir.display());
                return vec![Check::fail("socket", message, "make it, or change `HOB_SOCKET`")];
            }
            Ok(_) if !self.given => life::verify_private(dir),
            _ => Ok(()),
        };
        vec![match verdict.and_then(|()| life::check_path(&self.socket)) {
            Err(error) => Check::fail("socket", error.to_string(), error.hint()),
            Ok(_) if dir.exists() => Check::ok("socket", shown.to_string()),
            Ok(_) => Check::ok("socket", format!("{shown}, made when it is needed")),
        }]
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
    pub(super) fn stores(&self) -> Vec<Check> {
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

    pub(super) fn watches(&self) -> Vec<Check> {
        let limit = |name: &str| {
            let text = std::fs::read_to_string(format!("/proc/sys/fs/inotify/{name}")).ok()?;
            text.trim().parse::<u64>().ok()
        };
        let (Some(watches), Some(instances)) =
            (limit("max_user_watches"), limit("max_user_instances"))
        else {
            let hint = "each query looks at its whole tree";
            return vec![Check::warn("watches", "the kernel has no inotify", hint)];
        };
        let (used, open) = watches_in_use();
        let message =
            format!("{used} of {watches} watches and {open} of {instances} instances are in use");
        let hint = "raise `fs.inotify.max_user_watches` and `max_user_instances` with `sysctl`: without a \
                    watch each query looks at the whole tree";
        let few = watches.saturating_sub(used) < watches / 10 || watches < FEW_WATCHES;
        vec![match few || open >= instances {
            true => Check::warn("watches", message, hint),
            false => Check::ok("watches", message),
        }]
    }

    pub(super) fn descriptors(&self) -> Vec<Check> {
        let most = getrlimit(Resource::Nofile).maximum;
        vec![match most {
            Some(most) if most < FEW_DESCRIPTORS => Check::warn(
                "limits",
                format!("a process may have {most} descriptors"),
                "raise it (`ulimit -Hn`, `LimitNOFILE=`): each connection and each open file takes one",
            ),
            Some(most) => Check::ok("limits", format!("a process may have {most} descriptors")),
            None => Check::ok("limits", "a process may have any number of descriptors"),
        }]
    }

    /// Whether systemd has the socket, by what `hob daemon install` has written.
    pub(super) fn is_activated(&self) -> bool {
        !self.given && self.unit("hobd.socket").is_file()
    }

    /// Whether the units of systemd, where they are installed, still start something.
    pub(super) fn units(&self) -> Vec<Check> {
        let unit = self.unit("hobd.service");
        let Ok(text) = std::fs::read_to_string(&unit) else { return Vec::new() };
        let line = text.lines().find_map(|line| line.strip_prefix("ExecStart="));
        let program = program_of(line.unwrap_or_default());
        let (unit, shown) = (unit.display(), program.display());
        vec![match program.is_file() {
            true => Check::ok("systemd", format!("{unit} starts {shown}")),
            false => Check::fail(
                "systemd",
                format!("{unit} starts `{shown}`, which is not there"),
                "run `hob daemon install` again, or `hob daemon uninstall`",
            ),
        }]
    }

    fn unit(&self, name: &str) -> PathBuf {
        // hob's own directory is beside systemd's.
        let dir = self.config.parent().unwrap_or(Path::new("/")).with_file_name("systemd");
        dir.join("user").join(name)
    }
}

/// The program of an `ExecStart`: signs that say how to start it may stand before it, it may be in
/// quotes, and `%` begins a specifier. Of these only that of the home directory is known here.
fn program_of(line: &str) -> PathBuf {
    let word = line.trim().trim_start_matches(['@', '-', ':', '+', '!']);
    let word = match word.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => word.split_ascii_whitespace().next(),
    };
    let home = process_env("HOME").map(|home| home.to_string_lossy().into_owned());
    let word = word.unwrap_or_default().replace("%h", &home.unwrap_or_default());
    word.replace("%%", "%").into()
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
    let mut message = format!("{shown}, {} free", size(free));
    // A runtime directory needs next to none.
    let (little, nothing) = if name == "runtime" { (1 << 20, 64 << 10) } else { (LITTLE, NOTHING) };
    // Some file systems have no fixed number of files.
    let few_files = room.f_files > 0 && room.f_favail < room.f_files / 50;
    if few_files {
        message += &format!(", {} of {} files left", room.f_favail, room.f_files);
    }
    if free < nothing || (few_files && room.f_favail == 0) {
        return Check::fail(
            name,
            message,
            "make room: what is not stored is read from the files at each query",
        );
    }
    if let Some(kind) = workspace::remote_file_system(there) {
        return Check::warn(
            name,
            format!("{message}, on {kind}"),
            "a local disk is faster and safer",
        );
    }
    match free < little || few_files {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_of_a_unit_is_found_however_it_is_written() {
        for line in [":\"/a b/hobd\"", "\"/a b/hobd\" --set a.b=1", "-@\"/a b/hobd\""] {
            assert_eq!(program_of(line), Path::new("/a b/hobd"), "{line}");
        }
        assert_eq!(program_of("/usr/bin/hobd --background"), Path::new("/usr/bin/hobd"));
        assert_eq!(program_of(":\"/a%%b/hobd\""), Path::new("/a%b/hobd"));
        let home = process_env("HOME").unwrap_or_default();
        assert_eq!(program_of("%h/.cargo/bin/hobd"), Path::new(&home).join(".cargo/bin/hobd"));
    }
}
