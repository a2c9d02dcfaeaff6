//! How soon a change is seen: write, then ask, over a connection that stays open.
//!
//! `cargo run --release -p hob-tests --bin bench-edit [-- --files N --edits N]`
//!
//! The tree is made for the purpose, or is the one that is named: then a directory
//! `hob-bench` is made in it, and removed at the end. Each edit is followed by a
//! query for it at once; an answer that does not show it is a loss, and a failure.
//! The floor beside it is the time that the query takes when nothing has changed.

mod bench;

use bench::{Failure, Options, Table, Times, World, ms};
use hob_client::{Connection, DaemonApiClient as _, IndexApiClient as _, Place, block_on};
use hob_protocol::SearchQuery;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-edit [TREE]", &["files", "edits"])?;
    let edits = options.number("edits", 1000)?;
    let world = World::new(&options)?;
    let tree = match options.rest.is_empty() {
        true => make_tree(&world.path("tree"), options.number("files", 20_000)?)?,
        false => options.tree()?,
    };
    world.run(&tree, &["index", "--wait"])?;
    let connection = Connection::open(&Place::with_socket(world.socket()))?;
    let bench = Bench { connection, dir: tree.join("hob-bench"), tree };
    fs::create_dir(&bench.dir)?;
    let measured = bench.edits(edits);
    fs::remove_dir_all(&bench.dir)?;
    let edited = measured?;
    let mut table = Table::default();
    table.row(["over one connection, ms", "count", "p50", "p99", "max"]);
    let mut row = |name: &str, times: &Times| {
        let (p50, p99, max) = (times.median(), times.quantile(0.99), times.quantile(1.0));
        table.row([name.to_owned(), times.wall.len().to_string(), ms(p50), ms(p99), ms(max)]);
    };
    for (name, times) in Edit::ALL.iter().map(|edit| edit.name()).zip(&edited) {
        row(name, times);
    }
    let all: Vec<Duration> = edited.iter().flat_map(|times| times.wall.clone()).collect();
    row("write to visible", &Times { wall: all, ..Times::default() });
    // What was edited last is indexed first, so that the floor is that of a tree at rest.
    world.run(&bench.tree, &["index", "--wait"])?;
    let (ping, at_hand, synced) = bench.idle(2000)?;
    row("daemon.ping", &ping);
    row("idle query, no_sync", &at_hand);
    row("idle query, synced", &synced);
    table.print()?;
    Ok(())
}

/// What is done to a file.
#[derive(Clone, Copy)]
enum Edit {
    Write,
    Append,
    Replace,
    Directory,
    Delete,
}

impl Edit {
    const ALL: [Self; 5] =
        [Self::Write, Self::Append, Self::Replace, Self::Directory, Self::Delete];

    fn name(self) -> &'static str {
        match self {
            Self::Write => "write over",
            Self::Append => "append",
            Self::Replace => "replace by rename",
            Self::Directory => "mkdir -p, write",
            Self::Delete => "delete",
        }
    }

    /// Does it, so that `word` is in the tree, or with [`Edit::Delete`] is not.
    fn apply(self, dir: &Path, word: &str) -> std::io::Result<()> {
        let text = format!("fn {word}() {{}}\n");
        match self {
            Self::Write => fs::write(dir.join("write.rs"), text),
            Self::Append => {
                use std::io::Write as _;
                let path = dir.join("append.rs");
                fs::File::options().create(true).append(true).open(path)?.write_all(text.as_bytes())
            }
            Self::Replace => {
                fs::write(dir.join("replace.new"), text)?;
                fs::rename(dir.join("replace.new"), dir.join("replace.rs"))
            }
            Self::Directory => {
                let below = dir.join(word).join("kettle/hearth");
                fs::create_dir_all(&below)?;
                fs::write(below.join("deep.rs"), text)
            }
            Self::Delete => fs::remove_file(dir.join("doomed.rs")),
        }
    }
}

struct Bench {
    connection: Connection,
    tree: PathBuf,
    dir: PathBuf,
}

impl Bench {
    /// The times of each kind, in the order of [`Edit::ALL`].
    fn edits(&self, count: usize) -> Result<Vec<Times>, Failure> {
        let mut times: Vec<Times> = Edit::ALL.iter().map(|_| Times::default()).collect();
        let mut lost: Vec<String> = Vec::new();
        for number in 0..count {
            let kind = number % Edit::ALL.len();
            let (edit, word) = (Edit::ALL[kind], format!("edited_word_{number}_here"));
            let wanted = match edit {
                Edit::Delete => {
                    fs::write(self.dir.join("doomed.rs"), &word)?;
                    self.found(&word, false)?;
                    0
                }
                _ => 1,
            };
            let began = Instant::now();
            edit.apply(&self.dir, &word)?;
            let found = self.found(&word, false)?;
            times[kind].wall.push(began.elapsed());
            if found != wanted {
                lost.push(format!("{number} ({})", edit.name()));
            }
        }
        match lost.as_slice() {
            [] => Ok(times),
            [first, ..] => {
                let lost = lost.len();
                Err(format!("{lost} of {count} edits were not seen, the first is {first}").into())
            }
        }
    }

    fn idle(&self, rounds: usize) -> Result<(Times, Times, Times), Failure> {
        let (mut ping, mut at_hand, mut synced) =
            (Times::default(), Times::default(), Times::default());
        for _ in 0..rounds {
            let began = Instant::now();
            block_on(self.connection.ping())?;
            ping.wall.push(began.elapsed());
            for (no_sync, times) in [(true, &mut at_hand), (false, &mut synced)] {
                let began = Instant::now();
                self.found("word_that_stands_nowhere", no_sync)?;
                times.wall.push(began.elapsed());
            }
        }
        Ok((ping, at_hand, synced))
    }

    /// How many lines have the word.
    fn found(&self, word: &str, no_sync: bool) -> Result<usize, Failure> {
        let query = SearchQuery {
            patterns: vec![word.to_owned()],
            no_sync,
            ..SearchQuery::in_dir(self.tree.as_path())
        };
        Ok(block_on(self.connection.search(query))?.matches.len())
    }
}

/// Files of some hundred lines, a hundred a directory.
fn make_tree(root: &Path, files: usize) -> Result<PathBuf, Failure> {
    for number in 0..files {
        let dir = root.join(format!("d{}", number / 1000)).join(format!("d{}", number / 100));
        if number % 100 == 0 {
            fs::create_dir_all(&dir)?;
        }
        let mut text = String::new();
        for line in 0..100 {
            let _ =
                writeln!(text, "let name_{} = function_{}({line});", number * 31 + line, line * 7);
        }
        fs::write(dir.join(format!("f{number}.rs")), text)?;
    }
    Ok(root.canonicalize()?)
}
