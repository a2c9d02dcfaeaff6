//! Many clients at once: what an idle connection costs in each framing, and how late answers are
//! while a thousand connections ask once a second each.
//!
//! `cargo run --release -p hob-tests --bin bench-load [-- --connections N --seconds N]`

mod bench;

use bench::{Failure, Options, Table, Times, World, mb, ms, ratio};
use rustix::event::{Timespec, epoll};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() -> std::process::ExitCode {
    bench::main(run)
}

fn run() -> Result<(), Failure> {
    let options = Options::of_process("bench-load", &["connections", "seconds"])?;
    let connections = options.number("connections", 1000)?;
    let seconds = options.number("seconds", 20)?;
    raise_descriptors(connections)?;
    let world = World::new(&options)?;
    let tree = tree(&world)?;
    world.run(&tree, &["index", "--wait"])?;
    world.settle(&tree)?;
    idle(&world, &tree, connections)?;
    load(&world, &tree, connections, seconds)
}

/// Each connection takes a descriptor here, and one in the daemon.
fn raise_descriptors(connections: usize) -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    match limit.maximum.is_some_and(|most| most < connections as u64 + 100) {
        true => Err("the limit of descriptors is too low: see `ulimit -Hn`".into()),
        false => Ok(()),
    }
}

/// A small repository, so that what is measured is the way of a question and not the search.
fn tree(world: &World) -> Result<PathBuf, Failure> {
    let tree = world.path("tree");
    std::fs::create_dir_all(tree.join(".git"))?;
    for file in 0..200 {
        std::fs::write(tree.join(format!("{file}.rs")), format!("fn kettle_{file}() {{}}\n"))?;
    }
    Ok(tree)
}

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"daemon.ping"}"#;

/// How a connection begins in a framing: what is sent, and how the answer ends.
fn framings() -> [(&'static str, String, &'static str); 4] {
    let length = PING.len();
    let headers = format!("Content-Length: {length}\r\n\r\n{PING}");
    let post = format!("POST / HTTP/1.1\r\nHost: hob\r\nContent-Length: {length}\r\n\r\n{PING}");
    let upgrade = "GET / HTTP/1.1\r\nHost: hob\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    [
        ("lines", format!("{PING}\n"), "\n"),
        ("headers", headers, "}}"),
        ("http", post, "\n"),
        ("websocket", upgrade.to_owned(), "\r\n\r\n"),
    ]
}

/// Opens many connections that have asked once, and looks at the daemon's memory; at that of a new
/// one each time, since an allocator keeps what it was given back.
fn idle(world: &World, tree: &Path, connections: usize) -> Result<(), Failure> {
    let mut table = Table::default();
    table.row(["idle connections", "daemon before, MB", "with them, MB", "kB each"]);
    for (name, frame, end) in framings() {
        world.run(tree, &["daemon", "restart"])?;
        world.settle(tree)?;
        let daemon = world.daemon(tree)?;
        let before = daemon.memory("VmRSS");
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            let mut stream = UnixStream::connect(world.socket())?;
            stream.write_all(frame.as_bytes())?;
            read_until(&mut stream, end)?;
            open.push(stream);
        }
        let with = daemon.memory("VmRSS");
        let each = with.saturating_sub(before) as f64 / connections as f64 / 1000.0;
        let name = format!("{connections} of {name}");
        table.row([name, mb(before), mb(with), format!("{each:.1}")]);
    }
    Ok(table.print()?)
}

fn read_until(stream: &mut UnixStream, end: &str) -> Result<(), Failure> {
    let (mut said, mut part) = (Vec::new(), [0; 4096]);
    while !said.ends_with(end.as_bytes()) {
        match stream.read(&mut part)? {
            0 => return Err("the daemon has closed an idle connection".into()),
            count => said.extend_from_slice(&part[..count]),
        }
    }
    Ok(())
}

/// Asks at even distances in time, whether the last answer has come or not.
fn load(world: &World, tree: &Path, connections: usize, seconds: usize) -> Result<(), Failure> {
    let daemon = world.daemon(tree)?;
    let query = serde_json::json!({ "query": { "patterns": ["kettle_77"], "cwd": tree } });
    let search =
        serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "index.search", "params": query });
    let mut table = Table::default();
    table.row(["answers, ms", "p50", "p99", "max", "daemon cpu", "p99 to one client's"]);
    for (name, frame) in [("ping", PING.to_owned()), ("search", search.to_string())] {
        let mut alone = None;
        for clients in [1, connections] {
            let cpu = daemon.cpu();
            let times = ask(world, &format!("{frame}\n"), clients, seconds)?;
            let share = (daemon.cpu() - cpu).as_secs_f64() / seconds as f64 * 100.0;
            let (p50, p99, most) = (times.median(), times.quantile(0.99), times.quantile(1.0));
            let compared = ratio(p99, *alone.get_or_insert(p99));
            let name = format!("{name}, {clients} a second");
            table.row([name, ms(p50), ms(p99), ms(most), format!("{share:.1} %"), compared]);
        }
    }
    Ok(table.print()?)
}

struct Client {
    stream: UnixStream,
    /// When the question was due that is not answered yet.
    due: Option<Instant>,
    said: Vec<u8>,
}

/// Asks with so many clients, once a second each, for so many seconds. A time is that from when a
/// question was due to its answer, so that one that is late makes the next ones late as well.
fn ask(world: &World, frame: &str, clients: usize, seconds: usize) -> Result<Times, Failure> {
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut all = Vec::with_capacity(clients);
    for number in 0..clients {
        let stream = UnixStream::connect(world.socket())?;
        stream.set_nonblocking(true)?;
        let data = epoll::EventData::new_u64(number as u64);
        epoll::add(&poll, &stream, data, epoll::EventFlags::IN)?;
        all.push(Client { stream, due: None, said: Vec::new() });
    }
    let (began, gap) = (Instant::now(), Duration::from_secs(1) / clients as u32);
    let mut times = Times::default();
    let (mut asked, mut answered, total) = (0_u32, 0, clients * seconds);
    let mut events = Vec::with_capacity(1024);
    while answered < total {
        let due = began + gap * asked;
        let now = Instant::now();
        if (asked as usize) < total && now >= due {
            let client = &mut all[asked as usize % clients];
            if client.due.replace(due).is_some() {
                return Err("an answer has taken more than a second".into());
            }
            client.stream.write_all(frame.as_bytes())?;
            asked += 1;
            continue;
        }
        let wait = match (asked as usize) < total {
            true => due - now,
            false => Duration::from_secs(10),
        };
        let wait = Timespec { tv_sec: wait.as_secs() as i64, tv_nsec: wait.subsec_nanos().into() };
        events.clear();
        epoll::wait(&poll, rustix::buffer::spare_capacity(&mut events), Some(&wait))?;
        if events.is_empty() && asked as usize == total {
            return Err("answers are missing".into());
        }
        for event in &events {
            let client = &mut all[event.data.u64() as usize];
            if let Some(took) = client.hear()? {
                times.wall.push(took);
                answered += 1;
            }
        }
    }
    Ok(times)
}

impl Client {
    /// Reads what has come; the time of the answer once it is whole.
    fn hear(&mut self) -> Result<Option<Duration>, Failure> {
        let mut part = [0; 16 << 10];
        let count = self.stream.read(&mut part)?;
        if count == 0 {
            return Err("the daemon has closed a connection".into());
        }
        self.said.extend_from_slice(&part[..count]);
        if self.said.last() != Some(&b'\n') {
            return Ok(None);
        }
        let took = self.due.take().map(|due| due.elapsed());
        if !String::from_utf8_lossy(&self.said).contains("\"result\"") {
            return Err(String::from_utf8_lossy(&self.said).into_owned().into());
        }
        self.said.clear();
        Ok(took)
    }
}
