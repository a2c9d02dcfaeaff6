//! What waits to be written to a peer: a queue with a bound, and the task that empties it.
//!
//! Whoever sends waits for room, so a peer that does not read holds up its own work and
//! nobody else's. One that reads nothing for too long is disconnected.

use super::frame::FrameCodec;
use bytes::{Buf as _, BytesMut};
use serde_json::value::RawValue;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Duration, timeout};
use tokio_util::codec::Encoder as _;
use tokio_util::sync::CancellationToken;

/// How many frames may wait.
const FRAMES: usize = 64;
/// How many KiB may wait. A frame larger than this waits alone.
const KIBIBYTES: u32 = 4 * 1024;
/// Small frames are written together, up to so many bytes.
const TOGETHER: usize = 64 * 1024;

/// The peer is gone, or its connection is being closed.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed")]
pub(super) struct Closed;

enum Item {
    /// A frame, with its share of the queue's bytes.
    Frame(Box<RawValue>, OwnedSemaphorePermit),
    /// Nothing is written after this.
    End,
}

/// The end of the queue that frames are put into.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    items: mpsc::Sender<Item>,
    room: Arc<Semaphore>,
}

/// The end of the queue that [`write`] takes them from.
pub(super) struct Queue {
    items: mpsc::Receiver<Item>,
    room: Arc<Semaphore>,
}

pub(super) fn queue() -> (Outgoing, Queue) {
    let (sender, items) = mpsc::channel(FRAMES);
    let room = Arc::new(Semaphore::new(KIBIBYTES as usize));
    (Outgoing { items: sender, room: room.clone() }, Queue { items, room })
}

impl Outgoing {
    /// Puts a frame into the queue once there is room.
    pub(super) async fn send(&self, json: Box<RawValue>) -> Result<(), Closed> {
        let share =
            u32::try_from(json.get().len() / 1024 + 1).map_or(KIBIBYTES, |n| n.min(KIBIBYTES));
        let room = self.room.clone().acquire_many_owned(share).await.map_err(|_| Closed)?;
        self.items.send(Item::Frame(json, room)).await.map_err(|_| Closed)
    }

    /// Puts a small frame into the queue if there is room now.
    pub(super) fn try_send(&self, json: Box<RawValue>) {
        if let Ok(room) = self.room.clone().try_acquire_owned() {
            let _ = self.items.try_send(Item::Frame(json, room));
        }
    }

    /// Lets the writer end after what is in the queue.
    pub(super) async fn end(&self) {
        let _ = self.items.send(Item::End).await;
    }
}

impl Queue {
    /// The next frame, once there is one; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Box<RawValue>> {
        match self.items.recv().await? {
            Item::Frame(json, _room) => Some(json),
            Item::End => None,
        }
    }

    /// The next frame, if there is one now.
    pub(super) fn take(&mut self) -> Option<Box<RawValue>> {
        match self.items.try_recv().ok()? {
            Item::Frame(json, _room) => Some(json),
            Item::End => None,
        }
    }
}

/// Where frames are written to.
pub(super) trait Sink: Send {
    /// Puts a frame to what is to be written, and tells how many bytes that is by now.
    fn add(&mut self, json: Box<RawValue>) -> io::Result<usize>;

    /// Writes all of it. Fails if the peer takes nothing for as long as `stall`; a slow one that
    /// reads is served.
    fn flush(&mut self, stall: Duration) -> impl Future<Output = io::Result<()>> + Send;

    /// Says that nothing follows, where the framing has words for that.
    fn finish(&mut self) -> impl Future<Output = ()> + Send;
}

/// Writes what is in the queue until its end, until the peer fails or stalls (then it cancels
/// `gone`), or until someone else cancels `gone`.
pub(super) async fn write(
    mut to: impl Sink,
    mut queue: Queue,
    stall: Duration,
    gone: CancellationToken,
) {
    let written = tokio::select! {
        biased;
        () = gone.cancelled() => Ok(()),
        written = write_all(&mut to, &mut queue, stall) => written,
    };
    if let Err(error) = written {
        tracing::debug!(%error, "a connection can no longer be written to");
        gone.cancel();
    }
    // Whoever waits for room would otherwise wait for ever.
    queue.room.close();
}

async fn write_all(to: &mut impl Sink, queue: &mut Queue, stall: Duration) -> io::Result<()> {
    while let Some(Item::Frame(json, room)) = queue.items.recv().await {
        let mut shares = vec![room];
        let mut waiting = to.add(json)?;
        let mut end = false;
        while waiting < TOGETHER {
            match queue.items.try_recv() {
                Ok(Item::Frame(json, room)) => {
                    shares.push(room);
                    waiting = to.add(json)?;
                }
                Ok(Item::End) => {
                    end = true;
                    break;
                }
                Err(_) => break,
            }
        }
        to.flush(stall).await?;
        if end {
            break;
        }
    }
    to.finish().await;
    Ok(())
}

/// Writes frames as bytes.
pub(super) struct ByteSink<W> {
    to: W,
    codec: FrameCodec,
    buf: BytesMut,
}

impl<W: AsyncWrite + Unpin + Send> ByteSink<W> {
    pub(super) fn new(to: W, codec: FrameCodec) -> Self {
        Self { to, codec, buf: BytesMut::new() }
    }
}

impl<W: AsyncWrite + Unpin + Send> Sink for ByteSink<W> {
    fn add(&mut self, json: Box<RawValue>) -> io::Result<usize> {
        self.codec.encode(json, &mut self.buf).map_err(io::Error::other)?;
        Ok(self.buf.len())
    }

    async fn flush(&mut self, stall: Duration) -> io::Result<()> {
        while !self.buf.is_empty() {
            let writing = self.to.write(&self.buf);
            let written = timeout(stall, writing).await.map_err(|_| io::ErrorKind::TimedOut)??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.buf.advance(written);
        }
        // A large answer leaves a large buffer: an idle connection keeps none.
        if self.buf.capacity() > 2 * TOGETHER {
            self.buf = BytesMut::new();
        }
        Ok(())
    }

    async fn finish(&mut self) {}
}
