//! Linux's inotify, directly.
//!
//! What it adds to `notify`: the kernel queues an event before the system call
//! that made the change returns, and `FIONREAD` tells how much is queued. So what
//! was completed before a moment is what is queued at that moment, and an empty
//! queue proves that nothing was, for the price of one system call and without
//! making a file. And a watch descriptor, not a path, identifies a directory, so
//! that a directory which is renamed while its events are under way is never lost.

use super::{AddError, Event, Watcher};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fd::OwnedFd;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::MOVE)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::DONT_FOLLOW);

/// An event with the longest name, as the kernel writes it.
const LARGEST_EVENT: usize = 16 + 256;

pub(super) struct Inotify {
    queue: OwnedFd,
    wakeup: OwnedFd,
    watches: Mutex<Watches>,
}

/// Both directions of the same relation: a path has one descriptor, a descriptor one path.
#[derive(Default)]
struct Watches {
    paths: HashMap<i32, PathBuf>,
    descriptors: BTreeMap<PathBuf, i32>,
}

impl Inotify {
    pub(super) fn open() -> std::io::Result<Self> {
        let queue = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let wakeup = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { queue, wakeup, watches: Mutex::default() })
    }

    fn watches(&self) -> MutexGuard<'_, Watches> {
        self.watches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queued_bytes(&self) -> usize {
        rustix::io::ioctl_fionread(&self.queue).map_or(usize::MAX, |bytes| bytes as usize)
    }
}

impl Watcher for Inotify {
    fn add(&self, dir: &Path) -> Result<(), AddError> {
        let mut watches = self.watches();
        let descriptor = inotify::add_watch(&self.queue, dir, EVENTS).map_err(add_error)?;
        if let Some(old) = watches.paths.insert(descriptor, dir.to_owned())
            && old != dir
        {
            watches.descriptors.remove(&old);
        }
        if let Some(old) = watches.descriptors.insert(dir.to_owned(), descriptor)
            && old != descriptor
        {
            watches.paths.remove(&old);
            // It fails where the directory was deleted: then the kernel has ended the watch.
            let _ = inotify::remove_watch(&self.queue, old);
        }
        Ok(())
    }

    fn remove(&self, dir: &Path) {
        let mut watches = self.watches();
        let below: Vec<PathBuf> = watches
            .descriptors
            .range::<Path, _>((std::ops::Bound::Included(dir), std::ops::Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(dir))
            .cloned()
            .collect();
        for path in below {
            if let Some(descriptor) = watches.descriptors.remove(&path) {
                watches.paths.remove(&descriptor);
                let _ = inotify::remove_watch(&self.queue, descriptor);
            }
        }
    }

    fn wait(&self, timeout: Option<Duration>) {
        let timeout = timeout.and_then(|time| Timespec::try_from(time).ok());
        let mut fds =
            [PollFd::new(&self.queue, PollFlags::IN), PollFd::new(&self.wakeup, PollFlags::IN)];
        // An interrupted wait is a wait that ended early: the caller looks and waits again.
        let _ = poll(&mut fds, timeout.as_ref());
        let _ = rustix::io::read(&self.wakeup, &mut [0; 8]);
    }

    fn wake(&self) {
        let _ = rustix::io::write(&self.wakeup, &1u64.to_ne_bytes());
    }

    fn catch_up(&self, events: &mut Vec<Event>) {
        let mut left = self.queued_bytes();
        let mut buffer = [std::mem::MaybeUninit::uninit(); 64 * 1024];
        while left > 0 {
            let room = buffer.len().min(left.max(LARGEST_EVENT));
            let mut reader = inotify::Reader::new(&self.queue, &mut buffer[..room]);
            let mut read = 0;
            loop {
                match reader.next() {
                    Ok(event) => {
                        read += event_bytes(event.file_name());
                        self.watches().translate(&event, events);
                    }
                    Err(rustix::io::Errno::AGAIN) => return,
                    Err(_) => {
                        events.push(Event::Lost);
                        return;
                    }
                }
                if reader.is_buffer_empty() {
                    break;
                }
            }
            left = left.saturating_sub(read);
        }
    }

    fn quiet(&self) -> bool {
        self.queued_bytes() == 0
    }

    fn watched(&self) -> u64 {
        self.watches().paths.len() as u64
    }
}

impl Watches {
    fn translate(&mut self, event: &inotify::Event<'_>, events: &mut Vec<Event>) {
        let flags = event.events();
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            events.push(Event::Lost);
            return;
        }
        if flags.contains(ReadFlags::IGNORED) {
            if let Some(path) = self.paths.remove(&event.wd()) {
                self.descriptors.remove(&path);
                events.push(Event::Moved(path));
            }
            return;
        }
        let Some(dir) = self.paths.get(&event.wd()) else { return };
        let path = match event.file_name() {
            Some(name) => dir.join(OsStr::from_bytes(name.to_bytes())),
            None => dir.clone(),
        };
        let touched = ReadFlags::MODIFY | ReadFlags::ATTRIB;
        events.push(match flags.intersects(touched) {
            true => Event::Touched(path),
            false => Event::Moved(path),
        });
    }
}

/// What the event took in the queue: its head, and its name padded to a multiple of the head.
fn event_bytes(name: Option<&std::ffi::CStr>) -> usize {
    16 + name.map_or(0, |name| (name.to_bytes().len() + 1).next_multiple_of(16))
}

fn add_error(error: rustix::io::Errno) -> AddError {
    use rustix::io::Errno;
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => AddError::Gone,
        Errno::NOSPC | Errno::NOMEM => AddError::Limit,
        Errno::ACCESS | Errno::PERM => AddError::Denied,
        other => AddError::Other(other.raw_os_error()),
    }
}
