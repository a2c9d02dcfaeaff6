//! Where the time goes: `profile.*`.

use serde::{Deserialize, Serialize};

/// Operations of the daemon, and how long they took.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileTop {
    /// The first of them, in the order that was asked for.
    pub operations: Vec<Operation>,
    /// How many more there are.
    pub more: u64,
    /// The time that the figures are about, in milliseconds up to now.
    pub since_ms: u64,
}

/// An operation. The name of a method stands for its calls, from the request to the answer; other
/// names for stages of them, and of the background work.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Operation {
    /// Its name.
    pub name: String,
    /// How often it was done.
    pub count: u64,
    /// The time that it took in all, in microseconds. Threads count one by one.
    pub total_us: u64,
    /// The same without what belongs to operations within it.
    pub self_us: u64,
    /// Half of them took at most this, in microseconds; up to 7 % off.
    pub p50_us: u64,
    /// 99 of 100 took at most this.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

/// A stage of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StageTime {
    /// The operation.
    pub name: String,
    /// How many stages it is within; the first is within none, and is the whole.
    pub depth: u64,
    /// How often it was done.
    pub count: u64,
    /// The time that it took in all, in microseconds.
    pub total_us: u64,
    /// The same without what belongs to stages within it.
    pub self_us: u64,
}

/// The order of operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProfileOrder {
    /// The most time in all first.
    #[default]
    Total,
    /// The most time of their own first.
    #[serde(rename = "self")]
    Own,
    /// The most frequent first.
    Count,
    /// The slowest first.
    P99,
}

/// What was recorded of a while.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileRecording {
    /// How long it was, in milliseconds.
    pub ms: u64,
    /// Samples of the processor, 499 for each second that a thread of the daemon ran on one.
    pub samples: u64,
    /// A flame graph of them, as SVG; absent where it was not asked for, or there are no samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flame: Option<String>,
    /// Spans that began and ended meanwhile, as far as there was room for them.
    pub spans: u64,
    /// Spans that there was no room for.
    pub dropped: u64,
    /// The spans in the JSON of Chrome's Trace Event Format, which Perfetto opens; absent where it was
    /// not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}
