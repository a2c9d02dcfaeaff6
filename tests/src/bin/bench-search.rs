//! hob beside ripgrep, in the time of whole processes.
//!
//! `cargo run --release -p hob-tests --bin bench-search -- TREE [--rounds N]`
//!
//! The two take turns, on a tree that is indexed and in the kernel's cache. Their
//! outputs are compared byte for byte. The CPU is that of the process alone; what
//! the daemon computes for it stands in a column of its own.

mod bench;

use bench::{Failure, Options, Process, Table, Times, World, ms, ratio, timed};
use std::path::Path;
use std::time::Duration;

/// A search: what it stands for, and its arguments, which mean the same to both.
const SEARCHES: &[(&str, &[&str])] = &[
    ("absent literal", &["hob_absent_from_this_tree"]),
    ("rare literal", &["-F", "schedule_timeout_idle("]),
    ("common literal", &["mutex_lock"]),
    ("alternation", &[r"static (int|void) \w+_(suspend|resume)_noirq"]),
    ("ignoring case", &["-i", "todo: remove"]),
    ("word, type and glob", &["-w", "-t", "c", "-g", "!drivers", "kfree_rcu"]),
    ("names of files", &["-l", "EXPORT_SYMBOL_GPL"]),
    ("without a literal", &["[0-9]{4}-[0-9]{2}-[0-9]{2}"]),
];

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-search TREE", &[])?;
    let (tree, rounds) = (options.tree()?, options.number("rounds", 9)?);
    let world = World::new(&options)?;
    world.run(&tree, &["index", "--wait"])?;
    world.settle(&tree)?;
    let daemon = world.daemon(&tree)?;
    let mut table = Table::default();
    table.row([
        "whole process, ms",
        "lines",
        "hob p50",
        "rg p50",
        "ratio",
        "hob max",
        "hob cpu",
        "hobd cpu",
        "rg cpu",
    ]);
    let mut wrong = Vec::new();
    for (name, args) in SEARCHES {
        let found = compare(&world, &tree, daemon, args, rounds)?;
        if !found.same {
            wrong.push(*name);
        }
        table.row(found.cells(name));
    }
    let (mut hob, mut rg) = (Times::default(), Times::default());
    for _ in 0..rounds * 10 {
        timed(&mut world.hob(["--version"]), &mut hob)?;
        timed(world.command(&world.rg).arg("--version"), &mut rg)?;
    }
    let found = Compared { lines: 1, same: true, hob, rg, daemon: Duration::ZERO };
    table.row(found.cells("--version"));
    table.print()?;
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(format!("the outputs differ: {}", wrong.join(", ")).into()),
    }
}

struct Compared {
    lines: usize,
    same: bool,
    hob: Times,
    rg: Times,
    /// The daemon's CPU, of all runs together.
    daemon: Duration,
}

fn compare(
    world: &World,
    tree: &Path,
    daemon: Process,
    args: &[&str],
    rounds: usize,
) -> Result<Compared, Failure> {
    let hob = || {
        let mut command = world.hob(["search"]);
        command.current_dir(tree).args(args);
        command
    };
    let rg = || {
        let mut command = world.command(&world.rg);
        command.current_dir(tree).args(["--no-config", "--sort", "path", "-H", "-n"]);
        command.arg("--no-heading").args(args);
        command
    };
    let (mut first, mut ours, mut theirs) = (Times::default(), Times::default(), Times::default());
    let printed = timed(&mut hob(), &mut first)?;
    let expected = timed(&mut rg(), &mut first)?;
    let mut same = printed.status.code() == expected.status.code();
    let before = daemon.cpu();
    for _ in 0..rounds {
        same &= timed(&mut hob(), &mut ours)?.stdout == expected.stdout;
        timed(&mut rg(), &mut theirs)?;
    }
    let lines = expected.stdout.iter().filter(|byte| **byte == b'\n').count();
    let daemon = daemon.cpu().saturating_sub(before);
    Ok(Compared { lines, same, hob: ours, rg: theirs, daemon })
}

impl Compared {
    fn cells(&self, name: &str) -> [String; 9] {
        let (hob, rg) = (self.hob.median(), self.rg.median());
        let name = match self.same {
            true => name.to_owned(),
            false => format!("{name} (DIFFERS)"),
        };
        let runs = u32::try_from(self.hob.wall.len().max(1)).unwrap_or(u32::MAX);
        [
            name,
            self.lines.to_string(),
            ms(hob),
            ms(rg),
            ratio(hob, rg),
            ms(self.hob.quantile(1.0)),
            ms(self.hob.cpu_each()),
            ms(self.daemon / runs),
            ms(self.rg.cpu_each()),
        ]
    }
}
