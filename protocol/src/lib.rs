//! The interface of hob: every method with its parameters, results and errors.
//!
//! The daemon implements the server side of the traits in [`api`], a program
//! calls their client side. This crate knows nothing of either, and does no I/O
//! beyond asking the environment where the socket is ([`place`]).
//!
//! ```
//! use hob_protocol::{SearchQuery, Text};
//! let query = SearchQuery { patterns: vec!["fn main".into()], ..SearchQuery::in_dir("/repo") };
//! assert_eq!(query.cwd, Text::from("/repo"));
//! ```

#[macro_use]
mod interface;

pub mod api;
mod error;
#[cfg(feature = "schema")]
pub mod openrpc;
pub mod place;
mod text;
mod types;

pub use error::{ErrorData, Failure, Kind, incompatible};
pub use text::Text;
pub use types::*;

/// The number of this interface. Client and daemon must agree on it.
pub const PROTOCOL: u32 = 2;
