//! What the handlers work with: everything that lives as long as the daemon.

use crate::cache::Cache;
use crate::config::Config;
use crate::parallel::Crew;
use crate::server::Connections;
use crate::tasks::Tasks;
use crate::workspaces::Workspaces;
use hob_protocol::Text;
use std::path::PathBuf;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// The daemon's services. One for the process, shared by all handlers.
pub struct Services {
    /// The settings.
    pub config: Config,
    /// Cancelled when the daemon is to stop. Whatever runs without an end of its own, such as the
    /// subscription to a workspace's changes, ends by it.
    pub shutdown: CancellationToken,
    /// When the daemon was started.
    pub started: Instant,
    /// The socket, for `daemon.status`.
    pub socket: PathBuf,
    /// The log, if it is a file.
    pub log: Option<PathBuf>,
    /// Counts the connections.
    pub connections: Connections,
    /// The trees that are kept warm.
    pub(crate) workspaces: Workspaces,
    /// The background work.
    pub(crate) tasks: Tasks,
    /// What was computed once and is asked for again.
    pub(crate) cache: Cache,
    /// The directory of the journals of turns.
    pub(crate) turns: PathBuf,
    /// The threads that queries share.
    pub(crate) crew: Crew,
}

impl Services {
    /// The roots of the workspaces that are open.
    #[must_use]
    pub fn open_roots(&self) -> Vec<Text> {
        self.workspaces.opened().iter().map(|warm| Text::from(warm.workspace.root())).collect()
    }

    /// Called once at the end, after the last connection is closed: what is still to be stored is
    /// stored here, within a second.
    pub fn close(&self) {
        self.workspaces.close();
        self.cache.flush();
        self.tasks.close();
    }
}
