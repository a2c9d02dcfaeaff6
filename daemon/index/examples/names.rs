//! Builds a segment of the names of a list, one a line, and prints its figures. Times are of one
//! thread's CPU.
//!
//! ```sh
//! grep -rhoE '^\s*#\s*define\s+\w+' DIR | awk '{print $NF}' > names
//! cargo run --release -p hob-index --example names -- names [PATTERN...]
//! ```
#![allow(clippy::print_stdout, reason = "what it measures is what it prints")]

use hob_index::names::{
    Builder, Corrupt, Counts, Doc, Entries, Filter, Fuzzy, Input, Name, Names, RUN, Row, Source,
    entries, exact, merge, prefix, run_of,
};
use hob_index::symbols::Kind;
use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

const PATTERNS: [&str; 8] =
    ["mtxlck", "mutex_lock", "a", "rdwr", "mmDCN", "kmlc", "e", "regbifcntl"];
/// Names of a content, about as in Linux.
const IN_A_CONTENT: usize = 70;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let list =
        arguments.next().ok_or_else(|| io::Error::other("usage: names LIST [PATTERN...]"))?;
    let list = std::fs::read(list)?;
    let names: Vec<&[u8]> = list.split(|byte| *byte == b'\n').filter(|n| !n.is_empty()).collect();
    let mut patterns: Vec<String> = arguments.collect();
    if patterns.is_empty() {
        patterns = PATTERNS.map(str::to_owned).to_vec();
    }
    let segments = build(&names)?;
    let begun = cpu();
    let whole = merged(&segments)?;
    println!("merged in {:.2} s", (cpu() - begun).as_secs_f64());
    drop(segments);
    whole.print();
    let begun = cpu();
    let whole = [whole.read()?];
    let weight: usize = whole[0].runs.iter().flat_map(|run| run.iter()).map(Names::weight).sum();
    println!("read in {:?}: {:.1} MB in memory", cpu() - begun, weight as f64 / 1e6);
    for pattern in &patterns {
        query(&whole, pattern)?;
    }
    Ok(())
}

/// Segments of as many definitions as a thread's budget has room for.
fn build(names: &[&[u8]]) -> Result<Vec<Segment>, Corrupt> {
    const BUDGET: usize = 24 << 20;
    let (mut adding, mut sorting, mut writing) = Default::default();
    let mut segments = Vec::new();
    let mut builder = Builder::new(0);
    let contents = names.chunks(IN_A_CONTENT).enumerate();
    for (doc, names) in contents {
        timed(&mut adding, || {
            for (ordinal, name) in (0..).zip(names) {
                let kind = if ordinal % 5 == 4 { Kind::Function } else { Kind::Macro };
                builder.add(name, Doc::New(doc as u32), 1, kind, ordinal);
            }
        });
        if builder.memory() > BUDGET {
            let next = Builder::new(segments.len() as u32 + 1);
            let full = std::mem::replace(&mut builder, next);
            segments.push(finish(full, &mut sorting, &mut writing)?);
        }
    }
    segments.push(finish(builder, &mut sorting, &mut writing)?);
    println!("{} definitions, {} segments", names.len(), segments.len());
    println!("add {adding:.2?}, sort {sorting:.2?}, write {writing:.2?}");
    Ok(segments)
}

fn finish(
    builder: Builder,
    sorting: &mut Duration,
    writing: &mut Duration,
) -> Result<Segment, Corrupt> {
    let sorted = timed(sorting, || builder.sort());
    let mut segment = Segment { number: sorted.segment(), ..Segment::default() };
    segment.counts = timed(writing, || sorted.finish(0, &mut |row| segment.put(row)))?;
    Ok(segment)
}

fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let begun = cpu();
    let result = work();
    *sum += cpu() - begun;
    result
}

fn merged(segments: &[Segment]) -> Result<Segment, Corrupt> {
    let mut names: Vec<_> = segments
        .iter()
        .map(|s| s.names.iter().map(|(block, bytes)| Names::open(s.number, *block, bytes)))
        .collect();
    let mut lists: Vec<_> = segments
        .iter()
        .map(|s| {
            let all = s.entries.iter();
            all.map(|((name, part), bytes)| Entries::open(s.number, *name, *part, bytes))
        })
        .collect();
    let mut inputs: Vec<_> = segments
        .iter()
        .zip(names.iter_mut().zip(&mut lists))
        .map(|(s, (names, entries))| Input { segment: s.number, counts: s.counts, names, entries })
        .collect();
    let mut result = Segment { number: 1 << 20, ..Segment::default() };
    result.counts = merge(result.number, &mut inputs, &mut |row| result.put(row))?;
    Ok(result)
}

fn query(sources: &[Warm], pattern: &str) -> Result<(), Corrupt> {
    let (time, found) = mean(|| exact(sources, pattern.as_bytes()))?;
    print!("{pattern:<12} exact {:>3} in {time:>8.1?}", found.len());
    let limit = 50;
    let (time, found) =
        mean(|| prefix(sources, pattern.as_bytes(), &Filter::ALL, limit, &|| false))?;
    print!("  prefix {:>3} in {time:>8.1?}", found.len());
    let (time, found) = mean(|| fuzzy(sources, pattern, limit))?;
    let best = found.first().map_or("".into(), |name| String::from_utf8_lossy(&name.name));
    println!("  fuzzy {:>3} in {time:>8.1?}  {best}", found.len());
    let mut count = 0;
    for name in &found {
        entries(sources, name, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        })?;
    }
    std::hint::black_box(count);
    Ok(())
}

/// The time that a query takes, of many: the clock ticks slowly.
fn mean(
    mut query: impl FnMut() -> Result<Vec<Name>, Corrupt>,
) -> Result<(Duration, Vec<Name>), Corrupt> {
    const TIMES: u32 = 25;
    let found = query()?;
    let begun = cpu();
    for _ in 0..TIMES {
        std::hint::black_box(query()?);
    }
    Ok(((cpu() - begun) / TIMES, found))
}

fn fuzzy(sources: &[Warm], pattern: &str, limit: usize) -> Result<Vec<Name>, Corrupt> {
    let mut search = Fuzzy::new(pattern, Filter::ALL, limit);
    let first = run_of(&sources[0], pattern.as_bytes())? as usize;
    let (before, after) = sources[0].runs.split_at(first);
    for run in after.iter().chain(before) {
        search.scan(0, run, &|| false);
    }
    Ok(Fuzzy::best(vec![search]))
}

/// The time that this thread has run, so that what else the machine does is not measured.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// A segment as it is stored.
#[derive(Default)]
struct Segment {
    number: u32,
    counts: Counts,
    names: BTreeMap<u32, Vec<u8>>,
    directory: BTreeMap<Vec<u8>, u32>,
    entries: BTreeMap<(u32, u32), Vec<u8>>,
}

impl Segment {
    fn put(&mut self, row: Row<'_>) -> Result<(), Corrupt> {
        match row {
            Row::Names { block, bytes } => drop(self.names.insert(block, bytes.to_vec())),
            Row::Directory { key, block } => drop(self.directory.insert(key.to_vec(), block)),
            Row::Entries { name, part, bytes } => {
                self.entries.insert((name, part), bytes.to_vec());
            }
        }
        Ok(())
    }

    fn print(&self) {
        let Counts { names, definitions, .. } = self.counts;
        println!("{names} names, {definitions} definitions");
        let directory = self.directory.keys().map(|key| key.len() + 8).sum::<usize>();
        let of = |rows: usize, bytes: usize| {
            println!(
                "{rows:>7} rows {:>6.1} MB {:>5.2} bytes a definition",
                bytes as f64 / 1e6,
                bytes as f64 / f64::from(definitions)
            );
        };
        of(self.names.len(), self.names.values().map(Vec::len).sum());
        of(self.directory.len(), directory);
        of(self.entries.len(), self.entries.values().map(Vec::len).sum());
    }

    /// As a query has it once it was read.
    fn read(self) -> Result<Warm, Corrupt> {
        let open = |(block, bytes): (&u32, &Vec<u8>)| Names::open(self.number, *block, bytes);
        let names: Vec<Names> = self.names.iter().map(open).collect::<Result<_, _>>()?;
        let runs = names.chunks(RUN as usize).map(Arc::from).collect();
        Ok(Warm { runs, segment: self })
    }
}

struct Warm {
    segment: Segment,
    runs: Vec<Arc<[Names]>>,
}

impl Source for Warm {
    type Error = Corrupt;

    fn segment(&self) -> u32 {
        self.segment.number
    }

    fn counts(&self) -> Counts {
        self.segment.counts
    }

    fn find(&self, key: &[u8]) -> Result<Option<u32>, Corrupt> {
        Ok(self.segment.directory.range(..=key.to_vec()).next_back().map(|(_, block)| *block))
    }

    fn run(&self, run: u32) -> Result<Arc<[Names]>, Corrupt> {
        Ok(self.runs[run as usize].clone())
    }

    fn entries(&self, name: u32, part: u32) -> Result<Option<Arc<Entries>>, Corrupt> {
        let found = self.segment.entries.range(..=(name, part)).next_back();
        let open = |((name, part), bytes): (&(u32, u32), &Vec<u8>)| {
            Entries::open(self.segment.number, *name, *part, bytes).map(Arc::new)
        };
        found.map(open).transpose()
    }
}
