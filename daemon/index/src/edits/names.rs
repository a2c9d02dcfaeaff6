//! Which file an edit is meant for: names as replies write them, and the files that they name.

use std::cell::OnceCell;
use std::collections::HashMap;

/// A name from a line that says it: above a block, on its fence, or first within it. Markup around it is
/// taken away. None where the line says something else.
#[must_use]
pub fn from_line(line: &[u8]) -> Option<Vec<u8>> {
    let line = line.trim_ascii();
    if let Some(info) = super::fence::info(line) {
        return from_info(info);
    }
    let bare = bare(line);
    if is_token(bare) {
        return Some(plain(bare));
    }
    spaced(line, bare).or_else(|| quoted(line))
}

/// A path with spaces that a line says and nothing else, in marks.
fn spaced(line: &[u8], bare: &[u8]) -> Option<Vec<u8>> {
    let marks = [&b"`"[..], b"**", b"\"", b"'"];
    let is_marked = |mark: &&[u8]| {
        memchr::memmem::find(line, &[mark, bare, mark].concat()).is_some()
            && memchr::memmem::find(bare, mark).is_none()
    };
    let extension = bare.rsplit(|byte| *byte == b'.').next()?;
    let has_extension = extension.len() < bare.len()
        && (1..=8).contains(&extension.len())
        && extension.iter().all(u8::is_ascii_alphanumeric);
    let is_name = |byte: &u8| !byte.is_ascii_control() && !b"`*<>|:?\"".contains(byte);
    let is_path = has_extension && bare.len() <= 4096 && bare.iter().all(is_name);
    (is_path && marks.iter().any(is_marked)).then(|| bare.to_vec())
}

/// The path that a line says and nothing else.
#[must_use]
pub fn alone(line: &[u8]) -> Option<Vec<u8>> {
    let bare = bare(line);
    if is_path(bare) {
        return Some(plain(bare));
    }
    spaced(line, bare)
}

/// The word that a line says and nothing else: perhaps a file without an extension.
#[must_use]
pub fn word_alone(line: &[u8]) -> Option<Vec<u8>> {
    let bare = bare(line);
    is_token(bare).then(|| plain(bare))
}

/// The only path in a line that says that a whole file follows: ``Here is the new `src/a.py`:``.
#[must_use]
pub fn said(line: &[u8]) -> Option<Vec<u8>> {
    const WORDS: [&str; 31] = [
        "a",
        "and",
        "add",
        "complete",
        "content",
        "contents",
        "create",
        "created",
        "file",
        "filename",
        "following",
        "for",
        "full",
        "here",
        "here's",
        "heres",
        "is",
        "modified",
        "name",
        "new",
        "now",
        "of",
        "path",
        "replace",
        "rewritten",
        "the",
        "update",
        "updated",
        "version",
        "whole",
        "with",
    ];
    let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut found = None;
    for word in words {
        let name = bare(word);
        let letters: Vec<u8> = word
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric() || **byte == b'\'')
            .map(u8::to_ascii_lowercase)
            .collect();
        let is_filler = letters.is_empty()
            || std::str::from_utf8(&letters).is_ok_and(|word| WORDS.contains(&word));
        match is_path(name) {
            true if found.is_some() => return None,
            true => found = Some(plain(name)),
            false if is_filler => {}
            false => return None,
        }
    }
    found
}

/// A name from what stands after the opening marks of a fence: `python src/a.py`, `src/a.py`,
/// `python:src/a.py`, `12:40:src/a.py`, `title="src/a.py"`.
#[must_use]
pub fn from_info(info: &[u8]) -> Option<Vec<u8>> {
    for key in [&b"title="[..], b"filename=", b"file=", b"path="] {
        let Some(at) = memchr::memmem::find(info, key) else { continue };
        if at > 0 && !info[at - 1].is_ascii_whitespace() && info[at - 1] != b'{' {
            continue;
        }
        let value = &info[at + key.len()..];
        let (value, is_quoted) = match value {
            [quote @ (b'"' | b'\''), rest @ ..] => {
                (&rest[..memchr::memchr(*quote, rest).unwrap_or(rest.len())], true)
            }
            value => {
                let word = value.split(u8::is_ascii_whitespace).next().unwrap_or(value);
                (word.strip_suffix(b"}").unwrap_or(word), false)
            }
        };
        return Some(plain(value))
            .filter(|name| is_path(name) || is_quoted && name.contains(&b' '));
    }
    let words = || info.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let after_colons =
        |word: &[u8]| bare(word.rsplit(|byte| *byte == b':').next().unwrap_or(word)).to_vec();
    let first = words().next()?;
    if first.contains(&b':') && is_path(&after_colons(first)) {
        return Some(plain(&after_colons(first)));
    }
    let last = after_colons(words().next_back()?);
    // `c++` or `diff` is a language.
    is_path(&last).then(|| plain(&last))
}

/// Whether it can be nothing but a path: it has a directory or an extension, or is a file that everybody
/// knows.
#[must_use]
pub fn is_path(name: &[u8]) -> bool {
    const KNOWN: [&[u8]; 10] = [
        b"Makefile",
        b"Dockerfile",
        b"Gemfile",
        b"Rakefile",
        b"Justfile",
        b"Procfile",
        b"LICENSE",
        b"README",
        b"Vagrantfile",
        b"BUILD",
    ];
    let base = name.rsplit(|byte| *byte == b'/').next().unwrap_or(name);
    let dot = base.iter().rposition(|byte| *byte == b'.');
    let has_extension = dot.is_some_and(|dot| {
        let extension = &base[dot + 1..];
        // `v1.2` is a version.
        extension.iter().any(u8::is_ascii_alphabetic)
            && extension.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(byte))
    });
    is_token(name)
        && !base.is_empty()
        && memchr::memmem::find(name, b"://").is_none()
        && (has_extension || name.contains(&b'/') || KNOWN.contains(&name))
}

fn is_token(name: &[u8]) -> bool {
    let is_part = |byte: &u8| !byte.is_ascii_whitespace() && !byte.is_ascii_control();
    !name.is_empty()
        && name.len() <= 4096
        && name.iter().all(is_part)
        && name.iter().any(u8::is_ascii_alphanumeric)
}

/// The only path in marks of code that a sentence has.
fn quoted(line: &[u8]) -> Option<Vec<u8>> {
    let mut found = line.split(|byte| *byte == b'`').skip(1).step_by(2);
    let one = found.find(|word| is_path(word))?;
    found.all(|word| !is_path(word)).then(|| one.to_vec())
}

/// A line without the markup, the words and the signs that stand around a name.
fn bare(line: &[u8]) -> &[u8] {
    const WORDS: [&[u8]; 7] =
        [b"file path:", b"filename:", b"filepath:", b"file name:", b"file:", b"path:", b"in file"];
    let mut name = line;
    loop {
        let before = name;
        name = name.trim_ascii();
        name = name.strip_prefix(b"<!--").unwrap_or(name);
        name = name.strip_suffix(b"-->").unwrap_or(name);
        name = name.strip_suffix(b"*/").unwrap_or(name);
        for mark in [&b"//"[..], b"/*", b"--", b";;", b"- ", b"* ", b"+ ", b"> ", b"%"] {
            name = name.strip_prefix(mark).unwrap_or(name);
        }
        while let Some(rest) = name.strip_prefix(b"#") {
            name = rest;
        }
        let digits = name.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && (name[digits..].starts_with(b". ") || name[digits..].starts_with(b") ")) {
            name = &name[digits + 2..];
        }
        for word in WORDS {
            if name.len() > word.len() && name[..word.len()].eq_ignore_ascii_case(word) {
                name = &name[word.len()..];
            }
        }
        for mark in [&b"**"[..], b"__", b"*", b"`", b"\"", b"'"] {
            let inner = name.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
            name = inner.filter(|inner| !inner.is_empty()).unwrap_or(name);
        }
        // `a.py` (new file):
        if let Some(open) = name.iter().rposition(|byte| *byte == b'(')
            && name.ends_with(b")")
            && open > 0
            && name[open - 1].is_ascii_whitespace()
        {
            name = &name[..open];
        }
        name = name.strip_suffix(b":").unwrap_or(name);
        name = name.strip_suffix(b",").unwrap_or(name);
        // `[a.py](a.py)` and `<b>a.py</b>`.
        if let [b'[', rest @ ..] = name
            && name.ends_with(b")")
            && let Some(middle) = memchr::memmem::find(rest, b"](")
        {
            name = &rest[..middle];
        }
        if let [b'<', rest @ ..] = name
            && let Some(end) = memchr::memchr(b'>', rest)
            && let Some(tail) = memchr::memmem::rfind(rest, b"</").filter(|tail| *tail > end)
        {
            name = &rest[end + 1..tail];
        }
        if name == before {
            return name;
        }
    }
}

/// A name as files have it: without the backslashes of Markdown, and with `/` for those of Windows.
fn plain(name: &[u8]) -> Vec<u8> {
    let mut name = unescaped(name);
    name.iter_mut().filter(|byte| **byte == b'\\').for_each(|byte| *byte = b'/');
    name
}

/// Without the backslashes by which Markdown keeps signs from being marks.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(name.len());
    for (at, byte) in name.iter().enumerate() {
        let escapes = *byte == b'\\' && name.get(at + 1).is_some_and(|next| b"_*`".contains(next));
        if !escapes {
            plain.push(*byte);
        }
    }
    plain
}

/// Bytes, as strsim asks for what it compares.
struct Letters<'a>(&'a [u8]);

impl<'a> IntoIterator for &'a Letters<'_> {
    type Item = &'a u8;
    type IntoIter = std::slice::Iter<'a, u8>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The files that there are. They are listed when a name is looked for that is no path.
pub struct Known<'a> {
    asked: Vec<Vec<u8>>,
    all: Box<dyn Fn() -> Vec<Vec<u8>> + 'a>,
    listed: OnceCell<Listed>,
}

#[derive(Debug, Default)]
struct Listed {
    /// Those that edits were asked for come first.
    paths: Vec<Vec<u8>>,
    by_path: HashMap<Vec<u8>, usize>,
    by_base: HashMap<Vec<u8>, Vec<usize>>,
    /// How many were asked for.
    asked: usize,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A file that there is.
    File(Vec<u8>),
    /// None that there is.
    New(Vec<u8>),
    /// One of several.
    Several(Vec<Vec<u8>>),
}

impl<'a> Known<'a> {
    /// Of these paths, from the root: those that edits were asked for, and all others.
    pub fn of(asked: Vec<Vec<u8>>, all: impl Fn() -> Vec<Vec<u8>> + 'a) -> Self {
        Self { asked, all: Box::new(all), listed: OnceCell::new() }
    }

    fn listed(&self) -> &Listed {
        self.listed.get_or_init(|| {
            let mut listed = Listed::default();
            self.asked.iter().for_each(|path| listed.add(path.clone()));
            listed.asked = listed.paths.len();
            (self.all)().into_iter().for_each(|path| listed.add(path));
            listed
        })
    }

    /// What a name stands for: the path itself; else the only file whose path ends with it; else the only
    /// one of that base name. Those that were asked for go before all others.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Named {
        self.listed().find(name)
    }

    /// The file that edits were asked for, where it is one.
    #[must_use]
    pub fn only_asked(&self) -> Option<Vec<u8>> {
        match self.asked.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }

    /// The only file of those that edits were asked for that a name may stand for.
    #[must_use]
    pub fn find_asked(&self, name: &[u8]) -> Option<Vec<u8>> {
        let same = |path: &&Vec<u8>| {
            let rest = path.strip_suffix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
        };
        let mut found = self.asked.iter().filter(same);
        found.next().filter(|_| found.next().is_none()).cloned()
    }

    /// The files that are called nearly so, the nearest first.
    #[must_use]
    pub fn near(&self, name: &[u8]) -> Vec<Vec<u8>> {
        self.listed().near(name)
    }
}

impl Listed {
    fn add(&mut self, path: Vec<u8>) {
        if self.by_path.contains_key(&path) {
            return;
        }
        let number = self.paths.len();
        self.by_base.entry(base(&path).to_vec()).or_default().push(number);
        self.by_path.insert(path.clone(), number);
        self.paths.push(path);
    }

    fn find(&self, name: &[u8]) -> Named {
        let name = name.strip_prefix(b"./").unwrap_or(name);
        if self.by_path.contains_key(name) {
            return Named::File(name.to_vec());
        }
        let same: &[usize] = self.by_base.get(base(name)).map_or(&[], Vec::as_slice);
        let ends = |number: &&usize| {
            let rest = self.paths[**number].strip_suffix(name);
            rest.is_some_and(|rest| rest.ends_with(b"/"))
        };
        let ending: Vec<usize> = same.iter().filter(ends).copied().collect();
        // `b/x.py` is none of `a/x.py`: a directory that is named and is another tells of a new file.
        match self.one(if name.contains(&b'/') { &ending } else { same }) {
            Some(Ok(path)) => return Named::File(path),
            Some(Err(several)) => return Named::Several(several),
            None => {}
        }
        Named::New(name.to_vec())
    }

    fn near(&self, name: &[u8]) -> Vec<Vec<u8>> {
        let wanted = base(name).to_ascii_lowercase();
        let mut near: Vec<(usize, usize)> = Vec::new();
        for (number, path) in self.paths.iter().enumerate() {
            let have = base(path).to_ascii_lowercase();
            let most = wanted.len().max(have.len()) / 5;
            if wanted.len().abs_diff(have.len()) > most {
                continue;
            }
            let distance = strsim::generic_levenshtein(&Letters(&wanted), &Letters(&have));
            if distance <= most {
                let own = usize::from(number >= self.asked);
                near.push((2 * distance + own, number));
            }
        }
        near.sort_unstable();
        near.truncate(5);
        near.into_iter().map(|(_, number)| self.paths[number].clone()).collect()
    }

    fn one(&self, list: &[usize]) -> Option<Result<Vec<u8>, Vec<Vec<u8>>>> {
        let asked: Vec<usize> =
            list.iter().copied().filter(|number| *number < self.asked).collect();
        for list in [asked.as_slice(), list] {
            match list {
                [] => {}
                [one] => return Some(Ok(self.paths[*one].clone())),
                several => {
                    let paths = several.iter().map(|number| self.paths[*number].clone());
                    return Some(Err(paths.collect()));
                }
            }
        }
        None
    }
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}
