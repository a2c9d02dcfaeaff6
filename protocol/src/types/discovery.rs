//! The interface itself: `rpc.discover` and `rpc.explain`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An OpenRPC document, which describes all methods: see <https://spec.open-rpc.org>.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpenRpc(pub Box<RawValue>);

/// The answer to `rpc.explain`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explanation {
    /// Lines to be printed.
    pub text: String,
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for OpenRpc {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OpenRpc".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "An OpenRPC document: see <https://spec.open-rpc.org>.",
            "type": "object",
            "required": ["openrpc", "info", "methods"],
        })
    }
}
