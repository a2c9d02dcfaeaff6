//! What the processor does, by `pprof`: its one home.
//!
//! A timer of the process's time on the processor interrupts whichever thread runs, and the stack is
//! noted. Only while somebody records.

use pprof::flamegraph::Options;
use pprof::{ProfilerGuard, ProfilerGuardBuilder};

/// Samples a second of time on the processor; no whole part of what a timer of ours may have.
const FREQUENCY: i32 = 499;
/// No stack is walked from within these: they may hold what walking needs.
const LEFT_ALONE: [&str; 3] = ["libgcc", "vdso", "ld-linux"];

/// Samples until it is dropped.
pub(super) struct Sampling(ProfilerGuard<'static>);

impl Sampling {
    /// Begins. An error says what the system refuses.
    pub(super) fn begin() -> Result<Self, String> {
        let builder = ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&LEFT_ALONE);
        builder.build().map(Self).map_err(|error| error.to_string())
    }

    /// How many samples there are, and an image of where they were taken: SVG, `None` of none.
    pub(super) fn end(self) -> Result<(u64, Option<String>), String> {
        let report = self.0.report().build();
        // The names of functions are in the report: a hundred megabytes that tell them apart are not
        // kept for the next one.
        backtrace::clear_symbol_cache();
        let report = report.map_err(|error| error.to_string())?;
        let samples: u64 =
            report.data.values().map(|count| (*count).max(0).cast_unsigned() as u64).sum();
        if samples == 0 {
            return Ok((0, None));
        }
        let mut image = Vec::new();
        let mut options = Options::default();
        "hobd: time on the processor, by thread".clone_into(&mut options.title);
        report
            .flamegraph_with_options(&mut image, &mut options)
            .map_err(|error| error.to_string())?;
        Ok((samples, Some(String::from_utf8_lossy(&image).into_owned())))
    }
}
