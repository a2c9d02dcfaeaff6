//! Work over many items by several threads: the one way in which the daemon does it.
//!
//! What somebody waits for goes to a [`Crew`], a pool of threads that queries share. Results come
//! in the order of the items, an item that fails fails alone (its result says so), and what is to
//! end looks at its own flag. Whoever has many items hands them over in windows: that bounds what is
//! in memory, and lets others come in between.
//!
//! What nobody waits for goes to [`Bulk`]: threads of low priority, each with its part of a bound
//! on memory, that step back while a query runs and end when one of them fails.

use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// More threads than this only wait for each other.
pub(crate) const MOST_JOBS: usize = 256;
/// Items of a query that a thread takes at a time, at most.
const SHARE: usize = 8;
/// Items that a thread of bulk work takes at a time.
const HANDFUL: usize = 32;
/// How long bulk work steps back for a query.
const STEP_BACK: Duration = Duration::from_millis(50);

/// Threads for what somebody waits for.
pub(crate) struct Crew {
    /// `None` where the system gives no threads: then all runs where it is asked for.
    pool: Option<rayon::ThreadPool>,
}

impl Crew {
    /// So many threads, named so.
    pub(crate) fn new(name: &'static str, jobs: usize) -> Self {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs.clamp(1, MOST_JOBS))
            .stack_size(crate::STACK)
            .thread_name(move |number| format!("{name}-{number}"))
            .build();
        if let Err(error) = &pool {
            tracing::warn!(
                %error,
                "no threads named `{name}`: what they would do is done one after the other; look at \
                 `ulimit -u`, or set `parallel.jobs`"
            );
        }
        Self { pool: pool.ok() }
    }

    /// How many items are worked on at once.
    pub(crate) fn jobs(&self) -> usize {
        self.pool.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Runs work on one of the threads, which have the stack for trees as deep as a path can be
    /// long. What it does with rayon's own means is done by all of them.
    pub(crate) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        let around = tracing::Span::current();
        match &self.pool {
            Some(pool) => pool.install(|| around.in_scope(work)),
            None => work(),
        }
    }

    /// What each item becomes, in the order of the items. So few as `in_place` are not worth being
    /// handed to other threads. What is done with an item uses no crew itself.
    pub(crate) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        in_place: usize,
        each: impl Fn(&T) -> R + Sync,
    ) -> Vec<R> {
        self.workers(|| ()).map(items, in_place, |(), item| each(item))
    }

    /// Threads that keep something of their own from item to item, made where it is needed.
    pub(crate) fn workers<S: Send, M: Fn() -> S + Sync>(&self, make: M) -> Workers<'_, S, M> {
        let own = (0..self.jobs()).map(|_| Mutex::new(None)).collect();
        Workers { crew: self, make, own }
    }
}

/// Threads of a crew, for one query.
pub(crate) struct Workers<'a, S, M> {
    crew: &'a Crew,
    make: M,
    own: Vec<Mutex<Option<S>>>,
}

impl<S: Send, M: Fn() -> S + Sync> Workers<'_, S, M> {
    /// What each item becomes, as [`Crew::map`] does it.
    pub(crate) fn map<T: Sync, R: Send>(
        &self,
        items: &[T],
        in_place: usize,
        each: impl Fn(&mut S, &T) -> R + Sync,
    ) -> Vec<R> {
        if items.len() <= in_place.max(1) {
            return items.iter().map(|item| self.one(0, |own| each(own, item))).collect();
        }
        // What is measured there belongs to what is measured here.
        let around = tracing::Span::current();
        let enter = || around.clone().entered();
        let one = |_: &mut tracing::span::EnteredSpan, item: &T| {
            let at = rayon::current_thread_index().unwrap_or(0);
            self.one(at, |own| each(own, item))
        };
        self.crew.run(|| items.par_iter().with_max_len(SHARE).map_init(enter, one).collect())
    }

    /// Works here, with what the first of them has.
    pub(crate) fn here<R>(&self, work: impl FnOnce(&mut S) -> R) -> R {
        self.one(0, work)
    }

    /// What they kept.
    pub(crate) fn into_own(self) -> impl Iterator<Item = S> {
        let own = self.own.into_iter();
        own.filter_map(|own| own.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn one<R>(&self, at: usize, work: impl FnOnce(&mut S) -> R) -> R {
        let mut own = lock(&self.own[at.min(self.own.len() - 1)]);
        work(own.get_or_insert_with(&self.make))
    }
}

/// Counts the queries that run, so that what nobody waits for steps back.
#[derive(Debug, Default)]
pub(crate) struct Foreground(AtomicUsize);

impl Foreground {
    /// A query runs until the result is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> impl Drop + use<> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Entered(self.clone())
    }

    /// Waits for the queries that run, but not for ever: nobody starves.
    fn step_back(&self) {
        let began = Instant::now();
        while self.0.load(Ordering::Relaxed) > 0 && began.elapsed() < STEP_BACK {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

struct Entered(Arc<Foreground>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What work that nobody waits for may use.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    /// Threads, at most.
    pub(crate) jobs: usize,
    /// Bytes, for all of them together.
    pub(crate) memory: usize,
    /// What it steps back for.
    pub(crate) foreground: Arc<Foreground>,
}

/// One thread's part of bulk work.
pub(crate) trait Worker<T> {
    /// Why all of it ends.
    type Error: Send;

    /// Whether nothing more is to be taken.
    fn stops(&self) -> bool;

    /// Does an item.
    fn item(&mut self, item: &T) -> Result<(), Self::Error>;

    /// There are no more items, or it stops.
    fn finish(self) -> Result<(), Self::Error>;
}

impl Bulk {
    /// Works on the items by as many threads as so many are worth. `make` makes the part of one, from
    /// the memory that it may use. Returns once all have ended: when nothing is left, when they stop,
    /// or with the error of the first that failed.
    pub(crate) fn run<T: Sync, W: Worker<T>>(
        &self,
        items: &[T],
        make: impl Fn(usize) -> W + Sync,
    ) -> Result<(), W::Error> {
        let jobs = self.jobs.min(items.len().div_ceil(HANDFUL)).clamp(1, MOST_JOBS);
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<W::Error>> = Mutex::new(None);
        let work = || {
            be_nice();
            let mut worker = make(self.memory / jobs);
            loop {
                let from = next.fetch_add(HANDFUL, Ordering::Relaxed);
                if from >= items.len() {
                    return worker.finish();
                }
                self.foreground.step_back();
                for item in &items[from..items.len().min(from + HANDFUL)] {
                    if worker.stops() {
                        return worker.finish();
                    }
                    worker.item(item)?;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                let all = || {
                    if let Err(error) = work() {
                        next.store(items.len(), Ordering::Relaxed);
                        lock(&failure).get_or_insert(error);
                    }
                };
                // Grammars' scanners may need more of a stack than threads have by themselves.
                let thread = std::thread::Builder::new().stack_size(crate::STACK);
                // Where there is no other thread, this one does it.
                if thread.spawn_scoped(scope, all).is_err() {
                    all();
                }
            }
        });
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets everything that somebody waits for go first, this process's own threads included.
fn be_nice() {
    let thread = rustix::thread::gettid();
    // It fails where the user may not, and then all are equal.
    let _ = rustix::process::setpriority_process(Some(thread), 10);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn results_have_the_order_of_the_items_with_any_number_of_jobs() {
        let items: Vec<u64> = (0..1000).collect();
        let expected: Vec<u64> = items.iter().map(|item| item * item).collect();
        for jobs in [0, 1, 2, 4, MOST_JOBS + 1] {
            let crew = Crew::new("test", jobs);
            assert_eq!(crew.jobs(), jobs.clamp(1, MOST_JOBS));
            assert_eq!(crew.map(&items, 0, |item| item * item), expected, "{jobs} jobs");
            assert_eq!(crew.map(&items[..0], 0, |item| item * item), [0; 0]);
        }
    }

    #[test]
    fn few_items_stay_where_they_are_and_many_do_not() {
        let crew = Crew::new("test", 2);
        let here = std::thread::current().id();
        let threads = |items: &[u8]| crew.map(items, 3, |_| std::thread::current().id());
        assert!(threads(&[0; 3]).iter().all(|id| *id == here));
        assert!(threads(&[0; 4]).iter().all(|id| *id != here));
    }

    #[test]
    fn an_item_that_fails_fails_alone() {
        let crew = Crew::new("test", 2);
        let halves = crew.map(&[2, 3, 4], 0, |item| match item % 2 {
            0 => Ok(item / 2),
            _ => Err(format!("{item} is odd")),
        });
        assert_eq!(halves, [Ok(1), Err("3 is odd".to_owned()), Ok(2)]);
    }

    #[test]
    fn workers_keep_what_is_theirs() {
        let crew = Crew::new("test", 3);
        let workers = crew.workers(Vec::new);
        for window in [[1, 2, 3, 4], [5, 6, 7, 8]] {
            workers.map(&window, 0, |own: &mut Vec<u32>, item| own.push(*item));
        }
        workers.here(|own| own.push(9));
        let own: Vec<Vec<u32>> = workers.into_own().collect();
        assert!(own.len() <= 3);
        let mut all = own.concat();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }

    struct Sums<'a> {
        sum: u64,
        memory: usize,
        stop: &'a AtomicBool,
        sums: &'a Mutex<Vec<(u64, usize)>>,
    }

    impl Worker<u64> for Sums<'_> {
        type Error = String;

        fn stops(&self) -> bool {
            self.stop.load(Ordering::Relaxed)
        }

        fn item(&mut self, item: &u64) -> Result<(), String> {
            match item {
                // What the others have taken goes on to its end, and nothing more is taken.
                666 => return Err("666".to_owned()),
                777 => self.stop.store(true, Ordering::Relaxed),
                _ => self.sum += item,
            }
            Ok(())
        }

        fn finish(self) -> Result<(), String> {
            lock(self.sums).push((self.sum, self.memory));
            Ok(())
        }
    }

    /// The sums of the threads, with the memory of each.
    fn sums(jobs: usize, items: &[u64]) -> Result<Vec<(u64, usize)>, String> {
        let (stop, sums) = (AtomicBool::new(false), Mutex::default());
        let bulk = Bulk { jobs, memory: 1200, foreground: Arc::default() };
        bulk.run(items, |memory| Sums { sum: 0, memory, stop: &stop, sums: &sums })?;
        Ok(sums.into_inner().unwrap())
    }

    #[test]
    fn bulk_work_is_done_once_and_its_memory_is_shared() {
        let items: Vec<u64> = (0..HANDFUL as u64 * 4).collect();
        let expected: u64 = items.iter().sum();
        for (jobs, threads) in [(0, 1), (1, 1), (2, 2), (4, 4), (100, 4)] {
            let sums = sums(jobs, &items).unwrap();
            assert_eq!(sums.iter().map(|(sum, _)| sum).sum::<u64>(), expected, "{jobs} jobs");
            assert_eq!(sums.len(), threads, "{jobs} jobs");
            assert!(sums.iter().all(|(_, memory)| *memory == 1200 / threads));
        }
        assert_eq!(sums(2, &[]).unwrap(), [(0, 1200)]);
    }

    #[test]
    fn bulk_work_ends_with_an_error_or_when_it_is_to_stop() {
        let mut items = vec![1; HANDFUL * 100];
        items[0] = 666;
        assert_eq!(sums(1, &items), Err("666".to_owned()));
        items[0] = 777;
        assert_eq!(sums(1, &items), Ok(vec![(0, 1200)]));
        // One thread fails, and the other does not outlive it by much.
        items[0] = 666;
        assert_eq!(sums(2, &items), Err("666".to_owned()));
    }

    #[test]
    fn bulk_work_steps_back_for_a_query_but_not_for_ever() {
        let foreground = Arc::new(Foreground::default());
        let (first, second) = (foreground.enter(), foreground.enter());
        drop(first);
        let began = Instant::now();
        foreground.step_back();
        assert!(began.elapsed() >= STEP_BACK, "one of the queries still runs");
        drop(second);
        assert_eq!(foreground.0.load(Ordering::Relaxed), 0);
    }
}
