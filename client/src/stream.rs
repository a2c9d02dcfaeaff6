//! Subscriptions of a blocking connection, read as iterators.

use crate::connection::{Session, unsendable};
use crate::{Connection, Error, ErrorKind};
pub use hob_protocol::api::Subscription;
use hob_protocol::{
    FilesEvent, FilesQuery, FilesStyle, IndexChange, Kind, OutlineEvent, OutlineQuery, SearchEvent,
    SearchQuery, Style, TaskList, Text,
};
use jsonrpsee::core::params::ObjectParams;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::marker::PhantomData;

/// A search, printed in parts: items are [`SearchEvent`].
pub const SEARCH: Subscription = Subscription::named("index.searchStream");

/// The paths of files, printed in parts: items are [`FilesEvent`].
pub const FILES: Subscription = Subscription::named("index.filesStream");

/// What files define, printed in parts: items are [`OutlineEvent`].
pub const OUTLINES: Subscription = Subscription::named("index.outlineStream");

/// The states of a workspace: items are [`IndexChange`].
pub const CHANGES: Subscription = Subscription::named("index.changes");

/// The daemon's background work: items are [`TaskList`].
pub const TASKS: Subscription = Subscription::named("tasks.watch");

impl Connection {
    /// A search whose output comes in parts, in order. [`SearchEvent::Done`] or
    /// [`SearchEvent::Failed`] is its last item.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says of the request itself.
    pub fn search_stream(
        &mut self,
        query: &SearchQuery,
        style: Style,
    ) -> Result<Stream<'_, SearchEvent>, Error> {
        let mut params = ObjectParams::new();
        params.insert("query", query).map_err(unsendable)?;
        params.insert("style", style).map_err(unsendable)?;
        self.stream(&SEARCH, params)
    }

    /// The paths of files, printed in parts, in order. [`FilesEvent::Done`] or
    /// [`FilesEvent::Failed`] is its last item.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says of the request itself.
    pub fn files_stream(
        &mut self,
        query: &FilesQuery,
        style: FilesStyle,
    ) -> Result<Stream<'_, FilesEvent>, Error> {
        let mut params = ObjectParams::new();
        params.insert("query", query).map_err(unsendable)?;
        params.insert("style", style).map_err(unsendable)?;
        self.stream(&FILES, params)
    }

    /// What files define, printed in parts, in order. [`OutlineEvent::Done`] or
    /// [`OutlineEvent::Failed`] is its last item.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says of the request itself.
    pub fn outline_stream(
        &mut self,
        query: &OutlineQuery,
        color: bool,
    ) -> Result<Stream<'_, OutlineEvent>, Error> {
        let mut params = ObjectParams::new();
        params.insert("query", query).map_err(unsendable)?;
        params.insert("color", color).map_err(unsendable)?;
        self.stream(&OUTLINES, params)
    }

    /// Each state of the workspace around a directory, without an end.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says of the request itself.
    pub fn changes(&mut self, dir: &Text) -> Result<Stream<'_, IndexChange>, Error> {
        let mut params = ObjectParams::new();
        params.insert("dir", dir).map_err(unsendable)?;
        self.stream(&CHANGES, params)
    }

    /// Tasks as they go on: one, of which nothing follows once it has ended, or all without an end.
    ///
    /// # Errors
    ///
    /// What the daemon or the connection says of the request itself.
    pub fn tasks(&mut self, id: Option<u64>) -> Result<Stream<'_, TaskList>, Error> {
        let mut params = ObjectParams::new();
        params.insert("id", id).map_err(unsendable)?;
        self.stream(&TASKS, params)
    }
}

/// What a stream is made of.
pub trait StreamItem: DeserializeOwned {
    /// Whether nothing follows this item.
    fn is_last(&self) -> bool {
        false
    }

    /// Whether it says that the daemon stops and the rest will not come.
    fn is_farewell(&self) -> bool {
        false
    }
}

impl StreamItem for TaskList {}

impl StreamItem for SearchEvent {
    fn is_last(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }

    fn is_farewell(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.data.kind == Kind::Stopping)
    }
}

impl StreamItem for OutlineEvent {
    fn is_last(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }

    fn is_farewell(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.data.kind == Kind::Stopping)
    }
}

impl StreamItem for FilesEvent {
    fn is_last(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Failed(_))
    }

    fn is_farewell(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.data.kind == Kind::Stopping)
    }
}

impl StreamItem for IndexChange {}

/// Any stream, as JSON: one of an object with `done` or `failed` ends there.
impl StreamItem for serde_json::Value {
    fn is_last(&self) -> bool {
        self.get("done").or_else(|| self.get("failed")).is_some()
    }
}

/// The items of a subscription, as they come. It ends after its last item; an end of the
/// connection before that is an error. Dropping it earlier ends the daemon's work for it.
pub struct Stream<'a, T> {
    session: &'a mut Session,
    subscription: &'static Subscription,
    id: String,
    frame: Vec<u8>,
    any: bool,
    ended: bool,
    item: PhantomData<fn() -> T>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    subscription: &'a RawValue,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<serde_json::Value>,
}

impl<'a, T: StreamItem> Stream<'a, T> {
    pub(crate) fn new(
        session: &'a mut Session,
        subscription: &'static Subscription,
        id: &RawValue,
    ) -> Self {
        let id = id.get().to_owned();
        let (any, ended) = (false, false);
        Self { session, subscription, id, frame: Vec::new(), any, ended, item: PhantomData }
    }

    fn advance(&mut self) -> Result<T, Error> {
        loop {
            if !self.session.read(&mut self.frame)? {
                return Err(self.session.lost());
            }
            let message = self.session.parse(&self.frame)?;
            if message.method.as_deref() != Some(self.subscription.notification) {
                self.session.aside(&message)?;
                continue;
            }
            let Some(params) = message.params else { continue };
            let payload: Payload<'_> = serde_json::from_str(params.get())
                .map_err(|error| self.session.not_ours(&error))?;
            if payload.subscription.get() != self.id {
                continue; // An earlier subscription of this connection, that was dropped.
            }
            if let Some(error) = payload.error {
                return Err(refused(&error));
            }
            let result = payload.result.unwrap_or(RawValue::NULL);
            return serde_json::from_str(result.get())
                .map_err(|error| self.session.not_ours(&error));
        }
    }
}

/// The error with which a daemon ends a subscription: an error object, or a word.
fn refused(error: &serde_json::Value) -> Error {
    use jsonrpsee::types::ErrorObjectOwned;
    if let Ok(object) = serde_json::from_value::<ErrorObjectOwned>(error.clone()) {
        return object.into();
    }
    let message = error.as_str().map_or_else(|| error.to_string(), str::to_owned);
    ErrorObjectOwned::owned(-32603, message, None::<()>).into()
}

impl<T: StreamItem> Iterator for Stream<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        // What comes after a part of an answer must not pass for one that can be asked for again.
        let item = match self.advance() {
            Ok(item) if self.any && item.is_farewell() => Err(self.session.cut_off()),
            Err(error) if self.any && error.kind == ErrorKind::Lost => Err(self.session.cut_off()),
            item => item,
        };
        self.any = true;
        self.ended = item.as_ref().map_or(true, StreamItem::is_last);
        Some(item)
    }
}

impl<T> Drop for Stream<'_, T> {
    fn drop(&mut self) {
        if !self.ended {
            self.session.unsubscribe(self.subscription.unsubscribe, &self.id);
        }
    }
}
