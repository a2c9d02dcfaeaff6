//! The other end of a connection, as the daemon asks and tells it things.

use super::outgoing::{Closed, Outgoing};
use jsonrpsee::types::{ErrorObjectOwned, Id};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// A client that can be asked. A handler finds it in its call's `Extensions`:
///
/// ```
/// # use {hob_daemon::server::Peer, jsonrpsee::Extensions};
/// async fn ask_for_name(extensions: &Extensions) -> Option<String> {
///     let peer = extensions.get::<Peer>()?;
///     let answer = peer.call("client.name", serde_json::json!({})).await.ok()?;
///     serde_json::from_str(answer.get()).ok()
/// }
/// ```
///
/// It may be kept beyond the call. Once the connection has ended, everything fails
/// with [`PeerError::Gone`].
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

/// Why a client did not answer with a result.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The connection has ended.
    #[error("the client has gone")]
    Gone,
    /// The client answered with an error.
    #[error("the client refused: {}", .0.message())]
    Refused(ErrorObjectOwned),
    /// What the daemon wanted to send cannot be JSON, or what the client sent is no error object.
    #[error("not a JSON-RPC message: {0}")]
    Malformed(#[from] serde_json::Error),
}

type Outcome = Result<Box<RawValue>, PeerError>;

#[derive(Debug)]
struct Inner {
    out: Outgoing,
    asked: Mutex<Asked>,
}

/// What the client has been asked and not answered yet.
#[derive(Debug, Default)]
struct Asked {
    last: u64,
    waiting: HashMap<u64, oneshot::Sender<Outcome>>,
    ended: bool,
}

#[derive(Serialize)]
struct Message<'a, P> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    method: &'a str,
    params: P,
}

impl Peer {
    pub(super) fn new(out: Outgoing) -> Self {
        Self(Arc::new(Inner { out, asked: Mutex::default() }))
    }

    /// Asks the client and waits for its answer. A call that is dropped is cancelled at the
    /// client, by `$/cancelRequest`.
    ///
    /// # Errors
    /// See [`PeerError`].
    pub async fn call<P: Serialize>(&self, method: &str, params: P) -> Outcome {
        let (answer, answered) = oneshot::channel();
        let question = self.ask(answer)?;
        let id = Some(question.id);
        let message = to_raw_value(&Message { jsonrpc: "2.0", id, method, params })?;
        self.0.out.send(message).await?;
        answered.await.unwrap_or(Err(PeerError::Gone))
    }

    /// Tells the client, without an answer.
    ///
    /// # Errors
    /// See [`PeerError`]; success means that it is on its way.
    pub async fn notify<P: Serialize>(&self, method: &str, params: P) -> Result<(), PeerError> {
        if self.asked().ended {
            return Err(PeerError::Gone);
        }
        let message = to_raw_value(&Message { jsonrpc: "2.0", id: None, method, params })?;
        Ok(self.0.out.send(message).await?)
    }

    /// Hands the client's answer to whoever waits for it. Others are ignored.
    pub(super) fn answered(&self, id: &Id<'_>, outcome: Result<&RawValue, &RawValue>) {
        let Some(answer) = id.as_number().and_then(|id| self.asked().waiting.remove(id)) else {
            return;
        };
        let outcome = match outcome {
            Ok(result) => Ok(result.to_owned()),
            Err(error) => Err(refusal(error)),
        };
        let _ = answer.send(outcome);
    }

    /// Fails whatever waits, and whatever is asked from now on.
    pub(super) fn end(&self) {
        let mut asked = self.asked();
        asked.ended = true;
        asked.waiting.clear();
    }

    fn ask(&self, answer: oneshot::Sender<Outcome>) -> Result<Question<'_>, PeerError> {
        let mut asked = self.asked();
        if asked.ended {
            return Err(PeerError::Gone);
        }
        asked.last += 1;
        let id = asked.last;
        asked.waiting.insert(id, answer);
        Ok(Question { peer: self, id })
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Asked> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refusal(error: &RawValue) -> PeerError {
    match serde_json::from_str::<ErrorObjectOwned>(error.get()) {
        Ok(error) => PeerError::Refused(error),
        Err(error) => PeerError::Malformed(error),
    }
}

impl From<Closed> for PeerError {
    fn from(_: Closed) -> Self {
        Self::Gone
    }
}

/// A question under way. Dropped before its answer, it is taken back.
struct Question<'a> {
    peer: &'a Peer,
    id: u64,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        #[derive(Serialize)]
        struct Cancel {
            id: u64,
        }
        if self.peer.asked().waiting.remove(&self.id).is_none() {
            return;
        }
        let params = Cancel { id: self.id };
        let message = Message { jsonrpc: "2.0", id: None, method: "$/cancelRequest", params };
        if let Ok(message) = to_raw_value(&message) {
            self.peer.0.out.try_send(message);
        }
    }
}
