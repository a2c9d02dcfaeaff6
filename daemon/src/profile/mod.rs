//! Where the time goes: always on, and nearly free.
//!
//! Each request and each stage is a span of `tracing` with the target [`TARGET`], made by [`stage!`].
//! A layer of ours measures how long it lasts, and how much of that belongs to spans within it, and
//! puts both into the histogram of the operation that it is named after. The log does not see these
//! spans, and its level does not concern them.
//!
//! A span within another is so on its own thread. What goes on in another takes the span along:
//! [`tracing::Span::in_scope`].

mod capture;
mod histogram;
mod recording;
mod sampling;
mod trace;

pub(crate) use capture::{CaptureError, Captured, capture};
pub(crate) use histogram::Times;
pub(crate) use recording::{Stage, queued, record, was_queued};

use recording::Recorded;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::Subscriber;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// The target of the spans that are measured.
pub(crate) const TARGET: &str = "hob::profile";
/// The name of the spans that are named after their field `op` instead.
const NAMED: &str = "op";
/// The past is kept apart by this much.
const WINDOW: Duration = Duration::from_secs(60);
/// So far back.
const WINDOWS: usize = 60;

/// A span of an operation, for as long as the result is held or entered.
macro_rules! stage {
    ($name:literal) => {
        tracing::info_span!(target: "hob::profile", $name)
    };
}
pub(crate) use stage;

/// A span of an operation whose name is known when it begins. There must be few of them.
pub(crate) fn operation(name: &str) -> tracing::Span {
    tracing::info_span!(target: "hob::profile", "op", op = name)
}

/// Short turns of one operation within the current span, which are measured together: a span for each
/// would cost more than it tells.
pub(crate) struct Turns {
    name: &'static str,
    total: Duration,
}

impl Turns {
    pub(crate) fn of(name: &'static str) -> Self {
        Self { name, total: Duration::ZERO }
    }

    /// One turn.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let done = work();
        self.turn(began, false);
        done
    }

    /// One that has begun then and ends now. What waits does so beside what its thread does.
    fn turn(&mut self, began: Instant, waits: bool) {
        let lasted = began.elapsed();
        self.total += lasted;
        if let Some(thread) = trace::thread() {
            trace::ended(&PROFILE.operation(self.name), (began, lasted), thread, waits);
        }
    }
}

/// An operation with none within it, in the span of another: a third of what a span of its own would
/// cost.
pub(crate) fn leaf<T>(name: &'static str, work: impl FnOnce() -> T) -> T {
    Turns::of(name).time(work)
}

/// The same of what has waited since then for this thread.
pub(crate) fn has_waited(name: &'static str, began: Instant) {
    Turns::of(name).turn(began, true);
}

impl Drop for Turns {
    fn drop(&mut self) {
        if self.total.is_zero() {
            return;
        }
        let total = nanos(self.total);
        tracing::Span::current().with_subscriber(|(id, dispatch)| {
            let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
            let extensions = span.extensions();
            let around = extensions.get::<Timing>()?;
            around.within.fetch_add(total, Ordering::Relaxed);
            PROFILE.operation(self.name).add(total, total);
            if let Some(recorded) = &around.recorded {
                recorded.within(self.name).end(total, total);
            }
            Some(())
        });
    }
}

/// Notes that the operation at hand has only waited for so long, as a call does that asks for the end of
/// a task. That is nobody's time: neither its own nor that of what it is within.
pub(crate) fn waited(time: Duration) {
    tracing::Span::current().with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.extensions().get::<Timing>()?.waited.fetch_add(nanos(time), Ordering::Relaxed);
        Some(())
    });
}

/// When the first window began.
static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
static PROFILE: LazyLock<Profile> = LazyLock::new(Profile::new);

/// The times of all operations.
struct Profile {
    operations: RwLock<HashMap<Box<str>, Arc<Operation>>>,
    /// When the counting began.
    began: Mutex<Instant>,
}

#[derive(Default)]
struct Operation {
    name: Box<str>,
    past: Mutex<Past>,
}

#[derive(Default)]
struct Past {
    all: Times,
    /// By the number of the window.
    windows: VecDeque<(u64, Times)>,
}

/// An operation, and how long it took.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) times: Times,
}

/// The operations that were done within the last `since`, by whole minutes, or all since the counting
/// began; and how long that is.
pub(crate) fn measured(since: Option<Duration>) -> (Vec<Measured>, Duration) {
    let began = *lock(&PROFILE.began);
    let age = began.elapsed();
    let since = since.filter(|since| *since < age);
    let first = since.map(|since| PROFILE.window().saturating_sub(windows(since)));
    let operations = PROFILE.operations.read().unwrap_or_else(PoisonError::into_inner);
    let times = |name: &str, operation: &Operation| {
        let past = lock(&operation.past);
        let times = match first {
            None => past.all.clone(),
            Some(first) => {
                let mut times = Times::default();
                let recent = past.windows.iter().filter(|(window, _)| *window >= first);
                recent.for_each(|(_, window)| times.merge(window));
                times
            }
        };
        (times.count > 0).then(|| Measured { name: name.to_owned(), times })
    };
    let measured = operations.iter().filter_map(|(name, operation)| times(name, operation));
    // Minutes are whole, and reach back further than what was asked for.
    let reaches = first.map(|first| PROFILE.since(first).min(age));
    (measured.collect(), reaches.unwrap_or(age))
}

/// The longest time that can be asked for without asking for all.
pub(crate) fn longest() -> Duration {
    WINDOW * WINDOWS as u32
}

/// Begins to count anew.
pub(crate) fn reset() {
    *lock(&PROFILE.began) = Instant::now();
    for operation in PROFILE.operations.read().unwrap_or_else(PoisonError::into_inner).values() {
        *lock(&operation.past) = Past::default();
    }
}

impl Profile {
    fn new() -> Self {
        Self { operations: RwLock::default(), began: Mutex::new(Instant::now()) }
    }

    fn operation(&self, name: &str) -> Arc<Operation> {
        let known = self.operations.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(operation) = known.get(name) {
            return operation.clone();
        }
        drop(known);
        let mut known = self.operations.write().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Operation { name: name.into(), past: Mutex::default() });
        known.entry(name.into()).or_insert_with(new).clone()
    }

    /// The number of the window that it is now.
    fn window(&self) -> u64 {
        FIRST.elapsed().as_secs() / WINDOW.as_secs() + WINDOWS as u64
    }

    /// How long ago a window began.
    fn since(&self, window: u64) -> Duration {
        let began = WINDOW * u32::try_from(window.saturating_sub(WINDOWS as u64)).unwrap_or(0);
        FIRST.elapsed().saturating_sub(began)
    }
}

impl Operation {
    fn add(&self, total: u64, own: u64) {
        let window = PROFILE.window();
        let mut past = lock(&self.past);
        past.all.add(total, own);
        match past.windows.back_mut() {
            Some((last, times)) if *last == window => times.add(total, own),
            _ => {
                let mut times = Times::default();
                times.add(total, own);
                past.windows.push_back((window, times));
                if past.windows.len() > WINDOWS {
                    past.windows.pop_front();
                }
            }
        }
    }
}

/// How many windows a time reaches back into.
fn windows(since: Duration) -> u64 {
    since.as_secs().div_ceil(WINDOW.as_secs())
}

/// Measures spans.
pub(crate) struct Stages;

/// What is kept with a span.
struct Timing {
    began: Instant,
    /// Nanoseconds of the spans within it.
    within: AtomicU64,
    /// Nanoseconds that do not count.
    waited: AtomicU64,
    operation: Arc<Operation>,
    /// The thread that it began on, where spans are kept one by one.
    thread: Option<i32>,
    /// Where somebody wants to know it of this very one.
    recorded: Option<Recorded>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Stages {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let operation = match attributes.metadata().name() {
            NAMED => {
                let mut name = Name::default();
                attributes.record(&mut name);
                PROFILE.operation(&name.0)
            }
            name => PROFILE.operation(name),
        };
        let recorded = span.parent().and_then(|around| {
            let extensions = around.extensions();
            let recorded = extensions.get::<Timing>()?.recorded.as_ref()?;
            Some(recorded.within(attributes.metadata().name()))
        });
        let (began, within, waited) = (Instant::now(), AtomicU64::new(0), AtomicU64::new(0));
        let thread = trace::thread();
        let timing = Timing { began, within, waited, operation, thread, recorded };
        span.extensions_mut().insert(timing);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let extensions = span.extensions();
        let Some(timing) = extensions.get::<Timing>() else { return };
        let lasted = timing.began.elapsed();
        let waited = timing.waited.load(Ordering::Relaxed);
        let total = nanos(lasted).saturating_sub(waited);
        if let Some(around) = span.parent()
            && let Some(around) = around.extensions().get::<Timing>()
        {
            around.within.fetch_add(total, Ordering::Relaxed);
            around.waited.fetch_add(waited, Ordering::Relaxed);
        }
        // Several at a time may take longer together than what they are within.
        let own = total.saturating_sub(timing.within.load(Ordering::Relaxed));
        timing.operation.add(total, own);
        if let Some(thread) = timing.thread {
            // Calls wait for others on the thread where they began.
            let waits = span.name() == NAMED;
            trace::ended(&timing.operation, (timing.began, lasted), thread, waits);
        }
        if let Some(recorded) = &timing.recorded {
            recorded.end(nanos(lasted), own);
        }
    }
}

/// The field by which a span is named.
#[derive(Default)]
struct Name(String);

impl Visit for Name {
    fn record_str(&mut self, _: &Field, value: &str) {
        value.clone_into(&mut self.0);
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing_subscriber::layer::SubscriberExt as _;

    fn times(name: &str) -> Times {
        let found = measured(None).0.into_iter().find(|one| one.name == name);
        found.map(|one| one.times).unwrap_or_default()
    }

    fn spin(time: Duration) {
        let began = Instant::now();
        while began.elapsed() < time {
            std::hint::spin_loop();
        }
    }

    // The counts are the process's: each test has operations of its own.
    #[test]
    fn what_is_within_is_not_its_own() {
        let subscriber = tracing_subscriber::registry().with(Stages);
        tracing::subscriber::with_default(subscriber, || {
            stage!("test.outer").in_scope(|| {
                spin(Duration::from_millis(2));
                let span = stage!("test.inner");
                std::thread::scope(|scope| {
                    scope.spawn(|| span.in_scope(|| spin(Duration::from_millis(4))));
                });
                drop(span);
            });
        });
        let (outer, inner) = (times("test.outer"), times("test.inner"));
        assert_eq!((outer.count, inner.count), (1, 1));
        assert!(inner.total >= 4_000_000 && inner.own == inner.total, "{inner:?}");
        assert!(outer.total >= inner.total + 2_000_000, "{outer:?}");
        assert_eq!(outer.own, outer.total - inner.total);
    }

    #[test]
    fn one_call_is_recorded_apart_from_all_others() {
        let subscriber = tracing_subscriber::registry().with(Stages);
        tracing::subscriber::with_default(subscriber, || {
            let call = stage!("test.call");
            let recording = record(&call).unwrap();
            call.in_scope(|| {
                for _ in 0..2 {
                    stage!("test.part").in_scope(|| drop(stage!("test.piece")));
                }
                drop(stage!("test.last"));
            });
            drop(stage!("test.part"));
            let stages = recording.stages();
            let seen: Vec<_> =
                stages.iter().map(|stage| (stage.name, stage.depth, stage.count)).collect();
            let expected = [
                ("test.call", 0, 1),
                ("test.part", 1, 2),
                ("test.piece", 2, 2),
                ("test.last", 1, 1),
            ];
            assert_eq!(seen, expected);
            let parts = stages[1].total + stages[3].total;
            assert!(stages[0].total >= parts && stages[0].own == stages[0].total - parts);
        });
        assert!(record(&tracing::Span::none()).is_none());
    }

    #[test]
    fn waiting_does_not_count() {
        let subscriber = tracing_subscriber::registry().with(Stages);
        tracing::subscriber::with_default(subscriber, || {
            let outside = Instant::now();
            let waits = stage!("test.asks").in_scope(|| {
                stage!("test.waits").in_scope(|| {
                    let began = Instant::now();
                    spin(Duration::from_millis(3));
                    let waits = began.elapsed();
                    waited(waits);
                    spin(Duration::from_millis(1));
                    waits
                })
            });
            let left = nanos(outside.elapsed() - waits);
            let (around, call) = (times("test.asks"), times("test.waits"));
            assert!(call.total >= 1_000_000 && call.total <= around.total, "{call:?} {around:?}");
            assert!(around.total <= left, "{around:?}, and {left} ns were no waiting");
        });
    }

    #[test]
    fn short_turns_are_one() {
        let subscriber = tracing_subscriber::registry().with(Stages);
        tracing::subscriber::with_default(subscriber, || {
            let around = stage!("test.around").entered();
            let recording = record(&around).unwrap();
            let mut turns = Turns::of("test.turn");
            for _ in 0..3 {
                turns.time(|| spin(Duration::from_millis(1)));
            }
            drop(turns);
            drop(Turns::of("test.never"));
            assert_eq!(recording.stages().len(), 2);
        });
        let (around, turns) = (times("test.around"), times("test.turn"));
        assert_eq!((turns.count, times("test.never").count), (1, 0));
        assert!(turns.total >= 3_000_000);
        assert_eq!(around.own, around.total - turns.total);
    }

    #[test]
    fn an_operation_may_be_named_when_it_begins() {
        let subscriber = tracing_subscriber::registry().with(Stages);
        tracing::subscriber::with_default(subscriber, || {
            for name in ["test.one", "test.two", "test.two"] {
                drop(operation(name));
            }
        });
        assert_eq!((times("test.one").count, times("test.two").count), (1, 2));
    }

    #[test]
    fn the_past_is_kept_by_the_minute() {
        let operation = Operation::default();
        operation.add(5, 5);
        let mut past = lock(&operation.past);
        let now = past.windows[0].0;
        past.windows[0].0 = now - 2;
        drop(past);
        operation.add(7, 7);
        let past = lock(&operation.past);
        let kept: Vec<(u64, u64)> =
            past.windows.iter().map(|(window, times)| (now - window, times.total)).collect();
        assert_eq!(kept, [(2, 5), (0, 7)]);
        assert_eq!(past.all.total, 12);
        assert_eq!((windows(Duration::from_secs(1)), windows(Duration::from_secs(61))), (1, 2));
    }
}
