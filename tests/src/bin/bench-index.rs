//! What indexing a tree costs: time, CPU, memory, disk; and a restart after it.
//!
//! `cargo run --release -p hob-tests --bin bench-index -- TREE`
//!
//! The peer is `cindex` of codesearch where it is in `PATH`; and beside the restart
//! stands one scan by ripgrep.

mod bench;

use bench::{Failure, Options, Table, Times, World, mb, ms, timed};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-index TREE", &[])?;
    let tree = options.tree()?;
    let world = World::new(&options)?;
    let mut table = Table::default();
    // Once, so that both find the files in the kernel's cache.
    let mut scan = Times::default();
    for _ in 0..2 {
        timed(&mut absent(&world, &tree, true), &mut scan)?;
    }
    let mut cold = Times::default();
    timed(&mut absent(&world, &tree, false), &mut cold)?;
    let began = Instant::now();
    world.run(&tree, &["index", "--wait"])?;
    let wall = began.elapsed() + cold.median();
    let daemon = world.daemon(&tree)?;
    let status = world.status(&tree)?;
    let source = number(&status["bytes"]);
    table.row(["files", &number(&status["files"]).to_string()]);
    table.row(["source", &mb(source)]);
    table.row(["first search, daemon and all", &format!("{} ms", ms(cold.median()))]);
    table.row(["index: wall, the first search included", &format!("{} ms", ms(wall))]);
    let cpu = daemon.cpu();
    table.row(["index: CPU", &format!("{} ms", ms(cpu))]);
    table.row(["index: source a CPU-second", &rate(source, cpu)]);
    table.row(["index: peak memory (VmHWM)", &mb(daemon.memory("VmHWM"))]);
    world.settle(&tree)?;
    table.row(["idle memory (VmRSS)", &mb(daemon.memory("VmRSS"))]);
    table.row(["idle memory of its own (RssAnon)", &mb(daemon.memory("RssAnon"))]);
    world.run(&tree, &["daemon", "stop"])?;
    let mut restart = Times::default();
    timed(&mut absent(&world, &tree, false), &mut restart)?;
    let store = number(&world.status(&tree)?["store"]["bytes"]);
    table.row(["store", &mb(store)]);
    table.row(["store / source", &format!("{:.3}", store as f64 / source.max(1) as f64)]);
    table.row(["restart to first answer", &format!("{} ms", ms(restart.median()))]);
    table.row(["the same search by rg", &format!("{} ms", ms(scan.wall[1]))]);
    codesearch(&world, &tree, source, &mut table)?;
    Ok(table.print()?)
}

/// A search for what is not there.
fn absent(world: &World, tree: &Path, by_rg: bool) -> std::process::Command {
    let mut command = match by_rg {
        true => world.command(&world.rg),
        false => world.hob(["search"]),
    };
    command.current_dir(tree).arg("hob_absent_from_this_tree");
    if by_rg {
        command.arg(".");
    }
    command
}

fn codesearch(world: &World, tree: &Path, source: u64, table: &mut Table) -> Result<(), Failure> {
    let index = world.path("csearchindex");
    let mut command = world.command("cindex");
    command.env("CSEARCHINDEX", &index).arg(tree);
    let mut times = Times::default();
    if timed(&mut command, &mut times).is_err() {
        table.row(["cindex", "not in PATH"]);
        return Ok(());
    }
    let size = std::fs::metadata(&index).map_or(0, |meta| meta.len());
    table.row(["cindex: wall", &format!("{} ms", ms(times.median()))]);
    table.row(["cindex: source a CPU-second", &rate(source, times.cpu)]);
    table.row(["cindex: index / source", &format!("{:.3}", size as f64 / source.max(1) as f64)]);
    Ok(())
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn rate(bytes: u64, time: Duration) -> String {
    format!("{:.0} MB", bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9))
}
