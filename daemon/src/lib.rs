//! The daemon of hob, `hobd`.

#![allow(dead_code)] // until the parts are joined
mod search;
mod store;
mod watcher;
mod workspace;
