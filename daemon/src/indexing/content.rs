//! Reads a file for the index: its hash, and what a search would see of it.

use crate::store::Hash;
use crate::workspace::scan::{is_fresh, print};
use hob_index::parts::Cutter;
use hob_index::symbols::languages;
use hob_index::tree;
use hob_index::trigram::{Extractor, Trigram, text_of};
use hob_index::words::Counter;
use rustix::fs::{Mode, OFlags};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A file up to this size is read as a whole.
const WHOLE: u64 = 16 << 20;
/// Memory that is kept for the next one.
const KEPT: usize = 1 << 20;
/// Bytes of a larger one at a time.
const PIECE: usize = 1 << 20;
/// What came of reading a file.
pub(super) enum Content {
    /// Its hash. The bytes are in the buffer if they fit.
    Read(Hash),
    /// It cannot be read: the user may not, or the disk fails.
    Unreadable,
    /// It is not, or not for long, what the tree says: it will be reported or looked at again.
    Changing,
}

/// Reads files one after the other, and keeps what the last one's parts are made of.
#[derive(Default)]
pub(super) struct Reader {
    /// The bytes of a file that was read as a whole.
    buffer: Vec<u8>,
    /// The trigrams of a larger one's parts: of the same bytes as its hash, which a second look at
    /// the file might not be.
    parts: Vec<Box<[Trigram]>>,
}

impl Reader {
    /// Reads the file at `path`, if it is still what the tree says.
    pub(super) fn read(
        &mut self,
        path: &Path,
        expected: &tree::File,
        extractor: &mut Extractor,
    ) -> Content {
        if self.buffer.capacity() > KEPT {
            self.buffer = Vec::new();
        }
        self.buffer.clear();
        self.parts.clear();
        match self.hash(path, expected, extractor) {
            Ok(Some(hash)) => Content::Read(hash),
            Ok(None) => Content::Changing,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Content::Changing,
            Err(_) => Content::Unreadable,
        }
    }

    /// Whether it is certain that a file of that name, with what was read, is of no language.
    pub(super) fn is_of_no_language(&self, path: &[u8]) -> bool {
        match languages::possible(path).len() {
            0 => true,
            1 => false,
            _ => !self.buffer.is_empty() && languages::of(path, &text_of(&self.buffer)).is_none(),
        }
    }

    /// Gives the trigrams of each part of what was read.
    pub(super) fn each_part(
        &mut self,
        file: &tree::File,
        extractor: &mut Extractor,
        part: &mut dyn FnMut(&[Trigram]),
    ) {
        if file.size > WHOLE {
            self.parts.drain(..).for_each(|trigrams| part(&trigrams));
            return;
        }
        let mut cutter = Cutter::new(file.size);
        cutter.cut(&text_of(&self.buffer), &mut |piece, ends| {
            extractor.feed(piece);
            if ends {
                part(extractor.take());
            }
        });
        part(extractor.take());
        (0..cutter.unended()).for_each(|_| part(&[]));
    }

    /// Counts the words of what was read, unless nobody wrote it.
    pub(super) fn count(&self, counter: &mut Counter) {
        counter.count(&text_of(&self.buffer));
    }

    fn hash(
        &mut self,
        path: &Path,
        expected: &tree::File,
        extractor: &mut Extractor,
    ) -> std::io::Result<Option<Hash>> {
        let mut file = open(path)?;
        let before = rustix::fs::fstat(&file)?;
        if print(&before) != expected.print || is_fresh(&before) {
            return Ok(None);
        }
        let (hash, length) = match expected.size {
            0..=WHOLE => self.whole(&file, expected.size)?,
            _ => self.stream(&mut file, expected.size, extractor)?,
        };
        let after = rustix::fs::fstat(&file)?;
        let same = print(&after) == expected.print && length == expected.size;
        Ok(same.then_some(*hash.as_bytes()))
    }

    fn whole(&mut self, file: &File, size: u64) -> std::io::Result<(blake3::Hash, u64)> {
        // As much as the file has, and a byte that shows its end.
        self.buffer.reserve(usize::try_from(size).unwrap_or(0) + 1);
        loop {
            let read = rustix::io::read(file, rustix::buffer::spare_capacity(&mut self.buffer))?;
            if read == 0 || self.buffer.len() as u64 > size {
                return Ok((blake3::hash(&self.buffer), self.buffer.len() as u64));
            }
        }
    }

    fn stream(
        &mut self,
        file: &mut File,
        size: u64,
        extractor: &mut Extractor,
    ) -> std::io::Result<(blake3::Hash, u64)> {
        let mut hasher = blake3::Hasher::new();
        let mut cutter = Cutter::new(size);
        let mut piece = vec![0; PIECE];
        let (mut total, mut visible) = (0, true);
        loop {
            let length = file.read(&mut piece)?;
            if length == 0 {
                break;
            }
            let mut bytes = &piece[..length];
            hasher.update(bytes);
            let whole;
            if total == 0 && (bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")) {
                // UTF-16 is rare, and rarer at this size.
                let mut all = bytes.to_vec();
                file.read_to_end(&mut all)?;
                hasher.update(&all[length..]);
                total += all.len() as u64 - length as u64;
                whole = text_of(&all).into_owned();
                bytes = &whole;
            }
            total += length as u64;
            if visible {
                let nul = memchr::memchr(0, bytes);
                visible = nul.is_none();
                cutter.cut(&bytes[..nul.unwrap_or(bytes.len())], &mut |text, ends| {
                    extractor.feed(text);
                    if ends {
                        self.parts.push(extractor.take().into());
                    }
                });
            }
        }
        self.parts.push(extractor.take().into());
        self.parts.extend((0..cutter.unended()).map(|_| Box::default()));
        Ok((hasher.finalize(), total))
    }
}

/// Opens a regular file without ever waiting for anybody.
fn open(path: &Path) -> std::io::Result<File> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// The absolute path of what a tree has under a relative one.
pub(super) fn join(root: &Path, relative: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(relative))
}
