//! The methods: an area a trait, parameters by name.
//!
//! This is where a method is written down, and the only place: jsonrpsee's traits, the description
//! that `rpc.discover` gives and the reference in `protocol/README.md` are made of it. How it is read
//! stands at the head of `interface.rs`.
//!
//! Subscriptions stand in traits of their own, so that a client without an async
//! runtime can use all others.

pub use crate::interface::{Method, Param, Subscription};

use crate::Text;
use crate::types::*;
// The client's side is written with another type in its place.
#[cfg(feature = "server")]
use jsonrpsee::core::RpcResult;
#[cfg(any(feature = "server", feature = "client"))]
use jsonrpsee::proc_macros::rpc;

interface! {
    (self) {
        #[cfg(any(feature = "server", feature = "client"))]
        #[cfg_attr(all(feature = "server", feature = "client"), rpc(server, client))]
        #[cfg_attr(all(feature = "server", not(feature = "client")), rpc(server))]
        #[cfg_attr(all(feature = "client", not(feature = "server")), rpc(client))]
    }

    /// The interface itself.
    calls RpcApi {
        /// Describes all methods, as an OpenRPC document.
        "rpc.discover": discover() -> OpenRpc;

        /// Explains a method to a person, or lists all.
        "rpc.explain": explain(
            /// Its name; absent: all are listed, a line each.
            method: Option<String>,
        ) -> Explanation, fails MethodNotFound;
    }

    /// The daemon itself.
    calls DaemonApi {
        /// Agrees on the number of the interface. It is a client's first call, and alone in ignoring
        /// parameters that it does not know, so that clients of all times are understood.
        "daemon.hello": hello(
            /// The number that the client speaks. Another one than the daemon's is refused with the
            /// kind `incompatible`.
            protocol: u32,
            /// The client's name and version.
            client: Option<String>,
        ) -> Hello, fails Incompatible;

        /// Whether the daemon answers.
        "daemon.ping": ping() -> Pong;

        /// What the daemon is doing.
        "daemon.status": status() -> DaemonStatus;

        /// Tells what is logged; with `level` changes it first, until the daemon ends.
        "daemon.logLevel": log_level(
            /// A level (off, error, warn, info, debug, trace), and modules' own after commas.
            level: Option<String>,
        ) -> LogLevel;

        /// Ends the daemon, once its answers are out.
        "daemon.stop": stop() -> bool;
    }

    /// The trees that the daemon keeps warm.
    calls WorkspaceApi {
        /// Opens the workspace around a directory, and tells how it is.
        "workspace.open": open(
            /// An absolute directory in the workspace.
            dir: Text,
        ) -> WorkspaceStatus, fails BadPath | NotAWorkspace | RootGone | NotSynced;

        /// All workspaces that are open, or were made by `index.build`.
        "workspace.list": list() -> WorkspaceList;

        /// Tells how the workspace around a directory is, after all changes so far.
        "workspace.status": status(
            /// An absolute directory in the workspace.
            dir: Text,
            /// Answer from the state at hand, without waiting for changes under way.
            no_sync: Option<bool>,
        ) -> WorkspaceStatus, fails BadPath | NotAWorkspace | RootGone | NotSynced;

        /// Closes a workspace and deletes what is stored of it.
        "workspace.forget": forget(
            /// An absolute directory in the workspace, or the root of one that is gone.
            dir: Text,
        ) -> Forgotten, fails NotAWorkspace;
    }

    /// Questions to the index that have one answer.
    calls IndexApi {
        /// Makes a directory a workspace, if it is none, and indexes it in the background.
        "index.build": build(
            /// An absolute directory. In a git repository its worktree becomes the workspace.
            dir: Text,
            /// Answer when all is indexed.
            wait: Option<bool>,
        ) -> WorkspaceStatus, fails BadPath | RootGone | NotSynced | Store;

        /// All lines that match, at once.
        "index.search": search(
            /// What to look for, and where.
            query: SearchQuery,
        ) -> SearchResult, fails BadPath | BadPattern | BadFilter | RootGone | NotSynced;

        /// The files that a search looks at, or those of them whose paths match.
        "index.files": files(
            /// Which files, and where.
            query: FilesQuery,
        ) -> FilesResult, fails BadPath | RootGone | NotSynced;

        /// The types of files that a search can be about.
        "index.types": types() -> FileTypes;
    }

    /// What a model needs to see.
    calls ContextApi {
        /// The files and lines that a request in words is about, within a budget of tokens.
        "index.context": context(
            /// The request, and how much may be shown.
            query: ContextQuery,
        ) -> ContextResult, fails BadPath | NotAWorkspace | BadPattern | RootGone | NotSynced;

        /// The ranked outline of a workspace, within a budget of tokens.
        "index.map": map(
            /// What is in focus, and how much may be shown.
            query: MapQuery,
        ) -> MapResult, fails BadPath | NotAWorkspace | RootGone | NotSynced;
    }

    /// Questions to the index about what files define.
    calls SymbolsApi {
        /// Definitions by name: exact matches, then by prefix, then fuzzy.
        "index.symbols": symbols(
            /// Which definitions, and where.
            query: SymbolsQuery,
        ) -> SymbolsResult, fails BadPath | NotAWorkspace | BadPattern | BadFilter | RootGone | NotSynced;

        /// What files define. One that cannot be read has an error of its own.
        "index.outline": outline(
            /// Which files.
            query: OutlineQuery,
        ) -> OutlineResult, fails BadPath;

        /// The languages whose definitions are known.
        "index.languages": languages() -> Languages;
    }

    /// From a name to where it is defined and who mentions it.
    calls NavigationApi {
        /// Where a name is defined, the likeliest first.
        "index.definition": definition(
            /// The name, or a place of it.
            query: NameQuery,
        ) -> DefinitionResult, fails BadPath | NotAWorkspace | BadPattern | BadFilter | RootGone | NotSynced;

        /// Where a name is mentioned in code, and how.
        "index.references": references(
            /// The name, or a place of it.
            query: NameQuery,
        ) -> ReferencesResult, fails BadPath | NotAWorkspace | BadPattern | BadFilter | RootGone | NotSynced;

        /// Who calls a function.
        "index.callers": callers(
            /// Its name, or a place of it.
            query: NameQuery,
        ) -> CallsResult, fails BadPath | NotAWorkspace | BadPattern | BadFilter | RootGone | NotSynced;

        /// Whom a function calls, as far as that is defined in the workspace.
        "index.callees": callees(
            /// Its name, or a place of it.
            query: NameQuery,
        ) -> CallsResult, fails BadPath | NotAWorkspace | BadPattern | BadFilter | RootGone | NotSynced;
    }

    /// What was computed once and is kept.
    calls CacheApi {
        /// How much is kept, and how often it was of use.
        "cache.stats": stats() -> CacheStats;

        /// The keys of stored values, those used last first.
        "cache.keys": keys(
            /// Only of this family of values.
            namespace: Option<String>,
            /// At most so many, 50 if absent; `truncated` says when it cut.
            limit: Option<u64>,
        ) -> CacheKeys, fails Store;

        /// A stored value.
        "cache.get": get(
            /// Its key, as `cache.keys` lists it.
            key: String,
        ) -> CacheValue;

        /// Forgets all values, or those of a namespace.
        "cache.clear": clear(
            /// The family of values to forget.
            namespace: Option<String>,
        ) -> CacheCleared, fails Store;

        /// Looks at every stored value, and removes what is damaged.
        "cache.verify": verify() -> CacheVerified, fails Store;
    }

    /// Where the daemon's time goes.
    calls ProfileApi {
        /// The operations that took the most time, or were done the most often.
        "profile.top": top(
            /// Their order; `total` if absent.
            by: Option<ProfileOrder>,
            /// At most so many, 20 if absent.
            limit: Option<u64>,
            /// Only of the last so many milliseconds, an hour at most, by the minute; all since the
            /// counting began if absent.
            since_ms: Option<u64>,
            /// Begin to count anew after this.
            reset: Option<bool>,
        ) -> ProfileTop, fails ProfileOff;

        /// Records what the daemon does for a while, and answers at its end. One at a time; who goes
        /// away ends it.
        "profile.record": record(
            /// For so many milliseconds, 600,000 at most.
            ms: u64,
            /// Sample the processor, for a flame graph.
            flame: Option<bool>,
            /// Keep the spans of calls and stages, for a trace.
            trace: Option<bool>,
        ) -> ProfileRecording, fails Recording | ProfileOff | Stopping;
    }

    /// A model's edits, and turns.
    calls EditsApi {
        /// Makes the edits that a reply asks for, all of them or none, as a turn that can be taken back. What
        /// hinders is told in the answer: an error says that something else failed. Nothing is done then.
        "ai.apply": apply(
            /// The reply, and where it is meant.
            query: ApplyQuery,
        ) -> ApplyResult, fails BadPath | BadFilter | RootGone | Git | HookFailed | NotWritten;

        /// Takes turns back: their files get back every byte, and a commit that is the last one and was
        /// not pushed is dropped, else reverted by another. Where later work would be lost, nothing is done.
        "git.undo": undo(
            /// How many, and where.
            query: UndoQuery,
        ) -> UndoResult, fails BadPath | Git | LaterWork | NotWritten;

        /// The turns around a directory, the last one first.
        "git.turns": turns(
            /// An absolute directory in the workspace or work tree, or in a directory that has turns.
            dir: Text,
            /// At most so many, 50 if absent; `truncated` says when it cut.
            limit: Option<u64>,
        ) -> TurnList, fails BadPath | NotWritten;

        /// What a turn has changed.
        "git.diff": diff(
            /// An absolute directory, as `git.turns` takes it.
            dir: Text,
            /// Its number; absent: the last one that was not taken back.
            turn: Option<u64>,
        ) -> TurnDiff, fails BadPath | NoSuchTurn | NotWritten;
    }

    /// The daemon's background work.
    calls TasksApi {
        /// The tasks: those that wait or run, and then those that have ended; the newest first.
        "tasks.list": list(
            /// At most so many, 50 if absent; `truncated` says when it cut.
            limit: Option<u64>,
        ) -> TaskList;

        /// A task.
        "tasks.get": get(
            /// Its number.
            id: u64,
        ) -> Task, fails NoSuchTask;

        /// Cancels a task. It ends within 100 ms, but for what it is just writing to the disk.
        "tasks.cancel": cancel(
            /// Its number.
            id: u64,
        ) -> Task, fails NoSuchTask | TaskEnded | NotCancellable;

        /// Answers when a task has ended, with how.
        "tasks.wait": wait(
            /// Its number.
            id: u64,
        ) -> Task, fails NoSuchTask;
    }

    /// The daemon's background work, as it goes on.
    streams TasksStreams {
        /// Tasks as they are, and each time they have changed: at most ten times a second. With `id` the
        /// stream ends with that task.
        "tasks.watch" => "tasks.changed", "tasks.watchStop": watch(
            /// Only this task.
            id: Option<u64>,
        ) -> TaskList, fails NoSuchTask;
    }

    /// Questions to the index whose answers come as a stream.
    streams IndexStreams {
        /// A search, printed as ripgrep prints it, in parts.
        "index.searchStream" => "index.searchEvent", "index.searchStop": search_stream(
            /// What to look for, and where.
            query: SearchQuery,
            /// How it is printed.
            style: Option<Style>,
        ) -> SearchEvent, fails BadPath | BadPattern | BadFilter | RootGone | NotSynced;

        /// The paths of files, printed in parts: each answer of `index.files` without a limit on its size.
        "index.filesStream" => "index.filesEvent", "index.filesStop": files_stream(
            /// Which files, and where.
            query: FilesQuery,
            /// How they are printed.
            style: Option<FilesStyle>,
        ) -> FilesEvent, fails BadPath | RootGone | NotSynced;

        /// What files define, printed in parts: the answer of `index.outline` without a limit on its size.
        "index.outlineStream" => "index.outlineEvent", "index.outlineStop": outline_stream(
            /// Which files.
            query: OutlineQuery,
            /// Whether it is printed with colours; it is not if absent.
            color: Option<bool>,
        ) -> OutlineEvent, fails BadPath;

        /// Each state of the workspace around a directory, as it is published.
        "index.changes" => "index.changed", "index.changesStop": changes(
            /// An absolute directory in the workspace.
            dir: Text,
        ) -> IndexChange, fails BadPath | NotAWorkspace;
    }
}

/// All methods, those that end a subscription apart.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    AREAS.iter().copied().flatten()
}

impl Subscription {
    /// The subscription that a method asks for, if it does.
    #[must_use]
    pub fn of(method: &str) -> Option<&'static Self> {
        methods().find(|known| known.name == method)?.subscription.as_ref()
    }

    /// That of a method which is known to ask for one: what is wrong is found by the compiler.
    ///
    /// # Panics
    /// The method does not exist, or asks for none.
    #[must_use]
    pub const fn named(method: &str) -> Self {
        let mut area = 0;
        while area < AREAS.len() {
            let mut row = 0;
            while row < AREAS[area].len() {
                let known = &AREAS[area][row];
                if crate::interface::same(known.name, method)
                    && let Some(subscription) = known.subscription
                {
                    return subscription;
                }
                row += 1;
            }
            area += 1;
        }
        panic!("no such subscription");
    }
}
