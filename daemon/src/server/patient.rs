//! A connection for libraries that know no deadlines: it fails where its peer takes nothing, and
//! tells when bytes have come.

use bytes::{Buf as _, BytesMut};
use interprocess::local_socket::tokio::Stream;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

/// A stream, from its first byte on.
pub(super) struct Patient {
    /// What was read of it already.
    start: BytesMut,
    stream: Arc<Stream>,
    /// How long a write may make no progress.
    stall: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Told of bytes that have come.
    arrived: Arc<Notify>,
}

impl Patient {
    pub(super) fn new(start: BytesMut, stream: Arc<Stream>, stall: Duration) -> Self {
        Self { start, stream, stall, stalled: None, arrived: Arc::default() }
    }

    /// What is told of bytes that have come.
    pub(super) fn arrived(&self) -> Arc<Notify> {
        self.arrived.clone()
    }

    /// The outcome of a write, unless it has waited for too long.
    fn in_time<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.stalled = None;
            return outcome;
        }
        let stall = self.stall;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(stall)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.start.is_empty() {
            let count = self.start.len().min(buf.remaining());
            buf.put_slice(&self.start[..count]);
            self.start.advance(count);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut &*self.stream).poll_read(context, buf))?;
        if buf.filled().len() > before {
            self.arrived.notify_one();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut &*self.stream).poll_write(context, buf);
        self.in_time(outcome, context)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.stream).poll_shutdown(context)
    }
}
