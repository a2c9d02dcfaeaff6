//! Opens and reads the files that a search looks at, and no others.

use super::compile::Compiled;
use super::disk::Target;
use grep_matcher::Matcher as _;
use rustix::fs::{FileType, Mode, OFlags, Stat};
use std::fs::File;
use std::io;
use std::path::Path;

/// A file that changes while it is read is read again, so often.
const TRIES: usize = 3;

/// Opens a file, and nothing else: a pipe would block for ever, a device might do anything.
pub(super) fn open(target: &Target) -> io::Result<(File, Stat)> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let null = target.explicit && target.path == Path::new("/dev/null");
    if target.explicit && !null && !std::fs::metadata(&target.path)?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let file = rustix::fs::open(&target.path, flags, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((File::from(file), stat)),
        _ if null => Ok((File::from(file), stat)),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    }
}

/// Reads a file that may change meanwhile: what is returned is one state of it, if it rests for
/// as long as it takes to read it in one of a few tries. False where it goes on past its size, as
/// those of `/proc` do: then it may have no end.
pub(super) fn read_whole(file: &File, mut before: Stat, buffer: &mut Vec<u8>) -> io::Result<bool> {
    for _ in 0..TRIES {
        if !read_from_start(file, before.st_size.cast_unsigned(), buffer)? {
            before = rustix::fs::fstat(file)?;
            if before.st_size == 0 {
                return Ok(false);
            }
            continue;
        }
        let after = rustix::fs::fstat(file)?;
        let stamp = |stat: &Stat| (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        if stamp(&before) == stamp(&after) && buffer.len() as u64 == after.st_size.cast_unsigned() {
            return Ok(true);
        }
        before = after;
    }
    // It changes all the time: what was read last is as good as what the next try would give.
    Ok(buffer.len() as u64 <= before.st_size.cast_unsigned())
}

/// False where there is more than `size`.
fn read_from_start(file: &File, size: u64, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    // A byte more than there is shows the end without another call.
    buffer.reserve(usize::try_from(size).unwrap_or(0) + 1);
    loop {
        let at = buffer.len() as u64;
        let read = rustix::io::pread(file, rustix::buffer::spare_capacity(buffer), at)?;
        if read == 0 || (read as u64 + at == size && buffer.len() < buffer.capacity()) {
            return Ok(true);
        }
        if buffer.len() as u64 > size {
            return Ok(false);
        }
    }
}

/// Whether a part of a large file has a match, where the index names the parts that can: most of
/// what is no match is known for it without reading the rest.
pub(super) fn may_match(
    compiled: &Compiled,
    target: &Target,
    file: &File,
    stat: &Stat,
    buffer: &mut Vec<u8>,
) -> io::Result<bool> {
    let size = stat.st_size.cast_unsigned();
    let Some(parts) =
        target.parts.as_ref().filter(|parts| compiled.local && parts.len() < few(size))
    else {
        return Ok(true);
    };
    let mut head = [0; 3];
    let read = rustix::io::pread(file, &mut head, 0)?;
    // What is decoded has its parts elsewhere.
    if has_bom(&head[..read]) {
        return Ok(true);
    }
    let length = hob_index::parts::length(size);
    for part in parts {
        // The line that the part before ends with, the part, and the line that it ends with.
        let (from, to) = (u64::from(*part) * length, u64::from(*part + 1) * length);
        read_lines(file, from, to, size, buffer)?;
        if compiled.matcher.is_match(buffer).map_err(io::Error::other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Fewer candidates than this, of the parts of a file of this size, are worth a look each.
fn few(size: u64) -> usize {
    hob_index::parts::count(size) as usize / 2
}

/// Reads whole lines, from the start of the line at `from` to the end of the line at `to`, as far as
/// lines are not very long; otherwise more than that.
fn read_lines(file: &File, from: u64, to: u64, size: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    const LINE: u64 = 1 << 10;
    let mut margin = LINE;
    loop {
        let (start, end) = (from.saturating_sub(1), to.saturating_add(margin).min(size));
        buffer.clear();
        buffer.resize(usize::try_from(end.saturating_sub(start)).unwrap_or(0), 0);
        let mut filled = 0;
        while filled < buffer.len() {
            match rustix::io::pread(file, &mut buffer[filled..], start + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        buffer.truncate(filled);
        let wanted = usize::try_from(to.saturating_sub(start)).unwrap_or(usize::MAX);
        let ends = memchr::memchr(b'\n', buffer.get(wanted.saturating_sub(1)..).unwrap_or(&[]));
        if ends.is_some() || end == size {
            let begins = match from {
                0 => 0,
                _ => memchr::memchr(b'\n', buffer).map_or(buffer.len(), |at| at + 1),
            };
            buffer.drain(..begins);
            return Ok(());
        }
        margin *= 8;
    }
}

pub(super) fn has_bom(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xef\xbb\xbf")
        || bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
}
