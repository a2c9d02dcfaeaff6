//! Reads a file and finds what it defines: for the index, and for a query about a
//! file that the index does not have yet. Both see the same.
//!
//! Knows no tree and no store.

use crate::profile::stage;
use crate::workspace::scan::print;
use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::Reference;
use hob_index::symbols::{Extent, Outline};
use hob_index::trigram::text_of;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

/// What is past this of a file is not looked at. A text in the language's grammar has a limit of its
/// own, which is lower.
const MOST: u64 = 32 << 20;
/// A file that changes while it is read is read again, so often.
const TRIES: usize = 3;

/// What to do where a path ends in a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// Go where it leads, as for a file that a user names.
    Follow,
    /// It is not what stands in a tree, which has none.
    Refuse,
}

/// The text of a file, in one state of it.
pub(crate) struct Source {
    bytes: Vec<u8>,
    /// The print of that state.
    pub(crate) print: u64,
    /// There is more of it.
    cut: bool,
}

impl Source {
    /// Reads a regular file, and nothing else.
    pub(crate) fn read(path: &Path, links: Links) -> io::Result<Self> {
        let _stage = stage!("outline.read").entered();
        let file = open(path, links)?;
        let mut before = rustix::fs::fstat(&file)?;
        let mut source = Self { bytes: Vec::new(), print: 0, cut: false };
        for _ in 0..TRIES {
            source.fill(&file, before.st_size.cast_unsigned())?;
            let after = rustix::fs::fstat(&file)?;
            source.print = print(&after);
            if print(&before) == source.print {
                return Ok(source);
            }
            before = after;
        }
        // It changes all the time: what was read last is one of its states, or nearly so.
        Ok(source)
    }

    fn fill(&mut self, file: &File, size: u64) -> io::Result<()> {
        self.bytes.clear();
        // A byte more than there is shows the end without another call.
        let wanted = usize::try_from(size.min(MOST)).unwrap_or(0) + 1;
        self.bytes.reserve(wanted);
        while self.bytes.len() < wanted {
            let at = self.bytes.len() as u64;
            let spare = rustix::buffer::spare_capacity(&mut self.bytes);
            if rustix::io::pread(file, spare, at)? == 0 {
                break;
            }
        }
        self.cut = self.bytes.len() as u64 > MOST;
        self.bytes.truncate(usize::try_from(MOST).unwrap_or(usize::MAX));
        Ok(())
    }

    /// What was read. What is cut is more than a text may have.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text: without a mark of its encoding, and UTF-16 decoded.
    pub(crate) fn text(&self) -> Cow<'_, [u8]> {
        text_of(&self.bytes)
    }

    /// Whether it has a NUL byte, as no text has.
    pub(crate) fn is_binary(&self) -> bool {
        let utf16 = self.bytes.starts_with(b"\xff\xfe") || self.bytes.starts_with(b"\xfe\xff");
        !utf16 && memchr::memchr(0, &self.bytes).is_some()
    }

    /// The language of the text in a file of that name; `None` where it is of none that is known.
    pub(crate) fn language(&self, path: &[u8]) -> Option<&'static Language> {
        languages::of(path, &self.text()).filter(|_| !self.is_binary())
    }

    /// What it defines as that language.
    pub(crate) fn outline(&self, language: &Language, extractor: &mut Extractor) -> Outline {
        let _stage = stage!("outline.parse").entered();
        self.as_far_as_read(extractor.extract(language, &self.text()))
    }

    /// What it defines as that language, and what it mentions where that costs little more.
    pub(crate) fn outline_all(
        &self,
        language: &Language,
        extractor: &mut Extractor,
    ) -> (Outline, Option<Vec<Reference>>) {
        let _stage = stage!("outline.parse").entered();
        let (outline, references) = extractor.extract_all(language, &self.text());
        (self.as_far_as_read(outline), references)
    }

    fn as_far_as_read(&self, mut outline: Outline) -> Outline {
        if self.cut && outline.extent == Extent::Whole {
            outline.extent = Extent::Cut;
        }
        outline
    }
}

/// Opens a regular file without ever waiting for anybody.
pub(crate) fn open(path: &Path, links: Links) -> io::Result<File> {
    let is_file = |stat: &Stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    // Opening a device may do anything.
    let (stat, follow) = match links {
        Links::Follow => (rustix::fs::stat(path)?, OFlags::empty()),
        Links::Refuse => (rustix::fs::lstat(path)?, OFlags::NOFOLLOW),
    };
    if is_file(&stat) {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | follow;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        if is_file(&rustix::fs::fstat(&file)?) {
            return Ok(File::from(file));
        }
    }
    Err(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => io::Error::from(io::ErrorKind::IsADirectory),
        _ => io::Error::other("it is no regular file"),
    })
}

/// What an outline may cost, by the configuration.
pub(crate) fn limits(config: &crate::config::Config) -> Limits {
    Limits { text_bytes: config.symbols_file_kb << 10, ..Limits::default() }
}

/// Tells apart the rules by which outlines are made: what was made by others is made again.
pub(crate) fn rules(config: &crate::config::Config) -> u64 {
    let Limits { text_bytes, line_bytes, work, symbols } = limits(config);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&languages::fingerprint().to_le_bytes());
    for limit in [text_bytes, line_bytes, work, symbols] {
        hasher.update(&(limit as u64).to_le_bytes());
    }
    hasher.update(&MOST.to_le_bytes());
    let mut rules = [0; 8];
    rules.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(rules)
}
