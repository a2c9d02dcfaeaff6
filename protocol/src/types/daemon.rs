//! The daemon: `daemon.*`.

use crate::Text;
use serde::{Deserialize, Serialize};

/// What the client says of itself, and of what it wants to speak.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hello {
    /// The number of the interface that the daemon speaks: [`crate::PROTOCOL`].
    pub protocol: u32,
    /// The daemon's version, as in its `Cargo.toml`.
    pub version: String,
    /// The daemon's process.
    pub pid: u32,
}

/// The answer to `daemon.ping`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pong {
    /// How long the daemon has run, in seconds.
    pub uptime_seconds: u64,
}

/// The daemon, as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DaemonStatus {
    /// Its version.
    pub version: String,
    /// Its number of the interface.
    pub protocol: u32,
    /// Its process.
    pub pid: u32,
    /// How long it has run, in seconds.
    pub uptime_seconds: u64,
    /// Its resident memory in bytes.
    pub memory_bytes: u64,
    /// Its connections.
    pub connections: u64,
    /// Its open file descriptors.
    pub descriptors: u64,
    /// How many it may have; 0 where that is not known.
    #[serde(default)]
    pub descriptors_limit: u64,
    /// Its socket.
    pub socket: Text,
    /// Its log; absent where it writes to standard error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Text>,
    /// The roots of the workspaces that are open.
    pub workspaces: Vec<Text>,
}

/// What the daemon logs.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogLevel {
    /// A level, and modules' own, as in `info,hob_daemon::server=debug`.
    pub level: String,
}
