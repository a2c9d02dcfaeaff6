//! Bytes to frames and back, by `tokio_util::codec`.
//!
//! A frame is one JSON text: a message or a batch of them. What stands in it is
//! not looked at here. The cap on its size is kept while it arrives, not after.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use serde_json::value::RawValue;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Duration, Instant, timeout_at};
use tokio_util::codec::{Decoder, Encoder};

/// The most bytes that the headers of one frame may have.
const HEADER_BYTES: usize = 8 << 10;
/// The header that says how long a frame is.
const LENGTH: &[u8] = b"content-length";

/// How frames are told apart on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// One JSON text a line.
    Lines,
    /// Headers with a `Content-Length`, an empty line, and so many bytes of JSON: the base protocol
    /// of LSP.
    Headers,
}

/// Why no further frame can be read from a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The frame is past the cap, of so many bytes.
    #[error("a frame of more than {0} bytes")]
    TooLarge(usize),
    /// The first frame, or the rest of one, did not come in time.
    #[error("no whole frame within {0:?}")]
    TooSlow(Duration),
    /// What stands between the frames makes no sense, so that where the next one begins is lost.
    #[error("{0}")]
    Malformed(String),
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The codec of a connection.
#[derive(Debug)]
pub(super) struct FrameCodec {
    framing: Framing,
    /// The largest frame that is taken, in bytes.
    max: usize,
    /// How much of the buffer was looked at already: each byte is looked at once.
    scanned: usize,
    /// How long the frame is whose headers were read.
    body: Option<usize>,
}

impl FrameCodec {
    pub(super) fn new(framing: Framing, max: usize) -> Self {
        Self { framing, max, scanned: 0, body: None }
    }

    fn line(&mut self, buf: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        loop {
            let end = buf[self.scanned..].iter().position(|byte| *byte == b'\n');
            let length = end.map_or(buf.len(), |end| self.scanned + end);
            if length > self.max {
                return Err(FrameError::TooLarge(self.max));
            }
            if end.is_none() {
                self.scanned = buf.len();
                return Ok(None);
            }
            self.scanned = 0;
            let line = buf.split_to(length);
            buf.advance(1);
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    fn headed(&mut self, buf: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        if self.body.is_none() {
            self.body = self.headers(buf)?;
        }
        match self.body {
            Some(length) if buf.len() >= length => {
                self.body = None;
                Ok(Some(buf.split_to(length)))
            }
            _ => Ok(None),
        }
    }

    /// The length that the headers at the start of the buffer say, once all of them are there.
    fn headers(&mut self, buf: &mut BytesMut) -> Result<Option<usize>, FrameError> {
        // A line feed after the JSON is no part of it, and does no harm.
        let blank = buf.len() - buf.trim_ascii_start().len();
        buf.advance(blank);
        self.scanned = self.scanned.saturating_sub(blank);
        let Some(end) = end_of_headers(buf, self.scanned) else {
            self.scanned = buf.len();
            return match buf.len() > HEADER_BYTES {
                true => Err(malformed(&format!("headers of more than {HEADER_BYTES} bytes"))),
                false => Ok(None),
            };
        };
        self.scanned = 0;
        let length = content_length(&buf.split_to(end))?;
        match length > self.max {
            true => Err(FrameError::TooLarge(self.max)),
            false => Ok(Some(length)),
        }
    }

    /// Whether nothing of a frame was read yet.
    fn between_frames(&self, buf: &BytesMut) -> bool {
        buf.is_empty() && self.body.is_none()
    }
}

/// Where the headers end, their empty line included. What was scanned before has no end in it.
fn end_of_headers(buf: &[u8], scanned: usize) -> Option<usize> {
    // The end may have begun in what was scanned.
    let from = scanned.saturating_sub(3);
    (from..buf.len()).find_map(|at| match &buf[at..] {
        [b'\n', b'\n', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    })
}

fn content_length(headers: &[u8]) -> Result<usize, FrameError> {
    let mut length = None;
    for line in headers.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Err(malformed("a header without a colon"));
        };
        let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
        if !name.eq_ignore_ascii_case(LENGTH) {
            continue;
        }
        let number = Some(value).filter(|value| value.iter().all(u8::is_ascii_digit));
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let Some(number) = number else {
            return Err(malformed("`Content-Length` must be a whole number of bytes"));
        };
        if length.is_some_and(|before| before != number) {
            return Err(malformed("`Content-Length` is given twice, and differs"));
        }
        length = Some(number);
    }
    length.ok_or_else(|| malformed("`Content-Length` is missing"))
}

fn malformed(what: &str) -> FrameError {
    FrameError::Malformed(what.to_owned())
}

impl Decoder for FrameCodec {
    type Item = BytesMut;
    type Error = FrameError;

    fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        match self.framing {
            Framing::Lines => self.line(buf),
            Framing::Headers => self.headed(buf),
        }
    }

    // The last line needs no end: `printf '{...}' | nc -U` is answered. A frame that is shorter than
    // its headers say is none.
    fn decode_eof(&mut self, buf: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        if let Some(frame) = self.decode(buf)? {
            return Ok(Some(frame));
        }
        self.scanned = 0;
        let rest = buf.split();
        let whole = self.framing == Framing::Lines && !rest.trim_ascii().is_empty();
        Ok(whole.then_some(rest))
    }
}

impl Encoder<Box<RawValue>> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, json: Box<RawValue>, buf: &mut BytesMut) -> Result<(), FrameError> {
        let json = json.get().as_bytes();
        buf.reserve(json.len() + 40);
        match self.framing {
            Framing::Lines => {
                let start = buf.len();
                buf.put_slice(json);
                // A handler may answer with JSON that it was given, and that is laid out in lines.
                // Within strings they are escaped, so what is found stands between tokens.
                for byte in buf[start..].iter_mut().filter(|byte| **byte == b'\n') {
                    *byte = b' ';
                }
                buf.put_u8(b'\n');
            }
            Framing::Headers => {
                buf.put_slice(format!("Content-Length: {}\r\n\r\n", json.len()).as_bytes());
                buf.put_slice(json);
            }
        }
        Ok(())
    }
}

/// How long a peer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Until the first frame is there, from the connection's start.
    pub(super) first: Duration,
    /// Until a frame is there, from its first byte.
    pub(super) partial: Duration,
}

/// Where frames come from.
pub(super) trait Source: Send {
    /// The next frame, or `None` at the end of the stream. May be dropped and called again:
    /// nothing that was read is lost.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, FrameError>> + Send;

    /// Reads and drops what still comes, so that the peer, which may be in the middle of
    /// writing, gets to read the answer instead of a broken pipe.
    fn linger(&mut self, patience: Duration) -> impl Future<Output = ()> + Send;
}

/// Reads frames, each within its deadline.
pub(super) struct FrameReader<R> {
    source: R,
    codec: FrameCodec,
    buf: BytesMut,
    patience: Patience,
    /// When the frame that is awaited must be there; `None` between frames.
    deadline: Option<(Instant, Duration)>,
    /// Whether the first frame was read.
    greeted: bool,
    ended: bool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// `start` is what was read of the source already, since `opened`.
    pub(super) fn new(
        source: R,
        start: BytesMut,
        codec: FrameCodec,
        patience: Patience,
        opened: Instant,
    ) -> Self {
        let deadline = Some((opened + patience.first, patience.first));
        Self { source, codec, buf: start, patience, deadline, greeted: false, ended: false }
    }

    fn take(&mut self) -> Result<Option<BytesMut>, FrameError> {
        let frame = match self.ended {
            false => self.codec.decode(&mut self.buf)?,
            true => self.codec.decode_eof(&mut self.buf)?,
        };
        if frame.is_some() {
            self.deadline = None;
            self.greeted = true;
        }
        if self.codec.between_frames(&self.buf) {
            // Blank lines begin no frame. The first one is still awaited.
            self.deadline = self.deadline.filter(|_| !self.greeted);
            // The buffer has grown to the size of the frame: an idle connection keeps none.
            self.buf = BytesMut::new();
        } else if frame.is_some() {
            self.await_rest();
        }
        Ok(frame)
    }

    fn await_rest(&mut self) {
        self.deadline = Some((Instant::now() + self.patience.partial, self.patience.partial));
    }
}

impl<R: AsyncRead + Unpin + Send> Source for FrameReader<R> {
    async fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame.freeze()));
            }
            if self.ended {
                return Ok(None);
            }
            let read = self.source.read_buf(&mut self.buf);
            let count = match self.deadline {
                None => read.await?,
                Some((at, patience)) => match timeout_at(at, read).await {
                    Ok(read) => read?,
                    Err(_) => return Err(FrameError::TooSlow(patience)),
                },
            };
            self.ended = count == 0;
            if self.deadline.is_none() && !self.ended {
                self.await_rest();
            }
        }
    }

    async fn linger(&mut self, patience: Duration) {
        self.buf = BytesMut::new();
        linger(&mut self.source, patience).await;
    }
}

/// Reads and drops what still comes.
pub(super) async fn linger(mut source: impl AsyncRead + Unpin, patience: Duration) {
    let until = Instant::now() + patience;
    let mut buf = BytesMut::new();
    while let Ok(Ok(1..)) = timeout_at(until, source.read_buf(&mut buf)).await {
        buf.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(max: usize, input: &[u8]) -> Vec<String> {
        decode_as(Framing::Lines, max, input)
    }

    fn decode_as(framing: Framing, max: usize, input: &[u8]) -> Vec<String> {
        let mut codec = FrameCodec::new(framing, max);
        let (mut buf, mut frames) = (BytesMut::new(), Vec::new());
        for byte in input {
            buf.put_u8(*byte);
            match codec.decode(&mut buf) {
                Ok(Some(frame)) => frames.push(String::from_utf8_lossy(&frame).into_owned()),
                Ok(None) => {}
                Err(error) => {
                    frames.push(error.to_string());
                    return frames;
                }
            }
        }
        if let Ok(Some(rest)) = codec.decode_eof(&mut buf) {
            frames.push(format!("rest {}", String::from_utf8_lossy(&rest)));
        }
        frames
    }

    #[test]
    fn each_line_is_a_frame_and_blank_ones_are_none() {
        assert_eq!(decode(9, b"{}\n\n \r\n[1]\r\n{\"a"), ["{}", "[1]\r", "rest {\"a"]);
    }

    #[test]
    fn the_cap_holds_before_the_line_has_ended() {
        assert_eq!(decode(4, b"1234\n12345"), ["1234", "a frame of more than 4 bytes"]);
    }

    #[test]
    fn the_cap_holds_for_a_line_that_came_at_once() {
        let mut codec = FrameCodec::new(Framing::Lines, 4);
        assert!(codec.decode(&mut BytesMut::from("123456\n")).is_err());
    }

    #[test]
    fn an_answer_laid_out_in_lines_is_one_line() {
        let json = RawValue::from_string("{\n \"a\": \"\\n\"\n}".into()).unwrap();
        let mut buf = BytesMut::new();
        FrameCodec::new(Framing::Lines, 9).encode(json, &mut buf).unwrap();
        assert_eq!(&buf[..], b"{  \"a\": \"\\n\" }\n");
    }

    fn headed(max: usize, input: &str) -> Vec<String> {
        decode_as(Framing::Headers, max, input.as_bytes())
    }

    #[test]
    fn headers_say_how_long_a_frame_is() {
        let two = "Content-Length: 2\r\n\r\n{}content-length:3\n\n[1]";
        assert_eq!(headed(9, two), ["{}", "[1]"]);
        let typed = "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: 4\r\n\r\n{\n\n}\r\n";
        assert_eq!(headed(9, typed), ["{\n\n}"]);
        assert_eq!(headed(9, "Content-Length: 0\r\n\r\n"), [""]);
    }

    #[test]
    fn a_frame_that_ends_before_its_length_is_none() {
        assert_eq!(headed(9, "Content-Length: 5\r\n\r\n{}"), [""; 0]);
        assert_eq!(headed(9, "Content-Len"), [""; 0]);
    }

    #[test]
    fn the_cap_holds_before_the_frame_has_come() {
        let large = "a frame of more than 9 bytes";
        assert_eq!(headed(9, "Content-Length: 9\r\n\r\n123456789"), ["123456789"]);
        assert_eq!(headed(9, "Content-Length: 10\r\n\r\n"), [large]);
        let most = usize::MAX;
        assert_eq!(headed(9, &format!("Content-Length: {most}\r\n\r\n")), [large]);
        let long = format!("Content-Type: {}", "x".repeat(HEADER_BYTES));
        assert_eq!(headed(9, &long), ["headers of more than 8192 bytes"]);
    }

    #[test]
    fn headers_that_make_no_sense_are_told() {
        for (headers, told) in [
            ("Content-Length: x", "`Content-Length` must be a whole number of bytes"),
            ("Content-Length: -1", "`Content-Length` must be a whole number of bytes"),
            ("Content-Length: +1", "`Content-Length` must be a whole number of bytes"),
            ("Content-Length:", "`Content-Length` must be a whole number of bytes"),
            (
                "Content-Length: 99999999999999999999",
                "`Content-Length` must be a whole number of bytes",
            ),
            (
                "Content-Length: 1\r\nContent-Length: 2",
                "`Content-Length` is given twice, and differs",
            ),
            ("Content-Type: x", "`Content-Length` is missing"),
            ("Content-Length", "a header without a colon"),
        ] {
            assert_eq!(headed(9, &format!("{headers}\r\n\r\n")), [told]);
        }
    }

    #[test]
    fn an_answer_has_its_length_in_bytes() {
        let json = RawValue::from_string("\"ä\"".into()).unwrap();
        let mut buf = BytesMut::new();
        FrameCodec::new(Framing::Headers, 9).encode(json, &mut buf).unwrap();
        assert_eq!(&buf[..], "Content-Length: 4\r\n\r\n\"ä\"".as_bytes());
    }
}
