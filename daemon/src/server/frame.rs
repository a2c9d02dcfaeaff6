//! Bytes to frames and back, by `tokio_util::codec`.
//!
//! A frame is one JSON text: a message or a batch of them. What stands in it is
//! not looked at here. The cap on its size is kept while it arrives, not after.

use bytes::{Buf as _, BufMut as _, BytesMut};
use serde_json::value::RawValue;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Duration, Instant, timeout_at};
use tokio_util::codec::{Decoder, Encoder};

/// How frames are told apart on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// One JSON text a line.
    Lines,
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
}

impl FrameCodec {
    pub(super) fn new(framing: Framing, max: usize) -> Self {
        Self { framing, max, scanned: 0 }
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
}

impl Decoder for FrameCodec {
    type Item = BytesMut;
    type Error = FrameError;

    fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        match self.framing {
            Framing::Lines => self.line(buf),
        }
    }

    // The last line needs no end: `printf '{...}' | nc -U` is answered.
    fn decode_eof(&mut self, buf: &mut BytesMut) -> Result<Option<BytesMut>, FrameError> {
        if let Some(frame) = self.decode(buf)? {
            return Ok(Some(frame));
        }
        self.scanned = 0;
        let rest = buf.split();
        Ok((!rest.trim_ascii().is_empty()).then_some(rest))
    }
}

impl Encoder<Box<RawValue>> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, json: Box<RawValue>, buf: &mut BytesMut) -> Result<(), FrameError> {
        let Framing::Lines = self.framing;
        let start = buf.len();
        buf.reserve(json.get().len() + 1);
        buf.put_slice(json.get().as_bytes());
        // A handler may answer with JSON that it was given, and that is laid out in lines. Within
        // strings they are escaped, so what is found stands between tokens.
        for byte in buf[start..].iter_mut().filter(|byte| **byte == b'\n') {
            *byte = b' ';
        }
        buf.put_u8(b'\n');
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

/// Reads frames, each within its deadline.
pub(super) struct FrameReader<R> {
    source: R,
    codec: FrameCodec,
    buf: BytesMut,
    patience: Patience,
    /// When the frame that is awaited must be there; `None` between frames.
    deadline: Option<(Instant, Duration)>,
    ended: bool,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(source: R, codec: FrameCodec, patience: Patience) -> Self {
        let deadline = Some((Instant::now() + patience.first, patience.first));
        Self { source, codec, buf: BytesMut::new(), patience, deadline, ended: false }
    }

    /// The next frame, or `None` at the end of the stream. May be dropped and called again:
    /// nothing that was read is lost.
    pub(super) async fn next(&mut self) -> Result<Option<BytesMut>, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
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
            if self.deadline.is_none() {
                self.await_rest();
            }
        }
    }

    /// Reads and drops what still comes, so that the peer, which may be in the middle of
    /// writing, gets to read the answer instead of a broken pipe.
    pub(super) async fn linger(&mut self, patience: Duration) {
        let until = Instant::now() + patience;
        self.buf = BytesMut::new();
        while let Ok(Ok(1..)) = timeout_at(until, self.source.read_buf(&mut self.buf)).await {
            self.buf.clear();
        }
    }

    fn take(&mut self) -> Result<Option<BytesMut>, FrameError> {
        let frame = match self.ended {
            false => self.codec.decode(&mut self.buf)?,
            true => self.codec.decode_eof(&mut self.buf)?,
        };
        if frame.is_some() {
            self.deadline = None;
            if self.buf.is_empty() {
                // The buffer has grown to the size of the frame: an idle connection keeps none.
                self.buf = BytesMut::new();
            } else {
                self.await_rest();
            }
        }
        Ok(frame)
    }

    fn await_rest(&mut self) {
        self.deadline = Some((Instant::now() + self.patience.partial, self.patience.partial));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(max: usize, input: &[u8]) -> Vec<String> {
        let mut codec = FrameCodec::new(Framing::Lines, max);
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
}
