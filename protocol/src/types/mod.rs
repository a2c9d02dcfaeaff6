//! Parameters and results, an area a file.

mod cache;
mod context;
mod daemon;
mod discovery;
mod edits;
mod files;
mod navigation;
mod origin;
mod profile;
mod search;
mod symbols;
mod tasks;
mod workspace;

pub use cache::*;
pub use context::*;
pub use daemon::*;
pub use discovery::*;
pub use edits::*;
pub use files::*;
pub use navigation::*;
pub use origin::*;
pub use profile::*;
pub use search::*;
pub use symbols::*;
pub use tasks::*;
pub use workspace::*;
