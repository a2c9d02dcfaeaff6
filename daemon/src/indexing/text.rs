//! Numbers the contents of files, and makes segments of their trigrams.

use super::content::{self, Content, Reader};
use super::{Claims, FEW, Pending, Work};
use crate::parallel::Worker;
use crate::profile::stage;
use crate::store::{Additions, Hash, Store, StoreError};
use crate::workspace::Indexed;
use hob_index::tree::DocId;
use hob_index::trigram::Extractor;
use hob_index::words::Counter;
use std::collections::HashMap;

/// A segment in the making, of one thread.
pub(super) struct Batch<'a> {
    work: &'a Work,
    store: &'a Store,
    memory: usize,
    extractor: Extractor,
    additions: Additions,
    known: HashMap<Hash, u32>,
    /// Contents that some thread numbers, since the round began.
    claimed: &'a Claims<Hash>,
    /// Files whose content is in the additions, by its place there.
    waiting: Vec<(Indexed, u32)>,
    done: Vec<Indexed>,
    reader: Reader,
    counter: Counter,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        work: &'a Work,
        store: &'a Store,
        memory: usize,
        claimed: &'a Claims<Hash>,
    ) -> Self {
        Self {
            work,
            store,
            memory,
            extractor: Extractor::new(),
            additions: store.additions(memory),
            known: HashMap::new(),
            claimed,
            waiting: Vec::new(),
            done: Vec::new(),
            reader: Reader::default(),
            counter: Counter::default(),
        }
    }

    fn file(&mut self, pending: &Pending) -> Result<(), StoreError> {
        let path = content::join(self.work.workspace.root(), &pending.path);
        let reading = stage!("indexing.read");
        let read = reading.in_scope(|| self.reader.read(&path, &pending.file, &mut self.extractor));
        drop(reading);
        // What is of no language defines nothing.
        let outlined = self.reader.is_of_no_language(&pending.path);
        let indexed = |doc| Indexed {
            path: pending.path.clone(),
            print: pending.file.print,
            touch: pending.file.touch,
            doc,
            outlined,
        };
        let hash = match read {
            Content::Read(hash) => hash,
            Content::Unreadable => {
                self.done.push(indexed(DocId::UNREADABLE));
                return Ok(());
            }
            Content::Changing => return Ok(()),
        };
        if let Some(place) = self.known.get(&hash) {
            self.waiting.push((indexed(DocId::PENDING), *place));
            return Ok(());
        }
        if let Some(doc) = self.store.lookup(&hash)?.and_then(DocId::new) {
            self.done.push(indexed(doc));
            return Ok(());
        }
        if !self.claimed.take(hash) {
            // Another thread is at it: once that is stored, this file gets the same number.
            return Ok(());
        }
        let place = self.additions.text.docs();
        let _stage = stage!("indexing.trigrams").entered();
        self.reader.each_part(&pending.file, &mut self.extractor, &mut |trigrams| {
            self.additions.text.add(trigrams);
        });
        self.reader.count(&mut self.counter);
        self.additions.words.add(place, &self.counter.take());
        self.known.insert(hash, place);
        self.additions.contents.push((hash, place));
        self.waiting.push((indexed(DocId::PENDING), place));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        if !self.additions.is_empty() {
            let next = self.store.additions(self.memory);
            let base = self.store.add(std::mem::replace(&mut self.additions, next))?;
            let numbered = self.waiting.drain(..).filter_map(|(indexed, place)| {
                Some(Indexed { doc: DocId::new(base.checked_add(place)?)?, ..indexed })
            });
            self.done.extend(numbered);
            self.known.clear();
        }
        self.hand_over();
        Ok(())
    }

    fn hand_over(&mut self) {
        self.work.hand_over(&mut self.done);
    }
}

impl Worker<Pending> for Batch<'_> {
    type Error = StoreError;

    fn stops(&self) -> bool {
        self.work.stops()
    }

    fn item(&mut self, pending: &Pending) -> Result<(), StoreError> {
        self.file(pending)?;
        self.work.advance();
        if self.additions.is_full(self.memory) && !self.work.is_cancelled() {
            self.flush()?;
        }
        if self.done.len() >= FEW {
            self.hand_over();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), StoreError> {
        // What was cancelled is to end now, and to write takes a while.
        if self.work.is_cancelled() {
            self.hand_over();
            return Ok(());
        }
        self.flush()
    }
}
