//! The context of a request: which files and which lines of them a model needs to see.

pub mod chunks;
pub mod documents;
pub mod history;
pub mod look;
pub mod map;
pub mod pack;
pub mod rank;
pub mod request;
