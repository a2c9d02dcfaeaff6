//! The interface as it is described: its examples are what the daemon answers, and its parameters are
//! those that it takes.

mod json;

use crate::start;
use expect_test::expect_file;
use hob_protocol::api::{Method, methods};
use hob_tests::{Hob, within};
use json::Json;
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The tree that the examples are about.
const KETTLE: &str = "\
//- README.md
# kettle

A kettle that boils.
//- src/main.rs
//! The kettle's program.

mod kettle;

fn main() {
    let mut kettle = kettle::Kettle::default();
    kettle::boil(&mut kettle);
}
//- src/kettle.rs
//! What the kettle is.

/// A kettle, cold at first.
#[derive(Default)]
pub struct Kettle {
    degrees: u32,
}

/// Boils a kettle.
pub fn boil(kettle: &mut Kettle) {
    kettle.degrees = 100;
}
";
/// What the examples name in the place of the world's directories.
const PLACES: [(&str, &str); 5] = [
    ("home/large", "/home/ada/steam"),
    ("tree", "/home/ada/kettle"),
    ("run", "/run/user/1000"),
    ("cache", "/home/ada/.cache"),
    ("state", "/home/ada/.local/state"),
];
/// Members that are never the same twice, and what the examples have in their place. A name with a
/// point is one within another.
const VOLATILE: [(&str, u64); 32] = [
    ("time", 1_770_000_000),
    ("more", 14),
    ("since_ms", 300_000),
    ("operations.count", 1_216),
    ("operations.total_us", 402_000),
    ("operations.self_us", 402_000),
    ("operations.p50_us", 288),
    ("operations.p99_us", 1_280),
    ("operations.max_us", 2_150),
    ("task", TASK),
    ("id", TASK),
    ("done", 1_200),
    ("rate", 4_800),
    ("submitted_ms", 1_770_000_000_000),
    ("waited_ms", 12),
    ("ran_ms", 250),
    ("pid", 4242),
    ("uptime_seconds", 3600),
    ("elapsed_us", 180),
    ("computing_us", 2150),
    ("file_bytes", 1_589_248),
    ("used", 1_770_000_000),
    ("memory_bytes", 41_943_040),
    ("connections", 1),
    ("descriptors", 32),
    ("descriptors_limit", 524_288),
    ("generation", 7),
    ("freed", 1_589_248),
    ("profile.record.ms", 10),
    ("profile.record.spans", 1),
    ("store.bytes", 1_589_248),
    ("store.segments", 1),
];
/// What they name in the place of the number of a task.
const TASK: u64 = 12;
/// What they name in the place of the key of something in the cache.
const KEY: &str = "outlines:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// Lists of more than so many are cut to it.
const SHOWN: usize = 3;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/examples")
}

fn example(method: &str) -> Json {
    let path = examples().join(format!("{method}.json"));
    let text = std::fs::read_to_string(&path);
    Json::parse(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// A world, its daemon, and a connection of lines.
struct Conversation {
    hob: Hob,
    /// The key of what is cached, an outline of a file in no workspace.
    key: String,
    /// The number of the task that the next example is about.
    task: u64,
    stream: BufReader<UnixStream>,
}

impl Conversation {
    fn about(fixture: &str) -> Self {
        let hob = start(fixture);
        std::fs::write(hob.outside("home/pot.py"), "def boil(pot): pass\n").unwrap();
        // What was just written is not kept as it is printed, and in the examples it always is.
        let written = std::fs::metadata(hob.outside("home/pot.py")).unwrap().modified().unwrap();
        within(Duration::from_secs(20), "a file of some age", || {
            written.elapsed().is_ok_and(|age| age > Duration::from_millis(100))
        });
        assert!(hob.run("outline ../home/pot.py").contains("boil"));
        let key = hob.run("cache keys").split_whitespace().next().unwrap().to_owned();
        let stream = UnixStream::connect(hob.place().socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
        Self { hob, key, task: 1, stream: BufReader::new(stream) }
    }

    /// Has something to cancel: a large directory that is being read.
    fn begin_a_task(&mut self) {
        fn number(json: &Json) -> u64 {
            json.line().parse().unwrap()
        }
        for file in 0..8_000 {
            self.hob.write(format!("../home/large/{file}.txt"), format!("steam {file}\n"));
        }
        let dir = self.hob.outside("home/large");
        self.send("index.build", &serde_json::json!({ "dir": dir }).to_string());
        let begun = self.next();
        let task = begun.get("result").and_then(|status| status.get("task"));
        self.task = number(task.unwrap());
        within(Duration::from_secs(60), "the reading of many files", || {
            self.send("tasks.get", &format!("{{\"id\":{}}}", self.task));
            let task = self.next().get("result").unwrap().clone();
            let reads = task.get("phase").is_some_and(|phase| phase.text() == "reading");
            reads && task.get("done").is_some_and(|done| number(done) >= 10)
        });
    }

    /// Replaces the places of examples by those of this world.
    fn real(&self, text: &str) -> String {
        PLACES.iter().fold(text.replace(KEY, &self.key), |text, (place, shown)| {
            text.replace(shown, self.hob.outside(place).to_str().unwrap())
        })
    }

    /// The other way round.
    fn shown(&self, text: &str) -> String {
        PLACES.iter().fold(text.replace(&self.key, KEY), |text, (place, shown)| {
            text.replace(self.hob.outside(place).to_str().unwrap(), shown)
        })
    }

    fn send(&mut self, method: &str, params: &str) {
        let request = self
            .real(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#));
        writeln!(self.stream.get_mut(), "{request}").unwrap();
    }

    fn next(&mut self) -> Json {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        Json::parse(&self.shown(&line))
    }

    /// The members of an example that the daemon decides.
    fn answer(&mut self, method: &Method, params: &str) -> Vec<(String, Json)> {
        self.send(method.name, params);
        let answer = self.next();
        let result = answer.get("result").unwrap_or_else(|| panic!("{}", answer.line()));
        let mut members = vec![("result".to_owned(), steady(method.name, result))];
        if let Some(subscription) = method.subscription {
            let items = Json::List(self.items(method.name));
            members.push(("items".to_owned(), steady("items", &items)));
            self.send(subscription.unsubscribe, &format!("[{}]", result.line()));
            assert!(self.next().get("result").is_some(), "{}", subscription.unsubscribe);
        }
        members
    }

    /// The items of a stream; of one without an end its first.
    fn items(&mut self, method: &str) -> Vec<Json> {
        let mut items = Vec::new();
        loop {
            let notification = self.next();
            let item = notification.get("params").and_then(|params| params.get("result"));
            items.push(item.unwrap_or_else(|| panic!("{}", notification.line())).clone());
            let last = items.last().unwrap();
            if ["index.changes", "tasks.watch"].contains(&method)
                || last.get("done").or(last.get("failed")).is_some()
            {
                return items;
            }
        }
    }
}

/// A value with what is volatile replaced, and long lists cut.
fn steady(name: &str, value: &Json) -> Json {
    let fixed = VOLATILE
        .iter()
        .find(|(known, _)| *known == name || known.contains('.') && name.ends_with(known));
    match (value, fixed) {
        // All of few is the same each time.
        (Json::Plain(Value::Number(few)), Some(("done", _))) if few.as_u64() < Some(10) => {
            value.clone()
        }
        (Json::Plain(_), Some((_, fixed))) => Json::Plain((*fixed).into()),
        (Json::Plain(Value::String(path)), _) if path.contains("/stores/") => {
            let dir = Path::new(path).parent().unwrap();
            Json::Plain(dir.join("4bd0….redb").to_str().unwrap().into())
        }
        (Json::Plain(_), _) if name == "operations.name" => Json::Plain("search.read".into()),
        (Json::Plain(Value::String(_)), _) if name == "profile.record.trace" => {
            Json::Plain(r#"{"displayTimeUnit":"ms","traceEvents":[…]}"#.into())
        }
        (Json::Plain(Value::String(_)), _) if ["commit", "saved"].contains(&name) => {
            Json::Plain("9c1185a5c5e9fc54612808977ee8f548b2258d31".into())
        }
        (Json::Plain(value), _) => Json::Plain(value.clone()),
        (Json::List(values), _) => {
            Json::List(values.iter().take(SHOWN).map(|value| steady(name, value)).collect())
        }
        // The description of all would be an example within itself.
        (Json::Object(members), _) if name == "rpc.discover" => Json::Object(
            members.iter().map(|(name, value)| (name.clone(), emptied(name, value))).collect(),
        ),
        (Json::Object(members), _) => {
            let inner = |member: &str| match name {
                "store" | "operations" | "profile.record" => format!("{name}.{member}"),
                _ => member.to_owned(),
            };
            let steady =
                |(name, value): &(String, Json)| (name.clone(), steady(&inner(name), value));
            Json::Object(members.iter().map(steady).collect())
        }
    }
}

fn emptied(name: &str, value: &Json) -> Json {
    match (name, value) {
        ("methods", _) => Json::List(Vec::new()),
        ("components", _) => Json::Object(Vec::new()),
        _ => value.clone(),
    }
}

/// When a method's turn is, in a tree that is made a workspace first and forgotten at last.
fn turn(method: &str) -> u8 {
    match method {
        // Before anything else is outlined: the hash of a key is another with each grammar.
        "index.build" | "cache.stats" | "cache.keys" | "cache.get" | "cache.verify" => 0,
        // They change files, and what is told of them.
        "ai.apply" | "git.undo" | "git.turns" | "git.diff" => 2,
        "workspace.forget" | "cache.clear" => 3,
        "tasks.cancel" => 4,
        "daemon.stop" => 5,
        _ => 1,
    }
}

/// After a change that is meant, `UPDATE_EXPECT=1` writes the answers into the examples, and the same
/// with `cargo test -p hob-protocol --test readme` the examples into `protocol/README.md`.
#[test]
fn examples_are_what_the_daemon_answers() {
    let mut conversation = Conversation::about(KETTLE);
    let mut turns: Vec<&Method> = methods().collect();
    turns.sort_by_key(|method| turn(method.name));
    for method in turns {
        let params = example(method.name).get("params").expect("an example has parameters").clone();
        let mut members = vec![("params".to_owned(), params.clone())];
        if method.name == "tasks.cancel" {
            conversation.begin_a_task();
        }
        let about = params.line().replace(&TASK.to_string(), &conversation.task.to_string());
        members.extend(conversation.answer(method, &about));
        let text = Json::Object(members).fitted(0) + "\n";
        expect_file![examples().join(format!("{}.json", method.name))].assert_eq(&text);
    }
}

#[test]
fn every_example_is_of_a_method() {
    for file in std::fs::read_dir(examples()).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(methods().any(|method| method.name == name), "{}", file.display());
    }
}

#[test]
fn parameters_are_those_that_are_described() {
    let mut conversation = Conversation::about(KETTLE);
    for method in methods() {
        let Some(Json::Object(given)) = example(method.name).get("params").cloned() else {
            panic!("{}", method.name)
        };
        let with = |params: Vec<(String, Json)>| Json::Object(params).line();
        for param in method.params.iter().filter(|param| !param.optional) {
            let mut others = given.clone();
            others.retain(|(name, _)| name != param.name);
            conversation.send(method.name, &with(others));
            let answer = conversation.next();
            let message = answer.get("error").and_then(|error| error.get("message"));
            let missing = format!("bad parameters: missing field `{}`", param.name);
            assert_eq!(message.map(Json::text), Some(missing.as_str()), "{}", method.name);
        }
        if method.name == "daemon.hello" {
            continue;
        }
        let mut more = given;
        more.push(("unheard_of".to_owned(), Json::List(Vec::new())));
        conversation.send(method.name, &with(more));
        let answer = conversation.next();
        let error = answer.get("error").unwrap_or_else(|| panic!("{}", answer.line()));
        let refusal = "there is no parameter `unheard_of`";
        assert_eq!(error.get("message").map(Json::text), Some(refusal), "{}", method.name);
        assert_eq!(
            error.get("data").and_then(|data| data.get("kind")).unwrap().text(),
            "bad_params"
        );
    }
}

#[test]
fn every_method_is_listed_and_explained() {
    let hob = start(KETTLE);
    let list = hob.run("rpc --list");
    let listed: Vec<&str> = list.lines().filter_map(|line| line.split("  ").next()).collect();
    for method in methods() {
        assert!(listed.contains(&method.name), "{list}");
        let stop = method.subscription.map(|subscription| subscription.unsubscribe);
        assert!(stop.is_none_or(|stop| listed.contains(&stop)), "{list}");
        let help = hob.run(&format!("rpc {} --help", method.name));
        assert!(help.contains(&format!("\nExample:\n  hob rpc {}", method.name)), "{help}");
    }
    let described = hob.run("rpc index.search --help --json");
    let described: Value = serde_json::from_str(&described).unwrap();
    assert_eq!(described["methods"].as_array().unwrap().len(), 1);
    assert_eq!(described["methods"][0]["params"][0]["name"], "query");
    assert!(described["components"]["schemas"]["SearchQuery"]["properties"].is_object());
    let stopped = hob.run("rpc index.searchStop --help --json");
    assert!(stopped.contains("index.searchStop"), "{stopped}");
    assert_eq!(hob.try_run(&["rpc", "index.serach", "--help", "--json"]).status, Some(2));
    assert_eq!(hob.try_run(&["rpc", "daemon.ping", "--json"]).status, Some(2));
    let unknown = hob.try_run(&["rpc", "index.serach", "--help"]);
    assert_eq!(unknown.status, Some(2));
    assert!(unknown.stderr.contains("did you mean `index.search`?"), "{unknown:?}");
}

/// `hob` in a shell is a function here, since the program under test has another name.
#[test]
fn an_example_can_be_pasted_into_a_shell() {
    let hob = start(KETTLE);
    for (method, part) in [("index.search", "\"found\":true"), ("index.searchStream", "{\"done\":")]
    {
        let help = hob.run(&format!("rpc {method} --help"));
        let line = help.lines().find(|line| line.starts_with("  hob rpc ")).unwrap();
        let line = line.replace("/home/ada/kettle", hob.root().to_str().unwrap());
        let program = hob.hob().get_program().to_owned();
        let mut shell = hob.command("sh");
        shell.args(["-c", &format!("hob() {{ \"$0\" \"$@\"; }}; {line}")]).arg(program);
        let answer = hob_tests::said(&mut shell);
        assert!(answer.contains(part), "{answer}");
    }
}

/// The text with each volatile number replaced.
fn steady_text(text: &str) -> String {
    // The numbers of calls are the page's own.
    let volatile = VOLATILE.iter().filter(|(name, _)| *name != "id");
    volatile.fold(text.to_owned(), |text, (name, fixed)| {
        let member = format!("\"{name}\":");
        let mut parts = text.split(&member);
        let mut steady = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|char: char| char.is_ascii_digit());
            write!(steady, "{member}{fixed}{rest}").unwrap();
        }
        steady
    })
}

/// Each command of the page, in a shell, prints what stands below it. `UPDATE_EXPECT=1` writes it there.
#[test]
fn commands_of_the_page_print_what_stands_there() {
    let needed = ["curl --version", "python3 --version"];
    if !needed.iter().all(|program| crate::clients::has_words(program)) {
        return;
    }
    let hob = start(KETTLE);
    hob.index();
    let path = examples().join("../README.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let mut parts = page.split("```sh\n");
    let mut run = parts.next().unwrap().to_owned();
    for part in parts {
        let (script, rest) = part.split_once("```\n").unwrap();
        let (_, rest) = rest.strip_prefix("```text\n").unwrap().split_once("```\n").unwrap();
        let printed = hob_tests::said(hob.command("sh").args(["-ec", script]));
        let printed =
            steady_text(&printed.replace(hob.root().to_str().unwrap(), "/home/ada/kettle"));
        write!(run, "```sh\n{script}```\n```text\n{printed}```\n{rest}").unwrap();
    }
    expect_file![path].assert_eq(&run);
}
