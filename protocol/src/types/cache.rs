//! The cache of computed values: `cache.*`.

use crate::Text;
use serde::{Deserialize, Serialize};

/// The cache, as it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheStats {
    /// Each family of values.
    pub namespaces: Vec<CacheNamespace>,
    /// The file; absent where nothing can be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Text>,
    /// The size of the file in bytes.
    pub file_bytes: u64,
}

/// A family of values with a budget of its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheNamespace {
    /// Its name.
    pub name: String,
    /// What is in memory.
    pub memory: CacheLevel,
    /// What is on disk.
    pub disk: CacheLevel,
    /// Seconds after which a value is computed again; absent for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_live_seconds: Option<u64>,
    /// Questions since the daemon's start that were answered from memory.
    pub memory_hits: u64,
    /// From disk.
    pub disk_hits: u64,
    /// By waiting for another who computed the value.
    pub shared: u64,
    /// By computing.
    pub misses: u64,
    /// Of these, without a value.
    pub failed: u64,
    /// Stored values that were not what was written. They count as misses.
    pub damaged: u64,
    /// Values that were let go of for want of room.
    pub evicted: u64,
    /// The time of all computing, in microseconds.
    pub computing_us: u64,
}

/// What a level holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheLevel {
    /// How many values.
    pub values: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many bytes it may have.
    pub limit: u64,
}

/// Keys of stored values.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheKeys {
    /// The ones used last, in that order.
    pub keys: Vec<CacheKey>,
    /// There are more.
    #[serde(default)]
    pub truncated: bool,
}

/// The key of a stored value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheKey {
    /// `NAMESPACE:HASH`.
    pub key: String,
    /// Bytes of the stored value.
    pub bytes: u64,
    /// When it was last used, to about an hour: seconds since 1970.
    pub used: u64,
}

/// A stored value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheValue {
    /// Its key.
    pub key: String,
    /// As it is stored.
    pub value: Text,
}

/// What was forgotten.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheCleared {
    /// How many stored values.
    pub values: u64,
}

/// What a look at all stored values has found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CacheVerified {
    /// Values that are what was written.
    pub good: u64,
    /// Values that are not. They were removed.
    pub damaged: u64,
}
