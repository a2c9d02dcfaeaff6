//! `tasks.*`: the background work.

use super::stopping;
use crate::tasks::NotCancelled;
use crate::{Services, profile};
use hob_protocol::api::{TasksApiServer, TasksStreamsServer};
use hob_protocol::{Kind, Task, TaskList, TaskState};
use jsonrpsee::PendingSubscriptionSink;
use jsonrpsee::core::{RpcResult, SubscriptionResult, async_trait, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Tasks that are listed where the caller names no number.
const LISTED: u64 = 50;
/// How soon after what was told more is told.
const PAUSE: Duration = Duration::from_millis(100);
/// How long a task that was cancelled is waited for, so that the answer says how it ended.
const ENDING: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub(super) struct Tasks {
    services: Arc<Services>,
}

impl Tasks {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    fn known(&self, id: u64) -> RpcResult<Task> {
        self.services.tasks.get(id).ok_or_else(|| unknown(id))
    }

    /// Waits until a task has ended.
    async fn ended(&self, id: u64) -> RpcResult<Task> {
        let mut news = self.services.tasks.news();
        loop {
            news.mark_unchanged();
            // One that was quick, and for which nobody asked, is not remembered.
            let task = self.known(id)?;
            if task.state.has_ended() {
                return Ok(task);
            }
            let began = Instant::now();
            let stops = tokio::select! {
                _ = news.changed() => false,
                () = self.services.shutdown.cancelled() => true,
            };
            profile::waited(began.elapsed());
            if stops {
                return Err(stopping());
            }
        }
    }

    /// What one who follows is told: the one that was asked for, or all that have not ended, and those
    /// that have since they were told of.
    fn told(&self, id: Option<u64>, before: &[Task]) -> Vec<Task> {
        let tasks = self.services.tasks.list();
        let was_live =
            |task: &Task| before.iter().any(|one| one.id == task.id && !one.state.has_ended());
        let wanted = |task: &Task| match id {
            Some(id) => task.id == id,
            None => !task.state.has_ended() || was_live(task),
        };
        tasks.into_iter().filter(wanted).collect()
    }
}

#[async_trait]
impl TasksApiServer for Tasks {
    async fn list(&self, limit: Option<u64>) -> RpcResult<TaskList> {
        let limit = usize::try_from(limit.unwrap_or(LISTED)).unwrap_or(usize::MAX);
        let mut tasks = self.services.tasks.list();
        let truncated = tasks.len() > limit;
        tasks.truncate(limit);
        Ok(TaskList { tasks, truncated })
    }

    async fn get(&self, id: u64) -> RpcResult<Task> {
        self.known(id)
    }

    async fn cancel(&self, id: u64) -> RpcResult<Task> {
        let before = self.known(id)?;
        self.services.tasks.cancel(id).map_err(|refused| explain(id, &before.kind, refused))?;
        match tokio::time::timeout(ENDING, self.ended(id)).await {
            Ok(ended) => ended,
            Err(_) => self.known(id),
        }
    }

    async fn wait(&self, id: u64) -> RpcResult<Task> {
        self.services.tasks.raise(id);
        self.ended(id).await
    }
}

#[async_trait]
impl TasksStreamsServer for Tasks {
    async fn watch(&self, pending: PendingSubscriptionSink, id: Option<u64>) -> SubscriptionResult {
        if let Some(id) = id
            && let Err(error) = self.known(id)
        {
            pending.reject(error).await;
            return Ok(());
        }
        let sink = pending.accept().await?;
        let mut before: Vec<Task> = Vec::new();
        let mut first = true;
        loop {
            let mut news = self.services.tasks.news();
            news.mark_unchanged();
            let tasks = self.told(id, &before);
            let over = id.is_some() && tasks.iter().all(|task| task.state.has_ended());
            if first || tasks != before {
                let told = TaskList { tasks: tasks.clone(), truncated: false };
                if sink.send(to_json_raw_value(&told)?).await.is_err() {
                    return Ok(());
                }
            }
            if over {
                return Ok(());
            }
            let runs = tasks.iter().any(|task| task.state == TaskState::Running);
            (first, before) = (false, tasks);
            // Progress is no news: while something runs it is looked for.
            let next = async {
                tokio::time::sleep(PAUSE).await;
                if !runs {
                    let _ = news.changed().await;
                }
            };
            tokio::select! {
                () = next => {}
                () = sink.closed() => return Ok(()),
                () = self.services.shutdown.cancelled() => return Ok(()),
            }
        }
    }
}

fn unknown(id: u64) -> ErrorObjectOwned {
    Kind::NoSuchTask.error(
        format!("there is no task {id}"),
        "`hob tasks` lists those that are known; what was quick is not kept",
    )
}

fn explain(id: u64, kind: &str, refused: NotCancelled) -> ErrorObjectOwned {
    match refused {
        NotCancelled::Unknown => unknown(id),
        NotCancelled::Ended(state) => {
            let how = match state {
                TaskState::Failed => "has failed",
                TaskState::Cancelled => "was cancelled",
                _ => "is done",
            };
            Kind::TaskEnded.error(
                format!("task {id} ({kind}) {how}: there is nothing to cancel"),
                format!("`hob tasks show {id}` tells how it ended"),
            )
        }
        NotCancelled::Needed => Kind::NotCancellable.error(
            format!("task {id} ({kind}) is not cancelled: queries wait for it"),
            format!("`hob tasks wait {id}` waits for its end"),
        ),
    }
}
