//! What is added to a store in one commit.

use super::segment::{Segment, insert_names};
use super::tables::{
    BLOCKS, CONTENTS, NAMED, OUTLINES, REFERENCES, SEGMENTS, WORDS, begin, commit,
};
use super::words::insert_words;
use super::{Hash, Store, StoreError};
use crate::profile::stage;
use hob_index::graph;
use hob_index::names::{self, Counts, Doc};
use hob_index::postings;
use hob_index::symbols::Outline;
use hob_index::symbols::languages;
use hob_index::symbols::record::Encoded;
use hob_index::symbols::references::{self, Reference};
use hob_index::words::{self, Counter};
use redb::WriteTransaction;
use std::sync::PoisonError;

/// Contents, and what is derived from them, while they wait in memory.
///
/// A content that is known already may get an outline: it was seen as another language, or its
/// outline was made by other rules.
pub(crate) struct Additions {
    /// Each new content's hash, and its first document in `text`.
    pub(crate) contents: Vec<(Hash, u32)>,
    /// The trigrams of the contents.
    pub(crate) text: postings::Builder,
    names: names::Builder,
    outlines: Vec<(Doc, u8, Encoded)>,
    references: Vec<(u32, u8, references::Encoded)>,
    outlined: usize,
    /// The words of the contents, by their documents in `text`.
    pub(crate) words: words::Build,
    /// The words of names that known contents define, and new ones.
    named: [words::Build; 2],
    counter: Counter,
}

impl Additions {
    fn new(segment: u32, memory: usize) -> Self {
        Self {
            contents: Vec::new(),
            text: postings::Builder::with_memory(segment, memory),
            names: names::Builder::with_memory(segment, memory / 2),
            outlines: Vec::new(),
            references: Vec::new(),
            outlined: 0,
            words: words::Build::default(),
            named: Default::default(),
            counter: Counter::default(),
        }
    }

    /// Adds what a content defines as a language; `text` is what the outline was made of. One
    /// without any symbol counts as well: it need not be parsed again.
    pub(crate) fn outline(&mut self, doc: Doc, language: u8, outline: &Outline, text: &[u8]) {
        for (ordinal, symbol) in (0..).zip(&outline.symbols) {
            let name = symbol.name.start as usize..symbol.name.end as usize;
            if let Some(name) = text.get(name) {
                self.names.add(name, doc, language, symbol.kind, ordinal);
            }
        }
        let words = graph::names(outline, text, languages::by_number(language), &mut self.counter);
        match doc {
            Doc::Known(doc) => self.named[0].add(doc, &words),
            Doc::New(place) => self.named[1].add(place, &words),
        }
        let encoded = Encoded::new(outline);
        self.outlined += encoded.memory() + size_of::<(Doc, u8, Encoded)>();
        self.outlines.push((doc, language, encoded));
    }

    /// Adds what a known content mentions as a language.
    pub(crate) fn references(&mut self, doc: u32, language: u8, references: &[Reference]) {
        let encoded = references::Encoded::new(references);
        self.outlined += encoded.memory() + size_of::<(u32, u8, references::Encoded)>();
        self.references.push((doc, language, encoded));
    }

    /// The bytes that all of it takes at the moment.
    pub(crate) fn memory(&self) -> usize {
        let words = [&self.words, &self.named[0], &self.named[1]].map(words::Build::memory);
        self.text.memory() + self.names.memory() + self.outlined + words.iter().sum::<usize>()
    }

    /// Whether it is time to add it: past so many bytes, or as many contents as it can take.
    pub(crate) fn is_full(&self, budget: usize) -> bool {
        // Room for a file of the most parts must be left.
        let is_full = self.text.docs() > postings::MAX_DOCS / 2;
        is_full || self.named.iter().any(words::Build::is_full) || self.memory() > budget
    }

    /// Whether there is nothing to add.
    pub(crate) fn is_empty(&self) -> bool {
        self.contents.is_empty() && self.outlines.is_empty()
    }
}

impl Store {
    /// What the next commit adds, with room for about so many bytes.
    pub(crate) fn additions(&self, memory: usize) -> Additions {
        Additions::new(self.next_segment(), memory)
    }

    /// Adds all of it, as one segment. Returns the number of its first document.
    pub(crate) fn add(&self, additions: Additions) -> Result<u32, StoreError> {
        let _stage = stage!("store.add").entered();
        let Additions { contents, text, names, mut outlines, mut words, named, .. } = additions;
        let mut references = additions.references;
        references.sort_unstable_by_key(|(doc, language, _)| (*doc, *language));
        // Nobody has to wait for what needs no number.
        let names = names.sort();
        let place = |doc| match doc {
            Doc::Known(doc) => (false, doc),
            Doc::New(place) => (true, place),
        };
        outlines.sort_unstable_by_key(|(doc, language, _)| (place(*doc), *language));
        self.checked(|| {
            let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let db = self.db.read().unwrap_or_else(PoisonError::into_inner);
            let base = self.reader().end();
            let write = begin(&db)?;
            let segment = names.segment();
            let docs = insert_text(&write, segment, text)?;
            insert_contents(&write, base, &contents)?;
            let counts = insert_names(&write, segment, |emit| names.finish(base, emit))?;
            insert_outlines(&write, base, &outlines)?;
            insert_references(&write, &references)?;
            if docs > 0 {
                words.shift(base);
                insert_words(&write, WORDS, |emit| words.finish(segment, emit))?;
            }
            if counts.names > 0 {
                let [mut named, mut new] = named;
                new.shift(base);
                named.append(new);
                insert_words(&write, NAMED, |emit| named.finish(segment, emit))?;
            }
            if docs > 0 || counts != Counts::default() {
                let segment = Segment { number: segment, base, docs, counts };
                write.open_table(SEGMENTS)?.insert(segment.number, segment.encode().as_slice())?;
            }
            commit(write)?;
            self.reopen_reader(&db)?;
            Ok(base)
        })
    }
}

fn insert_text(
    write: &WriteTransaction,
    segment: u32,
    text: postings::Builder,
) -> Result<u32, StoreError> {
    if text.docs() == 0 {
        return Ok(0);
    }
    let mut blocks = write.open_table(BLOCKS)?;
    text.finish(&mut |key, block| {
        debug_assert_eq!(key.segment, segment);
        blocks.insert(&key.to_bytes(), block)?;
        Ok(())
    })
}

fn insert_contents(
    write: &WriteTransaction,
    base: u32,
    new: &[(Hash, u32)],
) -> Result<(), StoreError> {
    let mut sorted: Vec<&(Hash, u32)> = new.iter().collect();
    sorted.sort_unstable();
    let mut contents = write.open_table(CONTENTS)?;
    for (hash, place) in sorted {
        contents.insert(hash, base + place)?;
    }
    Ok(())
}

fn insert_references(
    write: &WriteTransaction,
    references: &[(u32, u8, references::Encoded)],
) -> Result<(), StoreError> {
    let mut table = write.open_table(REFERENCES)?;
    for (doc, language, encoded) in references {
        encoded.for_each(*doc, *language, &mut |key, chunk| -> Result<(), StoreError> {
            table.insert(&key.to_bytes(), chunk)?;
            Ok(())
        })?;
    }
    Ok(())
}

fn insert_outlines(
    write: &WriteTransaction,
    base: u32,
    outlines: &[(Doc, u8, Encoded)],
) -> Result<(), StoreError> {
    let mut table = write.open_table(OUTLINES)?;
    for (doc, language, encoded) in outlines {
        let doc = match doc {
            Doc::Known(doc) => *doc,
            Doc::New(place) => base + place,
        };
        encoded.for_each(doc, *language, &mut |key, chunk| -> Result<(), StoreError> {
            table.insert(&key.to_bytes(), chunk)?;
            Ok(())
        })?;
    }
    Ok(())
}
