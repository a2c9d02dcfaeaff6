//! Text that need not be UTF-8: file names, lines of files, printed output.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// Bytes that are a JSON string where they are UTF-8, and `{"bytes": base64}`
/// where they are not.
///
/// ```
/// use hob_protocol::Text;
/// assert_eq!(serde_json::to_string(&Text::from("a.rs")).unwrap(), r#""a.rs""#);
/// assert_eq!(serde_json::to_string(&Text::from(&b"\xff"[..])).unwrap(), r#"{"bytes":"/w=="}"#);
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, taken out.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// The text as a file's path.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// The text as a path of its own.
    #[must_use]
    pub fn into_path(self) -> PathBuf {
        PathBuf::from(OsString::from_vec(self.0))
    }

    /// For people: what is not UTF-8 is replaced.
    #[must_use]
    pub fn to_string_lossy(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_string_lossy().fmt(f)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}
impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}
impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}
impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}
impl From<&Path> for Text {
    fn from(path: &Path) -> Self {
        Self(path.as_os_str().as_bytes().to_vec())
    }
}
impl From<PathBuf> for Text {
    fn from(path: PathBuf) -> Self {
        Self(path.into_os_string().into_vec())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Wire<'a> {
    Utf8(std::borrow::Cow<'a, str>),
    Bytes { bytes: std::borrow::Cow<'a, str> },
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Wire::Bytes { bytes: STANDARD.encode(&self.0).into() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Wire::deserialize(deserializer)? {
            Wire::Utf8(text) => Ok(Self(text.into_owned().into_bytes())),
            Wire::Bytes { bytes } => {
                STANDARD.decode(bytes.as_bytes()).map(Self).map_err(serde::de::Error::custom)
            }
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Text that need not be UTF-8, such as a path: a string where it is, and \
                            where it is not an object with its bytes in base64.",
            "anyOf": [
                { "type": "string" },
                {
                    "type": "object",
                    "required": ["bytes"],
                    "properties": { "bytes": { "type": "string", "contentEncoding": "base64" } },
                },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_the_wire() {
        for bytes in [&b"plain"[..], b"", b"\xff\xfe", "Stra\u{df}e \" \\ \n".as_bytes()] {
            let sent = serde_json::to_string(&Text::from(bytes)).unwrap();
            let received: Text = serde_json::from_str(&sent).unwrap();
            assert_eq!(received.as_bytes(), bytes);
        }
    }

    #[test]
    fn broken_base64_is_refused() {
        assert!(serde_json::from_str::<Text>(r#"{"bytes":"?"}"#).is_err());
    }
}
