//! The files of a snapshot as the ranking sees them: numbered in the order of their paths, with the
//! words of those that the store does not know yet.

use crate::outlines::{Links, Source};
use crate::parallel::Crew;
use crate::store::{Field, Store, StoreError};
use hob_index::context::documents::Documents;
use hob_index::context::rank::Corpus;
use hob_index::graph;
use hob_index::symbols::extract::{Extractor, Limits};
use hob_index::symbols::languages;
use hob_index::tree::{Dir, Docs, File, diff};
use hob_index::words::{self, Counter, Posting, Word};
use rustix::io::Errno;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// So many files that are not in the store are read for a query.
const FRESH: usize = 4_096;
/// Files that are read before another query may come in between.
const WINDOW: usize = 32;

/// What is kept from one query to the next.
#[derive(Default)]
pub(super) struct Tables(Mutex<Option<Arc<Table>>>);

/// The files of a tree.
pub(super) struct Table {
    tree: Arc<Dir>,
    pub(super) epoch: u64,
    pub(super) documents: Arc<Documents>,
    /// By document.
    pub(super) files: Vec<File>,
    /// By number of a content: the first document that has it. `next`: the one after a document.
    first: Vec<u32>,
    next: Vec<u32>,
    /// Files whose words are not, or not all, in the store.
    fresh: Vec<(u32, Arc<Fresh>)>,
    /// All of them are here.
    pub(super) is_whole: bool,
}

/// The words of a file that the store does not know yet.
pub(super) struct Fresh {
    pub(super) state: (u64, u32),
    /// None where those of its text are in the store.
    pub(super) text: Option<Vec<(Word, u32)>>,
    /// Those of its text that may be names.
    pub(super) mentions: Vec<(Word, u32)>,
    pub(super) names: Vec<(Word, u32)>,
}

const NONE: u32 = u32::MAX;

/// What reading files takes.
#[derive(Clone, Copy)]
pub(super) struct Means<'a> {
    pub(super) root: &'a Path,
    pub(super) limits: Limits,
    pub(super) crew: &'a Crew,
    pub(super) stops: &'a (dyn Fn() -> bool + Sync),
}

impl Tables {
    /// That of a tree. What the last one has is taken over, as far as it is the same.
    pub(super) fn of(
        &self,
        tree: &Arc<Dir>,
        store: Option<(&Store, u64)>,
        means: Means<'_>,
    ) -> Arc<Table> {
        let epoch = store.map_or(0, |(_, epoch)| epoch);
        let before = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = &before
            && Arc::ptr_eq(&known.tree, tree)
            && known.epoch == epoch
            && known.is_whole
        {
            return known.clone();
        }
        let table = Arc::new(Table::new(tree, epoch, store.is_some(), before.as_deref(), means));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(table.clone());
        table
    }
}

impl Table {
    fn new(
        tree: &Arc<Dir>,
        epoch: u64,
        stored: bool,
        before: Option<&Self>,
        means: Means<'_>,
    ) -> Self {
        let mut listed: Vec<(Vec<u8>, File)> = Vec::new();
        let same = before.filter(|before| has_same_paths(&before.tree, tree));
        let (documents, files) = match same {
            Some(before) => {
                // The order of a walk is that of names; documents are in the order of whole paths.
                let mut files = before.files.clone();
                let _ = diff(&before.tree, tree, &mut |path, _, now| {
                    if let (Some(document), Some(file)) = (before.documents.number(path), now) {
                        files[document as usize] = *file;
                    }
                    ControlFlow::Continue(())
                });
                (before.documents.clone(), files)
            }
            None => {
                tree.for_each_file(&Docs::All, &mut |path, file| {
                    listed.push((path.to_vec(), *file));
                });
                listed.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                let (paths, files): (Vec<_>, Vec<_>) = listed.into_iter().unzip();
                (Arc::new(Documents::of(paths)), files)
            }
        };
        let mut table = Self {
            tree: tree.clone(),
            epoch,
            documents,
            files,
            first: Vec::new(),
            next: Vec::new(),
            fresh: Vec::new(),
            is_whole: true,
        };
        table.number(stored);
        table.read_fresh(stored, before, means);
        table
    }

    /// Which documents have a content.
    fn number(&mut self, stored: bool) {
        self.next = vec![NONE; self.files.len()];
        if !stored {
            return;
        }
        for (document, file) in (0..).zip(&self.files) {
            let Some(content) = file.doc.known() else { continue };
            let at = content as usize;
            if self.first.len() <= at {
                self.first.resize(at + 1, NONE);
            }
            self.next[document as usize] = self.first[at];
            self.first[at] = document;
        }
    }

    /// Reads what the store does not know.
    fn read_fresh(&mut self, stored: bool, before: Option<&Self>, means: Means<'_>) {
        let paths = self.documents.all();
        let known: HashMap<&[u8], &Arc<Fresh>> = before
            .iter()
            .flat_map(|before| {
                let path =
                    |document: u32| before.documents.all()[document as usize].path.as_slice();
                before.fresh.iter().map(move |(document, fresh)| (path(*document), fresh))
            })
            .collect();
        let is_fresh = |file: &File, path: &[u8]| {
            !stored
                || file.doc.known().is_none() && file.doc != hob_index::tree::DocId::UNREADABLE
                || !file.outlined && !languages::possible(path).is_empty()
        };
        let wanted = (0_u32..)
            .zip(&self.files)
            .filter(|(document, file)| is_fresh(file, &paths[*document as usize].path));
        let mut wanted: Vec<(u32, File)> =
            wanted.map(|(document, file)| (document, *file)).collect();
        self.is_whole = wanted.len() <= FRESH;
        wanted.truncate(FRESH);
        let workers = means.crew.workers(|| None);
        let misses = AtomicBool::new(false);
        let read = |extractor: &mut Option<Extractor>, (document, file): &(u32, File)| {
            if (means.stops)() {
                return None;
            }
            let path = paths[*document as usize].path.as_slice();
            let same = known.get(path).filter(|fresh| fresh.state == (file.print, file.touch));
            let has_text = stored && file.doc.known().is_some();
            if let Some(fresh) = same.filter(|fresh| fresh.text.is_some() != has_text) {
                return Some((*document, Arc::clone(fresh)));
            }
            let extractor = extractor.get_or_insert_with(|| Extractor::new(means.limits));
            match Fresh::read(means.root, path, file, has_text, extractor) {
                Ok(fresh) => Some((*document, Arc::new(fresh?))),
                Err(Passing) => {
                    misses.store(true, Ordering::Relaxed);
                    None
                }
            }
        };
        let mut fresh = Vec::new();
        for window in wanted.chunks(WINDOW) {
            fresh.extend(workers.map(window, 1, read).into_iter().flatten());
        }
        self.is_whole &= !(means.stops)() && !misses.into_inner();
        self.fresh = fresh;
    }

    /// The documents that have a content, by its number.
    pub(super) fn with_content(&self, content: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.first.get(content as usize).copied().unwrap_or(NONE);
        std::iter::successors((first != NONE).then_some(first), |at| {
            Some(self.next[*at as usize]).filter(|next| *next != NONE)
        })
    }

    /// The words of a document that the store does not know, where all of them were read.
    pub(super) fn fresh(&self, document: u32) -> Option<&Arc<Fresh>> {
        let at = self.fresh.binary_search_by_key(&document, |(document, _)| *document).ok()?;
        Some(&self.fresh[at].1).filter(|fresh| fresh.text.is_some())
    }

    /// The files of the snapshot, for the ranking.
    pub(super) fn corpus<'a>(&'a self, store: Option<&'a Store>) -> Stored<'a> {
        Stored { table: self, store, error: RefCell::new(None) }
    }
}

/// Whether two trees have the same files, whatever is in them.
fn has_same_paths(before: &Dir, now: &Dir) -> bool {
    diff(before, now, &mut |_, before, now| match (before, now) {
        (Some(_), Some(_)) => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    })
    .is_continue()
}

/// Something that has nothing to do with a file hinders reading it.
pub(super) struct Passing;

/// Whether there is hope that it works the next time: there are no descriptors, or there is no memory.
fn is_passing(error: &io::Error) -> bool {
    let passing = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::AGAIN];
    Errno::from_io_error(error).is_some_and(|errno| passing.contains(&errno))
}

impl Fresh {
    /// Reads a file; none where it is not there, or may not be read. `has_text` says that the words of its
    /// text are not wanted.
    pub(super) fn read(
        root: &Path,
        path: &[u8],
        file: &File,
        has_text: bool,
        extractor: &mut Extractor,
    ) -> Result<Option<Self>, Passing> {
        let source = match Source::read(&root.join(OsStr::from_bytes(path)), Links::Refuse) {
            Ok(source) => source,
            Err(error) if is_passing(&error) => return Err(Passing),
            Err(_) => return Ok(None),
        };
        // What has changed since is taken as it is now, and read again for the next snapshot.
        let touch = if source.print == file.print { file.touch } else { u32::MAX };
        let text = source.text();
        let mut counter = Counter::default();
        let language = source.language(path);
        let outline = language.map(|language| source.outline(language, extractor));
        let names = graph::names(&outline.unwrap_or_default(), &text, language, &mut counter);
        let is_text = !has_text && !source.is_binary();
        let mentions = if is_text { words::names(&text) } else { Vec::new() };
        let text = is_text.then(|| {
            counter.count(&text);
            counter.take()
        });
        let text = text.or_else(|| (!has_text).then(Vec::new));
        Ok(Some(Self { state: (source.print, touch), text, mentions, names }))
    }
}

/// A snapshot with the store that knows its contents.
pub(super) struct Stored<'a> {
    table: &'a Table,
    store: Option<&'a Store>,
    /// The store has failed: what it would have said is missing.
    error: RefCell<Option<StoreError>>,
}

impl Stored<'_> {
    /// Why the store did not say all.
    pub(super) fn error(self) -> Option<StoreError> {
        self.error.into_inner()
    }

    fn list(&self, field: Field, word: Word) -> Vec<Posting> {
        let mut list = Vec::new();
        let stored = self.store.map(|store| store.words(field, word));
        match stored {
            Some(Ok(postings)) => {
                for (content, count) in postings {
                    list.extend(self.table.with_content(content).map(|at| (at, count)));
                }
            }
            Some(Err(error)) => *self.error.borrow_mut() = Some(error),
            None => {}
        }
        for (document, fresh) in &self.table.fresh {
            let words = match field {
                Field::Text => fresh.text.as_deref().unwrap_or_default(),
                Field::Names => &fresh.names,
            };
            if let Ok(at) = words.binary_search_by_key(&word, |(word, _)| *word) {
                list.push((*document, words[at].1));
            }
        }
        list.sort_unstable();
        // The last of a document is the greatest.
        list.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = next.1;
            }
            same
        });
        list
    }
}

impl Corpus for Stored<'_> {
    fn documents(&self) -> &Documents {
        &self.table.documents
    }

    fn text(&self, word: Word) -> Vec<Posting> {
        self.list(Field::Text, word)
    }

    fn names(&self, word: Word) -> Vec<Posting> {
        self.list(Field::Names, word)
    }
}
