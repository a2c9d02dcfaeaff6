//! The client of hob: a library for programs, and all of the command line `hob`.
//!
//! - [`Connection`] is a blocking connection: it serves the interface's traits of calls
//!   ([`DaemonApiClient`], [`WorkspaceApiClient`], [`IndexApiClient`], [`SymbolsApiClient`] and others) through
//!   [`block_on`], and reads subscriptions as iterators ([`Connection::search_stream`],
//!   [`Connection::files_stream`], [`Connection::changes`]).
//! - [`start()`] connects, and starts the daemon where none answers.
//! - With the feature `async`, `connect_async` gives jsonrpsee's own client over the same
//!   socket, which serves all traits, those of subscriptions included.
//!
//! Knows nothing of the daemon but its interface, and does not search by itself.
//!
//! ```no_run
//! use hob_client::{IndexApiClient as _, Place, block_on, start};
//! use hob_protocol::SearchQuery;
//!
//! let connection = start(&Place::from_env())?;
//! let query = SearchQuery { patterns: vec!["fn main".into()], ..SearchQuery::in_dir("/repo") };
//! for found in block_on(connection.search(query))?.matches {
//!     println!("{:?}:{}", found.path, found.line);
//! }
//! # Ok::<(), hob_client::Error>(())
//! ```

#[cfg(feature = "async")]
mod asynchronous;
mod block;
mod cli;
mod connection;
mod error;
mod place;
mod start;
mod stream;
#[cfg(test)]
mod testing;
mod wire;

#[cfg(feature = "async")]
pub use asynchronous::connect_async;
pub use block::block_on;
pub use cli::{main, pages};
pub use connection::Connection;
pub use error::{Error, ErrorKind};
#[cfg(feature = "async")]
pub use hob_protocol::api::IndexStreamsClient;
pub use hob_protocol::api::{
    CacheApiClient, ContextApiClient, DaemonApiClient, EditsApiClient, IndexApiClient,
    NavigationApiClient, ProfileApiClient, RpcApiClient, SymbolsApiClient, TasksApiClient,
    WorkspaceApiClient,
};
pub use place::Place;
pub use start::start;
pub use stream::{CHANGES, FILES, OUTLINES, SEARCH, Stream, StreamItem, Subscription, TASKS};
