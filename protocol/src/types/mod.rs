//! Parameters and results, an area a file.

mod daemon;
mod origin;
mod search;
mod workspace;

pub use daemon::*;
pub use origin::*;
pub use search::*;
pub use workspace::*;
