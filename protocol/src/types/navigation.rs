//! From a name to where it is defined and who mentions it: `index.definition`, `index.references`,
//! `index.callers` and `index.callees`.
//!
//! Lines and columns count from 1, columns in bytes. Paths are from the root.

use crate::{Origin, SymbolMatch, Text, Truncated};
use serde::{Deserialize, Serialize};

/// A place in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file, from the query's directory.
    pub path: Text,
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

/// Asks about a name: one that is given, or the one at a place.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NameQuery {
    /// An absolute directory in the workspace, all of which is looked through.
    pub dir: Text,
    /// The name, with what encloses it where that matters: `parse`, `Parser::parse`, `Parser.parse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A place where it stands; `name` is absent then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Place>,
    /// Of references only those of these roles: `call`, `type`, `import`, `use`; empty: all.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Of callers and callees, how many steps are gone; one where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u64>,
    /// At most so many; `truncated` says when it cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Answer from the state at hand, without waiting for changes under way.
    #[serde(default)]
    pub no_sync: bool,
}

impl NameQuery {
    /// Asks about a name in the workspace around a directory.
    #[must_use]
    pub fn in_dir(dir: impl Into<Text>, name: impl Into<String>) -> Self {
        Self { dir: dir.into(), name: Some(name.into()), ..Self::default() }
    }
}

/// The answer to `index.definition`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DefinitionResult {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// The name that was asked about.
    pub name: Text,
    /// Where it is defined, the likeliest first. Of a variable or parameter that is local the only one
    /// is where it is bound.
    pub definitions: Vec<SymbolMatch>,
    /// Set where the result is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// The answer to `index.references`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferencesResult {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// The name that was asked about.
    pub name: Text,
    /// Where it is mentioned in code, in the order of paths.
    pub references: Vec<ReferenceMatch>,
    /// Set where the result is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// How many there are, whatever the limit was.
    pub total: u64,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// A mention of a name in code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferenceMatch {
    /// The file.
    pub path: Text,
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
    /// How it is mentioned: `call`, `type`, `import` or `use`.
    pub role: String,
    /// The definition that it stands in, with what encloses that: `Parser::parse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enclosing: Option<Text>,
    /// The line's text.
    pub text: Text,
}

/// The answer to `index.callers` and `index.callees`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CallsResult {
    /// Where the answer came from.
    #[serde(flatten)]
    pub origin: Origin,
    /// The name that was asked about.
    pub name: Text,
    /// Who calls, or is called: the nearest steps first.
    pub calls: Vec<Call>,
    /// Set where the result is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// The time it took in the daemon, in microseconds.
    pub elapsed_us: u64,
}

/// A definition that calls another, or is called by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Call {
    /// How many steps it is from what was asked about.
    pub depth: u64,
    /// The definition: its name, with what encloses it. A call outside of any has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// What it calls, or who calls it: the step before.
    pub of: Text,
    /// The file of the definition.
    pub path: Text,
    /// The line of its name; of a call outside of any, of the first call.
    pub line: u64,
    /// The file of the calls: the caller's.
    pub at: Text,
    /// The lines of the calls in it.
    pub lines: Vec<u64>,
}
