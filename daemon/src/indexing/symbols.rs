//! Brings what files define into the store, once their text is there.
//!
//! A content is outlined once for each language that files of it are of. A file is read again for
//! it: so searches are quick as soon as they can be, and what is made of symbols can be made anew
//! without the text.

use super::{Claims, Pending, Work};
use crate::outlines::{Links, Source};
use crate::parallel::Worker;
use crate::profile::stage;
use crate::store::{Additions, Store, StoreError};
use crate::workspace::Indexed;
use hob_index::names::Doc;
use hob_index::symbols::extract::Extractor;
use hob_index::symbols::languages::{self, Language};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// A content, and the number of the language that it is outlined as.
pub(super) type Outlined = (u32, u8);

/// Outlines in the making, of one thread.
pub(super) struct Outlining<'a> {
    work: &'a Work,
    store: &'a Store,
    memory: usize,
    extractor: Extractor,
    additions: Additions,
    /// Contents that are in the making here, with the languages' numbers.
    known: HashSet<Outlined>,
    /// The same of all threads, since the round began.
    claimed: &'a Claims<Outlined>,
    /// Files whose outline is.
    waiting: Vec<Indexed>,
}

impl<'a> Outlining<'a> {
    pub(super) fn new(
        work: &'a Work,
        store: &'a Store,
        memory: usize,
        claimed: &'a Claims<Outlined>,
    ) -> Self {
        Self {
            work,
            store,
            memory,
            extractor: Extractor::new(work.budget.limits),
            additions: store.additions(0),
            known: HashSet::new(),
            claimed,
            waiting: Vec::new(),
        }
    }

    fn file(&mut self, pending: &Pending) -> Result<(), StoreError> {
        let Some(doc) = pending.file.doc.known() else { return Ok(()) };
        let indexed = Indexed {
            path: pending.path.clone(),
            print: pending.file.print,
            touch: pending.file.touch,
            doc: pending.file.doc,
            outlined: true,
        };
        let known = match languages::possible(&pending.path).as_slice() {
            [] => true,
            [language] => self.is_known(doc, language)?,
            _ => false,
        };
        if known {
            self.waiting.push(indexed);
            return Ok(());
        }
        let path = self.work.workspace.root().join(OsStr::from_bytes(&pending.path));
        // What cannot be read now, or is another by now, is looked at again when that is reported.
        let Ok(source) = Source::read(&path, Links::Refuse) else { return Ok(()) };
        if source.print != pending.file.print {
            return Ok(());
        }
        if let Some(language) = source.language(&pending.path)
            && !self.is_known(doc, language)?
        {
            if !self.claimed.take((doc, language.number)) {
                // Another thread is at it: once that is stored, this file is outlined as well.
                return Ok(());
            }
            let (outline, references) = source.outline_all(language, &mut self.extractor);
            let number = language.number;
            let _stage = stage!("indexing.symbols").entered();
            self.additions.outline(Doc::Known(doc), number, &outline, &source.text());
            if let Some(references) = references {
                self.additions.references(doc, number, &references);
            }
            self.known.insert((doc, number));
        }
        self.waiting.push(indexed);
        Ok(())
    }

    /// Whether what the content defines in that language is stored, or about to be.
    fn is_known(&self, doc: u32, language: &Language) -> Result<bool, StoreError> {
        Ok(self.known.contains(&(doc, language.number))
            || self.store.outlined(doc, language.number)?)
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if !self.additions.is_empty() {
            let additions = std::mem::replace(&mut self.additions, self.store.additions(0));
            self.store.add(additions)?;
            self.known.clear();
        }
        self.work.hand_over(&mut self.waiting);
        Ok(())
    }
}

impl Worker<Pending> for Outlining<'_> {
    type Error = StoreError;

    fn stops(&self) -> bool {
        self.work.stops() || self.work.has_much_to_read()
    }

    fn item(&mut self, pending: &Pending) -> Result<(), StoreError> {
        self.file(pending)?;
        self.work.advance();
        if self.additions.is_full(self.memory) && !self.work.is_cancelled() {
            self.flush()?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), StoreError> {
        // What was cancelled is to end now, and to write takes a while.
        if self.work.is_cancelled() { Ok(()) } else { self.flush() }
    }
}
