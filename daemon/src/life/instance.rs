//! One daemon a socket: the lock that is held for life, and the socket that only its holder binds.

use super::StartError;
use hob_protocol::place;
use interprocess::local_socket::{
    GenericFilePath, ListenerNonblockingMode, ListenerOptions, ToFsName as _,
};
use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
use interprocess::os::unix::uds_local_socket::Listener;
use rustix::fs::{FileType, FlockOperation, Mode, OFlags};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// `sun_path` of a socket's address has 108 bytes, the last of which is a NUL.
const LONGEST: usize = 107;

/// The right to serve on a socket, held until it is dropped.
#[derive(Debug)]
pub struct Instance {
    socket: PathBuf,
    name: Mutex<Name>,
    lock: File,
}

/// The socket's name in the file system.
#[derive(Clone, Copy, Debug, Default)]
struct Name {
    /// The device and the inode of what stands there since this instance serves.
    there: Option<(u64, u64)>,
    /// It is ours to remove.
    ours: bool,
}

/// A socket that listens already, made by someone else.
#[derive(Debug)]
pub struct Handed {
    /// The socket.
    pub listener: UnixListener,
    /// Its name is ours to remove at the end: it was made by the daemon that this one succeeds, and
    /// not by systemd.
    pub ours: bool,
}

/// What came of trying to get it.
#[derive(Debug)]
pub enum Claim {
    /// It is ours.
    Ours(Instance),
    /// Another process has it: this one, if it has said so.
    Taken(Option<u32>),
}

/// Makes a directory for the user alone, or verifies that it is one.
///
/// # Errors
/// It cannot be made, or it is not the user's own, open to others, or a link.
pub fn private_dir(dir: &Path) -> Result<(), StartError> {
    match std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir) {
        // A link to nowhere, or a file; what it is, is found below.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(StartError::io("make the directory", dir))?,
    }
    verify_private(dir)
}

/// Verifies that a directory is one, and the user's alone.
pub(crate) fn verify_private(dir: &Path) -> Result<(), StartError> {
    let meta = dir.symlink_metadata().map_err(StartError::io("look at the directory", dir))?;
    let fault = if !meta.is_dir() {
        "is no directory"
    } else if meta.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else if meta.mode() & 0o077 != 0 {
        "is open to other users"
    } else {
        return Ok(());
    };
    Err(StartError::NotPrivate { dir: dir.to_owned(), fault })
}

/// Tries to become the one that serves on a socket. The lock is a file beside it.
///
/// # Errors
/// The path cannot be a socket of ours, or the lock cannot be had for a reason other than that
/// someone holds it.
pub fn claim(socket: &Path) -> Result<Claim, StartError> {
    check_path(socket)?;
    let lock_path = place::lock(socket);
    loop {
        let (mut lock, locked) = open_lock(&lock_path)?;
        if !locked {
            return Ok(Claim::Taken(read_pid(&mut lock)));
        }
        // Whoever cleans directories may have deleted the file between opening and locking it:
        // then this lock keeps nobody out.
        if !same_file(&lock, &lock_path) {
            continue;
        }
        // Only for people and messages: that it cannot be written is no reason not to start.
        let _ = lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id()));
        return Ok(Claim::Ours(Instance::new(socket, lock)));
    }
}

/// Whether a daemon has the lock of a socket; `None` where there is no lock yet. To connect would
/// tell as well, but where systemd has the socket it would start one.
pub(crate) fn is_claimed(socket: &Path) -> Option<bool> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let lock = rustix::fs::open(place::lock(socket), flags, Mode::empty()).ok()?;
    // Held for a moment, and shared: one that starts looks again.
    Some(rustix::fs::flock(&lock, FlockOperation::NonBlockingLockShared).is_err())
}

/// Whether someone listens at a socket. That its queue is full is as good as an answer, and not waited
/// for.
#[must_use]
pub fn answers(socket: &Path) -> bool {
    let connect = || {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let client = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&client, &SocketAddrUnix::new(socket)?)
    };
    matches!(connect(), Ok(()) | Err(rustix::io::Errno::AGAIN))
}

impl Instance {
    fn new(socket: &Path, lock: File) -> Self {
        Self { socket: socket.to_owned(), name: Mutex::default(), lock }
    }

    /// The instance of the daemon that this one succeeds, whose lock is standard input. `None` where
    /// that is something else.
    #[must_use]
    pub fn inherited(socket: &Path) -> Option<Self> {
        let lock = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
        let held = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
        (held && same_file(&lock, &place::lock(socket))).then(|| Self::new(socket, lock))
    }

    /// The lock, for the standard input of a successor.
    pub(super) fn lock_for_successor(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// Takes a socket that listens already.
    ///
    /// # Errors
    /// It is not the one where clients look for it.
    pub fn adopt(&self, handed: Handed) -> Result<UnixListener, StartError> {
        let Handed { listener, ours } = handed;
        let path = self.socket.as_path();
        let take = || StartError::io("take the socket that was handed over for", path);
        let listens = rustix::net::sockopt::socket_acceptconn(&listener);
        if !listens.map_err(|error| take()(error.into()))? {
            return Err(StartError::Handed { what: "a socket that does not listen".to_owned() });
        }
        let address = listener.local_addr().map_err(take())?;
        let named = address.as_pathname().unwrap_or(Path::new(""));
        if !same_place(named, path) {
            let what = format!(
                "the socket `{}`, and clients look for it at `{}`",
                named.display(),
                path.display()
            );
            return Err(StartError::Handed { what });
        }
        *self.name() = Name { there: identity_at(path), ours };
        listener.set_nonblocking(true).map_err(take())?;
        Ok(listener)
    }

    /// Binds the socket, 0600 from its first moment. What a dead daemon has left is removed;
    /// nothing else is.
    ///
    /// # Errors
    /// Something that is not ours is in the way, or the kernel refuses.
    pub fn bind(&self) -> Result<UnixListener, StartError> {
        let path = self.socket.as_path();
        if check_path(path)? {
            // We hold the lock, so a socket that answers is another program's.
            if answers(path) {
                return Err(StartError::in_the_way(path, "a socket that another program serves"));
            }
            std::fs::remove_file(path).map_err(StartError::io("remove the old socket", path))?;
        }
        let name = path.to_fs_name::<GenericFilePath>();
        let listener = name
            .and_then(|name| {
                let options = ListenerOptions::new().name(name).mode(0o600).reclaim_name(false);
                options.nonblocking(ListenerNonblockingMode::Both).create_sync_as::<Listener>()
            })
            .map_err(StartError::io("bind the socket", path))?;
        *self.name() = Name { there: identity_at(path), ours: true };
        Ok(listener.into())
    }

    /// Removes the socket, if it is still the one that was bound. False where another process (that
    /// is, systemd) made it: it stays, and whoever connects is served by the next daemon.
    pub fn unbind(&self) -> bool {
        let Name { there, ours } = std::mem::take(&mut *self.name());
        if ours && there.is_some() && identity_at(&self.socket) == there {
            let _ = std::fs::remove_file(&self.socket);
        }
        ours
    }

    /// Whether the socket's name is ours to remove.
    pub(super) fn owns_name(&self) -> bool {
        self.name().ours
    }

    /// Whether the socket still stands where it stood when this instance began to serve.
    pub(super) fn is_reachable(&self) -> bool {
        let there = self.name().there;
        there.is_none() || identity_at(&self.socket) == there
    }

    fn name(&self) -> std::sync::MutexGuard<'_, Name> {
        self.name.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether two paths name the same entry of the same directory.
pub(crate) fn same_place(a: &Path, b: &Path) -> bool {
    let place =
        |path: &Path| Some((path.parent()?.canonicalize().ok()?, path.file_name()?.to_owned()));
    a == b || place(a).is_some_and(|of_a| Some(of_a) == place(b))
}

/// What stands at a path now.
fn identity_at(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|meta| (meta.dev(), meta.ino()))
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.unbind();
    }
}

/// Whether a socket of ours is there already. Anything else that is there is an error.
pub(crate) fn check_path(socket: &Path) -> Result<bool, StartError> {
    let bytes = socket.as_os_str().as_bytes().len();
    if bytes > LONGEST {
        return Err(StartError::TooLong { path: socket.to_owned(), bytes });
    }
    let meta = match socket.symlink_metadata() {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StartError::io("look at the socket", socket)(error)),
    };
    let kind = meta.file_type();
    let other = match () {
        () if kind.is_symlink() => "a symbolic link",
        () if kind.is_dir() => "a directory",
        () if kind.is_file() => "a file",
        () if !kind.is_socket() => "a special file",
        () if meta.uid() != rustix::process::geteuid().as_raw() => "a socket of another user",
        () => return Ok(true),
    };
    Err(StartError::in_the_way(socket, other))
}

/// The lock's file, and whether it is locked now.
fn open_lock(path: &Path) -> Result<(File, bool), StartError> {
    let failed = || StartError::io("open the lock", path);
    let flags =
        OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mode = Mode::RUSR | Mode::WUSR;
    let fd = rustix::fs::open(path, flags, mode).map_err(|error| failed()(error.into()))?;
    let stat = rustix::fs::fstat(&fd).map_err(|error| failed()(error.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(StartError::in_the_way(path, "no file"));
    }
    let locked = match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => true,
        Err(rustix::io::Errno::WOULDBLOCK) => false,
        Err(error) => return Err(StartError::io("lock", path)(error.into())),
    };
    Ok((File::from(fd), locked))
}

fn same_file(file: &File, path: &Path) -> bool {
    let there = identity_at(path);
    there.is_some() && there == file.metadata().ok().map(|meta| (meta.dev(), meta.ino()))
}

fn read_pid(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn ours(claim: Claim) -> Instance {
        match claim {
            Claim::Ours(instance) => instance,
            Claim::Taken(pid) => panic!("taken by {pid:?}"),
        }
    }

    fn mode(path: &Path) -> u32 {
        path.symlink_metadata().unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_private_directory_is_made_or_verified() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/hob");
        private_dir(&path).unwrap();
        private_dir(&path).unwrap();
        assert_eq!(mode(&path), 0o700);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o750)).unwrap();
        let error = private_dir(&path).unwrap_err();
        assert!(error.to_string().ends_with("is open to other users"), "{error}");

        let link = dir.path().join("link");
        symlink(dir.path().join("run"), &link).unwrap();
        assert!(private_dir(&link).unwrap_err().to_string().ends_with("is no directory"));
    }

    #[tokio::test]
    async fn the_socket_is_closed_to_others_and_goes_with_its_instance() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("hob.sock");
        let instance = ours(claim(&path).unwrap());
        let listener = instance.bind().unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&dir.path().join("hobd.lock")), 0o600);
        assert!(answers(&path));
        drop((listener, instance));
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_second_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let first = ours(claim(&path).unwrap());
        match claim(&path).unwrap() {
            Claim::Taken(pid) => assert_eq!(pid, Some(std::process::id())),
            Claim::Ours(_) => panic!("two hold the lock"),
        }
        drop(first);
        ours(claim(&path).unwrap());
        assert!(dir.path().join("s.lock").exists());
    }

    #[tokio::test]
    async fn what_a_dead_daemon_left_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        let instance = ours(claim(&path).unwrap());
        let _listener = instance.bind().unwrap();
        assert!(answers(&path));
    }

    #[tokio::test]
    async fn another_programs_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let theirs = UnixListener::bind(&path).unwrap();
        let error = ours(claim(&path).unwrap()).bind().unwrap_err();
        assert!(error.to_string().contains("another program serves"), "{error}");
        theirs.set_nonblocking(true).unwrap();
        assert!(answers(&path));
    }

    #[test]
    fn a_directory_that_is_missing_is_named_to_be_made() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        let error = claim(&missing.join("s")).unwrap_err();
        assert_eq!(error.hint(), format!("make the directory `{}`", missing.display()));
    }

    #[test]
    fn a_queue_that_is_full_is_an_answer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        assert!(!answers(&path));
        let theirs = UnixListener::bind(&path).unwrap();
        rustix::net::listen(&theirs, 0).unwrap();
        let mut waiting = Vec::new();
        let connect = || {
            let flags = SocketFlags::NONBLOCK;
            let client = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
            rustix::net::connect(&client, &SocketAddrUnix::new(&path)?).map(|()| client)
        };
        while let Ok(client) = connect() {
            waiting.push(client);
        }
        assert!(answers(&path));
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        std::fs::write(at("file"), "precious").unwrap();
        std::fs::create_dir(at("dir")).unwrap();
        symlink("elsewhere", at("link")).unwrap();
        for (name, what) in
            [("file", "a file"), ("dir", "a directory"), ("link", "a symbolic link")]
        {
            let error = claim(&at(name)).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
            assert!(!at(&format!("{name}.lock")).exists());
        }
        assert_eq!(std::fs::read_to_string(at("file")).unwrap(), "precious");
        assert!(at("link").is_symlink());
    }

    #[test]
    fn another_users_socket_is_left_alone() {
        if !rustix::process::geteuid().is_root() {
            return; // Nobody else can make one for us.
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        std::os::unix::fs::lchown(&path, Some(65534), None).unwrap();
        let error = claim(&path).unwrap_err().to_string();
        assert!(error.contains("a socket of another user"), "{error}");
        assert!(path.exists());
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x".repeat(120));
        let error = claim(&path).unwrap_err();
        assert!(matches!(error, StartError::TooLong { .. }), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_socket_that_someone_has_replaced_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let instance = ours(claim(&path).unwrap());
        let _listener = instance.bind().unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "theirs").unwrap();
        drop(instance);
        assert!(path.exists());
    }
}
