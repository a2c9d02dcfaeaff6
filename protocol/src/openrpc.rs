//! The description of the interface: an [OpenRPC](https://spec.open-rpc.org) document, made of the
//! table of methods, the types with their comments, and the examples.
//!
//! Beyond OpenRPC it has `x-subscription` in a method that asks for a stream, `x-items` in an example
//! of one, and `x-protocol`, the number of the interface.

use crate::api::{DOCS, Method, Param, Subscription, methods};
use crate::interface::{Docs, Schema};
use crate::{Kind, OpenRpc, PROTOCOL};
use schemars::JsonSchema as _;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The whole interface.
///
/// # Errors
/// An example is no JSON, which a test finds.
pub fn document() -> serde_json::Result<OpenRpc> {
    let mut generators = Generators::new();
    let mut described = Vec::new();
    for (method, docs) in documented() {
        described.push(asked(method, docs, &mut generators)?);
        described.extend(method.subscription.map(|stream| ended(&stream)));
    }
    let document = Document {
        openrpc: "1.3.2",
        info: Info {
            title: "hob",
            description: "What the daemon of hob answers. `protocol/README.md` says how it is asked.",
            version: concat_version(),
            protocol: PROTOCOL,
        },
        methods: described,
        components: Components { errors: errors(), schemas: generators.schemas() },
    };
    to_raw_value(&document).map(OpenRpc)
}

/// The number of the interface, then the version of the crate.
fn concat_version() -> String {
    format!("{PROTOCOL}+{}", env!("CARGO_PKG_VERSION"))
}

#[derive(Serialize)]
struct Document {
    openrpc: &'static str,
    info: Info,
    methods: Vec<Described>,
    components: Components,
}

#[derive(Serialize)]
struct Info {
    title: &'static str,
    description: &'static str,
    version: String,
    #[serde(rename = "x-protocol")]
    protocol: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Described {
    name: &'static str,
    summary: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    tags: Vec<Value>,
    param_structure: &'static str,
    params: Vec<Content>,
    result: Content,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Value>,
    #[serde(rename = "x-subscription", skip_serializing_if = "Option::is_none")]
    subscription: Option<Stream>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Pairing>,
}

/// OpenRPC's content descriptor.
#[derive(Serialize)]
struct Content {
    name: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<bool>,
    schema: Value,
}

/// What a stream is beyond the call that asks for it. Each notification has
/// `{"subscription": ID, "result": ITEM}` as its parameters.
#[derive(Serialize)]
struct Stream {
    notification: &'static str,
    unsubscribe: &'static str,
    item: Content,
}

#[derive(Serialize)]
struct Pairing {
    name: &'static str,
    params: Vec<Named>,
    result: Named,
    #[serde(rename = "x-items", skip_serializing_if = "Vec::is_empty")]
    items: Vec<Box<RawValue>>,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
    value: Box<RawValue>,
}

#[derive(Serialize)]
struct Components {
    errors: Map<String, Value>,
    schemas: Map<String, Value>,
}

/// A file of `protocol/examples`, as it is written by hand and completed by a test.
#[derive(Deserialize)]
struct Example<'a> {
    #[serde(borrow)]
    params: BTreeMap<&'a str, &'a RawValue>,
    #[serde(borrow)]
    result: &'a RawValue,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

/// Parameters are described as they are read, results as they are written: what may be missing
/// differs.
struct Generators {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Generators {
    fn new() -> Self {
        let mut settings = SchemaSettings::draft07();
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        let read = settings.clone().for_deserialize().into_generator();
        Self { read, written: settings.for_serialize().into_generator() }
    }

    /// All types that were named.
    fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.written.take_definitions(true);
        schemas.extend(self.read.take_definitions(true));
        schemas.values_mut().for_each(plain_descriptions);
        schemas
    }
}

/// All methods, with what is said of them.
fn documented() -> impl Iterator<Item = (&'static Method, &'static Docs)> {
    methods().zip(DOCS.iter().copied().flatten())
}

fn asked(
    method: &Method,
    docs: &Docs,
    generators: &mut Generators,
) -> serde_json::Result<Described> {
    let (summary, description) = told(docs.about);
    let result = Content {
        name: docs.result,
        description: String::new(),
        required: None,
        schema: (docs.schema)(&mut generators.written).to_value(),
    };
    let fails = docs.fails.iter();
    let params = method.params.iter().zip(docs.params);
    let (result, subscription) = match method.subscription {
        None => (result, None),
        Some(stream) => (id("The id of the subscription."), Some(Stream::new(&stream, result))),
    };
    Ok(Described {
        name: method.name,
        summary,
        description,
        tags: tags(method.name),
        param_structure: "either",
        params: params.map(|(param, said)| content(param, said, &mut generators.read)).collect(),
        errors: fails.map(|kind| json!({ "$ref": error_place(*kind) })).collect(),
        examples: vec![pairing(method, docs.example, result.name)?],
        result,
        subscription,
    })
}

/// The method that ends a subscription.
fn ended(stream: &Subscription) -> Described {
    Described {
        name: stream.unsubscribe,
        summary: format!("Ends a subscription of `{}`.", stream.subscribe),
        description: String::new(),
        tags: tags(stream.unsubscribe),
        param_structure: "either",
        params: vec![Content {
            required: Some(true),
            ..id("What the subscription was given as its id.")
        }],
        result: Content {
            name: "bool",
            description: "Whether there was such a subscription.".to_owned(),
            required: None,
            schema: json!({ "type": "boolean" }),
        },
        errors: Vec::new(),
        subscription: None,
        examples: Vec::new(),
    }
}

impl Stream {
    fn new(stream: &Subscription, item: Content) -> Self {
        Self { notification: stream.notification, unsubscribe: stream.unsubscribe, item }
    }
}

fn id(description: &str) -> Content {
    Content {
        name: "subscription",
        description: description.to_owned(),
        required: None,
        schema: json!({ "type": "integer", "minimum": 0 }),
    }
}

fn content(
    param: &Param,
    (about, schema): &(&str, Schema),
    generator: &mut SchemaGenerator,
) -> Content {
    let (summary, description) = told(about);
    Content {
        name: param.name,
        description: format!("{summary} {description}").trim_end().to_owned(),
        required: Some(!param.optional),
        schema: schema(generator).to_value(),
    }
}

/// The area of a method.
fn tags(name: &str) -> Vec<Value> {
    let area = name.split('.').next().unwrap_or_default();
    vec![json!({ "name": area })]
}

fn pairing(method: &Method, example: &str, result: &'static str) -> serde_json::Result<Pairing> {
    let example: Example<'_> = serde_json::from_str(example)?;
    let params = method.params.iter().filter_map(|param| {
        let value = compact(example.params.get(param.name)?);
        Some(value.map(|value| Named { name: param.name, value }))
    });
    Ok(Pairing {
        name: "example",
        params: params.collect::<Result<_, _>>()?,
        result: Named { name: result, value: compact(example.result)? },
        items: example.items.into_iter().map(compact).collect::<Result<_, _>>()?,
    })
}

/// The same without space between its tokens: a line feed would end a frame.
fn compact(json: &RawValue) -> serde_json::Result<Box<RawValue>> {
    let mut text = String::with_capacity(json.get().len());
    let (mut within, mut escaped) = (false, false);
    for char in json.get().chars() {
        if within || !char.is_ascii_whitespace() {
            text.push(char);
        }
        within ^= char == '"' && !escaped;
        escaped = within && char == '\\' && !escaped;
    }
    RawValue::from_string(text)
}

/// The kinds with their codes. Those that are no method's own can end any call.
fn errors() -> Map<String, Value> {
    kinds()
        .map(|(word, kind, about)| {
            let data = json!({ "kind": word, "hint": "" });
            let error = json!({ "code": kind.code(), "message": about, "data": data });
            (word, error)
        })
        .collect()
}

/// Each kind with its word and what it means, in the order of the declaration.
pub fn kinds() -> impl Iterator<Item = (String, Kind, String)> {
    let schema = Kind::json_schema(&mut Generators::new().written).to_value();
    let variants = schema["oneOf"].as_array().cloned().unwrap_or_default();
    variants.into_iter().filter_map(|variant| {
        let kind = serde_json::from_value(variant["const"].clone()).ok()?;
        let about = variant["description"].as_str().unwrap_or_default();
        Some((variant["const"].as_str()?.to_owned(), kind, plain(about)))
    })
}

fn error_place(kind: Kind) -> String {
    let word = serde_json::to_value(kind).unwrap_or_default();
    format!("#/components/errors/{}", word.as_str().unwrap_or_default())
}

/// A comment as the first sentence and the rest.
fn told(about: &str) -> (String, String) {
    let text = plain(about);
    match text.split_once(". ") {
        Some((summary, rest)) => (format!("{summary}."), rest.to_owned()),
        None => (text, String::new()),
    }
}

/// A comment as running text: without its line breaks, and without the links between the types of
/// Rust, of which only the name stays.
fn plain(comment: &str) -> String {
    let text = comment.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = text.split("[`");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (link, rest) = part.split_once("`]").unwrap_or((part, ""));
        let name = link.rsplit("::").next().unwrap_or(link);
        plain.extend(["`", name, "`", rest]);
    }
    plain
}

fn plain_descriptions(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("description", Value::String(text)) => *text = plain(text),
                    (_, member) => plain_descriptions(member),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(plain_descriptions),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_goes_but_not_within_strings() {
        let json = r#"{ "a" : [ 1,
            "b \" c \\" , true ] }"#;
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        assert_eq!(compact(raw).unwrap().get(), r#"{"a":[1,"b \" c \\",true]}"#);
    }

    #[test]
    fn comments_become_plain_text() {
        let comment = " At most [`crate::a::Limit`]\n of `these`, [`Other`]. More.\n";
        let told = told(comment);
        assert_eq!(told, ("At most `Limit` of `these`, `Other`.".into(), "More.".into()));
    }

    #[test]
    fn what_is_read_and_written_is_described_the_same() {
        let mut generators = Generators::new();
        for (method, docs) in documented() {
            asked(method, docs, &mut generators).unwrap();
        }
        let read = generators.read.take_definitions(true);
        for (name, written) in generators.written.take_definitions(true) {
            assert!(read.get(&name).is_none_or(|read| *read == written), "{name}");
        }
    }

    /// Adds a member to each object, as a newer daemon may.
    fn grow(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.values_mut().for_each(grow);
                members.insert("unheard_of".to_owned(), json!({ "tea": [1] }));
            }
            Value::Array(values) => values.iter_mut().for_each(grow),
            _ => {}
        }
    }

    #[test]
    fn a_client_ignores_members_that_it_does_not_know() {
        for (method, docs) in documented() {
            let example: Value = serde_json::from_str(docs.example).unwrap();
            let answers = match method.subscription {
                Some(_) => example["items"].as_array().unwrap().clone(),
                None => vec![example["result"].clone()],
            };
            for mut answer in answers {
                // The word that tells the items of a stream apart stands alone.
                let within = ["output", "warning", "done", "failed"];
                match within.iter().find(|word| answer.get(word).is_some()) {
                    Some(word) => grow(&mut answer[word]),
                    None => grow(&mut answer),
                }
                let answer = answer.to_string();
                let read = (docs.read)(&answer);
                assert!(read.is_ok(), "{}: {read:?}: {answer}", method.name);
            }
        }
    }
}
