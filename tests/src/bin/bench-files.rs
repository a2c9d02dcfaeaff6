//! `hob files` beside `git ls-files | fzf --filter`, and what it takes in the daemon.
//!
//! `cargo run --release -p hob-tests --bin bench-files -- TREE [--rounds N]`
//!
//! On a tree that is at rest, in the time of whole processes; and in the daemon over a
//! connection that stays open, with all matches and with the best hundred. The list of
//! all files is compared with ripgrep's byte for byte. What matches a query is compared
//! by nobody: fzf orders by other rules.

mod bench;

use bench::{Failure, Options, Table, Times, World, ms, ratio, timed};
use hob_client::{Connection, IndexApiClient as _, Place, block_on};
use hob_protocol::FilesQuery;
use std::path::Path;
use std::time::Duration;

/// What people type on their way to a file: a letter, humps, names, words, directories.
const QUERIES: &[&str] = &[
    "m",
    "ma",
    "drv",
    "main",
    "mutex",
    "readme",
    "makefile",
    "Kconfig",
    "usbhub",
    "kvmmain",
    "tcpinput",
    "i915gem",
    "ext4inode",
    "mm/slab",
    "kernel/sched",
    "ext4 inode",
    "e1000 main",
    "net ipv4 tcp",
    "drivers .c$ !test",
    "sched/fair.c:120",
    "hobabsentzz",
];

/// What a picker shows.
const BEST: u64 = 100;

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-files TREE", &[])?;
    let (tree, rounds) = (options.tree()?, options.number("rounds", 21)?);
    let world = World::new(&options)?;
    world.run(&tree, &["index", "--wait"])?;
    world.settle(&tree)?;
    in_the_daemon(&world, &tree, rounds)?;
    whole_processes(&world, &tree, rounds)?;
    lists(&world, &tree, rounds)
}

fn in_the_daemon(world: &World, tree: &Path, rounds: usize) -> Result<(), Failure> {
    let connection = Connection::open(&Place::with_socket(world.socket()))?;
    let mut table = Table::default();
    table.row(["in the daemon, ms", "files", "all p50", "all max", "best 100 p50", "max"]);
    let (mut all, mut best) = (Vec::new(), Vec::new());
    for text in QUERIES {
        let mut of_all = Measured::default();
        let mut of_best = Measured::default();
        for _ in 0..rounds {
            of_all.ask(&connection, tree, text, None)?;
            of_best.ask(&connection, tree, text, Some(BEST))?;
        }
        let (a, b) = (&of_all.times, &of_best.times);
        let name = format!("`{text}`");
        let figures = [a.median(), a.quantile(1.0), b.median(), b.quantile(1.0)].map(ms);
        table.row([name, of_all.total.to_string()].into_iter().chain(figures));
        all.extend(of_all.times.wall);
        best.extend(of_best.times.wall);
    }
    let [all, best] = [all, best].map(|wall| Times { wall, ..Times::default() });
    for (name, share) in [("all queries, p50", 0.5), ("all queries, p99", 0.99)] {
        let (all, best) = (ms(all.quantile(share)), ms(best.quantile(share)));
        table.row([name, "", &all, "", &best, ""]);
    }
    Ok(table.print()?)
}

/// What a query took by the daemon's own account.
#[derive(Default)]
struct Measured {
    total: u64,
    times: Times,
}

impl Measured {
    fn ask(
        &mut self,
        connection: &Connection,
        tree: &Path,
        text: &str,
        limit: Option<u64>,
    ) -> Result<(), Failure> {
        let query = Some(text.to_owned());
        let query = FilesQuery { query, limit, ..FilesQuery::in_dir(tree.to_owned()) };
        let summary = block_on(connection.files(query))?.summary;
        self.total = summary.total;
        self.times.wall.push(Duration::from_micros(summary.elapsed_us));
        Ok(())
    }
}

fn whole_processes(world: &World, tree: &Path, rounds: usize) -> Result<(), Failure> {
    let fzf = world.command("fzf").arg("--version").output().is_ok();
    let mut table = Table::default();
    table.row(["whole process, ms", "hob p50", "--limit 20", "git ls-files | fzf", "ratio"]);
    for text in QUERIES {
        let [mut all, mut best, mut theirs] =
            [const { Vec::new() }; 3].map(|wall| Times { wall, ..Times::default() });
        for _ in 0..rounds {
            timed(world.hob(["files", text]).current_dir(tree), &mut all)?;
            timed(world.hob(["files", text, "--limit", "20"]).current_dir(tree), &mut best)?;
            if fzf {
                let mut command = world.command("sh");
                let line = "git -c safe.directory='*' ls-files | fzf --scheme=path --filter \"$0\"";
                timed(command.args(["-c", line, text]).current_dir(tree), &mut theirs)?;
            }
        }
        let peer = if fzf { ms(theirs.median()) } else { "not in PATH".to_owned() };
        let times = ratio(all.median(), theirs.median());
        table.row([format!("`{text}`"), ms(all.median()), ms(best.median()), peer, times]);
    }
    Ok(table.print()?)
}

/// All files, by each who lists them.
fn lists(world: &World, tree: &Path, rounds: usize) -> Result<(), Failure> {
    let [mut ours, mut git, mut rg] =
        [const { Vec::new() }; 3].map(|wall| Times { wall, ..Times::default() });
    let mut same = true;
    for _ in 0..rounds {
        let listed = timed(world.hob(["files"]).current_dir(tree), &mut ours)?.stdout;
        let mut command = world.command("git");
        command.args(["-c", "safe.directory=*", "ls-files"]).current_dir(tree);
        timed(&mut command, &mut git)?;
        let mut command = world.command(&world.rg);
        command.args(["--no-config", "--files", "--sort", "path"]).current_dir(tree);
        same &= timed(&mut command, &mut rg)?.stdout == listed;
    }
    let mut table = Table::default();
    table.row(["all files, ms", "hob", "git ls-files", "rg --files --sort path"]);
    let medians = [&ours, &git, &rg].map(|times| ms(times.median()));
    table.row(["whole process, p50".to_owned()].into_iter().chain(medians));
    table.print()?;
    if same { Ok(()) } else { Err("hob and ripgrep list other files".into()) }
}
