//! The definitions of a tree that hob finds beside those that universal-ctags finds.
//!
//! `cargo run --release -p hob-tests --bin compare-ctags -- LANGUAGE TREE [--examples N]`
//!
//! A definition is a path, a name and a line. Printed is how many both have found, and what only
//! one has, by kind, with examples.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use serde_json::Value;

type Failure = Box<dyn std::error::Error>;

/// Where a name is defined.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Place {
    path: String,
    line: u64,
    name: String,
}

/// What one side has found: the kinds at each place.
type Found = HashMap<Place, BTreeSet<String>>;

struct Options {
    language: &'static Language,
    tree: PathBuf,
    examples: usize,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(std::io::stderr(), "compare-ctags: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let options = options()?;
    let mut files = Vec::new();
    collect(&options.tree, options.language, &mut files)?;
    files.sort();
    let hob = by_hob(&files, options.language)?;
    let ctags = by_ctags(&files, options.language)?;
    report(&options, files.len(), &hob, &ctags)?;
    Ok(())
}

fn options() -> Result<Options, Failure> {
    let usage = "usage: compare-ctags LANGUAGE TREE [--examples N]";
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().ok_or(usage)?;
    let language = languages::by_name(&name).ok_or_else(|| format!("no language `{name}`"))?;
    let tree = PathBuf::from(arguments.next().ok_or(usage)?);
    let mut examples = 5;
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--examples", Some(count)) => examples = count.parse()?,
            _ => return Err(usage.into()),
        }
    }
    Ok(Options { language, tree, examples })
}

/// The files of the language, without those that are hidden.
fn collect(folder: &Path, language: &Language, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if kind.is_dir() {
            collect(&path, language, files)?;
        } else if kind.is_file() && languages::may_be(path.as_os_str().as_encoded_bytes(), language)
        {
            let text = fs::read(&path)?;
            let of = languages::of(path.as_os_str().as_encoded_bytes(), &text);
            if of.is_some_and(|of| of.number == language.number) {
                files.push(path);
            }
        }
    }
    Ok(())
}

fn by_hob(files: &[PathBuf], language: &Language) -> Result<Found, Failure> {
    let mut found = Found::new();
    let mut extractor = Extractor::default();
    for path in files {
        let text = fs::read(path)?;
        for symbol in extractor.extract(language, &text).symbols {
            let name = &text[symbol.name.start as usize..symbol.name.end as usize];
            let place = place(path, symbol.line.into(), &String::from_utf8_lossy(name));
            found.entry(place).or_default().insert(symbol.kind.name().to_string());
        }
    }
    Ok(found)
}

/// What ctags calls a language.
const NAMES: &[(&str, &str)] = &[
    ("rust", "Rust"),
    ("python", "Python"),
    ("javascript", "JavaScript"),
    ("typescript", "TypeScript"),
    ("tsx", "TypeScript"),
    ("go", "Go"),
    ("c", "C"),
    ("cpp", "C++"),
    ("java", "Java"),
    ("csharp", "C#"),
    ("ruby", "Ruby"),
    ("php", "PHP"),
    ("bash", "Sh"),
    ("markdown", "Markdown"),
    ("json", "JSON"),
];

fn by_ctags(files: &[PathBuf], language: &Language) -> Result<Found, Failure> {
    let (_, name) = NAMES
        .iter()
        .find(|(name, _)| *name == language.name)
        .ok_or_else(|| format!("ctags does not know `{}`", language.name))?;
    let mut list = tempfile::NamedTempFile::new()?;
    for path in files {
        writeln!(list, "{}", path.display())?;
    }
    let mut ctags = Command::new("ctags")
        .args(["--options=NONE", "--output-format=json", "--fields=+nK", "-f", "-"])
        .arg(format!("--language-force={name}"))
        .arg("-L")
        .arg(list.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start `ctags`: {error}"))?;
    let output = ctags.stdout.take().ok_or("no output of `ctags`")?;
    let mut found = Found::new();
    for line in BufReader::new(output).split(b'\n') {
        if let Some((place, kind)) = tag(&line?) {
            found.entry(place).or_default().insert(kind);
        }
    }
    ctags.wait()?;
    Ok(found)
}

/// A line of ctags' output. What it makes up a name for counts for nothing.
fn tag(line: &[u8]) -> Option<(Place, String)> {
    let tag: Value = serde_json::from_str(&String::from_utf8_lossy(line)).ok()?;
    let word = |key: &str| tag.get(key).and_then(Value::as_str);
    let name = word("name").filter(|name| !name.starts_with("__anon") && !name.is_empty())?;
    let kind = word("kind")?.to_string();
    Some((place(Path::new(word("path")?), tag.get("line")?.as_u64()?, name), kind))
}

/// Names are compared without blanks, which ctags puts into `operator ==`.
fn place(path: &Path, line: u64, name: &str) -> Place {
    let name = name.split_whitespace().collect();
    Place { path: path.display().to_string(), line, name }
}

/// How many of a kind both have, and those that only one side has.
#[derive(Default)]
struct Tally<'a> {
    both: usize,
    only: Vec<&'a Place>,
}

fn tallies<'a>(ours: &'a Found, theirs: &Found) -> BTreeMap<&'a str, Tally<'a>> {
    let mut tallies: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    for (place, kinds) in ours {
        for kind in kinds {
            let tally = tallies.entry(kind).or_default();
            match theirs.contains_key(place) {
                true => tally.both += 1,
                false => tally.only.push(place),
            }
        }
    }
    tallies.values_mut().for_each(|tally| tally.only.sort());
    tallies
}

fn report(options: &Options, files: usize, hob: &Found, ctags: &Found) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let both = hob.keys().filter(|place| ctags.contains_key(place)).count();
    writeln!(
        out,
        "{}: {files} files, {both} both, {} only hob, {} only ctags",
        options.language.name,
        hob.len() - both,
        ctags.len() - both
    )?;
    for (side, ours, theirs) in [("hob", hob, ctags), ("ctags", ctags, hob)] {
        for (kind, tally) in tallies(ours, theirs) {
            writeln!(out, "  {side} {kind}: {} both, {} only", tally.both, tally.only.len())?;
            // Spread over all of them.
            let step = tally.only.len().div_ceil(options.examples.max(1)).max(1);
            for place in tally.only.iter().step_by(step).take(options.examples) {
                let path = Path::new(&place.path);
                let path = path.strip_prefix(&options.tree).unwrap_or(path).display();
                writeln!(out, "    {path}:{} {}", place.line, place.name)?;
            }
        }
    }
    Ok(())
}
