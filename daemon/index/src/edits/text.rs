//! The text of a file, whatever it is written in: UTF-8, with a byte order mark or without, UTF-16, or
//! another one, which is read as Windows-1252: each byte is a letter there, and comes back as it was.

use encoding_rs::WINDOWS_1252;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// With a byte order mark.
    Utf8Marked,
    Utf16Little,
    Utf16Big,
    /// Bytes that are no UTF-8.
    Other,
    Binary,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file in UTF-8, if it can be told.
pub(super) fn decode(bytes: &[u8]) -> (Vec<u8>, Encoding) {
    if let Some(rest) = bytes.strip_prefix(MARK) {
        return (rest.to_vec(), Encoding::Utf8Marked);
    }
    let wide = [(&b"\xff\xfe"[..], Encoding::Utf16Little), (b"\xfe\xff", Encoding::Utf16Big)];
    for (mark, encoding) in wide {
        if let Some(text) = bytes.strip_prefix(mark).and_then(|rest| narrow(rest, encoding)) {
            return (text, encoding);
        }
    }
    if bytes.contains(&0) {
        (bytes.to_vec(), Encoding::Binary)
    } else if std::str::from_utf8(bytes).is_ok() {
        (bytes.to_vec(), Encoding::Utf8)
    } else {
        let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
        (text.into_owned().into_bytes(), Encoding::Other)
    }
}

fn narrow(bytes: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units
        .iter()
        .map(|unit| match encoding {
            Encoding::Utf16Little => u16::from_le_bytes(*unit),
            _ => u16::from_be_bytes(*unit),
        })
        .collect();
    let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty())?;
    Some(text.into_bytes())
}

/// The bytes of a file that has this text; none where it cannot be written so.
pub(super) fn encode(text: &[u8], encoding: Encoding) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Utf8 | Encoding::Binary => Some(text.to_vec()),
        Encoding::Other => {
            let (bytes, _, is_lossy) = WINDOWS_1252.encode(std::str::from_utf8(text).ok()?);
            (!is_lossy).then(|| bytes.into_owned())
        }
        Encoding::Utf8Marked => Some([MARK, text].concat()),
        Encoding::Utf16Little | Encoding::Utf16Big => {
            let units = std::str::from_utf8(text).ok()?.encode_utf16();
            let is_little = encoding == Encoding::Utf16Little;
            let mark = if is_little { [0xff, 0xfe] } else { [0xfe, 0xff] };
            let bytes = units
                .flat_map(|unit| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() });
            Some(mark.into_iter().chain(bytes).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_comes_back_as_it_was_written() {
        let wide = |little: bool| {
            let units = "\u{feff}aé𝄞\r\n".encode_utf16();
            let bytes =
                move |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
            units.flat_map(bytes).collect::<Vec<u8>>()
        };
        let texts = [
            (b"a\n".to_vec(), Encoding::Utf8),
            (b"\xef\xbb\xbfa\n".to_vec(), Encoding::Utf8Marked),
            (wide(true), Encoding::Utf16Little),
            (wide(false), Encoding::Utf16Big),
            (b"\xe9\n".to_vec(), Encoding::Other),
            (b"\xff\xfea".to_vec(), Encoding::Other),
            (b"a\0b".to_vec(), Encoding::Binary),
        ];
        let all: Vec<u8> = (1..=255).collect();
        for (bytes, encoding) in texts.into_iter().chain([(all, Encoding::Other)]) {
            let (text, found) = decode(&bytes);
            assert_eq!(found, encoding, "{bytes:?}");
            assert_eq!(encode(&text, found), Some(bytes));
        }
    }
}
