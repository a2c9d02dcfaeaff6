//! What a peer speaks, told by how it begins.
//!
//! Nobody is asked: an editor's first bytes are those of a header, `curl`'s a verb of HTTP, a
//! script's a brace. What is none of these is taken for lines, and told that it is no JSON.

use super::frame::Framing;
use bytes::{Buf as _, BytesMut};
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The methods of HTTP/1.1, and the preface by which HTTP/2 begins.
const VERBS: [&[u8]; 10] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"DELETE ",
    b"OPTIONS ",
    b"PATCH ",
    b"CONNECT ",
    b"TRACE ",
    b"PRI ",
];
/// How the headers of a frame begin: `Content-Length` or `Content-Type`, in any case.
const HEADER: &[u8] = b"content-";

/// How a connection is spoken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// Frames, one after the other, both ways.
    Frames(Framing),
    /// HTTP/1.1, and by its upgrade WebSocket.
    Http,
}

/// Reads until it is clear what the peer speaks, and puts all that was read into `start`, blank
/// space before the first byte left out. May be dropped and called again.
///
/// # Errors
/// The source's.
pub(super) async fn listen<R: AsyncRead + Unpin>(
    mut source: R,
    start: &mut BytesMut,
) -> io::Result<Speech> {
    loop {
        start.advance(start.len() - start.trim_ascii_start().len());
        if let Some(speech) = told_by(start) {
            return Ok(speech);
        }
        if source.read_buf(start).await? == 0 {
            return Ok(Speech::Frames(Framing::Lines));
        }
    }
}

/// What begins so, or `None` while it can still be several.
pub(super) fn told_by(start: &[u8]) -> Option<Speech> {
    let headers = start.len().min(HEADER.len());
    if start[..headers].eq_ignore_ascii_case(&HEADER[..headers]) {
        return (headers == HEADER.len()).then_some(Speech::Frames(Framing::Headers));
    }
    if VERBS.iter().any(|verb| start.starts_with(verb)) {
        return Some(Speech::Http);
    }
    let open = VERBS.iter().any(|verb| verb.starts_with(start));
    (!open).then_some(Speech::Frames(Framing::Lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: Option<Speech> = Some(Speech::Frames(Framing::Lines));
    const HEADERS: Option<Speech> = Some(Speech::Frames(Framing::Headers));

    #[test]
    fn the_first_bytes_tell() {
        for (start, speech) in [
            ("{", LINES),
            ("[", LINES),
            ("hello", LINES),
            ("\u{feff}{", LINES),
            ("Content-Length: 5", HEADERS),
            ("content-type:", HEADERS),
            ("POST / HTTP/1.1", Some(Speech::Http)),
            ("GET /", Some(Speech::Http)),
            ("CONNECT a", Some(Speech::Http)),
            ("PRI * HTTP/2.0", Some(Speech::Http)),
            ("", None),
            ("C", None),
            ("CON", None),
            ("CONT", None),
            ("CONNX", LINES),
            ("P", None),
            ("POSTER", LINES),
            ("get /", LINES),
        ] {
            assert_eq!(told_by(start.as_bytes()), speech, "{start}");
        }
    }

    #[tokio::test]
    async fn what_comes_in_pieces_is_told_and_kept() {
        let source = in_pieces(&["\r\n ", "PO", "ST / "]);
        let mut start = BytesMut::new();
        assert_eq!(listen(source, &mut start).await.unwrap(), Speech::Http);
        assert_eq!(&start[..], b"POST / ");
    }

    #[tokio::test]
    async fn an_end_before_it_is_clear_makes_lines() {
        let mut start = BytesMut::new();
        assert_eq!(Some(listen(&b"GE"[..], &mut start).await.unwrap()), LINES);
        assert_eq!(&start[..], b"GE");
    }

    /// A source that gives one piece a read.
    fn in_pieces(pieces: &'static [&'static str]) -> impl AsyncRead + Unpin {
        pieces
            .iter()
            .rev()
            .fold(Box::new(tokio::io::empty()) as Box<dyn AsyncRead + Unpin>, |rest, piece| {
                Box::new(AsyncReadExt::chain(piece.as_bytes(), rest))
            })
    }
}
