//! Turns as they are kept: a file of its own for each, with all that its files held before and hold after
//! it.
//!
//! What it is called says how far it is: one rename decides, and whoever finds a turn that was broken off
//! knows what to do ([`Stage`]). The first line is its head in JSON, then come the bytes of its files, each
//! before and after, as long as the head says.
//!
//! Turns are the user's own data: on the disk before anything is changed, and never thrown away.

use super::beneath::Held;
use crate::git::work::Commits;
use hob_protocol::Text;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// A file of a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its path from the root.
    pub(crate) path: Vec<u8>,
    /// The path that it had before, whose own change is another one.
    pub(crate) from: Option<Vec<u8>>,
    /// Git keeps it: it is a part of the turn's commit, if there is one.
    pub(crate) is_committed: bool,
    /// What it held; none where there was none.
    pub(crate) before: Option<Kept>,
    /// What it holds; none where there is none.
    pub(crate) after: Option<Kept>,
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) bytes: Vec<u8>,
    /// Its permissions; none of one that is new: as new files are made.
    pub(crate) mode: Option<u32>,
}

impl Kept {
    /// As git sees it.
    pub(crate) fn side(&self) -> (&[u8], Option<u32>) {
        (&self.bytes, self.mode)
    }
}

impl From<Held> for Kept {
    fn from(held: Held) -> Self {
        Self { bytes: held.bytes, mode: Some(held.mode) }
    }
}

/// How far a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing has changed. If nobody is at it, it is taken back.
    Writing,
    /// Each file is old or new. If nobody is at it, it is brought to its end.
    Applying,
    /// It is made.
    Done,
    /// Nothing of it is taken back yet. If nobody is at it, it stays made.
    Preparing,
    /// Each file is new or old again. If nobody is at it, all become old.
    Undoing,
    /// It is taken back.
    Undone,
}

impl Stage {
    const ALL: [Self; 6] =
        [Self::Writing, Self::Applying, Self::Done, Self::Preparing, Self::Undoing, Self::Undone];

    /// Whether nobody has to do anything about it.
    pub(crate) fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Undone)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Applying => "applying",
            Self::Done => "done",
            Self::Preparing => "preparing",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }
}

/// A turn, but for what its files hold.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) number: u64,
    pub(crate) stage: Stage,
    pub(crate) head: Head,
}

/// What stands on the first line of a turn's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    version: u32,
    pub(crate) root: Text,
    /// Seconds since 1970.
    pub(crate) time: u64,
    /// What was done, in a line or as a message.
    pub(crate) message: String,
    files: Vec<FileHead>,
    /// Directories that were made for its files, the inner ones first.
    made: Vec<Text>,
    git: Option<GitHead>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct FileHead {
    path: Text,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Text>,
    committed: bool,
    before: Option<Blob>,
    after: Option<Blob>,
}

/// What a file holds: as many of the bytes that follow, one after the other.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Blob {
    bytes: u64,
    mode: Option<u32>,
    /// BLAKE3, in hexadecimal digits.
    hash: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct GitHead {
    base: Option<String>,
    saved: Option<String>,
    commit: String,
}

/// The form of what is written. Another one is refused, and left as it is.
const VERSION: u32 = 1;

/// What a turn is to be.
pub(crate) struct Draft<'a> {
    pub(crate) message: &'a str,
    pub(crate) time: u64,
    pub(crate) changes: &'a [Change],
    pub(crate) made: Vec<Vec<u8>>,
    pub(crate) commits: Option<&'a Commits>,
}

/// A file of a turn as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    pub(crate) path: &'a [u8],
    pub(crate) from: Option<&'a [u8]>,
    pub(crate) had: bool,
    pub(crate) has: bool,
}

impl Told<'_> {
    /// The way back.
    pub(crate) fn back(self) -> Self {
        let Self { path, from, had, has } = self;
        match from {
            Some(from) => Self { path: from, from: Some(path), had: has, has: had },
            None => Self { path, from, had: has, has: had },
        }
    }
}

impl Head {
    /// Its files.
    pub(crate) fn files(&self) -> impl Iterator<Item = Told<'_>> {
        self.files.iter().map(|file| Told {
            path: file.path.as_bytes(),
            from: file.from.as_ref().map(Text::as_bytes),
            had: file.before.is_some(),
            has: file.after.is_some(),
        })
    }

    pub(crate) fn made(&self) -> impl Iterator<Item = &[u8]> {
        self.made.iter().map(Text::as_bytes)
    }

    pub(crate) fn commits(&self) -> Option<Commits> {
        let GitHead { base, saved, commit } = self.git.clone()?;
        Some(Commits { base, saved, commit })
    }
}

/// The turns of a root.
pub(crate) struct Journal {
    dir: PathBuf,
    /// Tells the files of this root's turns from those of others.
    pub(crate) key: String,
    /// Held as long as turns may change.
    lock: Option<File>,
}

impl Journal {
    fn at(turns: &Path, key: String, lock: Option<File>) -> Self {
        Self { dir: turns.join(&key), key, lock }
    }

    /// That of a root, to look at.
    pub(crate) fn of(turns: &Path, root: &Path) -> Self {
        let key = blake3::hash(root.as_os_str().as_bytes()).to_hex()[..24].to_owned();
        Self::at(turns, key, None)
    }

    /// All that there are.
    pub(crate) fn all(turns: &Path) -> Vec<Self> {
        let Ok(entries) = std::fs::read_dir(turns) else { return Vec::new() };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        names.map(|key| Self::at(turns, key, None)).collect()
    }

    /// Whether there is one.
    pub(crate) fn exists(&self) -> bool {
        self.dir.is_dir()
    }

    /// Waits until nobody else changes turns of this root, and keeps all others from it.
    pub(crate) fn locked(mut self) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let lock = options.open(self.dir.join("lock"))?;
        loop {
            match rustix::fs::flock(&lock, FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                outcome => break outcome?,
            }
        }
        self.lock = Some(lock);
        Ok(self)
    }

    /// The turns that there are, the last one first.
    pub(crate) fn numbers(&self) -> io::Result<Vec<(u64, Stage)>> {
        let entries = match std::fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut turns = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let Some((number, stage)) = name.to_str().and_then(|name| name.split_once('.')) else {
                continue;
            };
            let stage = Stage::ALL.into_iter().find(|one| one.name() == stage);
            turns.extend(number.parse().ok().zip(stage));
        }
        turns.sort_unstable_by_key(|(number, _)| std::cmp::Reverse(*number));
        Ok(turns)
    }

    /// A turn.
    pub(crate) fn turn(&self, number: u64, stage: Stage) -> io::Result<Turn> {
        let (head, _) = self.open(number, stage)?;
        Ok(Turn { number, stage, head })
    }

    /// A turn at whatever stage it is; it may move on while it is looked at.
    pub(crate) fn find(&self, number: u64) -> io::Result<Option<Turn>> {
        loop {
            let found = self.numbers()?.into_iter().find(|(one, _)| *one == number);
            let Some((number, stage)) = found else { return Ok(None) };
            match self.turn(number, stage) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                turn => return turn.map(Some),
            }
        }
    }

    /// What the files of a turn held and hold.
    pub(crate) fn changes(&self, turn: &Turn) -> io::Result<Vec<Change>> {
        let (head, mut file) = self.open(turn.number, turn.stage)?;
        let mut kept = |blob: Option<Blob>| -> io::Result<Option<Kept>> {
            let Some(Blob { bytes: length, mode, hash }) = blob else { return Ok(None) };
            let mut bytes = Vec::new();
            file.by_ref().take(length).read_to_end(&mut bytes)?;
            if bytes.len() as u64 != length || blake3::hash(&bytes).to_hex().as_str() != hash {
                return Err(damaged());
            }
            Ok(Some(Kept { bytes, mode }))
        };
        let changes =
            head.files.into_iter().map(|FileHead { path, from, committed, before, after }| {
                let (before, after) = (kept(before)?, kept(after)?);
                let (path, from) = (path.into_bytes(), from.map(Text::into_bytes));
                Ok(Change { path, from, is_committed: committed, before, after })
            });
        changes.collect()
    }

    fn path(&self, number: u64, stage: Stage) -> PathBuf {
        self.dir.join(format!("{number}.{}", stage.name()))
    }

    fn open(&self, number: u64, stage: Stage) -> io::Result<(Head, BufReader<File>)> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let mut file = BufReader::new(File::open(self.path(number, stage))?);
        let mut line = String::new();
        file.read_line(&mut line)?;
        let Version { version } = serde_json::from_str(&line).map_err(|_| damaged())?;
        if version != VERSION {
            return Err(io::Error::other("another version of hob has written it"));
        }
        Ok((serde_json::from_str(&line).map_err(|_| damaged())?, file))
    }

    /// Writes a turn down that is to be made, and gives its number.
    pub(crate) fn write(&self, root: &Path, draft: &Draft<'_>) -> io::Result<u64> {
        // One that was set aside has its number as well.
        let names = std::fs::read_dir(&self.dir)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let last = names.filter_map(|name| name.split_once('.')?.0.parse::<u64>().ok()).max();
        let number = last.unwrap_or(0) + 1;
        let path = self.path(number, Stage::Writing);
        match self.put(&path, root, draft).and_then(|()| self.sync()) {
            Ok(()) => Ok(number),
            Err(error) => {
                let _ = std::fs::remove_file(path);
                Err(error)
            }
        }
    }

    /// Writes one anew whose files have become others than they were to be.
    pub(crate) fn rewrite(&self, turn: &Turn, draft: &Draft<'_>) -> io::Result<()> {
        let aside = self.dir.join("anew");
        self.put(&aside, turn.head.root.as_path(), draft)?;
        std::fs::rename(aside, self.path(turn.number, turn.stage))?;
        self.sync()
    }

    fn put(&self, path: &Path, root: &Path, draft: &Draft<'_>) -> io::Result<()> {
        let blob = |kept: &Option<Kept>| {
            kept.as_ref().map(|kept| Blob {
                bytes: kept.bytes.len() as u64,
                mode: kept.mode,
                hash: blake3::hash(&kept.bytes).to_hex().to_string(),
            })
        };
        let files = draft.changes.iter().map(|change| FileHead {
            path: Text::from(change.path.as_slice()),
            from: change.from.as_deref().map(Text::from),
            committed: change.is_committed,
            before: blob(&change.before),
            after: blob(&change.after),
        });
        let git = draft.commits.cloned();
        let head = Head {
            version: VERSION,
            root: Text::from(root),
            time: draft.time,
            message: draft.message.to_owned(),
            files: files.collect(),
            made: draft.made.iter().map(|dir| Text::from(dir.as_slice())).collect(),
            git: git.map(|Commits { base, saved, commit }| GitHead { base, saved, commit }),
        };
        // What files hold may be secret.
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let mut file = BufWriter::new(file?);
        serde_json::to_writer(&mut file, &head)?;
        file.write_all(b"\n")?;
        for kept in draft.changes.iter().flat_map(|one| [&one.before, &one.after]).flatten() {
            file.write_all(&kept.bytes)?;
        }
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    /// Moves a turn from one stage to the next.
    pub(crate) fn move_on(&self, number: u64, from: Stage, to: Stage) -> io::Result<()> {
        std::fs::rename(self.path(number, from), self.path(number, to))?;
        self.sync()
    }

    /// Sets a turn aside that nobody can read.
    pub(crate) fn set_aside(&self, number: u64, stage: Stage) -> io::Result<()> {
        std::fs::rename(self.path(number, stage), self.dir.join(format!("{number}.damaged")))
    }

    /// Forgets a turn of which nothing was made.
    pub(crate) fn forget(&self, number: u64) -> io::Result<()> {
        std::fs::remove_file(self.path(number, Stage::Writing))?;
        self.sync()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is damaged")
}
