//! What given files define.

use crate::cache::{Cache, Key, Namespace, Value};
use crate::outlines::{Links, Source};
use crate::store::Store;
use crate::workspace::Snapshot;
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::Language;
use hob_index::symbols::text::{Window, doc_line, signature};
use hob_index::symbols::{self, Symbol};
use hob_index::tree::Node;
use hob_protocol::{
    Extent, FileError, Kind, Outline, OutlineSymbol, Position, Range as Span, Text,
};
use std::convert::Infallible;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

/// Bytes before a definition where its comment is looked for.
const AROUND: u32 = 4 << 10;

/// A workspace's state, which may know what a file defines.
pub(crate) struct Stored<'a> {
    pub(crate) root: &'a Path,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) store: &'a Store,
}

/// With what outlines are made.
pub(crate) struct Maker<'a> {
    pub(crate) extractor: &'a mut Extractor,
    pub(crate) cache: &'a Cache,
    /// What an outline follows from besides the text: see [`crate::outlines::rules`].
    pub(crate) rules: u64,
}

/// An outline, and of what state of its file it is.
pub(crate) struct Outlined {
    pub(crate) outline: Arc<Outline>,
    /// [`print`](crate::workspace::scan::print) of its stat.
    pub(crate) print: u64,
}

/// Outlines a file, named so by the query. `path` is canonical.
pub(crate) fn outline(
    named: &Text,
    path: &Path,
    stored: Option<&Stored<'_>>,
    maker: &mut Maker<'_>,
) -> Result<Outlined, FileError> {
    let refuse = |why: String, hint: &str| FileError {
        kind: Kind::BadPath,
        message: format!("cannot outline `{}`: {why}", named.as_path().display()),
        hint: hint.to_owned(),
    };
    let source =
        Source::read(path, Links::Follow).map_err(|error| refuse(reason(&error), hint(&error)))?;
    if source.is_binary() {
        return Err(refuse("it is binary".into(), ""));
    }
    let text = source.text();
    let Some(language) = source.language(path.as_os_str().as_bytes()) else {
        return Err(refuse(
            "its language is not known".into(),
            "`hob languages` lists those that are",
        ));
    };
    let key = Key::of(Namespace::Outlines)
        .bytes(source.bytes())
        .number(language.number.into())
        .number(maker.rules)
        .finish();
    let extractor = &mut *maker.extractor;
    let described = maker.cache.get_or_compute::<_, Infallible>(key, || {
        let known = stored.and_then(|stored| stored.outline(path, source.print, language));
        let outline = known.unwrap_or_else(|| source.outline(language, extractor));
        Ok(describe(&outline, language, &text))
    });
    let described =
        described.map_err(|_| refuse("another who outlined it has failed".into(), "ask again"))?;
    Ok(Outlined { outline: described, print: source.print })
}

impl Value for Outline {
    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn weight(&self) -> usize {
        let text = |symbol: &OutlineSymbol| {
            let doc = symbol.doc.as_ref().map_or(0, |doc| doc.as_bytes().len());
            symbol.name.as_bytes().len()
                + symbol.kind.len()
                + symbol.signature.as_bytes().len()
                + doc
        };
        self.symbols.iter().map(|symbol| text(symbol) + size_of::<OutlineSymbol>()).sum()
    }
}

impl Stored<'_> {
    /// What is stored of a file in this very state.
    fn outline(&self, path: &Path, print: u64, language: &Language) -> Option<symbols::Outline> {
        let relative = path.strip_prefix(self.root).ok()?;
        let Node::File(file) = self.snapshot.tree.at(relative.as_os_str().as_bytes())? else {
            return None;
        };
        let doc = file.doc.known().filter(|_| file.outlined && file.print == print)?;
        // Where it cannot be read, the file is parsed.
        self.store.outline(doc, language.number).ok().flatten()
    }
}

fn describe(outline: &symbols::Outline, language: &Language, text: &[u8]) -> Outline {
    let newlines: Vec<u32> = memchr::memchr_iter(b'\n', text).map(|at| at as u32).collect();
    let mut depths: Vec<u32> = Vec::with_capacity(outline.symbols.len());
    let mut symbols = Vec::with_capacity(outline.symbols.len());
    for symbol in &outline.symbols {
        let around = symbol.parent.and_then(|parent| depths.get(parent as usize));
        let depth = around.map_or(0, |depth| depth + 1);
        depths.push(depth);
        // What is further off documents nothing, and would be looked through for each definition.
        let from = symbol.range.start.saturating_sub(AROUND);
        let window = Window::new(text.get(from as usize..).unwrap_or_default(), from);
        symbols.push(OutlineSymbol {
            name: Text::from(super::fresh::name_of(text, symbol)),
            kind: symbol.kind.name().to_owned(),
            parent: symbol.parent,
            depth,
            line: symbol.line.into(),
            column: symbol.column.into(),
            range: span(&newlines, symbol),
            signature: Text::from(signature(&window, symbol, language).as_slice()),
            doc: doc_line(&window, symbol, language).map(Text::from),
        });
    }
    let extent = match outline.extent {
        symbols::Extent::Whole => Extent::Whole,
        symbols::Extent::Errors => Extent::Errors,
        symbols::Extent::Cut => Extent::Cut,
        symbols::Extent::GivenUp => Extent::GivenUp,
    };
    Outline { language: language.name.to_owned(), extent, symbols }
}

fn span(newlines: &[u32], symbol: &Symbol) -> Span {
    let position =
        |line: u32, at: u32| Position { line: line.into(), column: column(newlines, at) };
    let end = position(symbol.last_line, symbol.range.end.saturating_sub(1));
    Span {
        start: position(symbol.first_line, symbol.range.start),
        end: Position { column: end.column + 1, ..end },
    }
}

/// The column of a byte, from 1.
fn column(newlines: &[u32], at: u32) -> u64 {
    let before = newlines.partition_point(|newline| *newline < at);
    let line = before.checked_sub(1).map_or(0, |line| newlines[line] + 1);
    u64::from(at - line) + 1
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".into(),
        io::ErrorKind::IsADirectory => "it is a directory".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::IsADirectory => "name the files in it",
        _ => "",
    }
}
