//! One call of one of jsonrpsee's methods, whatever its sort, with a handler's panic caught.

use super::calls::{Answer, Calls};
use super::fault;
use crate::profile;
use jsonrpsee::core::server::SubscriptionState;
use jsonrpsee::core::traits::IdProvider;
use jsonrpsee::types::{Id, Params, SubscriptionId};
use jsonrpsee::{Extensions, MethodCallback, MethodResponse, MethodSink};
use serde_json::value::RawValue;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use tokio::sync::mpsc;
use tracing::Instrument as _;

/// How many notifications of one stream wait before its handler does.
const STREAM_BUFFER: usize = 16;

/// Numbers the subscriptions of a connection.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl IdProvider for Counter {
    fn next_id(&self) -> SubscriptionId<'static> {
        SubscriptionId::Num(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Calls a method. A panic in it is an answer too; what it said is in the log, by the panic hook.
pub(super) async fn guarded(
    calls: &Calls,
    id: &Id<'static>,
    method: &str,
    params: Option<&RawValue>,
) -> Answer {
    // What no method has is no operation: there would be no end of them.
    let span = match calls.methods.method(method) {
        Some(_) => profile::operation(method),
        None => tracing::Span::none(),
    };
    let mut work = pin!(call(calls, id, method, params).instrument(span));
    let answer = std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => Poll::Ready(Some(answer)),
            Err(_) => Poll::Ready(None),
        }
    });
    answer.await.unwrap_or_else(|| {
        tracing::error!(method, "a handler has panicked");
        MethodResponse::error(id.clone(), fault::internal()).into()
    })
}

async fn call(calls: &Calls, id: &Id<'static>, method: &str, params: Option<&RawValue>) -> Answer {
    let limit = calls.limits.answer_bytes;
    let id = id.clone();
    // Parameters go by name, so none are an empty object: then a missing one is named.
    let given = Params::new(Some(params.map_or("{}", RawValue::get)));
    let mut extensions = Extensions::new();
    extensions.insert(calls.peer.clone());
    extensions.insert(calls.connection);
    let known = calls.methods.method(method);
    if let (Some(_), Some(params)) = (known, params)
        && let Err(error) = calls.hooks.vet(method, params)
    {
        return MethodResponse::error(id, error).into();
    }
    match known {
        None => {
            let error = fault::unknown_method(method, calls.methods.method_names());
            MethodResponse::error(id, error).into()
        }
        Some(MethodCallback::Sync(callback)) => callback(id, given, limit, extensions).into(),
        Some(MethodCallback::Async(callback)) => {
            callback(id, given.into_owned(), calls.connection, limit, extensions).await.into()
        }
        Some(MethodCallback::Unsubscription(callback)) => {
            let by_name = params.and_then(subscription_by_name);
            let given = by_name.as_deref().map_or(given, |array| Params::new(Some(array)));
            callback(id, given, calls.connection, limit, extensions).into()
        }
        Some(MethodCallback::Subscription(callback)) => {
            let Some(permit) = calls.subscriptions.acquire() else {
                let limit = calls.limits.subscriptions;
                let error =
                    fault::too_many("subscriptions on a connection", limit, "end one first");
                return MethodResponse::error(id, error).into();
            };
            let (sender, mut items) = mpsc::channel(STREAM_BUFFER);
            let sink = MethodSink::new_with_limit(sender, u32::try_from(limit).unwrap_or(u32::MAX));
            let state = SubscriptionState {
                conn_id: calls.connection,
                id_provider: &calls.subscription_ids,
                subscription_permit: permit,
            };
            let response = callback(id, given, sink, state, extensions).await;
            // jsonrpsee puts the answer into the sink as well, before all notifications.
            if response.is_subscription() {
                items.recv().await;
            }
            Answer { response, stream: Some(items) }
        }
    }
}

/// jsonrpsee takes the subscription to end from an array only. All else in hob goes by name.
fn subscription_by_name(params: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        subscription: &'a RawValue,
    }
    let named = serde_json::from_str::<Named<'_>>(params.get()).ok()?;
    // An array of one would fit the struct as well.
    params.get().starts_with('{').then(|| format!("[{}]", named.subscription))
}
