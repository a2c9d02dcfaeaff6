//! Looks at one file with ripgrep's own searcher and printers.

use super::compile::Compiled;
use super::disk::{Found, Target};
use super::read::{has_bom, may_match, open, read_whole};
use super::{Cancel, Part, Want};
use grep_matcher::Matcher as _;
use grep_printer::{
    ColorSpecs, JSON, JSONBuilder, Standard, StandardBuilder, Stats, Summary, SummaryBuilder,
    SummaryKind,
};
use grep_searcher::{
    BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkContextKind, SinkFinish,
    SinkMatch,
};
use hob_protocol::{LineMatch, Print, Style, Text};
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;
use termcolor::{Ansi, NoColor, WriteColor};

/// A file up to this size is read as a whole; a larger one streams through the searcher.
const WHOLE: u64 = 16 << 20;
/// Memory that is kept for the next file.
const KEPT: u64 = 4 << 20;
/// The longest line of a file that streams: /dev/zero has no end of one.
const LONGEST_LINE: usize = 256 << 20;

/// What came of a file.
#[derive(Default)]
pub(super) struct Output {
    pub(super) part: Option<Part>,
    pub(super) lines: u64,
    pub(super) found: bool,
    pub(super) read: bool,
    pub(super) stats: Option<Stats>,
    pub(super) warning: Option<String>,
}

/// Lines of a file.
pub(crate) struct Lines {
    /// Where the file is.
    pub(crate) path: std::path::PathBuf,
    /// What the query calls it.
    pub(crate) shown: std::path::PathBuf,
    pub(crate) lines: Vec<LineMatch>,
}

/// What a thread reuses from file to file.
pub(super) struct Worker {
    printer: Printer,
    /// With the number of lines that it stops after.
    searcher: Option<(Option<u64>, Searcher)>,
    buffer: Vec<u8>,
}

enum Printer {
    Plain(Standard<NoColor<Vec<u8>>>),
    Color(Standard<Ansi<Vec<u8>>>),
    Summary(Summary<NoColor<Vec<u8>>>),
    ColorSummary(Summary<Ansi<Vec<u8>>>),
    Json(JSON<Vec<u8>>),
    Lines,
}

impl Worker {
    pub(super) fn new(compiled: &Compiled, want: Want) -> Self {
        Self { printer: printer(compiled, want), searcher: None, buffer: Vec::new() }
    }

    /// Searches a file for at most so many matching lines.
    pub(super) fn search(
        &mut self,
        compiled: &Compiled,
        found: &Found,
        most: Option<u64>,
    ) -> Output {
        let target = match found {
            Found::File(target) => target,
            Found::Problem(text) => {
                return Output { warning: Some(text.clone()), ..Output::default() };
            }
        };
        match self.file(compiled, target, most) {
            Ok(output) => output,
            // What is gone by now was not there to be found, as for a walk that came later.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !target.explicit => {
                Output::default()
            }
            Err(error) => Output {
                warning: Some(format!("{}: {error}", target.shown.display())),
                ..Output::default()
            },
        }
    }

    fn file(
        &mut self,
        compiled: &Compiled,
        target: &Target,
        most: Option<u64>,
    ) -> io::Result<Output> {
        // Making one costs more than to search a file of common size.
        let (_, mut searcher) = match self.searcher.take() {
            Some((same, searcher)) if same == most => (same, searcher),
            _ => (most, searcher(compiled, most)),
        };
        searcher.set_binary_detection(binary_detection(target));
        let output = self.file_with(&mut searcher, compiled, target, most);
        self.searcher = Some((most, searcher));
        output
    }

    fn file_with(
        &mut self,
        searcher: &mut Searcher,
        compiled: &Compiled,
        target: &Target,
        most: Option<u64>,
    ) -> io::Result<Output> {
        let (file, stat) = open(target)?;
        let size = stat.st_size.cast_unsigned();
        if size > WHOLE && !(target.explicit && compiled.whole_files) {
            let mut searcher = fresh(compiled, target, most);
            return self.print(
                compiled,
                target,
                &mut searcher,
                Input::Stream(&file, &compiled.cancel),
            );
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        if !may_match(compiled, target, &file, &stat, &mut buffer)? {
            self.buffer = buffer;
            return Ok(Output { read: true, ..Output::default() });
        }
        let read = read_whole(&file, stat, &mut buffer);
        let result = read.and_then(|whole| {
            if !whole {
                let mut searcher = fresh(compiled, target, most);
                let input = Input::Stream(&file, &compiled.cancel);
                return self.print(compiled, target, &mut searcher, input);
            }
            let plain = !has_bom(&buffer) && memchr::memchr(0, &buffer).is_none();
            // Without a NUL and a mark both ways find the same, and this one copies nothing.
            let input = match plain || (target.explicit && compiled.whole_files) {
                true => Input::Whole(&buffer),
                false => Input::Bytes(&buffer),
            };
            match input {
                Input::Whole(_) => self.print(compiled, target, searcher, input),
                // Where the searcher looks for a NUL depends on how large its buffer has grown for
                // the files before.
                _ => self.print(compiled, target, &mut fresh(compiled, target, most), input),
            }
        });
        if buffer.capacity() as u64 <= KEPT {
            self.buffer = buffer;
        }
        result
    }

    fn print(
        &mut self,
        compiled: &Compiled,
        target: &Target,
        searcher: &mut Searcher,
        input: Input<'_>,
    ) -> io::Result<Output> {
        let matcher = &compiled.matcher;
        let shown = target.shown.as_path();
        let mut output = Output { read: true, ..Output::default() };
        match &mut self.printer {
            Printer::Plain(printer) => {
                standard(printer, matcher, shown, searcher, input, &mut output)?;
                output.part = Some(Part::Printed(std::mem::take(printer.get_mut().get_mut())));
            }
            Printer::Color(printer) => {
                standard(printer, matcher, shown, searcher, input, &mut output)?;
                output.part = Some(Part::Printed(std::mem::take(printer.get_mut().get_mut())));
            }
            Printer::Summary(printer) => {
                summary(printer, matcher, shown, searcher, input, &mut output)?;
                output.part = Some(Part::Printed(std::mem::take(printer.get_mut().get_mut())));
            }
            Printer::ColorSummary(printer) => {
                summary(printer, matcher, shown, searcher, input, &mut output)?;
                output.part = Some(Part::Printed(std::mem::take(printer.get_mut().get_mut())));
            }
            Printer::Json(printer) => {
                let mut sink = Counting::new(printer.sink_with_path(matcher, shown));
                input.search(searcher, matcher, &mut sink)?;
                output.lines = sink.lines;
                output.found = sink.inner.has_match();
                output.stats = Some(sink.inner.stats().clone());
                output.part = Some(Part::Printed(std::mem::take(printer.get_mut())));
            }
            Printer::Lines => {
                let mut sink = Collect { matcher, lines: Vec::new(), matched: 0 };
                input.search(searcher, matcher, &mut sink)?;
                output.lines = sink.matched;
                output.found = sink.matched > 0;
                output.part = Some(Part::Lines(Lines {
                    path: target.path.clone(),
                    shown: target.shown.clone(),
                    lines: sink.lines,
                }));
            }
        }
        Ok(output)
    }
}

/// The bytes of a file, as the searcher is to take them.
#[derive(Clone, Copy)]
enum Input<'a> {
    /// As a slice.
    Whole(&'a [u8]),
    /// Through the searcher's own buffer, which finds marks and NULs as ripgrep does.
    Bytes(&'a [u8]),
    /// The same, from the file, until it is cancelled.
    Stream(&'a File, &'a Cancel),
}

impl Input<'_> {
    fn search<S: Sink<Error = io::Error>>(
        self,
        searcher: &mut Searcher,
        matcher: &grep_regex::RegexMatcher,
        sink: S,
    ) -> io::Result<()> {
        match self {
            Input::Whole(bytes) => searcher.search_slice(matcher, bytes, sink),
            Input::Bytes(bytes) => searcher.search_reader(matcher, bytes, sink),
            Input::Stream(file, cancel) => {
                searcher.search_reader(matcher, Cancellable { file, cancel }, sink)
            }
        }
    }
}

/// Reads a file from its start, until it is cancelled.
struct Cancellable<'a> {
    file: &'a File,
    cancel: &'a Cancel,
}

impl io::Read for Cancellable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.cancel.is_cancelled() {
            true => Err(io::Error::other("the search was cancelled")),
            false => (&mut &*self.file).read(buffer),
        }
    }
}

fn standard<W: WriteColor>(
    printer: &mut Standard<W>,
    matcher: &grep_regex::RegexMatcher,
    shown: &Path,
    searcher: &mut Searcher,
    input: Input<'_>,
    output: &mut Output,
) -> io::Result<()> {
    let mut sink = Counting::new(printer.sink_with_path(matcher, shown));
    input.search(searcher, matcher, &mut sink)?;
    output.lines = sink.lines;
    output.found = sink.inner.has_match();
    Ok(())
}

fn summary<W: WriteColor>(
    printer: &mut Summary<W>,
    matcher: &grep_regex::RegexMatcher,
    shown: &Path,
    searcher: &mut Searcher,
    input: Input<'_>,
    output: &mut Output,
) -> io::Result<()> {
    let mut sink = Counting::new(printer.sink_with_path(matcher, shown));
    input.search(searcher, matcher, &mut sink)?;
    output.lines = sink.lines;
    output.found = sink.inner.has_match();
    Ok(())
}

/// Counts the lines that match, on their way to a printer.
struct Counting<S> {
    inner: S,
    lines: u64,
}

impl<S> Counting<S> {
    fn new(inner: S) -> Self {
        Self { inner, lines: 0 }
    }
}

impl<S: Sink> Sink for Counting<S> {
    type Error = S::Error;

    fn matched(&mut self, searcher: &Searcher, mat: &SinkMatch<'_>) -> Result<bool, S::Error> {
        self.lines += 1;
        self.inner.matched(searcher, mat)
    }

    fn context(
        &mut self,
        searcher: &Searcher,
        context: &SinkContext<'_>,
    ) -> Result<bool, S::Error> {
        self.inner.context(searcher, context)
    }

    fn context_break(&mut self, searcher: &Searcher) -> Result<bool, S::Error> {
        self.inner.context_break(searcher)
    }

    fn binary_data(&mut self, searcher: &Searcher, offset: u64) -> Result<bool, S::Error> {
        self.inner.binary_data(searcher, offset)
    }

    fn begin(&mut self, searcher: &Searcher) -> Result<bool, S::Error> {
        self.inner.begin(searcher)
    }

    fn finish(&mut self, searcher: &Searcher, finish: &SinkFinish) -> Result<(), S::Error> {
        self.inner.finish(searcher, finish)
    }
}

/// Keeps the lines.
struct Collect<'a> {
    matcher: &'a grep_regex::RegexMatcher,
    lines: Vec<LineMatch>,
    matched: u64,
}

impl Sink for Collect<'_> {
    type Error = io::Error;

    fn matched(&mut self, searcher: &Searcher, mat: &SinkMatch<'_>) -> io::Result<bool> {
        self.matched += 1;
        let text = without_end(mat.bytes());
        let mut spans = Vec::new();
        if !searcher.invert_match() {
            self.matcher
                .find_iter(text, |found| {
                    spans.push((found.start(), found.end()));
                    true
                })
                .map_err(io::Error::other)?;
        }
        let column = spans.first().map_or(1, |(start, _)| *start as u64 + 1);
        self.push(mat.line_number(), column, text, spans);
        Ok(true)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> io::Result<bool> {
        if !matches!(context.kind(), SinkContextKind::Other) {
            self.push(context.line_number(), 0, without_end(context.bytes()), Vec::new());
        }
        Ok(true)
    }

    fn binary_data(&mut self, searcher: &Searcher, _: u64) -> io::Result<bool> {
        Ok(searcher.binary_detection().quit_byte().is_none())
    }
}

impl Collect<'_> {
    fn push(&mut self, line: Option<u64>, column: u64, text: &[u8], spans: Vec<(usize, usize)>) {
        self.lines.push(LineMatch {
            path: Text::default(),
            line: line.unwrap_or(0),
            column,
            text: Text::from(text),
            spans,
        });
    }
}

fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn searcher(compiled: &Compiled, most: Option<u64>) -> Searcher {
    builder(compiled, most).build()
}

fn builder(compiled: &Compiled, most: Option<u64>) -> SearcherBuilder {
    let most = match (compiled.query.max_count, most) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let mut builder = SearcherBuilder::new();
    builder
        .max_matches(most)
        .invert_match(compiled.query.invert)
        .line_number(true)
        .before_context(compiled.query.before)
        .after_context(compiled.query.after);
    builder
}

/// A searcher that has searched nothing yet.
fn fresh(compiled: &Compiled, target: &Target, most: Option<u64>) -> Searcher {
    let mut fresh = builder(compiled, most).heap_limit(Some(LONGEST_LINE)).build();
    fresh.set_binary_detection(binary_detection(target));
    fresh
}

fn binary_detection(target: &Target) -> BinaryDetection {
    match target.explicit {
        true => BinaryDetection::convert(b'\0'),
        false => BinaryDetection::quit(b'\0'),
    }
}

fn printer(compiled: &Compiled, want: Want) -> Printer {
    let Want::Printed(style) = want else { return Printer::Lines };
    let kind = match style.print {
        Print::Lines | Print::OnlyMatching => None,
        Print::Json => return Printer::Json(JSONBuilder::new().build(Vec::new())),
        Print::Files => Some(SummaryKind::PathWithMatch),
        Print::FilesWithoutMatch => Some(SummaryKind::PathWithoutMatch),
        // With matches inverted there are no single matches to count: as ripgrep does.
        Print::CountMatches if !compiled.query.invert => Some(SummaryKind::CountMatches),
        Print::Count | Print::CountMatches => Some(SummaryKind::Count),
        Print::Quiet => Some(SummaryKind::QuietWithMatch),
    };
    match (kind, style.color) {
        (None, false) => Printer::Plain(standard_builder(style).build(NoColor::new(Vec::new()))),
        (None, true) => Printer::Color(standard_builder(style).build(Ansi::new(Vec::new()))),
        (Some(kind), false) => {
            Printer::Summary(summary_builder(style, kind).build(NoColor::new(Vec::new())))
        }
        (Some(kind), true) => {
            Printer::ColorSummary(summary_builder(style, kind).build(Ansi::new(Vec::new())))
        }
    }
}

fn standard_builder(style: Style) -> StandardBuilder {
    let mut builder = StandardBuilder::new();
    builder
        .color_specs(ColorSpecs::default_with_color())
        .heading(style.heading)
        .only_matching(style.print == Print::OnlyMatching)
        .path_terminator(style.null.then_some(b'\0'))
        .per_match_one_line(true);
    builder
}

fn summary_builder(style: Style, kind: SummaryKind) -> SummaryBuilder {
    let mut builder = SummaryBuilder::new();
    builder
        .color_specs(ColorSpecs::default_with_color())
        .kind(kind)
        .path_terminator(style.null.then_some(b'\0'));
    builder
}

/// The last message of ripgrep's JSON Lines. Its counts are of the files that were read.
pub(super) fn json_summary(stats: &Stats, elapsed: Duration) -> Vec<u8> {
    let message = serde_json::json!({
        "type": "summary",
        "data": {
            "stats": stats,
            "elapsed_total": {
                "secs": elapsed.as_secs(),
                "nanos": elapsed.subsec_nanos(),
                "human": format!("{:0.6}s", elapsed.as_secs_f64()),
            },
        },
    });
    format!("{message}\n").into_bytes()
}
