//! Indexes a directory in memory and prints the figures of the text index.
//!
//! `cargo run --release -p hob-index --example measure -- DIR [BUDGET_MB] [LITERAL...]`
#![allow(clippy::print_stdout, reason = "what it measures is what it prints")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hob_index::plan::{PlanOptions, plan};
use hob_index::postings::{Block, Builder, Corrupt, Input, Key, Source, evaluate, merge};
use hob_index::trigram::{Extractor, Trigram, text_of};

const LITERALS: [&str; 8] = [
    "mutex_lock",
    r"EXPORT_SYMBOL_GPL\(kvm_",
    "btrfs_insert_delayed_items",
    "the quick brown",
    "(?i)task_struct",
    "struct [a-z]+_operations",
    "schedule_timeout_uninterruptible",
    "foo|bar|baz",
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let root =
        arguments.next().ok_or_else(|| io::Error::other("usage: measure DIR [BUDGET_MB]"))?;
    let budget = arguments.next().and_then(|megabytes| megabytes.parse().ok()).unwrap_or(32) << 20;
    let mut patterns: Vec<String> = arguments.collect();
    if patterns.is_empty() {
        patterns = LITERALS.map(str::to_owned).to_vec();
    }

    let mut files = Vec::new();
    list(Path::new(&root), &mut files)?;
    files.sort();
    let (segments, source_bytes) = build(&files, budget)?;
    let stored: usize = segments.iter().map(Segment::bytes).sum();
    println!(
        "{} segments, {:.4} bytes a byte",
        segments.len(),
        stored as f64 / source_bytes as f64
    );

    let begun = Instant::now();
    let whole = merged(&segments)?;
    println!(
        "merged in {:.2} s: {} documents, {} blocks, {:.4} bytes a byte",
        begun.elapsed().as_secs_f64(),
        whole.docs,
        whole.blocks.len(),
        whole.bytes() as f64 / source_bytes as f64,
    );
    for pattern in patterns {
        query(&pattern, &whole)?;
    }
    Ok(())
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != ".git" {
            list(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn build(files: &[PathBuf], budget: usize) -> Result<(Vec<Segment>, u64), Box<dyn Error>> {
    let mut extractor = Extractor::new();
    let mut builder = Builder::new(0);
    let (mut segments, mut bytes, mut trigrams) = (Vec::new(), 0, 0);
    let (mut reading, mut extracting, mut adding, mut finishing) = Default::default();
    for file in files {
        let content = timed(&mut reading, || std::fs::read(file))?;
        bytes += content.len() as u64;
        timed(&mut extracting, || {
            extractor.feed(&text_of(&content));
        });
        let found = timed(&mut extracting, || extractor.take());
        trigrams += found.len();
        timed(&mut adding, || builder.add(found));
        if builder.is_full(budget) {
            let next = Builder::new(segments.len() as u32 + 1);
            let full = std::mem::replace(&mut builder, next);
            segments.push(timed(&mut finishing, || Segment::finish(full))?);
        }
    }
    segments.push(timed(&mut finishing, || Segment::finish(builder))?);
    let megabytes = bytes as f64 / 1e6;
    let all: Duration = reading + extracting + adding + finishing;
    println!("{} files, {megabytes:.0} MB, {trigrams} postings", files.len());
    for (what, time) in [
        ("read", reading),
        ("extract", extracting),
        ("add", adding),
        ("finish", finishing),
        ("all", all),
    ] {
        println!(
            "{what:>8} {:6.2} s {:6.0} MB/s",
            time.as_secs_f64(),
            megabytes / time.as_secs_f64()
        );
    }
    Ok((segments, bytes))
}

fn timed<T>(sum: &mut Duration, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    *sum += begun.elapsed();
    result
}

fn merged(segments: &[Segment]) -> Result<Segment, Corrupt> {
    let mut blocks: Vec<_> =
        segments.iter().map(|s| s.blocks.values().map(|block| Ok(block.clone()))).collect();
    let mut inputs: Vec<_> = segments
        .iter()
        .zip(&mut blocks)
        .map(|(segment, blocks)| Input { docs: segment.docs, blocks })
        .collect();
    let mut result = Segment::default();
    result.docs = merge(0, &mut inputs, &|_, _| true, &mut |key, bytes| result.put(key, bytes))?;
    Ok(result)
}

fn query(pattern: &str, segment: &Segment) -> Result<(), Corrupt> {
    let plan_of = || plan(&[pattern.to_owned()], PlanOptions::default());
    let planned = plan_of();
    let mut times = Vec::new();
    for _ in 0..101 {
        let begun = Instant::now();
        std::hint::black_box(evaluate(&planned, segment)?);
        times.push(begun.elapsed());
    }
    times.sort();
    let begun = Instant::now();
    std::hint::black_box(plan_of());
    let planning = begun.elapsed();
    let docs = evaluate(&planned, segment)?;
    println!(
        "{pattern:<36} {:>6} candidates, {:>4} trigrams, planned in {planning:>8.1?}, evaluated in {:>8.1?}",
        docs.count(segment.docs),
        planned.trigrams(),
        times[50],
    );
    Ok(())
}

#[derive(Default)]
struct Segment {
    number: u32,
    docs: u32,
    blocks: BTreeMap<Key, Arc<Block>>,
    bytes: usize,
}

impl Segment {
    fn finish(builder: Builder) -> Result<Self, Corrupt> {
        let mut segment = Self::default();
        segment.docs = builder.finish(&mut |key, bytes| segment.put(key, bytes))?;
        Ok(segment)
    }

    fn put(&mut self, key: Key, bytes: &[u8]) -> Result<(), Corrupt> {
        self.bytes += bytes.len() + key.to_bytes().len();
        self.number = key.segment;
        self.blocks.insert(key, Arc::new(Block::open(key, bytes)?));
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Source for Segment {
    type Error = Corrupt;

    fn segment(&self) -> u32 {
        self.number
    }

    fn docs(&self) -> u32 {
        self.docs
    }

    fn block(&self, trigram: Trigram, part: u32) -> Result<Option<Arc<Block>>, Corrupt> {
        let wanted = Key { segment: self.number, trigram, part };
        Ok(self.blocks.range(..=wanted).next_back().map(|(_, block)| block.clone()))
    }
}
