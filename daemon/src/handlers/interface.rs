//! `rpc.*`: the interface itself, and what each call of it is held to.
//!
//! A parameter that this daemon does not know is refused, and not ignored: it is a slip of the pen, or
//! it asks for what only a later daemon does, and then an answer would be to another question.

use super::manual;
use crate::nearest::nearest;
use crate::server::{Hooks, unknown_method};
use hob_protocol::api::{Param, RpcApiServer, methods};
use hob_protocol::{Explanation, Kind, OpenRpc, openrpc};
use jsonrpsee::core::{RpcResult, async_trait};
use jsonrpsee::types::ErrorObjectOwned;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::LazyLock;

static DOCUMENT: LazyLock<serde_json::Result<OpenRpc>> = LazyLock::new(openrpc::document);

pub(super) struct Rpc;

#[async_trait]
impl RpcApiServer for Rpc {
    async fn discover(&self) -> RpcResult<OpenRpc> {
        DOCUMENT.as_ref().cloned().map_err(indescribable)
    }

    async fn explain(&self, method: Option<String>) -> RpcResult<Explanation> {
        let document = DOCUMENT.as_ref().map_err(indescribable)?;
        let document: Value =
            serde_json::from_str(document.0.get()).map_err(|e| indescribable(&e))?;
        let text = match &method {
            None => manual::list(&document),
            Some(method) => manual::page(method, &document)
                .ok_or_else(|| unknown_method(method, manual::names(&document)))?,
        };
        Ok(Explanation { text })
    }
}

fn indescribable(error: &serde_json::Error) -> ErrorObjectOwned {
    tracing::error!(%error, "the description of the interface");
    Kind::Internal.error("the interface cannot be described", "")
}

/// Holds calls to the interface.
#[derive(Clone, Copy, Debug)]
pub struct Interface;

impl Hooks for Interface {
    // Every call comes by here: nothing is allocated for one that is right.
    fn vet(&self, method: &str, params: &RawValue) -> Result<(), ErrorObjectOwned> {
        let Some(known) = parameters(method) else { return Ok(()) };
        match stranger(params, known) {
            Some(Stranger::Named(name)) => Err(unknown(&name, method, known)),
            Some(Stranger::Number(count)) => Err(too_many(count, method, known)),
            None => Ok(()),
        }
    }
}

/// What the end of a subscription takes.
const STOPPING: &[Param] = &[Param { name: "subscription", optional: false }];

/// A method's parameters; of one that takes any, and of one that is not there, none.
fn parameters(method: &str) -> Option<&'static [Param]> {
    // Every later client must be told that its number is another, whatever else it says.
    if method == "daemon.hello" {
        return None;
    }
    methods().find_map(|known| match known.subscription {
        _ if known.name == method => Some(known.params),
        Some(stream) if stream.unsubscribe == method => Some(STOPPING),
        _ => None,
    })
}

fn names(known: &[Param]) -> impl Iterator<Item = &'static str> {
    known.iter().map(|param| param.name)
}

/// What was given and is not known.
#[derive(Debug, PartialEq, Eq)]
enum Stranger {
    Named(String),
    /// More than there are, in an array: so many.
    Number(usize),
}

fn stranger(params: &RawValue, known: &'static [Param]) -> Option<Stranger> {
    /// A name, which is allocated only where it is written with escapes.
    #[derive(serde::Deserialize)]
    struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

    struct Given(&'static [Param]);
    impl<'de> Visitor<'de> for Given {
        type Value = Option<Stranger>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object or an array")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut first = None;
            while let Some((Name(name), IgnoredAny)) = map.next_entry()? {
                if first.is_none() && names(self.0).all(|known| known != name) {
                    first = Some(Stranger::Named(name.into_owned()));
                }
            }
            Ok(first)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut count = 0;
            while let Some(IgnoredAny) = seq.next_element()? {
                count += 1;
            }
            Ok((count > self.0.len()).then_some(Stranger::Number(count)))
        }
    }
    // What cannot be read at all is told by whoever reads it.
    let mut params = serde_json::Deserializer::from_str(params.get());
    params.deserialize_any(Given(known)).ok().flatten()
}

fn unknown(name: &str, method: &str, known: &[Param]) -> ErrorObjectOwned {
    let shown: String = name.chars().take(80).collect();
    let hint = match nearest(name, names(known)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => takes(method, known),
    };
    Kind::BadParams.error(format!("there is no parameter `{shown}`"), hint)
}

fn too_many(count: usize, method: &str, known: &[Param]) -> ErrorObjectOwned {
    let message = format!("{count} parameters are too many");
    Kind::BadParams.error(message, takes(method, known))
}

fn takes(method: &str, known: &[Param]) -> String {
    match known {
        [] => format!("`{method}` takes none"),
        known => {
            let names: Vec<&str> = names(known).collect();
            format!("`{method}` takes `{}`", names.join("`, `"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Services;
    use crate::parallel::Crew;
    use std::collections::BTreeSet;

    /// The message and the hint of a refusal.
    fn vetted(method: &str, params: &str) -> String {
        let params = RawValue::from_string(params.to_owned()).unwrap();
        match Interface.vet(method, &params) {
            Ok(()) => "taken".to_owned(),
            Err(error) => {
                let data: hob_protocol::ErrorData =
                    serde_json::from_str(error.data().unwrap().get()).unwrap();
                assert_eq!((data.kind, error.code()), (Kind::BadParams, -32602));
                format!("{}; {}", error.message(), data.hint)
            }
        }
    }

    #[test]
    fn parameters_that_are_not_known_are_refused() {
        assert_eq!(vetted("index.build", r#"{"dir":"/","wait":true}"#), "taken");
        assert_eq!(
            vetted("index.build", r#"{"dir":"/","wat":true}"#),
            "there is no parameter `wat`; did you mean `wait`?"
        );
        assert_eq!(
            vetted("index.build", r#"{"depth":1,"dir":"/"}"#),
            "there is no parameter `depth`; `index.build` takes `dir`, `wait`"
        );
        assert_eq!(
            vetted("daemon.ping", r#"{"x":1}"#),
            "there is no parameter `x`; `daemon.ping` takes none"
        );
    }

    #[test]
    fn an_array_is_taken_up_to_its_length() {
        assert_eq!(vetted("index.build", r#"["/",true]"#), "taken");
        assert_eq!(
            vetted("index.build", r#"["/",true,1]"#),
            "3 parameters are too many; `index.build` takes `dir`, `wait`"
        );
    }

    #[test]
    fn the_end_of_a_subscription_is_vetted_and_a_greeting_is_not() {
        assert_eq!(vetted("index.searchStop", r#"{"subscription":1}"#), "taken");
        assert!(vetted("index.searchStop", r#"{"id":1}"#).contains("`subscription`"));
        assert_eq!(vetted("daemon.hello", r#"{"protocol":9,"speak":"lsp"}"#), "taken");
    }

    /// Services that nobody uses.
    fn services(dir: &std::path::Path) -> Services {
        let config = crate::config::Config::default();
        let place = || dir.to_owned();
        let room = crate::cache::Room { memory: 0, disk: 0, time_to_live: None };
        Services {
            workspaces: crate::workspaces::Workspaces::new(
                config.clone(),
                place(),
                place(),
                place(),
                crate::tasks::Tasks::for_tests(),
            ),
            tasks: crate::tasks::Tasks::for_tests(),
            config,
            shutdown: tokio_util::sync::CancellationToken::new(),
            started: std::time::Instant::now(),
            socket: dir.join("s"),
            log: None,
            connections: crate::server::Connections::default(),
            cache: crate::cache::Cache::new(dir.join("values.redb"), |_| room),
            turns: place(),
            crew: Crew::new("search", 1),
        }
    }

    #[test]
    fn what_is_served_is_described_and_nothing_else() {
        #[derive(serde::Deserialize)]
        struct Document {
            methods: Vec<Described>,
        }
        #[derive(serde::Deserialize)]
        struct Described {
            name: String,
        }
        let dir = tempfile::tempdir().unwrap();
        let served = crate::handlers::methods(&std::sync::Arc::new(services(dir.path()))).unwrap();
        let document: Document =
            serde_json::from_str(openrpc::document().unwrap().0.get()).unwrap();
        let described: Vec<&str> =
            document.methods.iter().map(|method| method.name.as_str()).collect();
        let served: BTreeSet<&str> = served.method_names().collect();
        assert_eq!(described.iter().copied().collect::<BTreeSet<_>>(), served);
        assert_eq!(described.len(), served.len());
    }

    #[test]
    fn what_is_no_method_or_no_object_is_told_elsewhere() {
        assert_eq!(vetted("no.such", r#"{"x":1}"#), "taken");
        assert_eq!(vetted("daemon.ping", "5"), "taken");
    }
}
