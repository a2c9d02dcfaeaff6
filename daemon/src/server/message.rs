//! A frame taken apart by the rules of JSON-RPC 2.0, without a look at parameters.

use super::fault;
use jsonrpsee::types::{ErrorObjectOwned, Id};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What a frame holds.
#[derive(Debug)]
pub(super) enum Frame<'a> {
    /// One message.
    Single(Message<'a>),
    /// Several, in one array.
    Batch(Vec<&'a RawValue>),
}

/// What a peer can say.
#[derive(Debug)]
pub(super) enum Message<'a> {
    /// It asks.
    Request(Request<'a>),
    /// It tells.
    Notification {
        /// What it tells.
        method: String,
        /// The parameters, as they came.
        params: Option<&'a RawValue>,
    },
    /// It answers what the daemon asked.
    Answer {
        /// The id of the daemon's request.
        id: Id<'static>,
        /// The result, or the error as it came.
        outcome: Result<&'a RawValue, &'a RawValue>,
    },
    /// It is mistaken.
    Invalid {
        /// The id, where there is a proper one.
        id: Id<'static>,
        /// What is wrong.
        error: ErrorObjectOwned,
    },
}

/// How long an id may be: it comes back with each answer, and is kept meanwhile.
const ID_BYTES: usize = 1024;

/// A call.
#[derive(Debug)]
pub(super) struct Request<'a> {
    /// What the answer is to be marked with.
    pub(super) id: Id<'static>,
    /// The name of the method.
    pub(super) method: String,
    /// The parameters, as they came.
    pub(super) params: Option<&'a RawValue>,
}

/// Takes a frame apart.
///
/// # Errors
/// The frame is no JSON object or array.
pub(super) fn parse(frame: &[u8]) -> Result<Frame<'_>, ErrorObjectOwned> {
    let text = std::str::from_utf8(frame)
        .map_err(|error| fault::unreadable(&format!("byte {}: not UTF-8", error.valid_up_to())))?;
    match text.trim_ascii_start().as_bytes().first() {
        Some(b'{') => parse_object(text).map(Frame::Single),
        Some(b'[') => serde_json::from_str(text).map(Frame::Batch).map_err(not_json),
        _ => Err(fault::unreadable("expected `{` or `[`")),
    }
}

/// Takes an entry of a batch apart.
pub(super) fn parse_entry(entry: &RawValue) -> Message<'_> {
    let text = entry.get();
    match text.as_bytes().first() {
        Some(b'{') => parse_object(text)
            .unwrap_or_else(|_| invalid(Id::Null, "a member is given more than once")),
        _ => invalid(Id::Null, "an entry of a batch must be an object"),
    }
}

/// The members of a message. All are taken raw, so that one of a wrong type does not hide the id.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "even_null")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Tells a member that is `null` from one that is absent.
fn even_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

fn parse_object(text: &str) -> Result<Message<'_>, ErrorObjectOwned> {
    match serde_json::from_str::<Members<'_>>(text) {
        Ok(members) => Ok(classify(&members)),
        // A member given twice stops the parser; what follows may be no JSON at all.
        Err(error) if error.is_data() => match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => Ok(invalid(Id::Null, "a member is given more than once")),
            Err(error) => Err(not_json(error)),
        },
        Err(error) => Err(not_json(error)),
    }
}

fn classify<'a>(members: &Members<'a>) -> Message<'a> {
    let id = match members.id.map(parse_id) {
        Some(None) => return invalid(Id::Null, "`id` must be null, a whole number or a string"),
        Some(Some(Id::Str(id))) if id.len() > ID_BYTES => {
            return invalid(Id::Null, "`id` must be a string of at most 1,024 bytes");
        }
        Some(Some(id)) => Some(id),
        None => None,
    };
    let known = id.clone().unwrap_or(Id::Null);
    if members.jsonrpc.map(RawValue::get) != Some("\"2.0\"") {
        return invalid(known, "`jsonrpc` must be \"2.0\"");
    }
    let Some(method) = members.method else {
        return match (members.result, members.error) {
            (Some(result), None) => Message::Answer { id: known, outcome: Ok(result) },
            (None, Some(error)) => Message::Answer { id: known, outcome: Err(error) },
            _ => invalid(known, "`method` is missing"),
        };
    };
    let Ok(method) = serde_json::from_str::<String>(method.get()) else {
        return invalid(known, "`method` must be a string");
    };
    let params = members.params;
    if params.is_some_and(|params| !params.get().starts_with(['{', '['])) {
        return invalid(known, "`params` must be an object or an array");
    }
    match id {
        Some(id) => Message::Request(Request { id, method, params }),
        None => Message::Notification { method, params },
    }
}

/// An id, if it is one that the protocol has: null, a whole number from 0, or a string.
pub(super) fn parse_id(raw: &RawValue) -> Option<Id<'static>> {
    serde_json::from_str::<Id<'_>>(raw.get()).ok().map(Id::into_owned)
}

fn invalid(id: Id<'static>, what: &str) -> Message<'static> {
    Message::Invalid { id, error: fault::invalid_request(what) }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn not_json(error: serde_json::Error) -> ErrorObjectOwned {
    // The text of serde's error names the place and what is wrong with it, not the content.
    fault::unreadable(&error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(frame: &str, expected: &str) {
        let told = match parse(frame.as_bytes()) {
            Ok(Frame::Single(message)) => tell(&message),
            Ok(Frame::Batch(entries)) => entries
                .into_iter()
                .map(|entry| tell(&parse_entry(entry)))
                .collect::<Vec<_>>()
                .join("; "),
            Err(error) => format!("{} {}", error.code(), error.message()),
        };
        assert_eq!(told, expected, "{frame}");
    }

    fn tell(message: &Message<'_>) -> String {
        match message {
            Message::Request(request) => format!("request {} {}", request.id, request.method),
            Message::Notification { method, .. } => format!("notification {method}"),
            Message::Answer { id, outcome } => format!("answer {id} {}", outcome.is_ok()),
            Message::Invalid { id, error } => format!("{} {id}: {}", error.code(), error.message()),
        }
    }

    #[test]
    fn messages_are_told_apart() {
        check(r#"{"jsonrpc":"2.0","id":7,"method":"a.b"}"#, "request 7 a.b");
        check(r#"{"jsonrpc":"2.0","id":null,"method":"a.b","params":null}"#, "request null a.b");
        check(r#"{"jsonrpc":"2.0","id":"x\ny","method":"a.b"}"#, "request x\ny a.b");
        check(r#"{"jsonrpc":"2.0","method":"a.b","params":[1]}"#, "notification a.b");
        check(r#"{"jsonrpc":"2.0","id":1,"result":null}"#, "answer 1 true");
        check(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#, "answer 1 false");
        check("[]", "");
    }

    #[test]
    fn an_id_of_another_type_is_refused() {
        for id in ["1.5", "-1", "true", "{}", "[]", "1e3", "99999999999999999999"] {
            let frame = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"a"}}"#);
            check(
                &frame,
                "-32600 null: invalid request: `id` must be null, a whole number or a string",
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_the_id() {
        check(r#"{"id":7,"method":"a"}"#, "-32600 7: invalid request: `jsonrpc` must be \"2.0\"");
        check(r#"{"jsonrpc":"2.0","id":7}"#, "-32600 7: invalid request: `method` is missing");
        check(
            r#"{"jsonrpc":"2.0","id":7,"method":1}"#,
            "-32600 7: invalid request: `method` must be a string",
        );
        check(
            r#"{"jsonrpc":"2.0","id":7,"method":"a","params":1}"#,
            "-32600 7: invalid request: `params` must be an object or an array",
        );
        check(
            r#"{"jsonrpc":"2.0","id":7,"id":8,"method":"a"}"#,
            "-32600 null: invalid request: a member is given more than once",
        );
        check("[1]", "-32600 null: invalid request: an entry of a batch must be an object");
    }

    #[test]
    fn garbage_is_a_parse_error() {
        check("hello", "-32700 cannot read the frame: expected `{` or `[`");
        check("{", "-32700 cannot read the frame: EOF while parsing an object at line 1 column 1");
        assert!(parse(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}").is_err());
        assert!(parse(br#"{"id":1,"id":2,}"#).is_err());
    }

    // A parser that recurses without a limit overflows its stack, and takes the daemon with it.
    #[test]
    fn depth_does_not_overflow_the_stack() {
        let deep = "[".repeat(1_000_000);
        assert!(parse(deep.as_bytes()).is_err());
        let closed = format!("{deep}{}", "]".repeat(1_000_000));
        let params = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"a","params":{closed}}}"#);
        assert!(parse(params.as_bytes()).is_ok());
        assert!(parse(closed.as_bytes()).is_ok());
    }
}
