//! Why a daemon does not start, and what to do about it.

use crate::config::ConfigError;
use std::io;
use std::path::{Path, PathBuf};

/// The daemon does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The settings cannot be taken.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A directory that must be the user's alone is not.
    #[error("`{}` {fault}", dir.display())]
    NotPrivate {
        /// The directory.
        dir: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// No socket can have this path.
    #[error("the path of the socket `{}` has {bytes} bytes, and at most 107 are possible", path.display())]
    TooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// Something that is not hob's stands where the socket or the lock is to be.
    #[error("`{}` is {what}", path.display())]
    InTheWay {
        /// The path.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
    },
    /// Another daemon serves.
    #[error("another daemon{} serves `{}`", named(*pid), socket.display())]
    Running {
        /// Its socket.
        socket: PathBuf,
        /// Its process, if known.
        pid: Option<u32>,
    },
    /// Another daemon holds the lock and does not answer.
    #[error("another daemon{} holds the lock of `{}` and does not answer", named(*pid), socket.display())]
    Silent {
        /// Its socket.
        socket: PathBuf,
        /// Its process, if known.
        pid: Option<u32>,
    },
    /// Whoever started the daemon has handed over a socket that it cannot serve.
    #[error("what was handed over is {what}")]
    Handed {
        /// What it is.
        what: String,
    },
    /// The system refuses something.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses threads or signals.
    #[error("cannot start the runtime: {0}")]
    Runtime(io::Error),
    /// A fault of hob's own.
    #[error("a fault in hob: {0}")]
    Fault(String),
}

impl StartError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    pub(super) fn in_the_way(path: &Path, what: &'static str) -> Self {
        Self::InTheWay { path: path.to_owned(), what }
    }

    /// What to do about it, for a person.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Config(_) => "`hobd --help-config` lists all keys with their values".to_owned(),
            Self::NotPrivate { dir, .. } => format!(
                "make it your own and closed (`chmod 700 {}`), or set `XDG_RUNTIME_DIR` to a directory of yours",
                dir.display()
            ),
            Self::TooLong { .. } => "set `HOB_SOCKET` to a shorter path".to_owned(),
            Self::InTheWay { .. } => "move it away, or set `HOB_SOCKET` to another path".to_owned(),
            Self::Running { .. } => "stop it with `hob daemon stop`".to_owned(),
            Self::Silent { pid: Some(pid), .. } => format!("end it (`kill {pid}`) and try again"),
            Self::Silent { pid: None, .. } => "end it and try again".to_owned(),
            Self::Handed { .. } => {
                "write the units anew (`hob daemon install`), or unset `LISTEN_FDS`".to_owned()
            }
            Self::Io { path, source, .. } if source.kind() == io::ErrorKind::NotFound => {
                match path.parent().filter(|dir| !dir.exists()) {
                    Some(dir) => format!("make the directory `{}`", dir.display()),
                    None => "try again: something else removes files there".to_owned(),
                }
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "make room on the disk".to_owned()
            }
            Self::Io { .. } | Self::Runtime(_) => {
                "check the permissions and limits of your user".to_owned()
            }
            Self::Fault(_) => "report it".to_owned(),
        }
    }
}

fn named(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}
