//! Who mentions a name, and how.
//!
//! The trigrams say which files may have it; those are read. What they mention is stored with their
//! outlines, or they are parsed for it; that is remembered by their content, so that the next name in the
//! same files costs a look-up.

pub(crate) mod imports;
pub(crate) mod place;

use crate::cache::{Cache, Key, Missing, Namespace, Value};
use crate::outlines::{Links, Source};
use crate::parallel::Crew;
use crate::store::{Field, Store};
use crate::workspace::Snapshot;
use hob_index::plan::{Plan, PlanOptions, plan};
use hob_index::symbols::Outline;
use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::references::{Reference, Role};
use hob_index::tree::{Docs, File};
use hob_index::words::{COUNTED_BYTES, Word};
use std::collections::HashSet;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

/// A state of a workspace, and what is needed to ask it.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) root: &'a Path,
    pub(crate) snapshot: &'a Snapshot,
    /// The store that knows the snapshot's contents; without it every file is read.
    pub(crate) store: Option<&'a Store>,
    pub(crate) limits: Limits,
    /// What a parse follows from besides the text.
    pub(crate) rules: u64,
    pub(crate) cache: &'a Cache,
    pub(crate) crew: &'a Crew,
    pub(crate) stops: &'a (dyn Fn() -> bool + Sync),
}

/// A file that was read and parsed.
pub(crate) struct Parsed {
    pub(crate) path: Vec<u8>,
    pub(crate) language: &'static Language,
    pub(crate) text: Vec<u8>,
    pub(crate) mentioned: Arc<Mentioned>,
}

/// What a text defines and mentions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentioned {
    pub(crate) outline: Outline,
    pub(crate) references: Vec<Reference>,
}

impl Value for Mentioned {
    // It is kept in memory alone: most of it is in the store already.
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }

    fn decode(_: &[u8]) -> Option<Self> {
        None
    }

    fn weight(&self) -> usize {
        size_of_val(self.outline.symbols.as_slice()) + size_of_val(self.references.as_slice())
    }
}

/// Files that are read before another query may come in between.
const WINDOW: usize = 32;
/// So few files are faster read in place than handed to other threads.
const IN_PLACE: usize = 2;

/// What `take` makes of each file's mentions of a name in roles, in the order of paths; files without any
/// are left out. Of a file nothing else is kept: a common name is in thousands. `any_case` says that the name
/// is of a language that ignores case: there it counts as well where it is written in another one.
pub(crate) fn find<T: Send>(
    around: &Around<'_>,
    name: &[u8],
    any_case: bool,
    roles: &[Role],
    take: impl Fn(&Parsed, Vec<&Reference>) -> T + Sync,
) -> Vec<T> {
    let one = |extractor: &mut Option<Extractor>, (path, file): &(Vec<u8>, File)| {
        if (around.stops)() {
            return None;
        }
        let source =
            Source::read(&around.root.join(OsStr::from_bytes(path)), Links::Refuse).ok()?;
        if !has_word(&source.text(), name, any_case) {
            return None;
        }
        let extractor = extractor.get_or_insert_with(|| Extractor::new(around.limits));
        let parsed = parse(around, path, Some(file), source, extractor)?;
        let is_meant = |reference: &Reference| {
            let mentioned = parsed.name(reference);
            let any_case = any_case && parsed.language.ignores_case();
            let is_same =
                is_name(mentioned, name) || any_case && mentioned.eq_ignore_ascii_case(name);
            roles.contains(&reference.role) && is_same
        };
        let references = parsed.mentioned.references.iter();
        let meant: Vec<&Reference> = references.filter(|one| is_meant(one)).collect();
        (!meant.is_empty()).then(|| take(&parsed, meant))
    };
    let workers = around.crew.workers(|| None);
    let mut found = Vec::new();
    for window in candidates(around, name, any_case).chunks(WINDOW) {
        found.extend(workers.map(window, IN_PLACE, one).into_iter().flatten());
    }
    found
}

/// Whether what is mentioned is the name: a path that is included counts by its end.
fn is_name(mentioned: &[u8], name: &[u8]) -> bool {
    let end = || mentioned.strip_suffix(name).and_then(<[u8]>::last).copied();
    mentioned == name || end().is_some_and(|before| before == b'/')
}

/// The files that may have a name, in the order of paths.
fn candidates(around: &Around<'_>, name: &[u8], any_case: bool) -> Vec<(Vec<u8>, File)> {
    let options = PlanOptions { fixed_strings: true, case_insensitive: any_case };
    let plan = std::str::from_utf8(name).map(|name| plan(&[name.to_owned()], options));
    // A name that is no UTF-8 is looked for everywhere.
    let plan = plan.unwrap_or(Plan::All);
    let docs = around.store.and_then(|store| store.candidates(&plan).ok()).unwrap_or(Docs::All);
    // Trigrams of a short name are in many words.
    let word = if any_case { None } else { Word::of_any(name) };
    let having =
        around.store.zip(word).and_then(|(store, word)| store.words(Field::Text, word).ok());
    let having: Option<HashSet<u32>> =
        having.map(|having| having.into_iter().map(|(content, _)| content).collect());
    let has_word = |file: &File| match (&having, file.doc.known()) {
        (Some(having), Some(content)) => {
            // In UTF-8 it may be half as long again.
            having.contains(&content) || file.size > COUNTED_BYTES as u64 / 2
        }
        _ => true,
    };
    let mut files = Vec::new();
    around.snapshot.tree.for_each_file(&docs, &mut |path, file| {
        if has_word(file) && !languages::possible(path).is_empty() {
            files.push((path.to_vec(), *file));
        }
    });
    files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    files
}

/// Whether a text has a name that is not a part of another.
fn has_word(text: &[u8], name: &[u8], any_case: bool) -> bool {
    if any_case {
        let lower = |text: &[u8]| text.to_ascii_lowercase();
        return has_word(&lower(text), &lower(name), false);
    }

    let is_part = |byte: Option<&u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80)
    };
    memchr::memmem::find_iter(text, name).any(|at| {
        let before = at.checked_sub(1).and_then(|at| text.get(at));
        !is_part(before) && !is_part(text.get(at + name.len()))
    })
}

/// Reads a file and parses it. `file` is what the snapshot has of it.
pub(crate) fn read(around: &Around<'_>, path: &[u8], file: Option<&File>) -> Option<Parsed> {
    let source = Source::read(&around.root.join(OsStr::from_bytes(path)), Links::Refuse).ok()?;
    parse(around, path, file, source, &mut Extractor::new(around.limits))
}

fn parse(
    around: &Around<'_>,
    path: &[u8],
    file: Option<&File>,
    source: Source,
    extractor: &mut Extractor,
) -> Option<Parsed> {
    let language = source.language(path)?;
    let key = Key::of(Namespace::Mentioned)
        .bytes(source.bytes())
        .number(language.number.into())
        .number(around.rules)
        .finish();
    let text = source.text().into_owned();
    let make = || {
        let is_same = |file: &&File| file.outlined && file.print == source.print;
        let doc = file.filter(is_same).and_then(|file| file.doc.known());
        let stored = around.store.zip(doc);
        let stored =
            stored.and_then(|(store, doc)| store.outline(doc, language.number).ok().flatten());
        let outline = stored.unwrap_or_else(|| source.outline(language, extractor));
        let known = around.store.zip(doc).and_then(|(store, doc)| {
            store.references(doc, language.number, &text, &outline).ok().flatten()
        });
        let references =
            known.unwrap_or_else(|| extractor.references(language, &text, &outline).references);
        Ok::<_, Missing<Infallible>>(Mentioned { outline, references })
    };
    let mentioned = around.cache.get_or_compute(key, make).ok()?;
    Some(Parsed { path: path.to_vec(), language, text, mentioned })
}

impl Parsed {
    /// The name that is mentioned.
    pub(crate) fn name(&self, reference: &Reference) -> &[u8] {
        self.slice(&reference.name)
    }

    pub(crate) fn slice(&self, range: &std::ops::Range<u32>) -> &[u8] {
        self.text.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// The name of a definition, with what encloses it.
    pub(crate) fn whole_name(&self, symbol: u32) -> Vec<u8> {
        let symbols = &self.mentioned.outline.symbols;
        let mut names = Vec::new();
        let mut next = Some(symbol);
        while let Some(symbol) = next.and_then(|at| symbols.get(at as usize)) {
            names.push(self.slice(&symbol.name));
            next = symbol.parent.filter(|parent| Some(*parent) < next);
        }
        names.reverse();
        names.join(self.language.separator.as_bytes())
    }

    /// The text of the line that a byte is in, without white space around it, and no more than is worth showing.
    pub(crate) fn line(&self, from: u32) -> &[u8] {
        const SHOWN: usize = 300;
        let at = (from as usize).min(self.text.len());
        let start = memchr::memrchr(b'\n', &self.text[..at]).map_or(0, |newline| newline + 1);
        let rest = &self.text[start..];
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let shown = rest[..end].trim_ascii();
        &shown[..shown.len().min(SHOWN)]
    }
}
