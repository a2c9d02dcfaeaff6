//! `index.*`, what comes as a stream.

use super::files;
use super::index::{CancelOnDrop, explain, search};
use super::symbols::print_outlines;
use super::workspace::synced;
use super::{blocking, directory, stopping};
use crate::search::{Cancel, Part, Receiver, Want};
use crate::symbols::heading;
use crate::workspaces::{Warm, not_a_workspace};
use crate::{Services, profile};
use hob_protocol::api::IndexStreamsServer;
use hob_protocol::{
    ErrorData, Extent, Failure, FilesEvent, FilesQuery, FilesStyle, IndexChange, Kind,
    OutlineEvent, OutlineQuery, OutlineSummary, Remark, SearchEvent, SearchQuery, Style, Text,
};
use jsonrpsee::core::{SubscriptionResult, async_trait, to_json_raw_value};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{PendingSubscriptionSink, SubscriptionSink};
use serde::Serialize;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Output is gathered to about this many bytes before it is sent.
const GATHERED: usize = 64 << 10;
/// And is never sent in larger parts: each must fit the least answer that can be configured, where
/// a byte may take six.
const LARGEST: usize = 128 << 10;

pub(super) struct Streams {
    services: Arc<Services>,
    /// A stream has a thread, and what it has read, for as long as its client takes to read.
    room: Arc<Semaphore>,
}

impl Streams {
    pub(super) fn new(services: Arc<Services>) -> Self {
        let room = Arc::new(Semaphore::new(services.config.streams.min(Semaphore::MAX_PERMITS)));
        Self { services, room }
    }

    /// Room for a stream, once there is some. A client that reads nothing is cut off after a while, so
    /// what is still taken after twice that is taken by some that read slowly.
    async fn room(&self) -> Result<OwnedSemaphorePermit, ErrorObjectOwned> {
        let stalled = self.services.config.limits.stalled_write;
        let free = tokio::time::timeout(2 * stalled, self.room.clone().acquire_owned());
        free.await.ok().and_then(Result::ok).ok_or_else(|| {
            let limit = self.services.config.streams;
            Kind::TooMany.error(
                format!("{limit} streams of output are being read, and none has ended"),
                "end one, or raise `limits.streams`",
            )
        })
    }

    /// Runs what prints on a thread of its own, and sends what it prints and its last event.
    async fn stream<E: Printed>(
        &self,
        pending: PendingSubscriptionSink,
        work: impl FnOnce(&Services, &Cancel, &mut Stream<E>) -> E + Send + 'static,
    ) -> SubscriptionResult {
        let room = match self.room().await {
            Ok(room) => room,
            Err(error) => {
                pending.reject(error).await;
                return Ok(());
            }
        };
        let sink = pending.accept().await?;
        let services = self.services.clone();
        let cancel = CancelOnDrop::default();
        let cancelled = cancel.0.clone();
        let mut stream = Stream {
            sink: sink.clone(),
            runtime: Handle::current(),
            output: Vec::new(),
            events: PhantomData,
        };
        let work = blocking(move || {
            // Until the thread is free, whether anybody still listens or not.
            let _room = room;
            let last = work(&services, &cancelled, &mut stream);
            stream.flush();
            stream.send(&last);
            Ok(())
        });
        tokio::pin!(work);
        tokio::select! {
            done = &mut work => done?,
            () = sink.closed() => {}
            () = self.out_of_time() => {
                tracing::info!("a stream is given up, since the daemon stops");
                cancel.0.cancel();
                work.await?;
            }
        }
        Ok(())
    }

    /// When the daemon stops, most of the time that it gives its work is over: what is left is for
    /// saying so.
    async fn out_of_time(&self) {
        self.services.shutdown.cancelled().await;
        tokio::time::sleep(self.services.config.limits.drain * 3 / 4).await;
    }
}

/// An event of a stream that prints.
trait Printed: Serialize + Send + 'static {
    /// A part of what is printed.
    fn output(text: Text) -> Self;
}

impl Printed for SearchEvent {
    fn output(text: Text) -> Self {
        Self::Output(text)
    }
}

impl Printed for OutlineEvent {
    fn output(text: Text) -> Self {
        Self::Output(text)
    }
}

impl Printed for FilesEvent {
    fn output(text: Text) -> Self {
        Self::Output(text)
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
        let want = Want::Printed(style.unwrap_or_default());
        self.stream(pending, move |services, cancel, stream| {
            match search(services, &query, want, cancel, stream) {
                Ok(summary) => SearchEvent::Done(summary),
                Err(error) => SearchEvent::Failed(failure(&told(services, explain(&error)))),
            }
        })
        .await
    }

    async fn files_stream(
        &self,
        pending: PendingSubscriptionSink,
        query: FilesQuery,
        style: Option<FilesStyle>,
    ) -> SubscriptionResult {
        let style = style.unwrap_or_default();
        self.stream(pending, move |services, cancel, stream| {
            let answered = files::answer(services, &query, cancel, &mut |path, _| {
                files::print(path, style, &mut stream.output);
                stream.output.len() < GATHERED || stream.flush()
            });
            match answered {
                Ok(summary) => FilesEvent::Done(summary),
                Err(error) => FilesEvent::Failed(failure(&told(services, error))),
            }
        })
        .await
    }

    async fn outline_stream(
        &self,
        pending: PendingSubscriptionSink,
        query: OutlineQuery,
        color: Option<bool>,
    ) -> SubscriptionResult {
        let color = color.unwrap_or(false);
        self.stream(pending, move |services, cancel, stream| {
            let began = Instant::now();
            let many = query.files.len() > 1;
            let mut summary = OutlineSummary { found: false, errors: false, elapsed_us: 0 };
            let mut begun = false;
            let printed = print_outlines(services, &query, color, cancel, &mut |path, printed| {
                let remark = match printed {
                    Ok(printed) => {
                        if many {
                            if std::mem::replace(&mut begun, true) {
                                stream.output.push(b'\n');
                            }
                            heading(path.as_bytes(), color, &mut stream.output);
                        }
                        stream.output.extend_from_slice(&printed.text);
                        summary.found |= printed.found;
                        summary.errors |= printed.extent == Extent::GivenUp;
                        of_extent(path, printed.extent)
                    }
                    Err(error) => {
                        summary.errors = true;
                        Some(Remark { message: error.message, hint: error.hint })
                    }
                };
                match remark {
                    Some(remark) => stream.flush() && stream.send(&OutlineEvent::Remark(remark)),
                    None => stream.output.len() < GATHERED || stream.flush(),
                }
            });
            summary.elapsed_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            match printed {
                Ok(()) if cancel.is_cancelled() => {
                    let error = Kind::Cancelled.error("the query was cancelled", "");
                    OutlineEvent::Failed(failure(&told(services, error)))
                }
                Ok(()) => OutlineEvent::Done(summary),
                Err(error) => OutlineEvent::Failed(failure(&told(services, error))),
            }
        })
        .await
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

/// What is to be said of an outline that is not whole.
fn of_extent(path: &Text, extent: Extent) -> Option<Remark> {
    let what = match extent {
        Extent::Whole => return None,
        Extent::Errors => "could not be parsed as a whole: this is what was understood",
        Extent::Cut => "is too large, or has lines that are: this is what was parsed of it",
        Extent::GivenUp => "takes too much work to parse: what it defines is not known",
    };
    Some(Remark { message: format!("`{}` {what}", path.to_string_lossy()), hint: String::new() })
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

/// The error, or why the daemon itself has cancelled the work.
fn told(services: &Services, error: ErrorObjectOwned) -> ErrorObjectOwned {
    match error.code() == Kind::Cancelled.code() && services.shutdown.is_cancelled() {
        true => stopping(),
        false => error,
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
struct Stream<E> {
    sink: SubscriptionSink,
    runtime: Handle,
    output: Vec<u8>,
    events: PhantomData<fn(E)>,
}

impl<E: Printed> Stream<E> {
    fn send(&self, event: &E) -> bool {
        profile::leaf("stream.send", || {
            let Ok(message) = to_json_raw_value(event) else { return false };
            self.runtime.block_on(self.sink.send(message)).is_ok()
        })
    }

    fn flush(&mut self) -> bool {
        let output = std::mem::take(&mut self.output);
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            let (part, later) = rest.split_at(end_of_part(rest));
            if !self.send(&E::output(Text::from(part))) {
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

impl Receiver for Stream<SearchEvent> {
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
