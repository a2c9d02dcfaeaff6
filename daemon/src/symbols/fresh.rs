//! What files define whose definitions are not stored: those that have just changed, and at first
//! all.
//!
//! A few are outlined when they are asked about, and remembered until they are stored. Of many
//! only those are that have the name somewhere in their text.

use super::Around;
use crate::outlines::{Links, Source};
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use hob_index::symbols::{Outline, Symbol};
use hob_index::tree::{Docs, File};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many files are outlined for a query without asking whether they have the name.
const FEW: usize = 512;
/// Files that are read before another query may come in between.
const WINDOW: usize = 32;

/// What a file defines.
pub(crate) struct Outlined {
    pub(crate) language: &'static Language,
    pub(crate) outline: Outline,
}

/// A file that was outlined for a query.
pub(crate) struct Fresh {
    pub(crate) path: Vec<u8>,
    /// The state of the file: its print, and how often it had changed.
    state: (u64, u32),
    /// `None` where it is of no language, or could not be read.
    pub(crate) outlined: Option<Outlined>,
    /// The names, one after the other, and where each ends.
    names: Vec<u8>,
    ends: Vec<u32>,
}

impl Fresh {
    fn new(path: &[u8], state: (u64, u32), outlined: Option<Outlined>, text: &[u8]) -> Self {
        let (mut names, mut ends) = (Vec::new(), Vec::new());
        for symbol in outlined.iter().flat_map(|outlined| &outlined.outline.symbols) {
            names.extend_from_slice(name_of(text, symbol));
            ends.push(u32::try_from(names.len()).unwrap_or(u32::MAX));
        }
        Self { path: path.to_vec(), state, outlined, names, ends }
    }

    /// The state of the file that it is of.
    pub(crate) fn print(&self) -> u64 {
        self.state.0
    }

    /// The definitions with their names.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = (&[u8], &Symbol)> {
        let symbols = self.outlined.iter().flat_map(|outlined| &outlined.outline.symbols);
        symbols.enumerate().map(|(at, symbol)| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            (&self.names[start as usize..self.ends[at] as usize], symbol)
        })
    }
}

/// The name of a symbol, from the text that it is of.
pub(crate) fn name_of<'a>(text: &'a [u8], symbol: &Symbol) -> &'a [u8] {
    text.get(symbol.name.start as usize..symbol.name.end as usize).unwrap_or_default()
}

/// The files of a workspace that were outlined for queries.
#[derive(Default)]
pub(crate) struct FreshFiles(Mutex<HashMap<Vec<u8>, Arc<Fresh>>>);

/// What was found of files that are not stored.
pub(crate) struct Gathered {
    pub(crate) files: Vec<Arc<Fresh>>,
    /// Each was outlined; otherwise those that do not have the name were passed over.
    pub(crate) all: bool,
}

impl FreshFiles {
    /// The files whose definitions are not stored. `has_name` tells of a text whether a definition of
    /// the name can be in it.
    pub(crate) fn gather(
        &self,
        around: &Around<'_>,
        has_name: &(dyn Fn(&[u8]) -> bool + Sync),
    ) -> Gathered {
        let Around { root, snapshot, limits, crew, .. } = *around;
        let mut wanted = Vec::new();
        let mut want = |path: &[u8], file: &File| {
            if !languages::possible(path).is_empty() {
                wanted.push((path.to_vec(), *file));
            }
        };
        match around.store {
            Some(_) => snapshot.tree.for_each_unoutlined(&mut want),
            None => snapshot.tree.for_each_file(&Docs::All, &mut want),
        }
        let all = wanted.len() <= FEW;
        type Asked<'a> = (&'a (Vec<u8>, File), Option<Arc<Fresh>>);
        let asked: Vec<Asked<'_>> = wanted.iter().zip(self.known(&wanted)).collect();
        let outline =
            |extractor: &mut Option<Extractor>, ((path, file), known): &Asked<'_>| match known {
                _ if around.stops() => None,
                Some(fresh) => Some(fresh.clone()),
                None => {
                    let extractor = extractor.get_or_insert_with(|| Extractor::new(limits));
                    read(root, path, file, extractor, &|text| all || has_name(text)).map(Arc::new)
                }
            };
        let mut files: Vec<Arc<Fresh>> = Vec::new();
        let workers = crew.workers(|| None);
        // In windows, so that who asks for less comes in between.
        for window in asked.chunks(WINDOW) {
            files.extend(workers.map(window, 1, outline).into_iter().flatten());
        }
        self.remember(&files, all);
        Gathered { files, all: all && !around.stops() }
    }

    /// What is known of each file in its state.
    fn known(&self, wanted: &[(Vec<u8>, File)]) -> Vec<Option<Arc<Fresh>>> {
        let known = self.lock();
        let in_state = |(path, file): &(Vec<u8>, File)| {
            known.get(path).filter(|fresh| fresh.state == (file.print, file.touch)).cloned()
        };
        wanted.iter().map(in_state).collect()
    }

    /// Remembers these and no others: what is not asked for any more is stored.
    fn remember(&self, files: &[Arc<Fresh>], all: bool) {
        let mut known = self.lock();
        if known.is_empty() && files.is_empty() {
            return;
        }
        let keep = if all { files } else { &[] };
        *known = keep.iter().map(|fresh| (fresh.path.clone(), fresh.clone())).collect();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Arc<Fresh>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Outlines a file as it is now; `None` where it is passed over or gone.
fn read(
    root: &Path,
    path: &[u8],
    file: &File,
    extractor: &mut Extractor,
    worth: &dyn Fn(&[u8]) -> bool,
) -> Option<Fresh> {
    let source = Source::read(&root.join(OsStr::from_bytes(path)), Links::Refuse).ok()?;
    let text = source.text();
    if !worth(&text) {
        return None;
    }
    // In another state than the snapshot's it is of a later change, which may be seen as well; the
    // print is then another one, and it is not taken for known.
    let touch = if source.print == file.print { file.touch } else { u32::MAX };
    let outlined = source
        .language(path)
        .map(|language| Outlined { language, outline: source.outline(language, extractor) });
    Some(Fresh::new(path, (source.print, touch), outlined, &text))
}
