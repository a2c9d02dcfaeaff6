//! Files that change together.
//!
//! What a file is to hold is written beside it and brought to the disk; then the two change places in one
//! step, and what was there is looked at: if it is not what was expected, they change back. So nobody's
//! write is lost, however close it comes, and whoever reads a file sees the old one or the new one. On a
//! file system that has no such step there remains a moment between two.

use super::beneath::{Held, Place, Root};
use super::journal::{Change, Kept};
use super::{is_plain, point};
use crate::io_text;
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
    /// The same, and files are half-changed.
    #[error("{0}")]
    Half(String),
}

/// Of what hooks have made of a file, no more bytes are taken back.
const HOOKED: u64 = 1 << 30;

/// A file and what is to stand in its place.
struct Slot {
    place: Place,
    aside: Vec<u8>,
    /// They have changed places.
    is_made: bool,
    /// What stands beside it is all that is left of something.
    is_kept: bool,
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
    /// Writes what files are to hold beside them, each by its number in the turn. Where it fails, nothing of that stays.
    pub(crate) fn prepare(
        root: &Root,
        (key, turn): (&str, u64),
        changes: &'a [Change],
        numbers: impl Iterator<Item = usize>,
    ) -> Result<Self, Failed> {
        let mut swap = Self { changes, slots: Vec::with_capacity(changes.len()) };
        let mut written = Vec::new();
        for (at, change) in numbers.zip(changes) {
            let outcome = root
                .place(&change.path, &mut change.after.is_some().then(Vec::new))
                .map_err(|refused| Failed::Refused(change.path.clone(), refused))
                .and_then(|place| {
                    let place = place.ok_or_else(|| conflict(&change.path, "it is no more"))?;
                    let aside = aside(key, turn, at);
                    // A file that is called otherwise is made in the image of the one that it was.
                    let model =
                        change.from.as_ref().and_then(|from| root.place(from, &mut None).ok()?);
                    let file =
                        write_beside(&place, &aside, change, model.as_ref()).map_err(|error| {
                            let name = shown(&change.path);
                            Failed::Io(format!("`{name}` cannot be written: {}", io_text(&error)))
                        });
                    swap.slots.push(Slot {
                        place,
                        aside,
                        is_made: false,
                        is_kept: false,
                        hooked: None,
                    });
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
        if let Err((path, error)) = sync_all(&written) {
            swap.clear();
            let error = io_text(&error);
            return Err(Failed::Io(format!("`{}` cannot be written: {error}", shown(path))));
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
            let (slot, change) = (&mut self.slots[at], &self.changes[at]);
            let made = change_places(slot, change, (change.before.as_ref(), change.after.as_ref()));
            point("changed places");
            if let Err(error) = made {
                return Err(self.taken_back_for(error));
            }
            self.slots[at].is_made = true;
        }
        if let Err(error) = self.sync() {
            let error = io_text(&error);
            let failed = Failed::Io(format!("the files cannot be brought to the disk: {error}"));
            return Err(self.taken_back_for(failed));
        }
        Ok(())
    }

    /// Brings the directories of the files to the disk.
    fn sync(&self) -> io::Result<()> {
        let mut synced = Vec::new();
        for slot in &self.slots {
            let stat = rustix::fs::fstat(&slot.place.dir)?;
            if !synced.contains(&(stat.st_dev, stat.st_ino)) {
                slot.place.sync()?;
                synced.push((stat.st_dev, stat.st_ino));
            }
        }
        Ok(())
    }

    /// Takes what the files hold now for what they are to hold: hooks may have changed them.
    pub(crate) fn accept(&mut self) {
        for (slot, change) in self.slots.iter_mut().zip(self.changes) {
            let held = slot.place.read(HOOKED).ok().flatten().filter(|_| slot.is_made);
            let is_same =
                |held: &Held| change.after.as_ref().is_some_and(|it| it.bytes == held.bytes);
            slot.hooked = held.filter(|held| !is_same(held)).map(Kept::from);
        }
    }

    /// The files as hooks have left them, where they have changed any.
    pub(crate) fn hooked(&self) -> Option<Vec<Change>> {
        self.slots.iter().any(|slot| slot.hooked.is_some()).then(|| {
            let pairs = self.slots.iter().zip(self.changes);
            let hooked = pairs.map(|(slot, change)| {
                let after = slot.hooked.clone().or_else(|| change.after.clone());
                Change { after, ..change.clone() }
            });
            hooked.collect()
        })
    }

    /// Changes back what was changed, and tells of which file it cannot be: one that somebody has written
    /// since stays as it is, and what it was stays beside it.
    pub(crate) fn take_back(&mut self) -> Vec<Vec<u8>> {
        let mut left = Vec::new();
        for (slot, change) in self.slots.iter_mut().zip(self.changes).rev() {
            if !std::mem::take(&mut slot.is_made) {
                continue;
            }
            let hooked = slot.hooked.take();
            let after = hooked.as_ref().or(change.after.as_ref());
            let outcome = change_places(slot, change, (after, change.before.as_ref()));
            slot.hooked = hooked;
            if let Err(error) = outcome {
                tracing::warn!(file = %shown(&change.path), %error, "a change is not taken back");
                slot.is_kept = true;
                left.push(change.path.clone());
            }
        }
        if let Err(error) = self.sync() {
            tracing::warn!(%error, "what was changed back is not on the disk yet");
        }
        left
    }

    /// Changes back what was changed. Where that cannot be, the failure says of which files.
    pub(crate) fn taken_back_for<F: std::fmt::Display + From<Failed>>(&mut self, failed: F) -> F {
        let left = self.take_back();
        if left.is_empty() {
            return failed;
        }
        let left: Vec<_> = left.iter().map(|path| format!("`{}`", shown(path))).collect();
        let left = left.join(", ");
        F::from(Failed::Half(format!(
            "{failed}; {left} could not be changed back: the next `hob apply` or `hob undo` tries again"
        )))
    }

    /// Removes what stands beside the files. Where a program has written to a file that it had open since
    /// before, that stays, and is told.
    pub(crate) fn clear(self) -> Vec<String> {
        let mut notes = Vec::new();
        for (slot, change) in self.slots.iter().zip(self.changes) {
            let aside = slot.aside.as_slice();
            let is_written = |before: &Kept| {
                let held = slot.place.read_as(aside, before.bytes.len() as u64 + 1);
                !matches!(held, Ok(None))
                    && !matches!(held, Ok(Some(held)) if held.bytes == before.bytes)
            };
            if slot.is_made && change.before.as_ref().is_some_and(is_written) {
                let (name, aside) = (shown(&change.path), shown(aside));
                notes.push(format!(
                    "a program has written to the old `{name}` meanwhile: that is in `{aside}` beside it"
                ));
            } else if !slot.is_kept {
                let _ = rustix::fs::unlinkat(&slot.place.dir, aside, AtFlags::empty());
            }
            point("cleared");
        }
        notes
    }
}

/// Brings files to the disk, several at once: the disk takes them together.
fn sync_all<'p>(files: &[(File, &'p Vec<u8>)]) -> Result<(), (&'p Vec<u8>, io::Error)> {
    const AT_ONCE: usize = 4;
    let some = files.len().div_ceil(AT_ONCE).max(1);
    std::thread::scope(|scope| {
        let sync = |files: &[(File, &'p Vec<u8>)]| {
            files
                .iter()
                .try_for_each(|(file, path)| file.sync_all().map_err(|error| (*path, error)))
        };
        let mut parts = files.chunks(some);
        let first = parts.next().unwrap_or_default();
        let others: Vec<_> = parts.map(|part| scope.spawn(move || sync(part))).collect();
        let first = sync(first);
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        others.into_iter().map(join).fold(first, Result::and)
    })
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
        // Where a directory is another thing now, so is what was in it.
        let place = match root.place(&change.path, &mut None) {
            Ok(Some(place)) => place,
            Ok(None) if change.before.is_none() => {
                states.push(State::Old);
                continue;
            }
            Ok(None) if change.after.is_none() => {
                states.push(State::New);
                continue;
            }
            Ok(None) | Err(_) => {
                states.push(State::Other);
                continue;
            }
        };
        let aside = aside(key, turn, at);
        let old = old_of(&aside);
        let _ = match place.read_as(&aside, 0) {
            Ok(None) => {
                rustix::fs::renameat(&place.dir, old.as_slice(), &place.dir, aside.as_slice())
            }
            _ => rustix::fs::unlinkat(&place.dir, old.as_slice(), AtFlags::empty()),
        };
        let longest = |kept: &Option<Kept>| kept.as_ref().map_or(0, |kept| kept.bytes.len());
        // What is longer is another one.
        let most = longest(&change.before).max(longest(&change.after)) as u64 + 1;
        let has = |kept: &Option<Kept>, held: &Option<Held>| match (kept, held) {
            (Some(kept), Some(held)) => kept.bytes == held.bytes,
            (None, None) => true,
            _ => false,
        };
        let mut now = match place.read_as(&place.name, most) {
            Ok(held) if has(&change.after, &held) => State::New,
            Ok(held) if has(&change.before, &held) => State::Old,
            _ => State::Other,
        };
        let is_ours = match place.read_as(&aside, most) {
            Ok(None) => true,
            // It was exchanged, and holds what was there.
            Ok(Some(held)) if now == State::New => {
                has(&change.before, &Some(held.clone()))
                    // Two names of one, for a moment.
                    || change.before.is_none() && has(&change.after, &Some(held))
            }
            // It waits, and may be written in part.
            Ok(Some(held)) => {
                let waits = |after: &Kept| after.bytes.starts_with(&held.bytes);
                change.after.as_ref().is_some_and(waits) || has(&change.before, &Some(held.clone()))
            }
            Err(_) => false,
        };
        if !is_ours && now == State::New {
            // Somebody wrote just before the exchange, and nobody has looked at it any more.
            let back = match change.after.is_some() {
                true => exchange(&place, &aside),
                false => no_replace(&place, &aside, &place.name),
            };
            back.map_err(|errno| {
                let error = io_text(&errno.into());
                Failed::Io(format!("`{}` cannot come back: {error}", shown(&change.path)))
            })?;
            now = State::Other;
            let _ = rustix::fs::unlinkat(&place.dir, aside.as_slice(), AtFlags::empty());
        } else if is_ours {
            let _ = rustix::fs::unlinkat(&place.dir, aside.as_slice(), AtFlags::empty());
        }
        states.push(now);
    }
    Ok(states)
}

/// Writes what a file is to hold beside it, with all that its inode has else.
fn write_beside(
    place: &Place,
    aside: &[u8],
    change: &Change,
    model: Option<&Place>,
) -> io::Result<Option<File>> {
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
    if let Some(model) = model {
        take_after(model, &file);
    } else if change.before.is_some() {
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
    slot: &mut Slot,
    change: &Change,
    (before, after): (Option<&Kept>, Option<&Kept>),
) -> Result<(), Failed> {
    let Slot { place, aside, is_kept, .. } = slot;
    let name = place.name.as_slice();
    let failed = |errno: Errno| match errno {
        Errno::EXIST => conflict(&change.path, "it was made meanwhile"),
        Errno::NOENT => conflict(&change.path, "it was removed meanwhile"),
        errno => {
            let error = io_text(&errno.into());
            Failed::Io(format!("`{}` cannot be changed: {error}", shown(&change.path)))
        }
    };
    let step = || match (before, after) {
        (Some(_), Some(_)) => exchange(place, aside),
        (None, Some(_)) => no_replace(place, aside, name),
        (Some(_), None) => no_replace(place, name, aside),
        (None, None) => Ok(()),
    };
    step().map_err(failed)?;
    if before.is_none() {
        return Ok(());
    }
    let expected = expect(place, aside, change, before);
    if expected.is_err() {
        let back = match after {
            Some(_) => match exchange(place, aside) {
                // Where it was removed since, what was written comes back all the same.
                Err(Errno::NOENT) => no_replace(place, aside, name),
                outcome => outcome,
            },
            None => no_replace(place, aside, name),
        };
        *is_kept = back.is_err();
        back.map_err(failed)?;
    }
    expected
}

/// Has a file and what stands beside it change places. Where the file system does not know how, the old one
/// gets another name first.
fn exchange(place: &Place, aside: &[u8]) -> Result<(), Errno> {
    let (dir, name) = (&place.dir, place.name.as_slice());
    let outcome = match is_plain() {
        true => Err(Errno::INVAL),
        false => rustix::fs::renameat_with(dir, aside, dir, name, RenameFlags::EXCHANGE),
    };
    let Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) = outcome else { return outcome };
    let old = old_of(aside);
    let _ = rustix::fs::unlinkat(dir, old.as_slice(), AtFlags::empty());
    link(place, name, &old)?;
    rustix::fs::renameat(dir, aside, dir, name)?;
    rustix::fs::renameat(dir, old.as_slice(), dir, aside)
}

/// Gives a file a name that nothing has.
fn no_replace(place: &Place, from: &[u8], to: &[u8]) -> Result<(), Errno> {
    let dir = &place.dir;
    let outcome = match is_plain() {
        true => Err(Errno::INVAL),
        false => rustix::fs::renameat_with(dir, from, dir, to, RenameFlags::NOREPLACE),
    };
    let Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) = outcome else { return outcome };
    link(place, from, to)?;
    rustix::fs::unlinkat(dir, from, AtFlags::empty())
}

/// What a file is called meanwhile where it cannot change places in one step.
fn old_of(aside: &[u8]) -> Vec<u8> {
    [aside, b"-old"].concat()
}

/// Gives a file another name that nothing has; where the file system has no such thing, a copy has it.
fn link(place: &Place, from: &[u8], to: &[u8]) -> Result<(), Errno> {
    let dir = &place.dir;
    let outcome = rustix::fs::linkat(dir, from, dir, to, AtFlags::empty());
    let Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::MLINK) = outcome else {
        return outcome;
    };
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let read = rustix::fs::openat(dir, from, flags | OFlags::RDONLY, Mode::empty())?;
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&read)?.st_mode);
    let flags = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let write = rustix::fs::openat(dir, to, flags, mode)?;
    let mut write = File::from(write);
    let copied = io::copy(&mut File::from(read), &mut write).and_then(|_| write.sync_all());
    copied.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
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
