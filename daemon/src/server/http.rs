//! HTTP/1.1 on the socket, for `curl` and the like: the body of a POST is a frame, and its answer
//! the body of the response.
//!
//! jsonrpsee's own server is not what answers here: it takes no body but `application/json`, which
//! `curl -d` does not send, answers in errors without our kinds, and cannot ask its client. The frames go
//! through the same [`Calls`] as everybody's, so each framing has the same rules and limits.
//!
//! A request is a world of its own: its calls end with its response, and a client that closes
//! cancels them. A subscription is a response that goes on, a line for each of its notifications.

use super::calls::Calls;
use super::connection::{self, LAST_LOOK, Line, until_stopped};
use super::frame::{FrameCodec, Framing};
use super::outgoing::{self, Queue};
use super::patient::Patient;
use super::{fault, websocket};
use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, UPGRADE};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::MethodResponse;
use jsonrpsee::types::{ErrorObjectOwned, Id};
use serde_json::value::RawValue;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_util::codec::Encoder as _;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Bytes that the head of a request may have.
const HEAD_BYTES: usize = 64 << 10;
const ONE: &str = "application/json";
const MANY: &str = "application/x-ndjson";

type Body = UnsyncBoxBody<Bytes, Infallible>;
/// Where a request leaves its wish to become a WebSocket.
type Wish = Arc<Mutex<Option<OnUpgrade>>>;

/// Serves a connection to its end. `start` is what was read of it already.
pub(super) async fn serve(line: Line, start: BytesMut) {
    let line = Arc::new(line);
    let io = Patient::new(start, line.stream.clone(), line.limits().stalled_write);
    let arrived = io.arrived();
    let wish = Wish::default();
    tokio::select! {
        biased;
        () = line.gone.cancelled() => return,
        () = requests(&line, io, &wish) => {}
    }
    let wished = wish.lock().unwrap_or_else(PoisonError::into_inner).take();
    match wished {
        None => connection::part(&line).await,
        Some(upgrade) => {
            if let Ok(upgraded) = upgrade.await {
                websocket::serve(&line, upgraded, arrived).await;
            }
        }
    }
}

/// Answers one request after the other, until there are no more or one becomes a WebSocket.
async fn requests(line: &Arc<Line>, io: Patient, wish: &Wish) {
    let service = service_fn(|request| {
        let (line, wish) = (line.clone(), wish.clone());
        async move { Ok::<_, Infallible>(answer(&line, &wish, request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(line.limits().first_frame);
    http.max_buf_size(HEAD_BYTES);
    let served = http.serve_connection(TokioIo::new(io), service).with_upgrades();
    tokio::pin!(served);
    let stopping = async {
        line.stop.cancelled().await;
        // A request that is on its way is refused rather than left without an answer.
        tokio::time::sleep(LAST_LOOK).await;
    };
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of HTTP has failed");
        // What cannot be parsed is answered; after anything else nobody is there to hear.
        if !error.is_parse() {
            line.gone.cancel();
        }
    }
}

async fn answer(line: &Line, wish: &Wish, request: Request<Incoming>) -> Response<Body> {
    if request.method() == Method::POST {
        return post(line, request.into_body()).await;
    }
    if request.method() != Method::GET || !request.headers().contains_key(UPGRADE) {
        let error = fault::invalid_request("ask with POST, or with GET for a WebSocket");
        let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, error);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, POST"));
        return response;
    }
    match create_response_with_body(&request, || whole(Bytes::new())) {
        Ok(response) => {
            let upgrade = hyper::upgrade::on(request);
            *wish.lock().unwrap_or_else(PoisonError::into_inner) = Some(upgrade);
            response
        }
        Err(error) => refuse(StatusCode::BAD_REQUEST, fault::invalid_request(&error.to_string())),
    }
}

/// Runs what a body asks for.
async fn post(line: &Line, body: Incoming) -> Response<Body> {
    let frame = match collect(line, body).await {
        Ok(frame) => frame,
        Err((status, error)) => return refuse(status, error),
    };
    let (out, queue) = outgoing::queue();
    let over = line.gone.child_token();
    let guard = over.clone().drop_guard();
    let calls = Arc::new(Calls::new(&line.server, line.connection, out, over));
    // There is no way to ask the client something, or to tell it, within an answer.
    calls.peer.end();
    if line.stop.is_cancelled() {
        calls.stop();
    }
    calls.take(&frame).await;
    line.silence.end();
    until_stopped(&line.stop, &calls, calls.calls_done()).await;
    match calls.streams() {
        0 => collected(queue),
        _ => streamed(queue, calls, line.stop.clone(), guard),
    }
}

async fn collect(line: &Line, body: Incoming) -> Result<Bytes, (StatusCode, ErrorObjectOwned)> {
    let limits = line.limits();
    let large = || (StatusCode::PAYLOAD_TOO_LARGE, fault::large_frame(limits.frame_bytes));
    if body.size_hint().lower() > limits.frame_bytes as u64 {
        return Err(large());
    }
    let body = Limited::new(body, limits.frame_bytes).collect();
    match timeout(limits.partial_frame, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(large()),
        Ok(Err(error)) => {
            Err((StatusCode::BAD_REQUEST, fault::unreadable(&format!("its body: {error}"))))
        }
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, fault::slow_frame(limits.partial_frame))),
    }
}

/// All that was answered, as one body.
fn collected(mut queue: Queue) -> Response<Body> {
    let (mut lines, mut count) = (BytesMut::new(), 0);
    while let Some(json) = queue.take() {
        put_line(json, &mut lines);
        count += 1;
    }
    let kind = match count {
        0 => return respond(StatusCode::NO_CONTENT, None, whole(Bytes::new())),
        1 => ONE,
        _ => MANY,
    };
    respond(StatusCode::OK, Some(kind), whole(lines.freeze()))
}

/// What is answered and what follows it, a line each, for as long as streams run and the client
/// reads: dropped, the body ends them.
fn streamed(
    queue: Queue,
    calls: Arc<Calls>,
    stop: CancellationToken,
    guard: DropGuard,
) -> Response<Body> {
    tokio::spawn(async move {
        until_stopped(&stop, &calls, calls.streams_done()).await;
        calls.end().await;
        calls.out.end().await;
    });
    let lines = futures_util::stream::unfold((queue, guard), |(mut queue, guard)| async move {
        let mut line = BytesMut::new();
        put_line(queue.next().await?, &mut line);
        Some((Ok(Frame::data(line.freeze())), (queue, guard)))
    });
    respond(StatusCode::OK, Some(MANY), StreamBody::new(lines).boxed_unsync())
}

fn put_line(json: Box<RawValue>, lines: &mut BytesMut) {
    // Nothing but a socket could fail here.
    let _ = FrameCodec::new(Framing::Lines, 0).encode(json, lines);
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).boxed_unsync()
}

fn respond(status: StatusCode, kind: Option<&'static str>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}

fn refuse(status: StatusCode, error: ErrorObjectOwned) -> Response<Body> {
    let mut line = BytesMut::new();
    put_line(MethodResponse::error(Id::Null, error).into_json(), &mut line);
    respond(status, Some(ONE), whole(line.freeze()))
}

/// The whole response to a connection that is not served.
pub(super) fn refusal(json: &RawValue) -> Vec<u8> {
    let (status, json) = (StatusCode::SERVICE_UNAVAILABLE, json.get());
    let length = json.len() + 1;
    format!("HTTP/1.1 {status}\r\n{CONTENT_TYPE}: {ONE}\r\ncontent-length: {length}\r\n{CONNECTION}: close\r\n\r\n{json}\n")
        .into_bytes()
}
