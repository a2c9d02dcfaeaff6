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
const KIBIBYTES: u32 = 16 * 1024;
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

/// Writes what is in the queue until its end, until the peer fails or stalls (then it cancels
/// `gone`), or until someone else cancels `gone`.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    to: W,
    mut queue: Queue,
    codec: FrameCodec,
    stall: Duration,
    gone: CancellationToken,
) {
    let written = tokio::select! {
        biased;
        () = gone.cancelled() => Ok(()),
        written = write_all(to, &mut queue, codec, stall) => written,
    };
    if let Err(error) = written {
        tracing::debug!(%error, "a connection can no longer be written to");
        gone.cancel();
    }
    // Whoever waits for room would otherwise wait for ever.
    queue.room.close();
}

async fn write_all<W: AsyncWrite + Unpin>(
    mut to: W,
    queue: &mut Queue,
    mut codec: FrameCodec,
    stall: Duration,
) -> io::Result<()> {
    let mut buf = BytesMut::new();
    while let Some(Item::Frame(json, room)) = queue.items.recv().await {
        let mut shares = vec![room];
        encode(&mut codec, json, &mut buf)?;
        let mut end = false;
        while buf.len() < TOGETHER {
            match queue.items.try_recv() {
                Ok(Item::Frame(json, room)) => {
                    shares.push(room);
                    encode(&mut codec, json, &mut buf)?;
                }
                Ok(Item::End) => {
                    end = true;
                    break;
                }
                Err(_) => break,
            }
        }
        flush(&mut to, &mut buf, stall).await?;
        if end {
            break;
        }
        // A large answer leaves a large buffer: an idle connection keeps none.
        if buf.capacity() > 2 * TOGETHER {
            buf = BytesMut::new();
        }
    }
    Ok(())
}

fn encode(codec: &mut FrameCodec, json: Box<RawValue>, buf: &mut BytesMut) -> io::Result<()> {
    codec.encode(json, buf).map_err(io::Error::other)
}

/// The deadline is for progress, not for the whole: a slow peer that reads is served.
async fn flush<W: AsyncWrite + Unpin>(
    to: &mut W,
    buf: &mut BytesMut,
    stall: Duration,
) -> io::Result<()> {
    while !buf.is_empty() {
        let written =
            timeout(stall, to.write(buf)).await.map_err(|_| io::ErrorKind::TimedOut)??;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        buf.advance(written);
    }
    Ok(())
}
