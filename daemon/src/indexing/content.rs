//! Reads a file for the index: its hash, and what a search would see of it.

use crate::store::Hash;
use crate::workspace::scan::{nanoseconds, print};
use hob_index::trigram::{Extractor, text_of};
use rustix::fs::{Mode, OFlags, Stat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// A file up to this size is read as a whole.
const WHOLE: u64 = 16 << 20;
/// Bytes of a larger one at a time.
const PART: usize = 1 << 20;
/// A file that was changed within so many nanoseconds may change again without another stat: the
/// kernel's clock for files ticks every 1 to 10 ms, of some file systems every two seconds.
const TICK: i64 = 30_000_000;
const COARSE_TICK: i64 = 2_100_000_000;

/// What came of reading a file.
pub(super) enum Content {
    /// Its hash. The bytes are in the buffer if they fit.
    Read(Hash),
    /// It cannot be read: the user may not, or the disk fails.
    Unreadable,
    /// It is not, or not for long, what the tree says: it will be reported or looked at again.
    Changing,
}

/// Reads the file at `path`, if its print is still this one. A large one does not stay in the
/// buffer: the extractor gets it at once, so that hash and trigrams are of the same bytes.
pub(super) fn read(
    path: &Path,
    expected: u64,
    buffer: &mut Vec<u8>,
    extractor: &mut Extractor,
) -> Content {
    // What an unfinished file left there.
    extractor.take();
    buffer.clear();
    match read_hash(path, expected, buffer, extractor) {
        Ok(Some(hash)) => Content::Read(hash),
        Ok(None) => Content::Changing,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Content::Changing,
        Err(_) => Content::Unreadable,
    }
}

fn read_hash(
    path: &Path,
    expected: u64,
    buffer: &mut Vec<u8>,
    extractor: &mut Extractor,
) -> std::io::Result<Option<Hash>> {
    let mut file = open(path)?;
    let before = rustix::fs::fstat(&file)?;
    if print(&before) != expected || is_fresh(&before) {
        return Ok(None);
    }
    let hash = match u64::try_from(before.st_size) {
        Ok(size) if size <= WHOLE => {
            // As much as the file has, and a byte that shows its end.
            buffer.reserve(usize::try_from(size).unwrap_or(0) + 1);
            (&file).take(WHOLE + 1).read_to_end(buffer)?;
            blake3::hash(buffer)
        }
        _ => stream(&mut file, extractor)?,
    };
    let after = rustix::fs::fstat(&file)?;
    Ok((print(&after) == expected).then_some(*hash.as_bytes()))
}

fn stream(file: &mut File, extractor: &mut Extractor) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut part = vec![0; PART];
    let mut first = true;
    let mut visible = true;
    loop {
        let length = file.read(&mut part)?;
        if length == 0 {
            return Ok(hasher.finalize());
        }
        let bytes = &part[..length];
        hasher.update(bytes);
        if first && (bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff")) {
            let mut whole = bytes.to_vec();
            file.read_to_end(&mut whole)?;
            hasher.update(&whole[length..]);
            extractor.feed(&text_of(&whole));
            return Ok(hasher.finalize());
        }
        first = false;
        match memchr::memchr(0, bytes) {
            Some(nul) if visible => {
                extractor.feed(&bytes[..nul]);
                visible = false;
            }
            None if visible => extractor.feed(bytes),
            _ => {}
        }
    }
}

/// Whether the file may change once more without a trace in its stat.
fn is_fresh(stat: &Stat) -> bool {
    let changed = nanoseconds(stat.st_ctime, stat.st_ctime_nsec);
    let coarse = stat.st_ctime_nsec == 0 && stat.st_mtime_nsec == 0;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let age = i64::try_from(now.as_nanos()).unwrap_or(i64::MAX).saturating_sub(changed);
    (0..if coarse { COARSE_TICK } else { TICK }).contains(&age)
}

/// Feeds what a search sees of the file that was just read.
pub(super) fn extract(buffer: &[u8], extractor: &mut Extractor) {
    if !buffer.is_empty() {
        extractor.feed(&text_of(buffer));
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
