//! Where the daemon of an environment is, and whether that place can be trusted.
//!
//! The names come from [`hob_protocol::place`]; this adds the checks against the file system.

use crate::error::reason;
use crate::{Error, ErrorKind};
use hob_protocol::place::{self, Env};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// The longest path of a socket: the kernel has 108 bytes, the last of them a NUL.
const SOCKET_PATH_LIMIT: usize = 107;

/// Where the daemon of an environment listens, writes its log, and is found.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its socket.
    pub socket: PathBuf,
    /// Its log, unless its configuration says otherwise.
    pub log: PathBuf,
    /// `$HOB_DAEMON`: the program to start.
    pub daemon: Option<OsString>,
    /// `$PATH`: where to look for it.
    pub path: Option<OsString>,
    /// The directory that is ours to make and to verify; absent where `$HOB_SOCKET` decides.
    pub(crate) own_dir: Option<PathBuf>,
}

impl Place {
    /// The place that this process's environment names.
    #[must_use]
    pub fn from_env() -> Self {
        Self::of(&place::process_env)
    }

    /// The place that an environment names.
    #[must_use]
    pub fn of(env: Env<'_>) -> Self {
        let uid = uid();
        let socket = place::socket(env, uid);
        let given = env("HOB_SOCKET").is_some();
        Self {
            // The daemon starts in `/`, so that a relative path would be another one there.
            socket: std::path::absolute(&socket).unwrap_or(socket),
            log: place::state_dir(env).join("hobd.log"),
            daemon: env("HOB_DAEMON"),
            path: env("PATH"),
            own_dir: (!given).then(|| place::runtime_dir(env, uid)),
        }
    }

    /// A place with a socket of its own: what `$HOB_SOCKET` would make of this environment.
    #[must_use]
    pub fn with_socket(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into(), own_dir: None, ..Self::from_env() }
    }

    /// Whether `$HOB_SOCKET` decided.
    pub(crate) fn is_given(&self) -> bool {
        self.own_dir.is_none()
    }

    /// Checks that the directory of the socket, if it is there and is ours to check, belongs to
    /// this user and is closed to others. `/tmp/hob-UID` could be anyone's trap.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Socket`] that says what is wrong with it.
    pub fn verify(&self) -> Result<(), Error> {
        check_length(&self.socket)?;
        match &self.own_dir {
            Some(dir) => verify_dir(dir, uid()),
            None => Ok(()),
        }
    }

    /// Whether it is certain that no daemon runs: its lock is there, and free. To connect would tell
    /// as well, but where systemd has the socket it would start one.
    pub(crate) fn is_at_rest(&self) -> bool {
        use rustix::fs::{FlockOperation, Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let lock = rustix::fs::open(place::lock(&self.socket), flags, Mode::empty());
        lock.is_ok_and(|lock| {
            rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared).is_ok()
        })
    }

    /// Makes the directory of the socket where it is missing, and verifies it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Socket`] where it cannot be made or is not safe.
    pub fn prepare(&self) -> Result<(), Error> {
        let Some(dir) = &self.own_dir else { return Ok(()) };
        let mut builder = std::fs::DirBuilder::new();
        match builder.mode(0o700).create(dir) {
            Ok(()) => self.verify(),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => self.verify(),
            Err(error) => Err(Error::new(
                ErrorKind::Socket,
                format!("cannot make the directory `{}`: {}", dir.display(), reason(&error)),
            )
            .hint("set `XDG_RUNTIME_DIR` to a directory of yours")),
        }
    }
}

/// Refuses a path that no socket can have, before the system does so less clearly.
pub(crate) fn check_length(socket: &Path) -> Result<(), Error> {
    let length = socket.as_os_str().as_bytes().len();
    if length <= SOCKET_PATH_LIMIT {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Socket,
        format!(
            "the path of the socket has {length} bytes and may have {SOCKET_PATH_LIMIT}: `{}`",
            socket.display()
        ),
    )
    .hint("set `HOB_SOCKET` or `XDG_RUNTIME_DIR` to a shorter path"))
}

fn verify_dir(dir: &Path, uid: u32) -> Result<(), Error> {
    let metadata = match std::fs::symlink_metadata(dir) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unsafe_dir(dir, &reason(&error))),
    };
    if !metadata.is_dir() {
        return Err(unsafe_dir(dir, "it is no directory"));
    }
    if metadata.uid() != uid {
        return Err(unsafe_dir(dir, "it belongs to another user"));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(unsafe_dir(dir, "others may enter it"));
    }
    Ok(())
}

fn unsafe_dir(dir: &Path, why: &str) -> Error {
    let dir = dir.display();
    Error::new(ErrorKind::Socket, format!("cannot trust the directory `{dir}`: {why}"))
        .hint(format!("run `chmod 700 {dir}` if it is yours, or set `XDG_RUNTIME_DIR`"))
}

/// Checks that the same user is at the other end, and gives the process there.
#[cfg(target_os = "linux")]
pub(crate) fn check_peer(stream: &UnixStream, socket: &Path) -> Result<Option<u32>, Error> {
    let refuse = |why: String| {
        let message = format!("cannot trust who listens at `{}`: {why}", socket.display());
        Err(Error::new(ErrorKind::Socket, message)
            .hint("set `HOB_SOCKET` to a socket of your own daemon"))
    };
    match rustix::net::sockopt::socket_peercred(stream) {
        Ok(peer) if peer.uid.as_raw() == uid() => Ok(u32::try_from(peer.pid.as_raw_pid()).ok()),
        Ok(peer) => refuse(format!("it is the user {}", peer.uid.as_raw())),
        Err(error) => refuse(reason(&error.into())),
    }
}

/// Other systems: the directory's mode alone keeps others out.
#[cfg(not(target_os = "linux"))]
pub(crate) fn check_peer(_: &UnixStream, _: &Path) -> Result<Option<u32>, Error> {
    Ok(None)
}

/// The user that this process runs for.
pub(crate) fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn set_mode(dir: &Path, mode: u32) {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn verdict(dir: &Path, uid: u32) -> String {
        match verify_dir(dir, uid) {
            Ok(()) => "trusted".into(),
            Err(error) => error.message.rsplit(": ").next().unwrap_or_default().to_owned(),
        }
    }

    #[test]
    fn only_a_closed_directory_of_ones_own_is_trusted() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("hob-7");
        assert_eq!(verdict(&dir, uid()), "trusted", "where nothing is, there is nothing to fear");
        std::fs::create_dir(&dir).unwrap();
        set_mode(&dir, 0o700);
        assert_eq!(verdict(&dir, uid()), "trusted");
        assert_eq!(verdict(&dir, uid() + 1), "it belongs to another user");
        set_mode(&dir, 0o750);
        assert_eq!(verdict(&dir, uid()), "others may enter it");
        let link = temp.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert_eq!(verdict(&link, uid()), "it is no directory");
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_refused_before_it_is_tried() {
        assert!(check_length(Path::new(&format!("/{}", "x".repeat(106)))).is_ok());
        let error = check_length(Path::new(&format!("/{}", "x".repeat(107)))).unwrap_err();
        assert!(error.message.starts_with("the path of the socket has 108 bytes and may have 107"));
    }
}
