//! The work of one connection: which calls and streams run, and how each one ends.
//!
//! Knows nothing of sockets: it is handed messages, and puts answers into the queue.

use super::fault;
use super::message::{self, Message, Request};
use super::outgoing::Outgoing;
use super::peer::Peer;
use super::{Hooks, Limits, Server, batch, invoke};
use jsonrpsee::types::{ErrorObjectOwned, Id};
use jsonrpsee::{BoundedSubscriptions, ConnectionId, MethodResponse, Methods};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What runs for one connection.
pub(super) struct Calls {
    pub(super) methods: Methods,
    pub(super) limits: Limits,
    pub(super) hooks: Arc<dyn Hooks>,
    pub(super) connection: ConnectionId,
    pub(super) out: Outgoing,
    pub(super) peer: Peer,
    /// Ends everything that runs.
    pub(super) over: CancellationToken,
    pub(super) subscriptions: BoundedSubscriptions,
    pub(super) subscription_ids: invoke::Counter,
    /// Ends the calls that run with an answer that says so.
    late: CancellationToken,
    room: Arc<Semaphore>,
    /// New calls are refused.
    stopping: AtomicBool,
    table: Mutex<Table>,
    /// Tasks of calls and batches.
    calling: TaskTracker,
    /// Tasks of streams.
    streaming: TaskTracker,
}

/// How to cancel by a request's id.
#[derive(Default)]
struct Table {
    /// Calls that are not answered yet.
    calls: HashMap<Id<'static>, CancellationToken>,
    /// Streams, by the id of the request that began them, with a number that tells a
    /// stream from a later one whose request had the same id.
    streams: HashMap<Id<'static>, (u64, CancellationToken)>,
    last_stream: u64,
}

/// What a call has come to.
pub(super) struct Answer {
    pub(super) response: MethodResponse,
    /// What is to follow it.
    pub(super) stream: Option<mpsc::Receiver<Box<RawValue>>>,
}

impl From<MethodResponse> for Answer {
    fn from(response: MethodResponse) -> Self {
        Self { response, stream: None }
    }
}

/// A call's place among those that run.
pub(super) struct Ticket {
    calls: Arc<Calls>,
    id: Id<'static>,
    cancelled: CancellationToken,
    /// Held until the answer is in the queue.
    room: OwnedSemaphorePermit,
}

/// An answer that is ready to go into the queue.
pub(super) struct Ready {
    pub(super) id: Id<'static>,
    pub(super) response: MethodResponse,
    pub(super) stream: Option<Stream>,
    /// The call counts as one that runs while this is held.
    pub(super) room: OwnedSemaphorePermit,
}

/// A stream that begins once the answer to its request is in the queue.
pub(super) struct Stream {
    items: mpsc::Receiver<Box<RawValue>>,
    id: Id<'static>,
    number: u64,
    cancelled: CancellationToken,
}

impl Calls {
    pub(super) fn new(
        server: &Server,
        connection: ConnectionId,
        out: Outgoing,
        over: CancellationToken,
    ) -> Self {
        let limits = server.limits;
        let subscriptions = u32::try_from(limits.subscriptions).unwrap_or(u32::MAX);
        Self {
            methods: server.methods.clone(),
            hooks: server.hooks.clone(),
            limits,
            connection,
            peer: Peer::new(out.clone()),
            out,
            over,
            late: CancellationToken::new(),
            subscriptions: BoundedSubscriptions::new(subscriptions),
            subscription_ids: invoke::Counter::default(),
            room: Arc::new(Semaphore::new(limits.calls.min(Semaphore::MAX_PERMITS))),
            stopping: AtomicBool::new(false),
            table: Mutex::default(),
            calling: TaskTracker::new(),
            streaming: TaskTracker::new(),
        }
    }

    /// Takes a frame in. Comes back when all of it runs or is answered: what follows it on the
    /// connection is not held up by a call, but by a peer that does not read.
    pub(super) async fn take(self: &Arc<Self>, frame: &[u8]) {
        match message::parse(frame) {
            Ok(message::Frame::Single(message)) => self.take_message(message).await,
            Ok(message::Frame::Batch(entries)) => batch::take(self, entries).await,
            Err(error) => self.reply(Id::Null, error).await,
        }
    }

    /// Answers with an error.
    pub(super) async fn reply(&self, id: Id<'_>, error: ErrorObjectOwned) {
        // That the peer has gone shows elsewhere.
        let _ = self.out.send(MethodResponse::error(id, error).into_json()).await;
    }

    /// Refuses calls from now on.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Answers the calls that run: there is no more time for them.
    pub(super) fn give_up(&self) {
        self.late.cancel();
    }

    /// Waits until no call runs.
    pub(super) async fn calls_done(&self) {
        self.calling.close();
        self.calling.wait().await;
    }

    /// Waits until no stream runs.
    pub(super) async fn streams_done(&self) {
        self.streaming.close();
        self.streaming.wait().await;
    }

    /// How many streams run.
    pub(super) fn streams(&self) -> usize {
        self.streaming.len()
    }

    /// Cancels all that runs and waits until it is gone.
    pub(super) async fn end(&self) {
        self.stop();
        self.peer.end();
        self.over.cancel();
        self.calls_done().await;
        self.streams_done().await;
    }

    async fn take_message(self: &Arc<Self>, message: Message<'_>) {
        let request = match message {
            Message::Request(request) => request,
            Message::Invalid { id, error } => return self.reply(id, error).await,
            other => return self.take_quietly(other),
        };
        match self.admit(&request) {
            Err(refusal) => {
                let _ = self.out.send(refusal.into_json()).await;
            }
            Ok(ticket) => {
                let (calls, method) = (self.clone(), request.method);
                let params = request.params.map(ToOwned::to_owned);
                self.spawn(async move {
                    let ready = ticket.run(&method, params.as_deref()).await;
                    calls.send(ready).await;
                });
            }
        }
    }

    /// Runs something that is waited for when the daemon stops, and dropped when the
    /// connection ends.
    pub(super) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let over = self.over.clone();
        self.calling.spawn(async move {
            over.run_until_cancelled(work).await;
        });
    }

    /// Takes in what has no answer.
    pub(super) fn take_quietly(&self, message: Message<'_>) {
        match message {
            Message::Notification { method, params } if method == "$/cancelRequest" => {
                self.cancel(params);
            }
            Message::Notification { method, params } => {
                // A fault in it is not to take the connection with it: the panic hook logs it.
                let told = || self.hooks.notification(&method, params, &self.peer);
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(told));
            }
            Message::Answer { id, outcome } => self.peer.answered(&id, outcome),
            Message::Request(_) | Message::Invalid { .. } => {}
        }
    }

    /// A ticket to run, or the answer that says why not.
    pub(super) fn admit(self: &Arc<Self>, request: &Request<'_>) -> Result<Ticket, MethodResponse> {
        let refuse = |error| Err(MethodResponse::error(request.id.clone(), error));
        if self.stopping.load(Ordering::Relaxed) {
            return refuse(fault::stopping());
        }
        let mut table = self.table();
        // Of several without an id no answer is told from another anyway.
        if request.id != Id::Null && table.calls.contains_key(&request.id) {
            // With its id the refusal would pass for the answer to the call that runs.
            return Err(MethodResponse::error(Id::Null, fault::repeated_id(&request.id)));
        }
        let Ok(room) = self.room.clone().try_acquire_owned() else {
            let hint = "wait for answers before sending more, or open another connection";
            let limit = self.limits.calls;
            return refuse(fault::too_many("calls at once on a connection", limit, hint));
        };
        let cancelled = CancellationToken::new();
        table.calls.insert(request.id.clone(), cancelled.clone());
        let (calls, id) = (self.clone(), request.id.clone());
        Ok(Ticket { calls, id, cancelled, room })
    }

    /// Cancels the call with an id, else the stream that a request with that id began.
    fn cancel(&self, params: Option<&RawValue>) {
        #[derive(serde::Deserialize)]
        struct Cancel<'a> {
            #[serde(borrow)]
            id: &'a RawValue,
        }
        let id = params
            .and_then(|params| serde_json::from_str::<Cancel<'_>>(params.get()).ok())
            .and_then(|cancel| message::parse_id(cancel.id));
        let Some(id) = id else { return };
        let table = self.table();
        let token = table.calls.get(&id).or(table.streams.get(&id).map(|(_, token)| token));
        if let Some(token) = token {
            token.cancel();
        }
    }

    async fn send(self: &Arc<Self>, ready: Ready) {
        let success = ready.response.is_success();
        let (json, sent, _) = ready.response.into_parts();
        if self.out.send(json).await.is_err() {
            return;
        }
        if let Some(sent) = sent {
            sent.notify(success);
        }
        if let Some(stream) = ready.stream {
            self.begin(stream);
        }
    }

    /// Lets a stream flow. Called when the answer to its request is in the queue.
    pub(super) fn begin(self: &Arc<Self>, stream: Stream) {
        let calls = self.clone();
        self.streaming.spawn(async move {
            let Stream { items, id, number, cancelled } = stream;
            tokio::select! {
                biased;
                () = calls.over.cancelled() => {}
                () = cancelled.cancelled() => {}
                () = calls.forward(items) => {}
            }
            calls.forget(&id, number);
        });
    }

    fn forget(&self, id: &Id<'static>, number: u64) {
        let mut table = self.table();
        if table.streams.get(id).is_some_and(|(of, _)| *of == number) {
            table.streams.remove(id);
        }
    }

    /// Passes a stream's notifications on. When this ends, the subscription's sink is closed,
    /// which is how its handler learns of it.
    async fn forward(&self, mut items: mpsc::Receiver<Box<RawValue>>) {
        while let Some(json) = items.recv().await {
            if json.get().len() > self.limits.answer_bytes {
                tracing::warn!(bytes = json.get().len(), "a stream ends: its part is too large");
                return;
            }
            if self.out.send(json).await.is_err() {
                return;
            }
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Runs the call to its answer, which is made up here if the call is cancelled.
    pub(super) async fn run(self, method: &str, params: Option<&RawValue>) -> Ready {
        let calls = &self.calls;
        let answer = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => {
                MethodResponse::error(self.id.clone(), fault::cancelled()).into()
            }
            () = calls.late.cancelled() => {
                MethodResponse::error(self.id.clone(), fault::stopping()).into()
            }
            answer = invoke::guarded(calls, &self.id, method, params) => answer,
        };
        let response = fault::reshape(answer.response, params, calls.limits.answer_bytes);
        let items = answer.stream.filter(|_| response.is_success());
        let mut table = calls.table();
        // The id is free before the answer can be seen: the peer may use it again at once.
        table.calls.remove(&self.id);
        let stream = items.map(|items| table.stream(&self.id, items, &self.cancelled));
        drop(table);
        Ready { id: self.id, response, stream, room: self.room }
    }
}

impl Table {
    fn stream(
        &mut self,
        id: &Id<'static>,
        items: mpsc::Receiver<Box<RawValue>>,
        cancelled: &CancellationToken,
    ) -> Stream {
        self.last_stream += 1;
        let number = self.last_stream;
        self.streams.insert(id.clone(), (number, cancelled.clone()));
        Stream { items, id: id.clone(), number, cancelled: cancelled.clone() }
    }
}
