//! What symbols cost and give: making them, names, outlines, and a restart.
//!
//! `cargo run --release -p hob-tests --bin bench-symbols -- TREE [--rounds N]`
//!
//! The peer is universal-ctags where it is in `PATH`: `ctags -R` beside the making of the index, and
//! a run on one file beside an outline. Times in the daemon are those that it tells itself.

mod bench;

use bench::{Failure, Options, Table, Times, World, mb, ms, timed};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Names that are asked for where the tree has them: exact, beginnings, and some letters.
const QUERIES: &[(&str, &[&str])] = &[
    ("the name, all found", &["--limit", "1"]),
    ("the name and its like, 50", &["--limit", "50"]),
];

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-symbols TREE [--rounds N]", &["--rounds"])?;
    let (tree, rounds) = (options.tree()?, options.number("--rounds", 5)?);
    let world = World::new(&options)?;
    let mut table = Table::default();
    making(&world, &tree, &mut table)?;
    names(&world, &tree, rounds, &mut table)?;
    outlines(&world, &tree, rounds, &mut table)?;
    restart(&world, &tree, rounds, &mut table)?;
    Ok(table.print()?)
}

/// Text and symbols from nothing, beside `ctags -R`.
fn making(world: &World, tree: &Path, table: &mut Table) -> Result<(), Failure> {
    let began = Instant::now();
    world.run(tree, &["index", "--wait"])?;
    let wall = began.elapsed();
    let daemon = world.daemon(tree)?;
    world.settle(tree)?;
    let status = world.status(tree)?;
    let (source, store) = (number(&status["bytes"]), number(&status["store"]["bytes"]));
    table.row(["files", &number(&status["files"]).to_string()]);
    table.row(["source", &mb(source)]);
    table.row(["symbols", &number(&status["store"]["symbols"]).to_string()]);
    table.row(["text and symbols: wall", &format!("{} ms", ms(wall))]);
    table.row(["text and symbols: CPU, merges included", &format!("{} ms", ms(daemon.cpu()))]);
    table.row(["peak memory (VmHWM)", &mb(daemon.memory("VmHWM"))]);
    table.row(["idle memory (VmRSS)", &mb(daemon.memory("VmRSS"))]);
    let share = store as f64 / source.max(1) as f64;
    table.row(["store", &format!("{}, {share:.3} of the source", mb(store))]);
    let mut times = Times::default();
    let mut ctags = world.command("ctags");
    ctags.current_dir(tree).args(["-R", "--sort=no", "-f"]).arg(world.path("tags"));
    match timed(&mut ctags, &mut times) {
        Ok(_) => table.row(["ctags -R: CPU", &format!("{} ms", ms(times.cpu))]),
        Err(_) => table.row(["ctags -R", "not in PATH"]),
    }
    Ok(())
}

/// Queries for names that the tree has.
fn names(world: &World, tree: &Path, rounds: usize, table: &mut Table) -> Result<(), Failure> {
    let known = known_names(world, tree)?;
    for (what, limit) in QUERIES {
        let exact = known.iter().map(String::as_str);
        row(world, tree, table, what, rounds, exact, limit)?;
    }
    let some: Vec<String> = known.iter().map(|name| some_letters(name)).collect();
    row(
        world,
        tree,
        table,
        "some letters of it, 50",
        rounds,
        some.iter().map(String::as_str),
        &[],
    )?;
    let short = ["a", "in", "get"].into_iter();
    row(world, tree, table, "one to three letters, 50", rounds, short, &[])
}

/// The names of the functions of some files.
fn known_names(world: &World, tree: &Path) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for letter in ["init", "read", "open", "parse", "new", "set"] {
        let found = ask(world, tree, &["symbols", "--json", "--limit", "200", letter])?;
        let symbols = found["symbols"].as_array().cloned().unwrap_or_default();
        let long = symbols.iter().filter_map(|symbol| symbol["name"].as_str());
        names.extend(long.filter(|name| name.len() > 8).take(3).map(str::to_owned));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Every other letter of a name, and its first and last.
fn some_letters(name: &str) -> String {
    let last = name.chars().count() - 1;
    let kept = name.chars().enumerate().filter(|(at, _)| at % 2 == 0 || *at == last);
    kept.map(|(_, letter)| letter).filter(|letter| *letter != '_').collect()
}

fn row<'a>(
    world: &World,
    tree: &Path,
    table: &mut Table,
    what: &str,
    rounds: usize,
    names: impl Iterator<Item = &'a str> + Clone,
    limit: &[&str],
) -> Result<(), Failure> {
    let mut inside = Times::default();
    // The first round reads what is needed into memory.
    for round in 0..=rounds {
        for name in names.clone() {
            let args = [&["symbols", "--json", name], limit].concat();
            let found = ask(world, tree, &args)?;
            if round > 0 {
                inside.wall.push(Duration::from_micros(number(&found["elapsed_us"])));
            }
        }
    }
    let times = format!("p50 {} ms, p99 {} ms", ms(inside.median()), ms(inside.quantile(0.99)));
    table.row([what, &times]);
    Ok(())
}

/// The outline of the tree's file that is nearest to 5,000 lines, beside ctags on the same.
fn outlines(world: &World, tree: &Path, rounds: usize, table: &mut Table) -> Result<(), Failure> {
    let Some((file, lines)) = long_file(world, tree)? else { return Ok(()) };
    let (mut hob, mut ctags) = (Times::default(), Times::default());
    for _ in 0..=rounds {
        timed(world.hob(["outline"]).arg(&file).current_dir(tree), &mut hob)?;
        let mut peer = world.command("ctags");
        let _ = timed(peer.args(["-f", "-"]).arg(&file).current_dir(tree), &mut ctags);
    }
    let name = file.display();
    table.row([
        &format!("outline of {name}, {lines} lines, whole process"),
        &format!("p50 {} ms; ctags {} ms", ms(hob.median()), ms(ctags.median())),
    ]);
    Ok(())
}

fn long_file(world: &World, tree: &Path) -> Result<Option<(PathBuf, usize)>, Failure> {
    let listed = world.run(tree, &["search", "-c", "", "-t", "c", "-t", "rust", "-t", "py"])?;
    let counted = listed.lines().filter_map(|line| {
        let (path, lines) = line.rsplit_once(':')?;
        Some((PathBuf::from(path), lines.parse::<usize>().ok()?))
    });
    Ok(counted.min_by_key(|(_, lines)| lines.abs_diff(5_000)))
}

/// From a stopped daemon to the first answer, on an unchanged tree.
fn restart(world: &World, tree: &Path, rounds: usize, table: &mut Table) -> Result<(), Failure> {
    let mut times = Times::default();
    for _ in 0..rounds {
        world.run(tree, &["daemon", "stop"])?;
        timed(world.hob(["symbols", "--limit", "1", "init"]).current_dir(tree), &mut times)?;
    }
    let mut git = Times::default();
    for _ in 0..rounds {
        let _ = timed(world.command("git").arg("ls-files").current_dir(tree), &mut git);
    }
    table.row(["restart to the first symbol", &format!("p50 {} ms", ms(times.median()))]);
    table.row(["git ls-files", &format!("p50 {} ms", ms(git.median()))]);
    Ok(())
}

fn ask(world: &World, tree: &Path, args: &[&str]) -> Result<Value, Failure> {
    let output = world.hob(args).current_dir(tree).output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}
