//! The methods, as jsonrpsee traits: a namespace an area, parameters by name.
//!
//! Subscriptions stand in traits of their own, so that a client without an async
//! runtime can use all others.

use crate::Text;
use crate::types::*;
// The client's side is written with another type in its place.
#[cfg(any(feature = "server", not(feature = "client")))]
use jsonrpsee::core::RpcResult;
use jsonrpsee::proc_macros::rpc;

/// The daemon itself.
#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "daemon", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "daemon", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "daemon", namespace_separator = ".")
)]
pub trait DaemonApi {
    /// The first frame of a connection: which number of the interface the client speaks.
    /// Another number than the daemon's is answered with the kind `incompatible`.
    #[method(name = "hello", param_kind = map)]
    async fn hello(&self, protocol: u32, client: Option<String>) -> RpcResult<Hello>;

    /// Whether the daemon answers.
    #[method(name = "ping", param_kind = map)]
    async fn ping(&self) -> RpcResult<Pong>;

    /// What the daemon is doing.
    #[method(name = "status", param_kind = map)]
    async fn status(&self) -> RpcResult<DaemonStatus>;

    /// Ends the daemon, once its answers are out.
    #[method(name = "stop", param_kind = map)]
    async fn stop(&self) -> RpcResult<bool>;
}

/// The trees that the daemon keeps warm.
#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "workspace", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "workspace", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "workspace", namespace_separator = ".")
)]
pub trait WorkspaceApi {
    /// Opens the workspace around a directory, and tells how it is.
    #[method(name = "open", param_kind = map)]
    async fn open(&self, dir: Text) -> RpcResult<WorkspaceStatus>;

    /// All that are open, or were made by `index.build`.
    #[method(name = "list", param_kind = map)]
    async fn list(&self) -> RpcResult<WorkspaceList>;

    /// Tells how the workspace around a directory is, after all changes so far.
    #[method(name = "status", param_kind = map)]
    async fn status(&self, dir: Text, no_sync: Option<bool>) -> RpcResult<WorkspaceStatus>;

    /// Closes a workspace and deletes what is stored of it.
    #[method(name = "forget", param_kind = map)]
    async fn forget(&self, dir: Text) -> RpcResult<Forgotten>;
}

/// Questions to the index that have one answer.
#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "index", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "index", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "index", namespace_separator = ".")
)]
pub trait IndexApi {
    /// Makes a directory a workspace, if it is none, and indexes it in the background. With
    /// `wait` the answer comes when all is indexed.
    #[method(name = "build", param_kind = map)]
    async fn build(&self, dir: Text, wait: Option<bool>) -> RpcResult<WorkspaceStatus>;

    /// All lines that match, at once.
    #[method(name = "search", param_kind = map)]
    async fn search(&self, query: SearchQuery) -> RpcResult<SearchResult>;

    /// The files that a search looks at, or those of them whose paths match.
    #[method(name = "files", param_kind = map)]
    async fn files(&self, query: FilesQuery) -> RpcResult<FilesResult>;

    /// The types of files that a search can be about.
    #[method(name = "types", param_kind = map)]
    async fn types(&self) -> RpcResult<FileTypes>;
}

/// Questions to the index about what files define.
#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "index", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "index", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "index", namespace_separator = ".")
)]
pub trait SymbolsApi {
    /// Definitions by name: exact matches, then by prefix, then fuzzy.
    #[method(name = "symbols", param_kind = map)]
    async fn symbols(&self, query: SymbolsQuery) -> RpcResult<SymbolsResult>;

    /// What files define. One that cannot be read has an error of its own.
    #[method(name = "outline", param_kind = map)]
    async fn outline(&self, query: OutlineQuery) -> RpcResult<OutlineResult>;

    /// The languages whose definitions are known.
    #[method(name = "languages", param_kind = map)]
    async fn languages(&self) -> RpcResult<Languages>;
}

/// What was computed once and is kept.
#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "cache", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "cache", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "cache", namespace_separator = ".")
)]
pub trait CacheApi {
    /// How much is kept, and how often it was of use.
    #[method(name = "stats", param_kind = map)]
    async fn stats(&self) -> RpcResult<CacheStats>;

    /// The keys of stored values, those used last first.
    #[method(name = "keys", param_kind = map)]
    async fn keys(&self, namespace: Option<String>, limit: Option<u64>) -> RpcResult<CacheKeys>;

    /// A stored value.
    #[method(name = "get", param_kind = map)]
    async fn get(&self, key: String) -> RpcResult<CacheValue>;

    /// Forgets all values, or those of a namespace.
    #[method(name = "clear", param_kind = map)]
    async fn clear(&self, namespace: Option<String>) -> RpcResult<CacheCleared>;

    /// Looks at every stored value, and removes what is damaged.
    #[method(name = "verify", param_kind = map)]
    async fn verify(&self) -> RpcResult<CacheVerified>;
}

/// Questions to the index whose answers come as a stream.
#[cfg_attr(
    all(feature = "server", feature = "client"),
    rpc(server, client, namespace = "index", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "server", not(feature = "client")),
    rpc(server, namespace = "index", namespace_separator = ".")
)]
#[cfg_attr(
    all(feature = "client", not(feature = "server")),
    rpc(client, namespace = "index", namespace_separator = ".")
)]
pub trait IndexStreams {
    /// A search, printed as ripgrep prints it, in parts.
    #[subscription(name = "searchStream" => "searchEvent", unsubscribe = "searchStop", item = SearchEvent, param_kind = map)]
    async fn search_stream(
        &self,
        query: SearchQuery,
        style: Option<Style>,
    ) -> jsonrpsee::core::SubscriptionResult;

    /// The paths of files, printed in parts: each answer of `index.files` without a limit on its size.
    #[subscription(name = "filesStream" => "filesEvent", unsubscribe = "filesStop", item = FilesEvent, param_kind = map)]
    async fn files_stream(
        &self,
        query: FilesQuery,
        style: Option<FilesStyle>,
    ) -> jsonrpsee::core::SubscriptionResult;

    /// Each state of the workspace around a directory, as it is published.
    #[subscription(name = "changes" => "changed", unsubscribe = "changesStop", item = IndexChange, param_kind = map)]
    async fn changes(&self, dir: Text) -> jsonrpsee::core::SubscriptionResult;
}
