//! `index.*`, what comes as a stream.

use super::index::{CancelOnDrop, explain, search};
use super::workspace::synced;
use super::{blocking, directory};
use crate::Services;
use crate::search::{Part, Receiver, Want};
use crate::workspaces::{Warm, not_a_workspace};
use hob_protocol::api::IndexStreamsServer;
use hob_protocol::{
    ErrorData, Failure, FilesQuery, FilesStyle, IndexChange, Kind, SearchEvent, SearchQuery, Style,
    Text,
};
use jsonrpsee::core::{SubscriptionResult, async_trait, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{PendingSubscriptionSink, SubscriptionSink};
use serde::Serialize;
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;

/// Output is gathered to about this many bytes before it is sent.
const GATHERED: usize = 64 << 10;
/// And is never sent in larger parts: each must fit a frame, whatever its bytes are.
const LARGEST: usize = 1 << 20;

pub(super) struct Streams {
    services: Arc<Services>,
}

impl Streams {
    pub(super) fn new(services: Arc<Services>) -> Self {
        Self { services }
    }
}

#[async_trait]
impl IndexStreamsServer for Streams {
    async fn search_stream(
        &self,
        pending: PendingSubscriptionSink,
        query: SearchQuery,
        style: Option<Style>,
    ) -> SubscriptionResult {
        let sink = pending.accept().await?;
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        let mut stream =
            Stream { sink: sink.clone(), runtime: Handle::current(), output: Vec::new() };
        let want = Want::Printed(style.unwrap_or_default());
        let work = blocking(move || {
            let last = match search(&services, &query, want, &cancelled, &mut stream) {
                Ok(summary) => SearchEvent::Done(summary),
                Err(error) => SearchEvent::Failed(failure(&explain(&error))),
            };
            stream.flush();
            stream.send(&last);
            Ok(())
        });
        tokio::select! {
            done = work => done?,
            () = sink.closed() => {}
            () = self.services.shutdown.cancelled() => {}
        }
        Ok(())
    }

    async fn files_stream(
        &self,
        pending: PendingSubscriptionSink,
        _query: FilesQuery,
        _style: Option<FilesStyle>,
    ) -> SubscriptionResult {
        pending.reject(Kind::Internal.error("files are not known yet", "")).await;
        Ok(())
    }

    async fn changes(&self, pending: PendingSubscriptionSink, dir: Text) -> SubscriptionResult {
        let services = self.services.clone();
        let opened = blocking(move || {
            let dir = directory(&dir)?;
            let warm = services.workspaces.of(&dir).ok_or_else(|| not_a_workspace(&dir))?;
            let receiver = warm.workspace.changes();
            let _ = synced(&services, &warm, false);
            Ok((warm, receiver))
        })
        .await;
        let (warm, mut receiver) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let sink = pending.accept().await?;
        let mut next = Some(state(&warm));
        loop {
            if let Some(change) = next.take()
                && sink.send(to_json_raw_value(&change)?).await.is_err()
            {
                return Ok(());
            }
            next = tokio::select! {
                change = receiver.recv() => match change {
                    Ok(change) => Some(change),
                    // Some were missed: the subscriber looks at the whole.
                    Err(RecvError::Lagged(_)) => Some(state(&warm)),
                    Err(RecvError::Closed) => return Ok(()),
                },
                () = sink.closed() => return Ok(()),
                () = self.services.shutdown.cancelled() => return Ok(()),
            };
        }
    }
}

/// The workspace as it stands, for one who knows nothing of it.
fn state(warm: &Warm) -> IndexChange {
    let snapshot = warm.workspace.snapshot();
    let totals = snapshot.tree.totals();
    IndexChange {
        origin: warm.workspace.origin(&snapshot),
        changed: Vec::new(),
        rescan: true,
        files: totals.files,
        pending: totals.pending,
        unoutlined: totals.unoutlined,
    }
}

fn failure(error: &ErrorObjectOwned) -> Failure {
    let data: Option<ErrorData> =
        error.data().and_then(|data| serde_json::from_str(data.get()).ok());
    Failure {
        code: error.code(),
        message: error.message().to_owned(),
        data: data.unwrap_or(ErrorData { kind: Kind::Internal, hint: String::new() }),
    }
}

/// Gathers output and sends it, waiting for a client that is slow.
struct Stream {
    sink: SubscriptionSink,
    runtime: Handle,
    output: Vec<u8>,
}

impl Stream {
    fn send(&self, event: &impl Serialize) -> bool {
        let Ok(message) = to_json_raw_value(event) else { return false };
        self.runtime.block_on(self.sink.send(message)).is_ok()
    }

    fn flush(&mut self) -> bool {
        let output = std::mem::take(&mut self.output);
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            let (part, later) = rest.split_at(end_of_part(rest));
            if !self.send(&SearchEvent::Output(Text::from(part))) {
                return false;
            }
            rest = later;
        }
        true
    }
}

/// Where to cut: after a line, if there is an end of one.
fn end_of_part(bytes: &[u8]) -> usize {
    if bytes.len() <= LARGEST {
        return bytes.len();
    }
    memchr::memrchr(b'\n', &bytes[..LARGEST]).map_or(LARGEST, |end| end + 1)
}

impl Receiver for Stream {
    fn output(&mut self, output: Part) -> bool {
        let Part::Printed(bytes) = output else { return true };
        self.output.extend(bytes);
        self.output.len() < GATHERED || self.flush()
    }

    fn warning(&mut self, text: String) -> bool {
        self.send(&SearchEvent::Warning(text))
    }

    fn pause(&mut self) -> bool {
        self.output.is_empty() || self.flush()
    }
}
