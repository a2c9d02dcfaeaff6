//! `workspace.*`: the trees that are kept warm.

use super::{blocking, directory};
use crate::Services;
use crate::profile::leaf;
use crate::workspace::Failed;
use crate::workspaces::{Had, Warm, not_a_workspace};
use hob_protocol::api::WorkspaceApiServer;
use hob_protocol::{Forgotten, Freshness, Kind, Origin, Text, WorkspaceList, WorkspaceStatus};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the first look at a tree may take: there is nothing to answer from before it.
const FIRST_LOOK: Duration = Duration::from_secs(600);

pub(super) struct Workspace {
    services: Arc<Services>,
}

impl Workspace {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl WorkspaceApiServer for Workspace {
    async fn open(&self, dir: Text) -> RpcResult<WorkspaceStatus> {
        self.status(dir, None).await
    }

    async fn list(&self) -> RpcResult<WorkspaceList> {
        let services = self.services.clone();
        blocking(move || {
            let open = services.workspaces.opened();
            let status = |root: &Path| {
                let known = match open.iter().find(|warm| warm.workspace.root() == root) {
                    Some(warm) => warm.status(&warm.workspace.snapshot()),
                    None => unloaded(root, services.workspaces.had(root)),
                };
                WorkspaceStatus { gone: !root.is_dir(), ..known }
            };
            let roots = services.workspaces.roots();
            Ok(WorkspaceList { workspaces: roots.iter().map(|root| status(root)).collect() })
        })
        .await
    }

    async fn status(&self, dir: Text, no_sync: Option<bool>) -> RpcResult<WorkspaceStatus> {
        let services = self.services.clone();
        blocking(move || {
            let dir = directory(&dir)?;
            let warm = services.workspaces.of(&dir).ok_or_else(|| not_a_workspace(&dir))?;
            let snapshot = synced(&services, &warm, no_sync.unwrap_or(false))
                .map_err(|failed| not_synced(warm.workspace.root(), failed))?;
            Ok(warm.status(&snapshot))
        })
        .await
    }

    async fn forget(&self, dir: Text) -> RpcResult<Forgotten> {
        let services = self.services.clone();
        blocking(move || {
            // A root that is gone can be forgotten too.
            let dir = directory(&dir).unwrap_or_else(|_| without_dots(dir.as_path()));
            let (root, freed) = services.workspaces.forget(&dir)?;
            Ok(Forgotten { root: Text::from(root), freed })
        })
        .await
    }
}

/// A path that is not there, as it was named when it was: `..` leads to the parent.
pub(super) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// A workspace that is not loaded. Of one that was named before the daemon started, only its root is
/// known.
fn unloaded(root: &Path, had: Option<Had>) -> WorkspaceStatus {
    let origin =
        Origin { root: Some(Text::from(root)), generation: 0, freshness: Freshness::Indexing };
    let Had { files, bytes } = had.unwrap_or_default();
    WorkspaceStatus { origin, unloaded: true, files, bytes, ..WorkspaceStatus::default() }
}

/// A snapshot for an answer: up to date, unless the caller wants what is at hand.
pub(super) fn synced(
    services: &Services,
    warm: &Warm,
    no_sync: bool,
) -> Result<Arc<crate::workspace::Snapshot>, Failed> {
    let at_hand = warm.workspace.snapshot();
    leaf("sync", || match at_hand.generation {
        0 => warm.workspace.sync(FIRST_LOOK.max(services.config.sync_deadline)),
        _ if no_sync => Ok(at_hand),
        _ => warm.workspace.sync(services.config.sync_deadline),
    })
}

/// What a caller is told when there is no snapshot.
pub(super) fn not_synced(root: &Path, failed: Failed) -> ErrorObjectOwned {
    let root = root.display();
    match failed {
        Failed::RootGone => Kind::RootGone.error(
            format!("the workspace `{root}` is gone: it was deleted or moved"),
            "go to where it is now; `hob workspaces forget` deletes what is stored of it",
        ),
        Failed::Late => Kind::NotSynced.error(
            format!("the changes in `{root}` could not be looked at in time"),
            "try again, answer from the state at hand with `--no-sync`, or raise `sync.deadline_ms`",
        ),
        Failed::Closed => Kind::Stopping.error(
            format!("the workspace `{root}` was closed meanwhile"),
            "try again",
        ),
    }
}
