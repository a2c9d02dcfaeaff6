//! The methods: each area of the interface in a file of its own, put together here.
//!
//! A handler turns parameters into a call of a service and its result into an answer.
//! It holds no state of its own.

mod cache;
mod context;
mod daemon;
mod edits;
mod files;
mod index;
mod interface;
mod manual;
mod navigation;
mod profile;
mod streams;
mod symbols;
mod tasks;
mod workspace;

pub use interface::Interface;

use crate::profile as measured;
use crate::{Services, io_text};
use hob_protocol::api::{
    CacheApiServer as _, ContextApiServer as _, DaemonApiServer as _, EditsApiServer as _,
    IndexApiServer as _, IndexStreamsServer as _, NavigationApiServer as _, ProfileApiServer as _,
    RpcApiServer as _, SymbolsApiServer as _, TasksApiServer, TasksStreamsServer,
    WorkspaceApiServer as _,
};
use hob_protocol::{Kind, Text};
use jsonrpsee::Methods;
use jsonrpsee::core::RegisterMethodError;
use jsonrpsee::core::RpcResult;
use jsonrpsee::types::ErrorObjectOwned;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// All methods of the daemon.
///
/// # Errors
/// Two areas have a method of the same name, which is a fault in the interface.
pub fn methods(services: &Arc<Services>) -> Result<Methods, RegisterMethodError> {
    let mut methods = Methods::new();
    methods.merge(interface::Rpc.into_rpc())?;
    methods.merge(daemon::Daemon::new(services.clone()).into_rpc())?;
    methods.merge(workspace::Workspace::new(services.clone()).into_rpc())?;
    methods.merge(index::Index::new(services.clone()).into_rpc())?;
    methods.merge(symbols::Symbols::new(services.clone()).into_rpc())?;
    methods.merge(navigation::Navigation::new(services.clone()).into_rpc())?;
    methods.merge(context::Context::new(services.clone()).into_rpc())?;
    methods.merge(edits::Edits::new(services.clone()).into_rpc())?;
    methods.merge(cache::Cache::new(services.clone()).into_rpc())?;
    methods.merge(profile::Profile::new(services.clone()).into_rpc())?;
    let tasks = tasks::Tasks::new(services.clone());
    methods.merge(TasksApiServer::into_rpc(tasks.clone()))?;
    methods.merge(TasksStreamsServer::into_rpc(tasks))?;
    methods.merge(streams::Streams::new(services.clone()).into_rpc())?;
    Ok(methods)
}

/// Runs what blocks on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> RpcResult<T> + Send + 'static,
) -> RpcResult<T> {
    let around = tracing::Span::current();
    let asked = Instant::now();
    let work = move || {
        let _around = around.enter();
        measured::has_waited("queue", asked);
        measured::was_queued(asked.elapsed());
        work()
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The server catches it again and answers as for any panic in a handler.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(stopping()),
    }
}

/// Why the daemon ends work before it is done.
fn stopping() -> ErrorObjectOwned {
    Kind::Stopping.error("the daemon is stopping", "ask again: the next one starts by itself")
}

/// Refuses a query for names that is longer than any name.
fn within_limit(services: &Services, query: &str) -> RpcResult<()> {
    let limit = services.config.query_bytes;
    if query.len() <= limit {
        return Ok(());
    }
    Err(Kind::TooLarge.error(
        format!("the query has {} bytes, and `limits.query_bytes` is {limit}", query.len()),
        "ask for a shorter one, or raise the limit",
    ))
}

/// The canonical path of a directory that a client names.
fn directory(dir: &Text) -> RpcResult<PathBuf> {
    let path = dir.as_path();
    let refuse = |why: String, hint: &str| {
        Kind::BadPath.error(format!("cannot use `{}`: {why}", path.display()), hint)
    };
    if !path.is_absolute() {
        return Err(refuse("the path is not absolute".into(), "give the whole path"));
    }
    let canonical = path
        .canonicalize()
        .map_err(|error| refuse(io_text(&error), "name a directory that is there"))?;
    match canonical.is_dir() {
        true => Ok(canonical),
        false => Err(refuse("it is no directory".into(), "name the directory that it is in")),
    }
}
