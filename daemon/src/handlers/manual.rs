//! Methods in words, for `rpc.explain`: what the OpenRPC document says, as a person reads it.
//!
//! It is done here and not by the client so that `hob` stays small, and because a daemon that has
//! more methods can tell of more.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// How wide text is set.
const WIDTH: usize = 96;
/// More words than these are not listed: `kind` of an error is one of them.
const MOST_WORDS: usize = 10;
/// No type is within itself; a daemon that says otherwise is not followed for ever.
const DEEPEST: usize = 12;

/// The methods with their summaries, a line each.
pub(super) fn list(document: &Value) -> String {
    let rows: Vec<(&str, &str)> = methods(document)
        .iter()
        .map(|method| (text(method, "name"), text(method, "summary")))
        .collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |mut list, (name, summary)| {
        let _ = writeln!(list, "{name:<width$}  {}", summary.trim_end_matches('.'));
        list
    })
}

/// The names of all methods.
pub(super) fn names(document: &Value) -> impl Iterator<Item = &str> {
    methods(document).iter().map(|method| text(method, "name"))
}

/// All about a method, if there is one of this name.
pub(super) fn page(method: &str, document: &Value) -> Option<String> {
    let known = methods(document).iter().find(|known| text(known, "name") == method)?;
    Some(Page::of(known, document))
}

fn methods(document: &Value) -> &[Value] {
    list_of(document, "methods")
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list_of<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A page as it is written.
struct Page<'d> {
    components: &'d Value,
    page: String,
    /// Whether it names the type of text that need not be UTF-8.
    has_text: bool,
}

impl<'d> Page<'d> {
    fn of(method: &'d Value, document: &'d Value) -> String {
        let components = document.get("components").unwrap_or(&Value::Null);
        let mut page = Self { components, page: String::new(), has_text: false };
        page.head(method);
        page.params(list_of(method, "params"));
        page.result(method);
        page.errors(list_of(method, "errors"));
        for example in list_of(method, "examples") {
            page.example(text(method, "name"), example);
        }
        page.page
    }

    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.page, "{:indent$}{line}", "");
    }

    /// A paragraph within the width.
    fn prose(&mut self, indent: usize, prose: &str) {
        let mut line = String::new();
        for word in prose.split_whitespace() {
            if !line.is_empty() && indent + line.len() + 1 + word.len() > WIDTH {
                self.line(indent, &line);
                line.clear();
            }
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
        if !line.is_empty() {
            self.line(indent, &line);
        }
    }

    fn head(&mut self, method: &Value) {
        let prose = format!("{} {}", text(method, "summary"), text(method, "description"));
        self.prose(0, &prose);
        let params = if list_of(method, "params").is_empty() { "" } else { " JSON" };
        let _ = writeln!(self.page, "\nUsage: hob rpc {}{params}", text(method, "name"));
    }

    fn params(&mut self, params: &'d [Value]) {
        if params.is_empty() {
            return;
        }
        self.page.push_str("\nParameters, the members of an object:\n");
        for param in params {
            let required = param.get("required") == Some(&Value::Bool(true));
            let schema = param.get("schema").unwrap_or(&Value::Null);
            self.field(text(param, "name"), schema, text(param, "description"), required, 1);
        }
    }

    fn result(&mut self, method: &'d Value) {
        let (title, content) = match method.get("x-subscription") {
            Some(stream) => ("Each item of the stream", stream.get("item")),
            None => ("Result", method.get("result")),
        };
        let content = content.unwrap_or(&Value::Null);
        let schema = content.get("schema").unwrap_or(&Value::Null);
        let kind = self.kind(schema);
        let _ = writeln!(self.page, "\n{title}: {kind}");
        let about = self.resolve(schema).get("description").or(content.get("description"));
        self.prose(2, about.and_then(Value::as_str).unwrap_or_default());
        self.fields(schema, 1);
        if self.has_text {
            self.page.push('\n');
            self.prose(
                0,
                "Text is a string where it is UTF-8, and {\"bytes\": BASE64} where it is not.",
            );
        }
    }

    fn errors(&mut self, errors: &'d [Value]) {
        if errors.is_empty() {
            return;
        }
        self.page.push_str("\nErrors, besides those that any call can end with:\n");
        for error in errors {
            let error = self.resolve(error);
            let kind = error.get("data").map_or("", |data| text(data, "kind"));
            self.line(2, &format!("{kind:<16}  {}", text(error, "message")));
        }
    }

    fn example(&mut self, method: &str, example: &Value) {
        let params = list_of(example, "params").iter();
        let params: Map<String, Value> =
            params.map(|param| (text(param, "name").to_owned(), value(param).clone())).collect();
        let given = match params.is_empty() {
            true => String::new(),
            false => format!(" '{}'", Value::Object(params).to_string().replace('\'', r"'\''")),
        };
        let _ = writeln!(self.page, "\nExample:\n  hob rpc {method}{given}\n");
        match list_of(example, "x-items") {
            [] => {
                let result = example.get("result").map_or(&Value::Null, value);
                for line in format!("{result:#}").lines() {
                    self.line(2, line);
                }
            }
            items => items.iter().for_each(|item| self.line(2, &item.to_string())),
        }
    }

    /// A member with what it is, and what is within it.
    fn field(&mut self, name: &str, schema: &'d Value, about: &str, required: bool, depth: usize) {
        let absent = match schema.get("default") {
            _ if required => String::new(),
            Some(Value::Bool(true)) => ", true if absent".to_owned(),
            Some(Value::String(word)) if !word.is_empty() => format!(", {word} if absent"),
            _ => ", optional".to_owned(),
        };
        let kind = self.kind(schema);
        self.line(2 * depth, &format!("{name}: {kind}{absent}"));
        self.prose(2 * depth + 4, about);
        self.fields(schema, depth + 1);
    }

    /// The members of an object, or of each object of a list.
    fn fields(&mut self, schema: &'d Value, depth: usize) {
        let schema = self.resolve(schema);
        if depth > DEEPEST || is_text(schema) {
            return;
        }
        if let Some(items @ Value::Object(_)) = schema.get("items") {
            return self.fields(items, depth);
        }
        match words(schema) {
            0 => {}
            1..=MOST_WORDS => return self.words(schema, depth),
            _ => return,
        }
        let Some(members) = schema.get("properties").and_then(Value::as_object) else {
            return self.choices(schema, depth);
        };
        let required: Vec<&str> =
            list_of(schema, "required").iter().filter_map(Value::as_str).collect();
        let others = members.keys().map(String::as_str).filter(|name| !required.contains(name));
        for name in required.iter().copied().chain(others) {
            let Some(member) = members.get(name) else { continue };
            let about = match text(member, "description") {
                // What text is stands below, once.
                "" if is_text(self.resolve(member)) => "",
                "" => text(self.resolve(member), "description"),
                about => about,
            };
            self.field(name, member, about, required.contains(&name), depth);
        }
        self.choices(schema, depth);
    }

    /// The members of which there are some or others.
    fn choices(&mut self, schema: &'d Value, depth: usize) {
        let choices = list_of(schema, "oneOf").iter().chain(list_of(schema, "anyOf"));
        for (number, choice) in choices.enumerate() {
            let or = if number == 0 { "either" } else { "or" };
            self.prose(2 * depth, &format!("{or}: {}", text(choice, "description")));
            self.fields(choice, depth + 1);
        }
    }

    fn words(&mut self, schema: &'d Value, depth: usize) {
        for word in list_of(schema, "oneOf") {
            let line = format!("{}: {}", text(word, "const"), text(word, "description"));
            self.prose(2 * depth + 4, &line);
        }
    }

    /// What a schema is, in a few words.
    fn kind(&mut self, schema: &'d Value) -> String {
        let schema = self.resolve(schema);
        if is_text(schema) {
            self.has_text = true;
            return "text".to_owned();
        }
        match words(schema) {
            0 => {}
            1..=MOST_WORDS => return "one of these words".to_owned(),
            more => return format!("one of {more} words"),
        }
        match (type_of(schema), schema.get("items")) {
            ("array", Some(items @ Value::Object(_))) => format!("list of {}", self.kind(items)),
            ("array", Some(Value::Array(items))) => {
                let kinds: Vec<String> = items.iter().map(|item| self.kind(item)).collect();
                format!("list of {}", kinds.join(" and "))
            }
            ("array", _) => "list".to_owned(),
            ("", _) => "object".to_owned(),
            (kind, _) => kind.to_owned(),
        }
    }

    /// The schema itself, where it is one by reference or one that may be null.
    fn resolve(&self, schema: &'d Value) -> &'d Value {
        let mut schema = schema;
        for _ in 0..DEEPEST {
            let inner =
                match (schema.get("$ref"), list_of(schema, "allOf"), list_of(schema, "anyOf")) {
                    (Some(Value::String(place)), ..) => self.at(place),
                    (_, [one], _) => Some(one),
                    (_, _, [one, null]) if type_of(null) == "null" => Some(one),
                    _ => None,
                };
            match inner {
                Some(inner) => schema = inner,
                None => break,
            }
        }
        schema
    }

    fn at(&self, place: &str) -> Option<&'d Value> {
        self.components.pointer(place.strip_prefix("#/components")?)
    }
}

fn value(named: &Value) -> &Value {
    named.get("value").unwrap_or(&Value::Null)
}

/// The type's name; of one that may be null the other.
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::Array(types)) => types.first().and_then(Value::as_str).unwrap_or_default(),
        Some(kind) => kind.as_str().unwrap_or_default(),
        None => "",
    }
}

/// How many words a value can be; 0 where it is something else.
fn words(schema: &Value) -> usize {
    let choices = list_of(schema, "oneOf");
    let all = choices.iter().all(|word| word.get("const").is_some_and(Value::is_string));
    if all { choices.len() } else { 0 }
}

/// A string, or an object with bytes.
fn is_text(schema: &Value) -> bool {
    match list_of(schema, "anyOf") {
        [string, object] => {
            type_of(string) == "string" && object.pointer("/properties/bytes").is_some()
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "manual_tests.rs"]
mod tests;
