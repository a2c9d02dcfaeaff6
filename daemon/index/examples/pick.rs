//! Measures the picker on a list of paths.
//!
//! `rg --files --sort path | cargo run --release -p hob-index --example pick -- [--limit N] QUERY...`
#![allow(clippy::print_stdout, reason = "what it measures is what it prints")]

use hob_index::picker::{Picker, Query, parts};
use hob_index::tree::{Dir, DocId, File};
use std::io::BufRead as _;
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut queries: Vec<String> = std::env::args().skip(1).collect();
    let mut limit = None;
    if queries.first().is_some_and(|flag| flag == "--limit") {
        limit = Some(queries[1].parse()?);
        queries.drain(..2);
    }
    let file = File { size: 0, mtime: 0, print: 0, touch: 0, doc: DocId::PENDING, outlined: false };
    let lines: Vec<Vec<u8>> = std::io::stdin().lock().split(b'\n').collect::<Result<_, _>>()?;
    let files: Vec<(Vec<u8>, File)> = lines.into_iter().map(|path| (path, file)).collect();
    let tree = Dir::from_files(&files);
    for text in &queries {
        let query = Query::new(text);
        let parts = parts(&tree, 1000);
        let mut times = Vec::new();
        let mut found = hob_index::picker::Picked::default();
        for _ in 0..31 {
            let began = Instant::now();
            let picker = Picker::new(&query, 0, limit);
            found = picker.merge(parts.iter().map(|part| picker.pick(part)).collect());
            times.push(began.elapsed());
        }
        times.sort();
        println!(
            "{text:24} {:6} files, {:8.2?} on one core, at best {:.2?}",
            found.total,
            times[times.len() / 2],
            times[0]
        );
        for pick in found.best.iter().take(5) {
            println!("    {:5} {}", pick.score, String::from_utf8_lossy(&pick.path));
        }
    }
    Ok(())
}
