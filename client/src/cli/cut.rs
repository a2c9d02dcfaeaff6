//! What is said of an answer that is not the whole.

use super::{World, units};
use crate::Error;
use hob_protocol::Truncated;

/// What was asked for, and what came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// What is counted, such as `line`.
    pub(super) what: &'static str,
    /// How many there are at most to show.
    pub(super) limit: u64,
    /// How many there are in all, where that is known.
    pub(super) total: Option<u64>,
    /// What shows more than the limit.
    pub(super) hint: &'static str,
    /// The time that there was, in milliseconds.
    pub(super) deadline_ms: u64,
}

impl Cut {
    /// Says so beside the data.
    pub(super) fn tell(&self, why: Truncated, world: &mut World<'_>) -> Result<(), Error> {
        match why {
            Truncated::Limit => world.note(&self.limited(), self.hint),
            Truncated::Deadline => {
                let message = format!("stopped after {} ms: there may be more", self.deadline_ms);
                world.note(&message, "a later `--deadline`, or none, searches all")
            }
            Truncated::Indexing => world.note(
                "files that are not indexed yet were left out",
                "`hob index --wait` waits until all are indexed",
            ),
        }
    }

    fn limited(&self) -> String {
        match self.total {
            Some(total) => {
                let (limit, total) = (units::count(self.limit), units::counted(total, self.what));
                format!("stopped after {limit} of {total}")
            }
            None => {
                let limit = units::counted(self.limit, self.what);
                format!("stopped after {limit}: there is more")
            }
        }
    }
}
