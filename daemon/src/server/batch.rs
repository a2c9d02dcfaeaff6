//! Several messages in one frame: their calls run side by side and are answered in one array.

use super::calls::{Calls, Ready};
use super::fault;
use super::message::{self, Message};
use jsonrpsee::types::Id;
use jsonrpsee::{BatchResponseBuilder, MethodResponse};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Takes a batch in, and leaves a task that answers it.
pub(super) async fn take(calls: &Arc<Calls>, entries: Vec<&RawValue>) {
    let limit = calls.limits.batch;
    if entries.is_empty() {
        return calls.reply(Id::Null, fault::invalid_request("an empty batch")).await;
    }
    if entries.len() > limit {
        let error = fault::too_many("messages in a batch", limit, "send several batches");
        return calls.reply(Id::Null, error).await;
    }
    let (refused, running) = start(calls, &entries);
    match (refused.is_empty(), running.is_empty()) {
        // A batch of notifications has no answer at all.
        (true, true) => {}
        // Without a call there is no limit of calls to end it: a peer that does not read is waited
        // for, as everywhere.
        (false, true) => finish(calls.clone(), refused, running).await,
        (_, false) => calls.spawn(finish(calls.clone(), refused, running)),
    }
}

/// Begins what can be begun; the rest is refused one by one.
fn start(calls: &Arc<Calls>, entries: &[&RawValue]) -> (Vec<MethodResponse>, JoinSet<Ready>) {
    let (mut refused, mut running) = (Vec::new(), JoinSet::new());
    for entry in entries {
        let request = match message::parse_entry(entry) {
            Message::Request(request) => request,
            Message::Invalid { id, error } => {
                refused.push(MethodResponse::error(id, error));
                continue;
            }
            other => {
                calls.take_quietly(other);
                continue;
            }
        };
        match calls.admit(&request) {
            Err(refusal) => refused.push(refusal),
            Ok(ticket) => {
                let (method, params) = (request.method, request.params.map(ToOwned::to_owned));
                running.spawn(async move { ticket.run(&method, params.as_deref()).await });
            }
        }
    }
    (refused, running)
}

/// Answers in one array, and lets the streams among its calls begin after that.
async fn finish(calls: Arc<Calls>, refused: Vec<MethodResponse>, mut running: JoinSet<Ready>) {
    let limit = calls.limits.answer_bytes;
    // Each answer that does not fit is replaced by an error of its own, which the builder's limit,
    // an error for the whole, would not do.
    let mut array = BatchResponseBuilder::new_with_limit(usize::MAX);
    let mut size = 0;
    for response in refused {
        size += response.as_ref().len();
        let _ = array.append(response);
    }
    let mut waiting = Vec::new();
    while let Some(ready) = running.join_next().await {
        let Ok(Ready { id, mut response, stream, room }) = ready else { continue };
        if stream.is_none() && size + response.as_ref().len() > limit {
            response = MethodResponse::error(id, fault::large_answer(limit));
        }
        size += response.as_ref().len();
        let _ = array.append(response);
        waiting.push((stream, room));
    }
    let answer = MethodResponse::from_batch(array.finish()).into_json();
    if calls.out.send(answer).await.is_ok() {
        waiting.into_iter().filter_map(|(stream, _)| stream).for_each(|stream| calls.begin(stream));
    }
}
