//! Files that change together.
//!
//! What a file is to hold is written beside it and brought to the disk; then the two change places in one
//! step, and what was there is looked at: if it is not what was expected, they change back. So nobody's
//! write is lost, however close it comes, and whoever reads a file sees the old one or the new one.

use super::beneath::{Place, Root};
use super::journal::{Change, Kept};
use hob_index::edits::{Kind, Refused, shown};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RenameFlags, Uid, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

/// Why files do not change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// A file is another one than was expected, or may not be changed.
    #[error("{}", .1.message)]
    Refused(Vec<u8>, Refused),
    /// The disk, or something else, in words.
    #[error("{0}")]
    Io(String),
}

/// A file and what is to stand in its place.
struct Slot {
    place: Place,
    aside: Vec<u8>,
    /// They have changed places.
    is_made: bool,
    /// What hooks have made of it since.
    hooked: Option<Kept>,
}

/// Files that are ready to change.
pub(crate) struct Swap<'a> {
    changes: &'a [Change],
    slots: Vec<Slot>,
}

/// The name of what stands beside a file: by the journal, the turn, and the number of the file in it.
fn aside(key: &str, turn: u64, at: usize) -> Vec<u8> {
    format!(".hob-{}-{turn}-{at}", &key[..8.min(key.len())]).into_bytes()
}

impl<'a> Swap<'a> {
    /// Writes what files are to hold beside them. Where it fails, nothing of that stays.
    pub(crate) fn prepare(
        root: &Root,
        (key, turn): (&str, u64),
        changes: &'a [Change],
    ) -> Result<Self, Failed> {
        let mut swap = Self { changes, slots: Vec::with_capacity(changes.len()) };
        let mut written = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let outcome = root
                .place(&change.path, &mut change.after.is_some().then(Vec::new))
                .map_err(|refused| Failed::Refused(change.path.clone(), refused))
                .and_then(|place| {
                    let place = place.ok_or_else(|| conflict(&change.path, "it is no more"))?;
                    let aside = aside(key, turn, at);
                    let file = write_beside(&place, &aside, change).map_err(|error| {
                        let name = shown(&change.path);
                        Failed::Io(format!("`{name}` cannot be written: {}", io_text(&error)))
                    });
                    swap.slots.push(Slot { place, aside, is_made: false, hooked: None });
                    file
                });
            match outcome {
                Ok(file) => written.extend(file.map(|file| (file, &change.path))),
                Err(error) => {
                    swap.clear();
                    return Err(error);
                }
            }
            point("written beside");
        }
        // One after the other: the first takes most of it to the disk.
        for (file, path) in written {
            if let Err(error) = file.sync_all() {
                swap.clear();
                let error = io_text(&error);
                return Err(Failed::Io(format!("`{}` cannot be written: {error}", shown(path))));
            }
        }
        Ok(swap)
    }

    /// Whether each file still is as it was.
    pub(crate) fn check(&self) -> Result<(), Failed> {
        for (slot, change) in self.slots.iter().zip(self.changes) {
            expect(&slot.place, &slot.place.name, change, change.before.as_ref())?;
        }
        Ok(())
    }

    /// Changes all files. Where one cannot be, those before it are changed back.
    pub(crate) fn make(&mut self) -> Result<(), Failed> {
        for at in 0..self.slots.len() {
            let (slot, change) = (&self.slots[at], &self.changes[at]);
            let made = change_places(slot, change, (change.before.as_ref(), change.after.as_ref()));
            point("changed places");
            if let Err(error) = made {
                self.take_back();
                return Err(error);
            }
            self.slots[at].is_made = true;
        }
        let synced: Result<(), io::Error> = self.slots.iter().try_for_each(|it| it.place.sync());
        if let Err(error) = synced {
            self.take_back();
            return Err(Failed::Io(format!("cannot be brought to the disk: {}", io_text(&error))));
        }
        Ok(())
    }

    /// Takes what the files hold now for what they are to hold: hooks may have changed them.
    pub(crate) fn accept(&mut self) {
        for slot in self.slots.iter_mut().filter(|slot| slot.is_made) {
            let held = slot.place.read(u64::MAX);
            slot.hooked = held.ok().flatten().map(Kept::from);
        }
    }

    /// Changes back what was changed. A file that somebody has written since stays as it is.
    pub(crate) fn take_back(&mut self) {
        for (slot, change) in self.slots.iter_mut().zip(self.changes).rev() {
            if std::mem::take(&mut slot.is_made) {
                let after = slot.hooked.as_ref().or(change.after.as_ref());
                let sides = (after, change.before.as_ref());
                let name = shown(&change.path);
                if let Err(error) = change_places(slot, change, sides) {
                    tracing::warn!(file = %name, %error, "a change is not taken back");
                }
            }
        }
        for slot in &self.slots {
            let _ = slot.place.sync();
        }
    }

    /// Removes what stands beside the files.
    pub(crate) fn clear(self) {
        for slot in &self.slots {
            let _ = rustix::fs::unlinkat(&slot.place.dir, slot.aside.as_slice(), AtFlags::empty());
            point("cleared");
        }
    }
}

/// What became of a file of a turn that was broken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is as it was.
    Old,
    /// It is as it is to be.
    New,
    /// Somebody has written it since.
    Other,
}

/// Looks at the files of a turn that was broken off. Where somebody's write was moved aside and not looked
/// at, it comes back. After it nothing stands beside the files.
pub(crate) fn look(
    root: &Root,
    (key, turn): (&str, u64),
    changes: &[Change],
) -> Result<Vec<State>, Failed> {
    let mut states = Vec::new();
    for (at, change) in changes.iter().enumerate() {
        let refused = |refused| Failed::Refused(change.path.clone(), refused);
        let Some(place) = root.place(&change.path, &mut None).map_err(refused)? else {
            // Without its directory it is not there.
            states.push(match (&change.before, &change.after) {
                (None, _) => State::Old,
                (_, None) => State::New,
                _ => State::Other,
            });
            continue;
        };
        let aside = aside(key, turn, at);
        let beside = place.read_as(&aside, u64::MAX);
        let has = |kept: &Option<Kept>, held: &Option<super::beneath::Held>| match (kept, held) {
            (Some(kept), Some(held)) => kept.bytes == held.bytes,
            (None, None) => true,
            _ => false,
        };
        let state = |held: io::Result<Option<super::beneath::Held>>| match held {
            Ok(held) if has(&change.after, &held) => State::New,
            Ok(held) if has(&change.before, &held) => State::Old,
            _ => State::Other,
        };
        let mut now = state(place.read_as(&place.name, u64::MAX));
        let is_ours = match &beside {
            Ok(None) => true,
            Ok(Some(held)) => [&change.before, &change.after]
                .into_iter()
                .flatten()
                .any(|kept| kept.bytes == held.bytes || kept.bytes.starts_with(&held.bytes)),
            Err(_) => false,
        };
        if !is_ours && now == State::New {
            // It was moved aside, and nobody has looked at it any more.
            let flags =
                if change.after.is_some() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
            rename(&place, &aside, &place.name, flags).map_err(|error| {
                Failed::Io(format!("`{}` cannot come back: {error}", shown(&change.path)))
            })?;
            now = State::Other;
        }
        if is_ours || now == State::Other {
            let _ = rustix::fs::unlinkat(&place.dir, aside.as_slice(), AtFlags::empty());
        }
        states.push(now);
    }
    Ok(states)
}

/// Writes what a file is to hold beside it, with all that its inode has else.
fn write_beside(place: &Place, aside: &[u8], change: &Change) -> io::Result<Option<File>> {
    let Some(after) = &change.after else { return Ok(None) };
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let make = || rustix::fs::openat(&place.dir, aside, flags, Mode::from_raw_mode(0o666));
    let file = match make() {
        // Of a turn that was broken off.
        Err(Errno::EXIST) => {
            rustix::fs::unlinkat(&place.dir, aside, AtFlags::empty())?;
            make()?
        }
        file => file?,
    };
    if change.before.is_some() {
        take_after(place, &file);
    }
    if let Some(mode) = after.mode {
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
    }
    let mut file = File::from(file);
    file.write_all(&after.bytes)?;
    Ok(Some(file))
}

/// Gives a new file the owner and the attributes of the one that it stands for, as far as that is allowed.
fn take_after(place: &Place, new: &OwnedFd) {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let name = place.name.as_slice();
    let Ok(old) = rustix::fs::openat(&place.dir, name, flags, Mode::empty()) else { return };
    if let (Ok(had), Ok(has)) = (rustix::fs::fstat(&old), rustix::fs::fstat(new)) {
        let owner = (had.st_uid != has.st_uid).then(|| Uid::from_raw(had.st_uid));
        let group = (had.st_gid != has.st_gid).then(|| Gid::from_raw(had.st_gid));
        if owner.is_some() || group.is_some() {
            let _ = rustix::fs::fchown(new, owner, None);
            let _ = rustix::fs::fchown(new, None, group);
        }
    }
    let mut names = vec![0; 64 << 10];
    let Ok(length) = rustix::fs::flistxattr(&old, names.as_mut_slice()) else { return };
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; 64 << 10];
        if let Ok(length) = rustix::fs::fgetxattr(&old, name, value.as_mut_slice()) {
            let _ = rustix::fs::fsetxattr(new, name, &value[..length], XattrFlags::empty());
        }
    }
}

/// Puts what is beside a file in its place, in one step, if the file is as it was.
fn change_places(
    slot: &Slot,
    change: &Change,
    (before, after): (Option<&Kept>, Option<&Kept>),
) -> Result<(), Failed> {
    let Slot { place, aside, .. } = slot;
    let name = place.name.as_slice();
    let failed = |errno: Errno| match errno {
        Errno::EXIST => conflict(&change.path, "it was made meanwhile"),
        Errno::NOENT => conflict(&change.path, "it was removed meanwhile"),
        errno => {
            let error = io_text(&errno.into());
            Failed::Io(format!("`{}` cannot be changed: {error}", shown(&change.path)))
        }
    };
    let (from, to, flags) = match (before, after) {
        (Some(_), Some(_)) => (aside.as_slice(), name, RenameFlags::EXCHANGE),
        (None, Some(_)) => (aside.as_slice(), name, RenameFlags::NOREPLACE),
        (Some(_), None) => (name, aside.as_slice(), RenameFlags::NOREPLACE),
        (None, None) => return Ok(()),
    };
    match rename(place, from, to, flags) {
        // The file system does not know how.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            expect(place, name, change, before)?;
            return rename(place, from, to, RenameFlags::empty()).map_err(failed);
        }
        outcome => outcome.map_err(failed)?,
    }
    if before.is_none() {
        return Ok(());
    }
    let expected = expect(place, aside, change, before);
    if expected.is_err() {
        rename(place, to, from, flags).map_err(failed)?;
    }
    expected
}

fn rename(place: &Place, from: &[u8], to: &[u8], flags: RenameFlags) -> Result<(), Errno> {
    match flags.is_empty() {
        true => rustix::fs::renameat(&place.dir, from, &place.dir, to),
        false => rustix::fs::renameat_with(&place.dir, from, &place.dir, to, flags),
    }
}

/// Whether something holds what it is expected to.
fn expect(place: &Place, name: &[u8], change: &Change, kept: Option<&Kept>) -> Result<(), Failed> {
    let most = kept.map_or(0, |kept| kept.bytes.len() as u64);
    // What is longer is another one, and no error.
    let held = place.read_as(name, most.saturating_add(1));
    match (held, kept) {
        (Ok(None), None) => Ok(()),
        (Ok(Some(held)), Some(kept)) if held.bytes == kept.bytes => Ok(()),
        (Ok(None), Some(_)) => Err(conflict(&change.path, "it was removed meanwhile")),
        (Ok(Some(_)), None) => Err(conflict(&change.path, "it was made meanwhile")),
        _ => Err(conflict(&change.path, "it was changed meanwhile")),
    }
}

fn conflict(path: &[u8], why: &str) -> Failed {
    let message = format!("`{}`: {why}: look at it and try again", shown(path));
    Failed::Refused(path.to_vec(), Refused { kind: Kind::Conflict, message })
}

use super::point;
use crate::io_text;
