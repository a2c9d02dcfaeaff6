//! The errors that the server itself answers with, and jsonrpsee's brought into our shape.
//!
//! Every error that leaves the daemon has `data: {kind, hint}`.

use crate::nearest::nearest;
use hob_protocol::Kind;
use jsonrpsee::MethodResponse;
use jsonrpsee::types::{ErrorObject, ErrorObjectOwned, Id};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

/// jsonrpsee's code for an answer past the limit. It is also [`Kind::TooLarge`]'s.
const OVERSIZED: i32 = jsonrpsee::types::error::OVERSIZED_RESPONSE_CODE;

pub(super) fn unreadable(what: &str) -> ErrorObjectOwned {
    Kind::ParseError.error(
        format!("cannot read the frame: {what}"),
        "a frame is one JSON object or array, in UTF-8",
    )
}

pub(super) fn invalid_request(what: &str) -> ErrorObjectOwned {
    Kind::InvalidRequest
        .error(format!("invalid request: {what}"), "see https://www.jsonrpc.org/specification")
}

pub(super) fn repeated_id(id: &Id<'_>) -> ErrorObjectOwned {
    Kind::InvalidRequest.error(
        format!(
            "invalid request: a request with the id `{}` is running already",
            shorten(&id.to_string())
        ),
        "give each request of a connection an id of its own",
    )
}

pub(crate) fn unknown_method<'a>(
    method: &str,
    known: impl Iterator<Item = &'a str>,
) -> ErrorObjectOwned {
    let hint = match nearest(method, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`hob rpc --list` lists all, `rpc.discover` describes them".to_owned(),
    };
    Kind::MethodNotFound.error(format!("there is no method `{}`", shorten(method)), hint)
}

pub(super) fn too_many(what: &str, limit: usize, hint: &str) -> ErrorObjectOwned {
    Kind::TooMany.error(format!("more than {limit} {what}"), hint)
}

pub(super) fn large_frame(limit: usize) -> ErrorObjectOwned {
    Kind::TooLarge.error(
        format!("a frame of more than {limit} bytes"),
        "send less at once, or raise `limits.frame_bytes`",
    )
}

pub(super) fn large_answer(limit: usize) -> ErrorObjectOwned {
    Kind::TooLarge.error(
        format!("the answer has more than {limit} bytes"),
        "ask for a stream, as with `index.searchStream`, or for less",
    )
}

pub(super) fn slow_frame(patience: std::time::Duration) -> ErrorObjectOwned {
    Kind::Deadline.error(
        format!("no whole frame within {} ms", patience.as_millis()),
        "end each request with a line feed, or send all that its `Content-Length` says",
    )
}

pub(super) fn cancelled() -> ErrorObjectOwned {
    Kind::Cancelled.error("the request was cancelled", "")
}

pub(super) fn stopping() -> ErrorObjectOwned {
    Kind::Stopping.error("the daemon is stopping", "connect again: the next one starts by itself")
}

pub(super) fn internal() -> ErrorObjectOwned {
    Kind::Internal.error("a fault in the daemon", "its log says more: `hob daemon logs`")
}

pub(super) fn foreign(uid: u32) -> ErrorObjectOwned {
    Kind::Forbidden.error(
        format!("this daemon serves another user than you (uid {uid})"),
        "unset `HOB_SOCKET`, and hob starts a daemon of your own",
    )
}

/// The error in our shape, whoever made it.
pub(super) fn with_kind(
    error: &ErrorObject<'_>,
    params: Option<&RawValue>,
    limit: usize,
) -> ErrorObjectOwned {
    /// `data` as all of our errors have it; a kind that is newer than this daemon is let through.
    #[derive(Deserialize)]
    struct Ours {
        #[serde(rename = "kind")]
        _kind: String,
        #[serde(rename = "hint")]
        _hint: String,
    }
    let data = error.data().map_or("null", RawValue::get);
    if serde_json::from_str::<Ours>(data).is_ok() {
        return error.clone().into_owned();
    }
    match error.code() {
        OVERSIZED => large_answer(limit),
        -32602 => bad_params(&serde_json::from_str::<String>(data).unwrap_or_default(), params),
        -32603 => internal(),
        code => {
            let data = hob_protocol::ErrorData { kind: Kind::Internal, hint: String::new() };
            ErrorObjectOwned::owned(code, error.message(), Some(data))
        }
    }
}

/// A handler's answer, with its error, if it is one, in our shape.
pub(super) fn reshape(
    response: MethodResponse,
    params: Option<&RawValue>,
    limit: usize,
) -> MethodResponse {
    #[derive(Deserialize)]
    struct Failed<'a> {
        #[serde(borrow)]
        id: Id<'a>,
        #[serde(borrow)]
        error: ErrorObject<'a>,
    }
    if response.is_success() {
        return response;
    }
    let (id, error) = match serde_json::from_str::<Failed<'_>>(response.as_ref()) {
        Ok(failed) => (failed.id.into_owned(), with_kind(&failed.error, params, limit)),
        Err(_) => (Id::Null, internal()),
    };
    match response.is_subscription() {
        true => MethodResponse::subscription_error(id, error),
        false => MethodResponse::error(id, error),
    }
}

/// serde says what is wrong and at which column; the caller wants the parameter's name.
fn bad_params(what: &str, params: Option<&RawValue>) -> ErrorObjectOwned {
    let (cause, place) = match what.rsplit_once(" at line ") {
        Some((cause, place)) => (cause, place),
        None => (what, ""),
    };
    let name = place
        .split_once(" column ")
        .and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)))
        .and_then(|(line, column)| parameter_at(params?.get(), line, column));
    let cause = match cause {
        "" => "they do not fit the method",
        "No more params" => "too few of them",
        cause => cause,
    };
    let hint = "parameters are given by name, as an object";
    match name {
        // `missing field` names it already, at the end of the object that lacks it.
        Some(name) if !cause.starts_with("missing field") => {
            Kind::BadParams.error(format!("bad parameter `{name}`: {}", shorten(cause)), hint)
        }
        Some(name) => Kind::BadParams.error(format!("bad parameter in `{name}`: {cause}"), hint),
        None => Kind::BadParams.error(format!("bad parameters: {}", shorten(cause)), hint),
    }
}

/// The dotted name of the value around a place in a JSON object, as serde counts lines and columns.
fn parameter_at(text: &str, line: usize, column: usize) -> Option<String> {
    let start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let offset = start + column;
    let (name, value) = members(text)?.into_iter().rev().find(|(_, value)| {
        let begin = value.get().as_ptr().addr() - text.as_ptr().addr();
        begin < offset && offset <= begin + value.get().len()
    })?;
    let begin = value.get().as_ptr().addr() - text.as_ptr().addr();
    match parameter_at(value.get(), 1, offset - begin) {
        Some(inner) if !value.get().contains('\n') => Some(format!("{name}.{inner}")),
        _ => Some(name),
    }
}

/// The members of a JSON object with their values, borrowed from its text.
fn members(text: &str) -> Option<Vec<(String, &RawValue)>> {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = Vec<(String, &'de RawValue)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(text), Members)
        .ok()
}

/// What a peer has sent is repeated only in part.
fn shorten(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hob_protocol::SearchQuery;

    fn complaint(params: &str) -> String {
        #[derive(Debug, Deserialize)]
        struct Given {
            #[serde(rename = "query")]
            _query: SearchQuery,
            #[serde(rename = "wait")]
            _wait: Option<bool>,
        }
        let error = serde_json::from_str::<Given>(params).unwrap_err();
        let raw = RawValue::from_string(params.to_owned()).unwrap();
        bad_params(&error.to_string(), Some(&raw)).message().to_owned()
    }

    #[test]
    fn a_bad_parameter_is_named() {
        let query = r#"{"patterns":["a"],"cwd":"/"}"#;
        let wait = format!(r#"{{"query":{query},"wait":"yes"}}"#);
        assert!(complaint(&wait).starts_with("bad parameter `wait`: invalid type: string"));
        assert_eq!(complaint("{}"), "bad parameters: missing field `query`");
        let nested = r#"{"wait":true,"query":{"patterns":["a"],"cwd":"/","limit":"x"}}"#;
        assert!(complaint(nested).starts_with("bad parameter `query.limit`: invalid type"));
        let missing = r#"{"query":{"cwd":"/"}}"#;
        assert_eq!(complaint(missing), "bad parameter in `query`: missing field `patterns`");
        let lines = "{\n \"wait\": 5,\n \"query\": 1}";
        assert!(complaint(lines).starts_with("bad parameter `wait`: invalid type: integer"));
    }

    #[test]
    fn every_error_gets_a_kind() {
        for code in [-32008, -32602, -32603, -32000, 12] {
            let bare = ErrorObject::owned(code, "x", None::<()>);
            let data = with_kind(&bare, None, 5).data().unwrap().get().to_owned();
            assert!(serde_json::from_str::<hob_protocol::ErrorData>(&data).is_ok(), "{data}");
        }
        let ours = Kind::RootGone.error("x", "y");
        assert_eq!(with_kind(&ours, None, 5), ours);
    }
}
