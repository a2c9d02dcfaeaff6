//! What was read from stores last, of all that are open: checked already, and looked at in memory.

use hob_index::names::Names;
use hob_index::postings::Block;
use moka::sync::Cache;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes of names. A fuzzy query looks at all names, so that less than all is little use: the
/// four million of Linux take 52 MB.
const NAMES: u64 = 80 << 20;
/// Names that nobody asks for are let go of after this.
const NAMES_IDLE: Duration = Duration::from_secs(180);

/// The caches of all stores; a copy is the same ones.
#[derive(Clone)]
pub(crate) struct Caches {
    /// Blocks of postings, by the store's epoch and their key.
    pub(super) blocks: Cache<(u64, [u8; 12]), Arc<Block>>,
    /// Runs of blocks of names, by the store's epoch, the segment and their number.
    pub(super) names: Cache<(u64, u32, u32), Arc<[Names]>>,
}

impl Caches {
    /// Empty ones, with room for so many bytes of postings.
    pub(crate) fn new(postings: u64) -> Self {
        let weight = |bytes: usize| u32::try_from(bytes + 64).unwrap_or(u32::MAX);
        Self {
            blocks: Cache::builder()
                .max_capacity(postings)
                .weigher(move |_, block: &Arc<Block>| weight(block.weight()))
                .build(),
            names: Cache::builder()
                .max_capacity(NAMES)
                .time_to_idle(NAMES_IDLE)
                .weigher(move |_, run: &Arc<[Names]>| weight(run.iter().map(Names::weight).sum()))
                .build(),
        }
    }

    /// Gives back the memory of what nobody has asked for lately: else that waits for the next who
    /// asks.
    pub(super) fn tidy(&self) {
        self.names.run_pending_tasks();
    }

    /// Lets go of what is of a store that is closed.
    pub(super) fn forget(&self, epoch: u64) {
        for (key, _) in self.names.iter().filter(|(key, _)| key.0 == epoch) {
            self.names.invalidate(&*key);
        }
        for (key, _) in self.blocks.iter().filter(|(key, _)| key.0 == epoch) {
            self.blocks.invalidate(&*key);
        }
        self.names.run_pending_tasks();
        self.blocks.run_pending_tasks();
    }
}
