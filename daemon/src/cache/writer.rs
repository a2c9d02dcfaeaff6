//! Stores values behind the back of those who computed them: one thread, many values a commit.

use super::namespace::Namespace;
use super::now;
use crate::store::is_damage;
use crate::store::values::{Change, ValueKey, Values};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

/// How many changes may wait. Past that a value is not stored: it can be computed again.
const WAITING: usize = 4096;
/// How many bytes go into one commit, about.
const COMMIT: usize = 8 << 20;
/// How long changes are gathered.
const GATHER: Duration = Duration::from_millis(200);
/// After a failure nothing is stored for so long.
const REST: Duration = Duration::from_secs(10);

enum Order {
    Change(Change),
    /// A value is to be stored, and to be encoded here, since whoever has computed it goes on.
    Put(ValueKey, Box<dyn FnOnce() -> Vec<u8> + Send>),
    /// All that came before it is to be stored.
    Flush(SyncSender<()>),
}

/// The end that orders. The thread ends with it, after what waits.
pub(super) struct Writer {
    orders: SyncSender<Order>,
}

impl Writer {
    /// Starts the thread. Each namespace has a budget in bytes, and a counter of what is evicted.
    pub(super) fn start(
        values: Arc<Values>,
        budgets: Vec<u64>,
        evicted: Vec<Arc<AtomicU64>>,
    ) -> Self {
        let (orders, waiting) = sync_channel(WAITING);
        let work = Work { values, budgets, evicted, rest: None };
        let thread = std::thread::Builder::new().name("cache".into());
        if let Err(error) = thread.spawn(move || work.run(&waiting)) {
            tracing::warn!(%error, "values are not stored: there is no thread for it");
        }
        Self { orders }
    }

    pub(super) fn put(&self, key: ValueKey, encode: impl FnOnce() -> Vec<u8> + Send + 'static) {
        self.order(Order::Put(key, Box::new(encode)));
    }

    pub(super) fn change(&self, change: Change) {
        self.order(Order::Change(change));
    }

    fn order(&self, order: Order) {
        if let Err(TrySendError::Full(_)) = self.orders.try_send(order) {
            tracing::debug!("a value is not stored: too many wait");
        }
    }

    /// Waits until all changes so far are stored, or cannot be.
    pub(super) fn flush(&self) {
        let (done, stored) = sync_channel(0);
        if self.orders.send(Order::Flush(done)).is_ok() {
            let _ = stored.recv();
        }
    }
}

/// The bytes that a namespace may have on disk, by its number.
pub(super) fn budget(budgets: &[u64], number: u8) -> u64 {
    let at = Namespace::ALL.iter().position(|one| one.number() == number);
    at.and_then(|at| budgets.get(at)).copied().unwrap_or(0)
}

struct Work {
    values: Arc<Values>,
    budgets: Vec<u64>,
    evicted: Vec<Arc<AtomicU64>>,
    /// Until when nothing is stored.
    rest: Option<Instant>,
}

impl Work {
    fn run(mut self, waiting: &Receiver<Order>) {
        while let Ok(order) = waiting.recv() {
            let (mut changes, mut flushed) = (Vec::new(), None);
            let mut bytes = 0;
            let until = Instant::now() + GATHER;
            let mut next = Some(order);
            while let Some(order) = next {
                match order {
                    Order::Change(change) => changes.push(change),
                    Order::Put(key, encode) => {
                        let value = encode();
                        bytes += value.len();
                        changes.push(Change::Put(key, value));
                    }
                    Order::Flush(done) => {
                        flushed = Some(done);
                        break;
                    }
                }
                if bytes >= COMMIT {
                    break;
                }
                let left = until.saturating_duration_since(Instant::now());
                next = waiting.recv_timeout(left).ok();
            }
            self.store(&changes);
            drop(flushed);
        }
    }

    fn store(&mut self, changes: &[Change]) {
        if changes.is_empty() || self.rest.is_some_and(|until| Instant::now() < until) {
            return;
        }
        if self.rest.take().is_some()
            && let Err(error) = self.values.reopen()
        {
            return self.failed(&error);
        }
        match self.values.commit(changes, |number| budget(&self.budgets, number), now()) {
            Ok(evicted) => {
                for (namespace, count) in evicted {
                    let at = Namespace::ALL.iter().position(|one| one.number() == namespace);
                    if let Some(at) = at {
                        self.evicted[at].fetch_add(count, Ordering::Relaxed);
                    }
                }
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &crate::store::StoreError) {
        if is_damage(error) && self.values.begin_anew(error).is_ok() {
            return;
        }
        tracing::warn!(%error, "values cannot be stored, and are for a while cached in memory alone");
        self.rest = Some(Instant::now() + REST);
    }
}
