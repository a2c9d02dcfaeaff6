//! What a model needs to see: how soon, and whether it is what people went on to change.
//!
//! `cargo run --release -p hob-tests --bin bench-context -- TREE [--requests N] [--cases N]
//! [--aider PROGRAM]`
//!
//! The tree is a clone of a repository with its history. It is cloned once more, and that is used. Requests are
//! the messages of its last commits: each is asked once over a connection that stays open, with another
//! file in focus each time, so that no answer is there before. Then a file is edited before each map. With
//! `--cases`, as many commits are checked out at their parents, and what the context of each one's message shows
//! is compared with the files and lines that it changed. `--aider` is a program of aider's, whose map of the same
//! tree is made twice in the same run.

mod bench;

use bench::{Failure, Options, Process, Table, Times, World, ms};
use hob_client::{
    Connection, ContextApiClient as _, NavigationApiClient as _, Place, SymbolsApiClient as _,
    block_on,
};
use hob_protocol::{ContextQuery, ContextResult, MapQuery, NameQuery, SymbolsQuery, Text};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options =
        Options::of_process("bench-context TREE", &["requests", "cases", "aider", "budget"])?;
    let requests = options.number("requests", 200)?;
    let world = World::new(&options)?;
    let bench = Bench { tree: clone(&world, &options.tree()?)?, world };
    let commits = bench.commits(requests.max(options.number("cases", 1)? * 3))?;
    let mut table = Table::default();
    bench.cold(&mut table)?;
    let connection = Connection::open(&Place::with_socket(bench.world.socket()))?;
    bench.warm(&connection, &commits[..requests.min(commits.len())], &mut table)?;
    if let Some(aider) = options.get("aider") {
        bench.aider(aider.as_ref(), &mut table)?;
    }
    table.print()?;
    if options.get("cases").is_some() {
        bench.cases(&connection, &commits, options.number("cases", 1)?)?;
    }
    Ok(())
}

/// A clone in the world, with the history and nothing else.
fn clone(world: &World, tree: &Path) -> Result<PathBuf, Failure> {
    let clone = world.path("tree");
    let mut git = Command::new("git");
    git.args(["clone", "--quiet", "--local"]).arg(tree).arg(&clone);
    // A mirror may lack what is too large for it.
    match git.status()?.success() || clone.join(".git").is_dir() {
        true => Ok(clone),
        false => Err(format!("`{}` cannot be cloned: name a repository", tree.display()).into()),
    }
}

struct Bench {
    world: World,
    tree: PathBuf,
}

/// A commit of one parent, and what it changed there.
struct Commit {
    hash: String,
    message: String,
    /// The files, and the lines of the parent that it took away or wrote beside.
    changed: BTreeMap<String, Vec<(u64, u64)>>,
}

/// What a case came to, each from 0 to 1.
#[derive(Default)]
struct Score {
    recall: f64,
    reciprocal: f64,
    /// Changed files of which a line is shown, and changed places that are, by budget.
    files: Vec<f64>,
    places: Vec<f64>,
}

const BUDGETS: [u64; 3] = [1_000, 4_000, 8_000];

impl Bench {
    fn git(&self, args: &[&str]) -> Result<String, Failure> {
        let output = Command::new("git").arg("-C").arg(&self.tree).args(args).output()?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => {
                Err(format!("git {args:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
            }
        }
    }

    /// The newest commits without merges.
    fn commits(&self, count: usize) -> Result<Vec<Commit>, Failure> {
        let count = format!("-{count}");
        let hashes = self.git(&["log", "--no-merges", "--min-parents=1", &count, "--format=%H"])?;
        hashes.lines().map(|hash| self.commit(hash)).collect()
    }

    fn commit(&self, hash: &str) -> Result<Commit, Failure> {
        let message = self.git(&["log", "-1", "--format=%B", hash])?;
        let diff = self.git(&["diff", "--unified=0", "--no-renames", &format!("{hash}~"), hash])?;
        let mut changed: BTreeMap<String, Vec<(u64, u64)>> = BTreeMap::new();
        let (mut file, mut in_head) = (None, false);
        for line in diff.lines() {
            in_head = line.starts_with("diff --git ") || in_head && !line.starts_with("@@ ");
            if let Some(path) = line.strip_prefix("--- ").filter(|_| in_head) {
                // What the commit adds cannot be shown before.
                file = path.strip_prefix("a/").map(str::to_owned);
            } else if let (Some(file), Some(hunk)) = (&file, line.strip_prefix("@@ -")) {
                let range = hunk.split(' ').next().unwrap_or_default();
                let (start, count) = range.split_once(',').unwrap_or((range, "1"));
                let (start, count): (u64, u64) = (start.parse()?, count.parse()?);
                let end = start + count.saturating_sub(1);
                changed.entry(file.clone()).or_default().push((start.max(1), end.max(1)));
            }
        }
        Ok(Commit { hash: hash.to_owned(), message, changed })
    }

    /// The index, the first map and the first context.
    fn cold(&self, table: &mut Table) -> Result<(), Failure> {
        table.row(["cold", "wall, ms", "CPU, ms", "", ""]);
        let mut daemon: Option<Process> = None;
        for args in [&["index", "--wait"][..], &["map"], &["context", "the first request of all"]] {
            let before = daemon.map(Process::cpu).unwrap_or_default();
            let began = Instant::now();
            self.world.run(&self.tree, args)?;
            let wall = began.elapsed();
            let now = *daemon.insert(self.world.daemon(&self.tree)?);
            let cpu = now.cpu().saturating_sub(before);
            table.row([&format!("hob {}", args[0]), &ms(wall), &ms(cpu), "", ""]);
        }
        // Past commits are read in the background.
        self.world.settle(&self.tree)
    }

    fn warm(
        &self,
        connection: &Connection,
        commits: &[Commit],
        table: &mut Table,
    ) -> Result<(), Failure> {
        let daemon = self.world.daemon(&self.tree)?;
        let listed = self.git(&["ls-tree", "-r", "--name-only", "HEAD"])?;
        let is_there = |path: &&str| is_code(path) && self.tree.join(path).is_file();
        let paths: Vec<String> = listed.lines().filter(is_there).map(str::to_owned).collect();
        if paths.is_empty() || commits.is_empty() {
            return Err("the tree has no code, or no commits".into());
        }
        let focus = |at: usize| vec![Text::from(paths[at * 7_919 % paths.len()].as_str())];
        let [mut context, mut map, mut edited, mut def, mut refs] =
            [(); 5].map(|()| Times::default());
        table.row(["warm, over one connection, ms", "count", "p50", "p99", "max"]);
        for (at, commit) in commits.iter().enumerate() {
            let began = Instant::now();
            block_on(connection.context(ContextQuery {
                focus: if at % 2 == 0 { Vec::new() } else { focus(at) },
                ..ContextQuery::in_dir(self.tree.as_path(), commit.message.as_str())
            }))?;
            context.wall.push(began.elapsed());
        }
        let words = |commit: &Commit| {
            let words = commit.message.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.filter(|word| word.len() > 3).take(8).map(Text::from).collect()
        };
        for (at, commit) in commits.iter().enumerate() {
            let query = MapQuery {
                focus: focus(at),
                mentions: words(commit),
                ..MapQuery::in_dir(self.tree.as_path())
            };
            let began = Instant::now();
            block_on(connection.map(query))?;
            map.wall.push(began.elapsed());
        }
        for at in 0..commits.len() {
            let path = self.tree.join(&paths[at * 104_729 % paths.len()]);
            let text = std::fs::read(&path)?;
            std::fs::write(&path, [text.as_slice(), b"\n"].concat())?;
            let query = MapQuery { focus: focus(at), ..MapQuery::in_dir(self.tree.as_path()) };
            let began = Instant::now();
            block_on(connection.map(query))?;
            edited.wall.push(began.elapsed());
            std::fs::write(&path, text)?;
        }
        for name in self.names(connection, commits.len())? {
            let began = Instant::now();
            block_on(connection.definition(NameQuery::in_dir(self.tree.as_path(), name.as_str())))?;
            def.wall.push(began.elapsed());
            let began = Instant::now();
            block_on(connection.references(NameQuery::in_dir(self.tree.as_path(), name.as_str())))?;
            refs.wall.push(began.elapsed());
        }
        for (name, times) in [
            ("context", &context),
            ("map", &map),
            ("map after an edit", &edited),
            ("def", &def),
            ("refs", &refs),
        ] {
            let (p50, p99, max) = (times.median(), times.quantile(0.99), times.quantile(1.0));
            table.row([name, &times.wall.len().to_string(), &ms(p50), &ms(p99), &ms(max)]);
        }
        let mib = |field| format!("{} MiB", daemon.memory(field) >> 20);
        table.row(["memory of the daemon, at most", &mib("VmRSS"), &mib("VmHWM"), "", ""]);
        Ok(())
    }

    /// Names of definitions, from all over the tree.
    fn names(&self, connection: &Connection, count: usize) -> Result<Vec<String>, Failure> {
        let mut names = BTreeSet::new();
        for letter in 'a'..='z' {
            let query = SymbolsQuery {
                limit: Some(40),
                ..SymbolsQuery::in_dir(self.tree.as_path(), letter.to_string())
            };
            let found = block_on(connection.symbols(query))?;
            names.extend(found.symbols.iter().map(|one| string(&one.name)));
        }
        let step = (names.len() / count.max(1)).max(1);
        Ok(names.into_iter().filter(|name| name.len() > 3).step_by(step).take(count).collect())
    }

    /// The map of aider, from cold and once more.
    fn aider(&self, aider: &Path, table: &mut Table) -> Result<(), Failure> {
        table.row(["aider --show-repo-map", "wall, ms", "CPU, ms", "", ""]);
        for name in ["cold", "again"] {
            let before = bench::children_cpu();
            let began = Instant::now();
            let mut command = self.world.command(aider);
            command.current_dir(&self.tree).env("OPENAI_API_KEY", "none");
            command.args(["--model", "gpt-4o", "--map-tokens", "4096", "--show-repo-map"]);
            command.args(["--no-check-update", "--no-show-model-warnings", "--analytics-disable"]);
            command.args(["--no-gitignore", "--yes-always"]);
            let output = command.output()?;
            if !output.status.success() {
                return Err(format!("aider: {}", String::from_utf8_lossy(&output.stderr)).into());
            }
            let (wall, cpu) = (began.elapsed(), bench::children_cpu().saturating_sub(before));
            table.row([name, &ms(wall), &ms(cpu), "", ""]);
        }
        Ok(())
    }

    /// What contexts show of what commits went on to change.
    fn cases(
        &self,
        connection: &Connection,
        commits: &[Commit],
        count: usize,
    ) -> Result<(), Failure> {
        let mut scores = Vec::new();
        let usable = |commit: &&Commit| {
            let is_small = (1..=8).contains(&commit.changed.len());
            is_small && commit.message.len() > 20 && commit.changed.keys().any(|path| is_code(path))
        };
        for commit in commits.iter().filter(usable).take(count) {
            let parent = format!("{}~", commit.hash);
            if self.git(&["checkout", "--quiet", "--detach", &parent]).is_err() {
                continue;
            }
            let ask = |budget| {
                block_on(connection.context(ContextQuery {
                    budget: Some(budget),
                    ..ContextQuery::in_dir(self.tree.as_path(), commit.message.as_str())
                }))
            };
            let answers: Vec<ContextResult> =
                BUDGETS.into_iter().map(ask).collect::<Result<_, _>>()?;
            scores.push(score(commit, &answers));
        }
        let mean = |of: &dyn Fn(&Score) -> f64| {
            let sum: f64 = scores.iter().map(of).sum();
            format!("{:.1}", 100.0 * sum / scores.len().max(1) as f64)
        };
        let mut table = Table::default();
        table.row(["commits", "R@10", "MRR", "", ""]);
        table.row([
            &scores.len().to_string(),
            &mean(&|one| one.recall),
            &mean(&|one| one.reciprocal),
            "",
            "",
        ]);
        table.row(["tokens", "files shown", "places shown", "", ""]);
        for (at, budget) in BUDGETS.into_iter().enumerate() {
            let (files, places) = (mean(&|one| one.files[at]), mean(&|one| one.places[at]));
            table.row([&budget.to_string(), &files, &places, "", ""]);
        }
        table.print()?;
        Ok(())
    }
}

fn score(commit: &Commit, answers: &[ContextResult]) -> Score {
    let ranked: Vec<String> = answers[0].files.iter().map(string).collect();
    let rank = |path: &String| ranked.iter().position(|one| one == path);
    let ranks: Vec<usize> = commit.changed.keys().filter_map(rank).collect();
    let files = commit.changed.len() as f64;
    let mut score = Score {
        recall: ranks.iter().filter(|rank| **rank < 10).count() as f64 / files,
        reciprocal: ranks.iter().min().map_or(0.0, |rank| 1.0 / (1.0 + *rank as f64)),
        ..Score::default()
    };
    for answer in answers {
        let shows = |path: &str, first: u64, last: u64| {
            let chunks = answer.chunks.iter();
            chunks
                .filter(|chunk| string(&chunk.path) == path)
                .any(|chunk| chunk.start <= last && first <= chunk.end)
        };
        let shown = commit.changed.keys().filter(|path| shows(path, 1, u64::MAX)).count();
        score.files.push(shown as f64 / files);
        let places = commit
            .changed
            .iter()
            .flat_map(|(path, ranges)| ranges.iter().map(move |range| (path, range)));
        let shown =
            places.clone().filter(|(path, (first, last))| shows(path, *first, *last)).count();
        score.places.push(shown as f64 / places.count().max(1) as f64);
    }
    score
}

fn string(text: &Text) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

/// Whether a path is of what most people write.
fn is_code(path: &str) -> bool {
    let extension = path.rsplit('.').next().unwrap_or_default();
    let code =
        ["rs", "py", "go", "c", "h", "cc", "cpp", "java", "js", "ts", "tsx", "rb", "kt", "php"];
    code.contains(&extension)
}
