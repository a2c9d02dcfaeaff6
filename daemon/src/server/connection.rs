//! The life of one connection: what is spoken, then read, run, write, and the ways in which it ends.
//!
//! The same for every framing: where frames come from and go to is a [`Source`] and a [`Sink`].

use super::calls::Calls;
use super::door::Silence;
use super::fault;
use super::frame::{self, FrameCodec, FrameError, FrameReader, Framing, Patience, Source};
use super::http;
use super::outgoing::{self, ByteSink, Sink};
use super::speech::{self, Speech};
use super::{Limits, Server};
use bytes::BytesMut;
use interprocess::local_socket::tokio::Stream;
use jsonrpsee::ConnectionId;
use jsonrpsee::types::{ErrorObjectOwned, Id};
use rustix::event::{PollFd, PollFlags};
use rustix::net::{RecvFlags, SendFlags};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, Interest};
use tokio::net::UnixStream;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_util::codec::Encoder as _;
use tokio_util::sync::CancellationToken;

/// How long what a refused peer still writes is read, so that it sees the reason.
const LINGER: Duration = Duration::from_secs(2);
/// How long a stopping connection looks for requests that are already on their way, to refuse
/// them rather than to leave them without an answer.
pub(super) const LAST_LOOK: Duration = Duration::from_millis(5);
/// How long it looks where more and more come.
const LAST_LOOKS: Duration = Duration::from_millis(50);
/// How long the last answers may take to be written while the daemon stops.
const LAST_WRITE: Duration = Duration::from_millis(500);
/// How long calls get to say that they were ended, after the grace.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// Why no more is read.
enum End {
    /// Nobody is there any more.
    Gone,
    /// The peer sends no more, and may still read.
    HalfClosed,
    /// The peer has broken a rule after which its bytes make no sense.
    Broken(ErrorObjectOwned),
    /// The daemon stops, and what ran here is done.
    Stopped,
}

/// A connection, and what ends it.
pub(super) struct Line {
    pub(super) stream: Arc<Stream>,
    pub(super) server: Arc<Server>,
    pub(super) connection: ConnectionId,
    /// When it was accepted.
    pub(super) opened: Instant,
    /// Lasts until something was asked.
    pub(super) silence: Silence,
    /// Lets it finish what it has begun.
    pub(super) stop: CancellationToken,
    /// Does not. Cancelled too when its peer has gone.
    pub(super) gone: CancellationToken,
}

impl Line {
    pub(super) fn new(
        stream: Stream,
        server: Arc<Server>,
        connection: ConnectionId,
        silence: Silence,
        stop: CancellationToken,
        gone: CancellationToken,
    ) -> Self {
        let (stream, opened) = (Arc::new(stream), Instant::now());
        Self { stream, server, connection, opened, silence, stop, gone }
    }

    pub(super) fn limits(&self) -> Limits {
        self.server.limits
    }

    pub(super) fn patience(&self) -> Patience {
        let Limits { first_frame: first, partial_frame: partial, .. } = self.server.limits;
        Patience { first, partial }
    }

    /// Serves the connection to its end.
    pub(super) async fn serve(self) {
        let mut start = BytesMut::new();
        let speech = tokio::select! {
            biased;
            () = self.gone.cancelled() => return,
            speech = self.speech(&mut start) => speech,
        };
        match speech {
            Err(_) => {}
            Ok(Speech::Http) => http::serve(self, start).await,
            Ok(Speech::Frames(framing)) => self.frames(framing, start).await,
        }
    }

    /// What the peer speaks. Where that does not show in time it is frames, whose reader says so.
    async fn speech(&self, start: &mut BytesMut) -> io::Result<Speech> {
        let late = async {
            tokio::select! {
                () = sleep_until(self.opened + self.limits().first_frame) => {}
                () = async { self.stop.cancelled().await; sleep(LAST_LOOK).await } => {}
            }
        };
        tokio::select! {
            biased;
            speech = speech::listen(&*self.stream, start) => speech,
            () = late => Ok(Speech::Frames(Framing::Lines)),
        }
    }

    async fn frames(self, framing: Framing, start: BytesMut) {
        let stream = self.stream.clone();
        let codec = || FrameCodec::new(framing, self.limits().frame_bytes);
        let source = FrameReader::new(&*stream, start, codec(), self.patience(), self.opened);
        let sink = ByteSink::new(Writing(stream.clone()), codec());
        converse(&self, source, sink).await;
    }
}

/// Serves frames to their end.
pub(super) async fn converse(line: &Line, mut source: impl Source, sink: impl Sink + 'static) {
    let (stop, gone) = (&line.stop, &line.gone);
    let (out, queue) = outgoing::queue();
    let stall = line.limits().stalled_write;
    let writer = tokio::spawn(outgoing::write(sink, queue, stall, gone.clone()));
    let calls = Calls::new(&line.server, line.connection, out.clone(), gone.child_token());
    let calls = Arc::new(calls);

    match read(&mut source, &calls, line).await {
        End::Gone => gone.cancel(),
        End::HalfClosed => answer_the_rest(&line.stream, &calls, stop, gone).await,
        End::Broken(error) => calls.reply(Id::Null, error).await,
        End::Stopped => {}
    }
    calls.end().await;
    finish_writing(writer, &out, stop, gone).await;
    hang_up(&line.stream);
    if !stop.is_cancelled() {
        gone.run_until_cancelled(source.linger(LINGER)).await;
    }
}

/// Refuses a connection for a reason that its peer is told, in the framing that it speaks.
pub(super) async fn refuse(stream: Stream, error: ErrorObjectOwned) {
    let mut start = BytesMut::new();
    let speech = timeout(LINGER, speech::listen(&stream, &mut start)).await;
    let words = refusal(speech.ok().and_then(Result::ok), error);
    let _ = timeout(LINGER, (&stream).write_all(&words)).await;
    hang_up(&stream);
    frame::linger(&stream, LINGER).await;
}

/// The same without waiting for anything: for a crowd, each of which would take a task.
pub(super) fn refuse_at_once(stream: &Stream, error: ErrorObjectOwned) {
    let mut start = [0; 16];
    let read = rustix::net::recv(fd(stream), &mut start, RecvFlags::DONTWAIT).unwrap_or((0, 0)).0;
    let words = refusal(speech::told_by(start[..read].trim_ascii_start()), error);
    let _ = rustix::net::send(fd(stream), &words, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
}

/// The words of a refusal; in a line for a peer that has not said enough.
fn refusal(speech: Option<Speech>, error: ErrorObjectOwned) -> BytesMut {
    let json = jsonrpsee::MethodResponse::error(Id::Null, error).into_json();
    let framing = match speech {
        Some(Speech::Http) => return BytesMut::from(&http::refusal(&json)[..]),
        Some(Speech::Frames(framing)) => framing,
        None => Framing::Lines,
    };
    let mut words = BytesMut::new();
    // Nothing but a socket could fail here.
    let _ = FrameCodec::new(framing, 0).encode(json, &mut words);
    words
}

/// Ends a connection on which all is said, once its peer has seen it.
pub(super) async fn part(line: &Line) {
    hang_up(&line.stream);
    if !line.stop.is_cancelled() {
        line.gone.run_until_cancelled(frame::linger(&*line.stream, LINGER)).await;
    }
}

fn hang_up(stream: &Stream) {
    let _ = rustix::net::shutdown(fd(stream), rustix::net::Shutdown::Write);
}

async fn read(source: &mut impl Source, calls: &Arc<Calls>, line: &Line) -> End {
    let mut asked = false;
    loop {
        let frame = tokio::select! {
            biased;
            () = line.gone.cancelled() => return End::Gone,
            () = line.stop.cancelled() => break,
            frame = source.next() => frame,
        };
        match frame {
            Ok(Some(frame)) => calls.take(&frame).await,
            Ok(None) => return End::HalfClosed,
            Err(error) => return broken(error),
        }
        asked = true;
        line.silence.end();
    }
    // What came together with a request that was taken in is not refused.
    let more = if asked { calls.limits.calls } else { 0 };
    for _ in 0..more {
        match timeout(Duration::ZERO, source.next()).await {
            Err(_) => break,
            Ok(Ok(Some(frame))) => calls.take(&frame).await,
            Ok(Ok(None)) => return End::HalfClosed,
            Ok(Err(error)) => return broken(error),
        }
    }
    drain(source, calls, &line.gone).await
}

/// Lets what runs finish, and refuses what comes meanwhile.
async fn drain(source: &mut impl Source, calls: &Arc<Calls>, gone: &CancellationToken) -> End {
    calls.stop();
    let done = finish(calls);
    tokio::pin!(done);
    let mut open = true;
    loop {
        let frame = tokio::select! {
            biased;
            () = gone.cancelled() => return End::Gone,
            () = &mut done => break,
            frame = source.next(), if open => frame,
        };
        match frame {
            Ok(Some(frame)) => calls.take(&frame).await,
            Ok(None) => open = false,
            Err(error) => return broken(error),
        }
    }
    let end = Instant::now() + LAST_LOOKS;
    while open && Instant::now() < end {
        let Ok(Ok(Some(frame))) = timeout(LAST_LOOK, source.next()).await else { break };
        calls.take(&frame).await;
    }
    End::Stopped
}

/// Calls and streams get the grace. A stream without an end of its own is to end when the daemon
/// stops; a call that does not finish in time is answered all the same.
async fn finish(calls: &Calls) {
    let end = Instant::now() + calls.limits.drain;
    if timeout_at(end, calls.calls_done()).await.is_err() {
        calls.give_up();
        let _ = timeout(LAST_WORDS, calls.calls_done()).await;
    }
    // After the calls: the last of them may have begun a stream.
    let _ = timeout_at(end, calls.streams_done()).await;
}

/// Waits for work; at the daemon's end for as long as [`finish`] lets it.
pub(super) async fn until_stopped(
    stop: &CancellationToken,
    calls: &Calls,
    done: impl Future<Output = ()>,
) {
    let stopped = async {
        stop.cancelled().await;
        calls.stop();
        finish(calls).await;
    };
    tokio::select! {
        biased;
        () = done => {}
        () = stopped => {}
    }
}

fn broken(error: FrameError) -> End {
    match error {
        FrameError::TooLarge(limit) => End::Broken(fault::large_frame(limit)),
        FrameError::TooSlow(patience) => End::Broken(fault::slow_frame(patience)),
        FrameError::Malformed(what) => End::Broken(fault::unreadable(&what)),
        FrameError::Io(_) => End::Gone,
    }
}

/// After the last request: `printf '{...}' | nc -NU` has closed its half, and waits.
async fn answer_the_rest(
    stream: &Stream,
    calls: &Arc<Calls>,
    stop: &CancellationToken,
    gone: &CancellationToken,
) {
    let answered = until_stopped(stop, calls, async {
        calls.calls_done().await;
        calls.streams_done().await;
    });
    tokio::select! {
        biased;
        () = gone.cancelled() => {}
        result = hung_up(stream) => {
            if let Err(error) = result {
                tracing::debug!(%error, "cannot tell whether a peer is still there");
            }
            gone.cancel();
        }
        () = answered => {}
    }
}

/// Waits until the peer has closed both halves, which is how its end looks.
async fn hung_up(stream: &Stream) -> io::Result<()> {
    // A registration of its own: to clear the readiness of the stream's would lose the writer's.
    let watched = std::os::unix::net::UnixStream::from(fd(stream).try_clone_to_owned()?);
    let watched = UnixStream::from_std(watched)?;
    loop {
        let mut poll = [PollFd::new(&watched, PollFlags::empty())];
        rustix::event::poll(&mut poll, Some(&rustix::event::Timespec::default()))?;
        if poll[0].revents().intersects(PollFlags::HUP | PollFlags::ERR) {
            return Ok(());
        }
        // Nothing is written here: "would block" makes the next turn wait for the next event.
        watched.writable().await?;
        let _ =
            watched.try_io(Interest::WRITABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
    }
}

/// Waits until the answers are out; at the daemon's end not for long.
async fn finish_writing(
    mut writer: tokio::task::JoinHandle<()>,
    out: &outgoing::Outgoing,
    stop: &CancellationToken,
    gone: &CancellationToken,
) {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(LAST_WRITE).await;
    };
    let written = async {
        out.end().await;
        let _ = (&mut writer).await;
    };
    tokio::select! {
        () = written => {}
        () = late => gone.cancel(),
    }
}

pub(super) fn fd(stream: &Stream) -> BorrowedFd<'_> {
    match stream {
        Stream::UdSocket(socket) => socket.as_fd(),
    }
}

/// Writes to a connection that someone else reads.
struct Writing(Arc<Stream>);

impl AsyncWrite for Writing {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self.0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self.0).poll_shutdown(cx)
    }
}
