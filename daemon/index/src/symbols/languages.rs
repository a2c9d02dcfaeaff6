//! The languages: a row each. What a language is called, which files are its, which grammar
//! reads it, what of it is a definition, and how its comments look.
//!
//! Nothing here parses. A new language is a row, a query beside it and a fixture.

use tree_sitter::Language as Grammar;

use super::Kind;
use super::extract::Skim;

/// A language, as far as its definitions go.
#[derive(Debug)]
pub struct Language {
    /// What it is called.
    pub name: &'static str,
    /// Its number in stores: it never changes its meaning.
    pub number: u8,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The extensions of its files, without a dot, in lower case.
    pub extensions: &'static [&'static str],
    /// The whole names of files that are its.
    pub files: &'static [&'static str],
    /// The programs that run it, as a first line with `#!` has them, without a version.
    pub interpreters: &'static [&'static str],
    /// How comments look.
    pub comments: Comments,
    /// The grammar's crate and its version.
    pub grammar: (&'static str, &'static str),
    /// The grammar.
    pub(super) load: fn() -> Grammar,
    /// What is a definition, in the grammar's terms. See [`super::extract`].
    pub(super) query: &'static str,
    /// What takes away, before the grammar reads it, text that can define nothing.
    pub(super) skim: Option<fn(&[u8]) -> Skim>,
}

/// How comments look, and what may stand between one and the definition that it documents.
#[derive(Debug)]
pub struct Comments {
    /// What begins a comment to the end of the line. Longer ones come first.
    pub lines: &'static [&'static str],
    /// What opens and closes a comment. Longer ones come first.
    pub blocks: &'static [(&'static str, &'static str)],
    /// What begins an attribute or decorator.
    pub attributes: &'static [&'static str],
    /// Whether the first string of a body documents the definition.
    pub docstring: bool,
}

/// `//` and `/* */`, as in C.
const C_COMMENTS: Comments = Comments {
    lines: &["///", "//!", "//"],
    blocks: &[("/**", "*/"), ("/*", "*/")],
    attributes: &[],
    docstring: false,
};

/// Only what is marked as documentation counts in Rust.
const RUST_COMMENTS: Comments =
    Comments { lines: &["///"], blocks: &[("/**", "*/")], attributes: &["#["], docstring: false };

/// `#`, and the first string of a body.
const PYTHON_COMMENTS: Comments =
    Comments { lines: &["#:"], blocks: &[], attributes: &["@"], docstring: true };

static ALL: [Language; 3] = [
    Language {
        name: "rust",
        number: 1,
        aliases: &["rs"],
        extensions: &["rs"],
        files: &[],
        interpreters: &["rust-script"],
        comments: RUST_COMMENTS,
        grammar: ("tree-sitter-rust", "0.24.2"),
        load: || tree_sitter_rust::LANGUAGE.into(),
        query: include_str!("queries/rust.scm"),
        skim: None,
    },
    Language {
        name: "python",
        number: 2,
        aliases: &["py", "python3"],
        extensions: &["py", "pyi", "pyw"],
        files: &["SConstruct", "SConscript", "wscript"],
        interpreters: &["python", "pypy"],
        comments: PYTHON_COMMENTS,
        grammar: ("tree-sitter-python", "0.25.0"),
        load: || tree_sitter_python::LANGUAGE.into(),
        query: include_str!("queries/python.scm"),
        skim: None,
    },
    Language {
        name: "c",
        number: 7,
        aliases: &[],
        extensions: &["c", "h"],
        files: &[],
        interpreters: &["tcc"],
        comments: C_COMMENTS,
        grammar: ("tree-sitter-c", "0.24.2"),
        load: || tree_sitter_c::LANGUAGE.into(),
        query: include_str!("queries/c.scm"),
        skim: Some(super::skim::c),
    },
];

/// All of them.
#[must_use]
pub fn all() -> &'static [Language] {
    &ALL
}

/// The language of that name or alias, whatever its case.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Language> {
    ALL.iter().find(|language| {
        let mut names = [language.name].into_iter().chain(language.aliases.iter().copied());
        names.any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// The language of that number.
#[must_use]
pub fn by_number(number: u8) -> Option<&'static Language> {
    ALL.iter().find(|language| language.number == number)
}

/// The language of a file: by its whole name, else by its extension, else by the interpreter that
/// its first line names.
#[must_use]
pub fn of(path: &[u8], text: &[u8]) -> Option<&'static Language> {
    by_file_name(path).or_else(|| {
        let interpreter = interpreter(text)?;
        ALL.iter().find(|language| is_in(interpreter, language.interpreters))
    })
}

/// Whether a file of that path can be of the language, whatever is in it.
#[must_use]
pub fn may_be(path: &[u8], language: &Language) -> bool {
    match by_file_name(path) {
        Some(named) => named.number == language.number,
        None => !language.interpreters.is_empty(),
    }
}

fn by_file_name(path: &[u8]) -> Option<&'static Language> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    if let Some(language) = ALL.iter().find(|language| is_in(name, language.files)) {
        return Some(language);
    }
    let dot = memchr::memrchr(b'.', name)?;
    let extension = name[dot + 1..].to_ascii_lowercase();
    ALL.iter().find(|language| is_in(&extension, language.extensions))
}

fn is_in(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

/// The program that a first line with `#!` names, without its path and version.
fn interpreter(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"#!")?;
    let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len()).min(256)];
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let program = base_name(words.next()?);
    let program = if program == b"env" {
        base_name(words.find(|word| !word.starts_with(b"-") && !word.contains(&b'='))?)
    } else {
        program
    };
    let end = program.iter().rposition(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
    Some(&program[..=end])
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

impl Language {
    /// The kinds of definitions that it has, by number.
    #[must_use]
    pub fn yields(&self) -> Vec<Kind> {
        let code = self.query.lines().filter(|line| !line.starts_with(';'));
        let captures = code.flat_map(|line| line.split('@').skip(1)).filter_map(|capture| {
            let end = capture.find(|c: char| !c.is_ascii_lowercase() && c != '.');
            capture[..end.unwrap_or(capture.len())].strip_prefix("definition.")
        });
        let kinds = captures.flat_map(|kinds| kinds.split('.')).filter_map(Kind::from_name);
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// How the definitions of any language are made of its tree; a change of that is counted here.
const RULES: u32 = 1;

/// A number that is another one whenever a text could have another outline.
#[must_use]
pub fn fingerprint() -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&RULES.to_le_bytes());
    for language in &ALL {
        let Language { name, number, aliases: _, extensions, files, interpreters, .. } = language;
        let row = (name, number, extensions, files, interpreters, language.grammar, language.query);
        hasher.update(format!("{row:?}").as_bytes());
    }
    let hash = hasher.finalize();
    u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
}
