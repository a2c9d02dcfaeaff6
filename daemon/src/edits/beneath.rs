//! Files beneath a root, and nothing else: whatever a path says, and whoever moves a link meanwhile.
//!
//! Paths are resolved by `cap-std`, which leaves a directory for no `..` and no link. What is changed is
//! changed by a descriptor of the directory that it is in, which was opened part by part without following
//! any link.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use hob_index::edits::{Found, Kind, Refused, shown};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Component, Path, PathBuf};

/// A directory that nothing leaves.
pub(crate) struct Root {
    dir: Dir,
    path: PathBuf,
    /// A file that is edited has no more bytes.
    most: u64,
    /// What permissions new directories lack.
    umask: u32,
}

/// A file as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    /// Its permissions.
    pub(crate) mode: u32,
}

/// Where a file stands, or is to stand: its directory, and its name there. No link is on the way.
pub(crate) struct Place {
    pub(crate) dir: Dir,
    pub(crate) name: Vec<u8>,
}

impl Root {
    /// That at a canonical path, for files of at most so many bytes.
    pub(crate) fn open(path: &Path, most: u64, umask: u32) -> io::Result<Self> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir, path: path.to_owned(), most, umask })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What a name stands for, taken as a path from the root.
    pub(crate) fn find(&self, name: &[u8]) -> Result<Found, Refused> {
        let path = self.relative(name)?;
        let asked = as_path(&path);
        let link = self.dir.symlink_metadata(asked).is_ok_and(|meta| meta.is_symlink());
        match self.dir.canonicalize(asked) {
            Ok(real) => {
                let is_there = self.dir.metadata(&real).is_ok_and(|meta| !meta.is_dir());
                let path = as_bytes(real);
                refuse_git(&path, name)?;
                let leads_to = link.then(|| path.clone());
                Ok(Found { path, is_there, leads_to })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && link => {
                Err(forbidden(name, "it is a link to what is not there"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.to_be_made(&path, name),
            Err(error) => Err(refusal(name, &error)),
        }
    }

    /// A path of which the end is not there yet.
    fn to_be_made(&self, path: &[u8], name: &[u8]) -> Result<Found, Refused> {
        for above in as_path(path).ancestors().skip(1) {
            let rest = as_path(path).strip_prefix(above).unwrap_or(as_path(path));
            if above.as_os_str().is_empty() {
                break;
            }
            match self.dir.canonicalize(above) {
                Ok(real) => {
                    if self.dir.metadata(&real).is_ok_and(|meta| !meta.is_dir()) {
                        return Err(forbidden(name, "a file is where a directory should be"));
                    }
                    let path = as_bytes(real.join(rest));
                    refuse_git(&path, name)?;
                    return Ok(Found { path, is_there: false, leads_to: None });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let link = self.dir.symlink_metadata(above);
                    if link.is_ok_and(|meta| meta.is_symlink()) {
                        return Err(forbidden(name, "a link on its way leads nowhere"));
                    }
                }
                Err(error) => return Err(refusal(name, &error)),
            }
        }
        Ok(Found { path: path.to_vec(), is_there: false, leads_to: None })
    }

    /// The path from the root that a reply's path is: without `.` and `..`, and without the root before it.
    fn relative(&self, name: &[u8]) -> Result<Vec<u8>, Refused> {
        let path = as_path(name);
        let path = path.strip_prefix(&self.path).unwrap_or(path);
        // Some write the root as `/`.
        let inner = path.strip_prefix("/").ok().filter(|inner| self.dir.is_file(inner));
        let path = inner.unwrap_or(path);
        let is_drive =
            name.get(1) == Some(&b':') && name.first().is_some_and(u8::is_ascii_alphabetic);
        if is_drive || name.starts_with(b"~/") {
            return Err(forbidden(name, "it leads out of the workspace"));
        }
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::Normal(part) => parts.push(part.as_bytes()),
                Component::ParentDir if parts.pop().is_some() => {}
                _ => return Err(forbidden(name, "it leads out of the workspace")),
            }
        }
        if name.contains(&0) {
            return Err(forbidden(name, "no path has a NUL byte"));
        }
        if parts.is_empty() {
            return Err(forbidden(name, "it names no file"));
        }
        let path = parts.join(&b'/');
        refuse_git(&path, name)?;
        Ok(path)
    }

    /// Reads a file; none where there is none.
    pub(crate) fn read(&self, path: &[u8]) -> Result<Option<Held>, Refused> {
        match self.place(path, &mut None)? {
            Some(place) => place.read(self.most).map_err(|error| refusal(path, &error)),
            None => Ok(None),
        }
    }

    /// Where the file of a path without links is. Where its directory is not there, it is made if it may
    /// be, and noted.
    pub(crate) fn place(
        &self,
        path: &[u8],
        make: &mut Option<Vec<Vec<u8>>>,
    ) -> Result<Option<Place>, Refused> {
        refuse_git(path, path)?;
        let refused = |error: &io::Error| refusal(path, error);
        let mut dir = self.dir.try_clone().map_err(|error| refused(&error))?;
        let (above, name) = split(path);
        let mut so_far = Vec::new();
        for part in above.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
            so_far.extend_from_slice(if so_far.is_empty() { b"" } else { b"/" });
            so_far.extend_from_slice(part);
            dir = match open_dir(&dir, part) {
                Ok(dir) => dir,
                Err(Errno::NOENT) => {
                    let Some(made) = make else { return Ok(None) };
                    match rustix::fs::mkdirat(&dir, part, Mode::from_raw_mode(0o777 & !self.umask))
                    {
                        Ok(()) => made.push(so_far.clone()),
                        Err(Errno::EXIST) => {}
                        Err(errno) => return Err(refused(&errno.into())),
                    }
                    open_dir(&dir, part).map_err(|errno| refused(&errno.into()))?
                }
                Err(errno) => return Err(refused(&errno.into())),
            };
        }
        Ok(Some(Place { dir, name: name.to_vec() }))
    }

    /// The directories on the way to a path that are not there.
    pub(crate) fn missing(&self, path: &[u8]) -> Vec<Vec<u8>> {
        let above = as_path(path).ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty());
        let gone = above.take_while(|dir| self.dir.symlink_metadata(dir).is_err());
        gone.map(|dir| dir.as_os_str().as_bytes().to_vec()).collect()
    }

    /// Removes a directory, if nothing is in it.
    pub(crate) fn remove_empty(&self, path: &[u8]) {
        if let Ok(Some(place)) = self.place(path, &mut None) {
            let _ = rustix::fs::unlinkat(&place.dir, place.name.as_slice(), AtFlags::REMOVEDIR);
        }
    }
}

impl Place {
    /// Reads it; none where nothing is. What is no regular file, and what is larger, is an error.
    pub(crate) fn read(&self, most: u64) -> io::Result<Option<Held>> {
        self.read_as(&self.name, most)
    }

    /// The same of another name in the same directory.
    pub(crate) fn read_as(&self, name: &[u8], most: u64) -> io::Result<Option<Held>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match rustix::fs::openat(&self.dir, name, flags, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(io::Error::other("it is a link")),
            Err(errno) => return Err(errno.into()),
        };
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is no regular file"));
        }
        let size = stat.st_size.cast_unsigned();
        let mut bytes = Vec::with_capacity(usize::try_from(size.min(most)).unwrap_or(0) + 1);
        File::from(file).take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            let limit = format!("it has more than {} MiB, the limit `edits.file_mb`", most >> 20);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, limit));
        }
        Ok(Some(Held { bytes, mode: stat.st_mode & 0o7777 }))
    }

    /// How many names it has.
    pub(crate) fn names(&self) -> u64 {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(&self.dir, self.name.as_slice(), flags);
        #[allow(clippy::useless_conversion)] // its width is another one elsewhere
        stat.map_or(0, |stat| stat.st_nlink.into())
    }

    /// Brings the directory to the disk.
    pub(crate) fn sync(&self) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = rustix::fs::openat(&self.dir, c".", flags, Mode::empty())?;
        Ok(rustix::fs::fsync(dir)?)
    }
}

fn open_dir(dir: &Dir, name: &[u8]) -> Result<Dir, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(opened)))
}

/// Refuses a path in git's own directory, or another such, however a file system may spell its name.
fn refuse_git(path: &[u8], name: &[u8]) -> Result<(), Refused> {
    // Some file systems see no case, and no letters of no width.
    let is_hidden = |letter: &char| matches!(letter, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let is_git = |part: &[u8]| {
        let part: String =
            String::from_utf8_lossy(part).chars().filter(|letter| !is_hidden(letter)).collect();
        [".git", "git~1", ".jj", ".hg", ".svn"].iter().any(|own| part.eq_ignore_ascii_case(own))
    };
    match path.split(|byte| *byte == b'/').any(is_git) {
        true => Err(forbidden(name, "what version control keeps is not edited")),
        false => Ok(()),
    }
}

fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

fn as_bytes(path: PathBuf) -> Vec<u8> {
    path.into_os_string().into_vec()
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b"", path),
    }
}

pub(crate) fn forbidden(path: &[u8], why: &str) -> Refused {
    Refused { kind: Kind::Forbidden, message: format!("`{}`: {why}", shown(path)) }
}

fn refusal(path: &[u8], error: &io::Error) -> Refused {
    let why = match (error.kind(), error.raw_os_error()) {
        // So cap-std says it.
        (io::ErrorKind::PermissionDenied, None) => {
            "a link on its way leads out of the workspace, or is absolute".to_owned()
        }
        (io::ErrorKind::NotADirectory, _) => "a file is where a directory should be".to_owned(),
        (io::ErrorKind::IsADirectory, _) => "it is a directory".to_owned(),
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            "links on its way lead in a circle, or out of the workspace".to_owned()
        }
        _ => crate::io_text(error),
    };
    forbidden(path, &why)
}
