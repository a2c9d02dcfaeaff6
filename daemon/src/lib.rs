//! The daemon of hob, as a library: `hobd` is [`main`] and nothing else.
//!
//! - [`life`]: start, one instance, signals, end
//! - [`config`], [`log`]: what can be set, and what is told
//! - `doctor`: what is wrong, and what to do
//! - [`server`]: JSON-RPC over the socket
//! - `watcher`, `workspace`: a tree that is kept warm, and its snapshots
//! - `store`: what is derived from contents, on disk
//! - `profile`: how long each call and each stage takes
//! - `tasks`: background work, and what became of it
//! - `cache`: what was computed once, in memory and on disk
//! - `search`: exact text search
//! - `files`: files by their paths
//! - `edits`: a model's edits made, kept, and taken back
//! - [`handlers`]: the methods, an area a file
//! - [`Services`]: what the handlers work with

mod cache;
pub mod config;
mod context;
mod doctor;
mod edits;
mod files;
mod git;
pub mod handlers;
mod indexing;
pub mod life;
pub mod log;
mod mentions;
mod nearest;
mod options;
mod outlines;
mod parallel;
mod profile;
mod search;
pub mod server;
mod services;
mod store;
mod symbols;
mod tasks;
mod watcher;
mod workspace;
mod workspaces;

pub use services::Services;

/// The stack of threads that walk trees: a path of 4,096 bytes has two thousand directories. Only
/// what is used of it takes memory.
const STACK: usize = 32 << 20;

/// The whole of `hobd`, with the arguments and the environment of the process.
#[must_use]
pub fn main() -> std::process::ExitCode {
    life::main()
}

/// An error of the operating system without its number.
fn io_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text[..at].to_lowercase(),
        None => text,
    }
}
