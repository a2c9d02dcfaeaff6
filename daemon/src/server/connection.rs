//! The life of one connection: read, run, write, and the ways in which it ends.

use super::calls::Calls;
use super::fault;
use super::frame::{FrameCodec, FrameError, FrameReader, Framing, Patience};
use super::{Server, outgoing};
use interprocess::local_socket::tokio::Stream;
use jsonrpsee::ConnectionId;
use jsonrpsee::types::{ErrorObjectOwned, Id};
use rustix::event::{PollFd, PollFlags};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, Interest};
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long what a refused peer still writes is read, so that it sees the reason.
const LINGER: Duration = Duration::from_secs(2);
/// How long a stopping connection looks for requests that are already on their way, to refuse
/// them rather than to leave them without an answer.
const LAST_LOOK: Duration = Duration::from_millis(5);
/// How long the last answers may take to be written while the daemon stops.
const LAST_WRITE: Duration = Duration::from_millis(500);

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

/// Serves a connection to its end. `stop` lets it finish what it has begun, `kill` does not.
pub(super) async fn drive(
    stream: Stream,
    server: &Server,
    connection: ConnectionId,
    stop: CancellationToken,
    kill: &CancellationToken,
) {
    let stream = Arc::new(stream);
    let gone = kill.child_token();
    let limits = server.limits;
    let codec = move || FrameCodec::new(Framing::Lines, limits.frame_bytes);
    let patience = Patience { first: limits.first_frame, partial: limits.partial_frame };
    let (out, queue) = outgoing::queue();
    let writer = tokio::spawn({
        let (stream, gone) = (stream.clone(), gone.clone());
        async move { outgoing::write(&*stream, queue, codec(), limits.stalled_write, gone).await }
    });
    let calls = Arc::new(Calls::new(server, connection, out.clone(), gone.child_token()));
    let mut reader = FrameReader::new(&*stream, codec(), patience);

    match read(&mut reader, &calls, &stop, &gone).await {
        End::Gone => gone.cancel(),
        End::HalfClosed => answer_the_rest(&stream, &calls, &stop, &gone).await,
        End::Broken(error) => calls.reply(Id::Null, error).await,
        End::Stopped => {}
    }
    calls.end().await;
    finish_writing(writer, &out, &stop, &gone).await;
    let _ = rustix::net::shutdown(fd(&stream), rustix::net::Shutdown::Write);
    if !gone.is_cancelled() && !stop.is_cancelled() {
        kill.run_until_cancelled(reader.linger(LINGER)).await;
    }
}

/// Refuses a connection for a reason that its peer is told.
pub(super) async fn refuse(stream: Stream, error: ErrorObjectOwned) {
    let json = jsonrpsee::MethodResponse::error(Id::Null, error).into_json();
    let line = format!("{json}\n");
    let write = async { tokio::io::AsyncWriteExt::write_all(&mut &stream, line.as_bytes()).await };
    let _ = timeout(LINGER, write).await;
    let _ = rustix::net::shutdown(fd(&stream), rustix::net::Shutdown::Write);
    let codec = FrameCodec::new(Framing::Lines, 0);
    let patience = Patience { first: LINGER, partial: LINGER };
    FrameReader::new(&stream, codec, patience).linger(LINGER).await;
}

async fn read<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    calls: &Arc<Calls>,
    stop: &CancellationToken,
    gone: &CancellationToken,
) -> End {
    loop {
        let frame = tokio::select! {
            biased;
            () = gone.cancelled() => return End::Gone,
            () = stop.cancelled() => return drain(reader, calls, gone).await,
            frame = reader.next() => frame,
        };
        match frame {
            Ok(Some(frame)) => calls.take(&frame).await,
            Ok(None) => return End::HalfClosed,
            Err(error) => return broken(error),
        }
    }
}

/// Lets what runs finish, and refuses what comes meanwhile.
async fn drain<R: AsyncRead + Unpin>(
    reader: &mut FrameReader<R>,
    calls: &Arc<Calls>,
    gone: &CancellationToken,
) -> End {
    calls.stop();
    let done = finish(calls);
    tokio::pin!(done);
    let mut open = true;
    loop {
        let frame = tokio::select! {
            biased;
            () = gone.cancelled() => return End::Gone,
            () = &mut done => break,
            frame = reader.next(), if open => frame,
        };
        match frame {
            Ok(Some(frame)) => calls.take(&frame).await,
            Ok(None) => open = false,
            Err(error) => return broken(error),
        }
    }
    while let (true, Ok(Ok(Some(frame)))) = (open, timeout(LAST_LOOK, reader.next()).await) {
        calls.take(&frame).await;
    }
    End::Stopped
}

/// Calls get the grace, and streams a part of what is left: some never end by themselves.
async fn finish(calls: &Calls) {
    let grace = calls.limits.drain;
    let end = Instant::now() + grace;
    let _ = timeout_at(end, calls.calls_done()).await;
    // After the calls: the last of them may have begun a stream.
    let _ = timeout_at(end.min(Instant::now() + grace / 4), calls.streams_done()).await;
}

fn broken(error: FrameError) -> End {
    match error {
        FrameError::TooLarge(limit) => End::Broken(fault::large_frame(limit)),
        FrameError::TooSlow(patience) => End::Broken(fault::slow_frame(patience)),
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
    let answered = async {
        calls.calls_done().await;
        calls.streams_done().await;
    };
    let stopped = async {
        stop.cancelled().await;
        calls.stop();
        finish(calls).await;
    };
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
        () = stopped => {}
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
