//! The stages of one call, for whoever asked where its time went.

use super::{Timing, lock, nanos};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan as _;

/// A stage, and all its turns together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    /// How many stages it is within.
    pub(crate) depth: usize,
    pub(crate) count: u64,
    /// Nanoseconds.
    pub(crate) total: u64,
    pub(crate) own: u64,
}

/// What a span and those within it have come to so far.
pub(crate) struct Recording {
    began: Instant,
    stages: Arc<Stages>,
}

/// Kept with each span that is recorded.
pub(super) struct Recorded {
    stages: Arc<Stages>,
    /// Its place among the stages.
    place: usize,
    depth: usize,
}

type Stages = Mutex<Vec<Stage>>;

/// Records a span, and those that begin within it from now on. `None` where nothing is measured.
pub(crate) fn record(span: &Span) -> Option<Recording> {
    let stages = Arc::new(Mutex::new(Vec::new()));
    let name = span.metadata()?.name();
    let begun = span.with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        let mut extensions = span.extensions_mut();
        let timing = extensions.get_mut::<Timing>()?;
        timing.recorded = Some(Recorded::begin(&stages, name, 0));
        Some(())
    });
    begun.flatten().map(|()| Recording { began: Instant::now(), stages })
}

impl Recorded {
    fn begin(stages: &Arc<Stages>, name: &'static str, depth: usize) -> Self {
        let mut list = lock(stages);
        let known = list.iter().position(|stage| (stage.name, stage.depth) == (name, depth));
        let place = known.unwrap_or_else(|| {
            list.push(Stage { name, depth, count: 0, total: 0, own: 0 });
            list.len() - 1
        });
        Self { stages: stages.clone(), place, depth }
    }

    /// One that begins within this one.
    pub(super) fn within(&self, name: &'static str) -> Self {
        Self::begin(&self.stages, name, self.depth + 1)
    }

    pub(super) fn end(&self, total: u64, own: u64) {
        let stage = &mut lock(&self.stages)[self.place];
        stage.count += 1;
        stage.total += total;
        stage.own += own;
    }
}

impl Recording {
    /// The stages so far, in the order in which they first began. The outermost goes on.
    pub(crate) fn stages(&self) -> Vec<Stage> {
        let mut stages = lock(&self.stages).clone();
        let within: u64 = stages.iter().filter(|one| one.depth == 1).map(|one| one.total).sum();
        if let Some(outermost) = stages.first_mut().filter(|one| one.count == 0) {
            outermost.count = 1;
            outermost.total = nanos(self.began.elapsed());
            outermost.own = outermost.total.saturating_sub(within);
        }
        stages
    }
}

thread_local! {
    static QUEUED: std::cell::Cell<Duration> = const { std::cell::Cell::new(Duration::ZERO) };
}

/// Notes how long the work of this thread has waited for it.
pub(crate) fn was_queued(time: Duration) {
    QUEUED.set(time);
}

/// How long the work of this thread has waited for it.
pub(crate) fn queued() -> Duration {
    QUEUED.get()
}
