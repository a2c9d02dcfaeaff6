//! The languages: a row each. What a language is called, which files are its, which grammar
//! reads it, what of it is a definition, and how its comments look.
//!
//! Nothing here parses. A new language is a row, a query beside it and a fixture.

mod recognize;
mod rows;

use std::sync::OnceLock;

use tree_sitter::Language as Grammar;

use super::Kind;
use super::assemble::Found;
use super::guards::Guarded;
use super::pieces::Skim;
pub use recognize::{may_be, named, of, possible};
use rows::ROWS;

/// A language, as far as its definitions go.
#[derive(Debug)]
pub struct Language {
    /// What it is called.
    pub name: &'static str,
    /// Its number in stores: it never changes its meaning.
    pub number: u8,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The extensions of its files, without a dot: in lower case, unless only capitals are its.
    pub extensions: &'static [&'static str],
    /// Extensions of another language that are its where the text says so.
    pub(super) claim: Option<Claim>,
    /// The whole names of files that are its.
    pub files: &'static [&'static str],
    /// The programs that run it, as a first line with `#!` has them, without a version.
    pub interpreters: &'static [&'static str],
    /// How comments look.
    pub comments: Comments,
    /// What is written between the name of a definition and what encloses it.
    pub separator: &'static str,
    /// The crate of the grammar or parser, and its version.
    pub grammar: (&'static str, &'static str),
    /// What reads it.
    pub(super) reader: Reader,
    /// What is a definition and what a mention, in the grammar's terms: the files of patterns, which
    /// say the one before a line `;; References` and the other after it. See [`super::rules`].
    pub(super) queries: &'static [&'static str],
    /// What of a text the grammar may be given.
    pub(super) guard: fn(&[u8]) -> Guarded<'_>,
    /// What takes away, before the grammar reads it, text that can define nothing.
    pub(super) skim: Option<fn(&[u8]) -> Skim>,
}

/// What reads a language.
#[derive(Debug)]
pub(super) enum Reader {
    /// A grammar of tree-sitter.
    Grammar(fn() -> Grammar),
    /// A parser that is faster than any grammar could be.
    Parser {
        /// What a text defines; none where it would take too much work to say.
        parse: fn(&[u8]) -> Option<Vec<Found>>,
        /// The kinds of that, by number.
        kinds: &'static [Kind],
    },
}

/// Extensions that are a language's where the text says so.
#[derive(Debug)]
pub(super) struct Claim {
    extensions: &'static [&'static str],
    says: fn(&[u8]) -> bool,
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
    /// Which string documents a definition, if one does.
    pub(super) docstring: Option<Docstring>,
}

/// A string that documents a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Docstring {
    /// The first one of its body.
    Within,
    /// The one before it.
    Before,
}

/// All of them.
#[must_use]
pub fn all() -> &'static [Language] {
    ROWS
}

/// The language of that name or alias, whatever its case.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Language> {
    ROWS.iter().find(|language| {
        let mut names = [language.name].into_iter().chain(language.aliases.iter().copied());
        names.any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// The language of that number.
#[must_use]
pub fn by_number(number: u8) -> Option<&'static Language> {
    ROWS.iter().find(|language| language.number == number)
}

/// What stands in a file of patterns between those for definitions and those for mentions.
const MARK: &str = ";; References\n";

impl Language {
    /// Whether mentions of names are found in it: it is code, and no data or document.
    #[must_use]
    pub fn has_references(&self) -> bool {
        static HAS: [OnceLock<bool>; 256] = [const { OnceLock::new() }; 256];
        let has = || self.mentions().lines().any(|line| line.contains("@reference."));
        *HAS[usize::from(self.number)].get_or_init(has)
    }

    /// Whether names are the same in any case.
    #[must_use]
    pub fn ignores_case(&self) -> bool {
        matches!(self.name, "fortran" | "sql")
    }

    /// Languages of one family mention what the others define: a number that they share.
    #[must_use]
    pub fn family(&self) -> u8 {
        let families: [&[&str]; 4] = [
            &["c", "cpp"],
            &["javascript", "typescript", "tsx"],
            &["java", "kotlin", "scala"],
            &["ocaml", "ocaml_interface"],
        ];
        let own = families.iter().find(|family| family.contains(&self.name));
        own.and_then(|family| by_name(family[0])).map_or(self.number, |first| first.number)
    }

    /// The grammar, if it has one.
    pub(super) fn grammar(&self) -> Option<Grammar> {
        match self.reader {
            Reader::Grammar(load) => Some(load()),
            Reader::Parser { .. } => None,
        }
    }

    /// The patterns for definitions.
    pub(super) fn definitions(&self) -> String {
        self.queries.iter().map(|query| query.split(MARK).next().unwrap_or_default()).collect()
    }

    /// The patterns for mentions.
    pub(super) fn mentions(&self) -> String {
        self.queries.iter().filter_map(|query| query.split(MARK).nth(1)).collect()
    }

    /// The kinds of definitions that it has, by number.
    #[must_use]
    pub fn yields(&self) -> Vec<Kind> {
        if let Reader::Parser { kinds, .. } = self.reader {
            return kinds.to_vec();
        }
        let definitions = self.definitions();
        let code = definitions.lines().filter(|line| !line.starts_with(';'));
        let captures = code.flat_map(|line| line.split('@').skip(1)).filter_map(|capture| {
            let end = capture.find(|c: char| !c.is_ascii_lowercase() && c != '.');
            capture[..end.unwrap_or(capture.len())].split_once('.')
        });
        let kinds = captures.flat_map(|(_, kinds)| kinds.split('.')).filter_map(Kind::from_name);
        let mut kinds: Vec<_> = kinds.collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }
}

/// All languages, as a table in Markdown.
#[must_use]
pub fn table() -> String {
    let mut table = String::from(
        "| language | files | kinds | references | grammar |\n| --- | --- | --- | --- | --- |\n",
    );
    for language in ROWS {
        let Language { name, aliases, extensions, claim, files, interpreters, .. } = language;
        let claimed = claim.as_ref().map_or(&[][..], |claim| claim.extensions);
        let cells = [
            list(&[("", &[name]), ("", aliases)], ""),
            list(&[("*.", extensions), ("*.", claimed), ("", files), ("#!", interpreters)], "`"),
            language.yields().into_iter().map(Kind::name).collect::<Vec<_>>().join(", "),
            if language.has_references() { "yes" } else { "no" }.to_owned(),
            format!("{} {}", language.grammar.0, language.grammar.1),
        ];
        table.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    table
}

/// Words, each group with what goes before each.
fn list(groups: &[(&str, &[&str])], quote: &str) -> String {
    let words = groups.iter().flat_map(|(before, words)| {
        words.iter().map(move |word| format!("{quote}{before}{word}{quote}"))
    });
    words.collect::<Vec<_>>().join(if quote.is_empty() { ", " } else { " " })
}

/// How the definitions of any language are made of its tree; a change of that is counted here.
const RULES: u32 = 7;

/// A number that is another one whenever a text could have another outline.
#[must_use]
pub fn fingerprint() -> u64 {
    // All queries go into it, and whoever outlines something asks for it.
    static FINGERPRINT: std::sync::LazyLock<u64> = std::sync::LazyLock::new(hash_rows);
    *FINGERPRINT
}

fn hash_rows() -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&RULES.to_le_bytes());
    for language in ROWS {
        let Language { name, number, aliases: _, extensions, files, interpreters, .. } = language;
        let row = (
            name,
            number,
            extensions,
            files,
            interpreters,
            language.grammar,
            language.definitions(),
            language.mentions(),
        );
        let claims = language.claim.as_ref().map(|claim| claim.extensions);
        hasher.update(format!("{row:?} {claims:?} {:?}", language.comments).as_bytes());
    }
    let hash = hasher.finalize();
    u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
}
