//! Exact text search: what ripgrep prints, from the index where there is one.
//!
//! The index says which files may match; what matches is decided by ripgrep's own
//! crates on the files' bytes ([`worker`]). So the index can make a search fast,
//! but it cannot make it wrong.
//!
//! This module knows nothing of the wire: results go to a [`Receiver`].

mod compile;
mod disk;
mod read;
mod scope;
mod worker;

use crate::parallel::{Crew, Workers};
use crate::profile::{Turns, leaf, stage};
use compile::Compiled;
use hob_index::plan::Plan;
use hob_index::tree::Docs;
use hob_protocol::{Origin, Print, SearchQuery, SearchSummary, Style, Truncated};
use scope::Scope;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use worker::{Output, Worker};

pub(crate) use compile::file_types;
pub(crate) use disk::{Found, Walking};
pub(crate) use worker::Lines;

use crate::workspace::{Failed, Snapshot};

/// Files that are looked at before the first are delivered; it doubles up to the second.
const FIRST_WINDOW: usize = 16;
const LARGEST_WINDOW: usize = 512;
/// So few files are faster looked at in place than handed to other threads, whose waking alone takes some
/// 100 us of two processors.
const IN_PLACE: usize = 4;
/// And so few bytes, in no more files than the first window has.
const BYTES_IN_PLACE: u64 = 128 << 10;

/// Where the parts of a result go, in the order of paths.
pub(crate) trait Receiver {
    /// Takes the result of a file. False when nobody wants more.
    fn output(&mut self, output: Part) -> bool;
    /// Takes what could not be searched, and why.
    fn warning(&mut self, text: String) -> bool;
    /// It may take a while until more comes.
    fn pause(&mut self) -> bool;
}

/// A part of a result.
pub(crate) enum Part {
    /// As it is printed.
    Printed(Vec<u8>),
    /// As lines of a file, which the query names so.
    Lines(Lines),
}

/// What is wanted of each file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    /// Printed in this style.
    Printed(Style),
    /// As lines.
    Lines,
}

/// A workspace as a search sees it.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) root: PathBuf,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) origin: Origin,
    /// The contents that may match, of those that the store knows.
    pub(crate) candidates: Arc<dyn Fn(&Plan) -> Docs + Send + Sync>,
}

/// Finds the workspace for a canonical path; `None` where there is none.
pub(crate) type FindView<'a> = &'a dyn Fn(&std::path::Path) -> Result<Option<View>, SearchError>;

/// Why a search cannot be done.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// The pattern.
    #[error("{0}")]
    Pattern(String),
    /// A glob or file type.
    #[error("{message}")]
    Filter {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A directory that the query is relative to.
    #[error("cannot search in `{path}`: {error}", path = .0.display(), error = .1)]
    Cwd(PathBuf, String),
    /// The workspace cannot be brought up to date.
    #[error("{1}: `{path}`", path = .0.display())]
    Workspace(PathBuf, Failed),
    /// Nobody waits for it any more.
    #[error("the search was cancelled")]
    Cancelled,
}

/// Ends a search from outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Ends it.
    pub(crate) fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Searches. Blocks until all is delivered, the receiver wants no more, or it is cancelled.
pub(crate) fn run(
    query: &SearchQuery,
    want: Want,
    find: FindView<'_>,
    crew: &Crew,
    cancel: &Cancel,
    receiver: &mut dyn Receiver,
) -> Result<SearchSummary, SearchError> {
    let started = Instant::now();
    let compiled = leaf("search.compile", || Compiled::new(query, want, cancel))?;
    let mut run = Run {
        query,
        want,
        compiled: &compiled,
        cancel,
        receiver,
        started,
        summary: SearchSummary::default(),
        stats: grep_printer::Stats::new(),
        workers: crew.workers(|| Worker::new(&compiled, want)),
        reading: Turns::of("search.read"),
        printed: false,
        over: !compiled.can_match(query),
    };
    let mut scope = Scope::new(query, &compiled, find)?;
    run.files(&mut scope)?;
    if !run.over && run.summary.files_read == 0 && query.paths.is_empty() {
        run.tell_of_nothing(find)?;
    }
    run.summary.origin = scope.origin();
    if matches!(want, Want::Printed(Style { print: Print::Json, .. })) {
        let text = worker::json_summary(&run.stats, started.elapsed());
        run.receiver.output(Part::Printed(text));
    }
    let mut summary = run.summary;
    summary.elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(summary)
}

/// Whether files are read in no time, as far as their sizes are known.
fn is_little(window: &[Found]) -> bool {
    let size = |found: &Found| match found {
        Found::File(target) if target.size == 0 => BYTES_IN_PLACE / 4,
        Found::File(target) => target.size,
        Found::Problem(_) => 0,
    };
    window.iter().map(size).sum::<u64>() <= BYTES_IN_PLACE
}

struct Run<'a, M> {
    query: &'a SearchQuery,
    want: Want,
    compiled: &'a Compiled,
    cancel: &'a Cancel,
    receiver: &'a mut dyn Receiver,
    started: Instant,
    summary: SearchSummary,
    stats: grep_printer::Stats,
    workers: Workers<'a, Worker, M>,
    reading: Turns,
    printed: bool,
    over: bool,
}

impl<M: Fn() -> Worker + Sync> Run<'_, M> {
    fn files(&mut self, scope: &mut Scope<'_>) -> Result<(), SearchError> {
        let mut size = FIRST_WINDOW;
        while !self.over {
            // The first time it asks for the state of the tree and for candidates.
            let window = match size {
                FIRST_WINDOW => stage!("search.list").in_scope(|| scope.next_files(size))?,
                _ => scope.next_files(size)?,
            };
            if window.is_empty() {
                return Ok(());
            }
            size = (size * 2).min(LARGEST_WINDOW);
            self.window(&window);
            self.over |= !self.receiver.pause();
            if self.cancel.is_cancelled() {
                return Err(SearchError::Cancelled);
            }
            let deadline = self.query.deadline_ms.map(Duration::from_millis);
            if !self.over && deadline.is_some_and(|deadline| self.started.elapsed() >= deadline) {
                self.summary.truncated = Some(Truncated::Deadline);
                self.over = true;
            }
        }
        Ok(())
    }

    /// Says so, as ripgrep does, where the filters leave no file at all to search.
    fn tell_of_nothing(&mut self, find: FindView<'_>) -> Result<(), SearchError> {
        let any = Compiled { plan: Plan::All, any_file: true, ..self.compiled.clone() };
        if Scope::new(self.query, &any, find)?.next_files(1)?.is_empty() {
            self.summary.errors = true;
            self.receiver.warning(
                "no files were searched: a filter (an ignore rule, a glob, a type) leaves none"
                    .into(),
            );
        }
        Ok(())
    }

    fn window(&mut self, window: &[Found]) {
        // One line more than is left tells whether there is more.
        let most = self.left().map(|left| left.saturating_add(1));
        let (workers, cancel, compiled) = (&self.workers, self.cancel, self.compiled);
        let search = |worker: &mut Worker, found: &Found| match cancel.is_cancelled() {
            true => Output::default(),
            false => worker.search(compiled, found, most),
        };
        let in_place = if is_little(window) { FIRST_WINDOW } else { IN_PLACE };
        let outputs: Vec<Output> = self.reading.time(|| workers.map(window, in_place, search));
        for (found, output) in window.iter().zip(outputs) {
            if self.over || self.cancel.is_cancelled() {
                return;
            }
            self.deliver(found, output);
        }
    }

    /// How many lines may still come.
    fn left(&self) -> Option<u64> {
        self.query.limit.map(|limit| limit.saturating_sub(self.summary.lines))
    }

    fn deliver(&mut self, found: &Found, mut output: Output) {
        if let Some(left) = self.left().filter(|left| output.lines > *left) {
            self.summary.truncated = Some(Truncated::Limit);
            self.over = true;
            if left == 0 {
                return;
            }
            let search = |worker: &mut Worker| worker.search(self.compiled, found, Some(left));
            output = self.workers.here(search);
        }
        self.summary.files_read += u64::from(output.read);
        self.summary.lines += output.lines;
        self.summary.found |= output.found;
        if let Some(stats) = &output.stats {
            self.stats += stats;
        }
        if let Some(warning) = output.warning {
            self.summary.errors = true;
            self.over |= !self.receiver.warning(warning);
        }
        self.over |= match output.part {
            Some(Part::Printed(bytes)) if !bytes.is_empty() => {
                let bytes = self.separated(bytes);
                !self.receiver.output(Part::Printed(bytes))
            }
            Some(Part::Lines(lines)) if !lines.lines.is_empty() => {
                !self.receiver.output(Part::Lines(lines))
            }
            _ => false,
        };
        let quiet = matches!(self.want, Want::Printed(Style { print: Print::Quiet, .. }));
        self.over |= quiet && self.summary.found;
    }

    /// What stands between the output of two files.
    fn separated(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let first = !std::mem::replace(&mut self.printed, true);
        match self.compiled.separator {
            Some(separator) if !first => [separator, b"\n", &bytes].concat(),
            _ => bytes,
        }
    }
}
