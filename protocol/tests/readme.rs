//! `protocol/README.md` says what the interface is: its generated parts are made here, of what
//! `rpc.discover` answers and of the examples.
//!
//! After a change that is meant: `UPDATE_EXPECT=1 cargo test -p hob-protocol --test readme`.

#![allow(clippy::unwrap_used, reason = "a test that fails, fails there")]

use expect_test::expect_file;
use hob_protocol::openrpc::{document, kinds};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_reference_is_what_the_daemon_describes() {
    let path = folder().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let document: Value = serde_json::from_str(document().unwrap().0.get()).unwrap();
    let readme = with(&readme, "number", &format!("The number is **{}**.", hob_protocol::PROTOCOL));
    let readme = with(&readme, "kinds", &errors());
    let readme = with(&readme, "methods", &methods(&document));
    let readme = with(&readme, "types", &types(&document));
    expect_file![path].assert_eq(&readme);
}

/// The page with what stands between two marks replaced.
fn with(page: &str, part: &str, text: &str) -> String {
    let (begin, end) = (format!("<!-- {part}: generated -->\n"), format!("<!-- {part}: end -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("no `{begin}`"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("no `{end}`"));
    format!("{before}{begin}\n{}\n\n{end}{after}", text.trim_end())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn errors() -> String {
    let rows =
        kinds().map(|(word, kind, about)| format!("| `{word}` | {} | {about} |", kind.code()));
    table("kind", "code", rows.collect())
}

/// A table, or nothing where there are no rows.
fn table(first: &str, second: &str, rows: Vec<String>) -> String {
    match rows.is_empty() {
        true => String::new(),
        false => format!("| {first} | {second} | |\n| --- | --- | --- |\n{}\n\n", rows.join("\n")),
    }
}

fn methods(document: &Value) -> String {
    // Those that end a subscription have no example, and are told where it is.
    let methods = list(document, "methods").iter();
    methods.filter(|method| !list(method, "examples").is_empty()).map(method).collect()
}

fn method(method: &Value) -> String {
    let name = text(method, "name");
    let mut page =
        format!("### `{name}`\n\n{} {}", text(method, "summary"), text(method, "description"));
    page.truncate(page.trim_end().len());
    page.push_str("\n\n");
    let params = list(method, "params").iter().map(|param| {
        let optional = if param["required"] == true { "" } else { ", optional" };
        let about = text(param, "description");
        format!("| `{}` | {}{optional} | {about} |", text(param, "name"), kind(&param["schema"]))
    });
    page.push_str(&table("parameter", "type", params.collect()));
    match &method["x-subscription"] {
        Value::Null => write!(page, "Result: {}.", kind(&method["result"]["schema"])),
        stream => write!(
            page,
            "Result: the id of the subscription, an integer. Each `{}` has {} as its `result`; `{}` ends it.",
            text(stream, "notification"),
            kind(&stream["item"]["schema"]),
            text(stream, "unsubscribe"),
        ),
    }
    .unwrap();
    let word = |error: &Value| format!("`{}`", text(error, "$ref").rsplit('/').next().unwrap());
    let errors: Vec<String> = list(method, "errors").iter().map(word).collect();
    if !errors.is_empty() {
        write!(page, " Errors: {}.", errors.join(", ")).unwrap();
    }
    let example = folder().join("examples").join(format!("{name}.json"));
    let example = std::fs::read_to_string(example).unwrap();
    page + &format!("\n\n```json\n{}\n```\n\n", example.trim_end())
}

fn types(document: &Value) -> String {
    let types = document["components"]["schemas"].as_object().unwrap().iter();
    let page = types.map(|(name, schema)| {
        let rows = match name.as_str() {
            // The kinds have a table of their own, and text is explained above.
            "Kind" | "Text" => Vec::new(),
            _ => rows(schema),
        };
        let about = text(schema, "description");
        format!("### {name}\n\n{about}\n\n{}{}", words(schema), table("member", "type", rows))
    });
    page.collect()
}

/// The words that a value can be.
fn words(schema: &Value) -> String {
    let words = list(schema, "oneOf").iter().filter(|word| word["const"].is_string());
    let words: Vec<String> = words
        .map(|word| format!("- `{}`: {}\n", text(word, "const"), text(word, "description")))
        .collect();
    if words.is_empty() { String::new() } else { words.concat() + "\n" }
}

/// The members of an object, a row each: those first that are always there.
fn rows(schema: &Value) -> Vec<String> {
    let names = list(schema, "required").iter().filter_map(Value::as_str);
    let required: Vec<&str> = names.collect();
    let members = schema["properties"].as_object();
    let others = members.into_iter().flat_map(|members| members.keys().map(String::as_str));
    let others = others.filter(|name| !required.contains(name));
    let named = |name| Some((name, members?.get(name)?));
    let mut rows: Vec<String> = required
        .iter()
        .copied()
        .chain(others)
        .filter_map(named)
        .map(|(name, member)| {
            row(name, member, required.contains(&name), text(schema, "description"))
        })
        .collect();
    for choice in list(schema, "oneOf").iter().chain(list(schema, "anyOf")) {
        match reference(choice) {
            Some(link) => rows.push(format!("| … | | the members of {link} |")),
            None => {
                let others = self::rows(choice);
                rows.extend(others.iter().map(|row| row.replacen("| `", "| or `", 1)));
            }
        }
    }
    rows
}

fn row(name: &str, member: &Value, required: bool, within: &str) -> String {
    let absent = match &member["default"] {
        _ if required => String::new(),
        Value::Bool(true) => ", true if absent".to_owned(),
        Value::String(word) if !word.is_empty() => format!(", `{word}` if absent"),
        _ => ", optional".to_owned(),
    };
    let about = match text(member, "description") {
        // Of several members of which there is one, the comment is that of the choice.
        "" => within,
        about => about,
    };
    format!("| `{name}` | {}{absent} | {about} |", kind(member))
}

/// A link to the type that a schema is, if it is one by name.
fn reference(schema: &Value) -> Option<String> {
    let place = match (&schema["$ref"], list(schema, "allOf"), list(schema, "anyOf")) {
        (Value::String(place), ..) => place,
        (_, [one], _) => return reference(one),
        (_, _, [one, null]) if null["type"] == "null" => return reference(one),
        _ => return None,
    };
    let name = place.rsplit('/').next()?;
    Some(format!("[{name}](#{})", name.to_lowercase()))
}

fn kind(schema: &Value) -> String {
    if let Some(link) = reference(schema) {
        return link;
    }
    let name = match &schema["type"] {
        Value::Array(types) => types[0].as_str().unwrap(),
        one => one.as_str().unwrap_or("object"),
    };
    match (name, &schema["items"]) {
        ("array", Value::Array(items)) => {
            format!("[{}]", items.iter().map(kind).collect::<Vec<_>>().join(", "))
        }
        ("array", items) => format!("list of {}", kind(items)),
        (name, _) => name.to_owned(),
    }
}
