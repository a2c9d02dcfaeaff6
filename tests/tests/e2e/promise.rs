//! The promise: a query sees every change that was completed before the query was sent.
//!
//! Random changes of every kind, and right after each a query, without a pause, over one connection.
//! What is right is a scan from scratch by ripgrep's own walker, in this process.

use crate::{seed, start};
use hob_client::{Connection, IndexApiClient as _, SymbolsApiClient as _, block_on};
use hob_protocol::{
    FilesQuery, Kind, Matched, Outcome, OutlineQuery, SearchQuery, SymbolsQuery, Text,
};
use hob_tests::{Hob, Random, setting};
use std::fmt::Write as _;
use std::fs::{self, File, FileTimes};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A file's path below the directory that is searched, a line's number, and the line.
type Line = (Vec<u8>, u64, Vec<u8>);

#[test]
fn every_change_is_seen_by_the_next_query() {
    promise(seed(), &[]);
}

#[test]
fn every_change_is_seen_while_much_is_being_indexed() {
    promise(seed() + 1, &[("HOB_INDEX_MEMORY_MB", "1"), ("HOB_INDEX_THREADS", "1")]);
}

#[test]
fn every_change_is_seen_by_way_of_notify() {
    promise(seed() + 2, &[("HOB_WATCH_BACKEND", "notify")]);
}

#[test]
fn every_change_is_seen_without_a_watcher() {
    promise(seed() + 3, &[("HOB_WATCH_BACKEND", "poll")]);
}

// The kernel reports a write under the name that it went through; the other names of the same file say
// nothing. Found by a random sequence that wrote to `ignored/three.rs`.
#[test]
fn a_write_through_another_name_of_a_file_is_seen() {
    let hob = start("//- a.txt\nold");
    fs::hard_link(hob.path("a.txt"), hob.path("b.txt")).unwrap();
    hob.index();
    append(&hob.path("a.txt"), "new\n");
    assert_eq!(hob.run("search new"), "a.txt:2:new\nb.txt:2:new\n");
}

fn promise(seed: u64, vars: &[(&str, &str)]) {
    let mut hob = start("");
    for (name, value) in vars {
        hob.set(name, *value);
    }
    let mut game = Game::new(hob, Random::new(seed));
    let steps = setting("HOB_PROMISE_STEPS", 1000) / 4;
    let mut wrong = String::new();
    let mut lost = 0;
    for step in 0..steps {
        let what = game.change();
        if let Some(difference) = game.query() {
            lost += 1;
            let _ = writeln!(wrong, "step {step} of seed {seed}, {what}:\n{difference}");
        }
    }
    println!("promise, {vars:?}: {steps} changes, {lost} not seen");
    assert_eq!(lost, 0, "{wrong}");
}

const DIRS: &[&str] = &["", "a", "a/b", "a/b/c", "d", "d/e", "ignored", "f g"];
const NAMES: &[&str] = &["one.txt", "two.txt", "three.rs", "four.log", ".five", "six", "seven.md"];
const RULES: &[&str] =
    &["", "ignored/\n", "*.log\n", "ignored/\n*.log\n!four.log\n", "/a/b\n", "*.rs\n!d/\n"];

struct Game {
    hob: Hob,
    connection: Connection,
    random: Random,
    /// Counts the tokens, so that each line that is written is new.
    token: u32,
    worktrees: Vec<String>,
}

impl Game {
    fn new(hob: Hob, mut random: Random) -> Self {
        for dir in DIRS {
            for name in NAMES {
                hob.write(Path::new(dir).join(name), lines(&mut random, 0));
            }
        }
        for number in 0..300 {
            hob.write(format!("many/{}/{number}.txt", number % 10), lines(&mut random, number));
        }
        hob.write(".gitignore", RULES[1]);
        hob.commit("first");
        hob.git("checkout -q -b other");
        for number in 0..200 {
            hob.write(format!("many/{}/{number}.txt", number % 10), lines(&mut random, number));
            hob.write(format!("more/{number}.txt"), lines(&mut random, number));
        }
        hob.git("rm -q -r -f many/9 d");
        hob.commit("other");
        hob.git("checkout -q main");
        let connection = hob.connection();
        Self { hob, connection, random, token: 1000, worktrees: Vec::new() }
    }

    fn file(&mut self) -> PathBuf {
        let dir: &str = self.random.pick::<&str>(DIRS);
        Path::new(dir).join(self.random.pick::<&str>(NAMES))
    }

    fn dir(&mut self) -> PathBuf {
        let dir: &str = self.random.pick::<&str>(&DIRS[1..]);
        self.hob.path(dir)
    }

    fn text(&mut self) -> String {
        self.token += 1;
        lines(&mut self.random, self.token)
    }

    /// Changes the tree, and says how.
    fn change(&mut self) -> String {
        let (relative, text) = (self.file(), self.text());
        let path = self.hob.path(&relative);
        let blocked = path.parent().is_some_and(|dir| dir.exists() && !dir.is_dir());
        let what = if blocked || path.is_dir() { "nothing" } else { self.change_of(&path, &text) };
        format!("{what} of `{}`", relative.display())
    }

    fn change_of(&mut self, path: &Path, text: &str) -> &'static str {
        match self.random.below(39) {
            0..6 => self.write(path, text),
            6..9 => append(path, text),
            9..11 => truncate(path, text.len() / 2),
            11..15 => self.replace(path, text),
            15..20 => same_size_and_time(path, &mut self.token),
            20..23 => delete(path),
            23..26 => self.make_dirs(text),
            26..28 => self.swap(),
            28..30 => self.rename(),
            30..33 => self.rules(),
            33..35 => self.switch(),
            35 => self.worktree(),
            36 => self.remove_dir(),
            37 => self.burst(text),
            _ => make_unmade(path, text),
        }
    }

    fn write(&self, path: &Path, text: &str) -> &'static str {
        self.hob.write(path, text);
        "a write"
    }

    fn replace(&self, path: &Path, text: &str) -> &'static str {
        let new = self.hob.path(".new");
        fs::write(&new, text).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::rename(new, path).unwrap();
        "a replacement by rename"
    }

    fn make_dirs(&mut self, text: &str) -> &'static str {
        let number = self.random.below(4);
        let top = self.hob.path(format!("made{number}"));
        let _ = fs::remove_dir_all(&top);
        self.hob.write(format!("made{number}/x/y/z.txt"), text);
        self.hob.write(format!("made{number}/x/.hidden/y.txt"), text);
        self.hob.write(format!("made{number}/w.log"), text);
        "new directories with files instead"
    }

    fn swap(&mut self) -> &'static str {
        let (one, other, between) = (self.dir(), self.dir(), self.hob.path("between"));
        if one.starts_with(&other) || other.starts_with(&one) || !one.is_dir() || !other.is_dir() {
            return "no swap instead";
        }
        fs::rename(&one, &between).unwrap();
        fs::rename(&other, &one).unwrap();
        fs::rename(&between, &other).unwrap();
        "a swap of directories instead"
    }

    fn rename(&mut self) -> &'static str {
        let (one, other) = (self.dir(), self.dir());
        let possible = one.is_dir() && !other.exists() && !other.starts_with(&one);
        if possible && other.parent().is_some_and(Path::is_dir) {
            fs::rename(one, other).unwrap();
            return "a directory's rename instead";
        }
        "no rename instead"
    }

    fn remove_dir(&mut self) -> &'static str {
        let dir = self.dir();
        if dir.is_dir() {
            fs::remove_dir_all(dir).unwrap();
        }
        "a directory's removal instead"
    }

    fn rules(&mut self) -> &'static str {
        let rules: &str = self.random.pick::<&str>(RULES);
        let file: &str =
            self.random.pick::<&str>(&[".gitignore", ".ignore", "a/.ignore", ".git/info/exclude"]);
        self.hob.write(file, rules);
        "other rules instead"
    }

    fn switch(&mut self) -> &'static str {
        let branch: &str = self.random.pick::<&str>(&["main", "other"]);
        self.hob.git(&format!("checkout -q -f {branch}"));
        "a checkout instead"
    }

    /// A worktree is a workspace of its own, and ignored here.
    fn worktree(&mut self) -> &'static str {
        if self.worktrees.len() >= 3 {
            let oldest = self.worktrees.remove(0);
            self.hob.git(&format!("worktree remove -f ../{oldest}"));
        }
        let name = format!("worktree{}", self.token);
        self.hob.git(&format!("worktree add -q --detach ../{name} main"));
        self.worktrees.push(name);
        "a new worktree instead"
    }

    fn burst(&mut self, text: &str) -> &'static str {
        for number in 0..100 {
            let path = format!("many/{}/{number}.txt", number % 10);
            match self.random.once_in(5) {
                true => drop(fs::remove_file(self.hob.path(path))),
                false => self.hob.write(path, format!("{text}{number}\n")),
            }
        }
        "a hundred changes instead"
    }

    /// Asks, compares, and tells the difference.
    fn query(&mut self) -> Option<String> {
        let among = self.worktrees.len() + 4;
        let root = match self.worktrees.get(self.random.below(among)) {
            Some(worktree) => self.hob.outside(worktree),
            None => self.hob.root(),
        };
        match self.random.below(8) {
            0..4 => self.search(&root),
            4..6 => self.symbols(&root),
            6 => self.files(&root),
            _ => self.outline(&root),
        }
    }

    /// Headings by their names, or by how these begin.
    fn symbols(&mut self, root: &Path) -> Option<String> {
        let name = match self.random.once_in(2) {
            true => format!("head{}", self.token),
            false => format!("head{}", self.token / 10),
        };
        let limit = Some(10_000);
        let query = SymbolsQuery { limit, ..SymbolsQuery::in_dir(root.to_owned(), name.clone()) };
        let result = match block_on(self.connection.symbols(query)) {
            Ok(result) => result,
            Err(error) => return Some(format!("  {error}")),
        };
        let alike = result.symbols.into_iter().filter(|symbol| symbol.matched != Matched::Fuzzy);
        let mut found: Vec<Line> = alike
            .map(|symbol| (symbol.path.into_bytes(), symbol.line, symbol.name.into_bytes()))
            .collect();
        found.sort();
        let mut right = headings(root);
        right.retain(|(.., heading)| heading.starts_with(name.as_bytes()));
        right.sort();
        difference(&name, &found, &right)
    }

    fn files(&mut self, root: &Path) -> Option<String> {
        let result = match block_on(self.connection.files(FilesQuery::in_dir(root.to_owned()))) {
            Ok(result) => result,
            Err(error) => return Some(format!("  {error}")),
        };
        let line = |path: Vec<u8>| (path, 0, Vec::new());
        let found: Vec<Line> =
            result.files.into_iter().map(|file| line(file.path.into_bytes())).collect();
        let right: Vec<Line> = walk(root).map(|path| line(relative(root, &path))).collect();
        difference("files", &found, &right)
    }

    fn outline(&mut self, root: &Path) -> Option<String> {
        let dir: &str = self.random.pick::<&str>(DIRS);
        let path = Path::new(dir).join("seven.md");
        let query = OutlineQuery::in_dir(root.to_owned(), vec![Text::from(path.as_path())]);
        let result = match block_on(self.connection.outline(query)) {
            Ok(result) => result,
            Err(error) => return Some(format!("  {error}")),
        };
        let name = path.display().to_string();
        let line = |number, heading| (Vec::new(), number, heading);
        let found: Vec<Line> = match result.files.into_iter().next()?.outcome {
            Outcome::Outline(outline) => outline
                .symbols
                .into_iter()
                .map(|symbol| line(symbol.line, symbol.name.into_bytes()))
                .collect(),
            Outcome::Failed { error } if !root.join(&path).is_file() => {
                return (error.kind != Kind::BadPath).then(|| format!("  {}", error.message));
            }
            Outcome::Failed { error } => return Some(format!("  `{name}`: {}", error.message)),
        };
        let right: Vec<Line> = headings_of(&fs::read(root.join(&path)).unwrap())
            .map(|(number, heading)| line(number, heading))
            .collect();
        difference(&name, &found, &right)
    }

    fn search(&mut self, root: &Path) -> Option<String> {
        let pattern = match self.random.below(4) {
            0 => "token".to_owned(),
            1 => format!("token{}", self.token),
            2 => format!("x{}y", self.random.below(30)),
            _ => format!("token{}\\d", self.token / 10),
        };
        let query =
            SearchQuery { patterns: vec![pattern.clone()], ..SearchQuery::in_dir(root.to_owned()) };
        let result = match block_on(self.connection.search(query)) {
            Ok(result) => result,
            Err(error) => return Some(format!("  {error}")),
        };
        let found: Vec<Line> = result
            .matches
            .into_iter()
            .map(|line| (line.path.into_bytes(), line.line, line.text.into_bytes()))
            .collect();
        difference(&pattern, &found, &scan(root, &pattern))
    }
}

fn difference(pattern: &str, found: &[Line], right: &[Line]) -> Option<String> {
    if found == right {
        return None;
    }
    let mut text = format!("  `{pattern}`: {} found, {} right\n", found.len(), right.len());
    let tell = |text: &mut String, what: &str, of: &[Line], not_in: &[Line]| {
        for (path, line, content) in of.iter().filter(|line| !not_in.contains(line)).take(3) {
            let (path, content) = (String::from_utf8_lossy(path), String::from_utf8_lossy(content));
            let _ = writeln!(text, "  {what}: {path}:{line}:{content}");
        }
    };
    tell(&mut text, "missing", right, found);
    tell(&mut text, "too much", found, right);
    Some(text)
}

/// Lines with a token of their own, words that many files share, and a heading.
fn lines(random: &mut Random, token: u32) -> String {
    format!("token{token}\nx{}y x{}y\nend\n# head{token}\n", random.below(30), random.below(30))
}

fn append(path: &Path, text: &str) -> &'static str {
    if path.is_file() {
        let mut file = File::options().append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }
    "an append"
}

fn truncate(path: &Path, length: usize) -> &'static str {
    if path.is_file() {
        let file = File::options().write(true).open(path).unwrap();
        let length = file.metadata().unwrap().len().min(length as u64);
        file.set_len(length).unwrap();
    }
    "a truncation"
}

/// Other content of the same size, and then the old time of change.
fn same_size_and_time(path: &Path, token: &mut u32) -> &'static str {
    let Ok(old) = fs::read(path) else { return "no edit" };
    let modified = path.metadata().unwrap().modified().unwrap();
    *token += 1;
    let mut new = format!("token{token}\n").into_bytes();
    new.resize(old.len(), b'z');
    let mut file = File::options().write(true).open(path).unwrap();
    file.write_all(&new).unwrap();
    file.set_times(FileTimes::new().set_modified(modified)).unwrap();
    "an edit of the same size and time"
}

fn delete(path: &Path) -> &'static str {
    let _ = fs::remove_file(path);
    "a deletion"
}

fn make_unmade(path: &Path, text: &str) -> &'static str {
    if path.parent().is_some_and(Path::is_dir) {
        fs::write(path, text).unwrap();
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        fs::write(path.join("below.txt"), text).unwrap();
        fs::remove_dir_all(path).unwrap();
        fs::write(path, text).unwrap();
    }
    "a file that was a directory in between"
}

/// The lines that match, by a walk from scratch.
fn scan(root: &Path, pattern: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    for path in walk(root) {
        let content = fs::read(&path).unwrap();
        if content.contains(&0) {
            continue;
        }
        for (line, number) in content.split(|byte| *byte == b'\n').zip(1..) {
            if matches(line, pattern) {
                lines.push((relative(root, &path), number, line.to_vec()));
            }
        }
    }
    lines
}

/// The files that a search looks at, by ripgrep's own walker.
fn walk(root: &Path) -> impl Iterator<Item = PathBuf> {
    let walk = ignore::WalkBuilder::new(root)
        .add_custom_ignore_filename(".rgignore")
        .sort_by_file_name(Ord::cmp)
        .build();
    walk.map(|entry| entry.unwrap().into_path()).filter(|path| path.is_file())
}

fn relative(root: &Path, path: &Path) -> Vec<u8> {
    path.strip_prefix(root).unwrap().as_os_str().as_bytes().to_vec()
}

/// All headings of Markdown files: path, line, heading.
fn headings(root: &Path) -> Vec<Line> {
    let markdown = walk(root).filter(|path| path.extension().is_some_and(|end| end == "md"));
    let of = |path: PathBuf| {
        let content = fs::read(&path).unwrap();
        let found: Vec<_> = headings_of(&content).collect();
        found.into_iter().map(move |(number, text)| (relative(root, &path), number, text))
    };
    markdown.flat_map(of).collect()
}

fn headings_of(content: &[u8]) -> impl Iterator<Item = (u64, Vec<u8>)> {
    let lines = content.split(|byte| *byte == b'\n').zip(1..);
    lines.filter_map(|(line, number)| {
        let text = line.strip_prefix(b"# ")?.trim_ascii();
        (!text.is_empty()).then(|| (number, text.to_vec()))
    })
}

/// Patterns are plain, but for a digit at the end.
fn matches(line: &[u8], pattern: &str) -> bool {
    let (plain, digit) = match pattern.strip_suffix("\\d") {
        Some(plain) => (plain, true),
        None => (pattern, false),
    };
    line.windows(plain.len()).enumerate().any(|(at, window)| {
        let after = line.get(at + plain.len());
        window == plain.as_bytes() && (!digit || after.is_some_and(u8::is_ascii_digit))
    })
}
