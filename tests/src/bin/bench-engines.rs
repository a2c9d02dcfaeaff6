//! What the engines of the daemon are worth: measuring, caching, working in the background.
//!
//! `cargo run --release -p hob-tests --bin bench-engines -- TREE [--rounds N] [--only PART]`
//!
//! - `cold`: the operations that an index from cold spends its time on;
//! - `parallel`: an index and searches by one, two and four jobs, whose results must be the same;
//! - `meanwhile`: what a person does elsewhere while the tree is indexed from cold;
//! - `cancelled`: a cold index that is cancelled;
//! - `outlined`: outlines that are asked for twice;
//! - `shared`: a hundred clients who ask for the same expensive outline at once;
//! - `measured`: a search with and without being measured.

mod bench;

use bench::{Failure, Options, Table, Times, World, mb, ms, ratio, timed};
use hob_client::{
    CacheApiClient, Connection, IndexApiClient as _, Place, SymbolsApiClient as _, TasksApiClient,
    block_on,
};
use hob_protocol::{OutlineQuery, SearchQuery, TaskState, Text};
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files that are outlined.
const OUTLINED: usize = 500;

fn main() -> std::process::ExitCode {
    bench::main(run)
}

/// Measures something, and prints its table.
type Part<'a> = &'a dyn Fn() -> Result<(), Failure>;

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-engines TREE", &["only"])?;
    let (tree, rounds) = (options.tree()?, options.number("rounds", 1000)?);
    let parts: [(&str, Part<'_>); 7] = [
        ("cold", &|| cold(&options, &tree)),
        ("parallel", &|| parallel(&options, &tree)),
        ("meanwhile", &|| meanwhile(&options, &tree, rounds)),
        ("cancelled", &|| cancelled(&options, &tree)),
        ("outlined", &|| outlined(&options, &tree)),
        ("shared", &|| shared(&options)),
        ("measured", &|| measured(&options, &tree, rounds)),
    ];
    let only = options.get("only");
    for (_, part) in parts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        part()?;
    }
    Ok(())
}

/// Where the time of a cold index goes.
fn cold(options: &Options, tree: &Path) -> Result<(), Failure> {
    let world = World::new(options)?;
    world.run(&world.path("home"), &["ping"])?;
    let daemon = world.daemon(&world.path("home"))?;
    let began = Instant::now();
    world.run(tree, &["index", "--wait"])?;
    let (wall, cpu) = (began.elapsed(), daemon.cpu());
    let mut table = Table::default();
    table.row(["an index from cold", "wall ms", "cpu ms", "peak MB"]);
    table.row([String::new(), ms(wall), ms(cpu), mb(daemon.memory("VmHWM"))]);
    table.print()?;
    let top = world.run(tree, &["profile", "--top", "8", "--by", "self"])?;
    Ok(writeln!(std::io::stdout(), "{}", top.trim_end())?)
}

/// The same work by more jobs, and whether it comes to the same.
fn parallel(options: &Options, tree: &Path) -> Result<(), Failure> {
    let commands: [(&str, &[&str]); 3] = [
        ("search of every file", &["search", "-c", "[a-z]+ed_[a-z]+ing\\b"]),
        ("search of many lines", &["search", "-n", "return"]),
        ("a fuzzy symbol", &["symbols", "mtxlk"]),
    ];
    let mut table = Table::default();
    table.row(["by jobs", "jobs", "wall ms", "cpu ms", "of one job"]);
    let mut first: Vec<(Vec<u8>, Duration)> = Vec::new();
    for jobs in [1, 2, 4] {
        let world = World::new(options)?;
        world.start_with("HOB_PARALLEL_JOBS", &jobs.to_string())?;
        let daemon = world.daemon(&world.path("home"))?;
        let mut rows = Vec::new();
        let (began, cpu) = (Instant::now(), daemon.cpu());
        world.run(tree, &["index", "--wait"])?;
        rows.push(("an index from cold", began.elapsed(), daemon.cpu() - cpu, Vec::new()));
        world.settle(tree)?;
        for (name, args) in commands {
            let mut times = Times::default();
            let cpu = daemon.cpu();
            let mut output = Vec::new();
            for _ in 0..5 {
                output = timed(world.hob(args).current_dir(tree), &mut times)?.stdout;
            }
            if output.is_empty() {
                return Err(format!("`hob {}` finds nothing", args.join(" ")).into());
            }
            rows.push((name, times.median(), (daemon.cpu() - cpu) / 5, output));
        }
        for (at, (name, wall, cpu, output)) in rows.into_iter().enumerate() {
            if jobs == 1 {
                first.push((output, wall));
            } else if first[at].0 != output {
                return Err(format!("{name}: the results of {jobs} jobs differ").into());
            }
            let of_one = ratio(wall, first[at].1);
            table.row([name.to_owned(), jobs.to_string(), ms(wall), ms(cpu), of_one]);
        }
    }
    table.print()?;
    Ok(writeln!(std::io::stdout(), "the results are the same")?)
}

/// Clients who want what one computation gives.
fn shared(options: &Options) -> Result<(), Failure> {
    const CLIENTS: usize = 100;
    let world = World::new(options)?;
    world.start_with("HOB_SYMBOLS_FILE_KB", "1000000")?;
    let dir = world.path("shared");
    fs::create_dir(&dir)?;
    let write = |name: &str, lines: usize| {
        let line = "    total += weigh(&kettle, 3 * x + 1).unwrap_or(0);\n";
        fs::write(dir.join(name), format!("fn {name}() {{\n{}}}\n", line.repeat(lines)))
    };
    let ask = |connection: &Connection, name: &str| {
        let files = vec![Text::from(dir.join(name).as_path())];
        let query = OutlineQuery::in_dir(dir.as_path(), files);
        block_on(connection.outline(query))
    };
    let open = || Connection::open(&Place::with_socket(world.socket()));
    let one = open()?;
    // As large a file as takes about half a second.
    let (mut lines, mut alone) = (2_000, Duration::ZERO);
    for size in 0.. {
        let name = format!("alone{size}.rs");
        write(&name, lines)?;
        let began = Instant::now();
        ask(&one, &name)?;
        alone = began.elapsed();
        if alone >= Duration::from_millis(450) || lines > 1_000_000 {
            break;
        }
        lines = lines * 500 / (alone.as_millis() as usize).max(50);
    }
    write("together.rs", lines)?;
    let count = || -> Result<(u64, u64), Failure> {
        let stats = block_on(CacheApiClient::stats(&one))?;
        let outlines = stats.namespaces.into_iter().find(|one| one.name == "outlines");
        let outlines = outlines.ok_or("there is no cache of outlines")?;
        Ok((outlines.misses, outlines.shared))
    };
    let before = count()?;
    let connections = (0..CLIENTS).map(|_| open()).collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = connections
            .iter()
            .map(|connection| scope.spawn(|| ask(connection, "together.rs").map_err(drop)))
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()?.ok()).collect()
    });
    let together = began.elapsed();
    let after = count()?;
    if answers.len() < CLIENTS {
        return Err(format!("only {} of {CLIENTS} were answered", answers.len()).into());
    }
    let mut table = Table::default();
    table.row(["one expensive outline, ms", "clients", "wall", "computed", "shared", "ratio"]);
    let row = |clients: usize, wall: Duration, (computed, shared): (u64, u64)| {
        let ratio = ratio(wall, alone);
        [
            String::new(),
            clients.to_string(),
            ms(wall),
            computed.to_string(),
            shared.to_string(),
            ratio,
        ]
    };
    table.row(row(1, alone, (1, 0)));
    table.row(row(CLIENTS, together, (after.0 - before.0, after.1 - before.1)));
    Ok(table.print()?)
}

/// A workspace with a few files, which is warm.
fn small(world: &World) -> Result<PathBuf, Failure> {
    let dir = world.path("small");
    fs::create_dir(&dir)?;
    for file in 0..200 {
        let text = format!("fn kettle{file}() {{}}\n").repeat(50);
        fs::write(dir.join(format!("{file}.rs")), text)?;
    }
    world.run(&dir, &["index", "--wait"])?;
    Ok(dir)
}

/// Whole processes of a person who works elsewhere while a tree is indexed from cold.
fn meanwhile(options: &Options, tree: &Path, rounds: usize) -> Result<(), Failure> {
    let world = World::new(options)?;
    let small = small(&world)?;
    let mut index = Times::default();
    timed(world.hob(["index"]).current_dir(tree), &mut index)?;
    let commands: [(&str, &[&str]); 3] = [
        ("hob ping", &["ping"]),
        ("hob files x", &["files", "x"]),
        ("hob search", &["search", "kettle7\\b"]),
    ];
    let mut all = commands.map(|_| Times::default());
    let mut busy = true;
    for _ in 0..rounds {
        for ((_, args), times) in commands.iter().zip(&mut all) {
            timed(world.hob(*args).current_dir(&small), times)?;
        }
    }
    busy &= world.status(tree)?["freshness"] == "indexing";
    let mut table = Table::default();
    table.row(["while a tree is indexed, ms", "count", "p50", "p99", "max"]);
    let mut row = |name: &str, times: &Times| {
        let (p50, p99, max) = (times.median(), times.quantile(0.99), times.quantile(1.0));
        table.row([name.to_owned(), times.wall.len().to_string(), ms(p50), ms(p99), ms(max)]);
    };
    row("hob index", &index);
    for ((name, _), times) in commands.iter().zip(&all) {
        row(name, times);
    }
    table.print()?;
    if !busy {
        writeln!(
            std::io::stdout(),
            "the tree was indexed before the last of them: take a larger one, or fewer rounds"
        )?;
    }
    Ok(())
}

/// A cold index that is cancelled after a while.
fn cancelled(options: &Options, tree: &Path) -> Result<(), Failure> {
    let world = World::new(options)?;
    world.run(&world.path("home"), &["ping"])?;
    let daemon = world.daemon(&world.path("home"))?;
    let threads = || -> u64 {
        fs::read_dir(format!("/proc/{}/task", daemon.pid)).map_or(0, |tasks| tasks.count() as u64)
    };
    let connection = Connection::open(&Place::with_socket(world.socket()))?;
    let mut table = Table::default();
    table.row([
        "a cold index, cancelled",
        "after s",
        "stopped in ms",
        "MB",
        "threads",
        "cpu after",
    ]);
    for seconds in [1, 4, 8] {
        let status = block_on(connection.build(Text::from(tree), None))?;
        let id = status.task.ok_or("there is nothing to index")?;
        std::thread::sleep(Duration::from_secs(seconds));
        let began = Instant::now();
        let task = block_on(TasksApiClient::cancel(&connection, id))?;
        let task = match task.state.has_ended() {
            true => task,
            false => block_on(TasksApiClient::wait(&connection, id))?,
        };
        let took = began.elapsed();
        if task.state != TaskState::Cancelled {
            return Err(format!("it has not been cancelled: {:?}", task.state).into());
        }
        // The allocator gives memory back when it gets to it.
        std::thread::sleep(Duration::from_secs(2));
        let cpu = daemon.cpu();
        std::thread::sleep(Duration::from_secs(1));
        table.row([
            String::new(),
            seconds.to_string(),
            ms(took),
            mb(daemon.memory("RssAnon")),
            threads().to_string(),
            ms(daemon.cpu() - cpu),
        ]);
    }
    table.print()?;
    let said = world.run(tree, &["index", "--wait"])?;
    Ok(writeln!(std::io::stdout(), "then: {}", said.trim())?)
}

/// Whole processes that outline many files, the first time and later.
fn outlined(options: &Options, tree: &Path) -> Result<(), Failure> {
    let world = World::new(options)?;
    world.run(&world.path("home"), &["ping"])?;
    let mut files: Vec<OsString> = Vec::new();
    let mut todo = vec![tree.to_owned()];
    while let Some(dir) = todo.pop() {
        let mut entries: Vec<PathBuf> =
            fs::read_dir(dir)?.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            let code = path
                .extension()
                .is_some_and(|end| ["c", "rs", "py", "go"].iter().any(|e| end == *e));
            if path.is_dir() && !path.is_symlink() {
                todo.push(path);
            } else if code && path.metadata()?.len() < 64 << 10 {
                files.push(path.into());
            }
        }
        if files.len() >= OUTLINED {
            break;
        }
    }
    files.truncate(OUTLINED);
    let copies = world.path("outlined");
    fs::create_dir(&copies)?;
    // In no workspace, so that nothing but the cache knows them.
    let mut command = vec![OsString::from("outline")];
    for (number, file) in files.iter().enumerate() {
        let end = Path::new(file).extension().unwrap_or_default().to_string_lossy();
        let copy = copies.join(format!("{number}.{end}"));
        fs::copy(file, &copy)?;
        command.push(copy.into());
    }
    let (mut first, mut later) = (Times::default(), Times::default());
    let one = timed(world.hob(&command).current_dir(&copies), &mut first)?;
    for _ in 0..20 {
        let again = timed(world.hob(&command).current_dir(&copies), &mut later)?;
        if again.stdout != one.stdout {
            return Err("a cached outline differs".into());
        }
    }
    let mut table = Table::default();
    table.row([
        &*format!("outline of {} files, ms", files.len()),
        "first",
        "later, p50",
        "p99",
        "kB",
    ]);
    let size = (one.stdout.len() / 1000).to_string();
    table.row([
        String::new(),
        ms(first.median()),
        ms(later.median()),
        ms(later.quantile(0.99)),
        size,
    ]);
    Ok(table.print()?)
}

/// The same searches over one connection, by a daemon that measures and one that does not, in turn: in a
/// workspace so small that the measuring shows most, and in the tree.
fn measured(options: &Options, tree: &Path, rounds: usize) -> Result<(), Failure> {
    let mut table = Table::default();
    table.row(["a search, ms", "", "p50", "p99", "daemon's cpu each", "ratio of cpu"]);
    let cases = [("kettle7\\b", true, rounds * 5), (r"\bTODO\b", false, rounds)];
    let mut worlds = Vec::new();
    for enabled in ["true", "false"] {
        let world = World::new(options)?;
        world.start_with("HOB_PROFILE_ENABLED", enabled)?;
        let dir = small(&world)?;
        world.run(tree, &["index", "--wait"])?;
        let daemon = world.daemon(&dir)?;
        let connection = Connection::open(&Place::with_socket(world.socket()))?;
        worlds.push((world, dir, daemon, connection));
    }
    // Segments are merged after all is indexed, and that is no search.
    for (_, _, daemon, _) in &worlds {
        let mut before = Duration::MAX;
        while daemon.cpu() != before {
            before = daemon.cpu();
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    for (pattern, is_small, rounds) in cases {
        let mut times = [Times::default(), Times::default()];
        let cpu: Vec<Duration> = worlds.iter().map(|(_, _, daemon, _)| daemon.cpu()).collect();
        for _ in 0..rounds {
            for ((_, dir, _, connection), times) in worlds.iter().zip(&mut times) {
                let cwd = if is_small { dir.as_path() } else { tree };
                let query = SearchQuery {
                    patterns: vec![pattern.to_owned()],
                    cwd: Text::from(cwd),
                    ..SearchQuery::default()
                };
                let began = Instant::now();
                block_on(connection.search(query))?;
                times.wall.push(began.elapsed());
            }
        }
        let each: Vec<Duration> = worlds
            .iter()
            .zip(cpu)
            .map(|((_, _, daemon, _), before)| {
                (daemon.cpu() - before) / u32::try_from(rounds).unwrap_or(u32::MAX)
            })
            .collect();
        for (at, name) in ["measured", "not measured"].into_iter().enumerate() {
            table.row([
                if is_small { "of 200 files" } else { "of the tree" }.to_owned(),
                name.to_owned(),
                ms(times[at].median()),
                ms(times[at].quantile(0.99)),
                ms(each[at]),
                ratio(each[at], each[1]),
            ]);
        }
    }
    Ok(table.print()?)
}
