//! A map of a tree: the signatures of what its files define, in an outline, within a budget.

use std::collections::{BTreeSet, HashMap};

use crate::graph;
use crate::symbols::languages::Language;
use crate::symbols::text::{Window, signature};
use crate::symbols::{Kind, Outline, Symbol};
use crate::words::{ByWord, Word};

/// A line of a map is cut after so many bytes.
pub const LINE_BYTES: usize = 160;
/// A budget in tokens from which on a map is counted seldom.
const LARGE: usize = 1 << 16;

/// A file whose definitions may be shown.
#[derive(Clone, Debug)]
pub struct Outlined {
    /// Its path.
    pub path: Vec<u8>,
    /// Its text.
    pub text: Vec<u8>,
    /// Its language; none where it has no definitions.
    pub language: Option<&'static Language>,
    /// What it defines.
    pub outline: Outline,
}

impl Outlined {
    /// The name of a definition.
    fn name(&self, symbol: &Symbol) -> &[u8] {
        Window::whole(&self.text).slice(symbol.name.clone())
    }

    /// The signature of a definition, on one line.
    fn signature(&self, symbol: &Symbol) -> Vec<u8> {
        let mut line = match self.language {
            Some(language) => signature(&Window::whole(&self.text), symbol, language),
            None => self.name(symbol).to_vec(),
        };
        if line.len() > LINE_BYTES {
            let is_start = |at: &usize| line[*at] & 0xC0 != 0x80;
            let end = (0..=LINE_BYTES - '…'.len_utf8()).rev().find(is_start).unwrap_or(0);
            line.truncate(end);
            line.extend_from_slice("…".as_bytes());
        }
        // A line of a map is one line, whatever a name has in it.
        line.iter_mut().filter(|byte| byte.is_ascii_control()).for_each(|byte| *byte = b' ');
        line
    }
}

/// What is kept of a file: of what may be shown the lines, and nothing of its text.
#[derive(Debug)]
pub struct Taken {
    /// Its path.
    pub path: Vec<u8>,
    /// What it defines.
    pub symbols: Vec<Symbol>,
    /// For each definition where its line ends in `text`, and where its name does, which stands after it.
    ends: Vec<(u32, u32)>,
    text: Vec<u8>,
    /// The definitions of each name.
    named: ByWord<Vec<u32>>,
}

impl Taken {
    fn of(file: Outlined) -> Self {
        let symbols = &file.outline.symbols;
        let mut named: ByWord<Vec<u32>> = ByWord::default();
        let mut is_wanted: Vec<bool> =
            symbols.iter().map(|symbol| is_worth_a_line(symbol.kind)).collect();
        for (at, symbol) in (0..).zip(symbols) {
            if let Some((word, _)) = graph::defines(file.name(symbol), symbol.kind, || false) {
                named.entry(word).or_default().push(at);
                is_wanted[at as usize] = true;
            }
        }
        let mut depths = vec![0_usize; symbols.len()];
        for (at, symbol) in symbols.iter().enumerate() {
            // What encloses it comes before it.
            depths[at] = symbol.parent.map_or(0, |parent| depths[parent as usize] + 1);
        }
        for (at, symbol) in symbols.iter().enumerate().rev() {
            if let Some(parent) = symbol.parent.filter(|_| is_wanted[at]) {
                is_wanted[parent as usize] = true;
            }
        }
        let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(symbols.len()));
        for (at, symbol) in symbols.iter().enumerate() {
            if is_wanted[at] {
                let indent = depths[at] * 2;
                text.extend_from_slice(format!("{}: {:indent$}", symbol.line, "").as_bytes());
                text.extend_from_slice(&file.signature(symbol));
                text.push(b'\n');
            }
            let line = text.len() as u32;
            if is_wanted[at] {
                text.extend_from_slice(file.name(symbol));
            }
            ends.push((line, text.len() as u32));
        }
        Self { path: file.path, symbols: file.outline.symbols, ends, text, named }
    }

    /// The line of a definition: its number, and the signature, further in the deeper it stands.
    fn line(&self, at: u32) -> &[u8] {
        let at = at as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        &self.text[start as usize..self.ends[at].0 as usize]
    }

    /// The name of a definition that may be shown.
    #[must_use]
    pub fn name(&self, at: u32) -> &[u8] {
        let (start, end) = self.ends[at as usize];
        &self.text[start as usize..end as usize]
    }
}

/// A definition that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its file, by the number that [`Map::file`] gave.
    pub file: usize,
    /// Its place in the file's outline.
    pub symbol: u32,
}

/// A map that is being drawn.
pub struct Map<'a> {
    budget: usize,
    count: &'a dyn Fn(&[u8]) -> usize,
    files: Vec<Taken>,
    /// Files that stand there with their names alone.
    names: Vec<Vec<u8>>,
    /// The definitions, the most important first.
    shown: Vec<Shown>,
    has: HashMap<usize, BTreeSet<u32>>,
    /// At least what all of it takes.
    tokens: usize,
    /// How many of these were counted part by part since all of it was counted.
    rough: usize,
}

/// A map.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// What goes to a model.
    pub text: Vec<u8>,
    /// How many tokens it has.
    pub tokens: usize,
    /// The files that are shown with definitions, in the order of the text.
    pub files: Vec<usize>,
    /// The definitions, the most important first.
    pub shown: Vec<Shown>,
    /// The files that stand there with their names alone.
    pub named: Vec<Vec<u8>>,
}

impl<'a> Map<'a> {
    /// An empty one, which may have so many tokens, by `count`.
    pub fn new(budget: usize, count: &'a dyn Fn(&[u8]) -> usize) -> Self {
        let (files, names, shown, has) = (Vec::new(), Vec::new(), Vec::new(), HashMap::new());
        Self { budget, count, files, names, shown, has, tokens: 0, rough: 0 }
    }

    /// Takes a file, of which nothing is shown yet. Gives its number.
    pub fn file(&mut self, file: Outlined) -> usize {
        self.files.push(Taken::of(file));
        self.files.len() - 1
    }

    /// The definitions of a name in a file that was taken, by their places in its outline.
    #[must_use]
    pub fn defining(&self, file: usize, word: Word) -> Vec<u32> {
        self.files[file].named.get(&word).cloned().unwrap_or_default()
    }

    /// A file that was taken.
    #[must_use]
    pub fn at(&self, file: usize) -> &Taken {
        &self.files[file]
    }

    /// Shows a file's name, above all definitions, if there is room within `limit` and the budget.
    pub fn name(&mut self, path: &[u8], limit: usize) -> bool {
        let cost = (self.count)(path) + 1;
        let fits = self.fits(cost, limit);
        if fits {
            self.names.push(path.to_vec());
        }
        fits
    }

    /// Shows a definition and those that enclose it, if there is room within `limit` and the budget. Says
    /// whether it is there.
    pub fn add(&mut self, file: usize, symbol: u32, limit: usize) -> bool {
        let of = &self.files[file];
        let has = self.has.get(&file);
        let is_new = |at: &u32| has.is_none_or(|has| !has.contains(at));
        if !is_new(&symbol) {
            return true;
        }
        let mut lines = vec![symbol];
        let mut above = of.symbols[symbol as usize].parent;
        while let Some(at) = above.filter(is_new) {
            lines.push(at);
            above = of.symbols[at as usize].parent;
        }
        let mut cost = if has.is_none() { (self.count)(&of.path) + 1 } else { 0 };
        cost += lines.iter().map(|at| (self.count)(of.line(*at))).sum::<usize>();
        if !self.fits(cost, limit) {
            return false;
        }
        let has = self.has.entry(file).or_default();
        for at in lines.into_iter().rev() {
            has.insert(at);
            self.shown.push(Shown { file, symbol: at });
        }
        true
    }

    /// Takes so many tokens, if there is room.
    fn fits(&mut self, cost: usize, limit: usize) -> bool {
        let limit = limit.min(self.budget);
        // A large one takes long to count.
        let often = if self.budget > LARGE { 8 } else { 64 };
        if self.tokens + cost > limit && self.rough > self.budget / often {
            // The parts have more tokens than the whole.
            self.tokens = (self.count)(&self.render().0);
            self.rough = 0;
        }
        let fits = self.tokens + cost <= limit;
        if fits {
            self.tokens += cost;
            self.rough += cost;
        }
        fits
    }

    /// The map. It has no more tokens than it may.
    #[must_use]
    pub fn finish(mut self) -> (Drawn, Vec<Taken>) {
        loop {
            let (text, files) = self.render();
            let tokens = (self.count)(&text);
            if tokens <= self.budget {
                let (shown, named) = (self.shown, self.names);
                return (Drawn { text, tokens, files, shown, named }, self.files);
            }
            // Counting part by part is never much off; what matters least goes.
            let over = self.shown.len() as u128 * (tokens - self.budget) as u128 / tokens as u128;
            for _ in 0..over.max(1) {
                let Some(last) = self.shown.pop() else {
                    if self.names.pop().is_none() {
                        return (Drawn::default(), self.files);
                    }
                    break;
                };
                if let Some(has) = self.has.get_mut(&last.file) {
                    has.remove(&last.symbol);
                }
            }
        }
    }

    /// The text, and the files in the order in which they stand there.
    fn render(&self) -> (Vec<u8>, Vec<usize>) {
        let mut text = Vec::new();
        self.names.iter().for_each(|name| push_path(&mut text, name));
        let mut order: Vec<usize> = Vec::new();
        let mut seen = BTreeSet::new();
        order.extend(self.shown.iter().map(|one| one.file).filter(|file| seen.insert(*file)));
        for file in &order {
            let of = &self.files[*file];
            push_path(&mut text, &of.path);
            for at in &self.has[file] {
                text.extend_from_slice(of.line(*at));
            }
        }
        (text, order)
    }
}

/// A path on a line of its own, whatever is in it.
fn push_path(text: &mut Vec<u8>, path: &[u8]) {
    text.extend(path.iter().map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }));
    text.push(b'\n');
}

/// Whether a definition is shown for its own sake, though nobody mentions it.
#[must_use]
pub fn is_worth_a_line(kind: Kind) -> bool {
    !matches!(kind, Kind::Impl | Kind::Field | Kind::Enumerator | Kind::Key | Kind::Section)
}

/// How soon a file is named that people look at first, from 0: what the project is, and how it is built.
/// None for all other files.
#[must_use]
pub fn importance(path: &[u8]) -> Option<usize> {
    if path.contains(&b'/') {
        return None;
    }
    let lower = path.to_ascii_lowercase();
    let stem = lower.split(|byte| *byte == b'.').next().unwrap_or_default();
    let builds = BUILDS.iter().position(|name| name.as_bytes() == lower.as_slice());
    let is_package = [".cabal", ".gemspec", ".csproj", ".sln"]
        .iter()
        .any(|extension| lower.ends_with(extension.as_bytes()));
    let first = FIRST.iter().position(|name| name.as_bytes() == stem);
    let last = LAST.iter().position(|name| name.as_bytes() == stem);
    let builds = builds.or(is_package.then_some(BUILDS.len()));
    first
        .or(builds.map(|at| FIRST.len() + at))
        .or(last.map(|at| FIRST.len() + BUILDS.len() + 1 + at))
}

/// Documents that come first, by their names without extensions.
const FIRST: [&str; 4] = ["readme", "agents", "architecture", "conventions"];
/// What says how a project is built.
const BUILDS: [&str; 35] = [
    "cargo.toml",
    "package.json",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "requirements.txt",
    "go.mod",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "settings.gradle",
    "gemfile",
    "composer.json",
    "mix.exs",
    "rebar.config",
    "gleam.toml",
    "pubspec.yaml",
    "package.swift",
    "build.sbt",
    "build.zig",
    "build.zig.zon",
    "cmakelists.txt",
    "meson.build",
    "makefile",
    "justfile",
    "configure.ac",
    "kconfig",
    "dockerfile",
    "docker-compose.yml",
    "compose.yaml",
    "flake.nix",
    "tsconfig.json",
    "deno.json",
    "description",
    "stack.yaml",
];
/// Documents that come last.
const LAST: [&str; 3] = ["contributing", "changelog", "license"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_project_is_comes_before_how_it_changed() {
        let mut paths =
            ["LICENSE", "CHANGELOG.md", "src/README.md", "Makefile", "a.cabal", "README"];
        paths.sort_by_key(|path| importance(path.as_bytes()).unwrap_or(usize::MAX));
        assert_eq!(
            paths,
            ["README", "Makefile", "a.cabal", "CHANGELOG.md", "LICENSE", "src/README.md"]
        );
        assert_eq!(importance(b"src/README.md"), None);
    }
}
