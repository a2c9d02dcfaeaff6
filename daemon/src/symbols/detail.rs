//! Reads the text of what was found: names, signatures, comments.

use super::asked::Asked;
use super::{Around, Finder, Hit, Place};
use crate::outlines;
use crate::store::Store;
use crate::workspace::scan::print;
use hob_index::names::Entry;
use hob_index::symbols::Symbol;
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::text::{Window, doc_line, signature};
use hob_index::trigram::text_of;
use hob_protocol::{SymbolMatch, Text};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

/// So many are read before it is known whether they are enough.
const WINDOW: usize = 512;
/// So few files are faster read in place than handed to other threads.
const IN_PLACE: usize = 4;
/// Definitions around one that are told, at most.
const DEEPEST: usize = 64;
/// A file up to this size is read as a whole.
const WHOLE: u64 = 256 << 10;
/// Bytes before a definition where its comment is looked for, and after its head where a
/// docstring is.
const AROUND: u32 = 4 << 10;
/// Bytes of a text by which its language is known.
const RECOGNIZED: u32 = 64 << 10;
/// Bytes of a signature that are looked at.
const HEAD: u32 = 16 << 10;

/// What came of one hit.
enum Detail {
    Symbol(Box<SymbolMatch>),
    /// On a closer look it is not what was asked for, or cannot be read.
    Nothing,
    /// The file has changed.
    Stale,
}

impl Finder<'_> {
    /// What is to be told of the best hits, one more than is asked for; and whether a file has
    /// changed meanwhile.
    pub(super) fn details(&self, hits: Vec<Hit>) -> (Vec<SymbolMatch>, bool) {
        let wanted = self.asked.limit.saturating_add(1);
        let (mut symbols, mut stale) = (Vec::new(), false);
        let mut rest = hits.as_slice();
        while symbols.len() < wanted && !rest.is_empty() && !self.around.cancel.is_cancelled() {
            let window = match self.asked.container {
                None => wanted - symbols.len(),
                Some(_) => WINDOW,
            };
            let (now, later) = rest.split_at(window.min(rest.len()));
            rest = later;
            for detail in self.window(now) {
                match detail {
                    Detail::Symbol(symbol) => symbols.push(*symbol),
                    Detail::Nothing => {}
                    Detail::Stale => stale = true,
                }
            }
        }
        (symbols, stale)
    }

    /// Each hit's detail, in their order; each file is opened once.
    fn window(&self, hits: &[Hit]) -> Vec<Detail> {
        let mut order: Vec<usize> = (0..hits.len()).collect();
        order.sort_by(|a, b| hits[*a].path.cmp(&hits[*b].path));
        let files: Vec<&[usize]> = order.chunk_by(|a, b| hits[*a].path == hits[*b].path).collect();
        let one = |file: &&[usize]| -> Vec<(usize, Detail)> { self.file(hits, file) };
        let mut details: Vec<(usize, Detail)> = match files.len() {
            0..=IN_PLACE => files.iter().flat_map(one).collect(),
            _ => self.around.pool.install(|| files.par_iter().flat_map_iter(one).collect()),
        };
        details.sort_by_key(|(at, _)| *at);
        details.into_iter().map(|(_, detail)| detail).collect()
    }

    fn file(&self, hits: &[Hit], these: &[usize]) -> Vec<(usize, Detail)> {
        let path = self.around.root.join(OsStr::from_bytes(&hits[these[0]].path));
        let mut pages = Pages::open(&path);
        let detail = |at: &usize| {
            let detail = match &mut pages {
                Ok(pages) => detail(&self.around, self.asked, &hits[*at], pages),
                Err(_) => Ok(Detail::Stale),
            };
            (*at, detail.unwrap_or(Detail::Stale))
        };
        these.iter().map(detail).collect()
    }
}

fn detail(around: &Around<'_>, asked: &Asked, hit: &Hit, pages: &mut Pages) -> io::Result<Detail> {
    let (known, expected) = match &hit.place {
        Place::Stored(entry, expected) => {
            let known = around.store.and_then(|store| stored(store, entry));
            (known.zip(languages::by_number(entry.language)), *expected)
        }
        Place::Fresh(fresh, at) => {
            let known = fresh.outlined.as_ref().map(|outlined| {
                let symbols = &outlined.outline.symbols;
                ((symbols[*at].clone(), enclosing(symbols, *at)), outlined.language)
            });
            (known, fresh.print())
        }
    };
    if pages.print != expected {
        return Ok(Detail::Stale);
    }
    let Some(((symbol, parents), language)) = known else { return Ok(Detail::Nothing) };
    if !pages.is_of(&hit.path, language)? {
        return Ok(Detail::Nothing);
    }
    let name = pages.slice(&symbol.name)?.into_owned();
    let container = container(&symbol, &parents, language, pages)?;
    if !asked.accepts(&name, container.as_deref(), hit.whole) {
        return Ok(Detail::Nothing);
    }
    let (bytes, from) = pages.around(&symbol)?;
    let window = Window::new(&bytes, from);
    Ok(Detail::Symbol(Box::new(SymbolMatch {
        signature: Text::from(signature(&window, &symbol, language).as_slice()),
        doc: doc_line(&window, &symbol, language).map(Text::from),
        name: Text::from(name.as_slice()),
        kind: symbol.kind.name().to_owned(),
        container: container.map(|container| Text::from(container.as_slice())),
        path: Text::from(&*hit.path),
        line: symbol.line.into(),
        column: symbol.column.into(),
        end_line: symbol.last_line.into(),
        language: language.name.to_owned(),
        matched: hit.rank.tier.matched(),
    })))
}

/// A definition, and those around it, outermost first.
fn stored(store: &Store, entry: &Entry) -> Option<(Symbol, Vec<Symbol>)> {
    let symbol = store.symbol(entry.doc, entry.language, entry.ordinal).ok()?;
    let mut around = store.enclosing(entry.doc, entry.language, &symbol, DEEPEST).ok()?;
    around.reverse();
    Some((symbol, around))
}

/// The definitions around one, outermost first.
fn enclosing(symbols: &[Symbol], at: usize) -> Vec<Symbol> {
    let parent = |symbol: &Symbol| symbol.parent.and_then(|parent| symbols.get(parent as usize));
    let around = std::iter::successors(parent(&symbols[at]), |symbol| parent(symbol));
    let mut around: Vec<Symbol> = around.take(DEEPEST).cloned().collect();
    around.reverse();
    around
}

/// What encloses a definition, as it would be written.
fn container(
    symbol: &Symbol,
    parents: &[Symbol],
    language: &Language,
    pages: &mut Pages,
) -> io::Result<Option<Vec<u8>>> {
    let mut parts = Vec::new();
    for place in parents.iter().map(|parent| &parent.name).chain(&symbol.scope) {
        parts.push(pages.slice(place)?.into_owned());
    }
    let whole = parts.join(language.separator.as_bytes());
    Ok((!whole.is_empty()).then_some(whole))
}

/// A file, of which as little is read as is needed.
struct Pages {
    file: File,
    /// The file's state.
    print: u64,
    /// The text, where it is read as a whole.
    whole: Option<Vec<u8>>,
    size: u64,
    /// How long the mark of the encoding is, which is no part of the text.
    mark: u64,
}

impl Pages {
    fn open(path: &std::path::Path) -> io::Result<Self> {
        let file = outlines::open(path)?;
        let stat = rustix::fs::fstat(&file)?;
        let size = stat.st_size.cast_unsigned();
        let mut pages = Self { file, print: print(&stat), whole: None, size, mark: 0 };
        let head = pages.read(0, 3)?;
        let utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
        if size <= WHOLE || utf16 {
            let bytes = pages.read(0, size)?;
            pages.whole = Some(text_of(&bytes).into_owned());
        } else if head.starts_with(b"\xef\xbb\xbf") {
            pages.mark = 3;
        }
        Ok(pages)
    }

    /// Whether the text in a file of that name is of the language: the same text is of another one
    /// under another name.
    fn is_of(&self, path: &[u8], language: &Language) -> io::Result<bool> {
        if languages::possible(path).len() == 1 {
            return Ok(true);
        }
        let head = self.slice(&(0..RECOGNIZED))?;
        Ok(languages::of(path, &head).is_some_and(|own| own.number == language.number))
    }

    fn read(&self, from: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = length.min(self.size.saturating_sub(from));
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        let mut filled = 0;
        while filled < bytes.len() {
            match rustix::io::pread(&self.file, &mut bytes[filled..], from + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn slice(&self, range: &std::ops::Range<u32>) -> io::Result<Cow<'_, [u8]>> {
        match &self.whole {
            Some(text) => {
                let end = text.len().min(range.end as usize);
                Ok(Cow::Borrowed(text.get(range.start as usize..end).unwrap_or_default()))
            }
            None => {
                let length = u64::from(range.end.saturating_sub(range.start));
                self.read(u64::from(range.start) + self.mark, length).map(Cow::Owned)
            }
        }
    }

    /// The text around a definition, and where it begins.
    fn around(&self, symbol: &Symbol) -> io::Result<(Cow<'_, [u8]>, u32)> {
        let from = symbol.range.start.saturating_sub(AROUND);
        let head = symbol.head.min(symbol.range.start.saturating_add(HEAD));
        Ok((self.slice(&(from..head.saturating_add(AROUND)))?, from))
    }
}
