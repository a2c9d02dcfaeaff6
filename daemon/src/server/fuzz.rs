//! What must hold for any bytes that come in: for the fuzz targets of `tests/fuzz`, and for property
//! tests.

use super::connection::Line;
use super::door::Silence;
use super::frame::{FrameCodec, FrameError, Framing};
use super::message::{self, Frame, Message};
use super::{Server, speech};
use bytes::BytesMut;
use interprocess::os::unix::uds_local_socket;
use jsonrpsee::ConnectionId;
use jsonrpsee::RpcModule;
use jsonrpsee::types::Id;
use serde_json::value::RawValue;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::codec::{Decoder as _, Encoder as _};
use tokio_util::sync::CancellationToken;

/// The largest frame, in bytes.
const MAX: usize = 256;
/// A connection that lasts so long has not ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// However the bytes are cut, the same frames come out, none larger than the cap, and what is
/// encoded is decoded to what it was.
///
/// # Panics
/// If that is not so.
pub fn frames(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let size = usize::from(*first % 32) + 1;
    for framing in [Framing::Lines, Framing::Headers] {
        let whole = decode(framing, bytes, bytes.len().max(1));
        assert_eq!(whole, decode(framing, bytes, size), "{framing:?} in pieces of {size}");
        assert!(
            whole.iter().flatten().all(|frame| frame.len() <= MAX),
            "{framing:?}: past the cap"
        );
        if let Some(json) = json(bytes) {
            let mut encoded = BytesMut::new();
            let mut codec = FrameCodec::new(framing, usize::MAX);
            codec.encode(json.clone(), &mut encoded).expect("to memory");
            codec.encode(json.clone(), &mut encoded).expect("to memory");
            for _ in 0..2 {
                let frame = codec.decode(&mut encoded).expect("ours").expect("a whole one");
                let value: Result<serde_json::Value, _> = serde_json::from_slice(&frame);
                let before: Result<serde_json::Value, _> = serde_json::from_str(json.get());
                assert_eq!(value.ok(), before.ok(), "{framing:?}");
            }
            assert!(encoded.is_empty());
        }
    }
    // What is told once is not taken back when more comes.
    let told: Vec<_> =
        (0..=bytes.len().min(16)).map(|end| speech::told_by(&bytes[..end])).collect();
    let first = told.iter().flatten().next();
    assert!(told.iter().flatten().all(|speech| Some(speech) == first), "{told:?}");
}

/// Any text is a message, a batch, or an error in our shape; an id is one that the protocol has.
///
/// # Panics
/// If that is not so.
pub fn messages(bytes: &[u8]) {
    match message::parse(bytes) {
        Ok(Frame::Single(message)) => check(&message),
        Ok(Frame::Batch(entries)) => {
            entries.into_iter().for_each(|entry| check(&message::parse_entry(entry)));
        }
        Err(error) => check_error(&error),
    }
}

/// Any bytes on a connection, through the whole driver: it ends, and what it says in lines is
/// JSON-RPC.
///
/// # Panics
/// If that is not so.
pub fn connection(bytes: &[u8]) {
    let mut stream = connect();
    stream.set_read_timeout(Some(PATIENCE)).expect("a time that is not zero");
    // It may close before it has read all.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut said = Vec::new();
    if let Err(error) = stream.read_to_end(&mut said) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    if said.starts_with(b"{") || said.starts_with(b"[") {
        for line in said.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let answer: serde_json::Value = serde_json::from_slice(line).expect("JSON");
            let first = if answer.is_array() { &answer[0] } else { &answer };
            assert_eq!(first["jsonrpc"], "2.0", "{answer}");
        }
    }
}

/// A connection to a server for all inputs.
fn connect() -> UnixStream {
    static SERVED: LazyLock<(Runtime, Arc<Server>)> = LazyLock::new(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        let mut server = Server::new(methods());
        server.limits.frame_bytes = 4096;
        server.limits.answer_bytes = 4096;
        server.limits.first_frame = PATIENCE / 4;
        server.limits.partial_frame = PATIENCE / 4;
        (runtime, Arc::new(server))
    });
    let (runtime, server) = &*SERVED;
    let _entered = runtime.enter();
    let (ours, theirs) = UnixStream::pair().expect("two ends");
    theirs.set_nonblocking(true).expect("a socket");
    let stream =
        uds_local_socket::tokio::Stream::try_from(OwnedFd::from(theirs)).expect("a socket");
    let (id, silence) = (ConnectionId(1), Silence::new(&Arc::default()));
    let (stop, gone) = (CancellationToken::new(), CancellationToken::new());
    let line = Line::new(stream.into(), server.clone(), id, silence, stop, gone);
    runtime.spawn(line.serve());
    ours
}

fn methods() -> RpcModule<()> {
    let mut module = RpcModule::new(());
    let echo = module.register_method("echo", |params, _, _| params.parse::<serde_json::Value>());
    echo.expect("a name of its own");
    let counted = module.register_subscription("sub", "told", "unsub", |_, pending, _, _| async {
        let Ok(sink) = pending.accept().await else { return };
        let _ = sink.send(RawValue::NULL.to_owned()).await;
    });
    counted.expect("a name of its own");
    module
}

fn check(message: &Message<'_>) {
    match message {
        Message::Request(request) => check_id(&request.id),
        Message::Answer { id, .. } => check_id(id),
        Message::Invalid { id, error } => {
            check_id(id);
            check_error(error);
        }
        Message::Notification { params, .. } => {
            assert!(params.is_none_or(|params| params.get().starts_with(['{', '['])));
        }
    }
}

fn check_id(id: &Id<'_>) {
    let raw = serde_json::value::to_raw_value(id).expect("an id is JSON");
    assert_eq!(message::parse_id(&raw).as_ref(), Some(id));
}

fn check_error(error: &jsonrpsee::types::ErrorObjectOwned) {
    let data = error.data().map_or("null", RawValue::get);
    assert!(serde_json::from_str::<hob_protocol::ErrorData>(data).is_ok(), "{error:?}");
}

fn json(bytes: &[u8]) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(bytes.to_vec()).ok()?).ok()
}

/// The frames, and `None` where an error ends them.
fn decode(framing: Framing, bytes: &[u8], size: usize) -> Vec<Option<Vec<u8>>> {
    let (mut codec, mut buf) = (FrameCodec::new(framing, MAX), BytesMut::new());
    let (mut frames, mut pieces) = (Vec::new(), bytes.chunks(size));
    loop {
        let piece = pieces.next();
        buf.extend_from_slice(piece.unwrap_or_default());
        loop {
            let decoded: Result<_, FrameError> = match piece {
                Some(_) => codec.decode(&mut buf),
                None => codec.decode_eof(&mut buf),
            };
            match decoded {
                Ok(Some(frame)) => frames.push(Some(frame.to_vec())),
                Ok(None) => break,
                Err(_) => {
                    frames.push(None);
                    return frames;
                }
            }
        }
        if piece.is_none() {
            return frames;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes that are nearly right, so that more than the first check is reached.
    fn nearly() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just("Content-Length: ".to_owned()),
            Just("\r\n\r\n".to_owned()),
            Just("\n".to_owned()),
            Just("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n".to_owned()),
            Just(r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#.to_owned()),
            Just("[{},1]".to_owned()),
            (0..400_u32).prop_map(|number| number.to_string()),
            "[ -~]{0,20}",
        ];
        let text =
            proptest::collection::vec(piece, 0..12).prop_map(|text| text.concat().into_bytes());
        prop_oneof![text, proptest::collection::vec(any::<u8>(), 0..80)]
    }

    proptest! {
        #[test]
        fn frames_hold(bytes in nearly()) {
            frames(&bytes);
        }

        #[test]
        fn messages_hold(bytes in nearly()) {
            messages(&bytes);
        }

        #[test]
        fn connections_hold(bytes in nearly()) {
            connection(&bytes);
        }
    }
}
