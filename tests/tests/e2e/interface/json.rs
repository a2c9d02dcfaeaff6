//! JSON that keeps the order of its members, for examples that look as the daemon sends them.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A value. What is no list and no object is kept as its text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Plain(serde_json::Value),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> &str {
        let Self::Plain(value) = self else { return "" };
        value.as_str().unwrap_or_default()
    }

    /// On one line.
    pub(super) fn line(&self) -> String {
        let (open, inner, close) = match self {
            Self::Plain(value) => return value.to_string(),
            Self::List(values) => ('[', values.iter().map(Self::line).collect::<Vec<_>>(), ']'),
            Self::Object(members) => (
                '{',
                members.iter().map(|(name, value)| member(name, &value.line())).collect(),
                '}',
            ),
        };
        format!("{open}{}{close}", inner.join(", "))
    }

    /// On as many lines as it needs, each within `WIDTH`, as far as that goes.
    pub(super) fn fitted(&self, indent: usize) -> String {
        const WIDTH: usize = 96;
        let line = self.line();
        if indent + line.len() <= WIDTH {
            return line;
        }
        let deeper = indent + 2;
        let (open, inner, close) = match self {
            Self::Plain(_) => return line,
            Self::List(values) => {
                ('[', values.iter().map(|value| value.fitted(deeper)).collect::<Vec<_>>(), ']')
            }
            Self::Object(members) => {
                let fitted = |(name, value): &(String, Self)| member(name, &value.fitted(deeper));
                ('{', members.iter().map(fitted).collect(), '}')
            }
        };
        let before = format!("\n{:deeper$}", "");
        format!("{open}{before}{}\n{:indent$}{close}", inner.join(&format!(",{before}")), "")
    }
}

fn member(name: &str, value: &str) -> String {
    format!("{}: {value}", serde_json::Value::from(name))
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Ordered)
    }
}

struct Ordered;

impl<'de> Visitor<'de> for Ordered {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Plain(serde_json::Value::Null))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Plain(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Json::List(values))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}
