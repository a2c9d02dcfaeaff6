//! A while of the process, looked at closely: one at a time.

use super::sampling::Sampling;
use super::trace;
use std::sync::atomic::{AtomicBool, Ordering};

static RUNS: AtomicBool = AtomicBool::new(false);

/// Records until it is finished or dropped.
pub(crate) struct Capture {
    sampling: Option<Sampling>,
    traces: bool,
    _turn: Turn,
}

/// What was recorded.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    pub(crate) samples: u64,
    /// Where they were taken, as SVG.
    pub(crate) flame: Option<String>,
    pub(crate) spans: u64,
    /// Spans that there was no room for.
    pub(crate) dropped: u64,
    /// The spans, as JSON.
    pub(crate) trace: Option<String>,
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    #[error("a recording runs already")]
    Runs,
    #[error("the processor cannot be sampled: {0}")]
    Sampling(String),
}

/// Begins to sample the processor, to keep spans, or both.
pub(crate) fn capture(flame: bool, traces: bool) -> Result<Capture, CaptureError> {
    let turn = Turn::take().ok_or(CaptureError::Runs)?;
    let sampling = flame.then(Sampling::begin).transpose().map_err(CaptureError::Sampling)?;
    if traces {
        trace::begin();
    }
    Ok(Capture { sampling, traces, _turn: turn })
}

impl Capture {
    /// Ends it. To find the names of functions takes a while the first time.
    pub(crate) fn finish(mut self) -> Result<Captured, CaptureError> {
        let mut captured = Captured::default();
        if std::mem::take(&mut self.traces)
            && let Some(trace) = trace::end()
        {
            (captured.spans, captured.dropped) = (trace.kept(), trace.dropped());
            captured.trace = Some(trace.json());
        }
        if let Some(sampling) = self.sampling.take() {
            let sampled = sampling.end().map_err(CaptureError::Sampling)?;
            (captured.samples, captured.flame) = sampled;
        }
        Ok(captured)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if self.traces {
            drop(trace::end());
        }
    }
}

/// The right to record, until it is dropped.
struct Turn;

impl Turn {
    fn take() -> Option<Self> {
        (!RUNS.swap(true, Ordering::AcqRel)).then_some(Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        RUNS.store(false, Ordering::Release);
    }
}
