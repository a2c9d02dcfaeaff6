//! Reads the text of what was found: names, signatures, comments.

use super::pages::Pages;
use super::{Finder, Hit, Place};
use crate::outlines::{Links, Source};
use crate::store::{Store, StoreError};
use hob_index::names::Entry;
use hob_index::symbols::Symbol;
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::text::{Window, doc_line, signature};
use hob_protocol::{SymbolMatch, Text};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// So many are read before it is known whether they are enough.
const WINDOW: usize = 512;
/// So many hits are read for one query, at most, to learn what encloses them.
const ENCLOSED: usize = 4096;
/// So few files are faster read in place than handed to other threads.
const IN_PLACE: usize = 4;
/// Definitions around one that are told, at most.
const DEEPEST: usize = 64;

/// What came of one hit.
enum Detail {
    Symbol(Box<SymbolMatch>),
    /// On a closer look it is not what was asked for, or cannot be read.
    Nothing,
    /// The file has changed.
    Stale,
}

/// The best hits with their text, one more than is asked for.
#[derive(Default)]
pub(super) struct Details {
    pub(super) symbols: Vec<SymbolMatch>,
    /// So many hits were looked at for it.
    pub(super) looked_at: usize,
    /// A file has changed since the snapshot.
    pub(super) stale: bool,
}

impl Finder<'_> {
    /// What is to be told of the best hits.
    pub(super) fn details(&self, hits: &[Hit]) -> Result<Details, StoreError> {
        let wanted = self.asked.limit.saturating_add(1);
        let most = match self.asked.container {
            None => hits.len(),
            Some(_) => hits.len().min(ENCLOSED),
        };
        let mut details = Details::default();
        while details.symbols.len() < wanted && details.looked_at < most && !self.around.stops() {
            let window = match self.asked.container {
                None => wanted - details.symbols.len(),
                Some(_) => WINDOW,
            };
            let window = &hits[details.looked_at..hits.len().min(details.looked_at + window)];
            details.looked_at += window.len();
            for detail in self.window(window)? {
                match detail {
                    Detail::Symbol(symbol) => details.symbols.push(*symbol),
                    Detail::Nothing => {}
                    Detail::Stale => details.stale = true,
                }
            }
        }
        Ok(details)
    }

    /// Each hit's detail, in their order; each file is opened once.
    fn window(&self, hits: &[Hit]) -> Result<Vec<Detail>, StoreError> {
        let mut order: Vec<usize> = (0..hits.len()).collect();
        order.sort_by(|a, b| hits[*a].path.cmp(&hits[*b].path));
        let files: Vec<&[usize]> = order.chunk_by(|a, b| hits[*a].path == hits[*b].path).collect();
        let one = |these: &&[usize]| {
            let hits: Vec<&Hit> = these.iter().map(|at| &hits[*at]).collect();
            Ok(these.iter().copied().zip(self.file(&hits)?).collect::<Vec<_>>())
        };
        let files = self.around.crew.map(&files, IN_PLACE, one);
        let files: Vec<Vec<(usize, Detail)>> =
            files.into_iter().collect::<Result<_, StoreError>>()?;
        let mut details: Vec<(usize, Detail)> = files.into_iter().flatten().collect();
        details.sort_by_key(|(at, _)| *at);
        Ok(details.into_iter().map(|(_, detail)| detail).collect())
    }

    /// The details of hits in one file.
    fn file(&self, hits: &[&Hit]) -> Result<Vec<Detail>, StoreError> {
        let path = self.around.root.join(OsStr::from_bytes(&hits[0].path));
        let mut details = Vec::with_capacity(hits.len());
        match Pages::open(&path) {
            Ok(pages) => {
                for hit in hits {
                    details.push(self.detail(hit, &pages)?);
                }
                if !pages.is_unchanged() {
                    details.fill_with(|| Detail::Stale);
                }
            }
            Err(_) => details.resize_with(hits.len(), || Detail::Stale),
        }
        let is_stale = details.iter().any(|detail| matches!(detail, Detail::Stale));
        Ok(if is_stale && self.last { self.afresh(&path, hits) } else { details })
    }

    fn detail(&self, hit: &Hit, pages: &Pages) -> Result<Detail, StoreError> {
        let (known, language, expected) = match &hit.place {
            Place::Stored(entry, expected) => {
                let Some(store) = self.around.store else { return Ok(Detail::Nothing) };
                (stored(store, entry)?, languages::by_number(entry.language), *expected)
            }
            Place::Fresh(fresh, at) => {
                let Some(outlined) = &fresh.outlined else { return Ok(Detail::Nothing) };
                let symbols = &outlined.outline.symbols;
                let known = (symbols[*at].clone(), enclosing(symbols, *at));
                (known, Some(outlined.language), fresh.print())
            }
        };
        let Some(language) = language else { return Ok(Detail::Nothing) };
        if pages.print != expected {
            return Ok(Detail::Stale);
        }
        Ok(self.describe(hit, &known, language, pages).unwrap_or(Detail::Stale))
    }

    fn describe(
        &self,
        hit: &Hit,
        (symbol, parents): &(Symbol, Vec<Symbol>),
        language: &Language,
        pages: &Pages,
    ) -> io::Result<Detail> {
        if !pages.is_of(&hit.path, language)? {
            return Ok(Detail::Nothing);
        }
        let name = pages.slice(&symbol.name)?.into_owned();
        if hit.whole && name != hit.rank.name() {
            return Ok(Detail::Stale);
        }
        let container = container(symbol, parents, language, pages)?;
        if !self.asked.accepts(&name, container.as_deref(), hit.whole) {
            return Ok(Detail::Nothing);
        }
        let (bytes, from) = pages.around(symbol)?;
        let window = Window::new(&bytes, from);
        Ok(Detail::Symbol(Box::new(SymbolMatch {
            signature: Text::from(signature(&window, symbol, language).as_slice()),
            doc: doc_line(&window, symbol, language).map(Text::from),
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

    /// The details of hits in a file that changes all the time: as it is now, if it still has them.
    fn afresh(&self, path: &Path, hits: &[&Hit]) -> Vec<Detail> {
        let nothing = || hits.iter().map(|_| Detail::Nothing).collect();
        let Ok(source) = Source::read(path, Links::Refuse) else { return nothing() };
        let Some(language) = source.language(&hits[0].path) else { return nothing() };
        let outline = source.outline(language, &mut Extractor::new(self.around.limits));
        let (text, mut taken) = (source.text(), HashSet::new());
        let pages = Pages::of(&text);
        let detail = |hit: &&Hit| {
            let symbols = outline.symbols.iter().enumerate();
            let mut alike = symbols.filter(|(_, symbol)| {
                hit.whole && super::fresh::name_of(&text, symbol) == hit.rank.name()
            });
            match alike.find(|(at, _)| taken.insert(*at)) {
                Some((at, symbol)) => {
                    let known = (symbol.clone(), enclosing(&outline.symbols, at));
                    self.describe(hit, &known, language, &pages).unwrap_or(Detail::Nothing)
                }
                None => Detail::Nothing,
            }
        };
        hits.iter().map(detail).collect()
    }
}

/// A definition, and those around it, outermost first.
fn stored(store: &Store, entry: &Entry) -> Result<(Symbol, Vec<Symbol>), StoreError> {
    let symbol = store.symbol(entry.doc, entry.language, entry.ordinal)?;
    let mut around = store.enclosing(entry.doc, entry.language, &symbol, DEEPEST)?;
    around.reverse();
    Ok((symbol, around))
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
    pages: &Pages,
) -> io::Result<Option<Vec<u8>>> {
    let mut parts = Vec::new();
    for place in parents.iter().map(|parent| &parent.name).chain(&symbol.scope) {
        parts.push(pages.slice(place)?.into_owned());
    }
    let whole = parts.join(language.separator.as_bytes());
    Ok((!whole.is_empty()).then_some(whole))
}
