//! Reads of a file what is needed to tell of a definition, and little more.

use crate::outlines::{self, Links};
use crate::workspace::scan::print;
use hob_index::symbols::Symbol;
use hob_index::symbols::languages::{self, Language};
use hob_index::trigram::text_of;
use std::borrow::Cow;
use std::fs::File;
use std::io;

/// A file up to this size is read as a whole.
const WHOLE: u64 = 256 << 10;
/// Bytes before a definition where its comment is looked for, and after its head where a
/// docstring is.
const AROUND: u32 = 4 << 10;
/// Bytes of a text by which its language is known.
const RECOGNIZED: u32 = 64 << 10;
/// Bytes of a signature that are looked at.
const HEAD: u32 = 16 << 10;

/// A file, of which as little is read as is needed.
pub(super) struct Pages {
    /// None of a text that is at hand.
    file: Option<File>,
    /// The file's state, before anything was read.
    pub(super) print: u64,
    /// The text, where it is read as a whole.
    whole: Option<Vec<u8>>,
    size: u64,
    /// How long the mark of the encoding is, which is no part of the text.
    mark: u64,
}

impl Pages {
    pub(super) fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = outlines::open(path, Links::Refuse)?;
        let stat = rustix::fs::fstat(&file)?;
        let size = stat.st_size.cast_unsigned();
        let mut pages = Self { file: Some(file), print: print(&stat), whole: None, size, mark: 0 };
        let head = pages.read(0, 3)?;
        let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
        if size <= WHOLE || utf16 {
            let bytes = pages.read(0, size)?;
            pages.whole = Some(text_of(&bytes).into_owned());
        } else if head.starts_with(b"\xef\xbb\xbf") {
            pages.mark = 3;
        }
        Ok(pages)
    }

    /// Whether the text in a file of that name is of the language: the same text is of another one
    /// under another name.
    pub(super) fn is_of(&self, path: &[u8], language: &Language) -> io::Result<bool> {
        if languages::possible(path).len() == 1 {
            return Ok(true);
        }
        let head = self.slice(&(0..RECOGNIZED))?;
        Ok(languages::of(path, &head).is_some_and(|own| own.number == language.number))
    }

    /// Whether the file is as it was when it was opened: then so is what was read of it.
    pub(super) fn is_unchanged(&self) -> bool {
        let file = self.file.as_ref().map(rustix::fs::fstat);
        file.is_none_or(|stat| stat.is_ok_and(|stat| print(&stat) == self.print))
    }

    /// A text that was read.
    pub(super) fn of(text: &[u8]) -> Self {
        let size = text.len() as u64;
        Self { file: None, print: 0, whole: Some(text.to_vec()), size, mark: 0 }
    }

    fn read(&self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = length.min(self.size.saturating_sub(from));
        let Some(file) = &self.file else { return Ok(Vec::new()) };
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::io::pread(file, &mut bytes[filled..], from + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    pub(super) fn slice(&self, range: &std::ops::Range<u32>) -> io::Result<Cow<'_, [u8]>> {
        match &self.whole {
            Some(text) => {
                let end = text.len().min(range.end as usize);
                Ok(Cow::Borrowed(text.get(range.start as usize..end).unwrap_or_default()))
            }
            None => {
                let length = u64::from(range.end.saturating_sub(range.start));
                self.read(u64::from(range.start) + self.mark, length).map(Cow::Owned)
            }
        }
    }

    /// The text around a definition, and where it begins.
    pub(super) fn around(&self, symbol: &Symbol) -> io::Result<(Cow<'_, [u8]>, u32)> {
        let from = symbol.range.start.saturating_sub(AROUND);
        let head = symbol.head.min(symbol.range.start.saturating_add(HEAD));
        Ok((self.slice(&(from..head.saturating_add(AROUND)))?, from))
    }
}
